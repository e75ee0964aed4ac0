/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How often each of any number of keys may have something: so many at once, and as many a second.
 * One table of fixed size for all threads, without lock, allocation or system call.
 *
 * Nothing evades it: what others do never makes a key's count smaller. Whatever else the table
 * holds, a key is given at most rate + rate * T in any T seconds by one thread's count; threads
 * that count the same key within the time that memory takes from one core to another may give a few
 * more.
 *
 * Few keys are refused wrongly: a key shares each of RATE_TABLE_ROWS counters with others, and is
 * refused because of them only if all its counters are used up. Somebody who uses up the rates of n
 * other keys, for which n * rate queries a second are needed, uses up those of any further key with
 * a probability of at most (1 - exp(-n / RATE_TABLE_WIDTH)) ^ RATE_TABLE_ROWS; without the secret
 * nobody can tell of which keys. Keys that are not used up harm nobody: a counter is raised only as
 * far as the least of a key's counters says that it must be.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/keyed_hash.h"

#define RATE_TABLE_ROWS 4U
#define RATE_TABLE_WIDTH 262144U    /* counters a row */
#define RATE_TABLE_RATE_MAX 1000000 /* a second */

struct rate_table;

/* What is counted: two words that mean something to the caller. */
struct rate_key {
    uint64_t first;
    uint64_t second;
};

/* Takes eight MiB of address space; pages are used as they are touched. NULL when memory is out. */
struct rate_table *rate_table_new(const struct keyed_hash_key *secret);
void rate_table_free(struct rate_table *table); /* NULL is allowed */

/* May the key have one more at this time? Then it has, and is counted; what is refused is not.
 * rate is 1 … RATE_TABLE_RATE_MAX a second, and may differ from call to call. now_ms is of a clock
 * that does not go back; threads may be a little apart. */
bool rate_table_take(struct rate_table *table, const struct rate_key *key, uint32_t rate,
                     uint64_t now_ms);
