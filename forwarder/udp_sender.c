/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams joined by way and size (see udp_sender.h), as they come: one goes to the end of the
 * message that has others of its size to its peer, or is the shorter one behind another message to
 * that peer, or begins a message. Tables say which: what stands in them is looked at before it is
 * believed, so they are never cleared, and a wrong entry costs no more than a message. The longest
 * datagrams are not joined: one of such a size must be free to be fragmented.
 */
#include "forwarder/udp_sender.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "forwarder/block.h"
#include "forwarder/wire/proxy_header.h"

#define JOINED_MOST 511U /* octets; fits the least MTU */
#define VECTORS_MAX 32U  /* of a message, without those of the shorter one */
#define SLOT_BITS 8U
#define SIZES 64U /* that a way tells apart */
#define NOT_JOINED UINT32_MAX
#define CACHE_LINE 64

_Static_assert(VECTORS_MAX < 64, "UDP_MAX_SEGMENTS of older kernels");
_Static_assert(JOINED_MOST *(VECTORS_MAX + 1) <= 65507, "what a datagram holds");
_Static_assert(PROXY_HEADER_ENCODED_MAX <= BLOCK_ANSWER_MAX, "udp_sender_room holds either");

/* A message, and its way: where to, and where from. Messages that go one way share that of the
 * first of them; two ways may be the same. Of such a size that it is quickly found by its index. */
struct train {
    union origin_peer peer;
    struct in6_addr local;
    uint32_t interface;
    bool from_local;        /* else the two above say nothing */
    uint8_t host;           /* of this way, perhaps the last message that is joined */
    bool has_shorter;       /* one that stands apart, until the message is sent */
    uint64_t kind;          /* of its datagrams */
    uint8_t by_size[SIZES]; /* of this way, by size, perhaps the message of that size */
};
_Static_assert(sizeof(struct train) == 128, "a power of two");

/* Control data of a message: the local address, IPv4 or IPv6, and where to cut. */
struct control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
                                        CMSG_SPACE(sizeof(uint16_t))];
};

/* The first two lie in as few lines of the processor's cache as they can. */
struct udp_sender {
    _Alignas(CACHE_LINE) struct train trains[UDP_BATCH];
    _Alignas(CACHE_LINE) struct mmsghdr messages[UDP_BATCH];
    uint32_t joined_most; /* JOINED_MOST, or 0: that is not wanted, or was refused */
    unsigned datagrams;
    unsigned count;                 /* of messages */
    uint8_t slots[1U << SLOT_BITS]; /* by hash, perhaps the first message on its way */
    /* From here on nothing is read before it is written. */
    struct iovec vectors[UDP_BATCH][VECTORS_MAX + 2]; /* the last two are of the shorter one */
    struct control controls[UDP_BATCH];
    uint8_t rooms[UDP_BATCH][BLOCK_ANSWER_MAX];
};

struct udp_sender *udp_sender_new(bool joins)
{
    struct udp_sender *sender = aligned_alloc(CACHE_LINE, sizeof *sender);
    if (sender == NULL) {
        return NULL;
    }
    memset(sender, 0, offsetof(struct udp_sender, vectors));
    sender->joined_most = joins ? JOINED_MOST : 0;
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        sender->messages[i].msg_hdr = (struct msghdr){
            .msg_iov = sender->vectors[i],
            .msg_control = sender->controls[i].bytes,
        };
    }
    return sender;
}

void udp_sender_free(struct udp_sender *sender)
{
    free(sender);
}

bool udp_sender_can_join(int descriptor)
{
    int octets;
    socklen_t size = sizeof octets;
    return getsockopt(descriptor, SOL_UDP, UDP_SEGMENT, &octets, &size) == 0;
}

uint8_t *udp_sender_room(struct udp_sender *sender)
{
    return sender->rooms[sender->datagrams];
}

/* ---- Kinds ---- */

/* What the datagrams of a message on its way have in common, in one number: how many octets each
 * has, and whether its message is behind a header, so has two parts. */
static inline uint64_t kind_of(size_t octets, unsigned parts)
{
    return (uint64_t)(parts - 1) << 32 | (uint32_t)octets;
}

