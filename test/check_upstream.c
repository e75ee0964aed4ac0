/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which server is asked, when the next one is asked too, when a query is given up, and how servers
 * come and go.
 */
#include "forwarder/upstream/upstream.h"

#include "test/upstream_bench.h"
#include "test/suite.h"

#define SERVERS 3

static struct bench *bench;
static struct fake_server servers[SERVERS];
static struct upstream *upstream;
static struct upstream_set *sets[8];
static size_t set_count;

/* The servers with these numbers, in this order, are the set from now on. */
static void adopt(const char *numbers)
{
    struct upstream_target *targets[SERVERS];
    size_t count = strlen(numbers);
    for (size_t i = 0; i < count; i++) {
        targets[i] = bench->targets[numbers[i] - '0'];
    }
    struct upstream_set *set = upstream_set_new(set_count + 1, targets, count);
    ck_assert_ptr_nonnull(set);
    sets[set_count++] = set;
    upstream_adopt(upstream, set);
}

static void set_up(void)
{
    bench = bench_new(64);
    set_count = 0;
    for (size_t i = 0; i < SERVERS; i++) {
        fake_server_open(&servers[i]);
        bench_target(bench, &servers[i]);
    }
    upstream = upstream_new(&bench->env);
    ck_assert_ptr_nonnull(upstream);
}

static void tear_down(void)
{
    upstream_free(upstream);
    for (size_t i = 0; i < set_count; i++) {
        upstream_set_free(sets[i]);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        fake_server_close(&servers[i]);
    }
    bench_free(bench);
}

static void set_down(size_t server, bool down)
{
    atomic_store(&bench->targets[server]->up, !down);
}

static struct inflight_entry *ask(const char *query, bool stream)
{
    struct inflight_entry *entry = bench_add(bench, query, stream);
    ck_assert(upstream_ask(upstream, entry));
    upstream_flush(upstream);
    return entry;
}

static void give_back(size_t server, struct fake_message *message)
{
    unsigned before = bench->answers;
    fake_answer(message);
    fake_server_send(&servers[server], message);
    LOOP_UNTIL(bench->base, bench->answers == before + 1);
}

/* ---- Which server ---- */

START_TEST(without_servers_nobody_is_asked)
{
    struct address client = {{0}};
    struct inflight_entry *entry = bench_add(bench, BENCH_QUERY("0001"), false);
    ck_assert(!upstream_ask(upstream, entry));
    ck_assert_ptr_null(upstream_choose(upstream, &client, NULL));
    adopt("");
    ck_assert(!upstream_ask(upstream, entry));
    upstream_flush(upstream);
    inflight_take(bench->env.inflight, entry);
}
END_TEST

/* Which servers are down, and who is the first then. */
static const struct {
    const char *down;
    int chosen;
} FIRST[] = {
    {"", 2}, {"0", 2}, {"2", 0}, {"20", 1}, {"201", 2},
};

START_TEST(first_takes_the_first_that_is_up)
{
    struct address client = {{0}};
    bench->config.balance = CONFIG_BALANCE_FIRST;
    adopt("201");
    for (size_t i = 0; i < sizeof FIRST / sizeof FIRST[0]; i++) {
        for (size_t j = 0; j < SERVERS; j++) {
            set_down(j, strchr(FIRST[i].down, '0' + (int)j) != NULL);
        }
        for (unsigned j = 0; j < 3; j++) {
            ck_assert_msg(upstream_choose(upstream, &client, NULL) ==
                              bench->targets[FIRST[i].chosen],
                          "down: %s", FIRST[i].down);
        }
    }
}
END_TEST

START_TEST(another_server_is_chosen_if_there_is_one)
{
    struct address client = {{0}};
    bench->config.balance = CONFIG_BALANCE_FIRST;
    adopt("01");
    ck_assert_ptr_eq(upstream_choose(upstream, &client, bench->targets[0]), bench->targets[1]);
    ck_assert_ptr_eq(upstream_choose(upstream, &client, bench->targets[1]), bench->targets[0]);
    set_down(1, true);
    ck_assert_ptr_eq(upstream_choose(upstream, &client, bench->targets[0]), bench->targets[0]);
    adopt("0");
    ck_assert_ptr_eq(upstream_choose(upstream, &client, bench->targets[0]), bench->targets[0]);
}
END_TEST

