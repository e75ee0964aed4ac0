/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The end of connections over TCP, with a whole worker behind them: the daemon or an address is
 * left, or the worker goes.
 */
#include "forwarder/config/config_address.h"
#include "forwarder/stream/stream_client.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"

START_TEST(draining_sends_what_is_due_and_reads_once_more)
{
    struct fake_message query;
    bench_init("");
    int idle = bench_client(NOWHERE, SOCK_STREAM);
    int waiting = bench_client(ITALY, SOCK_STREAM);
    bench_ask(waiting, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    LOOP_UNTIL(bench.base, bench_connections() == 2);
    stream_client_drain(bench.worker, NULL);
    bench_expect_end(idle);
    ck_assert_uint_eq(bench_connections(), 1);
    bench_ask(waiting, 2, BLOCKED);
    loop_for(bench.base, 20);
    ck_assert(!loop_readable(waiting));
    bench_answer(upstream, &query);
    bench_expect(waiting, 1, DNS_RCODE_NOERROR);
    bench_expect(waiting, 2, DNS_RCODE_REFUSED);
    bench_expect_end(waiting);
    close(upstream);
}
END_TEST

/* What was sent, but not read yet, is answered; other addresses are nobody's business. */
START_TEST(draining_is_of_one_address)
{
    struct config_address other;
    bench_init("");
    int client = bench_client(ITALY, SOCK_STREAM);
    LOOP_UNTIL(bench.base, bench_connections() == 1);
    other = bench.sockets->items[1].listen->address;
    config_address_set_port(&other, 9);
    stream_client_drain(bench.worker, &other);
    loop_for(bench.base, 10);
    ck_assert_uint_eq(bench_connections(), 1);
    bench_ask(client, 1, BLOCKED);
    stream_client_drain(bench.worker, &bench.sockets->items[1].listen->address);
    bench_expect(client, 1, DNS_RCODE_REFUSED);
    bench_expect_end(client);
}
END_TEST

START_TEST(draining_ends_stalled_connections)
{
    struct fake_message query;
    bench_init("limits: {in-flight: 1}\n");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(client, 1, OTHER);
    bench_ask(client, 2, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    loop_for(bench.base, 10);
    stream_client_drain(bench.worker, NULL);
    bench_answer(upstream, &query);
    bench_expect(client, 1, DNS_RCODE_NOERROR);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    close(client);
    close(upstream);
}
END_TEST

START_TEST(connections_that_are_open_at_the_end_are_closed)
{
    struct fake_message message;
    bench_init("limits: {in-flight: 1}\n");
    int transferring = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask_transfer(transferring, 1);
    int transfer = bench_accept_transfer(&message);
    int waiting = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(waiting, 2, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &message);
    bench_ask(waiting, 3, OTHER); /* stalled */
    loop_for(bench.base, 10);
    ck_assert_uint_eq(bench_connections(), 2);
    close(waiting);
    close(transferring);
    close(transfer);
    close(upstream);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream_client_drain");
    TCase *tcase = tcase_create("draining");
    tcase_add_checked_fixture(tcase, NULL, bench_fini);
    tcase_add_test(tcase, draining_sends_what_is_due_and_reads_once_more);
    tcase_add_test(tcase, draining_is_of_one_address);
    tcase_add_test(tcase, draining_ends_stalled_connections);
    tcase_add_test(tcase, connections_that_are_open_at_the_end_are_closed);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
