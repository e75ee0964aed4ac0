/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Client connections over streams (see stream_client.h).
 */
#include "forwarder/stream/stream_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/config/config_address.h"
#include "forwarder/counters.h"
#include "forwarder/dispatch.h"
#include "forwarder/milliseconds.h"
#include "forwarder/stream/hop_options.h"
#include "forwarder/stream/stream_client_state.h"
#include "forwarder/stream/stream_transport.h"
#include "forwarder/true_client.h"
#include "forwarder/upstream/upstream.h"
#include "forwarder/worker.h"

static struct stream_client *client_at(struct stream_place *place)
{
    return (struct stream_client *)place;
}

static struct stream_client *find(const struct stream_clients *clients,
                                  const struct origin_stream *origin)
{
    return client_at(stream_table_find(clients->table, origin));
}

static void end_handshake(struct stream_client *client)
{
    if (client->handshaking) {
        client->handshaking = false;
        stream_handshakes_end(&client->worker->streams->handshakes, &client->handshake);
    }
}

static void close_client(struct stream_place *place)
{
    struct stream_client *client = client_at(place);
    counters_connected(&client->worker->counters, client->listen->transport, -1);
    stream_transfers_stop(&client->transfers);
    stream_table_remove(place);
    reaper_leave(&client->activity);
    if (client->protocol->stop != NULL) {
        client->protocol->stop(client->state);
    }
    client_quota_release(client->worker->shared->quota, &client->holder);
    if (client->idle != NULL) {
        event_free(client->idle);
    }
    if (client->transport != NULL) {
        stream_client_ignore_output(client);
    }
    stream_transport_close(client->transport, client->handshaking);
    end_handshake(client);
    free(client);
}

/* Are keepalive and padding a matter of this hop alone? */
static bool has_own_options(const struct stream_client *client)
{
    return client->listen->transport != CONFIG_TCP;
}

/* ---- What a connection offers its protocol ---- */

static void start_protocol(struct stream_client *client, const struct stream_protocol *protocol)
{
    client->protocol = protocol;
    if (protocol->start != NULL && !protocol->start(client)) {
        stream_client_doom(client);
    }
}

void stream_client_speak(struct stream_client *client, const struct stream_protocol *protocol)
{
    if (client->protocol->stop != NULL) {
        client->protocol->stop(client->state);
    }
    client->state = NULL;
    start_protocol(client, protocol);
}

bool stream_client_introduce(struct stream_client *client, const struct stream_opening *told)
{
    client->ends = told->ends;
    client->unknown = told->unknown;
    if (!client_quota_move(client->worker->shared->quota, &client->holder, &told->holder)) {
        counters_add(&client->worker->counters, COUNTER_TCP_REFUSED);
        stream_client_doom(client);
        return false;
    }
    client->holder = told->holder;
    return true;
}

struct query_client stream_client_who(const struct stream_client *client)
{
    struct query_client who = true_client_of_peer(&client->ends.client);
    if (client->unknown) {
        true_client_hide(&who);
    }
    who.stream = true;
    who.ends = &client->ends;
    return who;
}

/* Answers must not pile up: neither those that are made here between two turns of the loop, which
 * writes them, nor those of a client that asks and does not read. */
static bool has_room_for_answers(const struct stream_client *client)
{
    size_t limit = client->worker->shared->config->limits.stream_output;
    return evbuffer_get_length(stream_client_output(client)) * 2 < limit;
}

bool stream_client_has_room(const struct stream_client *client, size_t size)
{
    return inflight_has_room(client->worker->inflight, size) && has_room_for_answers(client) &&
           client->due < STREAM_CLIENT_PIPELINE && client->transfers.count < STREAM_TRANSFERS;
}

void stream_client_stall(struct stream_client *client)
{
    if (stream_table_stall(&client->place)) {
        bufferevent_disable(client->transport, EV_READ);
    }
}

/* No answer will come for this request. */
static void forgo(struct stream_client *client, const struct origin_stream *request)
{
    if (client->protocol->forgo != NULL) {
        client->protocol->forgo(client, request);
    }
}

