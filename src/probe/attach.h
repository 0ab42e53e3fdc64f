/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_ATTACH_H
#define BRAMBLE_ATTACH_H

struct bpf_link;
struct bpf_program;
struct machine_place;

/*
 * Attaches a loaded program to the tracepoint that its section names: raw_tp/
 * by the kernel's own table, tp/ through the ids under tracefs, wherever that
 * is mounted (libbpf looks in /sys/kernel only); or to the function, of fentry/
 * and fexit/.
 *
 * Returns the link, which the caller destroys. On failure: NULL, the reason
 * logged (that of a function is for the caller to tell), and *err a negative errno. place: where
 * the machine is looked at for the reason.
 */
struct bpf_link *attach_program(const struct bpf_program *program, const char *tracefs,
				const struct machine_place *place, int *err);

#endif
