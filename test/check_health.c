/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Health checks: what counts as a failure, how many in a row make a server down or up, and which
 * servers are asked at all.
 */
#include "forwarder/upstream/health.h"

#include "forwarder/log.h"
#include "forwarder/upstream/upstream_set.h"
#include "test/fake_server.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define SILENT (-1)

/* A server that answers by itself, with an rcode that the test may change. */
struct responder {
    struct fake_server server;
    struct event *readable;
    struct upstream_target *target;
    int rcode;
    unsigned asked;
    struct fake_message question; /* the last one */
};

static struct event_base *base;
static struct config_upstream config;
static struct health *health;
static struct responder responders[2];
static struct upstream_set *set;

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct responder *responder = ctx;
    struct fake_message *message = &responder->question;
    (void)descriptor;
    (void)what;
    fake_server_receive(&responder->server, base, message);
    responder->asked++;
    if (responder->rcode != SILENT) {
        struct fake_message answer = *message;
        fake_answer(&answer);
        answer.bytes[3] = (uint8_t)responder->rcode;
        fake_server_send(&responder->server, &answer);
    }
}

static void responder_open(struct responder *responder)
{
    *responder = (struct responder){.rcode = DNS_RCODE_NOERROR};
    fake_server_open(&responder->server);
    responder->target = upstream_target_new(&responder->server.address, 1);
    responder->readable =
        event_new(base, responder->server.udp, EV_READ | EV_PERSIST, on_readable, responder);
    ck_assert_ptr_nonnull(responder->target);
    ck_assert_ptr_nonnull(responder->readable);
    ck_assert_int_eq(event_add(responder->readable, NULL), 0);
}

static void responder_close(struct responder *responder)
{
    event_free(responder->readable);
    upstream_target_unref(responder->target);
    fake_server_close(&responder->server);
}

/* The servers from first on, count of them, are followed from now on. */
static void follow(size_t first, size_t count)
{
    struct upstream_target *targets[] = {responders[0].target, responders[1].target};
    struct upstream_set *next =
        upstream_set_new(set == NULL ? 1 : set->number + 1, targets + first, count);
    ck_assert_ptr_nonnull(next);
    health_follow(health, next);
    upstream_set_free(set);
    set = next;
}

static void set_up(void)
{
    static char name[] = ".";
    char why[WHY_MAX] = "";
    log_set_level(LOG_LEVEL_ERROR);
    base = event_base_new();
    config = (struct config_upstream){.health_check = {.enabled = true,
                                                       .name = name,
                                                       .type = 2, /* NS */
                                                       .interval_ms = 100,
                                                       .down_after = 3,
                                                       .up_after = 2}};
    health = health_new(base, &config, NULL, why);
    ck_assert_msg(health != NULL, "%s", why);
    responder_open(&responders[0]);
    responder_open(&responders[1]);
    set = NULL;
}

static void tear_down(void)
{
    health_free(health);
    upstream_set_free(set);
    responder_close(&responders[0]);
    responder_close(&responders[1]);
    event_base_free(base);
}

static bool is_up(const struct responder *responder)
{
    return atomic_load(&responder->target->up);
}

/* Runs until the server has been asked so many times more. */
static void await_probes(struct responder *responder, unsigned count)
{
    unsigned until = responder->asked + count;
    LOOP_UNTIL(base, responder->asked >= until);
}

static const struct {
    const char *label;
    int rcode;
    bool success;
} OUTCOMES[] = {
    {"NOERROR", DNS_RCODE_NOERROR, true},
    {"NXDOMAIN", DNS_RCODE_NXDOMAIN, true},
    {"SERVFAIL", DNS_RCODE_SERVFAIL, false},
    {"REFUSED", DNS_RCODE_REFUSED, false},
    {"FORMERR", DNS_RCODE_FORMERR, false},
    {"NOTIMP", DNS_RCODE_NOTIMP, false},
    {"silence", SILENT, false},
};

START_TEST(an_answer_without_error_is_a_success)
{
    responders[0].rcode = OUTCOMES[_i].rcode;
    follow(0, 1);
    if (OUTCOMES[_i].success) {
        await_probes(&responders[0], config.health_check.down_after + 2);
        ck_assert_msg(is_up(&responders[0]), "%s", OUTCOMES[_i].label);
    } else {
        await_probes(&responders[0], config.health_check.down_after);
        ck_assert_msg(is_up(&responders[0]), "%s: two failures are too few", OUTCOMES[_i].label);
        LOOP_UNTIL(base, !is_up(&responders[0]));
        ck_assert_uint_le(responders[0].asked, config.health_check.down_after + 1);
    }
    ck_assert_uint_eq(responders[1].asked, 0);
}
END_TEST

