/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a policy is made of: items of order files with their dates and tickets, and the countries
 * that orders reach.
 */
#include "policy/policy_layout.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/network_rules.h"
#include "test/policy_make.h"
#include "test/suite.h"

#define BREXIT INT64_C(1580511600) /* GB leaves the EU */

/* ---- Items with dates of their own ---- */

/* One name of an order that is in force from 100 to 200. */
static const struct {
    const char *label;
    int64_t effective;
    int64_t end;
    int64_t now;
    enum policy_binding expected;
    int64_t until; /* of the match */
} dates[] = {
    {"no dates", ORDER_ALWAYS, ORDER_FOR_GOOD, 150, POLICY_BINDS, 200},
    {"within", 120, 180, 120, POLICY_BINDS, 180},
    {"its last second", 120, 180, 179, POLICY_BINDS, 180},
    {"before it", 120, 180, 119, POLICY_ITEM_NOT_YET, 180},
    {"after it", 120, 180, 180, POLICY_ITEM_ENDED, 180},
    {"the order ends first", 120, 300, 150, POLICY_BINDS, 200},
    {"the order has ended", 120, 300, 250, POLICY_ENDED, 200},
    {"before both", 120, 180, 50, POLICY_NOT_YET, 180},
};

/* An order whose names are from the item on out of place: the last one has a term and a ticket. */
static void date_last(struct order *order, int64_t effective, int64_t end, const char *ticket)
{
    struct order_name *name = &order->names[order->name_count - 1];
    order->terms = reallocarray(order->terms, order->term_count + 1, sizeof *order->terms);
    order->terms[order->term_count++] = (struct order_term){effective, end};
    name->term = order->term_count;
    name->ticket = strdup(ticket);
}

START_TEST(items_have_dates_of_their_own)
{
    struct order *order = make_order("X", "b.test a.test", NULL);
    order->effective = 100;
    order->end = 200;
    date_last(order, dates[_i].effective, dates[_i].end, "4711");
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of("www.a.test");
    const struct policy_client client = {.address = address_of("2.32.0.1"),
                                         .country = country_of("IT")};
    const struct policy_question question = {
        .qname = &qname, .qtype = TYPE_A, .now = dates[_i].now};
    struct policy_match match;
    struct notes notes = {0};
    bool blocks = dates[_i].expected == POLICY_BINDS;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL),
                     blocks ? POLICY_BLOCK : POLICY_PASS);
    ck_assert_int_eq(policy_explain(policy, &client, &question, &match, take_note, &notes),
                     blocks ? POLICY_BLOCK : POLICY_PASS);
    ck_assert_uint_eq(notes.count, 1);
    ck_assert_msg(notes.match[0].binding == dates[_i].expected, "%s: %s", dates[_i].label,
                  policy_binding_text(notes.match[0].binding));
    ck_assert_int_eq(notes.match[0].end, dates[_i].until);
    ck_assert_str_eq(notes.match[0].ticket, "4711");
    ck_assert_int_eq(notes.match[0].term->end, dates[_i].end);
    policy_free(policy);
}
END_TEST

/* While a longer item is out of its dates a shorter one binds; an exception excepts in its dates.
 */
START_TEST(items_that_are_out_of_their_dates_say_nothing)
{
    struct order *order = make_order("X", "a.test b.a.test", NULL);
    date_last(order, 100, 200, "1");
    struct policy *policy = policy_over(&order, 1, 0);
    const struct dname qname = name_of("b.a.test");
    const struct policy_client client = {.address = address_of("2.32.0.1"),
                                         .country = country_of("IT")};
    struct policy_question question = {.qname = &qname, .qtype = TYPE_A, .now = 150};
    struct policy_match match;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL), POLICY_BLOCK);
    ck_assert_uint_eq(match.labels, 3);
    question.now = 200;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL), POLICY_BLOCK);
    ck_assert_uint_eq(match.labels, 2);
    ck_assert_ptr_null(match.ticket);
    policy_free(policy);

    order = make_order("X", "a.test !b.a.test", NULL);
    date_last(order, 100, 200, "1");
    policy = policy_over(&order, 1, 0);
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL), POLICY_BLOCK);
    ck_assert(!match.free_below);
    question.now = 199;
    ck_assert_int_eq(policy_decide(policy, &client, &question, &match, NULL, NULL), POLICY_PASS);
    policy_free(policy);
}
END_TEST

/* ---- Countries ---- */

