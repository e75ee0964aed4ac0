/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an order may not block, however it is written: public suffixes, TLDs and the root unless
 * the order's allow-wide lists them; and the operator's protected names (each name, everything
 * above it and everything below it) always. One guard serves a whole load; immutable.
 */
#pragma once

#include "policy/dname.h"

struct guard;
struct problem_list;

/* Reads the protected names from memory (one a line, # comments; bytes NULL: none). Every bad line
 * is an error in problems and the result is then NULL; so it is when memory is out. The root cannot
 * be protected. */
struct guard *guard_new(const char *name, const char *bytes, size_t size,
                        struct problem_list *problems);
void guard_free(struct guard *guard); /* NULL is allowed */

enum guard_verdict {
    GUARD_FREE,      /* an order may block it */
    GUARD_WIDE,      /* root, TLD or public suffix: only when allow-wide lists it */
    GUARD_PROTECTED, /* protected, above or below a protected name: never (the root excepted) */
};

/* Judges one name that an order wants blocked with everything below it. For anything but
 * GUARD_FREE why says the reason ("github.io is a public suffix", "…stands above the protected name
 * …"). The root is GUARD_WIDE even when names are protected: an order that lists it in allow-wide
 * gets the protected names as exceptions (guard_each_protected). */
enum guard_verdict guard_judge(const struct guard *guard, const struct dname *name,
                               char why[static WHY_MAX]);

/* Calls visit with each protected name. */
typedef bool guard_visit_fn(void *ctx, const struct dname *name);
void guard_each_protected(const struct guard *guard, guard_visit_fn *visit, void *ctx);
