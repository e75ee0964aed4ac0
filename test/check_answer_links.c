/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What answers lead to, link by link, those of honest servers and of hostile ones.
 */
#include "forwarder/answer_links.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "forwarder/wire/dns.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define TEXT_MAX 1024

/* The question q.test, which stands at 000c. */
#define ANSWER(counts) "1234 8180 0001" counts "01'q'04'test'00 0001 0001"
#define Q "c00c"
#define REST "0000003c"

#define B "01'b'04'test'00" /* 8 octets */
#define C "01'c'04'test'00"
#define CNAME(owner, target) owner " 0005 0001" REST "0008" target
#define DNAME(owner, target) owner " 0027 0001" REST "0006" target
#define A(owner, octets) owner " 0001 0001" REST "0004" octets
#define AAAA(owner, octets) owner " 001c 0001" REST "0010" octets
#define HTTPS(owner, size, data) owner " 0041 0001" REST size data
#define SVCB(owner, size, data) owner " 0040 0001" REST size data

#define ZEROS "0000 0000 0000 0000"

static const struct {
    const char *label;
    const char *answer;
    const char *links;
    enum answer_links_outcome outcome;
} ANSWERS[] = {
    {"nothing", ANSWER("0000 0000 0000"), "", ANSWER_LINKS_WHOLE},
    {"an address", ANSWER("0001 0000 0000") A(Q, "cb007107"), "203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"both families",
     ANSWER("0002 0000 0000") A(Q, "cb007107") AAAA(Q, "20010db8"
                                                       "0000 0000" ZEROS),
     "203.0.113.7 2001:db8:: ", ANSWER_LINKS_WHOLE},
    {"a chain", ANSWER("0003 0000 0000") CNAME(Q, B) CNAME(B, C) A(C, "cb007107"),
     "b.test c.test 203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"a chain in another order", ANSWER("0003 0000 0000") A(C, "cb007107") CNAME(B, C) CNAME(Q, B),
     "203.0.113.7 c.test b.test ", ANSWER_LINKS_WHOLE},
    {"duplicates", ANSWER("0003 0000 0000") CNAME(Q, B) CNAME(Q, B) CNAME(Q, B),
     "b.test b.test b.test ", ANSWER_LINKS_WHOLE},
    {"a circle", ANSWER("0002 0000 0000") CNAME(Q, B) CNAME(B, "01'q'04'test'00"), "b.test q.test ",
     ANSWER_LINKS_WHOLE},
    {"a compressed target in capitals",
     ANSWER("0001 0000 0000") Q " 0005 0001" REST "0004 01'B'c00e", "b.test ", ANSWER_LINKS_WHOLE},
    {"TC=1", "1234 8380 0001 0001 0000 0000 01'q'04'test'00 0001 0001" CNAME(Q, B), "b.test ",
     ANSWER_LINKS_WHOLE},
    {"NXDOMAIN", "1234 8183 0001 0001 0000 0000 01'q'04'test'00 0001 0001" CNAME(Q, B), "b.test ",
     ANSWER_LINKS_WHOLE},
    {"without a question", "1234 8180 0000 0001 0000 0000" CNAME("00", B), "b.test ",
     ANSWER_LINKS_WHOLE},
    {"other types",
     ANSWER("0002 0000 0000") Q " 000f 0001" REST "000a 000a" B /* MX */
         Q " 0002 0001" REST "0008" B,
     "", ANSWER_LINKS_WHOLE},

    {"an IPv4-mapped address", ANSWER("0001 0000 0000") AAAA(Q, ZEROS "0000 ffff cb007107"),
     "203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"6to4", ANSWER("0001 0000 0000") AAAA(Q, "2002 cb007107 0000" ZEROS),
     "2002:cb00:7107:: 203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"NAT64", ANSWER("0001 0000 0000") AAAA(Q, "0064 ff9b" ZEROS "cb007107"),
     "64:ff9b::cb00:7107 203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"a NAT64 of one's own",
     ANSWER("0001 0000 0000") AAAA(Q, "0064 ff9b 0001 0000 0000 0000 cb007107"),
     "64:ff9b:1::cb00:7107 ", ANSWER_LINKS_WHOLE},
    {"an IPv4-compatible address", ANSWER("0001 0000 0000") AAAA(Q, ZEROS "0000 0000 cb007107"),
     "::203.0.113.7 ", ANSWER_LINKS_WHOLE},

    {"class CH: a name, but no address",
     ANSWER("0002 0000 0000") Q " 0005 0003" REST "0008" B Q " 0001 0003" REST "0004 cb007107",
     "b.test ", ANSWER_LINKS_WHOLE},
    {"class CH: no service", ANSWER("0001 0000 0000") Q " 0041 0003" REST "000a 0001" B, "",
     ANSWER_LINKS_WHOLE},

    {"a DNAME and its CNAME",
     ANSWER("0002 0000 0000") DNAME("04'test'00", "04'best'00") CNAME(Q, "01'q'04'best'00"),
     "q.best ", ANSWER_LINKS_WHOLE},
    {"a DNAME without its CNAME", ANSWER("0001 0000 0000") DNAME("04'test'00", "04'best'00"),
     "q.best ", ANSWER_LINKS_WHOLE},
    {"a DNAME before the CNAME that leads to it, and without its own",
     ANSWER("0002 0000 0000") DNAME("04'fest'00", "04'best'00") CNAME(Q, "01'a'04'fest'00"),
     "a.fest a.best ", ANSWER_LINKS_WHOLE},
    {"a DNAME before both",
     ANSWER("0003 0000 0000") DNAME("04'fest'00", "04'best'00") CNAME(Q, "01'a'04'fest'00")
         CNAME("01'a'04'fest'00", "01'a'04'best'00"),
     "a.fest a.best ", ANSWER_LINKS_WHOLE},
    {"a DNAME for an alias",
     ANSWER("0003 0000 0000") CNAME(Q, "01'a'04'fest'00") DNAME("04'fest'00", "04'best'00")
         CNAME("01'a'04'fest'00", "01'a'04'best'00"),
     "a.fest a.best ", ANSWER_LINKS_WHOLE},
    {"a DNAME behind its CNAMEs",
     ANSWER("0003 0000 0000") CNAME(Q, "01'a'04'fest'00")
         CNAME("01'a'04'fest'00", "01'a'04'best'00") DNAME("04'fest'00", "04'best'00"),
     "a.fest a.best ", ANSWER_LINKS_WHOLE},
    {"a DNAME for two names",
     ANSWER("0002 0000 0000") CNAME(Q, "01'a'04'test'00") DNAME("04'test'00", "04'best'00"),
     "a.test q.best a.best ", ANSWER_LINKS_WHOLE},
    {"a DNAME before the one that leads to it, both without CNAMEs",
     ANSWER("0002 0000 0000") DNAME("04'fest'00", "04'best'00") DNAME("04'test'00", "04'fest'00"),
     "q.fest q.best ", ANSWER_LINKS_WHOLE},
    {"three of them, the last one first",
     ANSWER("0003 0000 0000") DNAME("04'fest'00", "04'best'00") DNAME("04'rest'00", "04'fest'00")
         DNAME("04'test'00", "04'rest'00"),
     "q.rest q.fest q.best ", ANSWER_LINKS_WHOLE},
    {"a circle of them",
     ANSWER("0002 0000 0000") DNAME("04'fest'00", "04'test'00") DNAME("04'test'00", "04'fest'00"),
     "q.fest ", ANSWER_LINKS_WHOLE},
    {"a DNAME of something else, before one that leads",
     ANSWER("0002 0000 0000") DNAME("04'nest'00", "04'best'00") DNAME("04'test'00", "04'fest'00"),
     "q.fest best ", ANSWER_LINKS_WHOLE},
    {"a DNAME asked for", ANSWER("0001 0000 0000") DNAME(Q, "04'best'00"), "best ",
     ANSWER_LINKS_WHOLE},
    {"a DNAME of something else", ANSWER("0001 0000 0000") DNAME("04'fest'00", "04'best'00"),
     "best ", ANSWER_LINKS_WHOLE},

    {"a service", ANSWER("0001 0000 0000") HTTPS(Q, "000a", "0001" B), "b.test ",
     ANSWER_LINKS_WHOLE},
    {"an alias of a service", ANSWER("0001 0000 0000") SVCB(Q, "000a", "0000" B), "b.test ",
     ANSWER_LINKS_WHOLE},
    {"the owner as its service", ANSWER("0001 0000 0000") HTTPS(Q, "0003", "0001 00"), "",
     ANSWER_LINKS_WHOLE},
    {"hints",
     ANSWER("0001 0000 0000")
         HTTPS(Q, "0023", "0001 00 0004 0008 cb007107 cb007108 0006 0010 20010db8 0000 0000" ZEROS),
     "203.0.113.7 203.0.113.8 2001:db8:: ", ANSWER_LINKS_WHOLE},
    {"a hint that is IPv4-mapped",
     ANSWER("0001 0000 0000") HTTPS(Q, "0017", "0001 00 0006 0010" ZEROS "0000 ffff cb007107"),
     "203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"parameters out of order",
     ANSWER("0001 0000 0000")
         HTTPS(Q, "0021", "0001 00 0006 0010 20010db8 0000 0000" ZEROS "0001 0000 0004 0002 cb00"),
     "2001:db8:: ", ANSWER_LINKS_CUT},
    {"parameters out of order, hints whole",
     ANSWER("0001 0000 0000") HTTPS(
         Q, "0023", "0001 00 0006 0010 20010db8 0000 0000" ZEROS "0001 0000 0004 0004 cb007107"),
     "2001:db8:: 203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"a hint twice",
     ANSWER("0001 0000 0000") HTTPS(Q, "0013", "0001 00 0004 0004 cb007107 0004 0004 cb007108"),
     "203.0.113.7 203.0.113.8 ", ANSWER_LINKS_WHOLE},
    {"an empty hint", ANSWER("0001 0000 0000") HTTPS(Q, "0007", "0001 00 0004 0000"), "",
     ANSWER_LINKS_WHOLE},

    {"an odd hint", ANSWER("0001 0000 0000") HTTPS(Q, "000c", "0001 00 0004 0005 cb007107 cb"),
     "203.0.113.7 ", ANSWER_LINKS_CUT},
    {"a hint that is cut",
     ANSWER("0002 0000 0000") HTTPS(Q, "0009", "0001 00 0004 0008 cb00") A(Q, "cb007107"),
     "203.0.113.7 ", ANSWER_LINKS_CUT},
    {"half a parameter", ANSWER("0001 0000 0000") HTTPS(Q, "000b", "0001" B "00"), "b.test ",
     ANSWER_LINKS_CUT},
    {"a service without a target", ANSWER("0001 0000 0000") HTTPS(Q, "0002", "0001"), "",
     ANSWER_LINKS_CUT},
    {"a service of nothing", ANSWER("0002 0000 0000") HTTPS(Q, "0000", "") CNAME(Q, B), "b.test ",
     ANSWER_LINKS_CUT},
    {"an A of three octets", ANSWER("0002 0000 0000") Q " 0001 0001" REST "0003 cb0071" CNAME(Q, B),
     "b.test ", ANSWER_LINKS_CUT},
    {"an AAAA of four", ANSWER("0001 0000 0000") Q " 001c 0001" REST "0004 cb007107", "",
     ANSWER_LINKS_CUT},
    {"a CNAME in a circle", ANSWER("0002 0000 0000") Q " 0005 0001" REST "0002 c024" CNAME(Q, B),
     "b.test ", ANSWER_LINKS_CUT},
    {"a CNAME forward", ANSWER("0002 0000 0000") Q " 0005 0001" REST "0002 c030" CNAME(Q, B),
     "b.test ", ANSWER_LINKS_CUT},
    {"a CNAME across its end",
     ANSWER("0002 0000 0000") Q " 0005 0001" REST "0002 04'b'" CNAME(Q, B), "b.test ",
     ANSWER_LINKS_CUT},
    {"a CNAME of an owner nobody can read", ANSWER("0001 0000 0000") CNAME("ffff", B), "b.test ",
     ANSWER_LINKS_CUT},
    {"RDATA that is cut", ANSWER("0002 0000 0000") CNAME(Q, B) Q " 0001 0001" REST "0004 cb",
     "b.test ", ANSWER_LINKS_CUT},
    {"counts that lie", ANSWER("ffff 0000 0000") CNAME(Q, B), "b.test ", ANSWER_LINKS_CUT},
    {"a count that hides a record", ANSWER("0001 0000 0000") CNAME(Q, B) A(B, "cb007107"),
     "b.test ", ANSWER_LINKS_WHOLE},
    {"a header alone", "1234 8181 0001 0000 0000 0000", "", ANSWER_LINKS_CUT},

    /* Authority and additional. */
    {"authority", ANSWER("0000 0002 0000") CNAME(Q, B) A(Q, "cb007107"), "", ANSWER_LINKS_WHOLE},
    {"glue", ANSWER("0000 0001 0001") "04'test'00 0002 0001" REST "0008" B A(B, "cb007107"), "",
     ANSWER_LINKS_WHOLE},
    {"glue of name servers asked for",
     ANSWER("0001 0000 0001") Q " 0002 0001" REST "0008" B A(B, "cb007107"), "",
     ANSWER_LINKS_WHOLE},
    {"more of the qname", ANSWER("0000 0000 0001") A("01'Q'04'test'00", "cb007107"), "203.0.113.7 ",
     ANSWER_LINKS_WHOLE},
    {"addresses of a service",
     ANSWER("0001 0000 0002") HTTPS(Q, "000a", "0001" B) A(B, "cb007107") A(C, "cb007108"),
     "b.test 203.0.113.7 ", ANSWER_LINKS_WHOLE},
    {"what the alias of a service leads to",
     ANSWER("0001 0000 0003") HTTPS(Q, "000a", "0000" B)
         HTTPS(B, "000b", "0001 00 0004 0004 cb007109") CNAME(B, C) A(C, "cb007108"),
     "b.test 203.0.113.9 c.test 203.0.113.8 ", ANSWER_LINKS_WHOLE},
    {"an OPT", ANSWER("0001 0000 0001") CNAME(Q, B) "00 0029 04d0 00000000 0000", "b.test ",
     ANSWER_LINKS_WHOLE},
};

