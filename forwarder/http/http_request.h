/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One request of DNS over HTTPS (RFC 8484 section 4.1) as its header fields and its body come in,
 * whatever version of HTTP they come by. Owns what it collects: the message and, if the peer may
 * speak for others, the headers in which it does; nothing else is kept.
 *
 * Invariant: status is the first of its errors in the order of http_request_headed once that was
 * called, and HTTP_STATUS_OK as long as there is none; an erroneous request holds no message.
 */
#pragma once

#include "forwarder/http/http_forwarded.h"
#include "forwarder/http/http_status.h"

/* Octets of all header fields: names, values, and 32 for each (RFC 9113 section 6.5.2). */
#define HTTP_REQUEST_FIELDS_MAX 16384

struct http_request_text {
    uint8_t *bytes;
    size_t size;
};

struct http_request {
    enum http_status status;
    bool get;
    bool post;
    bool head;      /* the answer has no body */
    bool typed;     /* its content-type is that of DNS messages */
    bool selective; /* it has an accept, */
    bool accepted;  /* which names that of DNS messages */
    bool headed;    /* what comes now are trailers */
    bool too_long;  /* content-length says so */
    bool exhausted; /* there was no memory for a part of it */
    enum http_status path;
    enum http_status query; /* the parameters behind the path */
    size_t fields;          /* octets of them */
    uint8_t *message;
    size_t size;
    size_t capacity;
    struct http_request_text forwarded;
    struct http_request_text x_forwarded_for;
};

void http_request_init(struct http_request *request);
void http_request_fini(struct http_request *request); /* may be called twice */

/* One header field, the pseudo-headers of RFC 9113 included. keeps_forwarded: what it says of other
 * clients is wanted. Of trailers only the size counts: no proxy writes there who asks, but a client
 * may. */
void http_request_field(struct http_request *request, struct span name, struct span value,
                        bool keeps_forwarded);

/* All header fields are there. From now on status tells whether it is worth listening to. */
void http_request_headed(struct http_request *request);

/* Some of the body. That of a GET means nothing and is passed over. */
void http_request_body(struct http_request *request, struct span octets);

/* All of it is there: status is final. */
void http_request_end(struct http_request *request);

struct span http_request_message(const struct http_request *request);
struct http_forwarded http_request_forwarded(const struct http_request *request);
