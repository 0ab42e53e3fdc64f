/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup/path.h"
#include "cgroup/unit.h"
#include "util/array.h"

#define ID	     "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define ID2	     "aaaaaaaabbbbbbbbccccccccddddddddeeeeeeeeffffffff0000000011111111"
#define SHORT	     "3f4b1c2d5e6f"
#define UID	     "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
#define UID_	     "8a1b2c3d_4e5f_6071_8293_a4b5c6d7e8f9"
#define UID2_	     "00000000_1111_2222_3333_444444444444"
#define HASH	     "0a1b2c3d4e5f60718293a4b5c6d7e8f9"

#define SD_BURSTABLE "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" UID_ ".slice"
#define SD_BESTEFFORT                                                                              \
	"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" UID_ ".slice"
#define SD_GUARANTEED "/kubepods.slice/kubepods-pod" UID_ ".slice"
#define KIND_POD                                                                                   \
	"/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice/"                  \
	"kubelet-kubepods-burstable-pod" UID_ ".slice"

/* struct cgroup_name without the place. */
struct shape_name {
	enum cgroup_kind kind;
	enum cgroup_runtime runtime;
	enum cgroup_qos qos;
	const char *pod_uid, *container_id, *unit;
};

static const struct {
	const char *path;
	struct shape_name name;
} shapes[] = {
	/* The kubelet's driver "cgroupfs": k3s and MicroK8s with containerd, docker. */
	{"/kubepods/burstable/pod" UID "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, ID, ""}},
	{"/kubepods/besteffort/pod" UID "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_BESTEFFORT, UID, ID, ""}},
	{"/kubepods/pod" UID "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_GUARANTEED, UID, ID, ""}},
	{"/kubepods/burstable/pod" UID, {CGROUP_POD, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, "", ""}},
	{"/kubepods/pod" UID, {CGROUP_POD, RUNTIME_UNKNOWN, QOS_GUARANTEED, UID, "", ""}},
	{"/kubepods/pod" HASH "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_GUARANTEED, HASH, ID, ""}},
	{"/kubepods/burstable/pod" HASH "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_BURSTABLE, HASH, ID, ""}},
	{"/kubepods/burstable/pod" UID "/crio-" ID,
	 {CGROUP_CONTAINER, RUNTIME_CRIO, QOS_BURSTABLE, UID, ID, ""}},
	{"/kubepods/burstable/pod" UID "/crio-conmon-" ID,
	 {CGROUP_POD, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, "", ""}},
	{"/kubepods", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods"}},
	{"/kubepods/besteffort",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods/besteffort"}},

	/* The driver "systemd": kubeadm, k3s on systemd. */
	{SD_BURSTABLE "/cri-containerd-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BURSTABLE, UID, ID, ""}},
	{SD_BESTEFFORT "/cri-containerd-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BESTEFFORT, UID, ID, ""}},
	{SD_GUARANTEED "/cri-containerd-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_GUARANTEED, UID, ID, ""}},
	{SD_BURSTABLE "/crio-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CRIO, QOS_BURSTABLE, UID, ID, ""}},
	{SD_BURSTABLE "/crio-" ID ".scope/container",
	 {CGROUP_CONTAINER, RUNTIME_CRIO, QOS_BURSTABLE, UID, ID, ""}},
	{SD_BURSTABLE "/crio-conmon-" ID ".scope",
	 {CGROUP_POD, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, "", ""}},
	{SD_BESTEFFORT "/docker-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_DOCKER, QOS_BESTEFFORT, UID, ID, ""}},
	{SD_BURSTABLE, {CGROUP_POD, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, "", ""}},
	{SD_BURSTABLE "/", {CGROUP_POD, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, "", ""}},
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod" HASH
	 ".slice/cri-containerd-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BURSTABLE, HASH, ID, ""}},
	{"/kubepods.slice", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods.slice"}},
	{"/kubepods.slice/kubepods-burstable.slice",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods-burstable.slice"}},

	/* The kubelet says systemd and the runtime cgroupfs. */
	{"/system.slice/containerd.service/kubepods-besteffort-pod" UID_
	 ".slice:cri-containerd:" ID,
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BESTEFFORT, UID, ID, ""}},
	{"/kubepods-pod" UID_ ".slice:crio:" ID,
	 {CGROUP_CONTAINER, RUNTIME_CRIO, QOS_GUARANTEED, UID, ID, ""}},
	{"/" ID2 ":cri-containerd:" ID,
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_NONE, "", ID, "containerd-" SHORT}},
	{"/system.slice:docker:" ID,
	 {CGROUP_CONTAINER, RUNTIME_DOCKER, QOS_NONE, "", ID, "docker-" SHORT}},

	/* Machines in containers: kind, k3d, a kubelet with its own cgroup root. */
	{KIND_POD "/cri-containerd-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BURSTABLE, UID, ID, ""}},
	{"/system.slice/docker-" ID2 ".scope" KIND_POD "/cri-containerd-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BURSTABLE, UID, ID, ""}},
	{"/docker/" ID2 "/kubelet/kubepods/burstable/pod" UID "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, ID, ""}},
	{"/docker/" ID2 "/kubelet/kubepods/burstable/pod" UID,
	 {CGROUP_POD, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, "", ""}},
	{"/kubelet/kubepods/pod" UID "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_GUARANTEED, UID, ID, ""}},
	{"/system.slice/k3s-agent.service/kubepods/besteffort/pod" UID "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_BESTEFFORT, UID, ID, ""}},
	{"/lxc.payload.node1/kubepods/burstable/pod" UID "/" ID,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, ID, ""}},
	{"/machine.slice/libpod-" ID2 ".scope/container" KIND_POD,
	 {CGROUP_POD, RUNTIME_UNKNOWN, QOS_BURSTABLE, UID, "", ""}},

	/* Nested cgroups belong to the container; a pod in a pod does not count. */
	{SD_BURSTABLE "/cri-containerd-" ID ".scope/init.scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BURSTABLE, UID, ID, ""}},
	{"/kubepods/pod" UID "/" ID "/docker/" ID2,
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_GUARANTEED, UID, ID, ""}},
	{SD_BURSTABLE "/cri-containerd-" ID ".scope/kubepods.slice/kubepods-pod" UID2_
		      ".slice/cri-containerd-" ID2 ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_BURSTABLE, UID, ID, ""}},
	{"/kubepods/pod" UID "/something",
	 {CGROUP_POD, RUNTIME_UNKNOWN, QOS_GUARANTEED, UID, "", ""}},

	/* Containers outside of Kubernetes. */
	{"/docker/" ID, {CGROUP_CONTAINER, RUNTIME_DOCKER, QOS_NONE, "", ID, "docker-" SHORT}},
	{"/docker/" ID "/docker/" ID2,
	 {CGROUP_CONTAINER, RUNTIME_DOCKER, QOS_NONE, "", ID, "docker-" SHORT}},
	{"/system.slice/docker-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_DOCKER, QOS_NONE, "", ID, "docker-" SHORT}},
	{"/machine.slice/libpod-" ID ".scope/container",
	 {CGROUP_CONTAINER, RUNTIME_PODMAN, QOS_NONE, "", ID, "podman-" SHORT}},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_PODMAN, QOS_NONE, "", ID, "podman-" SHORT}},
	{"/system.slice/foo.service/libpod-payload-" ID,
	 {CGROUP_CONTAINER, RUNTIME_PODMAN, QOS_NONE, "", ID, "podman-" SHORT}},
	{"/system.slice/nerdctl-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CONTAINERD, QOS_NONE, "", ID, "containerd-" SHORT}},
	{"/system.slice/crio-" ID ".scope",
	 {CGROUP_CONTAINER, RUNTIME_CRIO, QOS_NONE, "", ID, "cri-o-" SHORT}},
	{"/default/" ID, {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_NONE, "", ID, "container-" SHORT}},
	{"/machine.slice/libpod-conmon-" ID ".scope",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "libpod-conmon-" SHORT ".scope"}},
	{"/system.slice/crio-conmon-" ID ".scope",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "crio-conmon-" SHORT ".scope"}},

	/* Units, slices, plain cgroups, the root. */
	{"/system.slice/ssh.service",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "ssh.service"}},
	{"/system.slice/k3s.service/nested/more",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "k3s.service"}},
	{"/system.slice/snap.microk8s.daemon-containerd.service",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "",
	  "snap.microk8s.daemon-containerd.service"}},
	{"/system.slice/system-getty.slice/getty@tty1.service",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "getty@tty1.service"}},
	{"/system.slice/dev-disk-by\\x2dlabel-x.swap",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "dev-disk-by\\x2dlabel-x.swap"}},
	{"/user.slice/user-1000.slice/session-3.scope",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "session-3.scope"}},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "user@1000.service"}},
	{"/user.slice/user-1000.slice",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "user-1000.slice"}},
	{"/system.slice", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "system.slice"}},
	{"/init.scope", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "init.scope"}},
	{"/foo/bar", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "foo/bar"}},
	{"/", {CGROUP_ROOT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "root"}},

	/* Odd and hostile. */
	{"///", {CGROUP_ROOT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "root"}},
	{"/./.", {CGROUP_ROOT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "root"}},
	{"//kubepods//./pod" UID "///" ID "//",
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_GUARANTEED, UID, ID, ""}},
	{"/...", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "..."}},
	{"/a b\"{}\n\x01\x7f\xff\xc3\xa4",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "a_b_________"}},
	{"/docker/" ID "0", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker/" SHORT}},
	{"/system.slice/docker-" HASH ".scope",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker-0a1b2c3d4e5f.scope"}},
	{"/system.slice/docker" ID ".scope",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker" SHORT ".scope"}},
	{"/x/3F4B1C2D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6F708192A3B4C5D6E7F809",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "",
	  "x/3F4B1C2D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6F708192A3B4C5D6E7F809"}},
	{"/kubepods/pod8A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "",
	  "kubepods/pod8A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9"}},
	{"/kubepods/pod" UID "0",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods/pod" UID "0"}},
	{"/kubepods/pod", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods/pod"}},
	{"/burstable/pod" UID,
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "burstable/pod" UID}},
	{"/pod" UID, {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "pod" UID}},
	{"/kubepods-pod" UID_ ".slice.slice",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods-pod" UID_ ".slice.slice"}},
	{"/xkubepods-pod" UID_ ".slice",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "xkubepods-pod" UID_ ".slice"}},
	{"/:docker:", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", ":docker:"}},
	{"/docker:" ID, {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker:" SHORT}},
	{"/.slice", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", ".slice"}},
};

/* A uid and an id for the second of two that are to be told apart. */
#define UID2	   "00000000-1111-2222-3333-444444444444"
#define SHORT2	   "aaaaaaaabbbb"
#define ROOTLESS   "/user.slice/user-1000.slice/user@1000.service/user.slice"
#define LIBPOD_POD "libpod_pod_" ID2 ".slice"

/* The names of a container outside Kubernetes, of a unit, and of a pod's container. */
#define PLAIN(path, runtime, short)                                                                \
	{                                                                                          \
		path, "container", "", short, runtime                                              \
	}
#define UNIT(path, unit)                                                                           \
	{                                                                                          \
		path, "unit", "", "", unit                                                         \
	}
#define POD(path, uid, short)                                                                      \
	{                                                                                          \
		path, "container", uid, short, ""                                                  \
	}
#define POD_OWN(path, uid)                                                                         \
	{                                                                                          \
		path, "pod", uid, "", ""                                                           \
	}

/*
 * The layouts of docs/naming.md: for each, what it makes, and two of each that must not be one.
 * container: the first digits of the id; unit: of a plain container, its runtime.
 */
static const struct {
	const char *path, *kind, *uid, *container, *unit;
} layouts[] = {
	/* Talos: machined starts everything in these. */
	UNIT("/init", "init"),
	UNIT("/system/apid", "system/apid"),
	UNIT("/system/runtime", "system/runtime"),
	UNIT("/system/udevd", "system/udevd"),
	UNIT("/system/extensions/hello", "system/extensions/hello"),
	UNIT("/system/extensions", "system/extensions"),
	UNIT("/podruntime/kubelet", "podruntime/kubelet"),
	UNIT("/podruntime/etcd", "podruntime/etcd"),
	UNIT("/podruntime/runtime", "podruntime/runtime"),
	POD("/kubepods/besteffort/pod" UID "/" ID, UID, SHORT),
	POD("/kubepods/besteffort/pod" UID2 "/" ID2, UID2, SHORT2),

	/* LXC, LXD, Incus. */
	UNIT("/lxc.payload.web", "lxc.payload.web"),
	UNIT("/lxc.payload.web/init.scope", "lxc.payload.web"),
	UNIT("/lxc.payload.web/system.slice/ssh.service", "lxc.payload.web"),
	UNIT("/lxc.payload.web/openrc.sshd", "lxc.payload.web"),
	UNIT("/lxc.payload.db-1/system.slice/ssh.service", "lxc.payload.db-1"),
	UNIT("/lxc.monitor.web", "lxc.monitor.web"),
	UNIT("/lxc.monitor.db", "lxc.monitor.db"),
	UNIT("/lxc/web/lxc.payload/init.scope", "lxc/web"),
	UNIT("/lxc/web", "lxc/web"),
	UNIT("/lxc/db", "lxc/db"),
	POD("/lxc.payload.node1/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID
	    ".scope",
	    UID, SHORT),

	/* Proxmox VE: containers, their monitors, docker in one, virtual machines. */
	UNIT("/lxc/101/ns/system.slice/a.service", "lxc/101"),
	UNIT("/lxc/102/ns/system.slice/a.service", "lxc/102"),
	UNIT("/lxc/101/ns/init.scope", "lxc/101"),
	UNIT("/lxc/101", "lxc/101"),
	UNIT("/lxc.monitor/101", "lxc.monitor/101"),
	UNIT("/lxc.monitor/102", "lxc.monitor/102"),
	PLAIN("/lxc/101/ns/docker/" ID, "docker", SHORT),
	PLAIN("/lxc/101/ns/system.slice/docker-" ID2 ".scope", "docker", SHORT2),
	UNIT("/qemu.slice/100.scope", "100.scope"),
	UNIT("/qemu.slice/104.scope", "104.scope"),

	/* systemd-nspawn, by hand and as a service, and libvirt. */
	UNIT("/machine.slice/machine-web.scope/payload/init.scope", "machine-web.scope"),
	UNIT("/machine.slice/machine-web.scope/supervisor", "machine-web.scope"),
	UNIT("/machine.slice/machine-my\\x2ddb.scope/payload", "machine-my\\x2ddb.scope"),
	UNIT("/machine.slice/systemd-nspawn@web.service/payload/system.slice/a.service",
	     "systemd-nspawn@web.service"),
	UNIT("/machine.slice/systemd-nspawn@db.service/supervisor", "systemd-nspawn@db.service"),
	UNIT("/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator",
	     "machine-qemu\\x2d1\\x2dvm.scope"),
	UNIT("/machine/qemu-1-vm.libvirt-qemu/emulator", "machine/qemu-1-vm.libvirt-qemu"),

	/* docker, both drivers, rootless, with a parent of its own; its builder. */
	PLAIN("/docker/" ID, "docker", SHORT),
	PLAIN("/system.slice/docker-" ID2 ".scope", "docker", SHORT2),
	PLAIN(ROOTLESS "/docker-" ID ".scope", "docker", SHORT),
	PLAIN("/mine/" ID, "container", SHORT),
	UNIT("/docker", "docker"),
	UNIT("/docker/buildkit", "docker/buildkit"),
	UNIT("/docker/buildkit/abcdefghijklmnopqrstuvwxy",
	     "docker/buildkit/abcdefghijklmnopqrstuvwxy"),
	UNIT("/docker/buildkit/bbcdefghijklmnopqrstuvwxy/x",
	     "docker/buildkit/bbcdefghijklmnopqrstuvwxy"),
	UNIT("/mine/buildkit/abcdefghijklmnopqrstuvwxy", "mine/buildkit/abcdefghijklmnopqrstuvwxy"),
	UNIT("/buildkit/abcdefghijklmnopqrstuvwxy", "buildkit/abcdefghijklmnopqrstuvwxy"),
	UNIT("/system.slice/docker-abcdefghijklmnopqrstuvwxy.scope",
	     "docker-abcdefghijklmnopqrstuvwxy.scope"),
	PLAIN("/docker/" ID "/buildkit/abcdefghijklmnopqrstuvwxy", "docker", SHORT),

	/* cri-dockerd, and minikube's nodes, which are containers of docker's. */
	POD("/kubepods/burstable/pod" UID "/" ID, UID, SHORT),
	POD(SD_BURSTABLE "/docker-" ID ".scope", UID, SHORT),
	POD("/docker/" ID2 "/kubepods/burstable/pod" UID "/" ID, UID, SHORT),
	POD("/docker/" ID2 SD_BESTEFFORT "/docker-" ID ".scope", UID, SHORT),
	POD("/system.slice/docker-" ID2 ".scope" SD_GUARANTEED "/cri-containerd-" ID ".scope", UID,
	    SHORT),
	PLAIN("/docker/" ID "/system.slice/containerd.service", "docker", SHORT),
	PLAIN("/system.slice/docker-" ID ".scope/system.slice/kubelet.service", "docker", SHORT),

	/* kind, by docker and by podman; k3d. */
	POD("/docker/" ID2 "/kubelet/kubepods/burstable/pod" UID "/" ID, UID, SHORT),
	POD("/docker/" ID2 KIND_POD "/cri-containerd-" ID ".scope", UID, SHORT),
	POD(ROOTLESS "/libpod-" ID2 ".scope/container" KIND_POD "/cri-containerd-" ID ".scope", UID,
	    SHORT),
	PLAIN("/docker/" ID "/kubelet.slice/kubelet.service", "docker", SHORT),
	POD("/docker/" ID2 "/kubepods/pod" UID "/" ID, UID, SHORT),
	PLAIN("/docker/" ID "/init", "docker", SHORT),
	UNIT("/kubelet/kubepods/burstable", "kubelet/kubepods/burstable"),
	UNIT("/kubelet/kubepods", "kubelet/kubepods"),
	UNIT("/kubelet", "kubelet"),

	/* podman, manager systemd: without a pod, in a pod, rootless, in a service (quadlets). */
	PLAIN("/machine.slice/libpod-" ID ".scope", "podman", SHORT),
	PLAIN("/machine.slice/libpod-" ID ".scope/container", "podman", SHORT),
	PLAIN("/machine.slice/machine-" LIBPOD_POD "/libpod-" ID ".scope", "podman", SHORT),
	PLAIN("/machine.slice/machine-" LIBPOD_POD "/libpod-" ID ".scope/container", "podman",
	      SHORT),
	UNIT("/machine.slice/machine-" LIBPOD_POD, "machine-libpod_pod_" SHORT2 ".slice"),
	UNIT("/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" SHORT ".scope"),
	PLAIN(ROOTLESS "/libpod-" ID ".scope", "podman", SHORT),
	PLAIN(ROOTLESS "/user-" LIBPOD_POD "/libpod-" ID ".scope", "podman", SHORT),
	PLAIN("/system.slice/web.service/libpod-payload-" ID, "podman", SHORT),
	UNIT("/system.slice/web.service/supervisor", "web.service"),

	/* podman, manager cgroupfs: without a pod, in a pod. A pod is not a container. */
	PLAIN("/libpod_parent/libpod-" ID, "podman", SHORT),
	PLAIN("/libpod_parent/libpod-" ID "/container", "podman", SHORT),
	UNIT("/libpod_parent/conmon", "libpod_parent/conmon"),
	PLAIN("/libpod_parent/" ID2 "/libpod-" ID, "podman", SHORT),
	PLAIN("/libpod_parent/" ID "/libpod-" ID2, "podman", SHORT2),
	UNIT("/libpod_parent/" ID2 "/conmon", "libpod_parent/" SHORT2),
	UNIT("/libpod_parent/" ID2, "libpod_parent/" SHORT2),
	PLAIN("/docker/" ID "/libpod_parent/" ID2, "docker", SHORT),
	POD("/kubepods/pod" UID "/" ID "/libpod_parent/" ID2 "/libpod-" ID2, UID, SHORT),

	/* containerd without Kubernetes: nerdctl; and ctr, whose names can be anything. */
	PLAIN("/default/" ID, "container", SHORT),
	PLAIN("/system.slice/nerdctl-" ID ".scope", "containerd", SHORT),
	UNIT("/default/redis", "default/redis"),
	UNIT("/default/web", "default/web"),
	UNIT("/system.slice/containerd.service", "containerd.service"),

	/* CRI-O. */
	POD(SD_GUARANTEED "/crio-" ID ".scope", UID, SHORT),
	POD(SD_BURSTABLE "/crio-" ID ".scope/container", UID, SHORT),
	POD("/kubepods/besteffort/pod" UID "/crio-" ID, UID, SHORT),
	POD_OWN(SD_BURSTABLE "/crio-conmon-" ID ".scope", UID),
	POD_OWN("/kubepods/pod" UID "/crio-conmon-" ID, UID),
	UNIT("/system.slice/crio.service", "crio.service"),
	UNIT("/system.slice/crio-conmon-" ID ".scope", "crio-conmon-" SHORT ".scope"),

	/* k3s and k0s, with systemd and without, and MicroK8s. */
	UNIT("/system.slice/k3s.service", "k3s.service"),
	UNIT("/openrc.k3s", "openrc.k3s"),
	UNIT("/openrc.sshd", "openrc.sshd"),
	UNIT("/system.slice/k0scontroller.service", "k0scontroller.service"),
	UNIT("/system.slice/snap.microk8s.daemon-kubelite.service",
	     "snap.microk8s.daemon-kubelite.service"),
	UNIT("/system.slice/snap.microk8s.daemon-k8s-dqlite.service",
	     "snap.microk8s.daemon-k8s-dqlite.service"),
	POD("/system.slice/snap.microk8s.daemon-containerd.service/kubepods-burstable-pod" UID_
	    ".slice:cri-containerd:" ID,
	    UID, SHORT),

	/* A kubelet with --cgroup-root, both drivers; static pods. */
	POD("/mine/kubepods/burstable/pod" UID "/" ID, UID, SHORT),
	POD("/mine.slice/mine-kubepods.slice/mine-kubepods-pod" UID_ ".slice/cri-containerd-" ID
	    ".scope",
	    UID, SHORT),
	POD("/kubepods/burstable/pod" HASH "/" ID, HASH, SHORT),
	POD("/kubepods.slice/kubepods-pod" HASH ".slice/crio-" ID ".scope", HASH, SHORT),
	UNIT("/kubepods/burstable", "kubepods/burstable"),

	/* Garden: of a container that uses much CPU, both places are one unit. */
	UNIT("/garden/0b1c2d3e-0000-4000-6000-1111", "garden/0b1c2d3e-0000-4000-6000-1111"),
	UNIT("/garden/0b1c2d3e-0000-4000-6000-2222/init", "garden/0b1c2d3e-0000-4000-6000-2222"),
	UNIT("/garden/good/0b1c2d3e-0000-4000-6000-1111", "garden/0b1c2d3e-0000-4000-6000-1111"),
	UNIT("/garden/bad/0b1c2d3e-0000-4000-6000-1111", "garden/0b1c2d3e-0000-4000-6000-1111"),
	UNIT("/garden/good", "garden/good"),

	/* Unknown layouts: a group, and a machine with systemd. */
	UNIT("/batch/job-1/step-0", "batch/job-1"),
	UNIT("/batch/job-2/step-0", "batch/job-2"),
	UNIT("/guest/init.scope", "guest"),
	UNIT("/guest/system.slice/a.service", "guest"),
	UNIT("/guest/dev-hugepages.mount", "guest"),
	UNIT("/a.slice/group/one", "group/one"),

	/* Names that bramble gives itself: a cgroup must not be taken for these. */
	UNIT("/other", "/other"),
	UNIT("/other/one", "other/one"),
	UNIT("/idle", "/idle"),
	UNIT("/kernel", "/kernel"),
	UNIT("/root/", "/root"),
	UNIT("/unknown", "/unknown"),
	UNIT("/overflow/init.scope", "/overflow"),
	UNIT("/system.slice/slurmstepd.scope/job_1/step_0", "slurmstepd.scope"),
	UNIT("/nomad.slice/share.slice/0b1c2d3e-0000-4000-6000-1111.web.scope",
	     "0b1c2d3e-0000-4000-6000-1111.web.scope"),
};

/* "docker-3f4b1c2d5e6f" for a container outside of Kubernetes. */
static void assert_layout(size_t i)
{
	struct cgroup_name got;
	char unit[CGROUP_UNIT_SIZE];
	bool plain = layouts[i].container[0] && !layouts[i].uid[0];

	print_message("%s\n", layouts[i].path);
	assert_int_equal(cgroup_path_parse(layouts[i].path, &got), 0);
	assert_string_equal(cgroup_kind_name(got.kind), layouts[i].kind);
	assert_string_equal(got.pod_uid, layouts[i].uid);
	snprintf(unit, sizeof(unit), "%s%s%s", layouts[i].unit, plain ? "-" : "",
		 plain ? layouts[i].container : "");
	assert_string_equal(got.unit, unit);
	if (got.container_id[CONTAINER_ID_SHORT])
		got.container_id[CONTAINER_ID_SHORT] = '\0';
	assert_string_equal(got.container_id, layouts[i].container);
}

static void every_layout_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		assert_layout(i);
}

/* Cgroups whose files only count others. */
static void groups_are_known(void **state)
{
	static const char *const yes[] = {
		"system.slice",
		"kubepods",
		"kubepods/burstable",
		"kubelet/kubepods/besteffort",
		"docker",
		"lxc",
		"lxc.monitor",
		"libpod_parent",
		"podruntime",
		"system",
		"garden",
		"garden/good",
		"mine/buildkit",
		"docker/buildkit",
	};
	static const char *const no[] = {
		"",
		"kernel",
		"ssh.service",
		"lxc/101",
		"lxc.monitor/101",
		"podruntime/etcd",
		"garden/x",
		"docker/buildkit/a",
		"batch",
		"buildkit/a",
		"lxc.payload.web",
		"init",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(yes); i++)
		if (!unit_is_group(yes[i]))
			fail_msg("%s is a group", yes[i]);
	for (size_t i = 0; i < ARRAY_SIZE(no); i++)
		if (unit_is_group(no[i]))
			fail_msg("%s is no group", no[i]);
}

static void assert_name(const char *path, const struct shape_name *want)
{
	struct cgroup_name got;

	memset(&got, 0xff, sizeof(got));
	print_message("%s\n", path);
	assert_int_equal(cgroup_path_parse(path, &got), 0);
	assert_string_equal(cgroup_kind_name(got.kind), cgroup_kind_name(want->kind));
	assert_string_equal(cgroup_runtime_name(got.runtime), cgroup_runtime_name(want->runtime));
	assert_string_equal(cgroup_qos_name(got.qos), cgroup_qos_name(want->qos));
	assert_string_equal(got.pod_uid, want->pod_uid);
	assert_string_equal(got.container_id, want->container_id);
	assert_string_equal(got.unit, want->unit);
}

static void every_shape_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
		assert_name(shapes[i].path, &shapes[i].name);
}

/* The path up to each place; "-" where there is none. */
static const struct {
	const char *path, *root, *above, *pod, *container;
} places[] = {
	{"/kubepods/burstable/pod" UID "/" ID "/x", "", "/kubepods/burstable",
	 "/kubepods/burstable/pod" UID, "/kubepods/burstable/pod" UID "/" ID},
	{"/kubepods/pod" UID "/crio-" ID, "", "/kubepods", "/kubepods/pod" UID,
	 "/kubepods/pod" UID "/crio-" ID},
	{"/mine/kubepods/besteffort/pod" UID "/x", "/mine", "/mine/kubepods/besteffort",
	 "/mine/kubepods/besteffort/pod" UID, "-"},
	{SD_GUARANTEED "/crio-" ID ".scope/container", "", "/kubepods.slice", SD_GUARANTEED,
	 SD_GUARANTEED "/crio-" ID ".scope"},
	{KIND_POD "/cri-containerd-" ID ".scope", "/kubelet.slice",
	 "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice", KIND_POD,
	 KIND_POD "/cri-containerd-" ID ".scope"},
	{"/docker/" ID2 KIND_POD, "/docker/" ID2 "/kubelet.slice",
	 "/docker/" ID2 "/kubelet.slice/kubelet-kubepods.slice/kubelet-kubepods-burstable.slice",
	 "/docker/" ID2 KIND_POD, "-"},
	{"/system.slice/containerd.service/kubepods-besteffort-pod" UID_
	 ".slice:cri-containerd:" ID,
	 "/system.slice/containerd.service", "/system.slice/containerd.service", "-",
	 "/system.slice/containerd.service/kubepods-besteffort-pod" UID_
	 ".slice:cri-containerd:" ID},
	/* A slice that is not where systemd would put it. */
	{"/a.slice/kubepods-pod" UID_ ".slice", "/a.slice", "/a.slice",
	 "/a.slice/kubepods-pod" UID_ ".slice", "-"},
	{"/docker/" ID "/x", "-", "/docker", "-", "/docker/" ID},
	{"/system.slice/ssh.service", "-", "-", "-", "-"},
};

static void assert_place(const char *path, uint16_t len, const char *want)
{
	if (strcmp(want, "-") == 0)
		want = "";
	assert_int_equal(len, strlen(want));
	assert_memory_equal(path, want, len);
}

static void places_are_found(void **state)
{
	struct cgroup_name got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		print_message("%s\n", places[i].path);
		assert_int_equal(cgroup_path_parse(places[i].path, &got), 0);
		assert_place(places[i].path, got.place.root, places[i].root);
		assert_place(places[i].path, got.place.above, places[i].above);
		assert_place(places[i].path, got.place.pod, places[i].pod);
		assert_place(places[i].path, got.place.container, places[i].container);
	}
}

static void assert_refused(const char *path, int err)
{
	static const struct cgroup_name nothing;
	struct cgroup_name name;

	memset(&name, 0xff, sizeof(name));
	assert_int_equal(cgroup_path_parse(path, &name), err);
	assert_memory_equal(&name, &nothing, sizeof(name));
}

static void no_path_is_refused(void **state)
{
	(void)state;
	assert_refused("", -EINVAL);
	assert_refused("kubepods/pod" UID, -EINVAL);
	assert_refused("0::/system.slice", -EINVAL);
	assert_refused("/..", -EINVAL);
	assert_refused("/../kubepods/pod" UID, -EINVAL);
	assert_refused("/kubepods/pod" UID "/..", -EINVAL);
}

static void length_is_bounded(void **state)
{
	char *path = malloc(CGROUP_PATH_LIMIT + 1);
	struct cgroup_name name;

	(void)state;
	assert_non_null(path);
	memset(path, 'z', CGROUP_PATH_LIMIT);
	path[0] = '/';
	path[CGROUP_PATH_LIMIT] = '\0';
	assert_refused(path, -ENAMETOOLONG);

	path[CGROUP_PATH_LIMIT - 1] = '\0';
	assert_int_equal(cgroup_path_parse(path, &name), 0);
	assert_int_equal(strlen(name.unit), CGROUP_UNIT_SIZE - 1);
	free(path);
}

/* The cut must not let an id's digits through, wherever it falls. */
static void unit_is_cut_anywhere(void **state)
{
	char path[256];
	struct cgroup_name name;

	(void)state;
	for (size_t len = 1; len < 120; len++) {
		path[0] = '/';
		memset(path + 1, 'z', len);
		memcpy(path + 1 + len, ID, sizeof(ID));
		assert_int_equal(cgroup_path_parse(path, &name), 0);
		assert_int_equal(strlen(name.unit), len + CONTAINER_ID_SHORT < CGROUP_UNIT_SIZE
							    ? len + CONTAINER_ID_SHORT
							    : CGROUP_UNIT_SIZE - 1);
	}
}

/* A member's name that finds no place is left out, with its slash. */
static void group_is_cut_anywhere(void **state)
{
	char path[256];
	struct cgroup_name name;

	(void)state;
	for (size_t len = 1; len < 120; len++) {
		path[0] = '/';
		memset(path + 1, 'z', len);
		memcpy(path + 1 + len, "/member", sizeof("/member"));
		assert_int_equal(cgroup_path_parse(path, &name), 0);
		assert_true(name.unit[strlen(name.unit) - 1] != '/');
		assert_true(len + 2 > CGROUP_UNIT_SIZE - 1 || strchr(name.unit, '/'));
	}
}

static void uids_are_told(void **state)
{
	char uid[POD_UID_SIZE] = "kept";

	(void)state;
	assert_false(pod_uid_read((struct slice){UID, strlen(UID) - 1}, uid));
	assert_false(pod_uid_read(slice_of("8a1b2c3d.4e5f.6071.8293.a4b5c6d7e8f9"), uid));
	assert_false(pod_uid_read(slice_of("8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8fg"), uid));
	assert_false(pod_uid_read(slice_of(""), uid));
	assert_string_equal(uid, "kept");
	assert_true(pod_uid_read((struct slice){UID_ "trailing", 36}, uid));
	assert_string_equal(uid, UID);
	assert_true(pod_uid_read(slice_of(HASH), uid));
	assert_string_equal(uid, HASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_is_read),	 cmocka_unit_test(no_path_is_refused),
		cmocka_unit_test(length_is_bounded),	 cmocka_unit_test(unit_is_cut_anywhere),
		cmocka_unit_test(group_is_cut_anywhere), cmocka_unit_test(uids_are_told),
		cmocka_unit_test(every_layout_is_read),	 cmocka_unit_test(groups_are_known),
		cmocka_unit_test(places_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
