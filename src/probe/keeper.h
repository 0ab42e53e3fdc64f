/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A second process that loads programs later: those for the functions of a file system whose module
 * is not there yet. That takes CAP_SYS_ADMIN, which the process that serves strangers must not
 * keep. The keeper keeps it, and reads nothing from anybody: it looks at tracefs every
 * KEEPER_LOOK_MS, and sends the programs and links that it made to the first process. It ends when
 * nothing is left to be loaded and the first process has everything, and with the first process. If
 * it ends otherwise, that is logged.
 */
#ifndef BRAMBLE_PROBE_KEEPER_H
#define BRAMBLE_PROBE_KEEPER_H

struct probe;

#define KEEPER_LOOK_MS 10000

/*
 * Starts a keeper if programs may have to be loaded later; from then on this process loads none.
 * Call it after the probe is attached, while this process has one thread. Returns 0 or a negative
 * errno: then nothing has changed, and this process may still have to load them.
 */
int keeper_start(struct probe *probe);

/* Readable when keeper_take() has something to do; -1: there is no keeper. Owned by the probe. */
int keeper_fd(const struct probe *probe);

/* Takes what the keeper has attached. */
void keeper_take(struct probe *probe);

/* Ends the keeper, and what it has attached. */
void keeper_stop(struct probe *probe);

#endif
