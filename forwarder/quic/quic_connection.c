/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One connection's life (see quic_table.h): opened by a first packet, read, closed when idle, done
 * or wrong. After its last packet it is forgotten at once: what still comes gets a stateless reset
 * (RFC 9000 section 10.2).
 *
 *   handshake (at most tcp-idle, or quic_transport.c's deadline) ──► established ──► closed
 */
#include <stdlib.h>

#include "forwarder/client_quota.h"
#include "forwarder/milliseconds.h"
#include "forwarder/quic/quic_state.h"

/* When the daemon or the listener stops, a client has this long, and not tcp-idle, to acknowledge
 * what it is owed. */
#define DRAIN_MS 1000U

uint64_t quic_connection_idle_end(const struct quic_connection *connection)
{
    const struct quic_table *table = connection->table;
    unsigned ms = table->env.limits->tcp_idle_ms;
    if (connection->reading.over) {
        ms = unread_time_ms(ms);
    }
    if (connection->endpoint->draining && ms > DRAIN_MS) {
        ms = DRAIN_MS;
    }
    return connection->idle_from + (uint64_t)ms * QUIC_NS_OF_MS;
}

static struct unread_limit limits(const struct quic_connection *connection)
{
    return (struct unread_limit){.octets = connection->table->env.limits->stream_output};
}

void quic_connection_useful(struct quic_connection *connection, uint64_t now)
{
    struct unread_limit limit = limits(connection);
    if (unread_begin(&connection->reading, connection->unread, &limit)) {
        connection->idle_from = now;
    }
}

static void renew_idle(struct quic_connection *connection, uint64_t now)
{
    struct unread_limit limit = limits(connection);
    unread_renew(&connection->reading, connection->unread, &limit);
    connection->idle_from = now;
}

/* Has the client read as much as it must? */
static bool reads(const struct quic_connection *connection)
{
    struct unread_limit limit = limits(connection);
    return unread_reads(&connection->reading, connection->unread, &limit);
}

void quic_connection_fail(struct quic_connection *connection, enum quic_error why)
{
    if (!connection->failed) {
        connection->failed = true;
        connection->failure = why;
        quic_table_touch(connection);
    }
}

bool quic_connection_done(const struct quic_connection *connection)
{
    return connection->due == 0 && connection->unread == 0;
}

/* Does the client wait for us: for answers, or for room for its queries? */
static bool is_waiting(const struct quic_connection *connection)
{
    return connection->due > 0 || !TAILQ_EMPTY(&connection->waiting);
}

/* Is there nothing that the client or upstream may still be working on? */
static bool is_idle(struct quic_connection *connection, uint64_t now)
{
    if (now < quic_connection_idle_end(connection)) {
        return false;
    }
    if (reads(connection) || (connection->unread == 0 && is_waiting(connection))) {
        renew_idle(connection, now);
        return false;
    }
    return true;
}

static void close_idle(struct quic_connection *connection, uint64_t now)
{
    bool over = connection->reading.over;
    if (over) {
        counters_add(connection->table->env.counters, COUNTER_TCP_OVERFLOW);
    }
    quic_connection_close(connection, over ? DOQ_EXCESSIVE_LOAD : DOQ_NO_ERROR, now);
}

static void on_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    struct quic_connection *connection = ctx;
    struct quic_table *table = connection->table;
    uint64_t now = quic_now();
    (void)descriptor;
    (void)what;
    if (is_idle(connection, now)) {
        close_idle(connection, now);
    } else {
        (void)quic_connection_settle(connection,
                                     ngtcp2_conn_handle_expiry(connection->transport, now), now);
    }
    quic_table_flush(table);
}

/* ---- Streams ---- */

void quic_connection_wants(struct quic_connection *connection, struct quic_stream *stream)
{
    bool wants = quic_stream_wants(stream) && !stream->blocked;
    if (wants && !stream->writable) {
        TAILQ_INSERT_TAIL(&connection->writable, stream, writing);
    } else if (!wants && stream->writable) {
        TAILQ_REMOVE(&connection->writable, stream, writing);
    }
    stream->writable = wants;
}

void quic_connection_release(struct quic_connection *connection, struct quic_stream *stream)
{
    if (!stream->closed || stream->due || stream->stalled) {
        return;
    }
    if (stream->received > 0) {
        ngtcp2_conn_extend_max_offset(connection->transport, stream->received);
    }
    if (!stream->silent) {
        ngtcp2_conn_extend_max_streams_bidi(connection->transport, 1);
    }
    TAILQ_REMOVE(&connection->streams, stream, all);
    quic_stream_free(stream);
    quic_table_touch(connection);
}

/* ---- Its place in the quota ---- */

static void leave(struct quic_connection *connection)
{
    if (connection->counted) {
        connection->counted = false;
        reaper_leave(&connection->activity);
        client_quota_release(connection->table->env.reaper->quota, &connection->holder);
    }
}

static struct quic_connection *connection_by(const struct reaper_entry *entry)
{
    return (struct quic_connection *)((char *)(uintptr_t)entry -
                                      offsetof(struct quic_connection, activity));
}

static bool is_spared(const struct reaper_entry *entry)
{
    const struct quic_connection *connection = connection_by(entry);
    return is_waiting(connection) &&
           !unread_is_much(connection->unread, connection->table->env.limits->stream_output);
}

