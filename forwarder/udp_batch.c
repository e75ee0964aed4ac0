/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Batches of datagrams (see udp_batch.h).
 */
#include "forwarder/udp_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

/* Buffers a whole datagram apart, and a little more: at a round distance all would meet in the same
 * sets of the processor's cache. */
#define BUFFER_STRIDE (UDP_RECEIVED_MAX + 192U)

/* Control data of one datagram: the local address, IPv4 or IPv6. */
struct control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct udp_receiver {
    struct mmsghdr messages[UDP_BATCH];
    struct iovec vectors[UDP_BATCH];
    union origin_peer peers[UDP_BATCH];
    struct control controls[UDP_BATCH];
    uint8_t *buffers; /* UDP_BATCH * BUFFER_STRIDE, memory only where touched */
    unsigned used;    /* message headers that the last batch changed */
    bool addressed;   /* who sent a datagram is asked for */
};

struct udp_receiver *udp_receiver_new(bool addressed)
{
    struct udp_receiver *receiver = calloc(1, sizeof *receiver);
    if (receiver == NULL) {
        return NULL;
    }
    void *buffers = mmap(NULL, (size_t)UDP_BATCH * BUFFER_STRIDE, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (buffers == MAP_FAILED) {
        free(receiver);
        return NULL;
    }
    receiver->buffers = buffers;
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        receiver->vectors[i] =
            (struct iovec){receiver->buffers + (size_t)i * BUFFER_STRIDE, UDP_RECEIVED_MAX};
        receiver->messages[i].msg_hdr = (struct msghdr){
            .msg_name = addressed ? &receiver->peers[i] : NULL,
            .msg_iov = &receiver->vectors[i],
            .msg_iovlen = 1,
            .msg_control = addressed ? receiver->controls[i].bytes : NULL,
        };
    }
    receiver->addressed = addressed;
    receiver->used = UDP_BATCH;
    return receiver;
}

void udp_receiver_free(struct udp_receiver *receiver)
{
    if (receiver == NULL) {
        return;
    }
    munmap(receiver->buffers, (size_t)UDP_BATCH * BUFFER_STRIDE);
    free(receiver);
}

/* The headers that were used have room again for who sends a datagram, and where to. */
static void give_room(struct udp_receiver *receiver)
{
    for (unsigned i = 0; i < receiver->used; i++) {
        struct msghdr *header = &receiver->messages[i].msg_hdr;
        header->msg_namelen = sizeof receiver->peers[i];
        header->msg_controllen = sizeof receiver->controls[i];
    }
}

unsigned udp_receiver_read(struct udp_receiver *receiver, int descriptor)
{
    if (receiver->addressed) {
        give_room(receiver);
    }
    int got = recvmmsg(descriptor, receiver->messages, UDP_BATCH, MSG_DONTWAIT, NULL);
    receiver->used = got > 0 ? (unsigned)got : 0;
    return receiver->used;
}

uint8_t *udp_receiver_bytes(const struct udp_receiver *receiver, unsigned index, size_t *size)
{
    *size = receiver->messages[index].msg_len;
    return receiver->vectors[index].iov_base;
}

/* The local address of a datagram, from its control data. Returns its octets: called last, it costs
 * those sockets nothing that do not report an address. */
static __attribute__((noinline)) uint8_t *take_local(const struct msghdr *header,
                                                     struct origin_datagram *out)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR((struct msghdr *)header, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            memcpy(&out->local, &info.ipi_addr, sizeof info.ipi_addr);
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof info);
            out->local = info.ipi6_addr;
            /* Only a link-local address needs its link; any other may leave by another one. */
            out->interface = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
        }
    }
    return header->msg_iov->iov_base;
}

uint8_t *udp_receiver_take(const struct udp_receiver *receiver, unsigned index, size_t *size,
                           struct origin_datagram *out)
{
    const struct mmsghdr *message = &receiver->messages[index];
    *size = message->msg_len;
    out->peer = receiver->peers[index];
    return message->msg_hdr.msg_controllen > 0 ? take_local(&message->msg_hdr, out)
                                               : message->msg_hdr.msg_iov->iov_base;
}

/* sendmmsg stops at the first message that fails and tells its error only if that is the first of
 * the call. An error may belong to an earlier datagram (an ICMP message came back on a connected
 * socket), so the message is tried a second time. */
unsigned udp_batch_send(int descriptor, struct mmsghdr *messages, unsigned count, int *error)
{
    unsigned at = 0;
    bool again = false;
    *error = 0;
    while (at < count) {
        int sent = sendmmsg(descriptor, messages + at, count - at, MSG_DONTWAIT);
        if (sent > 0) {
            at += (unsigned)sent;
            again = false;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK || (errno != EINTR && again)) {
            *error = errno == EWOULDBLOCK ? EAGAIN : errno;
            break;
        } else {
            again = true;
        }
    }
    return at;
}
