/* SPDX-License-Identifier: MIT */
/*
 * Makes traffic in ways that Rust's standard library has no words for: `peculiar SCENARIO LENGTH`. Two processes, of
 * which each prints one line when it ends: its pid, and the bytes that it sent and received by its own count. In C,
 * since these calls would all be unsafe in Rust; the test compiles it.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <linux/mptcp.h>
#include <linux/tls.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#ifndef SOL_MPTCP
#define SOL_MPTCP 284
#endif
#ifndef TCP_ULP
#define TCP_ULP 31
#endif

static unsigned long long sent, received;
static char buffer[1 << 16];

static void check(int works, const char *what)
{
	if (!works) {
		perror(what);
		exit(1);
	}
}

static void send_all(int socket, size_t length)
{
	while (length) {
		ssize_t moved = send(socket, buffer, length < sizeof(buffer) ? length : sizeof(buffer), 0);

		check(moved > 0, "send");
		sent += moved;
		length -= moved;
	}
}

static void receive_all(int socket)
{
	ssize_t moved;

	while ((moved = recv(socket, buffer, sizeof(buffer), 0)) > 0)
		received += moved;
	check(moved == 0, "recv");
}

/* Sends each piece from memory that the kernel keeps until it was acknowledged. */
static void send_zerocopy(int socket, size_t length)
{
	int on = 1;

	check(!setsockopt(socket, SOL_SOCKET, SO_ZEROCOPY, &on, sizeof(on)), "SO_ZEROCOPY");
	while (length) {
		ssize_t moved = send(socket, buffer, length < sizeof(buffer) ? length : sizeof(buffer), MSG_ZEROCOPY);

		if (moved < 0 && errno == ENOBUFS) {
			/* What the kernel tells of pages that it gave back is no data. */
			struct msghdr message = { .msg_control = buffer, .msg_controllen = 512 };
			recvmsg(socket, &message, MSG_ERRQUEUE);
			continue;
		}
		check(moved > 0, "send with MSG_ZEROCOPY");
		sent += moved;
		length -= moved;
	}
	struct msghdr message = { .msg_control = buffer, .msg_controllen = 512 };
	recvmsg(socket, &message, MSG_ERRQUEUE);
}

struct ring {
	int descriptor;
	unsigned *submit_tail, *submit_mask, *array, *complete_head, *complete_tail, *complete_mask;
	struct io_uring_sqe *entries;
	struct io_uring_cqe *completions;
};

static struct ring open_ring(void)
{
	struct io_uring_params parameters = {};
	struct ring ring = { .descriptor = syscall(SYS_io_uring_setup, 8, &parameters) };

	check(ring.descriptor >= 0, "io_uring_setup");
	char *submit = mmap(0, parameters.sq_off.array + parameters.sq_entries * sizeof(unsigned),
			    PROT_READ | PROT_WRITE, MAP_SHARED, ring.descriptor, IORING_OFF_SQ_RING);
	char *complete = mmap(0, parameters.cq_off.cqes + parameters.cq_entries * sizeof(struct io_uring_cqe),
			      PROT_READ | PROT_WRITE, MAP_SHARED, ring.descriptor, IORING_OFF_CQ_RING);
	ring.entries = mmap(0, parameters.sq_entries * sizeof(struct io_uring_sqe), PROT_READ | PROT_WRITE, MAP_SHARED,
			    ring.descriptor, IORING_OFF_SQES);
	check(submit != MAP_FAILED && complete != MAP_FAILED && ring.entries != MAP_FAILED, "mmap");
	ring.submit_tail = (unsigned *)(submit + parameters.sq_off.tail);
	ring.submit_mask = (unsigned *)(submit + parameters.sq_off.ring_mask);
	ring.array = (unsigned *)(submit + parameters.sq_off.array);
	ring.complete_head = (unsigned *)(complete + parameters.cq_off.head);
	ring.complete_tail = (unsigned *)(complete + parameters.cq_off.tail);
	ring.complete_mask = (unsigned *)(complete + parameters.cq_off.ring_mask);
	ring.completions = (struct io_uring_cqe *)(complete + parameters.cq_off.cqes);
	return ring;
}

