/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * with_caps NUMBER,... COMMAND [ARGUMENT...]: runs a command with these capabilities alone, by
 * their numbers in linux/capability.h ("" for none). To be run as root.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	unsigned long long kept = 0;
	char *at;
	int cap;

	if (argc < 3) {
		fputs("usage: with_caps NUMBER,... COMMAND [ARGUMENT...]\n", stderr);
		return 2;
	}
	for (at = argv[1]; *at; at += *at == ',')
		kept |= 1ULL << strtoul(at, &at, 10);
	/* What root may have after the next execve(). */
	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (!(kept >> cap & 1) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0))
			perror("with_caps: prctl");
	execvp(argv[2], argv + 2);
	perror("with_caps: execvp");
	return 1;
}
