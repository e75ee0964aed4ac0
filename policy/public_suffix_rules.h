/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which names cannot be public suffixes, without asking libpsl: that is most names of a list of
 * millions, and asking libpsl takes longer than everything else that is done with a name. The rules
 * are read from the file that libpsl's built-in list was made from, recognised by its SHA-1;
 * without that file, or with another one, libpsl is asked every time. So the answer never depends
 * on it.
 */
#pragma once

#include "policy/dname.h"

struct public_suffix_rules;

/* NULL where that file is not there, is another one, or memory is out. */
struct public_suffix_rules *public_suffix_rules_new(void);
void public_suffix_rules_free(struct public_suffix_rules *rules); /* NULL is allowed */

/* May this name be a public suffix of the built-in list? False only if it certainly is none; with
 * NULL never. Names of one label may always be. */
bool public_suffix_rules_may_name(const struct public_suffix_rules *rules,
                                  const struct dname *name);
