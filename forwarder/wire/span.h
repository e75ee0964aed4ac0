/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Bounds-checked bytes: a span is a borrowed run of octets; a reader and a writer are cursors whose
 * operations turn to no-ops after the first that does not fit, so that many fields are read or
 * written and one test is made at the end. Integers are in network byte order (RFC 1035 section
 * 2.3.2).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const uint8_t *bytes;
    size_t size;
};

struct span_reader {
    struct span span;
    size_t at;
    bool failed; /* something did not fit; all later reads yield zero */
};

struct span_writer {
    uint8_t *bytes;
    size_t capacity;
    size_t size;
    bool failed; /* something did not fit; nothing more is written */
};

/* Integers in octets that are known to be there. */
static inline uint16_t span_u16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint32_t span_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void span_put_u16(uint8_t *at, uint16_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static inline void span_put_u32(uint8_t *at, uint32_t value)
{
    at[0] = (uint8_t)(value >> 24);
    at[1] = (uint8_t)(value >> 16);
    at[2] = (uint8_t)(value >> 8);
    at[3] = (uint8_t)value;
}

/* The reader is inline: it is on the path of every query whose question is read. */
static inline struct span_reader span_reader(struct span span)
{
    return (struct span_reader){.span = span};
}

/* The next size octets; empty on failure. */
static inline struct span span_read(struct span_reader *reader, size_t size)
{
    if (reader->failed || size > reader->span.size - reader->at) {
        reader->failed = true;
        return (struct span){0};
    }
    if (size == 0) {
        return (struct span){0}; /* an empty span may have no bytes to point into */
    }
    struct span run = {reader->span.bytes + reader->at, size};
    reader->at += size;
    return run;
}

static inline uint8_t span_read_u8(struct span_reader *reader)
{
    struct span run = span_read(reader, 1);
    return run.size == 0 ? 0 : run.bytes[0];
}

static inline uint16_t span_read_u16(struct span_reader *reader)
{
    struct span run = span_read(reader, 2);
    return run.size == 0 ? 0 : span_u16(run.bytes);
}

static inline uint32_t span_read_u32(struct span_reader *reader)
{
    struct span run = span_read(reader, 4);
    return run.size == 0 ? 0 : span_u32(run.bytes);
}

/* So is the writer, on the path of every answer made here. */
static inline struct span_writer span_writer(uint8_t *bytes, size_t capacity)
{
    return (struct span_writer){.bytes = bytes, .capacity = capacity};
}

/* Room for size octets, or NULL when they do not fit: no field is begun that does not fit whole. */
static inline uint8_t *span_write_room(struct span_writer *writer, size_t size)
{
    if (writer->failed || size > writer->capacity - writer->size) {
        writer->failed = true;
        return NULL;
    }
    uint8_t *room = writer->bytes + writer->size;
    writer->size += size;
    return room;
}

/* Appends all of span or, when it does not fit, nothing. */
static inline void span_write(struct span_writer *writer, struct span span)
{
    uint8_t *room = span_write_room(writer, span.size);
    if (room != NULL && span.size > 0) { /* an empty span may have no bytes to copy from */
        memcpy(room, span.bytes, span.size);
    }
}

static inline void span_write_u8(struct span_writer *writer, uint8_t value)
{
    uint8_t *room = span_write_room(writer, 1);
    if (room != NULL) {
        room[0] = value;
    }
}

static inline void span_write_u16(struct span_writer *writer, uint16_t value)
{
    uint8_t *room = span_write_room(writer, 2);
    if (room != NULL) {
        span_put_u16(room, value);
    }
}

static inline void span_write_u32(struct span_writer *writer, uint32_t value)
{
    uint8_t *room = span_write_room(writer, 4);
    if (room != NULL) {
        span_put_u32(room, value);
    }
}
