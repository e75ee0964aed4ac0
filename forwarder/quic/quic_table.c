/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who is there (see quic_table.h).
 */
#include "forwarder/quic/quic_table.h"

#include <stdlib.h>
#include <sys/random.h>

#include "forwarder/counters.h"
#include "forwarder/monotonic.h"
#include "forwarder/quic/quic_state.h"
#include "forwarder/wire/dns.h"

uint64_t quic_now(void)
{
    return monotonic_ns();
}

struct quic_table *quic_table_new(const struct quic_env *env)
{
    struct quic_table *table = calloc(1, sizeof *table);
    uint64_t key;
    if (table == NULL) {
        return NULL;
    }
    table->env = *env;
    TAILQ_INIT(&table->endpoints);
    TAILQ_INIT(&table->dirty);
    TAILQ_INIT(&table->shaking);
    TAILQ_INIT(&table->stalled);
    if (getrandom(table->secret, sizeof table->secret, 0) != sizeof table->secret ||
        getrandom(&key, sizeof key, 0) != sizeof key) {
        free(table);
        return NULL;
    }
    table->routes = quic_routes_new(key);
    if (table->routes == NULL) {
        free(table);
        return NULL;
    }
    return table;
}

static void close_all(struct quic_table *table)
{
    struct quic_endpoint *endpoint;
    for (uint32_t i = 0; i < table->slots.capacity; i++) {
        if (table->slots.all[i].item != NULL) {
            quic_connection_close(table->slots.all[i].item, DOQ_NO_ERROR, quic_now());
        }
    }
    TAILQ_FOREACH(endpoint, &table->endpoints, link)
    {
        quic_write_flush(endpoint);
    }
}

void quic_table_free(struct quic_table *table)
{
    if (table == NULL) {
        return;
    }
    close_all(table);
    while (!TAILQ_EMPTY(&table->endpoints)) {
        quic_endpoint_free(TAILQ_FIRST(&table->endpoints));
    }
    quic_routes_free(table->routes);
    slots_fini(&table->slots);
    explicit_bzero(table->secret, sizeof table->secret);
    free(table);
}

size_t quic_table_count(const struct quic_table *table)
{
    return table->slots.count;
}

bool quic_table_add(struct quic_table *table, struct quic_connection *connection)
{
    if (!slots_add(&table->slots, connection, &connection->slot, &connection->serial)) {
        return false;
    }
    counters_connected(table->env.counters, CONFIG_QUIC, 1);
    connection->endpoint->connections++;
    return true;
}

void quic_table_remove(struct quic_connection *connection)
{
    struct quic_table *table = connection->table;
    if (connection->dirty) {
        TAILQ_REMOVE(&table->dirty, connection, writing);
    }
    if (connection->stalled) {
        TAILQ_REMOVE(&table->stalled, connection, stall);
    }
    slots_remove(&table->slots, connection->slot);
    counters_connected(table->env.counters, CONFIG_QUIC, -1);
    connection->endpoint->connections--;
}

void quic_table_touch(struct quic_connection *connection)
{
    if (!connection->dirty) {
        connection->dirty = true;
        TAILQ_INSERT_TAIL(&connection->table->dirty, connection, writing);
    }
}

void quic_table_flush(struct quic_table *table)
{
    struct quic_endpoint *endpoint;
    struct quic_connection *connection;
    uint64_t now = quic_now();
    while ((connection = TAILQ_FIRST(&table->dirty)) != NULL) {
        TAILQ_REMOVE(&table->dirty, connection, writing);
        connection->dirty = false;
        quic_write_connection(connection, now);
    }
    TAILQ_FOREACH(endpoint, &table->endpoints, link)
    {
        quic_write_flush(endpoint);
    }
}

/* The connections that came to it: each is closed as soon as nothing is owed, or now. */
static void end_connections(struct quic_endpoint *endpoint, bool now)
{
    struct quic_table *table = endpoint->table;
    for (uint32_t i = 0; i < table->slots.capacity; i++) {
        struct quic_connection *connection = table->slots.all[i].item;
        if (connection == NULL || connection->endpoint != endpoint) {
            continue;
        }
        if (now || !connection->established) {
            quic_connection_close(connection, DOQ_NO_ERROR, quic_now());
        } else {
            quic_table_touch(connection); /* closed there, if nothing is owed */
        }
    }
    quic_table_flush(table);
}

void quic_table_drain(struct quic_table *table)
{
    struct quic_endpoint *endpoint;
    TAILQ_FOREACH(endpoint, &table->endpoints, link)
    {
        quic_endpoint_drain(endpoint);
    }
}

void quic_endpoint_drain(struct quic_endpoint *endpoint)
{
    endpoint->draining = true;
    end_connections(endpoint, false);
}

bool quic_endpoint_unused(const struct quic_endpoint *endpoint)
{
    return endpoint->connections == 0;
}

void quic_endpoint_close(struct quic_endpoint *endpoint)
{
    end_connections(endpoint, true);
    quic_endpoint_free(endpoint);
}

/* ---- Queries up ---- */

/* No answer will come, and the client may open another stream in its place: silence about some
 * names must not keep it from asking for others. Of too many such streams the oldest is reset. */
static void keep_silent(struct quic_connection *connection, struct quic_stream *stream)
{
    unsigned at = connection->silent_count++ % QUIC_SILENT_MAX;
    if (connection->silent_count > QUIC_SILENT_MAX) {
        quic_compat_shutdown(connection->transport, connection->silent[at], DOQ_UNSPECIFIED_ERROR);
    }
    connection->silent[at] = stream->id;
    stream->silent = true;
    ngtcp2_conn_extend_max_streams_bidi(connection->transport, 1);
}

