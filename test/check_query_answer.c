/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers of upstreams judged by orders in force: what in them is blocked and by which order, what
 * the client then gets, what is only counted, and that the heap is left alone.
 */
#include "forwarder/query_answer.h"

#include "forwarder/log.h"
#include "geo/geo_memo.h"
#include "test/generation_set.h"
#include "test/heap_count.h"
#include "test/wire_notation.h"
#include "test/suite.h"

/* ---- The installation ---- */

#define ALIASES(id, name) ORDER(id, name) "aliases: yes\n"

static const struct {
    const char *path;
    const char *yaml;
} ORDERS[] = {
    {"IT/a.yaml", ALIASES("A", "bad.test") "except: [fine.bad.test, safe.test]\n"},
    {"IT/n.yaml", ALIASES("N", "nx.test") "action: nxdomain\nuntil: 2025-06-27T04:53:50Z\n"},
    {"IT/exact.yaml", "id: EXACT\nauthority: A\nissued: 2022-07-11\nexact: [alone.test]\n"
                      "aliases: yes\naction: nodata\n"},
    {"IT/blind.yaml", ORDER("BLIND", "blind.test")},
    {"IT/drop.yaml", ALIASES("DROP", "drop.test") "action: drop\n"},
    {"IT/shadow.yaml", ALIASES("SHADOW", "shadow.test") "action: shadow\n"},
    {"IT/cname.yaml", ALIASES("CNAME", "cname.test") "action: cname\ntarget: page.test\n"},
    {"IT/net.yaml",
     "id: NET\nauthority: A\nissued: 2022-07-11\nanswers: [203.0.113.7/32, \"2001:db8:7::/48\"]\n"
     "allow-wide: [203.0.113.7/32, \"2001:db8:7::/48\"]\naction: nodata\n"},
    {"DE/de.yaml", ORDER("DE", "bad.test")},
};

#define ITALY "2.32.0.1"
#define GERMANY "5.9.0.1"

static struct generation *generation;

static void install(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    put_database("borders.mmdb");
    for (size_t i = 0; i < ROWS(ORDERS); i++) {
        char path[SCRATCH_PATH_MAX];
        snprintf(path, sizeof path, "orders/%s", ORDERS[i].path);
        put(path, ORDERS[i].yaml);
    }
    generation = load((struct load){.read_only = true});
    ck_assert_msg(generation != NULL && problems.errors == 0, "%s", problems_text());
}

static void uninstall(void)
{
    generation_free(generation);
    set_fini();
}

/* ---- Queries and answers ---- */

#define Q "01'q'04'test'00"
#define QUERY_OF(arcount, name, type) "abcd 0100 0001 0000 0000" arcount name type "0001"
#define QUERY QUERY_OF("0000", Q, "0001")
#define OPT "00 0029 04d0 00000000 0000"
#define ANSWER(counts) "abcd 8180 0001" counts Q "0001 0001"

#define REST "0000003c"
#define BAD "03'bad'04'test'00"          /* 10 octets */
#define BELOW "03'www'03'bad'04'test'00" /* 14 */
#define FINE "04'fine'03'bad'04'test'00" /* 15 */
#define NX "02'nx'04'test'00"            /* 9 */
#define ALONE "05'alone'04'test'00"      /* 12 */
#define BLIND "05'blind'04'test'00"      /* 12 */
#define DROP "04'drop'04'test'00"        /* 11 */
#define SHADOW "06'shadow'04'test'00"    /* 13 */
#define LED "05'cname'04'test'00"        /* 12 */
#define CNAME(size, target) "c00c 0005 0001" REST size target
#define A(octets) "c00c 0001 0001" REST "0004" octets
#define AAAA(octets) "c00c 001c 0001" REST "0010" octets

#define SOA(owner, ttl)                                          \
    owner "0006 0001" ttl "0026" owner "06'nobody'07'invalid'00" \
          "00000001 00000e10 000004b0 00093a80" ttl
#define REFUSED "abcd 8185 0001 0000 0000 0000" Q "0001 0001"
#define NODATA(ttl) "abcd 8180 0001 0000 0001 0000" Q "0001 0001" SOA("c00c", ttl)

