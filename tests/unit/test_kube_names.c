/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Names from the kubelet, from the log directories, and from both. */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kube/names.h"
#include "kube/plain.h"
#include "util/clock.h"
#include "util/log.h"

#include "kubelet_server.h"
#include "tree.h"

#define MS	   UINT64_C(1000000)

/* A pod that the kubelet lists (deployment.json) and one that it does not. */
#define UID	   "10000000-0000-4000-8000-000000000001"
#define LOGS_UID   "30000000-0000-4000-8000-000000000001"
#define ID(end)	   "000000000000000000000000000000000000000000000000000000000000" end
#define UNKNOWN_ID ID("ffff")

static struct kube_names *names;
static char log_dir[128];

static int setup(void **state)
{
	(void)state;
	log_setup(LOG_ERROR, LOG_LOGFMT);
	if (tree_make())
		return -1;
	server_prepare();
	server_put_document("deployment");
	server_put_document("static");
	in_tree("logs", log_dir);
	server_start();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	kube_names_close(names);
	names = NULL;
	server_stop();
	return tree_remove("");
}

static void open_names_with(enum kube_source source, const struct kubelet_times *when)
{
	struct kube_options options = {
		.source = source,
		.kubelet = server_options(),
		.log_dir = log_dir,
		.keep_ns = NS_PER_S,
	};

	options.kubelet.times = when;
	assert_int_equal(kube_names_open(&options, &names), 0);
}

static void open_names(enum kube_source source)
{
	open_names_with(source, server_options().times);
}

/* Waits for one more good answer. */
static void run(void)
{
	const struct kubelet_status *status = kube_names_kubelet(names);
	uint64_t before_ns = status->last_success_ns;
	struct pollfd fd = {.fd = kube_names_fd(names), .events = POLLIN};

	for (int i = 0; i < PATIENCE_MS / 10 && status->last_success_ns == before_ns; i++) {
		poll(&fd, 1, 10);
		kube_names_run(names);
	}
	assert_true(status->last_success_ns > before_ns);
}

static void make_log(const char *pod, const char *uid, const char *container)
{
	char path[160];

	(void)snprintf(path, sizeof(path), "logs/%s_%s/%s/0.log", pod, uid, container);
	tree_put(path, "");
}

static void assert_found(const struct kube_cgroup *cgroup, int err, const char *namespace,
			 const char *pod, const char *container)
{
	struct kube_name name;

	assert_int_equal(kube_names_find_container(names, cgroup, &name), err);
	assert_string_equal(name.namespace, namespace);
	assert_string_equal(name.pod, pod);
	assert_string_equal(name.container, container);
}

/* Made so many seconds ago, by both clocks; the wall clock was not set since. */
static void made(struct kube_cgroup *cgroup, int seconds_ago)
{
	cgroup->born_ns = (int64_t)clock_boottime_ns() - seconds_ago * (int64_t)NS_PER_S;
	cgroup->born_wall_ns = (int64_t)clock_realtime_ns() - seconds_ago * (int64_t)NS_PER_S;
}

static void by_the_kubelet_alone(void **state)
{
	struct kube_cgroup web = {.pod_uid = UID, .container_id = ID("0101")};
	struct kube_cgroup etcd = {.pod_uid = "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
				   .container_id = ID("0401")};
	struct kube_name name;

	(void)state;
	made(&web, 3600);
	open_names(KUBE_KUBELET);
	assert_true(kube_names_known(names));
	assert_found(&web, -ENOENT, "", "", "");
	run();
	assert_found(&web, 0, "shop", "web-7d4b9c6f5-x2x8k", "web");
	assert_found(&etcd, 0, "kube-system", "etcd-pi-1", "etcd");
	web.container_id = UNKNOWN_ID;
	assert_found(&web, -EAGAIN, "shop", "web-7d4b9c6f5-x2x8k", "");
	assert_int_equal(kube_names_find_pod(names, UID, 0, &name), 0);
	assert_string_equal(name.pod, "web-7d4b9c6f5-x2x8k");
	assert_int_equal(kube_names_find_pod(names, LOGS_UID, 0, &name), -ENOENT);
	assert_string_equal(kube_names_pod(names, UID)->node, "pi-1");
}

