/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The path of a query: each way that one can go (test/query_rows.h), what the result says beside
 * the answer, and what the path must not do: allocate, or call the system.
 */
#include "forwarder/query.h"

#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "forwarder/log.h"
#include "geo/geo_memo.h"
#include "test/address_text.h"
#include "test/generation_set.h"
#include "test/heap_count.h"
#include "test/query_rows.h"
#include "test/wire_notation.h"
#include "test/suite.h"

/* ---- The ways that queries take ---- */

static struct generation *generation;
static struct geo_memo *memo;

static void install(enum installation which)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    put_database("borders.mmdb");
    take_away("orders/IT/a.yaml");
    for (size_t i = 0; i < ROWS(ORDERS); i++) {
        char path[SCRATCH_PATH_MAX];
        snprintf(path, sizeof path, "orders/%s", ORDERS[i].path);
        put(path, ORDERS[i].yaml);
    }
    if (which == STRICT) {
        put("overrides.csv", "2.47.0.0/16,IT,,,\n");
        put("orders/IT/unknown.yaml",
            ORDER("UNKNOWN", "anywhere.example") "include-unknown: yes\n");
        configure(STRICT_CONFIG);
    }
    generation = load((struct load){.read_only = true});
    ck_assert_msg(generation != NULL && problems.errors == 0, "%s", problems_text());
    memo = geo_memo_new(64);
    ck_assert_ptr_nonnull(memo);
    geo_memo_reset(memo, generation->db, generation->overrides);
}

static void uninstall(void)
{
    geo_memo_free(memo);
    generation_free(generation);
    set_fini();
}

/* Judges a message, which lies at the end of its memory: reading on is an error of its own. */
static void judge(const char *client, const char *query, int64_t now, struct query_result *result,
                  uint8_t out[static BLOCK_ANSWER_MAX])
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct query_env env = {.generation = generation, .memo = memo, .now = now};
    struct query_client who = {.address = address_of(client), .subject = address_of(client)};
    struct span message = wire_parse(query, bytes);
    uint8_t *exact = malloc(message.size + 1);
    ck_assert_ptr_nonnull(exact);
    memcpy(exact + 1, message.bytes, message.size);
    query_judge(&env, &who, (struct span){exact + 1, message.size}, result, out);
    free(exact);
}

static void check_row(const struct row *row, int64_t now)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    uint8_t out[BLOCK_ANSWER_MAX];
    struct query_result result;
    judge(row->client, row->query, now, &result, out);
    ck_assert_msg(result.fate == row->fate, "%s: fate %d", row->label, (int)result.fate);
    ck_assert_msg(result.reason == row->reason, "%s: reason %d", row->label, (int)result.reason);
    ck_assert_msg(result.retry == row->retry, "%s: retry %d", row->label, (int)result.retry);
    if (row->fate == QUERY_ANSWER) {
        struct span expected = wire_parse(row->answer, bytes);
        ck_assert_msg(wire_equal((struct span){out, result.size}, expected), "%s: answer",
                      row->label);
    }
}

static void check_rows(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        check_row(&rows[i], NOW);
        check_row(&rows[i], NOW); /* now out of the memo */
    }
}

START_TEST(queries_take_their_way)
{
    install(PLAIN);
    check_rows(PLAIN_ROWS, ROWS(PLAIN_ROWS));
    uninstall();
}
END_TEST

START_TEST(queries_take_their_way_where_much_is_restricted)
{
    install(STRICT);
    check_rows(STRICT_ROWS, ROWS(STRICT_ROWS));
    uninstall();
}
END_TEST

START_TEST(orders_begin_and_end_at_their_second)
{
    install(PLAIN);
    for (size_t i = 0; i < ROWS(TIMES); i++) {
        check_row(&TIMES[i].row, TIMES[i].now);
    }
    uninstall();
}
END_TEST

/* ---- More than fate and answer ---- */

START_TEST(the_result_says_where_and_which_order)
{
    uint8_t out[BLOCK_ANSWER_MAX];
    struct query_result result;
    struct country italy;
    ck_assert(country_parse("IT", 2, &italy));
    install(PLAIN);
    judge(ITALY, QUERY(ASK, "0000") "03'www'" SEALED_NAME A, NOW, &result, out);
    ck_assert(result.located);
    ck_assert(country_index(result.place.country) == country_index(italy));
    ck_assert_str_eq(policy_order(generation->policy, result.match.order)->id, "SEALED");
    ck_assert_uint_eq(result.match.labels, 2);
    judge(ITALY, QUERY(ASK, "0002") DROP_NAME A OPT OPT, NOW, &result, out);
    ck_assert_str_eq(policy_order(generation->policy, result.match.order)->id, "DROP");
    judge(NOWHERE, QUERY(ASK, "0000") OTHER_NAME A, NOW, &result, out);
    ck_assert(result.located);
    ck_assert(country_index(result.place.country) == country_index(COUNTRY_UNKNOWN));
    uninstall();
}
END_TEST

