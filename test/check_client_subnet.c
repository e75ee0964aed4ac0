/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The client's network in queries and out of their answers, octet by octet, and what is left alone.
 */
#include "forwarder/upstream/client_subnet.h"

#include <check.h>

#include "forwarder/wire/dns.h"
#include "test/address_text.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define QUESTION "03'www'07'example'00 0001 0001"
#define QUERY(additional) "1234 0100 0001 0000 0000 " additional QUESTION
#define OPT(size, rdata) "00 0029" size "00000000" rdata
#define ECS_ITALY "0008 0007 0001 18 00 022000"

static enum client_subnet tell(const char *client, uint8_t spread, struct span query,
                               struct span_writer *writer)
{
    struct address address = address_of(client);
    return client_subnet_query(query, &(struct client_subnet_teller){&address, spread, 24, 56},
                               writer);
}

static const struct {
    const char *label;
    const char *client;
    uint8_t spread;
    const char *query;
    enum client_subnet change;
    const char *expected;
} TOLD[] = {
    {"no OPT", "2.32.0.1", 0, QUERY("0000"), CLIENT_SUBNET_OPT,
     QUERY("0001") OPT("0216", "000b") ECS_ITALY},
    {"no OPT, IPv6", "2001:db8:1:2ff::1", 0, QUERY("0000"), CLIENT_SUBNET_OPT,
     QUERY("0001") OPT("021a", "000f") "0008 000b 0002 38 00 20010db8000102"},
    {"an OPT without options", "2.32.0.1", 0, QUERY("0001") OPT("04d0", "0000"),
     CLIENT_SUBNET_OPTION, QUERY("0001") OPT("04d0", "000b") ECS_ITALY},
    {"other options stay, in their order", "2.32.0.1", 0,
     QUERY("0001") OPT("04d0", "0009") "fde9 0001 aa fdea 0000", CLIENT_SUBNET_OPTION,
     QUERY("0001") OPT("04d0", "0014") "fde9 0001 aa fdea 0000" ECS_ITALY},
    {"a record before it", "2.32.0.1", 0,
     QUERY("0002") "c00c 0001 0001 00000000 0004 c0000201" OPT("04d0", "0000"),
     CLIENT_SUBNET_OPTION,
     QUERY("0002") "c00c 0001 0001 00000000 0004 c0000201" OPT("04d0", "000b") ECS_ITALY},
    {"its own is replaced", "2.32.0.1", 0,
     QUERY("0001") OPT("04d0", "0010") "0008 0008 0001 20 00 c6336401 fde9 0000",
     CLIENT_SUBNET_REPLACED, QUERY("0001") OPT("04d0", "000f") "fde9 0000" ECS_ITALY},
    {"another family's is replaced", "2.32.0.1", 0,
     QUERY("0001") OPT("04d0", "000a") "0008 0006 0002 10 00 2001", CLIENT_SUBNET_REPLACED,
     QUERY("0001") OPT("04d0", "000b") ECS_ITALY},
    {"its own tells less of the same", "2.32.0.1", 0,
     QUERY("0001") OPT("04d0", "000a") "0008 0006 0001 0c 00 0220", CLIENT_SUBNET_REPLACED,
     QUERY("0001") OPT("04d0", "000a") "0008 0006 0001 0c 00 0220"},
    {"its own tells less of another", "2.32.0.1", 0,
     QUERY("0001") OPT("04d0", "000a") "0008 0006 0001 0c 00 0230", CLIENT_SUBNET_REPLACED,
     QUERY("0001") OPT("04d0", "000b") ECS_ITALY},
    {"several", "2.32.0.1", 0, QUERY("0001") OPT("04d0", "0016") ECS_ITALY ECS_ITALY,
     CLIENT_SUBNET_OPTION, QUERY("0001") OPT("04d0", "000b") ECS_ITALY},
    {"no more is told than is known", "2.32.0.0", 20, QUERY("0000"), CLIENT_SUBNET_OPT,
     QUERY("0001") OPT("0215", "000a") "0008 0006 0001 0c 00 0220"},
};

