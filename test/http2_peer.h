/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A client of HTTP/2 in memory: nghttp2's other side, joined to a http_session, and frames written
 * by hand where nghttp2 would not write them. Each test binary includes it once.
 */
#pragma once

#include <check.h>
#include <nghttp2/nghttp2.h>
#include <stdlib.h>

#include "forwarder/http/http_session.h"

#define PEER_STREAMS 256
#define PEER_PATIENCE_MS 1000

/* What came back on a stream; its number is (ID - 1) / 2. */
struct peer_stream {
    char status[4];
    char cache[48];
    char allow[16];
    uint8_t body[4096]; /* as much of it as there is room for */
    size_t size;
    bool ended;
    bool closed;
    uint32_t error; /* why it closed */
};

struct peer {
    struct http_session *session;
    nghttp2_session *client;
    struct http_session_arrival arrival;
    bool goaway;
    uint32_t goaway_error;
    unsigned counted[HTTP_STATUSES];
    struct peer_stream streams[PEER_STREAMS];
};

static inline struct peer_stream *peer_stream(struct peer *peer, int32_t id)
{
    ck_assert_int_lt(id / 2, PEER_STREAMS);
    return &peer->streams[id / 2];
}

static inline int peer_on_header(nghttp2_session *client, const nghttp2_frame *frame,
                                 const uint8_t *name, size_t name_size, const uint8_t *value,
                                 size_t value_size, uint8_t flags, void *ctx)
{
    struct peer_stream *stream = peer_stream(ctx, frame->hd.stream_id);
    const struct {
        const char *name;
        char *room;
        size_t size;
    } kept[] = {{":status", stream->status, sizeof stream->status},
                {"cache-control", stream->cache, sizeof stream->cache},
                {"allow", stream->allow, sizeof stream->allow}};
    (void)client;
    (void)flags;
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
        if (name_size == strlen(kept[i].name) && memcmp(name, kept[i].name, name_size) == 0) {
            ck_assert_uint_lt(value_size, kept[i].size);
            memcpy(kept[i].room, value, value_size);
        }
    }
    return 0;
}

static inline int peer_on_data(nghttp2_session *client, uint8_t flags, int32_t id,
                               const uint8_t *data, size_t size, void *ctx)
{
    struct peer_stream *stream = peer_stream(ctx, id);
    (void)client;
    (void)flags;
    for (size_t i = 0; i < size; i++, stream->size++) {
        if (stream->size < sizeof stream->body) {
            stream->body[stream->size] = data[i];
        }
    }
    return 0;
}

static inline int peer_on_frame(nghttp2_session *client, const nghttp2_frame *frame, void *ctx)
{
    struct peer *peer = ctx;
    (void)client;
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        peer_stream(peer, frame->hd.stream_id)->ended = true;
    }
    return 0;
}

static inline int peer_on_close(nghttp2_session *client, int32_t id, uint32_t error, void *ctx)
{
    struct peer_stream *stream = peer_stream(ctx, id);
    (void)client;
    stream->closed = true;
    stream->error = error;
    return 0;
}

static inline void peer_on_request(void *ctx, enum http_status status)
{
    ((struct peer *)ctx)->counted[status]++;
}

/* Octets to the session, in pieces of at most this many. */
static inline void peer_send(struct peer *peer, const uint8_t *octets, size_t size, size_t piece)
{
    for (size_t at = 0; at < size && http_session_wants(peer->session); at += piece) {
        size_t count = size - at < piece ? size - at : piece;
        uint8_t *exact = malloc(count);
        ck_assert_ptr_nonnull(exact);
        memcpy(exact, octets + at, count);
        http_session_receive(peer->session, (struct span){exact, count}, &peer->arrival);
        free(exact);
    }
}

/* All that the session has to say, frame by frame, reaches the client. Octets of it. */
static inline size_t peer_receive(struct peer *peer)
{
    size_t size = 0;
    for (;;) {
        struct span octets = http_session_output(peer->session);
        if (octets.size == 0) {
            return size;
        }
        size += octets.size;
        if (octets.size >= 17 && octets.bytes[3] == NGHTTP2_GOAWAY) {
            peer->goaway = true;
            peer->goaway_error = octets.bytes[16]; /* none is above 255 */
        }
        ck_assert_int_eq(nghttp2_session_mem_recv(peer->client, octets.bytes, octets.size),
                         (ssize_t)octets.size);
    }
}

