/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DNS over HTTPS (RFC 8484): POST, or GET, one HTTP/2 connection, a stream a query (see way.h).
 */
#include <event2/buffer.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <string.h>

#include "test/soak/right_answer.h"
#include "test/soak/way_stream.h"

#define PATH "/dns-query"
#define PATH_MAX_SIZE (32 + RIGHT_QUERY_MAX * 4 / 3)

struct exchange {
    int32_t stream; /* 0: none */
    size_t query_size;
    size_t query_sent;
    size_t answer_size;
    bool ok; /* status 200 */
    uint8_t query[RIGHT_QUERY_MAX];
    uint8_t answer[RIGHT_ANSWER_MAX];
};

struct way {
    struct row *row;
    struct bufferevent *transport;
    nghttp2_session *session;
    bool down;
    struct exchange exchanges[WAY_SLOTS];
};

static struct exchange *exchange_of(struct way *way, int32_t stream)
{
    for (unsigned i = 0; i < WAY_SLOTS; i++) {
        if (way->exchanges[i].stream == stream) {
            return &way->exchanges[i];
        }
    }
    return NULL;
}

/* ---- What nghttp2 asks and tells ---- */

static ssize_t on_send(nghttp2_session *session, const uint8_t *bytes, size_t size, int flags,
                       void *ctx)
{
    struct way *way = ctx;
    (void)session;
    (void)flags;
    return bufferevent_write(way->transport, bytes, size) == 0 ? (ssize_t)size
                                                               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t on_body_wanted(nghttp2_session *session, int32_t stream, uint8_t *out, size_t room,
                              uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct exchange *exchange = source->ptr;
    size_t left = exchange->query_size - exchange->query_sent;
    size_t part = left < room ? left : room;
    (void)session;
    (void)stream;
    (void)ctx;
    memcpy(out, exchange->query + exchange->query_sent, part);
    exchange->query_sent += part;
    *flags |= exchange->query_sent == exchange->query_size ? NGHTTP2_DATA_FLAG_EOF : 0U;
    return (ssize_t)part;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *ctx)
{
    struct exchange *exchange = exchange_of(ctx, frame->hd.stream_id);
    (void)session;
    (void)flags;
    if (exchange != NULL && name_size == 7 && memcmp(name, ":status", 7) == 0) {
        exchange->ok = value_size == 3 && memcmp(value, "200", 3) == 0;
    }
    return 0;
}

static int on_body(nghttp2_session *session, uint8_t flags, int32_t stream, const uint8_t *bytes,
                   size_t size, void *ctx)
{
    struct exchange *exchange = exchange_of(ctx, stream);
    (void)session;
    (void)flags;
    if (exchange != NULL && size <= sizeof exchange->answer - exchange->answer_size) {
        memcpy(exchange->answer + exchange->answer_size, bytes, size);
        exchange->answer_size += size;
    }
    return 0;
}

/* A stream that ends without an answer leaves its query waiting: it will count as lost. One that
 * the server did not begin with (a GOAWAY, or a stream refused) ends with the connection. */
static int on_stream_end(nghttp2_session *session, int32_t stream, uint32_t code, void *ctx)
{
    struct way *way = ctx;
    struct exchange *exchange = exchange_of(way, stream);
    (void)session;
    if (exchange == NULL) {
        return 0;
    }
    exchange->stream = 0;
    if (code == NGHTTP2_NO_ERROR && exchange->ok) {
        row_on_answer(way->row, (int)(exchange - way->exchanges), exchange->answer,
                      exchange->answer_size);
    }
    return 0;
}

/* ---- The connection ---- */

static void go_down(struct way *way)
{
    if (!way->down) {
        way->down = true;
        row_on_down(way->row);
    }
}

static void on_octets(struct bufferevent *transport, void *ctx)
{
    struct way *way = ctx;
    struct evbuffer *input = bufferevent_get_input(transport);
    size_t size = evbuffer_get_length(input);
    const uint8_t *bytes = evbuffer_pullup(input, -1);
    if (way->down || size == 0) {
        return;
    }
    ssize_t used = nghttp2_session_mem_recv(way->session, bytes, size);
    if (used < 0 || nghttp2_session_send(way->session) != 0) {
        go_down(way);
        return;
    }
    evbuffer_drain(input, (size_t)used);
    if (nghttp2_session_want_read(way->session) == 0) {
        go_down(way);
    }
}

static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct way *way = ctx;
    (void)transport;
    if ((what & BEV_EVENT_CONNECTED) == 0) {
        go_down(way);
        return;
    }
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_submit_settings(way->session, NGHTTP2_FLAG_NONE, settings, 1);
    row_on_up(way->row);
}

