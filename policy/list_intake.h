/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the readers of all list formats hand in what they find (for policy/list_*.c and name_list.c
 * only): it asks the guard, counts, reports problems, and collects names and networks to be sealed.
 * What the guard refuses goes no further.
 */
#pragma once

#include "geo/network.h"
#include "policy/list_blocks.h"

struct list_rules;
struct network_rule;
struct suffix_map;
struct suffix_map_builder;

/* Where something stands in the list, both from 1; 0: the line, or the file, as a whole. */
struct list_place {
    unsigned line;
    unsigned column;
};

/* Problems of one kind: the first ones are reported, the rest counted. */
struct list_tally {
    enum problem_level level;
    const char *rest; /* what the counted rest is called in the line that reports it */
    size_t count;
};

/* Networks as they are collected. */
struct list_networks {
    struct network_rule *items;
    size_t count;
    size_t capacity;
};

struct list_intake {
    const struct name_list_options *options;
    struct problem_list *problems;
    struct suffix_map_builder *builder;
    struct list_rules *rules; /* of format rpz; else NULL */
    struct list_networks answers;
    struct list_networks clients;
    size_t count; /* lines or records that name something */
    struct list_tally bad;
    struct list_tally refused;
    struct list_tally noted; /* used, but worth a warning */
    bool may_be_empty;       /* the list says itself that it holds nothing */
    bool protected_added;    /* the root is blocked, and the protected names are exceptions */
    bool out_of_memory;
};

/* A line that is not what the format says: the list is not used. */
void list_intake_bad(struct list_intake *intake, struct list_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Something that is used, but is most likely a mistake. */
void list_intake_note(struct list_intake *intake, struct list_place place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* An error or a warning about the list as a whole. */
void list_intake_say(struct list_intake *intake, enum problem_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A name to block: NAME_SUBTREE, NAME_EXACT or NAME_BELOW, by this rule (0: the order's action). */
void list_intake_block(struct list_intake *intake, struct list_place place,
                       const struct dname *name, enum name_kind kind, uint32_t rule);

/* A name that is not blocked: NAME_EXCEPT, NAME_PASS or NAME_PASS_BELOW. What stands above it is
 * marked as NAME_FREE_BELOW. Exceptions are not judged. */
void list_intake_pass(struct list_intake *intake, const struct dname *name, enum name_kind kind);

/* A network in answers, or of clients, with its rule or NAME_LIST_PASS. */
void list_intake_answer(struct list_intake *intake, struct list_place place,
                        const struct network_rule *network);
void list_intake_client(struct list_intake *intake, struct list_place place,
                        const struct network_rule *network);

/* Reports names and networks to which a zone gives different rules in two places: BIND would not
 * load such a zone, and nobody can say which rule was meant. Reads the sealed map; sorts the
 * networks. */
void list_intake_tell_conflicts(struct list_intake *intake, const struct suffix_map *map);

/* Reports what was counted and not reported yet. Is the list free of errors, and not empty? */
bool list_intake_end(struct list_intake *intake);

/* The readers of the formats: each reads the source to its end and hands in what it finds; what
 * goes wrong is reported. */
void list_names_read(struct list_intake *intake, struct list_unpack *source);
void list_hosts_read(struct list_intake *intake, struct list_unpack *source);
void list_rpz_read(struct list_intake *intake, struct list_unpack *source);
