/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Checks that BTF, of the kinds that tracefs_btf_add() makes, is sound for libbpf and for the
 * kernel's verifier. For the unit tests and the fuzzer.
 */
#ifndef TESTS_BTF_SOUND_H
#define TESTS_BTF_SOUND_H

#include <bpf/btf.h>
#include <ctype.h>
#include <stdbool.h>
#include <string.h>

static inline bool btf_name_sound(const char *name)
{
	if (!name || !*name || isdigit((unsigned char)*name))
		return false;
	return name[strspn(name, "_0123456789abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

/* Members have names and types, come in order, and overlap neither each other nor the end. */
static inline bool btf_struct_sound(const struct btf *btf, const struct btf_type *type)
{
	const struct btf_member *member = btf_members(type);
	__u64 end = 0;

	if (!btf_name_sound(btf__name_by_offset(btf, type->name_off)))
		return false;
	for (__u32 i = 0; i < btf_vlen(type); i++, member++) {
		__s64 size = btf__resolve_size(btf, member->type);

		if (!btf_name_sound(btf__name_by_offset(btf, member->name_off)) || size < 0 ||
		    member->offset % 8 || member->offset / 8 < end)
			return false;
		end = member->offset / 8 + (__u64)size;
	}
	return end <= type->size;
}

static inline bool btf_type_sound(const struct btf *btf, __u32 id)
{
	const struct btf_type *type = btf__type_by_id(btf, id);

	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
		return btf_struct_sound(btf, type);
	case BTF_KIND_ENUM:
		return btf_name_sound(btf__name_by_offset(btf, type->name_off));
	case BTF_KIND_INT:
		return btf_int_bits(type) == type->size * 8 && !btf_int_offset(type);
	case BTF_KIND_ARRAY:
		return btf__type_by_id(btf, btf_array(type)->type) &&
		       btf__type_by_id(btf, btf_array(type)->index_type);
	case BTF_KIND_PTR:
		return type->type == 0;
	default:
		return false;
	}
}

static inline bool btf_sound(const struct btf *btf)
{
	for (__u32 id = 1; id < btf__type_cnt(btf); id++)
		if (!btf_type_sound(btf, id))
			return false;
	return true;
}

#endif
