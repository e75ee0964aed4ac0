/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a client gets where an order binds: matches made by hand, of every trigger and action, some
 * with a rule of a list, and the answers as a person reads them. How an order's match is found, and
 * the octets of what order files can ask for, are the business of other tests.
 */
#include "forwarder/order_answer.h"

#include <arpa/inet.h>

#include "forwarder/explain/explain_answer.h"
#include "forwarder/generation/generation.h"
#include "forwarder/generation/order_texts.h"
#include "test/policy_make.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define NOW INT64_C(1751000000)

/* ---- Rules, as lists of format rpz bring them ---- */

static uint8_t a[] = {192, 0, 2, 80}, b[] = {192, 0, 2, 81};
static uint8_t aaaa[16] = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x80};
static uint8_t txt[] = "\5by or\3der"; /* its NUL is an empty string */
static uint8_t long_txt[6 * 256];      /* of strings of 255 octets each */

static struct order_rule_record local_records[] = {
    {DNS_TYPE_A, sizeof a, a},
    {DNS_TYPE_TXT, sizeof txt, txt},
    {DNS_TYPE_AAAA, sizeof aaaa, aaaa},
    {DNS_TYPE_A, sizeof b, b},
};
static struct order_rule_record long_records[] = {{DNS_TYPE_TXT, 1024, long_txt}};
static struct order_rule_record longest_records[] = {{DNS_TYPE_TXT, sizeof long_txt, long_txt}};

static const struct order_rule LOCAL = {
    .action = ORDER_LOCAL, .records = local_records, .record_count = ROWS(local_records)};
static const struct order_rule LONG_LOCAL = {
    .action = ORDER_LOCAL, .records = long_records, .record_count = 1};
static const struct order_rule LONGEST_LOCAL = {
    .action = ORDER_LOCAL, .records = longest_records, .record_count = 1};
static const struct order_rule LEAD = {.action = ORDER_CNAME,
                                       .target = {.size = 6, .labels = 1, .wire = "\4rule"}};
static const struct order_rule LEAD_IN = {.action = ORDER_CNAME,
                                          .target = {.size = 8, .labels = 2, .wire = "\1*\4rule"}};

/* ---- Queries ---- */

#define NAME "03'www'07'blocked'07'example'00" /* blocked.example is at c010 */
#define IN "0001"
#define OPT "00 0029 0200 00000000 0000"
#define OPT_4096 "00 0029 1000 00000000 0000"
#define OPT_SDE "00 0029 0200 00000000 0004 001a 0000"

struct row {
    const char *label;
    enum order_action action; /* of the order */
    const struct order_rule *rule;
    struct policy_match match; /* the rest of it */
    const char *question;      /* behind the name */
    const char *opt;
    bool stream, in_answer;
    enum query_fate fate;
    const char *answer; /* what a person reads */
};

#define BLOCKED(reads) QUERY_ANSWER, reads
#define LISTED                             \
    {                                      \
        .labels = 2, .end = ORDER_FOR_GOOD \
    }
#define LEAVES_FREE                                            \
    {                                                          \
        .labels = 2, .free_below = true, .end = ORDER_FOR_GOOD \
    }
#define EDE(code) ", EDE " code ": Blocked by order ID of Court\n"
#define CENSORED EDE("16 (Censored)")
#define FORGED EDE("4 (Forged Answer)")
#define SDE ", EDE 16 (Censored)\njustification: Blocked by order ID of Court\nlanguage: en\n"
#define WWW "www.blocked.example.\t"
#define SOA(owner, ttl) owner ttl "\tSOA\t" owner
#define OF_BLOCKED "blocked.example.    \t"