START_TEST(a_closed_port_is_a_failure)
{
    event_del(responders[0].readable);
    fake_server_close(&responders[0].server);
    follow(0, 1);
    LOOP_UNTIL(base, !is_up(&responders[0]));
}
END_TEST

START_TEST(a_server_comes_up_again)
{
    responders[0].rcode = DNS_RCODE_SERVFAIL;
    follow(0, 2);
    LOOP_UNTIL(base, !is_up(&responders[0]));
    ck_assert_msg(is_up(&responders[1]), "each for itself");
    responders[0].rcode = DNS_RCODE_NOERROR;
    await_probes(&responders[0], config.health_check.up_after);
    ck_assert_msg(!is_up(&responders[0]), "one success is too few");
    LOOP_UNTIL(base, is_up(&responders[0]));
}
END_TEST

START_TEST(only_failures_in_a_row_count)
{
    follow(0, 1);
    for (unsigned i = 0; i < 4; i++) {
        responders[0].rcode = DNS_RCODE_SERVFAIL;
        await_probes(&responders[0], config.health_check.down_after - 1);
        responders[0].rcode = DNS_RCODE_NOERROR;
        await_probes(&responders[0], 1);
        ck_assert(is_up(&responders[0]));
    }
}
END_TEST

START_TEST(the_question_is_the_configured_one)
{
    static char name[] = "health.example";
    uint8_t bytes[WIRE_NOTATION_MAX];
    config.health_check.name = name;
    config.health_check.type = 16;
    follow(0, 1);
    await_probes(&responders[0], 1);
    uint16_t id = dns_id(responders[0].question.bytes);
    struct span expected = wire_parse(
        "0100 0001 0000 0000 0001 06'health'07'example'00 0010 0001 00 0029 04d0 00000000 0000",
        bytes);
    ck_assert_uint_eq(responders[0].question.size, 2 + expected.size);
    ck_assert_mem_eq(responders[0].question.bytes + 2, expected.bytes, expected.size);
    await_probes(&responders[0], 1);
    uint16_t second = dns_id(responders[0].question.bytes);
    await_probes(&responders[0], 1);
    /* Three times the same ID is one chance in 2^32. */
    ck_assert(id != second || second != dns_id(responders[0].question.bytes));
}
END_TEST

START_TEST(servers_are_asked_at_each_interval)
{
    config.health_check.interval_ms = 50;
    uint64_t began = loop_now_ms();
    follow(0, 2);
    await_probes(&responders[0], 5);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + 4 * 50);
    ck_assert_uint_ge(responders[1].asked, 4);
}
END_TEST

START_TEST(a_server_that_left_is_not_asked)
{
    follow(0, 2);
    await_probes(&responders[0], 1);
    responders[0].rcode = SILENT;
    await_probes(&responders[0], 1); /* its answer is still awaited when it leaves */
    follow(1, 1);
    unsigned asked = responders[0].asked;
    await_probes(&responders[1], 4);
    ck_assert_uint_eq(responders[0].asked, asked);
    ck_assert(is_up(&responders[0]));
    follow(0, 0);
    asked = responders[1].asked;
    loop_for(base, 250);
    ck_assert_uint_eq(responders[1].asked, asked);
}
END_TEST

START_TEST(a_server_that_stays_keeps_its_count)
{
    responders[0].rcode = DNS_RCODE_SERVFAIL;
    follow(0, 1);
    for (unsigned i = 0; i < 2; i++) {
        await_probes(&responders[0], 1);
        loop_for(base, 20);
        follow(0, 2 - i);
    }
    ck_assert_uint_eq(responders[0].asked, 2);
    LOOP_UNTIL(base, !is_up(&responders[0]));
    ck_assert_uint_eq(responders[0].asked, config.health_check.down_after);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("health");
    TCase *tcase = tcase_create("health");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, an_answer_without_error_is_a_success, 0,
                        sizeof OUTCOMES / sizeof OUTCOMES[0]);
    tcase_add_test(tcase, a_closed_port_is_a_failure);
    tcase_add_test(tcase, a_server_comes_up_again);
    tcase_add_test(tcase, only_failures_in_a_row_count);
    tcase_add_test(tcase, the_question_is_the_configured_one);
    tcase_add_test(tcase, servers_are_asked_at_each_interval);
    tcase_add_test(tcase, a_server_that_left_is_not_asked);
    tcase_add_test(tcase, a_server_that_stays_keeps_its_count);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
