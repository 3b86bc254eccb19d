/* SPDX-License-Identifier: MIT */
/* Reading a socket and its user into a record. */
#pragma once

#include "record.h"

/* Who the socket is, as far as it is known by now. */
INLINE void identify(struct record *row, struct sock *sk)
{
	row->cookie = socket_cookie(sk);
	row->network_namespace = sk->__sk_common.skc_net.net->ns.inum;
	row->protocol = (u8)sk->sk_protocol;
	row->state = sk->__sk_common.skc_state;
	row->family = (u8)sk->__sk_common.skc_family;
	row->remote_port = sk->__sk_common.skc_dport;
	struct tcp_sock *tcp = as_tcp(sk);

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

/* The calling process as the owner, but for its tgid. */
INLINE void describe_current(struct record *row)
{
	struct task_struct *leader = current_task()->group_leader;

	row->uid = (u32)current_gid_uid();
	row->cgroup = current_cgroup();
	row->started_ns = leader->start_boottime;
	/* The leader's: a thread may have a name of its own. */
	read_kernel(row->comm, sizeof(row->comm), &leader->comm);
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
INLINE void take_baseline(struct record *row, struct sock *sk, u32 sent, u32 received)
{
	struct tcp_sock *tcp = as_tcp(sk);

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
INLINE u32 take_counters(struct record *row, struct sock *sk)
{
	struct tcp_sock *tcp = as_tcp(sk);

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
