/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Clients behind a proxy, by streams and datagrams: headers in pieces, from whom they are taken,
 * and what becomes of a connection that never tells its client. What a header that trickles gets
 * is waited for in the e2e suite.
 */
#include "forwarder/stream/proxy_intake.h"

#include "forwarder/stream/listen_tcp.h"
#include "forwarder/wire/proxy_header.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define TRUST "trust: {proxy-protocol: [" NOWHERE "]}\n"
#define WAITING 30

/* A header that speaks for this client. */
static struct span header_for(const char *client, uint8_t out[static PROXY_HEADER_ENCODED_MAX])
{
    struct address source;
    struct proxy_header_end ends[2] = {{.port = 4242}, {.port = 53}};
    ck_assert(address_parse(client, strlen(client), &source));
    memcpy(ends[0].octet, source.octet, sizeof source.octet);
    memcpy(ends[1].octet, source.octet, sizeof source.octet);
    return (struct span){out, proxy_header_encode(PROXY_HEADER_STREAM, &ends[0], &ends[1], out)};
}

static void send_octets(int client, struct span octets)
{
    ck_assert_int_eq(send(client, octets.bytes, octets.size, MSG_NOSIGNAL), (ssize_t)octets.size);
}

START_TEST(the_client_of_a_stream_is_whom_its_header_tells)
{
    uint8_t room[PROXY_HEADER_ENCODED_MAX];
    bench_init(TRUST);
    int client = bench_client(NOWHERE, SOCK_STREAM);
    send_octets(client, header_for(ITALY, room));
    bench_ask(client, 1, BLOCKED);
    bench_expect(client, 1, DNS_RCODE_REFUSED);
    ck_assert_uint_eq(bench_connections(), 1);
    close(client);
}
END_TEST

START_TEST(a_header_may_come_in_pieces)
{
    uint8_t room[PROXY_HEADER_ENCODED_MAX];
    bench_init(TRUST);
    int client = bench_client(NOWHERE, SOCK_STREAM);
    struct span header = header_for(ITALY, room);
    for (size_t i = 0; i < header.size; i++) {
        ck_assert_uint_eq(bench_connections(), 0);
        send_octets(client, (struct span){header.bytes + i, 1});
        loop_for(bench.base, 1);
    }
    LOOP_UNTIL(bench.base, bench_connections() == 1);
    bench_ask(client, 1, BLOCKED);
    bench_expect(client, 1, DNS_RCODE_REFUSED);
    close(client);
}
END_TEST

START_TEST(who_is_not_trusted_is_closed)
{
    bench_init(TRUST);
    int client = bench_client(ITALY, SOCK_STREAM);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_PROXY_UNTRUSTED) == 1);
    bench_expect_end(client);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_ACCEPTED), 0);
}
END_TEST

START_TEST(what_is_no_header_is_closed)
{
    bench_init(TRUST);
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask(client, 1, BLOCKED);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_PROXY_MALFORMED) == 1);
    close(client);
}
END_TEST

START_TEST(a_header_that_ends_early_is_closed)
{
    uint8_t room[PROXY_HEADER_ENCODED_MAX];
    bench_init(TRUST);
    int client = bench_client(NOWHERE, SOCK_STREAM);
    struct span header = header_for(ITALY, room);
    send_octets(client, (struct span){header.bytes, header.size - 1});
    loop_for(bench.base, 5);
    ck_assert_int_eq(shutdown(client, SHUT_WR), 0);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_PROXY_MALFORMED) == 1);
    bench_expect_end(client);
}
END_TEST

/* A client has his limit behind the proxy, which has none. */
START_TEST(places_are_the_true_clients)
{
    uint8_t room[PROXY_HEADER_ENCODED_MAX];
    int clients[5];
    bench_init(TRUST "limits: {tcp-per-client: 2, tcp-connections: 5}\n");
    for (size_t i = 0; i < 5; i++) {
        clients[i] = bench_client(NOWHERE, SOCK_STREAM);
    }
    LOOP_UNTIL(bench.base, client_quota_connections(bench.shared.quota) == 5);
    for (size_t i = 0; i < 3; i++) {
        send_octets(clients[i], header_for(ITALY, room));
    }
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_TCP_REFUSED) == 1);
    LOOP_UNTIL(bench.base, client_quota_connections(bench.shared.quota) == 4);
    ck_assert_uint_eq(bench_connections(), 2);
    for (size_t i = 0; i < 5; i++) {
        close(clients[i]);
    }
}
END_TEST