START_TEST(the_network_is_told)
{
    for (size_t i = 0; i < ROWS(TOLD); i++) {
        uint8_t before[WIRE_NOTATION_MAX], after[WIRE_NOTATION_MAX], room[WIRE_NOTATION_MAX];
        struct span query = wire_parse(TOLD[i].query, before);
        struct span_writer writer = span_writer(room, sizeof room);
        enum client_subnet change = tell(TOLD[i].client, TOLD[i].spread, query, &writer);
        ck_assert_msg(change == TOLD[i].change, "%s: %d", TOLD[i].label, (int)change);
        ck_assert_msg(
            wire_equal((struct span){room, writer.size}, wire_parse(TOLD[i].expected, after)), "%s",
            TOLD[i].label);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *query;
} LEFT_ALONE[] = {
    {"too short", "1234 0100 0001"},
    {"an answer", "1234 8100 0001 0000 0000 0000" QUESTION},
    {"opcode NOTIFY", "1234 2000 0001 0000 0000 0000" QUESTION},
    {"no question", "1234 0100 0000 0000 0000 0000"},
    {"two questions", "1234 0100 0002 0000 0000 0000" QUESTION QUESTION},
    {"class CH", "1234 0100 0001 0000 0000 0000 00 0010 0003"},
    {"AXFR", "1234 0100 0001 0000 0000 0000 00 00fc 0001"},
    {"IXFR", "1234 0100 0001 0000 0000 0000 00 00fb 0001"},
    {"octets behind", QUERY("0000") "00"},
    {"a count too high", QUERY("0001")},
    {"two OPTs", QUERY("0002") OPT("04d0", "0000") OPT("04d0", "0000")},
    {"version 1", QUERY("0001") "00 0029 04d0 00010000 0000"},
    {"an OPT with a name", QUERY("0001") "0161 00 0029 04d0 00000000 0000"},
    {"an OPT in the answer section", "1234 0100 0001 0001 0000 0000" QUESTION OPT("04d0", "0000")},
    {"a record behind the OPT", QUERY("0002") OPT("04d0", "0000") "00 0001 0001 00000000 0000"},
    {"TSIG", QUERY("0001") "00 00fa 00ff 00000000 0000"},
    {"TSIG behind an OPT", QUERY("0002") OPT("04d0", "0000") "00 00fa 00ff 00000000 0000"},
    {"SIG(0)", QUERY("0001") "00 0018 00ff 00000000 0000"},
    {"an option that does not fit", QUERY("0001") OPT("04d0", "0004") "fde9 0001"},
    {"half an option", QUERY("0001") OPT("04d0", "0003") "fde900"},
    {"SOURCE 0", QUERY("0001") OPT("04d0", "0008") "0008 0004 0001 00 00"},
    {"SOURCE 0 of no family", QUERY("0001") OPT("04d0", "0008") "0008 0004 0000 00 00"},
    {"no data", QUERY("0001") OPT("04d0", "0004") "0008 0000"},
    {"SCOPE is set", QUERY("0001") OPT("04d0", "000b") "0008 0007 0001 18 18 022000"},
    {"bits behind SOURCE", QUERY("0001") OPT("04d0", "000a") "0008 0006 0001 0c 00 0221"},
    {"too few octets", QUERY("0001") OPT("04d0", "000a") "0008 0006 0001 18 00 0220"},
    {"too many octets", QUERY("0001") OPT("04d0", "000c") "0008 0008 0001 18 00 02200000"},
    {"SOURCE 33", QUERY("0001") OPT("04d0", "000d") "0008 0009 0001 21 00 0220000000"},
    {"a family of its own", QUERY("0001") OPT("04d0", "000b") "0008 0007 0003 18 00 022000"},
};

START_TEST(what_cannot_be_told_is_left_alone)
{
    for (size_t i = 0; i < ROWS(LEFT_ALONE); i++) {
        uint8_t before[WIRE_NOTATION_MAX], room[WIRE_NOTATION_MAX];
        struct span query = wire_parse(LEFT_ALONE[i].query, before);
        struct span_writer writer = span_writer(room, sizeof room);
        ck_assert_msg(tell("2.32.0.1", 0, query, &writer) == CLIENT_SUBNET_NONE, "%s",
                      LEFT_ALONE[i].label);
    }
}
END_TEST

START_TEST(of_an_unknown_client_nothing_is_told)
{
    uint8_t before[WIRE_NOTATION_MAX], room[WIRE_NOTATION_MAX];
    struct span query = wire_parse(QUERY("0000"), before);
    struct span_writer writer = span_writer(room, sizeof room);
    ck_assert_uint_eq(tell("2.32.0.1", 32, query, &writer), CLIENT_SUBNET_NONE);
    ck_assert_uint_eq(tell("2.32.0.1", 128, query, &writer), CLIENT_SUBNET_NONE);
    ck_assert_uint_eq(tell("2001:db8::", 128, query, &writer), CLIENT_SUBNET_NONE);
}
END_TEST

/* At any capacity: all of it, or nothing of which anybody is told. */
START_TEST(what_does_not_fit_is_left_alone)
{
    uint8_t before[WIRE_NOTATION_MAX], room[WIRE_NOTATION_MAX];
    for (size_t i = 0; i < ROWS(TOLD); i++) {
        struct span query = wire_parse(TOLD[i].query, before);
        struct span_writer whole = span_writer(room, sizeof room);
        (void)tell(TOLD[i].client, TOLD[i].spread, query, &whole);
        ck_assert_uint_le(whole.size, query.size + CLIENT_SUBNET_GROWTH);
        for (size_t capacity = 0; capacity < whole.size; capacity++) {
            struct span_writer writer = span_writer(room, capacity);
            ck_assert_msg(tell(TOLD[i].client, TOLD[i].spread, query, &writer) ==
                              CLIENT_SUBNET_NONE,
                          "%s in %zu", TOLD[i].label, capacity);
        }
    }
}
END_TEST

#define ANSWER(counts) "1234 8180 0001 " counts QUESTION
#define RECORD "c00c 0001 0001 0000003c 0004 c0000201"
#define SCOPED "0008 0007 0001 18 10 022000"
#define OWN QUERY("0001") OPT("04d0", "000a") "0008 0006 0001 10 00 c633"
/* A glue record, by a pointer to before or behind the OPT of an answer with one record. */
#define GLUE(pointer) pointer "0001 0001 0000003c 0004 c0000202"

static const struct {
    const char *label;
    enum client_subnet change;
    const char *answer;
    const char *expected; /* NULL: as it is */
} ANSWERS[] = {
    {"nothing was changed", CLIENT_SUBNET_NONE,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "000b") SCOPED, NULL},
    {"our OPT goes", CLIENT_SUBNET_OPT, ANSWER("0001 0000 0001") RECORD OPT("04d0", "000b") SCOPED,
     ANSWER("0001 0000 0000") RECORD},
    {"with all of its options", CLIENT_SUBNET_OPT,
     ANSWER("0000 0000 0001") OPT("04d0", "0006") "000f 0002 0003", ANSWER("0000 0000 0000")},
    {"there is none", CLIENT_SUBNET_OPT, ANSWER("0001 0000 0000") RECORD, NULL},
    {"octets behind", CLIENT_SUBNET_OPT, ANSWER("0000 0000 0001") OPT("04d0", "0000") "00", NULL},
    {"two OPTs", CLIENT_SUBNET_OPT,
     ANSWER("0000 0000 0002") OPT("04d0", "0000") OPT("04d0", "0000"), NULL},
    {"a record behind moves up", CLIENT_SUBNET_OPT,
     ANSWER("0001 0000 0002") RECORD OPT("04d0", "0000") GLUE("c00c"),
     ANSWER("0001 0000 0001") RECORD GLUE("c00c")},
    {"one that points behind the OPT is left out", CLIENT_SUBNET_OPT,
     ANSWER("0001 0000 0003") RECORD OPT("04d0", "0000") GLUE("0161 c00c") GLUE("c03c"),
     ANSWER("0001 0000 0000") RECORD},
    {"so is one whose data may", CLIENT_SUBNET_OPT,
     ANSWER("0001 0000 0002") RECORD OPT("04d0", "0000") "c00c 0002 0001 0000003c 0002 c00c",
     ANSWER("0001 0000 0000") RECORD},
    {"the option goes", CLIENT_SUBNET_OPTION,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "0011") "000f 0002 0003" SCOPED,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "0006") "000f 0002 0003"},
    {"there is no option", CLIENT_SUBNET_OPTION,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "0006") "000f 0002 0003", NULL},
    {"options that do not fit", CLIENT_SUBNET_OPTION,
     ANSWER("0000 0000 0001") OPT("04d0", "0004") "0008 0001", NULL},
    {"the client's own comes back", CLIENT_SUBNET_REPLACED,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "000b") SCOPED,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "000a") "0008 0006 0001 10 10 c633"},
    {"for everybody", CLIENT_SUBNET_REPLACED,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "000b") ECS_ITALY,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "000a") "0008 0006 0001 10 00 c633"},
    {"the server says nothing of it", CLIENT_SUBNET_REPLACED,
     ANSWER("0001 0000 0001") RECORD OPT("04d0", "0000"), NULL},
    {"a signed answer", CLIENT_SUBNET_OPTION,
     ANSWER("0000 0000 0002") OPT("04d0", "000b") SCOPED "00 00fa 00ff 00000000 0000", NULL},
};

