/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The one type for domain names: canonical wire form (RFC 1035 section 3.1, uncompressed, ASCII
 * letters in lower case, RFC 4034 section 6.1), as a value. Text is what people write in orders and
 * lists; wire is what arrives in questions. Everything else compares canonical bytes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/problem.h"

#define DNAME_MAX 255        /* octets of a name on the wire, root label included */
#define DNAME_LABEL_MAX 63   /* octets of a label (RFC 1035 section 2.3.4) */
#define DNAME_LABELS_MAX 127 /* labels of such a name, root label not counted */
#define DNAME_TEXT_MAX 1024  /* its text with every octet escaped, and a NUL */

struct dname {
    uint8_t size;   /* octets used in wire; 1 is the root; 0 is no name at all */
    uint8_t labels; /* without the root label */
    uint8_t wire[DNAME_MAX];
};

/* Reads a name as a person writes it in an order: trailing dot and case do not matter, a U-label
 * becomes its A-label (IDNA2008 by libidn2; labels of pure ASCII bypass it), "." is the root.
 * Letters, digits, hyphen and underscore may stand anywhere in a label: the DNS has such names.
 * False, *out is no name, and one sentence in why for an empty text or label, an address, a
 * network, a URL or path, a port, white space or control characters, a NUL, a wildcard, an escape,
 * any other character, a label over 63 or a name over 255 octets, bad UTF-8, and a U-label that
 * does not map to just one label of such characters. If the text was not ASCII, *out is the mapped
 * name; callers that report show it. */
bool dname_parse(const char *text, size_t len, struct dname *out, char why[static WHY_MAX]);

/* Reads the plain name that a text begins with: the longest run of letters, digits, hyphens,
 * underscores and dots. Returns its length, or 0 where that run is empty, the root or no
 * name that dname_parse would take. The quick way through lists of millions of names: what follows
 * the run is the caller's to judge. */
size_t dname_scan(const char *text, size_t len, struct dname *out);

/* Reads an uncompressed name from at most size octets of wire, lowering ASCII case. False for a
 * compression pointer, another label type, a cut or an over-long name. Any octet may stand in a
 * label. */
bool dname_decode(const uint8_t *wire, size_t size, struct dname *out);

bool dname_equal(const struct dname *a, const struct dname *b);

/* Is name equal to ancestor, or below it? Every name is below the root. */
bool dname_within(const struct dname *name, const struct dname *ancestor);

/* The suffix of name that has this many labels (at most name->labels). */
void dname_suffix(const struct dname *name, unsigned labels, struct dname *out);

/* Presentation form without the trailing dot (RFC 1035 section 5.1 escapes), "." for the root.
 * Returns out. */
char *dname_format(const struct dname *name, char out[static DNAME_TEXT_MAX]);
