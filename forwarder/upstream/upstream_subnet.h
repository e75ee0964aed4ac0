/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `send-client: ecs` in a worker: queries are put in flight as upstream is to get them, with the
 * client's own kept behind them; and their answers are turned into those the client is to get. What
 * is changed is client_subnet.h's business.
 */
#pragma once

#include "forwarder/config/config.h"
#include "forwarder/upstream/upstream_env.h"

struct query_client;

/* inflight_add for what the client asks; with the setting, its network is told. Inline, as without
 * it there is no more to do. */
struct inflight_entry *upstream_subnet_add_telling(struct upstream_env *env, struct span message,
                                                   const struct query_client *client);
static inline struct inflight_entry *upstream_subnet_add(struct upstream_env *env,
                                                         struct span message,
                                                         const struct query_client *client)
{
    return env->config->send_client == CONFIG_SEND_ECS
               ? upstream_subnet_add_telling(env, message, client)
               : inflight_add(env->inflight, message, env->clock->ms);
}

/* The same for a query of our own in place of the client's (original). */
struct inflight_entry *upstream_subnet_add_own(struct upstream_env *env, struct span message,
                                               struct span original,
                                               const struct query_client *client);

/* The answer to a query that was changed may be a refusal of what was told: then the entry's
 * message is made one that tells nothing, once. True: it is to be asked again. */
bool upstream_subnet_withdraw(struct upstream_env *env, struct inflight_entry *entry,
                              struct span answer);

/* The answer as its client is to get it, written to out, or answer itself. */
struct span upstream_subnet_answer(const struct inflight_entry *entry, struct span answer,
                                   struct span_writer *out);
