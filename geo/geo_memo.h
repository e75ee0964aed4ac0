/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker's memory of where addresses are, in front of locate(). Exact: an entry covers just the
 * addresses that database and overrides answer alike, checked at each hit, so no two neighbours
 * on either side of a border share an answer. Of fixed size; owned by one thread; belongs to one
 * pair of database and overrides and is cleared when they change.
 */
#pragma once

#include "geo/locate.h"

struct geo_memo;

/* entries is rounded up to a power of two. NULL only when memory is out. */
struct geo_memo *geo_memo_new(size_t entries);
void geo_memo_free(struct geo_memo *memo);

/* Forgets everything; the next lookups ask db and overrides. Both may be NULL until then; they are
 * borrowed and must outlive their use here. */
void geo_memo_reset(struct geo_memo *memo, const struct geo_db *db,
                    const struct overrides *overrides);

/* Asks memory for what the memo holds of the address, without waiting for it. */
void geo_memo_prefetch(const struct geo_memo *memo, const struct address *address);

/* Where the address is, as locate() would say. False if the lookup erred (no order binds); *out is
 * unknown then. No allocation, no lock, no system call. */
bool geo_memo_find(struct geo_memo *memo, const struct address *address, struct place *out);

/* Where all of a network is: the address and every other that differs from it in the last spread
 * bits only. Unknown where they are not all in one country, or in more than GEO_MEMO_PARTS_MAX
 * parts of the data, and so are the parts of the country where they are not all in the same; false
 * if any lookup erred. */
#define GEO_MEMO_PARTS_MAX 256
bool geo_memo_find_network(struct geo_memo *memo, const struct address *address, unsigned spread,
                           struct place *out);
