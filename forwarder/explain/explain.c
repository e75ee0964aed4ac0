/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The explanation as an object (see explain.h). Keys that bailiwick(1) lists come first, in
 * its order; behind them what else a record of the answer needs: the generation, and which version
 * of which order file decided.
 */
#include "forwarder/explain/explain.h"

#include <stdlib.h>

#include "forwarder/explain/explain_answer.h"
#include "forwarder/explain/explain_question.h"
#include "forwarder/explain/explanation.h"
#include "forwarder/explain/explanation_match.h"
#include "forwarder/explain/explanation_why.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/generation/generation.h"
#include "libknot/descriptor.h"

#define TYPE_TEXT_MAX 16

/* null when no network is known to cover the address. */
static json_t *network_json(const struct location *location)
{
    char text[NETWORK_TEXT_MAX];
    if (location->source == LOCATE_NOWHERE || location->source == LOCATE_FAILED) {
        return json_null();
    }
    return json_string(network_format(&location->network, text));
}

static json_t *country_json(struct country country)
{
    return country_known(country) ? json_stringn(country.letter, sizeof country.letter)
                                  : json_null();
}

static const char *source_name(enum locate_source source)
{
    switch (source) {
    case LOCATE_NOWHERE:
        return "none";
    case LOCATE_DATABASE:
        return "database";
    case LOCATE_OVERRIDE:
        return "override";
    case LOCATE_FAILED:
        return "failed";
    }
    return "";
}

/* The larger part first; nothing where no part is known. */
static void put_subdivisions(json_t **object, const struct location *location)
{
    json_t *codes = json_array();
    for (unsigned level = 0; level < SUBDIVISION_LEVELS; level++) {
        char code[SUBDIVISION_TEXT_MAX];
        struct subdivision part = subdivisions_at(&location->within, location->country, level);
        if (subdivision_known(&part)) {
            json_array_append_new(codes, json_string(subdivision_format(&part, code)));
        }
    }
    if (codes != NULL && json_array_size(codes) == 0) {
        json_decref(codes);
        return;
    }
    json_put(object, "subdivisions", codes);
}

void explain_put_place(json_t **object, const struct address *address,
                       const struct location *location)
{
    char text[ADDRESS_TEXT_MAX];
    json_put_text(object, "address", address_format(address, text));
    json_put(object, "country", country_json(location->country));
    json_put(object, "network", network_json(location));
    json_put_text(object, "source", source_name(location->source));
    put_subdivisions(object, location);
}

static void put_question(json_t **object, const struct explain_question *question)
{
    char name[DNAME_TEXT_MAX];
    char type[TYPE_TEXT_MAX];
    knot_rrtype_to_string(question->type, type, sizeof type);
    json_put_text(object, "name", dname_format(&question->name, name));
    json_put_text(object, "type", type);
    json_put_instant(object, "time", question->now);
}

static json_t *ede_json(const struct explanation *explanation)
{
    uint16_t info_code;
    struct span answer = {explanation->answer, explanation->result.size};
    if (!explain_answer_ede(answer, &info_code)) { /* where none is made, there are no octets */
        return json_null();
    }
    return json_integer(info_code);
}

/* The order behind the verdict, or nulls. */
static void put_match(json_t **object, const struct explanation *explanation)
{
    const struct policy *policy = explanation->generation->policy;
    const struct policy_match *match = explanation_match(explanation);
    if (match == NULL) {
        json_put(object, "order", json_null());
        json_put(object, "matched", json_null());
        json_put(object, "action", json_null());
        return;
    }
    char matched[DNAME_TEXT_MAX];
    json_put_text(object, "order", policy_order(policy, match->order)->id);
    json_put_text(object, "matched", explanation_match_text(explanation, match, matched));
    json_put_text(object, "action", order_action_name(policy_match_action(policy, match)));
}

/* Which version of what decided. */
static void put_record(json_t **object, const struct explanation *explanation)
{
    const struct generation *generation = explanation->generation;
    const struct policy_match *match = explanation_match(explanation);
    json_put(object, "generation", json_integer((json_int_t)generation->number));
    json_put_instant(object, "loaded", generation->loaded);
    if (match != NULL) {
        const struct generation_order *order = &generation->orders[match->order];
        json_put_text(object, "file", order->path);
        json_put_sha256(object, "sha256", policy_order(generation->policy, match->order)->sha256);
        json_put_instant(object, "order_loaded", order->loaded);
        json_put_text(object, "ticket", match->ticket);
    } else {
        json_put(object, "file", json_null());
        json_put(object, "sha256", json_null());
        json_put(object, "order_loaded", json_null());
        json_put(object, "ticket", json_null());
    }
}

/* What in the answer decided, and whether answers are looked at at all. */
static void put_link(json_t **object, const struct explanation *explanation)
{
    char text[DNAME_TEXT_MAX];
    const struct explain_link *link = explanation->link;
    json_put(object, "reads_answer", json_boolean(explanation->reads_answer));
    if (link == NULL) {
        json_put(object, "link", json_null());
    } else if (link->is_name) {
        json_put_text(object, "link", dname_format(&link->name, text));
    } else {
        json_put_text(object, "link", address_format(&link->address, text));
    }
}

/* What the answer says of itself: to every client, and to one that asks for structured errors. */
static void put_texts(json_t **object, const struct explanation *explanation)
{
    const struct span plain = {explanation->answer, explanation->result.size};
    const struct span structured = {explanation->structured, explanation->structured_size};
    json_put(object, "ede_text", explain_answer_extra_text(plain));
    json_put(object, "structured_error", explain_answer_extra_text(structured));
}

static json_t *explanation_json(const struct explanation *explanation)
{
    char *why = explanation_why(explanation);
    if (why == NULL) {
        return NULL;
    }
    json_t *object = json_object();
    explain_put_place(&object, &explanation->question->address, &explanation->location);
    put_question(&object, explanation->question);
    json_put_text(&object, "verdict", explanation_verdict_name(explanation->verdict));
    put_match(&object, explanation);
    json_put(&object, "ede", ede_json(explanation));
    json_put_text(&object, "why", why);
    put_record(&object, explanation);
    put_link(&object, explanation);
    put_texts(&object, explanation);
    free(why);
    return object;
}

json_t *explain_json(const struct generation *generation, const struct explain_question *question)
{
    struct explanation explanation;
    bool whole = explanation_init(&explanation, generation, question) &&
                 (explanation.verdict != EXPLANATION_FORWARD || explanation_collect(&explanation));
    json_t *object = whole ? explanation_json(&explanation) : NULL;
    explanation_fini(&explanation);
    return object;
}
