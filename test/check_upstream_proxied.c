/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `send-client: proxy-protocol` towards one server: which connection carries whose queries, what is
 * its first, and how many there are.
 */
#include "forwarder/upstream/upstream_stream.h"

#include <sys/resource.h>

#include "forwarder/upstream/upstream_udp.h"
#include "forwarder/wire/proxy_header.h"
#include "test/upstream_bench.h"
#include "test/suite.h"

static struct bench *bench;
static struct fake_server server;
static struct upstream_streams *streams;
static unsigned broken;

static void on_broken(void *ctx, struct inflight_entry *entry, struct upstream_server *of,
                      bool reached)
{
    (void)ctx;
    (void)of;
    (void)reached;
    broken++;
    inflight_take(bench->env.inflight, entry);
}

/* Both ends of each connection are ours. */
static void raise_limit(void)
{
    struct rlimit limit;
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    if (limit.rlim_cur < 4 * UPSTREAM_STREAMS_PROXIED) {
        limit.rlim_cur = 4 * UPSTREAM_STREAMS_PROXIED;
        ck_assert_msg(setrlimit(RLIMIT_NOFILE, &limit) == 0, "needs more descriptors");
    }
}

static void set_up(void)
{
    raise_limit();
    bench = bench_new(4096);
    bench->config.send_client = CONFIG_SEND_PROXY;
    broken = 0;
    fake_server_open(&server);
    streams =
        upstream_streams_new(&bench->env, NULL, bench_target(bench, &server), on_broken, bench);
    ck_assert_ptr_nonnull(streams);
}

static void tear_down(void)
{
    upstream_streams_free(streams);
    ck_assert_uint_eq(inflight_count(bench->env.inflight), 0);
    fake_server_close(&server);
    bench_free(bench);
}

/* 192.0.2.1 at this port asks 192.0.2.53. */
static struct query_ends ends_of(uint16_t port)
{
    return (struct query_ends){
        .client = {{[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 1}},
        .server = {{[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 53}},
        .client_port = port,
        .server_port = 53,
    };
}

/* A query of the client at this port; 0: of nobody. */
static struct inflight_entry *add(uint16_t port, bool stream)
{
    struct inflight_entry *entry = bench_add(bench, BENCH_QUERY("0001"), stream);
    entry->ends = port == 0 ? (struct query_ends){.client_port = 0} : ends_of(port);
    return entry;
}

static struct inflight_entry *ask(uint16_t port, bool stream)
{
    struct inflight_entry *entry = add(port, stream);
    ck_assert(upstream_streams_send(streams, entry));
    return entry;
}

/* The header that a connection must begin with. */
static void expect_header(int connection, uint16_t port)
{
    uint8_t octets[PROXY_HEADER_ENCODED_MAX];
    struct proxy_header header;
    size_t size = port == 0 ? 16 : 28;
    ck_assert(fake_stream_octets(connection, bench->base, octets, size));
    ck_assert_int_eq(proxy_header_decode((struct span){octets, size}, &header), PROXY_HEADER_WHOLE);
    ck_assert_int_eq(header.kind, port == 0 ? PROXY_HEADER_LOCAL : PROXY_HEADER_CLIENT);
    if (port != 0) {
        ck_assert_uint_eq(header.source.octet[15], 1);
        ck_assert_uint_eq(header.source.port, port);
        ck_assert_uint_eq(header.destination.octet[15], 53);
        ck_assert_uint_eq(header.destination.port, 53);
    }
}

static int accept_of(uint16_t port)
{
    int connection = fake_server_accept(&server, bench->base);
    expect_header(connection, port);
    return connection;
}

static void answer_next(int connection)
{
    struct fake_message message;
    unsigned before = bench->answers;
    ck_assert(fake_stream_read(connection, bench->base, &message));
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, bench->answers == before + 1);
}

START_TEST(a_connection_carries_one_client)
{
    ask(1000, true);
    int one = accept_of(1000);
    answer_next(one);
    ask(1001, true);
    int other = accept_of(1001);
    answer_next(other);
    ask(1000, true);
    ask(1000, true);
    answer_next(one);
    answer_next(one);
    ck_assert(!loop_readable(server.tcp));
    close(one);
    close(other);
}
END_TEST

START_TEST(a_connection_of_nobody_says_so)
{
    ask(0, true);
    int connection = accept_of(0);
    answer_next(connection);
    close(connection);
}
END_TEST

START_TEST(one_of_a_datagram_ends_with_its_answer)
{
    struct fake_message message;
    ask(1000, false);
    int connection = accept_of(1000);
    answer_next(connection);
    ck_assert(!fake_stream_read(connection, bench->base, &message));
    ck_assert_uint_eq(broken, 0);
    close(connection);
}
END_TEST

/* Idle ones give way, the least recently used first; where all are busy, nobody is asked. */
START_TEST(there_are_only_so_many)
{
    struct fake_message message;
    int connections[UPSTREAM_STREAMS_PROXIED];
    for (unsigned i = 0; i < UPSTREAM_STREAMS_PROXIED; i++) {
        ask((uint16_t)(1000 + i), true);
        connections[i] = accept_of((uint16_t)(1000 + i));
    }
    struct inflight_entry *late = add(9000, true);
    ck_assert(!upstream_streams_send(streams, late));
    answer_next(connections[5]);
    answer_next(connections[3]);
    ck_assert(upstream_streams_send(streams, late));
    ck_assert(!fake_stream_read(connections[5], bench->base, &message));
    ck_assert(!loop_readable(connections[3]));
    int connection = accept_of(9000);
    answer_next(connection);
    close(connection);
    for (unsigned i = 0; i < UPSTREAM_STREAMS_PROXIED; i++) {
        close(connections[i]);
    }
}
END_TEST

START_TEST(a_datagram_has_its_header_in_front)
{
    struct fake_message message;
    struct upstream_udp *udp = upstream_udp_new(&bench->env, NULL, bench->targets[0]);
    struct proxy_header header;
    ck_assert_ptr_nonnull(udp);
    for (uint16_t port = 1000; port < 1003; port++) {
        ck_assert(upstream_udp_send(udp, add(port, false)));
    }
    upstream_udp_flush(udp);
    for (uint16_t port = 1000; port < 1003; port++) {
        fake_server_receive(&server, bench->base, &message);
        struct span bytes = {message.bytes, message.size};
        ck_assert_int_eq(proxy_header_decode(bytes, &header), PROXY_HEADER_WHOLE);
        ck_assert_uint_eq(header.source.port, port);
        message.size -= header.size;
        memmove(message.bytes, message.bytes + header.size, message.size);
        ck_assert_uint_eq(message.size, 29);
        fake_answer(&message);
        fake_server_send(&server, &message);
    }
    LOOP_UNTIL(bench->base, bench->answers == 3);
    upstream_udp_free(udp);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_proxied");
    TCase *tcase = tcase_create("upstream_proxied");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_connection_carries_one_client);
    tcase_add_test(tcase, a_connection_of_nobody_says_so);
    tcase_add_test(tcase, one_of_a_datagram_ends_with_its_answer);
    tcase_add_test(tcase, there_are_only_so_many);
    tcase_add_test(tcase, a_datagram_has_its_header_in_front);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
