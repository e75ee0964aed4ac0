/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is spoken over a client's connection: how its octets become queries, and answers octets. A
 * protocol is a table of functions; stream_protocol_of says which one a listener begins with.
 *
 * For those who write one, below: what a connection offers them. A protocol never closes a
 * connection nor frees it; it dooms it. No function here but stream_client_take calls back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/origin.h"
#include "forwarder/wire/span.h"
#include "geo/address.h"

struct config_listen;
struct evbuffer;
struct query_client;
struct query_ends;
struct stream_client;
struct stream_opening;
struct worker;

/* Functions marked so may be NULL: the protocol has no need of them. */
struct stream_protocol {
    bool transfers; /* zone transfers are relayed: an answer may be many messages */

    /* May be NULL. Begins; its state is kept by stream_client_set_state. The handshake of TLS is
     * over. False when memory is out: the connection is doomed. */
    bool (*start)(struct stream_client *client);

    /* May be NULL. Frees the state, which may be NULL. */
    void (*stop)(void *state);

    /* Takes from input what there is room for, each query by stream_client_take; calls
     * stream_client_stall and returns when there is no room, to be called again when there is. Is
     * also called with nothing new, after a stall. */
    void (*read)(struct stream_client *client, struct evbuffer *input);

    /* Writes an answer to stream_client_output, or keeps it until it may. False when memory is out:
     * the connection is doomed. */
    bool (*write)(struct stream_client *client, const struct origin_stream *to, struct span answer);

    /* May be NULL. The answer to this request will not come. */
    void (*forgo)(struct stream_client *client, const struct origin_stream *to);

    /* May be NULL. The output has been written to the socket as a whole: more may follow. */
    void (*written)(struct stream_client *client);

    /* May be NULL. The client is to be told that no more requests are taken; what it says is read
     * on, for what the protocol itself needs of it. */
    void (*drain)(struct stream_client *client);

    /* May be NULL. Octets of answers that the protocol keeps, besides those of the output. */
    size_t (*kept)(const void *state);
};

/* Messages behind two octets of length (RFC 1035 section 4.2.2): TCP, TLS. */
extern const struct stream_protocol stream_framed;

/* DNS over HTTPS (RFC 8484), by HTTP/2. */
extern const struct stream_protocol stream_https;

/* A PROXY header inside TLS, before the protocol proper. */
extern const struct stream_protocol stream_proxied;

/* What connections to this listener begin with, once their TLS stands. */
const struct stream_protocol *stream_protocol_of(const struct config_listen *listen);

/* What they speak behind such a PROXY header. */
const struct stream_protocol *stream_protocol_behind_proxy(const struct config_listen *listen);

/* ---- What a connection offers its protocol ---- */

struct worker *stream_client_worker(const struct stream_client *client);
const struct config_listen *stream_client_listen(const struct stream_client *client);
const struct address *stream_client_peer(const struct stream_client *client);
const struct query_ends *stream_client_ends(const struct stream_client *client);
struct evbuffer *stream_client_output(const struct stream_client *client);

void *stream_client_state(const struct stream_client *client);
void stream_client_set_state(struct stream_client *client, void *state);

/* From now on another protocol is spoken, beginning with what has not been taken from the input.
 * The state of the one before is stopped. To be called inside its read, which then returns. */
void stream_client_speak(struct stream_client *client, const struct stream_protocol *protocol);

/* The client is another than the peer: ends, unknown and holder of told say whose queries they are
 * by default (stream_client_who), and who holds the place in the quota. False, and the connection
 * is doomed: he has too many. */
bool stream_client_introduce(struct stream_client *client, const struct stream_opening *told);

/* Who asks, unless the message itself tells otherwise. Its ends are borrowed from the connection.
 */
struct query_client stream_client_who(const struct stream_client *client);

/* May a query of this size be taken? */
bool stream_client_has_room(const struct stream_client *client, size_t size);

/* Reads no more until there may be room. */
void stream_client_stall(struct stream_client *client);

/* Handles one query, whose octets may be changed. request comes back in the origin of its answer,
 * which may be written before this returns. */
void stream_client_take(struct stream_client *client, const struct query_client *who,
                        int64_t request, uint8_t *query, size_t size);

/* No more queries will be taken; the connection ends when everything due has been answered. */
void stream_client_end(struct stream_client *client);

/* It is broken, or breaks rules: closed from the loop, whatever is due. */
void stream_client_doom(struct stream_client *client);
bool stream_client_is_doomed(const struct stream_client *client);

/* ---- And for zone transfers (stream_transfers.h) ---- */

/* Octets of answers that the client has not read. */
size_t stream_client_unread(const struct stream_client *client);

/* Writes one message, if the limit of unread octets allows it; else the connection is doomed. */
void stream_client_send(struct stream_client *client, const struct origin_stream *to,
                        struct span message);

/* The same whatever is unread. */
void stream_client_send_unlimited(struct stream_client *client, const struct origin_stream *to,
                                  struct span message);

/* Ends the connection if nothing is due any more; resumes those that waited for room. */
void stream_client_settle(struct stream_client *client);
