/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/sums.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

static const struct cell_private *find_private(const struct probe_cells *cells, const char *member)
{
	size_t i;

	for (i = 0; i < cells->private_count; i++)
		if (strcmp(cells->privates[i].member, member) == 0)
			return &cells->privates[i];
	return NULL;
}

/* Numbers that follow the last run make it longer. */
static int add_number(struct cell_sum *sum, size_t offset, bool wide)
{
	struct cell_run *last = sum->count ? &sum->run[sum->count - 1] : NULL;

	if (last && last->wide == wide &&
	    last->offset + last->count * (wide ? sizeof(uint64_t) : sizeof(uint32_t)) == offset) {
		last->count++;
		return 0;
	}
	if (sum->count == CELL_RUNS_MAX)
		return -E2BIG;
	sum->run[sum->count++] = (struct cell_run){offset, 1, wide};
	return 0;
}

static int add_type(const struct btf *btf, uint32_t id, size_t offset, bool in_hist,
		    struct cell_sum *sum);

static int add_array(const struct btf *btf, const struct btf_type *type, size_t offset,
		     bool in_hist, struct cell_sum *sum)
{
	const struct btf_array *array = btf_array(type);
	int64_t size = btf__resolve_size(btf, array->type);
	uint32_t i;
	int err = size > 0 ? 0 : -EINVAL;

	for (i = 0; i < array->nelems && !err; i++)
		err = add_type(btf, array->type, offset + i * (size_t)size, in_hist, sum);
	return err;
}

static int add_hist(const struct btf *btf, const struct btf_type *type, size_t offset,
		    struct cell_sum *sum)
{
	const struct btf_member *member = btf_members(type), *end = member + btf_vlen(type);
	int err = 0;

	for (; member < end && !err; member++)
		err = add_type(btf, member->type, offset + member->offset / 8, true, sum);
	return err;
}

/* 32-bit numbers are summed only in histograms, because readers expect them to wrap. */
static int add_type(const struct btf *btf, uint32_t id, size_t offset, bool in_hist,
		    struct cell_sum *sum)
{
	int resolved = btf__resolve_type(btf, id);
	const struct btf_type *type = resolved < 0 ? NULL : btf__type_by_id(btf, (__u32)resolved);

	if (!type)
		return -EINVAL;
	if (btf_is_array(type))
		return add_array(btf, type, offset, in_hist, sum);
	if (btf_is_struct(type) && !strcmp(btf__name_by_offset(btf, type->name_off), "hist"))
		return add_hist(btf, type, offset, sum);
	if (btf_is_int(type) &&
	    (type->size == sizeof(uint64_t) || (in_hist && type->size == sizeof(uint32_t))))
		return add_number(sum, offset, type->size == sizeof(uint64_t));
	return -EINVAL;
}

int cell_sum_plan(const struct btf *btf, uint32_t id, const struct probe_cells *cells,
		  struct cell_sum *out)
{
	const struct btf_type *type = btf__type_by_id(btf, id);
	const struct btf_member *member, *end;
	int err = 0;

	out->count = 0;
	if (!type || !btf_is_struct(type) || type->size != cells->size)
		return -EINVAL;
	member = btf_members(type);
	for (end = member + btf_vlen(type); member < end && !err; member++) {
		const struct cell_private *own =
			find_private(cells, btf__name_by_offset(btf, member->name_off));

		if (!own || own->summed)
			err = add_type(btf, member->type, member->offset / 8, false, out);
	}
	return err;
}

static void add_wide(uint64_t *restrict total, const uint64_t *restrict cell, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		total[i] += cell[i];
}

/* Mostly buckets of histograms. Compilers add four at a time with one instruction. */
static void add_narrow(uint32_t *restrict total, const uint32_t *restrict cell, size_t count)
{
	size_t i;

	for (i = 0; i + 4 <= count; i += 4) {
		total[i] += cell[i];
		total[i + 1] += cell[i + 1];
		total[i + 2] += cell[i + 2];
		total[i + 3] += cell[i + 3];
	}
	for (; i < count; i++)
		total[i] += cell[i];
}

void cell_sum_add(const struct cell_sum *sum, union probe_cell *total, const void *cell)
{
	const struct cell_run *run;

	for (run = sum->run; run < sum->run + sum->count; run++) {
		void *to = (char *)total + run->offset;
		const void *from = (const char *)cell + run->offset;

		if (run->wide)
			add_wide(to, from, run->count);
		else
			add_narrow(to, from, run->count);
	}
}
