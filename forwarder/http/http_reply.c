/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Header fields of responses (see http_reply.h).
 */
#include "forwarder/http/http_reply.h"

#include <inttypes.h>
#include <stdio.h>

#include "forwarder/wire/freshness.h"

/* nghttp2 copies both when the response is submitted, and changes neither. */
static void add(struct http_reply *reply, const char *name, const char *value)
{
    reply->fields[reply->count++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name,
        .value = (uint8_t *)(uintptr_t)value,
        .namelen = strlen(name),
        .valuelen = strlen(value),
    };
}

static void add_length(struct http_reply *reply, size_t size)
{
    snprintf(reply->length, sizeof reply->length, "%zu", size);
    add(reply, "content-length", reply->length);
}

void http_reply_answer(struct http_reply *reply, struct span answer)
{
    uint32_t seconds;
    reply->count = 0;
    add(reply, ":status", http_status_row(HTTP_STATUS_OK)->code);
    add(reply, "content-type", "application/dns-message");
    add_length(reply, answer.size);
    if (freshness_of(answer, &seconds)) {
        snprintf(reply->cache, sizeof reply->cache, "private, max-age=%" PRIu32, seconds);
    } else {
        snprintf(reply->cache, sizeof reply->cache, "no-store");
    }
    add(reply, "cache-control", reply->cache);
}

void http_reply_error(struct http_reply *reply, enum http_status status)
{
    const struct http_status_row *row = http_status_row(status);
    reply->count = 0;
    add(reply, ":status", row->code);
    add(reply, "content-type", "text/plain");
    add_length(reply, strlen(row->text));
    add(reply, "cache-control", "no-store");
    if (status == HTTP_STATUS_METHOD) {
        add(reply, "allow", "GET, POST");
    }
}
