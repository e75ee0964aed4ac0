/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Clear or by TLS (see stream_transport.h).
 */
#include "forwarder/stream/stream_transport.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <unistd.h>

#include "forwarder/counters.h"
#include "forwarder/generation/generation_tls.h"
#include "forwarder/published.h"
#include "forwarder/stream/tls_pair.h"
#include "forwarder/worker.h"

/* The most reads of one stream_transport_read_now: enough for what the kernel holds unread. */
#define READS 64U

/* TLS with the certificate in force; NULL when there is none, or memory is out. */
static SSL *new_tls(const struct worker *worker, const struct config_listen *listen)
{
    const struct tls_pair *pair = generation_tls_find(worker->published->generation, listen);
    enum tls_pair_protocol protocol =
        listen->transport == CONFIG_HTTPS ? TLS_PAIR_H2 : TLS_PAIR_DOT;
    return pair == NULL ? NULL : SSL_new(tls_pair_context(pair, protocol));
}

static struct bufferevent *open_tls(struct worker *worker, const struct config_listen *listen,
                                    int descriptor, int options)
{
    SSL *tls = new_tls(worker, listen);
    if (tls == NULL) {
        counters_add(&worker->counters, COUNTER_TLS_FAILED);
        return NULL;
    }
    SSL_up_ref(tls); /* libevent may or may not free it when it fails */
    struct bufferevent *transport = bufferevent_openssl_socket_new(
        worker->base, descriptor, tls, BUFFEREVENT_SSL_ACCEPTING, options);
    SSL_free(tls);
    if (transport != NULL) {
        bufferevent_openssl_set_allow_dirty_shutdown(transport, 1);
    }
    return transport;
}

struct bufferevent *stream_transport_open(struct worker *worker, const struct config_listen *listen,
                                          int descriptor)
{
    const int options = BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS;
    struct bufferevent *transport = listen->certificate != NULL
                                        ? open_tls(worker, listen, descriptor, options)
                                        : bufferevent_socket_new(worker->base, descriptor, options);
    if (transport == NULL) {
        close(descriptor);
    }
    return transport;
}

void stream_transport_close(struct bufferevent *transport, bool handshaking)
{
    if (transport == NULL) {
        return;
    }
    SSL *tls = bufferevent_openssl_get_ssl(transport);
    if (tls != NULL && !handshaking) {
        (void)SSL_shutdown(tls);
        ERR_clear_error();
    }
    bufferevent_free(transport);
}

bool stream_transport_is_tls(struct bufferevent *transport)
{
    return bufferevent_openssl_get_ssl(transport) != NULL;
}

bool stream_transport_is_resumed(struct bufferevent *transport)
{
    return SSL_session_reused(bufferevent_openssl_get_ssl(transport)) == 1;
}

bool stream_transport_read_now(struct bufferevent *transport)
{
    struct evbuffer *input = bufferevent_get_input(transport);
    size_t before = evbuffer_get_length(input);
    if (stream_transport_is_tls(transport)) {
        return false;
    }
    evbuffer_unfreeze(input, 0); /* the transport keeps it so between its own reads */
    for (unsigned i = 0; i < READS; i++) {
        if (evbuffer_read(input, bufferevent_getfd(transport), -1) <= 0) {
            break;
        }
    }
    evbuffer_freeze(input, 0);
    return evbuffer_get_length(input) > before;
}
