/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * TCP towards one server: shared, pipelined, opened when there is need, and what becomes of the
 * queries of a connection that breaks, never comes up, or falls silent.
 */
#include "forwarder/upstream/upstream_stream.h"

#include "test/few_descriptors.h"
#include "test/upstream_bench.h"
#include "test/suite.h"

static struct bench *bench;
static struct fake_server server;
static struct upstream_streams *streams;

static unsigned broken; /* queries given back */
static bool broken_reached;
static bool ask_again; /* within the callback */

static void on_broken(void *ctx, struct inflight_entry *entry, struct upstream_server *of,
                      bool reached)
{
    ck_assert_ptr_eq(ctx, bench);
    ck_assert_ptr_null(of);
    ck_assert_uint_eq(entry->attempt_count, 0);
    broken++;
    broken_reached = reached;
    if (!ask_again || !upstream_streams_send(streams, entry)) {
        inflight_take(bench->env.inflight, entry);
    }
}

static void set_up(void)
{
    bench = bench_new(1024);
    broken = 0;
    ask_again = false;
    fake_server_open(&server);
    streams =
        upstream_streams_new(&bench->env, NULL, bench_target(bench, &server), on_broken, bench);
    ck_assert_ptr_nonnull(streams);
}

/* Queries that still wait are given back first. */
static void tear_down(void)
{
    ask_again = false;
    upstream_streams_free(streams);
    ck_assert_uint_eq(inflight_count(bench->env.inflight), 0);
    ck_assert_uint_eq(upstream_target_outstanding(bench->targets[0]), 0);
    fake_server_close(&server);
    bench_free(bench);
}

static struct inflight_entry *ask(const char *query)
{
    struct inflight_entry *entry = bench_add(bench, query, true);
    ck_assert(upstream_streams_send(streams, entry));
    return entry;
}

static void answer(int connection, struct fake_message *message)
{
    unsigned before = bench->answers;
    fake_answer(message);
    fake_stream_write(connection, bench->base, message);
    LOOP_UNTIL(bench->base, bench->answers == before + 1);
    ck_assert_uint_eq(bench->answer.size, message->size);
    ck_assert_mem_eq(bench->answer.bytes + 2, message->bytes + 2, message->size - 2);
}

START_TEST(one_connection_serves_many_in_any_order)
{
    struct fake_message one;
    struct fake_message two;
    ask(BENCH_QUERY("0001"));
    ask("0002 0100 0001 0000 0000 0000 03'two'00 0001 0001");
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &one));
    ck_assert(fake_stream_read(connection, bench->base, &two));
    answer(connection, &two);
    ck_assert_uint_eq(bench->client_id, 2);
    answer(connection, &one);
    ck_assert_uint_eq(bench->client_id, 1);
    ask(BENCH_QUERY("0003"));
    ck_assert(fake_stream_read(connection, bench->base, &one));
    answer(connection, &one);
    ck_assert_uint_eq(bench->client_id, 3);
    ck_assert(!loop_readable(server.tcp));
    ck_assert_uint_eq(broken, 0);
    close(connection);
}
END_TEST

START_TEST(an_answer_may_come_octet_by_octet)
{
    struct fake_message message;
    ask(BENCH_QUERY("0001"));
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    fake_answer(&message);
    uint8_t length[] = {0, (uint8_t)message.size};
    for (size_t i = 0; i < 2 + message.size; i++) {
        ck_assert_uint_eq(bench->answers, 0);
        ck_assert_int_eq(send(connection, i < 2 ? length + i : message.bytes + i - 2, 1, 0), 1);
        loop_round(bench->base);
    }
    LOOP_UNTIL(bench->base, bench->answers == 1);
    close(connection);
}
END_TEST

START_TEST(what_does_not_match_is_counted_and_passed_over)
{
    struct fake_message message;
    struct fake_message other;
    ask(BENCH_QUERY("0001"));
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    fake_stream_write(connection, bench->base, &message); /* QR=0 */
    other = message;
    other.bytes[0] ^= 0xff;
    fake_answer(&other);
    fake_stream_write(connection, bench->base, &other); /* another ID */
    other.size = 3;
    fake_stream_write(connection, bench->base, &other);
    other.size = 0;
    fake_stream_write(connection, bench->base, &other);
    LOOP_UNTIL(bench->base, bench_counter(bench, COUNTER_UNMATCHED) == 4);
    ck_assert_uint_eq(bench->answers, 0);
    answer(connection, &message);
    close(connection);
}
END_TEST

