/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What sockets and streams towards upstreams share (see upstream_env.h).
 */
#include "forwarder/upstream/upstream_env.h"

#include <time.h>

#include "forwarder/counters.h"
#include "forwarder/monotonic.h"
#include "forwarder/random_pool.h"
#include "forwarder/upstream/upstream_counts.h"
#include "forwarder/upstream/upstream_subnet.h"
#include "forwarder/wire/dns.h"

/* Random IDs tried before a channel counts as full: with half of all IDs waiting, sixteen misses
 * in a row are one in 65,536. */
#define ID_TRIES 16

void upstream_clock_read(struct upstream_clock *clock)
{
    struct timespec day;
    clock->us = monotonic_us();
    clock->ms = clock->us / 1000U;
    clock_gettime(CLOCK_REALTIME, &day);
    clock->seconds = wall_clock_judge(&clock->wall, day.tv_sec, (int64_t)(clock->ms / 1000U));
}

uint32_t upstream_clock_since(const struct upstream_clock *clock)
{
    return (uint32_t)(monotonic_us() - clock->us);
}

void upstream_channel_init(struct upstream_env *env, struct inflight_channel *channel,
                           struct upstream_server *server, struct upstream_counts *counts)
{
    *channel = (struct inflight_channel){
        .number = env->channels++,
        .counts = counts,
        .server = server,
    };
}

bool upstream_attempt(struct upstream_env *env, struct inflight_entry *entry,
                      struct inflight_channel *channel)
{
    for (unsigned i = 0; i < ID_TRIES; i++) {
        uint16_t id = random_pool_u16(env->random);
        if (inflight_attempt(env->inflight, entry, channel, id)) {
            dns_set_id(entry->message, id);
            entry->asked_ms = env->clock->ms;
            entry->attempts[entry->attempt_count - 1].asked_us = (uint32_t)env->clock->us;
            return true;
        }
    }
    return false;
}

/* How long did the attempt take that is answered by this ID? It is one of the entry's. */
static void measure(const struct upstream_env *env, const struct inflight_channel *channel,
                    const struct inflight_entry *entry, uint16_t id)
{
    const struct inflight_attempt *attempt = entry->attempts;
    while (attempt->channel != channel || attempt->id != id) {
        attempt++;
    }
    histogram_add(&channel->counts->latency, (uint32_t)env->clock->us - attempt->asked_us, 1);
}

struct inflight_entry *upstream_match(struct upstream_env *env,
                                      const struct inflight_channel *channel, struct span message)
{
    struct inflight_entry *entry = NULL;
    if (message.size >= DNS_HEADER_SIZE) {
        entry = inflight_find(env->inflight, channel, dns_id(message.bytes));
    }
    if (entry == NULL ||
        !dns_answers_query((struct span){entry->message, entry->message_size}, message, false)) {
        counters_add(env->counters, COUNTER_UNMATCHED);
        return NULL;
    }
    measure(env, channel, entry, dns_id(message.bytes));
    return entry;
}

static void deliver(struct upstream_env *env, struct inflight_entry *entry, uint8_t *message,
                    size_t size)
{
    dns_set_id(message, entry->client_id);
    env->events.on_answer(env->events.ctx, entry, (struct span){message, size});
    inflight_take(env->inflight, entry);
}

/* An answer that is not as the client would have got it. It stays where it was received, or else
 * lives for the call. */
static void deliver_changed(struct upstream_env *env, struct inflight_entry *entry,
                            struct upstream_room answer)
{
    uint8_t room[DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(room, sizeof room);
    struct span received = {answer.bytes, answer.size};
    if (upstream_subnet_withdraw(env, entry, received)) {
        (void)inflight_abandon(env->inflight, entry, NULL);
        env->ask_again(env->upstream, entry);
        return;
    }
    struct span changed = upstream_subnet_answer(entry, received, &writer);
    if (changed.size <= answer.capacity) {
        memmove(answer.bytes, changed.bytes, changed.size);
        deliver(env, entry, answer.bytes, changed.size);
    } else {
        deliver(env, entry, room, changed.size);
    }
}

void upstream_deliver(struct upstream_env *env, struct inflight_entry *entry,
                      struct upstream_room answer)
{
    if (entry->subnet != CLIENT_SUBNET_NONE) {
        deliver_changed(env, entry, answer);
    } else {
        deliver(env, entry, answer.bytes, answer.size);
    }
}
