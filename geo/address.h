/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An IP address as a plain value. IPv4 addresses are held in their IPv4-mapped IPv6 form
 * (::ffff:a.b.c.d), so that one comparison and one prefix length serve both families.
 * Ports, scopes and flow labels belong to sockets and are not part of it.
 */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct sockaddr;

struct address {
    uint8_t octet[16];
};

/* Room for any address in text with its terminating NUL. */
#define ADDRESS_TEXT_MAX 46

/* Reads exactly one IPv4 (four decimal parts) or IPv6 address without scope. An IPv4-mapped IPv6
 * address reads as the IPv4 address in it. */
bool address_parse(const char *text, size_t len, struct address *out);

/* The address of an AF_INET or AF_INET6 socket address; false for other families. */
bool address_of_sockaddr(const struct sockaddr *sockaddr, struct address *out);

static inline bool address_is_ipv4(const struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}; /* RFC 4291 section 2.5.5.2 */
    return memcmp(address->octet, mapped, sizeof mapped) == 0;
}

bool address_equal(const struct address *a, const struct address *b);

/* Below, equal or above zero, in numerical order of the 128 bits. */
int address_compare(const struct address *a, const struct address *b);

/* How many leading bits two addresses share, 0 to 128. Inline: it is the inner step of every
 * comparison of an address with a network. */
static inline unsigned address_common_bits(const struct address *a, const struct address *b)
{
    uint64_t left[2], right[2];
    memcpy(left, a->octet, sizeof left);
    memcpy(right, b->octet, sizeof right);
    uint64_t high = be64toh(left[0] ^ right[0]);
    uint64_t low = be64toh(left[1] ^ right[1]);
    if (high != 0) {
        return (unsigned)__builtin_clzll(high);
    }
    return low != 0 ? 64U + (unsigned)__builtin_clzll(low) : 128U;
}

/* Text as RFC 5952 writes it, IPv4 as four decimal parts. Returns out. */
char *address_format(const struct address *address, char out[static ADDRESS_TEXT_MAX]);

/* The IPv4 address in a 6to4 address (2002::/16, RFC 3056): who has the one has the other. False
 * for any other address. */
bool address_in_6to4(const struct address *address, struct address *ipv4);
