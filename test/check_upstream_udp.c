/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * UDP towards one server: ports that cannot be guessed and are renewed, batches, and answers from
 * nobody else.
 */
#include "forwarder/upstream/upstream_udp.h"

#include <dirent.h>

#include "test/few_descriptors.h"
#include "test/upstream_bench.h"
#include "test/suite.h"

static struct bench *bench;
static struct fake_server server;
static struct upstream_udp *udp;

static void set_up(void)
{
    bench = bench_new(1024);
    fake_server_open(&server);
    udp = upstream_udp_new(&bench->env, NULL, bench_target(bench, &server));
    ck_assert_ptr_nonnull(udp);
}

static void tear_down(void)
{
    struct inflight_entry *entry;
    while ((entry = inflight_overdue(bench->env.inflight, UINT64_MAX)) != NULL) {
        inflight_take(bench->env.inflight, entry);
    }
    ck_assert_uint_eq(upstream_target_outstanding(bench->targets[0]), 0);
    upstream_udp_free(udp);
    fake_server_close(&server);
    bench_free(bench);
}

static struct inflight_entry *ask(void)
{
    struct inflight_entry *entry = bench_add(bench, BENCH_QUERY("abcd"), false);
    ck_assert(upstream_udp_send(udp, entry));
    return entry;
}

/* Asks, and reads what arrives: the port it came from. */
static uint16_t ask_now(struct fake_message *message)
{
    ask();
    upstream_udp_flush(udp);
    fake_server_receive(&server, bench->base, message);
    return ntohs(message->from.sin_port);
}

static unsigned open_descriptors(void)
{
    unsigned count = 0;
    DIR *folder = opendir("/proc/self/fd");
    ck_assert_ptr_nonnull(folder);
    while (readdir(folder) != NULL) {
        count++;
    }
    closedir(folder);
    return count;
}

START_TEST(a_query_arrives_and_its_answer_returns)
{
    struct fake_message message;
    struct inflight_entry *entry = ask();
    ck_assert_uint_eq(upstream_target_outstanding(bench->targets[0]), 1);
    upstream_udp_flush(udp);
    fake_server_receive(&server, bench->base, &message);
    ck_assert_uint_eq(message.size, entry->message_size);
    ck_assert_mem_eq(message.bytes, entry->message, message.size);
    fake_answer(&message);
    fake_server_send(&server, &message);
    LOOP_UNTIL(bench->base, bench->batches > 0);
    ck_assert_uint_eq(bench->answers, 1);
    ck_assert_uint_eq(bench->client_id, 0xabcd);
    ck_assert_uint_eq(bench->answer.size, message.size);
    ck_assert_uint_eq(upstream_target_outstanding(bench->targets[0]), 0);

    fake_server_send(&server, &message); /* once more: nobody waits for it */
    LOOP_UNTIL(bench->base, bench_counter(bench, COUNTER_UNMATCHED) == 1);
    ck_assert_uint_eq(bench->answers, 1);
}
END_TEST

START_TEST(nothing_leaves_before_the_flush_or_a_full_batch)
{
    struct fake_message message;
    for (unsigned i = 0; i < UDP_BATCH - 1; i++) {
        ask();
    }
    loop_for(bench->base, 20);
    ck_assert(!loop_readable(server.udp));
    ask();
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        fake_server_receive(&server, bench->base, &message);
    }
    ck_assert(!loop_readable(server.udp));
    struct inflight_entry *last = ask();
    loop_for(bench->base, 20);
    ck_assert(!loop_readable(server.udp));
    upstream_udp_flush(udp);
    fake_server_receive(&server, bench->base, &message);
    ck_assert_mem_eq(message.bytes, last->message, message.size);
    upstream_udp_flush(udp);
    ck_assert(!loop_readable(server.udp));
}
END_TEST

START_TEST(a_batch_has_one_port_and_batches_have_many)
{
    struct fake_message message;
    uint16_t ports[UPSTREAM_UDP_SOCKETS] = {0};
    unsigned count = 0;
    for (unsigned i = 0; i < 128; i++) { /* one port of eight is missed once in 26 million times */
        unsigned known = 0;
        ask();
        ask();
        upstream_udp_flush(udp);
        fake_server_receive(&server, bench->base, &message);
        uint16_t port = ntohs(message.from.sin_port);
        fake_server_receive(&server, bench->base, &message);
        ck_assert_uint_eq(ntohs(message.from.sin_port), port);
        ck_assert_uint_ge(port, 1024);
        while (known < count && ports[known] != port) {
            known++;
        }
        if (known == count) {
            ck_assert_uint_lt(count, UPSTREAM_UDP_SOCKETS);
            ports[count++] = port;
        }
    }
    ck_assert_uint_eq(count, UPSTREAM_UDP_SOCKETS);
}
END_TEST

