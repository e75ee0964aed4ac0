/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The explanation as text for a person (see explain.h): a column of labels, and below "Orders" a
 * paragraph for each order that names the name.
 */
#include "forwarder/explain/explain.h"

#include <stdio.h>
#include <stdlib.h>

#include "forwarder/explain/explain_answer.h"
#include "forwarder/explain/explain_question.h"
#include "forwarder/explain/explanation.h"
#include "forwarder/explain/explanation_match.h"
#include "forwarder/explain/explanation_why.h"
#include "forwarder/explain/plain_text.h"
#include "forwarder/explain/scope_codes.h"
#include "forwarder/generation/generation.h"
#include "geo/geo_db.h"
#include "libknot/descriptor.h"
#include "policy/instant.h"

#define LABEL "%-12s"
#define INDENT "            " /* as wide as a label */
#define PLAIN_MAX 1024
#define TYPE_TEXT_MAX 16

static void print_place(const struct explanation *explanation, FILE *out)
{
    const struct generation *generation = explanation->generation;
    char type[PLAIN_MAX];
    char built[INSTANT_TEXT_MAX];
    fprintf(out, LABEL, "Client");
    explanation_why_place(&explanation->question->address, &explanation->location, out);
    fprintf(out, "\n" LABEL "%s, built %s%s\n", "Database",
            plain_text(geo_db_type(generation->db), type, sizeof type),
            instant_format(geo_db_built(generation->db), built),
            generation->db_last_good ? " (the last good one; the file on disk has an error)" : "");
    if (generation->overrides_last_good) {
        fprintf(out, LABEL "the last good ones; the file on disk has an error\n", "Overrides");
    }
}

static void print_question(const struct explain_question *question, FILE *out)
{
    char name[DNAME_TEXT_MAX];
    char type[TYPE_TEXT_MAX];
    char time[INSTANT_TEXT_MAX];
    knot_rrtype_to_string(question->type, type, sizeof type);
    fprintf(out, LABEL "%s %s at %s\n", "Query", dname_format(&question->name, name), type,
            instant_format(question->now, time));
}

/* When and where the order is in force for what it says, and what it does. */
static void print_reach(const struct explanation *explanation, const struct policy_match *match,
                        FILE *out)
{
    const struct policy *policy = explanation->generation->policy;
    const struct order *order = policy_order(policy, match->order);
    int64_t since = explanation_match_since(explanation, match);
    int64_t until = explanation_match_until(explanation, match);
    char text[INSTANT_TEXT_MAX];
    fputs(INDENT "scope ", out);
    scope_codes_print(&order->scope, out);
    if (since != ORDER_ALWAYS) {
        fprintf(out, ", since %s", instant_format(since, text));
    }
    if (until != ORDER_FOR_GOOD) {
        fprintf(out, ", until %s", instant_format(until, text));
    }
    if (order->window_count > 0) {
        fputs(", in its windows only", out);
    }
    if (match->rule != NULL) {
        fprintf(out, ", action %s by a rule of its list\n",
                order_action_name(policy_match_action(policy, match)));
    } else {
        fprintf(out, ", action %s\n", order_action_name(order->action));
    }
}

/* Which version of which file this is. */
static void print_version(const struct order *order, const struct generation_order *version,
                          FILE *out)
{
    char path[PLAIN_MAX];
    char digest[FILE_BYTES_HEX_MAX];
    char loaded[INSTANT_TEXT_MAX];
    fprintf(out, INDENT "%s, loaded %s%s\n" INDENT "SHA-256 %s\n",
            plain_text(version->path, path, sizeof path), instant_format(version->loaded, loaded),
            version->last_good ? " (the last good version; the file on disk has an error)" : "",
            file_bytes_hex(order->sha256, digest));
}

static void print_order(const struct explanation *explanation, const struct policy_match *match,
                        FILE *out)
{
    const struct generation *generation = explanation->generation;
    const struct order *order = policy_order(generation->policy, match->order);
    char id[PLAIN_MAX];
    char authority[PLAIN_MAX];
    fprintf(out, "  %s of %s: ", plain_text(order->id, id, sizeof id),
            plain_text(order->authority, authority, sizeof authority));
    explanation_why_binding(explanation, match, out);
    fputs("\n" INDENT, out);
    explanation_match_describe(explanation, match, out);
    fputs("\n", out);
    print_reach(explanation, match, out);
    print_version(order, &generation->orders[match->order], out);
}