/* order: that decides, with fate and octets of what the client gets; NULL: the answer passes. */
static const struct {
    const char *label;
    const char *client;
    const char *query;
    const char *answer;
    const char *order;
    const char *octets; /* NULL: none */
    enum query_fate fate;
    enum query_reason reason;
} JUDGED[] = {
    {"nothing", ITALY, QUERY, ANSWER("0000 0000 0000"), NULL, NULL, QUERY_FORWARD,
     QUERY_NOT_LISTED},
    {"an alias", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("000a", BAD), "A", REFUSED,
     QUERY_ANSWER, QUERY_BLOCKED},
    {"an alias below", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("000e", BELOW), "A", REFUSED,
     QUERY_ANSWER, QUERY_BLOCKED},
    {"an alias that is excepted", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("000f", FINE), NULL,
     NULL, QUERY_FORWARD, QUERY_NOT_LISTED},
    {"an excepted qname", ITALY, QUERY_OF("0000", "04'safe'04'test'00", "0001"),
     "abcd 8180 0001 0001 0000 0000 04'safe'04'test'00 0001 0001" CNAME("000a", BAD), NULL, NULL,
     QUERY_FORWARD, QUERY_NOT_LISTED},
    {"an order that does not look at answers", ITALY, QUERY,
     ANSWER("0001 0000 0000") CNAME("000c", BLIND), NULL, NULL, QUERY_FORWARD, QUERY_NOT_LISTED},
    {"another country", GERMANY, QUERY, ANSWER("0001 0000 0000") CNAME("000a", BAD), NULL, NULL,
     QUERY_FORWARD, QUERY_NOT_LISTED},
    {"nxdomain becomes nodata of the qname, till the order ends", ITALY, QUERY,
     ANSWER("0001 0000 0000") CNAME("0009", NX), "N", NODATA("0000001e"), QUERY_ANSWER,
     QUERY_BLOCKED},
    {"an exact name", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("000c", ALONE), "EXACT",
     NODATA("0000003c"), QUERY_ANSWER, QUERY_BLOCKED},
    {"below an exact name", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("0010", "03'www'" ALONE),
     NULL, NULL, QUERY_FORWARD, QUERY_NOT_LISTED},
    {"a DNAME to an exact name leads below it", ITALY, QUERY,
     ANSWER("0001 0000 0000") "c00e 0027 0001" REST "000c" ALONE, NULL, NULL, QUERY_FORWARD,
     QUERY_NOT_LISTED},
    {"a DNAME", ITALY, QUERY, ANSWER("0001 0000 0000") "c00e 0027 0001" REST "000a" BAD, "A",
     REFUSED, QUERY_ANSWER, QUERY_BLOCKED},
    {"drop", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("000b", DROP), "DROP", NULL, QUERY_DROP,
     QUERY_BLOCKED},
    {"shadow", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("000d", SHADOW), NULL, NULL,
     QUERY_FORWARD, QUERY_NOT_LISTED},
    {"cname", ITALY, QUERY, ANSWER("0001 0000 0000") CNAME("000c", LED), "CNAME",
     "abcd 8180 0001 0001 0000 0000" Q "0001 0001 c00c 0005 0001 0000003c 000b 04'page'04'test'00",
     QUERY_CNAME, QUERY_BLOCKED},
    {"with OPT", ITALY, QUERY_OF("0001", Q, "0001") OPT,
     ANSWER("0001 0000 0000") CNAME("000a", BAD), "A",
     "abcd 8185 0001 0000 0000 0001" Q "0001 0001 00 0029 04d0 00000000 002f 000f 002b 0010"
     "'Blocked by order A of Tribunale di Milano'",
     QUERY_ANSWER, QUERY_BLOCKED},
    {"two OPTs", ITALY, QUERY_OF("0002", Q, "0001") OPT OPT,
     ANSWER("0001 0000 0000") CNAME("000a", BAD), "A",
     "abcd 8181 0001 0000 0000 0001" Q "0001 0001" OPT, QUERY_ANSWER, QUERY_BAD_EDNS},
    {"EDNS version 1", ITALY, QUERY_OF("0001", Q, "0001") "00 0029 04d0 00010000 0000",
     ANSWER("0001 0000 0000") CNAME("000a", BAD), "A",
     "abcd 8180 0001 0000 0000 0001" Q "0001 0001 00 0029 04d0 01000000 0000", QUERY_ANSWER,
     QUERY_BAD_EDNS},

    {"an address", ITALY, QUERY, ANSWER("0001 0000 0000") A("cb007107"), "NET", NODATA("0000003c"),
     QUERY_ANSWER, QUERY_BLOCKED},
    {"the one beside it", ITALY, QUERY, ANSWER("0001 0000 0000") A("cb007108"), NULL, NULL,
     QUERY_FORWARD, QUERY_NOT_LISTED},
    {"one of many addresses", ITALY, QUERY,
     ANSWER("0003 0000 0000") A("c0000201") A("cb007107") A("c0000202"), "NET", NODATA("0000003c"),
     QUERY_ANSWER, QUERY_BLOCKED},
    {"an IPv6 address", ITALY, QUERY,
     ANSWER("0001 0000 0000") AAAA("20010db8 0007 0000 0000 0000 0000 0001"), "NET",
     NODATA("0000003c"), QUERY_ANSWER, QUERY_BLOCKED},
    {"IPv4-mapped", ITALY, QUERY,
     ANSWER("0001 0000 0000") AAAA("00000000 00000000 0000ffff cb007107"), "NET",
     NODATA("0000003c"), QUERY_ANSWER, QUERY_BLOCKED},
    {"NAT64", ITALY, QUERY, ANSWER("0001 0000 0000") AAAA("0064ff9b 00000000 00000000 cb007107"),
     "NET", NODATA("0000003c"), QUERY_ANSWER, QUERY_BLOCKED},
    {"glue", ITALY, QUERY,
     ANSWER("0000 0001 0001") "04'test'00 0002 0001" REST
                              "0005 02'ns'c00e 02'ns'c00e 0001 0001" REST "0004 cb007107",
     NULL, NULL, QUERY_FORWARD, QUERY_NOT_LISTED},
    {"a hint", ITALY, QUERY_OF("0000", Q, "0041"),
     "abcd 8180 0001 0001 0000 0000" Q "0041 0001 c00c 0041 0001" REST
     "000b 0001 00 0004 0004 cb007107",
     "NET", "abcd 8180 0001 0000 0001 0000" Q "0041 0001" SOA("c00c", "0000003c"), QUERY_ANSWER,
     QUERY_BLOCKED},
    {"an address of class CH", ITALY, QUERY,
     ANSWER("0001 0000 0000") "c00c 0001 0003" REST "0004 cb007107", NULL, NULL, QUERY_FORWARD,
     QUERY_NOT_LISTED},

    {"the first link decides", ITALY, QUERY,
     ANSWER("0003 0000 0000") CNAME("000f", FINE) CNAME("0009", NX) CNAME("000a", BAD), "N",
     NODATA("0000001e"), QUERY_ANSWER, QUERY_BLOCKED},
    {"the other way round", ITALY, QUERY,
     ANSWER("0002 0000 0000") CNAME("000a", BAD) CNAME("0009", NX), "A", REFUSED, QUERY_ANSWER,
     QUERY_BLOCKED},
    {"cut behind a link", ITALY, QUERY, ANSWER("0002 0000 0000") CNAME("000a", BAD) "c00c 00", "A",
     REFUSED, QUERY_ANSWER, QUERY_BLOCKED},
    {"cut in front of it", ITALY, QUERY,
     ANSWER("0001 0000 0000") "c00c 0005 0001" REST "000a 03'ba'", NULL, NULL, QUERY_FORWARD,
     QUERY_ANSWER_CUT},
    {"cut with nothing in it", ITALY, QUERY, ANSWER("0002 0000 0000") A("c0000201"), NULL, NULL,
     QUERY_FORWARD, QUERY_ANSWER_CUT},
    {"TC=1", ITALY, QUERY, "abcd 8380 0001 0001 0000 0000" Q "0001 0001" CNAME("000a", BAD), "A",
     REFUSED, QUERY_ANSWER, QUERY_BLOCKED},
    {"NXDOMAIN behind an alias", ITALY, QUERY,
     "abcd 8183 0001 0001 0000 0000" Q "0001 0001" CNAME("000a", BAD), "A", REFUSED, QUERY_ANSWER,
     QUERY_BLOCKED},
};

