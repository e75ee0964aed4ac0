/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The floor: a relay that does no DNS. One epoll loop, batched receive and send, eight upstream
 * sockets, and of each message only the ID is changed. What it costs is what the kernel costs; a
 * forwarder is judged by what it adds.
 *
 * usage: floor LISTEN UPSTREAM        each ADDRESS:PORT
 *
 * Queries wait in a ring of 65,536 places for each socket, found by the ID alone: nothing is
 * checked, nothing times out, and the 65,537th takes the place of the first.
 */
#include <sys/epoll.h>

#include "test/bench/batch.h"

#define UPSTREAM_SOCKETS 8
#define IDS 65536

struct waiting {
    struct sockaddr_in peer;
    uint16_t id;
};

struct relay {
    int clients;
    int upstreams[UPSTREAM_SOCKETS];
    uint16_t next_id[UPSTREAM_SOCKETS];
    unsigned turn;
    struct waiting *waiting[UPSTREAM_SOCKETS];
    struct batch batch;
};

static void watch(int epoll, int descriptor, uint32_t number)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = number};
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event) != 0) {
        bench_fail("epoll_ctl");
    }
}

static void relay_queries(struct relay *relay)
{
    struct batch *batch = &relay->batch;
    unsigned count = batch_receive(batch, relay->clients, true);
    unsigned upstream = relay->turn++ % UPSTREAM_SOCKETS;
    for (unsigned i = 0; i < count; i++) {
        uint16_t id = relay->next_id[upstream]++;
        struct waiting *waiting = &relay->waiting[upstream][id];
        uint8_t *message = batch->octets[i];
        waiting->peer = batch->peers[i];
        memcpy(&waiting->id, message, sizeof waiting->id);
        memcpy(message, &id, sizeof id);
        batch->parts[i].iov_len = batch->headers[i].msg_len;
        batch->headers[i].msg_hdr.msg_name = NULL;
        batch->headers[i].msg_hdr.msg_namelen = 0;
    }
    batch_send(batch, relay->upstreams[upstream], count);
}

static void relay_answers(struct relay *relay, unsigned upstream)
{
    struct batch *batch = &relay->batch;
    unsigned count = batch_receive(batch, relay->upstreams[upstream], false);
    for (unsigned i = 0; i < count; i++) {
        uint16_t id;
        uint8_t *message = batch->octets[i];
        memcpy(&id, message, sizeof id);
        struct waiting *waiting = &relay->waiting[upstream][id];
        memcpy(message, &waiting->id, sizeof waiting->id);
        batch->parts[i].iov_len = batch->headers[i].msg_len;
        batch->headers[i].msg_hdr.msg_name = &waiting->peer;
        batch->headers[i].msg_hdr.msg_namelen = sizeof waiting->peer;
    }
    batch_send(batch, relay->clients, count);
}

static void relay_open(struct relay *relay, int epoll, char **addresses)
{
    struct sockaddr_in listen = bench_address(addresses[0]);
    struct sockaddr_in server = bench_address(addresses[1]);
    batch_init(&relay->batch);
    relay->clients = bench_socket();
    if (bind(relay->clients, (struct sockaddr *)&listen, sizeof listen) != 0) {
        bench_fail("bind");
    }
    watch(epoll, relay->clients, UPSTREAM_SOCKETS);
    for (uint32_t i = 0; i < UPSTREAM_SOCKETS; i++) {
        relay->upstreams[i] = bench_socket();
        relay->waiting[i] = calloc(IDS, sizeof *relay->waiting[i]);
        if (relay->waiting[i] == NULL ||
            connect(relay->upstreams[i], (struct sockaddr *)&server, sizeof server) != 0) {
            bench_fail("upstream");
        }
        watch(epoll, relay->upstreams[i], i);
    }
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fputs("usage: floor LISTEN UPSTREAM\n", stderr);
        return 2;
    }
    struct relay *relay = calloc(1, sizeof *relay);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    if (relay == NULL || epoll < 0) {
        bench_fail("epoll");
    }
    relay_open(relay, epoll, argv + 1);
    for (;;) {
        struct epoll_event events[UPSTREAM_SOCKETS + 1];
        int count = epoll_wait(epoll, events, UPSTREAM_SOCKETS + 1, -1);
        for (int i = 0; i < count; i++) {
            if (events[i].data.u32 == UPSTREAM_SOCKETS) {
                relay_queries(relay);
            } else {
                relay_answers(relay, events[i].data.u32);
            }
        }
    }
}
