/* SPDX-License-Identifier: MIT */
/*
 * What the programs need to know of the kernel: the helpers by number (include/uapi/linux/bpf.h) and the
 * fields that are read. The structures hold those fields only: preserve_access_index has the loader put in
 * the running kernel's offsets, by the fields' names.
 */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef int s32;
typedef long long s64;

#define SEC(name) __attribute__((section(name), used))
#define APART static __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))
#define KERNEL __attribute__((preserve_access_index))

/* Whether the running kernel has the field; what stands behind it is left out where it has not. */
#define HAS_FIELD(field) __builtin_preserve_field_info(field, 2)

/* Fields of a map's definition, as loaders read them from the type information. */
#define MAP_NUMBER(name, value) int (*name)[value]
#define MAP_TYPE(name, value) typeof(value) *name

enum {
	MAP_HASH = 1,
	MAP_ARRAY = 2,
	MAP_PERCPU_HASH = 5,
	MAP_PERCPU_ARRAY = 6,
	MAP_LRU_HASH = 9,
	MAP_SK_STORAGE = 24,
	MAP_RINGBUF = 27,
};
enum { NO_PREALLOC = 1, CLONE = 1 << 9 };
enum { ANY = 0, NOEXIST = 1, STORAGE_CREATE = 1, RING_NO_WAKEUP = 1 };

enum { AF_INET = 2, AF_INET6 = 10, AF_PACKET = 17 };
enum { SOCK_STREAM = 1, SOCK_RAW = 3 };
enum { IPPROTO_ICMP = 1, IPPROTO_TCP = 6, IPPROTO_UDP = 17, IPPROTO_ICMPV6 = 58, IPPROTO_UDPLITE = 136, IPPROTO_MPTCP = 262 };
enum { MSG_PEEK = 0x2, MSG_ERRQUEUE = 0x2000 };
enum {
	TCP_ESTABLISHED = 1,
	TCP_SYN_SENT = 2,
	TCP_SYN_RECV = 3,
	TCP_FIN_WAIT1 = 4,
	TCP_CLOSE = 7,
	TCP_LAST_ACK = 9,
	TCP_LISTEN = 10,
};
/* include/net/sock.h, enum sock_flags: the other side's FIN was processed. */
enum { SOCK_DONE = 1 };

struct in6_addr {
	union {
		u32 u6_addr32[4];
	} in6_u;
} KERNEL;

struct ns_common {
	u32 inum;
} KERNEL;

struct net {
	struct ns_common ns;
} KERNEL;

typedef struct {
	struct net *net;
} KERNEL possible_net_t;

typedef struct {
	s64 counter;
} KERNEL atomic64_t;

struct sock_common {
	u32 skc_daddr;
	u32 skc_rcv_saddr;
	u16 skc_dport;
	u16 skc_num;
	u16 skc_family;
	u8 skc_state;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	atomic64_t skc_cookie;
	unsigned long skc_flags;
} KERNEL;

struct sock {
	struct sock_common __sk_common;
	u16 sk_type;
	u16 sk_protocol;
} KERNEL;

struct inet_sock {
	u16 inet_sport;
} KERNEL;

struct tcp_ulp_ops {
	char name[16];
} KERNEL;

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	const struct tcp_ulp_ops *icsk_ulp_ops;
	void *icsk_ulp_data;
} KERNEL;

/* net/mptcp/protocol.h; absent where the kernel has no multipath TCP. */
struct mptcp_subflow_context {
	struct sock *conn;
} KERNEL;

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	u32 copied_seq;
	u32 rcv_nxt;
	u32 snd_nxt;
	u32 write_seq;
	u32 segs_in;
	u32 segs_out;
	u64 bytes_received;
	u64 bytes_acked;
	u64 bytes_sent;
	u64 bytes_retrans;
} KERNEL;

struct socket {
	struct sock *sk;
} KERNEL;

typedef struct {
	u32 val;
} KERNEL kuid_t;

struct cred {
	kuid_t uid;
} KERNEL;

struct kernfs_node {
	u64 id;
} KERNEL;

struct cgroup {
	struct kernfs_node *kn;
} KERNEL;

struct css_set {
	struct cgroup *dfl_cgrp;
} KERNEL;