static struct query_answer answer_of(const char *client, struct span query, struct span answer)
{
    struct query_answer result = {.query = query, .answer = answer};
    const char *code = strcmp(client, GERMANY) == 0 ? "DE" : "IT";
    ck_assert(address_parse(client, strlen(client), &result.client.address));
    ck_assert(country_parse(code, 2, &result.place.country));
    result.client.subject = result.client.address;
    return result;
}

START_TEST(answers_are_judged)
{
    install();
    for (size_t i = 0; i < ROWS(JUDGED); i++) {
        uint8_t bytes[3][WIRE_NOTATION_MAX];
        uint8_t out[BLOCK_ANSWER_MAX];
        const char *label = JUDGED[i].label;
        struct query_result result;
        struct query_env env = {.generation = generation, .now = NOW};
        struct query_answer answer =
            answer_of(JUDGED[i].client, wire_parse(JUDGED[i].query, bytes[0]),
                      wire_parse(JUDGED[i].answer, bytes[1]));
        query_answer_judge(&env, &answer, &result, out);
        ck_assert_msg(result.fate == JUDGED[i].fate, "%s: fate %d", label, (int)result.fate);
        ck_assert_msg(result.reason == JUDGED[i].reason, "%s: %d", label, (int)result.reason);
        if (JUDGED[i].order != NULL) {
            const char *id = policy_order(generation->policy, result.match.order)->id;
            ck_assert_msg(strcmp(id, JUDGED[i].order) == 0, "%s: %s", label, id);
        }
        if (JUDGED[i].octets != NULL) {
            struct span expected = wire_parse(JUDGED[i].octets, bytes[2]);
            ck_assert_msg(wire_equal((struct span){out, result.size}, expected), "%s: octets",
                          label);
        }
    }
    uninstall();
}
END_TEST

