/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Block I/O: how long a request was at the device (issue to completion), and how long it waited
 * before that.
 *
 * Requests are told apart by the address of their struct request. A device has a fixed number of
 * these and reuses them. So the entry of a request stays in the map, and each event costs one
 * look-up, with no insertion and no deletion.
 *
 * The owner of a request is found when the request is created (block_io_start, since 6.5). On older
 * kernels it is found when the request is inserted into a queue or issued, whichever comes first.
 * At that moment its task is the current one, except for what kernel threads do for others.
 *
 * Device, operation and bytes are read from the request at issue, when merging is over. Without the
 * kernel's types, they come from the record of the classic tracepoint of the same event. A program
 * that runs just before on the same CPU leaves that record (see take_record()).
 */
#include <stdbool.h>

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>

#include "hist.bpf.h"
#include "pressure.bpf.h"
#include "sched.bpf.h"

/* include/linux/blk_types.h */
#define REQ_OP_MASK	     0xffU
#define REQ_SYNC	     (1U << 11)
#define REQ_OP_FLUSH	     2U
#define REQ_OP_DISCARD	     3U
#define REQ_OP_FIRST_FOREIGN 32U /* REQ_OP_SCSI_IN (before 5.14), REQ_OP_DRV_IN */

/* The id of cgrp_dfl_root, the hierarchy of cgroup v2 */
#define DEFAULT_HIERARCHY    0

/* Whether the kernel's types are known. Set by the loader. */
const volatile bool block_btf;

/* Whether the io controller belongs to cgroup v2, so that a bio knows its cgroup there. */
const volatile bool block_bio_cgroups;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BLOCK_CELLS_MAX);
	__type(key, struct block_key);
	__type(value, struct block_cell);
} block_cells SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, BLOCK_REQUESTS_MAX);
	__type(key, __u64);
	__type(value, struct block_request);
} block_requests SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1); /* possible CPUs, set by the loader */
	__type(key, __u32);
	__type(value, struct block_cpu);
} block_cpus SEC(".maps");

/* A bio that a limit of io.max holds or has held. It is kept until its request is issued. */
struct throttled_bio {
	__u64 since_ns;
	__u64 group; /* its blkcg_gq, which shows whether the memory belongs to another bio now */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct throttled_bio);
} throttled_bios SEC(".maps");

/* Whether any bio was ever held. Until then nothing is looked up. */
__u32 bios_throttled;

/* The initial value of a new cell, which is too large for the stack. Stays zero. */
struct block_cell block_new_cell;

static __always_inline struct block_cpu *this_cpu(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&block_cpus, &cpu);
}

static __always_inline void count_lost(enum block_lost reason)
{
	struct block_cpu *c = this_cpu();

	if (c)
		shared_add(&c->lost[reason], 1);
}

/* ---- what is remembered of a request */

static __always_inline struct block_request *request_find(__u64 rq)
{
	return bpf_map_lookup_elem(&block_requests, &rq);
}

static __always_inline struct block_request *request_get(__u64 rq)
{
	struct block_request *r = request_find(rq), none = {};

	if (r)
		return r;
	bpf_map_update_elem(&block_requests, &rq, &none, BPF_NOEXIST);
	return request_find(rq);
}

/* ---- whose it is */

/*
 * The cgroup to which the io controller charges a bio. For a page that is written back, that is the
 * cgroup that dirtied the page, whoever writes it. If the controller is not enabled down to the
 * container, it is a cgroup above. Then, for a task's own I/O, the task's cgroup is more exact.
 * NULL: not known, or the current task's cgroup is more exact.
 */
static __always_inline struct cgroup *cgroup_of_bio(struct request *request, __u64 *id)
{
	struct cgroup *cgroup;

	if (!block_bio_cgroups || !bpf_core_field_exists(struct bio, bi_blkg))
		return NULL;
	cgroup = BPF_CORE_READ(request, bio, bi_blkg, blkcg, css.cgroup);
	if (!cgroup || BPF_CORE_READ(cgroup, root, hierarchy_id) != DEFAULT_HIERARCHY)
		return NULL;
	*id = BPF_CORE_READ(cgroup, kn, id);
	return bpf_get_current_ancestor_cgroup_id(BPF_CORE_READ(cgroup, level)) == *id ? NULL
										       : cgroup;
}

static __always_inline __u32 owner_of(void *ctx, __u64 rq)
{
	struct cgroup *cgroup;
	__u64 id = 0;

	cgroup = block_btf ? cgroup_of_bio((struct request *)rq, &id) : NULL;
	return cgroup ? slot_of(id, (__u64)cgroup)
		      : slot_of_running(ctx, bpf_get_smp_processor_id());
}

