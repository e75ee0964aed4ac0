/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The server's side of one HTTP/2 connection that carries DNS (RFC 9113, RFC 8484): octets in,
 * octets out, complete DNS queries in the order they became complete, answers by stream. Errors of
 * HTTP are answered here. No sockets, no clock. The state machine of HTTP/2 is nghttp2's; its
 * limits, and those it does not have, are set here:
 *
 *   streams at once         HTTP_SESSION_STREAMS; more are refused, and then end the connection
 *   header fields           HTTP_REQUEST_FIELDS_MAX octets, then 431; four times that ends it
 *   bodies not handled yet  HTTP_SESSION_WINDOW octets in all: the connection's window
 *   frames                  HTTP_SESSION_FRAMES more than complete requests pay for (PING,
 *                           SETTINGS, WINDOW_UPDATE, PRIORITY, DATA in crumbs); more end the
 *                           connection with ENHANCE_YOUR_CALM
 *   streams reset           1,000, and 33 a second (nghttp2's limit)
 *   CONTINUATION            8 frames a header block (nghttp2's limit)
 *   a request               patience_ms to become complete, then 408
 *
 *   a stream: receiving ──► ready (complete, waits to be taken) ──► asked ──► answered ──► gone
 *                 └──────────────────── error ─────────────────────────────────┘
 *
 * Invariant: a stream of nghttp2's that a request came on has one of ours until it is gone.
 */
#pragma once

#include "forwarder/http/http_forwarded.h"
#include "forwarder/http/http_status.h"

#define HTTP_SESSION_STREAMS 100
#define HTTP_SESSION_WINDOW 131072
#define HTTP_SESSION_FRAMES 1000

struct http_session;

struct http_session_events {
    /* An error was answered, or (status HTTP_STATUS_OK) a query was complete; to count them. */
    void (*on_request)(void *ctx, enum http_status status);
    void *ctx;
};

/* NULL when memory is out. */
struct http_session *http_session_new(unsigned patience_ms,
                                      const struct http_session_events *events);
void http_session_free(struct http_session *session); /* NULL is allowed */

/* When octets arrive, and from whom. */
struct http_session_arrival {
    uint64_t now_ms;      /* monotonic */
    bool keeps_forwarded; /* the peer may say who its clients are */
};

/* Takes all octets, or as many as it wants. */
void http_session_receive(struct http_session *session, struct span octets,
                          const struct http_session_arrival *arrival);

/* Are more octets wanted? No, once the client has broken the rules, either side has sent GOAWAY and
 * all is answered, or memory is out: then send what http_session_output gives, and close the
 * connection. */
bool http_session_wants(const struct http_session *session);

/* The next octets to send, which stay until the next call of any function here; none for now if
 * empty. */
struct span http_session_output(struct http_session *session);

struct http_session_query {
    int64_t stream;
    uint8_t *message; /* may be changed */
    size_t size;
    struct http_forwarded forwarded; /* empty unless kept */
};

/* The oldest complete query that was not taken yet, if there is one. Its octets stay until it is
 * taken or refused, or the session gets more octets. */
bool http_session_next(struct http_session *session, struct http_session_query *out);

/* It has been handled (its octets are no longer needed) and will be answered or forgone, ... */
void http_session_take(struct http_session *session, const struct http_session_query *query);

/* ... or it is answered with an error. */
void http_session_refuse(struct http_session *session, const struct http_session_query *query,
                         enum http_status status);

/* Answers the query of this stream, which was taken; copies the answer. Of no effect if its stream
 * is gone. False when memory is out. */
bool http_session_answer(struct http_session *session, int64_t id, struct span answer);

/* It will not be answered: the stream is reset (CANCEL), so that it holds none of the places. */
void http_session_forgo(struct http_session *session, int64_t id);

/* GOAWAY: requests that have come are still answered, others are not taken. */
void http_session_drain(struct http_session *session);

/* Octets of answers that are still to be given out: the client's windows do not let them yet. */
size_t http_session_kept(const struct http_session *session);
