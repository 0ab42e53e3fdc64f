/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "version.h"

const char bramble_version[] = BRAMBLE_VERSION;
const char bramble_revision[] = BRAMBLE_REVISION;
