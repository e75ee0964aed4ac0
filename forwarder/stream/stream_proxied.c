/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A PROXY header as the first octets inside TLS, as dnsdist sends it with `proxyProtocolOutsideTLS`
 * off: a protocol (see stream_protocol.h) that reads it, and gives way to the one that follows. Its
 * time is that of an idle connection, which no octet prolongs before a query has come. The peer was
 * found in trust.proxy-protocol when it was accepted.
 */
#include <event2/buffer.h>

#include "forwarder/counters.h"
#include "forwarder/generation/generation.h"
#include "forwarder/published.h"
#include "forwarder/stream/proxy_intake.h"
#include "forwarder/stream/stream_client.h"
#include "forwarder/stream/stream_protocol.h"
#include "forwarder/wire/proxy_header.h"
#include "forwarder/worker.h"

static void go_on(struct stream_client *client, const struct proxy_header *header)
{
    struct worker *worker = stream_client_worker(client);
    struct stream_opening told = {.peer = *stream_client_peer(client),
                                  .ends = *stream_client_ends(client)};
    proxy_intake_tell(&worker->published->generation->config->trust, header, &told);
    if (stream_client_introduce(client, &told)) {
        stream_client_speak(client, stream_protocol_behind_proxy(stream_client_listen(client)));
    }
}

static void read_proxied(struct stream_client *client, struct evbuffer *input)
{
    uint8_t bytes[PROXY_HEADER_MAX];
    ev_ssize_t size = evbuffer_copyout(input, bytes, sizeof bytes);
    struct proxy_header header;
    if (size < 0) {
        size = 0;
    }
    switch (proxy_header_decode((struct span){bytes, (size_t)size}, &header)) {
    case PROXY_HEADER_WHOLE:
        evbuffer_drain(input, header.size);
        go_on(client, &header);
        break;
    case PROXY_HEADER_SHORT:
        break;
    case PROXY_HEADER_BAD:
        counters_add(&stream_client_worker(client)->counters, COUNTER_PROXY_MALFORMED);
        stream_client_doom(client);
        break;
    }
}

/* Nothing has been asked, so nothing is answered. */
static bool write_proxied(struct stream_client *client, const struct origin_stream *to,
                          struct span answer)
{
    (void)client;
    (void)to;
    (void)answer;
    return false;
}

const struct stream_protocol stream_proxied = {
    .read = read_proxied,
    .write = write_proxied,
};
