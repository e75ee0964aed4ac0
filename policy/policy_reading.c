/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading what an order says (see policy/policy_reading.h). The maps of the order files and of
 * any-tld are asked once a name; a list is asked where its order is read. Owns nothing.
 */
#include "policy/policy_reading.h"

#include <string.h>

#include "policy/public_suffix.h"
#include "policy/suffix_map.h"

#define KIND_BITS NAME_KIND_BITS

/* ---- A name ---- */

/* The first label of a suffix, as a name of its own. */
static void label_alone(const struct suffix_keys *keys, unsigned labels, struct dname *out)
{
    const uint8_t *label = keys->name->wire + keys->start[labels];
    size_t size = 1U + label[0];
    out->size = (uint8_t)(size + 1);
    out->labels = 1;
    memcpy(out->wire, label, size);
    out->wire[size] = 0;
}

/* Orders with a label of any-tld that stands right before a public suffix. What is a public suffix
 * itself (co.uk of the label co) is never blocked. */
static void find_any_tld(struct policy_suffixes *suffixes, unsigned labels)
{
    struct policy_found *found = &suffixes->any_tld[labels];
    const struct dname *name = suffixes->keys->name;
    found->count = 0;
    if (labels < 2) {
        return;
    }
    struct dname label;
    struct suffix_keys keys;
    label_alone(suffixes->keys, labels, &label);
    suffix_keys_init(&keys, &label, suffixes->policy->seed);
    size_t count = suffix_map_find(suffixes->policy->any_tld, &keys, 1, &found->values);
    if (count > 0 && public_suffix_is(name, labels - 1) && !public_suffix_is(name, labels)) {
        found->count = count;
    }
}

void policy_suffixes_init(struct policy_suffixes *suffixes, const struct policy *policy,
                          const struct suffix_keys *keys, int64_t now)
{
    suffixes->policy = policy;
    suffixes->now = now;
    suffixes->keys = keys;
    for (unsigned labels = 0; labels <= keys->count; labels++) {
        if (!suffix_depths_have(&policy->depths, labels)) {
            continue;
        }
        struct policy_found *found = &suffixes->names[labels];
        found->count = suffix_depths_have(&policy->named, labels)
                           ? suffix_map_find(policy->names, keys, labels, &found->values)
                           : 0;
        if (policy->any_tld != NULL) {
            find_any_tld(suffixes, labels);
        }
    }
}

/* ---- An order at one suffix ---- */

static const struct policy_part *part_of(const struct policy_suffixes *suffixes, uint32_t value)
{
    return &suffixes->policy->parts[value >> KIND_BITS];
}

static bool in_term(const struct order_term *term, int64_t now)
{
    return term == NULL || (term->effective <= now && now < term->end);
}