static void both_merge_pod_by_pod(void **state)
{
	struct kube_cgroup web = {.pod_uid = UID, .container_id = ID("0102")};
	struct kube_cgroup other = {.pod_uid = LOGS_UID, .container_id = ID("0001")};
	struct kube_name name;

	(void)state;
	made(&web, 3600);
	make_log("shop_other-0", LOGS_UID, "main");
	open_names(KUBE_AUTO);
	run();
	made(&other, 0);
	assert_found(&web, 0, "shop", "web-7d4b9c6f5-x2x8k", "metrics");
	assert_found(&other, 0, "shop", "other-0", "main");
	assert_int_equal(kube_names_find_pod(names, LOGS_UID, 0, &name), 0);
	assert_string_equal(name.pod, "other-0");
	assert_null(kube_names_pod(names, LOGS_UID));
}

/* The kubelet lists a container's id seconds after its start; its log is there at once. */
static void a_container_is_named_at_birth_by_its_log(void **state)
{
	struct kube_cgroup debugger = {.pod_uid = UID, .container_id = UNKNOWN_ID};

	(void)state;
	open_names(KUBE_AUTO);
	run();
	make_log("shop_web-7d4b9c6f5-x2x8k", UID, "debugger-1");
	made(&debugger, 0);
	assert_found(&debugger, 0, "shop", "web-7d4b9c6f5-x2x8k", "debugger-1");
}

/* For an old container the time alone is only a guess. The kubelet is asked first. */
static void an_old_container_waits_for_the_kubelet(void **state)
{
	struct kube_cgroup web = {.pod_uid = UID, .container_id = ID("0101")};

	(void)state;
	make_log("shop_web-7d4b9c6f5-x2x8k", UID, "only-one");
	made(&web, 0); /* its log is the only one near */
	open_names(KUBE_AUTO);
	web.born_ns -= 20 * (int64_t)NS_PER_S;
	web.born_wall_ns -= 20 * (int64_t)NS_PER_S;
	assert_found(&web, -EAGAIN, "shop", "web-7d4b9c6f5-x2x8k", "");
	run();
	assert_found(&web, 0, "shop", "web-7d4b9c6f5-x2x8k", "web");
}

static void the_sandbox_is_what_is_oldest_and_not_listed(void **state)
{
	struct kube_cgroup sandbox = {.pod_uid = UID, .container_id = UNKNOWN_ID, .oldest = true};

	(void)state;
	made(&sandbox, 60);
	open_names(KUBE_KUBELET);
	run();
	assert_found(&sandbox, 0, "shop", "web-7d4b9c6f5-x2x8k", KUBE_SANDBOX);
	sandbox.oldest = false;
	assert_found(&sandbox, -EAGAIN, "shop", "web-7d4b9c6f5-x2x8k", "");
	/* Too young to tell: the kubelet may list it in a second. */
	sandbox.oldest = true;
	made(&sandbox, 0);
	assert_found(&sandbox, -EAGAIN, "shop", "web-7d4b9c6f5-x2x8k", "");
}

/*
 * On a board without a clock of its own a pod starts in 1970, and a second later it is another
 * year. That makes nothing old.
 */
static void the_clock_is_set_while_a_pod_starts(void **state)
{
	struct kube_cgroup web = {.pod_uid = UID, .container_id = UNKNOWN_ID, .oldest = true};
	struct kube_cgroup other = {.pod_uid = LOGS_UID, .container_id = ID("0001")};

	(void)state;
	make_log("shop_other-0", LOGS_UID, "main");
	open_names(KUBE_AUTO);
	run();
	made(&web, 1);
	web.born_wall_ns = 300 * (int64_t)NS_PER_S;
	assert_found(&web, -EAGAIN, "shop", "web-7d4b9c6f5-x2x8k", "");
	/* Its log has the time of the clock as it was set then. */
	made(&other, 0);
	other.born_ns += 3600 * (int64_t)NS_PER_S;
	assert_found(&other, 0, "shop", "other-0", "main");
}

