/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Zone transfers, relayed (see transfer.h).
 */
#include "forwarder/upstream/transfer.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config.h"
#include "forwarder/counters.h"
#include "forwarder/framing.h"
#include "forwarder/milliseconds.h"
#include "forwarder/random_pool.h"
#include "forwarder/upstream/upstream_transport.h"
#include "forwarder/wire/dns.h"

#define TRANSFER_TRIES 4 /* servers that are tried before the client gets SERVFAIL */

struct transfer {
    struct upstream_env *env;
    struct upstream *upstream;
    struct transfer_events events;
    struct address client;
    struct query_ends ends;
    bool has_ends;
    struct transfer_mark mark;
    unsigned idle_ms;
    unsigned tries;
    struct upstream_target *last; /* the server asked last; looked into while it is listed */
    bool ended;                   /* upstream has closed; buffered messages may be left */
    bool paused;                  /* upstream is not read: the client does not keep up */
    uint64_t due_ms;              /* when a first message must be there, whoever sends it */
    bool connected;               /* to the server asked last */
    bool relaying;                /* at least one message was handed on */
    uint16_t id;                  /* towards upstream */
    struct bufferevent *transport;
    struct event *deadline; /* for the first message, then of silence */
    size_t query_size;
    uint8_t query[]; /* with the client's ID */
};

bool transfer_wanted(struct span query)
{
    struct dns_header header;
    struct dns_question question;
    return dns_header_decode(query, &header) && dns_opcode(&header) == DNS_OPCODE_QUERY &&
           dns_question_decode(query, &question) == DNS_QUESTION_ONE &&
           (question.qtype == DNS_TYPE_AXFR || question.qtype == DNS_TYPE_IXFR);
}

struct span transfer_query(const struct transfer *transfer)
{
    return (struct span){transfer->query, transfer->query_size};
}

const struct address *transfer_client(const struct transfer *transfer)
{
    return &transfer->client;
}

const struct query_ends *transfer_ends(const struct transfer *transfer)
{
    return transfer->has_ends ? &transfer->ends : NULL;
}

const struct transfer_mark *transfer_mark(const struct transfer *transfer)
{
    return &transfer->mark;
}

static void start_deadline(struct transfer *transfer, uint64_t ms)
{
    struct timeval delay = milliseconds(ms);
    event_add(transfer->deadline, &delay);
}

static void disconnect(struct transfer *transfer)
{
    upstream_transport_close(transfer->transport);
    transfer->transport = NULL;
}

static void on_readable(struct bufferevent *transport, void *ctx);
static void on_event(struct bufferevent *transport, short what, void *ctx);

/* Queues the query under an ID of its own. */
static bool write_query(struct transfer *transfer)
{
    uint16_t client_id = dns_id(transfer->query);
    transfer->id = random_pool_u16(transfer->env->random);
    dns_set_id(transfer->query, transfer->id);
    bool written =
        framing_write(bufferevent_get_output(transfer->transport), transfer_query(transfer));
    dns_set_id(transfer->query, client_id);
    return written;
}

/* What is left of the time that the client is made to wait. */
static uint64_t remaining_ms(const struct transfer *transfer)
{
    upstream_clock_read(transfer->env->clock);
    uint64_t now = transfer->env->clock->ms;
    return transfer->due_ms > now ? transfer->due_ms - now : 0;
}

/* How long a server may take to accept: not all of the time, if another one can be asked. */
static uint64_t connect_ms(const struct transfer *transfer)
{
    uint64_t remaining = remaining_ms(transfer);
    uint64_t retry_after = transfer->env->config->retry_after_ms;
    return transfer->env->servers > 1 && retry_after < remaining ? retry_after : remaining;
}

static bool connect_to(struct transfer *transfer, struct upstream_target *target)
{
    const struct upstream_transport transport = {
        .base = transfer->env->base,
        .target = target,
        .tls = transfer->env->tls,
        .proxied = transfer->env->config->send_client == CONFIG_SEND_PROXY,
        .ends = transfer_ends(transfer),
    };
    transfer->transport = upstream_transport_open(&transport);
    if (transfer->transport == NULL) {
        return false;
    }
    bufferevent_setcb(transfer->transport, on_readable, NULL, on_event, transfer);
    if (!write_query(transfer)) {
        disconnect(transfer);
        return false;
    }
    transfer->connected = false;
    start_deadline(transfer, connect_ms(transfer));
    return true;
}

/* Asks the next server; false if there is none left to ask. */
static bool ask_next(struct transfer *transfer)
{
    disconnect(transfer);
    while (transfer->tries < TRANSFER_TRIES && remaining_ms(transfer) > 0) {
        transfer->tries++;
        struct upstream_target *target =
            upstream_choose(transfer->upstream, &transfer->client, transfer->last);
        transfer->last = target;
        if (target != NULL && connect_to(transfer, target)) {
            return true;
        }
    }
    return false;
}

static void end(struct transfer *transfer, enum transfer_end how)
{
    disconnect(transfer);
    event_del(transfer->deadline);
    transfer->events.on_end(transfer->events.ctx, transfer, how);
}

/* Nothing was relayed yet: another server may still answer. */
static void on_failed(struct transfer *transfer)
{
    if (transfer->relaying) {
        end(transfer, TRANSFER_CLOSED);
    } else if (!ask_next(transfer)) {
        end(transfer, TRANSFER_UNANSWERED);
    }
}

