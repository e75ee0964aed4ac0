/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Judging a question (see explanation.h): the daemon's own path of a query with nothing in front of
 * it, and a second walk over the orders that tells of those that do not bind.
 */
#include "forwarder/explain/explanation.h"

#include <stdlib.h>

#include "forwarder/explain/explain_question.h"
#include "forwarder/generation/generation.h"
#include "forwarder/query_answer.h"
#include "geo/geo_memo.h"

/* Of two shadow orders the one that would have decided is told: the longer name, then the order
 * that comes first. */
static void note_shadow(void *ctx, const struct policy_match *match)
{
    struct explanation *explanation = ctx;
    const struct policy_match *best = &explanation->shadow;
    if (match->binding != POLICY_SHADOWS) {
        return;
    }
    if (!explanation->has_shadow || match->labels > best->labels ||
        (match->labels == best->labels && match->order < best->order)) {
        explanation->shadow = *match;
        explanation->has_shadow = true;
    }
}

static enum explanation_verdict verdict_of(const struct explanation *explanation)
{
    switch (explanation->result.fate) {
    case QUERY_FORWARD:
        return explanation->has_shadow ? EXPLANATION_SHADOW : EXPLANATION_FORWARD;
    case QUERY_ANSWER:
    case QUERY_CNAME:
    case QUERY_DROP:
        break;
    }
    return EXPLANATION_BLOCK;
}

/* Sends an answer with this link through the daemon's path; false if it goes to the client. */
static bool judge_link(struct explanation *explanation, const struct query_env *env,
                       const struct explain_link *link, bool structured,
                       struct query_result *result)
{
    uint8_t query[EXPLAIN_QUESTION_MAX];
    uint8_t message[EXPLAIN_LINK_MAX];
    const struct explain_question *question = explanation->question;
    struct query_answer answer = {
        .client = {.address = question->address, .subject = question->address},
        .place = explanation->result.place,
        .query = {query, explain_question_encode(question, structured, query)},
        .answer = {message, explain_question_encode_link(question, link, message)},
    };
    query_answer_judge(env, &answer, result,
                       structured ? explanation->structured : explanation->answer);
    return result->fate != QUERY_FORWARD;
}

static void take_link(struct explanation *explanation, const struct explain_link *link)
{
    explanation->link = link;
    if (link->is_name) {
        explanation->name = &link->name;
    }
}

/* The first link that is blocked decides, as in an answer that holds them all. */
static void judge_links(struct explanation *explanation, struct query_env env)
{
    const struct explain_question *question = explanation->question;
    for (size_t i = 0; i < question->link_count; i++) {
        const struct explain_link *link = &question->links[i];
        struct query_result result;
        env.on_shadow = explanation->has_shadow ? NULL : note_shadow;
        bool blocked = judge_link(explanation, &env, link, false, &result);
        if (blocked || (explanation->has_shadow && env.on_shadow != NULL)) {
            take_link(explanation, link);
        }
        if (blocked) {
            explanation->result = result;
            env.on_shadow = NULL;
            judge_link(explanation, &env, link, true, &result);
            explanation->structured_size = result.size;
            return;
        }
    }
}

/* Sends the query through the daemon's path. */
static void judge(struct explanation *explanation, struct geo_memo *memo)
{
    const struct explain_question *question = explanation->question;
    struct query_client client = {.address = question->address, .subject = question->address};
    struct query_env env = {.generation = explanation->generation,
                            .memo = memo,
                            .now = question->now,
                            .on_shadow = note_shadow,
                            .ctx = explanation};
    uint8_t message[EXPLAIN_QUESTION_MAX];
    struct span query = {message, explain_question_encode(question, false, message)};
    query_judge(&env, &client, query, &explanation->result, explanation->answer);
    explanation->reads_answer = explanation->result.reads_answer;
    if (explanation->reads_answer) {
        judge_links(explanation, env);
        return;
    }
    if (explanation->result.reason != QUERY_BLOCKED) {
        return;
    }
    struct query_result structured;
    env.on_shadow = NULL;
    query.size = explain_question_encode(question, true, message);
    query_judge(&env, &client, query, &structured, explanation->structured);
    explanation->structured_size = structured.size;
}

