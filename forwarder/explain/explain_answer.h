/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reads back an answer that Bailiwick made, for a person: rcode, Extended DNS Error (RFC 8914) and
 * records. By libknot, not by the code that wrote it, so that both must be wrong alike to mislead.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "forwarder/wire/span.h"

/* The INFO-CODE of its first EDE; false if it carries none or cannot be read. */
bool explain_answer_ede(struct span answer, uint16_t *info_code);

/* The EXTRA-TEXT of its first EDE, for the caller to release: an object where it is a structured
 * error, else a text; null where it has none or is no UTF-8. NULL only when memory is out. */
json_t *explain_answer_extra_text(struct span answer);

/* Writes "REFUSED, EDE 16 (Censored): text" and a line for each record, every line but the first
 * behind indent; each with its line end. The members of a structured error
 * (draft-ietf-dnsop-structured-dns-error) have a line each in place of its text. */
void explain_answer_print(struct span answer, const char *indent, FILE *out);
