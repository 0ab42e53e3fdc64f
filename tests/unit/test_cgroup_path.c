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

static const struct {
	const char *path;
	struct cgroup_name name;
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
	{"/kubepods/besteffort", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods"}},

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
	{"/docker/buildkit/z1", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker"}},

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
	{"/foo/bar", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "foo"}},
	{"/", {CGROUP_ROOT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kernel"}},

	/* Odd and hostile. */
	{"///", {CGROUP_ROOT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kernel"}},
	{"/./.", {CGROUP_ROOT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kernel"}},
	{"//kubepods//./pod" UID "///" ID "//",
	 {CGROUP_CONTAINER, RUNTIME_UNKNOWN, QOS_GUARANTEED, UID, ID, ""}},
	{"/...", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "..."}},
	{"/a b\"{}\n\x01\x7f\xff\xc3\xa4",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "a_b_________"}},
	{"/docker/" ID "0", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker"}},
	{"/system.slice/docker-" HASH ".scope",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker-0a1b2c3d4e5f.scope"}},
	{"/system.slice/docker" ID ".scope",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker" SHORT ".scope"}},
	{"/x/3F4B1C2D5E6F708192A3B4C5D6E7F8091A2B3C4D5E6F708192A3B4C5D6E7F809",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "x"}},
	{"/kubepods/pod8A1B2C3D-4E5F-6071-8293-A4B5C6D7E8F9",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods"}},
	{"/kubepods/pod" UID "0", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods"}},
	{"/kubepods/pod", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods"}},
	{"/burstable/pod" UID, {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "burstable"}},
	{"/pod" UID, {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "pod" UID}},
	{"/kubepods-pod" UID_ ".slice.slice",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "kubepods-pod" UID_ ".slice.slice"}},
	{"/xkubepods-pod" UID_ ".slice",
	 {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "xkubepods-pod" UID_ ".slice"}},
	{"/:docker:", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", ":docker:"}},
	{"/docker:" ID, {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", "docker:" SHORT}},
	{"/.slice", {CGROUP_UNIT, RUNTIME_UNKNOWN, QOS_NONE, "", "", ".slice"}},
};

static void assert_name(const char *path, const struct cgroup_name *want)
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
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
		assert_name(shapes[i].path, &shapes[i].name);
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

static void uids_are_told(void **state)
{
	char uid[POD_UID_SIZE] = "kept";

	(void)state;
	assert_false(pod_uid_read(UID, strlen(UID) - 1, uid));
	assert_false(pod_uid_read("8a1b2c3d.4e5f.6071.8293.a4b5c6d7e8f9", 36, uid));
	assert_false(pod_uid_read("8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8fg", 36, uid));
	assert_false(pod_uid_read("", 0, uid));
	assert_string_equal(uid, "kept");
	assert_true(pod_uid_read(UID_ "trailing", 36, uid));
	assert_string_equal(uid, UID);
	assert_true(pod_uid_read(HASH, 32, uid));
	assert_string_equal(uid, HASH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_shape_is_read), cmocka_unit_test(no_path_is_refused),
		cmocka_unit_test(length_is_bounded),   cmocka_unit_test(unit_is_cut_anywhere),
		cmocka_unit_test(uids_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