size_t policy_first_in_file(const struct policy_suffixes *suffixes, uint32_t order, unsigned labels)
{
    const struct policy_found *found = &suffixes->names[labels];
    size_t low = 0;
    for (size_t high = found->count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (part_of(suffixes, found->values[middle])->order < order) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct policy_said policy_said_in_file(const struct policy_suffixes *suffixes, uint32_t order,
                                       unsigned labels, size_t *at)
{
    const struct policy_found *found = &suffixes->names[labels];
    struct policy_said said = {0};
    for (; *at < found->count; (*at)++) {
        const struct policy_part *part = part_of(suffixes, found->values[*at]);
        if (part->order != order) {
            break;
        }
        unsigned kind = POLICY_KIND(found->values[*at] & POLICY_KIND_MASK);
        if (in_term(part->term, suffixes->now)) {
            said.kinds |= kind;
        } else {
            said.lapsed |= kind;
        }
    }
    return said;
}

bool policy_any_tld_has(const struct policy_suffixes *suffixes, uint32_t order, unsigned labels)
{
    if (suffixes->policy->any_tld == NULL) {
        return false;
    }
    const struct policy_found *found = &suffixes->any_tld[labels];
    for (size_t i = 0; i < found->count; i++) {
        if (found->values[i] == order) {
            return true;
        }
    }
    return false;
}

unsigned policy_said_in_lists(const struct policy_suffixes *suffixes, uint32_t order,
                              unsigned labels)
{
    const struct order *lists_of = suffixes->policy->orders[order];
    unsigned kinds = 0;
    for (size_t i = 0; i < lists_of->list_count; i++) {
        const uint32_t *values = NULL;
        size_t count = suffix_map_find(name_list_map(lists_of->lists[i].names), suffixes->keys,
                                       labels, &values);
        for (size_t v = 0; v < count; v++) {
            kinds |= POLICY_KIND(values[v] & POLICY_KIND_MASK);
        }
    }
    return kinds;
}

/* ---- An order over all suffixes ---- */

/* Adds what the order says of one suffix; those that are longer have been read. Below a name that
 * passes with all below it only longer names cover anything. */
static void read_suffix(struct policy_reading *out, const struct policy_suffixes *suffixes,
                        struct policy_said said, unsigned labels)
{
    const unsigned kinds = said.kinds;
    enum name_kind pass = policy_kind_at(suffixes, labels, NAME_PASS, NAME_PASS_BELOW);
    if (out->match == POLICY_NOWHERE && policy_kinds_block(suffixes, kinds, labels)) {
        out->match = (int)labels;
    }
    if (out->lapsed == POLICY_NOWHERE && policy_kinds_block(suffixes, said.lapsed, labels)) {
        out->lapsed = (int)labels;
    }
    if (out->pass == POLICY_NOWHERE && (kinds & POLICY_KIND(pass)) != 0) {
        out->pass = (int)labels;
    }
    out->passes_below |= (kinds & POLICY_KIND(NAME_PASS_BELOW)) != 0;
    out->excepted |= (kinds & POLICY_KIND(NAME_EXCEPT)) != 0;
    out->covered |=
        !out->passes_below && (kinds & (POLICY_KIND(NAME_SUBTREE) | POLICY_KIND(NAME_BELOW))) != 0;
}

bool policy_reading_take(const struct policy_suffixes *suffixes, uint32_t order, unsigned most,
                         struct policy_reading *out)
{
    const unsigned full = suffixes->keys->count;
    *out = (struct policy_reading){
        .match = POLICY_NOWHERE, .lapsed = POLICY_NOWHERE, .pass = POLICY_NOWHERE};
    for (unsigned labels = full + 1; labels-- > 0;) {
        if (!suffix_depths_have(&suffixes->policy->depths, labels)) {
            continue;
        }
        size_t at = policy_first_in_file(suffixes, order, labels);
        struct policy_said said = policy_said_in_file(suffixes, order, labels, &at);
        said.kinds |= policy_said_in_lists(suffixes, order, labels);
        if (policy_any_tld_has(suffixes, order, labels)) {
            said.kinds |= POLICY_KIND(NAME_SUBTREE);
        }
        read_suffix(out, suffixes, said, labels);
        if (out->match > (int)most) {
            return false;
        }
        if (labels == full) {
            out->freed = (said.kinds & POLICY_KIND(NAME_FREE_BELOW)) != 0;
        }
    }
    return true;
}

/* ---- When that changes ---- */

static int64_t earlier_of_later(int64_t instant, int64_t now, int64_t best)
{
    return now < instant && instant < best ? instant : best;
}

int64_t policy_reading_next_change(const struct policy_suffixes *suffixes, uint32_t order,
                                   int64_t now)
{
    int64_t next = ORDER_FOR_GOOD;
    for (unsigned labels = 0; labels <= suffixes->keys->count; labels++) {
        if (!suffix_depths_have(&suffixes->policy->depths, labels)) {
            continue;
        }
        const struct policy_found *found = &suffixes->names[labels];
        for (size_t i = policy_first_in_file(suffixes, order, labels); i < found->count; i++) {
            const struct policy_part *part = part_of(suffixes, found->values[i]);
            if (part->order != order) {
                break;
            }
            if (part->term != NULL) {
                next = earlier_of_later(part->term->effective, now, next);
                next = earlier_of_later(part->term->end, now, next);
            }
        }
    }
    return next;
}

/* ---- By what ---- */

static int64_t end_of(const struct order_term *term)
{
    return term == NULL ? ORDER_FOR_GOOD : term->end;
}

/* Is an item out of its dates more telling than another one? */
static bool is_nearer(const struct order_term *a, const struct order_term *b, int64_t now)
{
    bool a_comes = now < a->effective;
    bool b_comes = now < b->effective;
    if (a_comes != b_comes) {
        return a_comes;
    }
    if (a_comes && a->effective != b->effective) {
        return a->effective < b->effective;
    }
    return a->end > b->end;
}

/* The item of the order file with this kind that is told: in its dates, or out of them. */
static const struct policy_part *find_part(const struct policy_suffixes *suffixes, uint32_t order,
                                           unsigned labels, enum name_kind kind, bool lapsed)
{
    const struct policy_found *found = &suffixes->names[labels];
    const struct policy_part *best = NULL;
    for (size_t i = policy_first_in_file(suffixes, order, labels); i < found->count; i++) {
        const struct policy_part *part = part_of(suffixes, found->values[i]);
        if (part->order != order) {
            break;
        }
        if ((found->values[i] & POLICY_KIND_MASK) != kind ||
            in_term(part->term, suffixes->now) == lapsed) {
            continue;
        }
        if (best == NULL || (lapsed ? is_nearer(part->term, best->term, suffixes->now)
                                    : end_of(part->term) > end_of(best->term))) {
            best = part;
        }
    }
    return best;
}

/* Finds the rule of the first list that has the suffix with this kind. */
static bool find_rule(const struct policy_suffixes *suffixes, uint32_t order, unsigned labels,
                      enum name_kind kind, const struct order_rule **rule)
{
    const struct order *lists_of = suffixes->policy->orders[order];
    for (size_t i = 0; i < lists_of->list_count; i++) {
        const struct name_list *list = lists_of->lists[i].names;
        const uint32_t *values = NULL;
        size_t count = suffix_map_find(name_list_map(list), suffixes->keys, labels, &values);
        for (size_t v = 0; v < count; v++) {
            if ((values[v] & POLICY_KIND_MASK) == kind) {
                *rule = name_list_rule(list, values[v] >> KIND_BITS);
                return true;
            }
        }
    }
    return false;
}

static bool explain_kind(const struct policy_suffixes *suffixes, uint32_t order,
                         enum name_kind kind, struct policy_match *match)
{
    const struct policy_part *part = find_part(suffixes, order, match->labels, kind, false);
    if (part != NULL) {
        match->term = part->term;
        match->ticket = part->ticket;
        return true;
    }
    return find_rule(suffixes, order, match->labels, kind, &match->rule);
}

void policy_reading_explain(const struct policy_suffixes *suffixes, uint32_t order, unsigned labels,
                            struct policy_match *match)
{
    enum name_kind narrow = policy_kind_at(suffixes, labels, NAME_EXACT, NAME_BELOW);
    match->trigger = POLICY_NAME;
    match->labels = labels;
    if (explain_kind(suffixes, order, NAME_SUBTREE, match)) {
        return;
    }
    if (policy_any_tld_has(suffixes, order, labels)) {
        match->trigger = POLICY_ANY_TLD;
    } else if (explain_kind(suffixes, order, narrow, match)) {
        match->exact = narrow == NAME_EXACT;
        match->below = narrow == NAME_BELOW;
    }
}

void policy_reading_explain_lapsed(const struct policy_suffixes *suffixes, uint32_t order,
                                   unsigned labels, struct policy_match *match)
{
    enum name_kind narrow = policy_kind_at(suffixes, labels, NAME_EXACT, NAME_BELOW);
    const struct policy_part *part = find_part(suffixes, order, labels, NAME_SUBTREE, true);
    match->trigger = POLICY_NAME;
    match->labels = labels;
    if (part == NULL) {
        part = find_part(suffixes, order, labels, narrow, true);
        match->exact = narrow == NAME_EXACT;
        match->below = narrow == NAME_BELOW;
    }
    match->term = part->term;
    match->ticket = part->ticket;
}
