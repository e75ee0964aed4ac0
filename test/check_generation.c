/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loads of one process: each order file judged alone, last good versions, ids, lists, the strict
 * load, what is logged. Restarts are in check_generation_restart.c.
 */
#include "forwarder/generation/generation.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/generation_set.h"
#include "test/suite.h"

START_TEST(first_load)
{
    put("orders/IT/sub/b.yml", ORDER("B", "b.example"));
    put("orders/EU/c.yaml", ORDER("C", "c.example"));
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(problems_text(), "");
    ck_assert_str_eq(orders_of(generation), "EU/c.yaml=C IT/a.yaml=A IT/sub/b.yml=B");
    ck_assert_uint_eq(generation->number, 1);
    ck_assert_int_eq(generation->loaded, NOW);
    ck_assert_int_eq(loaded_of(generation, "EU/c.yaml"), NOW);
    ck_assert_ptr_nonnull(generation->db);
    ck_assert_ptr_null(generation->overrides);
    ck_assert(!generation->db_last_good && !generation->overrides_last_good);
    ck_assert_uint_eq(generation->problem_count, 0);
    generation_free(generation);
}
END_TEST

/* What a reload makes of a.yaml = A and b.yaml = B when files change in between. */
static const struct {
    const char *label;
    const char *file; /* below the scratch folder */
    const char *text; /* NULL: taken away */
    const char *orders;
    const char *problems; /* "": none; else what they begin with */
} changes[] = {
    {"nothing", "orders/IT/a.yaml", ORDER("A", "a.example"), "IT/a.yaml=A IT/b.yaml=B", ""},
    {"new file", "orders/IT/c.yaml", ORDER("C", "c.example"), "IT/a.yaml=A IT/b.yaml=B IT/c.yaml=C",
     ""},
    {"file taken away", "orders/IT/b.yaml", NULL, "IT/a.yaml=A", ""},
    {"id changed", "orders/IT/b.yaml", ORDER("B2", "b.example"), "IT/a.yaml=A IT/b.yaml=B2", ""},
    {"broken file keeps its last good version", "orders/IT/b.yaml", "id: B\nnames: [b..example]\n",
     "IT/a.yaml=A IT/b.yaml=B*", "orders/IT/b.yaml:"},
    {"emptied file keeps it too", "orders/IT/b.yaml", "", "IT/a.yaml=A IT/b.yaml=B*",
     "orders/IT/b.yaml"},
    {"new broken file is left out", "orders/IT/c.yaml", "id: C\n", "IT/a.yaml=A IT/b.yaml=B",
     "orders/IT/c.yaml:"},
    {"copy of a file: the first holder keeps its id", "orders/IT/0.yaml", ORDER("A", "a.example"),
     "IT/a.yaml=A IT/b.yaml=B",
     "orders/IT/0.yaml:1:5: the id A is that of orders/IT/a.yaml already"},
    {"id taken by an edit: the old one comes back", "orders/IT/a.yaml", ORDER("B", "a.example"),
     "IT/a.yaml=A* IT/b.yaml=B",
     "orders/IT/a.yaml:1:5: the id B is that of orders/IT/b.yaml already"},
    {"file that nobody names", "orders/IT/note.txt", "x", "IT/a.yaml=A IT/b.yaml=B",
     "warning: orders/IT/note.txt: neither an order"},
    {"folder of no country", "orders/XX/c.yaml", ORDER("C", "c.example"), "IT/a.yaml=A IT/b.yaml=B",
     "orders/XX"},
};

START_TEST(reload_judges_each_file_alone)
{
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *first = load((struct load){0});
    ck_assert_str_eq(orders_of(first), "IT/a.yaml=A IT/b.yaml=B");
    if (changes[_i].text != NULL) {
        put(changes[_i].file, changes[_i].text);
    } else {
        take_away(changes[_i].file);
    }
    struct generation *next = load((struct load){.before = first, .now = NOW + 5});
    const char *expected = changes[_i].problems;
    ck_assert_msg(strcmp(orders_of(next), changes[_i].orders) == 0, "%s: %s", changes[_i].label,
                  orders_of(next));
    ck_assert_msg(expected[0] == '\0' ? problems.count == 0
                                      : strncmp(problems_text(), expected, strlen(expected)) == 0,
                  "%s: %s", changes[_i].label, problems_text());
    ck_assert_uint_eq(next->error_count, problems.errors);
    ck_assert_uint_eq(next->number, 2);
    ck_assert_int_eq(loaded_of(next, "IT/a.yaml"), NOW);
    generation_free(next);
    generation_free(first);
}
END_TEST