static bool belongs(const struct transfer *transfer, struct span message)
{
    return message.size >= DNS_HEADER_SIZE && dns_id(message.bytes) == transfer->id &&
           dns_answers_query(transfer_query(transfer), message, true);
}

/* However many messages it has, a transfer is one answer. */
static void count_answered(const struct transfer *transfer)
{
    if (!transfer->relaying) {
        counters_add(transfer->env->counters, COUNTER_ANSWERED);
    }
}

/* Hands one message on; false if it was not taken. */
static bool relay(struct transfer *transfer, uint8_t *message, size_t size)
{
    if (!belongs(transfer, (struct span){message, size})) {
        counters_add(transfer->env->counters, COUNTER_UNMATCHED);
        return true;
    }
    dns_set_id(message, dns_id(transfer->query));
    if (!transfer->events.on_message(transfer->events.ctx, transfer,
                                     (struct span){message, size})) {
        return false;
    }
    count_answered(transfer);
    transfer->relaying = true;
    start_deadline(transfer, transfer->idle_ms);
    return true;
}

static void on_readable(struct bufferevent *transport, void *ctx)
{
    struct transfer *transfer = ctx;
    struct evbuffer *input = bufferevent_get_input(transport);
    uint8_t *message;
    size_t size;
    /* Pausing takes effect between messages: what is buffered stays buffered. */
    while (!transfer->paused && framing_peek(input, &message, &size)) {
        if (!relay(transfer, message, size)) {
            end(transfer, transfer->relaying ? TRANSFER_CLOSED : TRANSFER_REFUSED);
            return;
        }
        framing_drop(input, size);
    }
    if (transfer->ended && !transfer->paused) {
        on_failed(transfer);
    }
}

/* The TLS of a connection to a server that is still there. */
static struct ssl_st *tls_of(const struct transfer *transfer)
{
    return upstream_lists(transfer->upstream, transfer->last)
               ? bufferevent_openssl_get_ssl(transfer->transport)
               : NULL;
}

static void on_connected(struct transfer *transfer)
{
    struct ssl_st *ssl = tls_of(transfer);
    if (ssl != NULL) {
        upstream_tls_connected(ssl, transfer->last, NULL, 0);
    }
    transfer->connected = true;
    start_deadline(transfer, remaining_ms(transfer));
}

/* The certificate of a server may be the reason why the connection did not come up. */
static void note_refusal(const struct transfer *transfer)
{
    struct ssl_st *ssl = tls_of(transfer);
    if (ssl != NULL && !transfer->connected && upstream_tls_refused(ssl, transfer->last)) {
        counters_add(transfer->env->counters, COUNTER_UPSTREAM_UNVERIFIED);
    }
}

static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct transfer *transfer = ctx;
    (void)transport;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        on_connected(transfer);
        return;
    }
    note_refusal(transfer);
    if (transfer->relaying && transfer->paused) {
        transfer->ended = true;
        return;
    }
    on_failed(transfer);
}

/* A client that does not read pauses the transfer; its own limits end that, not this one. */
static void on_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    struct transfer *transfer = ctx;
    (void)descriptor;
    (void)what;
    if (!transfer->relaying && transfer->connected) {
        end(transfer, TRANSFER_UNANSWERED); /* the server is there, and says nothing */
    } else if (!transfer->relaying) {
        on_failed(transfer);
    } else if (transfer->paused) {
        start_deadline(transfer, transfer->idle_ms);
    } else {
        end(transfer, TRANSFER_IDLE);
    }
}

struct transfer *transfer_new(struct upstream_env *env, struct upstream *upstream,
                              const struct transfer_request *request,
                              const struct transfer_events *events)
{
    struct transfer *transfer = calloc(1, sizeof *transfer + request->query.size);
    if (transfer == NULL) {
        return NULL;
    }
    transfer->env = env;
    transfer->upstream = upstream;
    transfer->events = *events;
    transfer->client = request->client;
    transfer->has_ends = request->ends != NULL;
    if (request->ends != NULL) {
        transfer->ends = *request->ends;
    }
    transfer->mark = request->mark;
    transfer->idle_ms = request->idle_ms;
    transfer->query_size = request->query.size;
    memcpy(transfer->query, request->query.bytes, request->query.size);
    upstream_clock_read(env->clock);
    transfer->due_ms = env->clock->ms + env->config->timeout_ms;
    transfer->deadline = evtimer_new(env->base, on_deadline, transfer);
    if (transfer->deadline == NULL || !ask_next(transfer)) {
        transfer_free(transfer);
        return NULL;
    }
    return transfer;
}

void transfer_free(struct transfer *transfer)
{
    if (transfer == NULL) {
        return;
    }
    disconnect(transfer);
    if (transfer->deadline != NULL) {
        event_free(transfer->deadline);
    }
    free(transfer);
}

void transfer_pause(struct transfer *transfer, bool pause)
{
    if (transfer->transport == NULL || transfer->paused == pause) {
        return;
    }
    transfer->paused = pause;
    if (pause) {
        bufferevent_disable(transfer->transport, EV_READ);
        return;
    }
    if (!transfer->ended) {
        bufferevent_enable(transfer->transport, EV_READ);
    }
    /* Messages that are buffered already raise no new event. */
    bufferevent_trigger(transfer->transport, EV_READ, BEV_TRIG_IGNORE_WATERMARKS);
}
