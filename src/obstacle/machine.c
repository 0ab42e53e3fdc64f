/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "obstacle/machine.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "util/array.h"
#include "util/livefile.h"
#include "util/openfiles.h"
#include "util/slice.h"

/* linux/seccomp.h: SECCOMP_MODE_FILTER, as /proc/PID/status has it */
#define SECCOMP_FILTER 2

#define TEXT_SIZE      4096

static enum lockdown read_lockdown(const char *sysfs)
{
	char text[128];

	if (live_read_once(sysfs, "kernel/security/lockdown", text, sizeof(text)) <= 0)
		return LOCKDOWN_UNKNOWN;
	if (strstr(text, "[confidentiality]"))
		return LOCKDOWN_CONFIDENTIALITY;
	return strstr(text, "[integrity]") ? LOCKDOWN_INTEGRITY : LOCKDOWN_NONE;
}

/* Modules whose policy may forbid bpf() or a tracepoint even to a process with all capabilities. */
static void read_modules(const char *sysfs, struct machine *machine)
{
	static const char *const with_policy[] = {"selinux", "smack", "apparmor", "tomoyo", "bpf"};
	struct slice rest, name;
	size_t i, used = 0;
	char text[256];

	if (live_read_once(sysfs, "kernel/security/lsm", text, sizeof(text)) <= 0)
		return;
	rest = slice_of(text);
	while (slice_next_word(&rest, ',', &name))
		for (i = 0; i < ARRAY_SIZE(with_policy); i++)
			if (slice_is(name, with_policy[i]) &&
			    used + name.len + 3 < sizeof(machine->modules))
				used += (size_t)sprintf(machine->modules + used, "%s%s",
							used ? ", " : "", with_policy[i]);
}

static bool has_seccomp_filter(const char *procfs)
{
	char text[TEXT_SIZE];
	uint64_t mode;

	return live_read_once(procfs, "self/status", text, sizeof(text)) > 0 &&
	       line_number(text, "Seccomp:", &mode) && mode == SECCOMP_FILTER;
}

/* In the first user namespace every id maps to itself. */
static bool in_user_namespace(const char *procfs)
{
	static const char *const all[] = {"0", "0", "4294967295"}; /* inside, outside, count */
	struct slice rest, word;
	char text[128];

	if (live_read_once(procfs, "self/uid_map", text, sizeof(text)) <= 0)
		return false;
	rest = slice_of(text);
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (!slice_next_word(&rest, ' ', &word) || !slice_is(word, all[i]))
			return true;
	return false;
}

void machine_read(const struct machine_place *place, const struct features *features,
		  struct machine *machine)
{
	const char *procfs = place->procfs ? place->procfs : "/proc";
	const char *sysfs = place->sysfs ? place->sysfs : "/sys";

	*machine = (struct machine){
		.lockdown = read_lockdown(sysfs),
		.seccomp_filter = has_seccomp_filter(procfs),
		.user_namespace = in_user_namespace(procfs),
		.btf = feature_kernel_btf(sysfs) > 0,
		.files = open_files_limit(),
		.missing_cap_count = features->missing_cap_count,
		.bpf_filtered = features->bpf_filtered,
		.perf_filtered = features->perf_filtered,
		.reads_kernel = features->reads_kernel != 0,
	};
	memcpy(machine->missing_caps, features->missing_caps, sizeof(machine->missing_caps));
	read_modules(sysfs, machine);
}

bool machine_locked_down(const struct machine *machine)
{
	if (machine->lockdown != LOCKDOWN_UNKNOWN)
		return machine->lockdown == LOCKDOWN_CONFIDENTIALITY;
	return !machine->reads_kernel;
}