START_TEST(the_least_busy_is_chosen_and_equals_take_turns)
{
    unsigned asked[SERVERS] = {0};
    bench->config.balance = CONFIG_BALANCE_LEAST_OUTSTANDING;
    adopt("012");
    for (unsigned i = 0; i < 30; i++) {
        ask(BENCH_QUERY("0001"), false);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        ck_assert_uint_eq(upstream_target_outstanding(bench->targets[i]), 10);
    }
    for (unsigned i = 0; i < 12; i++) { /* answered at once: nobody is busier than the others */
        struct address client = {{0}};
        struct upstream_target *target = upstream_choose(upstream, &client, NULL);
        for (size_t j = 0; j < SERVERS; j++) {
            asked[j] += target == bench->targets[j];
        }
    }
    ck_assert_uint_eq(asked[0], 4);
    ck_assert_uint_eq(asked[1], 4);
    atomic_fetch_add(&upstream_target_counts(bench->targets[0], 0)->outstanding, 1);
    atomic_fetch_add(&upstream_target_counts(bench->targets[2], 0)->outstanding, 1);
    for (unsigned i = 0; i < SERVERS; i++) {
        struct address client = {{0}};
        ck_assert_ptr_eq(upstream_choose(upstream, &client, NULL), bench->targets[1]);
    }
    atomic_fetch_sub(&upstream_target_counts(bench->targets[0], 0)->outstanding, 1);
    atomic_fetch_sub(&upstream_target_counts(bench->targets[2], 0)->outstanding, 1);
}
END_TEST

static struct upstream_target *choose_for(unsigned client)
{
    struct address address = {{[10] = 0xff,
                               [11] = 0xff,
                               [12] = 192,
                               [14] = (uint8_t)(client >> 8),
                               [15] = (uint8_t)client}};
    return upstream_choose(upstream, &address, NULL);
}

START_TEST(a_client_stays_with_its_server)
{
    struct upstream_target *chosen[1000];
    unsigned share[SERVERS] = {0};
    bench->config.balance = CONFIG_BALANCE_CLIENT_HASH;
    adopt("012");
    for (unsigned i = 0; i < 1000; i++) {
        chosen[i] = choose_for(i);
        for (size_t j = 0; j < SERVERS; j++) {
            share[j] += chosen[i] == bench->targets[j];
        }
        ck_assert_ptr_eq(choose_for(i), chosen[i]);
    }
    for (size_t i = 0; i < SERVERS; i++) {
        ck_assert_uint_gt(share[i], 250);
    }
    set_down(1, true);
    for (unsigned i = 0; i < 1000; i++) { /* only who lost its server moves */
        struct upstream_target *target = choose_for(i);
        ck_assert_ptr_ne(target, bench->targets[1]);
        ck_assert(target == chosen[i] || chosen[i] == bench->targets[1]);
    }
    set_down(1, false);
    adopt("210"); /* their order does not matter */
    for (unsigned i = 0; i < 1000; i++) {
        ck_assert_ptr_eq(choose_for(i), chosen[i]);
    }
}
END_TEST

/* ---- Datagrams ---- */

START_TEST(the_next_server_is_asked_too_and_the_first_answer_wins)
{
    struct fake_message first;
    struct fake_message second;
    bench->config.balance = CONFIG_BALANCE_FIRST;
    bench->config.retry_after_ms = 100;
    adopt("01");
    uint64_t began = loop_now_ms();
    ask(BENCH_QUERY("0001"), false);
    fake_server_receive(&servers[0], bench->base, &first);
    fake_server_receive(&servers[1], bench->base, &second);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + bench->config.retry_after_ms);
    ck_assert_uint_eq(bench_counter(bench, COUNTER_RETRIED), 1);
    give_back(0, &first); /* the attempt before stays valid */
    fake_answer(&second);
    fake_server_send(&servers[1], &second);
    LOOP_UNTIL(bench->base, bench_counter(bench, COUNTER_UNMATCHED) == 1);
    ck_assert_uint_eq(bench->answers, 1);
    ck_assert_uint_eq(bench->unanswered, 0);
    ck_assert(!loop_readable(servers[2].udp));
}
END_TEST

