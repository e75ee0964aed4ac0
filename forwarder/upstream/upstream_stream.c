/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TCP and TLS connections towards one server (see upstream_stream.h).
 */
#include "forwarder/upstream/upstream_stream.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "forwarder/config/config.h"
#include "forwarder/counters.h"
#include "forwarder/descriptors.h"
#include "forwarder/framing.h"
#include "forwarder/milliseconds.h"
#include "forwarder/upstream/upstream_transport.h"

#define BUCKETS 256

struct upstream_stream {
    struct inflight_channel channel; /* first: a channel of ours is its stream */
    struct upstream_streams *owner;
    struct bufferevent *transport;
    struct event *deadline; /* of connecting, then of being idle */
    struct query_ends ends; /* whose queries it carries; zeroed: anybody's */
    bool open;
    bool overdue; /* not open in time; what came meanwhile may not have been heard yet */
    bool stale;
    bool once;            /* of no use once nothing waits */
    bool reading;         /* its answers are being handed on */
    uint64_t answered_ms; /* the last answer */
    uint64_t used_ms;     /* the last query or answer */
    LIST_ENTRY(upstream_stream) link;
    TAILQ_ENTRY(upstream_stream) by_use;
};

LIST_HEAD(stream_list, upstream_stream);

struct upstream_streams {
    struct upstream_env *env;
    struct upstream_server *server;
    struct upstream_target *target;
    upstream_stream_broken_fn *on_broken;
    void *ctx;
    bool proxied;
    unsigned count;
    uint64_t refused_ms; /* when its certificate was refused last; 0: never */
    struct upstream_tls_ticket ticket;
    struct stream_list buckets[BUCKETS];  /* by ends */
    TAILQ_HEAD(, upstream_stream) by_use; /* the least recently used first */
};

static void stream_free(struct upstream_stream *stream)
{
    if (stream->deadline != NULL) {
        event_free(stream->deadline);
    }
    upstream_transport_close(stream->transport);
    free(stream);
}

/* Gives back the queries that wait on a channel: they may ask for a new one. */
static void give_back(struct upstream_streams *streams, const struct inflight_channel *channel,
                      bool reached)
{
    struct inflight *inflight = streams->env->inflight;
    struct inflight_entry *entry = inflight_next(inflight, NULL);
    while (channel->in_flight > 0 && entry != NULL) {
        struct inflight_entry *next = inflight_next(inflight, entry);
        if (inflight_abandon(inflight, entry, channel)) {
            streams->on_broken(streams->ctx, entry, streams->server, reached);
        }
        entry = next;
    }
}

/* Takes the stream out of use first. */
static void stream_close(struct upstream_stream *stream)
{
    struct upstream_streams *streams = stream->owner;
    LIST_REMOVE(stream, link);
    TAILQ_REMOVE(&streams->by_use, stream, by_use);
    streams->count--;
    give_back(streams, &stream->channel, stream->open);
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

static void touch(struct upstream_stream *stream)
{
    struct upstream_streams *streams = stream->owner;
    stream->used_ms = streams->env->clock->ms;
    TAILQ_REMOVE(&streams->by_use, stream, by_use);
    TAILQ_INSERT_TAIL(&streams->by_use, stream, by_use);
}

/* Nothing waits any more on an open stream: some are of no more use, others are for a while. */
static void close_if_done(struct upstream_stream *stream)
{
    if (stream->channel.in_flight == 0 && stream->open && !stream->reading &&
        (stream->stale || stream->once)) {
        stream_close(stream);
    }
}

/* The timer of an open stream is not moved with each query: when it fires, it looks. One that is
 * not open is given a last round of the loop: a worker that was kept from running finds its timer
 * due together with what would have stopped it. */
static void on_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    struct upstream_stream *stream = ctx;
    struct upstream_clock *clock = stream->owner->env->clock;
    (void)descriptor;
    (void)what;
    upstream_clock_read(clock);
    uint64_t idle_ms = clock->ms - stream->used_ms;
    if (!stream->open && !stream->overdue) {
        stream->overdue = true;
        start_deadline(stream, 0);
    } else if (!stream->open ||
               (stream->channel.in_flight == 0 && idle_ms >= UPSTREAM_STREAM_IDLE_MS)) {
        stream_break(stream);
    } else if (stream->channel.in_flight == 0) {
        start_deadline(stream, UPSTREAM_STREAM_IDLE_MS - idle_ms);
    } else {
        start_deadline(stream, UPSTREAM_STREAM_IDLE_MS);
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
    stream->reading = true;
    while (framing_peek(input, &message, &size)) {
        struct inflight_entry *entry =
            upstream_match(env, &stream->channel, (struct span){message, size});
        if (entry != NULL) {
            stream->answered_ms = env->clock->ms;
            entry->streamed = true;
            upstream_deliver(env, entry, (struct upstream_room){message, size, size});
        }
        framing_drop(input, size);
    }
    stream->reading = false;
    touch(stream);
    env->events.on_batch_end(env->events.ctx);
    close_if_done(stream);
}

static void on_connected(struct upstream_stream *stream)
{
    struct upstream_streams *streams = stream->owner;
    struct ssl_st *ssl = bufferevent_openssl_get_ssl(stream->transport);
    upstream_clock_read(streams->env->clock);
    if (ssl != NULL) {
        upstream_tls_connected(ssl, streams->target, &streams->ticket, streams->env->clock->ms);
        streams->refused_ms = 0;
    }
    stream->open = true;
    stream->used_ms = streams->env->clock->ms;
    start_deadline(stream, UPSTREAM_STREAM_IDLE_MS);
    close_if_done(stream);
}

/* The certificate of a server may be the reason why a connection did not come up. */
static void note_refusal(struct upstream_stream *stream)
{
    struct upstream_streams *streams = stream->owner;
    struct ssl_st *ssl = bufferevent_openssl_get_ssl(stream->transport);
    if (ssl != NULL && !stream->open && upstream_tls_refused(ssl, streams->target)) {
        upstream_clock_read(streams->env->clock);
        streams->refused_ms = streams->env->clock->ms;
        counters_add(streams->env->counters, COUNTER_UPSTREAM_UNVERIFIED);
    }
}

static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct upstream_stream *stream = ctx;
    (void)transport;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        on_connected(stream);
        return;
    }
    note_refusal(stream);
    stream_break(stream);
}