/* One call by the ring, in a worker of the kernel when `flags` say so. */
static int by_ring(struct ring *ring, int operation, int socket, unsigned length, unsigned char flags)
{
	unsigned tail = *ring->submit_tail, place = tail & *ring->submit_mask;

	ring->entries[place] = (struct io_uring_sqe){
		.opcode = operation, .fd = socket, .addr = (unsigned long)buffer, .len = length, .flags = flags
	};
	ring->array[place] = place;
	__atomic_store_n(ring->submit_tail, tail + 1, __ATOMIC_RELEASE);
	check(syscall(SYS_io_uring_enter, ring->descriptor, 1, 1, IORING_ENTER_GETEVENTS, 0, 0) == 1, "io_uring_enter");
	unsigned head = *ring->complete_head;

	check(__atomic_load_n(ring->complete_tail, __ATOMIC_ACQUIRE) != head, "a completion");
	int result = ring->completions[head & *ring->complete_mask].res;

	__atomic_store_n(ring->complete_head, head + 1, __ATOMIC_RELEASE);
	errno = result < 0 ? -result : 0;
	return result;
}

static void ring_send(int socket, size_t length)
{
	struct ring ring = open_ring();

	/* The one half in the process's own context, the other in a worker's. */
	for (unsigned turn = 0; length; turn++) {
		unsigned part = length < sizeof(buffer) ? length : sizeof(buffer);
		int moved = by_ring(&ring, IORING_OP_SEND, socket, part, turn % 2 ? IOSQE_ASYNC : 0);

		check(moved > 0, "send by io_uring");
		sent += moved;
		length -= moved;
	}
}

static void ring_receive(int socket)
{
	struct ring ring = open_ring();
	int moved;

	for (unsigned turn = 0; (moved = by_ring(&ring, IORING_OP_RECV, socket, sizeof(buffer), turn % 2 ? IOSQE_ASYNC : 0)); turn++) {
		check(moved > 0, "receive by io_uring");
		received += moved;
	}
}

/* The kernel encrypts and decrypts: 0 when it cannot. */
static int seal(int socket, int way)
{
	struct tls12_crypto_info_aes_gcm_128 keys = { .info = { TLS_1_2_VERSION, TLS_CIPHER_AES_GCM_128 } };

	if (setsockopt(socket, SOL_TCP, TCP_ULP, "tls", sizeof("tls"))) {
		check(errno == ENOENT, "TCP_ULP");
		return 0;
	}
	check(!setsockopt(socket, 282, way, &keys, sizeof(keys)), "keys of TLS");
	return 1;
}

/* Waits until the kernel has made a further path, which it does by itself once something was exchanged. */
static void await_path(int socket)
{
	struct mptcp_info info = {};

	for (int turn = 0; !info.mptcpi_subflows; turn++) {
		socklen_t size = sizeof(info);

		check(turn < 10000000 && !getsockopt(socket, SOL_MPTCP, MPTCP_INFO, &info, &size), "a further path");
		sched_yield();
	}
}

static void finish(void)
{
	char line[80];
	int length = snprintf(line, sizeof(line), "%d %llu %llu\n", getpid(), sent, received);

	check(write(1, line, length) == length, "write");
}