/* The same changes, all or nothing. */
START_TEST(strict_load_is_all_or_nothing)
{
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *first = load((struct load){0});
    if (changes[_i].text != NULL) {
        put(changes[_i].file, changes[_i].text);
    } else {
        take_away(changes[_i].file);
    }
    struct generation *next = load((struct load){.before = first, .strict = true});
    ck_assert_msg((next == NULL) == (problems.errors > 0), "%s: %s", changes[_i].label,
                  problems_text());
    if (next == NULL) { /* the old set is what a restart finds under state */
        put("orders/IT/a.yaml", "broken: [\n");
        put("orders/IT/b.yaml", "broken: [\n");
        struct generation *start = load((struct load){0});
        ck_assert_str_eq(orders_of(start), "IT/a.yaml=A* IT/b.yaml=B*");
        generation_free(start);
    }
    generation_free(next);
    generation_free(first);
}
END_TEST

START_TEST(mended_file_comes_back)
{
    struct generation *generation = load((struct load){0});
    put("orders/IT/a.yaml", "nonsense\n");
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    generation = reload(generation); /* still broken: still the last good version */
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    put("orders/IT/a.yaml", ORDER("A", "other.example"));
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A");
    ck_assert_uint_eq(generation->problem_count, 0);
    take_away("orders/IT/a.yaml");
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "");
    generation_free(generation);
}
END_TEST

START_TEST(broken_file_that_goes_is_gone)
{
    struct generation *generation = load((struct load){0});
    put("orders/IT/a.yaml", "nonsense\n");
    generation = reload(generation);
    take_away("orders/IT/a.yaml");
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "");
    ck_assert_uint_eq(generation->problem_count, 0);
    generation_free(generation);
}
END_TEST

/* Renamed and edited at once, with a slip: the order is still the one that was in force. */
START_TEST(id_of_a_file_that_went_is_claimed_by_a_broken_one)
{
    struct generation *generation = load((struct load){0});
    take_away("orders/IT/a.yaml");
    put("orders/IT/b.yaml", "id: A\nnames: [b..example]\n");
    for (int i = 0; i < 2; i++) {
        generation = reload(generation);
        ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
        ck_assert_uint_eq(generation->error_count, problems.errors);
        ck_assert_ptr_nonnull(strstr(problems_text(), "orders/IT/a.yaml: its id is now that of "
                                                      "orders/IT/b.yaml, which has an error; "));
    }
    struct generation *start = load((struct load){0}); /* and so it is after a restart */
    ck_assert_str_eq(orders_of(start), "IT/a.yaml=A*");
    generation_free(start);
    put("orders/IT/b.yaml", ORDER("A", "b.example"));
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/b.yaml=A");
    ck_assert_uint_eq(generation->problem_count, 0);
    generation_free(generation);
}
END_TEST

START_TEST(ids_are_swapped)
{
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *generation = load((struct load){0});
    put("orders/IT/a.yaml", ORDER("B", "a.example"));
    put("orders/IT/b.yaml", ORDER("A", "b.example"));
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=B IT/b.yaml=A");
    ck_assert_str_eq(problems_text(), "");
    generation_free(generation);
}
END_TEST

START_TEST(id_taken_from_a_broken_file)
{
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *generation = load((struct load){0});
    put("orders/IT/b.yaml", "nonsense\n");
    put("orders/IT/c.yaml", ORDER("B", "c.example")); /* B is still b.yaml's */
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A IT/b.yaml=B*");
    ck_assert_uint_eq(generation->error_count, 2);
    generation_free(generation);
}
END_TEST

START_TEST(same_id_at_a_start)
{
    put("orders/IT/b.yaml", ORDER("A", "b.example"));
    put("orders/DE/z.yaml", ORDER("A", "z.example"));
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "DE/z.yaml=A");
    ck_assert_str_eq(problems_text(),
                     "orders/IT/a.yaml:1:5: the id A is that of orders/DE/z.yaml already; "
                     "orders/IT/b.yaml:1:5: the id A is that of orders/DE/z.yaml already");
    generation_free(generation);
}
END_TEST