START_TEST(each_server_is_asked_once_and_then_the_query_is_given_up)
{
    struct fake_message message;
    bench->config.retry_after_ms = 100;
    bench->config.timeout_ms = 1000;
    adopt("012");
    uint64_t began = loop_now_ms();
    ask(BENCH_QUERY("0001"), false);
    LOOP_UNTIL(bench->base, bench->unanswered == 1);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + bench->config.timeout_ms);
    ck_assert_uint_eq(bench->client_id, 1);
    for (size_t i = 0; i < SERVERS; i++) {
        fake_server_receive(&servers[i], bench->base, &message);
        ck_assert_msg(!loop_readable(servers[i].udp), "server %zu", i);
    }
    ck_assert_uint_eq(bench_counter(bench, COUNTER_RETRIED), 2);
    ck_assert_uint_eq(inflight_count(bench->env.inflight), 0);
    fake_answer(&message);
    fake_server_send(&servers[2], &message);
    LOOP_UNTIL(bench->base, bench_counter(bench, COUNTER_UNMATCHED) == 1);
}
END_TEST

START_TEST(what_may_not_be_asked_twice_is_asked_once)
{
    struct fake_message message;
    bench->config.balance = CONFIG_BALANCE_FIRST;
    bench->config.retry_after_ms = 50;
    bench->config.timeout_ms = 300;
    adopt("01");
    ask("0001 2800 0001 0000 0000 0000 03'www'00 0006 0001", false); /* UPDATE */
    LOOP_UNTIL(bench->base, bench->unanswered == 1);
    fake_server_receive(&servers[0], bench->base, &message);
    ck_assert(!loop_readable(servers[0].udp));
    ck_assert(!loop_readable(servers[1].udp));
}
END_TEST

/* The timer stands at the end of a query that is asked once; a later one is retried before. */
START_TEST(a_retry_does_not_wait_for_an_earlier_query)
{
    struct fake_message message;
    bench->config.balance = CONFIG_BALANCE_FIRST;
    bench->config.retry_after_ms = 100;
    adopt("01");
    ask(BENCH_QUERY("0001"), true);
    uint64_t began = loop_now_ms();
    ask(BENCH_QUERY("0002"), false);
    fake_server_receive(&servers[1], bench->base, &message);
    ck_assert_uint_lt(loop_now_ms(), began + bench->config.timeout_ms / 2);
}
END_TEST

START_TEST(deadlines_hold_for_one_query_after_the_other)
{
    adopt("0");
    for (unsigned i = 0; i < 3; i++) {
        uint64_t began = loop_now_ms();
        bench->config.timeout_ms = 60;
        ask(BENCH_QUERY("0001"), false);
        LOOP_UNTIL(bench->base, bench->unanswered == i + 1);
        ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + 60);
    }
}
END_TEST

/* ---- Streams ---- */

START_TEST(a_query_of_a_stream_goes_over_a_stream)
{
    struct fake_message message;
    adopt("0");
    ask(BENCH_QUERY("0001"), true);
    int connection = fake_server_accept(&servers[0], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    ck_assert(!loop_readable(servers[0].udp));
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, bench->answers == 1);
    ck_assert_uint_eq(dns_id(bench->answer.bytes), 1);
    close(connection);
}
END_TEST

