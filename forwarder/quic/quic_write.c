/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Packets out: what a connection may send now is packed, several answers to a packet, and queued at
 * its endpoint; batches leave from the address that the client asked.
 */
#include <string.h>

#include "forwarder/block.h"
#include "forwarder/quic/quic_state.h"

_Static_assert(QUIC_PACKET_SIZE <= BLOCK_ANSWER_MAX, "packets are written into udp_sender_room");

uint8_t *quic_write_room(struct quic_endpoint *endpoint)
{
    return udp_sender_room(endpoint->sender);
}

void quic_write_datagram(struct quic_endpoint *endpoint, struct span datagram,
                         const struct origin_datagram *way)
{
    if (udp_sender_add(endpoint->sender, datagram, way, endpoint->wildcard)) {
        quic_write_flush(endpoint);
    }
}

/* What the kernel does not take is lost, and sent again as any loss is. */
void quic_write_flush(struct quic_endpoint *endpoint)
{
    (void)udp_sender_flush(endpoint->sender, endpoint->descriptor);
}

/* ---- Paths ---- */

static socklen_t size_of(const union origin_peer *address)
{
    return address->any.sa_family == AF_INET ? sizeof address->ipv4 : sizeof address->ipv6;
}

ngtcp2_path quic_write_path(const struct quic_endpoint *endpoint, const struct origin_datagram *way,
                            struct quic_way *room)
{
    room->local = endpoint->local;
    room->remote = way->peer;
    if (endpoint->wildcard && room->local.any.sa_family == AF_INET) {
        memcpy(&room->local.ipv4.sin_addr, &way->local, sizeof room->local.ipv4.sin_addr);
    } else if (endpoint->wildcard) {
        room->local.ipv6.sin6_addr = way->local;
    }
    return (ngtcp2_path){
        .local = {&room->local.any, size_of(&room->local)},
        .remote = {&room->remote.any, size_of(&room->remote)},
    };
}

/* An empty path with room for an answer. */
static ngtcp2_path empty_path(struct quic_way *room)
{
    return (ngtcp2_path){.local = {&room->local.any, 0}, .remote = {&room->remote.any, 0}};
}

/* Queues a packet for where ngtcp2 sends it: the client's address, at one port or another. */
static void send_packet(struct quic_connection *connection, struct span packet,
                        const ngtcp2_path *path)
{
    struct origin_datagram way = connection->way;
    if (path->remote.addrlen > 0) {
        memcpy(&way.peer, path->remote.addr, path->remote.addrlen);
    }
    quic_write_datagram(connection->endpoint, packet, &way);
}

/* ---- Streams into packets ---- */

/* What ngtcp2 took of a stream, and whether it may take more. */
static void on_written(struct quic_connection *connection, struct quic_stream *stream,
                       ngtcp2_ssize taken, bool fin)
{
    if (taken < 0) {
        return;
    }
    quic_stream_sent(stream, (size_t)taken, fin);
    /* Streams take turns. */
    TAILQ_REMOVE(&connection->writable, stream, writing);
    stream->writable = false;
    quic_connection_wants(connection, stream);
}

/* The client does not want more of this stream, now or ever. */
static void on_unwritable(struct quic_connection *connection, struct quic_stream *stream, bool ever)
{
    stream->blocked = !ever;
    stream->shut = ever;
    if (ever) {
        connection->unread -= quic_stream_discard(stream);
    }
    quic_connection_wants(connection, stream);
}

/* One packet with what waits in as many streams as it holds: its octets, 0 for none, or an error.
 */
static ngtcp2_ssize write_packet(struct quic_connection *connection, uint8_t *room,
                                 ngtcp2_path *path, uint64_t now)
{
    for (;;) {
        struct quic_stream *stream = TAILQ_FIRST(&connection->writable);
        struct span data = {NULL, 0};
        uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_NONE;
        bool fin = false;
        if (stream != NULL) {
            data = quic_stream_unsent(stream);
            fin = quic_stream_ends(stream, data);
            flags = NGTCP2_WRITE_STREAM_FLAG_MORE | (fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0U);
        }
        ngtcp2_vec vector = {(uint8_t *)(uintptr_t)data.bytes, data.size};
        ngtcp2_ssize taken = -1;
        ngtcp2_ssize code = ngtcp2_conn_writev_stream(
            connection->transport, path, NULL, room, QUIC_PACKET_SIZE, &taken, flags,
            stream == NULL ? -1 : stream->id, &vector, data.size > 0 ? 1 : 0, now);
        if (stream != NULL) {
            on_written(connection, stream, taken, fin && (size_t)taken == data.size);
        }
        switch (code) {
        case NGTCP2_ERR_WRITE_MORE:
            break;
        case NGTCP2_ERR_STREAM_DATA_BLOCKED:
            on_unwritable(connection, stream, false);
            break;
        case NGTCP2_ERR_STREAM_SHUT_WR:
        case NGTCP2_ERR_STREAM_NOT_FOUND:
            on_unwritable(connection, stream, true);
            break;
        default:
            return code;
        }
    }
}

/* The transport's next timer, or the end of its time of idleness. */
static void set_timer(struct quic_connection *connection, uint64_t now)
{
    uint64_t expiry = ngtcp2_conn_get_expiry(connection->transport);
    uint64_t idle = quic_connection_idle_end(connection);
    uint64_t next = expiry < idle ? expiry : idle;
    uint64_t us = next > now ? (next - now + 999) / 1000 : 0;
    struct timeval delay = {(time_t)(us / 1000000), (suseconds_t)(us % 1000000)};
    event_add(connection->timer, &delay);
}

bool quic_write_connection(struct quic_connection *connection, uint64_t now)
{
    struct quic_way room;
    if (connection->failed) {
        quic_connection_close(connection, connection->failure, now);
        return false;
    }
    for (;;) {
        ngtcp2_path path = empty_path(&room);
        uint8_t *packet = quic_write_room(connection->endpoint);
        ngtcp2_ssize size = write_packet(connection, packet, &path, now);
        if (size < 0) {
            return quic_connection_settle(connection, (int)size, now);
        }
        if (size == 0) {
            break;
        }
        send_packet(connection, (struct span){packet, (size_t)size}, &path);
    }
    ngtcp2_conn_update_pkt_tx_time(connection->transport, now);
    if (connection->endpoint->draining && quic_connection_done(connection)) {
        quic_connection_close(connection, DOQ_NO_ERROR, now);
        return false;
    }
    set_timer(connection, now);
    return true;
}

void quic_write_close(struct quic_connection *connection, const quic_compat_error *error,
                      uint64_t now)
{
    struct quic_way room;
    ngtcp2_path path = empty_path(&room);
    if (connection->transport == NULL) {
        return;
    }
    uint8_t *packet = quic_write_room(connection->endpoint);
    ngtcp2_ssize size = ngtcp2_conn_write_connection_close(connection->transport, &path, NULL,
                                                           packet, QUIC_PACKET_SIZE, error, now);
    if (size > 0) {
        send_packet(connection, (struct span){packet, (size_t)size}, &path);
    }
}