static bool append(void *ctx, const struct answer_link *link)
{
    char name[DNAME_TEXT_MAX];
    char address[ADDRESS_TEXT_MAX];
    char *text = ctx;
    size_t used = strlen(text);
    snprintf(text + used, TEXT_MAX - used, "%s ",
             link->name != NULL ? dname_format(link->name, name)
                                : address_format(&link->address, address));
    return false;
}

static struct dname qname(void)
{
    static const uint8_t wire[] = "\1q\4test";
    struct dname name;
    ck_assert(dname_decode(wire, sizeof wire, &name));
    return name;
}

START_TEST(links_are_told)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    char text[TEXT_MAX] = "";
    struct dname name = qname();
    struct span answer = wire_parse(ANSWERS[_i].answer, bytes);
    uint8_t *exact = malloc(answer.size + 1); /* reading on is an error of its own */
    ck_assert_ptr_nonnull(exact);
    memcpy(exact + 1, answer.bytes, answer.size);
    enum answer_links_outcome outcome =
        answer_links_walk((struct span){exact + 1, answer.size}, &name, append, text);
    ck_assert_msg(strcmp(text, ANSWERS[_i].links) == 0, "%s: %s", ANSWERS[_i].label, text);
    ck_assert_msg(outcome == ANSWERS[_i].outcome, "%s: %d", ANSWERS[_i].label, (int)outcome);
    free(exact);
}
END_TEST

