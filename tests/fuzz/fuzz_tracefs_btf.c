/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Any text as a format file. It is refused, or it gives sound BTF that libbpf can read. */
#include "probe/tracefs_btf.h"

#include "btf_sound.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(struct btf *btf, int err)
{
	__u32 len;
	const void *raw = btf__raw_data(btf, &len);
	struct btf *again = btf__new(raw, len);

	if (!again || !btf_sound(again))
		abort();
	if ((btf__find_by_name_kind(again, "it", BTF_KIND_STRUCT) > 0) != !err)
		abort();
	btf__free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct btf *btf = btf__new_empty();
	int err;

	if (!btf)
		return 0;
	libbpf_set_print(NULL);
	err = tracefs_btf_add(btf, (const char *)data, size, "it");
	if (err && err != -EINVAL)
		abort();
	check(btf, err);
	btf__free(btf);
	return 0;
}