START_TEST(large_messages_pass_both_ways)
{
    static struct fake_message message;
    struct inflight_entry *entry;
    static uint8_t query[DNS_MESSAGE_MAX] = {0, 1, 1, 0, 0, 0};
    entry = inflight_add(bench->env.inflight, (struct span){query, sizeof query}, 0);
    ck_assert_ptr_nonnull(entry);
    ck_assert(upstream_streams_send(streams, entry));
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    ck_assert_uint_eq(message.size, sizeof query);
    answer(connection, &message);
    close(connection);
}
END_TEST

START_TEST(more_connections_are_opened_while_all_are_busy)
{
    int connections[UPSTREAM_STREAMS];
    struct fake_message message;
    for (unsigned i = 0; i < UPSTREAM_STREAMS * UPSTREAM_STREAM_BUSY + 3; i++) {
        ask(BENCH_QUERY("0001"));
    }
    for (unsigned i = 0; i < UPSTREAM_STREAMS; i++) {
        connections[i] = fake_server_accept(&server, bench->base);
        for (unsigned j = 0; j < UPSTREAM_STREAM_BUSY; j++) {
            ck_assert(fake_stream_read(connections[i], bench->base, &message));
        }
    }
    loop_for(bench->base, 20);
    ck_assert_msg(!loop_readable(server.tcp), "no more than UPSTREAM_STREAMS");
    for (unsigned i = 0; i < UPSTREAM_STREAMS; i++) {
        close(connections[i]);
    }
}
END_TEST

START_TEST(queries_of_a_broken_connection_are_given_back)
{
    struct fake_message message;
    ask(BENCH_QUERY("0001"));
    ask(BENCH_QUERY("0002"));
    ask(BENCH_QUERY("0003"));
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    fake_answer(&message); /* an answer right before the end counts */
    fake_stream_write(connection, bench->base, &message);
    shutdown(connection, SHUT_WR);
    LOOP_UNTIL(bench->base, broken == 2);
    ck_assert(broken_reached);
    ck_assert_uint_eq(bench->answers, 1);
    ck_assert_uint_eq(bench->client_id, 1);
    ck_assert_uint_eq(upstream_target_outstanding(bench->targets[0]), 0);
    close(connection);
}
END_TEST

START_TEST(a_query_given_back_may_be_sent_again_at_once)
{
    struct fake_message message;
    ask_again = true;
    ask(BENCH_QUERY("0001"));
    ask(BENCH_QUERY("0002"));
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    close(connection); /* unread octets: a reset */
    LOOP_UNTIL(bench->base, broken == 2);
    connection = fake_server_accept(&server, bench->base);
    for (unsigned i = 0; i < 2; i++) {
        ck_assert(fake_stream_read(connection, bench->base, &message));
        answer(connection, &message);
    }
    close(connection);
}
END_TEST

START_TEST(a_refused_connection_was_never_reached)
{
    fake_server_close(&server);
    ask(BENCH_QUERY("0001"));
    LOOP_UNTIL(bench->base, broken == 1);
    ck_assert(!broken_reached);
}
END_TEST

START_TEST(without_descriptors_nobody_is_asked)
{
    struct inflight_entry *entry = bench_add(bench, BENCH_QUERY("abcd"), true);
    struct rlimit before = few_descriptors(0);
    ck_assert(!upstream_streams_send(streams, entry));
    ck_assert_uint_eq(entry->attempt_count, 0);
    ck_assert_uint_eq(dns_id(entry->message), 0xabcd);
    loop_for(bench->base, 10);
    enough_descriptors(before);
    ck_assert(upstream_streams_send(streams, entry));
}
END_TEST

/* Another server can be asked, or none. */
static const struct {
    size_t servers;
    unsigned after_ms;
} HANGING[] = {{2, 100}, {1, 400}};

START_TEST(a_connection_that_does_not_come_up_is_given_up)
{
    int fillers[FAKE_FILLERS];
    bench->config.retry_after_ms = 100;
    bench->config.timeout_ms = 400;
    bench->env.servers = HANGING[_i].servers;
    fake_server_fill(&server, fillers);
    loop_for(bench->base, 20);
    uint64_t began = loop_now_ms();
    ask(BENCH_QUERY("0001"));
    LOOP_UNTIL(bench->base, broken == 1);
    ck_assert(!broken_reached);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + HANGING[_i].after_ms);
    fake_server_empty(fillers);
}
END_TEST

/* The worker was kept from running for longer than a connection may take. */
START_TEST(a_connection_that_came_up_unnoticed_is_used)
{
    struct fake_message message;
    bench->config.retry_after_ms = 10;
    bench->env.servers = 2;
    ask(BENCH_QUERY("0001"));
    usleep(50000);
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    answer(connection, &message);
    ck_assert_uint_eq(broken, 0);
    close(connection);
}
END_TEST

