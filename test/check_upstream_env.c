/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Attempts under random IDs, and which messages count as answers to them.
 */
#include "forwarder/upstream/upstream_env.h"

#include "forwarder/upstream/upstream_counts.h"
#include "test/upstream_bench.h"
#include "test/suite.h"

static struct bench *bench;
static struct upstream_counts counts;

static void set_up(void)
{
    bench = bench_new(65536);
}

static void tear_down(void)
{
    ck_assert_uint_eq(counts.outstanding, 0);
    bench_free(bench);
}

static struct inflight_channel channel_new(void)
{
    struct inflight_channel channel;
    upstream_channel_init(&bench->env, &channel, NULL, &counts);
    return channel;
}

START_TEST(channels_are_told_apart)
{
    struct inflight_channel one = channel_new();
    struct inflight_channel two = channel_new();
    ck_assert_uint_ne(one.number, two.number);
    ck_assert_uint_eq(one.in_flight + two.in_flight, 0);
    ck_assert_ptr_eq(two.counts, &counts);
}
END_TEST

START_TEST(an_attempt_is_made_under_its_own_id)
{
    struct inflight_channel channel = channel_new();
    struct inflight_entry *entry = bench_add(bench, BENCH_QUERY("abcd"), false);
    uint16_t ids[INFLIGHT_ATTEMPTS];
    bench->clock.ms += 5;
    for (unsigned i = 0; i < INFLIGHT_ATTEMPTS; i++) {
        ck_assert(upstream_attempt(&bench->env, entry, &channel));
        ids[i] = dns_id(entry->message);
        ck_assert_ptr_eq(inflight_find(bench->env.inflight, &channel, ids[i]), entry);
        ck_assert_uint_eq(entry->asked_ms, bench->clock.ms);
    }
    /* Four times the same number is one chance in 2^48. */
    ck_assert(ids[0] != ids[1] || ids[1] != ids[2] || ids[2] != ids[3]);
    ck_assert_uint_eq(channel.in_flight, INFLIGHT_ATTEMPTS);
    ck_assert(!upstream_attempt(&bench->env, entry, &channel));
    inflight_take(bench->env.inflight, entry);
}
END_TEST

START_TEST(a_channel_without_free_ids_takes_none)
{
    struct inflight_channel channel = channel_new();
    struct inflight_channel other = channel_new();
    struct inflight_entry *last = bench_add(bench, BENCH_QUERY("abcd"), false);
    struct inflight_entry *entry = NULL;
    for (unsigned id = 0; id < 65536; id++) {
        if (entry == NULL || entry->attempt_count == INFLIGHT_ATTEMPTS) {
            entry = bench_add(bench, BENCH_QUERY("0000"), false);
        }
        if (!inflight_attempt(bench->env.inflight, entry, &channel, (uint16_t)id)) {
            ck_abort_msg("%u", id);
        }
    }
    ck_assert(!upstream_attempt(&bench->env, last, &channel));
    ck_assert_uint_eq(dns_id(last->message), 0xabcd);
    ck_assert_uint_eq(last->attempt_count, 0);
    ck_assert(upstream_attempt(&bench->env, last, &other));
    while ((entry = inflight_overdue(bench->env.inflight, UINT64_MAX)) != NULL) {
        inflight_take(bench->env.inflight, entry);
    }
    ck_assert_uint_eq(channel.in_flight, 0);
}
END_TEST

#define QUESTION "03'www'07'example'00 0001 0001"

/* Answers to BENCH_QUERY, behind an ID that waits. */
static const struct {
    const char *label;
    const char *message;
    bool matches;
} ANSWERS[] = {
    {"the question", "8180 0001 0000 0000 0000" QUESTION, true},
    {"letters in another case", "8180 0001 0000 0000 0000 03'WwW'07'eXample'00 0001 0001", true},
    {"records behind it",
     "8180 0001 0001 0000 0000" QUESTION "c00c 0001 0001 0000003c 0004 00000000", true},
    {"no question, an error", "8182 0000 0000 0000 0000", true},
    {"no question, no error", "8180 0000 0000 0000 0000", false},
    {"another name", "8180 0001 0000 0000 0000 03'wwv'07'example'00 0001 0001", false},
    {"a shorter name", "8180 0001 0000 0000 0000 07'example'00 0001 0001", false},
    {"another type", "8180 0001 0000 0000 0000 03'www'07'example'00 001c 0001", false},
    {"another class", "8180 0001 0000 0000 0000 03'www'07'example'00 0001 0003", false},
    {"a query", "0100 0001 0000 0000 0000" QUESTION, false},
    {"another opcode", "a180 0001 0000 0000 0000" QUESTION, false},
    {"two questions", "8180 0002 0000 0000 0000" QUESTION QUESTION, false},
    {"a cut question", "8180 0001 0000 0000 0000 03'www'07'exam'", false},
    {"a cut header", "8180 0001 0000 0000 00", false},
    {"no header", "", false},
};