void stream_client_take(struct stream_client *client, const struct query_client *who,
                        int64_t request, uint8_t *query, size_t size)
{
    struct origin origin = {.kind = ORIGIN_STREAM,
                            .transport = (uint8_t)client->listen->transport,
                            .connection = {.slot = client->place.slot,
                                           .serial = client->place.serial,
                                           .request = request,
                                           .transport = (uint8_t)client->listen->transport}};
    uint8_t out[BLOCK_ANSWER_MAX];
    unsigned waiting = client->due + client->transfers.count;
    client->taken++;
    if (has_own_options(client)) {
        size = hop_options_take(query, size, &origin.connection.hop);
    }
    size_t answer = dispatch_query(client->worker, &origin, who, (struct span){query, size}, out);
    if (answer > 0) {
        stream_client_send(client, &origin.connection, (struct span){out, answer});
    } else if (client->due + client->transfers.count == waiting) {
        forgo(client, &origin.connection);
    }
}

void stream_client_end(struct stream_client *client)
{
    bufferevent_disable(client->transport, EV_READ);
    client->draining = true;
}

void stream_client_doom(struct stream_client *client)
{
    stream_table_doom(&client->place);
}

bool stream_client_is_doomed(const struct stream_client *client)
{
    return client->place.doomed;
}

/* ---- Sending ---- */

static void pump(struct stream_client *client);

/* Dooms the connection once everything that is owed has been sent and nothing more is expected.
 * What the client has sent is read first: with unread octets the kernel would reset the connection,
 * and the client would lose answers that it has not read yet. */
static void finish_if_done(struct stream_client *client)
{
    if (!client->draining || client->place.stalled || client->due > 0 ||
        client->transfers.count > 0 || stream_client_unread(client) > 0) {
        return;
    }
    if (client->leaving && !client->place.doomed) {
        client->leaving = false;
        if (stream_transport_read_now(client->transport)) {
            pump(client); /* which comes back here */
            return;
        }
    }
    stream_client_doom(client);
}

void stream_client_settle(struct stream_client *client)
{
    finish_if_done(client);
    stream_table_resume(client->place.table);
}

/* ---- Reading ---- */

/* Takes all complete queries that there is room for. */
static void pump(struct stream_client *client)
{
    struct evbuffer *input = bufferevent_get_input(client->transport);
    struct worker *worker = client->worker;
    const struct stream_protocol *spoken;
    uint64_t before = client->taken;
    do {
        spoken = client->protocol;
        spoken->read(client, input);
    } while (!client->place.doomed && client->protocol != spoken);
    upstream_flush(worker->upstream);
    if (client->taken > before) {
        counters_took(&worker->counters, client->listen->transport,
                      upstream_clock_since(&worker->clock), (uint32_t)(client->taken - before));
        reaper_useful(&client->activity);
        stream_client_begin_idle(client);
    }
    finish_if_done(client);
}

static void on_readable(struct bufferevent *transport, void *ctx)
{
    struct stream_client *client = ctx;
    (void)transport;
    if (client->place.doomed) {
        return;
    }
    upstream_clock_read(&client->worker->clock);
    pump(client);
}

/* The client has read everything: transfers go on, and its time of idleness begins anew. */
static void on_drained(struct bufferevent *transport, void *ctx)
{
    struct stream_client *client = ctx;
    (void)transport;
    if (client->place.doomed || client->handshaking) {
        return;
    }
    stream_client_begin_idle(client);
    if (client->protocol->written != NULL) {
        client->protocol->written(client);
    }
    stream_transfers_resume(&client->transfers);
    stream_client_settle(client);
}

/* ---- The life of a connection ---- */

/* No more octets will come; what is due can still be written. After the end of input libevent's TLS
 * writes what waits already only if writing is enabled anew. */
static void on_end_of_input(struct stream_client *client)
{
    stream_client_end(client);
    bufferevent_enable(client->transport, EV_WRITE);
    finish_if_done(client);
}

static void fail_handshake(struct stream_client *client)
{
    counters_add(&client->worker->counters, COUNTER_TLS_FAILED);
    end_handshake(client);
    stream_client_doom(client);
}

static struct stream_client *client_of(struct stream_handshake *handshake)
{
    return (struct stream_client *)((char *)handshake - offsetof(struct stream_client, handshake));
}

