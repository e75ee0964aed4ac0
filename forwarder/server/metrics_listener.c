/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HTTP for Prometheus (see metrics_listener.h). evhttp does the protocol and bounds what a request
 * may hold. It knows no limit of connections, and its timeout begins anew with each octet; so the
 * transports that it is given are watched here, by a reference of our own: one that evhttp has let
 * go of has no callbacks any more.
 */
#include "forwarder/server/metrics_listener.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "forwarder/config/config_address.h"
#include "forwarder/milliseconds.h"

#define BACKLOG 16
#define HEADERS_MAX 8192
#define BODY_MAX 1024
#define LOOK_MS 1000 /* how often connections are looked at */

#define METHODS                                                                                \
    (EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT | EVHTTP_REQ_DELETE | \
     EVHTTP_REQ_OPTIONS | EVHTTP_REQ_TRACE | EVHTTP_REQ_PATCH)

struct connection {
    struct bufferevent *transport;
    unsigned looks; /* how often it has been looked at */
    TAILQ_ENTRY(connection) link;
};

struct metrics_listener {
    struct event_base *base;
    metrics_write_fn *write;
    void *ctx;
    struct evhttp *http;
    struct evconnlistener *listener; /* evhttp's */
    struct event *look;
    unsigned count;
    TAILQ_HEAD(, connection) connections; /* the oldest first */
};

static bool is_over(const struct connection *connection)
{
    bufferevent_data_cb on_read, on_write;
    bufferevent_event_cb on_event;
    void *ctx;
    bufferevent_getcb(connection->transport, &on_read, &on_write, &on_event, &ctx);
    return on_read == NULL && on_write == NULL && on_event == NULL;
}

/* evhttp sees that it is closed, and lets go of it. */
static void cut(const struct connection *connection)
{
    evutil_socket_t descriptor = bufferevent_getfd(connection->transport);
    if (descriptor >= 0) {
        shutdown(descriptor, SHUT_RDWR);
    }
}

static void forget(struct metrics_listener *listener, struct connection *connection)
{
    TAILQ_REMOVE(&listener->connections, connection, link);
    listener->count--;
    bufferevent_decref(connection->transport);
    free(connection);
}

static void forget_those_over(struct metrics_listener *listener)
{
    struct connection *connection = TAILQ_FIRST(&listener->connections);
    while (connection != NULL) {
        struct connection *next = TAILQ_NEXT(connection, link);
        if (is_over(connection)) {
            forget(listener, connection);
        }
        connection = next;
    }
}

static void on_look(evutil_socket_t descriptor, short what, void *ctx)
{
    struct metrics_listener *listener = ctx;
    struct connection *connection;
    (void)descriptor;
    (void)what;
    forget_those_over(listener);
    TAILQ_FOREACH(connection, &listener->connections, link)
    {
        if (++connection->looks * LOOK_MS >= METRICS_LISTENER_DEADLINE_S * 1000U) {
            cut(connection);
        }
    }
    evconnlistener_enable(listener->listener); /* see on_accept_error */
}

/* The oldest of too many gives way; what has been cut already is about to go. */
static void make_room(struct metrics_listener *listener)
{
    struct connection *connection;
    unsigned excess = listener->count;
    TAILQ_FOREACH(connection, &listener->connections, link)
    {
        if (excess-- < METRICS_LISTENER_CONNECTIONS) {
            break;
        }
        cut(connection);
    }
}

/* The transport of a connection that has just been accepted; evhttp puts the descriptor into it.
 * Without memory to watch it, evhttp's own timeout must do. */
static struct bufferevent *on_connection(struct event_base *base, void *ctx)
{
    struct metrics_listener *listener = ctx;
    struct connection *connection = calloc(1, sizeof *connection);
    struct bufferevent *transport = bufferevent_socket_new(base, -1, BEV_OPT_CLOSE_ON_FREE);
    if (connection == NULL || transport == NULL) {
        free(connection);
        return transport;
    }
    forget_those_over(listener);
    make_room(listener);
    connection->transport = transport;
    bufferevent_incref(transport);
    TAILQ_INSERT_TAIL(&listener->connections, connection, link);
    listener->count++;
    return transport;
}

/* The length of a body, without the body: evhttp would send that to HEAD too. */
static void hold_back(struct evkeyvalq *headers, struct evbuffer *text)
{
    char length[32];
    size_t size = evbuffer_get_length(text);
    snprintf(length, sizeof length, "%zu", size);
    evhttp_add_header(headers, "Content-Length", length);
    evbuffer_drain(text, size);
}

