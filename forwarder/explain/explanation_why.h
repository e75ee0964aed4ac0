/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sentences of an explanation, fit for a court: where the client is, and the reason for the
 * verdict. Plain UTF-8 without a final stop; instants in UTC.
 */
#pragma once

#include <stdio.h>

struct address;
struct explanation;
struct location;
struct policy_match;

/* "2.32.0.1 is in IT (database, 2.32.0.0/12)". */
void explanation_why_place(const struct address *address, const struct location *location,
                           FILE *out);

/* Why an order that names the name does or does not bind, with the date or the scope that decides:
 * "has ended (at 2027-08-10T22:00:00Z)". */
void explanation_why_binding(const struct explanation *explanation,
                             const struct policy_match *match, FILE *out);

/* The reason for the verdict in one sentence. explanation_collect has run if the verdict is
 * EXPLANATION_FORWARD. The caller frees it; NULL when memory is out. */
char *explanation_why(const struct explanation *explanation);
