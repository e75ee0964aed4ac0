/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker from its sockets to its end: datagrams and what is counted of them, generations and
 * upstream sets that come and go under queries, and stopping.
 */
#include "forwarder/worker.h"

#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"

static void tear_down(void)
{
    bench_fini();
}

static void send_query(int client, uint16_t id, const char *name)
{
    struct fake_message message;
    bench_query(&message, id, name);
    ck_assert_int_eq(send(client, message.bytes, message.size, 0), (ssize_t)message.size);
}

/* The next answer to a client, which must be this one. */
static void expect(int client, uint16_t id, enum dns_rcode rcode)
{
    uint8_t answer[512];
    LOOP_UNTIL(bench.base, loop_readable(client));
    ssize_t size = recv(client, answer, sizeof answer, 0);
    ck_assert_int_ge(size, DNS_HEADER_SIZE);
    ck_assert_uint_eq(dns_id(answer), id);
    ck_assert_uint_eq(answer[2] & 0x80U, 0x80);
    ck_assert_uint_eq(answer[3] & DNS_RCODE_MASK, (unsigned)rcode);
}

static void receive(struct fake_message *message)
{
    fake_server_receive(&bench.server, bench.base, message);
}

static void give_answer(struct fake_message *message)
{
    fake_answer(message);
    fake_server_send(&bench.server, message);
}

/* ---- Datagrams ---- */

START_TEST(datagrams_are_answered_and_counted)
{
    struct fake_message query;
    struct country italy;
    ck_assert(country_parse("IT", 2, &italy));
    bench_init("");
    int client = bench_client(ITALY, SOCK_DGRAM);
    int other = bench_client(NOWHERE, SOCK_DGRAM);
    send_query(client, 1, BLOCKED);
    send_query(client, 2, OTHER);
    send_query(other, 3, BLOCKED);
    expect(client, 1, DNS_RCODE_REFUSED);
    receive(&query);
    give_answer(&query);
    expect(client, 2, DNS_RCODE_NOERROR);
    receive(&query);
    give_answer(&query);
    expect(other, 3, DNS_RCODE_NOERROR);
    const struct counters_country *country = &bench.worker->counters.country[country_index(italy)];
    ck_assert_uint_eq(atomic_load(&country->queries), 2);
    ck_assert_uint_eq(atomic_load(&country->blocked), 1);
    ck_assert_uint_eq(published_blocked(bench.published, 0), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_QUERIES), 3);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), 2);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERED), 2);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED), 1);
    close(client);
    close(other);
}
END_TEST

START_TEST(a_full_table_drops_the_newest)
{
    struct fake_message queries[2];
    bench_init("limits: {in-flight: 2}\n");
    int client = bench_client(NOWHERE, SOCK_DGRAM);
    for (uint16_t id = 1; id <= 3; id++) {
        send_query(client, id, OTHER);
    }
    receive(&queries[0]);
    receive(&queries[1]);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_DROPPED) == 1);
    ck_assert_uint_eq(bench_counter(COUNTER_IN_FLIGHT_FULL), 1);
    for (uint16_t id = 1; id <= 2; id++) {
        give_answer(&queries[id - 1]);
        expect(client, id, DNS_RCODE_NOERROR);
    }
    send_query(client, 4, OTHER);
    receive(&queries[0]);
    give_answer(&queries[0]);
    expect(client, 4, DNS_RCODE_NOERROR);
    close(client);
}
END_TEST

START_TEST(silence_upstream_is_a_servfail)
{
    bench_init("");
    config->upstream.timeout_ms = 100;
    int client = bench_client(NOWHERE, SOCK_DGRAM);
    send_query(client, 1, OTHER);
    expect(client, 1, DNS_RCODE_SERVFAIL);
    ck_assert_uint_eq(bench_counter(COUNTER_SERVFAIL), 1);
    close(client);
}
END_TEST

START_TEST(what_the_kernel_dropped_is_known)
{
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_DGRAM);
    ck_assert_uint_eq(worker_receive_drops(bench.worker), 0);
    for (uint16_t id = 0; id < 5000; id++) { /* nobody reads them */
        send_query(client, id, OTHER);
    }
    ck_assert_uint_gt(worker_receive_drops(bench.worker), 0);
    close(client);
}
END_TEST