/* ---- Shadows ---- */

static void on_shadow(void *ctx, const struct policy_match *match)
{
    unsigned *told = ctx;
    ck_assert_int_eq(match->binding, POLICY_SHADOWS);
    ck_assert_str_eq(policy_order(generation->policy, match->order)->id, "SHADOW");
    (*told)++;
}

static const struct {
    const char *label;
    const char *query;
    const char *answer;
    unsigned told;
} SHADOWED[] = {
    {"once", QUERY, ANSWER("0001 0000 0000") CNAME("000d", SHADOW), 1},
    {"several links, one order", QUERY,
     ANSWER("0002 0000 0000") CNAME("000d", SHADOW) CNAME("000f", "01'a'" SHADOW), 1},
    {"beside one that blocks", QUERY,
     ANSWER("0002 0000 0000") CNAME("000d", SHADOW) CNAME("000a", BAD), 1},
    {"behind one that blocks", QUERY,
     ANSWER("0002 0000 0000") CNAME("000a", BAD) CNAME("000d", SHADOW), 0},
    {"counted for the question before", QUERY_OF("0000", SHADOW, "0001"),
     "abcd 8180 0001 0001 0000 0000" SHADOW "0001 0001" CNAME("000f", "01'a'" SHADOW), 0},
    {"none", QUERY, ANSWER("0001 0000 0000") A("c0000201"), 0},
};

START_TEST(shadows_are_told_of_once)
{
    install();
    for (size_t i = 0; i < ROWS(SHADOWED); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        uint8_t out[BLOCK_ANSWER_MAX];
        unsigned told = 0;
        struct query_result result;
        struct query_env env = {
            .generation = generation, .now = NOW, .on_shadow = on_shadow, .ctx = &told};
        struct query_answer answer = answer_of(ITALY, wire_parse(SHADOWED[i].query, bytes[0]),
                                               wire_parse(SHADOWED[i].answer, bytes[1]));
        query_answer_judge(&env, &answer, &result, out);
        ck_assert_msg(told == SHADOWED[i].told, "%s: %u", SHADOWED[i].label, told);
    }
    uninstall();
}
END_TEST

/* ---- Whose answers are judged ---- */

static const struct {
    const char *label;
    const char *client;
    const char *query;
    bool reads;
} READS[] = {
    {"Italy", ITALY, QUERY, true},
    {"a country whose orders do not look", GERMANY, QUERY, false},
    {"no order there", "2.33.7.1", QUERY, false},
    {"no country", "203.0.113.1", QUERY, false},
    {"a query without a question", ITALY, "abcd 0000 0000 0000 0000 0000", false},
    {"another opcode", ITALY, "abcd 2000 0001 0000 0000 0000" Q "0006 0001", false},
};

START_TEST(only_some_answers_are_read)
{
    install();
    struct geo_memo *memo = geo_memo_new(64);
    ck_assert_ptr_nonnull(memo);
    geo_memo_reset(memo, generation->db, generation->overrides);
    for (size_t i = 0; i < ROWS(READS); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        uint8_t out[BLOCK_ANSWER_MAX];
        struct query_result result;
        struct query_env env = {.generation = generation, .memo = memo, .now = NOW};
        struct span query = wire_parse(READS[i].query, bytes);
        struct query_answer client = answer_of(READS[i].client, query, query);
        query_judge(&env, &client.client, query, &result, out);
        ck_assert_int_eq(result.fate, QUERY_FORWARD);
        ck_assert_msg(result.reads_answer == READS[i].reads, "%s", READS[i].label);
    }
    geo_memo_free(memo);
    uninstall();
}
END_TEST

