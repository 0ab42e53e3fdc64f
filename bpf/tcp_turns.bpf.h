/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Turns: one side of a connection asks, and the other one answers. Who speaks, when, and how much
 * decides what is a question and what is an answer. What is said does not matter. docs/tcp.md has
 * the rules.
 *
 * The kernel reports arrivals under the socket's lock, and sends and receives without it. So a turn
 * is always replaced as a whole. If two events meet, the result is that of one order or the other.
 * The kernels that report sends and receives (6.3) have the atomic operations that are used here.
 */
#ifndef BRAMBLE_TCP_TURNS_BPF_H
#define BRAMBLE_TCP_TURNS_BPF_H

#include "tcp_targets.bpf.h"

/*
 * A send that is longer than this may have waited for the reader, and returned long after its first
 * byte was sent. sendfile() sends this much in one step.
 */
#define LONG_SEND     65536

/*
 * The length of messages that HTTP/2 sends by itself, such as two WINDOW_UPDATEs inside TLS. So a
 * short message may not be a question. If the same side speaks again after this time, it was none.
 */
#define SHORT_BYTES   80
#define SHORT_NS      (1LL << 24)

/* The least data that HTTP/2's clients acknowledge with a WINDOW_UPDATE. */
#define LARGE_BYTES   4096

/* Data that comes later than this on a stream may be no answer: to a short question, to any. */
#define LATE_SHORT_NS (1LL << 26)
#define LATE_NS	      (1LL << 30)

/* How likely a connection is a stream: short messages go unanswered; one side speaks unasked. */
#define STREAM_SHORT  (3 * TURN_STREAM_ONE)
#define STREAM_ANY    TURN_STREAM

/* What speak() returns: a new tick has begun since data last went either way; a silence passed. */
#define SPEAK_MOVED   1
#define SPEAK_SILENT  2

static __always_inline void observe(struct hist *hist, __u64 ns)
{
	if ((__s64)ns < 0)
		count_lost(TCP_LOST_CLOCK);
	else
		hist_add_shared(hist, ns);
}

static __always_inline __u64 turn_kind(__u64 turn)
{
	return turn & TURN_KIND;
}

static __always_inline __u64 turn_bytes(__u64 turn)
{
	return (turn & TURN_BYTES) >> TURN_BYTES_SHIFT;
}

/* The part of a turn that says how long the question is. */
static __always_inline __u64 turn_with_bytes(__u64 bytes)
{
	return (bytes > TURN_BYTES_MAX ? TURN_BYTES_MAX : bytes) << TURN_BYTES_SHIFT;
}

/* From the turn's time to now, in ns; negative if that lies before it. */
static __always_inline __s64 turn_elapsed(__u64 turn, __u64 now)
{
	return (__s64)((now - turn) << (64 - TURN_TIME_BITS)) >> (64 - TURN_TIME_BITS);
}

/* The next turn of a connection, of this kind and time. Its question's length is not yet known. */
static __always_inline __u64 turn_next(__u64 turn, __u64 kind, __u64 time)
{
	return (turn & (TURN_STREAM | TURN_RTT | TURN_LARGE)) | kind | (time & TURN_TIME);
}

/* The same turn, of another kind. */
static __always_inline __u64 turn_as(__u64 turn, __u64 kind)
{
	return (turn & ~TURN_KIND) | kind;
}

static __always_inline bool turn_replace(struct socket_set *set, __u32 way, __u64 turn, __u64 next)
{
	return __sync_val_compare_and_swap(&set->turn[way], turn, next) == turn;
}

static __always_inline bool turn_is_short(__u64 turn)
{
	return turn_bytes(turn) <= SHORT_BYTES;
}

/* Adds to the known length of the question. If another event meets this one, they are lost. */
static __always_inline void turn_add_bytes(struct socket_set *set, __u32 way, __u64 turn, int more)
{
	if (turn_is_short(turn))
		turn_replace(set, way, turn,
			     (turn & ~TURN_BYTES) | turn_with_bytes(turn_bytes(turn) + more));
}

/* Data goes one way or the other. Returns SPEAK_... for the time since data last did. */
static __always_inline __u32 speak(struct socket_set *set, __u32 way, __u64 now)
{
	__u16 tick = now >> TURN_TICK_BITS, before = set->spoke[way];
	__u16 passed;

	tick = tick ?: 1; /* 0 is not yet */
	if (tick == before)
		return 0;
	set->spoke[way] = tick;
	passed = tick - before;
	/* One tick back comes from the clock of another CPU. */
	if (!before || passed == 1 || passed == 0xffff)
		return SPEAK_MOVED;
	return SPEAK_MOVED | SPEAK_SILENT;
}

/*
 * An exchange is over, and it took ns. Counts it, or leaves it out. Returns how likely the
 * connection is a stream now. peer: whom a client waited for; NULL for a server.
 */