/* ---- Lists ---- */

START_TEST(unchanged_list_keeps_its_map)
{
    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "lists/shield.txt"));
    put("orders/IT/lists/shield.txt", "one.example\ntwo.example\n");
    struct generation *first = load((struct load){0});
    ck_assert_str_eq(problems_text(), "");
    const struct suffix_map *map = name_list_map(order_of(first, "A")->lists[0].names);

    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "lists/../lists/shield.txt") "title: new\n");
    put("orders/IT/b.yaml", ORDER_WITH_LIST("B", "lists/shield.txt"));
    struct generation *second = load((struct load){.before = first});
    ck_assert_str_eq(problems_text(), "");
    ck_assert_str_eq(orders_of(second), "IT/a.yaml=A IT/b.yaml=B");
    ck_assert_ptr_eq(name_list_map(order_of(second, "A")->lists[0].names), map);
    ck_assert_ptr_eq(name_list_map(order_of(second, "B")->lists[0].names), map);
    generation_free(first); /* the map outlives it */
    ck_assert_uint_eq(suffix_map_names(map), 2);

    put("orders/IT/lists/shield.txt", "one.example\ntwo.example\nthree.example\n");
    struct generation *third = load((struct load){.before = second, .now = NOW + 9});
    map = name_list_map(order_of(third, "A")->lists[0].names);
    ck_assert_uint_eq(suffix_map_names(map), 3);
    ck_assert_int_eq(loaded_of(third, "IT/a.yaml"), NOW + 9); /* a list is part of its order */
    generation_free(second);
    generation_free(third);
}
END_TEST

/* What judges a list is part of what makes it. */
START_TEST(list_is_sealed_again_under_other_rules)
{
    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "l.txt"));
    put("orders/IT/l.txt", "one.example\ntwo.example\ngithub.io\n");
    struct generation *generation = load((struct load){0});
    ck_assert_ptr_nonnull(strstr(problems_text(), "warning: orders/IT/l.txt:3"));
    ck_assert_uint_eq(name_list_refused(order_of(generation, "A")->lists[0].names), 1);

    generation = reload(generation); /* not sealed again, and its warning still stands */
    ck_assert_ptr_nonnull(strstr(problems_text(), "warning: orders/IT/l.txt:3"));

    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "l.txt") "allow-wide: [github.io]\n");
    generation = reload(generation);
    ck_assert_str_eq(problems_text(), "");
    ck_assert_uint_eq(name_list_refused(order_of(generation, "A")->lists[0].names), 0);

    put("protected.txt", "www.one.example\n");
    configure("block: {protected-names: protected.txt}\n");
    generation = reload(generation);
    ck_assert_uint_eq(name_list_refused(order_of(generation, "A")->lists[0].names), 1);
    generation_free(generation);
}
END_TEST

static const struct {
    const char *label;
    const char *text; /* of the list; NULL: taken away */
    const char *problem;
} bad_lists[] = {
    {"gone", NULL, "orders/IT/l.txt: cannot open"},
    {"empty", "", "orders/IT/l.txt"},
    {"bad line", "one.example\nhttp://x/\n", "orders/IT/l.txt:2"},
};

START_TEST(bad_list_keeps_the_order_as_it_was)
{
    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "l.txt"));
    put("orders/IT/l.txt", "one.example\n");
    struct generation *generation = load((struct load){0});
    if (bad_lists[_i].text != NULL) {
        put("orders/IT/l.txt", bad_lists[_i].text);
    } else {
        take_away("orders/IT/l.txt");
    }
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    ck_assert_msg(strncmp(problems_text(), bad_lists[_i].problem, strlen(bad_lists[_i].problem)) ==
                      0,
                  "%s: %s", bad_lists[_i].label, problems_text());
    ck_assert_uint_eq(name_list_count(order_of(generation, "A")->lists[0].names), 1);
    generation_free(generation);
}
END_TEST

/* An order that names what cannot be read names it all the same. */
static const struct {
    const char *label;
    const char *target; /* of a link; NULL: a FIFO */
} unreadable_lists[] = {
    {"FIFO", NULL}, {"link to nothing", "nothing"}, {"link to itself", "l.txt"}};

