/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ECS in queries of ours and out of their answers (see client_subnet.h).
 */
#include "forwarder/upstream/client_subnet.h"

#include <assert.h>
#include <libknot/consts.h>
#include <libknot/rrtype/opt.h>
#include <string.h>

#include "forwarder/wire/ecs.h"
#include "forwarder/wire/opt_record.h"

static_assert(CLIENT_SUBNET_GROWTH == OPT_RECORD_FIXED + OPT_RECORD_OPTION + ECS_MAX,
              "an OPT with one option");

/* A client's option as RFC 7871 section 6 wants it in a query. */
static bool read_subnet(struct span data, struct ecs *out)
{
    return ecs_decode(data, out) && out->scope == 0;
}

/* The first ECS option among those of an OPT, and how many there are. False if they cannot be
 * read. */
static bool find_option(struct span rdata, struct span *data, unsigned *count)
{
    struct span_reader reader = span_reader(rdata);
    struct opt_record_option option;
    *count = 0;
    while (opt_record_next(&reader, &option)) {
        if (option.code == KNOT_EDNS_OPTION_CLIENT_SUBNET && (*count)++ == 0) {
            *data = option.data;
        }
    }
    return !reader.failed;
}

/* A question that may be asked with the option. */
static bool is_eligible(struct span query)
{
    struct dns_header header;
    struct dns_question question;
    return dns_header_decode(query, &header) && (header.flags & DNS_FLAG_QR) == 0 &&
           dns_opcode(&header) == DNS_OPCODE_QUERY &&
           dns_question_decode(query, &question) == DNS_QUESTION_ONE &&
           question.qclass == DNS_CLASS_IN && question.qtype != DNS_TYPE_AXFR &&
           question.qtype != DNS_TYPE_IXFR;
}

/* The bits of an address in its family that come behind the first bits of its 16 octets. */
static unsigned family_offset(const struct ecs *subnet)
{
    return subnet->family == ECS_FAMILY_IPV4 ? 96 : 0;
}

/* Of the client's address, as much as may be told and is known. */
static struct ecs told_subnet(const struct client_subnet_teller *teller)
{
    bool ipv4 = address_is_ipv4(teller->client);
    struct ecs subnet = {.family = ipv4 ? ECS_FAMILY_IPV4 : ECS_FAMILY_IPV6};
    unsigned width = 128 - family_offset(&subnet);
    unsigned known = teller->spread < width ? width - teller->spread : 0;
    unsigned bits = ipv4 ? teller->ipv4_bits : teller->ipv6_bits;
    subnet.source = (uint8_t)(bits < known ? bits : known);
    memcpy(subnet.octet, teller->client->octet, sizeof subnet.octet);
    return subnet;
}