/* ---- The target of a CNAME ---- */

#define LED_QUERY(arcount, opt) "abcd 0110 0001 0000 0000" arcount LED "0001 0001" opt
#define LED_ANSWER(flags, counts) "abcd" flags "0001" counts LED "0001 0001"
#define TARGET(flags, counts) "1234" flags "0001" counts "04'page'04'test'00 0001 0001"
#define OUR_CNAME "c00c 0005 0001 0000003c 000b 04'page'04'test'00"
#define PAGE_A "04'page'04'test'00 0001 0001 00000e10 0004 c0000263"

/* octets: NULL if upstream's answer is none. */
static const struct {
    const char *label;
    const char *query;
    const char *upstream;
    const char *octets;
} COMPOSED[] = {
    {"an address", LED_QUERY("0000", ""),
     TARGET("81a0", "0001 0000 0000") "c00c 0001 0001 00000e10 0004 c0000263",
     LED_ANSWER("8190", "0002 0000 0000") OUR_CNAME PAGE_A},
    {"with OPT", LED_QUERY("0001", OPT),
     TARGET("8180", "0001 0000 0001") "c00c 0001 0001 00000e10 0004 c0000263" OPT,
     LED_ANSWER("8190", "0002 0000 0001") OUR_CNAME PAGE_A
     "00 0029 04d0 00000000 0033 000f 002f 0004 'Blocked by order CNAME of Tribunale di Milano'"},
    {"a chain", LED_QUERY("0000", ""),
     TARGET("8180", "0002 0000 0000") "c00c 0005 0001 00000e10 0004 01'x'c00c"
                                      "c027 0001 0001 00000e10 0004 c0000263",
     LED_ANSWER("8190", "0003 0000 0000") OUR_CNAME
     "04'page'04'test'00 0005 0001 00000e10 000d 01'x'04'page'04'test'00"
     "01'x'04'page'04'test'00 0001 0001 00000e10 0004 c0000263"},
    {"nobody there", LED_QUERY("0000", ""),
     TARGET("8183", "0000 0001 0000") "c011 0006 0001 0000003c 0018 c011 c00c"
                                      "00000001 00000002 00000003 00000004 00000005",
     LED_ANSWER("8193", "0001 0001 0000") OUR_CNAME
     "04'test'00 0006 0001 0000003c 0025 04'test'00 04'page'04'test'00"
     "00000001 00000002 00000003 00000004 00000005"},
    {"name servers and glue are left out", LED_QUERY("0000", ""),
     TARGET("8180", "0001 0001 0001") "c00c 0001 0001 00000e10 0004 c0000263"
                                      "c011 0002 0001 00000e10 0002 c00c c00c 0001 0001 00000e10 "
                                      "0004 c0000264",
     LED_ANSWER("8190", "0002 0000 0000") OUR_CNAME PAGE_A},
    {"back to the name itself", LED_QUERY("0000", ""),
     TARGET("8180", "0002 0000 0000") "c00c 0005 0001 00000e10 0008 05'CNAME'c011"
                                      "05'CNAME'c011 0001 0001 00000e10 0004 c0000263",
     LED_ANSWER("8190", "0002 0000 0000") OUR_CNAME
     "04'page'04'test'00 0005 0001 00000e10 000c 05'CNAME'04'test'00"},
    {"nothing blocks what the order leads to", LED_QUERY("0000", ""),
     TARGET("8180", "0002 0000 0000") "c00c 0005 0001 00000e10 0006 03'bad'c011"
                                      "03'bad'c011 0001 0001 00000e10 0004 cb007107",
     LED_ANSWER("8190", "0003 0000 0000") OUR_CNAME
     "04'page'04'test'00 0005 0001 00000e10 000a" BAD BAD "0001 0001 00000e10 0004 cb007107"},
    {"SERVFAIL", LED_QUERY("0000", ""), "1234 8182 0000 0000 0000 0000",
     LED_ANSWER("8192", "0001 0000 0000") OUR_CNAME},
    {"TC=1", LED_QUERY("0000", ""),
     TARGET("8380", "0001 0000 0000") "c00c 0001 0001 00000e10 0004 c0000263",
     LED_ANSWER("8390", "0000 0000 0000")},
    {"one that is cut", LED_QUERY("0000", ""), TARGET("8180", "0001 0000 0000") "c00c 0001", NULL},
    {"one in circles", LED_QUERY("0000", ""),
     TARGET("8180", "0001 0000 0000") "c00c 0005 0001 00000e10 0002 c027", NULL},
};

