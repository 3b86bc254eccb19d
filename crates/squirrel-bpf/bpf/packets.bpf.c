/* SPDX-License-Identifier: MIT */
/*
 * Every frame of the interfaces that this is attached to, in exactly one row: by direction, conversation, socket,
 * and what became of it. Attached on demand, since each frame costs.
 */
#include "kernel.h"

enum { OUTWARD = 1 << 0 };

/* Why a frame was here. */
enum class {
	/* A socket of this host sent it or takes it. */
	BY_SOCKET,
	/* It only passes through. */
	FORWARDED,
	/* The kernel itself sent it or takes it: ARP, ICMP, resets, what no socket waits for. */
	BY_KERNEL,
	/* Addressed to another host: seen because the interface is bridged or promiscuous. */
	FOR_OTHERS,
	/* The table is full: a row for all that found no place. */
	CROWDED,
};

struct row_key {
	u64 cookie;           /*  0 */
	u32 interface;        /*  8 */
	u16 ethertype;        /* 12, network order */
	u8 protocol;          /* 14 */
	u8 class;             /* 15 */
	u8 source[16];        /* 16 */
	u8 destination[16];   /* 32 */
	u16 source_port;      /* 48, network order */
	u16 destination_port; /* 50, network order */
	u8 flags;             /* 52 */
	u8 unused[3];         /* 53 */
};

struct row_value {
	u64 frames;      /* 56: as the stack hands them over, many segments in one */
	u64 bytes;       /* 64 */
	u64 wire_frames; /* 72: each segment by itself */
	u64 wire_bytes;  /* 80 */
};

_Static_assert(sizeof(struct row_key) + sizeof(struct row_value) == 88, "squirrel_wire::packets::RECORD_LEN");

struct {
	MAP_NUMBER(type, MAP_HASH);
	MAP_NUMBER(map_flags, NO_PREALLOC);
	MAP_NUMBER(max_entries, 65536);
	MAP_TYPE(key, struct row_key);
	MAP_TYPE(value, struct row_value);
} frames SEC(".maps");

/* Rows for what finds no place in `frames`: two for each interface. */
struct {
	MAP_NUMBER(type, MAP_HASH);
	MAP_NUMBER(map_flags, NO_PREALLOC);
	MAP_NUMBER(max_entries, 4096);
	MAP_TYPE(key, struct row_key);
	MAP_TYPE(value, struct row_value);
} crowded SEC(".maps");

enum { ETH_IPV4 = 0x0008, ETH_IPV6 = 0xdd86 }; /* network order */
enum { FROM_NETWORK = 1 };
enum { TO_US = 0, TO_OTHERS = 3, LOOPED_BACK = 5 };
enum { STREAM = 1, RAW = 3 };
enum { ECHO_REQUEST = 8, ECHO_REQUEST6 = 128 };
/* The loopback's index, in each namespace. */
enum { LOOPBACK = 1 };
/* Go on to whoever else is attached. */
enum { NEXT = -1 };

struct ipv4 {
	u8 version_words;
	u8 service;
	u16 length;
	u16 id;
	u16 fragment;
	u8 ttl;
	u8 protocol;
	u16 checksum;
	u32 source;
	u32 destination;
};

struct ipv6 {
	u32 flow;
	u16 length;
	u8 protocol;
	u8 hops;
	u8 source[16];
	u8 destination[16];
};

union tuple {
	struct {
		u32 source, destination;
		u16 source_port, destination_port;
	} v4;
	struct {
		u8 source[16], destination[16];
		u16 source_port, destination_port;
	} v6;
};

/* include/uapi/linux/bpf.h, struct bpf_fib_lookup. */
struct route_query {
	u8 family;
	u8 protocol;
	u16 source_port, destination_port;
	u16 length;
	u32 interface;
	u32 service;
	u8 source[16], destination[16];
	u32 vlan;
	u32 hardware[3];
};

/* What a frame's headers say. */
struct headers {
	/* From the network header on, all that each segment repeats; 0 when unknown. */
	u32 length;
	/* The datagram's length by itself; 0 when it is not told. */
	u32 datagram;
	u8 icmp_type;
};

INLINE u16 swapped(u16 value)
{
	return __builtin_bswap16(value);
}

