/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers that are longer than a client takes over UDP: upstream knew no such limit when the answer
 * came by a stream, or knew another one when the query had an OPT of ours. Bytes alone.
 */
#pragma once

#include "forwarder/block.h"

/* Octets that this query's client takes over UDP (RFC 6891 section 6.2.5). */
size_t answer_fit_limit(struct span query);

/* Writes the answer cut to its question and its OPT, with TC=1 (RFC 2181 section 9); an OPT that
 * then is longer than limit goes without its options. Octets written. The answer has a header. */
size_t answer_fit_cut(struct span answer, size_t limit, uint8_t out[static BLOCK_ANSWER_MAX]);
