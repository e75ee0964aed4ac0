/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What ngtcp2 is told of a connection, and what it asks: keys come from GnuTLS by its own helpers,
 * streams and connection IDs are ours. None of these calls may write a packet or free the
 * connection.
 */
#include <gnutls/crypto.h>
#include <stdlib.h>

#include "forwarder/quic/quic_id.h"
#include "forwarder/quic/quic_state.h"

#define HANDSHAKE_MS 5000U
#define STREAM_WINDOW QUIC_STREAM_MAX    /* the longest query fits */
#define CONNECTION_WINDOW (128U * 1024U) /* of queries that are not whole, or wait */
#define CLIENT_IDS 4U                    /* connection IDs of the client's that we keep */

static void fill_random(uint8_t *bytes, size_t size, const ngtcp2_rand_ctx *unused)
{
    (void)unused;
    (void)gnutls_rnd(GNUTLS_RND_RANDOM, bytes, size);
}

void quic_transport_id(const struct quic_table *table, ngtcp2_cid *id)
{
    uint8_t bytes[QUIC_ID_SIZE];
    fill_random(bytes, sizeof bytes, NULL);
    quic_id_mark(bytes, table->env.worker);
    ngtcp2_cid_init(id, bytes, sizeof bytes);
}

static struct span span_of(const ngtcp2_cid *id)
{
    return (struct span){id->data, id->datalen};
}

static ngtcp2_conn *transport_of(ngtcp2_crypto_conn_ref *reference)
{
    const struct quic_connection *connection = reference->user_data;
    return connection->transport;
}

