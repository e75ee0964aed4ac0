/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A network: an address and how many of its leading bits count. And a set of networks that is
 * sealed once and then answers "is this address in it" without allocation.
 *
 * IPv4 addresses live in ::ffff:0:0/96, but "::/0" written by a person means all of IPv6 and no
 * IPv4: a network shorter than /96 never holds an IPv4 address.
 */
#pragma once

#include "geo/address.h"

/* The length counts on the 128-bit form: an IPv4 /24 has length 120. Bits behind it are zero. */
struct network {
    struct address base;
    uint8_t length;
};

#define NETWORK_TEXT_MAX (ADDRESS_TEXT_MAX + 4)

/* All of IPv4: ::ffff:0:0/96. */
extern const struct network NETWORK_IPV4;

/* Reads "192.0.2.0/24", "2001:db8::/32" or a bare address (one host). A prefix with bits set behind
 * its length, or out of range, is refused with a sentence in why. */
bool network_parse(const char *text, size_t len, struct network *out, char *why, size_t why_size);

bool network_contains(const struct network *network, const struct address *address);

static inline bool network_equal(const struct network *a, const struct network *b)
{
    return a->length == b->length && address_equal(&a->base, &b->base);
}

/* The network of this length (at most 128) around an address. */
struct network network_around(const struct address *address, unsigned length);

/* The last address of a network: all ones behind its length. */
struct address network_last(const struct network *network);

/* Text with the length of its own family: an IPv4 /120 prints as /24. Returns out. */
char *network_format(const struct network *network, char out[static NETWORK_TEXT_MAX]);

/* An immutable set. NULL is the empty set. */
struct network_set;

/* Copies count networks into a set; NULL when count is 0 or memory is out. The caller frees it. */
struct network_set *network_set_new(const struct network *networks, size_t count);
void network_set_free(struct network_set *set);
bool network_set_contains(const struct network_set *set, const struct address *address);

/* Does any network of the set share an address with this one? */
bool network_set_overlaps(const struct network_set *set, const struct network *network);
