/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Two of everything, called alike: chips, zones, CPUs, mounts, cgroups. No series may come
 * twice, and none of the two may be missing. (What comes of probes and the kubelet is looked at
 * in each scrape of the integration tests.)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "cgroup/path.h"
#include "counts.h"
#include "metrics/block.h"
#include "metrics/emit.h"
#include "metrics/naming.h"
#include "tree.h"
#include "unique.h"

static struct unique unique;
static struct owners owners;
static struct node *node;
static char procfs[96], sysfs[96];

static int setup(void **state)
{
	(void)state;
	owners = (struct owners){0};
	unique_start(&unique);
	return tree_make();
}

static int teardown(void **state)
{
	(void)state;
	node_close(node);
	node = NULL;
	owners_free(&owners);
	return tree_remove("");
}

static void has(const char *series)
{
	if (!unique_has(&unique, series))
		fail_msg("there is no %s", series);
}

/* ---------------------------------------------------------------- the node */

static void put_chip(int number, const char *name, const char *device)
{
	char path[128], target[256];

	snprintf(path, sizeof(path), "sys/class/hwmon/hwmon%d/name", number);
	tree_put(path, name);
	snprintf(path, sizeof(path), "sys/class/hwmon/hwmon%d/temp1_input", number);
	tree_put(path, "41850\n");
	snprintf(path, sizeof(path), "sys/class/hwmon/hwmon%d/temp1_label", number);
	tree_put(path, "Composite\n");
	snprintf(path, sizeof(path), "sys/class/hwmon/hwmon%d/temp2_input", number);
	tree_put(path, "42850\n");
	snprintf(path, sizeof(path), "sys/class/hwmon/hwmon%d/temp2_label", number);
	tree_put(path, "Composite\n");
	if (!device)
		return;
	snprintf(path, sizeof(path), "sys/devices/%s/x", device);
	tree_put(path, "");
	snprintf(path, sizeof(path), "%s/sys/class/hwmon/hwmon%d/device", tree_root, number);
	snprintf(target, sizeof(target), "../../../devices/%s", device);
	assert_int_equal(symlink(target, path), 0);
}

static void put_zone(int number, const char *type)
{
	char path[128];

	snprintf(path, sizeof(path), "sys/class/thermal/thermal_zone%d/type", number);
	tree_put(path, type);
	snprintf(path, sizeof(path), "sys/class/thermal/thermal_zone%d/temp", number);
	tree_put(path, "50000\n");
}

static void put_policy(int number, const char *cpus)
{
	static const char dir[] = "sys/devices/system/cpu/cpufreq/policy";
	char path[128];

	snprintf(path, sizeof(path), "%s%d/related_cpus", dir, number);
	tree_put(path, cpus);
	snprintf(path, sizeof(path), "%s%d/cpuinfo_max_freq", dir, number);
	tree_put(path, "1400000\n");
	snprintf(path, sizeof(path), "%s%d/scaling_max_freq", dir, number);
	tree_put(path, "1400000\n");
	snprintf(path, sizeof(path), "%s%d/scaling_cur_freq", dir, number);
	tree_put(path, "600000\n");
}

/* All families of the node, of this tree. */
static void write_node(void)
{
	const struct family *family;
	struct scrape scrape;

	snprintf(procfs, sizeof(procfs), "%s/proc", tree_root);
	snprintf(sysfs, sizeof(sysfs), "%s/sys", tree_root);
	node = node_open(procfs, sysfs, NULL);
	assert_non_null(node);
	node_read(node);
	scrape = (struct scrape){.node = node};
	for (family = families; family < families + FAMILIES; family++)
		if (family->emit == emit_node)
			samples_write_family(&unique.samples, family, &scrape);
}

#define TEMPERATURE "bramble_node_temperature_celsius"

