/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one order says of a name, over all its suffixes: its file, its labels of any-tld and its
 * lists, at one instant. Nothing is remembered between orders: it is read again from the maps for
 * each order that could bind, so no query needs memory. Not here: whether the order binds.
 */
#pragma once

#include "policy/policy_layout.h"
#include "policy/suffix_keys.h"

/* The values that a map has for one suffix; borrowed from it. */
struct policy_found {
    const uint32_t *values;
    size_t count;
};

/* A name cut into suffixes, and what the maps of the policy say of each. Large: only as much of it
 * is set as the name has labels, and where policy->depths says that orders may say anything. */
struct policy_suffixes {
    const struct policy *policy;
    int64_t now;
    const struct suffix_keys *keys;
    struct policy_found names[DNAME_LABELS_MAX + 1];   /* by labels of the suffix */
    struct policy_found any_tld[DNAME_LABELS_MAX + 1]; /* unset in a policy without any-tld */
};

/* Borrows the keys of the name. */
void policy_suffixes_init(struct policy_suffixes *suffixes, const struct policy *policy,
                          const struct suffix_keys *keys, int64_t now);

/* Kinds of names, as a set of bits. */
#define POLICY_KIND(kind) (1U << (kind))

/* The kind in a value of a map. */
#define POLICY_KIND_MASK ((1U << NAME_KIND_BITS) - 1)

/* What an order says of one suffix. */
struct policy_said {
    unsigned kinds;
    unsigned lapsed; /* of items out of their own dates; as good as not there */
};

/* The values of one order file stand together: the place of the first one among those found, or
 * where it would be; and what they say, from the first one on, leaving at behind the last. */
size_t policy_first_in_file(const struct policy_suffixes *suffixes, uint32_t order,
                            unsigned labels);
struct policy_said policy_said_in_file(const struct policy_suffixes *suffixes, uint32_t order,
                                       unsigned labels, size_t *at);

/* Is a label of the order's any-tld the first one of this suffix, and a public suffix behind it? */
bool policy_any_tld_has(const struct policy_suffixes *suffixes, uint32_t order, unsigned labels);

unsigned policy_said_in_lists(const struct policy_suffixes *suffixes, uint32_t order,
                              unsigned labels);

/* Of an exact kind and one that means all below, which counts at a suffix of this length? */
static inline enum name_kind policy_kind_at(const struct policy_suffixes *suffixes, unsigned labels,
                                            enum name_kind exact, enum name_kind below)
{
    return labels == suffixes->keys->count ? exact : below;
}

/* Do these kinds at a suffix of this length block the name? */
static inline bool policy_kinds_block(const struct policy_suffixes *suffixes, unsigned kinds,
                                      unsigned labels)
{
    enum name_kind narrow = policy_kind_at(suffixes, labels, NAME_EXACT, NAME_BELOW);
    return (kinds & (POLICY_KIND(NAME_SUBTREE) | POLICY_KIND(narrow))) != 0;
}

#define POLICY_NOWHERE (-1)

struct policy_reading {
    int match;         /* labels of the longest suffix by which the order blocks the name */
    int lapsed;        /* the same for items out of their dates */
    int pass;          /* labels of the longest suffix by which it passes */
    bool excepted;     /* an exception covers the name */
    bool freed;        /* an exception or a pass lies below the name */
    bool passes_below; /* all below the name, or below one above it, passes */
    bool covered;      /* longer than that a name blocks all below it */
};

/* Reads an order. False if a suffix with more than most labels blocks the name: there the order is
 * considered, not at this length. */
bool policy_reading_take(const struct policy_suffixes *suffixes, uint32_t order, unsigned most,
                         struct policy_reading *out);

/* Does the order leave the name alone, by an exception or by a pass that is as long as its match?
 */
static inline bool policy_reading_frees(const struct policy_reading *reading)
{
    return reading->excepted ||
           (reading->pass != POLICY_NOWHERE && reading->pass >= reading->match);
}

/* The first instant after now at which an item of the order file that says something of the name
 * begins or ends; ORDER_FOR_GOOD if none does. */
int64_t policy_reading_next_change(const struct policy_suffixes *suffixes, uint32_t order,
                                   int64_t now);

/* Says in match by what the order blocks the name at this length: trigger, labels, exact, below,
 * rule, term and ticket. It does block it there. */
void policy_reading_explain(const struct policy_suffixes *suffixes, uint32_t order, unsigned labels,
                            struct policy_match *match);

/* The same for an item out of its dates: the next to begin, or else the last to have ended. */
void policy_reading_explain_lapsed(const struct policy_suffixes *suffixes, uint32_t order,
                                   unsigned labels, struct policy_match *match);
