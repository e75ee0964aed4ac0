/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TCP connections towards one server (see upstream_stream.h).
 */
#include "forwarder/upstream_stream.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "forwarder/framing.h"
#include "forwarder/milliseconds.h"

struct upstream_stream {
    struct inflight_channel channel; /* first: a channel of ours is its stream */
    struct upstream_streams *owner;
    struct bufferevent *transport;
    struct event *deadline; /* of connecting, then of being idle */
    bool open;
    bool stale;
    uint64_t answered_ms;          /* the last answer */
    struct inflight_queue waiting; /* entries whose attempt is on this stream */
    LIST_ENTRY(upstream_stream) link;
};

struct upstream_streams {
    struct upstream_env *env;
    struct upstream_server *server;
    struct upstream_target *target;
    upstream_stream_broken_fn *on_broken;
    void *ctx;
    unsigned count;
    LIST_HEAD(, upstream_stream) list;
};

static void stream_free(struct upstream_stream *stream)
{
    if (stream->deadline != NULL) {
        event_free(stream->deadline);
    }
    if (stream->transport != NULL) {
        bufferevent_free(stream->transport);
    }
    free(stream);
}

/* Takes the stream out of use first, then gives back its queries: they may ask for a new one. */
static void stream_close(struct upstream_stream *stream)
{
    struct upstream_streams *streams = stream->owner;
    bool reached = stream->open;
    LIST_REMOVE(stream, link);
    streams->count--;
    while (!TAILQ_EMPTY(&stream->waiting)) {
        struct inflight_entry *entry = TAILQ_FIRST(&stream->waiting);
        TAILQ_REMOVE(&stream->waiting, entry, on_stream);
        inflight_abandon(streams->env->inflight, entry);
        streams->on_broken(streams->ctx, entry, reached);
    }
    stream_free(stream);
}

/* Queries that were given up meanwhile have made room for others. */
static void stream_break(struct upstream_stream *stream)
{
    struct upstream_env *env = stream->owner->env;
    upstream_clock_read(env->clock);
    stream_close(stream);
    env->events.on_batch_end(env->events.ctx);
}

static void start_deadline(struct upstream_stream *stream, uint64_t ms)
{
    struct timeval delay = milliseconds(ms);
    event_add(stream->deadline, &delay);
}

/* Nothing waits any more: a stale stream goes, another may be used again for a while. */
static void on_empty(struct upstream_stream *stream)
{
    if (stream->stale) {
        stream_close(stream);
        return;
    }
    start_deadline(stream, UPSTREAM_STREAM_IDLE_MS);
}

static void on_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    struct upstream_stream *stream = ctx;
    (void)descriptor;
    (void)what;
    if (!stream->open || TAILQ_EMPTY(&stream->waiting)) {
        stream_break(stream);
    }
}

static void on_readable(struct bufferevent *transport, void *ctx)
{
    struct upstream_stream *stream = ctx;
    struct upstream_env *env = stream->owner->env;
    struct evbuffer *input = bufferevent_get_input(transport);
    uint8_t *message;
    size_t size;
    upstream_clock_read(env->clock);
    while (framing_peek(input, &message, &size)) {
        struct inflight_entry *entry =
            upstream_match(env, &stream->channel, (struct span){message, size});
        if (entry != NULL) {
            stream->answered_ms = env->clock->ms;
            TAILQ_REMOVE(&stream->waiting, entry, on_stream);
            upstream_deliver(env, entry, message, size);
        }
        framing_drop(input, size);
    }
    env->events.on_batch_end(env->events.ctx);
    if (TAILQ_EMPTY(&stream->waiting)) {
        on_empty(stream);
    }
}

static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct upstream_stream *stream = ctx;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        int on = 1;
        (void)setsockopt(bufferevent_getfd(transport), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
        stream->open = true;
        event_del(stream->deadline);
        if (TAILQ_EMPTY(&stream->waiting)) {
            on_empty(stream);
        }
        return;
    }
    stream_break(stream);
}

