/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who gives way: newcomers beyond their quarter, then who asked longest ago; never who is spared.
 */
#include "forwarder/reaper.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "forwarder/client_quota.h"
#include "forwarder/counters.h"
#include "test/suite.h"

#define CONNECTIONS 8

struct connection {
    struct reaper_entry entry;
    struct address holder;
    bool spared;
    bool gone;
};

static struct client_quota *quota;
static struct counters counters;
static struct reaper reaper;
static struct connection connections[200];

static bool is_spared(const struct reaper_entry *entry)
{
    return ((const struct connection *)entry)->spared;
}

static void reap(struct reaper_entry *entry)
{
    struct connection *connection = (struct connection *)entry;
    ck_assert_ptr_null(entry->reaper);
    connection->gone = true;
    client_quota_release(quota, &connection->holder);
}

static const struct reaper_kind kind = {is_spared, reap};

static void set_up_for(unsigned limit)
{
    quota = client_quota_new(limit, 100);
    memset(&counters, 0, sizeof counters);
    memset(connections, 0, sizeof connections);
    reaper_init(&reaper, quota, &counters);
}

static void set_up(void)
{
    set_up_for(CONNECTIONS);
}

static void tear_down(void)
{
    for (size_t i = 0; i < sizeof connections / sizeof connections[0]; i++) {
        reaper_leave(&connections[i].entry);
    }
    ck_assert_uint_eq(reaper.newcomer_count + reaper.known_count, 0);
    client_quota_free(quota);
}

/* The next connection, of a client of its own; was it let in? */
static bool come(unsigned index)
{
    struct connection *connection = &connections[index];
    connection->holder = (struct address){{[10] = 0xff, 0xff, 192, 0, 2, (uint8_t)index}};
    if (!reaper_admit(&reaper, &connection->holder)) {
        return false;
    }
    reaper_enter(&reaper, &connection->entry, &kind);
    return true;
}

static void ask(unsigned index)
{
    reaper_useful(&connections[index].entry);
}

static void fill(void)
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        ck_assert(come(i));
    }
}

/* Those that are gone, as "0 3". */
static void expect_gone(const char *expected)
{
    char gone[1024] = "";
    size_t count = 0;
    for (unsigned i = 0; i < sizeof connections / sizeof connections[0]; i++) {
        if (connections[i].gone) {
            count++;
            snprintf(gone + strlen(gone), 8, "%s%u", gone[0] == '\0' ? "" : " ", i);
        }
    }
    ck_assert_str_eq(gone, expected);
    ck_assert_uint_eq(counters.value[COUNTER_TCP_REAPED], count);
}

START_TEST(below_the_limit_nobody_goes)
{
    fill();
    expect_gone("");
    ck_assert_uint_eq(client_quota_connections(quota), CONNECTIONS);
}
END_TEST

START_TEST(newcomers_displace_the_oldest_of_their_like)
{
    fill();
    ask(0);
    ask(1);
    ck_assert(come(8));
    ck_assert(come(9));
    expect_gone("2 3");
    ck_assert_uint_eq(client_quota_connections(quota), CONNECTIONS);
}
END_TEST

START_TEST(who_asked_longest_ago_goes_first)
{
    fill();
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        ask(i);
    }
    ask(0);
    ask(2);
    ck_assert(come(8)); /* and has time to ask */
    ck_assert(come(9));
    expect_gone("1 3");
    ask(8);
    ck_assert(come(10));
    expect_gone("1 3 4");
}
END_TEST

START_TEST(newcomers_have_a_quarter_and_no_more)
{
    fill();
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        ask(i);
    }
    for (unsigned i = 8; i < 20; i++) {
        ck_assert(come(i));
    }
    expect_gone("0 1 2 8 9 10 11 12 13 14 15 16"); /* five that are known, three newcomers */
    ck_assert_uint_eq(reaper.known_count, 5);
    ck_assert_uint_eq(reaper.newcomer_count, 3);
}
END_TEST

START_TEST(who_is_spared_stays)
{
    fill();
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        ask(i);
        connections[i].spared = i != 5;
    }
    ck_assert(come(8));
    expect_gone("5");
    ck_assert(come(9)); /* a newcomer is all that can go */
    expect_gone("5 8");
    connections[9].spared = true;
    ck_assert(!come(10));
    expect_gone("5 8");
    ck_assert_uint_eq(client_quota_connections(quota), CONNECTIONS);
}
END_TEST

/* However many are spared: each look is at others, and one of the next finds who may go. */
START_TEST(those_behind_many_that_are_spared_are_found)
{
    unsigned tries = 1;
    client_quota_free(quota);
    set_up_for(180);
    for (unsigned i = 0; i < 180; i++) {
        ck_assert(come(i));
        ask(i);
        connections[i].spared = i != 150;
    }
    while (!come(180)) {
        ck_assert_uint_le(++tries, 3);
    }
    expect_gone("150");
}
END_TEST

START_TEST(nobody_goes_for_a_client_with_too_many)
{
    client_quota_free(quota);
    quota = client_quota_new(2, 1);
    reaper_init(&reaper, quota, &counters);
    ck_assert(come(0));
    ck_assert(come(1));
    ck_assert(!reaper_admit(&reaper, &connections[1].holder));
    expect_gone("");
}
END_TEST

START_TEST(who_has_not_entered_or_left_is_let_be)
{
    reaper_useful(&connections[0].entry);
    reaper_leave(&connections[0].entry);
    ck_assert(come(1));
    reaper_leave(&connections[1].entry);
    reaper_leave(&connections[1].entry);
    reaper_useful(&connections[1].entry);
    ck_assert_uint_eq(reaper.newcomer_count + reaper.known_count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reaper");
    TCase *tcase = tcase_create("reaper");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, below_the_limit_nobody_goes);
    tcase_add_test(tcase, newcomers_displace_the_oldest_of_their_like);
    tcase_add_test(tcase, who_asked_longest_ago_goes_first);
    tcase_add_test(tcase, newcomers_have_a_quarter_and_no_more);
    tcase_add_test(tcase, who_is_spared_stays);
    tcase_add_test(tcase, those_behind_many_that_are_spared_are_found);
    tcase_add_test(tcase, nobody_goes_for_a_client_with_too_many);
    tcase_add_test(tcase, who_has_not_entered_or_left_is_let_be);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
