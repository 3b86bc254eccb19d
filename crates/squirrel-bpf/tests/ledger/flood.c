/* SPDX-License-Identifier: MIT */
/*
 * Opens connections by half: `flood COUNT ADDRESS`. Listens, and sends itself so many SYNs from addresses that never
 * answer; says `ready`, and ends after a line. In C, since raw sockets with headers of one's own would be unsafe calls in
 * Rust; the test compiles it.
 */
#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct opening {
	struct iphdr ip;
	struct tcphdr tcp;
} __attribute__((packed));

/* RFC 9293, section 3.1: over the addresses, the protocol, the length, and the header. */
static unsigned short checksum(const struct opening *packet)
{
	const unsigned char *octets = (const void *)&packet->tcp, *addresses = (const void *)&packet->ip.saddr;
	unsigned sum = IPPROTO_TCP + sizeof(packet->tcp);

	for (unsigned at = 0; at < sizeof(packet->tcp); at += 2)
		sum += octets[at] << 8 | octets[at + 1];
	for (unsigned at = 0; at < 8; at += 2)
		sum += addresses[at] << 8 | addresses[at + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

int main(int count, char **words)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	socklen_t size = sizeof(here);
	int listener = socket(AF_INET, SOCK_STREAM, 0), raw = socket(AF_INET, SOCK_RAW, IPPROTO_RAW);

	if (count != 3 || !inet_aton(words[2], &here.sin_addr) || bind(listener, (void *)&here, size) ||
	    listen(listener, 1 << 20) || getsockname(listener, (void *)&here, &size) || raw < 0) {
		perror("flood");
		return 1;
	}
	for (unsigned number = 0; number < strtoul(words[1], 0, 10); number++) {
		struct opening packet = {
			.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .tot_len = htons(sizeof(packet)),
				.saddr = htonl(0x0b000001 + number), .daddr = here.sin_addr.s_addr },
			.tcp = { .source = htons(1024 + number % 60000), .dest = here.sin_port, .doff = 5, .syn = 1,
				 .window = htons(65535), .seq = htonl(number) },
		};

		packet.tcp.check = checksum(&packet);
		if (sendto(raw, &packet, sizeof(packet), 0, (void *)&here, size) != sizeof(packet)) {
			perror("sendto");
			return 1;
		}
		/* On a busy machine a thread of the kernel takes them in: it is let to the processor before its queue is full. */
		if (number % 128 == 0)
			sched_yield();
	}
	puts("ready");
	fflush(stdout);
	return getchar() == EOF;
}