static unsigned bucket_of(const struct query_ends *ends)
{
    const uint8_t *octets = (const uint8_t *)ends;
    uint32_t hash = 0x811C9DC5U;
    for (size_t i = 0; i < sizeof *ends; i++) {
        hash = (hash ^ octets[i]) * 0x01000193U;
    }
    return (hash ^ hash >> 16) % BUCKETS;
}

static bool stream_start(struct upstream_stream *stream)
{
    struct upstream_streams *streams = stream->owner;
    struct upstream_env *env = streams->env;
    const struct upstream_transport transport = {
        .base = env->base,
        .target = streams->target,
        .tls = env->tls,
        .ticket = &streams->ticket,
        .now_ms = env->clock->ms,
        .proxied = streams->proxied,
        .ends = &stream->ends,
    };
    stream->deadline = evtimer_new(env->base, on_deadline, stream);
    stream->transport = upstream_transport_open(&transport);
    if (stream->deadline == NULL || stream->transport == NULL) {
        return false;
    }
    bufferevent_setcb(stream->transport, on_readable, NULL, on_event, stream);
    start_deadline(stream,
                   env->servers > 1 ? env->config->retry_after_ms : env->config->timeout_ms);
    return true;
}

static struct upstream_stream *stream_new(struct upstream_streams *streams,
                                          const struct query_ends *ends)
{
    struct upstream_stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    stream->owner = streams;
    stream->ends = *ends;
    stream->used_ms = streams->env->clock->ms;
    upstream_channel_init(streams->env, &stream->channel, streams->server,
                          upstream_target_counts(streams->target, streams->env->worker));
    stream->channel.stream = true;
    if (!stream_start(stream)) {
        stream_free(stream);
        return NULL;
    }
    LIST_INSERT_HEAD(&streams->buckets[bucket_of(ends)], stream, link);
    TAILQ_INSERT_TAIL(&streams->by_use, stream, by_use);
    streams->count++;
    return stream;
}

struct upstream_streams *upstream_streams_new(struct upstream_env *env,
                                              struct upstream_server *server,
                                              struct upstream_target *target,
                                              upstream_stream_broken_fn *on_broken, void *ctx)
{
    struct upstream_streams *streams = calloc(1, sizeof *streams);
    if (streams == NULL) {
        return NULL;
    }
    streams->env = env;
    streams->server = server;
    streams->target = target;
    streams->on_broken = on_broken;
    streams->ctx = ctx;
    streams->proxied = env->config->send_client == CONFIG_SEND_PROXY;
    TAILQ_INIT(&streams->by_use);
    return streams;
}

