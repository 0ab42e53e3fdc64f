/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/tracefs_btf.h"

#include "probe/tracefs_format.h"
#include "util/buf.h"
#include "util/log.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define FORMAT_FILE_MAX (256 << 10) /* bytes; the longest that was seen has 8193 */

static int find_or_add_int(struct btf *btf, const char *name, __u32 size, int encoding)
{
	int id = btf__find_by_name_kind(btf, name, BTF_KIND_INT);

	return id > 0 ? id : btf__add_int(btf, name, size, encoding);
}

static int add_int(struct btf *btf, const struct tracefs_field *field)
{
	static const char *const names[2][9] = {
		{[1] = "unsigned char",
		 [2] = "short unsigned int",
		 [4] = "unsigned int",
		 [8] = "long long unsigned int"},
		{[1] = "signed char", [2] = "short int", [4] = "int", [8] = "long long int"},
	};

	if (field->is_bool)
		return find_or_add_int(btf, "_Bool", 1, BTF_INT_BOOL);
	return find_or_add_int(btf, names[field->is_signed][field->size], field->size,
			       field->is_signed ? BTF_INT_SIGNED : 0);
}

/*
 * Raw BTF does not have the size of a pointer. libbpf uses that of the type "long unsigned int",
 * because both are the same in the kernel.
 */
static int add_pointer(struct btf *btf, const struct tracefs_field *field)
{
	int id = find_or_add_int(btf, "long unsigned int", field->size, 0);
	int err;

	if (id < 0)
		return id;
	if (btf__type_by_id(btf, (__u32)id)->size != field->size)
		return -EINVAL;
	err = btf__set_pointer_size(btf, field->size);
	return err ? err : btf__add_ptr(btf, 0);
}

/* Its values are unknown, and not needed: enums are matched by name. */
static int add_enum(struct btf *btf, const struct tracefs_field *field)
{
	int id = btf__find_by_name_kind(btf, field->tag, BTF_KIND_ENUM);

	if (id < 0)
		return btf__add_enum(btf, field->tag, field->size);
	return btf__type_by_id(btf, (__u32)id)->size == field->size ? id : -EINVAL;
}

static int add_array(struct btf *btf, int value_id, __u32 count)
{
	int index_id = find_or_add_int(btf, "unsigned int", 4, 0);

	return index_id < 0 ? index_id : btf__add_array(btf, index_id, value_id, count);
}

/* Adds the type of a field. Returns its id or a negative errno. */
static int add_type(struct btf *btf, const struct tracefs_field *field)
{
	struct tracefs_field byte = {.size = 1};
	int id;

	switch (field->kind) {
	case TRACEFS_POINTER:
		id = add_pointer(btf, field);
		break;
	case TRACEFS_ENUM:
		id = add_enum(btf, field);
		break;
	case TRACEFS_BYTES:
		id = add_int(btf, &byte);
		if (id > 0)
			id = add_array(btf, id, field->size);
		break;
	default:
		id = add_int(btf, field);
	}
	return id > 0 && field->is_array ? add_array(btf, id, field->count) : id;
}

static int add_struct(struct btf *btf, const char *name, const struct tracefs_format *format,
		      const int *types)
{
	int id = btf__add_struct(btf, name, format->size);
	int err = id < 0 ? id : 0;

	for (unsigned int i = 0; i < format->count && !err; i++) {
		const struct tracefs_field *field = &format->fields[i];

		err = btf__add_field(btf, field->name, types[i], field->offset * 8, 0);
	}
	return err;
}

int tracefs_btf_add(struct btf *btf, const char *text, size_t len, const char *struct_name)
{
	struct tracefs_format format;
	int types[TRACEFS_FIELDS_MAX];
	int err = tracefs_format_parse(&format, text, len);

	if (err)
		return err;
	if (btf__find_by_name_kind(btf, struct_name, BTF_KIND_STRUCT) > 0)
		return -EEXIST;
	for (unsigned int i = 0; i < format.count; i++) {
		types[i] = add_type(btf, &format.fields[i]);
		if (types[i] < 0)
			return types[i];
	}
	return add_struct(btf, struct_name, &format, types);
}

/* Returns 1 if the struct was added, 0 if the event is left out, or a negative errno. */
static int add_event(struct btf *btf, const char *root, const struct tracefs_record *record)
{
	char path[PATH_MAX];
	struct buf text;
	int err, len = snprintf(path, sizeof(path), "%s/events/%s/format", root, record->event);

	if (len < 0 || (size_t)len >= sizeof(path))
		return -ENAMETOOLONG;
	err = buf_read_file(&text, path, FORMAT_FILE_MAX);
	if (!err) {
		err = tracefs_btf_add(btf, text.data, text.len, record->struct_name);
		buf_free(&text);
	}
	if (err == -ENOENT) {
		log_debug("this kernel has no event %s: there is no %s", record->event, path);
		return 0;
	}
	if (err == -EINVAL || err == -EFBIG) {
		log_warn("%s: the format is not understood, so no program can read this event; "
			 "please report the file's text",
			 path);
		return 0;
	}
	return err ? err : 1;
}

static int write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t done = write(fd, data, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		data += done;
		len -= (size_t)done;
	}
	return 0;
}

/* Returns a sealed memfd with these bytes, or a negative errno. */
static int sealed_memfd(const char *name, const void *data, size_t len)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int err;

	if (fd < 0)
		return -errno;
	err = write_all(fd, data, len);
	if (!err &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE))
		err = -errno;
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

static int build(struct btf *btf, const char *root, const struct tracefs_record *records,
		 size_t count)
{
	const void *data;
	__u32 len;
	int added = 0;

	for (size_t i = 0; i < count; i++) {
		int result = add_event(btf, root, &records[i]);

		if (result < 0)
			return result;
		added += result;
	}
	if (!added)
		return -ENOENT;
	data = btf__raw_data(btf, &len);
	return data ? sealed_memfd("bramble-btf", data, len) : -ENOMEM;
}

int tracefs_btf_build(const char *root, const struct tracefs_record *records, size_t count)
{
	struct btf *btf = btf__new_empty();
	int fd;

	if (!btf)
		return -errno;
	fd = build(btf, root, records, count);
	btf__free(btf);
	return fd;
}

void tracefs_btf_path(char path[TRACEFS_BTF_PATH_SIZE], int fd)
{
	(void)snprintf(path, TRACEFS_BTF_PATH_SIZE, "/proc/self/fd/%d", fd);
}
