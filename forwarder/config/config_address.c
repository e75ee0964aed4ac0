/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text to addresses, and those to socket addresses. Invariant: what is filled is either AF_INET or
 * AF_INET6 with every other octet zero, so that two are equal when their octets are.
 */
#include "forwarder/config/config_address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "geo/address.h"

static bool is_link_local(const struct address *address)
{
    return !address_is_ipv4(address) && address->octet[0] == 0xfe &&
           (address->octet[1] & 0xc0) == 0x80;
}

static bool is_multicast(const struct address *address)
{
    return address_is_ipv4(address) ? (address->octet[12] & 0xf0) == 0xe0
                                    : address->octet[0] == 0xff;
}

/* The number of a zone, which is the name of an interface here or its number. 0: there is none. */
static uint32_t find_zone(const char *text, size_t len)
{
    char name[IF_NAMESIZE];
    if (len == 0 || len >= sizeof name) {
        return 0;
    }
    memcpy(name, text, len);
    name[len] = '\0';
    uint32_t zone = if_nametoindex(name);
    if (zone != 0 || strspn(name, "0123456789") != len) {
        return zone;
    }
    for (size_t i = 0; i < len; i++) {
        if (__builtin_mul_overflow(zone, 10, &zone) ||
            __builtin_add_overflow(zone, (uint32_t)(name[i] - '0'), &zone)) {
            return 0;
        }
    }
    return if_indextoname(zone, name) != NULL ? zone : 0;
}

static bool refuse(char why[static WHY_MAX], const char *what, const struct config_value *value)
{
    snprintf(why, WHY_MAX, "%s, not %s", what, value->shown);
    return false;
}

bool config_address_parse(const struct config_value *value, struct address *out, uint32_t *zone,
                          char why[static WHY_MAX])
{
    const char *percent = memchr(value->text, '%', value->len);
    size_t len = percent == NULL ? value->len : (size_t)(percent - value->text);
    *zone = 0;
    if (!address_parse(value->text, len, out)) {
        return refuse(why, "needs an IPv4 or IPv6 address", value);
    }
    if (is_multicast(out)) {
        return refuse(why, "needs the address of one host", value);
    }
    if (!is_link_local(out)) {
        return percent == NULL || refuse(why, "takes a zone with link-local addresses only", value);
    }
    if (percent == NULL) {
        return refuse(why, "needs the zone of a link-local address (fe80::1%eth0)", value);
    }
    *zone = find_zone(percent + 1, value->len - len - 1);
    return *zone != 0 || refuse(why, "needs an interface of this machine behind the %", value);
}

bool config_address_is_any(const struct address *address)
{
    static const struct address any = {{0}}, any_ipv4 = {{[10] = 0xff, [11] = 0xff}};
    return address_equal(address, &any) || address_equal(address, &any_ipv4);
}

void config_address_fill(const struct address *address, uint32_t zone, struct config_address *out)
{
    *out = (struct config_address){.size = 0};
    if (address_is_ipv4(address)) {
        struct sockaddr_in *ipv4 = (struct sockaddr_in *)&out->sockaddr;
        ipv4->sin_family = AF_INET;
        memcpy(&ipv4->sin_addr, address->octet + 12, 4);
        out->size = sizeof *ipv4;
    } else {
        struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&out->sockaddr;
        ipv6->sin6_family = AF_INET6;
        memcpy(&ipv6->sin6_addr, address->octet, sizeof address->octet);
        ipv6->sin6_scope_id = zone;
        out->size = sizeof *ipv6;
    }
}

void config_address_set_port(struct config_address *address, uint16_t port)
{
    if (address->sockaddr.ss_family == AF_INET) {
        ((struct sockaddr_in *)&address->sockaddr)->sin_port = htons(port);
    } else if (address->sockaddr.ss_family == AF_INET6) {
        ((struct sockaddr_in6 *)&address->sockaddr)->sin6_port = htons(port);
    }
}

bool config_address_equal(const struct config_address *a, const struct config_address *b)
{
    return a->size == b->size && memcmp(&a->sockaddr, &b->sockaddr, a->size) == 0;
}

const char *config_address_format(const struct config_address *address,
                                  char out[static CONFIG_ADDRESS_TEXT_MAX])
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address->sockaddr.ss_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const struct sockaddr_in *)&address->sockaddr;
        inet_ntop(AF_INET, &ipv4->sin_addr, host, sizeof host);
        snprintf(out, CONFIG_ADDRESS_TEXT_MAX, "%s:%u", host, (unsigned)ntohs(ipv4->sin_port));
    } else {
        const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&address->sockaddr;
        inet_ntop(AF_INET6, &ipv6->sin6_addr, host, sizeof host);
        snprintf(out, CONFIG_ADDRESS_TEXT_MAX, "[%s]:%u", host, (unsigned)ntohs(ipv6->sin6_port));
    }
    return out;
}
