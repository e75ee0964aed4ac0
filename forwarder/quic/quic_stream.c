/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Framing of one stream (see quic_stream.h).
 */
#include "forwarder/quic/quic_stream.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 256U

struct quic_block {
    struct quic_block *next;
    size_t size;
    uint8_t bytes[];
};

struct quic_stream *quic_stream_new(int64_t id)
{
    struct quic_stream *stream = calloc(1, sizeof *stream);
    if (stream != NULL) {
        stream->id = id;
    }
    return stream;
}

void quic_stream_free(struct quic_stream *stream)
{
    quic_stream_discard(stream);
    free(stream->input);
    free(stream);
}

static bool make_room(struct quic_stream *stream, size_t size)
{
    size_t room = stream->input_room == 0 ? ROOM_FIRST : stream->input_room;
    while (room < size) {
        room *= 2;
    }
    if (room == stream->input_room) {
        return true;
    }
    uint8_t *input = realloc(stream->input, room);
    if (input == NULL) {
        return false;
    }
    stream->input = input;
    stream->input_room = room;
    return true;
}

/* How many octets the whole has, as far as they tell. */
static size_t announced(const struct quic_stream *stream)
{
    if (stream->input_size < QUIC_STREAM_LENGTH) {
        return QUIC_STREAM_MAX;
    }
    return QUIC_STREAM_LENGTH + (size_t)span_u16(stream->input);
}

enum quic_stream_fate quic_stream_take(struct quic_stream *stream, struct span bytes, bool fin)
{
    size_t size = stream->input_size + bytes.size;
    stream->received += bytes.size;
    if (size > QUIC_STREAM_MAX) {
        return QUIC_STREAM_WRONG;
    }
    if (!make_room(stream, size)) {
        return QUIC_STREAM_NO_MEMORY;
    }
    if (bytes.size > 0) {
        memcpy(stream->input + stream->input_size, bytes.bytes, bytes.size);
    }
    stream->input_size = size;
    if (size > announced(stream)) {
        return QUIC_STREAM_WRONG; /* a second query */
    }
    if (!fin) {
        return QUIC_STREAM_MORE;
    }
    return size == announced(stream) ? QUIC_STREAM_WHOLE : QUIC_STREAM_WRONG;
}

uint8_t *quic_stream_query(const struct quic_stream *stream, size_t *size)
{
    *size = stream->input_size - QUIC_STREAM_LENGTH;
    return stream->input + QUIC_STREAM_LENGTH;
}

void quic_stream_drop_query(struct quic_stream *stream)
{
    free(stream->input);
    stream->input = NULL;
    stream->input_size = 0;
    stream->input_room = 0;
}

bool quic_stream_answer(struct quic_stream *stream, struct span message)
{
    struct quic_block *block = malloc(sizeof *block + QUIC_STREAM_LENGTH + message.size);
    if (block == NULL) {
        return false;
    }
    block->next = NULL;
    block->size = QUIC_STREAM_LENGTH + message.size;
    block->bytes[0] = (uint8_t)(message.size >> 8);
    block->bytes[1] = (uint8_t)message.size;
    memcpy(block->bytes + QUIC_STREAM_LENGTH, message.bytes, message.size);
    if (stream->first == NULL) {
        stream->first = block;
    } else {
        stream->last->next = block;
    }
    stream->last = block;
    if (stream->unsent == NULL) {
        stream->unsent = block;
        stream->unsent_at = 0;
    }
    stream->queued += block->size;
    return true;
}

struct span quic_stream_unsent(const struct quic_stream *stream)
{
    const struct quic_block *block = stream->unsent;
    if (block == NULL) {
        return (struct span){NULL, 0};
    }
    return (struct span){block->bytes + stream->unsent_at, block->size - stream->unsent_at};
}

bool quic_stream_wants(const struct quic_stream *stream)
{
    return !stream->shut && !stream->closed &&
           (stream->unsent != NULL || (stream->finished && !stream->fin_sent));
}

bool quic_stream_ends(const struct quic_stream *stream, struct span unsent)
{
    return stream->finished &&
           (stream->unsent == NULL || (stream->unsent->next == NULL &&
                                       unsent.size == stream->unsent->size - stream->unsent_at));
}

void quic_stream_sent(struct quic_stream *stream, size_t size, bool fin)
{
    if (stream->unsent != NULL) {
        stream->unsent_at += size;
        if (stream->unsent_at == stream->unsent->size) {
            stream->unsent = stream->unsent->next;
            stream->unsent_at = 0;
        }
    }
    stream->fin_sent = fin && stream->unsent == NULL;
}

/* Takes the first block away; its octets. */
static size_t free_first(struct quic_stream *stream)
{
    struct quic_block *block = stream->first;
    size_t size = block->size;
    stream->first = block->next;
    stream->first_at += size;
    stream->queued -= size;
    free(block);
    return size;
}

size_t quic_stream_acked(struct quic_stream *stream, uint64_t offset)
{
    size_t freed = 0;
    while (stream->first != NULL && stream->first != stream->unsent &&
           offset >= stream->first_at + stream->first->size) {
        freed += free_first(stream);
    }
    return freed;
}

size_t quic_stream_discard(struct quic_stream *stream)
{
    size_t freed = 0;
    while (stream->first != NULL) {
        freed += free_first(stream);
    }
    stream->last = NULL;
    stream->unsent = NULL;
    return freed;
}
