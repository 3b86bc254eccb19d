/* SPDX-License-Identifier: MIT */
/* Reading a socket and its user into a record. */
#pragma once

#include "record.h"

/* What each call needs to know of the socket. */
INLINE u32 kind_of(struct sock *sk)
{
	if (sk->sk_type != SOCK_STREAM)
		return 0;
	return sk->sk_protocol == IPPROTO_MPTCP ? STREAM | MULTIPATH : sk->sk_protocol == IPPROTO_TCP ? STREAM : 0;
}

/* Whether the kernel's TCP stands behind the socket: its counters can be read. */
INLINE int is_tcp(struct sock *sk)
{
	return sk->sk_protocol == IPPROTO_TCP && sk->sk_type == SOCK_STREAM;
}

/* The kernel's TCP behind the socket; 0 for another protocol. */
INLINE struct tcp_sock *tcp_of(struct sock *sk)
{
	return is_tcp(sk) ? as_tcp(sk) : 0;
}

/* Random; the loader sets it. */
const volatile u64 secret = 0;

/* Where a pointer becomes a number, which the verifier allows by way of memory alone. */
struct {
	MAP_NUMBER(type, MAP_PERCPU_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, u64);
} places SEC(".maps");

/* A place in memory as a name that does not tell the place. Cookies are counted and never get that high. */
INLINE u64 name_of_place(u64 place)
{
	place ^= secret;
	place = (place ^ place >> 33) * 0xff51afd7ed558ccdULL;
	place = (place ^ place >> 33) * 0xc4ceb9fe1a85ec53ULL;
	return (place ^ place >> 33) | 1ULL << 63;
}

/*
 * What a socket is called: its cookie. Not so with multipath TCP: the kernel copies the listener's cookie into each
 * socket that it accepts (net/mptcp/protocol.c, mptcp_sk_clone_init), so those are told apart by their place.
 */
INLINE u64 name_of(struct sock *sk)
{
	u32 first = 0;

	if (sk->sk_protocol != IPPROTO_MPTCP)
		return socket_cookie(sk);
	u64 *place = map_lookup(&places, &first);

	if (!place)
		return 0;
	*(volatile u64 *)place = (u64)sk;
	return name_of_place(*(volatile u64 *)place);
}

/* Who the socket is, as far as it is known by now. `tcp` is 0 for other protocols. */
INLINE void identify(struct record *row, struct sock *sk, struct tcp_sock *tcp)
{
	if (!row->cookie)
		row->cookie = name_of(sk);
	row->network_namespace = sk->__sk_common.skc_net.net->ns.inum;
	/* Multipath TCP is 256 more than TCP. */
	row->protocol = (u8)sk->sk_protocol;
	row->state = sk->__sk_common.skc_state;
	row->family = (u8)sk->__sk_common.skc_family;
	row->type = (u8)sk->sk_type;
	if (row->family != AF_INET && row->family != AF_INET6)
		return;
	row->remote_port = sk->__sk_common.skc_dport;
	/* Not skc_num: that one is given back before a socket says that it is closed. */
	if (tcp)
		row->local_port = tcp->inet_conn.icsk_inet.inet_sport;
	else
		read_kernel(&row->local_port, sizeof(row->local_port), &((struct inet_sock *)sk)->inet_sport);
	if (row->family == AF_INET6) {
#pragma unroll
		for (int i = 0; i < 4; i++) {
			((u32 *)row->local)[i] = sk->__sk_common.skc_v6_rcv_saddr.in6_u.u6_addr32[i];
			((u32 *)row->remote)[i] = sk->__sk_common.skc_v6_daddr.in6_u.u6_addr32[i];
		}
	} else {
		*(u32 *)row->local = sk->__sk_common.skc_rcv_saddr;
		*(u32 *)row->remote = sk->__sk_common.skc_daddr;
	}
}

/* The name of the multipath socket that a TCP connection is a path of; else 0. */
INLINE u64 path_of(struct tcp_sock *tcp)
{
	struct mptcp_subflow_context *context = 0;
	struct sock *whole = 0;

	if (!HAS_FIELD(context->conn) || !tcp || !tcp->inet_conn.icsk_ulp_ops)
		return 0;
	const struct tcp_ulp_ops *upper = tcp->inet_conn.icsk_ulp_ops;

	if (upper->name[0] != 'm' || upper->name[1] != 'p')
		return 0;
	context = tcp->inet_conn.icsk_ulp_data;
	if (read_kernel(&whole, sizeof(whole), &context->conn) || !whole)
		return 0;
	return name_of_place((u64)whole);
}