struct mm_struct {
	unsigned long arg_start;
	unsigned long arg_end;
} KERNEL;

struct task_struct {
	s32 pid;
	s32 tgid;
	u64 start_boottime;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct mm_struct *mm;
	const struct cred *cred;
	struct css_set *cgroups;
	char comm[16];
} KERNEL;

struct file;
struct seq_file;
struct bpf_map;

/* Contexts: their offsets are fixed by the kernel's interface to programs, so nothing is relocated. */
struct iter_meta {
	struct seq_file *seq;
	u64 session_id;
	u64 seq_num;
};

struct iter_task_file {
	struct iter_meta *meta;
	struct task_struct *task;
	u32 fd;
	struct file *file;
};

struct iter_socket_storage {
	struct iter_meta *meta;
	struct bpf_map *map;
	struct sock *sk;
	void *value;
};

struct iter_map_element {
	struct iter_meta *meta;
	struct bpf_map *map;
	void *key;
	void *value;
};

/* A socket as programs for packets may see it (include/uapi/linux/bpf.h, struct bpf_sock). */
struct socket_view {
	u32 bound_interface;
	u32 family;
	u32 type;
	u32 protocol;
};

/* include/uapi/linux/bpf.h, struct __sk_buff. */
struct frame {
	u32 length;
	u32 type;
	u32 mark;
	u32 queue;
	u32 protocol;
	u32 vlan[3];
	u32 priority;
	u32 ingress_interface;
	u32 interface;
	u32 class_index;
	u32 control[5];
	u32 hash;
	u32 class;
	u32 data;
	u32 data_end;
	u32 napi;
	u32 family;
	u32 remote_ip4;
	u32 local_ip4;
	u32 remote_ip6[4];
	u32 local_ip6[4];
	u32 remote_port;
	u32 local_port;
	u32 data_meta;
	u64 flow_keys __attribute__((aligned(8)));
	u64 time;
	u32 wire_length;
	u32 segments;
	struct socket_view *sk __attribute__((aligned(8)));
	u32 segment_size;
};

static void *(*const map_lookup)(void *map, const void *key) = (void *)1;
static long (*const map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static u64 (*const current_tgid_pid)(void) = (void *)14;
static u64 (*const current_gid_uid)(void) = (void *)15;
static long (*const load_bytes)(void *skb, u32 offset, void *to, u32 length) = (void *)26;
static u64 (*const socket_cookie)(void *sk) = (void *)46;
static long (*const load_relative)(void *skb, u32 offset, void *to, u32 length, u32 start) = (void *)68;
static long (*const route_lookup)(void *skb, void *query, s32 length, u32 flags) = (void *)69;
static u64 (*const current_cgroup)(void) = (void *)80;
static void *(*const lookup_udp)(void *skb, void *tuple, u32 length, u64 ns, u64 flags) = (void *)85;
static long (*const release_socket)(void *sk) = (void *)86;
static struct socket_view *(*const full_socket)(struct socket_view *sk) = (void *)95;
static void *(*const lookup_tcp)(void *skb, void *tuple, u32 length, u64 ns, u64 flags) = (void *)99;
static void *(*const socket_storage)(void *map, void *sk, void *value, u64 flags) = (void *)107;
static long (*const read_user)(void *to, u32 size, const void *from) = (void *)112;
static long (*const read_kernel)(void *to, u32 size, const void *from) = (void *)113;
static long (*const seq_write)(struct seq_file *seq, const void *data, u32 size) = (void *)127;
static void *(*const ring_reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*const ring_submit)(void *data, u64 flags) = (void *)132;
static struct tcp_sock *(*const as_tcp)(void *sk) = (void *)137;
static struct task_struct *(*const current_task)(void) = (void *)158;
static struct socket *(*const socket_of_file)(struct file *file) = (void *)162;
static long (*const function_argument)(void *ctx, u32 n, u64 *value) = (void *)183;
static long (*const function_result)(void *ctx, u64 *value) = (void *)184;
static long (*const function_arguments)(void *ctx) = (void *)185;

/* Other files may hold the memory that is added to: one instruction each, without a result. */
#define ADD(place, value) ((void)__sync_fetch_and_add(&(place), value))
