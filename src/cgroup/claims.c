/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "cgroup/claims.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cgroup/unit.h"
#include "util/clock.h"
#include "util/hash.h"
#include "util/log.h"

/* So much of a path is in a message. */
#define SHOWN_MAX 300

/* Bytes that do not belong to a string are 0: keys are compared as a whole. */
struct claim_key {
	char pod_uid[POD_UID_SIZE];
	char container_id[CONTAINER_ID_SIZE]; /* empty: the pod itself */
};

struct claim {
	struct claim_key key;
	char *path;	   /* of the pod's own cgroup, or the container's uppermost one */
	struct claim *pod; /* NULL: a pod's; or of a container that is in no pod's own cgroup */
	unsigned int held; /* by so many cgroups, and claims of the pod's containers */
	UT_hash_handle hh;
};

static struct claim *find_claim(const struct claims *claims, const char *pod_uid,
				const char *container_id)
{
	struct claim_key key = {0};
	struct claim *claim;

	snprintf(key.pod_uid, sizeof(key.pod_uid), "%s", pod_uid);
	snprintf(key.container_id, sizeof(key.container_id), "%s", container_id);
	HASH_FIND(hh, claims->table, &key, sizeof(key), claim);
	return claim;
}

void claims_drop(struct claims *claims, struct claim *claim)
{
	struct claim *pod;

	for (; claim && --claim->held == 0; claim = pod) {
		pod = claim->pod;
		HASH_DEL(claims->table, claim); /* NOLINT(clang-analyzer-core.NullDereference) */
		free(claim->path);
		free(claim);
	}
}

/* Makes a claim that nobody holds yet. NULL: no memory. */
static struct claim *make_claim(struct claims *claims, const struct cgroup_name *name,
				const char *path, size_t len, bool of_pod)
{
	struct claim *claim = calloc(1, sizeof(*claim));

	if (!claim)
		return NULL;
	snprintf(claim->key.pod_uid, sizeof(claim->key.pod_uid), "%s", name->pod_uid);
	if (!of_pod)
		snprintf(claim->key.container_id, sizeof(claim->key.container_id), "%s",
			 name->container_id);
	claim->path = strndup(path, len);
	if (claim->path && HASH_TRY_ADD(hh, claims->table, &claim->key, sizeof(claim->key), claim))
		return claim;
	free(claim->path);
	free(claim);
	return NULL;
}

/* Whether its cgroup is there. If that cannot be looked up, it is: others hold the claim. */
static bool is_there(const struct claims *claims, const struct claim *claim)
{
	char file[PATH_MAX];
	struct stat st;

	if (!claims->roots.mount || (size_t)snprintf(file, sizeof(file), "%s%s",
						     claims->roots.mount, claim->path) >= PATH_MAX)
		return true;
	return stat(file, &st) == 0 || (errno != ENOENT && errno != ENODEV);
}

static enum cgroup_trust trust_claim(const struct claims *claims, const struct claim *claim)
{
	struct cgroup_name name;

	return cgroup_path_parse(claim->path, &name)
		       ? TRUST_NONE
		       : trust_path(&claims->roots, claim->path, &name);
}

/* Whether a path has a claim, which another path may have had until now. Returns 1, 0 or -ENOMEM.
 */
static int has_claim(struct claims *claims, struct claim *claim, const char *path, size_t len,
		     const struct cgroup_name *name)
{
	enum cgroup_trust now, before;
	char *copy;

	if (strlen(claim->path) == len && memcmp(claim->path, path, len) == 0)
		return 1;
	now = trust_path(&claims->roots, path, name);
	before = trust_claim(claims, claim);
	if (now < before || (now == before && is_there(claims, claim)))
		return 0;
	copy = strndup(path, len);
	if (!copy)
		return -ENOMEM;
	free(claim->path);
	claim->path = copy;
	return 1;
}

/* Holds the claim of a path, or makes it. Returns 1, 0 if it is another's, or -ENOMEM. */
static int hold(struct claims *claims, const char *path, size_t len, const struct cgroup_name *name,
		bool of_pod, struct claim **claim)
{
	struct claim *found = find_claim(claims, name->pod_uid, of_pod ? "" : name->container_id);
	int has = 1;

	if (found)
		has = has_claim(claims, found, path, len, name);
	else
		found = make_claim(claims, name, path, len, of_pod);
	if (!found)
		return -ENOMEM;
	if (has <= 0)
		return has;
	found->held++;
	*claim = found;
	return 1;
}

