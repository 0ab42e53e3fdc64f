/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef BRAMBLE_ATTACH_H
#define BRAMBLE_ATTACH_H

struct bpf_program;
struct machine_place;

/*
 * Attaches a loaded program to what its section names:
 *  - raw_tp/: the tracepoint, by the kernel's own table;
 *  - tp/: the tracepoint, through the ids under tracefs, wherever that is mounted (libbpf looks
 * only in /sys/kernel);
 *  - fentry/ and fexit/: the function.
 *
 * Returns a descriptor that the caller owns: the program is attached as long as it is open. On
 * failure, returns a negative errno, and logs the reason (but not for a function, where the caller
 * does that). place: where to look for the reason.
 */
int attach_program(const struct bpf_program *program, const char *tracefs,
		   const struct machine_place *place);

/* The same, to a tracepoint that is named as in a section: "raw_tp/NAME" or "tp/CATEGORY/NAME". */
int attach_to_hook(const struct bpf_program *program, const char *hook, const char *tracefs,
		   const struct machine_place *place);

#endif
