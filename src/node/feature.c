/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/feature.h"

#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "node/cpufreq.h"
#include "node/thermal.h"
#include "node/throttle.h"
#include "util/buf.h"
#include "util/livefile.h"
#include "util/log.h"
#include "util/slice.h"

#define UNIFIED "systemd.unified_cgroup_hierarchy=1"

const char *const node_feature_names[NODE_FEATURES] = {
	[NODE_FEATURE_MEMORY] = "memory_controller",
	[NODE_FEATURE_CPU] = "cpu_controller",
	[NODE_FEATURE_PSI] = "psi",
	[NODE_FEATURE_TEMPERATURE] = "temperature",
	[NODE_FEATURE_CPU_FREQUENCY] = "cpu_frequency",
	[NODE_FEATURE_UNDER_VOLTAGE] = "under_voltage",
};

const char *const node_feature_titles[NODE_FEATURES] = {
	[NODE_FEATURE_MEMORY] = "memory controller",
	[NODE_FEATURE_CPU] = "cpu controller",
	[NODE_FEATURE_PSI] = "PSI",
	[NODE_FEATURE_TEMPERATURE] = "temperature",
	[NODE_FEATURE_CPU_FREQUENCY] = "CPU frequency",
	[NODE_FEATURE_UNDER_VOLTAGE] = "under-voltage alarm",
};

const char *const node_feature_states[] = {
	[NODE_FEATURE_PRESENT] = "present",
	[NODE_FEATURE_OFF] = "off",
	[NODE_FEATURE_MISSING] = "missing",
};

static void set(struct node_fact *fact, enum node_feature_state state, const char *detail,
		const char *remedy)
{
	fact->state = state;
	snprintf(fact->detail, sizeof(fact->detail), "%s", detail);
	snprintf(fact->remedy, sizeof(fact->remedy), "%s", remedy);
}

void node_place_find(struct node_place *place, const char *procfs, const char *sysfs,
		     const char *cgroupfs, const char *boot_dir)
{
	*place = (struct node_place){.procfs = procfs, .sysfs = sysfs};
	place->cgroup2_err = cgroup2_find(procfs, cgroupfs, &place->cgroup2);
	boot_find(procfs, boot_dir, &place->boot);
}

bool node_has_controller(const struct node_place *place, const char *controller)
{
	struct slice rest, word;
	char text[512];

	if (live_read_once(place->cgroup2.path, "cgroup.controllers", text, sizeof(text)) <= 0)
		return false;
	rest = slice_of(text);
	while (slice_next_word(&rest, ' ', &word))
		if (slice_is(word, controller))
			return true;
	return false;
}

static void find_memory(const struct node_place *place, struct node_fact *fact)
{
	if (node_has_controller(place, "memory"))
		return;
	if (place->cgroup2.v1_memory) {
		set(fact, NODE_FEATURE_OFF, "it is mounted as cgroup v1", "");
		boot_remedy(&place->boot, UNIFIED, fact->remedy, sizeof(fact->remedy));
		return;
	}
	set(fact, NODE_FEATURE_MISSING, "", "use a kernel with CONFIG_MEMCG");
	if (boot_memory_remedy(&place->boot, fact->remedy, sizeof(fact->remedy))) {
		fact->state = NODE_FEATURE_OFF;
		snprintf(fact->detail, sizeof(fact->detail),
			 "it is turned off on the kernel's command line");
	}
}

static void find_cpu(const struct node_place *place, struct node_fact *fact)
{
	if (node_has_controller(place, "cpu"))
		return;
	set(fact, NODE_FEATURE_MISSING, "", "use a kernel with CONFIG_CFS_BANDWIDTH");
	if (!place->cgroup2.v1)
		return;
	set(fact, NODE_FEATURE_OFF, "it is mounted as cgroup v1", "");
	boot_remedy(&place->boot, UNIFIED, fact->remedy, sizeof(fact->remedy));
}

/* A kernel without CONFIG_PSI looks the same as one with PSI turned off. */
static void find_psi(const struct node_place *place, struct node_fact *fact)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/pressure/cpu", place->procfs) < sizeof(path) &&
	    access(path, R_OK) == 0)
		return;
	set(fact, NODE_FEATURE_OFF, "", "");
	boot_remedy(&place->boot, "psi=1", fact->remedy, sizeof(fact->remedy));
}

