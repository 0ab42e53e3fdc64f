/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Any bytes as a cgroup path. By hand:
 *
 *   clang -g -O1 -D_GNU_SOURCE -Isrc -fsanitize=fuzzer,address,undefined \
 *         -fno-sanitize-recover=all -o /tmp/fuzz tests/fuzz/fuzz_cgroup_path.c \
 *         src/cgroup/path.c src/cgroup/unit.c src/util/slice.c
 *   /tmp/fuzz -max_len=5000 -max_total_time=120
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cgroup/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool condition)
{
	if (!condition)
		abort();
}

static void check_text(const char *text, size_t size, bool present)
{
	must(memchr(text, '\0', size));
	must((text[0] != '\0') == present);
	for (; *text; text++)
		must(*text > 0x20 && *text < 0x7f);
}

static void check_name(const struct cgroup_name *name)
{
	bool container = name->kind == CGROUP_CONTAINER;
	bool in_pod = name->pod_uid[0] != '\0';
	char uid[POD_UID_SIZE];

	must(name->kind > CGROUP_UNKNOWN && name->kind <= CGROUP_UNIT);
	must(container || name->runtime == RUNTIME_UNKNOWN);
	must(in_pod == (name->qos != QOS_NONE));
	must(!in_pod || container || name->kind == CGROUP_POD);
	must(name->kind != CGROUP_POD || in_pod);
	check_text(name->pod_uid, sizeof(name->pod_uid), in_pod);
	check_text(name->container_id, sizeof(name->container_id), container);
	check_text(name->unit, sizeof(name->unit), !in_pod);
	must(!in_pod || pod_uid_read(slice_of(name->pod_uid), uid));
	must(!in_pod || strcmp(uid, name->pod_uid) == 0);
	must(!container || container_id_valid(slice_of(name->container_id)));
}

/* A place ends at a slash or at the end, and they follow one another. */
static void check_end(const char *path, size_t len)
{
	must(len <= strlen(path) && (!path[len] || path[len] == '/'));
}

static void check_place(const char *path, const struct cgroup_name *name)
{
	const struct cgroup_place *place = &name->place;
	bool container = name->kind == CGROUP_CONTAINER;

	check_end(path, place->root);
	check_end(path, place->above);
	check_end(path, place->pod);
	check_end(path, place->container);
	must(place->root <= place->above);
	must(container == (place->container > place->above));
	must(!place->pod || (name->pod_uid[0] && place->pod > place->above));
	must(!container || place->pod < place->container);
	must(name->pod_uid[0] || container || place->above == 0);
	must(name->pod_uid[0] || place->root == 0);
}

static void check_nothing(const struct cgroup_name *name)
{
	must(name->kind == CGROUP_UNKNOWN && name->runtime == RUNTIME_UNKNOWN);
	must(name->qos == QOS_NONE && !name->pod_uid[0] && !name->container_id[0]);
	must(!name->unit[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *path = malloc(size + 1);
	struct cgroup_name name;
	int err;

	must(path);
	memcpy(path, data, size);
	path[size] = '\0';
	memset(&name, 0xff, sizeof(name));
	err = cgroup_path_parse(path, &name);
	if (err)
		check_nothing(&name);
	else
		check_name(&name);
	if (!err)
		check_place(path, &name);
	free(path);
	return 0;
}
