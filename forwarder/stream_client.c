/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Client connections over streams (see stream_client.h).
 */
#include "forwarder/stream_client.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <unistd.h>

#include "forwarder/client_quota.h"
#include "forwarder/counters.h"
#include "forwarder/descriptors.h"
#include "forwarder/dispatch.h"
#include "forwarder/framing.h"
#include "forwarder/milliseconds.h"
#include "forwarder/transfer.h"
#include "forwarder/upstream.h"
#include "forwarder/worker.h"

struct stream_client {
    struct stream_table *table;
    uint32_t slot;
    uint32_t serial;
    struct address address;
    struct bufferevent *transport;
    struct event *idle;
    unsigned due; /* answers of upstreams still to come */
    uint64_t
        queued; /* octets that were to be sent, and how many of them the client had read when */
    uint64_t read_by; /* its time of idleness last began */
    unsigned transfer_count;
    struct transfer *transfers[STREAM_CLIENT_TRANSFERS];
    bool draining;                      /* no more octets will come, or none are wanted */
    bool stalled;                       /* on the table's list of stalled ones */
    bool doomed;                        /* on the table's list of doomed ones */
    TAILQ_ENTRY(stream_client) waiting; /* stalled or doomed */
};

TAILQ_HEAD(stream_client_queue, stream_client);

struct stream_table {
    struct worker *worker;
    struct stream_client **slots; /* capacity of them, NULL if free */
    uint32_t capacity;
    uint32_t count;
    uint32_t serial; /* the last one given */
    const struct timeval *idle_time;
    struct stream_client_queue stalled;
    struct stream_client_queue doomed;
    struct event *later; /* closes the doomed, resumes the stalled */
};

static void on_later(evutil_socket_t descriptor, short what, void *ctx);

struct stream_table *stream_table_new(struct worker *worker)
{
    struct timeval idle = milliseconds(worker->shared->config->limits.tcp_idle_ms);
    struct stream_table *table = calloc(1, sizeof(*table));
    if (table == NULL) {
        return NULL;
    }
    table->worker = worker;
    TAILQ_INIT(&table->stalled);
    TAILQ_INIT(&table->doomed);
    table->idle_time = event_base_init_common_timeout(worker->base, &idle);
    table->later = event_new(worker->base, -1, 0, on_later, table);
    if (table->idle_time == NULL || table->later == NULL) {
        stream_table_free(table);
        return NULL;
    }
    return table;
}

static void free_transfer(struct worker *worker, struct transfer *transfer)
{
    struct published *published = transfer_mark(transfer)->published;
    transfer_free(transfer);
    if (published != NULL) {
        worker_release(worker, published);
    }
}

static void client_free(struct stream_client *client)
{
    struct stream_table *table = client->table;
    if (client->doomed) {
        TAILQ_REMOVE(&table->doomed, client, waiting);
    } else if (client->stalled) {
        TAILQ_REMOVE(&table->stalled, client, waiting);
    }
    for (unsigned i = 0; i < client->transfer_count; i++) {
        free_transfer(table->worker, client->transfers[i]);
    }
    table->slots[client->slot] = NULL;
    table->count--;
    client_quota_release(table->worker->shared->quota, &client->address);
    if (client->idle != NULL) {
        event_free(client->idle);
    }
    if (client->transport != NULL) {
        bufferevent_free(client->transport);
    }
    free(client);
}

void stream_table_free(struct stream_table *table)
{
    if (table == NULL) {
        return;
    }
    for (uint32_t i = 0; i < table->capacity; i++) {
        if (table->slots[i] != NULL) {
            client_free(table->slots[i]);
        }
    }
    if (table->later != NULL) {
        event_free(table->later);
    }
    free(table->slots);
    free(table);
}

size_t stream_table_count(const struct stream_table *table)
{
    return table->count;
}

/* Has the connection to be closed? Not now: its caller may still use it. */
static void doom(struct stream_client *client)
{
    struct stream_table *table = client->table;
    if (client->doomed) {
        return;
    }
    if (client->stalled) {
        TAILQ_REMOVE(&table->stalled, client, waiting);
        client->stalled = false;
    }
    client->doomed = true;
    TAILQ_INSERT_TAIL(&table->doomed, client, waiting);
    event_active(table->later, 0, 0);
}

