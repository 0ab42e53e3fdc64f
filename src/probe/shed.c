/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/shed.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "probe/descriptors.h"
#include "probe/internal.h"
#include "probe/roots.h"

#include "bramble.skel.h"

/* What slots.c and roots.c use, whichever probes there are. */
static bool slots_use(const struct probe *probe, const struct bpf_map *map)
{
	const struct bramble_bpf *bpf = probe->bpf;

	return map == bpf->maps.slot_by_cgroup || map == bpf->maps.slot_free ||
	       map == bpf->maps.slot_roots ||
	       (map == bpf->maps.slot_aliases && !probe_sees_ancestors(probe));
}

static bool probe_uses(const struct probe_descriptor *descriptor, const char *map)
{
	size_t i;

	for (i = 0; i < PROBE_MAPS_MAX && descriptor->maps[i]; i++)
		if (strcmp(descriptor->maps[i], map) == 0)
			return true;
	return descriptor->cells.map && strcmp(descriptor->cells.map, map) == 0;
}

/* Whether the descriptor of a map is still needed; probe: NULL if none is. */
static bool is_used(const struct probe *probe, const struct bpf_map *map)
{
	enum probe_id id;

	if (!probe || slots_use(probe, map))
		return probe;
	for (id = 0; id < PROBES; id++)
		if (probe->enabled[id] && probe_uses(probe_descriptors[id], bpf_map__name(map)))
			return true;
	return false;
}

/*
 * libbpf has no call that closes a map. It closes the number at the end, which may be somebody
 * else's by then: so a descriptor that does nothing takes its place.
 */
static int shed_maps(struct bpf_object *object, const struct probe *probe)
{
	int nothing = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), err = 0;
	struct bpf_map *map;

	if (nothing < 0)
		return -errno;
	bpf_object__for_each_map(map, object)
		if (!is_used(probe, map) && bpf_map__fd(map) >= 0 &&
		    dup3(nothing, bpf_map__fd(map), O_CLOEXEC) < 0)
			err = -errno;
	close(nothing);
	return err;
}

static void shed_types(struct bpf_object *object)
{
	struct btf *btf = bpf_object__btf(object);

	if (!btf || btf__fd(btf) < 0)
		return;
	close(btf__fd(btf));
	btf__set_fd(btf, -1);
}

int shed_object(struct bpf_object *object)
{
	shed_types(object);
	return shed_maps(object, NULL);
}

int probe_shed(struct probe *probe)
{
	shed_types(probe->bpf->obj);
	return shed_maps(probe->bpf->obj, probe);
}
