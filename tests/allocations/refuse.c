/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * To be preloaded: refuses chosen calls of malloc() and its kind, and of mmap(). It counts from
 * main() on: what libraries do before that is their own, and gnutls and libcurl end the program.
 */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "refuse.h"

/* The C library's own, for programs that replace the public ones. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static struct refuse *control;
static int (*real_main)(int, char **, char **);

struct range {
	uintptr_t begin, end;
};

/* Where the code is: of the program, of the C library, of this. */
static struct range program, libc, here;

static _Thread_local bool busy; /* who is asking, so that backtrace() may allocate */

static bool in(const struct range *range, const void *address)
{
	return (uintptr_t)address >= range->begin && (uintptr_t)address < range->end;
}

static int note_range(struct dl_phdr_info *info, size_t size, void *context)
{
	struct range range = {0};
	int *count = context, i;

	(void)size;
	for (i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD || !(part->p_flags & PF_X))
			continue;
		range.begin = info->dlpi_addr + part->p_vaddr;
		range.end = range.begin + part->p_memsz;
	}
	if ((*count)++ == 0) {
		program = range;
		control->base = info->dlpi_addr;
	} else if (in(&range, (void *)note_range)) {
		here = range;
	} else if (in(&range, (void *)memcpy) || strstr(info->dlpi_name, "/libc.so")) {
		libc = range;
	}
	return 0;
}

/* Says where the program crashes, before it does. */
static void on_crash(int number)
{
	void *frames[24];

	busy = true;
	backtrace_symbols_fd(frames, backtrace(frames, 24), STDERR_FILENO);
	signal(number, SIG_DFL);
	raise(number);
}

/* The main() of the program: counting begins. */
static int counted_main(int argc, char **argv, char **environment)
{
	const char *path = getenv("REFUSE_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1, ranges = 0;
	struct refuse *shared = MAP_FAILED;
	void *frames[1];

	if (fd >= 0) {
		busy = true;
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
		backtrace(frames, 1); /* loads its library */
		busy = false;
	}
	if (shared != MAP_FAILED) {
		control = shared;
		signal(SIGSEGV, on_crash);
		signal(SIGABRT, on_crash);
		dl_iterate_phdr(note_range, &ranges);
	}
	return real_main(argc, argv, environment);
}

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end);

int __libc_start_main(int (*main)(int, char **, char **), int argc, char **argv, void (*init)(void),
		      void (*fini)(void), void (*rtld_fini)(void), void *stack_end)
{
	__typeof__(__libc_start_main) *next = dlsym(RTLD_NEXT, "__libc_start_main");

	real_main = main;
	return next(counted_main, argc, argv, init, fini, rtld_fini, stack_end);
}

/* Whether the program itself asks, directly or through the C library. */
static bool is_own(void *const *frames, int count)
{
	int i;

	for (i = 0; i < count; i++)
		if (!in(&here, frames[i]) && !in(&libc, frames[i]))
			return in(&program, frames[i]);
	return false;
}

static void note_frames(void *const *frames, int count)
{
	int i, kept = 0;

	for (i = 0; i < count && kept < REFUSE_FRAMES - 1; i++)
		if (!in(&here, frames[i]))
			control->frames[kept++] = (uint64_t)frames[i];
	control->frames[kept] = 0;
}

static bool refuse(void)
{
	void *frames[24];
	uint64_t nth;
	int count;

	if (!control || busy || !__atomic_load_n(&control->armed, __ATOMIC_ACQUIRE))
		return false;
	busy = true;
	count = backtrace(frames, 24);
	busy = false;
	if (control->scope && is_own(frames, count) != (control->scope == REFUSE_OWN))
		return false;
	nth = __atomic_add_fetch(&control->count, 1, __ATOMIC_RELAXED);
	if (nth < control->first || nth >= control->end)
		return false;
	if (__atomic_fetch_add(&control->refused, 1, __ATOMIC_RELAXED) == 0)
		note_frames(frames, count);
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return refuse() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return refuse() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return refuse() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size)
{
	return refuse() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return refuse() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *memory = refuse() ? NULL : __libc_memalign(alignment, size);

	if (memory)
		*out = memory;
	return memory ? 0 : ENOMEM;
}

/* The dynamic loader and malloc() do not come here. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset)
{
	static __typeof__(mmap) *next;

	if (!next)
		next = dlsym(RTLD_NEXT, "mmap");
	return refuse() ? MAP_FAILED : next(address, length, protection, flags, fd, offset);
}
