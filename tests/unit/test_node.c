/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Over the recorded trees of tests/unit/data/nodes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <cmocka.h>

#include "node/node.h"
#include "tree.h"
#include "util/buf.h"

#define MILLI INT64_C(1000000)
#define KIB   INT64_C(1024)

static struct node *node;
static char procfs[96], sysfs[96];

static void open_tree(const char *root)
{
	snprintf(procfs, sizeof(procfs), "%s/proc", root);
	snprintf(sysfs, sizeof(sysfs), "%s/sys", root);
	node = node_open(procfs, sysfs, NULL);
	assert_non_null(node);
	node_read(node);
}

static void open_machine(const char *name)
{
	char root[64];

	snprintf(root, sizeof(root), "tests/unit/data/nodes/%s", name);
	open_tree(root);
}

static int close_node(void **state)
{
	(void)state;
	node_close(node);
	node = NULL;
	return 0;
}

struct search {
	const char *labels; /* "a|b|c" */
	int found, all;
	int64_t value;
};

static void on_sample(void *context, const struct node_sample *sample)
{
	struct search *search = context;
	char labels[256];
	int i, len = 0;

	labels[0] = '\0';
	for (i = 0; i < NODE_LABELS_MAX && sample->label[i]; i++)
		len += snprintf(labels + len, sizeof(labels) - (size_t)len, "%s%s", i ? "|" : "",
				sample->label[i]);
	search->all++;
	if (strcmp(labels, search->labels) == 0) {
		search->found++;
		search->value = sample->value;
	}
}

static struct search search(enum node_value value, const char *labels)
{
	struct search search = {.labels = labels};

	node_visit(node, value, on_sample, &search);
	return search;
}

static void is(enum node_value value, const char *labels, int64_t expected)
{
	struct search found = search(value, labels);

	if (found.found != 1)
		fail_msg("%d samples of value %d have labels %s", found.found, value, labels);
	assert_int_equal(found.value, expected);
}

/* How many samples a value has, whatever their labels. */
static void has(enum node_value value, int count)
{
	assert_int_equal(search(value, "").all, count);
}

static void test_pi3(void **state)
{
	(void)state;
	open_machine("pi3");
	is(NODE_LOAD1, "", 3410 * MILLI);
	is(NODE_LOAD5, "", 2870 * MILLI);
	is(NODE_LOAD15, "", 2100 * MILLI);
	is(NODE_MEMORY_TOTAL, "", 945364 * KIB);
	is(NODE_MEMORY_AVAILABLE, "", 402116 * KIB);
	is(NODE_SWAP_TOTAL, "", 102396 * KIB);
	is(NODE_SWAP_FREE, "", 40956 * KIB);
	has(NODE_TEMPERATURE, 1); /* the zone, and not its chip, too */
	is(NODE_TEMPERATURE, "thermal_thermal_zone0|cpu-thermal|temp1", 61224 * MILLI);
	has(NODE_CPU_FREQUENCY, 1);
	is(NODE_CPU_FREQUENCY, "0-3", 1400000000);
	is(NODE_CPU_FREQUENCY_LIMIT, "0-3", 1400000000);
	is(NODE_CPU_FREQUENCY_MAX, "0-3", 1400000000);
	has(NODE_THROTTLED, 3);
	is(NODE_THROTTLED, "under_voltage", 1);
	is(NODE_THROTTLED, "temperature", 1); /* a B+ gets slower from 60 degrees on */
	is(NODE_THROTTLED, "frequency_limit", 0);
	has(NODE_INTERRUPT, 8);
	is(NODE_INTERRUPT, "0|softirq", 1876540 * MILLI);
	is(NODE_INTERRUPT, "0|hardirq", 0);
	is(NODE_INTERRUPT, "3|softirq", 91230 * MILLI);
	has(NODE_PRESSURE, 0);
	is(NODE_FEATURE, "psi|off", 1);
	is(NODE_FEATURE, "temperature|present", 1);
	is(NODE_FEATURE, "cpu_frequency|present", 1);
	is(NODE_FEATURE, "under_voltage|present", 1);
	has(NODE_FILESYSTEM_SIZE, 1);
	is(NODE_FILESYSTEM_READONLY, "/|/dev/mmcblk0p2|ext4", 0);
}