/* Nothing is known of the client: not even an order with include-unknown binds it. */
START_TEST(a_lookup_that_fails_binds_nobody)
{
    uint8_t out[BLOCK_ANSWER_MAX];
    struct query_result result;
    install(STRICT);
    geo_memo_reset(memo, NULL, NULL);
    judge(NOWHERE, QUERY(ASK, "0000") ANYWHERE_NAME A, NOW, &result, out);
    ck_assert_int_eq(result.fate, QUERY_FORWARD);
    ck_assert_int_eq(result.reason, QUERY_NOT_IN_SCOPE);
    ck_assert(!result.located);
    judge(ITALY, QUERY(ASK, "0000") "c00c" A, NOW, &result, out);
    ck_assert_int_eq(result.fate, QUERY_FORWARD);
    ck_assert(!result.located);
    uninstall();
}
END_TEST

struct noted {
    unsigned count;
    size_t order;
};

static void on_shadow(void *ctx, const struct policy_match *match)
{
    struct noted *noted = ctx;
    if (match->binding == POLICY_SHADOWS) {
        noted->count++;
        noted->order = match->order;
    }
}

static const struct {
    const char *label;
    const char *client;
    const char *name;
    unsigned noted;
} SHADOWS[] = {
    {"alone", ITALY, SHADOW_NAME, 1},
    {"below", ITALY, "03'www'" SHADOW_NAME, 1},
    {"beside one that blocks", ITALY, REFUSED_NAME, 1},
    {"another name", ITALY, TOLD_NAME, 0},
    {"another country", GERMANY, SHADOW_NAME, 0},
    {"out of scope", SAN_MARINO, SHADOW_NAME, 0},
};

START_TEST(shadows_are_told_of)
{
    install(PLAIN);
    for (size_t i = 0; i < ROWS(SHADOWS); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        uint8_t out[BLOCK_ANSWER_MAX];
        char query[512];
        struct noted noted = {0};
        struct query_result result;
        struct query_env env = {.generation = generation,
                                .memo = memo,
                                .now = NOW,
                                .on_shadow = on_shadow,
                                .ctx = &noted};
        struct query_client who = {.address = address_of(SHADOWS[i].client),
                                   .subject = address_of(SHADOWS[i].client)};
        snprintf(query, sizeof query, "%s%s%s", QUERY(ASK, "0000"), SHADOWS[i].name, A);
        query_judge(&env, &who, wire_parse(query, bytes), &result, out);
        ck_assert_msg(noted.count == SHADOWS[i].noted, "%s: %u", SHADOWS[i].label, noted.count);
        if (noted.count > 0) {
            ck_assert_str_eq(policy_order(generation->policy, noted.order)->id, "SHADOW");
        }
    }
    uninstall();
}
END_TEST

/* A client cookie is answered with a server cookie, which depends on the address. */
START_TEST(cookies_are_made_for_the_client)
{
    static const char query[] =
        QUERY(ASK, "0001") SEALED_NAME A "00 0029 04d0 00000000 000c 000a 0008 2464c4abcf10c957";
    enum {
        COOKIE = DNS_HEADER_SIZE + 20 + 11 + 4,
        SIZE = 24
    }; /* where it is in the answer */
    uint8_t out[3][BLOCK_ANSWER_MAX];
    struct query_result result;
    install(PLAIN);
    judge(ITALY, query, NOW, &result, out[0]);
    ck_assert_uint_eq(result.size, COOKIE + SIZE + 6); /* and the EDE */
    ck_assert_mem_eq(out[0] + COOKIE, "\x24\x64\xc4\xab\xcf\x10\xc9\x57\x01", 9);
    judge(ITALY, query, NOW, &result, out[1]);
    ck_assert_mem_eq(out[1] + COOKIE, out[0] + COOKIE, SIZE);
    judge("2.32.0.2", query, NOW, &result, out[2]);
    ck_assert_mem_ne(out[2] + COOKIE, out[0] + COOKIE, SIZE);
    judge(ITALY6, query, NOW, &result, out[2]);
    ck_assert_mem_ne(out[2] + COOKIE, out[0] + COOKIE, SIZE);
    uninstall();
}
END_TEST

/* ---- Queries that upstream did not answer ---- */

