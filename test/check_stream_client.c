/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Clients over TCP, with a whole worker behind them: pipelining, half-closing, limits, clients that
 * vanish or do not read. Draining: check_stream_client_drain.c. Zone transfers:
 * check_stream_client_transfers.c.
 */
#include "forwarder/stream/stream_client.h"

#include "forwarder/stream/stream_table.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/upstream/upstream_stream.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"

static void tear_down(void)
{
    bench_fini();
}

/* ---- Queries and answers ---- */

START_TEST(queries_are_pipelined_and_answered_in_any_order)
{
    struct fake_message queries[3];
    bench_init("");
    int client = bench_client(ITALY, SOCK_STREAM);
    for (uint16_t id = 1; id <= 3; id++) {
        bench_ask(client, id, OTHER);
    }
    bench_ask(client, 4, BLOCKED);
    bench_expect(client, 4, DNS_RCODE_REFUSED);
    int upstream = fake_server_accept(&bench.server, bench.base);
    for (unsigned i = 0; i < 3; i++) {
        bench_read(upstream, &queries[i]);
    }
    for (unsigned i = 3; i > 0; i--) {
        bench_answer(upstream, &queries[i - 1]);
        bench_expect(client, (uint16_t)i, DNS_RCODE_NOERROR);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_QUERIES), 4);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), 3);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERED), 3);
    close(client);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    close(upstream);
}
END_TEST

START_TEST(what_is_no_query_gets_no_answer)
{
    struct fake_message message;
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_query(&message, 1, OTHER);
    fake_answer(&message);
    fake_stream_write(client, bench.base, &message);
    message.size = 0;
    fake_stream_write(client, bench.base, &message);
    message.size = DNS_HEADER_SIZE - 1;
    fake_stream_write(client, bench.base, &message);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_DROPPED) == 3);
    ck_assert(!loop_readable(client));
    ck_assert_uint_eq(bench_connections(), 1);
    close(client);
}
END_TEST

START_TEST(the_largest_message_passes_both_ways)
{
    static struct fake_message message;
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_query(&message, 1, OTHER);
    message.size = DNS_MESSAGE_MAX;
    fake_stream_write(client, bench.base, &message);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &message);
    ck_assert_uint_eq(message.size, DNS_MESSAGE_MAX);
    bench_answer(upstream, &message);
    bench_expect(client, 1, DNS_RCODE_NOERROR);
    close(client);
    close(upstream);
}
END_TEST

START_TEST(nobody_upstream_is_a_servfail)
{
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    fake_server_close(&bench.server);
    bench_ask(client, 1, OTHER);
    bench_expect(client, 1, DNS_RCODE_SERVFAIL);
    bench_ask(client, 2, OTHER);
    bench_expect(client, 2, DNS_RCODE_SERVFAIL);
    ck_assert_uint_eq(bench_counter(COUNTER_SERVFAIL), 2);
    close(client);
}
END_TEST

/* ---- The end of a connection ---- */

START_TEST(after_a_half_close_what_is_due_is_sent)
{
    struct fake_message queries[2];
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(client, 1, OTHER);
    bench_ask(client, 2, OTHER);
    shutdown(client, SHUT_WR);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &queries[0]);
    bench_read(upstream, &queries[1]);
    bench_answer(upstream, &queries[0]);
    bench_expect(client, 1, DNS_RCODE_NOERROR);
    loop_for(bench.base, 20);
    ck_assert_uint_eq(bench_connections(), 1);
    bench_answer(upstream, &queries[1]);
    bench_expect(client, 2, DNS_RCODE_NOERROR);
    bench_expect_end(client);
    close(upstream);
}
END_TEST

START_TEST(with_nothing_due_a_half_close_is_the_end)
{
    static const uint8_t part[] = {0, 20, 0, 1};
    bench_init("");
    int idle = bench_client(NOWHERE, SOCK_STREAM);
    int cut = bench_client(NOWHERE, SOCK_STREAM); /* in the middle of a query */
    ck_assert_int_eq(send(cut, part, sizeof part, 0), sizeof part);
    LOOP_UNTIL(bench.base, bench_connections() == 2);
    shutdown(idle, SHUT_WR);
    shutdown(cut, SHUT_WR);
    bench_expect_end(idle);
    bench_expect_end(cut);
    ck_assert_uint_eq(bench_connections(), 0);
}
END_TEST

