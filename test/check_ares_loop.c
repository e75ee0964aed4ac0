/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lookups by c-ares on a libevent base: answered, by TCP too, timed out, refused, given up.
 */
#include "forwarder/upstream/ares_loop.h"

#include <arpa/nameser.h>
#include <stdio.h>

#include "test/fake_server.h"
#include "test/suite.h"

static struct event_base *base;
static struct fake_server server;
static struct ares_loop *loop;

static unsigned told;
static int status_told;

static void on_answer(void *ctx, int status, int timeouts, unsigned char *answer, int size)
{
    (void)timeouts;
    ck_assert_ptr_eq(ctx, &told);
    ck_assert((status == ARES_SUCCESS) == (answer != NULL && size > 0));
    told++;
    status_told = status;
}

static struct ares_loop *loop_new(unsigned tries)
{
    char servers[32];
    char why[WHY_MAX] = "";
    snprintf(servers, sizeof servers, "127.0.0.1:%u", (unsigned)fake_server_port(&server));
    struct ares_loop_options options = {
        .servers = servers, .timeout_ms = 60, .tries = tries, .flags = ARES_FLAG_NOSEARCH};
    struct ares_loop *result = ares_loop_new(base, &options, why);
    ck_assert_msg(result != NULL, "%s", why);
    return result;
}

static void set_up(void)
{
    base = event_base_new();
    told = 0;
    fake_server_open(&server);
    loop = loop_new(2);
}

static void tear_down(void)
{
    ares_loop_free(loop);
    fake_server_close(&server);
    event_base_free(base);
}

static void look_up(void)
{
    ares_query(ares_loop_channel(loop), "www.example", ns_c_in, ns_t_a, on_answer, &told);
    ares_loop_started(loop);
}

/* Makes an answer with an address out of a query, whose name is all it has. */
static void give_address(struct fake_message *message)
{
    static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
    fake_answer(message);
    message->bytes[7] = 1; /* ANCOUNT */
    memcpy(message->bytes + message->size, record, sizeof record);
    message->size += sizeof record;
}

START_TEST(a_lookup_is_answered)
{
    struct fake_message message;
    for (unsigned i = 0; i < 3; i++) {
        look_up();
        fake_server_receive(&server, base, &message);
        give_address(&message);
        fake_server_send(&server, &message);
        LOOP_UNTIL(base, told == i + 1);
        ck_assert_int_eq(status_told, ARES_SUCCESS);
    }
}
END_TEST

START_TEST(many_lookups_are_answered_in_any_order)
{
    struct fake_message messages[4];
    for (unsigned i = 0; i < 4; i++) {
        look_up();
        fake_server_receive(&server, base, &messages[i]);
    }
    for (unsigned i = 4; i > 0; i--) {
        give_address(&messages[i - 1]);
        fake_server_send(&server, &messages[i - 1]);
        LOOP_UNTIL(base, told == 5 - i);
        ck_assert_int_eq(status_told, ARES_SUCCESS);
    }
}
END_TEST

START_TEST(a_cut_answer_is_asked_for_by_tcp)
{
    struct fake_message message;
    look_up();
    fake_server_receive(&server, base, &message);
    fake_answer(&message);
    message.bytes[2] |= 0x02; /* TC */
    fake_server_send(&server, &message);
    int connection = fake_server_accept(&server, base);
    ck_assert(fake_stream_read(connection, base, &message));
    give_address(&message);
    fake_stream_write(connection, base, &message);
    LOOP_UNTIL(base, told == 1);
    ck_assert_int_eq(status_told, ARES_SUCCESS);
    close(connection);
}
END_TEST

START_TEST(a_silent_server_is_a_time_out)
{
    struct fake_message message;
    uint64_t began = loop_now_ms();
    look_up();
    LOOP_UNTIL(base, told == 1);
    ck_assert_int_eq(status_told, ARES_ETIMEOUT);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + 60 + 60);
    fake_server_receive(&server, base, &message);
    fake_server_receive(&server, base, &message); /* both tries */
    ck_assert(!loop_readable(server.udp));
}
END_TEST

START_TEST(a_closed_port_is_no_time_out)
{
    fake_server_close(&server);
    look_up();
    LOOP_UNTIL(base, told == 1);
    ck_assert_int_eq(status_told, ARES_ECONNREFUSED);
}
END_TEST

/* Some callbacks run before the lookup is begun. */
START_TEST(a_lookup_may_end_within_its_call)
{
    ares_query(ares_loop_channel(loop), "too..many.dots", ns_c_in, ns_t_a, on_answer, &told);
    ck_assert_uint_eq(told, 1);
    ck_assert_int_ne(status_told, ARES_SUCCESS);
    ares_loop_started(loop);
    loop_for(base, 10);
    ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(what_still_waits_at_the_end_is_told)
{
    look_up();
    look_up();
    loop_round(base);
    ares_loop_free(loop);
    loop = NULL;
    ck_assert_uint_eq(told, 2);
    ck_assert_int_eq(status_told, ARES_EDESTRUCTION);
    loop_for(base, 150); /* nothing of it is left in the base */
}
END_TEST

START_TEST(servers_that_cannot_be_read_are_refused)
{
    char why[WHY_MAX] = "";
    struct ares_loop_options options = {.servers = "not an address", .timeout_ms = 60, .tries = 1};
    ck_assert_ptr_null(ares_loop_new(base, &options, why));
    ck_assert_msg(strncmp(why, "c-ares: ", 8) == 0, "%s", why);
    ares_loop_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ares_loop");
    TCase *tcase = tcase_create("ares_loop");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_lookup_is_answered);
    tcase_add_test(tcase, many_lookups_are_answered_in_any_order);
    tcase_add_test(tcase, a_cut_answer_is_asked_for_by_tcp);
    tcase_add_test(tcase, a_silent_server_is_a_time_out);
    tcase_add_test(tcase, a_closed_port_is_no_time_out);
    tcase_add_test(tcase, a_lookup_may_end_within_its_call);
    tcase_add_test(tcase, what_still_waits_at_the_end_is_told);
    tcase_add_test(tcase, servers_that_cannot_be_read_are_refused);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
