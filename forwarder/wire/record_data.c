/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The layout of RDATA with compressible names, one row a type (see record_data.h).
 */
#include "forwarder/wire/record_data.h"

#define NAPTR 35
#define NAPTR_STRINGS 3

/* Octets in front of the names, and how many names; behind them anything may follow. */
struct layout {
    uint16_t type;
    uint8_t before;
    uint8_t names;
};

/* The types of RFC 1035, and those whose names RFC 3597 section 4 wants decompressed too. */
static const struct layout LAYOUTS[] = {
    {2, 0, 1},     /* NS */
    {3, 0, 1},     /* MD */
    {4, 0, 1},     /* MF */
    {5, 0, 1},     /* CNAME */
    {6, 0, 2},     /* SOA */
    {7, 0, 1},     /* MB */
    {8, 0, 1},     /* MG */
    {9, 0, 1},     /* MR */
    {12, 0, 1},    /* PTR */
    {14, 0, 2},    /* MINFO */
    {15, 2, 1},    /* MX */
    {17, 0, 2},    /* RP */
    {18, 2, 1},    /* AFSDB */
    {21, 2, 1},    /* RT */
    {24, 18, 1},   /* SIG */
    {26, 2, 2},    /* PX */
    {30, 0, 1},    /* NXT */
    {33, 6, 1},    /* SRV */
    {NAPTR, 4, 1}, /* behind three character-strings */
    {39, 0, 1},    /* DNAME */
};

static const struct layout *find_layout(uint16_t type)
{
    for (size_t i = 0; i < sizeof LAYOUTS / sizeof LAYOUTS[0]; i++) {
        if (LAYOUTS[i].type == type) {
            return &LAYOUTS[i];
        }
    }
    return NULL;
}

/* How many octets of the RDATA stand in front of its first name. */
static size_t octets_before(struct span data, const struct layout *layout)
{
    struct span_reader reader = span_reader(data);
    span_read(&reader, layout->before);
    for (unsigned i = 0; layout->type == NAPTR && i < NAPTR_STRINGS; i++) {
        span_read(&reader, span_read_u8(&reader));
    }
    return reader.failed ? data.size + 1 : reader.at;
}

static bool write_names(struct span message, const struct records_record *record,
                        const struct layout *layout, struct span_writer *writer)
{
    struct span data = {message.bytes + record->data, record->size};
    size_t before = octets_before(data, layout);
    if (before > data.size) {
        return false;
    }
    span_write(writer, (struct span){data.bytes, before});
    size_t at = record->data + before;
    size_t end = record->data + record->size;
    for (unsigned i = 0; i < layout->names; i++) {
        struct records_name name;
        if (!records_name_read(message, &at, end, &name)) {
            return false;
        }
        span_write(writer, (struct span){name.wire, name.size});
    }
    span_write(writer, (struct span){message.bytes + at, end - at});
    return true;
}

bool record_data_write(struct span message, const struct records_record *record,
                       struct span_writer *writer)
{
    const struct layout *layout = find_layout(record->type);
    if (layout == NULL) {
        span_write_u16(writer, (uint16_t)record->size);
        span_write(writer, (struct span){message.bytes + record->data, record->size});
        return !writer->failed;
    }
    size_t start = writer->size;
    span_write_u16(writer, 0);
    if (!write_names(message, record, layout, writer) || writer->failed) {
        return false;
    }
    size_t size = writer->size - start - 2;
    if (size > UINT16_MAX) {
        return false;
    }
    writer->bytes[start] = (uint8_t)(size >> 8);
    writer->bytes[start + 1] = (uint8_t)size;
    return true;
}