static struct way *https_open(const struct way_route *route, struct row *row)
{
    struct way *way = calloc(1, sizeof *way);
    nghttp2_session_callbacks *callbacks;
    if (way == NULL || nghttp2_session_callbacks_new(&callbacks) != 0) {
        free(way);
        return NULL;
    }
    nghttp2_session_callbacks_set_send_callback(callbacks, on_send);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_end);
    way->row = row;
    if (nghttp2_session_client_new(&way->session, callbacks, way) != 0) {
        free(way);
        way = NULL;
    }
    nghttp2_session_callbacks_del(callbacks);
    if (way != NULL) {
        way->transport = way_stream_open(route, "h2");
        bufferevent_setcb(way->transport, on_octets, NULL, on_event, way);
    }
    return way;
}

#define FIELD(name, value)                                                             \
    {                                                                                  \
        (uint8_t *)(uintptr_t)(name), (uint8_t *)(uintptr_t)(value), sizeof(name) - 1, \
            sizeof(value) - 1, NGHTTP2_NV_FLAG_NONE                                    \
    }

/* The query in base64url (RFC 4648 section 5), without padding, as the path wants it. */
static size_t put_path(char out[static PATH_MAX_SIZE], const uint8_t *query, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    static const char before[] = PATH "?dns=";
    char *at = out + sizeof before - 1;
    uint32_t bits = 0;
    unsigned count = 0;
    memcpy(out, before, sizeof before - 1);
    for (size_t i = 0; i < size; i++) {
        bits = bits << 8 | query[i];
        for (count += 8; count >= 6; count -= 6) {
            *at++ = digits[bits >> (count - 6) & 63];
        }
    }
    if (count > 0) {
        *at++ = digits[bits << (6 - count) & 63];
    }
    return (size_t)(at - out);
}

static bool get_send(struct way *way, unsigned slot, const uint8_t *query, size_t size)
{
    char path[PATH_MAX_SIZE];
    const nghttp2_nv fields[] = {
        FIELD(":method", "GET"),
        FIELD(":scheme", "https"),
        FIELD(":authority", "dns.example"),
        {(uint8_t *)(uintptr_t) ":path", (uint8_t *)path, 5, put_path(path, query, size),
         NGHTTP2_NV_FLAG_NONE},
        FIELD("accept", "application/dns-message"),
    };
    struct exchange *exchange = &way->exchanges[slot];
    if (way->down || nghttp2_session_check_request_allowed(way->session) == 0) {
        return false;
    }
    *exchange = (struct exchange){0};
    exchange->stream = nghttp2_submit_request(way->session, NULL, fields,
                                              sizeof fields / sizeof *fields, NULL, NULL);
    return exchange->stream > 0 && nghttp2_session_send(way->session) == 0;
}

static bool https_send(struct way *way, unsigned slot, const uint8_t *query, size_t size)
{
    static const nghttp2_nv fields[] = {
        FIELD(":method", "POST"),
        FIELD(":scheme", "https"),
        FIELD(":authority", "dns.example"),
        FIELD(":path", PATH),
        FIELD("content-type", "application/dns-message"),
    };
    struct exchange *exchange = &way->exchanges[slot];
    const nghttp2_data_provider body = {{.ptr = exchange}, on_body_wanted};
    if (way->down || nghttp2_session_check_request_allowed(way->session) == 0) {
        return false;
    }
    *exchange = (struct exchange){.query_size = size};
    memcpy(exchange->query, query, size);
    exchange->stream = nghttp2_submit_request(way->session, NULL, fields,
                                              sizeof fields / sizeof *fields, &body, NULL);
    return exchange->stream > 0 && nghttp2_session_send(way->session) == 0;
}

static void https_close(struct way *way)
{
    nghttp2_session_del(way->session);
    bufferevent_free(way->transport);
    free(way);
}

const struct way_kind way_https = {
    .name = "https",
    .stream = true,
    .names_slots = true,
    .open = https_open,
    .send = https_send,
    .close = https_close,
};

const struct way_kind way_get = {
    .name = "get",
    .stream = true,
    .names_slots = true,
    .open = https_open,
    .send = get_send,
    .close = https_close,
};