/* ---- Sockets ---- */

/* All but the first: that for UDP. */
static struct worker_sockets *without_udp(void)
{
    struct worker_sockets *list = bench_share(bench.sockets);
    list->number = 2;
    close(list->items[0].descriptor);
    list->items[0] = list->items[--list->count];
    return list;
}

START_TEST(a_socket_that_is_left_answers_what_it_holds)
{
    struct fake_message query;
    bench_init("");
    int waiting = bench_client(NOWHERE, SOCK_DGRAM);
    int client = bench_client(ITALY, SOCK_DGRAM);
    send_query(waiting, 1, OTHER);
    receive(&query);
    send_query(client, 2, BLOCKED);
    worker_offer_sockets(bench.worker, without_udp());
    expect(client, 2, DNS_RCODE_REFUSED);
    ck_assert(!worker_is_settled(bench.worker)); /* an answer is still to leave by it */
    give_answer(&query);
    expect(waiting, 1, DNS_RCODE_NOERROR);
    LOOP_UNTIL(bench.base, worker_is_settled(bench.worker));
    send_query(client, 3, BLOCKED);
    loop_for(bench.base, 20);
    ck_assert(!loop_readable(client));
    close(client);
    close(waiting);
}
END_TEST

/* ---- Generations and sets ---- */

/* The next generation, in which another name is blocked. */
static struct published *offer(struct published *before, const char *name)
{
    char order[256];
    snprintf(order, sizeof order, ORDER("A", "%s"), name);
    put("orders/IT/a.yaml", order);
    struct published *published =
        bench_published(load((struct load){.before = before->generation, .read_only = true}));
    worker_offer(bench.worker, published);
    return published;
}

static uint64_t oldest(void)
{
    return atomic_load(&bench.worker->oldest_published);
}

static bool is_adopted(const struct published *published)
{
    return atomic_load(&bench.worker->adopted) == published->number;
}

START_TEST(a_query_keeps_its_generation)
{
    struct fake_message queries[2];
    bench_init("");
    int client = bench_client(ITALY, SOCK_DGRAM);
    struct published *first = bench.published;
    send_query(client, 1, OTHER);
    receive(&queries[0]);
    ck_assert_uint_eq(oldest(), 1);

    struct published *second = offer(first, "b.example");
    LOOP_UNTIL(bench.base, is_adopted(second));
    send_query(client, 2, "01'b'07'example'00");
    expect(client, 2, DNS_RCODE_REFUSED);
    send_query(client, 3, BLOCKED); /* no longer */
    receive(&queries[1]);
    struct published *third = offer(second, "c.example");
    LOOP_UNTIL(bench.base, is_adopted(third));
    ck_assert_uint_eq(oldest(), 1);

    give_answer(&queries[1]); /* the second one is left before the first */
    expect(client, 3, DNS_RCODE_NOERROR);
    ck_assert_uint_eq(oldest(), 1);
    give_answer(&queries[0]);
    expect(client, 1, DNS_RCODE_NOERROR);
    ck_assert_uint_eq(oldest(), 3);
    ck_assert_msg(loop_readable(bench.shared.notify), "the main thread is told");
    published_free(first);
    published_free(second);
    bench.published = third;
    send_query(client, 4, "01'c'07'example'00");
    expect(client, 4, DNS_RCODE_REFUSED);
    close(client);
}
END_TEST

START_TEST(generations_are_left_in_their_order)
{
    struct fake_message queries[2];
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_DGRAM);
    struct published *first = bench.published;
    send_query(client, 1, OTHER);
    receive(&queries[0]);
    struct published *second = offer(first, "b.example");
    LOOP_UNTIL(bench.base, is_adopted(second));
    send_query(client, 2, OTHER);
    receive(&queries[1]);
    struct published *third = offer(second, "c.example");
    LOOP_UNTIL(bench.base, is_adopted(third));
    give_answer(&queries[0]);
    expect(client, 1, DNS_RCODE_NOERROR);
    ck_assert_uint_eq(oldest(), 2);
    published_free(first);
    give_answer(&queries[1]);
    expect(client, 2, DNS_RCODE_NOERROR);
    ck_assert_uint_eq(oldest(), 3);
    published_free(second);
    bench.published = third;
    close(client);
}
END_TEST

