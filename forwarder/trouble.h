/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What goes wrong again and again until it is mended (a full disk, a peer that is away): it is told
 * when it begins, when its reason changes and when it ends, not at each attempt, and is dated for
 * who asks meanwhile. What is told, and how, is the owner's business.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "geo/problem.h"

struct trouble {
    char why[WHY_MAX]; /* "": nothing is wrong */
    int64_t since;     /* when that became so: seconds since the epoch */
};

/* What an attempt has shown: why it failed, cut to WHY_MAX, or "". True: that is news, so to be
 * told. */
bool trouble_note(struct trouble *trouble, const char *why, int64_t now);

static inline bool trouble_stands(const struct trouble *trouble)
{
    return trouble->why[0] != '\0';
}
