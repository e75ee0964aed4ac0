/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is left of an answer that its client cannot take whole.
 */
#include "forwarder/answer_fit.h"

#include <check.h>

#include "test/wire_notation.h"
#include "test/suite.h"

#define QUESTION "03'www'07'example'00 0001 0001"
#define RECORD "c00c 0001 0001 0000003c 0004 c0000201"
#define OPT(rdata) "00 0029 04d0 00008000" rdata

static const struct {
    const char *query;
    size_t limit;
} LIMITS[] = {
    {"1234 0100 0001 0000 0000 0000" QUESTION, 512},
    {"1234 0100 0001 0000 0000 0001" QUESTION "00 0029 0064 00000000 0000", 512},
    {"1234 0100 0001 0000 0000 0001" QUESTION "00 0029 04d0 00000000 0000", 1232},
    {"1234 0100 0001 0000 0000 0001" QUESTION "00 0029 ffff 00000000 0000", 65535},
    {"1234 0100 0000 0000 0000 0000", 512},
};

START_TEST(the_query_tells_the_limit)
{
    for (size_t i = 0; i < ROWS(LIMITS); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        ck_assert_uint_eq(answer_fit_limit(wire_parse(LIMITS[i].query, bytes)), LIMITS[i].limit);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *answer;
    size_t limit;
    const char *expected;
} CUTS[] = {
    {"no OPT", "1234 8580 0001 0001 0000 0000" QUESTION RECORD, 512,
     "1234 8780 0001 0000 0000 0000" QUESTION},
    {"an OPT with its options",
     "1234 8183 0001 0001 0000 0001" QUESTION RECORD OPT("0004 000a0000"), 512,
     "1234 8383 0001 0000 0000 0001" QUESTION OPT("0004 000a0000")},
    {"without them, where they do not fit",
     "1234 8180 0001 0001 0000 0001" QUESTION RECORD OPT("0004 000a0000"), 43,
     "1234 8380 0001 0000 0000 0001" QUESTION OPT("0000")},
    {"no question", "1234 8185 0000 0000 0000 0001" OPT("0000"), 512,
     "1234 8385 0000 0000 0000 0001" OPT("0000")},
    {"unreadable behind the question", "1234 8180 0001 0001 0000 0001" QUESTION "c0", 512,
     "1234 8380 0001 0000 0000 0000" QUESTION},
    {"unreadable from the first", "1234 8180 0001 0000 0000 0000 ff", 512,
     "1234 8380 0000 0000 0000 0000"},
};

START_TEST(question_and_opt_are_left)
{
    for (size_t i = 0; i < ROWS(CUTS); i++) {
        uint8_t before[WIRE_NOTATION_MAX], after[WIRE_NOTATION_MAX], out[BLOCK_ANSWER_MAX];
        size_t size = answer_fit_cut(wire_parse(CUTS[i].answer, before), CUTS[i].limit, out);
        ck_assert_msg(wire_equal((struct span){out, size}, wire_parse(CUTS[i].expected, after)),
                      "%s", CUTS[i].label);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer_fit");
    TCase *tcase = tcase_create("answer_fit");
    tcase_add_test(tcase, the_query_tells_the_limit);
    tcase_add_test(tcase, question_and_opt_are_left);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
