/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading a question (see explain_question.h). A name is read twice at most: as orders write names,
 * so that U-labels mean here what they mean there, and if it is no host name, as the DNS writes
 * names, since a client may ask for anything.
 */
#include "forwarder/explain/explain_question.h"

#include <stdio.h>
#include <string.h>

#include "forwarder/explain/plain_text.h"
#include "forwarder/wire/edns.h"
#include "libknot/descriptor.h"
#include "libknot/dname.h"
#include "policy/instant.h"

/* How much of what a person wrote is worth repeating to him. */
#define QUOTE_MAX 128

static bool refuse(char why[static WHY_MAX], const char *what, const char *text)
{
    char quote[QUOTE_MAX];
    snprintf(why, WHY_MAX, "%s: %s", what, plain_text(text, quote, sizeof quote));
    return false;
}

/* Reads presentation format. Only ASCII, because what IDNA refuses must not come back as raw
 * octets that no client sends; and no URL, which would be forwarded as a name of no order. */
static bool parse_presentation(const char *text, struct dname *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        if ((unsigned char)*at >= 0x80) {
            return false;
        }
    }
    knot_dname_storage_t wire;
    return strstr(text, "://") == NULL && knot_dname_from_str(wire, text, sizeof wire) != NULL &&
           dname_decode(wire, sizeof wire, out);
}

static bool parse_name(const char *text, struct dname *out, char why[static WHY_MAX])
{
    char reason[WHY_MAX];
    if (dname_parse(text, strlen(text), out, reason) || parse_presentation(text, out)) {
        return true;
    }
    char quote[QUOTE_MAX];
    snprintf(why, WHY_MAX, "not a domain name: %s: %.160s", plain_text(text, quote, sizeof quote),
             reason);
    return false;
}

bool explain_question_time(const char *text, int64_t *out, char why[static WHY_MAX])
{
    char midnight[INSTANT_TEXT_MAX];
    size_t len = strlen(text);
    if (instant_is_date(text, len)) {
        int size = snprintf(midnight, sizeof midnight, "%sT00:00:00Z", text);
        return instant_parse(midnight, (size_t)size, out);
    }
    return instant_parse(text, len, out) ||
           refuse(why, "not a date (2026-01-01) or RFC 3339 time (2026-01-01T00:00:00Z)", text);
}

bool explain_question_parse(struct explain_question *out, const char *address, const char *name,
                            const char *type, char why[static WHY_MAX])
{
    if (!address_parse(address, strlen(address), &out->address)) {
        return refuse(why, "not an IPv4 or IPv6 address", address);
    }
    if (!parse_name(name, &out->name, why)) {
        return false;
    }
    out->type = DNS_TYPE_A;
    out->link_count = 0;
    return type == NULL || knot_rrtype_from_string(type, &out->type) == 0 ||
           refuse(why, "not a record type (A, AAAA, TYPE65280, ...)", type);
}

bool explain_question_add_link(struct explain_question *question, const char *text,
                               char why[static WHY_MAX])
{
    if (question->link_count == EXPLAIN_LINKS_MAX) {
        return refuse(why, "one name or address too many for an answer", text);
    }
    struct explain_link *link = &question->links[question->link_count];
    link->is_name = !address_parse(text, strlen(text), &link->address);
    if (link->is_name && !parse_name(text, &link->name, why)) {
        return false;
    }
    question->link_count++;
    return true;
}

static void write_opt(struct span_writer *writer, bool structured)
{
    span_write_u8(writer, 0);
    span_write_u16(writer, DNS_TYPE_OPT);
    span_write_u16(writer, EDNS_UDP_SIZE);
    span_write_u32(writer, 0);
    span_write_u16(writer, structured ? 4 : 0); /* RDLENGTH */
    if (structured) {
        span_write_u16(writer, EDNS_OPTION_SDE);
        span_write_u16(writer, 0);
    }
}

size_t explain_question_encode(const struct explain_question *question, bool structured,
                               uint8_t out[static EXPLAIN_QUESTION_MAX])
{
    struct span_writer writer = span_writer(out, EXPLAIN_QUESTION_MAX);
    span_write_u16(&writer, 0); /* ID */
    span_write_u16(&writer, DNS_FLAG_RD);
    span_write_u16(&writer, 1); /* QDCOUNT */
    span_write_u16(&writer, 0);
    span_write_u16(&writer, 0);
    span_write_u16(&writer, 1); /* ARCOUNT */
    span_write(&writer, (struct span){question->name.wire, question->name.size});
    span_write_u16(&writer, question->type);
    span_write_u16(&writer, DNS_CLASS_IN);
    write_opt(&writer, structured);
    return writer.size;
}

size_t explain_question_encode_link(const struct explain_question *question,
                                    const struct explain_link *link,
                                    uint8_t out[static EXPLAIN_LINK_MAX])
{
    bool ipv4 = !link->is_name && address_is_ipv4(&link->address);
    uint16_t type = ipv4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
    struct span data = {link->address.octet + (ipv4 ? 12 : 0), ipv4 ? 4 : 16};
    if (link->is_name) {
        type = DNS_TYPE_CNAME;
        data = (struct span){link->name.wire, link->name.size};
    }
    struct span_writer writer = span_writer(out, EXPLAIN_LINK_MAX);
    span_write_u16(&writer, 0); /* ID */
    span_write_u16(&writer, DNS_FLAG_QR | DNS_FLAG_RD | DNS_FLAG_RA);
    span_write_u16(&writer, 1); /* QDCOUNT */
    span_write_u16(&writer, 1); /* ANCOUNT */
    span_write_u16(&writer, 0);
    span_write_u16(&writer, 0);
    span_write(&writer, (struct span){question->name.wire, question->name.size});
    span_write_u16(&writer, question->type);
    span_write_u16(&writer, DNS_CLASS_IN);
    span_write_u16(&writer, dns_pointer(DNS_HEADER_SIZE));
    span_write_u16(&writer, type);
    span_write_u16(&writer, DNS_CLASS_IN);
    span_write_u32(&writer, 0);
    span_write_u16(&writer, (uint16_t)data.size);
    span_write(&writer, data);
    return writer.size;
}