/* What is known of processes that used sockets, by tgid; those that did so long ago give way. */
struct {
	MAP_NUMBER(type, MAP_LRU_HASH);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct person);
} people SEC(".maps");

struct visitor {
	u64 started_ns;
	u64 tgid;
};

/* Who was noted last on each processor: most often it comes again. */
struct {
	MAP_NUMBER(type, MAP_PERCPU_ARRAY);
	MAP_NUMBER(max_entries, 1);
	MAP_TYPE(key, u32);
	MAP_TYPE(value, struct visitor);
} visitors SEC(".maps");

static const struct person nobody;

/* Notes a process's parent and command line, unless that was done. */
APART int note(struct task_struct *leader)
{
	u64 started_ns = leader->start_boottime;
	u32 tgid = (u32)leader->tgid, first = 0;
	struct visitor *last = map_lookup(&visitors, &first);

	if (!last || (last->tgid == tgid && last->started_ns == started_ns))
		return 0;
	struct person *person = map_lookup(&people, &tgid);

	if (!person || person->started_ns != started_ns) {
		map_update(&people, &tgid, &nobody, ANY);
		person = map_lookup(&people, &tgid);
		if (!person)
			return 0;
		person->parent = (u32)leader->real_parent->tgid;
		/* The leader's thread may have ended before the others. */
		struct mm_struct *memory = current_task()->mm;

		if (memory) {
			u64 length = memory->arg_end - memory->arg_start;

			if (length > COMMAND_LENGTH)
				length = COMMAND_LENGTH;
			if (length && !read_user(person->command, (u32)length, (void *)memory->arg_start))
				person->length = (u32)length;
		}
		/* Last, since it says whose all the rest is. */
		*(volatile u64 *)&person->started_ns = started_ns;
	}
	last->started_ns = started_ns;
	last->tgid = tgid;
	return 0;
}

/* The calling process as the owner, but for its tgid. */
INLINE void describe_current(struct record *row)
{
	struct task_struct *leader = current_task()->group_leader;

	note(leader);

	row->uid = (u32)current_gid_uid();
	row->cgroup = current_cgroup();
	row->started_ns = leader->start_boottime;
	/* The leader's: a thread may have a name of its own. */
	((u64 *)row->comm)[0] = *(u64 *)&leader->comm[0];
	((u64 *)row->comm)[1] = *(u64 *)&leader->comm[8];
}

/* Makes the calling process the owner, unless another one was faster. */
INLINE void claim(struct record *row, u32 tgid)
{
	u32 before = row->tgid;

	if (before != tgid) {
		if (__sync_val_compare_and_swap(&row->tgid, before, tgid) != before)
			return;
		describe_current(row);
	}
	__sync_fetch_and_and(&row->flags, ~(u32)(INHERITED | PROVISIONAL));
}

/*
 * The kernel's counters when the ledger first sees an older socket. They are set so that what the processes
 * wrote and read before is left out, and what still waits in a queue is not: it will be sent and read under
 * the ledger's eyes. `sent` and `received` are bytes of the call that made the socket known.
 */
INLINE void take_baseline(struct record *row, struct tcp_sock *tcp, u32 sent, u32 received)
{
	__sync_fetch_and_or(&row->flags, OLDER);
	if (!tcp)
		return;
	row->tcp_sent = tcp->bytes_sent + (tcp->write_seq - tcp->snd_nxt) - sent;
	row->tcp_retransmitted = tcp->bytes_retrans;
	row->tcp_acked = tcp->bytes_acked;
	row->tcp_received = tcp->bytes_received - (tcp->rcv_nxt - tcp->copied_seq) - received;
	row->tcp_segments_out = tcp->segs_out;
	row->tcp_segments_in = tcp->segs_in;
}

INLINE u64 since(u64 now, u64 baseline)
{
	return now > baseline ? now - baseline : 0;
}

/* Replaces the baseline by what the kernel counted since, and answers the flags that say so. */
INLINE u32 take_counters(struct record *row, struct sock *sk, struct tcp_sock *tcp)
{
	if (!tcp)
		return 0;
	row->tcp_sent = since(tcp->bytes_sent, row->tcp_sent);
	row->tcp_retransmitted = since(tcp->bytes_retrans, row->tcp_retransmitted);
	row->tcp_acked = since(tcp->bytes_acked, row->tcp_acked);
	row->tcp_received = since(tcp->bytes_received, row->tcp_received);
	row->tcp_segments_out = tcp->segs_out - row->tcp_segments_out;
	row->tcp_segments_in = tcp->segs_in - row->tcp_segments_in;
	return sk->__sk_common.skc_flags >> SOCK_DONE & 1 ? HAS_TCP | FIN : HAS_TCP;
}
