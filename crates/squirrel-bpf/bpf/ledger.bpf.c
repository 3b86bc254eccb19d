/* SPDX-License-Identifier: MIT */
/*
 * The ledger of sockets: whose each socket is and what it moved, kept in the socket's own storage.
 *
 * The programs stand in one object because they share its maps; each is loaded by itself, and the ledger does
 * without those that the running kernel refuses.
 */
#include "socket.h"

/* Accepted sockets are copies of their listener: CLONE gives them its owner. */
struct {
	MAP_NUMBER(type, MAP_SK_STORAGE);
	MAP_NUMBER(map_flags, NO_PREALLOC | CLONE);
	MAP_TYPE(key, int);
	MAP_TYPE(value, struct record);
} accounts SEC(".maps");

struct further {
	u64 cookie;
	u64 tgid;
};

/* Rows of further processes that used the same socket. */
struct {
	MAP_NUMBER(type, MAP_HASH);
	MAP_NUMBER(map_flags, NO_PREALLOC);
	MAP_NUMBER(max_entries, 16384);
	MAP_TYPE(key, struct further);
	MAP_TYPE(value, struct record);
} others SEC(".maps");

/* Rows of sockets that ended; the loader sets the size. */
struct {
	MAP_NUMBER(type, MAP_RINGBUF);
	MAP_NUMBER(max_entries, 4096);
} ends SEC(".maps");

struct {
	MAP_NUMBER(type, MAP_PERCPU_ARRAY);
	MAP_NUMBER(max_entries, MISSED_COUNTERS);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, u64);
} missed SEC(".maps");

INLINE void miss(u32 which, u64 amount)
{
	u64 *counter = map_lookup(&missed, &which);

	if (counter)
		*counter += amount;
}

INLINE struct record *account_of(struct sock *sk, u64 create)
{
	return socket_storage(&accounts, sk, 0, create);
}

/* Hands over a row for good. Nobody is woken: who reads comes by and by. */
INLINE void hand_over(struct record *row)
{
	struct record *out = ring_reserve(&ends, sizeof(*out), 0);

	if (!out) {
		miss(MISSED_ENDS, 1);
		return;
	}
	*out = *row;
	ring_submit(out, RING_NO_WAKEUP);
}

/* The row of the calling process, which is not the socket's owner. */
INLINE struct record *row_of_other(struct sock *sk, struct record *owned, u32 tgid)
{
	struct further key = { .cookie = name_of(sk), .tgid = tgid };
	struct record *row = map_lookup(&others, &key);

	if (row)
		return row;
	struct record fresh = {};

	identify(&fresh, sk, tcp_of(sk));
	describe_current(&fresh);
	fresh.tgid = tgid;
	fresh.flags = FURTHER | (owned->flags & (STREAM | MULTIPATH));
	map_update(&others, &key, &fresh, NOEXIST);
	__sync_fetch_and_or(&owned->flags, SHARED);
	return map_lookup(&others, &key);
}

/* Whether the tuple of a datagram socket is another one than the row's: bound or connected since. */
INLINE int moved(struct record *row, struct sock *sk)
{
	if (row->remote_port != sk->__sk_common.skc_dport || !row->cookie)
		return 1;
	return row->family == AF_INET && *(u32 *)row->remote != sk->__sk_common.skc_daddr;
}

enum way { TRANSMIT, RECEIVE };

/* The row of a socket that has none: it is older than the ledger, or of a protocol without states. */
APART struct record *first_row(struct sock *sk, u32 sent, u32 received)
{
	struct record *row = account_of(sk, STORAGE_CREATE);

	if (!row)
		return 0;
	__sync_fetch_and_or(&row->flags, kind_of(sk));
	if (row->flags & STREAM)
		take_baseline(row, tcp_of(sk), sent, received);
	return row;
}

