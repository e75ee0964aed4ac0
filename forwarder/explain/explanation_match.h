/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What of an order matched, in words: a name with or without what lies below it, a label under any
 * public suffix, the client's own network. Plain UTF-8.
 */
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "policy/dname.h"

struct explanation;
struct policy_match;

/* What matched, as an order would write it: "kickass.example", "*.kickass.example" for what lies
 * below it alone, "192.0.2.0/24". Returns out. */
char *explanation_match_text(const struct explanation *explanation,
                             const struct policy_match *match, char out[static DNAME_TEXT_MAX]);

/* What the order does with it, in a sentence: "names exactly only.example (ticket 4711)". */
void explanation_match_print(const struct explanation *explanation,
                             const struct policy_match *match, FILE *out);

/* The same for a list of orders: "names only.example alone, ticket 4711". */
void explanation_match_describe(const struct explanation *explanation,
                                const struct policy_match *match, FILE *out);

/* The dates within which the order binds for this match, those of the item included: ORDER_ALWAYS
 * and ORDER_FOR_GOOD where there are none. */
int64_t explanation_match_since(const struct explanation *explanation,
                                const struct policy_match *match);
int64_t explanation_match_until(const struct explanation *explanation,
                                const struct policy_match *match);
