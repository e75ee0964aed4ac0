/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an order may not block: public suffixes, TLDs, the root, widely used names
 * (policy/widely-used.txt) and wide networks, unless the order's allow-wide lists them; and,
 * always, the operator's protected names (each name, everything above it and everything below it)
 * and protected networks (every address in them). One guard serves a whole load; immutable once it
 * is handed out.
 */
#pragma once

#include "policy/dname.h"

struct guard;
struct network;
struct problem_list;

/* Reads the protected names from memory (one a line, # comments; bytes NULL: none). Every bad line
 * is an error in problems and the result is then NULL; so it is when memory is out. The root cannot
 * be protected. */
struct guard *guard_new(const char *name, const char *bytes, size_t size,
                        struct problem_list *problems);
void guard_free(struct guard *guard); /* NULL is allowed */

/* Gives a new guard its protected networks from memory (one a line, # comments), at most once and
 * before anybody asks it. False, with errors in problems, for a bad line or when memory is out. */
bool guard_protect_networks(struct guard *guard, const char *name, const char *bytes, size_t size,
                            struct problem_list *problems);

enum guard_verdict {
    GUARD_FREE,      /* an order may block it */
    GUARD_WIDE,      /* root, TLD, public suffix, widely used, wide network: needs allow-wide */
    GUARD_PROTECTED, /* protected, or above or below what is: never (except the root) */
};

/* Judges one name that an order wants blocked with everything below it. For anything but
 * GUARD_FREE why says the reason ("github.io is a public suffix", "…stands above the protected name
 * …"). The root is GUARD_WIDE even when names are protected: an order that lists it in allow-wide
 * gets the protected names as exceptions (guard_each_protected). */
enum guard_verdict guard_judge(const struct guard *guard, const struct dname *name,
                               char why[static WHY_MAX]);

/* Judges one label that an order wants blocked below every public suffix: GUARD_WIDE if it is a
 * top-level domain or, under one of two letters, a public suffix ("co" is one under uk), since
 * unrelated names are below it. Protected names are not looked at here. */
enum guard_verdict guard_judge_label(const struct dname *label, char why[static WHY_MAX]);

/* A network shorter than these is wide. */
#define GUARD_IPV4_LENGTH 24
#define GUARD_IPV6_LENGTH 48

/* Judges one network whose addresses an order wants blocked, in answers or as clients: GUARD_WIDE
 * if it is wider than /24 (IPv4) or /48 (IPv6), GUARD_PROTECTED if it has an address in common with
 * a protected network. Says why as guard_judge does. */
enum guard_verdict guard_judge_network(const struct guard *guard, const struct network *network,
                                       char why[static WHY_MAX]);

/* What an order's allow-wide lists. */
struct guard_wide {
    struct dname *names;
    size_t name_count;
    struct network *networks;
    size_t network_count;
};

bool guard_wide_has(const struct guard_wide *wide, const struct dname *name);
bool guard_wide_equal(const struct guard_wide *a, const struct guard_wide *b);

/* May an order with this allow-wide block the name, the label, or the network? If not, why is the
 * whole sentence. */
bool guard_permits(const struct guard *guard, const struct guard_wide *wide,
                   const struct dname *name, char why[static WHY_MAX]);
bool guard_permits_label(const struct guard_wide *wide, const struct dname *label,
                         char why[static WHY_MAX]);
bool guard_permits_network(const struct guard *guard, const struct guard_wide *wide,
                           const struct network *network, char why[static WHY_MAX]);

/* Calls visit with each protected name; with each name that stands above one, once, but for the
 * root. Until it returns false. */
typedef bool guard_visit_fn(void *ctx, const struct dname *name);
void guard_each_protected(const struct guard *guard, guard_visit_fn *visit, void *ctx);
void guard_each_above(const struct guard *guard, guard_visit_fn *visit, void *ctx);