static __always_inline __u64 cgroup_of(__u32 slot)
{
	__u64 *cgroup = bpf_map_lookup_elem(&slot_cgroups, &slot);

	return cgroup ? *cgroup : 0;
}

/* The slot when the request ends. The first slot may belong to another cgroup by then. */
static __always_inline __u32 slot_now(const struct block_request *r)
{
	__u32 slot = r->slot;

	return r->cgroup && cgroup_of(slot) != r->cgroup ? slot_of(r->cgroup, 0) : slot;
}

/* ---- what it is */

/*
 * Reads a field of a kernel structure. Programs whose arguments have types (tp_btf) load it
 * directly, others through a helper. direct is known at compile time.
 */
#define FIELD(direct, pointer, field)                                                              \
	((direct) ? (pointer)->field : BPF_CORE_READ((pointer), field))

static __always_inline __u32 dev_of(struct request *request, bool direct)
{
	struct request___old *old = (void *)request;
	struct gendisk *disk;

	if (bpf_core_field_exists(struct request___old, rq_disk))
		disk = BPF_CORE_READ(old, rq_disk);
	else if (direct)
		disk = request->q->disk;
	else
		disk = BPF_CORE_READ(request, q, disk);
	if (!disk)
		return 0;
	return (__u32)FIELD(direct, disk, major) << BLOCK_MINOR_BITS |
	       (__u32)FIELD(direct, disk, first_minor);
}

/* If a limit held a request's first bio, the request's wait begins there and not at its creation.
 */
static __always_inline void add_throttled(struct block_request *r, struct request *request)
{
	__u64 bio = (__u64)BPF_CORE_READ(request, bio);
	struct throttled_bio *held;

	held = bio ? bpf_map_lookup_elem(&throttled_bios, &bio) : NULL;
	if (!held)
		return;
	if (held->group == (__u64)BPF_CORE_READ((struct bio *)bio, bi_blkg))
		r->start_ns = held->since_ns;
	bpf_map_delete_elem(&throttled_bios, &bio);
}

static __always_inline void read_request(struct block_request *r, struct request *request,
					 bool direct)
{
	__u32 flags = FIELD(direct, request, cmd_flags);
	__u32 op = flags & REQ_OP_MASK;

	r->dev = dev_of(request, direct);
	r->left = FIELD(direct, request, __data_len);
	/* The time of creation. If the creation was not seen, the kernel may not have set it. */
	if (r->start_ns)
		r->start_ns = FIELD(direct, request, start_time_ns);
	if (bios_throttled)
		add_throttled(r, request);
	if (op >= REQ_OP_FIRST_FOREIGN)
		r->state = BLOCK_REQUEST_FOREIGN;
	else if (op == REQ_OP_FLUSH)
		r->op = BLOCK_FLUSH;
	else if (op == REQ_OP_DISCARD)
		r->op = BLOCK_DISCARD;
	else
		r->op = op & 1 ? BLOCK_WRITE : BLOCK_READ;
	r->sync = (flags & REQ_SYNC) != 0;
}

/*
 * Without the kernel's types: takes the record of the same event. The classic tracepoint's program
 * was attached first. The kernel calls programs in the order of attachment, with preemption off. An
 * interrupt neither creates nor issues requests. A record is cleared when it is taken, and a new
 * record replaces one that was not taken. So no request can get another request's record.
 */
static __always_inline void take_record(struct block_request *r)
{
	struct block_cpu *c = this_cpu();

	if (!c || c->record.task != bpf_get_current_pid_tgid() + 1) {
		count_lost(BLOCK_LOST_UNPAIRED);
		return;
	}
	c->record.task = 0;
	r->dev = c->record.dev;
	r->left = c->record.bytes;
	r->op = c->record.op;
	r->sync = c->record.sync;
	if (c->record.foreign)
		r->state = BLOCK_REQUEST_FOREIGN;
}

/* The S is the fifth letter at the latest: after flush, operation, FUA and read-ahead. */
static __always_inline bool is_sync(const struct trace_event_raw_block_rq *ctx)
{
	char a = ctx->rwbs[1], b = ctx->rwbs[2], c = ctx->rwbs[3], d = ctx->rwbs[4];

	return a == 'S' || (a && (b == 'S' || (b && (c == 'S' || (c && d == 'S')))));
}

/*
 * Keeps the record of an event. The letters come from blk_fill_rwbs(): F for a preceding flush,
 * then the operation: R, W, D, DE (secure erase), F, or N for all others. Flags follow: S is
 * REQ_SYNC.
 */
