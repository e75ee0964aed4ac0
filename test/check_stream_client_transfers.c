/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Zone transfers of clients over TCP, with a whole worker behind them: relayed, beside other
 * queries, to clients that read slowly, and several at once.
 */
#include "forwarder/stream/stream_client.h"

#include "forwarder/stream/stream_transfers.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"

static void tear_down(void)
{
    bench_fini();
}

START_TEST(a_transfer_is_relayed_and_ends_the_connection)
{
    struct fake_message message;
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask_transfer(client, 7);
    int upstream = bench_accept_transfer(&message);
    for (unsigned i = 0; i < 3; i++) {
        fake_stream_write(upstream, bench.base, &message);
        bench_expect(client, 7, DNS_RCODE_NOERROR);
    }
    close(upstream);
    bench_expect_end(client);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), 1);
}
END_TEST

START_TEST(other_queries_pass_a_transfer_by)
{
    struct fake_message message;
    struct fake_message query;
    bench_init("");
    int client = bench_client(ITALY, SOCK_STREAM);
    bench_ask_transfer(client, 7);
    int transfer = bench_accept_transfer(&message);
    bench_ask(client, 8, BLOCKED);
    bench_expect(client, 8, DNS_RCODE_REFUSED);
    bench_ask(client, 9, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    fake_stream_write(transfer, bench.base, &message);
    bench_expect(client, 7, DNS_RCODE_NOERROR);
    close(transfer); /* what is due is still sent */
    loop_for(bench.base, 20);
    bench_answer(upstream, &query);
    bench_expect(client, 9, DNS_RCODE_NOERROR);
    bench_expect_end(client);
    close(upstream);
}
END_TEST

START_TEST(a_transfer_that_nobody_serves_is_a_servfail)
{
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    fake_server_close(&bench.server);
    bench_ask_transfer(client, 7);
    bench_expect(client, 7, DNS_RCODE_SERVFAIL);
    ck_assert_uint_eq(bench_counter(COUNTER_SERVFAIL), 1);
    close(client);
}
END_TEST

START_TEST(a_slow_reader_gets_its_transfer_whole)
{
    enum {
        MESSAGES = 20,
        SHORT = 15000,
        LONG = 65000
    };
    static struct fake_message message;
    bench_init("limits: {stream-output: 64 KiB}\n");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask_transfer(client, 7);
    int upstream = bench_accept_transfer(&message);
    for (unsigned i = 0; i < MESSAGES; i++) { /* the kernel holds them all */
        message.size = i % 2 == 0 ? SHORT : LONG;
        fake_stream_write(upstream, bench.base, &message);
    }
    for (unsigned i = 0; i < MESSAGES; i++) {
        loop_for(bench.base, 10); /* long enough for what comes before the client reads */
        ck_assert(fake_stream_read(client, bench.base, &message));
        ck_assert_uint_eq(message.size, i % 2 == 0 ? SHORT : LONG);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_OVERFLOW), 0);
    close(upstream);
    bench_expect_end(client);
}
END_TEST

START_TEST(transfers_side_by_side_do_not_overflow)
{
    static struct fake_message message;
    int upstreams[STREAM_TRANSFERS];
    unsigned count[STREAM_TRANSFERS] = {0};
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    for (size_t i = 0; i < STREAM_TRANSFERS; i++) {
        bench_ask_transfer(client, (uint16_t)i);
        upstreams[i] = bench_accept_transfer(&message);
        message.size = 60000;
        fake_stream_write(upstreams[i], bench.base, &message);
        fake_stream_write(upstreams[i], bench.base, &message);
    }
    loop_for(bench.base, 50);
    for (unsigned i = 0; i < 2 * STREAM_TRANSFERS; i++) {
        ck_assert(fake_stream_read(client, bench.base, &message));
        count[dns_id(message.bytes)]++;
    }
    for (size_t i = 0; i < STREAM_TRANSFERS; i++) {
        ck_assert_uint_eq(count[i], 2);
        close(upstreams[i]);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_OVERFLOW), 0);
    bench_expect_end(client);
}
END_TEST

START_TEST(one_transfer_too_many_waits)
{
    static struct fake_message message;
    static struct fake_message first;
    int upstreams[STREAM_TRANSFERS];
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    for (size_t i = 0; i < STREAM_TRANSFERS; i++) {
        bench_ask_transfer(client, (uint16_t)i);
        upstreams[i] = bench_accept_transfer(i == 0 ? &first : &message);
    }
    bench_ask_transfer(client, 99);
    loop_for(bench.base, 20);
    ck_assert(!loop_readable(bench.server.tcp));
    fake_stream_write(upstreams[0], bench.base, &first);
    bench_expect(client, 0, DNS_RCODE_NOERROR);
    close(upstreams[0]);
    upstreams[0] = bench_accept_transfer(&message);
    fake_stream_write(upstreams[0], bench.base, &message);
    bench_expect(client, 99, DNS_RCODE_NOERROR);
    close(client);
    for (size_t i = 0; i < STREAM_TRANSFERS; i++) {
        close(upstreams[i]);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream_client_transfers");
    TCase *tcase = tcase_create("transfers");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, a_transfer_is_relayed_and_ends_the_connection);
    tcase_add_test(tcase, other_queries_pass_a_transfer_by);
    tcase_add_test(tcase, a_transfer_that_nobody_serves_is_a_servfail);
    tcase_add_test(tcase, a_slow_reader_gets_its_transfer_whole);
    tcase_add_test(tcase, transfers_side_by_side_do_not_overflow);
    tcase_add_test(tcase, one_transfer_too_many_waits);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
