/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Packets in (see quic_endpoint.h).
 */
#include "forwarder/quic/quic_endpoint.h"

#include <gnutls/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forwarder/quic/quic_id.h"
#include "forwarder/quic/quic_packet.h"
#include "forwarder/quic/quic_state.h"
#include "forwarder/quic/quic_steer.h"

#define TOKEN_SECONDS 10U      /* how long the token of a Retry is good for */
#define RESETS_A_SECOND 100U   /* stateless resets of a worker */
#define RESET_ANSWERED_MIN 43U /* octets: what is shorter may be a reset itself */
#define RESET_SIZE_MAX 43U     /* octets of one; always fewer than what it answers */
#define SECOND_NS (1000U * (uint64_t)QUIC_NS_OF_MS)

/* A datagram, and where it came from. */
struct arrival {
    struct quic_endpoint *endpoint;
    struct origin_datagram way;
    struct span datagram;
    struct quic_packet packet;
    uint64_t now;
};

static void count(const struct arrival *arrival, enum counter counter)
{
    counters_add(arrival->endpoint->table->env.counters, counter);
}

static void answer(const struct arrival *arrival, const uint8_t *bytes, ngtcp2_ssize size)
{
    if (size > 0) {
        quic_write_datagram(arrival->endpoint, (struct span){bytes, (size_t)size}, &arrival->way);
    }
}

/* ---- Answers without a connection ---- */

static uint8_t random_octet(void)
{
    uint8_t octet = 0;
    (void)gnutls_rnd(GNUTLS_RND_NONCE, &octet, 1);
    return octet;
}

/* RFC 9000 section 6: we speak version 1. */
static void negotiate(const struct arrival *arrival)
{
    const uint32_t versions[] = {NGTCP2_PROTO_VER_V1};
    const struct quic_packet *packet = &arrival->packet;
    uint8_t *room = quic_write_room(arrival->endpoint);
    answer(arrival, room,
           ngtcp2_pkt_write_version_negotiation(
               room, QUIC_PACKET_SIZE, random_octet(), packet->source.bytes, packet->source.size,
               packet->id.bytes, packet->id.size, versions, sizeof versions / sizeof *versions));
}

/* May one more stateless reset be sent this second? */
static bool may_reset(struct quic_table *table, uint64_t now)
{
    uint64_t second = now / SECOND_NS;
    if (table->second != second) {
        table->second = second;
        table->resets = 0;
    }
    return table->resets++ < RESETS_A_SECOND;
}

/* RFC 9000 section 10.3: the connection is gone, and so is what was known of it. Never for an ID
 * that is another worker's, or in use. */
static void reset(const struct arrival *arrival)
{
    struct quic_table *table = arrival->endpoint->table;
    uint8_t token[NGTCP2_STATELESS_RESET_TOKENLEN];
    uint8_t noise[RESET_SIZE_MAX];
    ngtcp2_cid id;
    if (arrival->datagram.size < RESET_ANSWERED_MIN ||
        quic_id_worker(arrival->packet.id.bytes) != table->env.worker ||
        !may_reset(table, arrival->now)) {
        return;
    }
    ngtcp2_cid_init(&id, arrival->packet.id.bytes, arrival->packet.id.size);
    size_t size =
        arrival->datagram.size <= RESET_SIZE_MAX ? arrival->datagram.size - 1 : RESET_SIZE_MAX;
    if (gnutls_rnd(GNUTLS_RND_NONCE, noise, sizeof noise) != 0 ||
        ngtcp2_crypto_generate_stateless_reset_token(token, table->secret, sizeof table->secret,
                                                     &id) != 0) {
        return;
    }
    uint8_t *room = quic_write_room(arrival->endpoint);
    answer(arrival, room,
           ngtcp2_pkt_write_stateless_reset(room, size, token, noise, size - sizeof token));
}

/* Tells a stranger why he gets no connection. */
static void refuse(const struct arrival *arrival, const ngtcp2_pkt_hd *header, uint64_t why)
{
    uint8_t *room = quic_write_room(arrival->endpoint);
    count(arrival, COUNTER_QUIC_REFUSED);
    answer(arrival, room,
           ngtcp2_crypto_write_connection_close(room, QUIC_PACKET_SIZE, header->version,
                                                &header->scid, &header->dcid, why, NULL, 0));
}

