/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is said of orders that are well-formed: one order that covers, another that may be covered.
 */
#include "forwarder/explain/check_orders.h"

#include "forwarder/log.h"
#include "test/generation_set.h"
#include "test/suite.h"

#define HEAD(id) "id: " id "\nauthority: A\nissued: 2022-07-11\n"

/* The order A in Italy, which may cover. */
#define SUBTREE HEAD("A") "names: [a.example]\n"

static const struct {
    const char *label;
    const char *covering; /* IT/a.yaml; its list is a.txt */
    const char *folder;   /* of the other one */
    const char *other;    /* its list is b.txt */
    const char *said;     /* behind "warning: orders/…: "; NULL: nothing */
} rows[] = {
    {"the same name", SUBTREE, "IT", HEAD("B") "names: [a.example, b.example]\n",
     "orders/IT/b.yaml: 1 of its 2 names is blocked already by other orders in force in the same "
     "countries: a.example (by A)"},
    {"a name below", SUBTREE, "IT", HEAD("B") "names: [x.a.example]\n",
     "orders/IT/b.yaml: 1 of its 1 name is blocked already by other orders in force in the same "
     "countries: x.a.example (by A)"},
    {"an exact name below", SUBTREE, "IT", HEAD("B") "exact: [x.a.example]\n",
     "orders/IT/b.yaml: 1 of its 1 name is blocked already by other orders in force in the same "
     "countries: x.a.example (by A)"},
    {"the name alone covers nothing below", HEAD("A") "exact: [a.example]\n", "IT",
     HEAD("B") "names: [a.example]\n", NULL},
    {"names beside", SUBTREE, "IT", HEAD("B") "names: [ba.example]\n", NULL},
    {"another country", SUBTREE, "DE", HEAD("B") "names: [a.example]\n", NULL},
    {"more countries", SUBTREE, "IT", HEAD("B") "names: [a.example]\nscope: [IT, SM]\n", NULL},
    {"a group holds it", HEAD("A") "names: [a.example]\nscope: [IT, EU]\n", "DE",
     HEAD("B") "names: [x.a.example]\n",
     "orders/DE/b.yaml: 1 of its 1 name is blocked already by other orders in force in the same "
     "countries: x.a.example (by A)"},
    {"unknown clients too", SUBTREE, "IT", HEAD("B") "names: [a.example]\ninclude-unknown: yes\n",
     NULL},
    {"suspended", SUBTREE "status: suspended\n", "IT", HEAD("B") "names: [a.example]\n", NULL},
    {"for a time", SUBTREE "until: 2099-01-01T00:00:00Z\n", "IT", HEAD("B") "names: [a.example]\n",
     NULL},
    {"only counted", SUBTREE "action: shadow\n", "IT", HEAD("B") "names: [a.example]\n", NULL},
    {"excepted networks", SUBTREE "except-networks: [192.0.2.0/24]\n", "IT",
     HEAD("B") "names: [a.example]\n", NULL},
    {"exceptions", SUBTREE "except: [x.a.example]\n", "IT", HEAD("B") "names: [a.example]\n", NULL},
    {"a list covers", HEAD("A") "lists: [{file: a.txt, format: names}]\n", "IT",
     HEAD("B") "names: [listed.example, below.listed.example, free.listed.example]\n",
     "orders/IT/b.yaml: 1 of its 3 names is blocked already by other orders in force in the same "
     "countries: below.listed.example (by A)"},
    {"a list is covered", SUBTREE, "IT", HEAD("B") "lists: [{file: b.txt, format: names}]\n",
     "orders/IT/b.yaml: 4 of its 5 names are blocked already by other orders in force in the same "
     "countries: "},
    {"it is not in force itself", SUBTREE, "IT",
     HEAD("B") "names: [a.example]\nstatus: suspended\n", NULL},
    {"the deadline has passed, suspended", SUBTREE, "IT",
     HEAD("B") "names: [b.example]\nstatus: suspended\ndeadline: 2022-08-10\n",
     "orders/IT/b.yaml: overdue: it had to be in force by 2022-08-10 and is suspended"},
    {"the deadline has passed, not begun", SUBTREE, "IT",
     HEAD("B") "names: [b.example]\neffective: 2099-01-01T00:00:00Z\ndeadline: 2022-08-10\n",
     "orders/IT/b.yaml: overdue: it had to be in force by 2022-08-10 and is not before "
     "2099-01-01T00:00:00Z"},
    {"the deadline is kept", SUBTREE, "IT", HEAD("B") "names: [b.example]\ndeadline: 2022-08-10\n",
     NULL},
    {"the deadline is to come", SUBTREE, "IT",
     HEAD("B") "names: [b.example]\nstatus: suspended\ndeadline: 2099-08-10\n", NULL},
    {"lifted", SUBTREE, "IT",
     HEAD("B") "names: [b.example]\nstatus: lifted\ndeadline: 2022-08-10\n", NULL},
};

START_TEST(pairs)
{
    char path[SCRATCH_PATH_MAX];
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    put("orders/IT/a.yaml", rows[_i].covering);
    put("orders/IT/a.txt", "listed.example\n!free.listed.example\n");
    put("orders/IT/b.txt", "1.a.example\n2.a.example\n=3.a.example\n4.a.example\nz.example\n");
    snprintf(path, sizeof path, "orders/%s/b.yaml", rows[_i].folder);
    put(path, rows[_i].other);
    struct generation *generation = load((struct load){.read_only = true});
    problem_list_fini(&problems);
    check_orders_covered(generation, 42, NOW, &problems); /* the seed of generation_set.h */
    check_orders_overdue(generation, NOW, &problems);
    const char *said = problems_text();
    if (rows[_i].said == NULL) {
        ck_assert_msg(problems.count == 0, "%s: %s", rows[_i].label, said);
    } else {
        ck_assert_msg(problems.count == 1 && strncmp(said, "warning: ", 9) == 0 &&
                          strncmp(said + 9, rows[_i].said, strlen(rows[_i].said)) == 0,
                      "%s: %s", rows[_i].label, said);
    }
    generation_free(generation);
    set_fini();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("check_orders");
    TCase *cases = tcase_create("pairs");
    tcase_add_loop_test(cases, pairs, 0, sizeof rows / sizeof rows[0]);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
