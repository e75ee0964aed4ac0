/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The header fields of a response: of a DNS answer, which is status 200 whatever its rcode (RFC
 * 8484 section 4.2.1), or of an error. An answer may depend on its client's country, so
 * cache-control says private, and either how long it may be kept (RFC 8484 section 5.1) or that it
 * may not be.
 */
#pragma once

#include <nghttp2/nghttp2.h>

#include "forwarder/http/http_status.h"
#include "forwarder/wire/span.h"

#define HTTP_REPLY_FIELDS 5

/* Points into itself: not to be copied. */
struct http_reply {
    nghttp2_nv fields[HTTP_REPLY_FIELDS];
    size_t count;
    char length[24];
    char cache[40];
};

/* A DNS message. */
void http_reply_answer(struct http_reply *reply, struct span answer);

/* An error, whose text is the body. */
void http_reply_error(struct http_reply *reply, enum http_status status);
