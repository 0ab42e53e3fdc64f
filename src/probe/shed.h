/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Descriptors that nobody needs once everything is attached. What is attached, and the maps of
 * those programs, stay without them.
 */
#ifndef BRAMBLE_PROBE_SHED_H
#define BRAMBLE_PROBE_SHED_H

struct bpf_object;
struct probe;

/*
 * Closes the maps that user space does not use by their descriptors, and the types (BTF). From then
 * on this process can load no programs that share the maps. Returns 0 or a negative errno.
 *
 * It keeps
 *  - links: to close one is to detach its program;
 *  - programs: the kernel tells their run times and losses only by them (books.h), and one may be
 *    attached later;
 *  - maps that are looked up, or mapped further as more slots are in use.
 */
int probe_shed(struct probe *probe);

/* The same for an object of which no map is used: all of them are closed. */
int shed_object(struct bpf_object *object);

#endif
