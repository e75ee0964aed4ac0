/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Between quic/ and dispatch (see listen_quic.h).
 */
#include "forwarder/listen_quic.h"

#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/dispatch.h"
#include "forwarder/generation/generation.h"
#include "forwarder/generation/generation_tls.h"
#include "forwarder/log.h"
#include "forwarder/published.h"
#include "forwarder/quic/quic_credentials.h"
#include "forwarder/quic/quic_endpoint.h"
#include "forwarder/quic/quic_table.h"
#include "forwarder/stream/hop_options.h"
#include "forwarder/stream/tls_pair.h"
#include "forwarder/true_client.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/upstream/upstream.h"
#include "forwarder/worker.h"

struct quic_listener {
    struct listen_quic *quic;
    const struct config_listen *listen;
    struct quic_endpoint *endpoint;
    struct tls_pair *pair; /* what its credentials were made from; NULL: it has none */
    TAILQ_ENTRY(quic_listener) link;
};

struct listen_quic {
    struct worker *worker;
    struct quic_table *table;
    unsigned taken; /* queries of this batch */
    TAILQ_HEAD(, quic_listener) listeners;
};

/* Who may speak for others is not counted as one client. */
static struct address holder_of(void *ctx, const struct address *client)
{
    const struct listen_quic *quic = ctx;
    const struct config_trust *trust = &quic->worker->published->generation->config->trust;
    return true_client_speaks(trust, client) ? CLIENT_QUOTA_NOBODY : *client;
}

static bool has_room(void *ctx, size_t size)
{
    const struct listen_quic *quic = ctx;
    return inflight_has_room(quic->worker->inflight, size);
}

static struct query_ends ends_of(const struct quic_query *query)
{
    struct query_ends ends = {.client = query->client,
                              .client_port = origin_port(&query->peer.any),
                              .server_port = origin_port(&query->local.any)};
    (void)address_of_sockaddr(&query->local.any, &ends.server);
    return ends;
}

/* RFC 9250 section 4.2.1: the ID is 0; section 5.5.2: a query asks for no keepalive. */
static bool on_query(void *ctx, const struct quic_query *query)
{
    struct listen_quic *quic = ctx;
    struct origin origin = {
        .kind = ORIGIN_QUIC, .transport = CONFIG_QUIC, .connection = query->origin};
    const struct query_ends ends = ends_of(query);
    struct query_client who = true_client_of_peer(&query->client);
    struct span message = {query->message, query->size};
    uint8_t out[BLOCK_ANSWER_MAX];
    who.stream = true;
    who.ends = &ends;
    if (message.size < sizeof(uint16_t) || dns_id(message.bytes) != 0) {
        return false;
    }
    message.size = hop_options_take(query->message, query->size, &origin.connection.hop);
    if (origin.connection.hop.keepalive) {
        return false;
    }
    quic->taken++;
    size_t size = dispatch_query(quic->worker, &origin, &who, message, out);
    if (size > 0) {
        listen_quic_answer(quic, &origin.connection, (struct span){out, size});
    }
    return true;
}

static void on_batch(void *ctx)
{
    struct listen_quic *quic = ctx;
    quic->taken = 0;
    upstream_clock_read(&quic->worker->clock);
}

static void on_batch_end(void *ctx)
{
    struct listen_quic *quic = ctx;
    struct worker *worker = quic->worker;
    upstream_flush(worker->upstream);
    if (quic->taken > 0) {
        counters_took(&worker->counters, CONFIG_QUIC, upstream_clock_since(&worker->clock),
                      quic->taken);
    }
}

struct listen_quic *listen_quic_new(struct worker *worker)
{
    const struct config *config = worker->shared->config;
    struct listen_quic *quic = calloc(1, sizeof *quic);
    if (quic == NULL) {
        return NULL;
    }
    struct quic_env env = {
        .base = worker->base,
        .limits = &config->limits,
        .reaper = &worker->reaper,
        .counters = &worker->counters,
        .receiver = worker->queries,
        .tickets = worker->shared->tickets,
        .worker = worker->index,
        .answer_ms = config->upstream.timeout_ms,
        .holder = holder_of,
        .has_room = has_room,
        .on_query = on_query,
        .on_batch = on_batch,
        .on_batch_end = on_batch_end,
        .ctx = quic,
    };
    quic->worker = worker;
    TAILQ_INIT(&quic->listeners);
    quic->table = quic_table_new(&env);
    if (quic->table == NULL) {
        free(quic);
        return NULL;
    }
    return quic;
}

