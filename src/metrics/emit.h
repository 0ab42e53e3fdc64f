/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The functions that emit the samples of the families in families.def: see samples.h. */
#ifndef BRAMBLE_EMIT_H
#define BRAMBLE_EMIT_H

#include "metrics/samples.h"

/* emit_owners.c: all families about owners, and how many there are */
void emit_owners(struct samples *out, const struct scrape *scrape);
void emit_findings(struct samples *out, const struct scrape *scrape);
void emit_containers(struct samples *out, const struct scrape *scrape);

/* emit_node.c */
void emit_node(struct samples *out, const struct scrape *scrape);

/* emit_kube.c */
void emit_pod_info(struct samples *out, const struct scrape *scrape);
void emit_container_info(struct samples *out, const struct scrape *scrape);
void emit_kube_last_success(struct samples *out, const struct scrape *scrape);
void emit_kube_requests(struct samples *out, const struct scrape *scrape);
void emit_kube_errors(struct samples *out, const struct scrape *scrape);
void emit_kube_pods(struct samples *out, const struct scrape *scrape);

/* emit_self.c */
void emit_probe_up(struct samples *out, const struct scrape *scrape);
void emit_probe_attribution(struct samples *out, const struct scrape *scrape);
void emit_probe_events(struct samples *out, const struct scrape *scrape);
void emit_probe_lost(struct samples *out, const struct scrape *scrape);
void emit_probe_cpu(struct samples *out, const struct scrape *scrape);
void emit_sandbox(struct samples *out, const struct scrape *scrape);
void emit_capabilities(struct samples *out, const struct scrape *scrape);
void emit_slots(struct samples *out, const struct scrape *scrape);
void emit_scrape_times(struct samples *out, const struct scrape *scrape);
void emit_web_refused(struct samples *out, const struct scrape *scrape);
void emit_build_info(struct samples *out, const struct scrape *scrape);
void emit_process(struct samples *out, const struct scrape *scrape);

#endif
