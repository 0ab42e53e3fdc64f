/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which cgroup is a container's or a unit's own, and what is nested in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "cgroup/home.h"
#include "util/array.h"

#define UID  "10000000-0000-4000-8000-000000000001"
#define UID_ "10000000_0000_4000_8000_000000000001"
#define ID   "1111111111111111111111111111111111111111111111111111111111111111"
#define ID_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define POD  "/kubepods/burstable/pod" UID
#define USER "/user.slice/user-1000.slice/user@1000.service"

/* A path is its home, and what may be nested in it. above: of a member, the unit around it. */
static const struct {
	const char *home, *nested, *above;
	enum cgroup_home_kind kind;
} cases[] = {
	{"/", "", NULL, HOME_ROOT},
	{"/kubepods", "", NULL, HOME_PODS},
	{"/kubepods/burstable", "", NULL, HOME_PODS},
	{"/kubepods.slice/kubepods-besteffort.slice", "", NULL, HOME_PODS},
	{"/kubelet.slice/kubelet-kubepods.slice", "", NULL, HOME_PODS},
	{POD, "/conmon", NULL, HOME_POD},
	{POD "/" ID, "", NULL, HOME_CONTAINER},
	{POD "/" ID, "/n", NULL, HOME_CONTAINER},
	{POD "/" ID, "/n//deeper/" ID_2, NULL, HOME_CONTAINER},
	{POD "/" ID, "/kubepods/pod20000000-0000-4000-8000-000000000002/" ID_2, NULL,
	 HOME_CONTAINER},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice", "", NULL, HOME_POD},
	{"/kubepods.slice/kubepods-pod" UID_ ".slice/cri-containerd-" ID ".scope", "/init", NULL,
	 HOME_CONTAINER},
	{"/system.slice/kubepods-pod" UID_ ".slice:cri-containerd:" ID, "/a/b", NULL,
	 HOME_CONTAINER_FAR},
	{"/system.slice", "", NULL, HOME_GROUP},
	{"/docker", "", NULL, HOME_GROUP},
	{"/system.slice/ssh.service", "", NULL, HOME_UNIT},
	{"/system.slice/ssh.service", "/a/b.scope", NULL, HOME_UNIT},
	{"/docker/" ID, "/system.slice/ssh.service", NULL, HOME_UNIT},
	{"/system.slice/docker-" ID ".scope", "/n", NULL, HOME_UNIT},
	{USER, "/app.slice/browser.service", NULL, HOME_UNIT},
	{USER "/user.slice/libpod-" ID ".scope", "/container", USER, HOME_MEMBER},
	{USER "/" ID, "/n", USER, HOME_MEMBER},
	{"/lxc/101", "/ns/init.scope", NULL, HOME_UNIT},
	{"/lxc/101/docker/" ID, "/n", "/lxc/101", HOME_MEMBER},
	{"/delegated", "", NULL, HOME_UNIT},
	{"/delegated/one", "/two/three", "/delegated", HOME_MEMBER},
	{"/delegated/kubepods", "", NULL, HOME_GROUP},
	{"/delegated/kubepods/one", "/two", "/delegated", HOME_MEMBER},
	{"/delegated/buildkit/one", "", "/delegated", HOME_MEMBER},
	{"/docker/buildkit/one", "", NULL, HOME_UNIT},
	{"/a.slice/a-b.slice/c.service", "", NULL, HOME_UNIT},
	{"/garden/good/one", "", NULL, HOME_UNIT},
};

static void test_homes(void **state)
{
	char path[512], home[512];
	size_t i, above;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup_name name;
		enum cgroup_home_kind kind;

		(void)snprintf(path, sizeof(path), "%s%s", cases[i].home, cases[i].nested);
		assert_int_equal(cgroup_path_parse(path, &name), 0);
		above = 0;
		(void)snprintf(home, sizeof(home), "%.*s", (int)cgroup_home_len(path, &name), path);
		if (strcmp(home, cases[i].home) != 0)
			fail_msg("%s: the home is %s", path, home);
		kind = cgroup_home_kind(home, &name, &above);
		if (kind != cases[i].kind)
			fail_msg("%s: its home is of kind %d, not %d", path, (int)kind,
				 (int)cases[i].kind);
		if (above != (cases[i].above ? strlen(cases[i].above) : 0))
			fail_msg("%s: around it is %.*s", path, (int)above, path);
	}
}

/* A path that is not believed to be a pod's has the name of the unit around it. */
static void test_a_copy_is_nested(void **state)
{
	const struct cgroup_name name = {.kind = CGROUP_UNIT, .unit = "user@1000.service"};
	size_t above = 0;

	(void)state;
	assert_int_equal(cgroup_home_len(USER POD "/" ID, &name), strlen(USER));
	assert_int_equal(cgroup_home_kind(USER, &name, &above), HOME_UNIT);
}

/* However deep a cgroup is nested, its home is found in the uppermost levels. */
static void test_deep(void **state)
{
	char path[1024] = POD "/" ID;
	struct cgroup_name name;

	(void)state;
	while (strlen(path) + 2 < sizeof(path)) {
		strcat(path, "/n");
		assert_int_equal(cgroup_path_parse(path, &name), 0);
		assert_int_equal(cgroup_home_len(path, &name), strlen(POD "/" ID));
	}
	snprintf(path, sizeof(path), "%s", USER);
	while (strlen(path) + 2 < sizeof(path)) {
		strcat(path, "/n");
		assert_int_equal(cgroup_path_parse(path, &name), 0);
		assert_int_equal(cgroup_home_len(path, &name), strlen(USER));
	}
	/* Of a name that is not in the uppermost levels it is a home itself. */
	snprintf(name.unit, sizeof(name.unit), "other");
	name.kind = CGROUP_CONTAINER;
	assert_int_equal(cgroup_home_len(path, &name), strlen(path));
}

static void test_parents(void **state)
{
	(void)state;
	assert_int_equal(cgroup_parent_len("/", 1), 0);
	assert_int_equal(cgroup_parent_len("/a", 2), 0);
	assert_int_equal(cgroup_parent_len("/a/b", 4), 2);
	assert_int_equal(cgroup_parent_len("/a//b", 5), 2);
	assert_int_equal(cgroup_parent_len("", 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_homes),
		cmocka_unit_test(test_a_copy_is_nested),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_parents),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