static struct upstream_stream *stream_new(struct upstream_streams *streams)
{
    const struct config_address *address = &streams->target->address;
    struct upstream_env *env = streams->env;
    struct upstream_stream *stream = calloc(1, sizeof(*stream));
    if (stream == NULL) {
        return NULL;
    }
    stream->owner = streams;
    TAILQ_INIT(&stream->waiting);
    upstream_channel_init(env, &stream->channel, streams->server,
                          upstream_target_counter(streams->target, env->worker));
    stream->deadline = evtimer_new(env->base, on_deadline, stream);
    stream->transport =
        bufferevent_socket_new(env->base, -1, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (stream->deadline == NULL || stream->transport == NULL) {
        goto fail;
    }
    bufferevent_setcb(stream->transport, on_readable, NULL, on_event, stream);
    bufferevent_enable(stream->transport, EV_READ | EV_WRITE);
    if (bufferevent_socket_connect(stream->transport, (const struct sockaddr *)&address->sockaddr,
                                   (int)address->size) != 0) {
        goto fail;
    }
    start_deadline(stream,
                   env->servers > 1 ? env->config->retry_after_ms : env->config->timeout_ms);
    LIST_INSERT_HEAD(&streams->list, stream, link);
    streams->count++;
    return stream;
fail:
    stream_free(stream);
    return NULL;
}

struct upstream_streams *upstream_streams_new(struct upstream_env *env,
                                              struct upstream_server *server,
                                              struct upstream_target *target,
                                              upstream_stream_broken_fn *on_broken, void *ctx)
{
    struct upstream_streams *streams = calloc(1, sizeof(*streams));
    if (streams == NULL) {
        return NULL;
    }
    streams->env = env;
    streams->server = server;
    streams->target = target;
    streams->on_broken = on_broken;
    streams->ctx = ctx;
    LIST_INIT(&streams->list);
    return streams;
}

void upstream_streams_free(struct upstream_streams *streams)
{
    if (streams == NULL) {
        return;
    }
    while (!LIST_EMPTY(&streams->list)) {
        stream_close(LIST_FIRST(&streams->list));
    }
    free(streams);
}

/* The least busy stream that still takes queries, or NULL. */
static struct upstream_stream *least_busy(struct upstream_streams *streams)
{
    struct upstream_stream *best = NULL;
    struct upstream_stream *stream;
    LIST_FOREACH(stream, &streams->list, link)
    {
        if (!stream->stale &&
            (best == NULL || stream->channel.in_flight < best->channel.in_flight)) {
            best = stream;
        }
    }
    return best;
}

static struct upstream_stream *choose(struct upstream_streams *streams)
{
    struct upstream_stream *stream = least_busy(streams);
    if (stream != NULL &&
        (stream->channel.in_flight < UPSTREAM_STREAM_BUSY || streams->count >= UPSTREAM_STREAMS)) {
        return stream;
    }
    struct upstream_stream *fresh = stream_new(streams);
    return fresh != NULL ? fresh : stream;
}

bool upstream_streams_send(struct upstream_streams *streams, struct inflight_entry *entry)
{
    struct upstream_stream *stream = choose(streams);
    if (stream == NULL || !upstream_attempt(streams->env, entry, &stream->channel)) {
        return false;
    }
    struct span message = {entry->message, entry->message_size};
    if (!framing_write(bufferevent_get_output(stream->transport), message)) {
        inflight_abandon(streams->env->inflight, entry);
        return false;
    }
    TAILQ_INSERT_TAIL(&stream->waiting, entry, on_stream);
    if (stream->open) {
        event_del(stream->deadline);
    }
    return true;
}

void upstream_streams_give_up(struct inflight_entry *entry)
{
    struct upstream_stream *stream = (struct upstream_stream *)entry->attempts[0].channel;
    TAILQ_REMOVE(&stream->waiting, entry, on_stream);
    if (stream->answered_ms < entry->asked_ms) {
        stream->stale = true;
    }
    inflight_abandon(stream->owner->env->inflight, entry);
    if (TAILQ_EMPTY(&stream->waiting) && stream->open) {
        on_empty(stream);
    }
}
