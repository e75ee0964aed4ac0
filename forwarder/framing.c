/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two-octet framing over evbuffers (see framing.h).
 */
#include "forwarder/framing.h"

#include <event2/buffer.h>
#include <string.h>

#define LENGTH_SIZE 2

bool framing_peek(struct evbuffer *input, uint8_t **message, size_t *size)
{
    uint8_t length[LENGTH_SIZE];
    if (evbuffer_copyout(input, length, LENGTH_SIZE) != LENGTH_SIZE) {
        return false;
    }
    *size = span_u16(length);
    if (evbuffer_get_length(input) < LENGTH_SIZE + *size) {
        return false;
    }
    unsigned char *whole = evbuffer_pullup(input, (ev_ssize_t)(LENGTH_SIZE + *size));
    if (whole == NULL) {
        return false;
    }
    *message = whole + LENGTH_SIZE;
    return true;
}

void framing_drop(struct evbuffer *input, size_t size)
{
    evbuffer_drain(input, LENGTH_SIZE + size);
}

bool framing_write(struct evbuffer *output, struct span message)
{
    struct evbuffer_iovec room;
    size_t size = LENGTH_SIZE + message.size;
    if (evbuffer_reserve_space(output, (ev_ssize_t)size, &room, 1) != 1) {
        return false;
    }
    uint8_t *at = room.iov_base;
    at[0] = (uint8_t)(message.size >> 8);
    at[1] = (uint8_t)message.size;
    memcpy(at + LENGTH_SIZE, message.bytes, message.size);
    room.iov_len = size;
    return evbuffer_commit_space(output, &room, 1) == 0;
}
