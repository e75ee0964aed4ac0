/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RDATA of each type that may hold compressed names, taken out of its message; libknot says which
 * these types are.
 */
#include "forwarder/wire/record_data.h"

#include <check.h>
#include <libknot/descriptor.h>
#include <stdio.h>

#include "test/wire_notation.h"
#include "test/suite.h"

/* The name a.example stands at 000c. */
#define MESSAGE "1234 8180 0001 0001 0000 0000 01'a'07'example'00 0001 0001 00"
#define NAME "01'a'07'example'00"
#define SOA_NUMBERS "00000001 00000002 00000003 00000004 00000005"

/* NULL: it cannot be read. */
static const struct {
    const char *label;
    const char *type;
    const char *data;
    const char *written;
} ROWS_OF_DATA[] = {
    {"A", "0001", "c0000201", "c0000201"},
    {"octets like a pointer", "0001", "c00c", "c00c"},
    {"NS", "0002", "c00c", NAME},
    {"CNAME", "0005", "01'b'c00c", "01'b'" NAME},
    {"SOA", "0006", "c00c 01'h'c00c" SOA_NUMBERS, NAME "01'h'" NAME SOA_NUMBERS},
    {"PTR", "000c", "c00c", NAME},
    {"MINFO", "000e", "c00c c00c", NAME NAME},
    {"MX", "000f", "000a c00c", "000a" NAME},
    {"RP", "0011", "c00c 00", NAME "00"},
    {"AFSDB", "0012", "0001 c00c", "0001" NAME},
    {"RT", "0015", "0001 c00c", "0001" NAME},
    {"PX", "001a", "0001 c00c c00c", "0001" NAME NAME},
    {"SRV", "0021", "0001 0002 0003 c00c", "0001 0002 0003" NAME},
    {"NAPTR", "0023", "0001 0002 01'u' 00 03'abc' c00c", "0001 0002 01'u' 00 03'abc'" NAME},
    {"DNAME", "0027", "c00c", NAME},
    {"TXT", "0010", "02 c00c", "02 c00c"},
    {"RRSIG", "002e", "0001 08 02 0000003c 00000000 00000000 1234 c00c ff",
     "0001 08 02 0000003c 00000000 00000000 1234 c00c ff"},
    {"SIG", "0018", "0001 08 02 0000003c 00000000 00000000 1234 c00c ff",
     "0001 08 02 0000003c 00000000 00000000 1234" NAME "ff"},
    {"HTTPS", "0041", "0001 00 0004 0004 c0000201", "0001 00 0004 0004 c0000201"},
    {"unknown", "ff00", "c00c", "c00c"},
    {"empty", "0001", "", ""},

    {"a CNAME of nothing", "0005", "", NULL},
    {"a CNAME that is cut", "0005", "03'ww'", NULL},
    {"a pointer forward", "0005", "c0ff", NULL},
    {"an SOA of one name", "0006", "c00c", NULL},
    {"an MX without a preference", "000f", "00", NULL},
    {"a NAPTR whose string is cut", "0023", "0001 0002 01'u' 00 ff'abc'", NULL},
};

static struct span data_of(const char *type, const char *data, uint8_t *bytes,
                           struct records_record *record)
{
    char text[1024];
    uint8_t raw[WIRE_NOTATION_MAX];
    snprintf(text, sizeof text, "%s%s 0001 0000003c %04zx %s", MESSAGE, type,
             wire_parse(data, raw).size, data);
    struct span message = wire_parse(text, bytes);
    struct records records = records_begin(message);
    ck_assert(records_next(&records, record));
    return message;
}

START_TEST(names_are_written_in_full)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    uint8_t expected[WIRE_NOTATION_MAX];
    uint8_t out[1024];
    struct records_record record;
    struct span_writer writer = span_writer(out, sizeof out);
    struct span message = data_of(ROWS_OF_DATA[_i].type, ROWS_OF_DATA[_i].data, bytes, &record);
    bool written = record_data_write(message, &record, &writer);
    ck_assert_msg(written == (ROWS_OF_DATA[_i].written != NULL), "%s", ROWS_OF_DATA[_i].label);
    if (written) {
        struct span data = wire_parse(ROWS_OF_DATA[_i].written, expected);
        ck_assert_uint_eq((size_t)(out[0] << 8 | out[1]), data.size);
        ck_assert_msg(wire_equal((struct span){out + 2, writer.size - 2}, data), "%s",
                      ROWS_OF_DATA[_i].label);
    }
    /* Into any room that is too small it does not go. */
    for (size_t room = 0; written && room < writer.size; room++) {
        struct span_writer small = span_writer(out, room);
        ck_assert(!record_data_write(message, &record, &small));
    }
}
END_TEST

/* Every type whose names may be compressed, by libknot, is read as one. */
START_TEST(no_compressible_type_is_forgotten)
{
    for (unsigned type = 1; type < 256; type++) {
        const knot_rdata_descriptor_t *descriptor = knot_get_rdata_descriptor((uint16_t)type);
        char text[8];
        uint8_t bytes[WIRE_NOTATION_MAX];
        uint8_t out[1024];
        struct records_record record;
        if (descriptor->block_types[0] != KNOT_RDATA_WF_COMPRESSIBLE_DNAME &&
            descriptor->block_types[0] != KNOT_RDATA_WF_DECOMPRESSIBLE_DNAME) {
            continue;
        }
        snprintf(text, sizeof text, "%04x", type);
        struct span message = data_of(text, "c00c c00c" SOA_NUMBERS, bytes, &record);
        struct span_writer writer = span_writer(out, sizeof out);
        ck_assert(record_data_write(message, &record, &writer));
        ck_assert_msg(writer.size > 2 + record.size, "type %u is copied as it is", type);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("record_data");
    TCase *tcase = tcase_create("record_data");
    tcase_add_loop_test(tcase, names_are_written_in_full, 0, (int)ROWS(ROWS_OF_DATA));
    tcase_add_test(tcase, no_compressible_type_is_forgotten);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
