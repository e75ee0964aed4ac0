/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DNS over HTTPS as a protocol of clients' connections (see stream_protocol.h): an HTTP/2 session
 * (http_session.h) between the connection's octets and the path of its queries. Each request may
 * have a client of its own, where the connection's is a proxy that we trust to say so.
 */
#include <event2/buffer.h>

#include "forwarder/config/config.h"
#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/http/http_session.h"
#include "forwarder/published.h"
#include "forwarder/query.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/stream/stream_protocol.h"
#include "forwarder/true_client.h"
#include "forwarder/unread.h"
#include "forwarder/worker.h"

#define OUTPUT_ENOUGH 65536 /* octets of output; the session keeps more until they are written */

static void on_request(void *ctx, enum http_status status)
{
    static const enum counter counted[HTTP_STATUSES] = {
        [HTTP_STATUS_OK] = COUNTER_HTTPS_QUERIES,
        [HTTP_STATUS_NO_MESSAGE] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_NOT_A_QUERY] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_FORWARDED] = COUNTER_HTTPS_FORWARDED_BAD,
        [HTTP_STATUS_NOT_FOUND] = COUNTER_HTTPS_NOT_FOUND,
        [HTTP_STATUS_METHOD] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_NOT_ACCEPTED] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_TIMEOUT] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_TOO_LARGE] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_MEDIA_TYPE] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_FIELDS] = COUNTER_HTTPS_BAD,
        [HTTP_STATUS_UNAVAILABLE] = COUNTER_HTTPS_BAD,
    };
    counters_add(&stream_client_worker(ctx)->counters, counted[status]);
}

static bool start_https(struct stream_client *client)
{
    struct worker *worker = stream_client_worker(client);
    struct http_session_events events = {on_request, client};
    stream_client_set_state(client,
                            http_session_new(worker->shared->config->limits.tcp_idle_ms, &events));
    return stream_client_state(client) != NULL;
}

static void stop_https(void *state)
{
    http_session_free(state);
}

/* Moves what the session has to send to the connection, as long as little waits there. */
static void flush(struct stream_client *client)
{
    struct http_session *session = stream_client_state(client);
    struct evbuffer *output = stream_client_output(client);
    while (evbuffer_get_length(output) < OUTPUT_ENOUGH) {
        struct span octets = http_session_output(session);
        if (octets.size == 0) {
            return;
        }
        if (evbuffer_add(output, octets.bytes, octets.size) != 0) {
            stream_client_doom(client);
            return;
        }
    }
}

static const struct config_trust *trust(const struct stream_client *client)
{
    return &stream_client_worker(client)->published->generation->config->trust;
}

/* May the connection's client speak for others, by what is in force now? */
static bool is_proxy(const struct stream_client *client)
{
    struct query_client who = stream_client_who(client);
    return !query_client_is_unknown(&who) &&
           network_set_contains(trust(client)->forwarded_for, &who.address);
}

/* Whose query is it? False: a trusted proxy says it in a way that cannot be read. A proxy that says
 * nothing may speak for anybody, whom its own country must not bind. */
static bool identify(const struct stream_client *client, const struct http_session_query *query,
                     struct query_client *who, struct query_ends *ends)
{
    const struct config_trust *trusted = trust(client);
    *who = stream_client_who(client);
    if (!is_proxy(client)) {
        return true;
    }
    switch (http_forwarded_client(&query->forwarded, trusted->forwarded_for, &ends->client)) {
    case HTTP_FORWARDED_CLIENT:
        ends->client_port = 0; /* the proxy's is not his */
        who->ends = ends;
        (void)true_client_forwarded(trusted, who, &ends->client);
        return true;
    case HTTP_FORWARDED_ABSENT:
        true_client_lose(who);
        return true;
    case HTTP_FORWARDED_UNKNOWN:
        (void)true_client_forwarded(trusted, who, NULL);
        return true;
    case HTTP_FORWARDED_BAD:
        break;
    }
    return false;
}

static void handle(struct stream_client *client, const struct http_session_query *query)
{
    struct http_session *session = stream_client_state(client);
    struct query_ends ends = *stream_client_ends(client);
    struct query_client who;
    if (!identify(client, query, &who, &ends)) {
        http_session_refuse(session, query, HTTP_STATUS_FORWARDED);
        return;
    }
    stream_client_take(client, &who, query->stream, query->message, query->size);
    http_session_take(session, query);
}

/* Answers that the client's windows hold back must not pile up either. But the client's
 * WINDOW_UPDATE must be read, so the connection is read on, and queries wait in the session. */
static bool is_kept_back(const struct stream_client *client)
{
    size_t limit = stream_client_worker(client)->shared->config->limits.stream_output;
    return unread_is_much(http_session_kept(stream_client_state(client)), limit);
}

/* Handles the queries that are complete. False if there is no room for the next one. */
static bool handle_all(struct stream_client *client)
{
    struct http_session_query query;
    while (!stream_client_is_doomed(client) && !is_kept_back(client) &&
           http_session_next(stream_client_state(client), &query)) {
        if (!stream_client_has_room(client, query.size)) {
            stream_client_stall(client);
            return false;
        }
        handle(client, &query);
    }
    return true;
}

/* Hands the first run of the input to the session. */
static void feed(struct stream_client *client, struct evbuffer *input)
{
    struct http_session_arrival arrival = {
        .now_ms = stream_client_worker(client)->clock.ms,
        .keeps_forwarded = is_proxy(client),
    };
    struct evbuffer_iovec run;
    evbuffer_peek(input, -1, NULL, &run, 1);
    http_session_receive(stream_client_state(client), (struct span){run.iov_base, run.iov_len},
                         &arrival);
    evbuffer_drain(input, run.iov_len);
}

/* What the session has to say is said, and nothing more is read once it is over. */
static void settle(struct stream_client *client)
{
    flush(client);
    if (!http_session_wants(stream_client_state(client))) {
        stream_client_end(client);
    }
}

static void read_https(struct stream_client *client, struct evbuffer *input)
{
    const struct http_session *session = stream_client_state(client);
    while (handle_all(client) && !stream_client_is_doomed(client) && http_session_wants(session) &&
           evbuffer_get_length(input) > 0) {
        feed(client, input);
        flush(client);
    }
    settle(client);
}

/* There is room for more output, and perhaps for queries that waited. */
static void continue_https(struct stream_client *client)
{
    struct http_session_query query;
    settle(client);
    if (http_session_next(stream_client_state(client), &query) && !is_kept_back(client)) {
        stream_client_stall(client);
        stream_client_settle(client);
    }
}

static bool write_https(struct stream_client *client, const struct origin_stream *to,
                        struct span answer)
{
    bool kept = http_session_answer(stream_client_state(client), to->request, answer);
    flush(client);
    return kept;
}

static void forgo_https(struct stream_client *client, const struct origin_stream *to)
{
    http_session_forgo(stream_client_state(client), to->request);
    flush(client);
}

static void drain_https(struct stream_client *client)
{
    http_session_drain(stream_client_state(client));
    flush(client);
}

static size_t kept_https(const void *state)
{
    return state == NULL ? 0 : http_session_kept(state);
}

const struct stream_protocol stream_https = {
    .start = start_https,
    .stop = stop_https,
    .read = read_https,
    .write = write_https,
    .forgo = forgo_https,
    .written = continue_https,
    .drain = drain_https,
    .kept = kept_https,
};
