/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A pass over the records of an answer, and then over its DNAME records if there are any, for they
 * may stand before the aliases that lead to them, also those that others of them make (see
 * answer_links.h). A record that cannot be understood is passed over and remembered; the next one
 * begins where its RDLENGTH says.
 */
#include "forwarder/answer_links.h"

#include <string.h>

#include "forwarder/wire/records.h"

#define SVC_IPV4HINT 4 /* keys of SvcParams (RFC 9460 section 14.3.2) */
#define SVC_IPV6HINT 6
#define IPV4_SIZE 4
#define IPV6_SIZE 16

struct walk {
    struct span message;
    answer_link_fn *fn;
    void *ctx;
    bool cut;
    bool stopped;
    unsigned names_left; /* that may still be told of */
    unsigned addresses_left;
    struct dname tail; /* the last alias of the qname that is known */
    size_t name_count;
    struct dname names[ANSWER_LINKS_NAMES]; /* the qname, then those told of, each once */
    size_t dname_count;
    struct records_record dnames[ANSWER_LINKS_NAMES_TOLD]; /* the first ones; their turn comes */
};

/* ---- Telling ---- */

static bool is_known(const struct walk *walk, const struct dname *name)
{
    for (size_t i = 0; i < walk->name_count; i++) {
        if (dname_equal(&walk->names[i], name)) {
            return true;
        }
    }
    return false;
}

static void remember(struct walk *walk, const struct dname *name)
{
    if (walk->name_count < ANSWER_LINKS_NAMES && !is_known(walk, name)) {
        walk->names[walk->name_count++] = *name;
    }
}

static void tell_name(struct walk *walk, const struct dname *name)
{
    struct answer_link link = {.name = name};
    remember(walk, name);
    if (walk->names_left == 0) {
        walk->cut = true;
    } else if (!walk->stopped) {
        walk->names_left--;
        walk->stopped = walk->fn(walk->ctx, &link);
    }
}

static void tell_address(struct walk *walk, const struct address *address)
{
    struct answer_link link = {.address = *address};
    if (walk->addresses_left == 0) {
        walk->cut = true;
    } else if (!walk->stopped) {
        walk->addresses_left--;
        walk->stopped = walk->fn(walk->ctx, &link);
    }
}

static struct address ipv4_address(const uint8_t octets[static IPV4_SIZE])
{
    struct address address = {{[10] = 0xff, 0xff}};
    memcpy(address.octet + IPV6_SIZE - IPV4_SIZE, octets, IPV4_SIZE);
    return address;
}

static struct address ipv6_address(const uint8_t octets[static IPV6_SIZE])
{
    struct address address;
    memcpy(address.octet, octets, IPV6_SIZE);
    return address;
}

/* 64:ff9b::/96, RFC 6052 section 2.1. */
static bool is_nat64(const struct address *address)
{
    static const uint8_t PREFIX[] = {0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0};
    return memcmp(address->octet, PREFIX, sizeof PREFIX) == 0;
}

static void tell_ipv6(struct walk *walk, const uint8_t octets[static IPV6_SIZE])
{
    struct address address = ipv6_address(octets);
    struct address ipv4;
    tell_address(walk, &address);
    if (address_in_6to4(&address, &ipv4)) {
        tell_address(walk, &ipv4);
    } else if (is_nat64(&address)) {
        ipv4 = ipv4_address(octets + IPV6_SIZE - IPV4_SIZE);
        tell_address(walk, &ipv4);
    }
}

/* Addresses of one family, one behind the other. */
static void tell_addresses(struct walk *walk, struct span run, size_t size)
{
    for (; run.size >= size; run.bytes += size, run.size -= size) {
        if (size == IPV4_SIZE) {
            struct address address = ipv4_address(run.bytes);
            tell_address(walk, &address);
        } else {
            tell_ipv6(walk, run.bytes);
        }
    }
    walk->cut = walk->cut || run.size != 0;
}

/* ---- Reading ---- */