START_TEST(only_the_server_is_heard)
{
    struct fake_message message;
    struct fake_server stranger;
    fake_server_open(&stranger);
    ask_now(&message);
    fake_answer(&message);
    fake_server_send(&stranger, &message);
    loop_for(bench->base, 20);
    ck_assert_uint_eq(bench->answers, 0);
    ck_assert_uint_eq(bench_counter(bench, COUNTER_UNMATCHED), 0);

    message.bytes[0] ^= 0xff; /* nor is the server with an ID that does not wait */
    fake_server_send(&server, &message);
    LOOP_UNTIL(bench->base, bench_counter(bench, COUNTER_UNMATCHED) == 1);
    ck_assert_uint_eq(bench->answers, 0);
    message.bytes[0] ^= 0xff;
    fake_server_send(&server, &message);
    LOOP_UNTIL(bench->base, bench->answers == 1);
    fake_server_close(&stranger);
}
END_TEST

START_TEST(sockets_are_renewed_while_there_are_queries)
{
    struct fake_message message;
    unsigned before = open_descriptors();
    ck_assert(!upstream_udp_renew(udp));
    uint16_t first = ask_now(&message);
    for (unsigned i = 0; i < UPSTREAM_UDP_SOCKETS; i++) {
        ck_assert(upstream_udp_renew(udp));
        ask_now(&message);
    }
    for (unsigned i = 0; i < 64; i++) { /* the first query waits: nobody else gets its port */
        ck_assert_uint_ne(ask_now(&message), first);
    }
    ck_assert_uint_gt(open_descriptors(), before);
}
END_TEST

START_TEST(a_replaced_socket_waits_for_its_answers)
{
    struct fake_message message;
    unsigned before = open_descriptors();
    ask_now(&message);
    for (unsigned i = 0; i < UPSTREAM_UDP_SOCKETS; i++) {
        struct fake_message other;
        ck_assert(upstream_udp_renew(udp));
        ask_now(&other);
        fake_answer(&other);
        fake_server_send(&server, &other);
        LOOP_UNTIL(bench->base, bench->answers == i + 1);
    }
    ck_assert(upstream_udp_renew(udp));
    ck_assert_msg(upstream_udp_renew(udp), "the first query still waits");
    ck_assert_uint_gt(open_descriptors(), before);
    fake_answer(&message);
    fake_server_send(&server, &message);
    LOOP_UNTIL(bench->base, bench->answers == UPSTREAM_UDP_SOCKETS + 1);
    ck_assert(!upstream_udp_renew(udp));
    ck_assert_uint_eq(open_descriptors(), before);
}
END_TEST

START_TEST(without_descriptors_the_old_sockets_serve_on)
{
    struct fake_message message;
    ask_now(&message);
    struct rlimit before = few_descriptors(0);
    ck_assert(upstream_udp_renew(udp));
    ck_assert_ptr_null(upstream_udp_new(&bench->env, NULL, bench->targets[0]));
    ask_now(&message);
    fake_answer(&message);
    fake_server_send(&server, &message);
    LOOP_UNTIL(bench->base, bench->answers == 1);
    enough_descriptors(before);
}
END_TEST

START_TEST(a_server_that_is_not_there_is_survived)
{
    struct fake_message message;
    struct fake_server gone = server;
    fake_server_close(&server);
    for (unsigned i = 0; i < 100; i++) { /* each ICMP message is an error of some later call */
        ask();
        upstream_udp_flush(udp);
        loop_round(bench->base);
    }
    ck_assert_uint_eq(inflight_count(bench->env.inflight), 100);
    ck_assert_uint_eq(bench->answers, 0);

    struct sockaddr_in address;
    memcpy(&address, &gone.address.sockaddr, sizeof address);
    server = gone;
    server.udp = fake_socket(SOCK_DGRAM, &address);
    server.tcp = -1;
    ck_assert_int_ge(server.udp, 0);
    ask_now(&message);
    fake_answer(&message);
    fake_server_send(&server, &message);
    LOOP_UNTIL(bench->base, bench->answers == 1);
    close(server.udp);
    server.udp = -1;
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_udp");
    TCase *tcase = tcase_create("upstream_udp");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_query_arrives_and_its_answer_returns);
    tcase_add_test(tcase, nothing_leaves_before_the_flush_or_a_full_batch);
    tcase_add_test(tcase, a_batch_has_one_port_and_batches_have_many);
    tcase_add_test(tcase, only_the_server_is_heard);
    tcase_add_test(tcase, sockets_are_renewed_while_there_are_queries);
    tcase_add_test(tcase, a_replaced_socket_waits_for_its_answers);
    tcase_add_test(tcase, without_descriptors_the_old_sockets_serve_on);
    tcase_add_test(tcase, a_server_that_is_not_there_is_survived);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