START_TEST(an_answer_has_the_question_of_its_query)
{
    for (size_t i = 0; i < ROWS(ANSWERS); i++) {
        struct inflight_channel channel = channel_new();
        struct inflight_channel other = channel_new();
        struct inflight_entry *entry = bench_add(bench, BENCH_QUERY("abcd"), false);
        uint8_t bytes[2 + WIRE_NOTATION_MAX] = {0};
        ck_assert(upstream_attempt(&bench->env, entry, &channel));
        struct span rest = wire_parse(ANSWERS[i].message, bytes + 2);
        struct span message = {bytes, 2 + rest.size};
        uint64_t unmatched = bench_counter(bench, COUNTER_UNMATCHED);
        dns_set_id(bytes, dns_id(entry->message));
        struct inflight_entry *found = upstream_match(&bench->env, &channel, message);
        ck_assert_msg(found == (ANSWERS[i].matches ? entry : NULL), "%s", ANSWERS[i].label);
        ck_assert_ptr_null(upstream_match(&bench->env, &other, message));
        dns_set_id(bytes, (uint16_t)(dns_id(entry->message) + 1));
        ck_assert_ptr_null(upstream_match(&bench->env, &channel, message));
        ck_assert_uint_eq(bench_counter(bench, COUNTER_UNMATCHED) - unmatched,
                          ANSWERS[i].matches ? 2 : 3);
        inflight_take(bench->env.inflight, entry);
    }
}
END_TEST

START_TEST(an_id_alone_is_no_message)
{
    struct inflight_channel channel = channel_new();
    for (size_t size = 0; size < DNS_HEADER_SIZE; size++) {
        uint8_t *exact = malloc(size + 1); /* a read past the end is an error of its own */
        ck_assert_ptr_nonnull(exact);
        memset(exact, 0, size + 1);
        ck_assert_ptr_null(upstream_match(&bench->env, &channel, (struct span){exact + 1, size}));
        free(exact);
    }
}
END_TEST

/* Looks at the table while the answer is handed over. */
static void on_answer_in_table(void *ctx, const struct inflight_entry *entry, struct span answer)
{
    ck_assert_uint_eq(inflight_count(bench->env.inflight), 1);
    ck_assert_uint_eq(entry->attempt_count, 1);
    bench_on_answer(ctx, entry, answer);
}

START_TEST(an_answer_leaves_with_the_clients_id)
{
    struct inflight_channel channel = channel_new();
    struct inflight_entry *entry = bench_add(bench, BENCH_QUERY("abcd"), false);
    struct fake_message answer;
    ck_assert(upstream_attempt(&bench->env, entry, &channel));
    answer.size = entry->message_size;
    memcpy(answer.bytes, entry->message, answer.size);
    fake_answer(&answer);
    bench->env.events.on_answer = on_answer_in_table;
    upstream_deliver(&bench->env, entry,
                     (struct upstream_room){answer.bytes, answer.size, sizeof answer.bytes});
    ck_assert_uint_eq(bench->answers, 1);
    ck_assert_uint_eq(dns_id(bench->answer.bytes), 0xabcd);
    ck_assert_mem_eq(bench->answer.bytes + 2, answer.bytes + 2, answer.size - 2);
    ck_assert_uint_eq(inflight_count(bench->env.inflight), 0);
    ck_assert_uint_eq(channel.in_flight, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_env");
    TCase *tcase = tcase_create("upstream_env");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, channels_are_told_apart);
    tcase_add_test(tcase, an_attempt_is_made_under_its_own_id);
    tcase_add_test(tcase, a_channel_without_free_ids_takes_none);
    tcase_add_test(tcase, an_answer_has_the_question_of_its_query);
    tcase_add_test(tcase, an_id_alone_is_no_message);
    tcase_add_test(tcase, an_answer_leaves_with_the_clients_id);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