/* RFC 9000 section 8.1.2: he has to show that he reads what is sent to his address. */
static void retry(const struct arrival *arrival, const ngtcp2_pkt_hd *header)
{
    const struct quic_table *table = arrival->endpoint->table;
    uint8_t token[NGTCP2_CRYPTO_MAX_RETRY_TOKENLEN];
    struct quic_way way;
    ngtcp2_path path = quic_write_path(arrival->endpoint, &arrival->way, &way);
    ngtcp2_cid id;
    quic_transport_id(table, &id);
    ngtcp2_ssize size = ngtcp2_crypto_generate_retry_token(
        token, table->secret, sizeof table->secret, header->version, path.remote.addr,
        path.remote.addrlen, &id, &header->dcid, arrival->now);
    if (size < 0) {
        return;
    }
    uint8_t *room = quic_write_room(arrival->endpoint);
    count(arrival, COUNTER_QUIC_RETRIED);
    answer(arrival, room,
           ngtcp2_crypto_write_retry(room, QUIC_PACKET_SIZE, header->version, &header->scid, &id,
                                     &header->dcid, token, (size_t)size));
}

/* ---- Strangers ---- */

/* What a stranger's token says. */
enum token {
    TOKEN_NONE,  /* nothing */
    TOKEN_GOOD,  /* of a Retry of ours, to this address: *original is the ID he first chose */
    TOKEN_WRONG, /* it claims to be that, and is not, or is too old */
};

static enum token read_token(const struct arrival *arrival, const ngtcp2_pkt_hd *header,
                             ngtcp2_cid *original)
{
    const struct quic_table *table = arrival->endpoint->table;
    struct span token = quic_compat_token(header);
    struct quic_way way;
    ngtcp2_path path = quic_write_path(arrival->endpoint, &arrival->way, &way);
    *original = header->dcid;
    if (token.size == 0 || token.bytes[0] != NGTCP2_CRYPTO_TOKEN_MAGIC_RETRY) {
        return TOKEN_NONE;
    }
    int code = ngtcp2_crypto_verify_retry_token(
        original, token.bytes, token.size, table->secret, sizeof table->secret, header->version,
        path.remote.addr, path.remote.addrlen, &header->dcid, TOKEN_SECONDS * SECOND_NS,
        arrival->now);
    return code == 0 ? TOKEN_GOOD : TOKEN_WRONG;
}

static void open_connection(const struct arrival *arrival, const ngtcp2_pkt_hd *header,
                            const ngtcp2_cid *original, bool validated)
{
    const struct quic_env *env = &arrival->endpoint->table->env;
    struct address client;
    if (!address_of_sockaddr(&arrival->way.peer.any, &client)) {
        return;
    }
    struct quic_opening opening = {
        arrival->endpoint, &arrival->way, header,
        original,          validated,     env->holder(env->ctx, &client)};
    if (validated && !reaper_admit(env->reaper, &opening.holder)) {
        refuse(arrival, header, NGTCP2_CONNECTION_REFUSED);
        return;
    }
    struct quic_connection *connection = quic_connection_open(&opening, arrival->now);
    if (connection != NULL) {
        quic_connection_read(connection, &arrival->way, arrival->datagram, arrival->now);
    }
}

/* An honest client is through in two round trips: who has taken longest gives way, unheard. */
static void make_room(const struct arrival *arrival)
{
    struct quic_table *table = arrival->endpoint->table;
    if (table->handshakes >= QUIC_TABLE_HANDSHAKES) {
        count(arrival, COUNTER_QUIC_REFUSED);
        quic_connection_free(TAILQ_FIRST(&table->shaking));
    }
}

/* Is he let in, or has he to show something first? */
static void greet(const struct arrival *arrival)
{
    const struct quic_table *table = arrival->endpoint->table;
    const struct span datagram = arrival->datagram;
    ngtcp2_pkt_hd header;
    ngtcp2_cid original;
    if (arrival->endpoint->draining || arrival->endpoint->credentials == NULL ||
        ngtcp2_accept(&header, datagram.bytes, datagram.size) != 0) {
        count(arrival, COUNTER_QUIC_STRAY);
        return;
    }
    enum token token = read_token(arrival, &header, &original);
    if (token == TOKEN_WRONG) {
        refuse(arrival, &header, NGTCP2_INVALID_TOKEN);
    } else if (token == TOKEN_NONE && table->unsure >= QUIC_TABLE_UNSURE) {
        retry(arrival, &header);
    } else {
        make_room(arrival);
        open_connection(arrival, &header, &original, token == TOKEN_GOOD);
    }
}

