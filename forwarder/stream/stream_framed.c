/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Framed messages as a protocol of clients' connections (see stream_protocol.h). Needs no state:
 * what is incomplete stays in the input, and answers carry their queries' IDs.
 */
#include "forwarder/framing.h"
#include "forwarder/query.h"
#include "forwarder/stream/stream_protocol.h"

static void read_framed(struct stream_client *client, struct evbuffer *input)
{
    uint8_t *message;
    size_t size;
    while (!stream_client_is_doomed(client) && framing_peek(input, &message, &size)) {
        if (!stream_client_has_room(client, size)) {
            stream_client_stall(client);
            return;
        }
        struct query_client who = stream_client_who(client);
        stream_client_take(client, &who, 0, message, size);
        framing_drop(input, size);
    }
}

static bool write_framed(struct stream_client *client, const struct origin_stream *to,
                         struct span answer)
{
    (void)to;
    return framing_write(stream_client_output(client), answer);
}

const struct stream_protocol stream_framed = {
    .transfers = true,
    .read = read_framed,
    .write = write_framed,
};