void upstream_streams_free(struct upstream_streams *streams)
{
    if (streams == NULL) {
        return;
    }
    while (!TAILQ_EMPTY(&streams->by_use)) {
        stream_close(TAILQ_FIRST(&streams->by_use));
    }
    upstream_tls_ticket_fini(&streams->ticket);
    free(streams);
}

bool upstream_streams_usable(const struct upstream_streams *streams)
{
    return streams->refused_ms == 0 ||
           streams->env->clock->ms - streams->refused_ms >= UPSTREAM_STREAM_REFUSED_MS;
}

/* The least busy stream for these ends that still takes queries, or NULL. */
static struct upstream_stream *least_busy(const struct upstream_streams *streams,
                                          const struct query_ends *ends)
{
    struct upstream_stream *best = NULL;
    struct upstream_stream *stream;
    LIST_FOREACH(stream, &streams->buckets[bucket_of(ends)], link)
    {
        if (!stream->stale && memcmp(&stream->ends, ends, sizeof *ends) == 0 &&
            (best == NULL || stream->channel.in_flight < best->channel.in_flight)) {
            best = stream;
        }
    }
    return best;
}

/* Room for one more connection that serves one client: an idle one gives way. */
static bool make_room(struct upstream_streams *streams)
{
    struct upstream_stream *stream = TAILQ_FIRST(&streams->by_use);
    if (streams->count < UPSTREAM_STREAMS_PROXIED && !descriptors_short(streams->env->descriptor)) {
        return true;
    }
    while (stream != NULL && (stream->channel.in_flight > 0 || stream->reading)) {
        stream = TAILQ_NEXT(stream, by_use);
    }
    if (stream == NULL) {
        return false;
    }
    stream_close(stream);
    return true;
}

static struct upstream_stream *choose_own(struct upstream_streams *streams,
                                          const struct inflight_entry *entry)
{
    struct upstream_stream *stream = least_busy(streams, &entry->ends);
    if (stream != NULL || !make_room(streams)) {
        return stream;
    }
    stream = stream_new(streams, &entry->ends);
    if (stream != NULL) {
        stream->once = entry->origin.kind == ORIGIN_DATAGRAM;
    }
    return stream;
}

static struct upstream_stream *choose_shared(struct upstream_streams *streams)
{
    static const struct query_ends anybody;
    struct upstream_stream *stream = least_busy(streams, &anybody);
    if (stream != NULL &&
        (stream->channel.in_flight < UPSTREAM_STREAM_BUSY || streams->count >= UPSTREAM_STREAMS)) {
        return stream;
    }
    struct upstream_stream *fresh = stream_new(streams, &anybody);
    return fresh != NULL ? fresh : stream;
}

bool upstream_streams_send(struct upstream_streams *streams, struct inflight_entry *entry)
{
    struct upstream_stream *stream =
        streams->proxied ? choose_own(streams, entry) : choose_shared(streams);
    if (stream == NULL || !upstream_attempt(streams->env, entry, &stream->channel)) {
        return false;
    }
    struct span message = {entry->message, entry->message_size};
    if (!framing_write(bufferevent_get_output(stream->transport), message)) {
        (void)inflight_abandon(streams->env->inflight, entry, &stream->channel);
        return false;
    }
    touch(stream);
    return true;
}

static bool is_silent(const struct upstream_stream *stream, const struct inflight_entry *entry)
{
    return stream->answered_ms < entry->asked_ms;
}

/* The stream of an attempt, or NULL. */
static struct upstream_stream *stream_of(const struct inflight_attempt *attempt)
{
    struct inflight_channel *channel = attempt->channel;
    return channel->stream ? (struct upstream_stream *)channel : NULL;
}

bool upstream_streams_doubt(const struct inflight_entry *entry)
{
    bool any = false;
    for (unsigned i = 0; i < entry->attempt_count; i++) {
        struct upstream_stream *stream = stream_of(&entry->attempts[i]);
        if (stream != NULL && is_silent(stream, entry)) {
            stream->stale = true;
            any = true;
        }
    }
    return any;
}

void upstream_streams_give_up(struct inflight_entry *entry)
{
    unsigned kept = 0;
    (void)upstream_streams_doubt(entry);
    /* An attempt that is undone leaves its place to another. */
    while (kept < entry->attempt_count) {
        struct upstream_stream *stream = stream_of(&entry->attempts[kept]);
        if (stream == NULL) {
            kept++;
            continue;
        }
        (void)inflight_abandon(stream->owner->env->inflight, entry, &stream->channel);
        close_if_done(stream);
    }
}
