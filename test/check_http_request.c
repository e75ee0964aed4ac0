/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Requests as their fields and bodies make them.
 */
#include "forwarder/http/http_request.h"

#include <check.h>

#include "test/suite.h"

#define GET ":method", "GET", ":path", "/dns-query?dns=" QUERY64
#define POST ":method", "POST", ":path", "/dns-query"
#define DNS "content-type", "application/dns-message"

/* "1234 0100 0001 0000 0000 0000 00 0001 0001", and the same with QR set. */
#define QUERY64 "EjQBAAABAAAAAAAAAAABAAE"
#define RESPONSE64 "EjSBAAABAAAAAAAAAAABAAE"
static const uint8_t query[] = {0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1};

#define PAIRS 12

static const struct {
    const char *label;
    const char *fields[PAIRS * 2];
    bool body;
    enum http_status status;
} REQUESTS[] = {
    {"GET", {GET}, false, HTTP_STATUS_OK},
    {"POST", {POST, DNS}, true, HTTP_STATUS_OK},
    {"path first", {":path", "/dns-query", ":method", "POST", DNS}, true, HTTP_STATUS_OK},
    {"accept", {GET, "accept", "application/dns-message"}, false, HTTP_STATUS_OK},
    {"accept among others",
     {GET, "accept", "text/html, Application/DNS-Message ;q=0.5"},
     false,
     HTTP_STATUS_OK},
    {"accept on two lines",
     {GET, "accept", "text/html", "accept", "application/dns-message"},
     false,
     HTTP_STATUS_OK},
    {"accept anything", {GET, "accept", "*/*"}, false, HTTP_STATUS_OK},
    {"accept applications",
     {GET, "accept", "text/html,application/*;q=0.1"},
     false,
     HTTP_STATUS_OK},
    {"type with a parameter",
     {POST, "content-type", "application/DNS-message ; x=1"},
     true,
     HTTP_STATUS_OK},
    {"length", {POST, DNS, "content-length", "65535"}, true, HTTP_STATUS_OK},
    {"POST with another message in its target",
     {":method", "POST", ":path", "/dns-query?dns=" RESPONSE64, DNS},
     true,
     HTTP_STATUS_OK},
    {"GET with a body", {GET, DNS}, true, HTTP_STATUS_OK},

    {"no path", {":method", "GET"}, false, HTTP_STATUS_NOT_FOUND},
    {"another path", {":method", "GET", ":path", "/"}, false, HTTP_STATUS_NOT_FOUND},
    {"another path and method", {":method", "PUT", ":path", "/"}, false, HTTP_STATUS_NOT_FOUND},
    {"HEAD", {":method", "HEAD", ":path", "/dns-query?dns=" QUERY64}, false, HTTP_STATUS_METHOD},
    {"OPTIONS", {":method", "OPTIONS", ":path", "/dns-query"}, false, HTTP_STATUS_METHOD},
    {"get", {":method", "get", ":path", "/dns-query?dns=" QUERY64}, false, HTTP_STATUS_METHOD},
    {"no method", {":path", "/dns-query?dns=" QUERY64}, false, HTTP_STATUS_METHOD},
    {"accept JSON", {GET, "accept", "application/dns-json"}, false, HTTP_STATUS_NOT_ACCEPTED},
    {"accept nothing", {GET, "accept", ""}, false, HTTP_STATUS_NOT_ACCEPTED},
    {"no type", {POST}, true, HTTP_STATUS_MEDIA_TYPE},
    {"another type",
     {POST, "content-type", "application/dns-message2"},
     true,
     HTTP_STATUS_MEDIA_TYPE},
    {"too long by its length",
     {POST, DNS, "content-length", "65536"},
     false,
     HTTP_STATUS_TOO_LARGE},
    {"far too long by its length",
     {POST, DNS, "content-length", "99999999999999999999999999"},
     false,
     HTTP_STATUS_TOO_LARGE},
    {"no message", {":method", "GET", ":path", "/dns-query"}, false, HTTP_STATUS_NO_MESSAGE},
    {"two messages",
     {":method", "GET", ":path", "/dns-query?dns=" QUERY64 "&dns=" QUERY64},
     false,
     HTTP_STATUS_NO_MESSAGE},
    {"padding",
     {":method", "GET", ":path", "/dns-query?dns=" QUERY64 "="},
     false,
     HTTP_STATUS_NO_MESSAGE},
    {"an empty message",
     {":method", "GET", ":path", "/dns-query?dns="},
     false,
     HTTP_STATUS_NOT_A_QUERY},
    {"a response",
     {":method", "GET", ":path", "/dns-query?dns=" RESPONSE64},
     false,
     HTTP_STATUS_NOT_A_QUERY},
    {"shorter than a header",
     {":method", "GET", ":path", "/dns-query?dns=EjQBAA"},
     false,
     HTTP_STATUS_NOT_A_QUERY},
    {"an empty body", {POST, DNS}, false, HTTP_STATUS_NOT_A_QUERY},
};

static struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static void put(struct http_request *request, const char *const *fields)
{
    for (size_t i = 0; i < PAIRS && fields[2 * i] != NULL; i++) {
        http_request_field(request, span_of(fields[2 * i]), span_of(fields[2 * i + 1]), true);
    }
}

