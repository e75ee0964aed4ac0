/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists that lose names between two loads, and files that somebody is writing: the order stays as
 * it is in force.
 */
#include "forwarder/generation/generation_shrink.h"

#include "forwarder/log.h"
#include "geo/file_identity.h"
#include "policy/name_list.h"
#include "test/generation_set.h"
#include "test/suite.h"

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    take_away("orders/IT/a.yaml");
    put("orders/IT/l.yaml", ORDER_WITH_LIST("L", "l.txt"));
}

/* A list of so many names. */
static void put_names(unsigned count)
{
    char text[SET_TEXT_MAX] = "";
    for (unsigned i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "n%u.example\n", i);
    }
    put("orders/IT/l.txt", text);
}

static size_t names_of(const struct generation *generation)
{
    return name_list_count(order_of(generation, "L")->lists[0].names);
}

static const struct {
    unsigned before;
    unsigned now;
    bool allowed;
} rows[] = {
    {10, 10, true}, {10, 5, true}, {10, 4, false}, {3, 2, true},
    {3, 1, false},  {2, 1, true},  {5, 2, false},  {4, 9, true},
};

START_TEST(half_may_go)
{
    put_names(rows[_i].before);
    struct generation *generation = reload(NULL);
    put_names(rows[_i].now);
    struct generation *next = load((struct load){.before = generation});
    ck_assert_uint_eq(names_of(next), rows[_i].allowed ? rows[_i].now : rows[_i].before);
    ck_assert_str_eq(orders_of(next), rows[_i].allowed ? "IT/l.yaml=L" : "IT/l.yaml=L*");
    ck_assert_uint_eq(problems.errors, rows[_i].allowed ? 0 : 1);
    generation_free(generation);
    generation_free(next);
}
END_TEST

START_TEST(it_stays_until_it_is_accepted)
{
    put_names(10);
    struct generation *generation = reload(NULL);
    put_names(1);
    for (int i = 0; i < 2; i++) {
        generation = reload(generation);
        ck_assert_uint_eq(names_of(generation), 10);
        ck_assert_str_eq(problems_text(),
                         "orders/IT/l.txt: names 1, of 10 that are in force: more than half are "
                         "gone; the order stays as it is until 'bailiwick reload --accept-shrink'");
    }
    ck_assert_ptr_null(load((struct load){.before = generation, .strict = true}));
    struct generation *next = load((struct load){.before = generation, .accept_shrink = true});
    ck_assert_uint_eq(names_of(next), 1);
    ck_assert_str_eq(problems_text(), "");
    generation_free(generation);
    generation = reload(next);
    ck_assert_uint_eq(names_of(generation), 1);
    generation_free(generation);
}
END_TEST

START_TEST(an_order_that_names_another_list_says_what_it_wants)
{
    put_names(10);
    struct generation *generation = reload(NULL);
    put("orders/IT/other.txt", "one.example\n");
    put("orders/IT/l.yaml", ORDER_WITH_LIST("L", "other.txt"));
    take_away("orders/IT/l.txt");
    generation = reload(generation);
    ck_assert_uint_eq(names_of(generation), 1);
    generation_free(generation);
}
END_TEST

START_TEST(what_was_in_force_is_known_from_state)
{
    put_names(10);
    generation_free(reload(NULL));
    put_names(4);
    struct generation *generation = load((struct load){.read_only = true});
    ck_assert_uint_eq(names_of(generation), 4); /* at a start there is nothing in force */
    problem_list_fini(&problems);
    generation_shrink_warn(generation, config->state, &problems);
    ck_assert_str_eq(problems_text(),
                     "warning: orders/IT/l.txt: names 4, of 10 that were last in force: more than "
                     "half are gone; a reload keeps the order as it is unless it is given "
                     "--accept-shrink");
    generation_free(generation);
}
END_TEST

/* ---- Files being written ---- */

static const char *const unfinished_files[] = {"orders/IT/l.yaml", "orders/IT/l.txt"};

START_TEST(what_is_being_written_is_not_read)
{
    const char *file = unfinished_files[_i];
    char path[SCRATCH_PATH_MAX], expected[SET_TEXT_MAX];
    struct file_identity identity;
    put_names(2);
    struct generation *generation = reload(NULL);
    put("orders/IT/l.yaml", ORDER_WITH_LIST("L2", "l.txt"));
    put_names(3);
    ck_assert(file_identity_of(AT_FDCWD, scratch_path(&scratch, file, path), &identity));
    struct generation *next = load((struct load){.before = generation, .unfinished = &identity});
    ck_assert_str_eq(orders_of(next), "IT/l.yaml=L*");
    snprintf(expected, sizeof expected,
             "%s: is being written; it is read once whoever writes it closes it", file);
    ck_assert_int_eq(strncmp(problems_text(), expected, strlen(expected)), 0);
    generation_free(generation);
    next = reload(next);
    ck_assert_str_eq(orders_of(next), "IT/l.yaml=L2");
    ck_assert_uint_eq(problems.count, 0);
    generation_free(next);
}
END_TEST

/* Lists that no walk through the orders folder finds. */
START_TEST(lists_outside_are_told)
{
    put("orders/IT/l.yaml", ORDER_WITH_LIST("L", "../../lists/l.txt"));
    struct generation *generation = load((struct load){0});
    char path[SCRATCH_PATH_MAX];
    ck_assert_uint_eq(generation->outside_count, 1); /* though it is not there */
    ck_assert_str_eq(generation->outside[0],
                     scratch_path(&scratch, "orders/IT/../../lists/l.txt", path));
    generation_free(generation);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("generation_shrink");
    TCase *cases = tcase_create("shrink");
    tcase_add_checked_fixture(cases, set_up, set_fini);
    tcase_add_loop_test(cases, half_may_go, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(cases, it_stays_until_it_is_accepted);
    tcase_add_test(cases, an_order_that_names_another_list_says_what_it_wants);
    tcase_add_test(cases, what_was_in_force_is_known_from_state);
    tcase_add_loop_test(cases, what_is_being_written_is_not_read, 0, 2);
    tcase_add_test(cases, lists_outside_are_told);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