/* The scope is set for what is in force and what is still to come, not for what is over. */
START_TEST(scope_ends_with_the_last_order)
{
    struct order *orders[] = {make_order("1", "a.test", NULL), make_order("2", "a.test", NULL),
                              make_order("3", "a.test", NULL), make_order("4", "a.test", NULL)};
    orders[0]->end = 200;
    orders[1]->effective = 300;
    orders[1]->end = 400;
    orders[2]->status = ORDER_SUSPENDED;
    orders[3]->scope = (struct order_scope){.unknown = true};
    orders[3]->end = 100;
    struct policy *policy = policy_over(orders, 4, 100);
    ck_assert(policy_in_scope(policy, &(struct place){.country = country_of("IT")}, 100));
    ck_assert(policy_in_scope(policy, &(struct place){.country = country_of("IT")}, 250));
    ck_assert(policy_in_scope(policy, &(struct place){.country = country_of("IT")}, 399));
    ck_assert(!policy_in_scope(policy, &(struct place){.country = country_of("IT")}, 400));
    ck_assert(!policy_in_scope(policy, &(struct place){.country = country_of("FR")}, 100));
    ck_assert(!policy_in_scope(policy, &(struct place){.country = COUNTRY_UNKNOWN}, 100));
    ck_assert_int_eq(policy_next_change(policy, 100), 200);
    ck_assert_int_eq(policy_next_change(policy, 200), 300);
    ck_assert_int_eq(policy_next_change(policy, 300), 400);
    ck_assert_int_eq(policy_next_change(policy, 400), ORDER_FOR_GOOD);
    policy_free(policy);
}
END_TEST

START_TEST(scope_knows_groups_by_the_day)
{
    struct order *order = make_order("X", "", "a.test\n");
    order->scope.groups[COUNTRY_GROUP_EU] = true;
    order_ref(order);
    struct policy *policy = policy_over(&order, 1, BREXIT - 10);
    ck_assert(policy_in_scope(policy, &(struct place){.country = country_of("GB")}, BREXIT - 10));
    ck_assert(policy_in_scope(policy, &(struct place){.country = country_of("FR")}, BREXIT));
    ck_assert(!policy_in_scope(policy, &(struct place){.country = country_of("NO")}, BREXIT));
    policy_free(policy);
    policy = policy_over(&order, 1, BREXIT);
    ck_assert(!policy_in_scope(policy, &(struct place){.country = country_of("GB")}, BREXIT));
    policy_free(policy);
}
END_TEST

static bool reads_answers(const struct policy *policy, struct country country, int64_t now)
{
    const struct place place = {country, SUBDIVISIONS_UNKNOWN};
    return policy_reads_answers(policy, &place, now);
}

/* Whose answers are read: those of countries that an order binds which looks at them. */
START_TEST(answers_are_read_for_some)
{
    static const char zone[] = ZONE "32.7.113.0.203.rpz-ip CNAME .\n";
    struct network_rule answer = {{address_of("203.0.113.7"), 128}, 0};
    struct order *orders[] = {make_order("names", "a.test", "b.test\n"),
                              make_order("answers", "", NULL),
                              make_order("aliases", "a.test", NULL), make_order("zone", "", zone),
                              make_order("lifted", "", zone)};
    static const char *const codes[] = {"IT", "FR", "DE", "ES", "PT"};
    for (size_t i = 0; i < ROWS(orders); i++) {
        orders[i]->scope = (struct order_scope){0};
        country_set_add(&orders[i]->scope.countries, country_of(codes[i]));
        orders[i]->end = 1000 + (int64_t)i;
    }
    orders[1]->answers = network_rules_new(&answer, 1);
    orders[2]->aliases = true;
    orders[4]->status = ORDER_LIFTED;
    struct policy *policy = policy_over(orders, ROWS(orders), 0);
    ck_assert(policy_in_scope(policy, &(struct place){.country = country_of("IT")}, 0));
    ck_assert(!reads_answers(policy, country_of("IT"), 0));
    ck_assert(reads_answers(policy, country_of("FR"), 1000));
    ck_assert(!reads_answers(policy, country_of("FR"), 1001));
    ck_assert(reads_answers(policy, country_of("DE"), 1001));
    ck_assert(reads_answers(policy, country_of("ES"), 1002));
    ck_assert(!reads_answers(policy, country_of("PT"), 0));
    ck_assert(!reads_answers(policy, COUNTRY_UNKNOWN, 0));
    policy_free(policy);
}
END_TEST

/* ---- Subdivisions ---- */

static struct subdivision *part_of(const char *code)
{
    struct subdivision *part = malloc(sizeof *part);
    ck_assert(subdivision_parse(code, strlen(code), part));
    return part;
}

static struct subdivisions within_of(const char *larger, const char *smaller)
{
    struct subdivisions within = SUBDIVISIONS_UNKNOWN;
    memcpy(within.level[0], larger, strlen(larger));
    memcpy(within.level[1], smaller, strlen(smaller));
    return within;
}

