/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sentences (see explanation_why.h). Every text of an order goes through plain_text: what an order
 * says of itself must not look as if Bailiwick had said it.
 */
#include "forwarder/explain/explanation_why.h"

#include <stdlib.h>

#include "forwarder/explain/explain_question.h"
#include "forwarder/explain/explanation.h"
#include "forwarder/explain/explanation_match.h"
#include "forwarder/explain/plain_text.h"
#include "forwarder/explain/scope_codes.h"
#include "forwarder/generation/generation.h"
#include "policy/instant.h"
#include "policy/order_window.h"

/* An id or an authority within a sentence. */
#define PLAIN_MAX 512

/* "in US (US-CA; database, 192.0.2.0/24)". */
static void print_place(const struct location *location, const char *source, FILE *out)
{
    char network[NETWORK_TEXT_MAX];
    if (country_known(location->country)) {
        fprintf(out, "in %.2s (", location->country.letter);
    } else {
        fputs("in no known country (", out);
    }
    const char *before = "";
    for (unsigned level = 0; level < SUBDIVISION_LEVELS; level++) {
        char code[SUBDIVISION_TEXT_MAX];
        struct subdivision part = subdivisions_at(&location->within, location->country, level);
        if (subdivision_known(&part)) {
            fprintf(out, "%s%s", before, subdivision_format(&part, code));
            before = ", ";
        }
    }
    fprintf(out, "%s%s, %s)", *before == '\0' ? "" : "; ", source,
            network_format(&location->network, network));
}

void explanation_why_place(const struct address *address, const struct location *location,
                           FILE *out)
{
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    switch (location->source) {
    case LOCATE_NOWHERE:
        fprintf(out, "%s is in no known country (no network covers it)", text);
        return;
    case LOCATE_DATABASE:
        fprintf(out, "%s is ", text);
        print_place(location, "database", out);
        return;
    case LOCATE_OVERRIDE:
        fprintf(out, "%s is ", text);
        print_place(location, "override", out);
        return;
    case LOCATE_FAILED:
        fprintf(out, "the country of %s could not be looked up", text);
        return;
    }
}

static void print_instant(const char *before, int64_t instant, const char *after, FILE *out)
{
    char text[INSTANT_TEXT_MAX];
    fprintf(out, "%s%s%s", before, instant_format(instant, text), after);
}

static void print_next_window(const struct order *order, int64_t now, FILE *out)
{
    int64_t opens = order_window_until(order, now);
    if (opens != ORDER_FOR_GOOD) {
        print_instant(" (the next one opens at ", opens, ")", out);
    }
}

void explanation_why_binding(const struct explanation *explanation,
                             const struct policy_match *match, FILE *out)
{
    const struct order *order = policy_order(explanation->generation->policy, match->order);
    fputs(policy_binding_text(match->binding), out);
    switch (match->binding) {
    case POLICY_NOT_YET:
        print_instant(" (from ", order->effective, ")", out);
        return;
    case POLICY_ENDED:
        print_instant(" (at ", order->end, ")", out);
        return;
    case POLICY_ITEM_NOT_YET:
        print_instant(" (from ", match->term->effective, ")", out);
        return;
    case POLICY_ITEM_ENDED:
        print_instant(" (at ", match->term->end, ")", out);
        return;
    case POLICY_OUTSIDE_WINDOW:
        print_next_window(order, explanation->question->now, out);
        return;
    case POLICY_OTHER_COUNTRY:
        fputs(" (", out);
        scope_codes_print(&order->scope, out);
        fputs(")", out);
        return;
    case POLICY_BINDS:
    case POLICY_SHADOWS:
    case POLICY_EXCEPTED_NETWORK:
    case POLICY_SUSPENDED:
    case POLICY_LIFTED:
    case POLICY_EXCEPTED_NAME:
    case POLICY_LEFT_FREE:
    case POLICY_LEFT_BY_TCP:
        return;
    }
}

static void print_order(const struct order *order, FILE *out)
{
    char id[PLAIN_MAX];
    char authority[PLAIN_MAX];
    fprintf(out, "order %s of %s", plain_text(order->id, id, sizeof id),
            plain_text(order->authority, authority, sizeof authority));
}

/* The clients that it binds where this one is: of the country, or of a part of it. */
static void print_clients(const struct explanation *explanation, const struct order *order,
                          FILE *out)
{
    const struct location *location = &explanation->location;
    if (!country_known(location->country)) {
        fputs(" clients whose country is not known", out);
        return;
    }
    fputs(" clients in ", out);
    int64_t now = explanation->question->now;
    for (size_t i = 0; i < order->scope.subdivision_count; i++) {
        const struct subdivision *part = &order->scope.subdivisions[i];
        if (!order_scope_has(&order->scope, location->country, now) &&
            subdivision_holds(part, location->country, &location->within)) {
            char code[SUBDIVISION_TEXT_MAX];
            fputs(subdivision_format(part, code), out);
            return;
        }
    }
    fprintf(out, "%.2s", location->country.letter);
}