static void listener_free(struct quic_listener *listener)
{
    TAILQ_REMOVE(&listener->quic->listeners, listener, link);
    tls_pair_unref(listener->pair);
    free(listener);
}

void listen_quic_free(struct listen_quic *quic)
{
    struct quic_listener *listener;
    if (quic == NULL) {
        return;
    }
    quic_table_free(quic->table);
    while ((listener = TAILQ_FIRST(&quic->listeners)) != NULL) {
        listener_free(listener);
    }
    free(quic);
}

struct quic_listener *listen_quic_add(struct listen_quic *quic, const struct worker_socket *socket)
{
    struct quic_endpoint_setup setup = {socket->descriptor, &socket->listen->address,
                                        socket->wildcard};
    struct quic_listener *listener = calloc(1, sizeof *listener);
    if (listener == NULL) {
        close(socket->descriptor);
        return NULL;
    }
    listener->quic = quic;
    listener->listen = socket->listen;
    listener->endpoint = quic_endpoint_new(quic->table, &setup);
    if (listener->endpoint == NULL) {
        free(listener);
        return NULL;
    }
    TAILQ_INSERT_TAIL(&quic->listeners, listener, link);
    return listener;
}

void listen_quic_become(struct quic_listener *listener, const struct config_listen *listen)
{
    listener->listen = listen;
}

void listen_quic_leave(struct quic_listener *listener)
{
    quic_endpoint_drain(listener->endpoint);
}

bool listen_quic_is_unused(const struct quic_listener *listener)
{
    return quic_endpoint_unused(listener->endpoint);
}

void listen_quic_remove(struct quic_listener *listener)
{
    quic_endpoint_close(listener->endpoint);
    listener_free(listener);
}

static void renew(struct quic_listener *listener, struct tls_pair *pair)
{
    char why[WHY_MAX];
    char value[LOG_VALUE_MAX];
    struct quic_credentials *credentials = NULL;
    if (pair != NULL) {
        credentials = quic_credentials_new(tls_pair_certificate(pair), tls_pair_key(pair), why);
    }
    if (pair != NULL && credentials == NULL) {
        log_event(LOG_LEVEL_ERROR, "quic", "certificate cannot be used", "file=%s why=%s",
                  listener->listen->certificate, log_quote(why, value, sizeof value));
        return;
    }
    quic_endpoint_renew(listener->endpoint, credentials);
    quic_credentials_unref(credentials);
    tls_pair_unref(listener->pair);
    listener->pair = pair == NULL ? NULL : tls_pair_ref(pair);
}

void listen_quic_adopt(struct listen_quic *quic)
{
    const struct generation *generation = quic->worker->published->generation;
    struct quic_listener *listener;
    TAILQ_FOREACH(listener, &quic->listeners, link)
    {
        struct tls_pair *pair = generation_tls_find(generation, listener->listen);
        if (pair != listener->pair) {
            renew(listener, pair);
        }
    }
}

size_t listen_quic_count(const struct listen_quic *quic)
{
    return quic_table_count(quic->table);
}

void listen_quic_drain(struct listen_quic *quic)
{
    quic_table_drain(quic->table);
}

void listen_quic_expect(struct listen_quic *quic, const struct origin_stream *origin)
{
    quic_table_expect(quic->table, origin);
}

void listen_quic_answer(struct listen_quic *quic, const struct origin_stream *origin,
                        struct span answer)
{
    uint8_t out[DNS_MESSAGE_MAX];
    size_t size = hop_options_put(answer, &origin->hop, 0, out);
    if (size > 0) {
        answer = (struct span){out, size};
    }
    quic_table_answer(quic->table, origin, answer);
}

void listen_quic_forgo(struct listen_quic *quic, const struct origin_stream *origin)
{
    quic_table_forgo(quic->table, origin);
}

void listen_quic_resume(struct listen_quic *quic)
{
    if (TAILQ_EMPTY(&quic->listeners)) {
        return; /* every batch of answers comes by here */
    }
    quic_table_resume(quic->table);
    quic_table_flush(quic->table);
}