INLINE void read_ports(struct frame *frame, struct row_key *key, struct headers *headers, u32 at)
{
	if (key->protocol == IPPROTO_TCP || key->protocol == IPPROTO_UDP || key->protocol == IPPROTO_UDPLITE) {
		u16 ports[2];
		u8 words = 0;

		if (load_relative(frame, at, ports, sizeof(ports), FROM_NETWORK))
			return;
		key->source_port = ports[0];
		key->destination_port = ports[1];
		headers->length = at + 8;
		if (key->protocol == IPPROTO_TCP && !load_relative(frame, at + 12, &words, 1, FROM_NETWORK))
			headers->length = at + (words >> 4) * 4;
	} else if (key->protocol == IPPROTO_ICMP || key->protocol == IPPROTO_ICMPV6) {
		load_relative(frame, at, &headers->icmp_type, 1, FROM_NETWORK);
	}
}

INLINE void read_headers(struct frame *frame, struct row_key *key, struct headers *headers)
{
	key->ethertype = (u16)frame->protocol;
	if (key->ethertype == ETH_IPV4) {
		struct ipv4 ip;

		if (load_relative(frame, 0, &ip, sizeof(ip), FROM_NETWORK))
			return;
		key->protocol = ip.protocol;
		*(u32 *)key->source = ip.source;
		*(u32 *)key->destination = ip.destination;
		headers->datagram = swapped(ip.length);
		/* Later fragments have no ports. */
		if (!(swapped(ip.fragment) & 0x1fff))
			read_ports(frame, key, headers, (ip.version_words & 15) * 4);
	} else if (key->ethertype == ETH_IPV6) {
		struct ipv6 ip;

		if (load_relative(frame, 0, &ip, sizeof(ip), FROM_NETWORK))
			return;
		key->protocol = ip.protocol;
		__builtin_memcpy(key->source, ip.source, 16);
		__builtin_memcpy(key->destination, ip.destination, 16);
		headers->datagram = ip.length ? swapped(ip.length) + 40u : 0;
		read_ports(frame, key, headers, 40);
	}
}

/* Whether a frame that comes in is on its way elsewhere. */
INLINE int passes_through(struct frame *frame, struct row_key *key)
{
	struct route_query query = { .interface = frame->interface };

	query.family = key->ethertype == ETH_IPV4 ? AF_INET : AF_INET6;
	query.protocol = key->protocol;
	__builtin_memcpy(query.source, key->source, 16);
	__builtin_memcpy(query.destination, key->destination, 16);
	long answer = route_lookup(frame, &query, sizeof(query), 0);

	/* Found, found without a neighbour, or found too small. */
	return answer == 0 || answer == 7 || answer == 8;
}

/* Looks for the socket that takes a frame. The row's class says whether there is one. */
INLINE void find_receiver(struct frame *frame, struct row_key *key)
{
	union tuple tuple = {};
	u32 length;

	if (key->ethertype == ETH_IPV4) {
		tuple.v4.source = *(u32 *)key->source;
		tuple.v4.destination = *(u32 *)key->destination;
		tuple.v4.source_port = key->source_port;
		tuple.v4.destination_port = key->destination_port;
		length = sizeof(tuple.v4);
	} else {
		__builtin_memcpy(tuple.v6.source, key->source, 16);
		__builtin_memcpy(tuple.v6.destination, key->destination, 16);
		tuple.v6.source_port = key->source_port;
		tuple.v6.destination_port = key->destination_port;
		length = sizeof(tuple.v6);
	}
	/* The namespace is the interface's. */
	void *sk = key->protocol == IPPROTO_TCP ? lookup_tcp(frame, &tuple, length, (u64)-1, 0) :
						  lookup_udp(frame, &tuple, length, (u64)-1, 0);

	key->class = BY_KERNEL;
	if (!sk)
		return;
	/* The socket's start, as it lies there: programs for packets are not shown the cookie of a found socket. */
	u8 start[128] = {};

	read_kernel(start, sizeof(start), sk);
	release_socket(sk);
	u16 remote_port = *(u16 *)(start + (u64)&((struct sock_common *)0)->skc_dport);

	/* A listener of all addresses is found for other hosts' addresses too. */
	if (!remote_port && passes_through(frame, key)) {
		key->class = FORWARDED;
		return;
	}
	key->cookie = *(u64 *)(start + (u64)&((struct sock_common *)0)->skc_cookie.counter);
	key->class = BY_SOCKET;
}