static inline bool is_joined(const struct udp_sender *sender, uint64_t kind)
{
    return (uint32_t)kind - 1 < sender->joined_most;
}

static inline unsigned parts_of(uint64_t kind)
{
    return (unsigned)(kind >> 32) + 1;
}

/* ---- Messages ---- */

static inline void put(struct iovec *to, const struct iovec *vectors, unsigned parts)
{
    to[0] = vectors[0];
    if (parts == 2) {
        to[1] = vectors[1];
    }
}

/* Control data that makes a datagram leave from an address of ours. */
static void write_local(struct msghdr *header, const struct train *way)
{
    struct cmsghdr *part = header->msg_control;
    if (way->peer.any.sa_family == AF_INET) {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, &way->local, sizeof info.ipi_spec_dst);
        *part = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
        memcpy(CMSG_DATA(part), &info, sizeof info);
        header->msg_controllen = CMSG_SPACE(sizeof info);
        return;
    }
    struct in6_pktinfo info = {.ipi6_addr = way->local, .ipi6_ifindex = way->interface};
    *part = (struct cmsghdr){CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
    memcpy(CMSG_DATA(part), &info, sizeof info);
    header->msg_controllen = CMSG_SPACE(sizeof info);
}

/* Begins a message with its first datagram. Returns its header. */
static inline struct msghdr *begin(struct udp_sender *sender, struct train *way, uint64_t kind,
                                   const struct iovec *vectors)
{
    unsigned index = sender->count++;
    struct train *train = &sender->trains[index];
    struct msghdr *header = &sender->messages[index].msg_hdr;
    header->msg_name = &way->peer;
    header->msg_iovlen = parts_of(kind);
    header->msg_controllen = 0;
    put(header->msg_iov, vectors, parts_of(kind));
    train->kind = kind | NOT_JOINED;
    if (is_joined(sender, kind)) {
        train->kind = kind;
        way->by_size[kind % SIZES] = (uint8_t)index;
        way->host = (uint8_t)index;
    }
    return header;
}

/* Makes it the shorter one of the way's last message; or that message's only one the shorter one
 * behind it. False: neither can be. */
static inline bool pair(struct udp_sender *sender, struct train *way, uint64_t kind,
                        const struct iovec *vectors)
{
    unsigned parts = parts_of(kind);
    unsigned index = way->host;
    struct train *host = &sender->trains[index];
    struct msghdr *header = &sender->messages[index].msg_hdr;
    if (index >= sender->count || header->msg_name != &way->peer || host->has_shorter ||
        !is_joined(sender, host->kind) || !is_joined(sender, kind) ||
        parts_of(host->kind) != parts) {
        return false;
    }
    struct iovec *shorter = &header->msg_iov[VECTORS_MAX];
    if (host->kind >= kind) {
        put(shorter, vectors, parts);
    } else if (header->msg_iovlen == parts) {
        put(shorter, header->msg_iov, parts);
        put(header->msg_iov, vectors, parts);
        host->kind = kind;
        way->by_size[kind % SIZES] = (uint8_t)index;
    } else {
        return false;
    }
    host->has_shorter = true;
    return true;
}

/* The kernel is to cut behind so many octets. */
static void ask_to_cut(struct msghdr *header, uint16_t segment)
{
    struct cmsghdr *part =
        (struct cmsghdr *)(void *)((char *)header->msg_control + header->msg_controllen);
    *part = (struct cmsghdr){CMSG_LEN(sizeof segment), SOL_UDP, UDP_SEGMENT};
    memcpy(CMSG_DATA(part), &segment, sizeof segment);
    header->msg_controllen += CMSG_SPACE(sizeof segment);
}

/* ---- Ways ---- */

static inline uint64_t word_at(const void *octets, size_t offset)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)octets + offset, sizeof word);
    return word;
}

/* Where the way to this peer, and from this address of ours, is looked for. */
static inline uint8_t *slot_of(struct udp_sender *sender, const struct origin_datagram *origin,
                               bool from_local)
{
    const union origin_peer *peer = &origin->peer;
    uint64_t mixed = word_at(peer, 0); /* of IPv4 all of it */
    if (peer->any.sa_family != AF_INET) {
        mixed ^= word_at(peer, 8) * 3 ^ word_at(peer, 16) * 5;
    }
    if (from_local) {
        mixed ^= word_at(&origin->local, 0) * 7 ^ word_at(&origin->local, 8) * 9;
    }
    return &sender->slots[mixed * UINT64_C(0x9e3779b97f4a7c15) >> (64 - SLOT_BITS)];
}

