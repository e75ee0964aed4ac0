/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a worker would give the code that talks to upstreams: a loop, a table of queries, a clock,
 * counters. What comes back is kept for the test to look at. Each test binary includes it once.
 */
#pragma once

#include <check.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/counters.h"
#include "forwarder/random_pool.h"
#include "forwarder/udp_batch.h"
#include "forwarder/upstream/upstream_env.h"
#include "forwarder/upstream/upstream_set.h"
#include "test/fake_server.h"
#include "test/wire_notation.h"

#define BENCH_TARGETS 4

/* www.example. A IN, whose ID and opcode are the test's. */
#define BENCH_QUERY(id) id "0100 0001 0000 0000 0000 03'www'07'example'00 0001 0001"

struct bench {
    struct event_base *base;
    struct random_pool random;
    struct counters counters;
    struct upstream_clock clock;
    struct config_upstream config;
    _Atomic uint64_t oldest_set;
    struct upstream_env env;
    struct upstream_target *targets[BENCH_TARGETS];
    size_t target_count;

    unsigned answers; /* told of so far */
    unsigned unanswered;
    unsigned batches;
    uint16_t client_id;         /* of the last entry told of */
    struct fake_message answer; /* the last one */
};

static void bench_on_answer(void *ctx, const struct inflight_entry *entry, struct span answer)
{
    struct bench *bench = ctx;
    bench->answers++;
    bench->client_id = entry->client_id;
    bench->answer.size = answer.size;
    memcpy(bench->answer.bytes, answer.bytes, answer.size);
}

static void bench_on_unanswered(void *ctx, const struct inflight_entry *entry)
{
    struct bench *bench = ctx;
    bench->unanswered++;
    bench->client_id = entry->client_id;
}

static void bench_on_batch_end(void *ctx)
{
    struct bench *bench = ctx;
    bench->batches++;
}

/* capacity: of the table. No time-out is reached that the test has not shortened. */
static inline struct bench *bench_new(size_t capacity)
{
    struct bench *bench = calloc(1, sizeof *bench);
    ck_assert_ptr_nonnull(bench);
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    bench->base = event_base_new();
    bench->config = (struct config_upstream){.retry_after_ms = 10000, .timeout_ms = 30000};
    bench->env = (struct upstream_env){
        .base = bench->base,
        .inflight = inflight_new(capacity),
        .random = &bench->random,
        .counters = &bench->counters,
        .clock = &bench->clock,
        .receiver = udp_receiver_new(false),
        .config = &bench->config,
        .oldest_set = &bench->oldest_set,
        .events = {bench_on_answer, bench_on_unanswered, bench_on_batch_end, bench},
    };
    random_pool_init(&bench->random);
    upstream_clock_read(&bench->clock);
    ck_assert_ptr_nonnull(bench->base);
    ck_assert_ptr_nonnull(bench->env.inflight);
    ck_assert_ptr_nonnull(bench->env.receiver);
    return bench;
}

static inline void bench_free(struct bench *bench)
{
    for (size_t i = 0; i < bench->target_count; i++) {
        upstream_target_unref(bench->targets[i]);
    }
    inflight_free(bench->env.inflight);
    udp_receiver_free(bench->env.receiver);
    event_base_free(bench->base);
    free(bench);
}

/* The server as a target of the bench's. */
static inline struct upstream_target *bench_target(struct bench *bench,
                                                   const struct fake_server *server)
{
    ck_assert_uint_lt(bench->target_count, BENCH_TARGETS);
    struct upstream_target *target = upstream_target_new(&server->address, 1);
    ck_assert_ptr_nonnull(target);
    bench->targets[bench->target_count++] = target;
    return target;
}

/* A query in the table, as a worker puts it there: from a stream or not; asked of other servers,
 * too, if its opcode is QUERY. */
static inline struct inflight_entry *bench_add(struct bench *bench, const char *query, bool stream)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span message = wire_parse(query, bytes);
    upstream_clock_read(&bench->clock);
    struct inflight_entry *entry = inflight_add(bench->env.inflight, message, bench->clock.ms);
    ck_assert_ptr_nonnull(entry);
    entry->origin.kind = stream ? ORIGIN_STREAM : ORIGIN_DATAGRAM;
    entry->client = (struct address){{[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 1}};
    entry->client_id = dns_id(message.bytes);
    entry->retry = (message.bytes[2] & 0x78) == 0;
    return entry;
}

static inline uint64_t bench_counter(const struct bench *bench, enum counter counter)
{
    return atomic_load(&bench->counters.value[counter]);
}
