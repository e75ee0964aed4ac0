/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One question of a health check: what counts as its answer, and when there is none.
 */
#include "forwarder/upstream/health_probe.h"

#include <signal.h>

#include "forwarder/upstream/upstream_tls.h"
#include "forwarder/wire/proxy_header.h"
#include "test/fake_server.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define QUERY "1234 0100 0001 0000 0000 0000 00 0002 0001"

static struct event_base *base;
static struct fake_server server;
static struct upstream_target *target;
static struct upstream_tls *tls;
static struct health_probe *probe;
static unsigned answers;
static size_t answer_size; /* of the last one */

static void on_answer(void *ctx, struct span answer)
{
    ck_assert_ptr_eq(ctx, &answers);
    answers++;
    answer_size = answer.size;
    health_probe_free(probe);
    probe = NULL;
}

static void set_up(void)
{
    char why[WHY_MAX];
    signal(SIGPIPE, SIG_IGN);
    base = event_base_new();
    fake_server_open(&server);
    target = upstream_target_new(&server.address, 1);
    tls = upstream_tls_new(&(struct config_upstream){.tls_ca = NULL}, why);
    ck_assert_ptr_nonnull(target);
    ck_assert_ptr_nonnull(tls);
    answers = 0;
}

static void tear_down(void)
{
    health_probe_free(probe);
    event_base_loop(base, EVLOOP_NONBLOCK); /* bufferevents freed above, see worker.c */
    upstream_tls_free(tls);
    upstream_target_unref(target);
    fake_server_close(&server);
    event_base_free(base);
}

static void ask(bool proxied, unsigned timeout_ms)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    const struct health_probe_question question = {
        .target = target,
        .tls = tls,
        .query = wire_parse(QUERY, bytes),
        .proxied = proxied,
        .timeout_ms = timeout_ms,
        .on_answer = on_answer,
        .ctx = &answers,
    };
    probe = health_probe_new(base, &question);
    ck_assert_ptr_nonnull(probe);
}

START_TEST(the_answer_has_its_id_and_question)
{
    struct fake_message message;
    ask(false, 30000);
    fake_server_receive(&server, base, &message);
    ck_assert_uint_eq(message.size, 17);
    struct fake_message other = message;
    fake_server_send(&server, &other); /* QR=0 */
    fake_answer(&other);
    other.bytes[0] ^= 1;
    fake_server_send(&server, &other);
    fake_answer(&message);
    other = message;
    other.bytes[14] = 1; /* another type */
    fake_server_send(&server, &other);
    other.size = 3;
    fake_server_send(&server, &other);
    loop_for(base, 20);
    ck_assert_uint_eq(answers, 0);
    fake_server_send(&server, &message);
    LOOP_UNTIL(base, answers == 1);
    ck_assert_uint_eq(answer_size, 17);
}
END_TEST

START_TEST(a_proxy_header_speaks_for_nobody)
{
    struct fake_message message;
    struct proxy_header header;
    ask(true, 30000);
    fake_server_receive(&server, base, &message);
    ck_assert_int_eq(proxy_header_decode((struct span){message.bytes, message.size}, &header),
                     PROXY_HEADER_WHOLE);
    ck_assert_int_eq(header.kind, PROXY_HEADER_LOCAL);
    ck_assert_uint_eq(message.size, header.size + 17);
}
END_TEST

START_TEST(silence_ends_with_the_time)
{
    ask(false, 50);
    LOOP_UNTIL(base, answers == 1);
    ck_assert_uint_eq(answer_size, 0);
}
END_TEST

START_TEST(a_closed_port_ends_at_once)
{
    fake_server_close(&server);
    ask(false, 30000);
    LOOP_UNTIL(base, answers == 1);
    ck_assert_uint_eq(answer_size, 0);
}
END_TEST

/* Not a word of the query goes to a server that does not prove who it is. */
START_TEST(a_server_without_tls_is_none)
{
    uint8_t hello[5];
    target->tls_name = "resolver.example";
    ask(false, 30000);
    int connection = fake_server_accept(&server, base);
    ck_assert(fake_stream_octets(connection, base, hello, sizeof hello));
    ck_assert_uint_eq(hello[0], 22); /* a handshake (RFC 8446 section 5.1) */
    ck_assert_int_eq(send(connection, QUERY, sizeof QUERY, 0), sizeof QUERY);
    LOOP_UNTIL(base, answers == 1);
    ck_assert_uint_eq(answer_size, 0);
    close(connection);
}
END_TEST

START_TEST(a_handshake_that_does_not_end_is_ended)
{
    target->tls_name = "resolver.example";
    ask(false, 50);
    LOOP_UNTIL(base, answers == 1);
    ck_assert_uint_eq(answer_size, 0);
}
END_TEST

START_TEST(freed_it_says_nothing)
{
    ask(false, 20);
    health_probe_free(probe);
    probe = NULL;
    loop_for(base, 60);
    ck_assert_uint_eq(answers, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health_probe");
    TCase *tcase = tcase_create("health_probe");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_answer_has_its_id_and_question);
    tcase_add_test(tcase, a_proxy_header_speaks_for_nobody);
    tcase_add_test(tcase, silence_ends_with_the_time);
    tcase_add_test(tcase, a_closed_port_ends_at_once);
    tcase_add_test(tcase, a_server_without_tls_is_none);
    tcase_add_test(tcase, a_handshake_that_does_not_end_is_ended);
    tcase_add_test(tcase, freed_it_says_nothing);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