/* How much of a path is the machine in a container that a pod is in; 0: the pod is in none. */
static size_t machine_of(const char *path, size_t root_len)
{
	char root[CGROUP_PATH_LIMIT];
	struct cgroup_name name;

	snprintf(root, sizeof(root), "%.*s", (int)root_len, path);
	return cgroup_path_parse(root, &name) ? 0 : name.place.container;
}

/* Whether a container that is not in its pod's own cgroup is in the machine that the pod is in. */
static bool in_same_machine(const struct claims *claims, const char *path,
			    const struct cgroup_name *name)
{
	const struct claim *pod = find_claim(claims, name->pod_uid, "");
	struct cgroup_name of_pod;
	size_t len;

	if (!pod || cgroup_path_parse(pod->path, &of_pod))
		return true;
	len = machine_of(path, name->place.root);
	return len == machine_of(pod->path, of_pod.place.root) && memcmp(path, pod->path, len) == 0;
}

/* Takes the claim of a path to its pod, and to its container. Returns 1, 0 or -ENOMEM. */
static int take(struct claims *claims, const char *path, const struct cgroup_name *name,
		struct claim **claim)
{
	struct claim *pod = NULL, *container;
	int has = 1;

	if (name->place.pod)
		has = hold(claims, path, name->place.pod, name, true, &pod);
	else if (name->pod_uid[0])
		has = in_same_machine(claims, path, name);
	*claim = pod;
	if (has <= 0 || !name->container_id[0])
		return has;
	has = hold(claims, path, name->place.container, name, false, &container);
	if (has <= 0) {
		claims_drop(claims, pod);
		*claim = NULL;
		return has;
	}
	*claim = container;
	/* A container's claim holds its pod's, once. */
	if (pod && !container->pod)
		container->pod = pod;
	else
		claims_drop(claims, pod);
	return 1;
}

static void tell_trust(struct claims *claims, const char *path, const struct cgroup_name *name)
{
	if (claims->silent || !log_is_due(&claims->trust_told_ns, clock_monotonic_ns()))
		return;
	log_warn("%.*s looks like a pod's cgroup, but not only root can make cgroups there: it is "
		 "counted for what it is in, and so is each further one; if a kubelet makes pods "
		 "there, say --kube.cgroup-root=%.*s",
		 SHOWN_MAX, path, (int)name->place.root, name->place.root ? path : "/");
}

static void tell_double(struct claims *claims, const char *path)
{
	if (claims->silent || !log_is_due(&claims->double_told_ns, clock_monotonic_ns()))
		return;
	log_warn("%.*s has the id of a pod or a container that is another cgroup: it is counted "
		 "for what it is in, and so is each further one",
		 SHOWN_MAX, path);
}

/* Whether a path has a right to its name. Returns 1, 0 or -ENOMEM. */
static int accept_name(struct claims *claims, const char *path, const struct cgroup_name *name,
		       struct claim **claim)
{
	int has;

	if (!name->pod_uid[0] && !name->container_id[0])
		return 1;
	if (name->pod_uid[0] && trust_path(&claims->roots, path, name) == TRUST_NONE) {
		tell_trust(claims, path, name);
		return 0;
	}
	has = take(claims, path, name, claim);
	if (!has)
		tell_double(claims, path);
	return has;
}

static void name_unit(const char *path, struct cgroup_name *name)
{
	*name = (struct cgroup_name){.kind = CGROUP_UNIT};
	unit_of_path(path, name->unit);
}

int claims_name(struct claims *claims, const char *path, struct cgroup_name *name,
		struct claim **claim)
{
	char above[CGROUP_PATH_LIMIT];
	bool counted = false;
	int has;

	*claim = NULL;
	if (cgroup_path_parse(path, name)) {
		name->kind = CGROUP_UNIT;
		snprintf(name->unit, sizeof(name->unit), "unknown");
		return 0;
	}
	snprintf(above, sizeof(above), "%s", path);
	while (!(has = accept_name(claims, above, name, claim))) {
		claims->refused += !counted;
		counted = true;
		if (!name->place.above) {
			name_unit(above, name);
			return 0;
		}
		above[name->place.above] = '\0';
		cgroup_path_parse(above, name); /* it is part of a path that could be read */
	}
	return has < 0 ? has : 0;
}
