/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The descriptors of the probes, held against the BPF object, the table of families, and what
 * `bramble check` lists: a step that was forgotten with a new signal or probe fails here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>

#include "check/check.h"
#include "metrics/families.h"
#include "probe/books.h"
#include "probe/descriptors.h"
#include "probe/internal.h"
#include "util/array.h"

#include "bramble.skel.h"

static struct bramble_bpf *bpf;

static int group_setup(void **state)
{
	(void)state;
	bpf = bramble_bpf__open();
	return bpf ? 0 : -1;
}

static int group_teardown(void **state)
{
	(void)state;
	bramble_bpf__destroy(bpf);
	return 0;
}

static const struct btf *btf(void)
{
	return bpf_object__btf(bpf->obj);
}

static struct bpf_map *map_of(enum probe_id id)
{
	const char *name = probe_descriptors[id]->cells.map;
	struct bpf_map *map = name ? bpf_object__find_map_by_name(bpf->obj, name) : NULL;

	if (!name)
		fail_msg("the descriptor of the probe %s has no .cells", probe_names[id]);
	if (!map)
		fail_msg("%s: there is no map %s", probe_names[id], name);
	return map;
}

static const struct btf_type *cell_type(enum probe_id id)
{
	return btf__type_by_id(btf(), bpf_map__btf_value_type_id(map_of(id)));
}

static const struct cell_private *find_private(enum probe_id id, const char *member)
{
	const struct probe_cells *cells = &probe_descriptors[id]->cells;
	size_t i;

	for (i = 0; i < cells->private_count; i++)
		if (strcmp(cells->privates[i].member, member) == 0)
			return &cells->privates[i];
	return NULL;
}

/* ---- cells and families */

static unsigned char rows_of[sizeof(union probe_cell)]; /* by byte of a cell */

/* Counts for each byte of a probe's cell how many rows of the families read it. */
static void count_rows(enum probe_id id)
{
	const struct family *family;
	size_t i, size;

	memset(rows_of, 0, sizeof(rows_of));
	for (family = families; family < families + FAMILIES; family++) {
		if (!family_in_cells(family) || family->probe != id)
			continue;
		size = family_value_count(family) *
		       (family->kind == KIND_HISTOGRAM ? sizeof(struct hist) : sizeof(uint64_t));
		if (family->offset + size > probe_descriptors[id]->cells.size)
			fail_msg("%s: its values do not lie in the cell of the probe %s",
				 family->name, probe_names[id]);
		for (i = 0; i < size; i++)
			rows_of[family->offset + i]++;
	}
}

static void check_member(enum probe_id id, const struct btf_member *member)
{
	const char *name = btf__name_by_offset(btf(), member->name_off);
	const struct cell_private *private = find_private(id, name);
	size_t i, start = member->offset / 8;
	int64_t size = btf__resolve_size(btf(), member->type);

	assert_true(size > 0);
	for (i = start; i < start + (size_t)size; i++) {
		if (!private && rows_of[i] != 1)
			fail_msg("%s of the probe %s: byte %zu is read by %d families; name it in "
				 "a row, or as private in the descriptor",
				 name, probe_names[id], i - start, rows_of[i]);
		if (private && rows_of[i])
			fail_msg("%s of the probe %s is private, and a family reads it", name,
				 probe_names[id]);
	}
}

static void test_members(void **state)
{
	const struct btf_type *type;
	enum probe_id id;
	int i;

	(void)state;
	for (id = 0; id < PROBES; id++) {
		count_rows(id);
		type = cell_type(id);
		assert_true(btf_is_struct(type) && btf_vlen(type) > 0);
		for (i = 0; i < btf_vlen(type); i++)
			check_member(id, &btf_members(type)[i]);
	}
}

static bool has_member(const struct btf_type *type, const char *name)
{
	int i;

	for (i = 0; i < btf_vlen(type); i++)
		if (strcmp(btf__name_by_offset(btf(), btf_members(type)[i].name_off), name) == 0)
			return true;
	return false;
}

static void test_privates(void **state)
{
	const struct cell_private *private;
	enum probe_id id;
	size_t i;

	(void)state;
	for (id = 0; id < PROBES; id++)
		for (i = 0; i < probe_descriptors[id]->cells.private_count; i++) {
			private = &probe_descriptors[id]->cells.privates[i];
			assert_true(private->why && private->why[0]);
			if (!has_member(cell_type(id), private->member))
				fail_msg("the cell of the probe %s has no member %s",
					 probe_names[id], private->member);
		}
}

