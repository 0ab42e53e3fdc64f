/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/records.h"
#include "probe/tracefs_btf.h"

#include "btf_sound.h"
#include "util/array.h"
#include "util/buf.h"
#include "util/log.h"
#include "own_mounts.h"
#include "skip.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define FORMATS "tests/unit/data/formats"
#define VMLINUX "/sys/kernel/btf/vmlinux"

static const char *const kernels[] = {"debian-5.10",	 "debian-6.1",	"debian-6.12", "debian-7.3",
				      "pilike-6.12-16k", "x86_64-6.18", "made-rt"};

/* Events and the kernel's event classes, from include/trace/events. */
static const struct {
	const char *event;
	const char *struct_name;
} classes[] = {
	{"sched/sched_switch", "trace_event_raw_sched_switch"},
	{"sched/sched_wakeup", "trace_event_raw_sched_wakeup_template"},
	{"sched/sched_wakeup_new", "trace_event_raw_sched_wakeup_template"},
	{"sched/sched_process_exit", "trace_event_raw_sched_process_exit"},
	{"cgroup/cgroup_mkdir", "trace_event_raw_cgroup"},
	{"cgroup/cgroup_rmdir", "trace_event_raw_cgroup"},
	{"block/block_rq_issue", "trace_event_raw_block_rq"},
	{"block/block_rq_insert", "trace_event_raw_block_rq"},
	{"block/block_rq_complete", "trace_event_raw_block_rq_completion"},
	{"block/block_rq_requeue", "trace_event_raw_block_rq_requeue"},
	{"block/block_io_start", "trace_event_raw_block_rq"},
	{"block/block_io_done", "trace_event_raw_block_rq"},
	{"sock/inet_sock_set_state", "trace_event_raw_inet_sock_set_state"},
	{"sock/sock_send_length", "trace_event_raw_sock_msg_length"},
	{"sock/sock_recv_length", "trace_event_raw_sock_msg_length"},
	{"tcp/tcp_retransmit_skb", "trace_event_raw_tcp_retransmit_skb"},
	{"tcp/tcp_send_reset", "trace_event_raw_tcp_send_reset"},
	{"tcp/tcp_receive_reset", "trace_event_raw_tcp_event_sk"},
	{"tcp/tcp_destroy_sock", "trace_event_raw_tcp_event_sk"},
	{"tcp/tcp_probe", "trace_event_raw_tcp_probe"},
	{"oom/mark_victim", "trace_event_raw_mark_victim"},
	{"vmscan/mm_vmscan_direct_reclaim_begin",
	 "trace_event_raw_mm_vmscan_direct_reclaim_begin_template"},
	{"vmscan/mm_vmscan_direct_reclaim_end",
	 "trace_event_raw_mm_vmscan_direct_reclaim_end_template"},
	{"vmscan/mm_vmscan_memcg_reclaim_begin",
	 "trace_event_raw_mm_vmscan_direct_reclaim_begin_template"},
	{"vmscan/mm_vmscan_memcg_reclaim_end",
	 "trace_event_raw_mm_vmscan_direct_reclaim_end_template"},
	{"ext4/ext4_sync_file_enter", "trace_event_raw_ext4_sync_file_enter"},
	{"ext4/ext4_sync_file_exit", "trace_event_raw_ext4_sync_file_exit"},
};

/* Reads root/event/format. Returns false if there is no such file. */
static bool read_format(struct buf *text, const char *root, const char *event)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s/format", root, event);
	return buf_read_file(text, path, 1 << 20) == 0;
}

/* What libbpf reads back from the bytes of a BTF. */
static struct btf *parsed_again(const struct btf *btf)
{
	__u32 size;
	const void *data = btf__raw_data(btf, &size);
	struct btf *again = btf__new(data, size);

	assert_non_null(again);
	assert_true(btf_sound(again));
	return again;
}

static struct btf *btf_of(const char *text, size_t len)
{
	struct btf *btf = btf__new_empty(), *again;

	assert_int_equal(tracefs_btf_add(btf, text, len, "it"), 0);
	again = parsed_again(btf);
	btf__free(btf);
	return again;
}