START_TEST(each_request_has_its_status)
{
    for (size_t i = 0; i < sizeof REQUESTS / sizeof REQUESTS[0]; i++) {
        struct http_request request;
        http_request_init(&request);
        put(&request, REQUESTS[i].fields);
        http_request_headed(&request);
        for (size_t at = 0; REQUESTS[i].body && at < sizeof query; at += 5) {
            size_t size = sizeof query - at < 5 ? sizeof query - at : 5;
            http_request_body(&request, (struct span){query + at, size});
        }
        http_request_end(&request);
        ck_assert_msg(request.status == REQUESTS[i].status, "%s: %s", REQUESTS[i].label,
                      http_status_row(request.status)->code);
        struct span message = http_request_message(&request);
        if (request.status == HTTP_STATUS_OK) {
            ck_assert_msg(message.size == sizeof query &&
                              memcmp(message.bytes, query, sizeof query) == 0,
                          "%s", REQUESTS[i].label);
        } else {
            ck_assert_msg(message.bytes == NULL, "%s", REQUESTS[i].label);
        }
        http_request_fini(&request);
    }
}
END_TEST

static void begin_post(struct http_request *request)
{
    static const char *const fields[PAIRS * 2] = {POST, DNS};
    http_request_init(request);
    put(request, fields);
    http_request_headed(request);
}

START_TEST(a_body_has_room_for_the_largest_message_and_no_more)
{
    static uint8_t octets[65535];
    struct http_request request;
    begin_post(&request);
    http_request_body(&request, (struct span){octets, sizeof octets});
    http_request_body(&request, (struct span){octets, 0});
    ck_assert_int_eq(request.status, HTTP_STATUS_OK);
    ck_assert_uint_eq(http_request_message(&request).size, sizeof octets);
    http_request_body(&request, (struct span){octets, 1});
    ck_assert_int_eq(request.status, HTTP_STATUS_TOO_LARGE);
    ck_assert_ptr_null(http_request_message(&request).bytes);
    http_request_fini(&request);
}
END_TEST

START_TEST(fields_are_counted)
{
    static uint8_t octets[HTTP_REQUEST_FIELDS_MAX];
    for (size_t over = 0; over < 2; over++) {
        struct http_request request;
        begin_post(&request);
        size_t left = HTTP_REQUEST_FIELDS_MAX - request.fields - 32 - 1;
        http_request_field(&request, span_of("x"), (struct span){octets, left + over}, true);
        ck_assert_int_eq(request.status, over == 0 ? HTTP_STATUS_OK : HTTP_STATUS_FIELDS);
        http_request_fini(&request);
    }
}
END_TEST

/* Anybody may write trailers, through a proxy too that puts who asks at the head. */
START_TEST(trailers_say_nothing)
{
    struct http_request request;
    begin_post(&request);
    http_request_body(&request, (struct span){query, sizeof query});
    http_request_field(&request, span_of("x-forwarded-for"), span_of("192.0.2.1"), true);
    http_request_field(&request, span_of("content-type"), span_of("text/plain"), true);
    http_request_headed(&request);
    http_request_end(&request);
    ck_assert_int_eq(request.status, HTTP_STATUS_OK);
    ck_assert_uint_eq(http_request_forwarded(&request).x_forwarded_for.size, 0);
    ck_assert_uint_eq(http_request_message(&request).size, sizeof query);
    http_request_fini(&request);
}
END_TEST

START_TEST(what_is_forwarded_is_kept_line_by_line_if_it_is_wanted)
{
    static const char *const lines[][2] = {{"x-forwarded-for", "a, b"},
                                           {"forwarded", "for=c"},
                                           {"x-forwarded-for", ""},
                                           {"x-forwarded-for", "d"}};
    for (int wanted = 0; wanted < 2; wanted++) {
        struct http_request request;
        http_request_init(&request);
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
            http_request_field(&request, span_of(lines[i][0]), span_of(lines[i][1]), wanted != 0);
        }
        struct http_forwarded forwarded = http_request_forwarded(&request);
        const char *x = wanted != 0 ? "a, b\n\nd\n" : "";
        const char *f = wanted != 0 ? "for=c\n" : "";
        ck_assert_uint_eq(forwarded.x_forwarded_for.size, strlen(x));
        ck_assert_uint_eq(forwarded.forwarded.size, strlen(f));
        ck_assert(wanted == 0 || memcmp(forwarded.x_forwarded_for.bytes, x, strlen(x)) == 0);
        ck_assert(wanted == 0 || memcmp(forwarded.forwarded.bytes, f, strlen(f)) == 0);
        http_request_fini(&request);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_request");
    TCase *tcase = tcase_create("http_request");
    tcase_add_test(tcase, each_request_has_its_status);
    tcase_add_test(tcase, a_body_has_room_for_the_largest_message_and_no_more);
    tcase_add_test(tcase, fields_are_counted);
    tcase_add_test(tcase, trailers_say_nothing);
    tcase_add_test(tcase, what_is_forwarded_is_kept_line_by_line_if_it_is_wanted);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