/* The match that led there. */
static struct policy_match led_match(struct span query)
{
    struct policy_match match;
    struct dname name;
    struct query_answer who = answer_of(ITALY, query, query);
    struct policy_client client = {
        .address = who.client.address, .country = who.place.country, .within = who.place.within};
    ck_assert(dname_decode(query.bytes + DNS_HEADER_SIZE, query.size - DNS_HEADER_SIZE, &name));
    struct policy_question question = {.qname = &name, .qtype = 1, .now = NOW};
    ck_assert_int_eq(policy_decide(generation->policy, &client, &question, &match, NULL, NULL),
                     POLICY_BLOCK);
    return match;
}

START_TEST(the_target_is_answered_behind_the_cname)
{
    install();
    for (size_t i = 0; i < ROWS(COMPOSED); i++) {
        uint8_t bytes[3][WIRE_NOTATION_MAX];
        uint8_t out[BLOCK_ANSWER_MAX];
        struct span_writer writer = span_writer(out, sizeof out);
        struct query_env env = {.generation = generation, .now = NOW};
        struct query_answer answer = answer_of(ITALY, wire_parse(COMPOSED[i].query, bytes[0]),
                                               wire_parse(COMPOSED[i].upstream, bytes[1]));
        struct policy_match match = led_match(answer.query);
        size_t size = query_answer_compose(&env, &answer, &match, &writer);
        ck_assert_msg((size == 0) == (COMPOSED[i].octets == NULL), "%s: %zu", COMPOSED[i].label,
                      size);
        if (size > 0) {
            struct span expected = wire_parse(COMPOSED[i].octets, bytes[2]);
            ck_assert_msg(wire_equal((struct span){out, size}, expected), "%s", COMPOSED[i].label);
        }
    }
    uninstall();
}
END_TEST

/* ---- What the path must not do ---- */

START_TEST(judging_does_not_touch_the_heap)
{
    static uint8_t bytes[ROWS(JUDGED)][2][512];
    static struct query_answer answers[ROWS(JUDGED)];
    install();
    for (size_t i = 0; i < ROWS(JUDGED); i++) {
        uint8_t parsed[2][WIRE_NOTATION_MAX];
        struct span query = wire_parse(JUDGED[i].query, parsed[0]);
        struct span answer = wire_parse(JUDGED[i].answer, parsed[1]);
        ck_assert(query.size <= sizeof bytes[i][0] && answer.size <= sizeof bytes[i][1]);
        memcpy(bytes[i][0], query.bytes, query.size);
        memcpy(bytes[i][1], answer.bytes, answer.size);
        answers[i] = answer_of(JUDGED[i].client, (struct span){bytes[i][0], query.size},
                               (struct span){bytes[i][1], answer.size});
    }
    uint8_t composed[2][WIRE_NOTATION_MAX];
    struct query_answer led = answer_of(ITALY, wire_parse(COMPOSED[0].query, composed[0]),
                                        wire_parse(COMPOSED[0].upstream, composed[1]));
    struct policy_match match = led_match(led.query);
    ck_assert_msg(heap_calls > 0, "they are not counted");
    unsigned before = heap_calls;
    for (size_t i = 0; i < ROWS(JUDGED); i++) {
        uint8_t out[BLOCK_ANSWER_MAX];
        struct query_result result;
        struct query_env env = {.generation = generation, .now = NOW};
        query_answer_judge(&env, &answers[i], &result, out);
        struct span_writer writer = span_writer(out, sizeof out);
        query_answer_compose(&env, &led, &match, &writer);
    }
    unsigned calls = heap_calls - before;
    ck_assert_uint_eq(calls, 0);
    uninstall();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query_answer");
    TCase *tcase = tcase_create("query_answer");
    tcase_add_test(tcase, answers_are_judged);
    tcase_add_test(tcase, shadows_are_told_of_once);
    tcase_add_test(tcase, only_some_answers_are_read);
    tcase_add_test(tcase, the_target_is_answered_behind_the_cname);
    if (COUNTS_HEAP) {
        tcase_add_test(tcase, judging_does_not_touch_the_heap);
    }
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
