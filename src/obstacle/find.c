/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Why the kernel refused, by errno and step. The most certain causes come first. */
#include <bpf/btf.h>
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "obstacle/internal.h"
#include "util/buf.h"

/* The kernel's own ENOTSUPP, which no libc knows: the kernel cannot make the trampoline. */
#define KERNEL_ENOTSUPP 524

#define RUN_PRIVILEGED	"run bramble as root in a privileged container"

#define SEE_VERIFIER	"--log.level=debug shows what the kernel's verifier says"

static bool is_refusal(int err)
{
	return err == -EPERM || err == -EACCES;
}

void obstacle_of_user_namespace(struct obstacle *out)
{
	obstacle_set(out, "this is a user namespace, and capabilities count in the first one alone",
		     "run bramble outside of user namespaces (rootless containers are in one)");
}

/* What else would do, in place of a capability. */
static const char *way_round(const char *cap)
{
	if (strcmp(cap, "CAP_SYS_ADMIN") == 0)
		return "; or, in place of CAP_SYS_ADMIN, sysctl kernel.perf_event_paranoid=2";
	if (strcmp(cap, "CAP_SYS_RESOURCE") == 0)
		return "; or, in place of CAP_SYS_RESOURCE, raise RLIMIT_MEMLOCK (ulimit -l) to "
		       "64 MiB";
	return "";
}

void obstacle_of_caps(const struct machine *machine, struct obstacle *out)
{
	struct buf names = {0}, ways = {0};
	size_t i;

	for (i = 0; i < machine->missing_cap_count; i++) {
		buf_printf(&names, "%s%s", i ? ", " : "", machine->missing_caps[i]);
		buf_puts(&ways, way_round(machine->missing_caps[i]));
	}
	if (buf_failed(&names) || buf_failed(&ways)) {
		obstacle_set(out, "capabilities are missing", RUN_PRIVILEGED);
	} else {
		obstacle_cause(out, "missing %s", names.data);
		obstacle_remedy(out, RUN_PRIVILEGED ", or give it %s%s", names.data, ways.data);
	}
	buf_free(&names);
	buf_free(&ways);
}

void obstacle_of_seccomp(const char *call, struct obstacle *out)
{
	obstacle_cause(out, "a seccomp filter refuses the system call %s", call);
	obstacle_remedy(
		out,
		"run it without one: seccompProfile type Unconfined (Kubernetes), --security-opt "
		"seccomp=unconfined (docker, podman), SystemCallFilter=%s (systemd)",
		call);
}

void obstacle_of_lockdown(struct obstacle *out)
{
	obstacle_set(
		out,
		"the kernel is locked down (confidentiality), and lets neither tracefs nor its "
		"memory be read",
		"boot with lockdown=integrity, or without lockdown=");
}

/* Everything that is needed is there, and still it is refused. Only a policy is left as cause. */
static void of_modules(const struct machine *machine, int err, struct obstacle *out)
{
	obstacle_cause(out, "a security module of this machine refuses it (%s: %s)",
		       machine->modules[0] ? machine->modules : "such as SELinux, AppArmor or bpf",
		       strerrordesc_np(-err));
	obstacle_remedy(out,
			"allow it in that module's policy; a privileged container is mostly exempt "
			"from those of SELinux and AppArmor");
}

static void of_refusal(const struct machine *machine, const char *call, bool filtered, int err,
		       struct obstacle *out)
{
	if (machine->user_namespace)
		obstacle_of_user_namespace(out);
	else if (machine->missing_cap_count)
		obstacle_of_caps(machine, out);
	else if (filtered && machine->seccomp_filter)
		obstacle_of_seccomp(call, out);
	else
		of_modules(machine, err, out);
}

static void of_bpf(const struct machine *machine, int err, struct obstacle *out)
{
	bool filtered = machine->bpf_filtered && machine->seccomp_filter;

	if (is_refusal(err))
		of_refusal(machine, "bpf", machine->bpf_filtered, err, out);
	else if (err == -ENOSYS && filtered)
		obstacle_of_seccomp("bpf", out);
	else if (err == -ENOSYS)
		obstacle_set(out, "this kernel is built without CONFIG_BPF_SYSCALL",
			     "use a kernel with CONFIG_BPF_SYSCALL");
	else if (err == -EINVAL)
		obstacle_set(out, "this kernel is built without CONFIG_BPF_EVENTS",
			     "use a kernel with CONFIG_BPF_EVENTS");
	else
		obstacle_set(out, strerrordesc_np(-err), "");
}

/*
 * libbpf had no types to relocate by, and does not say why. So it is tried again. If that works,
 * there was too little memory beside the programs, which are gone by now.
 */
static void of_btf(struct obstacle *out)
{
	struct btf *btf = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	int err = btf ? ENOMEM : errno;

	btf__free(btf);
	obstacle_cause(out, "the kernel's BTF cannot be read: %s", strerrordesc_np(err));
	obstacle_remedy(out, "%s--btf=none takes layouts from tracefs instead",
			err == ENOMEM ? "raise the memory limit; " : "");
}

