/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Headers, questions of every shape, and which answers belong to which queries (interfaces
 * section 4, RFC 5452 section 4.2).
 */
#include "forwarder/wire/dns.h"

#include <check.h>
#include <stdio.h>

#include "test/wire_notation.h"
#include "test/suite.h"

START_TEST(header_has_six_fields)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct dns_header header;
    struct span message = wire_parse("1234 b5f3 0001 0203 0405 0607", bytes);
    ck_assert(dns_header_decode(message, &header));
    ck_assert_uint_eq(header.id, 0x1234);
    ck_assert_uint_eq(header.flags, 0xb5f3);
    ck_assert_uint_eq(header.qdcount, 0x0001);
    ck_assert_uint_eq(header.ancount, 0x0203);
    ck_assert_uint_eq(header.nscount, 0x0405);
    ck_assert_uint_eq(header.arcount, 0x0607);
    ck_assert_uint_eq(dns_opcode(&header), DNS_OPCODE_DSO);
    ck_assert_uint_eq(dns_rcode(&header), 3);
    ck_assert_uint_ne(header.flags & DNS_FLAG_QR, 0);
}
END_TEST

START_TEST(header_needs_twelve_octets)
{
    uint8_t bytes[DNS_HEADER_SIZE] = {0};
    struct dns_header header;
    ck_assert(!dns_header_decode((struct span){0}, &header));
    for (size_t size = 0; size < DNS_HEADER_SIZE; size++) {
        ck_assert_msg(!dns_header_decode((struct span){bytes, size}, &header), "%zu octets", size);
    }
    ck_assert(dns_header_decode((struct span){bytes, sizeof bytes}, &header));
}
END_TEST

START_TEST(id_is_read_and_replaced_in_place)
{
    uint8_t message[] = {0xab, 0xcd, 0x01, 0x00};
    ck_assert_uint_eq(dns_id(message), 0xabcd);
    dns_set_id(message, 0x12fe);
    ck_assert_mem_eq(message, "\x12\xfe\x01\x00", sizeof message);
    ck_assert_uint_eq(dns_id(message), 0x12fe);
}
END_TEST

#define LABEL_63 "3f'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk'"
#define LABEL_62 "3e'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghij'"
#define LABEL_61 "3d'abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghi'"
#define NAME_255 LABEL_63 LABEL_63 LABEL_63 LABEL_61 "00"
#define NAME_256 LABEL_63 LABEL_63 LABEL_63 LABEL_62 "00"

#define HEADER "1234 0100 0001 0000 0000 0000"
#define WWW_EXAMPLE "03'www' 07'example' 00"

/* name is the size of the qname, for DNS_QUESTION_ONE. */
static const struct {
    const char *label;
    const char *message;
    enum dns_question_outcome outcome;
    size_t name;
    uint16_t type;
    uint16_t class;
} QUESTIONS[] = {
    {"a name", HEADER WWW_EXAMPLE "0001 0001", DNS_QUESTION_ONE, 13, 1, 1},
    {"the root", HEADER "00 0002 0001", DNS_QUESTION_ONE, 1, 2, 1},
    {"any type and class", HEADER WWW_EXAMPLE "ff01 feff", DNS_QUESTION_ONE, 13, 0xff01, 0xfeff},
    {"any octet in a label", HEADER "04 00 c0 2e ff 00 0001 0001", DNS_QUESTION_ONE, 6, 1, 1},
    {"a name of 255 octets", HEADER NAME_255 "0001 0001", DNS_QUESTION_ONE, 255, 1, 1},
    {"octets behind it", HEADER "01'a'00 0001 0001 ffff", DNS_QUESTION_ONE, 3, 1, 1},
    {"an answer's question", "1234 8180 0001 0001 0000 0000 00 0002 0001", DNS_QUESTION_ONE, 1, 2,
     1},
    {"none", "1234 0100 0000 0000 0000 0000", DNS_QUESTION_NONE, 0, 0, 0},
    {"none, octets behind", "1234 0100 0000 0000 0000 0001 00 0029 04d0", DNS_QUESTION_NONE, 0, 0,
     0},
    {"no header", "1234 0100 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"two", "1234 0100 0002 0000 0000 0000 01'a'00 0001 0001 01'b'00 0001 0001",
     DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"two counted, one there", "1234 0100 0002 0000 0000 0000 01'a'00 0001 0001",
     DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"65535", "1234 0100 ffff 0000 0000 0000 01'a'00 0001 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"one counted, none there", HEADER, DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"a pointer", HEADER "c00c 0001 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"a pointer behind a label", HEADER "03'www' c00c 0001 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"label type 01", HEADER "41'a'00 0001 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"label type 10", HEADER "81'a'00 0001 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"a label of 64", HEADER "40" LABEL_63 "00 0001 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"a name of 256 octets", HEADER NAME_256 "0001 0001", DNS_QUESTION_UNREADABLE, 0, 0, 0},
    {"a name of 319 octets", HEADER LABEL_63 NAME_255 "0001 0001", DNS_QUESTION_UNREADABLE, 0, 0,
     0},
};

