/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/descriptors.h"

#define PROBE_EXTERN(id, name, cell) extern const struct probe_descriptor probe_##name;
PROBE_LIST(PROBE_EXTERN)
#undef PROBE_EXTERN

const struct probe_descriptor *const probe_descriptors[PROBES] = {
#define PROBE_DESCRIPTOR(id, name, cell) [PROBE_##id] = &probe_##name,
	PROBE_LIST(PROBE_DESCRIPTOR)
#undef PROBE_DESCRIPTOR
};

size_t probe_flags(enum probe_id ids[PROBES])
{
	size_t count = 0, i;
	int id;

	for (id = 0; id < PROBES; id++) {
		if (!probe_descriptors[id]->flag_help)
			continue;
		for (i = count++; i > 0 && probe_descriptors[ids[i - 1]]->flag_rank >
						   probe_descriptors[id]->flag_rank;
		     i--)
			ids[i] = ids[i - 1];
		ids[i] = (enum probe_id)id;
	}
	return count;
}
