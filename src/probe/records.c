/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/records.h"

#include <errno.h>

#include "probe/descriptors.h"

/* More than there are. */
#define RECORDS_MAX 64

int probe_build_records(const char *tracefs)
{
	struct tracefs_record records[RECORDS_MAX];
	size_t i, count = 0;
	enum probe_id id;

	for (id = 0; id < PROBES; id++)
		for (i = 0; i < probe_descriptors[id]->record_count; i++) {
			if (count == RECORDS_MAX)
				return -E2BIG;
			records[count++] = probe_descriptors[id]->records[i];
		}
	return tracefs_btf_build(tracefs, records, count);
}
