/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a generation has in force, as the audit record tells it: texts of JSON, made once, in the
 * thread that loaded the generation. Independent of the generation, which may be gone by the time
 * it is written down; immutable once handed on, and shared by counted references.
 */
#pragma once

#include <jansson.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/order.h"

struct generation;
struct policy;

/* Names with dates of their own that an order's line has room for: more are not told. */
#define AUDIT_FACTS_ITEMS_MAX 20000

struct audit_fact {
    char *id;
    char *text; /* the order as an object; another text is another version or another place */
    enum order_status status;
    bool last_good; /* its file has an error, this is the version before it */
    size_t order;   /* its index in the policy */
    bool in_force;  /* for anybody, when the load began; see audit_facts_as_of */
};

struct audit_facts {
    atomic_size_t references;
    uint64_t generation;
    int64_t loaded;
    char *about;              /* members: number, database, overrides, counts */
    struct audit_fact *facts; /* by id */
    size_t count;
    char **failures; /* members, one text for each error that is new with this generation */
    size_t failure_count;
};

/* With one reference; NULL when memory is out. */
struct audit_facts *audit_facts_new(const struct generation *generation);

/* As they are at the instant at which their generation comes into force: a load takes its time, and
 * a window may open meanwhile. Before anybody else has them; NULL is allowed. */
void audit_facts_as_of(struct audit_facts *facts, const struct policy *policy, int64_t now);
struct audit_facts *audit_facts_ref(struct audit_facts *facts); /* NULL is allowed, and returned */
void audit_facts_unref(struct audit_facts *facts);              /* NULL is allowed */

/* An object without its braces, on the heap; takes the reference. NULL for NULL, and when memory is
 * out. */
char *audit_facts_members(json_t *object);

/* The members that tell of a file with an error. */
char *audit_facts_failure(const char *file, unsigned line, unsigned column, const char *text);