/* Not read any more until stream_client_resume. */
static void stall(struct stream_client *client)
{
    if (!client->stalled && !client->doomed) {
        client->stalled = true;
        TAILQ_INSERT_TAIL(&client->table->stalled, client, waiting);
        bufferevent_disable(client->transport, EV_READ);
    }
}

static size_t unread(const struct stream_client *client)
{
    return evbuffer_get_length(bufferevent_get_output(client->transport));
}

/* May the next query, of this size, be taken? */
static bool has_room(const struct stream_client *client, size_t size)
{
    return inflight_has_room(client->table->worker->inflight, size) &&
           client->due < STREAM_CLIENT_PIPELINE && client->transfer_count < STREAM_CLIENT_TRANSFERS;
}

/* Everything that is owed has been sent, and nothing more is expected. */
static void finish_if_done(struct stream_client *client)
{
    if (client->draining && !client->stalled && client->due == 0 && client->transfer_count == 0 &&
        unread(client) == 0) {
        doom(client);
    }
}

static void write_message(struct stream_client *client, struct span message)
{
    struct evbuffer *output = bufferevent_get_output(client->transport);
    size_t before = evbuffer_get_length(output);
    if (!client->doomed && !framing_write(output, message)) {
        doom(client);
    }
    client->queued += evbuffer_get_length(output) - before;
    event_add(client->idle, client->table->idle_time); /* to read it, the client has all of that */
}

/* What waits may not be unread at all: the loop has just not come round to writing it. */
static void write_now(struct stream_client *client)
{
    struct evbuffer *output = bufferevent_get_output(client->transport);
    evbuffer_unfreeze(output, 1); /* the transport keeps it so between its own writes */
    while (evbuffer_write(output, bufferevent_getfd(client->transport)) > 0) {
    }
    evbuffer_freeze(output, 1);
}

/* Would this message leave more unread than is allowed? A single one may always wait. */
static bool is_over(const struct stream_client *client, size_t size, size_t limit)
{
    size_t waiting = unread(client);
    return waiting > 0 && waiting + size > limit;
}

static void send_message(struct stream_client *client, struct span message)
{
    struct worker *worker = client->table->worker;
    size_t limit = worker->shared->config->limits.stream_output;
    if (!client->doomed && is_over(client, message.size, limit)) {
        write_now(client);
    }
    if (!client->doomed && is_over(client, message.size, limit)) {
        counters_add(&worker->counters, COUNTER_TCP_OVERFLOW);
        doom(client);
    }
    write_message(client, message);
}

static void handle(struct stream_client *client, struct span message)
{
    struct worker *worker = client->table->worker;
    struct origin origin = {.stream = true, .connection = {client->slot, client->serial}};
    struct query_client who = {client->address, true};
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t size = dispatch_query(worker, &origin, &who, message, out);
    if (size > 0) {
        send_message(client, (struct span){out, size});
    }
}

/* Takes all complete queries that there is room for. */
static void pump(struct stream_client *client)
{
    struct evbuffer *input = bufferevent_get_input(client->transport);
    uint8_t *message;
    size_t size;
    bool any = false;
    while (!client->doomed && framing_peek(input, &message, &size)) {
        if (!has_room(client, size)) {
            stall(client);
            break;
        }
        handle(client, (struct span){message, size});
        framing_drop(input, size);
        any = true;
    }
    if (any) {
        event_add(client->idle, client->table->idle_time);
    }
    upstream_flush(client->table->worker->upstream);
    finish_if_done(client);
}

static void on_readable(struct bufferevent *transport, void *ctx)
{
    struct stream_client *client = ctx;
    (void)transport;
    if (client->doomed) {
        return;
    }
    upstream_clock_read(&client->table->worker->clock);
    pump(client);
}

/* The client has read everything: transfers go on, and its time of idleness begins anew. */
static void on_drained(struct bufferevent *transport, void *ctx)
{
    struct stream_client *client = ctx;
    (void)transport;
    if (client->doomed) {
        return;
    }
    event_add(client->idle, client->table->idle_time);
    for (unsigned i = 0; i < client->transfer_count; i++) {
        transfer_pause(client->transfers[i], false);
    }
    finish_if_done(client);
}

