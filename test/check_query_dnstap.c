/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dnstap messages, field by field, whole and cut at every octet.
 */
#include "forwarder/cli/query_dnstap.h"

#include <check.h>
#include <stdlib.h>

#include "test/query_text.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define NAMELESS "0001 0100 0000 0000 0000 0000 "

/* Fields of a Message: type, query_address, query_message, response_message. */
#define TYPE(number) "08" number " "
#define IPV4 "22 04 c0000201 "
#define IPV6 "22 10 20010db8000000000000000000000001 "
#define ASKED(message) "52 15 " message
#define ANSWERED "72 15 " QUERY_TEXT_ANSWER

/* Of a Dnstap: type MESSAGE, and the Message with its size. */
#define DNSTAP(size, message) "78 01 72 " size " " message

static const struct {
    const char *label;
    const char *frame;
    enum query_dnstap_kind kind;
    const char *expected; /* of the first two kinds */
} FRAMES[] = {
    {"a query", DNSTAP("1f", TYPE("05") IPV4 ASKED(QUERY_TEXT_QUERY)), QUERY_DNSTAP_QUERY,
     "192.0.2.1:a.b:1"},
    {"over IPv6", DNSTAP("2b", TYPE("05") IPV6 ASKED(QUERY_TEXT_QUERY)), QUERY_DNSTAP_QUERY,
     "2001:db8::1:a.b:1"},
    {"a response with its query", DNSTAP("36", TYPE("06") IPV4 ASKED(QUERY_TEXT_QUERY) ANSWERED),
     QUERY_DNSTAP_RESPONSE, "192.0.2.1:a.b:1"},
    {"a response alone", DNSTAP("1f", TYPE("06") IPV4 ANSWERED), QUERY_DNSTAP_RESPONSE,
     "192.0.2.1:a.b:1"},
    {"without an address", DNSTAP("19", TYPE("05") ASKED(QUERY_TEXT_QUERY)), QUERY_DNSTAP_QUERY,
     "-:a.b:1"},
    {"an address of another size", DNSTAP("1e", TYPE("05") "22 03 c00002 " ASKED(QUERY_TEXT_QUERY)),
     QUERY_DNSTAP_QUERY, "-:a.b:1"},
    {"among all other fields",
     "0a 01 'x' 12 01 'y' 1a 00 72 43 " TYPE(
         "05") "10 01 18 01 " IPV4
               "2a 04 c0000235 30 a01f 38 35 40 80c8afd106 4d 00000000 " ASKED(
                   QUERY_TEXT_QUERY) "5a 01 00 60 00 6d 00000000 80 01 01 78 01",
     QUERY_DNSTAP_QUERY, "192.0.2.1:a.b:1"},
    {"an unknown field of 64 bits",
     "f9 01 0000000000000000 " DNSTAP("1f", TYPE("05") IPV4 ASKED(QUERY_TEXT_QUERY)),
     QUERY_DNSTAP_QUERY, "192.0.2.1:a.b:1"},
    {"a field given twice", DNSTAP("25", TYPE("05") "22 04 c0000263 " IPV4 ASKED(QUERY_TEXT_QUERY)),
     QUERY_DNSTAP_QUERY, "192.0.2.1:a.b:1"},
    {"the type behind the message", "72 1f " TYPE("05") IPV4 ASKED(QUERY_TEXT_QUERY) "78 01",
     QUERY_DNSTAP_QUERY, "192.0.2.1:a.b:1"},

    {"a query of a resolver", DNSTAP("1f", TYPE("03") IPV4 ASKED(QUERY_TEXT_QUERY)),
     QUERY_DNSTAP_OTHER, NULL},
    {"of no type", DNSTAP("1d", IPV4 ASKED(QUERY_TEXT_QUERY)), QUERY_DNSTAP_OTHER, NULL},
    {"no message", "78 01", QUERY_DNSTAP_OTHER, NULL},
    {"a Dnstap of another type", "78 02 72 1f " TYPE("05") IPV4 ASKED(QUERY_TEXT_QUERY),
     QUERY_DNSTAP_OTHER, NULL},
    {"another opcode", DNSTAP("1f", TYPE("05") IPV4 ASKED(QUERY_TEXT_NOTIFY)), QUERY_DNSTAP_OTHER,
     NULL},
    {"no question", DNSTAP("16", TYPE("05") IPV4 "52 0c " NAMELESS), QUERY_DNSTAP_OTHER, NULL},
    {"neither query nor response", DNSTAP("08", TYPE("05") IPV4), QUERY_DNSTAP_OTHER, NULL},
    {"nothing", "", QUERY_DNSTAP_OTHER, NULL},

    {"a message that is cut", "78 01 72 20 " TYPE("05") IPV4 ASKED(QUERY_TEXT_QUERY),
     QUERY_DNSTAP_BAD, NULL},
    {"a field that is cut", DNSTAP("05", TYPE("05") "22 04 c0"), QUERY_DNSTAP_BAD, NULL},
    {"a number without an end", "78 ffffffffffffffffffff01", QUERY_DNSTAP_BAD, NULL},
    {"a size beyond all", "72 ffffffffffffffffff01", QUERY_DNSTAP_BAD, NULL},
    {"a group", "7b 01", QUERY_DNSTAP_BAD, NULL},
    {"a reserved encoding", "7e 01", QUERY_DNSTAP_BAD, NULL},
    {"text", "'www.example'", QUERY_DNSTAP_BAD, NULL},
};

START_TEST(messages_are_read)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct query_record record;
    char text[QUERY_TEXT_MAX];
    enum query_dnstap_kind kind = query_dnstap_decode(wire_parse(FRAMES[_i].frame, bytes), &record);
    ck_assert_msg(kind == FRAMES[_i].kind, "%s: %d", FRAMES[_i].label, (int)kind);
    if (FRAMES[_i].expected != NULL) {
        ck_assert_uint_eq(record.count, 1);
        ck_assert_msg(strcmp(query_text(&record, text), FRAMES[_i].expected) == 0, "%s: %s",
                      FRAMES[_i].label, text);
    }
}
END_TEST

/* In an allocation of its size, so that sanitizers see a read past the end. */
START_TEST(cut_messages_tell_nothing_else)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span whole = wire_parse(FRAMES[_i].frame, bytes);
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *cut = malloc(size + (size == 0));
        struct query_record record;
        memcpy(cut, bytes, size);
        enum query_dnstap_kind kind = query_dnstap_decode((struct span){cut, size}, &record);
        if (kind == QUERY_DNSTAP_QUERY || kind == QUERY_DNSTAP_RESPONSE) {
            char text[QUERY_TEXT_MAX];
            ck_assert_ptr_nonnull(FRAMES[_i].expected);
            ck_assert_str_eq(query_text(&record, text), FRAMES[_i].expected);
        }
        free(cut);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query_dnstap");
    TCase *cases = tcase_create("messages");
    int rows = sizeof FRAMES / sizeof FRAMES[0];
    tcase_add_loop_test(cases, messages_are_read, 0, rows);
    tcase_add_loop_test(cases, cut_messages_tell_nothing_else, 0, rows);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