static const struct row ORDER_ROWS[] = {
    /* Where the name of the question is listed. */
    {"refused", ORDER_REFUSED, NULL, LISTED, "0001" IN, OPT, 0, 0, BLOCKED("REFUSED" CENSORED)},
    {"nxdomain", ORDER_NXDOMAIN, NULL, LISTED, "0001" IN, OPT, 0, 0,
     BLOCKED("NXDOMAIN" CENSORED OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"nxdomain, free names below", ORDER_NXDOMAIN, NULL, LEAVES_FREE, "0001" IN, OPT, 0, 0,
     BLOCKED("NOERROR" CENSORED OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"nothing past the end of the match",
     ORDER_NODATA,
     NULL,
     {.labels = 2, .end = NOW + 7},
     "0001" IN,
     OPT,
     0,
     0,
     BLOCKED("NOERROR" CENSORED OF_BLOCKED "7\tSOA\tblocked.example.")},
    {"any-tld",
     ORDER_NODATA,
     NULL,
     {.labels = 2, .trigger = POLICY_ANY_TLD, .end = ORDER_FOR_GOOD},
     "0001" IN,
     OPT,
     0,
     0,
     BLOCKED("NOERROR" CENSORED OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"the client is listed",
     ORDER_NXDOMAIN,
     NULL,
     {.trigger = POLICY_CLIENT, .end = ORDER_FOR_GOOD},
     "0001" IN,
     OPT,
     0,
     0,
     BLOCKED("NXDOMAIN" CENSORED WWW "60\tSOA\twww.blocked.example.")},
    {"drop", ORDER_DROP, NULL, LISTED, "0001" IN, OPT, 0, 0, QUERY_DROP, ""},

    /* Where something in upstream's answer is. */
    {"nxdomain becomes nodata", ORDER_NXDOMAIN, NULL, LISTED, "0001" IN, OPT, 0, 1,
     BLOCKED("NOERROR" CENSORED WWW "60\tSOA\twww.blocked.example.")},
    {"nodata of the qname",
     ORDER_NODATA,
     NULL,
     {.trigger = POLICY_ANSWER, .end = NOW + 5},
     "0001" IN,
     OPT,
     0,
     1,
     BLOCKED("NOERROR" CENSORED WWW "5\tSOA\twww.blocked.example.")},
    {"a longer match than the qname has labels",
     ORDER_NXDOMAIN,
     NULL,
     {.labels = 9, .end = ORDER_FOR_GOOD},
     "0001" IN,
     OPT,
     0,
     1,
     BLOCKED("NOERROR" CENSORED WWW "60\tSOA\twww.blocked.example.")},
    {"an address", ORDER_ADDRESS, NULL, LISTED, "0001" IN, OPT, 0, 1,
     BLOCKED("NOERROR" FORGED WWW "60\tA\t198.51.100.1")},
    {"drop of an answer", ORDER_DROP, NULL, LISTED, "0001" IN, OPT, 1, 1, QUERY_DROP, ""},

    /* Local data. */
    {"local A", ORDER_LOCAL, &LOCAL, LISTED, "0001" IN, OPT, 0, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tA\t192.0.2.80\n" WWW "60\tA\t192.0.2.81")},
    {"local AAAA in class ANY", ORDER_LOCAL, &LOCAL, LISTED, "001c 00ff", OPT, 0, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tAAAA\t2001:db8::80")},
    {"local TXT", ORDER_LOCAL, &LOCAL, LISTED, "0010" IN, OPT, 1, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tTXT\t\"by or\" \"der\" \"\"")},
    {"local ANY", ORDER_LOCAL, &LOCAL, LISTED, "00ff" IN, OPT, 0, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tA\t192.0.2.80\n" WWW "60\tTXT\t\"by or\" \"der\" \"\"\n" WWW
             "60\tAAAA\t2001:db8::80\n" WWW "60\tA\t192.0.2.81")},
    {"local, another type", ORDER_LOCAL, &LOCAL, LISTED, "000f" IN, OPT, 0, 0,
     BLOCKED("NOERROR" FORGED OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"local, class CHAOS", ORDER_LOCAL, &LOCAL, LISTED, "0001 0003", OPT, 0, 0,
     BLOCKED("NOERROR" FORGED OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"local, more than the client takes", ORDER_LOCAL, &LONG_LOCAL, LISTED, "0010" IN, OPT, 0, 0,
     BLOCKED("NOERROR, truncated, EDE 4 (Forged Answer)\n")},
    {"local, as much as another takes", ORDER_LOCAL, &LONG_LOCAL, LISTED, "0010" IN, OPT_4096, 0, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tTXT\t\"")},
    {"local, as much as a stream takes", ORDER_LOCAL, &LONG_LOCAL, LISTED, "0010" IN, OPT, 1, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tTXT\t\"")},
    {"local, more than a stream takes", ORDER_LOCAL, &LONGEST_LOCAL, LISTED, "0010" IN, OPT, 1, 0,
     BLOCKED("NOERROR, EDE 4 (Forged Answer)\n" OF_BLOCKED "60\tSOA\tblocked.example.")},

    /* tcp-only. */
    {"tcp-only over UDP", ORDER_TCP_ONLY, NULL, LISTED, "0001" IN, OPT, 0, 0,
     BLOCKED("NOERROR, truncated\n")},

    /* cname. */
    {"cname",
     ORDER_CNAME,
     NULL,
     {.labels = 2, .end = NOW + 9},
     "0001" IN,
     OPT,
     0,
     0,
     QUERY_CNAME,
     "NOERROR" FORGED WWW "9\tCNAME\ttarget.example."},
    {"cname of a rule", ORDER_CNAME, &LEAD, LISTED, "001c" IN, OPT, 1, 1, QUERY_CNAME,
     "NOERROR" FORGED WWW "60\tCNAME\trule."},
    {"cname of a rule, a wildcard", ORDER_CNAME, &LEAD_IN, LISTED, "001c" IN, OPT, 0, 0,
     QUERY_CNAME, "NOERROR" FORGED WWW "60\tCNAME\twww.blocked.example.rule."},
    {"cname, type CNAME", ORDER_CNAME, NULL, LISTED, "0005" IN, OPT, 0, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tCNAME\ttarget.example.")},
    {"cname, type ANY", ORDER_CNAME, NULL, LISTED, "00ff" IN, OPT, 0, 0,
     BLOCKED("NOERROR" FORGED WWW "60\tCNAME\ttarget.example.")},

    /* Clients that ask for structured errors. */
    {"structured", ORDER_REFUSED, NULL, LISTED, "0001" IN, OPT_SDE, 0, 0, BLOCKED("REFUSED" SDE)},
    {"structured: no address", ORDER_ADDRESS, NULL, LISTED, "0001" IN, OPT_SDE, 0, 0,
     BLOCKED("NXDOMAIN" SDE OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"structured: no CNAME", ORDER_CNAME, NULL, LISTED, "0001" IN, OPT_SDE, 0, 0,
     BLOCKED("NXDOMAIN" SDE OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"structured: no local data", ORDER_LOCAL, &LOCAL, LISTED, "0001" IN, OPT_SDE, 1, 0,
     BLOCKED("NXDOMAIN" SDE OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"structured: free names below", ORDER_LOCAL, &LOCAL, LEAVES_FREE, "0001" IN, OPT_SDE, 0, 0,
     BLOCKED("NOERROR" SDE OF_BLOCKED "60\tSOA\tblocked.example.")},
    {"structured: of an answer", ORDER_ADDRESS, NULL, LISTED, "0001" IN, OPT_SDE, 0, 1,
     BLOCKED("NOERROR" SDE WWW "60\tSOA\twww.blocked.example.")},
    {"structured: tcp-only", ORDER_TCP_ONLY, NULL, LISTED, "0001" IN, OPT_SDE, 0, 0,
     BLOCKED("NOERROR, truncated\n")},
    {"structured: drop", ORDER_DROP, NULL, LISTED, "0001" IN, OPT_SDE, 0, 0, QUERY_DROP, ""},
};

/* ---- A generation with one order ---- */

static struct generation generation;
static struct order_texts texts;
static struct config config;
static struct order *order; /* of the policy */

static void install(enum order_action action)
{
    order = make_order("ID", "blocked.example", NULL);
    order->authority = strdup("Court");
    order->action = action;
    order->addresses[order->address_count++] = address_of("198.51.100.1");
    order->addresses[order->address_count++] = address_of("2001:db8::1");
    order->target = name_of("target.example");
    config = (struct config){.block = {.ttl_s = 60}};
    generation = (struct generation){.config = &config};
    generation.policy = policy_over(&order, 1, NOW);
}

/* As at the end of a load: nothing of the order changes any more. */
static void install_texts(void)
{
    ck_assert(order_texts_init(&texts, order, &config.block));
    generation.texts = &texts;
}

static void uninstall(void)
{
    order_texts_fini(&texts);
    policy_free(generation.policy);
}

static void say(const char *language, const char *text)
{
    order->messages = calloc(1, sizeof *order->messages);
    order->messages[0].language = language == NULL ? NULL : strdup(language);
    order->messages[0].text = strdup(text);
    order->message_count = 1;
}

/* A query as the path has read it. */
struct asked {
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct block_query block;
    struct dname qname;
    struct address client;
    struct order_answer_query query;
};

static void ask(struct asked *asked, const char *question, const char *opt, bool stream)
{
    char text[512];
    snprintf(text, sizeof text, "abcd 0100 0001 0000 0000 %s" NAME "%s%s",
             *opt == '\0' ? "0000" : "0001", question, opt);
    struct span message = wire_parse(text, asked->bytes);
    asked->block = (struct block_query){.stream = stream};
    ck_assert(dns_header_decode(message, &asked->block.header));
    ck_assert(dns_question_decode(message, &asked->block.question) == DNS_QUESTION_ONE);
    edns_query_decode(message, &asked->block.question, &asked->block.edns);
    ck_assert(dname_decode(asked->block.question.qname.bytes, asked->block.question.qname.size,
                           &asked->qname));
    asked->client = address_of("192.0.2.1");
    asked->query = (struct order_answer_query){
        .block = &asked->block, .qname = &asked->qname, .client = &asked->client};
}

/* What a person reads, without the end of an SOA. */
static const char *read_back(struct span answer, char *text, size_t size)
{
    FILE *out = fmemopen(text, size, "w");
    text[0] = '\0';
    if (answer.size > 0) {
        explain_answer_print(answer, "", out);
    }
    fclose(out);
    return text;
}

static const struct query_env ENV = {.generation = &generation, .now = NOW};

static void check_row(const struct row *row)
{
    struct asked asked;
    uint8_t out[BLOCK_ANSWER_MAX];
    char text[8192];
    struct query_result result = {.fate = QUERY_DROP};
    struct policy_match match = row->match;
    match.rule = row->rule;
    install(row->action);
    install_texts();
    ask(&asked, row->question, row->opt, row->stream);
    asked.query.in_answer = row->in_answer;
    order_answer(&ENV, &asked.query, &match, &result, out);
    read_back((struct span){out, result.size}, text, sizeof text);
    ck_assert_msg(result.fate == row->fate, "%s: fate %d", row->label, (int)result.fate);
    ck_assert_msg(strncmp(text, row->answer, strlen(row->answer)) == 0, "%s: got\n%s", row->label,
                  text);
    ck_assert_msg((*text == '\0') == (*row->answer == '\0'), "%s: got\n%s", row->label, text);
    ck_assert_msg((row->fate == QUERY_CNAME) == (result.target != NULL), "%s", row->label);
    uninstall();
}

START_TEST(matches_become_answers)
{
    for (size_t i = 0; i < sizeof long_txt; i += 256) {
        long_txt[i] = 255;
    }
    for (size_t i = 0; i < ROWS(ORDER_ROWS); i++) {
        check_row(&ORDER_ROWS[i]);
    }
}
END_TEST

/* ---- What is told, and in which language ---- */

static char tel[] = "tel:+390212345";
static char *contacts[] = {tel};
static char organization[] = "Example Networks";

static const struct {
    const char *label;
    const char *language;
    const char *message; /* NULL: none */
    bool disclose;
    bool configured; /* contact and organization */
    const char *opt;
    const char *answer;
} TOLD[] = {
    {"a message in a language", "it", "Bloccato.", true, false, OPT_SDE,
     "REFUSED, EDE 16 (Censored)\njustification: Bloccato.\nlanguage: it\n"},
    {"a message in no language", NULL, "Bloccato.", true, false, OPT_SDE,
     "REFUSED, EDE 16 (Censored)\njustification: Bloccato.\nlanguage: und\n"},
    {"with contact and organization", "en", "By \"order\".", true, true, OPT_SDE,
     "REFUSED, EDE 16 (Censored)\ncontact: tel:+390212345\njustification: By \"order\".\n"
     "organization: Example Networks\nlanguage: en\n"},
    {"sealed", "en", "By order.", false, true, OPT_SDE, "REFUSED, EDE 16 (Censored)\n"},
    {"plain text for the others", "it", "Bloccato.", true, true, OPT,
     "REFUSED, EDE 16 (Censored): Bloccato.\n"},
    {"nothing without OPT", "it", "Bloccato.", true, true, "", "REFUSED\n"},
};

START_TEST(what_is_told_depends_on_the_order_and_who_asks)
{
    for (size_t i = 0; i < ROWS(TOLD); i++) {
        struct asked asked;
        uint8_t out[BLOCK_ANSWER_MAX];
        char text[2048];
        struct query_result result = {.fate = QUERY_DROP};
        struct policy_match match = LISTED;
        install(ORDER_REFUSED);
        say(TOLD[i].language, TOLD[i].message);
        order->disclose = TOLD[i].disclose;
        config.block.contacts = contacts;
        config.block.contact_count = TOLD[i].configured;
        config.block.organization = TOLD[i].configured ? organization : NULL;
        install_texts();
        ask(&asked, "0001" IN, TOLD[i].opt, false);
        order_answer(&ENV, &asked.query, &match, &result, out);
        read_back((struct span){out, result.size}, text, sizeof text);
        ck_assert_msg(strcmp(text, TOLD[i].answer) == 0, "%s: got\n%s", TOLD[i].label, text);
        uninstall();
    }
}
END_TEST

/* As the client takes less and less: all, then no "j", "o" and "l", then no text; never TC. */
START_TEST(what_does_not_fit_goes_by_halves)
{
    static const struct {
        size_t message;
        const char *answer;
    } sizes[] = {
        {300, "REFUSED, EDE 16 (Censored)\ncontact: tel:+390212345\njustification: xxx"},
        {400, "REFUSED, EDE 16 (Censored)\ncontact: tel:+390212345\npublic record: lumen 1\n"},
    };
    static const char long_contact[] = "https://example.org/";
    for (size_t i = 0; i <= ROWS(sizes); i++) {
        struct asked asked;
        uint8_t out[BLOCK_ANSWER_MAX];
        char text[2048], message[401] = "", contact[500] = "";
        struct query_result result = {.fate = QUERY_DROP};
        struct policy_match match = LISTED;
        bool none = i == ROWS(sizes);
        install(ORDER_REFUSED);
        memset(message, 'x', none ? 10 : sizes[i].message);
        say("en", message);
        order->records = calloc(1, sizeof *order->records);
        order->records[0] = (struct order_record){strdup("lumen"), strdup("1")};
        order->record_count = 1;
        memset(contact, 'x', sizeof contact - 1);
        memcpy(contact, long_contact, strlen(long_contact));
        char *one[] = {none ? contact : tel};
        config.block.contacts = one;
        config.block.contact_count = 1;
        install_texts();
        ask(&asked, "0001" IN, OPT_SDE, false);
        order_answer(&ENV, &asked.query, &match, &result, out);
        ck_assert_uint_le(result.size, 512);
        read_back((struct span){out, result.size}, text, sizeof text);
        const char *expected = none ? "REFUSED, EDE 16 (Censored)\n" : sizes[i].answer;
        ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%zu: got\n%s", i, text);
        ck_assert(!none || strcmp(text, expected) == 0);
        uninstall();
    }
}
END_TEST

/* ---- cname, once upstream has answered ---- */

START_TEST(a_cname_is_followed_by_what_upstream_says)
{
    struct asked asked;
    uint8_t out[4096], record[WIRE_NOTATION_MAX];
    char text[1024];
    struct span_writer writer = span_writer(out, sizeof out);
    struct policy_match match = {.labels = 2, .end = NOW + 9};
    struct block_tail tail = {.rcode = DNS_RCODE_NOERROR, .answer_count = 1};
    tail.answer = wire_parse("06'target'07'example'00 0001 0001 0000012c 0004 c6336450", record);
    install(ORDER_CNAME);
    install_texts();
    ask(&asked, "0001" IN, OPT, false);
    size_t size = order_answer_cname(&ENV, &asked.query, &match, &tail, &writer);
    ck_assert_uint_eq(size, writer.size);
    ck_assert_str_eq(read_back((struct span){out, size}, text, sizeof text),
                     "NOERROR" FORGED WWW "9\tCNAME\ttarget.example.\n"
                     "target.example.     \t300\tA\t198.51.100.80\n");
    uninstall();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_answer");
    TCase *tcase = tcase_create("order_answer");
    tcase_add_test(tcase, matches_become_answers);
    tcase_add_test(tcase, what_is_told_depends_on_the_order_and_who_asks);
    tcase_add_test(tcase, what_does_not_fit_goes_by_halves);
    tcase_add_test(tcase, a_cname_is_followed_by_what_upstream_says);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
