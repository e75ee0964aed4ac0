/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a worker's QUIC is made of, as its parts share it: quic_table.c (who is there),
 * quic_endpoint.c (packets in), quic_connection.c (one connection's life), quic_transport.c (what
 * ngtcp2 asks of it) and quic_write.c (packets out). Nobody else includes this.
 *
 * A connection is freed by whoever handles a packet, a timer or a flush, never inside a call from
 * ngtcp2 or from above: what such a call finds wrong is kept in failure until it has returned.
 */
#pragma once

#include <event2/event.h>
#include <gnutls/gnutls.h>
#include <sys/queue.h>

#include "forwarder/config/config.h"
#include "forwarder/counters.h"
#include "forwarder/quic/quic_compat.h"
#include "forwarder/quic/quic_credentials.h"
#include "forwarder/quic/quic_endpoint.h"
#include "forwarder/quic/quic_routes.h"
#include "forwarder/quic/quic_stream.h"
#include "forwarder/quic/quic_table.h"
#include "forwarder/reaper.h"
#include "forwarder/slots.h"
#include "forwarder/udp_batch.h"
#include "forwarder/udp_sender.h"

#define QUIC_PACKET_SIZE 1200U /* octets of a datagram that we send: any path takes as much */
#define QUIC_SECRET_SIZE 32U
#define QUIC_SILENT_MAX 32U /* streams that stay without answer, of a connection */
#define QUIC_NS_OF_MS 1000000U

/* RFC 9250 section 4.3 */
enum quic_error {
    DOQ_NO_ERROR = 0,
    DOQ_INTERNAL_ERROR = 1,
    DOQ_PROTOCOL_ERROR = 2,
    DOQ_REQUEST_CANCELLED = 3,
    DOQ_EXCESSIVE_LOAD = 4,
    DOQ_UNSPECIFIED_ERROR = 5,
};

struct quic_connection {
    struct quic_table *table;
    struct quic_endpoint *endpoint;
    uint32_t slot;
    uint32_t serial;
    struct origin_datagram way; /* where its first packet came from, and to */
    struct address client;      /* of way.peer */
    struct address holder;      /* of the place in the quota */
    struct reaper_entry activity;
    ngtcp2_conn *transport;
    ngtcp2_crypto_conn_ref reference;
    gnutls_session_t tls;
    struct quic_credentials *credentials;
    struct quic_route *routes;
    struct event *timer;
    struct quic_stream_list streams; /* all; freed when closed and nothing is due */
    struct quic_stream_list writable;
    struct quic_stream_list waiting; /* stalled: for room in flight, the oldest first */
    unsigned due;                    /* answers to come */
    size_t unread;                   /* octets of answers that are not acknowledged */
    struct unread reading;           /* read is what was acknowledged */
    uint64_t idle_from;              /* when its time of idleness last began: nanoseconds */
    int64_t silent[QUIC_SILENT_MAX]; /* streams that get no answer */
    unsigned silent_count;           /* ever */
    bool validated;                  /* its address is certain */
    bool counted;                    /* holds a place in the quota */
    bool established;                /* the handshake is complete */
    bool failed;                     /* to be closed, with failure */
    enum quic_error failure;
    bool dirty; /* on the table's list of those to be written */
    bool stalled;
    TAILQ_ENTRY(quic_connection) shaking; /* on the table's list, until it is established */
    TAILQ_ENTRY(quic_connection) writing;
    TAILQ_ENTRY(quic_connection) stall;
};

TAILQ_HEAD(quic_connection_list, quic_connection);

struct quic_endpoint {
    struct quic_table *table;
    int descriptor;
    bool wildcard;
    union origin_peer local; /* bound to; its address is that of each datagram on a wildcard */
    struct quic_credentials *credentials;
    struct udp_sender *sender;
    struct event *readable;
    size_t connections; /* that came to it */
    bool draining;      /* it takes no more queries or connections */
    TAILQ_ENTRY(quic_endpoint) link;
};

TAILQ_HEAD(quic_endpoint_list, quic_endpoint);

struct quic_table {
    struct quic_env env;
    struct quic_routes *routes;
    struct slots slots;                  /* of connections */
    struct quic_connection_list shaking; /* handshakes that are not complete, the oldest first */
    unsigned handshakes;                 /* how many */
    unsigned unsure;                     /* of these, with an address that may be forged */
    uint64_t second;                     /* in which so many stateless resets were sent */
    unsigned resets;
    uint8_t secret[QUIC_SECRET_SIZE]; /* of Retry tokens and stateless resets */
    struct quic_endpoint_list endpoints;
    struct quic_connection_list dirty;
    struct quic_connection_list stalled;
};