static void hand_up(struct quic_connection *connection, struct quic_stream *stream)
{
    const struct quic_env *env = &connection->table->env;
    struct quic_query query = {
        .origin = {.slot = connection->slot, .serial = connection->serial, .request = stream->id},
        .client = connection->client,
    };
    struct quic_way way;
    (void)quic_write_path(connection->endpoint, &connection->way, &way);
    query.peer = way.remote;
    query.local = way.local;
    query.message = quic_stream_query(stream, &query.size);
    if (!env->on_query(env->ctx, &query)) {
        quic_connection_fail(connection, DOQ_PROTOCOL_ERROR);
    } else if (!stream->due && !stream->finished) {
        keep_silent(connection, stream);
    }
    ngtcp2_conn_extend_max_offset(connection->transport, stream->received);
    stream->received = 0;
    quic_stream_drop_query(stream);
}

/* May the next query be taken? Not before the client has read most of what it has asked for. */
static bool has_room(const struct quic_connection *connection, const struct quic_stream *stream)
{
    const struct quic_env *env = &connection->table->env;
    return connection->unread * 2 <= env->limits->stream_output &&
           env->has_room(env->ctx, stream->input_size);
}

void quic_table_query(struct quic_connection *connection, struct quic_stream *stream)
{
    struct quic_table *table = connection->table;
    if (connection->endpoint->draining) {
        return;
    }
    if (TAILQ_EMPTY(&connection->waiting) && has_room(connection, stream)) {
        hand_up(connection, stream);
        return;
    }
    stream->stalled = true;
    TAILQ_INSERT_TAIL(&connection->waiting, stream, waiting);
    if (!connection->stalled) {
        connection->stalled = true;
        TAILQ_INSERT_TAIL(&table->stalled, connection, stall);
    }
}

/* Hands up what waits in a connection, as far as there is room. */
static void resume(struct quic_connection *connection)
{
    struct quic_stream *stream;
    while (!connection->failed && (stream = TAILQ_FIRST(&connection->waiting)) != NULL) {
        if (!has_room(connection, stream)) {
            connection->stalled = true;
            TAILQ_INSERT_TAIL(&connection->table->stalled, connection, stall);
            return;
        }
        TAILQ_REMOVE(&connection->waiting, stream, waiting);
        hand_up(connection, stream);
        stream->stalled = false; /* until here it cannot be released */
        quic_connection_release(connection, stream);
    }
}

void quic_table_resume(struct quic_table *table)
{
    struct quic_connection_list stalled = TAILQ_HEAD_INITIALIZER(stalled);
    TAILQ_CONCAT(&stalled, &table->stalled, stall);
    while (!TAILQ_EMPTY(&stalled)) {
        struct quic_connection *connection = TAILQ_FIRST(&stalled);
        TAILQ_REMOVE(&stalled, connection, stall);
        connection->stalled = false;
        quic_table_touch(connection);
        resume(connection);
    }
}

/* ---- Answers down ---- */

static struct quic_connection *find(const struct quic_table *table,
                                    const struct origin_stream *origin)
{
    return slots_find(&table->slots, origin->slot, origin->serial);
}

static struct quic_stream *find_stream(struct quic_connection *connection, int64_t id)
{
    struct quic_stream *stream;
    TAILQ_FOREACH(stream, &connection->streams, all)
    {
        if (stream->id == id) {
            return stream;
        }
    }
    return NULL;
}

void quic_table_expect(struct quic_table *table, const struct origin_stream *origin)
{
    struct quic_connection *connection = find(table, origin);
    struct quic_stream *stream =
        connection == NULL ? NULL : find_stream(connection, origin->request);
    if (stream != NULL && !stream->due) {
        stream->due = true;
        connection->due++;
    }
}

static void no_longer_due(struct quic_connection *connection, struct quic_stream *stream)
{
    if (stream->due) {
        stream->due = false;
        connection->due--;
    }
}

/* Queues an answer, if the client can still have it. */
static void queue(struct quic_connection *connection, struct quic_stream *stream,
                  struct span answer)
{
    struct quic_table *table = connection->table;
    if (stream->closed || stream->shut || connection->failed) {
        return;
    }
    if (unread_is_too_much(connection->unread, answer.size, table->env.limits->stream_output)) {
        counters_add(table->env.counters, COUNTER_TCP_OVERFLOW);
        quic_connection_fail(connection, DOQ_EXCESSIVE_LOAD);
        return;
    }
    size_t before = stream->queued;
    if (!quic_stream_answer(stream, answer)) {
        quic_connection_fail(connection, DOQ_INTERNAL_ERROR);
        return;
    }
    connection->unread += stream->queued - before;
    quic_connection_useful(connection, quic_now());
}

void quic_table_answer(struct quic_table *table, const struct origin_stream *origin,
                       struct span answer)
{
    struct quic_connection *connection = find(table, origin);
    struct quic_stream *stream =
        connection == NULL ? NULL : find_stream(connection, origin->request);
    if (stream == NULL) {
        return;
    }
    queue(connection, stream, answer);
    stream->finished = true;
    no_longer_due(connection, stream);
    quic_connection_wants(connection, stream);
    quic_table_touch(connection);
    quic_connection_release(connection, stream);
}

void quic_table_forgo(struct quic_table *table, const struct origin_stream *origin)
{
    struct quic_connection *connection = find(table, origin);
    struct quic_stream *stream =
        connection == NULL ? NULL : find_stream(connection, origin->request);
    if (stream == NULL) {
        return;
    }
    no_longer_due(connection, stream);
    if (!stream->closed) {
        keep_silent(connection, stream);
    }
    quic_table_touch(connection);
    quic_connection_release(connection, stream);
}
