/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Accepting clients: within the limits, and while descriptors last.
 */
#include "forwarder/stream/listen_tcp.h"

#include "forwarder/descriptors.h"
#include "test/few_descriptors.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define CLIENTS 20
#define BLOCKED "01'a'07'example'00"

static int clients[CLIENTS];

static void tear_down(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        close(clients[i]);
    }
    bench_fini();
}

/* Connects all clients; the kernel has them until they are accepted. */
static void connect_clients(void)
{
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = bench_client(ITALY, SOCK_STREAM);
    }
}

static void check_all_served(void)
{
    LOOP_UNTIL(bench.base, bench_connections() == CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        bench_ask(clients[i], (uint16_t)i, BLOCKED);
        bench_expect(clients[i], (uint16_t)i, DNS_RCODE_REFUSED);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_ACCEPTED), CLIENTS);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_REFUSED), 0);
}

START_TEST(clients_are_accepted)
{
    bench_init("");
    connect_clients();
    check_all_served();
}
END_TEST

START_TEST(beyond_the_limit_those_that_came_first_give_way)
{
    bench_init("limits: {tcp-connections: 5}\n");
    connect_clients();
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_TCP_REAPED) == CLIENTS - 5);
    ck_assert_uint_eq(bench_connections(), 5);
    for (size_t i = CLIENTS - 5; i < CLIENTS; i++) {
        bench_ask(clients[i], 1, BLOCKED);
        bench_expect(clients[i], 1, DNS_RCODE_REFUSED);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_REFUSED), 0);
}
END_TEST

START_TEST(some_descriptors_are_spared)
{
    bench_init("");
    connect_clients();
    struct rlimit before = few_descriptors(DESCRIPTORS_SPARE + 5);
    LOOP_UNTIL(bench.base, bench_connections() > 0);
    loop_must_wait(bench.base, 300);
    ck_assert_uint_lt(bench_connections(), 10);
    enough_descriptors(before);
    check_all_served();
}
END_TEST

START_TEST(without_descriptors_it_waits)
{
    bench_init("");
    connect_clients();
    struct rlimit before = few_descriptors(0);
    loop_must_wait(bench.base, 300);
    ck_assert_uint_eq(bench_connections(), 0);
    enough_descriptors(before);
    check_all_served();
}
END_TEST

START_TEST(once_stopped_it_accepts_no_more)
{
    bench_init("");
    connect_clients();
    struct rlimit before = few_descriptors(0);
    loop_must_wait(bench.base, 20);
    listeners_stop(bench.worker->listeners); /* while it waits for descriptors */
    enough_descriptors(before);
    loop_for(bench.base, 250);
    ck_assert_uint_eq(bench_connections(), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listen_tcp");
    TCase *tcase = tcase_create("listen_tcp");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, clients_are_accepted);
    tcase_add_test(tcase, beyond_the_limit_those_that_came_first_give_way);
    tcase_add_test(tcase, some_descriptors_are_spared);
    tcase_add_test(tcase, without_descriptors_it_waits);
    tcase_add_test(tcase, once_stopped_it_accepts_no_more);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
