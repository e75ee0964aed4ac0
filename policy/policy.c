/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The decision. It walks the suffixes of the name judged from the longest to the root and considers
 * each order where one blocks the name; an order is considered once, at its longest match. What an
 * order says of a name is policy/policy_reading.h, of an address policy/policy_networks.h; making a
 * policy is policy/policy_build.c, and what it holds, whatever the question, policy/policy_held.c.
 */
#include "policy/policy.h"

#include <stdlib.h>

#include "policy/order_window.h"
#include "policy/policy_layout.h"
#include "policy/policy_networks.h"
#include "policy/policy_reading.h"

#define QTYPE_DS 43     /* RFC 4034 section 5 */
#define QTYPE_DNSKEY 48 /* RFC 4034 section 2 */

/* ---- One order ---- */

/* One decision on its way, on the stack of its caller. */
struct walk {
    const struct policy *policy;
    const struct policy_client *client;
    const struct policy_question *question;
    bool everywhere; /* also orders that are not in force for this client */
    policy_note_fn *note;
    void *ctx;
    bool decided;
    struct policy_match *best;
    const struct policy_suffixes *judged; /* the name judged: the qname or the alias */
};

/* What the order's lists say of the client's address, looked up once for a decision. */
struct held {
    bool found;
    struct policy_hold hold;
};

/* Do the lists of any order hold clients? */
static bool lists_hold_clients(const struct policy *policy)
{
    return policy->clients.first[POLICY_ROW_ALL + 1] > 0;
}

/* Is the order in force for this client, whatever the name? POLICY_BINDS if so, else why not. */
static enum policy_binding bind_client(const struct walk *walk, const struct order *order,
                                       struct held *held)
{
    const struct policy_client *client = walk->client;
    int64_t now = walk->question->now;
    held->found =
        lists_hold_clients(walk->policy) && policy_networks_client(order, client, &held->hold);
    switch (order->status) {
    case ORDER_ACTIVE:
        break;
    case ORDER_SUSPENDED:
        return POLICY_SUSPENDED;
    case ORDER_LIFTED:
        return POLICY_LIFTED;
    }
    if (now < order->effective) {
        return POLICY_NOT_YET;
    }
    if (now >= order->end) {
        return POLICY_ENDED;
    }
    if (!order_scope_holds(&order->scope, client->country, &client->within, now)) {
        return POLICY_OTHER_COUNTRY;
    }
    if ((order->except_networks != NULL && policy_networks_excepted(order, client)) ||
        (held->found && held->hold.passes)) {
        return POLICY_EXCEPTED_NETWORK;
    }
    return order_window_open(order, now) ? POLICY_BINDS : POLICY_OUTSIDE_WINDOW;
}

/* The keys of the qname where the caller has them, else those of the name, made in own. */
static const struct suffix_keys *keys_of(const struct walk *walk, const struct dname *name,
                                         struct suffix_keys *own)
{
    if (name == walk->question->qname && walk->question->prepared != NULL) {
        return &walk->question->prepared->keys;
    }
    suffix_keys_init(own, name, walk->policy->seed);
    return own;
}

/* Does the order leave the qname alone? For what an answer to it holds. */
static bool frees_qname(const struct walk *walk, uint32_t index)
{
    struct policy_suffixes qname;
    struct policy_reading reading;
    struct suffix_keys own;
    const struct suffix_keys *keys = keys_of(walk, walk->question->qname, &own);
    policy_suffixes_init(&qname, walk->policy, keys, walk->question->now);
    policy_reading_take(&qname, index, qname.keys->count, &reading);
    return policy_reading_frees(&reading);
}

/* What does an order that is in force for this client do? freed: it leaves the name alone;
 * free_below: some name below the one judged. */