/* ---- how cells are summed */

static int plan(enum probe_id id, const struct probe_cells *cells, struct cell_sum *sum)
{
	return cell_sum_plan(btf(), bpf_map__btf_value_type_id(map_of(id)), cells, sum);
}

static void check_map(enum probe_id id)
{
	const struct probe_cells *cells = &probe_descriptors[id]->cells;
	enum bpf_map_type type = cells->keyed ? BPF_MAP_TYPE_HASH : BPF_MAP_TYPE_ARRAY;

	assert_int_equal(bpf_map__value_size(map_of(id)), cells->size);
	if (bpf_map__type(map_of(id)) != type)
		fail_msg("%s is not %s", cells->map,
			 cells->keyed ? "a hash map, and its cells are keyed" : "an array");
	if (!cells->keyed && !(bpf_map__map_flags(map_of(id)) & BPF_F_MMAPABLE))
		fail_msg("%s has no BPF_F_MMAPABLE in its map_flags: user space maps it",
			 cells->map);
}

static void test_plans(void **state)
{
	struct cell_sum sum;
	enum probe_id id;

	(void)state;
	for (id = 0; id < PROBES; id++) {
		const struct probe_cells *cells = &probe_descriptors[id]->cells;

		if (plan(id, cells, &sum))
			fail_msg("%s: a member of the cell is of a type that is not summed, or the "
				 "cell is not of the size that the descriptor says",
				 probe_names[id]);
		check_map(id);
		assert_int_equal(cells->keyed, cells->labels[0] != NULL);
	}
}

static void test_wrong_plans(void **state)
{
	struct probe_cells cells = probe_descriptors[PROBE_SCHED]->cells;
	struct cell_sum sum;

	(void)state;
	cells.private_count = 0; /* a struct that is not known how to be summed */
	assert_int_equal(plan(PROBE_SCHED, &cells, &sum), -EINVAL);
	cells = probe_descriptors[PROBE_TCP]->cells;
	cells.size += sizeof(uint64_t);
	assert_int_equal(plan(PROBE_TCP, &cells, &sum), -EINVAL);
	cells = probe_descriptors[PROBE_TCP]->cells;
	assert_int_equal(plan(PROBE_SCHED, &cells, &sum), -EINVAL);
}

/* Two cells, all of whose words differ, and buckets that wrap. */
static void test_sums(void **state)
{
	union probe_cell cell[2], total = {0};
	const struct sched_cell *sum_of = &total.sched;
	struct cell_sum sum;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(cell) / (sizeof(uint32_t)); i++)
		((uint32_t *)cell)[i] = UINT32_MAX - (uint32_t)i;
	assert_int_equal(plan(PROBE_SCHED, &probe_descriptors[PROBE_SCHED]->cells, &sum), 0);
	cell_sum_add(&sum, &total, &cell[0]);
	assert_int_equal(sum_of->wait.bucket[HIST_BUCKETS - 1],
			 cell[0].sched.wait.bucket[HIST_BUCKETS - 1]);
	cell_sum_add(&sum, &total, &cell[1]);
	for (i = 0; i < SWITCH_KINDS; i++)
		assert_int_equal(sum_of->switches[i],
				 cell[0].sched.switches[i] + cell[1].sched.switches[i]);
	assert_int_equal(sum_of->wait.sum_ns,
			 cell[0].sched.wait.sum_ns + cell[1].sched.wait.sum_ns);
	for (i = 0; i < HIST_BUCKETS; i++)
		assert_int_equal(sum_of->wait.bucket[i], (uint32_t)(cell[0].sched.wait.bucket[i] +
								    cell[1].sched.wait.bucket[i]));
	assert_int_equal(sum_of->caused_other_ns,
			 cell[0].sched.caused_other_ns + cell[1].sched.caused_other_ns);
	assert_int_equal(sum_of->caused_other,
			 cell[0].sched.caused_other + cell[1].sched.caused_other);
	assert_int_equal(sum_of->ran_ns, 0);
	assert_int_equal(sum_of->waiting.until_ns, 0);
	assert_int_equal(sum_of->waiting_from_ns, 0);
}

/* ---- programs and events */