static __always_inline __u64 exchanged(struct hist *hist, struct tcp_peer_counts *peer, __u64 turn,
				       __s64 ns)
{
	__u64 stream = turn & TURN_STREAM;
	bool is_short = turn_bytes(turn) && turn_is_short(turn);

	if ((stream > STREAM_SHORT && ns > LATE_NS) || (stream && ns > LATE_SHORT_NS && is_short) ||
	    (turn & TURN_LARGE && ns > LATE_NS && is_short)) {
		count_lost(TCP_LOST_STREAM);
		/* It answers nothing and comes after a silence: this side speaks on its own. */
		if (ns > LATE_NS)
			return STREAM_ANY;
		/* A slow server that was once mistaken for a stream must be seen again. */
		return stream ? stream - TURN_STREAM_ONE : 0;
	}
	observe(hist, ns);
	if (peer && ns >= 0) {
		shared_add(&peer->wait_ns, ns);
		shared_add(&peer->exchanges, 1);
	}
	return stream && ns <= LATE_SHORT_NS ? stream - TURN_STREAM_ONE : stream;
}

/*
 * The side that asked speaks again. bytes: how much, or 0 if that is not known yet. The first words
 * were no question, or are not what is answered next, in two cases: they were short and have been
 * open for a while, or this comes after a silence. Then the turn begins anew, as one of this kind,
 * and this returns true.
 */
static __always_inline bool asked_again(struct socket_set *set, __u32 way, __u64 turn, __u64 now,
					__u32 told, __u64 bytes, __u64 kind)
{
	__u64 stream = turn & TURN_STREAM, least = STREAM_ANY;

	if (turn_is_short(turn) ? turn_elapsed(turn, now) <= SHORT_NS : !(told & SPEAK_SILENT))
		return false;
	if (turn_is_short(turn))
		least = STREAM_SHORT;
	if (stream < least)
		turn = (turn & ~TURN_STREAM) | least;
	count_lost(TCP_LOST_UNANSWERED);
	set->turn[way] = turn_next(turn & ~TURN_LARGE, kind, now) | turn_with_bytes(bytes);
	return true;
}

/* ------------------------------------------------------------------ a server */

/*
 * More has come since the server has read a question, and the answer's send has not returned. A
 * client that asks as soon as it has the answer may do so before that.
 */
static __always_inline void server_got_more(struct socket_set *set, __u32 way, __u64 turn,
					    __u64 now, __u32 told)
{
	__u64 next = turn | (told ? TURN_RTT : 0);

	if (asked_again(set, way, next, now, told, 0, TURN_MORE) ||
	    turn_replace(set, way, turn, turn_as(next, TURN_MORE)))
		return;
	/* The send returned at the same moment, or the server has read more. */
	turn = set->turn[way];
	if (turn_kind(turn) == TURN_QUIET)
		turn_replace(set, way, turn, turn_next(turn, TURN_ASKED, now));
}

/* Something has come, perhaps only a FIN. */
static __always_inline void server_got(struct socket_set *set, __u32 way)
{
	__u64 turn = set->turn[way], kind = turn_kind(turn), now;
	bool ends = set->state[way] & SOCKET_FIN;
	__u32 told;

	if (kind == TURN_UNCERTAIN)
		return;
	now = bpf_ktime_get_ns();
	told = speak(set, way, now);
	if (kind == TURN_QUIET)
		set->turn[way] = turn_next(turn | (told ? TURN_RTT : 0),
					   ends ? TURN_UNCERTAIN : TURN_ASKED, now);
	/* If nothing was read yet, the question may be in what is there already. */
	else if (kind == TURN_ASKED && turn_bytes(turn) && !ends)
		server_got_more(set, way, turn, now, told);
}

static __always_inline void server_read(struct socket_set *set, __u32 way, int bytes)
{
	__u64 turn = set->turn[way], kind = turn_kind(turn);

	if (kind == TURN_UNCERTAIN) {
		turn = turn_next(turn, TURN_ASKED, turn);
		set->turn[way] = turn;
	} else if (kind == TURN_MORE) {
		turn = turn_as(turn, TURN_ASKED);
		set->turn[way] = turn;
	}
	if (turn_kind(turn) == TURN_ASKED)
		turn_add_bytes(set, way, turn, bytes);
}

/* It was not asked. Returns whether the RTT must be read. */
static __always_inline bool server_spoke(struct socket_set *set, __u32 way, __u64 turn, int bytes)
{
	__u32 told = speak(set, way, bpf_ktime_get_ns());
	__u64 next = bytes >= LARGE_BYTES ? turn | TURN_LARGE : turn;

	if (told & SPEAK_SILENT) /* it speaks on its own */
		next |= STREAM_ANY;
	if (next != turn)
		turn_replace(set, way, turn, next);
	return told;
}

/* A question was answered. flags: what the turn keeps. What has come unread is the next question.
 */
static __always_inline void server_done(struct socket_set *set, __u32 way, __u64 turn, __u64 now,
					__u64 flags)
{
	if (turn_kind(turn) == TURN_ASKED && turn_replace(set, way, turn, TURN_QUIET | flags))
		return;
	turn = set->turn[way]; /* it has come a moment ago, or before */
	if (turn_kind(turn) != TURN_MORE)
		set->turn[way] = TURN_QUIET | flags;
	else
		set->turn[way] = turn_next(flags, TURN_UNCERTAIN, turn_bytes(turn) ? now : turn);
}

