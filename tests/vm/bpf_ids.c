/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: bpf_ids [pagesize]
 *
 * How many BPF programs, maps and links are in the kernel, whoever made them. In
 * a virtual machine nobody else does. Or the page size, as busybox has no getconf.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned int count(int command)
{
	union bpf_attr attr = {0};
	unsigned int n = 0;

	while (syscall(SYS_bpf, command, &attr, sizeof(attr)) == 0) {
		attr.start_id = attr.next_id;
		n++;
	}
	return n;
}

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "pagesize") == 0) {
		printf("%ld\n", sysconf(_SC_PAGESIZE));
		return 0;
	}
	printf("progs %u maps %u links %u\n", count(BPF_PROG_GET_NEXT_ID),
	       count(BPF_MAP_GET_NEXT_ID), count(BPF_LINK_GET_NEXT_ID));
	return 0;
}