START_TEST(an_answer_is_as_the_client_would_have_got_it)
{
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        uint8_t before[WIRE_NOTATION_MAX], after[WIRE_NOTATION_MAX], own[WIRE_NOTATION_MAX];
        uint8_t room[WIRE_NOTATION_MAX];
        struct span answer = wire_parse(ANSWERS[i].answer, before);
        struct span_writer writer = span_writer(room, sizeof room);
        bool changed =
            client_subnet_answer(answer, ANSWERS[i].change, wire_parse(OWN, own), &writer);
        ck_assert_msg(changed == (ANSWERS[i].expected != NULL), "%s", ANSWERS[i].label);
        if (changed) {
            ck_assert_msg(wire_equal((struct span){room, writer.size},
                                     wire_parse(ANSWERS[i].expected, after)),
                          "%s", ANSWERS[i].label);
        }
    }
}
END_TEST

START_TEST(what_was_told_can_be_withdrawn)
{
    static const char *const QUERIES[] = {
        QUERY("0000"),
        QUERY("0001") OPT("04d0", "0000"),
        QUERY("0001") OPT("04d0", "0009") "fde9 0001 aa fdea 0000",
    };
    for (size_t i = 0; i < ROWS(QUERIES); i++) {
        uint8_t before[WIRE_NOTATION_MAX], told[WIRE_NOTATION_MAX], room[WIRE_NOTATION_MAX];
        struct span query = wire_parse(QUERIES[i], before);
        struct span_writer writer = span_writer(told, sizeof told);
        enum client_subnet change = tell("2.32.0.1", 0, query, &writer);
        struct span_writer again = span_writer(room, sizeof room);
        ck_assert(client_subnet_withdraw((struct span){told, writer.size}, change, &again));
        ck_assert(wire_equal((struct span){room, again.size}, query));
    }
}
END_TEST

