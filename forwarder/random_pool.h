/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Unpredictable numbers for IDs, ports and choices of socket (RFC 5452 section 9), taken from the
 * kernel's generator in blocks, so that a query costs no system call of its own. Owned by one
 * thread.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define RANDOM_POOL_BYTES 4096

struct random_pool {
    uint8_t bytes[RANDOM_POOL_BYTES];
    size_t at; /* next unused octet; RANDOM_POOL_BYTES: empty */
};

void random_pool_init(struct random_pool *pool);

/* Asks the kernel for a new block. */
void random_pool_refill(struct random_pool *pool);

/* Inline, as every query that goes upstream takes one. */
static inline uint16_t random_pool_u16(struct random_pool *pool)
{
    uint16_t value;
    if (pool->at + sizeof value > sizeof pool->bytes) {
        random_pool_refill(pool);
    }
    memcpy(&value, pool->bytes + pool->at, sizeof value);
    memset(pool->bytes + pool->at, 0, sizeof value);
    pool->at += sizeof value;
    return value;
}

/* Uniform below bound, which is 1 … 65536. */
uint32_t random_pool_below(struct random_pool *pool, uint32_t bound);
