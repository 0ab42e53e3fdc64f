/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Made-up TCP sockets for the BPF programs: images of a struct tcp_sock in the memory of a BPF
 * array. Programs can read that like other kernel memory, and tests write it. The kernel's own BTF
 * gives the offsets of the fields. Without BTF nobody reads the fields.
 */
#ifndef BRAMBLE_TEST_MADE_SOCKS_H
#define BRAMBLE_TEST_MADE_SOCKS_H

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "util/array.h"

#define MADE_SOCKS	256
#define MADE_SOCK_SIZE	4096 /* at least a struct tcp_sock */
#define MADE_SOCKS_SIZE (MADE_SOCKS * MADE_SOCK_SIZE)

/* Bytes from a sock's beginning; 0 without BTF. */
static struct {
	size_t state, family, num, dport, daddr, v6_daddr, protocol, err, cgroup, srtt_us, kn, id;
} made_at;

static char *made_socks;
static uint64_t made_address; /* where the kernel has the first one */

/* The address of the n-th sock, which is its key. */
static inline uint64_t made_sock(unsigned int n)
{
	return made_address + (uint64_t)n * MADE_SOCK_SIZE;
}

/* The memory of a made-up sock in this process. NULL if the key belongs to none. */
static inline char *made_image(uint64_t key)
{
	uint64_t offset = key - made_address;

	return offset < MADE_SOCKS_SIZE ? made_socks + offset : NULL;
}

/* The offset of a member in a struct, including anonymous members. -1: there is none. */
static inline int made_member(const struct btf *btf, int id, const char *name)
{
	const struct btf_type *type =
		btf__type_by_id(btf, (__u32)btf__resolve_type(btf, (__u32)id));
	const struct btf_member *member = btf_members(type);
	unsigned int i;

	for (i = 0; i < btf_vlen(type); i++, member++) {
		const char *its = btf__name_by_offset(btf, member->name_off);
		int at = strcmp(its, name) == 0 ? 0 : -1;

		if (!its[0])
			at = made_member(btf, (int)member->type, name);
		if (at >= 0)
			return at + (int)btf_member_bit_offset(type, i) / 8;
	}
	return -1;
}

static inline size_t made_offset(const struct btf *btf, const char *type, const char *name)
{
	int id = btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT);
	int at = id > 0 ? made_member(btf, id, name) : -1;

	if (at < 0)
		print_error("the kernel's BTF has no %s.%s\n", type, name);
	return at < 0 ? 0 : (size_t)at;
}

static inline void made_find_offsets(void)
{
	struct btf *btf = btf__load_vmlinux_btf();

	if (!btf)
		return;
	made_at.state = made_offset(btf, "sock_common", "skc_state");
	made_at.family = made_offset(btf, "sock_common", "skc_family");
	made_at.num = made_offset(btf, "sock_common", "skc_num");
	made_at.dport = made_offset(btf, "sock_common", "skc_dport");
	made_at.daddr = made_offset(btf, "sock_common", "skc_daddr");
	made_at.v6_daddr = made_offset(btf, "sock_common", "skc_v6_daddr");
	made_at.protocol = made_offset(btf, "sock", "sk_protocol");
	made_at.err = made_offset(btf, "sock", "sk_err");
	made_at.cgroup = made_offset(btf, "sock", "sk_cgrp_data");
	made_at.srtt_us = made_offset(btf, "tcp_sock", "srtt_us");
	made_at.kn = made_offset(btf, "cgroup", "kn");
	made_at.id = made_offset(btf, "kernfs_node", "id");
	btf__free(btf);
}

/* A program that writes the address of an array's memory to its beginning. */
static inline int made_write_address(int map)
{
	const struct bpf_insn insns[] = {
		{.code = BPF_LD | BPF_DW | BPF_IMM,
		 .dst_reg = BPF_REG_1,
		 .src_reg = BPF_PSEUDO_MAP_VALUE,
		 .imm = map},
		{0},
		{.code = BPF_STX | BPF_MEM | BPF_DW, .dst_reg = BPF_REG_1, .src_reg = BPF_REG_1},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	uint64_t args[1] = {0};
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = args, .ctx_size_in = sizeof(args));
	int err, fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "made_address", "GPL", insns,
				    ARRAY_SIZE(insns), NULL);

	if (fd < 0)
		return -errno;
	err = bpf_prog_test_run_opts(fd, &opts) ? -errno : 0;
	close(fd);
	return err;
}

/* Makes the socks, once, all zeros. Returns 0 or a negative errno. */
static inline int made_open(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_MMAPABLE);
	int err, map = bpf_map_create(BPF_MAP_TYPE_ARRAY, "made_socks", 4, MADE_SOCKS_SIZE, 1,
				      &opts);

	if (map < 0)
		return -errno;
	made_socks = mmap(NULL, MADE_SOCKS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, map, 0);
	err = made_socks == MAP_FAILED ? -errno : made_write_address(map);
	close(map);
	if (err)
		return err;
	memcpy(&made_address, made_socks, sizeof(made_address));
	made_find_offsets();
	return 0;
}

static inline void made_put(uint64_t key, size_t at, const void *value, size_t size)
{
	char *image = made_image(key);

	if (image && at)
		memcpy(image + at, value, size);
}

/* Makes all of them closed TCP sockets. */
static inline void made_reset(void)
{
	const uint16_t family = AF_INET, protocol = IPPROTO_TCP;
	const uint8_t closed = 7; /* TCP_CLOSE */
	unsigned int n;

	memset(made_socks, 0, MADE_SOCKS_SIZE);
	for (n = 0; n < MADE_SOCKS; n++) {
		made_put(made_sock(n), made_at.family, &family, sizeof(family));
		made_put(made_sock(n), made_at.protocol, &protocol, sizeof(protocol));
		made_put(made_sock(n), made_at.state, &closed, sizeof(closed));
	}
}

/*
 * Opens the object, loads it with the programs and sizes that are chosen, and makes the sockets
 * anew. Returns 0 or a negative errno.
 */
static inline int made_load(int (*choose_and_size)(void))
{
	int err = made_socks ? 0 : made_open();

	err = err ?: open_bpf();
	err = err ?: choose_and_size();
	err = err ?: load_object();
	if (!err)
		made_reset();
	return err;
}

#endif