/* ---- Whose packet is it? ---- */

/* Does it come from where the connection's client is, whatever his port, to where he asked? */
static bool is_from_client(const struct quic_connection *connection, const struct arrival *arrival)
{
    struct address client;
    return arrival->endpoint == connection->endpoint &&
           address_of_sockaddr(&arrival->way.peer.any, &client) &&
           address_equal(&client, &connection->client) &&
           (!arrival->endpoint->wildcard ||
            memcmp(&arrival->way.local, &connection->way.local, sizeof arrival->way.local) == 0);
}

static void handle(struct arrival *arrival)
{
    const struct quic_table *table = arrival->endpoint->table;
    quic_packet_read(arrival->datagram, &arrival->packet);
    if (arrival->packet.kind == QUIC_PACKET_NOISE) {
        count(arrival, COUNTER_QUIC_STRAY);
        return;
    }
    if (arrival->packet.kind == QUIC_PACKET_OTHER_VERSION) {
        negotiate(arrival);
        return;
    }
    struct quic_connection *connection = quic_routes_find(table->routes, arrival->packet.id);
    if (connection != NULL && is_from_client(connection, arrival)) {
        quic_connection_read(connection, &arrival->way, arrival->datagram, arrival->now);
    } else if (connection != NULL) {
        count(arrival, COUNTER_QUIC_STRAY);
    } else if (arrival->packet.kind == QUIC_PACKET_LONG) {
        greet(arrival);
    } else {
        count(arrival, COUNTER_QUIC_STRAY);
        reset(arrival);
    }
}

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct quic_endpoint *endpoint = ctx;
    struct quic_table *table = endpoint->table;
    struct udp_receiver *receiver = table->env.receiver;
    (void)what;
    table->env.on_batch(table->env.ctx);
    unsigned batch = udp_receiver_read(receiver, descriptor);
    uint64_t now = quic_now();
    for (unsigned i = 0; i < batch; i++) {
        struct arrival arrival = {.endpoint = endpoint, .now = now};
        arrival.way.peer.any.sa_family = AF_UNSPEC;
        arrival.datagram.bytes =
            udp_receiver_take(receiver, i, &arrival.datagram.size, &arrival.way);
        handle(&arrival);
    }
    table->env.on_batch_end(table->env.ctx);
    quic_table_flush(table);
}

/* ---- Life ---- */

struct quic_endpoint *quic_endpoint_new(struct quic_table *table,
                                        const struct quic_endpoint_setup *setup)
{
    struct quic_endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (endpoint == NULL) {
        close(setup->descriptor);
        return NULL;
    }
    endpoint->table = table;
    endpoint->descriptor = setup->descriptor;
    endpoint->wildcard = setup->wildcard;
    memcpy(&endpoint->local, &setup->address->sockaddr, sizeof endpoint->local);
    endpoint->sender = udp_sender_new(false);
    endpoint->readable =
        event_new(table->env.base, setup->descriptor, EV_READ | EV_PERSIST, on_readable, endpoint);
    TAILQ_INSERT_TAIL(&table->endpoints, endpoint, link);
    if (endpoint->sender == NULL || endpoint->readable == NULL ||
        !quic_steer_whole(setup->descriptor, endpoint->local.any.sa_family == AF_INET6) ||
        event_add(endpoint->readable, NULL) != 0) {
        quic_endpoint_free(endpoint);
        return NULL;
    }
    return endpoint;
}

void quic_endpoint_free(struct quic_endpoint *endpoint)
{
    if (endpoint == NULL) {
        return;
    }
    TAILQ_REMOVE(&endpoint->table->endpoints, endpoint, link);
    if (endpoint->readable != NULL) {
        event_free(endpoint->readable);
    }
    udp_sender_free(endpoint->sender);
    quic_credentials_unref(endpoint->credentials);
    close(endpoint->descriptor);
    free(endpoint);
}

void quic_endpoint_renew(struct quic_endpoint *endpoint, struct quic_credentials *credentials)
{
    struct quic_credentials *before = endpoint->credentials;
    endpoint->credentials = credentials == NULL ? NULL : quic_credentials_ref(credentials);
    quic_credentials_unref(before);
}
