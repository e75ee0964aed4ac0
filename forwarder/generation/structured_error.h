/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a client that asks for it is told of a block, for its software to read: EXTRA-TEXT as I-JSON
 * (draft-ietf-dnsop-structured-dns-error section 4, RFC 7493), with the entries of public databases
 * (draft-ietf-dnsop-filtering-transparency). Never a sub-error ("s"): none is defined for what is
 * censored. Writes, and decides nothing. Pure: no heap.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/wire/span.h"

struct order_record;

/* Texts need not be UTF-8: what is not, or is a code point that I-JSON forbids, becomes U+FFFD. */
struct structured_error {
    char *const *contacts; /* "c": URIs */
    size_t contact_count;
    const char *justification;         /* "j"; NULL: none */
    const char *organization;          /* "o"; NULL: none */
    const char *language;              /* "l": of both, an RFC 5646 tag; the draft requires it */
    const struct order_record *record; /* "fdbs": key names the database, value the entry */
    size_t record_count;
};

/* Writes one object, without spaces, members in the order above. If not whole, "j", "o" and "l" are
 * left out, as they are first where room is short. Returns what was written to out: nothing if the
 * object would have no member or does not fit into size octets. */
struct span structured_error_write(const struct structured_error *error, bool whole, uint8_t *out,
                                   size_t size);