static void print_orders(const struct explanation *explanation, FILE *out)
{
    if (explanation->location.source == LOCATE_FAILED) {
        fprintf(out, LABEL "not looked at, since no order binds a client that cannot be located\n",
                "Orders");
        return;
    }
    if (explanation->order_count == 0) {
        fprintf(out, LABEL "none names it\n", "Orders");
        return;
    }
    fprintf(out, LABEL "%zu %s it\n", "Orders", explanation->order_count,
            explanation->order_count == 1 ? "order names" : "orders name");
    for (size_t i = 0; i < explanation->order_count; i++) {
        print_order(explanation, &explanation->orders[i], out);
    }
}

/* Does this order look at answers to this client now? */
static bool looks(const struct explanation *explanation, const struct order *order)
{
    int64_t now = explanation->question->now;
    bool any = order->aliases || order->answers != NULL;
    for (size_t i = 0; i < order->list_count && !any; i++) {
        any = name_list_answers(order->lists[i].names) != NULL;
    }
    return any && policy_order_in_force(order, now) &&
           order_scope_holds(&order->scope, explanation->location.country,
                             &explanation->location.within, now);
}

/* Says whether upstream's answer would be looked at; what it holds is not known here. */
static void print_answers(const struct explanation *explanation, FILE *out)
{
    const struct policy *policy = explanation->generation->policy;
    const char *before = "";
    char id[PLAIN_MAX];
    if (!explanation->reads_answer) {
        return;
    }
    fprintf(out, LABEL "are looked at for ", "Answers");
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        const struct order *order = policy_order(policy, i);
        if (looks(explanation, order)) {
            fprintf(out, "%s%s", before, plain_text(order->id, id, sizeof id));
            before = ", ";
        }
    }
    fputs(*before == '\0' ? "orders still to come\n" : "\n", out);
}

static void print_answer(const struct explanation *explanation, FILE *out)
{
    char target[DNAME_TEXT_MAX];
    struct dname name;
    fprintf(out, LABEL, "Answer");
    switch (explanation->result.fate) {
    case QUERY_FORWARD:
        fputs("the upstream's, unchanged\n", out);
        return;
    case QUERY_ANSWER:
        explain_answer_print((struct span){explanation->answer, explanation->result.size}, INDENT,
                             out);
        return;
    case QUERY_CNAME:
        explain_answer_print((struct span){explanation->answer, explanation->result.size}, INDENT,
                             out);
        (void)order_action_target(explanation->result.target, &explanation->question->name, &name);
        fprintf(out, INDENT "and what upstream says of %s\n", dname_format(&name, target));
        return;
    case QUERY_DROP:
        fputs("none, the query is dropped\n", out);
        return;
    }
}

/* What a client gets that asks for structured errors, where an order makes the answer. */
static void print_structured(const struct explanation *explanation, FILE *out)
{
    struct span answer = {explanation->structured, explanation->structured_size};
    uint16_t info_code;
    if (explain_answer_ede(answer, &info_code)) {
        fprintf(out, LABEL, "Structured");
        explain_answer_print(answer, INDENT, out);
    }
}

static void print_all(const struct explanation *explanation, const char *why, FILE *out)
{
    char loaded[INSTANT_TEXT_MAX];
    print_place(explanation, out);
    print_question(explanation->question, out);
    print_orders(explanation, out);
    print_answers(explanation, out);
    fprintf(out, LABEL "%s\n", "Verdict", explanation_verdict_name(explanation->verdict));
    fprintf(out, LABEL "%s\n", "Why", why);
    print_answer(explanation, out);
    print_structured(explanation, out);
    fprintf(out, LABEL "%llu, loaded %s\n", "Generation",
            (unsigned long long)explanation->generation->number,
            instant_format(explanation->generation->loaded, loaded));
}

static char *explanation_text(const struct explanation *explanation)
{
    char *text = NULL;
    size_t size = 0;
    char *why = explanation_why(explanation);
    FILE *out = why == NULL ? NULL : open_memstream(&text, &size);
    if (out == NULL) {
        free(why);
        return NULL;
    }
    print_all(explanation, why, out);
    free(why);
    bool whole = ferror(out) == 0;
    if (fclose(out) != 0 || !whole) {
        free(text);
        return NULL;
    }
    return text;
}

char *explain_text(const struct generation *generation, const struct explain_question *question)
{
    struct explanation explanation;
    bool whole =
        explanation_init(&explanation, generation, question) && explanation_collect(&explanation);
    char *text = whole ? explanation_text(&explanation) : NULL;
    explanation_fini(&explanation);
    return text;
}
