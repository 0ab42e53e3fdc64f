/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/mountinfo.h"

#include <string.h>

/* Undoes the escapes of mountinfo: \040 and other bytes of three octal digits. */
static void unescape(char *text)
{
	const char *from = text;

	while (*from) {
		if (from[0] == '\\' && from[1] >= '0' && from[1] <= '3' && from[2] >= '0' &&
		    from[2] <= '7' && from[3] >= '0' && from[3] <= '7') {
			*text++ = (char)((from[1] - '0') << 6 | (from[2] - '0') << 3 |
					 (from[3] - '0'));
			from += 4;
		} else {
			*text++ = *from++;
		}
	}
	*text = '\0';
}

/*
 * 36 35 98:0 ROOT POINT rw,noatime master:1 - TYPE SOURCE OPTIONS
 * There may be any number of fields before the dash.
 */
bool mountinfo_split(char *line, struct mount_entry *mount)
{
	char *dash = strstr(line, " - "), *save = NULL;
	int i;

	if (!dash)
		return false;
	*dash = '\0';
	strtok_r(line, " ", &save);
	for (i = 0; i < 2; i++)
		strtok_r(NULL, " ", &save);
	mount->root = strtok_r(NULL, " ", &save);
	mount->point = strtok_r(NULL, " ", &save);
	mount->type = strtok_r(dash + 3, " \n", &save);
	mount->source = strtok_r(NULL, " \n", &save);
	mount->options = strtok_r(NULL, " \n", &save);
	if (!mount->root || !mount->point || !mount->type)
		return false;
	unescape(mount->root);
	unescape(mount->point);
	if (mount->source)
		unescape(mount->source);
	return true;
}