START_TEST(a_generation_that_was_passed_over_is_left_at_once)
{
    bench_init("");
    struct published *first = bench.published;
    struct published *second = offer(first, "b.example");
    struct published *third = offer(second, "c.example"); /* before the worker looked */
    LOOP_UNTIL(bench.base, is_adopted(third));
    ck_assert_uint_eq(oldest(), 3);
    published_free(first);
    published_free(second);
    bench.published = third;
}
END_TEST

START_TEST(servers_come_and_go)
{
    struct fake_message query;
    struct fake_server server;
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_DGRAM);
    send_query(client, 1, OTHER);
    receive(&query);
    fake_server_open(&server);
    struct upstream_target *target = upstream_target_new(&server.address, 1);
    struct upstream_set *set = upstream_set_new(2, &target, 1);
    worker_offer_set(bench.worker, set);
    LOOP_UNTIL(bench.base, bench.worker->set_number == 2);
    ck_assert_msg(atomic_load(&bench.worker->oldest_set) == 1, "an answer is still due");
    give_answer(&query);
    expect(client, 1, DNS_RCODE_NOERROR);

    struct fake_server before = bench.server; /* from now on the new one is asked */
    bench.server = server;
    send_query(client, 2, OTHER);
    receive(&query);
    give_answer(&query);
    expect(client, 2, DNS_RCODE_NOERROR);
    bench.server = before;

    struct upstream_set *same = upstream_set_new(3, &target, 1);
    worker_offer_set(bench.worker, same);
    LOOP_UNTIL(bench.base, atomic_load(&bench.worker->oldest_set) == 3);
    upstream_set_free(set);
    upstream_set_free(bench.set);
    bench.set = same;
    upstream_target_unref(target);
    fake_server_close(&server);
    close(client);
}
END_TEST

/* ---- A thread of its own ---- */

/* The worker runs by itself from now on; what the test waits for, it polls. */
static void start(void)
{
    char why[WHY_MAX] = "";
    bench.base = event_base_new();
    ck_assert_msg(worker_start(bench.worker, why), "%s", why);
}

static void join(void)
{
    LOOP_UNTIL(bench.base, atomic_load(&bench.worker->ended));
    ck_assert(loop_readable(bench.shared.notify));
    worker_join(bench.worker);
    event_base_free(bench.base);
}

START_TEST(a_sign_of_life_is_given_by_the_loop)
{
    bench_init("");
    ck_assert(worker_gave_sign(bench.worker));
    worker_ask_sign(bench.worker);
    ck_assert(!worker_gave_sign(bench.worker));
    LOOP_UNTIL(bench.base, worker_gave_sign(bench.worker));
}
END_TEST

START_TEST(an_idle_worker_stops_at_once)
{
    bench_init("");
    start();
    int client = bench_client(NOWHERE, SOCK_STREAM); /* it has asked nothing */
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_TCP_ACCEPTED) == 1);
    uint64_t began = loop_now_ms();
    worker_stop(bench.worker);
    bench_expect_end(client);
    join();
    ck_assert_uint_lt(loop_now_ms(), began + 2000);
    worker_ask_sign(bench.worker);
    ck_assert_msg(worker_gave_sign(bench.worker), "who has ended does not hang");
}
END_TEST