bool explanation_init(struct explanation *explanation, const struct generation *generation,
                      const struct explain_question *question)
{
    explanation->generation = generation;
    explanation->question = question;
    explanation->has_shadow = false;
    explanation->structured_size = 0;
    explanation->link = NULL;
    explanation->name = &question->name;
    explanation->orders = NULL;
    explanation->order_count = 0;
    explanation->order_capacity = 0;
    explanation->memory_out = false;

    struct geo_memo *memo = geo_memo_new(1);
    if (memo == NULL) {
        return false;
    }
    geo_memo_reset(memo, generation->db, generation->overrides);
    judge(explanation, memo);
    geo_memo_free(memo);

    locate(generation->db, generation->overrides, &question->address, &explanation->location);
    explanation->verdict = verdict_of(explanation);
    return true;
}

static void note_order(void *ctx, const struct policy_match *match)
{
    struct explanation *explanation = ctx;
    if (explanation->order_count == explanation->order_capacity) {
        size_t capacity = explanation->order_capacity * 2 + 8;
        struct policy_match *orders =
            reallocarray(explanation->orders, capacity, sizeof *explanation->orders);
        if (orders == NULL) {
            explanation->memory_out = true;
            return;
        }
        explanation->orders = orders;
        explanation->order_capacity = capacity;
    }
    explanation->orders[explanation->order_count++] = *match;
}

/* Orders bindings by how much they tell about the verdict: an order that binds comes before one
 * that would but for this name or client, that before one that binds at another time, and that
 * before one of another country. */
static unsigned distance(enum policy_binding binding)
{
    static const unsigned distances[] = {
        [POLICY_BINDS] = 0,          [POLICY_SHADOWS] = 1,          [POLICY_EXCEPTED_NAME] = 2,
        [POLICY_LEFT_FREE] = 3,      [POLICY_EXCEPTED_NETWORK] = 4, [POLICY_OUTSIDE_WINDOW] = 5,
        [POLICY_ITEM_NOT_YET] = 6,   [POLICY_NOT_YET] = 7,          [POLICY_ITEM_ENDED] = 8,
        [POLICY_ENDED] = 9,          [POLICY_SUSPENDED] = 10,       [POLICY_LIFTED] = 11,
        [POLICY_OTHER_COUNTRY] = 12, [POLICY_LEFT_BY_TCP] = 3,
    };
    return distances[binding];
}

static int compare_orders(const void *a, const void *b)
{
    const struct policy_match *left = a;
    const struct policy_match *right = b;
    if (left->binding != right->binding) {
        return distance(left->binding) < distance(right->binding) ? -1 : 1;
    }
    if (left->labels != right->labels) {
        return left->labels > right->labels ? -1 : 1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

bool explanation_collect(struct explanation *explanation)
{
    const struct explain_question *question = explanation->question;
    if (explanation->location.source == LOCATE_FAILED) {
        return true;
    }
    struct policy_client client = {question->address, explanation->location.country,
                                   explanation->location.within, 0};
    struct policy_question what = {
        .qname = &question->name, .qtype = question->type, .now = question->now};
    if (explanation->link != NULL) {
        what.alias = explanation->link->is_name ? &explanation->link->name : NULL;
        what.answer = explanation->link->is_name ? NULL : &explanation->link->address;
    }
    struct policy_match match;
    policy_explain(explanation->generation->policy, &client, &what, &match, note_order,
                   explanation);
    if (explanation->order_count > 1) {
        qsort(explanation->orders, explanation->order_count, sizeof *explanation->orders,
              compare_orders);
    }
    return !explanation->memory_out;
}

void explanation_fini(struct explanation *explanation)
{
    free(explanation->orders);
    explanation->orders = NULL;
}

const char *explanation_verdict_name(enum explanation_verdict verdict)
{
    switch (verdict) {
    case EXPLANATION_FORWARD:
        return "forward";
    case EXPLANATION_BLOCK:
        return "block";
    case EXPLANATION_SHADOW:
        return "shadow";
    }
    return "";
}

const struct policy_match *explanation_match(const struct explanation *explanation)
{
    switch (explanation->verdict) {
    case EXPLANATION_FORWARD:
        return NULL;
    case EXPLANATION_BLOCK:
        return explanation->result.reason == QUERY_BLOCKED ? &explanation->result.match : NULL;
    case EXPLANATION_SHADOW:
        return &explanation->shadow;
    }
    return NULL;
}