static inline bool is_peer(const union origin_peer *a, const union origin_peer *b)
{
    _Static_assert(sizeof(struct sockaddr_in6) == 28, "all of it is compared");
    return word_at(a, 0) == word_at(b, 0) &&
           (b->any.sa_family == AF_INET ||
            (word_at(a, 8) == word_at(b, 8) && word_at(a, 16) == word_at(b, 16) &&
             word_at(a, 20) == word_at(b, 20)));
}

static inline bool is_way(const struct train *way, const struct origin_datagram *origin,
                          bool from_local)
{
    return is_peer(&way->peer, &origin->peer) && way->from_local == from_local &&
           (!from_local || (way->interface == origin->interface &&
                            memcmp(&way->local, &origin->local, sizeof way->local) == 0));
}

/* ---- Queueing ---- */

/* Puts a datagram behind others of its kind. False: there are none, or no room. */
static inline bool extend(struct udp_sender *sender, const struct train *way, uint64_t kind,
                          const struct iovec *vectors)
{
    unsigned parts = parts_of(kind);
    unsigned index = way->by_size[kind % SIZES];
    struct msghdr *header = &sender->messages[index].msg_hdr;
    size_t used = header->msg_iovlen;
    if (index >= sender->count || header->msg_name != &way->peer ||
        sender->trains[index].kind != kind || used > VECTORS_MAX - parts) {
        return false;
    }
    header->msg_iovlen = used + parts;
    put(header->msg_iov + used, vectors, parts);
    return true;
}

static struct iovec vector_of(struct span octets)
{
    return (struct iovec){(void *)(uintptr_t)octets.bytes, octets.size};
}

static inline bool is_full_after_one(struct udp_sender *sender)
{
    return ++sender->datagrams == UDP_BATCH;
}

/* Queues the first one of its way. This and the next stand apart, so that no other one saves
 * registers for them. */
static __attribute__((noinline)) bool add_way(struct udp_sender *sender, struct span message,
                                              const struct origin_datagram *origin, bool from_local,
                                              uint8_t *slot)
{
    unsigned index = sender->count;
    struct train *way = &sender->trains[index];
    struct iovec vector = vector_of(message);
    *slot = (uint8_t)index;
    way->peer = origin->peer;
    way->from_local = from_local;
    struct msghdr *header = begin(sender, way, kind_of(message.size, 1), &vector);
    header->msg_namelen = sizeof way->peer;
    if (from_local) {
        way->local = origin->local;
        way->interface = origin->interface;
        write_local(header, way);
    }
    return is_full_after_one(sender);
}

/* Queues the first one of its kind. */
static __attribute__((noinline)) bool add_kind(struct udp_sender *sender, struct span message,
                                               struct train *way)
{
    uint64_t kind = kind_of(message.size, 1);
    struct iovec vector = vector_of(message);
    if (!pair(sender, way, kind, &vector)) {
        struct msghdr *header = begin(sender, way, kind, &vector);
        header->msg_namelen = sizeof way->peer;
        if (way->from_local) {
            write_local(header, way);
        }
    }
    return is_full_after_one(sender);
}

/* Queues one by what is known of its way. */
static inline bool add(struct udp_sender *sender, struct span message,
                       const struct origin_datagram *origin, bool from_local)
{
    uint8_t *slot = slot_of(sender, origin, from_local);
    unsigned index = *slot;
    struct train *way = &sender->trains[index];
    if (index >= sender->count || !is_way(way, origin, from_local)) {
        return add_way(sender, message, origin, from_local, slot);
    }
    uint64_t kind = kind_of(message.size, 1);
    struct iovec vector = vector_of(message);
    if (!extend(sender, way, kind, &vector)) {
        return add_kind(sender, message, way);
    }
    return is_full_after_one(sender);
}