static const struct btf_type *find_struct(const struct btf *btf, const char *name)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);

	return id > 0 ? btf__type_by_id(btf, (__u32)id) : NULL;
}

static const struct btf_member *find_member(const struct btf *btf, const char *struct_name,
					    const char *name)
{
	const struct btf_type *type = find_struct(btf, struct_name);

	assert_non_null(type);
	for (__u32 i = 0; i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), name))
			return &btf_members(type)[i];
	return NULL;
}

/* The type without typedef, const and volatile. */
static const struct btf_type *plain_type(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	while (btf_is_mod(type) || btf_is_typedef(type))
		type = btf__type_by_id(btf, type->type);
	return type;
}

/* "s4" or "u8" for numbers, "b1", "p8", "e4"; "u1[16]" for arrays; "?" */
static void describe(const struct btf *btf, __u32 id, char *text, size_t size)
{
	const struct btf_type *type = plain_type(btf, id);
	long long bytes = btf__resolve_size(btf, id);
	char kind = '?', value[16];

	if (btf_is_array(type)) {
		describe(btf, btf_array(type)->type, value, sizeof(value));
		(void)snprintf(text, size, "%s[%u]", value, btf_array(type)->nelems);
		return;
	}
	if (btf_is_int(type) && btf_int_encoding(type) & BTF_INT_BOOL)
		kind = 'b';
	else if (btf_is_int(type))
		kind = btf_int_encoding(type) & BTF_INT_SIGNED ? 's' : 'u';
	else if (btf_is_ptr(type))
		kind = 'p';
	else if (btf_is_any_enum(type))
		kind = 'e';
	(void)snprintf(text, size, "%c%lld", kind, bytes);
}

static void expect_member(const struct btf *btf, const char *struct_name, const char *name,
			  __u32 offset, const char *what)
{
	const struct btf_member *member = find_member(btf, struct_name, name);
	char text[64];

	assert_non_null(member);
	describe(btf, member->type, text, sizeof(text));
	assert_string_equal(text, what);
	assert_int_equal(member->offset, offset * 8);
}

static const struct {
	const char *kernel;
	const char *event;
	const char *field;
	__u32 offset;
	const char *what;
} known[] = {
	{"debian-5.10", "sched/sched_switch", "prev_comm", 8, "u1[16]"},
	{"debian-5.10", "sched/sched_switch", "prev_pid", 24, "s4"},
	{"debian-5.10", "sched/sched_switch", "prev_state", 32, "s8"},
	{"x86_64-6.18", "sched/sched_switch", "next_pid", 56, "s4"},
	{"made-rt", "sched/sched_switch", "prev_pid", 28, "s4"},
	{"made-rt", "sched/sched_switch", "prev_state", 40, "s8"},
	{"debian-5.10", "sched/sched_wakeup", "target_cpu", 36, "s4"},
	{"debian-6.1", "sched/sched_wakeup", "target_cpu", 32, "s4"},
	{"made-rt", "sched/sched_wakeup", "target_cpu", 36, "s4"},
	{"debian-7.3", "sched/sched_process_exit", "group_dead", 32, "b1"},
	{"debian-5.10", "cgroup/cgroup_mkdir", "root", 8, "s4"},
	{"debian-7.3", "cgroup/cgroup_mkdir", "id", 16, "u8"},
	{"pilike-6.12-16k", "cgroup/cgroup_mkdir", "__data_loc_path", 24, "u4"},
	{"made-rt", "cgroup/cgroup_mkdir", "id", 24, "u8"},
	{"made-rt", "cgroup/cgroup_mkdir", "__data_loc_path", 32, "u4"},
	{"debian-6.1", "block/block_rq_complete", "rwbs", 32, "u1[8]"},
	{"debian-6.12", "block/block_rq_complete", "ioprio", 32, "u2"},
	{"debian-6.12", "block/block_rq_complete", "rwbs", 34, "u1[8]"},
	{"debian-7.3", "block/block_rq_complete", "rwbs", 34, "u1[10]"},
	{"debian-7.3", "block/block_rq_complete", "__data_loc_cmd", 44, "u4"},
	{"debian-5.10", "sock/inet_sock_set_state", "skaddr", 8, "p8"},
	{"debian-5.10", "sock/inet_sock_set_state", "newstate", 20, "s4"},
	{"debian-7.3", "sock/inet_sock_set_state", "daddr_v6", 56, "u1[16]"},
	{"debian-5.10", "tcp/tcp_probe", "saddr", 8, "u1[28]"}, /* sizeof(struct sockaddr_in6) */
	{"debian-5.10", "tcp/tcp_probe", "srtt", 96, "u4"},
	{"debian-6.1", "tcp/tcp_probe", "srtt", 100, "u4"},
	{"x86_64-6.18", "tcp/tcp_probe", "skaddr", 128, "p8"},
	{"debian-6.12", "tcp/tcp_send_reset", "reason", 28, "e4"},
	{"debian-6.1", "oom/mark_victim", "oom_score_adj", 64, "s2"},
	{"debian-5.10", "vmscan/mm_vmscan_direct_reclaim_begin", "gfp_flags", 12, "u4"},
	{"debian-6.12", "vmscan/mm_vmscan_direct_reclaim_begin", "order", 8, "s4"},
	{"debian-7.3", "vmscan/mm_vmscan_direct_reclaim_begin", "order", 24, "s4"},
	{"debian-6.12", "ext4/ext4_sync_file_enter", "datasync", 32, "s4"},
	{"debian-7.3", "ext4/ext4_sync_file_enter", "datasync", 28, "s4"},
};

