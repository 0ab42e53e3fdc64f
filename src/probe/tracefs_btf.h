/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * BTF made from tracefs. A kernel without BTF still describes the records of its classic
 * tracepoints, in events/<category>/<name>/format. This makes BTF from those files, with one struct
 * trace_event_raw_<event class> for each event that the BPF programs read. libbpf relocates plain
 * CO-RE against it (btf_custom_path), in the same way as against the kernel's own BTF.
 */
#ifndef BRAMBLE_TRACEFS_BTF_H
#define BRAMBLE_TRACEFS_BTF_H

#include <stddef.h>

struct btf;

/*
 * A classic tracepoint whose record the BPF programs read: "group/name", and the kernel's struct
 * for it, trace_event_raw_<event class>, which several events may share.
 */
struct tracefs_record {
	const char *event;
	const char *struct_name;
};

/*
 * Adds the event of a format file of len bytes as a struct of that name.
 * Returns 0, -EINVAL if the text is damaged, or -EEXIST if btf already has such a struct. After
 * these errors btf has no new struct (but may have an unused type). After -ENOMEM, btf can only be
 * given to btf__free().
 */
int tracefs_btf_add(struct btf *btf, const char *text, size_t len, const char *struct_name);

/*
 * Makes the BTF of these records, from a tracefs mounted at root (/sys/kernel/tracing). An event
 * that the kernel lacks, or whose format is not understood, is left out. The programs that need it
 * do not load. Returns a sealed memfd, which the caller closes once its objects are loaded, or a
 * negative errno: -ENOENT when there is no event at all (no tracefs?), -EACCES when tracefs may not
 * be read.
 */
int tracefs_btf_build(const char *root, const struct tracefs_record *records, size_t count);

/* Room for the path of any file descriptor. */
#define TRACEFS_BTF_PATH_SIZE 32

/* Writes the path of such a memfd, for libbpf's btf_custom_path. It is good while fd is open. */
void tracefs_btf_path(char path[TRACEFS_BTF_PATH_SIZE], int fd);

#endif