/* The row of the calling process, which is not known as the socket's owner: it becomes so, or gets a row beside. */
APART struct record *row_of_user(struct sock *sk, struct record *row, u32 tgid)
{
	if (!row->tgid || row->flags & (INHERITED | PROVISIONAL))
		claim(row, tgid);
	/* An accepted socket's, at its first call: each later one is spared the question. */
	if (row->flags & MULTIPATH)
		identify(row, sk, 0);
	else if (!row->cookie && row->flags & STREAM)
		row->cookie = socket_cookie(sk);
	return row->tgid == tgid ? row : row_of_other(sk, row, tgid);
}

/*
 * The row of a packet socket's user. It stands among those of further processes also when there is but one: such
 * rows outlive their socket, and nothing tells of a packet socket's end.
 */
APART struct record *row_of_frames(struct sock *sk, u32 tgid)
{
	struct record *row = account_of(sk, STORAGE_CREATE);

	if (!row)
		return 0;
	if (!row->tgid) {
		claim(row, tgid);
		identify(row, sk, 0);
	}
	return row_of_other(sk, row, tgid);
}

/* Adds the bytes of one call to the calling process's row of the socket. */
INLINE void count(struct sock *sk, s32 result, enum way way)
{
	u16 family = sk->__sk_common.skc_family;

	if (result < 0)
		return;
	u32 bytes = (u32)result;
	u32 tgid = (u32)(current_tgid_pid() >> 32);
	struct record *row;

	if (family == AF_INET || family == AF_INET6) {
		row = account_of(sk, 0);
		if (!row)
			row = first_row(sk, way == TRANSMIT ? bytes : 0, way == RECEIVE ? bytes : 0);
		if (row && (row->tgid != tgid || row->flags & (INHERITED | PROVISIONAL)))
			row = row_of_user(sk, row, tgid);
	} else if (family == AF_PACKET) {
		row = row_of_frames(sk, tgid);
	} else {
		return;
	}
	if (!row) {
		miss(way == TRANSMIT ? MISSED_TRANSMIT_BYTES : MISSED_RECEIVE_BYTES, bytes);
		return;
	}
	if (!(row->flags & STREAM)) {
		if (moved(row, sk))
			identify(row, sk, 0);
		ADD(*(way == TRANSMIT ? &row->transmit_calls : &row->receive_calls), 1);
	}
	/* None tell the end of a stream, and may stand in an empty datagram. */
	if (bytes)
		ADD(*(way == TRANSMIT ? &row->transmit_bytes : &row->receive_bytes), bytes);
}

/* net/socket.c: (sk, result, flags), in the calling process, for each protocol. */
SEC("tp_btf/sock_send_length")
int count_send(u64 *ctx)
{
	count((struct sock *)ctx[0], (s32)ctx[1], TRANSMIT);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int count_receive(u64 *ctx)
{
	if (!(ctx[2] & (MSG_PEEK | MSG_ERRQUEUE)))
		count((struct sock *)ctx[0], (s32)ctx[1], RECEIVE);
	return 0;
}

/* For kernels that lack the two tracepoints above. */
SEC("fexit/tcp_sendmsg")
int exit_tcp_send(u64 *ctx)
{
	count((struct sock *)ctx[0], (s32)ctx[3], TRANSMIT);
	return 0;
}

SEC("fexit/tcp_recvmsg")
int exit_tcp_receive(u64 *ctx)
{
	/* (sk, msg, len, flags, addr_len), before 5.19 with `nonblock` in front of the flags. */
	long arguments = function_arguments(ctx);
	u64 flags = 0, result = 0;

	if (function_argument(ctx, arguments == 6 ? 4 : 3, &flags) || function_result(ctx, &result))
		return 0;
	if (!(flags & (MSG_PEEK | MSG_ERRQUEUE)))
		count((struct sock *)ctx[0], (s32)result, RECEIVE);
	return 0;
}

SEC("fexit/udp_sendmsg")
int exit_udp_send(u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];

	/* The IPv6 function below calls this one for mapped addresses, and counts them itself. */
	if (sk->__sk_common.skc_family == AF_INET)
		count(sk, (s32)ctx[3], TRANSMIT);
	return 0;
}

SEC("fexit/udpv6_sendmsg")
int exit_udpv6_send(u64 *ctx)
{
	count((struct sock *)ctx[0], (s32)ctx[3], TRANSMIT);
	return 0;
}

