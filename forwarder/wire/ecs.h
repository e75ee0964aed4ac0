/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The data of an ECS option, edns-client-subnet (RFC 7871 section 6): a network, in the name of
 * which a query is asked. Pure: no clock, no heap, no sockets.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "forwarder/wire/span.h"

#define ECS_FAMILY_NONE 0 /* as some send it with SOURCE 0 */
#define ECS_FAMILY_IPV4 1
#define ECS_FAMILY_IPV6 2

#define ECS_FIXED 4              /* octets of FAMILY, SOURCE and SCOPE */
#define ECS_MAX (ECS_FIXED + 16) /* octets of data */

struct ecs {
    uint16_t family;
    uint8_t source;    /* SOURCE PREFIX-LENGTH: how many bits of the address are told; 0: none */
    uint8_t scope;     /* SCOPE PREFIX-LENGTH */
    uint8_t octet[16]; /* the network's first address; IPv4 in its IPv4-mapped form */
};

/* Reads the data of an option. False if it is malformed: another family, a SOURCE or SCOPE that is
 * too long for the family, more or fewer octets of ADDRESS than SOURCE needs, or bits set behind
 * it. */
bool ecs_decode(struct span data, struct ecs *out);

/* Appends the option's data. */
void ecs_encode(struct span_writer *writer, const struct ecs *ecs);