/* The values of the mount point are those of the file system with the tree's directory. */
static void test_pi4(void **state)
{
	struct statvfs stat;

	(void)state;
	open_machine("pi4");
	is(NODE_LOAD1, "", 520 * MILLI);
	is(NODE_SWAP_TOTAL, "", 0);
	is(NODE_TEMPERATURE, "thermal_thermal_zone0|cpu-thermal|temp1", 47236 * MILLI);
	is(NODE_CPU_FREQUENCY, "0-3", 700000000);
	is(NODE_CPU_FREQUENCY_MAX, "0-3", 1800000000);
	is(NODE_THROTTLED, "under_voltage", 0);
	is(NODE_THROTTLED, "temperature", 0);
	has(NODE_PRESSURE, 5); /* of the whole machine, the CPU has no "full" */
	is(NODE_PRESSURE, "cpu|some", INT64_C(98765432) * 1000);
	is(NODE_PRESSURE, "memory|some", INT64_C(1234567) * 1000);
	is(NODE_PRESSURE, "memory|full", INT64_C(1000001) * 1000);
	is(NODE_PRESSURE, "io|some", INT64_C(345678901) * 1000);
	is(NODE_PRESSURE, "io|full", INT64_C(300000002) * 1000);
	is(NODE_FEATURE, "psi|present", 1);
	has(NODE_FILESYSTEM_SIZE, 2);
	assert_int_equal(statvfs("tests/unit/data/nodes/pi4/proc/1/root", &stat), 0);
	is(NODE_FILESYSTEM_SIZE, "/|/dev/sda2|ext4", (int64_t)(stat.f_blocks * stat.f_frsize));
	is(NODE_FILESYSTEM_SIZE, "/var/lib/rancher|/dev/sdb1|ext4",
	   (int64_t)(stat.f_blocks * stat.f_frsize));
	assert_in_range(search(NODE_FILESYSTEM_AVAILABLE, "/|/dev/sda2|ext4").value, 0,
			stat.f_blocks * stat.f_frsize);
	if (stat.f_files) {
		is(NODE_FILESYSTEM_FILES, "/|/dev/sda2|ext4", (int64_t)stat.f_files);
		assert_in_range(search(NODE_FILESYSTEM_FILES_FREE, "/|/dev/sda2|ext4").value, 0,
				stat.f_files);
	}
}

static void test_pi5(void **state)
{
	(void)state;
	open_machine("pi5");
	has(NODE_TEMPERATURE, 3);
	is(NODE_TEMPERATURE, "thermal_thermal_zone0|cpu-thermal|temp1", 80450 * MILLI);
	is(NODE_TEMPERATURE, "rp1_adc|rp1_adc|temp1", 58112 * MILLI);
	is(NODE_TEMPERATURE, "nvme|nvme|temp1|Composite", 52850 * MILLI);
	is(NODE_CPU_FREQUENCY, "0-3", 2400000000);
	is(NODE_THROTTLED, "under_voltage", 0);
	is(NODE_THROTTLED, "temperature", 1);
	is(NODE_THROTTLED, "frequency_limit", 0);
	has(NODE_FILESYSTEM_SIZE, 1); /* not the NFS mount */
	is(NODE_FILESYSTEM_READONLY, "/|/dev/nvme0n1p2|ext4", 0);
	has(NODE_PRESSURE, 0);
}

static void test_pi_without_sensors(void **state)
{
	(void)state;
	open_machine("pi-without-sensors");
	is(NODE_LOAD1, "", 0);
	is(NODE_LOAD15, "", 50 * MILLI);
	has(NODE_TEMPERATURE, 0);
	has(NODE_CPU_FREQUENCY, 0);
	has(NODE_CPU_FREQUENCY_LIMIT, 0);
	has(NODE_CPU_FREQUENCY_MAX, 0);
	has(NODE_THROTTLED, 0);
	has(NODE_PRESSURE, 0);
	is(NODE_FEATURE, "temperature|missing", 1);
	is(NODE_FEATURE, "cpu_frequency|missing", 1);
	is(NODE_FEATURE, "under_voltage|missing", 1);
	is(NODE_FEATURE, "psi|off", 1);
	has(NODE_INTERRUPT, 8);
}

static void test_pc(void **state)
{
	(void)state;
	open_machine("pc");
	is(NODE_MEMORY_TOTAL, "", 16218436 * KIB);
	is(NODE_SWAP_FREE, "", 8380412 * KIB);
	has(NODE_TEMPERATURE, 7);
	is(NODE_TEMPERATURE, "thermal_thermal_zone0|acpitz|temp1", 27800 * MILLI);
	is(NODE_TEMPERATURE, "thermal_thermal_zone1|x86_pkg_temp|temp1", 48000 * MILLI);
	is(NODE_TEMPERATURE, "nvme|nvme|temp2|Sensor 1", 38850 * MILLI);
	is(NODE_TEMPERATURE, "coretemp|coretemp|temp1|Package id 0", 48000 * MILLI);
	is(NODE_TEMPERATURE, "coretemp|coretemp|temp3|Core 1", 47000 * MILLI);
	has(NODE_CPU_FREQUENCY, 4);
	is(NODE_CPU_FREQUENCY, "0", 1200000000);
	is(NODE_CPU_FREQUENCY, "3", 1203000000);
	is(NODE_CPU_FREQUENCY_LIMIT, "2", 2200000000);
	is(NODE_CPU_FREQUENCY_MAX, "2", 3600000000);
	has(NODE_THROTTLED, 1); /* no firmware that slows it down unseen, no alarm */
	is(NODE_THROTTLED, "frequency_limit", 1);
	assert_int_equal(search(NODE_FEATURE, "under_voltage|missing").found, 0);
	has(NODE_FILESYSTEM_SIZE, 3); /* the kubelet's is on NFS: it is not asked */
	is(NODE_FILESYSTEM_READONLY, "/|/dev/nvme0n1p2|ext4", 0);
	is(NODE_FILESYSTEM_READONLY, "/var/lib/containerd|/dev/mapper/vg-images|xfs", 0);
	is(NODE_FILESYSTEM_READONLY, "/var/log|/dev/mapper/vg-log|ext4", 0);
}

