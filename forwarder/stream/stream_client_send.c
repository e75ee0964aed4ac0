/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers to a connection's client, and what is done about one who does not read them (see
 * stream_client.h and unread.h): what counts as unread here, and as read.
 */
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>

#include "forwarder/counters.h"
#include "forwarder/stream/hop_options.h"
#include "forwarder/stream/stream_client_state.h"
#include "forwarder/worker.h"

static size_t limit(const struct stream_client *client)
{
    return client->worker->shared->config->limits.stream_output;
}

size_t stream_client_unread(const struct stream_client *client)
{
    const struct stream_protocol *protocol = client->protocol;
    size_t kept = protocol->kept == NULL ? 0 : protocol->kept(client->state);
    return evbuffer_get_length(stream_client_output(client)) + kept;
}

/* ---- Who reads ---- */

static void on_output(struct evbuffer *output, const struct evbuffer_cb_info *change, void *ctx)
{
    struct stream_client *client = ctx;
    (void)output;
    client->reading.read += change->n_deleted;
}

bool stream_client_watch_output(struct stream_client *client)
{
    return evbuffer_add_cb(stream_client_output(client), on_output, client) != NULL;
}

/* The transport may outlive its client by a turn of the loop. */
void stream_client_ignore_output(struct stream_client *client)
{
    (void)evbuffer_remove_cb(stream_client_output(client), on_output, client);
}

/* A transfer alone never exceeds the limit, however long the message that made it pause. */
static struct unread_limit limits(const struct stream_client *client)
{
    return (struct unread_limit){
        .octets = limit(client),
        .beyond = client->transfers.count * (size_t)DNS_MESSAGE_MAX,
    };
}

static void restart_timer(struct stream_client *client)
{
    const struct stream_clients *clients = client->worker->streams;
    event_add(client->idle, client->reading.over ? clients->unread : clients->idle);
}

void stream_client_begin_idle(struct stream_client *client)
{
    struct unread_limit limit = limits(client);
    if (unread_begin(&client->reading, stream_client_unread(client), &limit)) {
        restart_timer(client);
    }
}

void stream_client_renew_idle(struct stream_client *client)
{
    struct unread_limit limit = limits(client);
    unread_renew(&client->reading, stream_client_unread(client), &limit);
    restart_timer(client);
}

bool stream_client_reads(const struct stream_client *client)
{
    struct unread_limit limit = limits(client);
    return unread_reads(&client->reading, stream_client_unread(client), &limit);
}

bool stream_client_is_slow(const struct stream_client *client)
{
    return unread_is_much(stream_client_unread(client), limit(client));
}

/* ---- Answers ---- */

/* The message with the hop's own options, in out, where its query asked for any. */
static struct span with_own_options(const struct stream_client *client,
                                    const struct origin_stream *to, struct span message,
                                    uint8_t out[static DNS_MESSAGE_MAX])
{
    bool tells_idle = client->listen->transport == CONFIG_TLS;
    unsigned idle_ms = tells_idle ? client->worker->shared->config->limits.tcp_idle_ms : 0;
    size_t size = to->hop.opt ? hop_options_put(message, &to->hop, idle_ms, out) : 0;
    return size == 0 ? message : (struct span){out, size};
}

void stream_client_send_unlimited(struct stream_client *client, const struct origin_stream *to,
                                  struct span message)
{
    uint8_t out[DNS_MESSAGE_MAX];
    message = with_own_options(client, to, message, out);
    if (!client->place.doomed && !client->protocol->write(client, to, message)) {
        stream_client_doom(client);
    }
    stream_client_begin_idle(client); /* to read it, the client has all of that */
}

void stream_client_send(struct stream_client *client, const struct origin_stream *to,
                        struct span message)
{
    if (!client->place.doomed &&
        unread_is_too_much(stream_client_unread(client), message.size, limit(client))) {
        counters_add(&client->worker->counters, COUNTER_TCP_OVERFLOW);
        stream_client_doom(client);
    }
    stream_client_send_unlimited(client, to, message);
}