/* quic_table.c */

/* Nanoseconds, monotonic. */
uint64_t quic_now(void);

/* Gives the connection a slot; false when memory is out. */
bool quic_table_add(struct quic_table *table, struct quic_connection *connection);
void quic_table_remove(struct quic_connection *connection);

/* The connection has something to send, or to be closed: not now, its caller may still use it. */
void quic_table_touch(struct quic_connection *connection);

/* Hands a whole query up, or has it wait. */
void quic_table_query(struct quic_connection *connection, struct quic_stream *stream);

/* quic_connection.c */

struct quic_opening {
    struct quic_endpoint *endpoint;
    const struct origin_datagram *way;
    const ngtcp2_pkt_hd *header; /* of the client's first packet */
    const ngtcp2_cid *original;  /* the ID it first chose; before a Retry, if there was one */
    bool validated;              /* by the token of a Retry */
    struct address holder;       /* of a place in the quota */
};

/* A new connection, that has read nothing yet, with the place in the quota that the caller has
 * taken for opening->holder if validated. NULL when memory is out, and the place is given back. */
struct quic_connection *quic_connection_open(const struct quic_opening *opening, uint64_t now);

/* Without a word to the client. */
void quic_connection_free(struct quic_connection *connection);

/* A datagram for the connection, which may be gone afterwards. */
void quic_connection_read(struct quic_connection *connection, const struct origin_datagram *way,
                          struct span datagram, uint64_t now);

/* Tells the client why, and frees it. */
void quic_connection_close(struct quic_connection *connection, enum quic_error why, uint64_t now);

/* What ngtcp2 returned: the connection goes on, or is freed, which is false. */
bool quic_connection_settle(struct quic_connection *connection, int code, uint64_t now);

/* To be closed with this once the call from ngtcp2 or above has returned. */
void quic_connection_fail(struct quic_connection *connection, enum quic_error why);

/* The connection's place in the quota, which it holds now: nobody asks whose it was. */
void quic_connection_enter(struct quic_connection *connection);

/* Its handshake is over, one way or the other. */
void quic_connection_shaken(struct quic_connection *connection);

/* Its time of idleness begins anew; with too much unread, only once the client has read. And when
 * that time will be over. */
void quic_connection_useful(struct quic_connection *connection, uint64_t now);
uint64_t quic_connection_idle_end(const struct quic_connection *connection);

/* Everything that is owed was received. */
bool quic_connection_done(const struct quic_connection *connection);

/* Frees a stream that is closed on both sides, whose query has been answered or forgotten; its
 * place is the client's again. */
void quic_connection_release(struct quic_connection *connection, struct quic_stream *stream);

/* The stream has (or has not) something to send. */
void quic_connection_wants(struct quic_connection *connection, struct quic_stream *stream);

/* quic_transport.c */

/* The transport of a connection that has its endpoint, way and credentials. False when memory is
 * out. */
bool quic_transport_open(struct quic_connection *connection, const struct quic_opening *opening,
                         uint64_t now);

/* A new connection ID of this worker. */
void quic_transport_id(const struct quic_table *table, ngtcp2_cid *id);

/* quic_write.c */

/* Room for both addresses of a path. */
struct quic_way {
    union origin_peer local;
    union origin_peer remote;
};

/* The path of a datagram, in the room given. */
ngtcp2_path quic_write_path(const struct quic_endpoint *endpoint, const struct origin_datagram *way,
                            struct quic_way *room);

/* Queues all packets that may leave now. The connection may be gone afterwards, which is false. */
bool quic_write_connection(struct quic_connection *connection, uint64_t now);

/* Queues the last packet of a connection. */
void quic_write_close(struct quic_connection *connection, const quic_compat_error *error,
                      uint64_t now);

/* Room for a datagram of up to QUIC_PACKET_SIZE octets, for the next quic_write_datagram. */
uint8_t *quic_write_room(struct quic_endpoint *endpoint);
void quic_write_datagram(struct quic_endpoint *endpoint, struct span datagram,
                         const struct origin_datagram *way);

/* Sends what was queued. */
void quic_write_flush(struct quic_endpoint *endpoint);
