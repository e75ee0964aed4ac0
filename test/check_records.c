/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Records and names as upstreams write them, and as nobody should: counts that lie, names without
 * an end, pointers in circles. Messages lie at the end of their memory, so that the sanitizers see
 * a read past it.
 */
#include "forwarder/wire/records.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/wire_notation.h"
#include "test/suite.h"

#define RECORDS_TEXT_MAX 512

/* A header (QDCOUNT and the counts of the sections follow ID and flags). The question a.example,
 * whose name stands at 000c and its example at 000e, ends at 001b. */
#define HEADER "1234 8180"
#define QUESTION "01'a'07'example'00 0001 0001"
#define ANSWER(counts) HEADER "0001" counts QUESTION
#define FIXED "0001 0001 0000003c"
#define A_RECORD "c00c" FIXED "0004 c0000201"

/* A copy that ends where its memory ends. */
static struct span exactly(const char *text, uint8_t **memory)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span parsed = wire_parse(text, bytes);
    *memory = malloc(parsed.size + 1);
    ck_assert_ptr_nonnull(*memory);
    memcpy(*memory + 1, parsed.bytes, parsed.size);
    return (struct span){*memory + 1, parsed.size};
}

/* ---- Records ---- */

/* What is read: "section:type:class:ttl:size" of each record, and "broken" at the end. */
static const struct {
    const char *label;
    const char *message;
    const char *expected;
} MESSAGES[] = {
    {"no records", ANSWER("0000 0000 0000"), ""},
    {"one", ANSWER("0001 0000 0000") A_RECORD, "0:1:1:60:4 "},
    {"one in each section", ANSWER("0001 0001 0001") A_RECORD A_RECORD A_RECORD,
     "0:1:1:60:4 1:1:1:60:4 2:1:1:60:4 "},
    {"an OPT among them", ANSWER("0001 0000 0002") A_RECORD "00 0029 04d0 00008000 0000" A_RECORD,
     "0:1:1:60:4 2:41:1232:32768:0 2:1:1:60:4 "},
    {"an owner in full", ANSWER("0001 0000 0000") "01'a'07'example'00" FIXED "0000", "0:1:1:60:0 "},
    {"an owner whose pointer leads nowhere", ANSWER("0002 0000 0000") "ffff" FIXED "0000" A_RECORD,
     "0:1:1:60:0 0:1:1:60:4 "},
    {"octets behind the last record", ANSWER("0001 0000 0000") A_RECORD "00", "0:1:1:60:4 "},
    {"no question", HEADER "0000 0001 0000 0000 00" FIXED "0000", "0:1:1:60:0 "},
    {"two questions", HEADER "0002 0001 0000 0000" QUESTION QUESTION A_RECORD, "0:1:1:60:4 "},

    {"no header", "1234 8180 0001", "broken"},
    {"nothing", "", "broken"},
    {"no question where one is counted", HEADER "0001 0000 0000 0000", "broken"},
    {"a question that is cut", HEADER "0001 0000 0000 0000 01'a'00 0001", "broken"},
    {"a label of 64 in the question", HEADER "0001 0000 0000 0000 40", "broken"},
    {"fewer records than counted", ANSWER("0002 0000 0000") A_RECORD, "0:1:1:60:4 broken"},
    {"the highest counts", ANSWER("ffff ffff ffff") A_RECORD, "0:1:1:60:4 broken"},
    {"RDATA that is cut", ANSWER("0001 0000 0000") "c00c" FIXED "0004 c00002", "broken"},
    {"the longest RDLENGTH", ANSWER("0001 0000 0000") "c00c" FIXED "ffff c0000201", "broken"},
    {"no RDLENGTH", ANSWER("0001 0000 0000") "c00c" FIXED "00", "broken"},
    {"no type", ANSWER("0001 0000 0000") "c00c", "broken"},
    {"half a pointer", ANSWER("0001 0000 0000") "c0", "broken"},
    {"an owner without an end", ANSWER("0001 0000 0000") "03'www'", "broken"},
    {"an owner of an unknown label type", ANSWER("0001 0000 0000") "80" FIXED "0000", "broken"},
};

START_TEST(records_are_read)
{
    uint8_t *memory;
    char text[RECORDS_TEXT_MAX] = "";
    struct span message = exactly(MESSAGES[_i].message, &memory);
    struct records records = records_begin(message);
    struct records_record record;
    while (records_next(&records, &record)) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%d:%u:%u:%u:%zu ", (int)record.section,
                 (unsigned)record.type, (unsigned)record.class, (unsigned)record.ttl, record.size);
    }
    ck_assert_msg(!records_next(&records, &record), "the end is the end");
    strcat(text, records.broken ? "broken" : "");
    ck_assert_msg(strcmp(text, MESSAGES[_i].expected) == 0, "%s: %s", MESSAGES[_i].label, text);
    free(memory);
}
END_TEST

/* ---- Names ---- */

#define LABEL_63 "3f'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"
#define LABELS_192 LABEL_63 LABEL_63 LABEL_63