START_TEST(a_worker_answers_what_is_in_flight_and_stops)
{
    struct fake_message query;
    bench_init("");
    start();
    int datagrams = bench_client(NOWHERE, SOCK_DGRAM);
    int stream = bench_client(NOWHERE, SOCK_STREAM);
    send_query(datagrams, 1, OTHER);
    receive(&query);
    bench_ask(stream, 2, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    worker_stop(bench.worker);
    loop_for(bench.base, 50);
    send_query(datagrams, 3, OTHER); /* too late */
    loop_for(bench.base, 50);
    ck_assert(!loop_readable(bench.server.udp));
    ck_assert(!atomic_load(&bench.worker->ended));
    give_answer(&query);
    expect(datagrams, 1, DNS_RCODE_NOERROR);
    bench_read(upstream, &query);
    bench_answer(upstream, &query);
    bench_expect(stream, 2, DNS_RCODE_NOERROR);
    bench_expect_end(stream);
    join();
    close(datagrams);
    close(upstream);
}
END_TEST

/* Milliseconds until the worker ends, whatever it still owes. */
static int64_t time_left(void)
{
    struct timeval due, now;
    ck_assert(event_pending(bench.worker->stop_deadline, EV_TIMEOUT, &due));
    evutil_gettimeofday(&now, NULL);
    return (due.tv_sec - now.tv_sec) * 1000 + (due.tv_usec - now.tv_usec) / 1000;
}

START_TEST(one_that_retires_stops_with_the_daemon)
{
    struct worker_sockets *none = calloc(1, sizeof *none);
    bench_init(""); /* upstream has ten seconds */
    int stream = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(stream, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    none->number = 2;
    worker_offer_sockets(bench.worker, none);
    worker_retire(bench.worker);
    LOOP_UNTIL(bench.base, bench.worker->stopping);
    ck_assert_int_gt(time_left(), 5000);
    worker_stop(bench.worker);
    LOOP_UNTIL(bench.base, time_left() <= 5000);
    int64_t left = time_left();
    worker_ask_sign(bench.worker); /* does not put it off */
    loop_for(bench.base, 50);
    ck_assert_int_lt(time_left(), left);
    close(stream);
    close(upstream);
}
END_TEST

START_TEST(a_worker_does_not_wait_for_ever)
{
    struct fake_message query;
    bench_init("");
    start();
    int client = bench_client(NOWHERE, SOCK_DGRAM);
    int stream = bench_client(NOWHERE, SOCK_STREAM);
    send_query(client, 1, OTHER);
    receive(&query);
    bench_ask_transfer(stream, 2);
    int upstream = bench_accept_transfer(&query);
    uint64_t began = loop_now_ms();
    worker_stop(bench.worker);
    join();
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + 5000);
    ck_assert_uint_lt(loop_now_ms(), began + 7000);
    close(client);
    close(stream);
    close(upstream);
}
END_TEST

/* Queries run while generations come, and those that were left are freed. */
START_TEST(generations_change_under_load)
{
    struct fake_message query;
    bench_init("");
    start();
    int client = bench_client(ITALY, SOCK_DGRAM);
    struct published *olds[20];
    size_t first = 0;
    uint16_t id = 0;
    for (size_t i = 0; i < 20; i++) {
        olds[i] = bench.published;
        bench.published = offer(bench.published, i % 2 == 0 ? "b.example" : "c.example");
        for (unsigned j = 0; j < 10; j++) {
            id++;
            send_query(client, id, OTHER);
            receive(&query);
            give_answer(&query);
            expect(client, id, DNS_RCODE_NOERROR);
        }
        while (first <= i && olds[first]->number < oldest()) {
            published_free(olds[first++]);
        }
    }
    LOOP_UNTIL(bench.base, oldest() == bench.published->number);
    while (first < 20) {
        published_free(olds[first++]);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERED), id);
    worker_stop(bench.worker);
    join();
    close(client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("worker");
    TCase *tcase = tcase_create("worker");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, datagrams_are_answered_and_counted);
    tcase_add_test(tcase, a_full_table_drops_the_newest);
    tcase_add_test(tcase, silence_upstream_is_a_servfail);
    tcase_add_test(tcase, what_the_kernel_dropped_is_known);
    tcase_add_test(tcase, a_socket_that_is_left_answers_what_it_holds);
    tcase_add_test(tcase, a_query_keeps_its_generation);
    tcase_add_test(tcase, generations_are_left_in_their_order);
    tcase_add_test(tcase, a_generation_that_was_passed_over_is_left_at_once);
    tcase_add_test(tcase, servers_come_and_go);
    tcase_add_test(tcase, a_sign_of_life_is_given_by_the_loop);
    tcase_add_test(tcase, an_idle_worker_stops_at_once);
    tcase_add_test(tcase, a_worker_answers_what_is_in_flight_and_stops);
    tcase_add_test(tcase, one_that_retires_stops_with_the_daemon);
    tcase_add_test(tcase, a_worker_does_not_wait_for_ever);
    tcase_add_test(tcase, generations_change_under_load);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