/* An answer if it was asked, or more of one. Returns whether the RTT must be read. */
static __always_inline bool server_sent(struct socket_set *set, __u32 way, struct tcp_cell *cell,
					int bytes)
{
	__u64 turn = set->turn[way], kind = turn_kind(turn), stream = turn & TURN_STREAM, now;
	__u32 told;

	if (kind == TURN_QUIET)
		return server_spoke(set, way, turn, bytes);
	now = bpf_ktime_get_ns();
	told = speak(set, way, now);
	if (kind == TURN_UNCERTAIN)
		return told;
	/* If the turn began anew, what is answered has been left out: asked_again(). */
	if (bytes > LONG_SEND)
		count_lost(TCP_LOST_LONG_SEND);
	else if (kind == TURN_ASKED || turn_bytes(turn))
		stream =
			exchanged(server_hist(set, way, cell), NULL, turn, turn_elapsed(turn, now));
	server_done(set, way, turn, now, stream | (bytes >= LARGE_BYTES ? TURN_LARGE : 0));
	return told || turn & TURN_RTT;
}

/* ------------------------------------------------------------------ a client */

/* A question, or more of one. Returns whether the RTT must be read. */
static __always_inline bool client_sent(struct socket_set *set, __u32 way, int bytes)
{
	__u64 turn = set->turn[way], kind = turn_kind(turn), next, now;
	__u32 told;

	if (kind == TURN_UNCERTAIN)
		return false;
	now = bpf_ktime_get_ns();
	told = speak(set, way, now);
	if (kind == TURN_ASKED) {
		if (!asked_again(set, way, turn, now, told, bytes, TURN_ASKED))
			turn_add_bytes(set, way, turn, bytes);
		return told;
	}
	next = turn_next(turn & ~TURN_RTT, TURN_ASKED, now) | turn_with_bytes(bytes);
	if (kind == TURN_UNASKED || !turn_replace(set, way, turn, next)) {
		/* It is TURN_UNASKED, perhaps only since a moment ago. */
		set->turn[way] = TURN_QUIET | (turn & TURN_STREAM);
		count_lost(TCP_LOST_OVERTAKEN);
	}
	return told || turn & TURN_RTT;
}

/* The first byte of an answer, or perhaps only a FIN. */
static __always_inline void answered(struct socket_set *set, __u32 way, __u64 turn)
{
	__u64 now = bpf_ktime_get_ns();
	__s64 ns = turn_elapsed(turn, now);
	struct tcp_cell *cell;

	if (speak(set, way, now))
		turn |= TURN_RTT;
	if (set->state[way] & SOCKET_FIN && ns >= 0) {
		set->turn[way] = turn_next(turn, TURN_UNCERTAIN, ns) | (turn & TURN_BYTES);
		return;
	}
	cell = cell_of(set->owner[way]);
	if (cell)
		turn = (turn & ~TURN_STREAM) | exchanged(&cell->response[TCP_CLIENT],
							 peer_counts(set, way, cell), turn, ns);
	set->turn[way] = turn_next(turn & ~TURN_LARGE, TURN_QUIET, 0);
}

static __always_inline void client_got(struct socket_set *set, __u32 way)
{
	__u64 turn = set->turn[way], kind = turn_kind(turn);
	__u32 told;

	if (kind == TURN_ASKED) {
		answered(set, way, turn);
	} else if (kind == TURN_UNASKED) {
		speak(set, way, bpf_ktime_get_ns());
	} else if (kind == TURN_QUIET && !(set->state[way] & SOCKET_FIN)) {
		told = speak(set, way, bpf_ktime_get_ns());
		if (turn_replace(set, way, turn,
				 turn_next(turn, TURN_UNASKED, !!(told & SPEAK_SILENT))))
			return;
		/* The question was sent at the same moment, and this may be its answer. */
		set->turn[way] = turn_next(turn, TURN_QUIET, 0);
		count_lost(TCP_LOST_OVERTAKEN);
	}
}

/* Data was received, including data that came with the peer's FIN. */
static __always_inline void client_read(struct socket_set *set, __u32 way, struct tcp_cell *cell,
					int bytes)
{
	__u64 turn = set->turn[way], kind = turn_kind(turn), stream = turn & TURN_STREAM;
	__u64 large = bytes >= LARGE_BYTES ? TURN_LARGE : turn & TURN_LARGE;

	if (kind == TURN_ASKED)
		return;
	if (kind == TURN_QUIET) {
		if (large & ~turn)
			turn_replace(set, way, turn, turn | large);
		return;
	}
	if (kind == TURN_UNCERTAIN)
		stream = exchanged(&cell->response[TCP_CLIENT], peer_counts(set, way, cell), turn,
				   turn & TURN_TIME);
	else if (turn & TURN_TIME) /* not the answer to a send that returned in between */
		stream = STREAM_ANY;
	set->turn[way] = TURN_QUIET | stream | large | (turn & TURN_RTT);
}

#endif
