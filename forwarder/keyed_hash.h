/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A hash that nobody can steer who does not know its key: SipHash-1-3 of two words. For tables
 * whose keys strangers choose. Pure.
 */
#pragma once

#include <stdint.h>

struct keyed_hash_key {
    uint64_t half[2]; /* random, and secret */
};

/* SipHash-1-3 of the sixteen octets of first and second in little-endian order. */
uint64_t keyed_hash(const struct keyed_hash_key *key, uint64_t first, uint64_t second);
