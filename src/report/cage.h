/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A cgroup for the time of a measurement, so that nothing else counts in it. One thread calls all
 * of this.
 */
#ifndef BRAMBLE_REPORT_CAGE_H
#define BRAMBLE_REPORT_CAGE_H

/*
 * Runs a function in a child process, in a cgroup that is made below cgroupfs and removed again. If
 * none can be made, as in most containers, the child stays in the cgroup of this process. SIGINT,
 * SIGTERM and SIGALRM end the child. Returns what the function returned, if it is 0 or a negative
 * errno; -EINTR after a signal; or another negative errno if there could be no child.
 */
int cage_run(const char *cgroupfs, int (*run)(void *context), void *context);

#endif
