/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Ledgers that find no memory: what is lost is counted, and nothing that was shown falls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

static bool refuse;

static void *may_realloc(void *old, size_t size)
{
	return refuse ? NULL : realloc(old, size);
}

/* This program has the ledgers in here in place of the library's. */
#define realloc(old, size) may_realloc(old, size)
#include "metrics/ledger.c" /* NOLINT(bugprone-suspicious-include) */
#undef realloc

#include "counts.h"
#include "metrics/accept_queues.h"
#include "metrics/unread.h"
#include "tree.h"
#include "util/log.h"

static struct owners owners;

static int setup(void **state)
{
	(void)state;
	refuse = false;
	owners = (struct owners){0};
	log_setup(LOG_ERROR, LOG_LOGFMT);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	refuse = false;
	owners_free(&owners);
	return 0;
}

static void count(struct owner *owner, uint64_t switches)
{
	const struct sched_cell cell = {.switches = {switches}};

	assert_int_equal(owner_add(owner, SOURCE_OF_PROBE(PROBE_SCHED), NULL, &cell, NULL), 0);
}

/* What a container beyond the limit counted stays in the sum, if there is memory for it. */
static void what_a_sum_loses(void **state)
{
	struct owner *one, *two, *sum;

	(void)state;
	owners.max_containers = 1;
	container_owner(&owners, "n", "a", "c");
	one = container_owner(&owners, "n", "b", "c");
	two = container_owner(&owners, "n", "c", "c");
	count(one, 1);
	count(two, 2);
	refuse = true;
	owners_remove(&owners, one);
	assert_int_equal(owners.lost, 1);
	assert_null(owners_sum(&owners)); /* rather than a sum that has fallen */
	refuse = false;
	owners_remove(&owners, two);
	assert_int_equal(owners.lost, 1);
	sum = owners_sum(&owners);
	assert_int_equal(switches_of(sum)[0], 2);
	owners_free_sum(sum);
}

static void what_a_rename_loses(void **state)
{
	struct owner *from = unit_owner(&owners, "a"), *to = unit_owner(&owners, "b");

	(void)state;
	count(from, 1);
	owner_add_caused(from, to, 5);
	owner_add_caused(to, from, 6);
	refuse = true;
	assert_ptr_equal(owners_rename(&owners, from, &to->labels), to);
	/* Its switches, and its waits for the other one. What that waited for it is "other"'s. */
	assert_int_equal(owners.lost, 2);
	refuse = false;
	assert_int_equal(switches_of(to)[0], 0);
	assert_int_equal(*account_number(ledger_find(&to->ledger, SOURCE_CAUSED,
						     LEDGER_LABELS(&owner_other)),
					 &families[FAMILY_CPU_WAIT_CAUSED], 0),
			 6);
}

static void what_is_driven_out_loses(void **state)
{
	struct owner *owner = unit_owner(&owners, "a");

	(void)state;
	owners.refuge = unit_owner(&owners, "overflow");
	count(owner, 1);
	refuse = true;
	owners_keep_counts(&owners, owner);
	assert_int_equal(owners.lost, 1);
	/* What was counted since it was read, and was not noted. */
	owners_mark_read(&owners, 1);
	count(owner, 1);
	assert_int_equal(owner->unread_lost, 1);
	assert_int_equal(owners.lost, 1);
	owners_keep_counts(&owners, owner);
	assert_int_equal(owners.lost, 2);
	/* If it is read in time, nothing was lost. */
	refuse = false;
	owners_mark_read(&owners, 2);
	count(owner, 3);
	owners_keep_counts(&owners, owner);
	assert_int_equal(owners.lost, 2);
	assert_int_equal(switches_of(owners.refuge)[0], 3);
}

static void what_was_waited_for_one_that_is_gone(void **state)
{
	struct owner *victim = unit_owner(&owners, "a"), *cause = unit_owner(&owners, "b");

	(void)state;
	owner_add_caused(victim, cause, 5);
	refuse = true;
	owners_remove(&owners, cause); /* its place is taken by what is gone */
	assert_int_equal(owners.lost, 0);
}

#define NETSTAT(count) "TcpExt: ListenOverflows\nTcpExt: " count "\n"

static void what_an_accept_queue_loses(void **state)
{
	const struct kube_options options = {.source = KUBE_NONE};
	struct naming naming = {.owners = &owners};
	struct accept_queues queues;
	struct members members;
	char procfs[96], cgroupfs[96];
	struct member *member;

	(void)state;
	assert_int_equal(tree_make(), 0);
	snprintf(procfs, sizeof(procfs), "%s/proc", tree_root);
	snprintf(cgroupfs, sizeof(cgroupfs), "%s/cg", tree_root);
	tree_put("proc/1/net/netstat", NETSTAT("5"));
	tree_put("cg/x.service/cgroup.procs", "20\n");
	tree_put("proc/20/net/netstat", NETSTAT("7"));
	members_open(&members, cgroupfs, procfs);
	naming.members = &members;
	assert_int_equal(kube_names_open(&options, &naming.names), 0);
	member = members_add(&members, 1, "/x.service", 0);
	naming_own(&naming, member);
	accept_queues_open(&queues, &naming, unit_owner(&owners, "kernel"), procfs, cgroupfs);
	tree_put("proc/20/net/netstat", NETSTAT("10"));
	accept_queues_update(&queues, queues.round_ns + 10 * NS_PER_S);
	refuse = true;
	accept_queues_update(&queues, queues.round_ns + 20 * NS_PER_S);
	assert_int_equal(queues.lost, 3);
	refuse = false;
	naming_forget(&naming, member);
	accept_queues_close(&queues);
	members_free(&members);
	kube_names_close(naming.names);
	assert_int_equal(tree_remove(""), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_sum_loses),		  TEST(what_a_rename_loses),
		TEST(what_is_driven_out_loses),	  TEST(what_was_waited_for_one_that_is_gone),
		TEST(what_an_accept_queue_loses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
