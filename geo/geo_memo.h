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

/* Prefetches the entry for an address, so that a find soon after does not wait for memory. */
void geo_memo_prefetch(const struct geo_memo *memo, const struct address *address);

/* Where the address is, as locate() would say. False if the lookup erred (no order binds); *out is
 * unknown then. No allocation, no lock, no system call. */
bool geo_memo_find(struct geo_memo *memo, const struct address *address, struct place *out);

/* Where a whole network is: every address that equals this one but for the last spread bits. The
 * place is unknown unless all of them are in one country, and if the network spans more than
 * GEO_MEMO_PARTS_MAX networks of the data; of the parts of the country it has those that all of
 * them are in. False if any lookup erred. */
#define GEO_MEMO_PARTS_MAX 256
bool geo_memo_find_network(struct geo_memo *memo, const struct address *address, unsigned spread,
                           struct place *out);