static void when_the_kubelet_fails_the_logs_tell(void **state)
{
	struct kube_cgroup other = {.pod_uid = LOGS_UID, .container_id = ID("0001")};

	(void)state;
	server_mode("status 403");
	make_log("shop_other-0", LOGS_UID, "main");
	open_names(KUBE_AUTO);
	for (int i = 0; i < PATIENCE_MS / 10 && !kube_names_kubelet(names)->requests; i++) {
		struct pollfd fd = {.fd = kube_names_fd(names), .events = POLLIN};

		poll(&fd, 1, 10);
		kube_names_run(names);
	}
	made(&other, 0);
	assert_found(&other, 0, "shop", "other-0", "main");
}

static void one_source_or_none(void **state)
{
	struct kube_cgroup other = {.pod_uid = LOGS_UID, .container_id = ID("0001")};

	(void)state;
	make_log("shop_other-0", LOGS_UID, "main");
	made(&other, 0);
	open_names(KUBE_LOGS);
	assert_int_equal(kube_names_fd(names), -1);
	assert_null(kube_names_kubelet(names));
	assert_false(kube_names_run(names));
	assert_found(&other, 0, "shop", "other-0", "main");
	kube_names_close(names);
	open_names(KUBE_NONE);
	assert_false(kube_names_known(names));
	assert_found(&other, -ENOENT, "", "", "");
	kube_names_close(names);
	/* auto without a token is logs. */
	in_tree("no-token", token_path);
	open_names(KUBE_AUTO);
	assert_null(kube_names_kubelet(names));
	assert_found(&other, 0, "shop", "other-0", "main");
}

/* A pod that no list will ever have must not make the kubelet be asked again and again. */
static void what_is_never_listed_is_not_asked_for_for_ever(void **state)
{
	struct kube_cgroup lost = {.pod_uid = LOGS_UID, .container_id = ID("0001")};
	const struct kubelet_status *status;
	struct kubelet_times slow = *server_options().times;
	struct kube_name name;
	uint64_t before;

	(void)state;
	made(&lost, 3600);
	slow.interval_ns = 3600 * NS_PER_S;
	open_names_with(KUBE_KUBELET, &slow);
	status = kube_names_kubelet(names);
	run();
	before = status->requests;
	for (int i = 0; i < 50; i++) {
		usleep(5000);
		assert_found(&lost, -ENOENT, "", "", "");
		kube_names_find_pod(names, LOGS_UID, lost.born_ns, &name);
		kube_names_run(names);
	}
	assert_int_equal(status->requests, before);
	/* While it is young it is. */
	made(&lost, 0);
	assert_found(&lost, -ENOENT, "", "", "");
	run();
	assert_int_equal(status->requests, before + 1);
}

/* Outside of Kubernetes. */

#define DOCKER_DIR "var/lib/docker/containers/"

static void assert_plain(enum cgroup_runtime runtime, const char *id, int err, const char *want)
{
	char name[PLAIN_NAME_SIZE] = "";

	assert_int_equal(plain_find(tree_root, runtime, id, name), err);
	assert_string_equal(name, want);
}

static int setup_tree(void **state)
{
	(void)state;
	return tree_make();
}

static int teardown_tree(void **state)
{
	(void)state;
	return tree_remove("");
}

