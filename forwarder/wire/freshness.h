/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long a cache that does not read DNS may keep a whole answer: an HTTP cache (RFC 8484
 * section 5.1). Pure.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/wire/span.h"

/* Seconds that it may be kept: the least TTL of all sections (those above 2^31-1 count as 0, RFC
 * 2181 section 8) and, for a negative answer, the MINIMUM of the SOA in AUTHORITY (RFC 2308 section
 * 5). False for an answer that is not to be kept at all: one without records, with an rcode other
 * than NOERROR and NXDOMAIN, cut (TC), or not readable to its end. */
bool freshness_of(struct span answer, uint32_t *seconds);