START_TEST(the_clients_own_is_withdrawn_too)
{
    uint8_t before[WIRE_NOTATION_MAX], after[WIRE_NOTATION_MAX], room[WIRE_NOTATION_MAX];
    struct span_writer writer = span_writer(room, sizeof room);
    ck_assert(client_subnet_withdraw(wire_parse(OWN, before), CLIENT_SUBNET_REPLACED, &writer));
    ck_assert(wire_equal((struct span){room, writer.size},
                         wire_parse(QUERY("0001") OPT("04d0", "0000"), after)));
}
END_TEST

static const struct {
    const char *label;
    const char *answer;
    bool with_opt; /* to a query with an OPT of its own */
    bool without;
} REFUSALS[] = {
    {"NOERROR", "1234 8180 0000 0000 0000 0000", false, false},
    {"FORMERR", "1234 8181 0000 0000 0000 0000", true, true},
    {"SERVFAIL", "1234 8182 0000 0000 0000 0000", false, false},
    {"NXDOMAIN", "1234 8183 0000 0000 0000 0000", false, false},
    {"NOTIMP", "1234 8184 0000 0000 0000 0000", false, true},
    {"REFUSED", "1234 8185 0000 0000 0000 0000", true, true},
    {"BADVERS", "1234 8180 0000 0000 0000 0001 00 0029 04d0 01000000 0000", false, true},
    {"cut", "1234 8185", false, false},
};

START_TEST(a_refusal_is_told_from_an_answer)
{
    for (size_t i = 0; i < ROWS(REFUSALS); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct span answer = wire_parse(REFUSALS[i].answer, bytes);
        ck_assert_msg(client_subnet_is_refusal(answer, CLIENT_SUBNET_OPTION) ==
                          REFUSALS[i].with_opt,
                      "%s", REFUSALS[i].label);
        ck_assert_msg(client_subnet_is_refusal(answer, CLIENT_SUBNET_OPT) == REFUSALS[i].without,
                      "%s", REFUSALS[i].label);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client_subnet");
    TCase *tcase = tcase_create("client_subnet");
    tcase_add_test(tcase, the_network_is_told);
    tcase_add_test(tcase, what_cannot_be_told_is_left_alone);
    tcase_add_test(tcase, of_an_unknown_client_nothing_is_told);
    tcase_add_test(tcase, what_does_not_fit_is_left_alone);
    tcase_add_test(tcase, an_answer_is_as_the_client_would_have_got_it);
    tcase_add_test(tcase, what_was_told_can_be_withdrawn);
    tcase_add_test(tcase, the_clients_own_is_withdrawn_too);
    tcase_add_test(tcase, a_refusal_is_told_from_an_answer);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
