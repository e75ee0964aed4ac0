/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses to and from text and socket addresses. Text is the C library's business; what is added
 * here is the length instead of a NUL and the one form for both families.
 */
#include "geo/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t ipv4_mapped[12] = {[10] = 0xff, [11] = 0xff};

static struct address of_ipv4(const void *octets)
{
    struct address address;
    memcpy(address.octet, ipv4_mapped, sizeof ipv4_mapped);
    memcpy(address.octet + 12, octets, 4);
    return address;
}

bool address_parse(const char *text, size_t len, struct address *out)
{
    char copy[ADDRESS_TEXT_MAX];
    if (len >= sizeof copy || memchr(text, '\0', len) != NULL) {
        return false;
    }
    memcpy(copy, text, len);
    copy[len] = '\0';
    uint8_t octets[4];
    if (inet_pton(AF_INET, copy, octets) == 1) {
        *out = of_ipv4(octets);
        return true;
    }
    struct address address;
    if (inet_pton(AF_INET6, copy, address.octet) != 1) {
        return false;
    }
    *out = address;
    return true;
}

/* Copies the fields out instead of casting the pointer, which may be of any alignment and type. */
bool address_of_sockaddr(const struct sockaddr *sockaddr, struct address *out)
{
    if (sockaddr->sa_family == AF_INET) {
        struct sockaddr_in ipv4;
        memcpy(&ipv4, sockaddr, sizeof ipv4);
        *out = of_ipv4(&ipv4.sin_addr);
        return true;
    }
    if (sockaddr->sa_family == AF_INET6) {
        struct sockaddr_in6 ipv6;
        memcpy(&ipv6, sockaddr, sizeof ipv6);
        memcpy(out->octet, &ipv6.sin6_addr, sizeof out->octet);
        return true;
    }
    return false;
}

bool address_equal(const struct address *a, const struct address *b)
{
    return address_compare(a, b) == 0;
}

int address_compare(const struct address *a, const struct address *b)
{
    return memcmp(a->octet, b->octet, sizeof a->octet);
}

char *address_format(const struct address *address, char out[static ADDRESS_TEXT_MAX])
{
    if (address_is_ipv4(address)) {
        inet_ntop(AF_INET, address->octet + 12, out, ADDRESS_TEXT_MAX);
    } else {
        inet_ntop(AF_INET6, address->octet, out, ADDRESS_TEXT_MAX);
    }
    return out;
}

bool address_in_6to4(const struct address *address, struct address *ipv4)
{
    if (address->octet[0] != 0x20 || address->octet[1] != 0x02) {
        return false;
    }
    *ipv4 = (struct address){{[10] = 0xff, 0xff}};
    memcpy(ipv4->octet + 12, address->octet + 2, 4);
    return true;
}