START_TEST(question_is_one_none_or_unreadable)
{
    for (size_t i = 0; i < ROWS(QUESTIONS); i++) {
        const char *label = QUESTIONS[i].label;
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct span message = wire_parse(QUESTIONS[i].message, bytes);
        struct dns_question question;
        enum dns_question_outcome outcome = dns_question_decode(message, &question);
        ck_assert_msg(outcome == QUESTIONS[i].outcome, "%s: %d", label, (int)outcome);
        if (outcome != DNS_QUESTION_ONE) {
            continue;
        }
        ck_assert_msg(question.qname.bytes == message.bytes + DNS_HEADER_SIZE, "%s", label);
        ck_assert_msg(question.qname.size == QUESTIONS[i].name, "%s", label);
        ck_assert_msg(question.qtype == QUESTIONS[i].type, "%s", label);
        ck_assert_msg(question.qclass == QUESTIONS[i].class, "%s", label);
        ck_assert_msg(question.bytes.bytes == question.qname.bytes, "%s", label);
        ck_assert_msg(question.bytes.size == QUESTIONS[i].name + 4, "%s", label);
    }
}
END_TEST

START_TEST(question_cut_anywhere_is_unreadable)
{
    static const char *const WHOLE[] = {HEADER WWW_EXAMPLE "0001 0001", HEADER "00 0001 0001",
                                        HEADER NAME_255 "0001 0001"};
    for (size_t i = 0; i < ROWS(WHOLE); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct span message = wire_parse(WHOLE[i], bytes);
        for (size_t size = 0; size < message.size; size++) {
            struct dns_question question;
            ck_assert_msg(dns_question_decode((struct span){bytes, size}, &question) ==
                              DNS_QUESTION_UNREADABLE,
                          "message %zu cut to %zu octets", i, size);
        }
    }
}
END_TEST

static const struct {
    const char *label;
    const char *a;
    const char *b;
    bool same;
} PAIRS[] = {
    {"the same octets", "03'www'00 0001 0001", "03'www'00 0001 0001", true},
    {"case of some letters", "03'wWw'00 0001 0001", "03'WwW'00 0001 0001", true},
    {"case of A and Z", "02'AZ'00 0001 0001", "02'az'00 0001 0001", true},
    {"@ is no upper-case `", "01'@'00 0001 0001", "01'`'00 0001 0001", false},
    {"[ is no upper-case {", "01'['00 0001 0001", "01'{'00 0001 0001", false},
    {"case beyond ASCII", "01 c4 00 0001 0001", "01 e4 00 0001 0001", false},
    {"another letter", "03'www'00 0001 0001", "03'wwx'00 0001 0001", false},
    {"a shorter name", "03'www'00 0001 0001", "02'ww'00 0001 0001", false},
    {"root and a name", "00 0001 0001", "01'a'00 0001 0001", false},
    {"but for a length octet", "01'a' 01'b' 00 0001 0001", "03'a' 01'b' 00 0001 0001", false},
    {"a dot in a label", "03'a.b'00 0001 0001", "01'a' 01'b' 00 0001 0001", false},
    {"another type", "03'www'00 0001 0001", "03'www'00 001c 0001", false},
    {"another class", "03'www'00 0001 0001", "03'www'00 0001 0003", false},
    {"a type that differs like case", "03'www'00 4100 0001", "03'www'00 6100 0001", false},
    {"a class that differs like case", "03'www'00 0001 0041", "03'www'00 0001 0061", false},
};