/* Every answer, cut anywhere, tells the beginning of what it tells whole. */
START_TEST(a_cut_answer_tells_its_beginning)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct dname name = qname();
    struct span answer = wire_parse(ANSWERS[_i].answer, bytes);
    for (size_t size = 0; size < answer.size; size++) {
        char text[TEXT_MAX] = "";
        answer_links_walk((struct span){bytes, size}, &name, append, text);
        ck_assert_msg(strncmp(text, ANSWERS[_i].links, strlen(text)) == 0, "%s at %zu: %s",
                      ANSWERS[_i].label, size, text);
    }
}
END_TEST

static bool stop_at_second(void *ctx, const struct answer_link *link)
{
    unsigned *told = ctx;
    (void)link;
    return ++*told == 2;
}

START_TEST(enough_is_enough)
{
    static const char *const answers[] = {
        ANSWER("0003 0000 0000") CNAME(Q, B) CNAME(B, C) A(C, "cb007107"),
        ANSWER("0002 0000 0000") HTTPS(Q, "0013", "0001 00 0004 0004 cb007107 0004 0004 cb007108")
            A(Q, "cb007107"),
        ANSWER("0002 0000 0000") AAAA(Q, "2002 cb007107 0000" ZEROS) A(Q, "cb007107"),
    };
    for (size_t i = 0; i < ROWS(answers); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        unsigned told = 0;
        struct dname name = qname();
        ck_assert_int_eq(
            answer_links_walk(wire_parse(answers[i], bytes), &name, stop_at_second, &told),
            ANSWER_LINKS_STOPPED);
        ck_assert_uint_eq(told, 2);
    }
}
END_TEST

