/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The OPT record of whole messages, and its options.
 */
#include "forwarder/wire/opt_record.h"

#include <check.h>
#include <stdio.h>

#include "test/wire_notation.h"
#include "test/suite.h"

#define QUESTION "00 0001 0001"
#define HEAD(counts) "0001 0100 0001 " counts QUESTION
#define OPT "00 0029 04d0 00000000 0000"
#define A "00 0001 0001 00000000 0004 c0000201"

static const struct {
    const char *label;
    const char *message;
    enum opt_record_outcome outcome;
    size_t owner;
    uint16_t behind;
    bool signed_behind;
    size_t tail;
} MESSAGES[] = {
    {"none", HEAD("0000 0000 0000"), OPT_RECORD_NONE, 0, 0, false, 0},
    {"alone", HEAD("0000 0000 0001") OPT, OPT_RECORD_ONE, 17, 0, false, 0},
    {"behind another", HEAD("0001 0000 0001") A OPT, OPT_RECORD_ONE, 32, 0, false, 0},
    {"before others", HEAD("0000 0000 0003") OPT A A, OPT_RECORD_ONE, 17, 2, false, 0},
    {"signed", HEAD("0000 0000 0002") OPT "00 00fa 00ff 00000000 0000", OPT_RECORD_ONE, 17, 1, true,
     0},
    {"signed, and no OPT", HEAD("0000 0000 0001") "00 0018 00ff 00000000 0000", OPT_RECORD_NONE, 0,
     0, true, 0},
    {"a SIG that signs nothing of it", HEAD("0001 0000 0000") "00 0018 0001 00000000 0000",
     OPT_RECORD_NONE, 0, 0, false, 0},
    {"no header", "0001", OPT_RECORD_UNREADABLE, 0, 0, false, 0},
    {"two", HEAD("0000 0000 0002") OPT OPT, OPT_RECORD_UNREADABLE, 0, 0, false, 0},
    {"in the authority section", HEAD("0000 0001 0000") OPT, OPT_RECORD_UNREADABLE, 0, 0, false, 0},
    {"with a name", HEAD("0000 0000 0001") "0161" OPT, OPT_RECORD_UNREADABLE, 0, 0, false, 0},
    {"with a pointer", HEAD("0000 0000 0001") "c00c 0029 04d0 00000000 0000", OPT_RECORD_UNREADABLE,
     0, 0, false, 0},
    {"cut", HEAD("0000 0000 0001") "00 0029 04d0 00000000 0001", OPT_RECORD_UNREADABLE, 0, 0, false,
     0},
    {"octets behind", HEAD("0000 0000 0001") OPT "00", OPT_RECORD_ONE, 17, 0, false, 1},
    {"octets behind none", HEAD("0000 0000 0000") "0000", OPT_RECORD_NONE, 0, 0, false, 2},
    {"one record too few", HEAD("0000 0000 0002") OPT, OPT_RECORD_UNREADABLE, 0, 0, false, 0},
};

START_TEST(it_is_found_in_whole_messages)
{
    for (size_t i = 0; i < ROWS(MESSAGES); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct span message = wire_parse(MESSAGES[i].message, bytes);
        struct opt_record opt;
        ck_assert_msg(opt_record_find(message, &opt) == MESSAGES[i].outcome, "%s",
                      MESSAGES[i].label);
        if (MESSAGES[i].outcome == OPT_RECORD_ONE) {
            ck_assert_msg(opt.record.owner == MESSAGES[i].owner, "%s", MESSAGES[i].label);
            ck_assert_uint_eq(opt.end, opt.record.owner + OPT_RECORD_FIXED);
            ck_assert_uint_eq(opt.behind, MESSAGES[i].behind);
        }
        if (MESSAGES[i].outcome != OPT_RECORD_UNREADABLE) {
            ck_assert_msg(opt.signed_behind == MESSAGES[i].signed_behind, "%s", MESSAGES[i].label);
            ck_assert_msg(opt.tail == MESSAGES[i].tail, "%s", MESSAGES[i].label);
        }
    }
}
END_TEST

/* Whether the OPT may grow or shrink, by what stands behind it. */
static const struct {
    const char *label;
    const char *behind; /* one record */
    bool resizes;
} BEHIND[] = {
    {"an address", A, true},
    {"a text", "00 0010 0001 00000000 0002 0161", true},
    {"a name that may be compressed", "00 0005 0001 00000000 0002 c00c", false},
    {"a signature", "00 00fa 00ff 00000000 0000", false},
    {"an owner that points to before it", "c00c 0001 0001 00000000 0004 c0000201", true},
    {"an owner that points to behind it", "c01c 0001 0001 00000000 0004 c0000201", false},
    {"a label and a pointer to behind it", "0161c01c 0001 0001 00000000 0004 c0000201", false},
};

START_TEST(it_moves_what_may_move)
{
    for (size_t i = 0; i < ROWS(BEHIND); i++) {
        char text[256];
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct opt_record opt;
        snprintf(text, sizeof text, "%s%s", HEAD("0000 0000 0002") OPT, BEHIND[i].behind);
        struct span message = wire_parse(text, bytes);
        ck_assert_msg(opt_record_find(message, &opt) == OPT_RECORD_ONE, "%s", BEHIND[i].label);
        ck_assert_msg(opt_record_may_resize(message, &opt) == BEHIND[i].resizes, "%s",
                      BEHIND[i].label);
    }
}
END_TEST

START_TEST(its_options_come_in_order)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span_reader reader = span_reader(wire_parse("0008 0002 aabb 000a 0000", bytes));
    struct opt_record_option option;
    ck_assert(opt_record_next(&reader, &option));
    ck_assert_uint_eq(option.code, 8);
    ck_assert_uint_eq(option.data.size, 2);
    ck_assert_ptr_eq(option.whole.bytes, bytes);
    ck_assert_uint_eq(option.whole.size, 6);
    ck_assert(opt_record_next(&reader, &option));
    ck_assert_uint_eq(option.code, 10);
    ck_assert_uint_eq(option.data.size, 0);
    ck_assert(!opt_record_next(&reader, &option));
    ck_assert(!reader.failed);
}
END_TEST

START_TEST(one_that_does_not_fit_ends_them)
{
    static const char *const BROKEN[] = {"00", "0008", "0008 00", "0008 0001", "0008 0002 aa"};
    for (size_t i = 0; i < ROWS(BROKEN); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct span_reader reader = span_reader(wire_parse(BROKEN[i], bytes));
        struct opt_record_option option;
        ck_assert(!opt_record_next(&reader, &option));
        ck_assert_msg(reader.failed, "%s", BROKEN[i]);
        ck_assert(!opt_record_next(&reader, &option));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("opt_record");
    TCase *tcase = tcase_create("opt_record");
    tcase_add_test(tcase, it_is_found_in_whole_messages);
    tcase_add_test(tcase, it_moves_what_may_move);
    tcase_add_test(tcase, its_options_come_in_order);
    tcase_add_test(tcase, one_that_does_not_fit_ends_them);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
