/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Builds a MaxMind DB byte by byte, for trees and metadata that no honest writer makes. Records
 * have 32 bits. Call in the order of the file: nodes, data, metadata.
 */
#pragma once

#include <check.h>
#include <endian.h>
#include <stdint.h>
#include <string.h>

struct mmdb_image {
    uint8_t bytes[1 << 16];
    size_t size;
    const char *type; /* its database_type */
};

static inline void mmdb_image_init(struct mmdb_image *image)
{
    image->size = 0;
    image->type = "Handmade";
}

static inline void mmdb_image_put(struct mmdb_image *image, const void *bytes, size_t size)
{
    ck_assert_uint_le(image->size + size, sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

static inline void mmdb_image_node(struct mmdb_image *image, uint32_t left, uint32_t right)
{
    uint32_t records[2] = {htobe32(left), htobe32(right)};
    mmdb_image_put(image, records, sizeof records);
}

/* The separator and the data section. */
static inline void mmdb_image_data(struct mmdb_image *image, const char *data, size_t size)
{
    static const uint8_t separator[16] = {0};
    mmdb_image_put(image, separator, sizeof separator);
    mmdb_image_put(image, data, size);
}

/* A text of at most 28 bytes. */
static inline void mmdb_image_text(struct mmdb_image *image, const char *text)
{
    uint8_t control = (uint8_t)(0x40U | strlen(text));
    mmdb_image_put(image, &control, 1);
    mmdb_image_put(image, text, strlen(text));
}

static inline void mmdb_image_metadata(struct mmdb_image *image, uint32_t nodes, uint8_t ip_version,
                                       uint64_t epoch)
{
    uint32_t nodes_be = htobe32(nodes);
    uint64_t epoch_be = htobe64(epoch);
    mmdb_image_put(image, "\xab\xcd\xefMaxMind.com\xe9", 15); /* a map of nine pairs */
    mmdb_image_text(image, "node_count");
    mmdb_image_put(image, "\xc4", 1);
    mmdb_image_put(image, &nodes_be, sizeof nodes_be);
    mmdb_image_text(image, "record_size");
    mmdb_image_put(image, "\xa1\x20", 2);
    mmdb_image_text(image, "ip_version");
    mmdb_image_put(image, "\xa1", 1);
    mmdb_image_put(image, &ip_version, 1);
    mmdb_image_text(image, "database_type");
    mmdb_image_text(image, image->type);
    mmdb_image_text(image, "languages");
    mmdb_image_put(image, "\x00\x04", 2);
    mmdb_image_text(image, "binary_format_major_version");
    mmdb_image_put(image, "\xa1\x02", 2);
    mmdb_image_text(image, "binary_format_minor_version");
    mmdb_image_put(image, "\xa0", 1);
    mmdb_image_text(image, "build_epoch");
    mmdb_image_put(image, "\x08\x02", 2);
    mmdb_image_put(image, &epoch_be, sizeof epoch_be);
    mmdb_image_text(image, "description");
    mmdb_image_put(image, "\xe0", 1);
}