START_TEST(a_stream_waits_for_its_server)
{
    struct fake_message message;
    bench->config.balance = CONFIG_BALANCE_FIRST;
    bench->config.timeout_ms = 300;
    adopt("01");
    ask(BENCH_QUERY("0001"), true);
    int connection = fake_server_accept(&servers[0], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    LOOP_UNTIL(bench->base, bench->unanswered == 1);
    ck_assert(!loop_readable(servers[1].tcp));
    ck_assert_msg(!fake_stream_read(connection, bench->base, &message), "silent: closed");
    close(connection);
}
END_TEST

START_TEST(a_server_that_refuses_costs_nothing)
{
    struct fake_message message;
    bench->config.balance = CONFIG_BALANCE_FIRST;
    adopt("01");
    fake_server_close(&servers[0]);
    ask("0001 2800 0001 0000 0000 0000 03'www'00 0006 0001", true); /* UPDATE: never seen there */
    int connection = fake_server_accept(&servers[1], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    ck_assert_uint_eq(bench_counter(bench, COUNTER_RETRIED), 1);
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, bench->answers == 1);
    close(connection);
}
END_TEST

START_TEST(nobody_left_to_connect_to_is_told_at_once)
{
    adopt("01");
    fake_server_close(&servers[0]);
    fake_server_close(&servers[1]);
    uint64_t began = loop_now_ms();
    ask(BENCH_QUERY("0001"), true);
    LOOP_UNTIL(bench->base, bench->unanswered == 1);
    ck_assert_uint_lt(loop_now_ms(), began + bench->config.timeout_ms);
}
END_TEST

/* The server takes connections and closes them once it has seen a query. */
START_TEST(a_connection_that_breaks_is_tried_again_but_not_for_ever)
{
    struct fake_message message;
    adopt("0");
    ask(BENCH_QUERY("0001"), true);
    for (unsigned i = 0; i < UPSTREAM_TRIES; i++) {
        int connection = fake_server_accept(&servers[0], bench->base);
        ck_assert(fake_stream_read(connection, bench->base, &message));
        ck_assert_uint_eq(bench->unanswered, 0);
        close(connection);
    }
    LOOP_UNTIL(bench->base, bench->unanswered == 1);
    ck_assert(!loop_readable(servers[0].tcp));
}
END_TEST

/* Those who stand still for want of room in the table must be told. */
START_TEST(the_end_of_a_batch_is_told_when_a_connection_breaks)
{
    struct fake_message message;
    adopt("0");
    ask("0001 2800 0001 0000 0000 0000 03'www'00 0006 0001", true); /* UPDATE */
    int connection = fake_server_accept(&servers[0], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    unsigned batches = bench->batches;
    close(connection);
    LOOP_UNTIL(bench->base, bench->unanswered == 1);
    loop_round(bench->base);
    ck_assert_uint_gt(bench->batches, batches);
}
END_TEST

START_TEST(an_update_is_not_sent_twice)
{
    struct fake_message message;
    adopt("01");
    ask("0001 2800 0001 0000 0000 0000 03'www'00 0006 0001", true);
    LOOP_UNTIL(bench->base, loop_readable(servers[0].tcp) || loop_readable(servers[1].tcp));
    size_t asked = loop_readable(servers[0].tcp) ? 0 : 1;
    int connection = fake_server_accept(&servers[asked], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    close(connection);
    LOOP_UNTIL(bench->base, bench->unanswered == 1);
    ck_assert(!loop_readable(servers[0].tcp) && !loop_readable(servers[1].tcp));
}
END_TEST

/* ---- Sets ---- */

START_TEST(a_server_is_left_when_its_last_query_is_done)
{
    struct fake_message message;
    bench->config.balance = CONFIG_BALANCE_FIRST;
    adopt("0");
    ck_assert_uint_eq(atomic_load(&bench->oldest_set), 1);
    ask(BENCH_QUERY("0001"), false);
    ask(BENCH_QUERY("0002"), true);
    fake_server_receive(&servers[0], bench->base, &message);
    int connection = fake_server_accept(&servers[0], bench->base);
    adopt("1");
    ck_assert_uint_eq(atomic_load(&bench->oldest_set), 1);
    give_back(0, &message);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, bench->answers == 2);
    adopt("1");
    ck_assert_uint_eq(atomic_load(&bench->oldest_set), 3);
    ck_assert_msg(!fake_stream_read(connection, bench->base, &message), "its streams are closed");
    close(connection);
    ask(BENCH_QUERY("0003"), false);
    fake_server_receive(&servers[1], bench->base, &message);
    ck_assert(!loop_readable(servers[0].udp));
}
END_TEST

START_TEST(a_server_in_both_sets_keeps_its_sockets)
{
    struct fake_message message;
    adopt("01");
    ask(BENCH_QUERY("0001"), true);
    LOOP_UNTIL(bench->base, loop_readable(servers[0].tcp) || loop_readable(servers[1].tcp));
    size_t asked = loop_readable(servers[0].tcp) ? 0 : 1;
    int connection = fake_server_accept(&servers[asked], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    adopt("10");
    ck_assert_uint_eq(atomic_load(&bench->oldest_set), 2);
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, bench->answers == 1);
    close(connection);
}
END_TEST

START_TEST(a_server_that_comes_back_is_taken_up_again)
{
    struct fake_message message;
    adopt("0");
    ask(BENCH_QUERY("0001"), false);
    adopt("1");
    adopt("0");
    ck_assert_uint_eq(atomic_load(&bench->oldest_set), 3);
    fake_server_receive(&servers[0], bench->base, &message);
    give_back(0, &message);
}
END_TEST

/* A retry goes to the servers of the newer set. */
START_TEST(a_query_outlives_its_set)
{
    struct fake_message message;
    bench->config.balance = CONFIG_BALANCE_FIRST;
    bench->config.retry_after_ms = 100;
    adopt("01");
    ask(BENCH_QUERY("0001"), false);
    fake_server_receive(&servers[0], bench->base, &message);
    adopt("2");
    fake_server_receive(&servers[2], bench->base, &message);
    give_back(2, &message);
    ck_assert(!loop_readable(servers[1].udp));
}
END_TEST

START_TEST(streams_that_wait_at_the_end_are_told)
{
    struct fake_message message;
    adopt("01");
    ask(BENCH_QUERY("0001"), true);
    ask(BENCH_QUERY("0002"), true);
    LOOP_UNTIL(bench->base, loop_readable(servers[0].tcp));
    int connection = fake_server_accept(&servers[0], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, &message));
    upstream_free(upstream);
    upstream = NULL;
    ck_assert_uint_eq(bench->unanswered, 2);
    close(connection);
}
END_TEST

static void add_choosing(Suite *suite)
{
    TCase *tcase = tcase_create("choosing");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, without_servers_nobody_is_asked);
    tcase_add_test(tcase, first_takes_the_first_that_is_up);
    tcase_add_test(tcase, another_server_is_chosen_if_there_is_one);
    tcase_add_test(tcase, the_least_busy_is_chosen_and_equals_take_turns);
    tcase_add_test(tcase, a_client_stays_with_its_server);
    suite_add_tcase(suite, tcase);
}