static int on_new_id(ngtcp2_conn *transport, ngtcp2_cid *id, uint8_t *token, size_t size, void *ctx)
{
    struct quic_connection *connection = ctx;
    struct quic_table *table = connection->table;
    (void)transport;
    (void)size; /* that of the first one, which is ours too */
    quic_transport_id(table, id);
    if (ngtcp2_crypto_generate_stateless_reset_token(token, table->secret, sizeof table->secret,
                                                     id) != 0 ||
        !quic_routes_add(table->routes, span_of(id), connection, &connection->routes)) {
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    return 0;
}

static int on_old_id(ngtcp2_conn *transport, const ngtcp2_cid *id, void *ctx)
{
    struct quic_connection *connection = ctx;
    (void)transport;
    quic_routes_remove(connection->table->routes, span_of(id), &connection->routes);
    return 0;
}

/* The client's address is certain: it answered what was sent there. */
static int on_handshake(ngtcp2_conn *transport, void *ctx)
{
    struct quic_connection *connection = ctx;
    struct quic_table *table = connection->table;
    (void)transport;
    quic_connection_shaken(connection);
    connection->established = true;
    connection->validated = true;
    if (connection->failed) {
        return 0; /* it has given way to another meanwhile */
    }
    if (!connection->counted && !reaper_admit(table->env.reaper, &connection->holder)) {
        counters_add(table->env.counters, COUNTER_QUIC_REFUSED);
        quic_connection_fail(connection, DOQ_EXCESSIVE_LOAD);
        return 0;
    }
    if (!connection->counted) {
        quic_connection_enter(connection);
    }
    counters_add(table->env.counters, COUNTER_QUIC_ACCEPTED);
    (void)gnutls_session_ticket_send(connection->tls, 1, 0); /* it can do without */
    return 0;
}

/* ---- Streams ---- */

static int on_open(ngtcp2_conn *transport, int64_t id, void *ctx)
{
    struct quic_connection *connection = ctx;
    struct quic_stream *stream = quic_stream_new(id);
    if (stream == NULL || ngtcp2_conn_set_stream_user_data(transport, id, stream) != 0) {
        free(stream);
        return NGTCP2_ERR_CALLBACK_FAILURE;
    }
    TAILQ_INSERT_TAIL(&connection->streams, stream, all);
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): ngtcp2 says what it takes */
static int on_data(ngtcp2_conn *transport, uint32_t flags, int64_t id, uint64_t offset,
                   const uint8_t *bytes, size_t size, void *ctx, void *stream_ctx)
{
    struct quic_connection *connection = ctx;
    struct quic_stream *stream = stream_ctx;
    (void)transport;
    (void)id;
    (void)offset;
    if (connection->failed || stream == NULL) {
        return 0;
    }
    switch (quic_stream_take(stream, (struct span){bytes, size},
                             (flags & NGTCP2_STREAM_DATA_FLAG_FIN) != 0)) {
    case QUIC_STREAM_MORE:
        break;
    case QUIC_STREAM_WHOLE:
        reaper_useful(&connection->activity);
        quic_connection_useful(connection, quic_now());
        quic_table_query(connection, stream);
        break;
    case QUIC_STREAM_WRONG:
        quic_connection_fail(connection, DOQ_PROTOCOL_ERROR);
        break;
    case QUIC_STREAM_NO_MEMORY:
        quic_connection_fail(connection, DOQ_INTERNAL_ERROR);
        break;
    }
    return 0;
}

/* NOLINTNEXTLINE(readability-function-size): ngtcp2 says what it takes */
static int on_acked(ngtcp2_conn *transport, int64_t id, uint64_t offset, uint64_t size, void *ctx,
                    void *stream_ctx)
{
    struct quic_connection *connection = ctx;
    (void)transport;
    (void)id;
    if (stream_ctx != NULL) {
        size_t freed = quic_stream_acked(stream_ctx, offset + size);
        connection->unread -= freed;
        connection->reading.read += size;
    }
    return 0;
}

static int on_credit(ngtcp2_conn *transport, int64_t id, uint64_t limit, void *ctx,
                     void *stream_ctx)
{
    struct quic_stream *stream = stream_ctx;
    (void)transport;
    (void)id;
    (void)limit;
    if (stream != NULL) {
        stream->blocked = false;
        quic_connection_wants(ctx, stream);
    }
    return 0;
}

/* Both directions are over: answered and acknowledged, or reset. */
/* NOLINTNEXTLINE(readability-function-size): ngtcp2 says what it takes */
static int on_closed(ngtcp2_conn *transport, uint32_t flags, int64_t id, uint64_t code, void *ctx,
                     void *stream_ctx)
{
    struct quic_connection *connection = ctx;
    struct quic_stream *stream = stream_ctx;
    (void)transport;
    (void)flags;
    (void)id;
    (void)code;
    if (stream == NULL) {
        return 0;
    }
    stream->closed = true;
    connection->unread -= quic_stream_discard(stream);
    quic_connection_wants(connection, stream);
    if (stream->stalled) {
        TAILQ_REMOVE(&connection->waiting, stream, waiting);
        stream->stalled = false;
    }
    quic_connection_release(connection, stream);
    return 0;
}

/* ---- Making one ---- */

static const ngtcp2_callbacks callbacks = {
    .recv_client_initial = ngtcp2_crypto_recv_client_initial_cb,
    .recv_crypto_data = ngtcp2_crypto_recv_crypto_data_cb,
    .handshake_completed = on_handshake,
    .encrypt = ngtcp2_crypto_encrypt_cb,
    .decrypt = ngtcp2_crypto_decrypt_cb,
    .hp_mask = ngtcp2_crypto_hp_mask_cb,
    .recv_stream_data = on_data,
    .acked_stream_data_offset = on_acked,
    .stream_open = on_open,
    .stream_close = on_closed,
    .rand = fill_random,
    .get_new_connection_id = on_new_id,
    .remove_connection_id = on_old_id,
    .update_key = ngtcp2_crypto_update_key_cb,
    .extend_max_stream_data = on_credit,
    .delete_crypto_aead_ctx = ngtcp2_crypto_delete_crypto_aead_ctx_cb,
    .delete_crypto_cipher_ctx = ngtcp2_crypto_delete_crypto_cipher_ctx_cb,
    .get_path_challenge_data = ngtcp2_crypto_get_path_challenge_data_cb,
    .version_negotiation = ngtcp2_crypto_version_negotiation_cb,
};

static uint64_t handshake_ns(const struct config_limits *limits)
{
    uint64_t ms = limits->tcp_idle_ms < HANDSHAKE_MS ? limits->tcp_idle_ms : HANDSHAKE_MS;
    return ms * QUIC_NS_OF_MS;
}

static ngtcp2_settings settings_of(const struct quic_connection *connection,
                                   const struct quic_opening *opening, uint64_t now)
{
    ngtcp2_settings settings;
    ngtcp2_settings_default(&settings);
    settings.initial_ts = now;
    settings.max_tx_udp_payload_size = QUIC_PACKET_SIZE;
    settings.no_pmtud = 1;
    settings.handshake_timeout = handshake_ns(connection->table->env.limits);
    if (opening->validated) {
        quic_compat_validated(&settings, quic_compat_token(opening->header));
    }
    return settings;
}

/* The transport's own time of idleness is longer than ours, which knows whether an answer is due.
 */
static ngtcp2_transport_params params_of(const struct quic_connection *connection,
                                         const struct quic_opening *opening)
{
    const struct quic_env *env = &connection->table->env;
    ngtcp2_transport_params params;
    ngtcp2_transport_params_default(&params);
    params.initial_max_streams_bidi = QUIC_TABLE_STREAMS;
    params.initial_max_stream_data_bidi_remote = STREAM_WINDOW;
    params.initial_max_data = CONNECTION_WINDOW;
    params.max_idle_timeout = ((uint64_t)env->limits->tcp_idle_ms + env->answer_ms) * QUIC_NS_OF_MS;
    params.active_connection_id_limit = CLIENT_IDS;
    params.disable_active_migration = 1;
    quic_compat_original(&params, opening->original);
    if (opening->validated) {
        params.retry_scid = opening->header->dcid;
        params.retry_scid_present = 1;
    }
    return params;
}

static bool make_transport(struct quic_connection *connection, const struct quic_opening *opening,
                           uint64_t now)
{
    struct quic_table *table = connection->table;
    struct quic_way room;
    ngtcp2_path path = quic_write_path(connection->endpoint, opening->way, &room);
    ngtcp2_settings settings = settings_of(connection, opening, now);
    ngtcp2_transport_params params = params_of(connection, opening);
    ngtcp2_cid id;
    quic_transport_id(table, &id);
    params.stateless_reset_token_present = 1;
    return ngtcp2_crypto_generate_stateless_reset_token(params.stateless_reset_token, table->secret,
                                                        sizeof table->secret, &id) == 0 &&
           quic_routes_add(table->routes, span_of(&id), connection, &connection->routes) &&
           quic_routes_add(table->routes, span_of(&opening->header->dcid), connection,
                           &connection->routes) &&
           ngtcp2_conn_server_new(&connection->transport, &opening->header->scid, &id, &path,
                                  opening->header->version, &callbacks, &settings, &params, NULL,
                                  connection) == 0;
}

bool quic_transport_open(struct quic_connection *connection, const struct quic_opening *opening,
                         uint64_t now)
{
    connection->reference = (ngtcp2_crypto_conn_ref){transport_of, connection};
    connection->tls =
        quic_credentials_session(connection->credentials, connection->table->env.tickets);
    if (connection->tls == NULL || !make_transport(connection, opening, now)) {
        return false;
    }
    gnutls_session_set_ptr(connection->tls, &connection->reference);
    ngtcp2_conn_set_tls_native_handle(connection->transport, connection->tls);
    return true;
}
