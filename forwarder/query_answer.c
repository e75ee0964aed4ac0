/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Judging answers (see query_answer.h).
 */
#include "forwarder/query_answer.h"

#include "forwarder/answer_links.h"
#include "forwarder/cname_target.h"
#include "forwarder/generation/generation.h"
#include "forwarder/order_answer.h"
#include "forwarder/query_seen.h"

/* Shadow orders that one answer is counted for; with more, which nobody has, some are not. */
#define SHADOWS_MAX 16

struct judging {
    const struct query_env *env;
    const struct policy_client *who;
    struct policy_question question;
    struct policy_match *match;
    struct dname *alias; /* that match is of; of size 0 where it is of none */
    size_t shadow_count;
    struct policy_match shadows[SHADOWS_MAX]; /* one an order */
};

static struct policy_match *find_shadow(struct judging *judging, size_t order)
{
    for (size_t i = 0; i < judging->shadow_count; i++) {
        if (judging->shadows[i].order == order) {
            return &judging->shadows[i];
        }
    }
    return NULL;
}

static void note_link(void *ctx, const struct policy_match *match)
{
    struct judging *judging = ctx;
    if (match->binding == POLICY_SHADOWS && judging->shadow_count < SHADOWS_MAX &&
        find_shadow(judging, match->order) == NULL) {
        judging->shadows[judging->shadow_count++] = *match;
    }
}

/* The question itself was counted for this order. */
static void note_question(void *ctx, const struct policy_match *match)
{
    struct judging *judging = ctx;
    struct policy_match *shadow = find_shadow(judging, match->order);
    if (match->binding == POLICY_SHADOWS && shadow != NULL) {
        *shadow = judging->shadows[--judging->shadow_count];
    }
}

static enum policy_outcome decide(struct judging *judging, policy_note_fn *note)
{
    const struct query_env *env = judging->env;
    return policy_decide(env->generation->policy, judging->who, &judging->question, judging->match,
                         env->on_shadow == NULL ? NULL : note, judging);
}

static bool on_link(void *ctx, const struct answer_link *link)
{
    struct judging *judging = ctx;
    judging->question.alias = link->name;
    judging->question.answer = link->name == NULL ? &link->address : NULL;
    if (decide(judging, note_link) != POLICY_BLOCK) {
        return false;
    }
    if (link->name != NULL) {
        *judging->alias = *link->name;
    }
    return true;
}

static void tell_shadows(struct judging *judging)
{
    struct policy_match match;
    if (judging->shadow_count == 0) {
        return;
    }
    judging->question.alias = NULL;
    judging->question.answer = NULL;
    judging->match = &match;
    (void)decide(judging, note_question);
    for (size_t i = 0; i < judging->shadow_count; i++) {
        judging->env->on_shadow(judging->env->ctx, &judging->shadows[i]);
    }
}

static bool read_query(const struct query_answer *answer, struct query_seen *seen)
{
    seen->client = &answer->client;
    seen->message = answer->query;
    return dns_header_decode(answer->query, &seen->block.header) && query_seen_name(seen);
}

static enum answer_links_outcome walk(const struct query_env *env,
                                      const struct query_answer *answer,
                                      const struct query_seen *seen, struct query_result *result)
{
    struct policy_client who = {answer->client.subject, answer->place.country, answer->place.within,
                                answer->client.spread};
    struct judging judging; /* large: shadows are set as they come */
    judging.env = env;
    judging.who = &who;
    judging.question = (struct policy_question){
        .qname = &seen->qname,
        .qtype = seen->block.question.qtype,
        .now = env->now,
        .stream = answer->client.stream,
    };
    judging.match = &result->match;
    judging.alias = &result->alias;
    judging.shadow_count = 0;
    enum answer_links_outcome outcome =
        answer_links_walk(answer->answer, &seen->qname, on_link, &judging);
    tell_shadows(&judging);
    return outcome;
}

void query_answer_judge(const struct query_env *env, const struct query_answer *answer,
                        struct query_result *result, uint8_t out[static BLOCK_ANSWER_MAX])
{
    struct query_seen seen;
    /* One by one: match and alias, most of it, are set where they mean something. */
    result->fate = QUERY_FORWARD;
    result->reason = QUERY_NOT_LISTED;
    result->place = answer->place;
    result->located = true;
    result->retry = false;
    result->reads_answer = false;
    result->size = 0;
    result->target = NULL;
    result->alias.size = 0;
    if (!read_query(answer, &seen)) {
        return; /* its question was readable when it was judged */
    }
    switch (walk(env, answer, &seen, result)) {
    case ANSWER_LINKS_WHOLE:
        break;
    case ANSWER_LINKS_CUT:
        result->reason = QUERY_ANSWER_CUT;
        break;
    case ANSWER_LINKS_STOPPED:
        query_seen_listed(env, &seen, true, result, out);
        break;
    }
}

size_t query_answer_compose(const struct query_env *env, const struct query_answer *answer,
                            const struct policy_match *match, struct span_writer *out)
{
    uint8_t room[DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(room, sizeof room);
    struct block_tail tail;
    struct query_seen seen;
    if (!read_query(answer, &seen) ||
        !cname_target_read(answer->answer, &seen.qname, &writer, &tail)) {
        return 0;
    }
    query_seen_opt(&seen);
    struct order_answer_query query = {
        .block = &seen.block,
        .qname = &seen.qname,
        .client = &answer->client.address,
    };
    return order_answer_cname(env, &query, match, &tail, out);
}