/* The same for those who need more to be told apart: any family, from any address. */
static __attribute__((noinline)) bool add_any(struct udp_sender *sender, struct span message,
                                              const struct origin_datagram *origin, bool from_local)
{
    return add(sender, message, origin, from_local);
}

bool udp_sender_add(struct udp_sender *sender, struct span message,
                    const struct origin_datagram *origin, bool from_local)
{
    if (from_local || origin->peer.any.sa_family != AF_INET) {
        return add_any(sender, message, origin, from_local);
    }
    return add(sender, message, origin, false);
}

/* Queues one whose way is that of the socket. */
static inline bool add_connected(struct udp_sender *sender, size_t octets,
                                 const struct iovec *vectors, unsigned parts)
{
    struct train *way = &sender->trains[0];
    uint64_t kind = kind_of(octets, parts);
    if (!extend(sender, way, kind, vectors) && !pair(sender, way, kind, vectors)) {
        (void)begin(sender, way, kind, vectors);
    }
    return is_full_after_one(sender);
}

bool udp_sender_add_connected(struct udp_sender *sender, struct span header, struct span message)
{
    const struct iovec vectors[] = {vector_of(header), vector_of(message)};
    if (header.size > 0) {
        return add_connected(sender, header.size + message.size, vectors, 2);
    }
    return add_connected(sender, message.size, &vectors[1], 1);
}

/* ---- Sending ---- */

static unsigned datagrams_of(const struct udp_sender *sender, unsigned message)
{
    return (unsigned)sender->messages[message].msg_hdr.msg_iovlen /
           parts_of(sender->trains[message].kind);
}

/* What the messages of several datagrams still lack. */
static void finish(struct udp_sender *sender)
{
    for (unsigned i = 0; i < sender->count; i++) {
        struct train *train = &sender->trains[i];
        struct msghdr *header = &sender->messages[i].msg_hdr;
        const uint64_t kind = train->kind;
        size_t used = header->msg_iovlen;
        if (train->has_shorter) {
            train->has_shorter = false;
            put(&header->msg_iov[used], &header->msg_iov[VECTORS_MAX], parts_of(kind));
            used += parts_of(kind);
            header->msg_iovlen = used;
        }
        if (used > parts_of(kind)) {
            ask_to_cut(header, (uint16_t)kind);
        }
    }
}

/* The kernel, a device without checksums, or IPsec on the way do not cut. */
static bool refuses_to_cut(int error)
{
    return error == EINVAL || error == EIO || error == EMSGSIZE || error == EOPNOTSUPP;
}

/* Sends the datagrams of a joined message each by itself. Returns how many could not be sent. */
static unsigned send_alone(struct udp_sender *sender, unsigned message, int descriptor)
{
    struct mmsghdr alone = sender->messages[message];
    unsigned count = datagrams_of(sender, message);
    unsigned lost = 0;
    alone.msg_hdr.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
    alone.msg_hdr.msg_iovlen = parts_of(sender->trains[message].kind);
    for (unsigned i = 0; i < count; i++) {
        int error;
        lost += 1 - udp_batch_send(descriptor, &alone, 1, &error);
        alone.msg_hdr.msg_iov += alone.msg_hdr.msg_iovlen;
    }
    return lost;
}

/* What became of a message that was not sent: how many datagrams are lost. */
static unsigned resolve(struct udp_sender *sender, unsigned message, int descriptor, int error)
{
    unsigned count = datagrams_of(sender, message);
    if (count == 1 || !refuses_to_cut(error)) {
        return count;
    }
    unsigned lost = send_alone(sender, message, descriptor);
    if (lost < count) {
        sender->joined_most = 0;
    }
    return lost;
}

unsigned udp_sender_flush(struct udp_sender *sender, int descriptor)
{
    unsigned at = 0;
    unsigned lost = 0;
    if (sender->count < sender->datagrams) {
        finish(sender);
    }
    while (at < sender->count) {
        int error;
        at += udp_batch_send(descriptor, sender->messages + at, sender->count - at, &error);
        if (error == EAGAIN) {
            break;
        }
        if (error != 0) {
            lost += resolve(sender, at++, descriptor, error);
        }
    }
    for (; at < sender->count; at++) {
        lost += datagrams_of(sender, at);
    }
    sender->datagrams = 0;
    sender->count = 0;
    return lost;
}