/* The name at *at, in canonical form; false, noted, if there is none. */
static bool read_name(struct walk *walk, size_t *at, size_t end, struct dname *out)
{
    struct records_name name;
    if (records_name_read(walk->message, at, end, &name) &&
        dname_decode(name.wire, name.size, out)) {
        return true;
    }
    walk->cut = true;
    return false;
}

static bool read_owner(struct walk *walk, const struct records_record *record, struct dname *out)
{
    size_t at = record->owner;
    return read_name(walk, &at, walk->message.size, out);
}

static bool read_target(struct walk *walk, const struct records_record *record, struct dname *out)
{
    size_t at = record->data;
    return read_name(walk, &at, record->data + record->size, out);
}

static void read_cname(struct walk *walk, const struct records_record *record)
{
    struct dname owner;
    struct dname target;
    if (!read_target(walk, record, &target)) {
        return;
    }
    if (read_owner(walk, record, &owner) && dname_equal(&owner, &walk->tail)) {
        walk->tail = target;
    }
    tell_name(walk, &target);
}

/* What name, below owner, becomes by a DNAME of owner (RFC 6672 section 2.2). */
static bool substitute(const struct dname *name, const struct dname *owner,
                       const struct dname *target, struct dname *out)
{
    uint8_t wire[DNAME_MAX];
    size_t prefix = (size_t)name->size - owner->size;
    if (prefix + target->size > sizeof wire) {
        return false; /* YXDOMAIN: it becomes nothing */
    }
    memcpy(wire, name->wire, prefix);
    memcpy(wire + prefix, target->wire, target->size);
    return dname_decode(wire, prefix + target->size, out);
}

static bool is_below(const struct dname *name, const struct dname *ancestor)
{
    return name->labels > ancestor->labels && dname_within(name, ancestor);
}

/* Tells of what a name becomes if it is below the DNAME; false if it is not. */
static bool lead(struct walk *walk, const struct dname *name, const struct dname *owner,
                 const struct dname *target)
{
    struct dname led;
    if (!is_below(name, owner)) {
        return false;
    }
    if (substitute(name, owner, target, &led) && !is_known(walk, &led)) {
        tell_name(walk, &led);
    }
    return true;
}

/* A DNAME says nothing of its own owner, so its target alone is not where anybody is led; it is
 * told where no name is left that the DNAME might lead on. It may stand before or behind the CNAMEs
 * that lead to it or were made of it: any name may be the one it leads on. */
static void read_dname(struct walk *walk, const struct records_record *record, bool rest)
{
    struct dname owner;
    struct dname target;
    if (walk->names_left == 0) {
        walk->cut = true;
        return;
    }
    if (!read_target(walk, record, &target) || !read_owner(walk, record, &owner)) {
        return;
    }
    size_t known = walk->name_count; /* not what comes of them */
    bool leads = false;
    for (size_t i = 0; i < known; i++) {
        leads = lead(walk, &walk->names[i], &owner, &target) || leads;
    }
    if (!is_known(walk, &walk->tail)) { /* there was no room for it */
        leads = lead(walk, &walk->tail, &owner, &target) || leads;
    }
    if (rest && !leads && !walk->cut) { /* else the alias that leads to it may not have been read */
        tell_name(walk, &target);
    }
}

/* SvcPriority, TargetName and SvcParams (RFC 9460 section 2.2), these in any order and number. */
static void read_svcb(struct walk *walk, const struct records_record *record)
{
    struct dname target;
    size_t end = record->data + record->size;
    size_t at = record->data + sizeof(uint16_t);
    if (at > end || !read_name(walk, &at, end, &target)) {
        walk->cut = true;
        return;
    }
    if (target.labels > 0) { /* else it is the owner, or nothing (section 2.5) */
        tell_name(walk, &target);
    }
    struct span_reader reader = span_reader((struct span){walk->message.bytes + at, end - at});
    while (!reader.failed && reader.at < reader.span.size) {
        uint16_t key = span_read_u16(&reader);
        struct span value = span_read(&reader, span_read_u16(&reader));
        if (key == SVC_IPV4HINT || key == SVC_IPV6HINT) {
            tell_addresses(walk, value, key == SVC_IPV4HINT ? IPV4_SIZE : IPV6_SIZE);
        }
    }
    walk->cut = walk->cut || reader.failed;
}