static void find_temperature(const struct node_place *place, struct node_fact *fact)
{
	struct thermal thermal;

	thermal_open(&thermal, place->sysfs);
	if (!thermal.count)
		set(fact, NODE_FEATURE_MISSING, "",
		    "use a kernel with CONFIG_THERMAL and a driver of the sensor (on a Pi "
		    "CONFIG_BCM2711_THERMAL or CONFIG_BCM2835_THERMAL); a virtual machine has "
		    "none");
	thermal_close(&thermal);
}

static void find_cpu_frequency(const struct node_place *place, struct node_fact *fact)
{
	struct cpufreq cpufreq;

	cpufreq_open(&cpufreq, place->sysfs);
	if (!cpufreq.count)
		set(fact, NODE_FEATURE_MISSING, "",
		    "use a kernel with CONFIG_CPU_FREQ and a driver (on a Pi "
		    "CONFIG_ARM_RASPBERRYPI_CPUFREQ); a virtual machine has none");
	cpufreq_close(&cpufreq);
}

static void find_under_voltage(const struct node_place *place, struct node_fact *fact)
{
	struct throttle throttle;

	throttle_open(&throttle, place->procfs, place->sysfs);
	if (throttle.alarm_fd < 0 && !place->boot.raspberry_pi)
		set(fact, NODE_FEATURE_UNSUITED, "this is no Raspberry Pi", "");
	else if (throttle.alarm_fd < 0)
		set(fact, NODE_FEATURE_MISSING, "",
		    "modprobe raspberrypi-hwmon, or use a kernel with "
		    "CONFIG_SENSORS_RASPBERRYPI_HWMON");
	throttle_close(&throttle);
}

void node_feature_find(const struct node_place *place, enum node_feature feature,
		       struct node_fact *fact)
{
	static void (*const find[NODE_FEATURES])(const struct node_place *, struct node_fact *) = {
		[NODE_FEATURE_MEMORY] = find_memory,
		[NODE_FEATURE_CPU] = find_cpu,
		[NODE_FEATURE_PSI] = find_psi,
		[NODE_FEATURE_TEMPERATURE] = find_temperature,
		[NODE_FEATURE_CPU_FREQUENCY] = find_cpu_frequency,
		[NODE_FEATURE_UNDER_VOLTAGE] = find_under_voltage,
	};

	*fact = (struct node_fact){.state = NODE_FEATURE_PRESENT};
	find[feature](place, fact);
}

/* Names what can be turned on, and how. Neighbours with the same remedy share it. */
static void report_off(const struct node_place *place, struct buf *text)
{
	char remedy_before[sizeof(((struct node_fact *)0)->remedy)] = "";
	struct node_fact fact;
	int i;

	for (i = 0; i < NODE_FEATURES; i++) {
		node_feature_find(place, (enum node_feature)i, &fact);
		if (fact.state != NODE_FEATURE_OFF)
			continue;
		if (remedy_before[0] && strcmp(fact.remedy, remedy_before) != 0)
			buf_printf(text, ": %s; ", remedy_before);
		else if (remedy_before[0])
			buf_puts(text, ", ");
		buf_puts(text, node_feature_titles[i]);
		memcpy(remedy_before, fact.remedy, sizeof(remedy_before));
	}
	if (remedy_before[0])
		buf_printf(text, ": %s", remedy_before);
}

static void report_missing(const struct node_place *place, struct buf *text)
{
	struct node_fact fact;
	bool any = false;
	int i;

	for (i = 0; i < NODE_FEATURES; i++) {
		node_feature_find(place, (enum node_feature)i, &fact);
		if (fact.state != NODE_FEATURE_MISSING)
			continue;
		buf_printf(text, "%s%s", any ? ", " : "", node_feature_titles[i]);
		any = true;
	}
}

void node_features_report(const struct node_place *place)
{
	struct buf off = {0}, missing = {0};

	report_off(place, &off);
	report_missing(place, &missing);
	if ((off.len || missing.len) && !buf_failed(&off) && !buf_failed(&missing))
		log_info("this node does not report everything%s%s%s%s; see `bramble check`",
			 off.len ? "; off: " : "", off.len ? off.data : "",
			 missing.len ? "; missing: " : "", missing.len ? missing.data : "");
	buf_free(&off);
	buf_free(&missing);
}
