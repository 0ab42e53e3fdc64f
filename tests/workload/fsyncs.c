/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * usage: fsyncs HOW COUNT FILE
 *
 * Brings a file to the disk COUNT times, each time after it has changed 4 KiB of it, and
 * prints what it found: COUNT SUM_NS P50_NS P99_NS, by its own clock around the call.
 *
 * HOW: fsync, fdatasync, msync; osync, odsync (the write itself); dir (fsync of FILE's
 * directory after a new name there); uring (fsync through io_uring); and what is not to be
 * counted: range (sync_file_range), syncfs, sync, msync-async, none.
 *
 * Exits with 77 where the kernel has no such call.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/io_uring.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define BLOCK	4096
#define BLOCKS	64
#define MISSING 77

static char *memory; /* the mapped file */
static const char *path;
static int fd, dir_fd;
static char block[BLOCK];

static void die(const char *what)
{
	fprintf(stderr, "fsyncs: %s: %s\n", what, strerror(errno));
	exit(errno == ENOSYS || errno == EOPNOTSUPP ? MISSING : 1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* One ring, one request at a time. */
static struct {
	int fd;
	unsigned int *sq_tail, *sq_array, *cq_head, *cq_tail;
	struct io_uring_sqe *sqe;
	struct io_uring_cqe *cqe;
} ring;

static char *map_ring(size_t size, off_t offset)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
			offset);

	if (at == MAP_FAILED)
		die("mmap of the ring");
	return at;
}

static void open_ring(void)
{
	struct io_uring_params params = {0};
	char *sq, *cq;

	ring.fd = (int)syscall(SYS_io_uring_setup, 1, &params);
	if (ring.fd < 0) {
		fprintf(stderr, "fsyncs: no io_uring: %s\n", strerror(errno));
		exit(MISSING);
	}
	sq = map_ring(params.sq_off.array + params.sq_entries * sizeof(unsigned int),
		      IORING_OFF_SQ_RING);
	cq = map_ring(params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe),
		      IORING_OFF_CQ_RING);
	ring.sq_tail = (unsigned int *)(sq + params.sq_off.tail);
	ring.sq_array = (unsigned int *)(sq + params.sq_off.array);
	ring.cq_head = (unsigned int *)(cq + params.cq_off.head);
	ring.cq_tail = (unsigned int *)(cq + params.cq_off.tail);
	ring.cqe = (struct io_uring_cqe *)(cq + params.cq_off.cqes);
	ring.sqe = (struct io_uring_sqe *)map_ring(params.sq_entries * sizeof(struct io_uring_sqe),
						   IORING_OFF_SQES);
}

static int uring_fsync(void)
{
	unsigned int head = *ring.cq_head;

	*ring.sqe = (struct io_uring_sqe){.opcode = IORING_OP_FSYNC, .fd = fd};
	ring.sq_array[0] = 0;
	__atomic_store_n(ring.sq_tail, *ring.sq_tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, ring.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return -1;
	if (__atomic_load_n(ring.cq_tail, __ATOMIC_ACQUIRE) == head)
		return -1;
	/* The ring of completions has two entries. */
	errno = -ring.cqe[head & 1].res;
	__atomic_store_n(ring.cq_head, head + 1, __ATOMIC_RELEASE);
	return errno ? -1 : 0;
}

static void change(int i)
{
	block[0]++;
	if (pwrite(fd, block, BLOCK, (off_t)(i % BLOCKS) * BLOCK) != BLOCK)
		die("write");
}

static void change_name(int i)
{
	char name[4096];

	snprintf(name, sizeof(name), "%s.%d", path, i % 2);
	if (i % 2 ? unlinkat(AT_FDCWD, name, 0) && errno != ENOENT
		  : (dir_fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600)) < 0)
		die(name);
	if (!(i % 2))
		close(dir_fd);
	snprintf(name, sizeof(name), "%s", path);
	dir_fd = open(dirname(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd < 0)
		die("directory");
}

static int dir_fsync(void)
{
	int err = fsync(dir_fd);

	close(dir_fd);
	return err;
}

/* Prepares what is to be brought to the disk. */
static void prepare(const char *how, int i)
{
	if (strncmp(how, "msync", 5) == 0)
		memory[(i % BLOCKS) * BLOCK]++;
	else if (strcmp(how, "dir") == 0)
		change_name(i);
	else if (how[0] != 'o')
		change(i);
}

static int bring(const char *how, int i)
{
	if (strcmp(how, "fsync") == 0)
		return fsync(fd);
	if (strcmp(how, "fdatasync") == 0)
		return fdatasync(fd);
	if (strcmp(how, "msync") == 0)
		return msync(memory, BLOCKS * BLOCK, MS_SYNC);
	if (strcmp(how, "msync-async") == 0)
		return msync(memory, BLOCKS * BLOCK, MS_ASYNC);
	if (how[0] == 'o') {
		change(i);
		return 0;
	}
	if (strcmp(how, "dir") == 0)
		return dir_fsync();
	if (strcmp(how, "uring") == 0)
		return uring_fsync();
	if (strcmp(how, "range") == 0)
		return sync_file_range(fd, 0, 0,
				       SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER);
	if (strcmp(how, "syncfs") == 0)
		return syncfs(fd);
	if (strcmp(how, "sync") == 0)
		sync();
	return 0;
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void report(uint64_t *ns, int count)
{
	uint64_t sum = 0;
	int i;

	for (i = 0; i < count; i++)
		sum += ns[i];
	qsort(ns, (size_t)count, sizeof(*ns), compare);
	printf("%d %llu %llu %llu\n", count, (unsigned long long)sum,
	       (unsigned long long)ns[(count - 1) / 2],
	       (unsigned long long)ns[(count * 99 + 99) / 100 - 1]);
}

int main(int argc, char **argv)
{
	int i, count = argc == 4 ? atoi(argv[2]) : 0, flags = O_RDWR | O_CREAT | O_CLOEXEC;
	uint64_t *ns = count > 0 ? calloc((size_t)count, sizeof(*ns)) : NULL;

	if (!ns) {
		fprintf(stderr, "usage: fsyncs HOW COUNT FILE\n");
		return 2;
	}
	path = argv[3];
	flags |= strcmp(argv[1], "osync") == 0 ? O_SYNC : 0;
	flags |= strcmp(argv[1], "odsync") == 0 ? O_DSYNC : 0;
	fd = open(path, flags, 0600);
	if (fd < 0 || ftruncate(fd, BLOCKS * BLOCK))
		die(path);
	memory = mmap(NULL, BLOCKS * BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	if (strcmp(argv[1], "uring") == 0)
		open_ring();
	for (i = 0; i < count; i++) {
		prepare(argv[1], i);
		ns[i] = now_ns();
		if (bring(argv[1], i))
			die(argv[1]);
		ns[i] = now_ns() - ns[i];
	}
	report(ns, count);
	return 0;
}