/* Sets all bits behind SOURCE to zero. */
static void cut(struct ecs *subnet)
{
    for (unsigned bit = family_offset(subnet) + subnet->source; bit < 128; bit++) {
        subnet->octet[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
    }
}

/* Is the one network inside the other? */
static bool covers(const struct ecs *wider, const struct ecs *narrower)
{
    struct address a, b;
    memcpy(a.octet, wider->octet, sizeof a.octet);
    memcpy(b.octet, narrower->octet, sizeof b.octet);
    return wider->family == narrower->family && wider->source <= narrower->source &&
           address_common_bits(&a, &b) >= family_offset(wider) + wider->source;
}

static size_t option_size(const struct ecs *subnet)
{
    return OPT_RECORD_OPTION + ECS_FIXED + (subnet->source + 7U) / 8U;
}

static void write_option(struct span_writer *writer, const struct ecs *subnet)
{
    span_write_u16(writer, KNOT_EDNS_OPTION_CLIENT_SUBNET);
    span_write_u16(writer, (uint16_t)(option_size(subnet) - OPT_RECORD_OPTION));
    ecs_encode(writer, subnet);
}

/* Replaces two octets that have been written. */
static void put_u16(struct span_writer *writer, size_t at, size_t value)
{
    if (writer->failed || value > UINT16_MAX) {
        writer->failed = true;
        return;
    }
    span_put_u16(writer->bytes + at, (uint16_t)value);
}

static size_t arcount(struct span message)
{
    return span_u16(message.bytes + DNS_ARCOUNT_AT);
}

static struct span part(struct span message, size_t from, size_t to)
{
    return (struct span){message.bytes + from, to - from};
}

/* RDATA without its ECS options, and with this one (or none) at the end; sets RDLENGTH, which
 * stands right before. */
static void write_rdata(struct span_writer *writer, struct span rdata, const struct ecs *subnet)
{
    size_t begin = writer->size;
    struct span_reader reader = span_reader(rdata);
    struct opt_record_option option;
    while (opt_record_next(&reader, &option)) {
        if (option.code != KNOT_EDNS_OPTION_CLIENT_SUBNET) {
            span_write(writer, option.whole);
        }
    }
    if (subnet != NULL) {
        write_option(writer, subnet);
    }
    put_u16(writer, begin - 2, writer->size - begin);
}

static void write_with_opt(struct span_writer *writer, struct span query, const struct ecs *subnet)
{
    span_write(writer, query);
    span_write_u8(writer, 0);
    span_write_u16(writer, DNS_TYPE_OPT);
    span_write_u16(writer, (uint16_t)(DNS_UDP_DEFAULT + OPT_RECORD_FIXED + option_size(subnet)));
    span_write_u32(writer, 0);
    span_write_u16(writer, 0);
    write_rdata(writer, (struct span){0}, subnet);
    put_u16(writer, DNS_ARCOUNT_AT, arcount(query) + 1);
}

static void write_with_option(struct span_writer *writer, struct span query,
                              const struct opt_record *opt, const struct ecs *subnet)
{
    span_write(writer, part(query, 0, opt->record.data));
    write_rdata(writer, part(query, opt->record.data, opt->end), subnet);
}

/* Adds the option to the query's own OPT. */
static enum client_subnet change_opt(struct span query, const struct opt_record *opt,
                                     struct ecs *subnet, struct span_writer *out)
{
    struct span data;
    struct ecs own;
    unsigned count;
    bool is_version_0 = (opt->record.ttl >> 16 & 0xff) == 0;
    if (!is_version_0 || opt->behind > 0 ||
        !find_option(part(query, opt->record.data, opt->end), &data, &count)) {
        return CLIENT_SUBNET_NONE;
    }
    if (count == 1) {
        if (!read_subnet(data, &own) || own.source == 0) {
            return CLIENT_SUBNET_NONE;
        }
        subnet->source = covers(&own, subnet) ? own.source : subnet->source;
    }
    cut(subnet);
    write_with_option(out, query, opt, subnet);
    return count == 1 ? CLIENT_SUBNET_REPLACED : CLIENT_SUBNET_OPTION;
}

enum client_subnet client_subnet_query(struct span query, const struct client_subnet_teller *teller,
                                       struct span_writer *out)
{
    enum client_subnet change;
    struct ecs subnet = told_subnet(teller);
    struct opt_record opt;
    if (subnet.source == 0 || !is_eligible(query)) {
        return CLIENT_SUBNET_NONE;
    }
    enum opt_record_outcome found = opt_record_find(query, &opt);
    if (found == OPT_RECORD_UNREADABLE || opt.signed_behind || opt.tail > 0) {
        return CLIENT_SUBNET_NONE;
    }
    if (found == OPT_RECORD_ONE) {
        change = change_opt(query, &opt, &subnet, out);
    } else {
        cut(&subnet);
        write_with_opt(out, query, &subnet);
        change = CLIENT_SUBNET_OPT;
    }
    return out->failed ? CLIENT_SUBNET_NONE : change;
}

/* ---- Answers ---- */

/* What stands behind the OPT, if it may. */
static void write_behind(struct span_writer *writer, struct span answer,
                         const struct opt_record *opt, size_t count)
{
    if (opt_record_may_resize(answer, opt)) {
        span_write(writer, part(answer, opt->end, answer.size));
        put_u16(writer, DNS_ARCOUNT_AT, count);
    } else {
        put_u16(writer, DNS_ARCOUNT_AT, count - opt->behind);
    }
}

static void write_without_opt(struct span_writer *writer, struct span answer,
                              const struct opt_record *opt)
{
    span_write(writer, part(answer, 0, opt->record.owner));
    write_behind(writer, answer, opt, arcount(answer) - 1);
}

static void write_with_rdata(struct span_writer *writer, struct span answer,
                             const struct opt_record *opt, const struct ecs *subnet)
{
    write_with_option(writer, answer, opt, subnet);
    write_behind(writer, answer, opt, arcount(answer));
}

/* The client's own option as an answer repeats it. data: of the answer's option. */
static bool echo_subnet(struct span query, struct span data, struct ecs *out)
{
    struct opt_record opt;
    struct span own;
    unsigned count;
    if (opt_record_find(query, &opt) != OPT_RECORD_ONE ||
        !find_option(part(query, opt.record.data, opt.end), &own, &count) || count != 1 ||
        !read_subnet(own, out)) {
        return false;
    }
    out->scope = data.size >= ECS_FIXED && data.bytes[3] > 0 ? out->source : 0;
    return true;
}

bool client_subnet_answer(struct span answer, enum client_subnet change, struct span query,
                          struct span_writer *out)
{
    struct opt_record opt;
    struct ecs echo;
    struct span data = {0};
    unsigned count;
    if (change == CLIENT_SUBNET_NONE || opt_record_find(answer, &opt) != OPT_RECORD_ONE ||
        opt.signed_behind || opt.tail > 0) {
        return false;
    }
    if (change == CLIENT_SUBNET_OPT) {
        write_without_opt(out, answer, &opt);
        return !out->failed;
    }
    if (!find_option(part(answer, opt.record.data, opt.end), &data, &count) || count == 0) {
        return false;
    }
    bool echoes = change == CLIENT_SUBNET_REPLACED && echo_subnet(query, data, &echo);
    write_with_rdata(out, answer, &opt, echoes ? &echo : NULL);
    return !out->failed;
}

bool client_subnet_withdraw(struct span query, enum client_subnet change, struct span_writer *out)
{
    enum client_subnet removed =
        change == CLIENT_SUBNET_OPT ? CLIENT_SUBNET_OPT : CLIENT_SUBNET_OPTION;
    return client_subnet_answer(query, removed, (struct span){0}, out);
}

bool client_subnet_is_refusal(struct span answer, enum client_subnet change)
{
    struct dns_header header;
    struct opt_record opt;
    if (!dns_header_decode(answer, &header)) {
        return false;
    }
    unsigned rcode = dns_rcode(&header);
    if (rcode == DNS_RCODE_REFUSED || rcode == DNS_RCODE_FORMERR) {
        return true;
    }
    /* An extended rcode cannot be told to a client without an OPT. */
    return change == CLIENT_SUBNET_OPT &&
           (rcode == DNS_RCODE_NOTIMP ||
            (opt_record_find(answer, &opt) == OPT_RECORD_ONE && opt.record.ttl >> 24 != 0));
}