static void begin_handshake(struct stream_client *client)
{
    struct stream_handshakes *handshakes = &client->worker->streams->handshakes;
    struct stream_handshake *excess = stream_handshakes_excess(handshakes);
    if (excess != NULL) { /* closed at once: no call of its own is under way */
        struct stream_client *oldest = client_of(excess);
        fail_handshake(oldest);
        close_client(&oldest->place);
    }
    client->handshaking = true;
    stream_handshakes_begin(handshakes, &client->handshake);
    event_add(client->idle, client->worker->streams->handshake);
}

static void on_handshake_done(struct stream_client *client)
{
    struct counters *counters = &client->worker->counters;
    end_handshake(client);
    counters_add(counters, COUNTER_TLS_ACCEPTED);
    if (stream_transport_is_resumed(client->transport)) {
        counters_add(counters, COUNTER_TLS_RESUMED);
    }
    stream_client_begin_idle(client);
    start_protocol(client, client->protocol);
}

static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct stream_client *client = ctx;
    (void)transport;
    if (client->place.doomed) {
        return;
    }
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        on_handshake_done(client);
    } else if (client->handshaking) {
        fail_handshake(client);
    } else if ((what & BEV_EVENT_EOF) != 0) {
        on_end_of_input(client);
    } else {
        stream_client_doom(client);
    }
}

static void drain_client(struct stream_place *place)
{
    struct stream_client *client = client_at(place);
    if (client->protocol->drain != NULL && !client->handshaking) {
        client->draining = true; /* but still read: answers may wait for the client's windows */
        client->protocol->drain(client);
    } else {
        stream_client_end(client);
        client->leaving = true;
        if (!client->handshaking) { /* else nothing is spoken yet, and its protocol has not begun */
            (void)stream_transport_read_now(client->transport);
            pump(client);
        }
    }
    finish_if_done(client);
}

/* Does the client wait for us: for answers, or for room for its queries? */
static bool is_waiting(const struct stream_client *client)
{
    return client->due > 0 || client->transfers.count > 0 || client->place.stalled;
}

static void count_overflow(struct stream_client *client)
{
    if (client->reading.over) {
        counters_add(&client->worker->counters, COUNTER_TCP_OVERFLOW);
    }
}

static void on_idle(evutil_socket_t descriptor, short what, void *ctx)
{
    struct stream_client *client = ctx;
    (void)descriptor;
    (void)what;
    if (client->place.doomed) {
        return;
    }
    if (client->handshaking) {
        fail_handshake(client);
        return;
    }
    size_t unread = stream_client_unread(client);
    if (stream_client_reads(client) || (unread == 0 && is_waiting(client))) {
        stream_client_renew_idle(client); /* slowly, but it reads; or it waits for upstream */
        return;
    }
    if (unread > 0 || client->draining) {
        count_overflow(client);
        stream_client_doom(client);
        return;
    }
    stream_client_begin_idle(client); /* time to read what its protocol says at the end */
    drain_client(&client->place);
}

static void start_client(struct stream_client *client)
{
    bufferevent_setcb(client->transport, on_readable, on_drained, on_event, client);
    bufferevent_enable(client->transport, EV_READ | EV_WRITE);
    if (stream_transport_is_tls(client->transport)) {
        begin_handshake(client);
    } else {
        stream_client_begin_idle(client);
        start_protocol(client, client->protocol);
    }
}

/* ---- Making room for another (reaper.h) ---- */

static struct stream_client *client_by(const struct reaper_entry *entry)
{
    return (struct stream_client *)((char *)(uintptr_t)entry -
                                    offsetof(struct stream_client, activity));
}

static bool is_spared(const struct reaper_entry *entry)
{
    const struct stream_client *client = client_by(entry);
    return is_waiting(client) && !client->place.doomed && !stream_client_is_slow(client);
}

static void reap(struct reaper_entry *entry)
{
    close_client(&client_by(entry)->place);
}

static const struct reaper_kind activity = {is_spared, reap};

