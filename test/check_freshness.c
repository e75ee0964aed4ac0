/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long answers may be kept (RFC 8484 section 5.1).
 */
#include "forwarder/wire/freshness.h"

#include "test/wire_notation.h"
#include "test/suite.h"

/* A response with NOERROR and the question "a. A", and the counts of its sections. */
#define HEADER(flags, an, ns, ar) "1234 " flags " 0001 " an " " ns " " ar " 01'a'00 0001 0001 "
#define ANSWER HEADER("8180", "0001", "0000", "0000")
#define A(ttl) "c00c 0001 0001 " ttl " 0004 c0000201 "
#define SOA(ttl, minimum) \
    "00 0006 0001 " ttl " 0016 00 00 00000001 00000002 00000003 00000004 " minimum " "
#define OPT "00 0029 04d0 00000000 0000 "

static const struct {
    const char *label;
    const char *answer;
    bool kept;
    uint32_t seconds;
} ANSWERS[] = {
    {"one record", ANSWER A("0000003c"), true, 60},
    {"the least of two", HEADER("8180", "0002", "0000", "0000") A("0000003c") A("0000000a"), true,
     10},
    {"0", ANSWER A("00000000"), true, 0},
    {"2^31-1", ANSWER A("7fffffff"), true, INT32_MAX},
    {"the sign set is 0 (RFC 2181 section 8)", ANSWER A("80000000"), true, 0},
    {"an authority that ends sooner",
     HEADER("8180", "0001", "0001", "0000") A("0000003c") A("00000005"), true, 5},
    {"an address beside it that ends sooner",
     HEADER("8180", "0001", "0000", "0001") A("0000003c") A("00000007"), true, 7},
    {"OPT has no TTL", HEADER("8180", "0001", "0000", "0001") A("0000003c") OPT, true, 60},
    {"TSIG has none",
     HEADER("8180", "0001", "0000", "0001") A("0000003c") "00 00fa 00ff 00000000 0000", true, 60},
    {"negative: MINIMUM", HEADER("8180", "0000", "0001", "0000") SOA("0000003c", "0000001e"), true,
     30},
    {"negative: the SOA's own TTL",
     HEADER("8183", "0000", "0001", "0000") SOA("0000003c", "00000e10"), true, 60},
    {"not negative: MINIMUM does not count",
     HEADER("8180", "0001", "0001", "0000") A("0000003c") SOA("0000003c", "00000001"), true, 60},
    {"an SOA too short to have one",
     HEADER("8180", "0000", "0001", "0000") "00 0006 0001 0000003c 0003 000000", true, 0},
    {"a delegation", HEADER("8180", "0000", "0001", "0000") "00 0002 0001 0000003c 0001 00", true,
     60},
    {"nothing at all", HEADER("8180", "0000", "0000", "0000"), false, 0},
    {"OPT alone", HEADER("8180", "0000", "0000", "0001") OPT, false, 0},
    {"SERVFAIL", HEADER("8182", "0001", "0000", "0000") A("0000003c"), false, 0},
    {"REFUSED", HEADER("8185", "0000", "0000", "0001") OPT, false, 0},
    {"cut", HEADER("8380", "0001", "0000", "0000") A("0000003c"), false, 0},
    {"a record is missing", HEADER("8180", "0002", "0000", "0000") A("0000003c"), false, 0},
    {"no header", "1234 8180 0001", false, 0},
};

START_TEST(an_answer_is_kept_no_longer_than_its_records)
{
    for (size_t i = 0; i < sizeof ANSWERS / sizeof ANSWERS[0]; i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        uint32_t seconds = 12345;
        bool kept = freshness_of(wire_parse(ANSWERS[i].answer, bytes), &seconds);
        ck_assert_msg(kept == ANSWERS[i].kept, "%s", ANSWERS[i].label);
        ck_assert_msg(!kept || seconds == ANSWERS[i].seconds, "%s: %u", ANSWERS[i].label, seconds);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("freshness");
    TCase *tcase = tcase_create("freshness");
    tcase_add_test(tcase, an_answer_is_kept_no_longer_than_its_records);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
