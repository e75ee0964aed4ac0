/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A list of names that an order refers to, read from memory (format: names): one a line, "name"
 * with everything below it, "=name" exactly, "!name" an exception; # comments and blank lines.
 * What the guard refuses is left out, counted and reported as a warning, or an error with
 * on-error: fail. A line that is not a name is an error. Sealed into a suffix map whose values are
 * enum name_kind; immutable, shared by reference count.
 */
#pragma once

#include "policy/dname.h"

struct guard;
struct name_list;
struct network_rules;
struct order_rule;
struct problem_list;
struct suffix_map;

/* What an order says of a name. The values of every suffix map of a policy hold one of these in
 * their lowest bits; above them those of a list have the number of a rule (name_list_rule). */
#define NAME_KIND_BITS 3U
enum name_kind {
    NAME_SUBTREE,    /* this name and everything below it is blocked */
    NAME_EXACT,      /* this name alone */
    NAME_EXCEPT,     /* never by this order, with everything below */
    NAME_FREE_BELOW, /* not blocked by itself: an exception of the order lies below this name */
    /* Of response policy zones alone. What passes holds against what the order says of the same
     * name or of a shorter one. */
    NAME_BELOW,      /* everything below this name, not itself */
    NAME_PASS,       /* this name alone passes */
    NAME_PASS_BELOW, /* everything below this name passes, not itself */
};

struct name_list_options {
    const char *name;          /* what problems call the file */
    const struct guard *guard; /* not NULL */
    const struct dname *wide;  /* the order's allow-wide */
    size_t wide_count;
    bool refuse_is_error; /* on-error: fail */
    uint64_t seed;        /* of the suffix map */
};

/* NULL if anything was an error or memory is out. Bad lines and refused names are told in problems,
 * at most NAME_LIST_PROBLEMS of either, then one line that counts the rest. A list that names
 * nothing, or nothing but what was refused, is an error. For each exception the names above it are
 * added as NAME_FREE_BELOW, the root left out. Where the root itself is listed and allowed, the
 * guard's protected names are added as exceptions. */
#define NAME_LIST_PROBLEMS 20
struct name_list *name_list_parse(const struct name_list_options *options, const char *bytes,
                                  size_t size, struct problem_list *problems);

/* What a list of format rpz answers by a rule of its own; rule 0 is the action of the order: NULL.
 * Borrowed. */
const struct order_rule *name_list_rule(const struct name_list *list, uint32_t rule);

/* Addresses in answers (RPZ-IP) and of clients (RPZ-CLIENT-IP) that a list of format rpz blocks,
 * each with the number of its rule, or NAME_LIST_PASS; NULL: none. Borrowed. */
#define NAME_LIST_PASS UINT32_MAX
const struct network_rules *name_list_answers(const struct name_list *list);
const struct network_rules *name_list_clients(const struct name_list *list);

struct name_list *name_list_ref(struct name_list *list);
void name_list_unref(struct name_list *list); /* NULL is allowed */

const struct suffix_map *name_list_map(const struct name_list *list);

/* Lines that name something (of any kind), and names left out because the guard refused them. */
size_t name_list_count(const struct name_list *list);
size_t name_list_refused(const struct name_list *list);