START_TEST(list_that_cannot_be_read_is_not_called_unnamed)
{
    char path[SCRATCH_PATH_MAX];
    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "l.txt"));
    scratch_path(&scratch, "orders/IT/l.txt", path);
    const char *target = unreadable_lists[_i].target;
    ck_assert_int_eq(target == NULL ? mkfifo(path, 0644) : symlink(target, path), 0);
    struct generation *generation = load((struct load){0});
    ck_assert_msg(problems.errors == problems.count && problems.errors == 2, "%s: %s",
                  unreadable_lists[_i].label, problems_text());
    generation_free(generation);
}
END_TEST

START_TEST(list_by_absolute_path)
{
    char path[SCRATCH_PATH_MAX], order[SET_TEXT_MAX];
    put("lists/l.txt", "one.example\n");
    snprintf(order, sizeof order, ORDER_WITH_LIST("A", "%s"),
             scratch_path(&scratch, "lists/l.txt", path));
    put("orders/IT/a.yaml", order);
    put("orders/IT/b.yaml", ORDER_WITH_LIST("B", "../../lists/l.txt"));
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(problems_text(), "");
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A IT/b.yaml=B");
    generation_free(generation);
}
END_TEST

/* ---- The orders folder ---- */

START_TEST(link_is_switched)
{
    char link[SCRATCH_PATH_MAX], next[SCRATCH_PATH_MAX];
    put("releases/1/IT/a.yaml", ORDER_WITH_LIST("A", "l.txt"));
    put("releases/1/IT/l.txt", "one.example\n");
    put("releases/2/IT/a.yaml", ORDER_WITH_LIST("A", "l.txt"));
    put("releases/2/IT/l.txt", "two.example\nthree.example\n");
    put("releases/2/FR/b.yaml", ORDER("B", "b.example"));
    take_away("orders/IT/a.yaml");
    ck_assert_int_eq(rmdir(scratch_path(&scratch, "orders/IT", link)), 0);
    ck_assert_int_eq(rmdir(scratch_path(&scratch, "orders", link)), 0);
    ck_assert_int_eq(symlink("releases/1", link), 0);
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A");

    ck_assert_int_eq(symlink("releases/2", scratch_path(&scratch, "orders.new", next)), 0);
    ck_assert_int_eq(rename(next, link), 0);
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "FR/b.yaml=B IT/a.yaml=A");
    ck_assert_uint_eq(name_list_count(order_of(generation, "A")->lists[0].names), 2);
    generation_free(generation);
}
END_TEST

START_TEST(folder_that_is_away_keeps_every_order)
{
    char folder[SCRATCH_PATH_MAX], away[SCRATCH_PATH_MAX];
    put("orders/FR/b.yaml", ORDER_WITH_LIST("B", "l.txt"));
    put("orders/FR/l.txt", "one.example\n");
    struct generation *generation = load((struct load){0});
    scratch_path(&scratch, "orders", folder);
    ck_assert_int_eq(rename(folder, scratch_path(&scratch, "away", away)), 0);
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "FR/b.yaml=B* IT/a.yaml=A*");
    ck_assert_uint_eq(generation->error_count, 1);

    struct generation *start = load((struct load){.now = NOW + 7});
    ck_assert_str_eq(orders_of(start), "FR/b.yaml=B* IT/a.yaml=A*");
    ck_assert_int_eq(loaded_of(start, "FR/b.yaml"), NOW);
    generation_free(start);

    ck_assert_int_eq(rename(away, folder), 0);
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "FR/b.yaml=B IT/a.yaml=A");
    ck_assert_uint_eq(generation->problem_count, 0);
    generation_free(generation);
}
END_TEST

START_TEST(folder_of_a_country_that_cannot_be_read)
{
    char folder[SCRATCH_PATH_MAX];
    put("orders/FR/b.yaml", ORDER("B", "b.example"));
    if (geteuid() == 0) {
        ck_assert_int_eq(chown(scratch_path(&scratch, "", folder), 65534, 65534), 0);
    }
    struct generation *generation = load((struct load){0});
    ck_assert_int_eq(chmod(scratch_path(&scratch, "orders/FR", folder), 0), 0);
    take_away("orders/IT/a.yaml");
    if (geteuid() == 0) {
        ck_assert_int_eq(setresuid(65534, 65534, 0), 0);
    }
    struct generation *next = load((struct load){.before = generation, .read_only = true});
    if (geteuid() == 65534) {
        ck_assert_int_eq(setresuid(0, 0, 0), 0);
    }
    chmod(folder, 0755);
    ck_assert_str_eq(orders_of(next), "FR/b.yaml=B*"); /* and IT/a.yaml is certainly gone */
    ck_assert_uint_ge(next->error_count, 1);
    generation_free(next);
    generation_free(generation);
}
END_TEST

