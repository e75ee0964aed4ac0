/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses and networks as a test writes them. Everything asserts: a row with a slip is no test.
 */
#pragma once

#include <check.h>
#include <string.h>

#include "geo/address.h"
#include "geo/network.h"

static inline struct address address_of(const char *text)
{
    struct address address;
    ck_assert_msg(address_parse(text, strlen(text), &address), "%s", text);
    return address;
}

static inline struct network network_of(const char *text)
{
    struct network network;
    char why[320];
    ck_assert_msg(network_parse(text, strlen(text), &network, why, sizeof why), "%s: %s", text,
                  why);
    return network;
}