void stream_client_open(struct worker *worker, const struct stream_opening *opening)
{
    struct stream_client *client = calloc(1, sizeof *client);
    if (client == NULL || !stream_table_add(worker->streams->table, &client->place)) {
        free(client);
        close(opening->descriptor);
        client_quota_release(worker->shared->quota, &opening->holder);
        return;
    }
    client->worker = worker;
    client->listen = opening->listen;
    counters_connected(&worker->counters, client->listen->transport, 1);
    client->peer = opening->peer;
    client->holder = opening->holder;
    client->ends = opening->ends;
    client->unknown = opening->unknown;
    client->protocol = stream_protocol_of(opening->listen);
    client->transfers.client = client;
    client->idle = evtimer_new(worker->base, on_idle, client);
    client->transport = stream_transport_open(worker, opening->listen, opening->descriptor);
    reaper_enter(&worker->reaper, &client->activity, &activity);
    if (client->transport == NULL || client->idle == NULL || !stream_client_watch_output(client)) {
        close_client(&client->place);
        return;
    }
    start_client(client);
}

static bool is_to(const struct stream_place *place, const void *address)
{
    const struct stream_client *client = (const struct stream_client *)place;
    return config_address_equal(&client->listen->address, address);
}

void stream_client_drain(struct worker *worker, const struct config_address *address)
{
    stream_table_drain(worker->streams->table, address == NULL ? NULL : is_to, address);
}

static void resume_client(struct stream_place *place)
{
    struct stream_client *client = client_at(place);
    pump(client);
    if (!client->draining && !place->stalled && !place->doomed) {
        bufferevent_enable(client->transport, EV_READ);
    }
}

static void read_clock(void *ctx)
{
    struct worker *worker = ctx;
    upstream_clock_read(&worker->clock);
}

static const struct timeval *lasting(struct worker *worker, unsigned ms)
{
    const struct timeval duration = milliseconds(ms);
    return event_base_init_common_timeout(worker->base, &duration);
}

struct stream_clients *stream_clients_new(struct worker *worker)
{
    const struct config_limits *limits = &worker->shared->config->limits;
    const unsigned handshake_ms = limits->tcp_idle_ms < STREAM_CLIENT_HANDSHAKE_MS
                                      ? limits->tcp_idle_ms
                                      : STREAM_CLIENT_HANDSHAKE_MS;
    const struct stream_table_events events = {close_client, resume_client, drain_client,
                                               read_clock, worker};
    struct stream_clients *clients = calloc(1, sizeof *clients);
    if (clients == NULL) {
        return NULL;
    }
    clients->idle = lasting(worker, limits->tcp_idle_ms);
    clients->handshake = lasting(worker, handshake_ms);
    clients->unread = lasting(worker, unread_time_ms(limits->tcp_idle_ms));
    clients->table = stream_table_new(worker->base, &events);
    stream_handshakes_init(&clients->handshakes, limits->tcp_connections / 4 + 1);
    if (clients->idle == NULL || clients->handshake == NULL || clients->unread == NULL ||
        clients->table == NULL) {
        stream_clients_free(clients);
        return NULL;
    }
    return clients;
}

void stream_clients_free(struct stream_clients *clients)
{
    if (clients != NULL) {
        stream_table_free(clients->table);
        free(clients);
    }
}

size_t stream_clients_count(const struct stream_clients *clients)
{
    return stream_table_count(clients->table);
}

void stream_clients_resume(struct stream_clients *clients)
{
    stream_table_resume(clients->table);
}

/* ---- Answers of upstreams ---- */

void stream_client_expect(struct stream_clients *clients, const struct origin_stream *origin)
{
    struct stream_client *client = find(clients, origin);
    if (client != NULL) {
        client->due++;
    }
}

void stream_client_answer(struct stream_clients *clients, const struct origin_stream *origin,
                          struct span answer)
{
    struct stream_client *client = find(clients, origin);
    if (client == NULL) {
        return;
    }
    client->due--;
    stream_client_send(client, origin, answer);
    finish_if_done(client);
}

void stream_client_forgo(struct stream_clients *clients, const struct origin_stream *origin)
{
    struct stream_client *client = find(clients, origin);
    if (client == NULL) {
        return;
    }
    client->due--;
    forgo(client, origin);
    finish_if_done(client);
}

bool stream_client_transfers(struct stream_clients *clients, const struct origin_stream *origin)
{
    struct stream_client *client = find(clients, origin);
    return client != NULL && client->protocol->transfers;
}

bool stream_client_transfer(struct stream_clients *clients, const struct origin_stream *origin,
                            struct span query, const struct transfer_mark *mark)
{
    struct stream_client *client = find(clients, origin);
    return client == NULL || /* nobody is left to answer */
           stream_transfers_start(&client->transfers, origin, query, mark);
}