/* How many descriptors have a row for the program. */
static size_t count_descriptors(const char *program)
{
	enum probe_id id;
	size_t i, count = 0;

	for (id = 0; id < PROBES; id++)
		for (i = 0; i < probe_descriptors[id]->program_count; i++)
			count += !strcmp(probe_descriptors[id]->programs[i].name, program);
	return count;
}

static void test_programs_have_probes(void **state)
{
	struct bpf_program *program;
	size_t programs = 0;

	(void)state;
	bpf_object__for_each_program(program, bpf->obj) {
		programs++;
		if (count_descriptors(bpf_program__name(program)) != 1)
			fail_msg("the program %s is in %zu descriptors", bpf_program__name(program),
				 count_descriptors(bpf_program__name(program)));
	}
	assert_in_range(programs, 1, PROGRAMS_MAX);
}

/* Whether a program's section is that of the row's event or function. */
static bool is_section(const char *section, const struct program_row *row)
{
	const char *hook = strchr(section, '/') + 1;

	if (row->function)
		return !row->event && strcmp(hook, row->function) == 0 && section[0] == 'f' &&
		       (strncmp(section, "fentry/", 7) == 0 || strncmp(section, "fexit/", 6) == 0);
	if (!row->event || !strchr(row->event, '/'))
		return false;
	if (strncmp(section, "tp/", 3) == 0)
		return strcmp(hook, row->event) == 0;
	return strcmp(hook, strchr(row->event, '/') + 1) == 0; /* raw_tp/, tp_btf/ */
}

static void test_rows_have_programs(void **state)
{
	enum probe_id id;
	size_t i;

	(void)state;
	for (id = 0; id < PROBES; id++)
		for (i = 0; i < probe_descriptors[id]->program_count; i++) {
			const struct program_row *row = &probe_descriptors[id]->programs[i];
			const struct bpf_program *program =
				bpf_object__find_program_by_name(bpf->obj, row->name);

			if (!program)
				fail_msg("there is no program %s", row->name);
			if (bpf_program__autoload(program))
				fail_msg("%s is loaded even if nobody chose it: SEC(\"?%s\")",
					 row->name, bpf_program__section_name(program));
			if (!is_section(bpf_program__section_name(program), row))
				fail_msg("%s does not hang where its row says", row->name);
		}
}

/* How many descriptors name the record. */
static size_t count_records(const char *struct_name)
{
	enum probe_id id;
	size_t i, count = 0;

	for (id = 0; id < PROBES; id++)
		for (i = 0; i < probe_descriptors[id]->record_count; i++)
			count +=
				!strcmp(probe_descriptors[id]->records[i].struct_name, struct_name);
	return count;
}

/* Without the kernel's BTF, a record that no descriptor names has no layout. */
static void test_records_have_probes(void **state)
{
	__u32 type;

	(void)state;
	for (type = 1; type < btf__type_cnt(btf()); type++) {
		const struct btf_type *record = btf__type_by_id(btf(), type);
		const char *name = btf__name_by_offset(btf(), record->name_off);

		if (btf_is_struct(record) && strncmp(name, "trace_event_raw_", 16) == 0 &&
		    count_records(name) != 1)
			fail_msg("%s is in the records of %zu descriptors", name,
				 count_records(name));
	}
}

static struct check_report report;

static const struct fact *find_fact(const char *name)
{
	size_t i;

	for (i = 0; i < report.count; i++)
		if (strcmp(report.facts[i].name, name) == 0)
			return &report.facts[i];
	return NULL;
}

/* Each event has its words once, and its facts by them. */
static void check_event(const struct probe_descriptor *probe, const char *event)
{
	const struct program_row *row, *said = NULL;
	const struct fact *fact = find_fact(event);

	for (row = probe->programs; row < probe->programs + probe->program_count; row++)
		if (row->purpose && row->event && strcmp(row->event, event) == 0) {
			if (said)
				fail_msg("%s and %s both have a purpose for %s", said->name,
					 row->name, event);
			said = row;
		}
	if (!fact || !said)
		fail_msg("`bramble check` does not list %s: its row has no purpose", event);
	assert_string_equal(fact->purpose, said->purpose);
	if (!said->remedy || !said->remedy[0])
		fail_msg("the row of %s has no remedy, for where %s is missing", said->name, event);
	assert_true(!fact->needed || probe->essential);
}

