/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers read back: rcodes, Extended DNS Errors with and without text, records, and octets that
 * are no answer.
 */
#include "forwarder/explain/explain_answer.h"

#include <check.h>

#include "test/wire_notation.h"
#include "test/suite.h"

/* ID, flags, one question, and the counts of the other sections. */
#define ANSWER(flags, counts) "0000" flags "0001" counts "01'a'00 0001 0001"
#define OPT(rdata) "00 0029 04d0 00000000" rdata

static const struct {
    const char *label, *message;
    int ede; /* -1: none */
    const char *text;
} ANSWERS[] = {
    {"REFUSED alone", ANSWER("8185", "0000 0000 0000"), -1, "REFUSED\n"},
    {"an EDE with text", ANSWER("8185", "0000 0000 0001") OPT("000c 000f 0008 0010 'sealed'"), 16,
     "REFUSED, EDE 16 (Censored): sealed\n"},
    {"an EDE without text", ANSWER("8180", "0000 0000 0001") OPT("0006 000f 0002 0004"), 4,
     "NOERROR, EDE 4 (Forged Answer)\n"},
    {"an EDE that nobody knows", ANSWER("8180", "0000 0000 0001") OPT("0006 000f 0002 ffff"), 65535,
     "NOERROR, EDE 65535 (unknown)\n"},
    {"text that would steer a terminal",
     ANSWER("8185", "0000 0000 0001") OPT("000a 000f 0006 0010 1b'[2J'"), 16,
     "REFUSED, EDE 16 (Censored): ?[2J\n"},
    {"another option", ANSWER("8185", "0000 0000 0001") OPT("000c 000a 0008 0102030405060708"), -1,
     "REFUSED\n"},
    {"an address", ANSWER("8180", "0001 0000 0000") "c00c 0001 0001 0000003c 0004 c0000250", -1,
     "NOERROR\n>a.                  \t60\tA\t192.0.2.80\n"},
    {"truncated", ANSWER("8380", "0000 0000 0000"), -1, "NOERROR, truncated\n"},
    {"a structured error",
     ANSWER("8183", "0000 0000 0001")
         OPT("0093 000f 008f 0010 '{\"c\":[\"tel:+1\",\"mailto:a@b.example\"],\"j\":\"By "
             "order.\",\"o\":\"R\",\"l\":"
             "\"en\",\"fdbs\":[{\"db\":\"lumen\",\"id\":\"1\"},{\"db\":\"x\",\"id\":\"2\"}],"
             "\"more\":true,\"s\":1}'"),
     16,
     "NXDOMAIN, EDE 16 (Censored)\n>contact: tel:+1, mailto:a@b.example\n"
     ">justification: By order.\n>organization: R\n>language: en\n>public record: lumen 1, x 2\n"},
    {"a structured error that would steer a terminal",
     ANSWER("8183", "0000 0000 0001") OPT("001a 000f 0016 0010 '{\"j\":\"\\u001b[2J\"}   '"), 16,
     "NXDOMAIN, EDE 16 (Censored)\n>justification: ?[2J\n"},
    {"JSON that is no object", ANSWER("8183", "0000 0000 0001") OPT("0009 000f 0005 0010 '[1]'"),
     16, "NXDOMAIN, EDE 16 (Censored): [1]\n"},
    {"almost JSON", ANSWER("8183", "0000 0000 0001") OPT("0009 000f 0005 0010 '{1}'"), 16,
     "NXDOMAIN, EDE 16 (Censored): {1}\n"},
    {"cut", "0000 8185 0001 0000 0000 0001 01'a'00 0001", -1, "(unreadable)\n"},
    {"nothing", "", -1, "(unreadable)\n"},
};

START_TEST(answers_are_read_back)
{
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        uint16_t ede = 0;
        char text[512] = "";
        struct span answer = wire_parse(ANSWERS[i].message, bytes);
        bool found = explain_answer_ede(answer, &ede);
        ck_assert_msg((found ? ede : -1) == ANSWERS[i].ede, "%s: EDE %u", ANSWERS[i].label,
                      (unsigned)ede);
        FILE *out = fmemopen(text, sizeof text, "w");
        explain_answer_print(answer, ">", out);
        ck_assert_int_eq(fclose(out), 0);
        ck_assert_msg(strcmp(text, ANSWERS[i].text) == 0, "%s: %s", ANSWERS[i].label, text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain_answer");
    TCase *tcase = tcase_create("explain_answer");
    tcase_add_test(tcase, answers_are_read_back);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