/* Answers and closes: a scraper comes again in seconds. */
static void answer(struct evhttp_request *request, int status, const char *reason,
                   struct evbuffer *text)
{
    struct evkeyvalq *headers = evhttp_request_get_output_headers(request);
    evhttp_add_header(headers, "Connection", "close");
    evhttp_add_header(headers, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    evhttp_add_header(headers, "X-Content-Type-Options", "nosniff");
    if (evhttp_request_get_command(request) == EVHTTP_REQ_HEAD) {
        hold_back(headers, text);
    }
    evhttp_send_reply(request, status, reason, text);
}

static void refuse(struct evhttp_request *request, int status, const char *reason,
                   struct evbuffer *text)
{
    evbuffer_drain(text, evbuffer_get_length(text));
    evbuffer_add_printf(text, "%s\n", reason);
    answer(request, status, reason, text);
}

static bool asks_for_metrics(struct evhttp_request *request)
{
    const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(request);
    const char *path = uri == NULL ? NULL : evhttp_uri_get_path(uri);
    return path != NULL && strcmp(path, "/metrics") == 0;
}

static void on_request(struct evhttp_request *request, void *ctx)
{
    struct metrics_listener *listener = ctx;
    const enum evhttp_cmd_type method = evhttp_request_get_command(request);
    struct evbuffer *text = evbuffer_new();
    if (text == NULL) {
        evhttp_send_error(request, HTTP_SERVUNAVAIL, NULL);
    } else if (!asks_for_metrics(request)) {
        refuse(request, HTTP_NOTFOUND, "Not Found: only /metrics is here", text);
    } else if (method != EVHTTP_REQ_GET && method != EVHTTP_REQ_HEAD) {
        evhttp_add_header(evhttp_request_get_output_headers(request), "Allow", "GET, HEAD");
        refuse(request, HTTP_BADMETHOD, "Method Not Allowed", text);
    } else if (!listener->write(listener->ctx, text)) {
        refuse(request, HTTP_SERVUNAVAIL, "Out of memory", text);
    } else {
        answer(request, HTTP_OK, "OK", text);
    }
    if (text != NULL) {
        evbuffer_free(text);
    }
}

/* Out of descriptors or memory: left enabled, it would spin. The context here is evhttp's own, so
 * it is on_look that goes on. */
static void on_accept_error(struct evconnlistener *accepting, void *ctx)
{
    (void)ctx;
    evconnlistener_disable(accepting);
}

static bool listen_at(struct metrics_listener *listener, const struct config_address *address,
                      char why[static WHY_MAX])
{
    const unsigned flags = LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_EXEC | LEV_OPT_CLOSE_ON_FREE;
    listener->listener =
        evconnlistener_new_bind(listener->base, NULL, NULL, flags, BACKLOG,
                                (const struct sockaddr *)&address->sockaddr, (int)address->size);
    if (listener->listener == NULL) {
        char text[CONFIG_ADDRESS_TEXT_MAX];
        snprintf(why, WHY_MAX, "metrics: cannot listen on %s: %s",
                 config_address_format(address, text), strerror(errno));
        return false;
    }
    if (evhttp_bind_listener(listener->http, listener->listener) == NULL) {
        evconnlistener_free(listener->listener);
        return false;
    }
    evconnlistener_set_error_cb(listener->listener, on_accept_error);
    return true;
}

static bool make_http(struct metrics_listener *listener)
{
    const struct timeval period = milliseconds(LOOK_MS);
    listener->http = evhttp_new(listener->base);
    listener->look = event_new(listener->base, -1, EV_PERSIST, on_look, listener);
    if (listener->http == NULL || listener->look == NULL ||
        event_add(listener->look, &period) != 0) {
        return false;
    }
    evhttp_set_max_headers_size(listener->http, HEADERS_MAX);
    evhttp_set_max_body_size(listener->http, BODY_MAX);
    evhttp_set_timeout(listener->http, METRICS_LISTENER_DEADLINE_S);
    evhttp_set_allowed_methods(listener->http, METHODS); /* those not ours get their 405 here */
    evhttp_set_bevcb(listener->http, on_connection, listener);
    evhttp_set_gencb(listener->http, on_request, listener);
    return true;
}

struct metrics_listener *metrics_listener_new(struct event_base *base,
                                              const struct config_address *address,
                                              metrics_write_fn *write, void *ctx,
                                              char why[static WHY_MAX])
{
    struct metrics_listener *listener = calloc(1, sizeof *listener);
    snprintf(why, WHY_MAX, "out of memory");
    if (listener == NULL) {
        return NULL;
    }
    listener->base = base;
    listener->write = write;
    listener->ctx = ctx;
    TAILQ_INIT(&listener->connections);
    if (!make_http(listener) || !listen_at(listener, address, why)) {
        metrics_listener_free(listener);
        return NULL;
    }
    return listener;
}

void metrics_listener_free(struct metrics_listener *listener)
{
    if (listener == NULL) {
        return;
    }
    if (listener->http != NULL) {
        evhttp_free(listener->http); /* with its listener, and its references to transports */
    }
    while (!TAILQ_EMPTY(&listener->connections)) {
        forget(listener, TAILQ_FIRST(&listener->connections));
    }
    if (listener->look != NULL) {
        event_free(listener->look);
    }
    free(listener);
}
