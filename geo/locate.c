/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The order of authorities (overrides, then database) and the blocks of addresses that do not mean
 * what they say. Invariant: location.alike never crosses the border of such a block, on whichever
 * side of it the address lies.
 */
#include "geo/locate.h"

#include "geo/geo_db.h"
#include "geo/overrides.h"

enum treatment {
    TREAT_AS_IT_STANDS,
    TREAT_AS_6TO4,      /* by the IPv4 address in bits 16 to 47 */
    TREAT_BY_OVERRIDES, /* the database knows where the relay is, not the client */
};

static const struct block {
    struct network network;
    enum treatment treatment;
} blocks[] = {
    {{{{[10] = 0xff, 0xff}}, 96}, TREAT_AS_IT_STANDS},                  /* IPv4, ::ffff:0:0/96 */
    {{{{0x20, 0x02}}, 16}, TREAT_AS_6TO4},                              /* 2002::/16, RFC 3056 */
    {{{{0x20, 0x01}}, 32}, TREAT_BY_OVERRIDES},                         /* Teredo, RFC 4380 */
    {{{{0x00, 0x64, 0xff, 0x9b}}, 96}, TREAT_BY_OVERRIDES},             /* NAT64, RFC 6052 */
    {{{{0x00, 0x64, 0xff, 0x9b, 0x00, 0x01}}, 48}, TREAT_BY_OVERRIDES}, /* NAT64, RFC 8215 */
};

#define BLOCKS (sizeof blocks / sizeof blocks[0])

/* How an address is treated, and the length of the widest network around it that is treated so. */
static enum treatment classify(const struct address *address, unsigned *length)
{
    enum treatment treatment = TREAT_AS_IT_STANDS;
    *length = 0;
    for (size_t i = 0; i < BLOCKS; i++) {
        const struct network *block = &blocks[i].network;
        unsigned common = address_common_bits(&block->base, address);
        unsigned least = common + 1; /* just too long to hold the block */
        if (common >= block->length) {
            treatment = blocks[i].treatment;
            least = block->length;
        }
        if (*length < least) {
            *length = least;
        }
    }
    return treatment;
}

static enum locate_source source_of(enum geo_db_outcome outcome)
{
    switch (outcome) {
    case GEO_DB_FOUND:
        return LOCATE_DATABASE;
    case GEO_DB_ABSENT:
        return LOCATE_NOWHERE;
    case GEO_DB_FAILED:
        break;
    }
    return LOCATE_FAILED;
}

/* What the overrides leave open, by the database. */
static void ask_database(const struct geo_db *db, const struct address *address,
                         struct location *out)
{
    struct geo_db_result result;
    geo_db_find(db, address, &result);
    out->source = source_of(result.outcome);
    out->country = result.country;
    out->within = result.within;
    out->network = result.network;
    if (out->alike.length < result.network.length) {
        out->alike = result.network;
    }
}

/* The overrides and, if db is not NULL, the database about the address as it stands. */
static void ask(const struct geo_db *db, const struct overrides *overrides,
                const struct address *address, struct location *out)
{
    struct overrides_result result;
    overrides_find(overrides, address, &result);
    *out = (struct location){
        .source = result.found ? LOCATE_OVERRIDE : LOCATE_NOWHERE,
        .country = result.country,
        .within = result.within,
        .network = result.prefix,
        .alike = result.alike,
    };
    if (!result.found && db != NULL) {
        ask_database(db, address, out);
    }
}

void locate(const struct geo_db *db, const struct overrides *overrides,
            const struct address *address, struct location *out)
{
    unsigned length;
    switch (classify(address, &length)) {
    case TREAT_AS_IT_STANDS:
        ask(db, overrides, address, out);
        break;
    case TREAT_AS_6TO4: {
        struct address ipv4 = *address;
        (void)address_in_6to4(address, &ipv4); /* it is one: so it was classified */
        ask(db, overrides, &ipv4, out);
        out->alike.length = (uint8_t)(16 + out->alike.length - NETWORK_IPV4.length);
        break;
    }
    case TREAT_BY_OVERRIDES:
        ask(NULL, overrides, address, out);
        break;
    }
    if (length < out->alike.length) {
        length = out->alike.length;
    }
    out->alike = network_around(address, length);
    if (out->source == LOCATE_NOWHERE) {
        out->network = out->alike;
    }
}
