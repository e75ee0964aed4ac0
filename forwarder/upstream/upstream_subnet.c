/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Queries that tell the client's network, in flight (see upstream_subnet.h).
 */
#include "forwarder/upstream/upstream_subnet.h"

#include "forwarder/counters.h"
#include "forwarder/query.h"
#include "forwarder/wire/dns.h"

/* The message with the client's network in room; what was changed. */
static enum client_subnet tell(const struct upstream_env *env, const struct query_client *client,
                               struct span message, struct span_writer *room)
{
    const struct config_upstream *config = env->config;
    if (query_client_is_unknown(client)) {
        return CLIENT_SUBNET_NONE;
    }
    const struct client_subnet_teller teller = {&client->subject, client->spread, config->ecs_ipv4,
                                                config->ecs_ipv6};
    return client_subnet_query(message, &teller, room);
}

/* The message that tells the client's network, in flight in place of the client's own (original);
 * NULL where nothing is told, or there is no room for both. */
static struct inflight_entry *add_telling(struct upstream_env *env, struct span message,
                                          struct span original, const struct query_client *client)
{
    uint8_t room[DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(room, sizeof room);
    enum client_subnet change = tell(env, client, message, &writer);
    if (change == CLIENT_SUBNET_NONE) {
        return NULL;
    }
    struct inflight_entry *entry =
        inflight_add_own(env->inflight, (struct span){room, writer.size}, original, env->clock->ms);
    if (entry != NULL) {
        entry->subnet = change;
    }
    return entry;
}

struct inflight_entry *upstream_subnet_add_telling(struct upstream_env *env, struct span message,
                                                   const struct query_client *client)
{
    struct inflight_entry *entry = add_telling(env, message, message, client);
    return entry != NULL ? entry : inflight_add(env->inflight, message, env->clock->ms);
}

struct inflight_entry *upstream_subnet_add_own(struct upstream_env *env, struct span message,
                                               struct span original,
                                               const struct query_client *client)
{
    struct inflight_entry *entry = NULL;
    if (env->config->send_client == CONFIG_SEND_ECS) {
        entry = add_telling(env, message, original, client);
    }
    return entry != NULL ? entry
                         : inflight_add_own(env->inflight, message, original, env->clock->ms);
}

bool upstream_subnet_withdraw(struct upstream_env *env, struct inflight_entry *entry,
                              struct span answer)
{
    uint8_t room[DNS_MESSAGE_MAX];
    struct span message = {entry->message, entry->message_size};
    struct span_writer writer = span_writer(room, sizeof room);
    if (!client_subnet_is_refusal(answer, entry->subnet) ||
        !client_subnet_withdraw(message, entry->subnet, &writer)) {
        return false;
    }
    memcpy(entry->message, room, writer.size); /* it is shorter */
    entry->message_size = (uint32_t)writer.size;
    entry->subnet = CLIENT_SUBNET_NONE;
    counters_add(env->counters, COUNTER_SUBNET_REFUSED);
    return true;
}

struct span upstream_subnet_answer(const struct inflight_entry *entry, struct span answer,
                                   struct span_writer *out)
{
    struct span original = {entry->original, entry->original_size};
    if (!client_subnet_answer(answer, entry->subnet, original, out)) {
        return answer;
    }
    return (struct span){out->bytes, out->size};
}