static void two_chips_of_one_driver(void **state)
{
	(void)state;
	put_chip(0, "nvme\n", "pci0000:00/nvme/nvme0");
	put_chip(1, "nvme\n", "pci0000:00/nvme/nvme1");
	put_chip(2, "Odd Name-\n", NULL); /* without a device, and two of one device */
	put_chip(3, "Odd Name-\n", NULL);
	put_chip(4, "asus\n", "platform/asus-WMI.0");
	put_chip(5, "asus_fan\n", "platform/asus-WMI.0");
	put_chip(12, "odd name_hwmon3\n", NULL); /* as hwmon3 had to be called */
	write_node();
	has(TEMPERATURE
	    "{chip=\"nvme_nvme0\",chip_name=\"nvme\",sensor=\"temp1\",label=\"Composite\"}");
	has(TEMPERATURE
	    "{chip=\"nvme_nvme0\",chip_name=\"nvme\",sensor=\"temp2\",label=\"Composite\"}");
	has(TEMPERATURE
	    "{chip=\"nvme_nvme1\",chip_name=\"nvme\",sensor=\"temp1\",label=\"Composite\"}");
	has(TEMPERATURE
	    "{chip=\"odd_name\",chip_name=\"Odd Name-\",sensor=\"temp1\",label=\"Composite\"}");
	has(TEMPERATURE "{chip=\"odd_name_hwmon3\",chip_name=\"Odd "
			"Name-\",sensor=\"temp1\",label=\"Composite\"}");
	has(TEMPERATURE "{chip=\"platform_asus_wmi_0\",chip_name=\"asus\",sensor=\"temp1\",label="
			"\"Composite\"}");
	has(TEMPERATURE
	    "{chip=\"platform_asus_wmi_0_hwmon5\",chip_name=\"asus_fan\",sensor=\"temp1\","
	    "label=\"Composite\"}");
	has(TEMPERATURE "{chip=\"odd_name_hwmon3_hwmon12\",chip_name=\"odd name_hwmon3\","
			"sensor=\"temp1\",label=\"Composite\"}");
}

/* Names that are cut may be alike then. */
static void long_names(void **state)
{
	char device[128];
	size_t i, count = 0;

	(void)state;
	for (i = 0; i < 3; i++) {
		memset(device, 'z', 100);
		snprintf(device + 100, sizeof(device) - 100, "%zu", i);
		put_chip((int)i, "i2c\n", device);
	}
	write_node();
	for (i = 0; i < unique.count; i++)
		count += strncmp(unique.series[i], TEMPERATURE, strlen(TEMPERATURE)) == 0;
	assert_int_equal(count, 6); /* two inputs of each */
}

static void two_zones_and_policies_and_cpus(void **state)
{
	static char list[512];
	int i, len = 0;

	(void)state;
	put_zone(0, "cpu-thermal\n");
	put_zone(1, "cpu-thermal\n");
	for (i = 0; i < 100; i += 2)
		len += snprintf(list + len, sizeof(list) - (size_t)len, "%d ", i);
	put_policy(0, "0 1\n");
	put_policy(1, "0 1\n");
	put_policy(2, list);
	put_policy(3, list);
	tree_put("proc/stat", "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\n"
			      "cpu0 1 2 3 4 5 6 7 8 9 10\ncpu1 1 2 3 4 5 6 7 8 9 10\n"
			      "cpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n");
	write_node();
	has(TEMPERATURE
	    "{chip=\"thermal_thermal_zone0\",chip_name=\"cpu-thermal\",sensor=\"temp1\"}");
	has(TEMPERATURE
	    "{chip=\"thermal_thermal_zone1\",chip_name=\"cpu-thermal\",sensor=\"temp1\"}");
	has("bramble_node_cpu_frequency_max_hertz{cpus=\"0-1\"}");
	has("bramble_node_cpu_frequency_max_hertz{cpus=\"policy1\"}");
	has("bramble_node_cpu_frequency_hertz{cpus=\"policy2\"}");
	has("bramble_node_cpu_frequency_limit_hertz{cpus=\"policy3\"}");
	has("bramble_node_interrupt_seconds_total{cpu=\"0\",kind=\"hardirq\"}");
	has("bramble_node_interrupt_seconds_total{cpu=\"1\",kind=\"softirq\"}");
}

/* One file system in several places, several in one place, and one that hides another. */
static void mounts(void **state)
{
	(void)state;
	tree_put("proc/1/root/var/lib/kubelet/x", "");
	tree_put("proc/1/root/var/log/pods/x", "");
	tree_put("proc/1/mountinfo", "29 1 8:2 / / rw - ext4 /dev/sda2 rw\n"
				     "30 29 8:2 / / rw - ext4 /dev/sda2 rw\n"
				     "31 29 8:17 / /var/lib/kubelet rw - ext4 /dev/sdb1 rw\n"
				     "32 29 8:17 / /var/lib/kubelet rw - xfs /dev/sdc1 rw\n"
				     "33 29 8:2 /x /var/lib/docker rw - ext4 /dev/sda2 rw\n"
				     "34 29 8:2 /x /var/log rw - ext4 /dev/sda2\\377 rw\n"
				     "35 34 8:2 /y /var/log rw - ext4 /dev/sda2\\376 rw\n");
	write_node();
	has("bramble_node_filesystem_readonly{mountpoint=\"/\",device=\"/dev/"
	    "sda2\",fstype=\"ext4\"}");
	has("bramble_node_filesystem_readonly{mountpoint=\"/var/lib/kubelet\",device=\"/dev/sdc1\","
	    "fstype=\"xfs\"}");
	has("bramble_node_filesystem_readonly{mountpoint=\"/var/log\",device=\"/dev/sda2?\","
	    "fstype=\"ext4\"}");
}