static void docker_containers(void **state)
{
	(void)state;
	tree_put(DOCKER_DIR ID("0001") "/config.v2.json",
		 "{\"ID\":\"" ID("0001") "\",\"Name\":\"/home_assistant\",\"State\":{}}");
	tree_put(DOCKER_DIR ID("0002") "/config.v2.json", "{\"ID\":\"" ID("0002"));
	tree_put(DOCKER_DIR ID("0003") "/config.v2.json",
		 "{\"ID\":\"" ID("0003") "\",\"Name\":\"/a\\nb\"}");
	tree_put(DOCKER_DIR ID("0004") "/config.v2.json",
		 "{\"ID\":\"" ID("0001") "\",\"Name\":\"/liar\"}");
	tree_put(DOCKER_DIR ID("0005") "/config.v2.json", "{\"ID\":null,\"Name\":null}");
	tree_put(DOCKER_DIR ID("0006") "/config.v2.json", "");
	tree_put(DOCKER_DIR ID("0007") "/config.v2.json",
		 "{\"ID\":\"" ID("0007") "\",\"Name\":\"/other\"}");
	assert_plain(RUNTIME_DOCKER, ID("0001"), 0, "home_assistant");
	assert_plain(RUNTIME_UNKNOWN, ID("0001"), 0, "home_assistant");
	assert_plain(RUNTIME_PODMAN, ID("0001"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_DOCKER, ID("0002"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_DOCKER, ID("0003"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_DOCKER, ID("0004"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_DOCKER, ID("0005"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_DOCKER, ID("0006"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_DOCKER, ID("0007"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_DOCKER, "3f4b1c2d5e6f70" ID("0"), -ENOENT, "3f4b1c2d5e6f");
}

static void podman_containers(void **state)
{
	char path[256];

	(void)state;
	tree_put("var/lib/containers/storage/overlay-containers/containers.json",
		 "[{\"id\":\"" ID("0001") "\",\"names\":[\"pihole\"]},{\"id\":\"" ID(
			 "0002") "\",\"names\":null},null,{\"names\":[]}]");
	tree_put("run/containers/storage/overlay-containers/volatile-containers.json",
		 "[{\"id\":\"" ID("0003") "\",\"names\":[\"short\",\"alias\"]}]");
	tree_put("home/pi/.local/share/containers/storage/vfs-containers/containers.json",
		 "[{\"id\":\"" ID("0001") "\",\"names\":[\"mine-now\"]},{\"id\":\"" ID(
			 "0004") "\",\"names\":[\"rootless\"]}]");
	/* Whatever a user puts there does not block us. */
	(void)snprintf(path, sizeof(path),
		       "%s/home/pi/.local/share/containers/storage/vfs-containers/"
		       "volatile-containers.json",
		       tree_root);
	assert_int_equal(mkfifo(path, 0644), 0);
	/* Nor does it matter how much it is. */
	tree_put("home/pi/.local/share/containers/storage/vfs-containers/a-containers.json",
		 "[{\"id\":\"" ID("0002") "\",\"names\":[\"no-such-list\"]}]");
	tree_put("home/pi/.local/share/containers/storage/my-containers/containers.json",
		 "[{\"id\":\"" ID("0002") "\",\"names\":[\"no-such-driver\"]}]");
	assert_plain(RUNTIME_PODMAN, ID("0001"), 0, "pihole");
	assert_plain(RUNTIME_PODMAN, ID("0002"), -ENOENT, "000000000000");
	assert_plain(RUNTIME_PODMAN, ID("0003"), 0, "short");
	assert_plain(RUNTIME_PODMAN, ID("0004"), 0, "rootless");
}

static void long_names_are_cut(void **state)
{
	static const char want[] =
		"0123456789012345678901234567890123456789012345678901234567890123456789";
	char text[512];

	(void)state;
	(void)snprintf(text, sizeof(text), "{\"ID\":\"%s\",\"Name\":\"/%s\"}", ID("0001"), want);
	tree_put(DOCKER_DIR ID("0001") "/config.v2.json", text);
	(void)snprintf(text, sizeof(text), "%.63s", want);
	assert_plain(RUNTIME_DOCKER, ID("0001"), 0, text);
}

#define TEST(name)  cmocka_unit_test_setup_teardown(name, setup, teardown)
#define PLAIN(name) cmocka_unit_test_setup_teardown(name, setup_tree, teardown_tree)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(by_the_kubelet_alone),
		TEST(both_merge_pod_by_pod),
		TEST(a_container_is_named_at_birth_by_its_log),
		TEST(an_old_container_waits_for_the_kubelet),
		TEST(the_sandbox_is_what_is_oldest_and_not_listed),
		TEST(the_clock_is_set_while_a_pod_starts),
		TEST(when_the_kubelet_fails_the_logs_tell),
		TEST(one_source_or_none),
		TEST(what_is_never_listed_is_not_asked_for_for_ever),
		PLAIN(docker_containers),
		PLAIN(podman_containers),
		PLAIN(long_names_are_cut),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
