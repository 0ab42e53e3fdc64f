/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "probe/probes.h"

const char *const probe_names[PROBES] = {
#define PROBE_NAME(id, name, cell) [PROBE_##id] = #name,
	PROBE_LIST(PROBE_NAME)
#undef PROBE_NAME
};