static void test_events_are_checked(void **state)
{
	const struct features features = {.release = "6.12"};
	enum probe_id id;
	size_t i;

	(void)state;
	check_collect(&(struct check_options){0}, &features, &report);
	assert_true(report.count < CHECK_FACTS_MAX);
	for (id = 0; id < PROBES; id++)
		for (i = 0; i < probe_descriptors[id]->program_count; i++)
			if (probe_descriptors[id]->programs[i].event)
				check_event(probe_descriptors[id],
					    probe_descriptors[id]->programs[i].event);
}

/* ---- books, flags */

static bool find_name(const char *const *names, size_t count, const char *name)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void check_losses(enum probe_id id)
{
	/* Those of every probe: books.c, scrape.c. */
	static const char *const others[] = {"recursion", "stepped_back"};
	const struct probe_descriptor *probe = probe_descriptors[id];
	size_t i;

	for (i = 0; i < probe->loss_count; i++) {
		if (!probe->losses[i])
			fail_msg("loss %zu of the probe %s has no name", i, probe_names[id]);
		if (find_name(probe->losses, i, probe->losses[i]) ||
		    find_name(others, ARRAY_SIZE(others), probe->losses[i]))
			fail_msg("the probe %s has two losses of the name %s", probe_names[id],
				 probe->losses[i]);
	}
	if (probe->loss_count && !probe->lost)
		fail_msg("the probe %s has losses, and no lost()", probe_names[id]);
}

static void test_losses(void **state)
{
	size_t count = PROBES; /* a recursion each */
	enum probe_id id;

	(void)state;
	for (id = 0; id < PROBES; id++) {
		check_losses(id);
		count += probe_descriptors[id]->loss_count;
	}
	assert_in_range(count, 1, PROBE_LOST_MAX);
}

/* The help of the family says of each probe what its events are. */
static void test_events_are_explained(void **state)
{
	const char *help = families[FAMILY_PROBE_EVENTS].help;
	char name[64];
	enum probe_id id;

	(void)state;
	for (id = 0; id < PROBES; id++) {
		if (!probe_descriptors[id]->events)
			fail_msg("the probe %s counts no events", probe_names[id]);
		snprintf(name, sizeof(name), "(%s)", probe_names[id]);
		if (!strstr(help, name))
			fail_msg("the help of %s does not say what events of %s are",
				 families[FAMILY_PROBE_EVENTS].name, probe_names[id]);
	}
}

static void test_flags(void **state)
{
	enum probe_id ids[PROBES], id;
	size_t i, count = probe_flags(ids), with_help = 0;

	(void)state;
	for (id = 0; id < PROBES; id++) {
		with_help += probe_descriptors[id]->flag_help != NULL;
		if (!probe_descriptors[id]->flag_help && id != PROBE_CGROUP)
			fail_msg("the probe %s has no flag_help, and so no flag", probe_names[id]);
		if (probe_descriptors[id]->flag_help && !probe_descriptors[id]->flag_rank)
			fail_msg("the probe %s has no flag_rank", probe_names[id]);
	}
	assert_int_equal(count, with_help);
	for (i = 1; i < count; i++)
		if (probe_descriptors[ids[i - 1]]->flag_rank ==
		    probe_descriptors[ids[i]]->flag_rank)
			fail_msg("the probes %s and %s have the same flag_rank",
				 probe_names[ids[i - 1]], probe_names[ids[i]]);
	assert_int_equal(ids[0], PROBE_SCHED);
	assert_null(probe_descriptors[PROBE_CGROUP]->flag_help);
}

/* Pressure is of one CPU, so it needs cells by CPU. */
static void test_pressure(void **state)
{
	enum probe_id id;

	(void)state;
	for (id = 0; id < PROBES; id++)
		if (probe_descriptors[id]->add_pressure && !probe_descriptors[id]->cells.per_cpu)
			fail_msg("the probe %s has add_pressure(), but its cells are not per_cpu",
				 probe_names[id]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pressure),
		cmocka_unit_test(test_members),
		cmocka_unit_test(test_privates),
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_wrong_plans),
		cmocka_unit_test(test_sums),
		cmocka_unit_test(test_programs_have_probes),
		cmocka_unit_test(test_rows_have_programs),
		cmocka_unit_test(test_records_have_probes),
		cmocka_unit_test(test_events_are_checked),
		cmocka_unit_test(test_losses),
		cmocka_unit_test(test_events_are_explained),
		cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