START_TEST(a_client_that_vanished_is_answered_no_more)
{
    struct fake_message query;
    struct linger reset = {.l_onoff = 1};
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(client, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
    close(client);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    int other = bench_client(NOWHERE, SOCK_STREAM); /* takes the slot that is free now */
    LOOP_UNTIL(bench.base, bench_connections() == 1);
    bench_answer(upstream, &query);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_ANSWERED) == 1);
    loop_for(bench.base, 10);
    ck_assert(!loop_readable(other));
    close(other);
    close(upstream);
}
END_TEST

/* ---- Limits ---- */

START_TEST(an_idle_connection_is_closed)
{
    static const uint8_t part[] = {0, 20, 0, 1};
    bench_init("limits: {tcp-idle: 100ms}\n");
    int silent = bench_client(NOWHERE, SOCK_STREAM);
    int cut = bench_client(NOWHERE, SOCK_STREAM);
    int asker = bench_client(ITALY, SOCK_STREAM);
    uint64_t began = loop_now_ms();
    ck_assert_int_eq(send(cut, part, sizeof part, 0), sizeof part);
    bench_ask(asker, 1, BLOCKED);
    bench_expect(asker, 1, DNS_RCODE_REFUSED);
    bench_expect_end(silent);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + 100);
    bench_expect_end(cut);
    bench_expect_end(asker);
    ck_assert_uint_eq(bench_connections(), 0);
}
END_TEST

START_TEST(who_waits_for_upstream_is_not_idle)
{
    struct fake_message query;
    bench_init("limits: {tcp-idle: 100ms}\n");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(client, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    loop_for(bench.base, 350);
    ck_assert_uint_eq(bench_connections(), 1);
    bench_answer(upstream, &query);
    bench_expect(client, 1, DNS_RCODE_NOERROR);
    bench_expect_end(client);
    close(upstream);
}
END_TEST

START_TEST(so_many_queries_wait_at_once_and_no_more)
{
    enum {
        UPSTREAMS = STREAM_CLIENT_PIPELINE / UPSTREAM_STREAM_BUSY,
        ANSWERED = 7
    };
    struct fake_message query;
    int upstreams[UPSTREAMS];
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    for (unsigned i = 0; i < STREAM_CLIENT_PIPELINE + 50; i++) {
        bench_ask(client, (uint16_t)i, OTHER);
    }
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_FORWARDED) == STREAM_CLIENT_PIPELINE);
    loop_for(bench.base, 20);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), STREAM_CLIENT_PIPELINE);
    for (size_t i = 0; i < UPSTREAMS; i++) {
        upstreams[i] = fake_server_accept(&bench.server, bench.base);
    }
    for (unsigned i = 0; i < ANSWERED; i++) {
        bench_read(upstreams[0], &query);
        bench_answer(upstreams[0], &query);
    }
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_FORWARDED) == STREAM_CLIENT_PIPELINE + ANSWERED);
    loop_for(bench.base, 20);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), STREAM_CLIENT_PIPELINE + ANSWERED);
    close(client);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    for (size_t i = 0; i < UPSTREAMS; i++) {
        close(upstreams[i]);
    }
}
END_TEST

/* Reads what there is at the server and answers it, until so many answers have come back. */
static void answer_all(int upstream, uint64_t answers)
{
    struct fake_message message;
    while (bench_counter(COUNTER_ANSWERED) < answers) {
        if (loop_readable(upstream)) {
            bench_read(upstream, &message);
            bench_answer(upstream, &message);
        } else {
            loop_round(bench.base);
        }
    }
}

START_TEST(streams_wait_for_room_in_the_table)
{
    bench_init("limits: {in-flight: 4}\n");
    int clients[3];
    for (size_t i = 0; i < 3; i++) {
        clients[i] = bench_client(NOWHERE, SOCK_STREAM);
        for (uint16_t id = 0; id < 10; id++) {
            bench_ask(clients[i], id, OTHER);
        }
    }
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_FORWARDED) == 4);
    loop_for(bench.base, 20);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), 4);
    int upstream = fake_server_accept(&bench.server, bench.base);
    answer_all(upstream, 30);
    for (size_t i = 0; i < 3; i++) {
        for (uint16_t id = 0; id < 10; id++) {
            bench_expect(clients[i], id, DNS_RCODE_NOERROR);
        }
        close(clients[i]);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_DROPPED), 0);
    close(upstream);
}
END_TEST