/* Is it a window of the order that closes then? Else items of it leave more free from then on. */
static bool closes_at(const struct order *order, int64_t now, int64_t end)
{
    return order->window_count > 0 && order_window_until(order, now) == end;
}

/* "order … binds clients in IT since … until …, in a window that closes at …, and names …". */
static void print_bound(const struct explanation *explanation, const struct policy_match *match,
                        const char *verb, FILE *out)
{
    const struct order *order = policy_order(explanation->generation->policy, match->order);
    int64_t since = explanation_match_since(explanation, match);
    int64_t until = explanation_match_until(explanation, match);
    print_order(order, out);
    fprintf(out, " %s", verb);
    print_clients(explanation, order, out);
    if (since != ORDER_ALWAYS) {
        print_instant(" since ", since, "", out);
    }
    if (until != ORDER_FOR_GOOD) {
        print_instant(" until ", until, "", out);
    }
    if (match->end < until) {
        print_instant(closes_at(order, explanation->question->now, match->end)
                          ? ", in a window that closes at "
                          : ", with all that it blocks now until ",
                      match->end, ",", out);
    }
    fputs(" and ", out);
    explanation_match_print(explanation, match, out);
}

static void print_forwarded(const struct explanation *explanation, FILE *out)
{
    char name[DNAME_TEXT_MAX];
    if (explanation->location.source == LOCATE_FAILED) {
        fputs("so no order binds it", out);
        return;
    }
    if (explanation->order_count == 0) {
        fprintf(out, "no order names %s", dname_format(&explanation->question->name, name));
        return;
    }
    const struct policy_match *telling = &explanation->orders[0];
    print_order(policy_order(explanation->generation->policy, telling->order), out);
    fputs(" ", out);
    explanation_match_print(explanation, telling, out);
    fputs(", but ", out);
    if (telling->binding == POLICY_BINDS) {
        /* Asked about a past in which the country was still a member of a group. */
        fputs("its scope had lost the country when this generation was loaded", out);
    } else {
        explanation_why_binding(explanation, telling, out);
    }
}

/* Blocked, but not by an order. */
static const char *configured_reason(enum query_reason reason)
{
    switch (reason) {
    case QUERY_NOT_SERVED:
        return "the configuration's allow does not hold it, so none of its queries is served";
    case QUERY_DESIGNATED:
        return "resolver-arpa is nodata, so a client of this country is not led to designated "
               "resolvers";
    case QUERY_NOT_IN_SCOPE:
    case QUERY_NOT_LISTED:
    case QUERY_ANSWER_CUT:
    case QUERY_NO_QUESTION:
    case QUERY_BLOCKED:
    case QUERY_UNREADABLE:
    case QUERY_BAD_EDNS:
    case QUERY_NOTIMP:
    case QUERY_MALFORMED:
        break;
    }
    return "the query is not one that can be forwarded";
}

/* By which link of the answer it came to that. */
static void print_link(const struct explanation *explanation, FILE *out)
{
    char name[DNAME_TEXT_MAX];
    char address[ADDRESS_TEXT_MAX];
    const struct explain_link *link = explanation->link;
    if (link != NULL) {
        fprintf(out, "; the answer leads to %s",
                link->is_name ? dname_format(&link->name, name)
                              : address_format(&link->address, address));
    }
}

static void print_reason(const struct explanation *explanation, FILE *out)
{
    const struct policy_match *match = explanation_match(explanation);
    switch (explanation->verdict) {
    case EXPLANATION_FORWARD:
        print_forwarded(explanation, out);
        return;
    case EXPLANATION_SHADOW:
        print_bound(explanation, match, "would bind", out);
        print_link(explanation, out);
        fputs(", but its action is shadow: the query is forwarded and counted", out);
        return;
    case EXPLANATION_BLOCK:
        if (match != NULL) {
            print_bound(explanation, match, "binds", out);
            print_link(explanation, out);
        } else {
            fputs(configured_reason(explanation->result.reason), out);
        }
        return;
    }
}

char *explanation_why(const struct explanation *explanation)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out == NULL) {
        return NULL;
    }
    explanation_why_place(&explanation->question->address, &explanation->location, out);
    fputs("; ", out);
    print_reason(explanation, out);
    bool whole = ferror(out) == 0;
    if (fclose(out) != 0 || !whole) {
        free(text);
        return NULL;
    }
    return text;
}
