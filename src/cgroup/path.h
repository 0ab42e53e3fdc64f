/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a cgroup's path says: a container, a pod, a system unit or the root. The path is parsed and
 * never looked up. Anyone who may make cgroups chooses it, so it is treated as hostile. What is
 * copied out of it is bounded and printable.
 *
 * This is about the shape of a path alone. trust.h says whether a pod's path is believed.
 *
 * How a path is read, each step from the root down:
 *
 *  1. The first pod in it. What lies above (a machine in a container, a cgroup
 *     root given to the kubelet) does not matter. A pod inside a pod does not
 *     count. A pod is kubepods[/burstable|/besteffort]/pod<uid> (the kubelet's
 *     driver "cgroupfs") or a slice [...-]kubepods[-burstable|-besteffort]-pod<uid>.slice
 *     (the driver "systemd"), or that slice followed by ":<runtime>:<id>" (the
 *     two sides disagree about the driver).
 *  2. The first container, below the pod if there is one. A container is
 *     <runtime>-<id>[.scope], [...]:<runtime>:<id>, or the bare <id>; the id
 *     has 64 digits, so crio-conmon-<id>.scope is not a container. Neither is the
 *     bare <id> below libpod_parent, which is how podman names a pod. What lies
 *     below a container belongs to it.
 *  3. Neither: the unit is the first component that is not a slice, or the last
 *     slice. If its name has no suffix of a systemd unit (.service, .scope, .mount,
 *     .swap, .socket), it may be a group, which only holds other cgroups. Then the
 *     unit is the group and the one component below it: "podruntime/etcd",
 *     "lxc/101". A group in a group ("docker/buildkit", "kubepods/burstable") has
 *     one component more. It is not a group if the root of a machine is below it
 *     (init.scope, system.slice), or if its name is lxc.payload.<name>,
 *     lxc.monitor.<name> or openrc.<service>. A cgroup that has the name of one of
 *     this program's own units ("kernel", "other") goes by its path: "/other".
 *
 * Sources: pkg/kubelet/cm/cgroup_manager_linux.go (kubelet), CgroupsPath in
 * the CRI plugins of containerd and CRI-O, docker's daemon/oci_linux.go and
 * cmd/dockerd/daemon_unix.go (newCgroupParent), BuildKit's executor/oci, libpod's
 * container_internal_linux.go and runtime_pod_linux.go, libcontainer's systemd
 * drivers, src/lxc/cgroups/cgfsng.c (LXC), PVE/LXC.pm (Proxmox VE),
 * pkg/machinery/constants (Talos), rundmc/cgroups (Garden), and CONTROL_GROUP_INTERFACE
 * of systemd. docs/naming.md lists the layouts.
 *
 * Every function may be called from any thread.
 */
#ifndef BRAMBLE_CGROUP_PATH_H
#define BRAMBLE_CGROUP_PATH_H

#include <stdbool.h>
#include <stdint.h>

#include "util/slice.h"

#define POD_UID_SIZE	   37 /* 36 characters and the NUL */
#define CONTAINER_ID_SIZE  65 /* 64 hexadecimal digits and the NUL */
#define CGROUP_UNIT_SIZE   96

/* How many digits of a container id are shown to a reader. docker shows as many. */
#define CONTAINER_ID_SHORT 12

/* Longer paths are refused: the kernel's PATH_MAX. */
#define CGROUP_PATH_LIMIT  4096

enum cgroup_kind {
	CGROUP_UNKNOWN,	  /* the path could not be read */
	CGROUP_ROOT,	  /* the root cgroup; the kernel's threads in it are counted apart */
	CGROUP_POD,	  /* of a pod, but of no container: its own cgroup, CRI-O's conmon */
	CGROUP_CONTAINER, /* of a container, in a pod (pod_uid is set) or outside of Kubernetes */
	CGROUP_UNIT,	  /* a system unit, a slice or any other cgroup */
};

enum cgroup_runtime {
	RUNTIME_UNKNOWN, /* a bare id: containerd's and docker's look the same */
	RUNTIME_CONTAINERD,
	RUNTIME_CRIO,
	RUNTIME_DOCKER,
	RUNTIME_PODMAN,
};

enum cgroup_qos {
	QOS_NONE, /* not in a pod */
	QOS_GUARANTEED,
	QOS_BURSTABLE,
	QOS_BESTEFFORT,
};

/*
 * Where a name stands in its path, as lengths of the path's beginning in bytes. 0 where it does not
 * apply.
 */
struct cgroup_place {
	uint16_t root;	/* above the kubelet's "kubepods": what the kubelet has as --cgroup-root */
	uint16_t above; /* above the pod, or else above the container: its parent */
	uint16_t pod;	/* with the pod's own cgroup; 0: the path does not go through it */
	uint16_t container; /* with the container's uppermost cgroup */
};

/* What does not apply is an empty string or the enum's first value. */
struct cgroup_name {
	enum cgroup_kind kind;
	enum cgroup_runtime runtime;
	enum cgroup_qos qos;

	/*
	 * As the kubelet writes it elsewhere: a UUID with '-', or the 32 digits of a static pod's
	 * config hash. In lower case. Other uids are not accepted.
	 */
	char pod_uid[POD_UID_SIZE];

	char container_id[CONTAINER_ID_SIZE]; /* lower case */

	/*
	 * The value of the label "unit", which is set if pod_uid is not:
	 *  - "root" for the root;
	 *  - "<runtime>-<12 digits>" for a container outside Kubernetes ("container-<12 digits>" if
	 *    the runtime is unknown);
	 *  - otherwise the component's name, or "<group>/<component>".
	 * Characters that systemd does not use in unit names (it uses letters, digits, and
	 * : - _ . \ @) become '_'. A run of 32 or more hexadecimal digits is cut to its first 12.
	 * What is longer than the array is cut. So several cgroups may share a unit.
	 */
	char unit[CGROUP_UNIT_SIZE];

	struct cgroup_place place;
};

/*
 * Reads a path relative to the cgroup's hierarchy, with a leading slash, as in the kernel's
 * cgroup_path() and in /proc/PID/cgroup. Empty components and "." are skipped.
 *
 * Returns 0, -ENAMETOOLONG, or -EINVAL: no leading slash, or a ".." (a cgroup outside the reader's
 * cgroup namespace). On an error *out is all zero.
 */
int cgroup_path_parse(const char *path, struct cgroup_name *out);

/*
 * Reads a pod's uid: a UUID with the separators '-' or (as in slices) '_', or 32 hexadecimal
 * digits. Writes it with '-'. Returns whether it is a uid. If not, out is untouched.
 */
bool pod_uid_read(struct slice text, char out[POD_UID_SIZE]);

/* Whether it is a container's id: 64 hexadecimal digits in lower case. */
bool container_id_valid(struct slice text);

/* Names for people and JSON: "container", "cri-o", "burstable". "" if it is not known. */
const char *cgroup_kind_name(enum cgroup_kind kind);
const char *cgroup_runtime_name(enum cgroup_runtime runtime);
const char *cgroup_qos_name(enum cgroup_qos qos);

#endif