/* There are fewer rooms for long queries than entries. */
START_TEST(long_queries_wait_for_room_too)
{
    enum {
        CLIENTS = INFLIGHT_LARGE / STREAM_CLIENT_PIPELINE + 1,
        EACH = STREAM_CLIENT_PIPELINE - 10,
        ALL = CLIENTS * EACH
    };
    static struct fake_message message;
    int clients[CLIENTS];
    unsigned answered = 0;
    bench_init("");
    for (size_t i = 0; i < CLIENTS; i++) {
        clients[i] = bench_client(NOWHERE, SOCK_STREAM);
        for (unsigned id = 0; id < EACH; id++) {
            bench_query(&message, (uint16_t)id, OTHER);
            message.size = INFLIGHT_SMALL + 1;
            fake_stream_write(clients[i], bench.base, &message);
        }
    }
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_FORWARDED) == INFLIGHT_LARGE);
    loop_for(bench.base, 20);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), INFLIGHT_LARGE);
    fake_server_close(&bench.server); /* all get SERVFAIL */
    while (answered < ALL) {
        for (size_t i = 0; i < CLIENTS; i++) {
            if (loop_readable(clients[i])) {
                ck_assert(fake_stream_read(clients[i], bench.base, &message));
                answered++;
            }
        }
        loop_round(bench.base);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_SERVFAIL), ALL);
    ck_assert_uint_eq(bench_counter(COUNTER_DROPPED), 0);
    for (size_t i = 0; i < CLIENTS; i++) {
        close(clients[i]);
    }
}
END_TEST

/* A query that waits for room is nothing its client could be blamed for. */
START_TEST(who_waits_for_room_is_not_idle)
{
    struct fake_message query;
    bench_init("limits: {in-flight: 1, tcp-idle: 100ms}\n");
    int first = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(first, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    int second = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(second, 2, OTHER);
    loop_for(bench.base, 350);
    bench_answer(upstream, &query);
    bench_expect(first, 1, DNS_RCODE_NOERROR);
    bench_read(upstream, &query);
    bench_answer(upstream, &query);
    bench_expect(second, 2, DNS_RCODE_NOERROR);
    close(first);
    close(second);
    close(upstream);
}
END_TEST

START_TEST(a_broken_upstream_makes_room)
{
    bench_init("limits: {in-flight: 4}\n");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    for (uint16_t id = 0; id < 10; id++) {
        bench_ask(client, id, OTHER);
    }
    LOOP_UNTIL(bench.base, loop_readable(bench.server.tcp));
    uint64_t began = loop_now_ms();
    fake_server_close(&bench.server); /* resets what was not accepted */
    for (uint16_t id = 0; id < 10; id++) {
        bench_expect(client, id, DNS_RCODE_SERVFAIL);
    }
    ck_assert_uint_lt(loop_now_ms(), began + config->upstream.timeout_ms);
    close(client);
}
END_TEST

#define LARGE 60000 /* octets of an answer, with stream-output as small as may be */

/* A client that has asked for so many large answers, which have all come from upstream. */
static int owe(unsigned answers)
{
    static struct fake_message large;
    int client = bench_client(NOWHERE, SOCK_STREAM);
    for (unsigned id = 0; id < answers; id++) {
        bench_ask(client, (uint16_t)id, OTHER);
    }
    int upstream = fake_server_accept(&bench.server, bench.base);
    for (unsigned i = 0; i < answers; i++) {
        bench_read(upstream, &large);
        large.size = LARGE;
        bench_answer(upstream, &large);
    }
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_ANSWERED) == answers);
    close(upstream);
    return client;
}

/* More than stream-output at once is nothing bad. */
START_TEST(who_reads_a_burst_gets_it)
{
    bench_init("limits: {stream-output: 64 KiB}\n");
    int client = owe(7);
    for (uint16_t id = 0; id < 7; id++) {
        bench_expect(client, id, DNS_RCODE_NOERROR);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_OVERFLOW), 0);
    close(client);
}
END_TEST

START_TEST(who_does_not_read_is_closed_at_stream_output)
{
    bench_init("limits: {tcp-idle: 100ms, stream-output: 64 KiB}\n");
    int client = owe(7);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_OVERFLOW), 1);
    close(client);
}
END_TEST

START_TEST(who_is_owed_far_too_much_is_closed_at_once)
{
    bench_init("limits: {tcp-idle: 1h, stream-output: 64 KiB}\n");
    int client = owe(12);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_OVERFLOW), 1);
    close(client);
}
END_TEST

