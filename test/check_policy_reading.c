/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What orders say and what is decided of it: random orders of every kind and random questions,
 * against the naive model.
 */
#include "policy/policy_reading.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/policy_make.h"
#include "test/policy_model.h"
#include "test/policy_random.h"
#include "test/suite.h"

/* Check runs each case in a process of its own, so a number of policies can be asked for. */
#define POLICIES_VARIABLE "POLICY_TRIALS"

enum {
    POLICIES = 400,
    QUESTIONS = 150
};

_Static_assert(NOTES_MAX >= MODEL_ORDERS_MAX, "each order may be told");

struct trial {
    unsigned long long seed;
    struct model_order models[MODEL_ORDERS_MAX];
    size_t count;
    struct policy *policy;
    struct policy_client client;
    struct policy_question question;
    unsigned long decisions;
};

static size_t index_in_policy(const struct trial *trial, size_t model)
{
    size_t index = 0;
    while (policy_order(trial->policy, index) != trial->models[model].order) {
        index++;
    }
    return index;
}

static bool in_force_for_client(enum policy_binding binding)
{
    return binding == POLICY_BINDS || binding == POLICY_SHADOWS ||
           binding == POLICY_EXCEPTED_NAME || binding == POLICY_LEFT_FREE;
}

/* Below a name that the order leaves alone, or for a client that it does not bind, nobody asks what
 * is free. */
static bool same_below(const struct policy_match *match, const struct policy_match *expected)
{
    bool asked = expected->binding == POLICY_BINDS || expected->binding == POLICY_SHADOWS ||
                 expected->binding == POLICY_LEFT_FREE;
    return !asked || match->free_below == expected->free_below;
}

static bool same_rule(const struct policy_match *match, const struct model_verdict *expected)
{
    return match->rule == NULL
               ? expected->action == NULL
               : expected->action != NULL && match->rule->action == *expected->action;
}

static bool same_ticket(const char *a, const char *b)
{
    return a == NULL ? b == NULL : b != NULL && strcmp(a, b) == 0;
}

static bool same_network(const struct network *a, const struct network *b)
{
    return a->length == b->length && address_equal(&a->base, &b->base);
}

static bool same_match(const struct trial *trial, const struct policy_match *match,
                       const struct model_verdict *expected)
{
    int64_t horizon = trial->question.now + MODEL_HORIZON_S;
    int64_t end = match->end < horizon ? match->end : horizon;
    return match->order == expected->match.order && match->trigger == expected->match.trigger &&
           match->labels == expected->match.labels && match->exact == expected->match.exact &&
           match->below == expected->match.below && match->binding == expected->match.binding &&
           end == expected->match.end && same_below(match, &expected->match) &&
           same_rule(match, expected) && same_ticket(match->ticket, expected->match.ticket) &&
           same_network(&match->network, &expected->match.network);
}

/* For a person who looks for the slip. */
static char *describe(const struct trial *trial, const struct policy_match *match, char out[256])
{
    snprintf(
        out, 256,
        "order %s trigger %d labels %u exact %d below %d free %d binding %d end %+lld ticket %s "
        "rule %d network /%d",
        policy_order(trial->policy, match->order)->id, match->trigger, match->labels, match->exact,
        match->below, match->free_below, match->binding,
        (long long)(match->end - trial->question.now), match->ticket == NULL ? "-" : match->ticket,
        match->rule == NULL ? -1 : (int)match->rule->action, match->network.length);
    return out;
}

static void compare_notes(const struct trial *trial, const struct model_verdict *verdicts,
                          const struct notes *notes, bool everywhere)
{
    size_t expected = 0;
    char text[256] = "-";
    char wanted[256];
    for (size_t i = 0; i < trial->count; i++) {
        if (!verdicts[i].told ||
            (!everywhere &&
             (verdicts[i].lapsed || !in_force_for_client(verdicts[i].match.binding)))) {
            continue;
        }
        expected++;
        size_t told = 0;
        for (size_t n = 0; n < notes->count; n++) {
            told += same_match(trial, &notes->match[n], &verdicts[i]);
            if (notes->match[n].order == verdicts[i].match.order) {
                describe(trial, &notes->match[n], text);
            }
        }
        DEMAND(told == 1, "seed %llu: told %zu times: %s; not %s", trial->seed, told, text,
               describe(trial, &verdicts[i].match, wanted));
    }
    DEMAND(notes->count == expected, "seed %llu: %zu notes, not %zu", trial->seed, notes->count,
           expected);
}

typedef enum policy_outcome decide_fn(const struct policy *policy,
                                      const struct policy_client *client,
                                      const struct policy_question *question,
                                      struct policy_match *match, policy_note_fn *note, void *ctx);

static void compare(struct trial *trial, decide_fn *decide, bool everywhere, bool noting)
{
    struct model_verdict verdicts[MODEL_ORDERS_MAX];
    struct notes notes = {0};
    struct policy_match match;
    const struct policy_question *question = &trial->question;
    const struct place place = {trial->client.country, trial->client.within};
    bool about_answer = question->alias != NULL || question->answer != NULL;
    size_t best = model_decide(trial->models, trial->count, &trial->client, question, verdicts);
    for (size_t i = 0; i < trial->count; i++) {
        verdicts[i].match.order = index_in_policy(trial, i);
    }
    enum policy_outcome outcome =
        decide(trial->policy, &trial->client, question, &match, noting ? take_note : NULL, &notes);
    trial->decisions++;
    DEMAND((outcome == POLICY_BLOCK) == (best < trial->count), "seed %llu: outcome %d", trial->seed,
           outcome);
    if (best < trial->count) {
        char text[256];
        char wanted[256];
        DEMAND(same_match(trial, &match, &verdicts[best]), "seed %llu: %s; not %s", trial->seed,
               describe(trial, &match, text), describe(trial, &verdicts[best].match, wanted));
        DEMAND(policy_in_scope(trial->policy, &place, question->now), "seed %llu: scope",
               trial->seed);
        DEMAND(!about_answer || policy_reads_answers(trial->policy, &place, question->now),
               "seed %llu: answers", trial->seed);
    }
    if (noting) {
        compare_notes(trial, verdicts, &notes, everywhere);
    }
}

