/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Headers that a stranger may send. accept_format() and accept_gzip() end, and stay within the
 * text. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/accept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct accepted accepted;
	char *text = malloc(size + 1); /* of its own, so that ASan sees its end */

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	accepted = accept_format(text);
	if ((unsigned int)accepted.format >= FORMATS ||
	    (unsigned int)accepted.escaping >= ESCAPINGS || !accepted_content_type(accepted))
		abort();
	accept_gzip(text);
	free(text);
	return 0;
}
