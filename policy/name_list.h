/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A list that an order refers to, read block by block and never held whole. Three formats:
 *
 *   names  one a line, "name" with everything below it, "=name" exactly, "!name" an exception; #
 *          comments and blank lines. Of a line with columns (comma, semicolon; quoted or not) the
 *          first counts, and a first line that is their title is passed over.
 *   hosts  hosts(5): "0.0.0.0 name…" (or 127.0.0.1, ::, ::1): each name exactly, as such a line
 *          means it. Lines of the system's own names (localhost, ip6-allnodes) are passed over.
 *   rpz    a response policy zone in a zone file: names, answers and clients, each with a rule of
 *          its own.
 *
 * What the guard refuses is left out, counted and reported as a warning, or an error with
 * on-error: fail. A line that is not what its format says is an error. Sealed into a suffix map
 * whose values are enum name_kind and the number of a rule; immutable, shared by reference count.
 */
#pragma once

#include "policy/dname.h"
#include "policy/guard.h"

struct name_list;
struct network;
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

/* How a list is written; the order says which. */
enum name_list_format {
    NAME_LIST_NAMES, /* one a line: name, =exact, !exception */
    NAME_LIST_HOSTS, /* hosts(5): an address and names */
    NAME_LIST_RPZ,   /* response policy zone: a zone file */
};

/* How its file is packed: its ending says so. */
enum name_list_packing {
    NAME_LIST_PLAIN,
    NAME_LIST_GZIP, /* .gz */
    NAME_LIST_ZSTD, /* .zst */
};
enum name_list_packing name_list_packing_of(const char *path);

/* The most bytes that a list's file may have, and may unpack to: as many as a map can hold, and a
 * limit for files that are made to unpack without end. */
#define NAME_LIST_BYTES_MAX (UINT64_C(4) << 30)

struct name_list_options {
    const char *name; /* what problems call the file */
    enum name_list_format format;
    enum name_list_packing packing;
    const struct guard *guard; /* not NULL */
    struct guard_wide wide;    /* the order's allow-wide; borrowed */
    bool refuse_is_error;      /* on-error: fail */
    uint64_t seed;             /* of the suffix map */
};

/* Where the bytes of a list come from, packed as they may be: read gives the next ones, at most
 * room of them, and *got is 0 at the end and only there. False with a sentence about the file. */
struct name_list_source {
    bool (*read)(void *ctx, char *out, size_t room, size_t *got, char why[static WHY_MAX]);
    void *ctx;
};

/* Reads a whole list. NULL if there was any error or memory is out: nothing of a list is used
 * before it was read to its end. Bad lines and refused names go to problems, at most
 * NAME_LIST_PROBLEMS of each kind, then one line that counts the rest. A list that names nothing,
 * or nothing that was not refused, is an error (an empty zone is a warning).
 *
 * The names above each exception, and above each name that passes, are added as NAME_FREE_BELOW. If
 * the root is listed and allowed, the guard's protected names are added as exceptions; also if
 * clients are blocked, which blocks every name for them and needs the root in allow-wide too. */
#define NAME_LIST_PROBLEMS 20
struct name_list *name_list_read(const struct name_list_options *options,
                                 const struct name_list_source *source,
                                 struct problem_list *problems);

/* The same from bytes in memory. */
struct name_list *name_list_parse(const struct name_list_options *options, const char *bytes,
                                  size_t size, struct problem_list *problems);

/* A rule of a list of format rpz; NULL for rule 0, which is the action of the order. Borrowed. */
const struct order_rule *name_list_rule(const struct name_list *list, uint32_t rule);

/* Addresses in answers (RPZ-IP) and of clients (RPZ-CLIENT-IP) that a list of format rpz blocks,
 * each with the number of its rule, or NAME_LIST_PASS; NULL: none. Borrowed. */
#define NAME_LIST_PASS UINT32_MAX
const struct network_rules *name_list_answers(const struct name_list *list);
const struct network_rules *name_list_clients(const struct name_list *list);

struct name_list *name_list_ref(struct name_list *list);
void name_list_unref(struct name_list *list); /* NULL is allowed */

const struct suffix_map *name_list_map(const struct name_list *list);

/* How many lines name something (of any kind), and how many names the guard refused. */
size_t name_list_count(const struct name_list *list);
size_t name_list_refused(const struct name_list *list);