static void read_address(struct walk *walk, const struct records_record *record, size_t size)
{
    if (record->size != size) {
        walk->cut = true;
        return;
    }
    tell_addresses(walk, (struct span){walk->message.bytes + record->data, size}, size);
}

/* Is this a record that its client may follow? */
static bool is_link(struct walk *walk, const struct records_record *record)
{
    struct dname owner;
    switch (record->type) {
    case DNS_TYPE_CNAME:
    case DNS_TYPE_DNAME:
        break;
    case DNS_TYPE_A:
    case DNS_TYPE_AAAA:
    case DNS_TYPE_SVCB:
    case DNS_TYPE_HTTPS:
        if (record->class != DNS_CLASS_IN) {
            return false;
        }
        break;
    default:
        return false;
    }
    switch (record->section) {
    case RECORDS_ANSWER:
        return true;
    case RECORDS_ADDITIONAL:
        return read_owner(walk, record, &owner) && is_known(walk, &owner);
    case RECORDS_AUTHORITY:
        break;
    }
    return false;
}

static void read_link(struct walk *walk, const struct records_record *record)
{
    switch (record->type) {
    case DNS_TYPE_CNAME:
        read_cname(walk, record);
        return;
    case DNS_TYPE_A:
        read_address(walk, record, IPV4_SIZE);
        return;
    case DNS_TYPE_AAAA:
        read_address(walk, record, IPV6_SIZE);
        return;
    default:
        read_svcb(walk, record);
        return;
    }
}

/* Whose owner it is may be known only when all else has been read. */
static void keep_dname(struct walk *walk, const struct records_record *record)
{
    if (record->section == RECORDS_AUTHORITY) {
        return;
    }
    if (walk->dname_count == ANSWER_LINKS_NAMES_TOLD) {
        walk->cut = true;
        return;
    }
    walk->dnames[walk->dname_count++] = *record;
}

static void read_links(struct walk *walk)
{
    struct records records = records_begin(walk->message);
    struct records_record record;
    while (!walk->stopped && records_next(&records, &record)) {
        if (record.type == DNS_TYPE_DNAME) {
            keep_dname(walk, &record);
        } else if (is_link(walk, &record)) {
            read_link(walk, &record);
        }
    }
    walk->cut = walk->cut || records.broken;
}

static void read_dnames(struct walk *walk, bool rest)
{
    for (size_t i = 0; !walk->stopped && i < walk->dname_count; i++) {
        if (is_link(walk, &walk->dnames[i])) {
            read_dname(walk, &walk->dnames[i], rest);
        }
    }
}

/* Over and over while one makes a name, for another one may lead that on. */
static void follow_dnames(struct walk *walk)
{
    size_t known = 0;
    while (walk->name_count > known) {
        known = walk->name_count;
        read_dnames(walk, false);
    }
    read_dnames(walk, true);
}

enum answer_links_outcome answer_links_walk(struct span answer, const struct dname *qname,
                                            answer_link_fn *fn, void *ctx)
{
    struct walk walk; /* large: names are set as they come */
    walk.message = answer;
    walk.fn = fn;
    walk.ctx = ctx;
    walk.cut = false;
    walk.stopped = false;
    walk.dname_count = 0;
    walk.names_left = ANSWER_LINKS_NAMES_TOLD;
    walk.addresses_left = ANSWER_LINKS_ADDRESSES_TOLD;
    walk.tail = *qname;
    walk.names[0] = *qname;
    walk.name_count = 1;
    read_links(&walk);
    if (walk.dname_count > 0) {
        follow_dnames(&walk);
    }
    if (walk.stopped) {
        return ANSWER_LINKS_STOPPED;
    }
    return walk.cut ? ANSWER_LINKS_CUT : ANSWER_LINKS_WHOLE;
}
