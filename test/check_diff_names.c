/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of two versions of an order compared as sets.
 */
#include "forwarder/cli/diff_names.h"

#include "forwarder/log.h"
#include "test/generation_set.h"
#include "test/suite.h"

#define SEED 42 /* of generation_set.h */

/* "2 1 +a +b -c": how many, and which, in the order of text. */
static const char *text_of(const struct diff_names *names)
{
    static char text[SET_TEXT_MAX];
    char *lines[2 * DIFF_NAMES_SHOWN];
    size_t index, count = 0;
    const json_t *name;
    json_array_foreach(names->added_shown, index, name)
    {
        ck_assert_int_gt(asprintf(&lines[count++], " +%s", json_string_value(name)), 0);
    }
    json_array_foreach(names->removed_shown, index, name)
    {
        ck_assert_int_gt(asprintf(&lines[count++], " -%s", json_string_value(name)), 0);
    }
    qsort(lines, count, sizeof lines[0], compare_lines);
    snprintf(text, sizeof text, "%zu %zu", names->added, names->removed);
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s", lines[i]);
        free(lines[i]);
    }
    return text;
}

#define HEAD "id: A\nauthority: A\nissued: 2022-07-11\n"
#define LISTS HEAD "lists: [{file: a.txt, format: names}, {file: b.txt, format: names}]\n"

static const struct {
    const char *label;
    const char *before; /* the order; its lists are a.txt and b.txt */
    const char *before_list;
    const char *after;
    const char *after_list; /* b.txt */
    const char *expected;
} rows[] = {
    {"the same", HEAD "names: [a.example]\n", "", HEAD "names: [a.example]\n", "", "0 0"},
    {"added and removed", HEAD "names: [a.example, b.example]\n", "",
     HEAD "names: [b.example, c.example, d.example]\n", "", "2 1 +c.example +d.example -a.example"},
    {"another kind is another name", HEAD "names: [a.example]\n", "",
     HEAD "exact: [a.example]\nnames: [x.example]\nexcept: [y.x.example]\n", "",
     "3 1 +!y.x.example +=a.example +x.example -a.example"},
    {"a list", LISTS, "c.example\n=d.example\n", LISTS, "c.example\n!e.c.example\n",
     "1 1 +!e.c.example -=d.example"},
    {"from the file to a list", HEAD "names: [c.example]\nlists: [{file: a.txt, format: names}]\n",
     "", LISTS, "c.example\n", "0 0"},
    {"twice is once", LISTS, "c.example\n", LISTS, "c.example\nc.example\nC.example.\n", "0 0"},
};

START_TEST(pairs)
{
    struct diff_names names;
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    put("orders/IT/a.yaml", rows[_i].before);
    put("orders/IT/a.txt", "same.example\n");
    put("orders/IT/b.txt", rows[_i].before_list);
    struct generation *before = load((struct load){.read_only = true});
    put("orders/IT/a.yaml", rows[_i].after);
    put("orders/IT/b.txt", rows[_i].after_list);
    struct generation *after = load((struct load){.read_only = true});
    ck_assert(diff_names_compare(order_of(before, "A"), order_of(after, "A"), SEED, &names));
    ck_assert_msg(strcmp(text_of(&names), rows[_i].expected) == 0, "%s: %s", rows[_i].label,
                  text_of(&names));
    diff_names_fini(&names);
    generation_free(before);
    generation_free(after);
    set_fini();
}
END_TEST

START_TEST(one_side)
{
    struct diff_names names;
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    struct generation *generation = load((struct load){.read_only = true});
    ck_assert(diff_names_compare(NULL, order_of(generation, "A"), SEED, &names));
    ck_assert_str_eq(text_of(&names), "1 0 +a.example");
    diff_names_fini(&names);
    ck_assert(diff_names_compare(order_of(generation, "A"), NULL, SEED, &names));
    ck_assert_str_eq(text_of(&names), "0 1 -a.example");
    diff_names_fini(&names);
    generation_free(generation);
    set_fini();
}
END_TEST

START_TEST(only_the_first_are_shown)
{
    char text[SET_TEXT_MAX] = "";
    struct diff_names names;
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    for (unsigned i = 0; i < 3 * DIFF_NAMES_SHOWN; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%u.example\n", i);
    }
    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "a.txt"));
    put("orders/IT/a.txt", text);
    struct generation *generation = load((struct load){.read_only = true});
    ck_assert(diff_names_compare(NULL, order_of(generation, "A"), SEED, &names));
    ck_assert_uint_eq(names.added, 3 * DIFF_NAMES_SHOWN);
    ck_assert_uint_eq(json_array_size(names.added_shown), DIFF_NAMES_SHOWN);
    diff_names_fini(&names);
    generation_free(generation);
    set_fini();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("diff_names");
    TCase *cases = tcase_create("names");
    tcase_add_loop_test(cases, pairs, 0, sizeof rows / sizeof rows[0]);
    tcase_add_test(cases, one_side);
    tcase_add_test(cases, only_the_first_are_shown);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
