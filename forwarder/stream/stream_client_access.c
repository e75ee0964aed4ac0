/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a connection tells its protocol (see stream_protocol.h).
 */
#include <event2/bufferevent.h>

#include "forwarder/stream/stream_client_state.h"

struct worker *stream_client_worker(const struct stream_client *client)
{
    return client->worker;
}

const struct config_listen *stream_client_listen(const struct stream_client *client)
{
    return client->listen;
}

const struct address *stream_client_peer(const struct stream_client *client)
{
    return &client->peer;
}

const struct query_ends *stream_client_ends(const struct stream_client *client)
{
    return &client->ends;
}

struct evbuffer *stream_client_output(const struct stream_client *client)
{
    return bufferevent_get_output(client->transport);
}

void *stream_client_state(const struct stream_client *client)
{
    return client->state;
}

void stream_client_set_state(struct stream_client *client, void *state)
{
    client->state = state;
}
