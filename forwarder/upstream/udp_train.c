/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams joined by size (see udp_train.h). A flush puts them in order, longest first, lays their
 * octets out as one array of vectors, and cuts that into messages. The longest are not joined: a
 * query of such a size is rare, and must be free to be fragmented.
 */
#include "forwarder/upstream/udp_train.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define JOINED_BELOW 512U /* octets; fits the least MTU */
#define WORD_BITS 64U

_Static_assert(UDP_BATCH <= 64, "UDP_MAX_SEGMENTS of older kernels");
_Static_assert(JOINED_BELOW *UDP_BATCH <= 65507, "what a datagram holds");

struct control {
    _Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(uint16_t))];
};

/* Those of one size are a list, as they came: first[size] and last[size] say where it begins and
 * ends if the size's bit of `sizes` is set, `next` how it goes on, and an index of UDP_BATCH that
 * it ends. Size 0 stands for all that are not joined. */
struct udp_train {
    struct iovec parts[UDP_BATCH][2]; /* header and message */
    size_t octets[UDP_BATCH];
    unsigned count;
    uint64_t sizes[JOINED_BELOW / WORD_BITS];
    uint8_t first[JOINED_BELOW];
    uint8_t last[JOINED_BELOW];
    uint8_t next[UDP_BATCH];
    bool joins; /* until that is refused */

    struct mmsghdr messages[UDP_BATCH];
    uint8_t begins[UDP_BATCH + 1]; /* where each message's datagrams begin in the order */
    struct iovec vectors[2 * UDP_BATCH];
    struct control controls[UDP_BATCH];
    uint8_t rooms[UDP_BATCH][PROXY_HEADER_ENCODED_MAX];
};

struct udp_train *udp_train_new(void)
{
    struct udp_train *train = calloc(1, sizeof(*train));
    if (train == NULL) {
        return NULL;
    }
    train->joins = true;
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        struct cmsghdr *part = (struct cmsghdr *)train->controls[i].bytes;
        *part = (struct cmsghdr){CMSG_LEN(sizeof(uint16_t)), SOL_UDP, UDP_SEGMENT};
    }
    return train;
}

void udp_train_free(struct udp_train *train)
{
    free(train);
}

bool udp_train_full(const struct udp_train *train)
{
    return train->count == UDP_BATCH;
}

uint8_t *udp_train_room(struct udp_train *train)
{
    return train->rooms[train->count];
}

static struct iovec vector_of(struct span octets)
{
    return (struct iovec){(void *)(uintptr_t)octets.bytes, octets.size};
}

void udp_train_add(struct udp_train *train, struct span header, struct span message)
{
    unsigned index = train->count++;
    size_t octets = header.size + message.size;
    size_t size = octets < JOINED_BELOW ? octets : 0;
    uint64_t bit = UINT64_C(1) << (size % WORD_BITS);
    uint64_t *word = &train->sizes[size / WORD_BITS];
    train->parts[index][0] = vector_of(header);
    train->parts[index][1] = vector_of(message);
    train->octets[index] = octets;
    train->next[index] = UDP_BATCH;
    *((*word & bit) != 0 ? &train->next[train->last[size]] : &train->first[size]) = (uint8_t)index;
    train->last[size] = (uint8_t)index;
    *word |= bit;
}

/* Takes all out of their lists, longest first, those that are not joined last. */
static void put_in_order(struct udp_train *train, uint8_t order[static UDP_BATCH])
{
    unsigned count = 0;
    for (unsigned word = JOINED_BELOW / WORD_BITS; word-- > 0;) {
        while (train->sizes[word] != 0) {
            unsigned bit = WORD_BITS - 1 - (unsigned)__builtin_clzll(train->sizes[word]);
            uint8_t index = train->first[word * WORD_BITS + bit];
            for (; index < UDP_BATCH; index = train->next[index]) {
                order[count++] = index;
            }
            train->sizes[word] &= ~(UINT64_C(1) << bit);
        }
    }
    train->count = 0;
}

/* Appends a datagram to the vectors, of which there are `used`. Returns how many there are then. */
static unsigned append(struct udp_train *train, unsigned index, unsigned used)
{
    if (train->parts[index][0].iov_len > 0) {
        train->vectors[used++] = train->parts[index][0];
    }
    train->vectors[used++] = train->parts[index][1];
    return used;
}

/* What the kernel is to cut at each `segment` octets. */
static void ask_to_cut(struct msghdr *header, struct control *control, size_t segment)
{
    uint16_t octets = (uint16_t)segment;
    memcpy(CMSG_DATA((struct cmsghdr *)control->bytes), &octets, sizeof(octets));
    header->msg_control = control->bytes;
    header->msg_controllen = sizeof(control->bytes);
}

/* Writes the messages that carry these datagrams. Returns how many. */
static unsigned write_messages(struct udp_train *train, const uint8_t *order, unsigned count)
{
    unsigned messages = 0;
    unsigned used = 0;
    for (unsigned i = 0; i < count; messages++) {
        struct msghdr *header = &train->messages[messages].msg_hdr;
        size_t segment = train->octets[order[i]];
        unsigned begin = i;
        *header = (struct msghdr){.msg_iov = &train->vectors[used]};
        train->begins[messages] = (uint8_t)i;
        do {
            used = append(train, order[i++], used);
        } while (train->joins && segment < JOINED_BELOW && i < count &&
                 train->octets[order[i - 1]] == segment && train->octets[order[i]] <= segment);
        header->msg_iovlen = (size_t)(&train->vectors[used] - header->msg_iov);
        if (i - begin > 1) {
            ask_to_cut(header, &train->controls[messages], segment);
        }
    }
    train->begins[messages] = (uint8_t)count;
    return messages;
}

/* The kernel, a device without checksums, or IPsec on the way do not cut. */
static bool refuses_to_cut(int error)
{
    return error == EINVAL || error == EIO || error == EMSGSIZE || error == EOPNOTSUPP;
}

static unsigned datagrams_of(const struct udp_train *train, unsigned message)
{
    return (unsigned)train->begins[message + 1] - train->begins[message];
}

unsigned udp_train_flush(struct udp_train *train, int descriptor)
{
    uint8_t order[UDP_BATCH];
    unsigned count = train->count;
    unsigned at = 0;
    unsigned lost = 0;
    put_in_order(train, order);
    while (at < count) {
        unsigned messages = write_messages(train, order + at, count - at);
        int error;
        unsigned sent = udp_batch_send(descriptor, train->messages, messages, &error);
        unsigned refused = error != 0 ? datagrams_of(train, sent) : 0;
        at += train->begins[sent];
        if (error == EAGAIN) {
            return lost + count - at;
        }
        if (refused > 1 && refuses_to_cut(error)) {
            train->joins = false; /* and these are tried again, each by itself */
        } else {
            at += refused;
            lost += refused;
        }
    }
    return lost;
}