/* Without groups the scope is exact: some active order has not ended and holds the country; and it
 * is read for answers if one of these looks at them. */
static void compare_scope(const struct trial *trial)
{
    bool held = false;
    bool read = false;
    bool groups = false;
    for (size_t i = 0; i < trial->count; i++) {
        const struct model_order *model = &trial->models[i];
        const struct order *order = model->order;
        groups |= order->scope.groups[COUNTRY_GROUP_EU] || order->scope.groups[COUNTRY_GROUP_EEA];
        if (order->status == ORDER_ACTIVE && trial->question.now < order->end &&
            model_scope_has(&order->scope, &trial->client, trial->question.now)) {
            held = true;
            read |= order->aliases || model->answer_count > 0;
        }
    }
    const struct policy_client *client = &trial->client;
    const struct place place = {client->country, client->within};
    bool in_scope = policy_in_scope(trial->policy, &place, trial->question.now);
    bool reads = policy_reads_answers(trial->policy, &place, trial->question.now);
    DEMAND(in_scope == held || (groups && in_scope), "seed %llu: scope", trial->seed);
    DEMAND(reads == read || (groups && reads), "seed %llu: answers", trial->seed);
}

/* Parts that some order may name, of this country or of another one, at either level. */
static struct subdivisions random_within(void)
{
    static const char *const codes[] = {"", "", "CA", "ENG", "WSX", "25", "MI", "NY", "C", "CAL"};
    struct subdivisions within = SUBDIVISIONS_UNKNOWN;
    for (unsigned level = 0; level < SUBDIVISION_LEVELS; level++) {
        const char *code = codes[random_below(10)];
        memcpy(within.level[level], code, strlen(code));
    }
    return within;
}

/* As a query's path does: some names are not prepared, and of some the second step is left out. */
static void prepare(struct trial *trial, struct policy_prepared *prepared)
{
    unsigned steps = random_below(3);
    if (steps > 0) {
        policy_prepare(trial->policy, trial->client.country, trial->question.qname, prepared);
        trial->question.prepared = prepared;
    }
    if (steps > 1) {
        policy_sift(trial->policy, trial->client.country, prepared);
    }
}

static void ask(struct trial *trial, int64_t loaded)
{
    static const char *const codes[] = {"IT", "FR", "GB", "CH", "NO", "RE", "US", ""};
    static const char *const addresses[] = {"192.0.2.1", "192.0.2.200", "2001:db8::1",
                                            "2001:db8:8000::1", "198.51.100.1"};
    static const uint16_t types[] = {TYPE_A, TYPE_DS, TYPE_DNSKEY, TYPE_ANY};
    struct dname qname = random_dname(random_below(3));
    struct dname alias = random_dname(random_below(3));
    struct address answer = address_of(addresses[random_below(5)]);
    unsigned what = random_below(4);
    trial->client.address = address_of(addresses[random_below(5)]);
    trial->client.country = country_of(codes[random_below(8)]);
    trial->client.within = random_within();
    trial->question = (struct policy_question){
        .qname = &qname,
        .qtype = types[random_below(4)],
        .now = loaded + (int64_t)random_below(8),
        .alias = what == 0 ? &alias : NULL,
        .answer = what == 1 ? &answer : NULL,
    };
    struct policy_prepared prepared;
    prepare(trial, &prepared);
    compare(trial, policy_decide, false, false);
    compare(trial, policy_decide, false, true);
    compare(trial, policy_explain, true, true);
    compare_scope(trial);
}

static void try_policy(struct trial *trial, uint64_t seed, const struct instant_zone *rome)
{
    struct order *orders[MODEL_ORDERS_MAX];
    random_state = seed;
    trial->seed = seed;
    trial->count = random_below(MODEL_ORDERS_MAX + 1);
    for (unsigned i = 0; i < trial->count; i++) {
        random_order(&trial->models[i], i, rome);
        orders[i] = trial->models[i].order;
    }
    int64_t loaded = random_instant();
    trial->policy = policy_over(orders, trial->count, loaded);
    for (int i = 0; i < QUESTIONS; i++) {
        ask(trial, loaded);
    }
    policy_free(trial->policy);
}

/* Each question is decided twice and explained once. */
START_TEST(agrees_with_the_model)
{
    static struct trial trial;
    char why[WHY_MAX];
    const char *wanted = getenv(POLICIES_VARIABLE);
    uint64_t policies = wanted == NULL ? POLICIES : strtoull(wanted, NULL, 10);
    struct instant_zone *rome = instant_zone_open("Europe/Rome", why);
    ck_assert_msg(rome != NULL, "%s", why);
    for (uint64_t seed = 1; seed <= policies; seed++) {
        try_policy(&trial, seed, rome);
    }
    instant_zone_close(rome);
    ck_assert_uint_eq(trial.decisions, policies * QUESTIONS * 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("policy_reading");
    TCase *tcase = tcase_create("policy_reading");
    tcase_set_timeout(tcase, 3600);
    tcase_add_test(tcase, agrees_with_the_model);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