static __always_inline void keep_record(struct trace_event_raw_block_rq *ctx)
{
	struct block_cpu *c = this_cpu();
	char first = ctx->rwbs[0], second = ctx->rwbs[1];
	__u8 op = BLOCK_WRITE;

	if (!c)
		return;
	if (first == 'R')
		op = BLOCK_READ;
	else if (first == 'F' && second == 'F')
		op = BLOCK_FLUSH;
	else if (first == 'D' && second != 'E')
		op = BLOCK_DISCARD;
	c->record.dev = ctx->dev;
	c->record.bytes = ctx->bytes;
	c->record.op = op;
	c->record.sync = is_sync(ctx);
	/* Zeroing, or a driver's command, which has no sectors. */
	c->record.foreign = first == 'N' && !ctx->nr_sector;
	c->record.task = bpf_get_current_pid_tgid() + 1;
}

SEC("?tp/block/block_io_start")
int block_io_start_record(struct trace_event_raw_block_rq *ctx)
{
	keep_record(ctx);
	return 0;
}

SEC("?tp/block/block_rq_issue")
int block_rq_issue_record(struct trace_event_raw_block_rq *ctx)
{
	keep_record(ctx);
	return 0;
}

/* ---- its way */

#define START_UNREAD 1 /* read the time of creation from the request itself */

static __always_inline __u64 start_time(void)
{
	return block_btf ? START_UNREAD : bpf_ktime_get_ns();
}

static __always_inline void begin(void *ctx, struct block_request *r, __u64 rq, __u64 now)
{
	__u32 slot = owner_of(ctx, rq);

	/* The request is used again. So it has ended, but the kernel did not run our program. */
	if (r->state == BLOCK_REQUEST_ISSUED)
		count_lost(BLOCK_LOST_NO_COMPLETE);
	*r = (struct block_request){
		.start_ns = now,
		.slot = slot,
		.cgroup = cgroup_of(slot),
		.cpu = bpf_get_smp_processor_id(),
		.state = BLOCK_REQUEST_QUEUED,
	};
}

static __always_inline int insert(void *ctx, __u64 rq)
{
	struct block_request *r = request_get(rq);

	/* A request that the driver gave back keeps its owner and the start of its wait. */
	if (r && r->state != BLOCK_REQUEST_BACK)
		begin(ctx, r, rq, start_time());
	return 0;
}

static __always_inline int issue(void *ctx, __u64 rq, struct request *request, bool direct)
{
	struct block_request *r = request_get(rq);

	if (!r) { /* counted only here: it may be created, inserted and issued */
		count_lost(BLOCK_LOST_REQUESTS_FULL);
		return 0;
	}
	if (r->state != BLOCK_REQUEST_QUEUED && r->state != BLOCK_REQUEST_BACK)
		begin(ctx, r, rq, 0);
	r->state = BLOCK_REQUEST_ISSUED;
	if (block_btf)
		read_request(r, request, direct);
	else
		take_record(r);
	r->issue_ns = bpf_ktime_get_ns();
	return 0;
}

static __always_inline int requeue(__u64 rq)
{
	struct block_request *r = request_find(rq);

	if (r && (r->state == BLOCK_REQUEST_ISSUED || r->state == BLOCK_REQUEST_QUEUED))
		r->state = BLOCK_REQUEST_BACK;
	return 0;
}

/* The request became part of another request. */
static __always_inline int merge(__u64 rq)
{
	struct block_request *r = request_find(rq);

	if (r)
		r->state = BLOCK_REQUEST_FREE;
	return 0;
}

static __always_inline struct block_cell *cell_get(struct block_key *key)
{
	struct block_cell *cell = bpf_map_lookup_elem(&block_cells, key);

	if (cell)
		return cell;
	bpf_map_update_elem(&block_cells, key, &block_new_cell, BPF_NOEXIST);
	return bpf_map_lookup_elem(&block_cells, key);
}

static __always_inline struct block_cell *cell_of(const struct block_request *r, __u32 slot)
{
	struct block_key key = {.dev = r->dev, .slot = slot, .op = r->op};
	struct block_cell *cell = cell_get(&key);

	if (cell)
		return cell;
	count_lost(BLOCK_LOST_CELLS_FULL);
	key.slot = SLOT_OVERFLOW;
	return cell_get(&key);
}

static __always_inline void observe(struct hist *hist, __u64 ns)
{
	if ((__s64)ns < 0)
		count_lost(BLOCK_LOST_CLOCK);
	else
		hist_add_shared(hist, ns);
}

static __always_inline void count(const struct block_request *r, __u64 now)
{
	__u32 slot = slot_now(r);
	struct block_cell *cell = cell_of(r, slot);
	struct block_cpu *c = this_cpu();

	if (c)
		shared_add(&c->events, 1);
	if (!cell)
		return;
	/* A request that only asks for a flush is never issued itself. The flush is. */
	observe(&cell->io, now - (r->issue_ns ? r->issue_ns : r->start_ns));
	if (r->issue_ns && r->start_ns)
		observe(&cell->queue, r->issue_ns - r->start_ns);
	if (r->done)
		shared_add(&cell->bytes, r->done);
	if (r->failed)
		shared_add(&cell->errors, 1);
	/* Somebody waits for it. */
	if (r->op == BLOCK_READ || (r->op == BLOCK_WRITE && r->sync))
		pressure_add(PRESSURE_IO, r->cpu, slot, r->start_ns ?: r->issue_ns, now);
}