/*
 * The smallest program could be loaded, and ours could not. The kernel does not let programs read
 * memory, or its verifier does not accept ours. EPERM may still come from a policy.
 */
static void of_programs(const struct machine *machine, int err, struct obstacle *out)
{
	if (machine_locked_down(machine))
		obstacle_of_lockdown(out);
	else if (err == -EPERM)
		of_refusal(machine, "bpf", machine->bpf_filtered, err, out);
	else if (err == -EINVAL || err == -EACCES || err == -E2BIG || err == -ENOSPC)
		obstacle_cause(out, "the kernel's verifier does not take them (%s)",
			       strerrordesc_np(-err));
	else if (err == -ESRCH)
		of_btf(out);
	else
		obstacle_set(out, strerrordesc_np(-err), "");
	if (!out->remedy[0])
		obstacle_remedy(out, "%s", SEE_VERIFIER);
}

static void of_perf_event(const struct machine *machine, int err, struct obstacle *out)
{
	if (is_refusal(err))
		of_refusal(machine, "perf_event_open", machine->perf_filtered, err, out);
	else if (err == -ENOSYS && machine->perf_filtered && machine->seccomp_filter)
		obstacle_of_seccomp("perf_event_open", out);
	else if (err == -ENOSYS || err == -ENOENT || err == -EOPNOTSUPP)
		obstacle_set(out, "this kernel is built without CONFIG_PERF_EVENTS",
			     "use a kernel with CONFIG_PERF_EVENTS");
	else if (err == -ENODEV)
		obstacle_set(out, "CPUs are being taken away", "start it again");
	else
		obstacle_set(out, strerrordesc_np(-err), "");
}

static void of_attach(const struct machine *machine, int err, struct obstacle *out)
{
	if (is_refusal(err))
		of_refusal(machine, "bpf", machine->bpf_filtered, err, out);
	else if (err == -ENOENT)
		obstacle_set(out, "this kernel does not have it", "it takes another kernel");
	else if (err == -EINVAL)
		obstacle_set(out, "this kernel passes it other arguments",
			     "it takes another kernel");
	else if (err == -EEXIST || err == -E2BIG)
		obstacle_set(out, "too many programs are attached to it (64 at most)",
			     "end other programs that trace");
	else
		obstacle_set(out, strerrordesc_np(-err), "");
}

static void of_function(const struct machine *machine, int err, struct obstacle *out)
{
	if (!machine->btf)
		obstacle_set(out, "this kernel has no BTF",
			     "it takes a kernel with CONFIG_DEBUG_INFO_BTF");
	else if (err == -EOPNOTSUPP || err == -KERNEL_ENOTSUPP)
		obstacle_set(out, "this kernel cannot hook its functions",
			     "it takes another kernel (arm64: 6.4 or later)");
	else if (err == -ENOENT || err == -ESRCH)
		obstacle_set(out, "this kernel has no function of that name",
			     "it takes another kernel");
	else if (err == -EPERM)
		of_refusal(machine, "bpf", machine->bpf_filtered, err, out);
	else
		of_programs(machine, err, out);
}

bool obstacle_of_resources(const struct machine *machine, int err, struct obstacle *out)
{
	if (err == -EMFILE)
		obstacle_of_files(machine->files, 0, out);
	else if (err == -ENFILE)
		obstacle_set(out, "the machine has no more open files",
			     "raise sysctl fs.file-max, or end what holds them");
	else if (err == -ENOMEM)
		obstacle_set(out, "there is no memory for it",
			     "raise the memory limit of the container, or use fewer --slots");
	return err == -EMFILE || err == -ENFILE || err == -ENOMEM;
}

void obstacle_find(const struct machine *machine, enum obstacle_step step, int err,
		   struct obstacle *out)
{
	*out = (struct obstacle){.cause = ""};
	if (obstacle_of_resources(machine, err, out))
		return;
	switch (step) {
	case OBSTACLE_BPF:
		of_bpf(machine, err, out);
		break;
	case OBSTACLE_PROGRAMS:
		of_programs(machine, err, out);
		break;
	case OBSTACLE_PERF_EVENT:
		of_perf_event(machine, err, out);
		break;
	case OBSTACLE_ATTACH:
		of_attach(machine, err, out);
		break;
	case OBSTACLE_FUNCTION:
		of_function(machine, err, out);
		break;
	case OBSTACLE_TRACEFS:
		if (is_refusal(err) && machine_locked_down(machine))
			obstacle_of_lockdown(out);
		else if (is_refusal(err))
			of_refusal(machine, "open", false, err, out);
		else
			obstacle_of_file(err, out);
		break;
	case OBSTACLE_FILE:
		obstacle_of_file(err, out);
		break;
	}
}

void obstacle_report(enum log_level level, const struct machine_place *place,
		     enum obstacle_step step, int err, const char *format, ...)
{
	struct obstacle obstacle;
	struct features features;
	struct machine machine;
	va_list args;

	if (!log_enabled(level))
		return;
	features_probe(&features);
	machine_read(place, &features, &machine);
	obstacle_find(&machine, step, err, &obstacle);
	va_start(args, format);
	obstacle_vlog(level, &obstacle, format, args);
	va_end(args);
}
