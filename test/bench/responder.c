/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The upstream of the benchmark: answers every query at once with one A record, over UDP in batches
 * and over TCP, faster than anything that stands in front of it. What follows the question in a
 * query is left out.
 *
 * usage: responder LISTEN             ADDRESS:PORT
 */
#include <sys/epoll.h>
#include <unistd.h>

#include "test/bench/batch.h"

#define CONNECTIONS_MAX 1024 /* by descriptor */
#define STREAM_OCTETS 65536

/* Octets of a stream that are not a whole message yet. */
struct stream {
    size_t size;
    uint8_t octets[STREAM_OCTETS];
};

/* A pointer to the qname, A, IN, 60 seconds, 192.0.2.1. */
static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};

/* Turns a query into its answer in place; the buffer has room for record behind it. */
static size_t answer(uint8_t *message, size_t size)
{
    size_t at = 12;
    while (at < size && message[at] != 0) {
        at += message[at] + 1U;
    }
    at += 5; /* the root label, type and class */
    if (at > size) {
        return 0;
    }
    message[2] |= 0x80; /* QR */
    message[3] = 0x80;  /* RA */
    memset(message + 6, 0, 6);
    message[7] = 1; /* ANCOUNT */
    memcpy(message + at, record, sizeof record);
    return at + sizeof record;
}

static void answer_datagrams(struct batch *batch, int descriptor)
{
    unsigned count = batch_receive(batch, descriptor, true);
    for (unsigned i = 0; i < count; i++) {
        size_t size = batch->headers[i].msg_len;
        batch->parts[i].iov_len = size < 512 ? answer(batch->octets[i], size) : 0;
    }
    batch_send(batch, descriptor, count);
}

/* Answers the whole messages of a stream; what is left moves to the front. */
static bool answer_messages(struct stream *stream, int descriptor)
{
    static uint8_t out[STREAM_OCTETS];
    size_t at = 0;
    size_t used = 0;
    while (stream->size - at >= 2) {
        size_t size = (size_t)stream->octets[at] << 8 | stream->octets[at + 1];
        if (stream->size - at - 2 < size || size > 512) {
            break;
        }
        memcpy(out + used + 2, stream->octets + at + 2, size);
        size_t answered = answer(out + used + 2, size);
        out[used] = (uint8_t)(answered >> 8);
        out[used + 1] = (uint8_t)answered;
        used += answered + 2;
        at += size + 2;
        if (used > STREAM_OCTETS - 1024) {
            break;
        }
    }
    memmove(stream->octets, stream->octets + at, stream->size - at);
    stream->size -= at;
    return used == 0 || send(descriptor, out, used, MSG_NOSIGNAL) == (ssize_t)used;
}

static void read_stream(struct stream **streams, int descriptor)
{
    struct stream *stream = streams[descriptor];
    ssize_t size =
        recv(descriptor, stream->octets + stream->size, STREAM_OCTETS / 2 - stream->size, 0);
    if (size > 0) {
        stream->size += (size_t)size;
        if (answer_messages(stream, descriptor)) {
            return;
        }
    }
    close(descriptor);
    free(stream);
    streams[descriptor] = NULL;
}

static void accept_stream(struct stream **streams, int listener, int epoll)
{
    int descriptor = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = descriptor};
    if (descriptor < 0) {
        return;
    }
    if (descriptor >= CONNECTIONS_MAX ||
        (streams[descriptor] = calloc(1, sizeof(struct stream))) == NULL ||
        epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        bench_fail("accept");
    }
}

static int listen_on(int kind, const struct sockaddr_in *address)
{
    const int yes = 1;
    int descriptor = kind == SOCK_DGRAM ? bench_socket() : socket(AF_INET, kind | SOCK_CLOEXEC, 0);
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(descriptor, (const struct sockaddr *)address, sizeof *address) != 0 ||
        (kind == SOCK_STREAM && listen(descriptor, 128) != 0)) {
        bench_fail("listen");
    }
    return descriptor;
}

int main(int argc, char **argv)
{
    static struct batch batch;
    static struct stream *streams[CONNECTIONS_MAX];
    if (argc != 2) {
        fputs("usage: responder LISTEN\n", stderr);
        return 2;
    }
    struct sockaddr_in address = bench_address(argv[1]);
    int datagrams = listen_on(SOCK_DGRAM, &address);
    int listener = listen_on(SOCK_STREAM, &address);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    batch_init(&batch);
    const int watched[] = {datagrams, listener};
    for (unsigned i = 0; i < 2; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = watched[i]};
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, watched[i], &event) != 0) {
            bench_fail("epoll_ctl");
        }
    }
    for (;;) {
        struct epoll_event event;
        if (epoll_wait(epoll, &event, 1, -1) != 1) {
            continue;
        }
        if (event.data.fd == datagrams) {
            answer_datagrams(&batch, datagrams);
        } else if (event.data.fd == listener) {
            accept_stream(streams, listener, epoll);
        } else {
            read_stream(streams, event.data.fd);
        }
    }
}
