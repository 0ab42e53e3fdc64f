/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include "util/pages.h"

#include <link.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* Of one file. What is relocated is in segments that may be written to, and stays (elf(5)). */
static int release(struct dl_phdr_info *info, size_t size, void *page_size)
{
	uintptr_t page = *(const uintptr_t *)page_size, start, end;
	const ElfW(Phdr) * segment;

	(void)size;
	for (segment = info->dlpi_phdr; segment < info->dlpi_phdr + info->dlpi_phnum; segment++) {
		if (segment->p_type != PT_LOAD || segment->p_flags & PF_W)
			continue;
		start = (info->dlpi_addr + segment->p_vaddr) / page * page;
		end = (info->dlpi_addr + segment->p_vaddr + segment->p_filesz) / page * page;
		/* What cannot be given back stays. */
		if (end > start)
			(void)madvise((void *)start, end - start, MADV_DONTNEED); /* NOLINT */
	}
	return 0;
}

void pages_release_files(void)
{
	uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);

	dl_iterate_phdr(release, &page);
}
