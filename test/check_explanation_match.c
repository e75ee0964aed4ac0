/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * By what an order matched, in the object and in the person's text: items with dates and tickets,
 * labels under any suffix, windows, wildcards and their rules, clients. The clock stands at
 * 2026-01-01T00:00:00Z, a Thursday, unless a row says otherwise.
 */
#include "forwarder/explain/explanation_match.h"

#include <stdio.h>

#include "forwarder/explain/explain.h"
#include "test/explain_set.h"
#include "test/suite.h"

#define ORDER(id) EXPLAIN_SET_ORDER(id)

static const struct explain_set_order ORDERS[] = {
    {"IT", ORDER("IT-ITEMS") "names:\n"
                             "  - {name: dated.example, effective: 2025-06-01T00:00:00Z, "
                             "until: 2026-06-01T00:00:00Z, ticket: \"4711\"}\n"
                             "  - {name: item-later.example, effective: 2026-03-01T00:00:00Z}\n"
                             "  - {name: item-ended.example, until: 2025-03-01T00:00:00Z}\n"
                             "any-tld: [anytld]\nuntil: 2026-07-01T00:00:00Z\n"},
    {"IT", ORDER("IT-WINDOW") "timezone: Europe/Rome\nnames: [window.example]\n"
                              "windows: [{days: [sat], from: \"18:00\", to: \"23:30\"}]\n"},
    {"IT", ORDER("IT-EXCEPT") "names: [excepted.example]\n"
                              "except: [{name: x.excepted.example, effective: "
                              "2026-03-01T00:00:00Z}]\n"},
    {"IT", ORDER("IT-RPZ") "lists: [{file: a.rpz, format: rpz}]\nallow-wide: [\".\"]\n"},
};

static const struct {
    const char *label;
    struct explain_set_question question;
    const char *verdict, *matched, *action, *ticket;
    const char *why; /* behind the place */
} VERDICTS[] = {
    {"an item within its dates",
     {"2.32.0.1", "x.dated.example", NULL, NULL},
     "block",
     "dated.example",
     "refused",
     "4711",
     "order IT-ITEMS of Court binds clients in IT since 2025-06-01T00:00:00Z until "
     "2026-06-01T00:00:00Z and names dated.example (ticket 4711)"},
    {"an item before its dates",
     {"2.32.0.1", "item-later.example", NULL, NULL},
     "forward",
     NULL,
     NULL,
     NULL,
     "order IT-ITEMS of Court names item-later.example, but the item that names it is not yet in "
     "force (from 2026-03-01T00:00:00Z)"},
    {"an item after its dates",
     {"2.32.0.1", "item-ended.example", NULL, NULL},
     "forward",
     NULL,
     NULL,
     NULL,
     "order IT-ITEMS of Court names item-ended.example, but the item that names it has ended (at "
     "2025-03-01T00:00:00Z)"},
    {"a label under a public suffix",
     {"2.32.0.1", "www.anytld.co.uk", NULL, NULL},
     "block",
     "anytld.co.uk",
     "refused",
     NULL,
     "order IT-ITEMS of Court binds clients in IT until 2026-07-01T00:00:00Z and names anytld "
     "under any public suffix, here anytld.co.uk"},
    {"outside the window",
     {"2.32.0.1", "window.example", NULL, NULL},
     "forward",
     NULL,
     NULL,
     NULL,
     "order IT-WINDOW of Court names window.example, but it is in none of its windows (the next "
     "one opens at 2026-01-03T17:00:00Z)"},
    {"within the window",
     {"2.32.0.1", "window.example", NULL, "2026-01-03T18:00:00Z"},
     "block",
     "window.example",
     "refused",
     NULL,
     "order IT-WINDOW of Court binds clients in IT, in a window that closes at "
     "2026-01-03T22:30:00Z, and names window.example"},
    {"above an exception to come",
     {"2.32.0.1", "excepted.example", NULL, NULL},
     "block",
     "excepted.example",
     "refused",
     NULL,
     "order IT-EXCEPT of Court binds clients in IT, with all that it blocks now until "
     "2026-03-01T00:00:00Z, and names excepted.example"},
    {"a wildcard",
     {"2.32.0.1", "x.below.example", NULL, NULL},
     "block",
     "*.below.example",
     "nxdomain",
     NULL,
     "order IT-RPZ of Court binds clients in IT and names *.below.example"},
    {"above the wildcard",
     {"2.32.0.1", "below.example", NULL, NULL},
     "forward",
     NULL,
     NULL,
     NULL,
     "no order names below.example"},
    {"a name that passes",
     {"2.32.0.1", "pass.below.example", NULL, NULL},
     "forward",
     NULL,
     NULL,
     NULL,
     "order IT-RPZ of Court names *.below.example, but an exception of the order covers the name"},
    {"a client",
     {"2.32.0.9", "any.example", NULL, NULL},
     "block",
     "2.32.0.9/32",
     "nodata",
     NULL,
     "order IT-RPZ of Court binds clients in IT and blocks every name for clients in 2.32.0.9/32"},
};

START_TEST(the_object_says_by_what)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, ROWS(ORDERS));
    for (size_t i = 0; i < ROWS(VERDICTS); i++) {
        const char *label = VERDICTS[i].label;
        json_t *object = explain_set_json(&set, &VERDICTS[i].question);
        explain_set_expect(label, object, "verdict", VERDICTS[i].verdict);
        explain_set_expect(label, object, "matched", VERDICTS[i].matched);
        explain_set_expect(label, object, "action", VERDICTS[i].action);
        explain_set_expect(label, object, "ticket", VERDICTS[i].ticket);
        explain_set_expect_why(label, object, VERDICTS[i].why);
        json_decref(object);
    }
    explain_set_fini(&set);
}
END_TEST

static const struct explain_set_lines LINES[] = {
    {"an item with dates and a ticket",
     {"2.32.0.1", "dated.example", NULL, NULL},
     "            names dated.example and everything below it, ticket 4711\n"
     "            scope IT, since 2025-06-01T00:00:00Z, until 2026-06-01T00:00:00Z, action "
     "refused\n"},
    {"windows",
     {"2.32.0.1", "window.example", NULL, NULL},
     "  IT-WINDOW of Court: it is in none of its windows (the next one opens at "
     "2026-01-03T17:00:00Z)\n"
     "            names window.example and everything below it\n"
     "            scope IT, in its windows only, action refused\n"},
    {"a wildcard and its rule",
     {"2.32.0.1", "x.below.example", NULL, NULL},
     "            names everything below below.example\n"
     "            scope IT, action nxdomain by a rule of its list\n"},
    {"a client",
     {"2.32.0.9", "any.example", NULL, NULL},
     "            blocks every name for clients in 2.32.0.9/32\n"},
    {"a label",
     {"2.32.0.1", "anytld.test", NULL, NULL},
     "            names anytld under any public suffix, here anytld.test\n"},
};

START_TEST(the_text_says_by_what)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, ROWS(ORDERS));
    explain_set_expect_lines(&set, LINES, ROWS(LINES));
    explain_set_fini(&set);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explanation_match");
    TCase *tcase = tcase_create("explanation_match");
    tcase_add_test(tcase, the_object_says_by_what);
    tcase_add_test(tcase, the_text_says_by_what);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
