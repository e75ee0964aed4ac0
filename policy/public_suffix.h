/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Is a name a public suffix, one under which anybody may register? By the list that libpsl was
 * built with, its private section (github.io) included; every top-level domain is one. Asked at
 * load by the guard and on a query's path by policies: no allocation, lock or system call.
 */
#pragma once

#include <stdbool.h>

struct dname;

/* Was libpsl built with a list? Without one nothing can be judged. */
bool public_suffix_known(void);

/* Judges the suffix of name that has this many labels (at most name->labels). The root is one. */
bool public_suffix_is(const struct dname *name, unsigned labels);

/* Does the list itself name this label as a top-level domain, or before one of two letters (co, for
 * co.uk; not any label under a wildcard)? *tld is then "" or that domain. label has one label. For
 * the reading of orders: it asks the list some 700 times. */
#define PUBLIC_SUFFIX_TLD_MAX 3
bool public_suffix_of_label(const struct dname *label, char tld[static PUBLIC_SUFFIX_TLD_MAX]);
