/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Questions as people write them: addresses, every kind of name, types, times; and the query that
 * such a client sends, read back by libknot.
 */
#include "forwarder/explain/explain_question.h"

#include <check.h>
#include <libknot/libknot.h>

#include "forwarder/wire/edns.h"
#include "test/suite.h"

static const struct {
    const char *label, *name, *type;
    const char *expected; /* the name, formatted again */
    uint16_t expected_type;
} GOOD[] = {
    {"A by default", "Example.COM.", NULL, "example.com", 1},
    {"a type by name", "example.com", "aaaa", "example.com", 28},
    {"a type by number", "example.com", "TYPE65280", "example.com", 65280},
    {"a question type", "example.com", "ANY", "example.com", 255},
    {"the root", ".", NULL, ".", 1},
    {"an U-label",
     "b\xc3\xbc"
     "cher.example",
     NULL, "xn--bcher-kva.example", 1},
    {"a wildcard", "*.example.com", NULL, "*.example.com", 1},
    {"an address as a name", "192.0.2.80", NULL, "192.0.2.80", 1},
    {"a zone of RFC 2317", "0/25.2.0.192.in-addr.arpa", NULL, "0/25.2.0.192.in-addr.arpa", 1},
    {"escapes", "a\\.b\\000\\255.example", NULL, "a\\.b\\000\\255.example", 1},
    {"a blank", "a b", NULL, "a\\032b", 1},
};

START_TEST(names_and_types_are_read)
{
    for (size_t i = 0; i < ROWS(GOOD); i++) {
        char why[WHY_MAX] = "";
        char name[DNAME_TEXT_MAX];
        struct explain_question question;
        ck_assert_msg(
            explain_question_parse(&question, "192.0.2.1", GOOD[i].name, GOOD[i].type, why),
            "%s: %s", GOOD[i].label, why);
        ck_assert_msg(strcmp(dname_format(&question.name, name), GOOD[i].expected) == 0, "%s: %s",
                      GOOD[i].label, name);
        ck_assert_msg(question.type == GOOD[i].expected_type, "%s: %u", GOOD[i].label,
                      (unsigned)question.type);
    }
}
END_TEST

static const struct {
    const char *label, *address, *name, *type;
    const char *why; /* begins so */
} BAD[] = {
    {"no such address", "192.0.2.256", "a", NULL, "not an IPv4 or IPv6 address: 192.0.2.256"},
    {"an address that steers", "\x1b[2J", "a", NULL, "not an IPv4 or IPv6 address: ?[2J"},
    {"a network", "192.0.2.0/24", "a", NULL, "not an IPv4 or IPv6 address: 192.0.2.0/24"},
    {"an empty name", "192.0.2.1", "", NULL, "not a domain name: : "},
    {"an empty label", "192.0.2.1", "a..b", NULL, "not a domain name: a..b: "},
    {"a URL", "192.0.2.1", "https://a.example/", NULL,
     "not a domain name: https://a.example/: this is a URL"},
    {"not UTF-8", "192.0.2.1",
     "b\xfc"
     "cher",
     NULL, "not a domain name: b?cher: "},
    {"a label too long", "192.0.2.1",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL,
     "not a domain name: "},
    {"no such type", "192.0.2.1", "a", "FOO", "not a record type (A, AAAA, TYPE65280, ...): FOO"},
    {"a type out of range", "192.0.2.1", "a", "TYPE65536", "not a record type"},
};

START_TEST(mistakes_are_told)
{
    for (size_t i = 0; i < ROWS(BAD); i++) {
        char why[WHY_MAX] = "";
        struct explain_question question;
        ck_assert_msg(
            !explain_question_parse(&question, BAD[i].address, BAD[i].name, BAD[i].type, why), "%s",
            BAD[i].label);
        ck_assert_msg(strncmp(why, BAD[i].why, strlen(BAD[i].why)) == 0, "%s: %s", BAD[i].label,
                      why);
    }
}
END_TEST

static const struct {
    const char *label, *text;
    bool good;
    int64_t expected;
} TIMES[] = {
    {"UTC", "2026-01-01T00:00:00Z", true, 1767225600},
    {"an offset", "2022-08-10T00:00:00+02:00", true, 1660082400},
    {"a date", "2022-08-10", true, 1660089600},
    {"no time", "yesterday", false, 0},
    {"without zone", "2026-01-01T00:00:00", false, 0},
    {"no such day", "2026-02-30", false, 0},
    {"empty", "", false, 0},
};

START_TEST(times_are_read)
{
    for (size_t i = 0; i < ROWS(TIMES); i++) {
        char why[WHY_MAX] = "";
        int64_t time = 0;
        ck_assert_msg(explain_question_time(TIMES[i].text, &time, why) == TIMES[i].good, "%s",
                      TIMES[i].label);
        ck_assert_msg(time == TIMES[i].expected, "%s: %lld", TIMES[i].label, (long long)time);
        ck_assert_msg(TIMES[i].good == (why[0] == '\0'), "%s: %s", TIMES[i].label, why);
    }
}
END_TEST

START_TEST(the_query_is_what_a_client_sends)
{
    char why[WHY_MAX];
    char longest[4 * 64 + 1] = "";
    for (int i = 0; i < 4; i++) { /* 255 octets on the wire */
        memset(longest + 64 * i, 'a' + i, i < 3 ? 63 : 61);
        longest[64 * i + (i < 3 ? 63 : 61)] = i < 3 ? '.' : '\0';
    }
    const char *const names[] = {".", "www.example", longest};
    for (size_t i = 0; i < 2 * ROWS(names); i++) {
        struct explain_question question;
        bool structured = i >= ROWS(names);
        ck_assert_msg(
            explain_question_parse(&question, "192.0.2.1", names[i % ROWS(names)], "TXT", why),
            "%s", why);
        uint8_t wire[EXPLAIN_QUESTION_MAX];
        size_t size = explain_question_encode(&question, structured, wire);
        knot_pkt_t *packet = knot_pkt_new(wire, (uint16_t)size, NULL);
        ck_assert_int_eq(knot_pkt_parse(packet, 0), KNOT_EOK);
        ck_assert_uint_eq(knot_wire_get_id(wire), 0);
        ck_assert(knot_wire_get_rd(wire) != 0 && knot_wire_get_qr(wire) == 0);
        ck_assert_uint_eq(knot_pkt_qtype(packet), KNOT_RRTYPE_TXT);
        ck_assert_uint_eq(knot_pkt_qclass(packet), KNOT_CLASS_IN);
        ck_assert(knot_dname_size(knot_pkt_qname(packet)) == question.name.size);
        ck_assert(memcmp(knot_pkt_qname(packet), question.name.wire, question.name.size) == 0);
        ck_assert(knot_pkt_has_edns(packet) && !knot_pkt_has_dnssec(packet));
        ck_assert_uint_eq(knot_edns_get_payload(packet->opt_rr), 1232);
        const uint8_t *asks = knot_edns_get_option(packet->opt_rr, EDNS_OPTION_SDE, NULL);
        ck_assert((asks != NULL) == structured);
        knot_pkt_free(packet);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain_question");
    TCase *tcase = tcase_create("explain_question");
    tcase_add_test(tcase, names_and_types_are_read);
    tcase_add_test(tcase, mistakes_are_told);
    tcase_add_test(tcase, times_are_read);
    tcase_add_test(tcase, the_query_is_what_a_client_sends);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
