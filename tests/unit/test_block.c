/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The books of the block probe, and the names of devices. */
#include "metrics/block.h"
#include "tree.h"

#define DEV(major, minor) ((uint32_t)(major) << BLOCK_MINOR_BITS | (uint32_t)(minor))

static char procfs[96], sysfs[96];
static struct devices devices;
static struct owners owners;

static int setup(void **state)
{
	(void)state;
	if (tree_make())
		return -1;
	snprintf(sysfs, sizeof(sysfs), "%s/sys", tree_root);
	tree_put("sys/dev/block/README", "");
	snprintf(procfs, sizeof(procfs), "%s/proc", tree_root);
	devices = (struct devices){.procfs = procfs, .sysfs = sysfs};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	devices_free(&devices);
	owners_free(&owners);
	tree_remove("");
	return 0;
}

/* As the kernel has it: a link from the number to the device's folder. */
static void put_device(const char *number, const char *target)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/dev/block/%s", sysfs, number);
	unlink(path);
	if (target)
		assert_int_equal(symlink(target, path), 0);
}

static void test_names(void **state)
{
	const char *name;

	(void)state;
	put_device("179:0", "../../devices/platform/emmc2bus/mmc_host/mmc0/block/mmcblk0");
	put_device("104:0", "../../devices/pci0000:00/cciss0/block/cciss!c0d0");
	put_device("259:1048575", "../../devices/virtual/nvme9n1");
	name = devices_name(&devices, DEV(179, 0));
	assert_string_equal(name, "mmcblk0");
	assert_ptr_equal(devices_name(&devices, DEV(179, 0)), name);
	assert_string_equal(devices_name(&devices, DEV(104, 0)), "cciss/c0d0");
	assert_string_equal(devices_name(&devices, DEV(259, 1048575)), "nvme9n1");
	assert_string_equal(devices_name(&devices, DEV(8, 16)), "8:16");
	assert_string_equal(devices_name(&devices, 0), "unknown");
}

/* A device that is gone keeps its name, until its number is another one's. */
static void test_devices_come_and_go(void **state)
{
	const char *sda;

	(void)state;
	put_device("8:0", "../../block/sda");
	sda = devices_name(&devices, DEV(8, 0));
	put_device("8:0", NULL);
	devices_look_again(&devices);
	assert_ptr_equal(devices_name(&devices, DEV(8, 0)), sda);
	put_device("8:0", "../../block/sdb");
	assert_ptr_equal(devices_name(&devices, DEV(8, 0)), sda); /* within one reading */
	devices_look_again(&devices);
	assert_string_equal(devices_name(&devices, DEV(8, 0)), "sdb");
	put_device("8:16", "../../block/sda");
	assert_ptr_equal(devices_name(&devices, DEV(8, 16)), sda); /* one copy of a name */
	/* A device that appears after it was first asked for. */
	assert_string_equal(devices_name(&devices, DEV(8, 32)), "8:32");
	put_device("8:32", "../../block/sdc");
	devices_look_again(&devices);
	assert_string_equal(devices_name(&devices, DEV(8, 32)), "sdc");
}

/* Disks that sysfs has no number of: paths to NVMe namespaces. */
static void test_hidden_disks(void **state)
{
	const char *path;

	(void)state;
	put_device("259:2", "../../devices/virtual/nvme-subsystem/nvme-subsys0/nvme0n1");
	tree_put("proc/diskstats", " 259       2 nvme0n1 1 2 3\n"
				   " 259       1 nvme0c0n1 1 2 3\n"
				   " 259       3 nvme0n1p1 1 2 3\n"
				   " 104      16 cciss/c0d1 1 2 3\n");
	path = devices_name(&devices, DEV(259, 1));
	assert_string_equal(path, "nvme0c0n1");
	assert_string_equal(devices_name(&devices, DEV(259, 2)), "nvme0n1");
	assert_string_equal(devices_name(&devices, DEV(104, 16)), "cciss/c0d1");
	assert_string_equal(devices_name(&devices, DEV(259, 4)), "259:4");
	/* It goes, and another takes its number: not before the next reading. */
	tree_put("proc/diskstats", " 259       2 nvme0n1 1 2 3\n");
	assert_ptr_equal(devices_name(&devices, DEV(259, 1)), path);
	devices_look_again(&devices);
	assert_ptr_equal(devices_name(&devices, DEV(259, 1)), path);
	tree_put("proc/diskstats", " 259 1 nvme1c1n1 1\n");
	devices_look_again(&devices);
	assert_string_equal(devices_name(&devices, DEV(259, 1)), "nvme1c1n1");
	put_device("259:1", "../../block/nvme2n1");
	devices_look_again(&devices);
	assert_string_equal(devices_name(&devices, DEV(259, 1)), "nvme2n1");
}

/* Kernels before 6.2 say 0:0 of them. */
static void test_hidden_disks_without_numbers(void **state)
{
	(void)state;
	tree_put("proc/diskstats", "   0       0 nvme0c0n1 1 2 3\n   8       0 sda 1 2 3\n");
	assert_string_equal(devices_name(&devices, DEV(259, 1)), "nvme0c0n1");
	assert_string_equal(devices_name(&devices, DEV(8, 16)), "8:16"); /* of a driver's own */
	tree_put("proc/diskstats", "   0       0 nvme0c0n1 1 2 3\n   0       0 nvme1c1n1 1 2 3\n");
	devices_look_again(&devices);
	assert_string_equal(devices_name(&devices, DEV(259, 5)), "259:5"); /* which of the two? */
	tree_put("proc/diskstats", "junk\n0 0\n259 6\n259 6 \n\n 0 0 ");
	devices_look_again(&devices);
	assert_string_equal(devices_name(&devices, DEV(259, 6)), "259:6");
}