static const struct {
    const char *label, *country, *larger, *smaller;
    int64_t now;
    bool in_scope, reads_answers;
} PARTED[] = {
    {"in it", "US", "CA", "", 0, true, false},
    {"in it, by the smaller part", "US", "XX", "CA", 0, true, false},
    {"until the last order there ends", "US", "CA", "", 199, true, false},
    {"then no more", "US", "CA", "", 200, false, false},
    {"in another part", "US", "NY", "", 0, false, false},
    {"in a part whose order is lifted", "US", "TX", "", 0, false, false},
    {"in no known part", "US", "", "", 0, false, false},
    {"in a part that is called so elsewhere", "CO", "CA", "", 0, false, false},
    {"in no known country", "", "CA", "", 0, false, false},
    {"in a country that another order binds", "IT", "", "", 0, true, false},
    {"in a part of that whose order reads answers", "IT", "MI", "", 0, true, true},
    {"in another part of that", "IT", "RM", "", 0, true, false},
    {"once only the part is bound", "IT", "MI", "", 300, true, true},
    {"and the rest is not", "IT", "RM", "", 300, false, false},
};

/* A client of a country of which orders bind only parts is in scope in those alone. */
START_TEST(scope_knows_subdivisions)
{
    struct order *orders[] = {make_order("1", "a.test", NULL), make_order("2", "a.test", NULL),
                              make_order("3", "a.test", NULL), make_order("4", "a.test", NULL),
                              make_order("5", "a.test", NULL)};
    static const char *const codes[] = {"US-CA", "US-CA", "US-TX", "IT-MI"};
    for (size_t i = 0; i < 4; i++) {
        orders[i]->scope =
            (struct order_scope){.subdivisions = part_of(codes[i]), .subdivision_count = 1};
    }
    orders[0]->end = 200;
    orders[1]->end = 100;
    orders[2]->status = ORDER_LIFTED;
    orders[3]->aliases = true;
    orders[4]->end = 300; /* binds IT */
    struct policy *policy = policy_over(orders, ROWS(orders), 0);
    for (size_t i = 0; i < ROWS(PARTED); i++) {
        const struct place place = {country_of(PARTED[i].country),
                                    within_of(PARTED[i].larger, PARTED[i].smaller)};
        bool in_scope = policy_in_scope(policy, &place, PARTED[i].now);
        bool reads = policy_reads_answers(policy, &place, PARTED[i].now);
        ck_assert_msg(in_scope == PARTED[i].in_scope, "%s", PARTED[i].label);
        ck_assert_msg(reads == PARTED[i].reads_answers, "%s", PARTED[i].label);
    }
    const struct place california = {country_of("US"), within_of("CA", "")};
    ck_assert(policy_in_scope(policy, &california, 199));
    ck_assert(!policy_in_scope(policy, &california, 200));
    policy_free(policy);
}
END_TEST

/* Names with one ticket are one part, whatever stands between them. */
START_TEST(parts_are_shared)
{
    struct order *order = make_order("X", "a.test b.test c.test d.test e.test", NULL);
    for (size_t i = 1; i < 5; i++) {
        order->names[i].ticket = strdup(i < 4 ? "1" : "2");
    }
    struct policy *policy = policy_over(&order, 1, 0);
    ck_assert_uint_eq(policy->part_count, 3);
    ck_assert_ptr_null(policy->parts[0].ticket);
    ck_assert_str_eq(policy->parts[1].ticket, "1");
    ck_assert_str_eq(policy->parts[2].ticket, "2");
    ck_assert_ptr_null(policy->any_tld);
    policy_free(policy);
}
END_TEST

START_TEST(counts_names)
{
    struct order *orders[] = {make_order("1", "a.test =b.test !c.a.test", "x.test\ny.test\n"),
                              make_order("2", "a.test", NULL)};
    struct policy *policy = policy_over(orders, 2, 0);
    ck_assert_uint_eq(policy_names(policy), 6);
    policy_free(policy);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy_build");
    TCase *tcase = tcase_create("policy_build");
    tcase_add_loop_test(tcase, items_have_dates_of_their_own, 0, ROWS(dates));
    tcase_add_test(tcase, scope_ends_with_the_last_order);
    tcase_add_test(tcase, scope_knows_groups_by_the_day);
    tcase_add_test(tcase, counts_names);
    tcase_add_test(tcase, items_that_are_out_of_their_dates_say_nothing);
    tcase_add_test(tcase, answers_are_read_for_some);
    tcase_add_test(tcase, scope_knows_subdivisions);
    tcase_add_test(tcase, parts_are_shared);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
