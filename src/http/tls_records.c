/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "http/tls_records.h"

#define TYPE_ALERT  21
#define TYPE_HIDDEN 23 /* application data, and all that is encrypted by TLS 1.3 */
/* Level and description, the true type, and the longest tag. A message has 4 bytes before it. */
#define ALERT_MAX   (2 + 1 + 16)

static bool is_alert(const struct tls_records *records)
{
	return records->header[0] == TYPE_ALERT ||
	       (records->header[0] == TYPE_HIDDEN && records->left <= ALERT_MAX);
}

bool tls_records_alert(struct tls_records *records, const uint8_t *bytes, size_t count)
{
	bool alert = false;
	size_t part;

	while (count) {
		if (records->left) {
			part = records->left < count ? records->left : count;
			records->left -= part;
			bytes += part;
			count -= part;
			continue;
		}
		records->header[records->have++] = *bytes++;
		count--;
		if (records->have < TLS_RECORD_HEADER)
			continue;
		records->have = 0;
		records->left = (size_t)(records->header[3] << 8 | records->header[4]);
		alert |= is_alert(records);
	}
	return alert;
}
