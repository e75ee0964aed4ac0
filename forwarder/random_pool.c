/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Random numbers in blocks from getrandom(2). Each octet is handed out once.
 */
#include "forwarder/random_pool.h"

#include <stdlib.h>
#include <sys/random.h>

void random_pool_init(struct random_pool *pool)
{
    pool->at = RANDOM_POOL_BYTES;
}

/* Blocks of more than 256 octets may be cut short by a signal: ask again. Without randomness no
 * query may leave at all; the kernel never fails here once it has booted. */
void random_pool_refill(struct random_pool *pool)
{
    size_t have = 0;
    while (have < sizeof pool->bytes) {
        ssize_t got = getrandom(pool->bytes + have, sizeof pool->bytes - have, 0);
        if (got > 0) {
            have += (size_t)got;
        }
    }
    pool->at = 0;
}

uint32_t random_pool_below(struct random_pool *pool, uint32_t bound)
{
    uint32_t limit = 65536U - 65536U % bound; /* the whole multiples: no value is likelier */
    uint32_t value;
    do {
        value = random_pool_u16(pool);
    } while (value >= limit);
    return value % bound;
}