static __always_inline int complete(__u64 rq, bool failed, __u32 bytes)
{
	struct block_request *r = request_find(rq);

	if (!r || r->state == BLOCK_REQUEST_FREE) {
		/* A write with a flush ends a second time, without bytes, after the flush. */
		if (bytes)
			count_lost(BLOCK_LOST_NO_ISSUE);
		return 0;
	}
	if (r->state == BLOCK_REQUEST_QUEUED && block_btf)
		read_request(r, (struct request *)rq, false);
	r->done += bytes;
	r->failed |= failed;
	/* Only a part has ended. The rest follows, perhaps after the request is issued again. */
	if (bytes < r->left) {
		r->left -= bytes;
		return 0;
	}
	if (r->state != BLOCK_REQUEST_FOREIGN)
		count(r, bpf_ktime_get_ns());
	r->state = BLOCK_REQUEST_FREE;
	return 0;
}

/* TP_PROTO(struct request *rq); insert, issue, requeue and merge had (q, rq) before 5.11. */
SEC("?raw_tp/block_io_start")
int block_io_start(struct bpf_raw_tracepoint_args *ctx)
{
	struct block_request *r = request_get(ctx->args[0]);

	if (!r)
		return 0;
	begin(ctx, r, ctx->args[0], start_time());
	if (!block_btf)
		take_record(r);
	return 0;
}

SEC("?raw_tp/block_rq_insert")
int block_rq_insert(struct bpf_raw_tracepoint_args *ctx)
{
	return insert(ctx, ctx->args[0]);
}

SEC("?raw_tp/block_rq_insert")
int block_rq_insert_q(struct bpf_raw_tracepoint_args *ctx)
{
	return insert(ctx, ctx->args[1]);
}

SEC("?raw_tp/block_rq_issue")
int block_rq_issue(struct bpf_raw_tracepoint_args *ctx)
{
	return issue(ctx, ctx->args[0], (struct request *)ctx->args[0], false);
}

SEC("?raw_tp/block_rq_issue")
int block_rq_issue_q(struct bpf_raw_tracepoint_args *ctx)
{
	return issue(ctx, ctx->args[1], (struct request *)ctx->args[1], false);
}

/* The same if the kernel has types for the arguments. No helper is needed for each field. */
SEC("?tp_btf/block_rq_issue")
int block_rq_issue_typed(__u64 *ctx)
{
	struct request *request = (struct request *)ctx[0];

	return issue(ctx, (__u64)request, request, true);
}

SEC("?raw_tp/block_rq_requeue")
int block_rq_requeue(struct bpf_raw_tracepoint_args *ctx)
{
	return requeue(ctx->args[0]);
}

SEC("?raw_tp/block_rq_requeue")
int block_rq_requeue_q(struct bpf_raw_tracepoint_args *ctx)
{
	return requeue(ctx->args[1]);
}

SEC("?raw_tp/block_rq_merge")
int block_rq_merge(struct bpf_raw_tracepoint_args *ctx)
{
	return merge(ctx->args[0]);
}

SEC("?raw_tp/block_rq_merge")
int block_rq_merge_q(struct bpf_raw_tracepoint_args *ctx)
{
	return merge(ctx->args[1]);
}

/* TP_PROTO(struct request *rq, blk_status_t error, unsigned int nr_bytes); an errno before 5.16. */
SEC("?raw_tp/block_rq_complete")
int block_rq_complete(struct bpf_raw_tracepoint_args *ctx)
{
	return complete(ctx->args[0], (__u32)ctx->args[1] != 0, ctx->args[2]);
}

/* bool __blk_throtl_bio(struct bio *bio): returns whether a limit holds the bio. */
SEC("?fentry/__blk_throtl_bio")
int function_throttle_begin(__u64 *ctx)
{
	struct bio *bio = (struct bio *)ctx[0];
	struct throttled_bio held = {.since_ns = bpf_ktime_get_ns()};
	__u64 key = ctx[0];

	held.group = (__u64)BPF_CORE_READ(bio, bi_blkg);
	bpf_map_update_elem(&throttled_bios, &key, &held, BPF_ANY);
	bios_throttled = 1;
	return 0;
}

SEC("?fexit/__blk_throtl_bio")
int function_throttle_end(__u64 *ctx)
{
	__u64 key = ctx[0];

	if (!(ctx[1] & 0xff))
		bpf_map_delete_elem(&throttled_bios, &key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