SEC("fentry/skb_consume_udp")
int enter_udp_receive(u64 *ctx)
{
	/* (sk, skb, len): the length is negative when the datagram is only peeked at. */
	count((struct sock *)ctx[0], (s32)ctx[2], RECEIVE);
	return 0;
}

/* A connection begins on a socket: what an earlier one left is handed over first. */
INLINE struct record *begin(struct sock *sk)
{
	struct record *row = account_of(sk, STORAGE_CREATE);

	if (!row)
		return 0;
	/* Nobody tells when a connection of a multipath socket is closed, but that something was moved on it. */
	if (!(row->flags & ENDED) && (row->flags & FROZEN || (row->flags & MULTIPATH && row->transmit_bytes + row->receive_bytes)))
		hand_over(row);
	__builtin_memset(row, 0, sizeof(*row));
	row->flags = kind_of(sk);
	/* Asked for early, since the packet ledger finds only cookies that somebody has asked for. */
	row->cookie = name_of(sk);
	return row;
}

/* A copy of a listener: the owner is the listener's, all else is its own. */
INLINE void become_child(struct record *row, u32 kind)
{
	__builtin_memset(row, 0, __builtin_offsetof(struct record, tgid));
	__builtin_memset(&row->tcp_sent, 0,
			 __builtin_offsetof(struct record, network_namespace) - __builtin_offsetof(struct record, tcp_sent));
	row->path_of = 0;
	row->flags = INHERITED | kind;
}

/* A socket of multipath TCP; its end is told when it is released, as that of a datagram socket is. */
APART int change_multipath(struct sock *sk, s32 old, s32 new)
{
	struct record *row;

	if (new == TCP_SYN_SENT || new == TCP_LISTEN) {
		row = begin(sk);
		if (!row)
			return 0;
		claim(row, (u32)(current_tgid_pid() >> 32));
		__sync_fetch_and_or(&row->flags, PROVISIONAL);
	} else if (old == TCP_LISTEN && new == TCP_ESTABLISHED) {
		row = account_of(sk, STORAGE_CREATE);
		if (!row)
			return 0;
		become_child(row, STREAM | MULTIPATH);
	} else {
		return 0;
	}
	/* Early, since its paths name it by its cookie, and its end is told by a program that cannot read it. */
	identify(row, sk, 0);
	return 0;
}

/* net/ipv4/af_inet.c: (sk, old state, new state). */
SEC("tp_btf/inet_sock_set_state")
int change_state(u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	s32 old = (s32)ctx[1], new = (s32)ctx[2];
	struct record *row;

	/* Half of all changes: not worth a look at the socket. */
	if (!(1 << new & (1 << TCP_SYN_SENT | 1 << TCP_LISTEN | 1 << TCP_SYN_RECV | 1 << TCP_FIN_WAIT1 |
			  1 << TCP_LAST_ACK | 1 << TCP_CLOSE)) &&
	    old != TCP_LISTEN)
		return 0;
	u32 kind = kind_of(sk);

	if (kind != STREAM) {
		if (kind)
			change_multipath(sk, old, new);
		return 0;
	}
	switch (new) {
	case TCP_SYN_SENT:
	case TCP_LISTEN:
		/* connect and listen: in the calling process. */
		row = begin(sk);
		if (row) {
			claim(row, (u32)(current_tgid_pid() >> 32));
			__sync_fetch_and_or(&row->flags, PROVISIONAL);
		}
		break;
	case TCP_SYN_RECV:
		if (old != TCP_SYN_SENT) {
			row = account_of(sk, STORAGE_CREATE);
			if (row)
				become_child(row, STREAM);
		}
		break;
	case TCP_FIN_WAIT1:
	case TCP_LAST_ACK:
		/* Only shutdown and close lead here, in the calling process. */
		row = account_of(sk, 0);
		if (row && (!row->tgid || row->flags & INHERITED))
			claim(row, (u32)(current_tgid_pid() >> 32));
		break;
	case TCP_CLOSE:
		/*
		 * The counters are taken here, since a reset zeroes them before the socket is destroyed; they are
		 * handed over there, since a process may still read what had arrived.
		 */
		row = account_of(sk, 0);
		if (row && !(row->flags & FROZEN)) {
			__sync_fetch_and_or(&row->flags, FREEZING);
			struct tcp_sock *tcp = as_tcp(sk);

			identify(row, sk, tcp);
			row->path_of = old == TCP_LISTEN ? 0 : path_of(tcp);
			u32 known = take_counters(row, sk, tcp);

			row->state = (u8)old;
			__sync_fetch_and_or(&row->flags, FROZEN | known);
		}
		break;
	}
	return 0;
}

