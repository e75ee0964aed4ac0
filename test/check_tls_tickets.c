/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Session tickets: resumed while their keys are there, by every context that shares them, and by no
 * other.
 */
#include "forwarder/stream/tls_tickets.h"

#include "test/tls_exchange.h"
#include "test/suite.h"

static const int VERSIONS[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct certificate_text text;
static struct tls_tickets *tickets;
static struct tls_pair *pair;

static void set_up(void)
{
    struct tls_fault fault;
    certificate_make(1700000000, 1900000000, &text);
    tickets = tls_tickets_new();
    ck_assert_ptr_nonnull(tickets);
    pair = tls_pair_of(text.certificate, text.key, tickets, &fault);
    ck_assert_ptr_nonnull(pair);
}

static void tear_down(void)
{
    tls_pair_unref(pair);
    tls_tickets_free(tickets);
    tls_tickets_free(NULL);
}

static struct tls_exchange first(int version, const struct tls_pair *of)
{
    struct tls_exchange exchange = {.version = version};
    tls_exchange_run(tls_pair_context(of, TLS_PAIR_DOT), &exchange);
    ck_assert(exchange.done && !exchange.resumed);
    ck_assert_ptr_nonnull(exchange.session);
    return exchange;
}

START_TEST(tickets_outlive_rotations)
{
    for (unsigned rotations = 0; rotations <= TLS_TICKETS_OLD + 2; rotations++) {
        struct tls_exchange exchange = first(VERSIONS[_i], pair);
        for (unsigned i = 0; i < rotations; i++) {
            tls_tickets_rotate(tickets);
        }
        tls_exchange_run(tls_pair_context(pair, TLS_PAIR_DOT), &exchange);
        ck_assert(exchange.done);
        ck_assert_msg(exchange.resumed == (rotations <= TLS_TICKETS_OLD), "%u", rotations);
        SSL_SESSION_free(exchange.session);
    }
}
END_TEST

/* Each time with a ticket of the newest key, so a client that comes now and then stays. */
START_TEST(tickets_are_renewed)
{
    struct tls_exchange exchange = first(VERSIONS[_i], pair);
    for (unsigned i = 0; i < 4 * TLS_TICKETS_OLD; i++) {
        tls_tickets_rotate(tickets);
        tls_exchange_run(tls_pair_context(pair, TLS_PAIR_DOT), &exchange);
        ck_assert_msg(exchange.done && exchange.resumed, "%u", i);
        ck_assert_ptr_nonnull(exchange.session);
    }
    SSL_SESSION_free(exchange.session);
}
END_TEST

START_TEST(a_reload_takes_the_tickets_of_before)
{
    struct tls_fault fault;
    struct certificate_text renewed;
    certificate_make(1700000000, 1900000000, &renewed);
    struct tls_pair *next = tls_pair_of(renewed.certificate, renewed.key, tickets, &fault);
    struct tls_exchange exchange = first(VERSIONS[_i], pair);
    tls_exchange_run(tls_pair_context(next, TLS_PAIR_DOT), &exchange);
    ck_assert(exchange.done && exchange.resumed);
    SSL_SESSION_free(exchange.session);
    tls_pair_unref(next);
}
END_TEST

START_TEST(a_ticket_is_for_one_service)
{
    struct tls_exchange exchange = first(VERSIONS[_i], pair);
    exchange.alpn = "\2h2";
    tls_exchange_run(tls_pair_context(pair, TLS_PAIR_H2), &exchange);
    ck_assert(exchange.done && !exchange.resumed);
    SSL_SESSION_free(exchange.session);
}
END_TEST

START_TEST(another_process_takes_none)
{
    struct tls_fault fault;
    struct tls_tickets *others = tls_tickets_new();
    struct tls_pair *far = tls_pair_of(text.certificate, text.key, others, &fault);
    struct tls_exchange exchange = first(VERSIONS[_i], pair);
    tls_exchange_run(tls_pair_context(far, TLS_PAIR_DOT), &exchange);
    ck_assert(exchange.done && !exchange.resumed);
    SSL_SESSION_free(exchange.session);
    tls_pair_unref(far);
    tls_tickets_free(others);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tls_tickets");
    TCase *tcase = tcase_create("tls_tickets");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, tickets_outlive_rotations, 0, 2);
    tcase_add_loop_test(tcase, tickets_are_renewed, 0, 2);
    tcase_add_loop_test(tcase, a_reload_takes_the_tickets_of_before, 0, 2);
    tcase_add_loop_test(tcase, a_ticket_is_for_one_service, 0, 2);
    tcase_add_loop_test(tcase, another_process_takes_none, 0, 2);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