static int waiting[WAITING];

/* Connections that have told a part of their header. */
static void wait_for_headers(void)
{
    uint8_t room[PROXY_HEADER_ENCODED_MAX];
    struct span header = header_for(ITALY, room);
    for (size_t i = 0; i < WAITING; i++) {
        waiting[i] = bench_client(NOWHERE, SOCK_STREAM);
        send_octets(waiting[i], (struct span){header.bytes, i % header.size});
    }
    LOOP_UNTIL(bench.base, client_quota_connections(bench.shared.quota) == WAITING);
}

static void close_all(void)
{
    for (size_t i = 0; i < WAITING; i++) {
        close(waiting[i]);
    }
}

START_TEST(those_that_wait_end_with_the_worker)
{
    bench_init(TRUST);
    wait_for_headers();
    close_all();
}
END_TEST

START_TEST(those_that_wait_do_not_hold_up_the_end)
{
    bench_init(TRUST);
    wait_for_headers();
    listeners_stop(bench.worker->listeners);
    ck_assert_uint_eq(client_quota_connections(bench.shared.quota), 0);
    close_all();
}
END_TEST

START_TEST(each_datagram_has_its_own_header)
{
    uint8_t room[PROXY_HEADER_ENCODED_MAX];
    uint8_t datagram[512];
    uint8_t answer[512];
    struct fake_message query;
    bench_init(TRUST);
    int client = bench_client(NOWHERE, SOCK_DGRAM);
    int liar = bench_client(ITALY, SOCK_DGRAM);
    struct span header = header_for(ITALY, room);
    bench_query(&query, 7, BLOCKED);
    memcpy(datagram, header.bytes, header.size);
    memcpy(datagram + header.size, query.bytes, query.size);
    send_octets(liar, (struct span){datagram, header.size + query.size});
    send_octets(client, (struct span){query.bytes, query.size});
    send_octets(client, (struct span){datagram, header.size - 1});
    send_octets(client, (struct span){datagram, header.size}); /* nothing behind it */
    send_octets(client, (struct span){datagram, header.size + query.size});
    LOOP_UNTIL(bench.base, recv(client, answer, sizeof answer, MSG_PEEK | MSG_DONTWAIT) > 0);
    ck_assert_int_ge(recv(client, answer, sizeof answer, MSG_DONTWAIT), DNS_HEADER_SIZE);
    ck_assert_uint_eq(dns_id(answer), 7);
    ck_assert_uint_eq(answer[3] & DNS_RCODE_MASK, DNS_RCODE_REFUSED);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_PROXY_UNTRUSTED) == 1);
    ck_assert_uint_eq(bench_counter(COUNTER_PROXY_MALFORMED), 2);
    ck_assert_uint_eq(bench_counter(COUNTER_DROPPED), 1);
    ck_assert_int_lt(recv(client, answer, sizeof answer, MSG_DONTWAIT), 0);
    close(client);
    close(liar);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("proxy_intake");
    TCase *tcase = tcase_create("proxy_intake");
    tcase_add_checked_fixture(tcase, NULL, bench_fini);
    tcase_add_test(tcase, the_client_of_a_stream_is_whom_its_header_tells);
    tcase_add_test(tcase, a_header_may_come_in_pieces);
    tcase_add_test(tcase, who_is_not_trusted_is_closed);
    tcase_add_test(tcase, what_is_no_header_is_closed);
    tcase_add_test(tcase, a_header_that_ends_early_is_closed);
    tcase_add_test(tcase, places_are_the_true_clients);
    tcase_add_test(tcase, those_that_wait_end_with_the_worker);
    tcase_add_test(tcase, those_that_wait_do_not_hold_up_the_end);
    tcase_add_test(tcase, each_datagram_has_its_own_header);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