struct counts {
    unsigned names;
    unsigned addresses;
};

static bool count(void *ctx, const struct answer_link *link)
{
    struct counts *told = ctx;
    told->names += link->name != NULL;
    told->addresses += link->name == NULL;
    return false;
}

/* Messages of 64 KiB full of one kind of record: each has %04x for a number of its own. */
static const struct {
    const char *label;
    const char *record;
    struct counts most; /* that are told of, in all the thousands */
} LONGEST[] = {
    {"aliases", "c00c 0005 0001" REST "0007 04'%04x'c00e", {ANSWER_LINKS_NAMES_TOLD, 0}},
    {"trees", "c00e 0027 0001" REST "0006 04'%04x'00", {ANSWER_LINKS_NAMES_TOLD, 0}},
    {"services", "c00c 0041 0001" REST "0009 0001 04'%04x'c00e", {ANSWER_LINKS_NAMES_TOLD, 0}},
    {"addresses", "c00c 0001 0001" REST "0004 cb00 %04x", {0, ANSWER_LINKS_ADDRESSES_TOLD}},
    {"addresses of two kinds",
     "c00c 001c 0001" REST "0010 2002 cb00 %04x 0000" ZEROS,
     {0, ANSWER_LINKS_ADDRESSES_TOLD}},
    {"hints",
     "c00c 0041 0001" REST "0037 0001 00 0004 0030 cb00 %04x cb007101 cb007102 cb007103 cb007104"
     "cb007105 cb007106 cb007107 cb007108 cb007109 cb00710a cb00710b",
     {0, ANSWER_LINKS_ADDRESSES_TOLD}},
};