/* ---- Problems and log ---- */

START_TEST(problem_has_stood_since)
{
    struct generation *first = load((struct load){0});
    put("orders/IT/a.yaml", "nonsense\n");
    struct generation *second = load((struct load){.before = first, .now = NOW + 10});
    put("orders/IT/b.yaml", "nonsense\n");
    struct generation *third = load((struct load){.before = second, .now = NOW + 20});
    ck_assert_uint_eq(second->problem_count, 1);
    ck_assert_int_eq(second->problems[0].since, NOW + 10);
    ck_assert_uint_eq(third->problem_count, 2);
    ck_assert_int_eq(third->problems[0].since, NOW + 10);
    ck_assert_int_eq(third->problems[1].since, NOW + 20);
    ck_assert_uint_eq(third->error_count, 2);
    ck_assert_int_eq(third->problems[0].level, PROBLEM_ERROR);
    ck_assert_ptr_nonnull(strstr(third->problems[0].file, "/orders/IT/a.yaml"));
    ck_assert_uint_eq(third->problems[0].line, 1);
    generation_free(first);
    generation_free(second);
    generation_free(third);
}
END_TEST

/* Runs code with standard error in a file and leaves that in `log`. */
#define CAPTURE(log, code)                                                                        \
    do {                                                                                          \
        char path_[SCRATCH_PATH_MAX];                                                             \
        int old_ = dup(STDERR_FILENO);                                                            \
        int file_ = open(scratch_path(&scratch, "log", path_), O_RDWR | O_CREAT | O_TRUNC, 0600); \
        dup2(file_, STDERR_FILENO);                                                               \
        code;                                                                                     \
        dup2(old_, STDERR_FILENO);                                                                \
        close(old_);                                                                              \
        ssize_t got_ = pread(file_, (log), sizeof(log) - 1, 0);                                   \
        ck_assert_int_ge(got_, 0);                                                                \
        (log)[got_] = '\0';                                                                       \
        close(file_);                                                                             \
    } while (0)

/* Lines that begin with this text. */
static size_t count_lines(const char *log, const char *text)
{
    size_t count = 0;
    for (const char *line = log; *line != '\0'; line = strchr(line, '\n') + 1) {
        count += strncmp(line, text, strlen(text)) == 0;
    }
    return count;
}

START_TEST(load_is_logged)
{
    char log[SET_TEXT_MAX];
    struct generation *first, *second;
    put("orders/IT/b.yaml", ORDER("B", "b.example") "status: suspended\n");
    put("orders/IT/c.yaml", ORDER("C", "c.example"));
    CAPTURE(log, first = load((struct load){0}));
    ck_assert_uint_eq(count_lines(log, "info orders: order loaded id=A sha256="), 1);
    ck_assert_uint_eq(count_lines(log, "info orders: order loaded id=B sha256="), 1);
    ck_assert_ptr_nonnull(strstr(log, " file=IT/a.yaml status=active in_force=yes\n"));
    ck_assert_ptr_nonnull(strstr(log, " file=IT/b.yaml status=suspended in_force=no\n"));
    ck_assert_uint_eq(count_lines(log, "info geo: database loaded sha256="), 1);

    put("orders/IT/a.yaml", ORDER("A", "other.example"));
    put("orders/IT/b.yaml", "nonsense\n");
    take_away("orders/IT/c.yaml");
    put("orders/IT/d.yaml", ORDER("D", "d.example"));
    put("orders/IT/e.yaml", "id: E\nnames: [e.example]\n");
    put("orders/IT/f.yaml", ORDER("A", "f.example"));
    CAPTURE(log, second = load((struct load){.before = first}));
    ck_assert_uint_eq(count_lines(log, "info orders: order changed id=A sha256="), 1);
    ck_assert_uint_eq(count_lines(log, "warning orders: order failed id=B sha256="), 1);
    ck_assert_uint_eq(
        count_lines(log, "warning orders: order kept at last good version id=B sha256="), 1);
    ck_assert_uint_eq(count_lines(log, "info orders: order removed id=C sha256="), 1);
    ck_assert_uint_eq(count_lines(log, "info orders: order loaded id=D sha256="), 1);
    ck_assert_uint_eq(count_lines(log, "warning orders: order failed id=E sha256="), 1);
    ck_assert_uint_eq(count_lines(log, "warning orders: order failed id=A sha256="), 1);
    ck_assert_ptr_nonnull(strstr(log, " file=IT/f.yaml\n"));
    ck_assert_uint_eq(count_lines(log, ""), 7);
    generation_free(first);

    put("orders/IT/d.yaml", "id: [D]\n"); /* no id: it is known by the one that it had */
    put("orders/IT/g.yaml", "id:\n");
    CAPTURE(log, first = load((struct load){.before = second}));
    ck_assert_uint_eq(count_lines(log, "warning orders: order failed id=D sha256="), 1);
    ck_assert_uint_eq(count_lines(log, "warning orders: order failed id=- sha256="), 1);
    generation_free(first);
    generation_free(second);
}
END_TEST

