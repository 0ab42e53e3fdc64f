/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "sandbox/sandbox.h"

#include <errno.h>
#include <string.h>
#include <sys/prctl.h>

#include "sandbox/caps.h"
#include "sandbox/filter.h"
#include "sandbox/landlock.h"
#include "util/array.h"
#include "util/log.h"

const char *const sandbox_layer_names[SANDBOX_LAYERS] = {
	[SANDBOX_CAPABILITIES] = "capabilities",
	[SANDBOX_NO_NEW_PRIVS] = "no_new_privs",
	[SANDBOX_SECCOMP] = "seccomp",
	[SANDBOX_LANDLOCK] = "landlock",
};

/* In the order of their numbers: include/uapi/linux/capability.h. libcap's are to be freed. */
static const char *const capability_names[] = {
	"cap_chown",
	"cap_dac_override",
	"cap_dac_read_search",
	"cap_fowner",
	"cap_fsetid",
	"cap_kill",
	"cap_setgid",
	"cap_setuid",
	"cap_setpcap",
	"cap_linux_immutable",
	"cap_net_bind_service",
	"cap_net_broadcast",
	"cap_net_admin",
	"cap_net_raw",
	"cap_ipc_lock",
	"cap_ipc_owner",
	"cap_sys_module",
	"cap_sys_rawio",
	"cap_sys_chroot",
	"cap_sys_ptrace",
	"cap_sys_pacct",
	"cap_sys_admin",
	"cap_sys_boot",
	"cap_sys_nice",
	"cap_sys_resource",
	"cap_sys_time",
	"cap_sys_tty_config",
	"cap_mknod",
	"cap_lease",
	"cap_audit_write",
	"cap_audit_control",
	"cap_setfcap",
	"cap_mac_override",
	"cap_mac_admin",
	"cap_syslog",
	"cap_wake_alarm",
	"cap_block_suspend",
	"cap_audit_read",
	"cap_perfmon",
	"cap_bpf",
	"cap_checkpoint_restore",
};

const char *sandbox_capability_name(int capability)
{
	return capability >= 0 && (size_t)capability < ARRAY_SIZE(capability_names)
		       ? capability_names[capability]
		       : NULL;
}

/* Says once why a layer is not in force. What the kernel lacks is no fault of anybody's. */
static bool is_on(enum sandbox_layer layer, int err)
{
	bool lacks = err == -ENOSYS || err == -EOPNOTSUPP || err == -EINVAL;

	if (err)
		log_at(lacks ? LOG_INFO : LOG_WARN,
		       "the sandbox is without %s: %s; bramble runs with the other layers "
		       "(docs/security.md)",
		       sandbox_layer_names[layer],
		       lacks ? "this kernel does not have it" : strerror(-err));
	return !err;
}

static int forbid_new_privileges(void)
{
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

void sandbox_none(struct sandbox *out)
{
	*out = (struct sandbox){
		.layer = {[SANDBOX_NO_NEW_PRIVS] = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1},
		.capabilities = caps_effective(),
	};
}

void sandbox_confine(const struct sandbox_needs *needs, struct sandbox *out)
{
	if (needs->failed)
		log_warn("out of memory while the sandbox was set up: some files may not be read");
	sandbox_none(out);
	out->layer[SANDBOX_CAPABILITIES] = is_on(SANDBOX_CAPABILITIES, caps_drop(needs));
	out->capabilities = caps_effective();
	out->layer[SANDBOX_NO_NEW_PRIVS] = is_on(SANDBOX_NO_NEW_PRIVS, forbid_new_privileges());
	out->layer[SANDBOX_LANDLOCK] = is_on(SANDBOX_LANDLOCK, landlock_confine(needs));
	if (out->layer[SANDBOX_LANDLOCK])
		out->landlock_version = landlock_version();
}

void sandbox_filter(const struct sandbox_needs *needs, struct sandbox *out)
{
	out->layer[SANDBOX_SECCOMP] = is_on(SANDBOX_SECCOMP, filter_install(needs));
}
