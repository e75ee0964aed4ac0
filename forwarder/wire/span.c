/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The writing half of the cursors; the reading half is inline in the header. A writer never holds
 * half of a field: what does not fit whole is not begun.
 */
#include "forwarder/wire/span.h"

#include <string.h>

struct span_writer span_writer(uint8_t *bytes, size_t capacity)
{
    return (struct span_writer){.bytes = bytes, .capacity = capacity};
}

void span_write(struct span_writer *writer, struct span span)
{
    if (writer->failed || span.size > writer->capacity - writer->size) {
        writer->failed = true;
        return;
    }
    if (span.size == 0) {
        return; /* an empty span may have no bytes to copy from */
    }
    memcpy(writer->bytes + writer->size, span.bytes, span.size);
    writer->size += span.size;
}

void span_write_u8(struct span_writer *writer, uint8_t value)
{
    span_write(writer, (struct span){&value, sizeof(value)});
}

void span_write_u16(struct span_writer *writer, uint16_t value)
{
    uint8_t octets[] = {(uint8_t)(value >> 8), (uint8_t)value};
    span_write(writer, (struct span){octets, sizeof(octets)});
}

void span_write_u32(struct span_writer *writer, uint32_t value)
{
    uint8_t octets[] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8),
                        (uint8_t)value};
    span_write(writer, (struct span){octets, sizeof(octets)});
}
