/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking one server one question (see health_probe.h).
 */
#include "forwarder/upstream/health_probe.h"

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "forwarder/framing.h"
#include "forwarder/milliseconds.h"
#include "forwarder/upstream/upstream_transport.h"
#include "forwarder/wire/dns.h"

struct health_probe {
    struct event_base *base;
    struct health_probe_question question;
    struct event *deadline;
    int descriptor; /* of UDP, or -1 */
    struct event *readable;
    struct bufferevent *connection; /* of TLS, or NULL */
    bool connected;
    size_t query_size;
    uint8_t query[];
};

static struct span query_of(const struct health_probe *probe)
{
    return (struct span){probe->query, probe->query_size};
}

static void end(struct health_probe *probe, struct span answer)
{
    probe->question.on_answer(probe->question.ctx, answer);
}

static void on_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    end(ctx, (struct span){0});
}

/* Is this the answer to our question? */
static bool belongs(const struct health_probe *probe, struct span message)
{
    return message.size >= DNS_HEADER_SIZE && dns_id(message.bytes) == dns_id(probe->query) &&
           dns_answers_query(query_of(probe), message, false);
}

/* What does not belong is passed over; an error of the socket says that nobody listens. */
static void on_datagram(evutil_socket_t descriptor, short what, void *ctx)
{
    struct health_probe *probe = ctx;
    uint8_t answer[DNS_MESSAGE_MAX];
    (void)what;
    ssize_t size = recv(descriptor, answer, sizeof answer, MSG_DONTWAIT);
    if (size < 0) {
        end(probe, (struct span){0});
    } else if (belongs(probe, (struct span){answer, (size_t)size})) {
        end(probe, (struct span){answer, (size_t)size});
    }
}

static bool send_datagram(const struct health_probe *probe)
{
    uint8_t header[PROXY_HEADER_ENCODED_MAX];
    struct iovec parts[2] = {{header, 0}, {(void *)(uintptr_t)probe->query, probe->query_size}};
    if (probe->question.proxied) {
        parts[0].iov_len = upstream_transport_header(PROXY_HEADER_DATAGRAM, NULL, header);
    }
    return writev(probe->descriptor, parts, 2) >= 0;
}

static bool ask_by_udp(struct health_probe *probe)
{
    const struct config_address *address = &probe->question.target->address;
    const struct sockaddr *sockaddr = (const struct sockaddr *)&address->sockaddr;
    probe->descriptor = socket(sockaddr->sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (probe->descriptor < 0 || connect(probe->descriptor, sockaddr, address->size) != 0) {
        return false;
    }
    probe->readable =
        event_new(probe->base, probe->descriptor, EV_READ | EV_PERSIST, on_datagram, probe);
    return probe->readable != NULL && event_add(probe->readable, NULL) == 0 && send_datagram(probe);
}

static void on_stream(struct bufferevent *connection, void *ctx)
{
    struct health_probe *probe = ctx;
    struct evbuffer *input = bufferevent_get_input(connection);
    uint8_t *message;
    size_t size;
    while (framing_peek(input, &message, &size)) {
        if (belongs(probe, (struct span){message, size})) {
            end(probe, (struct span){message, size});
            return;
        }
        framing_drop(input, size);
    }
}

static void on_event(struct bufferevent *connection, short what, void *ctx)
{
    struct health_probe *probe = ctx;
    struct upstream_target *target = probe->question.target;
    struct ssl_st *ssl = bufferevent_openssl_get_ssl(connection);
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        probe->connected = true;
        upstream_tls_connected(ssl, target, NULL, 0);
        return;
    }
    if (!probe->connected) {
        (void)upstream_tls_refused(ssl, target);
    }
    end(probe, (struct span){0});
}

static bool ask_by_tls(struct health_probe *probe)
{
    const struct upstream_transport transport = {
        .base = probe->base,
        .target = probe->question.target,
        .tls = probe->question.tls,
        .proxied = probe->question.proxied,
    };
    probe->connection = upstream_transport_open(&transport);
    if (probe->connection == NULL) {
        return false;
    }
    bufferevent_setcb(probe->connection, on_stream, NULL, on_event, probe);
    return framing_write(bufferevent_get_output(probe->connection), query_of(probe));
}

struct health_probe *health_probe_new(struct event_base *base,
                                      const struct health_probe_question *question)
{
    struct timeval timeout = milliseconds(question->timeout_ms);
    struct health_probe *probe = calloc(1, sizeof *probe + question->query.size);
    if (probe == NULL) {
        return NULL;
    }
    probe->base = base;
    probe->question = *question;
    probe->descriptor = -1;
    probe->query_size = question->query.size;
    memcpy(probe->query, question->query.bytes, question->query.size);
    probe->deadline = evtimer_new(base, on_deadline, probe);
    if (probe->deadline == NULL || event_add(probe->deadline, &timeout) != 0 ||
        !(question->target->tls_name != NULL ? ask_by_tls(probe) : ask_by_udp(probe))) {
        health_probe_free(probe);
        return NULL;
    }
    return probe;
}

void health_probe_free(struct health_probe *probe)
{
    if (probe == NULL) {
        return;
    }
    if (probe->deadline != NULL) {
        event_free(probe->deadline);
    }
    if (probe->readable != NULL) {
        event_free(probe->readable);
    }
    if (probe->descriptor >= 0) {
        close(probe->descriptor);
    }
    upstream_transport_close(probe->connection);
    free(probe);
}
