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

#include "forwarder/block.h"

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
};

struct udp_sender {
    struct mmsghdr messages[UDP_BATCH];
    struct iovec vectors[UDP_BATCH];
    union origin_peer peers[UDP_BATCH];
    struct control controls[UDP_BATCH];
    uint8_t rooms[UDP_BATCH][BLOCK_ANSWER_MAX];
    unsigned count;
};

struct udp_receiver *udp_receiver_new(void)
{
    struct udp_receiver *receiver = calloc(1, sizeof(*receiver));
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
            .msg_name = &receiver->peers[i],
            .msg_iov = &receiver->vectors[i],
            .msg_iovlen = 1,
            .msg_control = receiver->controls[i].bytes,
        };
    }
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

unsigned udp_receiver_read(struct udp_receiver *receiver, int descriptor)
{
    for (unsigned i = 0; i < receiver->used; i++) {
        struct msghdr *header = &receiver->messages[i].msg_hdr;
        header->msg_namelen = sizeof(receiver->peers[i]);
        header->msg_controllen = sizeof(receiver->controls[i]);
        header->msg_flags = 0;
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

/* The local address of a datagram, from its control data. */
static void read_local(const struct msghdr *header, struct origin_datagram *out)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part != NULL;
         part = CMSG_NXTHDR((struct msghdr *)header, part)) {
        if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
            struct in_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof(info));
            memcpy(&out->local, &info.ipi_addr, sizeof(info.ipi_addr));
        } else if (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_PKTINFO) {
            struct in6_pktinfo info;
            memcpy(&info, CMSG_DATA(part), sizeof(info));
            out->local = info.ipi6_addr;
            /* Only a link-local address needs its link; any other may leave by another one. */
            out->interface = IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) ? info.ipi6_ifindex : 0;
        }
    }
}

void udp_receiver_origin(const struct udp_receiver *receiver, unsigned index,
                         struct origin_datagram *out)
{
    out->peer = receiver->peers[index];
    if (receiver->messages[index].msg_hdr.msg_controllen > 0) {
        read_local(&receiver->messages[index].msg_hdr, out);
    }
}

struct udp_sender *udp_sender_new(void)
{
    struct udp_sender *sender = calloc(1, sizeof(*sender));
    if (sender == NULL) {
        return NULL;
    }
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        sender->messages[i].msg_hdr = (struct msghdr){
            .msg_iov = &sender->vectors[i],
            .msg_iovlen = 1,
        };
    }
    return sender;
}

void udp_sender_free(struct udp_sender *sender)
{
    free(sender);
}

uint8_t *udp_sender_room(struct udp_sender *sender)
{
    return sender->rooms[sender->count];
}

bool udp_sender_full(const struct udp_sender *sender)
{
    return sender->count == UDP_BATCH;
}

/* Control data that makes a datagram leave from an address of ours. */
static void write_local(struct msghdr *header, struct control *control,
                        const struct origin_datagram *origin)
{
    struct cmsghdr *part = (struct cmsghdr *)control->bytes;
    header->msg_control = control->bytes;
    if (origin->peer.any.sa_family == AF_INET) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, &origin->local, sizeof(info.ipi_spec_dst));
        *part = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(part), &info, sizeof(info));
        header->msg_controllen = CMSG_SPACE(sizeof(info));
        return;
    }
    struct in6_pktinfo info = {.ipi6_addr = origin->local, .ipi6_ifindex = origin->interface};
    *part = (struct cmsghdr){CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(part), &info, sizeof(info));
    header->msg_controllen = CMSG_SPACE(sizeof(info));
}

void udp_sender_add(struct udp_sender *sender, struct span message,
                    const struct origin_datagram *origin, bool from_local)
{
    unsigned index = sender->count++;
    struct msghdr *header = &sender->messages[index].msg_hdr;
    sender->vectors[index] = (struct iovec){(void *)(uintptr_t)message.bytes, message.size};
    sender->peers[index] = origin->peer;
    header->msg_name = &sender->peers[index];
    header->msg_namelen = origin->peer.any.sa_family == AF_INET ? sizeof(struct sockaddr_in)
                                                                : sizeof(struct sockaddr_in6);
    if (from_local) {
        write_local(header, &sender->controls[index], origin);
    }
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

unsigned udp_sender_flush(struct udp_sender *sender, int descriptor)
{
    unsigned at = 0;
    unsigned lost = 0;
    while (at < sender->count) {
        int error;
        at += udp_batch_send(descriptor, sender->messages + at, sender->count - at, &error);
        if (error == EAGAIN) {
            lost += sender->count - at;
            break;
        }
        if (error != 0) {
            lost++;
            at++;
        }
    }
    sender->count = 0;
    return lost;
}