static void test_known_fields(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		char root[PATH_MAX];
		struct buf text;
		struct btf *btf;

		(void)snprintf(root, sizeof(root), FORMATS "/%s", known[i].kernel);
		assert_true(read_format(&text, root, known[i].event));
		btf = btf_of(text.data, text.len);
		expect_member(btf, "it", known[i].field, known[i].offset, known[i].what);
		assert_null(find_member(btf, "it", "common_pid"));
		btf__free(btf);
		buf_free(&text);
	}
}

/* All events of a kernel go into one BTF; what shares a class is there once. */
static void test_all_events(void **state)
{
	(void)state;
	for (size_t k = 0; k < ARRAY_SIZE(kernels); k++) {
		struct btf *btf = btf__new_empty();
		char root[PATH_MAX];
		struct buf text;

		(void)snprintf(root, sizeof(root), FORMATS "/%s", kernels[k]);
		for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
			int expected = find_struct(btf, classes[i].struct_name) ? -EEXIST : 0;

			if (!read_format(&text, root, classes[i].event))
				continue;
			assert_int_equal(
				tracefs_btf_add(btf, text.data, text.len, classes[i].struct_name),
				expected);
			buf_free(&text);
		}
		assert_non_null(find_struct(btf, "trace_event_raw_sched_switch"));
		btf__free(parsed_again(btf));
		btf__free(btf);
	}
}

static struct btf *btf_of_fields(const char *fields)
{
	struct buf text = {0};
	struct btf *btf;

	buf_printf(&text, "name: it\nID: 1\nformat:\n%s\nprint fmt: \"\"\n", fields);
	btf = btf_of(text.data, text.len);
	buf_free(&text);
	return btf;
}

