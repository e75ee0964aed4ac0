/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening connections to upstream servers (see upstream_transport.h).
 */
#include "forwarder/upstream/upstream_transport.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "forwarder/query.h"

#define OPTIONS (BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS)

static struct proxy_header_end end_of(const struct address *address, uint16_t port)
{
    struct proxy_header_end end = {.port = port};
    memcpy(end.octet, address->octet, sizeof end.octet);
    return end;
}

size_t upstream_transport_header(enum proxy_header_transport kind, const struct query_ends *ends,
                                 uint8_t out[static PROXY_HEADER_ENCODED_MAX])
{
    static const struct query_ends nobody;
    if (ends == NULL || memcmp(ends, &nobody, sizeof nobody) == 0) {
        return proxy_header_encode_local(out);
    }
    struct proxy_header_end source = end_of(&ends->client, ends->client_port);
    struct proxy_header_end destination = end_of(&ends->server, ends->server_port);
    return proxy_header_encode(kind, &source, &destination, out);
}

static struct bufferevent *make_tls(const struct upstream_transport *transport)
{
    SSL *ssl = upstream_tls_connect(transport->tls, transport->target->tls_name, transport->ticket,
                                    transport->now_ms);
    if (ssl == NULL) {
        return NULL;
    }
    SSL_up_ref(ssl); /* libevent may or may not free it when it fails */
    struct bufferevent *connection = bufferevent_openssl_socket_new(
        transport->base, -1, ssl, BUFFEREVENT_SSL_CONNECTING, OPTIONS);
    SSL_free(ssl);
    if (connection != NULL) {
        bufferevent_openssl_set_allow_dirty_shutdown(connection, 1);
    }
    return connection;
}

static void free_header(const void *header, size_t size, void *ctx)
{
    (void)size;
    (void)ctx;
    free((void *)(uintptr_t)header);
}

/* A part of the output of its own, which becomes a TLS record of its own: what stands behind the
 * header in the same one, Unbound 1.17 does not look at until more comes. */
static bool write_header(const struct upstream_transport *transport, struct bufferevent *connection)
{
    struct evbuffer *output = bufferevent_get_output(connection);
    if (!transport->proxied) {
        return true;
    }
    uint8_t *header = malloc(PROXY_HEADER_ENCODED_MAX);
    if (header == NULL) {
        return false;
    }
    size_t size = upstream_transport_header(PROXY_HEADER_STREAM, transport->ends, header);
    if (evbuffer_add_reference(output, header, size, free_header, NULL) != 0) {
        free(header);
        return false;
    }
    return true;
}

struct bufferevent *upstream_transport_open(const struct upstream_transport *transport)
{
    const struct config_address *address = &transport->target->address;
    struct bufferevent *connection = transport->target->tls_name != NULL
                                         ? make_tls(transport)
                                         : bufferevent_socket_new(transport->base, -1, OPTIONS);
    if (connection == NULL) {
        return NULL;
    }
    if (!write_header(transport, connection) ||
        bufferevent_socket_connect(connection, (const struct sockaddr *)&address->sockaddr,
                                   (int)address->size) != 0 ||
        bufferevent_enable(connection, EV_READ | EV_WRITE) != 0) {
        bufferevent_free(connection);
        return NULL;
    }
    int on = 1;
    (void)setsockopt(bufferevent_getfd(connection), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return connection;
}

void upstream_transport_close(struct bufferevent *connection)
{
    if (connection == NULL) {
        return;
    }
    SSL *ssl = bufferevent_openssl_get_ssl(connection);
    if (ssl != NULL) {
        SSL_set_app_data(ssl, NULL);
        if (SSL_is_init_finished(ssl)) {
            (void)SSL_shutdown(ssl); /* without it the session could not be resumed */
            ERR_clear_error();
        }
    }
    bufferevent_free(connection);
}