static enum policy_binding bind_name(const struct walk *walk, const struct order *order, bool freed,
                                     bool free_below)
{
    uint16_t qtype = walk->question->qtype;
    if (freed) {
        return POLICY_EXCEPTED_NAME;
    }
    if (free_below && (qtype == QTYPE_DS || qtype == QTYPE_DNSKEY)) {
        return POLICY_LEFT_FREE;
    }
    return order->action == ORDER_SHADOW ? POLICY_SHADOWS : POLICY_BINDS;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Until when does a match bind, as far as order, item and windows say? */
static int64_t match_end(const struct walk *walk, const struct order *order,
                         const struct policy_match *match)
{
    int64_t now = walk->question->now;
    int64_t end = match->term == NULL ? order->end : earlier(order->end, match->term->end);
    if (order->window_count == 0) {
        return end;
    }
    return order_window_open(order, now) ? earlier(end, order_window_until(order, now)) : end;
}

/* Is a name below the one judged free of the order? A client that is blocked by its address is so
 * for every name but those that pass. */
static bool frees_below(const struct policy_reading *reading, enum policy_trigger trigger)
{
    bool covered = reading->covered || (trigger == POLICY_CLIENT && !reading->passes_below);
    return reading->freed || !covered;
}

/* Until when does the order, by the dates of its items, leave no more free of a name than it does
 * now? Nobody may keep an answer for longer: it would deny what is free by then. */
static int64_t unfreed_until(const struct walk *walk, const struct dname *name,
                             const struct policy_match *match, bool free_below)
{
    const uint32_t index = (uint32_t)match->order;
    struct policy_suffixes then;
    struct policy_reading reading;
    struct suffix_keys own;
    if (walk->policy->orders[index]->term_count == 0) {
        return ORDER_FOR_GOOD;
    }
    const struct suffix_keys *keys = keys_of(walk, name, &own);
    policy_suffixes_init(&then, walk->policy, keys, walk->question->now);
    do {
        then.now = policy_reading_next_change(&then, index, then.now);
        policy_reading_take(&then, index, keys->count, &reading);
    } while (then.now < match->end && !policy_reading_frees(&reading) &&
             (free_below || !frees_below(&reading, match->trigger)));
    return then.now;
}

/* The same of what is judged, and of the qname it was asked for. */
static int64_t unfreed_end(const struct walk *walk, const struct policy_match *match,
                           bool free_below)
{
    const struct policy_question *question = walk->question;
    const struct dname *alias = question->alias;
    int64_t end = match->end;
    if (question->answer == NULL) {
        const struct dname *judged = alias != NULL ? alias : question->qname;
        end = earlier(end, unfreed_until(walk, judged, match, free_below));
    }
    if (question->answer != NULL || alias != NULL) {
        end = earlier(end, unfreed_until(walk, question->qname, match, true));
    }
    return end;
}

/* Does a match decide before another one that binds too? */
static bool precedes(const struct policy_match *a, const struct policy_match *b)
{
    if (a->labels != b->labels) {
        return a->labels > b->labels;
    }
    if (a->trigger == POLICY_ANSWER && a->network.length != b->network.length) {
        return a->network.length > b->network.length;
    }
    return a->order < b->order;
}

/* Is it enough for the order that the query came over a stream? */
static bool is_left_by_tcp(const struct walk *walk, const struct policy_match *match)
{
    return walk->question->stream && match->rule != NULL && match->rule->action == ORDER_TCP_ONLY &&
           (match->binding == POLICY_BINDS || match->binding == POLICY_SHADOWS);
}

/* Keeps the match that decides so far: this one, or the one before. */
static void compete(struct walk *walk, const struct policy_match *match)
{
    if (!walk->decided || precedes(match, walk->best)) {
        walk->decided = true;
        *walk->best = *match;
    }
}

/* Tells of a match, and lets it compete if it binds. free_below: as frees_below says. */
static void submit(struct walk *walk, struct policy_match *match, bool free_below)
{
    if (is_left_by_tcp(walk, match)) {
        match->binding = POLICY_LEFT_BY_TCP;
    }
    match->end = match_end(walk, walk->policy->orders[match->order], match);
    if (match->binding == POLICY_BINDS || match->binding == POLICY_SHADOWS) {
        match->end = unfreed_end(walk, match, free_below);
    }
    if (walk->note != NULL) {
        walk->note(walk->ctx, match);
    }
    if (match->binding == POLICY_BINDS) {
        compete(walk, match);
    }
}

/* ---- A name ---- */

/* Does the order block this client whatever it asks? Then its names do not matter. */
static bool blocks_client(const struct walk *walk, const struct held *held)
{
    return walk->question->alias == NULL && held->found && !held->hold.passes;
}

/* What is done by an alias is done to the qname, and nothing is said of names below that. */
static void submit_name(struct walk *walk, uint32_t index, const struct policy_reading *reading,
                        struct policy_match *match)
{
    const struct order *order = walk->policy->orders[index];
    bool is_alias = walk->question->alias != NULL;
    bool free_below = frees_below(reading, match->trigger);
    match->order = index;
    match->free_below = free_below || is_alias;
    if (match->binding == POLICY_BINDS) {
        bool freed = policy_reading_frees(reading) || (is_alias && frees_qname(walk, index));
        match->binding = bind_name(walk, order, freed, free_below);
    }
    submit(walk, match, free_below);
}

/* Is the first suffix at which the order blocks the name all that it says of it? Where somebody is
 * told of matches the walk goes on, and shorter ones follow. */
static bool says_no_more(const struct walk *walk, uint32_t index)
{
    return walk->policy->plain[index] && walk->note == NULL && !walk->everywhere;
}

/* What reading, submit_name and submit come to there: the order binds, it leaves no name free, and
 * no item has dates or a rule of its own. */
static void submit_plain(struct walk *walk, uint32_t index, unsigned labels)
{
    const struct order *order = walk->policy->orders[index];
    struct policy_match match = {
        .order = index,
        .trigger = POLICY_NAME,
        .labels = labels,
        .free_below = walk->question->alias != NULL,
        .binding = POLICY_BINDS,
    };
    if (order->action != ORDER_SHADOW) {
        match.end = match_end(walk, order, &match);
        compete(walk, &match);
    }
}

/* An order blocks this suffix, by its file or a list. */
static void consider(struct walk *walk, uint32_t index, unsigned labels)
{
    const struct order *order = walk->policy->orders[index];
    if (walk->decided && walk->note == NULL && walk->best->order < index) {
        return; /* a match of this length was found, and nobody is to be told of another */
    }
    struct held held;
    enum policy_binding binding = bind_client(walk, order, &held);
    if (binding != POLICY_BINDS && !walk->everywhere) {
        return;
    }
    if (says_no_more(walk, index)) {
        submit_plain(walk, index, labels);
        return;
    }
    struct policy_match match = {.binding = binding};
    struct policy_reading reading;
    if (policy_reading_take(walk->judged, index, labels, &reading) && !blocks_client(walk, &held)) {
        policy_reading_explain(walk->judged, index, labels, &match);
        submit_name(walk, index, &reading, &match);
    }
}

/* An order that would block this suffix, were one of its items within its dates. It is told only
 * where the order does not name the name anyway. */
static void consider_lapsed(struct walk *walk, uint32_t index, unsigned labels)
{
    const struct order *order = walk->policy->orders[index];
    struct held held;
    struct policy_match match = {.order = index, .binding = bind_client(walk, order, &held)};
    struct policy_reading reading;
    policy_reading_take(walk->judged, index, walk->judged->keys->count, &reading);
    if (reading.match != POLICY_NOWHERE || reading.lapsed != (int)labels ||
        blocks_client(walk, &held)) {
        return;
    }
    policy_reading_explain_lapsed(walk->judged, index, labels, &match);
    match.free_below = frees_below(&reading, match.trigger) || walk->question->alias != NULL;
    if (match.binding == POLICY_BINDS) {
        match.binding =
            walk->question->now < match.term->effective ? POLICY_ITEM_NOT_YET : POLICY_ITEM_ENDED;
    }
    submit(walk, &match, match.free_below);
}

/* An order that blocks some clients by their addresses: this one? */
static void consider_client(struct walk *walk, uint32_t index)
{
    const struct order *order = walk->policy->orders[index];
    struct held held;
    struct policy_match match = {.binding = bind_client(walk, order, &held)};
    struct policy_reading reading;
    if ((match.binding != POLICY_BINDS && !walk->everywhere) || !blocks_client(walk, &held)) {
        return;
    }
    policy_reading_take(walk->judged, index, walk->judged->keys->count, &reading);
    match.trigger = POLICY_CLIENT;
    match.network = held.hold.network;
    match.rule = held.hold.rule;
    submit_name(walk, index, &reading, &match);
}

/* ---- All orders ---- */

/* Of a question about an alias only orders that look at aliases are read. */
static bool is_read(const struct walk *walk, uint32_t index)
{
    return walk->question->alias == NULL || walk->policy->orders[index]->aliases;
}

/* Can any of these values block? Above exceptions there are only marks, one for each of them. */
static bool found_blocks(const struct walk *walk, const struct policy_found *found, unsigned labels)
{
    unsigned kinds = 0;
    for (size_t i = 0; i < found->count; i++) {
        kinds |= POLICY_KIND(found->values[i] & POLICY_KIND_MASK);
    }
    return policy_kinds_block(walk->judged, kinds, labels);
}

static void consider_files(struct walk *walk, unsigned labels, bool lapsed)
{
    const struct policy_part *parts = walk->policy->parts;
    const struct policy_found *found = &walk->judged->names[labels];
    if (found->count == 0 || !found_blocks(walk, found, labels)) {
        return;
    }
    for (size_t i = 0; i < found->count;) {
        uint32_t order = parts[found->values[i] >> NAME_KIND_BITS].order;
        struct policy_said said = policy_said_in_file(walk->judged, order, labels, &i);
        unsigned kinds = lapsed ? said.lapsed : said.kinds;
        if (!is_read(walk, order) || !policy_kinds_block(walk->judged, kinds, labels)) {
            continue;
        }
        if (lapsed) {
            consider_lapsed(walk, order, labels);
        } else {
            consider(walk, order, labels);
        }
    }
}

/* Does the file of the order block this suffix? */
static bool file_blocks(const struct walk *walk, uint32_t order, unsigned labels)
{
    if (walk->judged->names[labels].count == 0) {
        return false;
    }
    size_t at = policy_first_in_file(walk->judged, order, labels);
    struct policy_said said = policy_said_in_file(walk->judged, order, labels, &at);
    return policy_kinds_block(walk->judged, said.kinds, labels);
}

static void consider_any_tld(struct walk *walk, unsigned labels)
{
    const struct policy_found *found = &walk->judged->any_tld[labels];
    if (walk->policy->any_tld == NULL) {
        return;
    }
    for (size_t i = 0; i < found->count; i++) {
        uint32_t order = found->values[i];
        if (is_read(walk, order) && !file_blocks(walk, order, labels)) {
            consider(walk, order, labels);
        }
    }
}

/* Orders that are left to look at. */
struct row {
    const uint32_t *at;
    const uint32_t *end;
};

/* Those that may bind the client's country; of every country when it is explained. */
static struct row row_of(const struct walk *walk, const struct policy_rows *rows)
{
    unsigned row = walk->everywhere ? POLICY_ROW_ALL : country_index(walk->client->country);
    return (struct row){rows->orders + rows->first[row], rows->orders + rows->first[row + 1]};
}

static bool lists_block(const struct walk *walk, uint32_t order, unsigned labels)
{
    unsigned kinds = policy_said_in_lists(walk->judged, order, labels);
    return policy_kinds_block(walk->judged, kinds, labels);
}

/* At which lengths may lists hold the name judged? Those of the client's country, which are asked
 * unless everything is explained, are known where the name was prepared. */
static const struct suffix_depths *listed_of(const struct walk *walk)
{
    const struct policy_prepared *prepared = walk->question->prepared;
    bool known = prepared != NULL && walk->judged->keys == &prepared->keys && !walk->everywhere;
    return known ? &prepared->listed : &walk->policy->depths;
}

static void consider_lists(struct walk *walk, unsigned labels)
{
    for (struct row row = row_of(walk, &walk->policy->listed); row.at < row.end; row.at++) {
        uint32_t order = *row.at;
        if (is_read(walk, order) && lists_block(walk, order, labels) &&
            !policy_any_tld_has(walk->judged, order, labels) && !file_blocks(walk, order, labels)) {
            consider(walk, order, labels);
        }
    }
}

static void consider_clients(struct walk *walk)
{
    if (walk->question->alias != NULL || !lists_hold_clients(walk->policy)) {
        return;
    }
    for (struct row row = row_of(walk, &walk->policy->clients); row.at < row.end; row.at++) {
        consider_client(walk, *row.at);
    }
}

/* The longer name comes first, so once one decides nothing else can; a client that is blocked
 * competes with the root. */
static void consider_all(struct walk *walk)
{
    const unsigned full = walk->judged->keys->count;
    const struct suffix_depths *listed = listed_of(walk);
    for (unsigned labels = full + 1; labels-- > 0;) {
        if (!suffix_depths_have(&walk->policy->depths, labels)) {
            continue;
        }
        consider_files(walk, labels, false);
        consider_any_tld(walk, labels);
        if (suffix_depths_have(listed, labels)) {
            consider_lists(walk, labels);
        }
        if (walk->decided && walk->note == NULL && labels > 0) {
            return;
        }
    }
    consider_clients(walk);
    for (unsigned labels = full + 1; walk->everywhere && labels-- > 0;) {
        if (suffix_depths_have(&walk->policy->depths, labels)) {
            consider_files(walk, labels, true);
        }
    }
}

static void judge_name(struct walk *walk, const struct dname *name)
{
    struct policy_suffixes judged;
    struct suffix_keys own;
    policy_suffixes_init(&judged, walk->policy, keys_of(walk, name, &own), walk->question->now);
    walk->judged = &judged;
    consider_all(walk);
    walk->judged = NULL;
}

/* ---- An address in an answer ---- */

static void consider_answer(struct walk *walk, uint32_t index)
{
    const struct order *order = walk->policy->orders[index];
    struct policy_hold hold;
    struct held held;
    if (!policy_networks_answer(order, walk->question->answer, &hold) || hold.passes) {
        return;
    }
    struct policy_match match = {
        .order = index,
        .trigger = POLICY_ANSWER,
        .network = hold.network,
        .free_below = true, /* nothing is said of names below the qname */
        .rule = hold.rule,
        .binding = bind_client(walk, order, &held),
    };
    if (match.binding != POLICY_BINDS && !walk->everywhere) {
        return;
    }
    if (match.binding == POLICY_BINDS) {
        match.binding = bind_name(walk, order, frees_qname(walk, index), false);
    }
    submit(walk, &match, match.free_below);
}

static void judge_answer(struct walk *walk)
{
    for (struct row row = row_of(walk, &walk->policy->addressed); row.at < row.end; row.at++) {
        consider_answer(walk, *row.at);
    }
}

/* ---- The decision ---- */

/* Takes a walk that lacks its outcome. */
static enum policy_outcome judge(struct walk *walk)
{
    const struct policy_question *question = walk->question;
    if (question->answer != NULL) {
        judge_answer(walk);
    } else {
        judge_name(walk, question->alias != NULL ? question->alias : question->qname);
    }
    return walk->decided ? POLICY_BLOCK : POLICY_PASS;
}

/* NOLINTNEXTLINE(readability-function-size): a callback and its context are one thing */
enum policy_outcome policy_decide(const struct policy *policy, const struct policy_client *client,
                                  const struct policy_question *question,
                                  struct policy_match *match, policy_note_fn *note, void *ctx)
{
    return judge(&(struct walk){
        .policy = policy,
        .client = client,
        .question = question,
        .note = note,
        .ctx = ctx,
        .best = match,
    });
}

/* NOLINTNEXTLINE(readability-function-size): as above */
enum policy_outcome policy_explain(const struct policy *policy, const struct policy_client *client,
                                   const struct policy_question *question,
                                   struct policy_match *match, policy_note_fn *note, void *ctx)
{
    return judge(&(struct walk){
        .policy = policy,
        .client = client,
        .question = question,
        .everywhere = true,
        .note = note,
        .ctx = ctx,
        .best = match,
    });
}

enum order_action policy_match_action(const struct policy *policy, const struct policy_match *match)
{
    enum order_action action = policy->orders[match->order]->action;
    if (action != ORDER_SHADOW && match->rule != NULL) {
        action = match->rule->action;
    }
    return action == ORDER_NXDOMAIN && match->free_below ? ORDER_NODATA : action;
}

const char *policy_binding_text(enum policy_binding binding)
{
    static const char *const texts[] = {
        [POLICY_BINDS] = "binds",
        [POLICY_SHADOWS] = "would block, and is only counted (shadow)",
        [POLICY_OTHER_COUNTRY] = "the client's country is not in its scope",
        [POLICY_EXCEPTED_NETWORK] = "the client's network is excepted",
        [POLICY_NOT_YET] = "is not yet in force",
        [POLICY_ENDED] = "has ended",
        [POLICY_SUSPENDED] = "is suspended",
        [POLICY_LIFTED] = "was lifted",
        [POLICY_OUTSIDE_WINDOW] = "it is in none of its windows",
        [POLICY_ITEM_NOT_YET] = "the item that names it is not yet in force",
        [POLICY_ITEM_ENDED] = "the item that names it has ended",
        [POLICY_EXCEPTED_NAME] = "an exception of the order covers the name",
        [POLICY_LEFT_FREE] = "names below stay free, so DS and DNSKEY are forwarded",
        [POLICY_LEFT_BY_TCP] = "it wants clients to ask by TCP, as this one does",
    };
    return texts[binding];
}
