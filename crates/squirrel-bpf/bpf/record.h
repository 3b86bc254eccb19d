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
	/* TCP or multipath TCP: a stream of bytes, in which a call of no bytes tells the end. */
	STREAM = 1 << 10,
	/* Multipath TCP: its bytes are those of the calls; the TCP connections below it are its paths. */
	MULTIPATH = 1 << 11,
};

struct record {
	/* What each call touches stands in one line of the cache. */
	u64 cookie;             /*   0 */
	u64 transmit_bytes;     /*   8 */
	u64 receive_bytes;      /*  16 */
	u64 transmit_calls;     /*  24, not of streams */
	u64 receive_calls;      /*  32, not of streams */
	u32 tgid;               /*  40 */
	u32 flags;              /*  44 */
	u64 started_ns;         /*  48 */
	u64 cgroup;             /*  56 */
	u64 tcp_sent;           /*  64 */
	u64 tcp_retransmitted;  /*  72 */
	u64 tcp_acked;          /*  80 */
	u64 tcp_received;       /*  88 */
	u32 tcp_segments_out;   /*  96 */
	u32 tcp_segments_in;    /* 100 */
	u32 network_namespace;  /* 104 */
	u32 uid;                /* 108 */
	u64 path_of;            /* 112, the name of the multipath socket that this connection is a path of */
	u16 local_port;         /* 120, network order */
	u16 remote_port;        /* 122, network order */
	u8 protocol;            /* 124 */
	u8 state;               /* 125 */
	u8 family;              /* 126 */
	u8 type;                /* 127 */
	u8 local[16];           /* 128 */
	u8 remote[16];          /* 144 */
	u8 comm[16];            /* 160 */
};

_Static_assert(sizeof(struct record) == 176, "squirrel_wire::ledger::RECORD_LEN");

/* What could not be noted; index into the map `missed`. */
enum { MISSED_ENDS, MISSED_TRANSMIT_BYTES, MISSED_RECEIVE_BYTES, MISSED_COUNTERS };

/* As much of a command line is noted. */
enum { COMMAND_LENGTH = 232 };

/* What is noted of a process when it first uses a socket: it may be gone when somebody wants to know. */
struct person {
	u64 started_ns;               /*  0 */
	u32 parent;                   /*  8 */
	u32 length;                   /* 12 */
	u8 command[COMMAND_LENGTH];   /* 16, arguments that end with a zero each */
};

_Static_assert(sizeof(struct person) == 248, "squirrel_wire::ledger::PERSON_LEN");