/* ---------------------------------------------------------------- owners */

static struct owner *add_unit(const char *path)
{
	struct cgroup_name name;
	struct labels labels;
	struct owner *owner;

	assert_int_equal(cgroup_path_parse(path, &name), 0);
	naming_unit(&labels, name.unit);
	owner = owners_get(&owners, &labels);
	add_file(owner, CGROUP_CPU_USAGE, 5);
	switches_of(owner)[0] = 1;
	return owner;
}

static void write_owners(void)
{
	struct wall wall = {.count = 0};
	const struct scrape scrape = {.owners = &owners, .wall = &wall};
	const struct family *family;

	wall_look(&wall);
	for (family = families; family < families + FAMILIES; family++)
		if (family->scope == SCOPE_OWNER || family->scope == SCOPE_PAIR)
			samples_write_family(&unique.samples, family, &scrape);
}

/* Cgroups that are called alike, or as what bramble names itself. */
static void two_units(void **state)
{
	struct owner *victim, *other, *idle;
	struct labels labels;

	(void)state;
	victim = add_unit("/a.slice/web.service");
	assert_ptr_equal(add_unit("/b.slice/web.service"), victim);
	other = add_unit("/other");
	idle = add_unit("/idle");
	naming_unit(&labels, "idle");
	owner_add_caused(victim, other, 7);
	owner_add_caused(victim, idle, 7);
	owner_add_caused(victim, owners_get(&owners, &labels), 7);
	owner_add_caused(victim, &owner_other, 7);
	write_owners();
	has("bramble_cpu_usage_seconds_total{namespace=\"\",pod=\"\",container=\"\",unit=\"/"
	    "other\"}");
#define CAUSED                                                                                     \
	"bramble_cpu_wait_caused_seconds_total{namespace=\"\",pod=\"\",container=\"\","            \
	"unit=\"web.service\",by_unit="
	has(CAUSED "\"other\"}");
	has(CAUSED "\"/other\"}");
	has(CAUSED "\"idle\"}");
	has(CAUSED "\"/idle\"}");
}

/* Two disks that have had one name, and two numbers of one disk. */
static void two_disks(void **state)
{
	static const struct block_cell cell = {.bytes = 512, .errors = 1};
	struct block_books books;
	struct owner *owner = add_unit("/web.service");
	uint32_t i;

	(void)state;
	tree_put("sys/dev/block/README", "");
	tree_put("proc/diskstats", "   8       0 sda 1\n   8      16 sda 1\n");
	snprintf(procfs, sizeof(procfs), "%s/proc", tree_root);
	snprintf(sysfs, sizeof(sysfs), "%s/sys", tree_root);
	block_books_open(&books, procfs, sysfs);
	for (i = 0; i < 3; i++) {
		const struct block_key key = {.dev = 8U << BLOCK_MINOR_BITS | i * 16, .slot = 5};

		block_books_add(&books, owner, &key, &cell);
	}
	write_owners();
	block_books_free(&books);
#define ERRORS                                                                                     \
	"bramble_block_errors_total{namespace=\"\",pod=\"\",container=\"\",unit=\"web.service\","
	has(ERRORS "device=\"sda\",op=\"read\"}");
	has(ERRORS "device=\"8:32\",op=\"read\"}");
}

/* A cgroup without a name is not shown, not even as a cause, and counts for nobody else. */
static void held_back(void **state)
{
	static const char series[] = "bramble_cpu_usage_seconds_total{namespace=\"\",pod=\"\","
				     "container=\"\",unit=\"new.service\"}";
	struct owner *victim = add_unit("/web.service"), *held = add_unit("/new.service");

	(void)state;
	owners_hold(held);
	owner_add_caused(victim, held, 7);
	assert_false(owner_has_series(held));
	write_owners();
	assert_false(unique_has(&unique, series));
	assert_false(unique_has(&unique, CAUSED "\"new.service\"}"));
	assert_false(unique_has(&unique, CAUSED "\"other\"}"));
	owners_show(held);
	unique_start(&unique);
	write_owners();
	has(series);
	has(CAUSED "\"new.service\"}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(two_chips_of_one_driver),
		TEST(long_names),
		TEST(two_zones_and_policies_and_cpus),
		TEST(mounts),
		TEST(two_units),
		TEST(two_disks),
		TEST(held_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