/* A connection over which one process sends and the other one answers with a tenth. */
static void stream(const char *how, size_t length)
{
	int multipath = !strcmp(how, "multipath") || !strcmp(how, "paths"), protocol = multipath ? IPPROTO_MPTCP : 0;
	int listener = socket(AF_INET, SOCK_STREAM, protocol);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(here);

	check(listener >= 0 && !bind(listener, (void *)&here, size) && !listen(listener, 8), "listen");
	check(!getsockname(listener, (void *)&here, &size), "getsockname");
	pid_t child = fork();

	if (child) {
		int server = accept(listener, 0, 0), status;

		check(server >= 0, "accept");
		if (!strcmp(how, "tls"))
			seal(server, TLS_RX);
		if (!strcmp(how, "ring"))
			ring_receive(server);
		else
			receive_all(server);
		send_all(server, length / 10);
		close(server);
		check(waitpid(child, &status, 0) == child && !status, "the other process");
	} else {
		int client = socket(AF_INET, SOCK_STREAM, protocol);

		close(listener);
		check(!connect(client, (void *)&here, size), "connect");
		if (!strcmp(how, "tls"))
			fprintf(stderr, "tls: %s\n", seal(client, TLS_TX) ? "by the kernel" : "not by this kernel");
		if (!strcmp(how, "paths")) {
			send_all(client, 1000);
			await_path(client);
		}
		if (!strcmp(how, "zerocopy"))
			send_zerocopy(client, length);
		else if (!strcmp(how, "ring"))
			ring_send(client, length);
		else
			send_all(client, length);
		shutdown(client, SHUT_WR);
		receive_all(client);
		close(client);
	}
}

/* Multipath connections of one listener, all open at once: on each, one process sends and the other answers a tenth. */
static void several(size_t length)
{
	enum { CONNECTIONS = 5 };
	int sockets[CONNECTIONS], status, listener = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
	struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(here);

	check(listener >= 0 && !bind(listener, (void *)&here, size) && !listen(listener, 8), "listen");
	check(!getsockname(listener, (void *)&here, &size), "getsockname");
	pid_t child = fork();

	for (int at = 0; at < CONNECTIONS; at++) {
		sockets[at] = child ? accept(listener, 0, 0) : socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);
		check(sockets[at] >= 0 && (child || !connect(sockets[at], (void *)&here, size)), "a connection");
	}
	for (int at = 0; at < CONNECTIONS; at++) {
		if (child)
			receive_all(sockets[at]);
		send_all(sockets[at], child ? length / 10 : length);
		shutdown(sockets[at], SHUT_WR);
		if (!child)
			receive_all(sockets[at]);
	}
	for (int at = 0; at < CONNECTIONS; at++)
		close(sockets[at]);
	if (child)
		check(waitpid(child, &status, 0) == child && !status, "the other process");
}

/* So many echo requests by a raw socket, each as long; what comes back is read: answers, and the requests themselves. */
static void echo(size_t count)
{
	int raw = socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct { struct icmphdr header; char data[56]; } request = { .header = { .type = ICMP_ECHO } };

	check(raw >= 0, "a raw socket");
	for (size_t number = 0; number < count; number++) {
		unsigned sum = 0;

		request.header.un.echo.sequence = htons(number);
		request.header.checksum = 0;
		for (size_t at = 0; at < sizeof(request) / 2; at++)
			sum += ((unsigned short *)&request)[at];
		sum = (sum & 0xffff) + (sum >> 16);
		request.header.checksum = ~(sum + (sum >> 16));
		ssize_t moved = sendto(raw, &request, sizeof(request), 0, (void *)&to, sizeof(to));

		check(moved == sizeof(request), "a request");
		sent += moved;
		for (int copies = 0; copies < 2; copies++) {
			moved = recv(raw, buffer, sizeof(buffer), 0);
			check(moved > 0, "an answer");
			received += moved;
		}
	}
}

/* So many frames by a packet socket; nobody reads them. */
static void frames(size_t count)
{
	int packet = socket(AF_PACKET, SOCK_RAW, 0);
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_ifindex = if_nametoindex("lo"), .sll_halen = 6 };
	unsigned char frame[100] = { [12] = 0x88, [13] = 0xb5 };

	check(packet >= 0, "a packet socket");
	for (size_t number = 0; number < count; number++) {
		check(sendto(packet, frame, sizeof(frame), 0, (void *)&to, sizeof(to)) == sizeof(frame), "a frame");
		sent += sizeof(frame);
	}
}

int main(int count, char **words)
{
	if (count != 3)
		return 2;
	size_t length = strtoul(words[2], 0, 10);

	if (!strcmp(words[1], "echo"))
		echo(length);
	else if (!strcmp(words[1], "frames"))
		frames(length);
	else if (!strcmp(words[1], "several"))
		several(length);
	else
		stream(words[1], length);
	finish();
	return 0;
}
