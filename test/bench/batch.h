/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams in batches for the programs of the benchmark, in the plainest way: one recvmmsg, one
 * sendmmsg, over buffers that stand ready. Not the daemon's code, which is what is measured.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define BATCH 64
#define BATCH_OCTETS 1500

struct batch {
    struct mmsghdr headers[BATCH];
    struct iovec parts[BATCH];
    struct sockaddr_in peers[BATCH];
    _Alignas(struct cmsghdr) char controls[BATCH][CMSG_SPACE(sizeof(struct in_pktinfo))];
    uint8_t octets[BATCH][BATCH_OCTETS];
};

static inline void batch_init(struct batch *batch)
{
    for (unsigned i = 0; i < BATCH; i++) {
        batch->parts[i].iov_base = batch->octets[i];
        batch->headers[i].msg_hdr.msg_iov = &batch->parts[i];
        batch->headers[i].msg_hdr.msg_iovlen = 1;
    }
}

/* Receives up to BATCH datagrams; with their peers if asked for. Returns how many. */
static inline unsigned batch_receive(struct batch *batch, int descriptor, bool peers)
{
    for (unsigned i = 0; i < BATCH; i++) {
        batch->parts[i].iov_len = BATCH_OCTETS;
        batch->headers[i].msg_hdr.msg_name = peers ? &batch->peers[i] : NULL;
        batch->headers[i].msg_hdr.msg_namelen = peers ? sizeof batch->peers[i] : 0;
        batch->headers[i].msg_hdr.msg_controllen = 0;
    }
    int count = recvmmsg(descriptor, batch->headers, BATCH, MSG_DONTWAIT, NULL);
    return count > 0 ? (unsigned)count : 0;
}

/* Sends the first count; what the socket does not take is lost, as on a network. */
static inline void batch_send(struct batch *batch, int descriptor, unsigned count)
{
    for (unsigned sent = 0; sent < count;) {
        int done = sendmmsg(descriptor, batch->headers + sent, count - sent, 0);
        sent += done > 0 ? (unsigned)done : 1U;
    }
}

static inline void bench_fail(const char *what)
{
    perror(what);
    exit(1);
}

/* Reads "192.0.2.1:53". */
static inline struct sockaddr_in bench_address(const char *text)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    unsigned octet[4];
    unsigned port;
    if (sscanf(text, "%u.%u.%u.%u:%u", &octet[0], &octet[1], &octet[2], &octet[3], &port) != 5) {
        fprintf(stderr, "not ADDRESS:PORT: %s\n", text);
        exit(2);
    }
    address.sin_addr.s_addr = htonl(octet[0] << 24 | octet[1] << 16 | octet[2] << 8 | octet[3]);
    address.sin_port = htons((uint16_t)port);
    return address;
}

/* A UDP socket with room for bursts. */
static inline int bench_socket(void)
{
    const int room = 8 << 20;
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        bench_fail("socket");
    }
    setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room);
    return descriptor;
}