START_TEST(questions_are_the_same_but_for_ascii_case)
{
    for (size_t i = 0; i < ROWS(PAIRS); i++) {
        char text[2][256];
        snprintf(text[0], sizeof text[0], HEADER "%s", PAIRS[i].a);
        snprintf(text[1], sizeof text[1], HEADER "%s", PAIRS[i].b);
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        struct dns_question a;
        struct dns_question b;
        ck_assert(dns_question_decode(wire_parse(text[0], bytes[0]), &a) == DNS_QUESTION_ONE);
        ck_assert(dns_question_decode(wire_parse(text[1], bytes[1]), &b) == DNS_QUESTION_ONE);
        ck_assert_msg(dns_question_same(&a, &b) == PAIRS[i].same, "%s", PAIRS[i].label);
        ck_assert_msg(dns_question_same(&b, &a) == PAIRS[i].same, "%s, reversed", PAIRS[i].label);
    }
}
END_TEST

#define QUERY "1234 0100 0001 0000 0000 0000"
#define BARE_QUERY "1234 0100 0000 0000 0000 0000"
#define WWW_A WWW_EXAMPLE "0001 0001"

static const struct {
    const char *label;
    const char *query;
    const char *answer;
    bool in_transfer;
    bool belongs;
} ANSWERS[] = {
    {"same question", QUERY WWW_A, "1234 8180 0001 0000 0000 0000" WWW_A, false, true},
    {"the ID is not looked at", QUERY WWW_A, "4321 8180 0001 0000 0000 0000" WWW_A, false, true},
    {"another case", QUERY WWW_A, "1234 8180 0001 0000 0000 0000 03'wWW'07'EXAMple'00 0001 0001",
     false, true},
    {"any rcode with it", QUERY WWW_A, "1234 8183 0001 0000 0000 0000" WWW_A, false, true},
    {"records behind it", QUERY WWW_A,
     "1234 8180 0001 0001 0000 0000" WWW_A "c00c 0001 0001 0000003c 0004 c0000201", false, true},
    {"another name", QUERY WWW_A, "1234 8180 0001 0000 0000 0000 03'wwx'07'example'00 0001 0001",
     false, false},
    {"another type", QUERY WWW_A, "1234 8180 0001 0000 0000 0000" WWW_EXAMPLE "001c 0001", false,
     false},
    {"another class", QUERY WWW_A, "1234 8180 0001 0000 0000 0000" WWW_EXAMPLE "0001 0003", false,
     false},
    {"QR=0", QUERY WWW_A, "1234 0100 0001 0000 0000 0000" WWW_A, false, false},
    {"another opcode", QUERY WWW_A, "1234 a180 0001 0000 0000 0000" WWW_A, false, false},
    {"opcode NOTIFY in both", "1234 2000 0001 0000 0000 0000" WWW_A,
     "1234 a000 0001 0000 0000 0000" WWW_A, false, true},
    {"no header", QUERY WWW_A, "1234 8180 0001", false, false},
    {"a query without a header", "1234", "1234 8180 0000 0000 0000 0000", false, false},
    {"absent, NOERROR", QUERY WWW_A, "1234 8180 0000 0000 0000 0000", false, false},
    {"absent, FORMERR", QUERY WWW_A, "1234 8181 0000 0000 0000 0000", false, true},
    {"absent, SERVFAIL", QUERY WWW_A, "1234 8182 0000 0000 0000 0000", false, true},
    {"absent, NXDOMAIN", QUERY WWW_A, "1234 8183 0000 0000 0000 0000", false, false},
    {"absent, NOTIMP", QUERY WWW_A, "1234 8184 0000 0000 0000 0000", false, true},
    {"absent, REFUSED", QUERY WWW_A, "1234 8185 0000 0000 0000 0000", false, true},
    {"absent, YXDOMAIN", QUERY WWW_A, "1234 8186 0000 0000 0000 0000", false, false},
    {"absent, NOERROR to an UPDATE", "1234 2800 0001 0000 0000 0000" WWW_A,
     "1234 a880 0000 0000 0000 0000", false, true},
    {"promised but absent, FORMERR", QUERY WWW_A, "1234 8181 0001 0000 0000 0000", false, true},
    {"promised but absent, NOERROR", QUERY WWW_A, "1234 8180 0001 0000 0000 0000", false, false},
    {"another name, REFUSED", QUERY WWW_A,
     "1234 8185 0001 0000 0000 0000 03'wwx'07'example'00 0001 0001", false, false},
    {"absent, in a transfer", QUERY WWW_A, "1234 8480 0000 0001 0000 0000", true, true},
    {"another name, in a transfer", QUERY WWW_A,
     "1234 8480 0001 0000 0000 0000 03'wwx'07'example'00 0001 0001", true, false},
    {"two questions", QUERY WWW_A, "1234 8180 0002 0000 0000 0000" WWW_A WWW_A, false, false},
    {"a cut question", QUERY WWW_A, "1234 8180 0001 0000 0000 0000 03'www'", false, false},
    {"a cut question, REFUSED", QUERY WWW_A, "1234 8185 0001 0000 0000 0000 03'www'", false, false},
    {"a query without one", BARE_QUERY, "1234 8180 0000 0000 0000 0000", false, true},
    {"one to a query without one", BARE_QUERY, "1234 8180 0001 0000 0000 0000" WWW_A, false, false},
    {"QR=0 to a query without one", BARE_QUERY, "1234 0180 0000 0000 0000 0000", false, false},
    {"an unreadable query", QUERY "c00c 0001 0001", "1234 8181 0001 0000 0000 0000" WWW_A, false,
     true},
    {"a query of two, echoed", "1234 0100 0002 0000 0000 0000" WWW_A WWW_A,
     "1234 8180 0002 0000 0000 0000" WWW_A WWW_A, false, true},
    {"QR=0 to an unreadable query", QUERY "c00c 0001 0001", "1234 0100 0000 0000 0000 0000", false,
     false},
};

START_TEST(answers_belong_by_their_question)
{
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        struct span query = wire_parse(ANSWERS[i].query, bytes[0]);
        struct span answer = wire_parse(ANSWERS[i].answer, bytes[1]);
        ck_assert_msg(dns_answers_query(query, answer, ANSWERS[i].in_transfer) ==
                          ANSWERS[i].belongs,
                      "%s", ANSWERS[i].label);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dns");
    TCase *tcase = tcase_create("dns");
    tcase_add_test(tcase, header_has_six_fields);
    tcase_add_test(tcase, header_needs_twelve_octets);
    tcase_add_test(tcase, id_is_read_and_replaced_in_place);
    tcase_add_test(tcase, question_is_one_none_or_unreadable);
    tcase_add_test(tcase, question_cut_anywhere_is_unreadable);
    tcase_add_test(tcase, questions_are_the_same_but_for_ascii_case);
    tcase_add_test(tcase, answers_belong_by_their_question);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
