/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ECS options (see ecs.h).
 */
#include "forwarder/wire/ecs.h"

#include <string.h>

static const uint8_t MAPPED[12] = {[10] = 0xff, [11] = 0xff};

static unsigned bits_of(uint16_t family)
{
    switch (family) {
    case ECS_FAMILY_IPV4:
        return 32;
    case ECS_FAMILY_IPV6:
        return 128;
    default:
        return 0;
    }
}

/* Where the family's address begins in the 16 octets. */
static unsigned offset_of(uint16_t family)
{
    return family == ECS_FAMILY_IPV6 ? 0 : sizeof MAPPED;
}

static unsigned octets_of(uint8_t source)
{
    return (source + 7U) / 8U;
}

/* Are all bits behind SOURCE zero? They are the last ones of the last octet, or none. */
static bool is_cut(struct span address, uint8_t source)
{
    unsigned used = (source + 7U) % 8U + 1U;
    return address.size == 0 || (address.bytes[address.size - 1] & (0xffU >> used)) == 0;
}

bool ecs_decode(struct span data, struct ecs *out)
{
    struct span_reader reader = span_reader(data);
    *out = (struct ecs){0};
    out->family = span_read_u16(&reader);
    out->source = span_read_u8(&reader);
    out->scope = span_read_u8(&reader);
    unsigned bits = bits_of(out->family);
    if (reader.failed || out->family > ECS_FAMILY_IPV6 || out->source > bits || out->scope > bits) {
        return false;
    }
    struct span address = span_read(&reader, octets_of(out->source));
    if (reader.failed || reader.at != data.size || !is_cut(address, out->source)) {
        return false;
    }
    if (out->family != ECS_FAMILY_IPV6) {
        memcpy(out->octet, MAPPED, sizeof MAPPED);
    }
    if (address.size > 0) {
        memcpy(out->octet + offset_of(out->family), address.bytes, address.size);
    }
    return true;
}

void ecs_encode(struct span_writer *writer, const struct ecs *ecs)
{
    span_write_u16(writer, ecs->family);
    span_write_u8(writer, ecs->source);
    span_write_u8(writer, ecs->scope);
    span_write(writer, (struct span){ecs->octet + offset_of(ecs->family), octets_of(ecs->source)});
}
