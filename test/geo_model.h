/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A naive model of "which network is this address in": a list and a loop over its bits. It shares
 * nothing with the structures it judges but the two plain types. And the addresses at which a
 * mistake would show: those on either side of every border.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/country.h"
#include "geo/network.h"
#include "geo/subdivision.h"

#define MODEL_ROWS 64
#define MODEL_ADDRESSES 4096

struct model_row {
    struct network network;
    struct country country;
    struct subdivisions within;
};

struct model {
    struct model_row rows[MODEL_ROWS];
    size_t count;
};

static inline struct address model_address(const char *text)
{
    struct address address;
    ck_assert_msg(address_parse(text, strlen(text), &address), "%s", text);
    return address;
}

/* The code of a country, or of a part of one. */
static inline void model_add(struct model *model, const char *network, const char *code)
{
    char why[320] = "";
    struct model_row row = {.country = COUNTRY_UNKNOWN};
    struct subdivision part;
    ck_assert_msg(network_parse(network, strlen(network), &row.network, why, sizeof why), "%s",
                  why);
    if (subdivision_parse(code, strlen(code), &part)) {
        row.country = part.country;
        memcpy(row.within.level[0], part.code, sizeof part.code);
    } else {
        country_parse(code, strlen(code), &row.country);
    }
    ck_assert_uint_lt(model->count, MODEL_ROWS);
    model->rows[model->count++] = row;
}

/* Reads lines of "network code" or "network,code". */
static inline void model_read(struct model *model, const char *path)
{
    FILE *file = fopen(path, "re");
    ck_assert_msg(file != NULL, "%s (tests run in the root of the tree)", path);
    char line[256], network[128], code[8];
    while (fgets(line, sizeof line, file) != NULL) {
        if (line[0] != '#' && sscanf(line, "%127[^ ,]%*[ ,]%7s", network, code) == 2) {
            model_add(model, network, code);
        }
    }
    fclose(file);
    ck_assert_uint_gt(model->count, 0);
}

static inline unsigned model_bit(const struct address *address, unsigned bit)
{
    return (unsigned)address->octet[bit / 8] >> (7 - bit % 8) & 1U;
}

/* A short IPv6 network holds no IPv4 address, though their mapped form lies in it. */
static inline bool model_holds(const struct network *network, const struct address *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    for (unsigned bit = 0; bit < network->length; bit++) {
        if (model_bit(&network->base, bit) != model_bit(address, bit)) {
            return false;
        }
    }
    return network->length >= 96 || memcmp(address->octet, mapped, sizeof mapped) != 0;
}

/* The row with the longest network around the address; NULL if there is none. */
static inline const struct model_row *model_find(const struct model *model,
                                                 const struct address *address)
{
    const struct model_row *best = NULL;
    for (size_t i = 0; i < model->count; i++) {
        const struct model_row *row = &model->rows[i];
        if (model_holds(&row->network, address) &&
            (best == NULL || row->network.length > best->network.length)) {
            best = row;
        }
    }
    return best;
}

struct model_addresses {
    struct address items[MODEL_ADDRESSES];
    size_t count;
};

static inline void model_addresses_add(struct model_addresses *list, struct address address)
{
    ck_assert_uint_lt(list->count, MODEL_ADDRESSES);
    list->items[list->count++] = address;
}

static inline struct address model_step(struct address address, int step)
{
    for (int i = 15; i >= 0; i--) {
        int octet = address.octet[i] + step;
        address.octet[i] = (uint8_t)octet;
        if (octet >= 0 && octet <= 255) {
            break;
        }
    }
    return address;
}

/* The first and the last address of a network, their neighbours outside, and one in between. */
static inline void model_addresses_around(struct model_addresses *list,
                                          const struct network *network)
{
    struct address first = network->base;
    struct address last = first;
    struct address between = first;
    for (unsigned bit = network->length; bit < 128; bit++) {
        uint8_t mask = (uint8_t)(0x80U >> bit % 8);
        last.octet[bit / 8] |= mask;
        between.octet[bit / 8] |= lrand48() % 2 == 0 ? mask : 0;
    }
    model_addresses_add(list, first);
    model_addresses_add(list, last);
    model_addresses_add(list, between);
    model_addresses_add(list, model_step(first, -1));
    model_addresses_add(list, model_step(last, 1));
}

static inline void model_addresses_of(struct model_addresses *list, const struct model *model)
{
    for (size_t i = 0; i < model->count; i++) {
        model_addresses_around(list, &model->rows[i].network);
    }
}

/* The 6to4, Teredo and NAT64 addresses that carry the IPv4 addresses of the list, each with zeros
 * and with ones behind. */
static inline void model_addresses_transition(struct model_addresses *list)
{
    static const struct {
        uint8_t prefix[12];
        size_t size;
    } forms[] = {
        {{0x20, 0x02}, 2},
        {{0x20, 0x01, 0, 0}, 4},
        {{0x00, 0x64, 0xff, 0x9b}, 12},
        {{0x00, 0x64, 0xff, 0x9b, 0, 1}, 12},
        {{0}, 12},
    };
    size_t count = list->count;
    for (size_t i = 0; i < count; i++) {
        if (!address_is_ipv4(&list->items[i])) {
            continue;
        }
        for (size_t form = 0; form < sizeof forms / sizeof forms[0]; form++) {
            struct address low = {{0}}, high;
            memset(&high, 0xff, sizeof high);
            memcpy(low.octet, forms[form].prefix, forms[form].size);
            memcpy(high.octet, forms[form].prefix, forms[form].size);
            memcpy(low.octet + forms[form].size, list->items[i].octet + 12, 4);
            memcpy(high.octet + forms[form].size, list->items[i].octet + 12, 4);
            model_addresses_add(list, low);
            model_addresses_add(list, high);
        }
    }
}
