/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counting the most frequent names, beside a list that counts all of them.
 */
#include "forwarder/name_sketch.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/name_turns.h"
#include "test/suite.h"

#define NAMES 5000
#define MOST 20

static struct dname name_of(unsigned number)
{
    char text[64], why[WHY_MAX];
    struct dname name;
    int size = snprintf(text, sizeof text, "n%u.example", number);
    ck_assert(dname_parse(text, (size_t)size, &name, why));
    return name;
}

static unsigned number_of(const struct dname *name)
{
    char text[DNAME_TEXT_MAX];
    return (unsigned)strtoul(dname_format(name, text) + 1, NULL, 10);
}

START_TEST(few_names_are_counted_exactly)
{
    struct name_sketch *sketch = name_sketch_new();
    struct name_sketch_count most[MOST];
    for (unsigned i = 0; i < 10; i++) {
        struct dname name = name_of(i);
        name_sketch_add(sketch, &name, i + 1);
        name_sketch_add(sketch, &name, 1);
    }
    ck_assert_uint_eq(name_sketch_most(sketch, most, MOST), 10);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_eq(number_of(&most[i].name), 9 - i);
        ck_assert_uint_eq(most[i].count, 11 - i);
    }
    ck_assert_uint_eq(name_sketch_most(sketch, most, 3), 3);
    name_sketch_clear(sketch);
    ck_assert_uint_eq(name_sketch_most(sketch, most, MOST), 0);
    name_sketch_free(sketch);
}
END_TEST

/* Many that come once, and ten that come often, in an order without order: the ten are found, none
 * counted too low, and in two sketches that are merged as in one. */
START_TEST(frequent_names_stand_out)
{
    static unsigned true_counts[NAMES];
    static struct dname names[NAMES];
    struct name_sketch *halves[2] = {name_sketch_new(), name_sketch_new()};
    struct name_sketch *all = name_sketch_new();
    struct name_sketch_count most[MOST];
    unsigned random = 12345;
    for (unsigned i = 0; i < NAMES; i++) {
        names[i] = name_of(i);
    }
    for (unsigned i = 0; i < 200000; i++) {
        random = random * 1103515245U + 12345U;
        unsigned number = (random >> 16 & 3) == 0 ? (random >> 18) % 10 : (random >> 8) % NAMES;
        name_sketch_add(halves[i & 1], &names[number], 1);
        true_counts[number]++;
    }
    name_sketch_merge(all, halves[0]);
    name_sketch_merge(all, halves[1]);
    ck_assert_uint_eq(name_sketch_most(all, most, MOST), MOST);
    for (unsigned i = 0; i < 10; i++) {
        ck_assert_uint_lt(number_of(&most[i].name), 10);
        ck_assert_uint_ge(most[i].count, true_counts[number_of(&most[i].name)]);
    }
    name_sketch_free(halves[0]);
    name_sketch_free(halves[1]);
    name_sketch_free(all);
    name_sketch_free(NULL);
}
END_TEST

START_TEST(sketches_change_hands)
{
    struct name_turns turns = {0};
    struct name_sketch *first = name_sketch_new(), *second = name_sketch_new();
    ck_assert(name_turns_over(&turns));
    ck_assert(!name_turns_take(&turns));
    name_turns_ask(&turns, first);
    ck_assert(!name_turns_over(&turns));
    ck_assert_ptr_null(turns.filled);
    ck_assert(name_turns_take(&turns));
    ck_assert(!name_turns_take(&turns));
    ck_assert(name_turns_over(&turns));
    ck_assert_ptr_eq(turns.filled, first);
    ck_assert_ptr_null(name_turns_collect(&turns));
    name_turns_ask(&turns, second);
    ck_assert(name_turns_take(&turns));
    ck_assert_ptr_eq(name_turns_collect(&turns), first);
    ck_assert_ptr_null(name_turns_collect(&turns));
    name_sketch_free(first);
    name_turns_ask(&turns, NULL);
    ck_assert(name_turns_take(&turns));
    ck_assert_ptr_null(turns.filled);
    name_turns_fini(&turns); /* the second one too */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("name_sketch");
    TCase *tcase = tcase_create("name_sketch");
    tcase_add_test(tcase, few_names_are_counted_exactly);
    tcase_add_test(tcase, frequent_names_stand_out);
    tcase_add_test(tcase, sketches_change_hands);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