static const struct {
    const char *label;
    const char *query;
    const char *answer;
} UNANSWERED[] = {
    {"a query", QUERY(ASK, "0000") OTHER_NAME A, "abcd 8182 0001 0000 0000 0000" OTHER_NAME A},
    {"with OPT", QUERY("0110", "0001") OTHER_NAME A OPT_DO,
     "abcd 8192 0001 0000 0000 0001" OTHER_NAME A OUR_OPT_DO("0006", "000f 0002 0017")},
    {"two OPTs", QUERY(ASK, "0002") OTHER_NAME A OPT OPT,
     "abcd 8182 0001 0000 0000 0001" OTHER_NAME A OUR_OPT("0006", "000f 0002 0017")},
    {"UPDATE", QUERY("2800", "0000") OTHER_NAME "0006 0001",
     "abcd a882 0001 0000 0000 0000" OTHER_NAME "0006 0001"},
    {"unreadable", QUERY(ASK, "0000") "c00c" A, HEADER_ONLY("8182")},
    {"two questions", "abcd 0100 0002 0000 0000 0000" OTHER_NAME A OTHER_NAME A,
     HEADER_ONLY("8182")},
    {"no question", HEADER_ONLY("0000"), HEADER_ONLY("8082")},
    {"no header", "abcd 0100 00", ""},
};

START_TEST(the_unanswered_get_servfail)
{
    install(PLAIN);
    for (size_t i = 0; i < ROWS(UNANSWERED); i++) {
        uint8_t bytes[2][WIRE_NOTATION_MAX];
        uint8_t out[BLOCK_ANSWER_MAX];
        struct query_env env = {.generation = generation, .memo = memo, .now = NOW};
        struct query_client who = {.address = address_of(SAN_MARINO),
                                   .subject = address_of(SAN_MARINO)};
        struct span expected = wire_parse(UNANSWERED[i].answer, bytes[1]);
        size_t size = query_unanswered(&env, &who, wire_parse(UNANSWERED[i].query, bytes[0]), out);
        ck_assert_msg(wire_equal((struct span){out, size}, expected), "%s", UNANSWERED[i].label);
    }
    uninstall();
}
END_TEST

/* ---- What the path must not do ---- */

/* All rows, as messages that are ready to be judged. */
struct ready {
    struct query_client client;
    size_t size;
    uint8_t bytes[512];
};

static struct ready ready[ROWS(PLAIN_ROWS)];

static void make_ready(void)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    for (size_t i = 0; i < ROWS(PLAIN_ROWS); i++) {
        struct span message = wire_parse(PLAIN_ROWS[i].query, bytes);
        ck_assert_uint_le(message.size, sizeof ready[i].bytes);
        ready[i].client.address = address_of(PLAIN_ROWS[i].client);
        ready[i].size = message.size;
        memcpy(ready[i].bytes, message.bytes, message.size);
    }
}

static void judge_all(void)
{
    uint8_t out[BLOCK_ANSWER_MAX];
    struct query_env env = {.generation = generation, .memo = memo, .now = NOW};
    for (size_t i = 0; i < ROWS(PLAIN_ROWS); i++) {
        struct query_result result;
        struct span message = {ready[i].bytes, ready[i].size};
        query_judge(&env, &ready[i].client, message, &result, out);
    }
}

START_TEST(judging_does_not_touch_the_heap)
{
    install(PLAIN);
    make_ready();
    ck_assert_msg(heap_calls > 0, "they are not counted");
    unsigned before = heap_calls;
    judge_all();
    unsigned calls = heap_calls - before;
    ck_assert_uint_eq(calls, 0);
    uninstall();
}
END_TEST

/* In a process that is killed by its first system call but those that end it. */
START_TEST(judging_makes_no_system_call)
{
    int status;
    install(PLAIN);
    make_ready();
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
            syscall(SYS_exit, 1);
        }
        judge_all();
        syscall(SYS_exit, 0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %d", status);
    uninstall();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query");
    TCase *tcase = tcase_create("query");
    tcase_add_test(tcase, queries_take_their_way);
    tcase_add_test(tcase, queries_take_their_way_where_much_is_restricted);
    tcase_add_test(tcase, orders_begin_and_end_at_their_second);
    tcase_add_test(tcase, the_result_says_where_and_which_order);
    tcase_add_test(tcase, a_lookup_that_fails_binds_nobody);
    tcase_add_test(tcase, shadows_are_told_of);
    tcase_add_test(tcase, cookies_are_made_for_the_client);
    tcase_add_test(tcase, the_unanswered_get_servfail);
    if (COUNTS_HEAP) {
        tcase_add_test(tcase, judging_does_not_touch_the_heap);
        tcase_add_test(tcase, judging_makes_no_system_call);
    }
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