static const struct {
    int64_t from;
    int64_t to;
    const char *log; /* the messages, with ids */
} spans[] = {
    {NOW - 100, NOW - 1, ""},
    {NOW - 1, NOW, "order begins id=A"},
    {NOW, NOW + 9, ""},
    {NOW + 9, NOW + 10, "order ends id=A"},
    {NOW - 100, NOW + 100, "order begins id=A order ends id=A"},
    {NOW + 10, NOW + 100, ""},
};

START_TEST(begin_and_end_are_logged)
{
    char log[SET_TEXT_MAX], messages[SET_TEXT_MAX] = "";
    put("orders/IT/a.yaml", ORDER("A", "a.example") "effective: 2025-06-27T04:53:20Z\n"
                                                    "until: 2025-06-27T04:53:30Z\n");
    put("orders/IT/b.yaml",
        ORDER("B", "b.example") "effective: 2025-06-27T04:53:20Z\nstatus: lifted\n");
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A IT/b.yaml=B");
    CAPTURE(log, generation_log_changes(generation, spans[_i].from, spans[_i].to));
    for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *fields = strstr(line, " sha256=");
        ck_assert_int_eq(strncmp(line, "info orders: ", 13), 0);
        ck_assert_ptr_nonnull(fields);
        *fields = '\0';
        strcat(strcat(messages, messages[0] == '\0' ? "" : " "), line + 13);
    }
    ck_assert_str_eq(messages, spans[_i].log);
    generation_free(generation);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("generation");
    TCase *tcase = tcase_create("generation");
    tcase_add_checked_fixture(tcase, set_init, set_fini);
    tcase_add_test(tcase, first_load);
    tcase_add_loop_test(tcase, reload_judges_each_file_alone, 0, sizeof changes / sizeof *changes);
    tcase_add_loop_test(tcase, strict_load_is_all_or_nothing, 0, sizeof changes / sizeof *changes);
    tcase_add_test(tcase, mended_file_comes_back);
    tcase_add_test(tcase, broken_file_that_goes_is_gone);
    tcase_add_test(tcase, id_of_a_file_that_went_is_claimed_by_a_broken_one);
    tcase_add_test(tcase, ids_are_swapped);
    tcase_add_test(tcase, id_taken_from_a_broken_file);
    tcase_add_test(tcase, same_id_at_a_start);
    tcase_add_test(tcase, unchanged_list_keeps_its_map);
    tcase_add_test(tcase, list_is_sealed_again_under_other_rules);
    tcase_add_loop_test(tcase, bad_list_keeps_the_order_as_it_was, 0,
                        sizeof bad_lists / sizeof *bad_lists);
    tcase_add_loop_test(tcase, list_that_cannot_be_read_is_not_called_unnamed, 0,
                        sizeof unreadable_lists / sizeof *unreadable_lists);
    tcase_add_test(tcase, list_by_absolute_path);
    tcase_add_test(tcase, link_is_switched);
    tcase_add_test(tcase, folder_that_is_away_keeps_every_order);
    tcase_add_test(tcase, folder_of_a_country_that_cannot_be_read);
    tcase_add_test(tcase, problem_has_stood_since);
    tcase_add_test(tcase, load_is_logged);
    tcase_add_loop_test(tcase, begin_and_end_are_logged, 0, sizeof spans / sizeof *spans);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