/* Nor is more taken from who does not read what he has asked for. */
START_TEST(answers_made_here_do_not_pile_up)
{
    static uint8_t burst[128 * 1024];
    struct fake_message message;
    size_t size = 0, sent = 0;
    bench_init("limits: {stream-output: 64 KiB}\n");
    int client = bench_client(ITALY, SOCK_STREAM);
    bench_query(&message, 1, BLOCKED);
    for (; size + 2 + message.size <= sizeof burst; size += 2 + message.size) {
        burst[size + 1] = (uint8_t)message.size;
        memcpy(burst + size + 2, message.bytes, message.size);
    }
    for (unsigned rounds = 0; rounds < 200 && sent < size; rounds++) {
        ssize_t put = send(client, burst + sent, size - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += put > 0 ? (size_t)put : 0;
        loop_round(bench.base);
    }
    ck_assert_uint_eq(bench_connections(), 1);
    ck_assert_uint_lt(bench_counter(COUNTER_QUERIES), size / (2 + message.size) / 2);
    close(client);
}
END_TEST

START_TEST(who_waits_does_not_give_way)
{
    struct fake_message query;
    bench_init("limits: {tcp-connections: 2}\n");
    int waiting = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(waiting, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    int asked = bench_client(ITALY, SOCK_STREAM);
    bench_ask(asked, 1, BLOCKED);
    bench_expect(asked, 1, DNS_RCODE_REFUSED);
    int third = bench_client(ITALY, SOCK_STREAM);
    bench_expect_end(asked);
    bench_answer(upstream, &query);
    bench_expect(waiting, 1, DNS_RCODE_NOERROR);
    bench_ask(third, 1, BLOCKED);
    bench_expect(third, 1, DNS_RCODE_REFUSED);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_REAPED), 1);
    close(waiting);
    close(third);
    close(upstream);
}
END_TEST

START_TEST(who_reads_nothing_is_closed_in_the_end)
{
    bench_init("limits: {tcp-idle: 100ms}\n");
    int client = bench_client(ITALY, SOCK_STREAM);
    for (unsigned id = 0; id < 1500; id++) { /* less than stream-output, more than fits between */
        bench_ask(client, (uint16_t)id, BLOCKED);
    }
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_OVERFLOW), 0);
    close(client);
}
END_TEST

START_TEST(each_client_has_so_many_connections)
{
    bench_init("limits: {tcp-per-client: 2}\n");
    int clients[] = {bench_client(NOWHERE, SOCK_STREAM), bench_client(NOWHERE, SOCK_STREAM),
                     bench_client(NOWHERE, SOCK_STREAM)};
    bench_expect_end(clients[2]);
    ck_assert_uint_eq(bench_connections(), 2);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_REFUSED), 1);
    close(clients[0]);
    LOOP_UNTIL(bench.base, bench_connections() == 1);
    clients[0] = bench_client(NOWHERE, SOCK_STREAM);
    LOOP_UNTIL(bench.base, bench_connections() == 2);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_ACCEPTED), 3);
    close(clients[0]);
    close(clients[1]);
}
END_TEST

static void add(Suite *suite, const char *name, const TTest *const *tests, size_t count)
{
    TCase *tcase = tcase_create(name);
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    for (size_t i = 0; i < count; i++) {
        tcase_add_test(tcase, tests[i]);
    }
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
}

#define ADD(suite, name, ...)                             \
    add(suite, name, (const TTest *const[]){__VA_ARGS__}, \
        sizeof((const TTest *const[]){__VA_ARGS__}) / sizeof(const TTest *))

int main(void)
{
    Suite *suite = suite_create("stream_client");
    ADD(suite, "queries", queries_are_pipelined_and_answered_in_any_order,
        what_is_no_query_gets_no_answer, the_largest_message_passes_both_ways,
        nobody_upstream_is_a_servfail);
    ADD(suite, "ends", after_a_half_close_what_is_due_is_sent,
        with_nothing_due_a_half_close_is_the_end, a_client_that_vanished_is_answered_no_more);
    ADD(suite, "limits", an_idle_connection_is_closed, who_waits_for_upstream_is_not_idle,
        so_many_queries_wait_at_once_and_no_more, streams_wait_for_room_in_the_table,
        long_queries_wait_for_room_too, who_waits_for_room_is_not_idle,
        a_broken_upstream_makes_room, who_reads_a_burst_gets_it,
        who_does_not_read_is_closed_at_stream_output, who_is_owed_far_too_much_is_closed_at_once,
        answers_made_here_do_not_pile_up, who_reads_nothing_is_closed_in_the_end,
        who_waits_does_not_give_way, each_client_has_so_many_connections);
    return suite_run(suite);
}