/* Both sides talk until neither has anything to say. */
static inline void peer_exchange(struct peer *peer)
{
    const uint8_t *octets;
    ssize_t size;
    do {
        while ((size = nghttp2_session_mem_send(peer->client, &octets)) > 0) {
            peer_send(peer, octets, (size_t)size, SIZE_MAX / 2);
        }
    } while (peer_receive(peer) > 0);
}

static inline struct peer *peer_new(void)
{
    struct peer *peer = calloc(1, sizeof *peer);
    nghttp2_session_callbacks *callbacks;
    ck_assert_int_eq(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, peer_on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, peer_on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, peer_on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, peer_on_close);
    ck_assert_int_eq(nghttp2_session_client_new(&peer->client, callbacks, peer), 0);
    nghttp2_session_callbacks_del(callbacks);
    struct http_session_events events = {peer_on_request, peer};
    peer->session = http_session_new(PEER_PATIENCE_MS, &events);
    ck_assert_ptr_nonnull(peer->session);
    peer->arrival.now_ms = 5000;
    return peer;
}

/* The same, and the prefaces have been exchanged. */
static inline struct peer *peer_open(const nghttp2_settings_entry *settings, size_t count)
{
    struct peer *peer = peer_new();
    ck_assert_int_eq(nghttp2_submit_settings(peer->client, 0, settings, count), 0);
    peer_exchange(peer);
    return peer;
}

static inline void peer_free(struct peer *peer)
{
    http_session_free(peer->session);
    nghttp2_session_del(peer->client);
    free(peer);
}

/* A frame by hand. */
static inline void peer_frame(struct peer *peer, uint8_t type, uint8_t flags, uint32_t id,
                              struct span payload)
{
    uint8_t head[9] = {(uint8_t)(payload.size >> 16),
                       (uint8_t)(payload.size >> 8),
                       (uint8_t)payload.size,
                       type,
                       flags,
                       (uint8_t)(id >> 24),
                       (uint8_t)(id >> 16),
                       (uint8_t)(id >> 8),
                       (uint8_t)id};
    peer_send(peer, head, sizeof head, sizeof head);
    if (payload.size > 0) {
        peer_send(peer, payload.bytes, payload.size, payload.size);
    }
}

static inline nghttp2_nv peer_field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name),
                        strlen(value), NGHTTP2_NV_FLAG_NONE};
}

/* A body that is sent as the windows let it, and ends if it may. */
struct peer_body {
    size_t left;
    bool ends;
};

static inline ssize_t peer_read_body(nghttp2_session *client, int32_t id, uint8_t *out, size_t size,
                                     uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct peer_body *body = source->ptr;
    size_t count = body->left < size ? body->left : size;
    (void)client;
    (void)id;
    (void)ctx;
    memset(out, 0, count);
    body->left -= count;
    if (body->left == 0 && body->ends) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    } else if (count == 0) {
        return NGHTTP2_ERR_DEFERRED;
    }
    return (ssize_t)count;
}

/* A POST of so many zeros, which are a query. body stays the caller's until the stream closes. */
static inline int32_t peer_post(struct peer *peer, struct peer_body *body)
{
    nghttp2_nv fields[] = {peer_field(":method", "POST"), peer_field(":scheme", "https"),
                           peer_field(":authority", "a.example"), peer_field(":path", "/dns-query"),
                           peer_field("content-type", "application/dns-message")};
    nghttp2_data_provider provider = {{.ptr = body}, peer_read_body};
    int32_t id = nghttp2_submit_request(peer->client, NULL, fields, 5, &provider, NULL);
    ck_assert_int_gt(id, 0);
    return id;
}

/* A GET of this target, with one more field if name is not NULL. */
static inline int32_t peer_get(struct peer *peer, const char *target, const char *name,
                               const char *value)
{
    nghttp2_nv fields[] = {peer_field(":method", "GET"), peer_field(":scheme", "https"),
                           peer_field(":authority", "a.example"), peer_field(":path", target),
                           peer_field(name == NULL ? "" : name, name == NULL ? "" : value)};
    int32_t id =
        nghttp2_submit_request(peer->client, NULL, fields, name == NULL ? 4 : 5, NULL, NULL);
    ck_assert_int_gt(id, 0);
    return id;
}
