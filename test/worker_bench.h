/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A whole worker between clients and a fake upstream server, on loopback, with a generation of its
 * own. Its loop is driven by the test; no thread runs unless the test starts it. Clients at
 * 127.0.0.2 are in Italy, where order A blocks a.example; those at 127.0.0.1 are nowhere. Each test
 * binary includes it once.
 */
#pragma once

#include <signal.h>
#include <sys/eventfd.h>

#include "forwarder/client_quota.h"
#include "forwarder/counters.h"
#include "forwarder/log.h"
#include "forwarder/published.h"
#include "forwarder/rate_limit.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/upstream/upstream_set.h"
#include "forwarder/worker.h"
#include "test/fake_server.h"
#include "test/generation_set.h"
#include "test/wire_notation.h"

#define NOWHERE "127.0.0.1"
#define ITALY "127.0.0.2"

struct worker_bench {
    struct fake_server server;
    struct upstream_target *target;
    struct upstream_set *set;
    struct published *published;
    struct worker_shared shared;
    struct worker *worker;
    struct worker_sockets *sockets; /* the descriptors that the main thread would have */
    struct event_base *base;        /* the worker's loop; with a thread of its own an empty one */
    struct sockaddr_in udp;         /* where clients ask */
    struct sockaddr_in tcp;
};

static struct worker_bench bench;

/* Whether clients come by TLS instead of TCP, with cert.pem and key.pem of the scratch folder,
 * which bench_files puts there; set before bench_init. */
static bool bench_tls;
static void (*bench_files)(void);

/* A listening socket of the worker's. A client that does not read is noticed soon: nothing between
 * it and the worker holds much. */
static inline struct worker_socket bench_socket(int type, struct sockaddr_in *address)
{
    int size = 4096;
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    int descriptor = fake_socket(type | SOCK_NONBLOCK, address);
    ck_assert_int_ge(descriptor, 0);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (type == SOCK_STREAM) {
        ck_assert_int_eq(setsockopt(descriptor, SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
        ck_assert_int_eq(listen(descriptor, 64), 0);
    } else {
        int on = 1;
        ck_assert_int_eq(setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on), 0);
    }
    /* Without a port to prefer, the configuration listens on UDP and then TCP. */
    const struct config_listen *listen = &config->listen[type == SOCK_DGRAM ? 0 : 1];
    return (struct worker_socket){.descriptor = descriptor,
                                  .serial = type == SOCK_DGRAM ? 1 : 2,
                                  .listen = listen,
                                  .wildcard = true};
}

/* The same sockets by descriptors of their own. */
static inline struct worker_sockets *bench_share(const struct worker_sockets *sockets)
{
    size_t size = sizeof *sockets + sockets->count * sizeof(struct worker_socket);
    struct worker_sockets *shared = malloc(size);
    ck_assert_ptr_nonnull(shared);
    memcpy(shared, sockets, size);
    for (size_t i = 0; i < shared->count; i++) {
        shared->items[i].descriptor = dup(shared->items[i].descriptor);
        ck_assert_int_ge(shared->items[i].descriptor, 0);
    }
    return shared;
}

static inline struct published *bench_published(struct generation *generation)
{
    ck_assert_msg(generation != NULL, "%s", problems_text());
    struct published *published = published_new(generation, 1);
    ck_assert_ptr_nonnull(published);
    return published;
}

static inline void bench_listen_by_tls(struct config_listen *listen)
{
    char path[SCRATCH_PATH_MAX];
    listen->transport = CONFIG_TLS;
    listen->certificate = strdup(scratch_path(&scratch, "cert.pem", path));
    listen->key = strdup(scratch_path(&scratch, "key.pem", path));
}

/* lines: of forwarder.conf, its limits above all. With peers in trust.proxy-protocol both sockets
 * require PROXY headers. */
static inline void bench_init(const char *lines)
{
    char why[WHY_MAX] = "";
    char text[SET_TEXT_MAX];
    log_set_level(LOG_LEVEL_ERROR);
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    set_init();
    put("overrides.csv", ITALY ",IT,,,\n");
    snprintf(text, sizeof text, "geo: {database: country.mmdb, overrides: overrides.csv}\n%s",
             lines);
    configure(text);
    for (size_t i = 0; i < config->listen_count && config->trust.proxy_protocol != NULL; i++) {
        config->listen[i].proxy = CONFIG_PROXY_FIRST;
    }
    if (bench_tls) {
        bench_files();
        bench_listen_by_tls(&config->listen[1]);
    }
    config->upstream.retry_after_ms = 200;
    config->upstream.timeout_ms = 10000;
    fake_server_open(&bench.server);
    bench.target = upstream_target_new(&bench.server.address, 1);
    ck_assert_ptr_nonnull(bench.target);
    bench.set = upstream_set_new(1, &bench.target, 1);
    ck_assert_ptr_nonnull(bench.set);
    bench.published = bench_published(load((struct load){.read_only = true}));
    bench.shared = (struct worker_shared){
        .config = config,
        .quota = client_quota_new(config->limits.tcp_connections, config->limits.tcp_per_client),
        .rate_limit = rate_limit_new(),
        .notify = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC),
    };
    struct worker_sockets *sockets = calloc(1, sizeof *sockets + 2 * sizeof(struct worker_socket));
    ck_assert_ptr_nonnull(sockets);
    sockets->number = 1;
    sockets->items[sockets->count++] = bench_socket(SOCK_DGRAM, &bench.udp);
    sockets->items[sockets->count++] = bench_socket(SOCK_STREAM, &bench.tcp);
    bench.sockets = bench_share(sockets);
    const struct worker_setup setup = {
        .sockets = sockets, .published = bench.published, .set = bench.set};
    bench.worker = worker_new(&bench.shared, &setup, why);
    ck_assert_msg(bench.worker != NULL, "%s", why);
    bench.worker->sockets = bench.sockets;
    bench.base = bench.worker->base;
}

