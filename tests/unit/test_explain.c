/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>

#include "cgroup/explain.h"
#include "tree.h"
#include "skip.h"

#define ID  "3f4b1c2d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809"
#define UID "8a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"

#define KUBELETS                                                                                   \
	",\"because\":\"kubelets have their pods below this cgroup_root, or --kube.cgroup-root "   \
	"says "                                                                                    \
	"so\"}\n"

static struct pod_roots roots;

static void assert_line(const char *path, int err, const char *want)
{
	char *line = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&line, &len);

	assert_non_null(out);
	assert_int_equal(explain_path(&roots, path, out), err);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(line, want);
	free(line);
}

static void keys_are_in_order(void **state)
{
	(void)state;
	assert_line(
		"/kubepods/burstable/pod" UID "/crio-" ID, 0,
		"{\"path\":\"/kubepods/burstable/pod" UID "/crio-" ID
		"\",\"kind\":\"container\",\"pod_uid\":\"" UID "\",\"container_id\":\"" ID
		"\",\"runtime\":\"cri-o\",\"qos\":\"burstable\",\"cgroup_root\":\"/\"" KUBELETS);
	assert_line("/docker/" ID, 0,
		    "{\"path\":\"/docker/" ID "\",\"kind\":\"container\",\"container_id\":\"" ID
		    "\",\"runtime\":\"docker\",\"unit\":\"docker-3f4b1c2d5e6f\"}\n");
}

static void unknown_is_left_out(void **state)
{
	(void)state;
	assert_line("/", 0, "{\"path\":\"/\",\"kind\":\"root\",\"unit\":\"root\"}\n");
	assert_line("/kubepods/pod" UID "/" ID, 0,
		    "{\"path\":\"/kubepods/pod" UID "/" ID
		    "\",\"kind\":\"container\",\"pod_uid\":\"" UID "\",\"container_id\":\"" ID
		    "\",\"qos\":\"guaranteed\",\"cgroup_root\":\"/\"" KUBELETS);
}

static void where_only_root_can_make_cgroups(void **state)
{
	static const char path[] = "/mine/kubepods/pod" UID "/" ID, mine[] = "mine/kubepods";
	static const char pod[] =
		",\"kind\":\"container\",\"pod_uid\":\"" UID "\",\"container_id\":\"" ID
		"\",\"qos\":\"guaranteed\",\"cgroup_root\":\"/mine\",\"because\":\"";
	static const char *const given[] = {"/mine"};
	char want[1024], mount[80];

	(void)state;
	snprintf(want, sizeof(want),
		 "{\"path\":\"%s\"%sif only root can make cgroups there, which is not known: they "
		 "are "
		 "not on this machine\"}\n",
		 path, pod);
	assert_line(path, 0, want);

	assert_int_equal(tree_make(), 0);
	tree_put("mine/kubepods/x", "");
	snprintf(mount, sizeof(mount), "%s", tree_root);
	roots.mount = mount;
	snprintf(want, sizeof(want), "{\"path\":\"%s\"%sonly root can make cgroups there\"}\n",
		 path, pod);
	assert_line(path, 0, want);

	snprintf(mount + strlen(mount), sizeof(mount) - strlen(mount), "/mine/kubepods");
	assert_int_equal(chmod(mount, 0777), 0);
	mount[strlen(tree_root)] = '\0';
	snprintf(want, sizeof(want),
		 "{\"path\":\"%s\",\"kind\":\"unit\",\"unit\":\"%s\",\"cgroup_root\":\"/mine\","
		 "\"because\":\"it looks like a pod's, but not only root can make cgroups there; "
		 "if a "
		 "kubelet makes them, say --kube.cgroup-root=<cgroup_root>\"}\n",
		 path, mine);
	assert_line(path, 0, want);

	roots.given = given;
	roots.given_count = 1;
	snprintf(want, sizeof(want), "{\"path\":\"%s\"%s%s", path, pod,
		 strstr(KUBELETS, "kubelets"));
	assert_line(path, 0, want);
	roots = (struct pod_roots){0};
	assert_int_equal(tree_remove(""), 0);
}

static void a_refusal_is_a_line_too(void **state)
{
	(void)state;
	assert_line("x", -EINVAL,
		    "{\"path\":\"x\",\"error\":\"not a path from the hierarchy's root: it must "
		    "start with / and have no .. in it\"}\n");
}

static void any_bytes_are_json(void **state)
{
	(void)state;
	assert_line("/a\"\n\xc3\xa4", 0,
		    "{\"path\":\"/a\\\"\\n\xc3\xa4\",\"kind\":\"unit\",\"unit\":\"a____\"}\n");
	assert_line(
		"/\xff\xc3(", 0,
		"{\"path\":\"/\xef\xbf\xbd\xef\xbf\xbd(\",\"kind\":\"unit\",\"unit\":\"___\"}\n");
}

static void a_full_disk_is_told(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	if (!full)
		skip_because("there is no /dev/full");
	setbuf(full, NULL);
	assert_int_equal(explain_path(&roots, "/", full), -EIO);
	(void)fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_in_order),
		cmocka_unit_test(unknown_is_left_out),
		cmocka_unit_test(a_refusal_is_a_line_too),
		cmocka_unit_test(any_bytes_are_json),
		cmocka_unit_test(a_full_disk_is_told),
		cmocka_unit_test(where_only_root_can_make_cgroups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