/* A Pi in an unheated shed, and CPUs of two kinds. */
static void test_particular(void **state)
{
	(void)state;
	assert_int_equal(tree_make(), 0);
	tree_put("sys/class/thermal/thermal_zone0/type", "cpu-thermal\n");
	tree_put("sys/class/thermal/thermal_zone0/temp", "-5250\n");
	tree_put("sys/class/thermal/thermal_zone1/type", "gpu-thermal\n");
	tree_put("sys/class/thermal/thermal_zone1/temp", "not a number\n");
	tree_put("sys/devices/system/cpu/cpufreq/policy0/related_cpus", "0 1 4 5 7\n");
	tree_put("sys/devices/system/cpu/cpufreq/policy0/cpuinfo_max_freq", "1416000\n");
	tree_put("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu2 1 2 3 4 5 6 7 8 9 10\nintr 5\n");
	open_tree(tree_root);
	has(NODE_TEMPERATURE, 1);
	is(NODE_TEMPERATURE, "thermal_thermal_zone0|cpu-thermal|temp1", -5250 * MILLI);
	has(NODE_CPU_FREQUENCY, 0);
	is(NODE_CPU_FREQUENCY_MAX, "0-1,4-5,7", 1416000000);
	has(NODE_INTERRUPT, 2);
	is(NODE_INTERRUPT, "2|hardirq", 60 * MILLI);
	is(NODE_INTERRUPT, "2|softirq", 70 * MILLI);
	has(NODE_LOAD1, 0);
	has(NODE_MEMORY_TOTAL, 0);
	has(NODE_FILESYSTEM_SIZE, 0);
	assert_int_equal(tree_remove(""), 0);
}

/* Values that are read at each scrape are up to date. */
static void test_anew(void **state)
{
	(void)state;
	assert_int_equal(tree_make(), 0);
	tree_put("proc/loadavg", "0.10 0.20 0.30 1/2 3\n");
	open_tree(tree_root);
	is(NODE_LOAD1, "", 100 * MILLI);
	tree_put("proc/loadavg", "12.05 0.20 0.30 1/2 3\n");
	is(NODE_LOAD1, "", 100 * MILLI);
	node_read(node);
	is(NODE_LOAD1, "", 12050 * MILLI);
	assert_int_equal(tree_remove(""), 0);
}

static void put_counters(const char *stat, const char *io)
{
	char text[128];

	tree_put("proc/stat", stat);
	snprintf(text, sizeof(text), "some avg10=0.00 avg60=0.00 avg300=0.00 total=%s\n", io);
	tree_put("proc/pressure/io", text);
	if (node)
		node_read(node);
}

/*
 * A reader would take a step back by a tick for a new beginning, and all that is there for growth.
 * A CPU that was started anew is one.
 */
static void test_step_back(void **state)
{
	(void)state;
	assert_int_equal(tree_make(), 0);
	put_counters("cpu2 1 2 3 4 5 500 700 8 9 10\nintr 5\n", "5000000");
	open_tree(tree_root);
	put_counters("cpu2 1 2 3 4 5 499 701 8 9 10\nintr 5\n", "4999000");
	is(NODE_INTERRUPT, "2|hardirq", 5000 * MILLI);
	is(NODE_INTERRUPT, "2|softirq", 7010 * MILLI);
	is(NODE_PRESSURE, "io|some", 5000 * MILLI);
	put_counters("cpu2 1 2 3 4 5 501 701 8 9 10\nintr 5\n", "5001000");
	is(NODE_INTERRUPT, "2|hardirq", 5010 * MILLI);
	is(NODE_PRESSURE, "io|some", 5001 * MILLI);
	put_counters("cpu2 1 2 3 4 5 20 701 8 9 10\nintr 5\n", "7000");
	is(NODE_INTERRUPT, "2|hardirq", 200 * MILLI);
	is(NODE_INTERRUPT, "2|softirq", 7010 * MILLI);
	is(NODE_PRESSURE, "io|some", 7 * MILLI);
	assert_int_equal(tree_remove(""), 0);
}

/* The machine of this test. */
static void test_here(void **state)
{
	(void)state;
	node = node_open("/proc", "/sys", NULL);
	assert_non_null(node);
	node_read(node);
	has(NODE_LOAD1, 1);
	has(NODE_MEMORY_TOTAL, 1);
	has(NODE_MEMORY_AVAILABLE, 1);
	assert_true(search(NODE_INTERRUPT, "0|softirq").all >= 2);
}

#define TEST(name) cmocka_unit_test_teardown(name, close_node)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_pi3),	 TEST(test_pi4),
		TEST(test_pi5),	 TEST(test_pi_without_sensors),
		TEST(test_pc),	 TEST(test_particular),
		TEST(test_anew), TEST(test_step_back),
		TEST(test_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