/* What the worker left behind, the sanitizers tell. */
static inline void bench_fini(void)
{
    worker_free(bench.worker);
    worker_sockets_free(bench.sockets);
    ck_assert_uint_eq(client_quota_connections(bench.shared.quota), 0);
    client_quota_free(bench.shared.quota);
    rate_limit_free(bench.shared.rate_limit);
    close(bench.shared.notify);
    published_free(bench.published);
    upstream_set_free(bench.set);
    upstream_target_unref(bench.target);
    fake_server_close(&bench.server);
    set_fini();
}

static inline uint64_t bench_counter(enum counter counter)
{
    return counters_read(&bench.worker->counters, counter);
}

/* A client's socket, connected to the worker: SOCK_STREAM or SOCK_DGRAM. */
static inline int bench_client(const char *from, int type)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    const struct sockaddr_in *to = type == SOCK_STREAM ? &bench.tcp : &bench.udp;
    int size = 4096;
    ck_assert_int_eq(inet_pton(AF_INET, from, &address.sin_addr), 1);
    int client = fake_socket(type, &address);
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    ck_assert_int_eq(connect(client, (const struct sockaddr *)to, sizeof *to), 0);
    return client;
}

/* A query for name, written as wire_notation has it ("03'www'00"), with this ID and type A. */
static inline void bench_query(struct fake_message *message, uint16_t id, const char *name)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    char text[512];
    snprintf(text, sizeof text, "%04x 0100 0001 0000 0000 0000 %s 0001 0001", (unsigned)id, name);
    struct span query = wire_parse(text, bytes);
    message->size = query.size;
    memcpy(message->bytes, query.bytes, query.size);
}

/* The same over a stream. */
static inline void bench_ask(int client, uint16_t id, const char *name)
{
    struct fake_message message;
    bench_query(&message, id, name);
    fake_stream_write(client, bench.base, &message);
}

/* The next answer on a stream, which must be the one with this ID. */
static inline void bench_expect(int client, uint16_t id, enum dns_rcode rcode)
{
    struct fake_message message;
    ck_assert_msg(fake_stream_read(client, bench.base, &message), "%u: the end", id);
    ck_assert_uint_ge(message.size, DNS_HEADER_SIZE);
    ck_assert_uint_eq(dns_id(message.bytes), id);
    ck_assert_uint_eq(message.bytes[2] & 0x80U, 0x80);
    ck_assert_uint_eq(message.bytes[3] & DNS_RCODE_MASK, (unsigned)rcode);
}

/* The stream must end without another octet. */
static inline void bench_expect_end(int client)
{
    struct fake_message message;
    ck_assert(!fake_stream_read(client, bench.base, &message));
    close(client);
}

static inline size_t bench_connections(void)
{
    return stream_clients_count(bench.worker->streams);
}

/* The next query at the server, on this connection. */
static inline void bench_read(int upstream, struct fake_message *message)
{
    ck_assert(fake_stream_read(upstream, bench.base, message));
}

static inline void bench_answer(int upstream, struct fake_message *message)
{
    fake_answer(message);
    fake_stream_write(upstream, bench.base, message);
}

static inline void bench_ask_transfer(int client, uint16_t id)
{
    struct fake_message message;
    bench_query(&message, id, "07'example'00");
    ck_assert_uint_gt(message.size, 3);
    message.bytes[message.size - 3] = 0xfc;
    fake_stream_write(client, bench.base, &message);
}

/* The transfer's own connection at the server, its query in *message turned into an answer. */
static inline int bench_accept_transfer(struct fake_message *message)
{
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, message);
    ck_assert_uint_eq(message->bytes[message->size - 3], 0xfc);
    fake_answer(message);
    return upstream;
}