/* The name at 001b, behind the question; end and behind count from there. NULL: it is none. */
static const struct {
    const char *label;
    const char *octets;
    size_t end;
    const char *name;
    size_t behind;
} NAMES[] = {
    {"in full", "01'b'07'example'00", 11, "01'b'07'example'00", 11},
    {"the root", "00", 1, "00", 1},
    {"case as it is", "01'B'00", 3, "01'B'00", 3},
    {"a pointer", "c00c", 2, "01'a'07'example'00", 2},
    {"a pointer behind a label", "01'b' c00e ff", 5, "01'b'07'example'00", 4},
    {"a pointer to the root label", "01'b' c016", 4, "01'b'00", 4},
    {"the longest",
     LABELS_192 "3d'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'00", 255,
     LABELS_192 "3d'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'00", 255},

    {"one octet too long",
     LABELS_192 "3e'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'00", 256, NULL,
     0},
    {"too long by its pointer",
     LABELS_192 "3c'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                "aaaaaaa' c00c",
     255, NULL, 0},
    {"a pointer to itself", "c01b", 2, NULL, 0},
    {"a pointer to its own label", "01'b' c01b", 4, NULL, 0},
    {"a pointer forward", "c01d 00", 2, NULL, 0},
    {"a pointer into the header", "c004", 2, NULL, 0},
    {"a pointer to the header's last octet", "c00b", 2, NULL, 0},
    {"a pointer past the end", "ffff", 2, NULL, 0},
    {"half a pointer", "c0", 1, NULL, 0},
    {"a pointer across the end", "c00c", 1, NULL, 0},
    {"a label across the end", "03'www'00", 3, NULL, 0},
    {"no root label", "01'b'", 2, NULL, 0},
    {"nothing", "", 0, NULL, 0},
    {"an extended label", "41 00", 2, NULL, 0},
    {"a label of 64", "40'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'00", 66,
     NULL, 0},
    {"a label type nobody has", "80 00", 2, NULL, 0},
};

START_TEST(names_are_read)
{
    char text[WIRE_NOTATION_MAX];
    uint8_t bytes[WIRE_NOTATION_MAX];
    uint8_t *memory;
    struct records_name name;
    snprintf(text, sizeof text, "%s%s", ANSWER("0000 0000 0000"), NAMES[_i].octets);
    struct span message = exactly(text, &memory);
    size_t at = 0x1b;
    bool read = records_name_read(message, &at, 0x1b + NAMES[_i].end, &name);
    ck_assert_msg(read == (NAMES[_i].name != NULL), "%s", NAMES[_i].label);
    if (read) {
        struct span expected = wire_parse(NAMES[_i].name, bytes);
        ck_assert_msg(wire_equal((struct span){name.wire, name.size}, expected), "%s",
                      NAMES[_i].label);
    }
    ck_assert_msg(at == 0x1b + NAMES[_i].behind, "%s: at %zu", NAMES[_i].label, at);
    free(memory);
}
END_TEST

/* Two names that lead to each other, and pointers to pointers beyond all sense. */
START_TEST(circles_and_chains_end)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    struct span message = {bytes, sizeof bytes};
    struct records_name name;
    size_t at;
    memcpy(bytes + 12, "\xc0\x0e\xc0\x0c", 4);
    for (at = 12; at <= 14; at += 2) {
        size_t begun = at;
        ck_assert(!records_name_read(message, &begun, sizeof bytes, &name));
    }
    bytes[12] = 0; /* a root, and a chain of pointers that leads back to it */
    for (unsigned i = 1; i <= 1000; i++) {
        unsigned to = i == 1 ? 12 : 14 + 2 * (i - 2);
        bytes[14 + 2 * (i - 1)] = (uint8_t)(0xc0 | to >> 8);
        bytes[15 + 2 * (i - 1)] = (uint8_t)to;
    }
    at = 14 + 2 * (RECORDS_POINTERS_MAX - 1);
    ck_assert(records_name_read(message, &at, sizeof bytes, &name));
    ck_assert_uint_eq(name.size, 1);
    at = 14 + 2 * RECORDS_POINTERS_MAX;
    ck_assert(!records_name_read(message, &at, sizeof bytes, &name));
}
END_TEST

/* As many records as a message holds, each with a name that takes as long as it may. */
START_TEST(the_longest_message_is_read)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    static const uint8_t header[] = {0x12, 0x34, 0x81, 0x80, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
    static const uint8_t record[] = {0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 0};
    span_write(&writer, (struct span){header, sizeof header});
    unsigned count = 0;
    while (!writer.failed) {
        span_write(&writer, (struct span){record, sizeof record});
        count++;
    }
    struct records records = records_begin((struct span){bytes, writer.size});
    struct records_record out;
    unsigned read = 0;
    while (records_next(&records, &out)) {
        read++;
    }
    ck_assert(records.broken);
    ck_assert_uint_eq(read, count - 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("records");
    TCase *tcase = tcase_create("records");
    tcase_add_loop_test(tcase, records_are_read, 0, (int)ROWS(MESSAGES));
    tcase_add_loop_test(tcase, names_are_read, 0, (int)ROWS(NAMES));
    tcase_add_test(tcase, circles_and_chains_end);
    tcase_add_test(tcase, the_longest_message_is_read);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
