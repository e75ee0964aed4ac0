/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses of sockets in forwarder.conf: IPv4 and IPv6, link-local ones with their zone. Reading
 * one asks the system for nothing but the number of a zone's interface.
 */
#pragma once

#include "forwarder/config/config.h"
#include "forwarder/config/config_table.h"

/* Reads "192.0.2.1", "2001:db8::1" or "fe80::1%eth0"; *zone is 0 but for a link-local address. An
 * IPv4-mapped address is the IPv4 address in it. False with a sentence: no address; multicast; a
 * link-local address without its zone, a zone elsewhere or of no interface here. */
bool config_address_parse(const struct config_value *value, struct address *out, uint32_t *zone,
                          char why[static WHY_MAX]);

/* 0.0.0.0 or ::. */
bool config_address_is_any(const struct address *address);

/* The socket address with port 0. */
void config_address_fill(const struct address *address, uint32_t zone, struct config_address *out);

/* Does nothing to an address that was never filled. */
void config_address_set_port(struct config_address *address, uint16_t port);

#define CONFIG_ADDRESS_TEXT_MAX 80

/* "192.0.2.1:53", "[2001:db8::1]:53"; out itself. */
const char *config_address_format(const struct config_address *address,
                                  char out[static CONFIG_ADDRESS_TEXT_MAX]);

/* The same family, address, port and zone? */
bool config_address_equal(const struct config_address *a, const struct config_address *b);