static void add_asking(Suite *suite)
{
    TCase *tcase = tcase_create("asking");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_next_server_is_asked_too_and_the_first_answer_wins);
    tcase_add_test(tcase, each_server_is_asked_once_and_then_the_query_is_given_up);
    tcase_add_test(tcase, what_may_not_be_asked_twice_is_asked_once);
    tcase_add_test(tcase, a_retry_does_not_wait_for_an_earlier_query);
    tcase_add_test(tcase, deadlines_hold_for_one_query_after_the_other);
    tcase_add_test(tcase, a_query_of_a_stream_goes_over_a_stream);
    tcase_add_test(tcase, a_stream_waits_for_its_server);
    tcase_add_test(tcase, a_server_that_refuses_costs_nothing);
    tcase_add_test(tcase, nobody_left_to_connect_to_is_told_at_once);
    tcase_add_test(tcase, a_connection_that_breaks_is_tried_again_but_not_for_ever);
    tcase_add_test(tcase, the_end_of_a_batch_is_told_when_a_connection_breaks);
    tcase_add_test(tcase, an_update_is_not_sent_twice);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
}

static void add_sets(Suite *suite)
{
    TCase *tcase = tcase_create("sets");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_server_is_left_when_its_last_query_is_done);
    tcase_add_test(tcase, a_server_in_both_sets_keeps_its_sockets);
    tcase_add_test(tcase, a_server_that_comes_back_is_taken_up_again);
    tcase_add_test(tcase, a_query_outlives_its_set);
    tcase_add_test(tcase, streams_that_wait_at_the_end_are_told);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("upstream");
    add_choosing(suite);
    add_asking(suite);
    add_sets(suite);
    return suite_run(suite);
}
