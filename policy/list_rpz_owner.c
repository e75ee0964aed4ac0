/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Owners of a response policy zone. Addresses are read as BIND reads them: a prefix length without
 * leading zeros, from 1; four numbers, or up to eight hexadecimal words of which zz stands for ::;
 * and no bit set behind the prefix length.
 */
#include "policy/list_rpz_owner.h"

#include <stdio.h>
#include <string.h>

#define IPV4_PARTS 4U
#define IPV6_WORDS 8U
#define IPV4_MAPPED_BITS 96U

/* The last label of an owner without its zone, where it is not a name of a question. */
static const struct {
    const char *label;
    enum list_rpz_trigger trigger;
} kinds[] = {
    {"rpz-ip", LIST_RPZ_ANSWER},
    {"rpz-client-ip", LIST_RPZ_CLIENT},
    {"rpz-nsip", LIST_RPZ_NOT_APPLICABLE},
    {"rpz-nsdname", LIST_RPZ_NOT_APPLICABLE},
};

static bool refuse(char why[static WHY_MAX], const char *sentence)
{
    snprintf(why, WHY_MAX, "%s", sentence);
    return false;
}

static bool label_is(const uint8_t *label, const char *text)
{
    size_t n = strlen(text);
    return label[0] == n && memcmp(label + 1, text, n) == 0;
}

/* A number of at most max in a label; a decimal one without leading zeros. */
static bool read_number(const uint8_t *label, unsigned base, unsigned max, unsigned *out)
{
    static const char digits[] = "0123456789abcdef";
    size_t n = label[0];
    *out = 0;
    for (size_t i = 1; i <= n; i++) {
        const char *digit = memchr(digits, label[i], base);
        if (digit == NULL || (base == 10 && i == 2 && label[1] == '0')) {
            return false;
        }
        *out = *out * base + (unsigned)(digit - digits);
        if (*out > max) {
            return false;
        }
    }
    return true;
}

/* The labels of an address, last part first. */
struct parts {
    const uint8_t *label[IPV6_WORDS + 1];
    unsigned count;
    bool gap; /* zz is one of them */
};

static bool take_parts(const struct dname *owner, struct parts *out)
{
    const uint8_t *label = owner->wire + 1 + owner->wire[0]; /* behind the prefix length */
    *out = (struct parts){.count = owner->labels - 2U};      /* without it and rpz-ip */
    if (out->count > IPV6_WORDS) {
        return false;
    }
    for (unsigned i = 0; i < out->count; i++, label += 1 + label[0]) {
        out->label[i] = label;
        out->gap = out->gap || label_is(label, "zz");
    }
    return true;
}

static bool read_ipv4(const struct parts *parts, struct address *out)
{
    *out = (struct address){.octet = {[10] = 0xFF, [11] = 0xFF}};
    for (unsigned i = 0; i < IPV4_PARTS; i++) {
        unsigned number;
        if (!read_number(parts->label[i], 10, 255, &number)) {
            return false;
        }
        out->octet[15 - i] = (uint8_t)number;
    }
    return true;
}

static bool read_ipv6(const struct parts *parts, struct address *out)
{
    *out = (struct address){0};
    unsigned words = 0; /* from the end of the address */
    bool gap = false;
    for (unsigned i = 0; i < parts->count; i++) {
        unsigned number;
        if (!gap && label_is(parts->label[i], "zz")) {
            gap = true;
            words += IPV6_WORDS - (parts->count - 1);
            continue;
        }
        if (words == IPV6_WORDS || !read_number(parts->label[i], 16, 0xFFFF, &number)) {
            return false; /* a second zz is no number */
        }
        out->octet[15 - 2 * words] = (uint8_t)number;
        out->octet[14 - 2 * words] = (uint8_t)(number >> 8);
        words++;
    }
    return words == IPV6_WORDS;
}

/* Reads prefix.parts….rpz-ip, the zone taken off. */
static bool read_network(const struct dname *owner, struct network *out, char why[static WHY_MAX])
{
    struct parts parts;
    struct address address;
    unsigned length;
    if (owner->labels < 3 || !take_parts(owner, &parts)) {
        return refuse(why, "expected a prefix length and the parts of an address in reverse, as "
                           "in 24.0.2.0.192.rpz-ip or 48.zz.db8.2001.rpz-ip");
    }
    bool ipv4 = parts.count == IPV4_PARTS && !parts.gap;
    if (!read_number(owner->wire, 10, ipv4 ? 32 : 128, &length) || length == 0) {
        return refuse(why, ipv4 ? "expected a prefix length from 1 to 32 as the first label"
                                : "expected a prefix length from 1 to 128 as the first label");
    }
    if (!(ipv4 ? read_ipv4(&parts, &address) : read_ipv6(&parts, &address))) {
        return refuse(why, ipv4 ? "expected four numbers from 0 to 255, the last one first"
                                : "expected eight hexadecimal words, the last one first, or fewer "
                                  "and one zz for the zeros between them");
    }
    *out = network_around(&address, length + (ipv4 ? IPV4_MAPPED_BITS : 0));
    if (!address_equal(&out->base, &address)) {
        return refuse(why, "the address has bits set behind its prefix length");
    }
    return true;
}

/* The owner without its zone; false if it is not in it. */
static bool take_zone_off(const struct dname *owner, const struct dname *zone, struct dname *out)
{
    if (!dname_within(owner, zone)) {
        return false;
    }
    out->size = (uint8_t)(owner->size - zone->size + 1);
    out->labels = (uint8_t)(owner->labels - zone->labels);
    memcpy(out->wire, owner->wire, out->size - 1U);
    out->wire[out->size - 1] = 0;
    return true;
}

static enum list_rpz_trigger kind_of(const struct dname *relative)
{
    struct dname last;
    dname_suffix(relative, 1, &last);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (label_is(last.wire, kinds[i].label)) {
            return kinds[i].trigger;
        }
    }
    return label_is(relative->wire, "*") ? LIST_RPZ_BELOW : LIST_RPZ_NAME;
}

enum list_rpz_trigger list_rpz_owner_read(const struct dname *owner, const struct dname *zone,
                                          struct list_rpz_owner *out, char why[static WHY_MAX])
{
    out->trigger = LIST_RPZ_BAD;
    if (!take_zone_off(owner, zone, &out->name)) {
        char text[DNAME_TEXT_MAX];
        snprintf(why, WHY_MAX, "the owner is not in the zone %.200s", dname_format(zone, text));
        return out->trigger;
    }
    if (out->name.labels == 0) {
        out->trigger = LIST_RPZ_APEX;
        return out->trigger;
    }
    enum list_rpz_trigger trigger = kind_of(&out->name);
    if ((trigger == LIST_RPZ_ANSWER || trigger == LIST_RPZ_CLIENT) &&
        !read_network(&out->name, &out->network, why)) {
        return out->trigger;
    }
    if (trigger == LIST_RPZ_BELOW) {
        dname_suffix(&out->name, out->name.labels - 1U, &out->name);
    }
    out->trigger = trigger;
    return trigger;
}
