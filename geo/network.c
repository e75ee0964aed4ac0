/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks, and sets of them. A sealed set is a sorted array of disjoint address ranges: one binary
 * search answers. A network that spans the IPv4 block becomes the two ranges on either side of it.
 */
#include "geo/network.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const struct network NETWORK_IPV4 = {{{[10] = 0xff, [11] = 0xff}}, 96};

struct range {
    struct address first;
    struct address last;
};

struct network_set {
    size_t count;
    struct range ranges[]; /* ascending; none overlaps another */
};

/* A length of one to three decimal digits without a leading zero. */
static bool parse_length(const char *text, size_t len, unsigned max, unsigned *out)
{
    if (len == 0 || len > 3 || (text[0] == '0' && len > 1)) {
        return false;
    }
    unsigned value = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        value = value * 10 + (unsigned)(text[i] - '0');
    }
    *out = value;
    return value <= max;
}

/* The longest text that is worth repeating in a message. */
static int shown(size_t len)
{
    return len < 64 ? (int)len : 64;
}

bool network_parse(const char *text, size_t len, struct network *out, char *why, size_t why_size)
{
    const char *slash = memchr(text, '/', len);
    size_t address_len = slash == NULL ? len : (size_t)(slash - text);
    struct address address;
    if (!address_parse(text, address_len, &address)) {
        snprintf(why, why_size, "\"%.*s\" is not an IPv4 or IPv6 address or network", shown(len),
                 text);
        return false;
    }
    unsigned length = 128;
    if (slash != NULL) {
        /* The notation decides how the length counts: ::ffff:192.0.2.0/120 is 192.0.2.0/24. */
        unsigned max = memchr(text, ':', address_len) == NULL ? 32 : 128;
        if (!parse_length(slash + 1, len - address_len - 1, max, &length)) {
            snprintf(why, why_size, "\"%.*s\" needs a prefix length from 0 to %u", shown(len), text,
                     max);
            return false;
        }
        length += 128 - max;
    }
    *out = network_around(&address, length);
    if (!address_equal(&out->base, &address)) {
        char right[NETWORK_TEXT_MAX];
        snprintf(why, why_size, "\"%.*s\" has bits set behind its prefix length; the network is %s",
                 shown(len), text, network_format(out, right));
        return false;
    }
    return true;
}

bool network_contains(const struct network *network, const struct address *address)
{
    return address_common_bits(&network->base, address) >= network->length &&
           (network->length >= NETWORK_IPV4.length || !address_is_ipv4(address));
}

struct network network_around(const struct address *address, unsigned length)
{
    struct network network = {*address, (uint8_t)length};
    for (unsigned i = length; i < 8 * sizeof address->octet; i++) {
        network.base.octet[i / 8] &= (uint8_t) ~(0x80U >> i % 8);
    }
    return network;
}

struct address network_last(const struct network *network)
{
    struct address last = network->base;
    for (unsigned i = network->length; i < 8 * sizeof last.octet; i++) {
        last.octet[i / 8] |= (uint8_t)(0x80U >> i % 8);
    }
    return last;
}

char *network_format(const struct network *network, char out[static NETWORK_TEXT_MAX])
{
    char base[ADDRESS_TEXT_MAX];
    bool ipv4 = network->length >= NETWORK_IPV4.length && address_is_ipv4(&network->base);
    snprintf(out, NETWORK_TEXT_MAX, "%s/%u", address_format(&network->base, base),
             ipv4 ? network->length - 96U : network->length);
    return out;
}

static int compare_firsts(const void *a, const void *b)
{
    const struct range *left = a;
    const struct range *right = b;
    return address_compare(&left->first, &right->first);
}

/* Is this one of the short IPv6 networks with the whole IPv4 block somewhere in the middle? */
static bool spans_ipv4(const struct network *network)
{
    return network->length < NETWORK_IPV4.length &&
           address_common_bits(&network->base, &NETWORK_IPV4.base) >= network->length;
}

/* The ranges of addresses a network stands for: one, or two around the IPv4 block. */
static size_t ranges_of(const struct network *network, struct range out[static 2])
{
    out[0] = (struct range){network->base, network_last(network)};
    if (!spans_ipv4(network)) {
        return 1;
    }
    /* The addresses next to ::ffff:0:0 and ::ffff:ffff:ffff, both of which end in 32 equal bits. */
    static const struct address below = {{[10] = 0xff, [11] = 0xfe, 0xff, 0xff, 0xff, 0xff}};
    static const struct address above = {{[9] = 0x01}};
    out[1] = (struct range){above, out[0].last};
    out[0].last = below;
    return 2;
}

/* Joins overlapping ranges of a sorted array; returns how many are left. */
static size_t merge(struct range *ranges, size_t count)
{
    size_t kept = 0;
    for (size_t i = 1; i < count; i++) {
        if (address_compare(&ranges[i].first, &ranges[kept].last) > 0) {
            ranges[++kept] = ranges[i];
        } else if (address_compare(&ranges[i].last, &ranges[kept].last) > 0) {
            ranges[kept].last = ranges[i].last;
        }
    }
    return kept + 1;
}

struct network_set *network_set_new(const struct network *networks, size_t count)
{
    if (count == 0 || count > SIZE_MAX / (4 * sizeof(struct range))) {
        return NULL;
    }
    struct network_set *set = malloc(sizeof *set + 2 * count * sizeof set->ranges[0]);
    if (set == NULL) {
        return NULL;
    }
    set->count = 0;
    for (size_t i = 0; i < count; i++) {
        struct range ranges[2];
        size_t parts = ranges_of(&networks[i], ranges);
        memcpy(set->ranges + set->count, ranges, parts * sizeof ranges[0]);
        set->count += parts;
    }
    qsort(set->ranges, set->count, sizeof set->ranges[0], compare_firsts);
    set->count = merge(set->ranges, set->count);
    return set;
}

void network_set_free(struct network_set *set)
{
    free(set);
}

/* Does any range of the set share an address with [first, last]? The first range that does not end
 * before first decides. */
static bool meets(const struct network_set *set, const struct address *first,
                  const struct address *last)
{
    if (set == NULL) {
        return false;
    }
    size_t low = 0;
    size_t high = set->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (address_compare(&set->ranges[middle].last, first) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < set->count && address_compare(&set->ranges[low].first, last) <= 0;
}

bool network_set_contains(const struct network_set *set, const struct address *address)
{
    return meets(set, address, address);
}

bool network_set_overlaps(const struct network_set *set, const struct network *network)
{
    struct range ranges[2];
    size_t parts = ranges_of(network, ranges);
    return meets(set, &ranges[0].first, &ranges[0].last) ||
           (parts > 1 && meets(set, &ranges[1].first, &ranges[1].last));
}
