/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Explanations of answers that a person supposes: which link decides, by which order, and what is
 * said of it.
 */
#include "forwarder/explain/explain.h"

#include "forwarder/explain/explain_question.h"
#include "test/explain_set.h"
#include "test/suite.h"

#define LINKS_MAX 3

#define ORDER(id) EXPLAIN_SET_ORDER(id)

static const struct explain_set_order ORDERS[] = {
    {"IT", ORDER("IT-ALIAS") "names: [bad.example]\nexcept: [fine.example]\naliases: yes\n"},
    {"IT", ORDER("IT-NX") "names: [nx.example]\naliases: yes\naction: nxdomain\n"},
    {"IT", ORDER("IT-NET") "answers: [203.0.113.7/32]\n"},
    {"IT", ORDER("IT-SHADOW") "names: [shadow.example]\naliases: yes\naction: shadow\n"},
    {"IT", ORDER("IT-BLIND") "names: [blind.example]\n"},
    {"IT", ORDER("IT-LATER") "names: [later.example]\naliases: yes\n"
                             "effective: 2027-01-01T00:00:00Z\n"},
    {"DE", ORDER("DE-BLIND") "names: [blind.example]\n"},
};

#define LOOKED_AT "Answers     are looked at for IT-ALIAS, IT-NET, IT-NX, IT-SHADOW\n"

/* order, matched and link: NULL where the object has null. */
static const struct {
    const char *label, *address, *name;
    const char *links[LINKS_MAX];
    const char *verdict, *order, *matched, *action, *link;
    const char *text; /* somewhere in it; NULL: no word of answers */
} ROWS_OF_LINKS[] = {
    {"no links", "2.32.0.1", "q.example", {NULL}, "forward", NULL, NULL, NULL, NULL, LOOKED_AT},
    {"a name",
     "2.32.0.1",
     "q.example",
     {"www.bad.example"},
     "block",
     "IT-ALIAS",
     "bad.example",
     "refused",
     "www.bad.example",
     "names bad.example; the answer leads to www.bad.example\n"},
    {"an address",
     "2.32.0.1",
     "q.example",
     {"203.0.113.7"},
     "block",
     "IT-NET",
     "203.0.113.7/32",
     "refused",
     "203.0.113.7",
     "the answer leads to 203.0.113.7\n"},
    {"the first that is blocked",
     "2.32.0.1",
     "q.example",
     {"cdn.example", "nx.example", "bad.example"},
     "block",
     "IT-NX",
     "nx.example",
     "nodata",
     "nx.example",
     "Answer      NOERROR"},
    {"none of them",
     "2.32.0.1",
     "q.example",
     {"cdn.example", "192.0.2.1"},
     "forward",
     NULL,
     NULL,
     NULL,
     NULL,
     LOOKED_AT},
    {"an order that does not look",
     "2.32.0.1",
     "q.example",
     {"blind.example"},
     "forward",
     NULL,
     NULL,
     NULL,
     NULL,
     LOOKED_AT},
    {"shadow",
     "2.32.0.1",
     "q.example",
     {"shadow.example"},
     "shadow",
     "IT-SHADOW",
     "shadow.example",
     "shadow",
     "shadow.example",
     "the answer leads to shadow.example"},
    {"an excepted name",
     "2.32.0.1",
     "fine.example",
     {"bad.example"},
     "forward",
     NULL,
     NULL,
     NULL,
     NULL,
     LOOKED_AT},
    {"a name that is blocked itself",
     "2.32.0.1",
     "bad.example",
     {"nx.example"},
     "block",
     "IT-ALIAS",
     "bad.example",
     "refused",
     NULL,
     NULL},
    {"another country",
     "5.9.0.1",
     "q.example",
     {"bad.example"},
     "forward",
     NULL,
     NULL,
     NULL,
     NULL,
     NULL},
};

static void expect(const char *label, json_t *object, const char *key, const char *expected)
{
    const char *text = json_string_value(json_object_get(object, key));
    ck_assert_msg((text == NULL) == (expected == NULL), "%s: %s: %s", label, key,
                  text == NULL ? "null" : text);
    ck_assert_msg(text == NULL || strcmp(text, expected) == 0, "%s: %s: %s", label, key, text);
}

START_TEST(links_are_explained)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, ROWS(ORDERS));
    for (size_t i = 0; i < ROWS(ROWS_OF_LINKS); i++) {
        const char *label = ROWS_OF_LINKS[i].label;
        char why[WHY_MAX] = "";
        struct explain_question question = {.now = EXPLAIN_SET_LOADED};
        ck_assert(explain_question_parse(&question, ROWS_OF_LINKS[i].address, ROWS_OF_LINKS[i].name,
                                         NULL, why));
        for (size_t k = 0; k < LINKS_MAX && ROWS_OF_LINKS[i].links[k] != NULL; k++) {
            ck_assert(explain_question_add_link(&question, ROWS_OF_LINKS[i].links[k], why));
        }
        json_t *object = explain_json(&set.generation, &question);
        char *text = explain_text(&set.generation, &question);
        ck_assert(object != NULL && text != NULL);
        expect(label, object, "verdict", ROWS_OF_LINKS[i].verdict);
        expect(label, object, "order", ROWS_OF_LINKS[i].order);
        expect(label, object, "matched", ROWS_OF_LINKS[i].matched);
        expect(label, object, "action", ROWS_OF_LINKS[i].action);
        expect(label, object, "link", ROWS_OF_LINKS[i].link);
        if (ROWS_OF_LINKS[i].text != NULL) {
            ck_assert_msg(strstr(text, ROWS_OF_LINKS[i].text) != NULL, "%s: %s", label, text);
        } else {
            ck_assert_msg(strstr(text, "Answers") == NULL, "%s: %s", label, text);
        }
        free(text);
        json_decref(object);
    }
    explain_set_fini(&set);
}
END_TEST

START_TEST(links_are_read)
{
    char why[WHY_MAX] = "";
    struct explain_question question = {.now = EXPLAIN_SET_LOADED};
    ck_assert(explain_question_parse(&question, "192.0.2.1", "a.example", NULL, why));
    ck_assert(!explain_question_add_link(&question, "http://a.example/", why));
    ck_assert(!explain_question_add_link(&question, "", why));
    ck_assert_uint_eq(question.link_count, 0);
    for (unsigned i = 0; i < EXPLAIN_LINKS_MAX; i++) {
        ck_assert(explain_question_add_link(&question, "a.example", why));
    }
    ck_assert(!explain_question_add_link(&question, "a.example", why));
    ck_assert_str_eq(why, "one name or address too many for an answer: a.example");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explanation_links");
    TCase *tcase = tcase_create("explanation_links");
    tcase_add_test(tcase, links_are_explained);
    tcase_add_test(tcase, links_are_read);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
