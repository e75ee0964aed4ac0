/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Control requests: what is taken, and what each kind of wrong one is told.
 */
#include "forwarder/server/control_request.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "test/suite.h"

START_TEST(requests_are_read)
{
    struct control_request request;
    char why[WHY_MAX];
    static const char status[] = "{\"command\":\"status\"}";
    static const char reload[] = "{\"command\":\"reload\",\"strict\":true}";
    static const char shrink[] = "{\"command\":\"reload\",\"accept-shrink\":true}";
    static const char orders[] = "{\"command\":\"orders\"}";
    static const char top[] = "{\"command\":\"top\",\"names\":true}";
    static const char test[] =
        "{\"command\":\"test\",\"address\":\"2.32.0.1\",\"name\":\"a.example\"}";
    static const char past[] = "{\"command\":\"test\",\"address\":\"2.32.0.1\",\"name\":\"a\","
                               "\"type\":\"AAAA\",\"time\":\"2026-01-01T00:00:00Z\"}";
    ck_assert(control_request_parse(status, strlen(status), &request, why));
    ck_assert_int_eq(request.command, CONTROL_STATUS);
    ck_assert(control_request_parse(reload, strlen(reload), &request, why));
    ck_assert_int_eq(request.command, CONTROL_RELOAD);
    ck_assert(request.strict && !request.accept_shrink);
    ck_assert(control_request_parse(shrink, strlen(shrink), &request, why));
    ck_assert(!request.strict && request.accept_shrink);
    ck_assert(control_request_parse(orders, strlen(orders), &request, why));
    ck_assert_int_eq(request.command, CONTROL_ORDERS);
    ck_assert(control_request_parse(top, strlen(top), &request, why));
    ck_assert_int_eq(request.command, CONTROL_TOP);
    ck_assert(request.names);
    ck_assert(control_request_parse(test, strlen(test), &request, why));
    ck_assert_int_eq(request.command, CONTROL_TEST);
    ck_assert_str_eq(request.address, "2.32.0.1");
    ck_assert_str_eq(request.name, "a.example");
    ck_assert_str_eq(request.type, "A");
    ck_assert_str_eq(request.time, "");
    ck_assert(control_request_parse(past, strlen(past), &request, why));
    ck_assert_str_eq(request.type, "AAAA");
    ck_assert_str_eq(request.time, "2026-01-01T00:00:00Z");
    static const char drain[] = "{\"command\":\"drain\",\"address\":\"192.0.2.1\",\"force\":true}";
    static const char undrain[] = "{\"command\":\"undrain\",\"address\":\"[::1]:53\"}";
    ck_assert(control_request_parse(drain, strlen(drain), &request, why));
    ck_assert_int_eq(request.command, CONTROL_DRAIN);
    ck_assert(request.force);
    ck_assert_str_eq(request.address, "192.0.2.1");
    ck_assert(control_request_parse(undrain, strlen(undrain), &request, why));
    ck_assert_int_eq(request.command, CONTROL_UNDRAIN);
    ck_assert(!request.force);
}
END_TEST

static const struct {
    const char *request;
    const char *why;
} refused[] = {
    {"", "not a JSON object"},
    {"status", "not a JSON object"},
    {"[]", "not a JSON object"},
    {"{\"command\":\"status\"} x", "not a JSON object"},
    {"{\"command\":\"status\",\"command\":\"reload\"}", "not a JSON object"},
    {"{}", "expected a command of status, reload, orders, top, test, drain or undrain"},
    {"{\"command\":7}",
     "expected a command of status, reload, orders, top, test, drain or undrain"},
    {"{\"command\":\"stop\"}",
     "expected a command of status, reload, orders, top, test, drain or undrain"},
    {"{\"command\":\"status\",\"strict\":true}", "the command status has no member strict"},
    {"{\"command\":\"reload\",\"strict\":\"yes\"}", "strict: expected true or false"},
    {"{\"command\":\"test\",\"address\":\"::1\"}", "name is missing"},
    {"{\"command\":\"test\",\"name\":\"a\"}", "address is missing"},
    {"{\"command\":\"drain\"}", "address is missing"},
    {"{\"command\":\"undrain\",\"address\":\"::1\",\"force\":true}",
     "the command undrain has no member force"},
    {"{\"command\":\"test\",\"address\":1,\"name\":\"a\"}", "address: expected a text"},
    {"{\"command\":\"test\",\"address\":\"::1\",\"name\":\"a\\u0000b\"}", "not a JSON object"},
};

START_TEST(wrong_requests_are_refused_with_a_reason)
{
    struct control_request request;
    char why[WHY_MAX];
    const char *text = refused[_i].request;
    ck_assert_msg(!control_request_parse(text, strlen(text), &request, why), "%s", text);
    ck_assert_msg(strncmp(why, refused[_i].why, strlen(refused[_i].why)) == 0, "%s: %s", text, why);
}
END_TEST

START_TEST(a_text_has_a_limit)
{
    struct control_request request;
    char why[WHY_MAX];
    char text[CONTROL_TEXT_MAX + 100];
    char name[CONTROL_TEXT_MAX + 1];
    for (size_t len = CONTROL_TEXT_MAX - 1; len <= CONTROL_TEXT_MAX; len++) {
        memset(name, 'n', len);
        name[len] = '\0';
        int size = snprintf(text, sizeof text,
                            "{\"command\":\"test\",\"address\":\"::1\",\"name\":\"%s\"}", name);
        ck_assert(control_request_parse(text, (size_t)size, &request, why) ==
                  (len < CONTROL_TEXT_MAX));
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("control_request");
    TCase *tcase = tcase_create("control_request");
    tcase_add_test(tcase, requests_are_read);
    tcase_add_loop_test(tcase, wrong_requests_are_refused_with_a_reason, 0,
                        sizeof refused / sizeof refused[0]);
    tcase_add_test(tcase, a_text_has_a_limit);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