static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct stream_client *client = ctx;
    (void)transport;
    if (client->doomed) {
        return;
    }
    if ((what & BEV_EVENT_EOF) == 0) {
        doom(client);
        return;
    }
    client->draining = true;
    finish_if_done(client);
}

static void on_idle(evutil_socket_t descriptor, short what, void *ctx)
{
    struct stream_client *client = ctx;
    (void)descriptor;
    (void)what;
    if (client->doomed) {
        return;
    }
    uint64_t read = client->queued - unread(client);
    if (unread(client) > 0 && read > client->read_by) {
        client->read_by = read; /* slowly, but it reads */
        event_add(client->idle, client->table->idle_time);
        return;
    }
    if (unread(client) == 0 && (client->due > 0 || client->transfer_count > 0 || client->stalled)) {
        event_add(client->idle, client->table->idle_time); /* it is upstream that takes its time */
        return;
    }
    doom(client);
}

/* A free slot, in a table that grows as it must. */
static bool find_slot(struct stream_table *table, uint32_t *slot)
{
    if (table->count == table->capacity) {
        uint32_t capacity = table->capacity == 0 ? 64 : table->capacity * 2;
        struct stream_client **slots =
            realloc(table->slots, capacity * sizeof(struct stream_client *));
        if (slots == NULL) {
            return false;
        }
        for (uint32_t i = table->capacity; i < capacity; i++) {
            slots[i] = NULL;
        }
        table->slots = slots;
        table->capacity = capacity;
    }
    for (uint32_t i = 0; i < table->capacity; i++) {
        uint32_t at = (table->serial + i) % table->capacity;
        if (table->slots[at] == NULL) {
            *slot = at;
            return true;
        }
    }
    return false;
}