/* As many of these as there is room for, less the room for one more record. */
static void fill(struct span_writer *writer, const char *record)
{
    uint8_t octets[WIRE_NOTATION_MAX];
    span_write(writer, wire_parse(ANSWER("ffff 0000 0000"), octets));
    for (unsigned number = 0; writer->size < DNS_MESSAGE_MAX - 200; number++) {
        char text[512];
        snprintf(text, sizeof text, record, number & 0xffffU);
        span_write(writer, wire_parse(text, octets));
    }
    ck_assert(!writer->failed);
}

START_TEST(the_longest_answers_are_told_of_in_part)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    struct dname name = qname();
    struct counts told = {0};
    fill(&writer, LONGEST[_i].record);
    ck_assert_int_eq(answer_links_walk((struct span){bytes, writer.size}, &name, count, &told),
                     ANSWER_LINKS_CUT);
    ck_assert_msg(told.names == LONGEST[_i].most.names, "%s: %u", LONGEST[_i].label, told.names);
    ck_assert_msg(told.addresses == LONGEST[_i].most.addresses, "%s: %u", LONGEST[_i].label,
                  told.addresses);
}
END_TEST

/* Neither kind stands in for the other: behind thousands of names an address is told of. */
START_TEST(an_address_behind_too_many_names)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    struct dname name = qname();
    struct counts told = {0};
    uint8_t record[WIRE_NOTATION_MAX];
    fill(&writer, LONGEST[0].record);
    span_write(&writer, wire_parse(A(Q, "cb007107"), record));
    answer_links_walk((struct span){bytes, writer.size}, &name, count, &told);
    ck_assert_uint_eq(told.addresses, 1);
}
END_TEST

/* What honest servers send is far from that. */
START_TEST(a_long_chain_is_whole)
{
    static uint8_t bytes[DNS_MESSAGE_MAX];
    uint8_t record[WIRE_NOTATION_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    struct dname name = qname();
    struct counts told = {0};
    span_write(&writer, wire_parse(ANSWER("0040 0000 0000"), record));
    for (unsigned i = 0; i < ANSWER_LINKS_NAMES_TOLD; i++) {
        char text[128];
        snprintf(text, sizeof text, LONGEST[0].record, i);
        span_write(&writer, wire_parse(text, record));
    }
    ck_assert_int_eq(answer_links_walk((struct span){bytes, writer.size}, &name, count, &told),
                     ANSWER_LINKS_WHOLE);
    ck_assert_uint_eq(told.names, ANSWER_LINKS_NAMES_TOLD);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("answer_links");
    TCase *tcase = tcase_create("answer_links");
    tcase_add_loop_test(tcase, links_are_told, 0, (int)ROWS(ANSWERS));
    tcase_add_loop_test(tcase, a_cut_answer_tells_its_beginning, 0, (int)ROWS(ANSWERS));
    tcase_add_test(tcase, enough_is_enough);
    tcase_add_loop_test(tcase, the_longest_answers_are_told_of_in_part, 0, (int)ROWS(LONGEST));
    tcase_add_test(tcase, an_address_behind_too_many_names);
    tcase_add_test(tcase, a_long_chain_is_whole);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
