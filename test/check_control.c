/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The control socket: who may have it, one request and one response a connection, and askers that
 * are slow, silent, gone or too many.
 */
#include "forwarder/server/control.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "test/few_descriptors.h"
#include "test/loop.h"
#include "test/scratch.h"
#include "test/suite.h"

#define STATUS "{\"command\":\"status\"}\n"

static struct scratch scratch;
static char path[SCRATCH_PATH_MAX];
static struct event_base *base;
static struct control *control;

static unsigned handled; /* requests told of */
static struct control_request request;
static uint64_t last_ticket;
static bool answers_at_once;
static size_t answer_size; /* of a text in the result */

static void answer(uint64_t ticket)
{
    char *text = calloc(1, answer_size + 1);
    memset(text, 'x', answer_size);
    control_reply(control, ticket, NULL, json_pack("{s:s}", "text", text));
    free(text);
}

static void on_request(void *ctx, const struct control_request *asked, uint64_t ticket)
{
    ck_assert_ptr_eq(ctx, &handled);
    handled++;
    request = *asked;
    last_ticket = ticket;
    if (answers_at_once) {
        answer(ticket);
    }
}

static struct control *open_control(char why[static WHY_MAX])
{
    return control_new(base, path, on_request, &handled, why);
}

static void set_up(void)
{
    char why[WHY_MAX] = "";
    signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    scratch_init(&scratch);
    scratch_path(&scratch, "control.sock", path);
    base = event_base_new();
    handled = 0;
    answers_at_once = true;
    answer_size = 2;
    control = open_control(why);
    ck_assert_msg(control != NULL, "%s", why);
    ck_assert_msg(control_start(control, why), "%s", why);
}

static void tear_down(void)
{
    control_free(control);
    event_base_free(base);
    scratch_fini(&scratch);
}

static int connect_to_control(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    ck_assert_uint_lt(strlen(path), sizeof address.sun_path);
    memcpy(address.sun_path, path, strlen(path));
    int asker = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(asker, 0);
    ck_assert_int_eq(connect(asker, (const struct sockaddr *)&address, sizeof address), 0);
    return asker;
}

