/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder/slots: an item is found as long as it stands, and nothing else is found for it.
 */
#include "forwarder/slots.h"

#include "test/suite.h"

struct item {
    uint32_t slot, serial;
};

static void add(struct slots *slots, struct item *item)
{
    ck_assert(slots_add(slots, item, &item->slot, &item->serial));
}

START_TEST(who_comes_later_is_another)
{
    struct slots slots = {0};
    struct item first, next;
    add(&slots, &first);
    ck_assert_ptr_eq(slots_find(&slots, first.slot, first.serial), &first);
    slots_remove(&slots, first.slot);
    ck_assert_ptr_null(slots_find(&slots, first.slot, first.serial));
    do { /* until the slot comes round */
        add(&slots, &next);
        slots_remove(&slots, next.slot);
    } while (next.slot != first.slot);
    add(&slots, &next);
    ck_assert_ptr_null(slots_find(&slots, first.slot, first.serial));
    ck_assert_ptr_eq(slots_find(&slots, next.slot, next.serial), &next);
    slots_fini(&slots);
}
END_TEST

START_TEST(it_grows_and_keeps_all)
{
    struct item items[1000];
    struct slots slots = {0};
    for (size_t i = 0; i < ROWS(items); i++) {
        add(&slots, &items[i]);
    }
    for (size_t i = 0; i < ROWS(items); i += 3) {
        slots_remove(&slots, items[i].slot);
    }
    ck_assert_uint_eq(slots.count, ROWS(items) - (ROWS(items) + 2) / 3);
    for (size_t i = 0; i < ROWS(items); i++) {
        ck_assert_ptr_eq(slots_find(&slots, items[i].slot, items[i].serial),
                         i % 3 == 0 ? NULL : &items[i]);
    }
    slots_fini(&slots);
    ck_assert_uint_eq(slots.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("slots");
    TCase *tcase = tcase_create("slots");
    tcase_add_test(tcase, who_comes_later_is_another);
    tcase_add_test(tcase, it_grows_and_keeps_all);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
