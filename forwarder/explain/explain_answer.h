/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads back an answer that Bailiwick made, for a person: rcode, Extended DNS Error (RFC 8914) and
 * records. By libknot, not by the code that wrote it, so that both must be wrong alike to mislead.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "forwarder/wire/span.h"

/* The INFO-CODE of its first EDE; false if it carries none or cannot be read. */
bool explain_answer_ede(struct span answer, uint16_t *info_code);

/* Writes "REFUSED, EDE 16 (Censored): text" and a line for each record, every line but the first
 * behind indent; each with its line end. The members of a structured error
 * (draft-ietf-dnsop-structured-dns-error) have a line each in place of its text. */
void explain_answer_print(struct span answer, const char *indent, FILE *out);