INLINE void classify_incoming(struct frame *frame, struct row_key *key)
{
	int ip = key->ethertype == ETH_IPV4 || key->ethertype == ETH_IPV6;
	int ports = key->source_port || key->destination_port;

	key->class = BY_KERNEL;
	if (frame->type == TO_OTHERS) {
		key->class = FOR_OTHERS;
		return;
	}
	if (!ip || frame->type != TO_US)
		return;
	if (ports)
		find_receiver(frame, key);
	if (key->class == BY_KERNEL && passes_through(frame, key))
		key->class = FORWARDED;
}

INLINE void classify_outgoing(struct frame *frame, struct row_key *key, struct headers *headers)
{
	struct socket_view *sk = frame->sk;

	key->class = frame->ingress_interface ? FORWARDED : BY_KERNEL;
	if (!sk)
		return;
	sk = full_socket(sk);
	if (sk && sk->type == RAW) {
		/* The kernel speaks through raw sockets of its own: resets, and every ICMP message but requests. */
		int request = headers->icmp_type == ECHO_REQUEST || headers->icmp_type == ECHO_REQUEST6;
		int icmp = sk->protocol == IPPROTO_ICMP || sk->protocol == IPPROTO_ICMPV6;

		if (key->protocol == IPPROTO_TCP || (icmp && !request)) {
			key->class = BY_KERNEL;
			return;
		}
	}
	key->class = BY_SOCKET;
	key->cookie = socket_cookie(frame);
}

INLINE struct row_value *row_in(void *map, struct row_key *key)
{
	struct row_value *value = map_lookup(map, key);

	if (value)
		return value;
	struct row_value none = {};

	map_update(map, key, &none, NOEXIST);
	return map_lookup(map, key);
}

INLINE void count(struct frame *frame, struct row_key *key, struct headers *headers)
{
	struct row_value *value = row_in(&frames, key);

	if (!value) {
		struct row_key all = { .interface = key->interface, .flags = key->flags, .class = CROWDED };

		value = row_in(&crowded, &all);
		if (!value)
			return;
	}
	u32 length = frame->length, segments = frame->segments, size = frame->segment_size;
	/* The link's header, which each segment has too: 14 octets when the datagram does not tell its length. */
	u32 link = headers->datagram && headers->datagram < length ? length - headers->datagram : 14;
	u32 repeated = headers->length ? headers->length + link : 0;

	if (key->interface == LOOPBACK) {
		/* It counts what is left without the header (drivers/net/loopback.c). */
		length -= link;
		repeated -= repeated ? link : 0;
	}
	if (!segments && size)
		segments = (length - repeated + size - 1) / size;
	ADD(value->frames, 1);
	ADD(value->bytes, length);
	ADD(value->wire_frames, segments > 1 ? segments : 1);
	ADD(value->wire_bytes, segments > 1 ? length + (segments - 1) * repeated : length);
}

SEC("classifier/incoming")
int incoming(struct frame *frame)
{
	struct row_key key = { .interface = frame->interface };
	struct headers headers = {};

	/* The sender's own copy of a multicast, which no device has received (ip_mc_output, ip6_finish_output2). */
	if (frame->type == LOOPED_BACK)
		return NEXT;
	read_headers(frame, &key, &headers);
	classify_incoming(frame, &key);
	count(frame, &key, &headers);
	return NEXT;
}

SEC("classifier/outgoing")
int outgoing(struct frame *frame)
{
	struct row_key key = { .interface = frame->interface, .flags = OUTWARD };
	struct headers headers = {};

	read_headers(frame, &key, &headers);
	classify_outgoing(frame, &key, &headers);
	count(frame, &key, &headers);
	return NEXT;
}

/* Key and value of each row. */
SEC("iter/bpf_map_elem")
int list_frames(struct iter_map_element *ctx)
{
	if (!ctx->key || !ctx->value)
		return 0;
	struct {
		struct row_key key;
		struct row_value value;
	} row;

	__builtin_memcpy(&row.key, ctx->key, sizeof(row.key));
	__builtin_memcpy(&row.value, ctx->value, sizeof(row.value));
	seq_write(ctx->meta->seq, &row, sizeof(row));
	return 0;
}

char licence[] SEC("license") = "Dual MIT/GPL";