/* Called perhaps while ngtcp2 calls for another connection: so its timer closes it, at once. */
static void reap(struct reaper_entry *entry)
{
    struct quic_connection *connection = connection_by(entry);
    leave(connection);
    quic_connection_fail(connection, DOQ_EXCESSIVE_LOAD);
    event_active(connection->timer, EV_TIMEOUT, 0);
}

void quic_connection_enter(struct quic_connection *connection)
{
    static const struct reaper_kind kind = {is_spared, reap};
    connection->counted = true;
    reaper_enter(connection->table->env.reaper, &connection->activity, &kind);
}

/* ---- Life ---- */

/* Everything but the transport. */
static struct quic_connection *make(const struct quic_opening *opening, uint64_t now)
{
    struct quic_table *table = opening->endpoint->table;
    struct quic_connection *connection = calloc(1, sizeof *connection);
    if (connection == NULL) {
        return NULL;
    }
    connection->table = table;
    connection->endpoint = opening->endpoint;
    connection->way = *opening->way;
    connection->validated = opening->validated;
    connection->holder = opening->holder;
    connection->credentials = quic_credentials_ref(opening->endpoint->credentials);
    TAILQ_INIT(&connection->streams);
    TAILQ_INIT(&connection->writable);
    TAILQ_INIT(&connection->waiting);
    quic_connection_useful(connection, now);
    connection->timer = evtimer_new(table->env.base, on_timer, connection);
    if (connection->timer == NULL ||
        !address_of_sockaddr(&opening->way->peer.any, &connection->client) ||
        !quic_table_add(table, connection)) {
        if (connection->timer != NULL) {
            event_free(connection->timer);
        }
        quic_credentials_unref(connection->credentials);
        free(connection);
        return NULL;
    }
    return connection;
}

struct quic_connection *quic_connection_open(const struct quic_opening *opening, uint64_t now)
{
    struct quic_table *table = opening->endpoint->table;
    struct quic_connection *connection = make(opening, now);
    if (connection == NULL) {
        if (opening->validated) {
            client_quota_release(table->env.reaper->quota, &opening->holder);
        }
        return NULL;
    }
    table->handshakes++;
    table->unsure += opening->validated ? 0 : 1;
    TAILQ_INSERT_TAIL(&table->shaking, connection, shaking);
    if (opening->validated) {
        quic_connection_enter(connection);
    }
    if (!quic_transport_open(connection, opening, now)) {
        quic_connection_free(connection);
        return NULL;
    }
    return connection;
}

void quic_connection_shaken(struct quic_connection *connection)
{
    struct quic_table *table = connection->table;
    table->handshakes--;
    table->unsure -= connection->validated ? 0 : 1;
    TAILQ_REMOVE(&table->shaking, connection, shaking);
}

void quic_connection_free(struct quic_connection *connection)
{
    struct quic_table *table = connection->table;
    struct quic_stream *stream;
    quic_table_remove(connection);
    quic_routes_clear(table->routes, &connection->routes);
    if (!connection->established) {
        quic_connection_shaken(connection);
    }
    leave(connection);
    ngtcp2_conn_del(connection->transport);
    if (connection->tls != NULL) {
        gnutls_deinit(connection->tls);
    }
    quic_credentials_unref(connection->credentials);
    while ((stream = TAILQ_FIRST(&connection->streams)) != NULL) {
        TAILQ_REMOVE(&connection->streams, stream, all);
        quic_stream_free(stream);
    }
    event_free(connection->timer);
    free(connection);
}

/* ---- Ends ---- */

void quic_connection_close(struct quic_connection *connection, enum quic_error why, uint64_t now)
{
    quic_compat_error error;
    quic_compat_error_default(&error);
    quic_compat_error_application(&error, why, NULL, 0);
    quic_write_close(connection, &error, now);
    quic_connection_free(connection);
}

static void close_broken(struct quic_connection *connection, int code, uint64_t now)
{
    quic_compat_error error;
    quic_compat_error_default(&error);
    if (code == NGTCP2_ERR_CRYPTO) {
        quic_compat_error_alert(&error, ngtcp2_conn_get_tls_alert(connection->transport), NULL, 0);
    } else {
        quic_compat_error_library(&error, code, NULL, 0);
    }
    quic_write_close(connection, &error, now);
    quic_connection_free(connection);
}

bool quic_connection_settle(struct quic_connection *connection, int code, uint64_t now)
{
    switch (code) {
    case 0:
        quic_table_touch(connection);
        return true;
    case NGTCP2_ERR_DRAINING:          /* the client closed it */
    case NGTCP2_ERR_IDLE_CLOSE:        /* nobody is there any more */
    case NGTCP2_ERR_HANDSHAKE_TIMEOUT: /* perhaps nobody ever was */
    case NGTCP2_ERR_DROP_CONN:
    case NGTCP2_ERR_RETRY:
        quic_connection_free(connection);
        return false;
    default:
        close_broken(connection, code, now);
        return false;
    }
}

void quic_connection_read(struct quic_connection *connection, const struct origin_datagram *way,
                          struct span datagram, uint64_t now)
{
    struct quic_way room;
    ngtcp2_path path = quic_write_path(connection->endpoint, way, &room);
    int code = ngtcp2_conn_read_pkt(connection->transport, &path, NULL, datagram.bytes,
                                    datagram.size, now);
    (void)quic_connection_settle(connection, code, now);
}