/* net/ipv4/tcp_ipv4.c: (sk); closed, and no descriptor leads to it any more. */
SEC("tp_btf/tcp_destroy_sock")
int destroy(u64 *ctx)
{
	struct sock *sk = (struct sock *)ctx[0];
	struct record *row = account_of(sk, 0);

	if (row && row->flags & FROZEN && !(row->flags & ENDED)) {
		__sync_fetch_and_or(&row->flags, ENDED);
		hand_over(row);
	}
	return 0;
}

struct release_context {
	u32 bound_interface;
	u32 family;
	u32 type;
	u32 protocol;
};

/* net/ipv4/af_inet.c, inet_release: the last descriptor of a socket is closed. Always permits it. */
SEC("cgroup/sock_release")
int release(struct release_context *ctx)
{
	if (ctx->protocol == IPPROTO_TCP && ctx->type == SOCK_STREAM)
		return 1;
	struct record *row = socket_storage(&accounts, ctx, 0, 0);

	if (row && !(row->flags & ENDED)) {
		__sync_fetch_and_or(&row->flags, ENDED);
		hand_over(row);
	}
	return 1;
}

/* Run once: sockets that are older than the ledger get one of those who hold them as a first owner. */
SEC("iter/task_file")
int seed(struct iter_task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;

	/* Threads repeat their leader's descriptors. */
	if (!task || !file || task->pid != task->tgid)
		return 0;
	struct socket *socket = socket_of_file(file);

	if (!socket)
		return 0;
	struct sock *sk = socket->sk;

	if (!sk)
		return 0;
	u16 family = sk->__sk_common.skc_family;

	if (family != AF_INET && family != AF_INET6)
		return 0;
	struct record *row = account_of(sk, STORAGE_CREATE);

	if (!row || __sync_val_compare_and_swap(&row->tgid, 0, (u32)task->tgid))
		return 0;
	if (!row->flags) {
		struct tcp_sock *tcp = tcp_of(sk);

		take_baseline(row, tcp, 0, 0);
		identify(row, sk, tcp);
		__sync_fetch_and_or(&row->flags, kind_of(sk));
	}
	row->uid = task->cred->uid.val;
	row->cgroup = task->cgroups->dfl_cgrp->kn->id;
	row->started_ns = task->start_boottime;
	read_kernel(row->comm, sizeof(row->comm), &task->comm);
	__sync_fetch_and_or(&row->flags, INHERITED);
	return 0;
}

/* One row for each socket that lives. */
SEC("iter/bpf_sk_storage_map")
int list(struct iter_socket_storage *ctx)
{
	struct record *row = ctx->value;
	struct sock *sk = ctx->sk;

	if (!row || !sk || row->flags & ENDED)
		return 0;
	struct record out = *row;
	struct tcp_sock *tcp = tcp_of(sk);

	if (out.flags & STREAM || !out.cookie)
		identify(&out, sk, tcp);
	if (!(out.flags & FROZEN)) {
		out.state = sk->__sk_common.skc_state;
		if (tcp) {
			out.flags |= take_counters(&out, sk, tcp);
			out.path_of = out.state == TCP_LISTEN ? 0 : path_of(tcp);
		}
		/* It closes while it is read: the next pass, or its end, has the whole. */
		if (*(volatile u32 *)&row->flags & FREEZING)
			return 0;
	}
	seq_write(ctx->meta->seq, &out, sizeof(out));
	return 0;
}

char licence[] SEC("license") = "Dual MIT/GPL";
