/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The record of loads: counts, times, and since when the orders are what they are.
 */
#include "forwarder/server/reload_record.h"

#include "forwarder/log.h"
#include "test/generation_set.h"
#include "test/suite.h"

static struct reload_record record;

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    record = (struct reload_record){0};
}

static void tear_down(void)
{
    set_fini();
}

START_TEST(each_outcome_is_counted_and_timed)
{
    reload_record_begin(&record, 1000);
    reload_record_end(&record, RELOAD_WHOLE, 3500, 50);
    ck_assert_uint_eq(record.took_us, 2500);
    ck_assert_int_eq(record.succeeded, 50);
    ck_assert_int_eq(record.failed, 0);
    reload_record_begin(&record, 4000);
    reload_record_end(&record, RELOAD_PARTIAL, 4001, 60);
    ck_assert_int_eq(record.last, RELOAD_PARTIAL);
    ck_assert_uint_eq(record.took_us, 1);
    reload_record_end(&record, RELOAD_REFUSED, 4002, 70);
    ck_assert_int_eq(record.succeeded, 50);
    ck_assert_int_eq(record.failed, 70);
    reload_record_end(&record, RELOAD_WHOLE, 4003, 80);
    ck_assert_int_eq(record.last, RELOAD_WHOLE);
    ck_assert_int_eq(record.succeeded, 80);
    ck_assert_int_eq(record.failed, 70);
    ck_assert_uint_eq(record.count[RELOAD_WHOLE], 2);
    ck_assert_uint_eq(record.count[RELOAD_PARTIAL], 1);
    ck_assert_uint_eq(record.count[RELOAD_REFUSED], 1);
}
END_TEST

/* Loads what is on disk as if it was that time, puts it in force in place of another, which is
 * freed. */
static struct generation *publish(struct generation *before, int64_t now)
{
    struct generation *after = load((struct load){.before = before, .read_only = true});
    ck_assert_msg(after != NULL, "%s", problems_text());
    after->loaded = now;
    reload_record_publish(&record, before, after);
    generation_free(before);
    return after;
}

START_TEST(orders_change_when_their_octets_do)
{
    struct generation *generation = publish(NULL, 100);
    const int64_t first = record.orders_changed;
    ck_assert_int_eq(first, generation->orders[0].loaded);
    generation = publish(generation, 200);
    ck_assert_int_eq(record.orders_changed, first);
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    generation = publish(generation, 300);
    ck_assert_int_eq(record.orders_changed, 300);
    put("orders/IT/b.yaml", ORDER("B", "c.example"));
    generation = publish(generation, 400);
    ck_assert_int_eq(record.orders_changed, 400);
    take_away("orders/IT/b.yaml");
    generation = publish(generation, 500);
    ck_assert_int_eq(record.orders_changed, 500);
    generation = publish(generation, 600);
    ck_assert_int_eq(record.orders_changed, 500);
    generation_free(generation);
}
END_TEST

START_TEST(a_list_is_part_of_its_order)
{
    put("orders/IT/list.txt", "a.example\n");
    put("orders/IT/b.yaml", "id: B\nauthority: Court\nissued: 2026-01-01\n"
                            "lists: [{file: list.txt, format: names}]\n");
    struct generation *generation = publish(NULL, 100);
    put("orders/IT/list.txt", "b.example\n");
    generation = publish(generation, 200);
    ck_assert_int_eq(record.orders_changed, 200);
    generation_free(generation);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("reload_record");
    TCase *tcase = tcase_create("reload_record");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_outcome_is_counted_and_timed);
    tcase_add_test(tcase, orders_change_when_their_octets_do);
    tcase_add_test(tcase, a_list_is_part_of_its_order);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
