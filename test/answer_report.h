/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What libknot reads in an answer that is made here, as text: a line for the header, one for the
 * question, one a record and one for the OPT. And the query, as the path reads it. Everything
 * asserts.
 */
#pragma once

#include <check.h>
#include <libknot/libknot.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "forwarder/block.h"

static inline struct block_query read_query(struct span message)
{
    struct block_query query = {.stream = false};
    ck_assert(dns_header_decode(message, &query.header));
    ck_assert(dns_question_decode(message, &query.question) == DNS_QUESTION_ONE);
    edns_query_decode(message, &query.question, &query.edns);
    return query;
}

/* What libknot reads in an answer, as text. */
struct report {
    char text[16384];
    size_t used;
};

__attribute__((format(printf, 2, 3))) static inline void report(struct report *report,
                                                                const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length =
        vsnprintf(report->text + report->used, sizeof report->text - report->used, format, args);
    va_end(args);
    ck_assert(length >= 0 && (size_t)length < sizeof report->text - report->used);
    report->used += (size_t)length;
}

static inline void report_name(struct report *out, const knot_dname_t *name)
{
    char *text = knot_dname_to_str_alloc(name);
    report(out, "%s", text);
    free(text);
}

static inline void report_type(struct report *out, uint16_t type, uint16_t class)
{
    char text[32];
    knot_rrclass_to_string(class, text, sizeof text);
    report(out, " %s", text);
    knot_rrtype_to_string(type, text, sizeof text);
    report(out, " %s", text);
}

static inline void report_section(struct report *out, const knot_pkt_t *packet,
                                  knot_section_t section)
{
    const knot_pktsection_t *records = knot_pkt_section(packet, section);
    for (uint16_t i = 0; i < records->count; i++) {
        const knot_rrset_t *record = knot_pkt_rr(records, i);
        if (record->type == KNOT_RRTYPE_OPT) {
            continue;
        }
        char data[2048];
        ck_assert_int_ge(
            knot_rrset_txt_dump_data(record, 0, data, sizeof data, &KNOT_DUMP_STYLE_DEFAULT), 0);
        report(out, section == KNOT_ANSWER ? "\nanswer " : "\nauthority ");
        report_name(out, record->owner);
        report(out, " %u", record->ttl);
        report_type(out, record->type, record->rclass);
        report(out, " %s", data);
    }
}

static inline void report_opt(struct report *out, const knot_pkt_t *packet)
{
    const knot_rrset_t *opt = packet->opt_rr;
    report(out, "\nopt %u%s", knot_edns_get_payload(opt), knot_edns_do(opt) ? " do" : "");
    const uint8_t *cookie = knot_edns_get_option(packet->opt_rr, KNOT_EDNS_OPTION_COOKIE, NULL);
    if (cookie != NULL) {
        report(out, " cookie ");
        for (uint16_t i = 0; i < knot_edns_opt_get_length(cookie); i++) {
            report(out, "%02x", knot_edns_opt_get_data((uint8_t *)cookie)[i]);
        }
    }
    const uint8_t *error = knot_edns_get_option(packet->opt_rr, KNOT_EDNS_OPTION_EDE, NULL);
    if (error != NULL) {
        const uint8_t *data = knot_edns_opt_get_data((uint8_t *)error);
        report(out, " ede %u %.*s", knot_wire_read_u16(data), knot_edns_opt_get_length(error) - 2,
               (const char *)data + 2);
    }
}

/* Opens an answer with libknot, which must find a whole message. */
static inline knot_pkt_t *read_answer(const char *label, uint8_t *bytes, size_t size)
{
    ck_assert_msg(size <= DNS_MESSAGE_MAX, "%s", label);
    knot_pkt_t *packet = knot_pkt_new(bytes, (uint16_t)size, NULL);
    int result = knot_pkt_parse(packet, KNOT_PF_KEEPWIRE | KNOT_PF_NOCANON);
    ck_assert_msg(result == KNOT_EOK, "%s: %s", label, knot_strerror(result));
    return packet;
}

static inline void report_answer(struct report *out, const char *label, uint8_t *bytes, size_t size)
{
    knot_pkt_t *packet = read_answer(label, bytes, size);
    out->used = 0;
    report(out, "%s %u%s%s%s%s%s%s%s%s\n", knot_pkt_ext_rcode_name(packet),
           knot_wire_get_opcode(bytes), knot_wire_get_qr(bytes) ? " qr" : "",
           knot_wire_get_aa(bytes) ? " aa" : "", knot_wire_get_tc(bytes) ? " tc" : "",
           knot_wire_get_rd(bytes) ? " rd" : "", knot_wire_get_ra(bytes) ? " ra" : "",
           knot_wire_get_z(bytes) ? " z" : "", knot_wire_get_ad(bytes) ? " ad" : "",
           knot_wire_get_cd(bytes) ? " cd" : "");
    if (knot_wire_get_qdcount(bytes) == 1) {
        report_name(out, knot_pkt_wire_qname(packet));
        report_type(out, knot_pkt_qtype(packet), knot_pkt_qclass(packet));
    }
    report_section(out, packet, KNOT_ANSWER);
    report_section(out, packet, KNOT_AUTHORITY);
    if (packet->opt_rr != NULL) {
        report_opt(out, packet);
    }
    knot_pkt_free(packet);
}