START_TEST(a_silent_connection_gets_no_more_queries)
{
    struct fake_message message;
    struct inflight_entry *one = ask(BENCH_QUERY("0001"));
    struct inflight_entry *two = ask(BENCH_QUERY("0002"));
    int silent = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(silent, bench->base, &message));
    ck_assert(fake_stream_read(silent, bench->base, &message));
    upstream_streams_give_up(one);
    inflight_take(bench->env.inflight, one);

    ask(BENCH_QUERY("0003"));
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    answer(connection, &message);
    ck_assert_uint_eq(bench->client_id, 3);

    ck_assert(!loop_readable(silent)); /* the second query may still be answered there */
    upstream_streams_give_up(two);
    inflight_take(bench->env.inflight, two);
    ck_assert_msg(!fake_stream_read(silent, bench->base, &message), "closed when empty");
    ck_assert(!loop_readable(connection));
    ck_assert_uint_eq(broken, 0);
    close(silent);
    close(connection);
}
END_TEST

START_TEST(a_silent_connection_may_still_answer)
{
    struct fake_message message;
    struct inflight_entry *one = ask(BENCH_QUERY("0001"));
    ask(BENCH_QUERY("0002"));
    int silent = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(silent, bench->base, &message));
    ck_assert(fake_stream_read(silent, bench->base, &message));
    upstream_streams_give_up(one);
    inflight_take(bench->env.inflight, one);
    answer(silent, &message);
    ck_assert_uint_eq(bench->client_id, 2);
    ck_assert_msg(!fake_stream_read(silent, bench->base, &message), "closed when empty");
    close(silent);
}
END_TEST

/* One slow name does not make the connection a silent one. */
START_TEST(a_connection_that_answers_others_stays_in_use)
{
    struct fake_message slow;
    struct fake_message message;
    struct inflight_entry *entry = ask(BENCH_QUERY("0001"));
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &slow));
    loop_for(bench->base, 5);
    ask(BENCH_QUERY("0002"));
    ck_assert(fake_stream_read(connection, bench->base, &message));
    answer(connection, &message);
    upstream_streams_give_up(entry);
    inflight_take(bench->env.inflight, entry);
    fake_answer(&slow); /* too late */
    fake_stream_write(connection, bench->base, &slow);
    LOOP_UNTIL(bench->base, bench_counter(bench, COUNTER_UNMATCHED) == 1);
    ask(BENCH_QUERY("0003"));
    ck_assert(fake_stream_read(connection, bench->base, &message));
    answer(connection, &message);
    ck_assert(!loop_readable(server.tcp));
    close(connection);
}
END_TEST

START_TEST(a_query_is_given_up_before_the_connection_is_up)
{
    struct fake_message message;
    struct inflight_entry *entry = ask(BENCH_QUERY("0001"));
    upstream_streams_give_up(entry);
    inflight_take(bench->env.inflight, entry);
    int connection = fake_server_accept(&server, bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message)); /* it was queued already */
    ck_assert_msg(!fake_stream_read(connection, bench->base, &message), "nobody needs it");
    ck_assert_uint_eq(broken, 0);
    close(connection);
}
END_TEST

START_TEST(what_waits_at_the_end_is_given_back)
{
    ask(BENCH_QUERY("0001"));
    ask(BENCH_QUERY("0002"));
    int connection = fake_server_accept(&server, bench->base);
    loop_for(bench->base, 5);
    upstream_streams_free(streams);
    streams = NULL;
    ck_assert_uint_eq(broken, 2);
    close(connection);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_stream");
    TCase *tcase = tcase_create("upstream_stream");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, one_connection_serves_many_in_any_order);
    tcase_add_test(tcase, an_answer_may_come_octet_by_octet);
    tcase_add_test(tcase, what_does_not_match_is_counted_and_passed_over);
    tcase_add_test(tcase, large_messages_pass_both_ways);
    tcase_add_test(tcase, more_connections_are_opened_while_all_are_busy);
    tcase_add_test(tcase, queries_of_a_broken_connection_are_given_back);
    tcase_add_test(tcase, a_query_given_back_may_be_sent_again_at_once);
    tcase_add_test(tcase, a_refused_connection_was_never_reached);
    tcase_add_test(tcase, without_descriptors_nobody_is_asked);
    tcase_add_loop_test(tcase, a_connection_that_does_not_come_up_is_given_up, 0,
                        sizeof HANGING / sizeof HANGING[0]);
    tcase_add_test(tcase, a_connection_that_came_up_unnoticed_is_used);
    tcase_add_test(tcase, a_silent_connection_gets_no_more_queries);
    tcase_add_test(tcase, a_silent_connection_may_still_answer);
    tcase_add_test(tcase, a_connection_that_answers_others_stays_in_use);
    tcase_add_test(tcase, a_query_is_given_up_before_the_connection_is_up);
    tcase_add_test(tcase, what_waits_at_the_end_is_given_back);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