static struct owner *make_owner(const char *unit)
{
	struct labels labels = {.unit = ""};

	snprintf(labels.unit, sizeof(labels.unit), "%s", unit);
	return owners_get(&owners, &labels);
}

struct wanted {
	const char *device, *op;
	struct ledger_value found; /* family: NULL if there is none */
};

static void on_value(void *context, const struct ledger_value *value)
{
	struct wanted *wanted = context;

	assert_int_equal(value->label_count, 2);
	assert_string_equal(value->labels[0].name, "device");
	assert_string_equal(value->labels[1].name, "op");
	if (strcmp(value->labels[0].value, wanted->device) == 0 &&
	    strcmp(value->labels[1].value, wanted->op) == 0)
		wanted->found = *value;
}

/* A family's value with these labels, by their text. */
static struct ledger_value find(const struct owner *owner, enum family_id id, const char *device,
				const char *op)
{
	struct wanted wanted = {.device = device, .op = op};

	ledger_visit(&owner->ledger, &families[id], on_value, &wanted);
	return wanted.found;
}

static uint64_t bytes_of(const struct owner *owner, const char *device, const char *op)
{
	struct ledger_value bytes = find(owner, FAMILY_BLOCK_BYTES, device, op);

	assert_non_null(bytes.family);
	return bytes.number;
}

static void test_growth(void **state)
{
	struct block_key key = {.dev = DEV(8, 0), .slot = 3, .op = BLOCK_WRITE};
	struct block_cell cell = {.bytes = 4096, .errors = 1};
	struct owner *owner = make_owner("a.service");
	struct block_books books;

	(void)state;
	put_device("8:0", "../../block/sda");
	block_books_open(&books, procfs, sysfs);
	block_books_begin(&books);
	cell.io.bucket[7] = 2;
	cell.io.sum_ns = 1000;
	cell.queue.bucket[1] = 1;
	block_books_add(&books, owner, &key, &cell);
	block_books_add(&books, owner, &key, &cell); /* no growth */
	cell.bytes += 512;
	cell.io.bucket[7]++;
	block_books_add(&books, owner, &key, &cell);
	key.op = BLOCK_FLUSH;
	block_books_add(&books, owner, &key, &cell);

	assert_int_equal(bytes_of(owner, "sda", "write"), 4608);
	assert_int_equal(find(owner, FAMILY_BLOCK_ERRORS, "sda", "write").number, 1);
	assert_int_equal(find(owner, FAMILY_BLOCK_IO, "sda", "write").hist->bucket[7], 3);
	assert_int_equal(find(owner, FAMILY_BLOCK_IO, "sda", "write").hist->sum_ns, 1000);
	assert_int_equal(find(owner, FAMILY_BLOCK_QUEUE, "sda", "write").hist->bucket[1], 1);
	assert_int_equal(books.stepped_back, 0);
	key.op = BLOCK_WRITE;
	cell.bytes -= 1;
	block_books_add(&books, owner, &key, &cell);
	assert_int_equal(bytes_of(owner, "sda", "write"), 4608);
	assert_int_equal(books.stepped_back, 1);
	assert_non_null(find(owner, FAMILY_BLOCK_BYTES, "sda", "flush").family);
	assert_null(find(owner, FAMILY_BLOCK_BYTES, "sda", "read").family);
	block_books_free(&books);
}

/* A slot that was freed begins at zero for its next cgroup; the old owner keeps what it has. */
static void test_slot_is_used_again(void **state)
{
	const struct block_key key = {.dev = DEV(8, 0), .slot = 3, .op = BLOCK_READ};
	struct owner *old = make_owner("old.service"), *new = make_owner("new.service");
	struct block_cell cell = {.bytes = 4096};
	struct block_books books;

	(void)state;
	put_device("8:0", "../../block/sda");
	block_books_open(&books, procfs, sysfs);
	block_books_add(&books, old, &key, &cell);
	block_books_forget(&books, (const bool[]){[4] = true}, 5);
	cell.bytes += 1;
	block_books_add(&books, old, &key, &cell);
	block_books_forget(&books, (const bool[]){[3] = true}, 4);
	cell.bytes = 512;
	block_books_add(&books, new, &key, &cell);
	assert_int_equal(bytes_of(old, "sda", "read"), 4097);
	assert_int_equal(bytes_of(new, "sda", "read"), 512);
	/* An invalid operation is left out. */
	block_books_add(&books, new, &(struct block_key){.op = BLOCK_OPS}, &cell);
	assert_null(find(new, FAMILY_BLOCK_BYTES, "unknown", "read").family);
	block_books_free(&books);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_names),	 TEST(test_devices_come_and_go),
		TEST(test_hidden_disks), TEST(test_hidden_disks_without_numbers),
		TEST(test_growth),	 TEST(test_slot_is_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
