/* SPDX-License-Identifier: MIT */
/*
 * A row of the ledger, as it lies in the socket's storage, in the ring, and in what the iterator writes.
 * squirrel_wire::ledger reads it by these offsets.
 */
#pragma once

#include "kernel.h"

enum {
	/* The owner was taken from the listener or from a list of descriptors: it has not used the socket. */
	INHERITED = 1 << 0,
	/* The tcp_… fields count (in the storage: they are the baseline). */
	HAS_TCP = 1 << 1,
	/* The socket is older than the ledger: what it moved before is not in here. */
	OLDER = 1 << 2,
	/* Further processes used the socket: they have rows of their own. */
	SHARED = 1 << 3,
	/* The other side's FIN is counted in tcp_received. */
	FIN = 1 << 4,
	/* The owner connected the socket, but whoever uses it first is its owner. */
	PROVISIONAL = 1 << 5,
	/* The connection closes; the tcp_… fields change from the baseline to what was counted since. */
	FREEZING = 1 << 9,
	/* The connection is closed, and the tcp_… fields are its last. */
	FROZEN = 1 << 6,
	/* Handed over: not to be listed as living any more. */
	ENDED = 1 << 7,
	/* This row is a further process's. */
	FURTHER = 1 << 8,
};

struct record {
	u64 cookie;             /*   0 */
	u64 at_ns;              /*   8 */
	u64 started_ns;         /*  16 */
	u64 cgroup;             /*  24 */
	u64 transmit_bytes;     /*  32 */
	u64 receive_bytes;      /*  40 */
	u64 transmit_calls;     /*  48 */
	u64 receive_calls;      /*  56 */
	u64 tcp_sent;           /*  64 */
	u64 tcp_retransmitted;  /*  72 */
	u64 tcp_acked;          /*  80 */
	u64 tcp_received;       /*  88 */
	u32 tcp_segments_out;   /*  96 */
	u32 tcp_segments_in;    /* 100 */
	u32 network_namespace;  /* 104 */
	u32 tgid;               /* 108 */
	u32 uid;                /* 112 */
	u16 local_port;         /* 116, network order */
	u16 remote_port;        /* 118, network order */
	u8 local[16];           /* 120 */
	u8 remote[16];          /* 136 */
	u8 comm[16];            /* 152 */
	u8 protocol;            /* 168 */
	u8 state;               /* 169 */
	u8 family;              /* 170 */
	u8 unused;              /* 171 */
	u32 flags;              /* 172 */
};

_Static_assert(sizeof(struct record) == 176, "squirrel_wire::ledger::RECORD_LEN");

/* What could not be noted; index into the map `missed`. */
enum { MISSED_ENDS, MISSED_TRANSMIT_BYTES, MISSED_RECEIVE_BYTES, MISSED_COUNTERS };