static void test_types(void **state)
{
	static const struct {
		const char *field;
		const char *name;
		__u32 offset;
		const char *what;
	} cases[] = {
		{"unsigned long x;\toffset:8;\tsize:4;\tsigned:0;", "x", 8, "u4"},
		{"long x;\toffset:8;\tsize:4;\tsigned:1;", "x", 8, "s4"},
		{"const char * x;\toffset:8;\tsize:4;\tsigned:0;", "x", 8, "p4"},
		{"const char *x;\toffset:8;\tsize:8;\tsigned:0;", "x", 8, "p8"},
		{"void *x[3];\toffset:8;\tsize:24;\tsigned:0;", "x", 8, "p8[3]"},
		{"bool x;\toffset:9;\tsize:1;\tsigned:0;", "x", 9, "b1"},
		{"__s16 x[4];\toffset:8;\tsize:8;\tsigned:1;", "x", 8, "s2[4]"},
		{"char x[30+1];\toffset:8;\tsize:31;\tsigned:0;", "x", 8, "u1[31]"},
		{"char x[];\toffset:8;\tsize:0;\tsigned:0;", "x", 8, "u1[0]"},
		{"unsigned long x[];\toffset:8;\tsize:0;\tsigned:0;", "x", 8, "u1[0]"},
		{"uuid_t x;\toffset:20;\tsize:16;\tsigned:0;", "x", 20, "u1[16]"},
		{"struct pair x[2];\toffset:8;\tsize:24;\tsigned:0;", "x", 8, "u1[12][2]"},
		{"enum mode x;\toffset:8;\tsize:4;\tsigned:0;", "x", 8, "e4"},
		{"__data_loc char[] x;\toffset:8;\tsize:4;\tsigned:1;", "__data_loc_x", 8, "u4"},
		{"__data_loc cpumask_t x;\toffset:8;\tsize:4;\tsigned:0;", "__data_loc_x", 8, "u4"},
		{"__rel_loc char[] x;\toffset:8;\tsize:4;\tsigned:0;", "__rel_loc_x", 8, "u4"},
		{"int x;\toffset:65532;\tsize:4;\tsigned:1;\r", "x", 65532, "s4"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char fields[256];
		struct btf *btf;

		(void)snprintf(fields, sizeof(fields), "\tfield:%s\n", cases[i].field);
		btf = btf_of_fields(fields);
		expect_member(btf, "it", cases[i].name, cases[i].offset, cases[i].what);
		btf__free(btf);
	}
}

/* libbpf finds the size of a pointer in the BTF itself, whatever this build's is. */
static void test_pointer_size(void **state)
{
	struct btf *btf = btf_of_fields("\tfield:void * x;\toffset:8;\tsize:4;\tsigned:0;\n");

	(void)state;
	assert_int_equal(btf__pointer_size(btf), 4);
	btf__free(btf);
	btf = btf_of_fields("\tfield:void * x;\toffset:8;\tsize:8;\tsigned:0;\n");
	assert_int_equal(btf__pointer_size(btf), 8);
	btf__free(btf);
}

/* Makes a folder that looks like a tracefs with the formats of a kernel. */
static void make_tracefs(char *root, const char *kernel)
{
	char events[PATH_MAX], link[PATH_MAX];

	assert_non_null(mkdtemp(root));
	assert_non_null(realpath(FORMATS, events));
	(void)snprintf(events + strlen(events), sizeof(events) - strlen(events), "/%s", kernel);
	(void)snprintf(link, sizeof(link), "%s/events", root);
	assert_int_equal(symlink(events, link), 0);
}

static void remove_tracefs(const char *root)
{
	char link[PATH_MAX];

	(void)snprintf(link, sizeof(link), "%s/events", root);
	(void)unlink(link);
	assert_int_equal(rmdir(root), 0);
}

static void test_build(void **state)
{
	char root[] = "/tmp/tracefs.XXXXXX", path[TRACEFS_BTF_PATH_SIZE];
	struct btf *btf;
	int fd;

	(void)state;
	make_tracefs(root, "made-rt");
	fd = probe_build_records(root);
	assert_true(fd >= 0);
	tracefs_btf_path(path, fd);
	btf = btf__parse_raw(path);
	assert_non_null(btf);
	expect_member(btf, "trace_event_raw_sched_switch", "prev_state", 40, "s8");
	expect_member(btf, "trace_event_raw_sched_wakeup_template", "pid", 28, "s4");
	expect_member(btf, "trace_event_raw_cgroup", "__data_loc_path", 32, "u4");
	btf__free(btf);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
	remove_tracefs(root);
}

/* A tracefs with one file, at events/cgroup/cgroup_mkdir/format. */
static int build_with_one(const char *text)
{
	static const char *const folders[] = {"", "/events", "/events/cgroup",
					      "/events/cgroup/cgroup_mkdir"};
	char root[] = "/tmp/tracefs.XXXXXX", path[PATH_MAX];
	int fd;

	assert_non_null(mkdtemp(root));
	for (size_t i = 1; i < ARRAY_SIZE(folders); i++) {
		(void)snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	(void)snprintf(path, sizeof(path), "%s%s/format", root, folders[ARRAY_SIZE(folders) - 1]);
	if (text) {
		FILE *file = fopen(path, "w");

		assert_non_null(file);
		assert_true(fputs(text, file) >= 0);
		assert_int_equal(fclose(file), 0);
	}
	fd = probe_build_records(root);
	(void)unlink(path);
	for (size_t i = ARRAY_SIZE(folders); i--;) {
		(void)snprintf(path, sizeof(path), "%s%s", root, folders[i]);
		assert_int_equal(rmdir(path), 0);
	}
	return fd;
}

static void test_build_without_events(void **state)
{
	char path[TRACEFS_BTF_PATH_SIZE];
	struct buf text;
	struct btf *btf;
	int fd;

	(void)state;
	assert_int_equal(probe_build_records("/nonexistent"), -ENOENT);
	assert_int_equal(build_with_one(NULL), -ENOENT);
	assert_int_equal(build_with_one("format:\n\tfield:"), -ENOENT);
	assert_true(read_format(&text, FORMATS "/debian-7.3", "cgroup/cgroup_mkdir"));
	fd = build_with_one(text.data);
	buf_free(&text);
	assert_true(fd >= 0);
	tracefs_btf_path(path, fd);
	btf = btf__parse_raw(path);
	assert_non_null(find_struct(btf, "trace_event_raw_cgroup"));
	assert_null(find_struct(btf, "trace_event_raw_sched_switch"));
	btf__free(btf);
	close(fd);
}

/* Each field of ours is in the kernel's own struct, alike. Returns how many there are. */
static __u32 compare_structs(const struct btf *ours, const struct btf *theirs, const char *name)
{
	const struct btf_type *type = find_struct(ours, "it");

	for (__u32 i = 0; i < btf_vlen(type); i++) {
		const struct btf_member *member = &btf_members(type)[i];
		char what[64];

		describe(ours, member->type, what, sizeof(what));
		expect_member(theirs, name, btf__name_by_offset(ours, member->name_off),
			      member->offset / 8, what);
	}
	return btf_vlen(type);
}

static void test_equals_kernel_btf(void **state)
{
	char events[PATH_MAX + 16];
	struct mounts mounts;
	struct btf *kernel;
	struct buf text;
	__u32 compared = 0;

	(void)state;
	if (access(VMLINUX, R_OK))
		skip_because("this kernel has no BTF");
	own_mounts_find(&mounts);
	if (mounts.tracefs_err)
		skip_because("tracefs is not mounted, and cannot be, or this user may not read it");
	snprintf(events, sizeof(events), "%s/events", mounts.tracefs);
	kernel = btf__parse_raw(VMLINUX);
	assert_non_null(kernel);
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++) {
		struct btf *btf;

		/* A class that this kernel does not have, or that is in a module's BTF. */
		if (!find_struct(kernel, classes[i].struct_name) ||
		    !read_format(&text, events, classes[i].event))
			continue;
		btf = btf_of(text.data, text.len);
		compared += compare_structs(btf, kernel, classes[i].struct_name);
		btf__free(btf);
		buf_free(&text);
	}
	btf__free(kernel);
	mounts_close(&mounts);
	assert_true(compared > 0);
	print_message("%u fields compared\n", compared);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_fields),
		cmocka_unit_test(test_all_events),
		cmocka_unit_test(test_types),
		cmocka_unit_test(test_pointer_size),
		cmocka_unit_test(test_build),
		cmocka_unit_test(test_build_without_events),
		cmocka_unit_test(test_equals_kernel_btf),
	};

	log_setup(LOG_ERROR, LOG_LOGFMT);
	libbpf_set_print(NULL);
	return cmocka_run_group_tests_name("tracefs_btf", tests, NULL, NULL);
}