void stream_client_open(struct stream_table *table, int descriptor, const struct address *address)
{
    struct event_base *base = table->worker->base;
    struct stream_client *client = calloc(1, sizeof(*client));
    uint32_t slot;
    if (client == NULL || !find_slot(table, &slot)) {
        free(client);
        close(descriptor);
        client_quota_release(table->worker->shared->quota, address);
        return;
    }
    client->table = table;
    client->slot = slot;
    client->serial = ++table->serial;
    client->address = *address;
    table->slots[slot] = client;
    table->count++;
    client->idle = evtimer_new(base, on_idle, client);
    client->transport =
        bufferevent_socket_new(base, descriptor, BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (client->transport == NULL) {
        close(descriptor);
    }
    if (client->idle == NULL || client->transport == NULL) {
        client_free(client);
        return;
    }
    bufferevent_setcb(client->transport, on_readable, on_drained, on_event, client);
    bufferevent_enable(client->transport, EV_READ | EV_WRITE);
    event_add(client->idle, table->idle_time);
}

void stream_table_drain(struct stream_table *table)
{
    for (uint32_t i = 0; i < table->capacity; i++) {
        struct stream_client *client = table->slots[i];
        if (client == NULL || client->doomed) {
            continue;
        }
        bufferevent_disable(client->transport, EV_READ);
        if (client->stalled) {
            TAILQ_REMOVE(&table->stalled, client, waiting);
            client->stalled = false;
        }
        client->draining = true;
        finish_if_done(client);
    }
}

static struct stream_client *find(const struct stream_table *table,
                                  const struct origin_stream *origin)
{
    struct stream_client *client = table->slots[origin->slot];
    return client != NULL && client->serial == origin->serial && !client->doomed ? client : NULL;
}

void stream_client_expect(struct stream_table *table, const struct origin_stream *origin)
{
    struct stream_client *client = find(table, origin);
    if (client != NULL) {
        client->due++;
    }
}

void stream_client_answer(struct stream_table *table, const struct origin_stream *origin,
                          struct span answer)
{
    struct stream_client *client = find(table, origin);
    if (client == NULL) {
        return;
    }
    client->due--;
    send_message(client, answer);
    finish_if_done(client);
}

void stream_client_forgo(struct stream_table *table, const struct origin_stream *origin)
{
    struct stream_client *client = find(table, origin);
    if (client == NULL) {
        return;
    }
    client->due--;
    finish_if_done(client);
}

/* A transfer's messages may be as many as they like: it is paused while the client does not read,
 * and never runs into stream-output by itself, however long the message that made it pause. */
static bool on_transfer_message(void *ctx, struct transfer *transfer, struct span message)
{
    struct stream_client *client = ctx;
    struct worker *worker = client->table->worker;
    uint8_t out[BLOCK_ANSWER_MAX];
    size_t size = 0;
    switch (dispatch_transfer(worker, transfer, message, out, &size)) {
    case QUERY_FORWARD:
        write_message(client, message);
        break;
    case QUERY_ANSWER:
    case QUERY_CNAME:
        send_message(client, (struct span){out, size});
        return false;
    case QUERY_DROP:
        return false;
    }
    if (client->doomed || unread(client) * 4 >= worker->shared->config->limits.stream_output) {
        transfer_pause(transfer, true);
    }
    return true;
}

static void forget_transfer(struct stream_client *client, const struct transfer *transfer)
{
    for (unsigned i = 0; i < client->transfer_count; i++) {
        if (client->transfers[i] == transfer) {
            client->transfers[i] = client->transfers[--client->transfer_count];
            return;
        }
    }
}

/* Upstream's end of a transfer is the client's too: it must not take a part for the whole. */
static void on_transfer_end(void *ctx, struct transfer *transfer, enum transfer_end end)
{
    struct stream_client *client = ctx;
    struct worker *worker = client->table->worker;
    struct query_client who = {client->address, true};
    uint8_t out[BLOCK_ANSWER_MAX];
    forget_transfer(client, transfer);
    switch (end) {
    case TRANSFER_UNANSWERED: {
        size_t size = dispatch_unanswered(worker, &who, transfer_query(transfer), out);
        send_message(client, (struct span){out, size});
        break;
    }
    case TRANSFER_CLOSED:
        bufferevent_disable(client->transport, EV_READ);
        client->draining = true;
        break;
    case TRANSFER_REFUSED: /* it has been answered */
    case TRANSFER_IDLE:
        break;
    }
    free_transfer(worker, transfer);
    finish_if_done(client);
    event_active(client->table->later, 0, 0);
}

bool stream_client_transfer(struct stream_table *table, const struct origin_stream *origin,
                            struct span query, const struct transfer_mark *mark)
{
    struct worker *worker = table->worker;
    struct stream_client *client = find(table, origin);
    if (client == NULL) {
        return true; /* nobody is left to answer */
    }
    if (descriptors_short(worker->wake)) {
        return false; /* each transfer takes one */
    }
    struct transfer_request request = {query, client->address,
                                       worker->shared->config->limits.tcp_idle_ms, *mark};
    struct transfer_events events = {on_transfer_message, on_transfer_end, client};
    struct transfer *transfer =
        transfer_new(&worker->upstream_env, worker->upstream, &request, &events);
    if (transfer == NULL) {
        return false;
    }
    client->transfers[client->transfer_count++] = transfer;
    if (mark->published != NULL) {
        worker_hold(worker, mark->published);
    }
    return true;
}

void stream_client_resume(struct stream_table *table)
{
    if (!TAILQ_EMPTY(&table->stalled)) {
        event_active(table->later, 0, 0);
    }
}

static void on_later(evutil_socket_t descriptor, short what, void *ctx)
{
    struct stream_table *table = ctx;
    struct stream_client_queue stalled = TAILQ_HEAD_INITIALIZER(stalled);
    (void)descriptor;
    (void)what;
    while (!TAILQ_EMPTY(&table->doomed)) {
        client_free(TAILQ_FIRST(&table->doomed));
    }
    upstream_clock_read(&table->worker->clock);
    /* Each stalled one gets its turn once; who finds no room goes back to the end of the list. */
    TAILQ_CONCAT(&stalled, &table->stalled, waiting);
    while (!TAILQ_EMPTY(&stalled)) {
        struct stream_client *client = TAILQ_FIRST(&stalled);
        TAILQ_REMOVE(&stalled, client, waiting);
        client->stalled = false;
        if (!client->draining) {
            bufferevent_enable(client->transport, EV_READ);
        }
        pump(client);
    }
}
