/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who counts together under `rate-limit`, what counts apart, and who is never refused.
 */
#include "forwarder/rate_limit.h"

#include "forwarder/query.h"
#include "test/config_text.h"
#include "test/suite.h"

#define AT_MS 1000000

static struct rate_limit *limit;
static struct config *config;

static void set_up(void)
{
    limit = rate_limit_new();
    ck_assert_ptr_nonnull(limit);
}

static void tear_down(void)
{
    rate_limit_free(limit);
    config_free(config);
    config = NULL;
}

static void configure(const char *lines)
{
    char text[1024];
    snprintf(text, sizeof text, MINIMAL "%s\n", lines);
    config_free(config);
    config = parse_good(text);
}

static struct query_client client_of(const char *text, bool stream)
{
    struct query_client client = {.stream = stream};
    ck_assert_msg(address_parse(text, strlen(text), &client.address), "%s", text);
    return client;
}

static bool answer(const char *text)
{
    struct query_client client = client_of(text, false);
    return rate_limit_answer(limit, config, &client.address, AT_MS);
}

static bool query(const char *text, bool stream)
{
    struct query_client client = client_of(text, stream);
    return rate_limit_query(limit, config, &client, AT_MS);
}

/* One uses it up; is the other refused? */
static const struct {
    const char *one;
    const char *other;
    bool answers; /* is it one network? */
    bool queries; /* is it one client? */
} pairs[] = {
    {"192.0.2.1", "192.0.2.1", true, true},
    {"192.0.2.1", "192.0.2.255", true, false},
    {"192.0.2.1", "192.0.3.1", false, false},
    {"192.0.2.1", "::ffff:192.0.2.1", true, true},
    {"192.0.2.1", "2002:c000:201::1", true, true}, /* 6to4 */
    {"192.0.2.1", "2002:c000:2ff:1::1", true, false},
    {"192.0.2.1", "2002:c000:301::1", false, false},
    {"2001:db8::1", "2001:db8::2", true, true},
    {"2001:db8::1", "2001:db8:0:1::1", true, false},
    {"2001:db8::1", "2001:db8:0:ff::1", true, false},
    {"2001:db8::1", "2001:db8:0:100::1", false, false},
    {"0.0.192.2", "0:0:0:c0::1", false, false}, /* not the same words of the other family */
    {"255.255.255.1", "0.255.255.1", false, false},
};

START_TEST(networks_and_clients)
{
    configure("rate-limit: {answers: 1, queries: 1}");
    ck_assert(answer(pairs[_i].one));
    ck_assert_msg(answer(pairs[_i].other) == !pairs[_i].answers, "%s", pairs[_i].other);
    ck_assert(query(pairs[_i].one, false));
    ck_assert_msg(query(pairs[_i].other, false) == !pairs[_i].queries, "%s", pairs[_i].other);
}
END_TEST

/* Whoever forges a client's address must not shut him out where nothing can be forged. */
START_TEST(datagrams_use_up_nothing_of_streams)
{
    configure("rate-limit: {answers: 1, queries: 1}");
    ck_assert(query("192.0.2.1", false) && !query("192.0.2.1", false));
    ck_assert(query("192.0.2.1", true) && !query("192.0.2.1", true));
    ck_assert(query("2001:db8::1", false) && query("2001:db8::1", true));
    ck_assert(!query("2001:db8::1", false) && !query("2001:db8::1", true));
    ck_assert(answer("192.0.2.1"));
}
END_TEST

START_TEST(each_limit_may_stand_alone)
{
    configure("rate-limit: {answers: 1}");
    ck_assert(rate_limit_wanted(config));
    ck_assert(answer("192.0.2.1") && !answer("192.0.2.1"));
    ck_assert(query("192.0.2.1", false) && query("192.0.2.1", false));
    configure("rate-limit: {queries: 1}");
    ck_assert(rate_limit_wanted(config));
    ck_assert(answer("192.0.2.1"));
    ck_assert(query("192.0.2.1", false) && !query("192.0.2.1", false));
    configure("rate-limit: {slip: 0}");
    ck_assert(!rate_limit_wanted(config));
}
END_TEST

static const struct {
    const char *label;
    const char *lines;
} exempts[] = {
    {"exempt", "rate-limit: {answers: 1, queries: 1, exempt: [192.0.2.0/24, \"2001:db8::/32\"]}"},
    {"ecs", "rate-limit: {answers: 1, queries: 1}\n"
            "trust: {ecs: [192.0.2.0/24, \"2001:db8::/32\"]}"},
    {"forwarded-for", "rate-limit: {answers: 1, queries: 1}\n"
                      "trust: {forwarded-for: [192.0.2.0/24, \"2001:db8::/32\"]}"},
};

START_TEST(some_are_never_refused)
{
    configure(exempts[_i].lines);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert(answer("192.0.2.1") && answer("2001:db8::1"));
        ck_assert(query("192.0.2.1", false) && query("2001:db8::1", true));
    }
    ck_assert(answer("198.51.100.1") && !answer("198.51.100.1"));
}
END_TEST

START_TEST(who_is_exempt_leaves_his_neighbours_theirs)
{
    configure("rate-limit: {answers: 1, exempt: [192.0.2.1]}");
    ck_assert(answer("192.0.2.1") && answer("192.0.2.1") && answer("192.0.2.2"));
    ck_assert(!answer("192.0.2.3"));
    ck_assert(answer("192.0.2.1"));
}
END_TEST

/* What a reload changes holds at once, and what was counted is kept. */
START_TEST(limits_come_with_the_configuration)
{
    configure("rate-limit: {answers: 2}");
    ck_assert(answer("192.0.2.1") && answer("192.0.2.1") && !answer("192.0.2.1"));
    configure("rate-limit: {answers: 2, exempt: [192.0.2.0/24]}");
    ck_assert(answer("192.0.2.1"));
    configure("rate-limit: {answers: 4}");
    ck_assert(!answer("192.0.2.1"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_limit");
    TCase *tcase = tcase_create("rate_limit");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, networks_and_clients, 0, sizeof pairs / sizeof *pairs);
    tcase_add_test(tcase, datagrams_use_up_nothing_of_streams);
    tcase_add_test(tcase, each_limit_may_stand_alone);
    tcase_add_loop_test(tcase, some_are_never_refused, 0, sizeof exempts / sizeof *exempts);
    tcase_add_test(tcase, who_is_exempt_leaves_his_neighbours_theirs);
    tcase_add_test(tcase, limits_come_with_the_configuration);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
