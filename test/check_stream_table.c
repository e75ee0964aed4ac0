/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Places of connections: found by slot and serial, stalled and resumed, doomed and closed from the
 * loop, also while others are being resumed.
 */
#include "forwarder/stream/stream_table.h"

#include <string.h>

#include "forwarder/origin.h"
#include "test/loop.h"
#include "test/suite.h"

#define PLACES 200   /* more than the table begins with */
#define CAPACITY 256 /* that it has grown to then */

static struct event_base *base;
static struct stream_table *table;
static struct stream_place places[PLACES];
static struct stream_place others[CAPACITY];
static unsigned closed, resumed[PLACES], drained;
static struct stream_place *victim; /* doomed by whoever is resumed */

static void on_close(struct stream_place *place)
{
    stream_table_remove(place);
    closed++;
}

static void on_resume(struct stream_place *place)
{
    resumed[place - places]++;
    if (victim != NULL) {
        stream_table_doom(victim);
    }
    ck_assert(stream_table_stall(place) != place->doomed);
}

static void on_drain(struct stream_place *place)
{
    (void)place;
    drained++;
}

static void on_turn(void *ctx)
{
    ck_assert_ptr_eq(ctx, &table);
}

static void set_up(void)
{
    const struct stream_table_events events = {on_close, on_resume, on_drain, on_turn, &table};
    closed = drained = 0;
    victim = NULL;
    memset(resumed, 0, sizeof resumed);
    base = event_base_new();
    table = stream_table_new(base, &events);
    ck_assert_ptr_nonnull(table);
}

static void tear_down(void)
{
    stream_table_free(table);
    event_base_free(base);
}

static struct origin_stream origin_of(const struct stream_place *place)
{
    return (struct origin_stream){.slot = place->slot, .serial = place->serial};
}

static void add(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        ck_assert(stream_table_add(table, &places[i]));
    }
    ck_assert_uint_eq(stream_table_count(table), count);
}

START_TEST(places_are_found_until_they_are_gone)
{
    struct origin_stream gone;
    add(PLACES);
    for (unsigned i = 0; i < PLACES; i++) {
        struct origin_stream origin = origin_of(&places[i]);
        ck_assert_ptr_eq(stream_table_find(table, &origin), &places[i]);
    }
    gone = origin_of(&places[7]);
    stream_table_doom(&places[7]);
    stream_table_doom(&places[7]);
    ck_assert_ptr_null(stream_table_find(table, &gone));
    ck_assert_uint_eq(closed, 0); /* not inside the call */
    LOOP_UNTIL(base, closed == 1);
    ck_assert_uint_eq(stream_table_count(table), PLACES - 1);
    while (stream_table_count(table) < CAPACITY) { /* until its slot is held by another */
        ck_assert(stream_table_add(table, &others[stream_table_count(table)]));
    }
    ck_assert_ptr_null(stream_table_find(table, &gone));
}
END_TEST

START_TEST(each_stalled_one_has_one_turn)
{
    add(3);
    stream_table_resume(table);
    loop_for(base, 5);
    ck_assert_uint_eq(resumed[0] + resumed[1] + resumed[2], 0);
    ck_assert(stream_table_stall(&places[0]));
    ck_assert(!stream_table_stall(&places[0]));
    ck_assert(stream_table_stall(&places[2]));
    stream_table_resume(table);
    loop_for(base, 5);
    ck_assert_uint_eq(resumed[0], 1);
    ck_assert_uint_eq(resumed[1], 0);
    ck_assert_uint_eq(resumed[2], 1);
    ck_assert(places[0].stalled && places[2].stalled); /* they had no room */
}
END_TEST

START_TEST(who_is_doomed_meanwhile_has_no_turn)
{
    add(4);
    for (unsigned i = 0; i < 4; i++) {
        stream_table_stall(&places[i]);
    }
    victim = &places[3]; /* the last of the queue */
    stream_table_resume(table);
    LOOP_UNTIL(base, closed == 1);
    ck_assert_uint_eq(resumed[3], 0);
    victim = NULL;
    stream_table_resume(table);
    loop_for(base, 5);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_ge(resumed[i], 2);
    }
    ck_assert_uint_eq(stream_table_count(table), 3);
}
END_TEST

START_TEST(a_doomed_one_does_not_stall)
{
    add(1);
    stream_table_stall(&places[0]);
    stream_table_doom(&places[0]);
    ck_assert(!stream_table_stall(&places[0]));
    stream_table_resume(table);
    LOOP_UNTIL(base, closed == 1);
    ck_assert_uint_eq(resumed[0], 0);
}
END_TEST

START_TEST(draining_is_for_all_but_the_doomed)
{
    add(3);
    stream_table_stall(&places[0]);
    stream_table_doom(&places[1]);
    stream_table_drain(table, NULL, NULL);
    ck_assert_uint_eq(drained, 2);
    ck_assert(!places[0].stalled);
    loop_for(base, 5);
    ck_assert_uint_eq(resumed[0], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream_table");
    TCase *tcase = tcase_create("stream_table");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, places_are_found_until_they_are_gone);
    tcase_add_test(tcase, each_stalled_one_has_one_turn);
    tcase_add_test(tcase, who_is_doomed_meanwhile_has_no_turn);
    tcase_add_test(tcase, a_doomed_one_does_not_stall);
    tcase_add_test(tcase, draining_is_for_all_but_the_doomed);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
