/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "node/boot.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "util/array.h"
#include "util/buf.h"
#include "util/slice.h"

/*
 * Raspberry Pi OS 12 moved the file into firmware/ and left a note at the old
 * place; Ubuntu has it in firmware/, since 25.10 in firmware/current/.
 */
static const char *const pi_files[] = {"firmware/current/cmdline.txt", "firmware/cmdline.txt",
				       "cmdline.txt"};

/* Reads dir/name as text, cut to size. Empty if it cannot be read. */
static void read_text(const char *dir, const char *name, char *out, size_t size)
{
	char path[PATH_MAX];
	struct buf text;

	out[0] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dir, name) >= sizeof(path) ||
	    buf_read_file(&text, path, 65536))
		return;
	snprintf(out, size, "%s", text.data);
	buf_free(&text);
}

void boot_find(const char *procfs, const char *boot_dir, struct boot *boot)
{
	char model[128];
	size_t i;

	*boot = (struct boot){0};
	read_text(procfs, "cmdline", boot->cmdline, sizeof(boot->cmdline));
	read_text(procfs, "device-tree/model", model, sizeof(model));
	boot->raspberry_pi = strncmp(model, "Raspberry Pi", 12) == 0;
	if (!boot->raspberry_pi)
		return;
	for (i = 0; i < ARRAY_SIZE(pi_files); i++) {
		snprintf(boot->file, sizeof(boot->file), "%s/%s", boot_dir, pi_files[i]);
		if (access(boot->file, F_OK) == 0)
			return;
	}
	boot->file[0] = '\0';
}

static bool has_word(const char *cmdline, const char *wanted)
{
	struct slice rest = slice_trim(slice_of(cmdline), "\n"), word;

	while (slice_next_word(&rest, ' ', &word))
		if (slice_is(word, wanted))
			return true;
	return false;
}

void boot_remedy(const struct boot *boot, const char *word, char *out, size_t size)
{
	if (has_word(boot->cmdline, word))
		snprintf(out, size,
			 "%s is on the kernel's command line already, without effect: use a "
			 "kernel that supports it",
			 word);
	else if (boot->raspberry_pi)
		snprintf(out, size, "add %s to the end of the one line in %s and reboot", word,
			 boot->file[0] ? boot->file
				       : "/boot/firmware/cmdline.txt (/boot/cmdline.txt before "
					 "Raspberry Pi OS 12)");
	else
		snprintf(out, size,
			 "add %s to the kernel's command line and reboot (with GRUB: "
			 "GRUB_CMDLINE_LINUX in /etc/default/grub, then update-grub)",
			 word);
}

/*
 * The Pi's firmware puts cgroup_disable=memory before the text of cmdline.txt, and the Pi's kernels
 * know cgroup_enable=memory. Some 6.12 kernels appended the former and ignored the latter:
 * raspberrypi/linux#6980. Other kernels only know cgroup_disable.
 */
bool boot_memory_remedy(const struct boot *boot, char *out, size_t size)
{
	bool off = has_word(boot->cmdline, "cgroup_disable=memory");
	bool on = has_word(boot->cmdline, "cgroup_enable=memory");

	if (boot->raspberry_pi && on)
		snprintf(out, size,
			 "cgroup_enable=memory is on the kernel's command line already, without "
			 "effect: update the kernel (raspberrypi/linux#6980)");
	else if (boot->raspberry_pi)
		boot_remedy(boot, "cgroup_enable=memory", out, size);
	else if (off)
		snprintf(out, size,
			 "remove cgroup_disable=memory from the kernel's command line and reboot "
			 "(with GRUB: /etc/default/grub, then update-grub)");
	return boot->raspberry_pi || off;
}