static void put_text(int asker, const char *text)
{
    ck_assert_int_eq(send(asker, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
}

/* All that comes until the end, which must come. */
static char *read_all(int asker)
{
    size_t size = 0;
    size_t room = 65536;
    char *text = malloc(room);
    for (;;) {
        LOOP_UNTIL(base, loop_readable(asker));
        if (room - size < 65536) {
            room *= 2;
            text = realloc(text, room);
        }
        ssize_t got = recv(asker, text + size, room - size - 1, 0);
        if (got <= 0) {
            text[size] = '\0';
            close(asker);
            return text;
        }
        size += (size_t)got;
    }
}

static void expect(int asker, const char *response)
{
    char *text = read_all(asker);
    ck_assert_str_eq(text, response);
    free(text);
}

/* ---- The socket ---- */

START_TEST(owner_and_group_may_ask)
{
    struct stat state;
    ck_assert_int_eq(stat(path, &state), 0);
    ck_assert(S_ISSOCK(state.st_mode));
    ck_assert_uint_eq(state.st_mode & 0777U, 0660);
}
END_TEST

START_TEST(no_second_daemon_gets_it)
{
    char why[WHY_MAX] = "";
    ck_assert_ptr_null(open_control(why));
    ck_assert_msg(strstr(why, "another bailiwickd") != NULL, "%s", why);
    int asker = connect_to_control(); /* the first one's still works */
    put_text(asker, STATUS);
    expect(asker, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
}
END_TEST

START_TEST(it_is_gone_at_the_end)
{
    struct stat state;
    control_free(control);
    ck_assert_int_eq(stat(path, &state), -1);
    ck_assert_int_eq(errno, ENOENT);
    control = NULL;
    control_free(NULL);
}
END_TEST

START_TEST(a_stale_one_is_replaced)
{
    char why[WHY_MAX] = "";
    char aside[SCRATCH_PATH_MAX];
    ck_assert_int_eq(rename(path, scratch_path(&scratch, "aside", aside)), 0);
    control_free(control);
    ck_assert_int_eq(rename(aside, path), 0); /* as a daemon leaves it that was killed */
    control = open_control(why);
    ck_assert_msg(control != NULL, "%s", why);
    ck_assert_msg(control_start(control, why), "%s", why);
    int asker = connect_to_control();
    put_text(asker, STATUS);
    expect(asker, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
}
END_TEST

static const struct {
    const char *label;
    const char *name; /* behind the scratch folder */
    const char *why;
} UNUSABLE[] = {
    {"no folder", "/none/control.sock", "cannot open"},
    {"too long for a socket",
     "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aa"
     "aaaaaaaaaaaaaa",
     "too long for a socket"},
};

START_TEST(an_unusable_path_is_told)
{
    for (size_t i = 0; i < sizeof UNUSABLE / sizeof UNUSABLE[0]; i++) {
        char why[WHY_MAX] = "";
        snprintf(path, sizeof path, "%s%s", scratch.folder, UNUSABLE[i].name);
        struct control *unusable = open_control(why);
        ck_assert_msg(unusable == NULL || !control_start(unusable, why), "%s", UNUSABLE[i].label);
        control_free(unusable);
        ck_assert_msg(strstr(why, UNUSABLE[i].why) != NULL, "%s: %s", UNUSABLE[i].label, why);
    }
}
END_TEST

START_TEST(what_is_no_socket_stays)
{
    char why[WHY_MAX] = "";
    struct stat state;
    scratch_write(scratch_path(&scratch, "forwarder.conf", path), "x", 1);
    ck_assert_ptr_null(open_control(why));
    ck_assert_msg(strstr(why, "is no socket") != NULL, "%s", why);
    ck_assert(lstat(path, &state) == 0 && S_ISREG(state.st_mode));
    scratch_path(&scratch, "forwarder.conf.lock", path);
    ck_assert_int_eq(lstat(path, &state), -1);
}
END_TEST

/* Locked early, so that a second start fails early; bound when there is something to say. */
START_TEST(there_is_no_socket_before_the_start)
{
    char why[WHY_MAX] = "";
    control_free(control);
    control = open_control(why);
    ck_assert_msg(control != NULL, "%s", why);
    ck_assert_ptr_null(open_control(why));
    ck_assert_int_ne(access(path, F_OK), 0);
    ck_assert_msg(control_start(control, why), "%s", why);
    int asker = connect_to_control();
    put_text(asker, STATUS);
    expect(asker, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
}
END_TEST

/* ---- Requests and responses ---- */

START_TEST(a_request_is_handed_on)
{
    int asker = connect_to_control();
    put_text(asker, "{\"command\":\"reload\",\"strict\":true}\n");
    expect(asker, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
    ck_assert_uint_eq(handled, 1);
    ck_assert_int_eq(request.command, CONTROL_RELOAD);
    ck_assert(request.strict);
}
END_TEST

START_TEST(a_response_may_come_later)
{
    answers_at_once = false;
    int first = connect_to_control();
    put_text(first, STATUS);
    LOOP_UNTIL(base, handled == 1);
    uint64_t ticket = last_ticket;
    int second = connect_to_control();
    put_text(second, STATUS);
    shutdown(second, SHUT_WR); /* it still waits for its response */
    LOOP_UNTIL(base, handled == 2);
    ck_assert_uint_ne(last_ticket, ticket);
    control_reply(control, last_ticket, "not now", NULL);
    expect(second, "{\"ok\":false,\"error\":\"not now\"}\n");
    ck_assert(!loop_readable(first));
    control_reply(control, ticket, "failed", json_pack("[i]", 1));
    control_reply(control, ticket, NULL, json_pack("[i]", 2)); /* too late */
    expect(first, "{\"ok\":false,\"error\":\"failed\",\"result\":[1]}\n");
}
END_TEST

START_TEST(who_is_gone_gets_no_response)
{
    answers_at_once = false;
    int asker = connect_to_control();
    put_text(asker, STATUS);
    LOOP_UNTIL(base, handled == 1);
    close(asker);
    loop_for(base, 10);
    answer(last_ticket);
    loop_for(base, 10);
    answer(last_ticket); /* its ticket is nobody's any more */
    answer(0);
}
END_TEST

START_TEST(a_request_may_come_octet_by_octet)
{
    int asker = connect_to_control();
    for (const char *at = STATUS; *at != '\0'; at++) {
        ck_assert_uint_eq(handled, 0);
        ck_assert_int_eq(send(asker, at, 1, 0), 1);
        loop_round(base);
    }
    expect(asker, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
}
END_TEST

START_TEST(one_connection_is_one_request)
{
    answers_at_once = false;
    int asker = connect_to_control();
    put_text(asker, STATUS STATUS);
    LOOP_UNTIL(base, handled == 1);
    put_text(asker, STATUS);
    loop_for(base, 20);
    ck_assert_uint_eq(handled, 1);
    answer(last_ticket);
    expect(asker, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
}
END_TEST

START_TEST(a_bad_request_is_refused)
{
    int asker = connect_to_control();
    put_text(asker, "{\"command\":\"halt\"}\n");
    expect(asker, "{\"ok\":false,\"error\":\"expected a command of status, reload, orders, top, "
                  "test, drain or undrain\"}\n");
    ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(a_request_without_end_is_refused)
{
    char text[2 * CONTROL_REQUEST_MAX + 1];
    memset(text, ' ', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    int endless = connect_to_control();
    put_text(endless, text);
    expect(endless, "{\"ok\":false,\"error\":\"request too long\"}\n");
    text[sizeof text - 2] = '\n';
    int line = connect_to_control();
    put_text(line, text);
    expect(line, "{\"ok\":false,\"error\":\"request too long\"}\n");
    ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(a_cut_request_is_closed)
{
    int asker = connect_to_control();
    put_text(asker, "{\"command\":");
    shutdown(asker, SHUT_WR);
    expect(asker, "");
    ck_assert_uint_eq(handled, 0);
}
END_TEST

START_TEST(a_large_response_arrives_whole)
{
    answer_size = 5000000;
    int asker = connect_to_control();
    put_text(asker, STATUS);
    loop_for(base, 20);
    char *text = read_all(asker);
    ck_assert_uint_eq(strlen(text),
                      answer_size + strlen("{\"ok\":true,\"result\":{\"text\":\"\"}}\n"));
    free(text);
}
END_TEST

START_TEST(askers_beyond_the_most_wait)
{
    enum {
        MOST = 32
    };
    int askers[MOST];
    for (unsigned i = 0; i < MOST; i++) {
        askers[i] = connect_to_control();
        loop_round(base);
    }
    int next = connect_to_control();
    put_text(next, STATUS);
    loop_for(base, 10);
    ck_assert_uint_eq(handled, 0);
    ck_assert(!loop_readable(next));
    put_text(askers[0], STATUS);
    expect(askers[0], "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
    expect(next, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
    for (unsigned i = 1; i < MOST; i++) {
        close(askers[i]);
    }
}
END_TEST

START_TEST(without_descriptors_it_waits)
{
    int asker = connect_to_control();
    put_text(asker, STATUS);
    struct rlimit before = few_descriptors(0);
    loop_must_wait(base, 250);
    ck_assert(!loop_readable(asker));
    enough_descriptors(before);
    expect(asker, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
}
END_TEST

/* One says nothing, one does not read, one waits for a load that takes its time. */
START_TEST(askers_do_not_stay_for_ever)
{
    answers_at_once = false;
    int waiting = connect_to_control();
    put_text(waiting, STATUS);
    LOOP_UNTIL(base, handled == 1);
    uint64_t ticket = last_ticket;
    answers_at_once = true;
    answer_size = 5000000;
    int silent = connect_to_control();
    int deaf = connect_to_control();
    put_text(deaf, STATUS);
    expect(silent, "");
    loop_for(base, 1000);
    char *text = read_all(deaf);
    ck_assert_uint_lt(strlen(text), answer_size); /* what lay in the socket when it was closed */
    free(text);
    answer_size = 2;
    answer(ticket);
    expect(waiting, "{\"ok\":true,\"result\":{\"text\":\"xx\"}}\n");
}
END_TEST

static void add_socket(Suite *suite)
{
    TCase *tcase = tcase_create("socket");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, owner_and_group_may_ask);
    tcase_add_test(tcase, no_second_daemon_gets_it);
    tcase_add_test(tcase, it_is_gone_at_the_end);
    tcase_add_test(tcase, a_stale_one_is_replaced);
    tcase_add_test(tcase, an_unusable_path_is_told);
    tcase_add_test(tcase, what_is_no_socket_stays);
    tcase_add_test(tcase, there_is_no_socket_before_the_start);
    suite_add_tcase(suite, tcase);
}

static void add_requests(Suite *suite)
{
    TCase *tcase = tcase_create("requests");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_request_is_handed_on);
    tcase_add_test(tcase, a_response_may_come_later);
    tcase_add_test(tcase, who_is_gone_gets_no_response);
    tcase_add_test(tcase, a_request_may_come_octet_by_octet);
    tcase_add_test(tcase, one_connection_is_one_request);
    tcase_add_test(tcase, a_bad_request_is_refused);
    tcase_add_test(tcase, a_request_without_end_is_refused);
    tcase_add_test(tcase, a_cut_request_is_closed);
    tcase_add_test(tcase, a_large_response_arrives_whole);
    tcase_add_test(tcase, askers_beyond_the_most_wait);
    tcase_add_test(tcase, without_descriptors_it_waits);
    tcase_add_test(tcase, askers_do_not_stay_for_ever);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("control");
    add_socket(suite);
    add_requests(suite);
    return suite_run(suite);
}
