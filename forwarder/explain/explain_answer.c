/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers for people (see explain_answer.h), parsed by libknot.
 */
#include "forwarder/explain/explain_answer.h"

#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/plain_text.h"
#include "libknot/codes.h"
#include "libknot/errcode.h"
#include "libknot/packet/pkt.h"
#include "libknot/rrset-dump.h"

#define EDE_TEXT_MAX 1400 /* no longer than an answer */

/* NULL if memory is out or these are not the octets of a message. */
static knot_pkt_t *parse(struct span answer)
{
    if (answer.size > UINT16_MAX) {
        return NULL;
    }
    knot_pkt_t *packet = knot_pkt_new(NULL, (uint16_t)answer.size, NULL);
    if (packet == NULL) {
        return NULL;
    }
    memcpy(packet->wire, answer.bytes, answer.size);
    packet->size = answer.size;
    if (knot_pkt_parse(packet, 0) != KNOT_EOK) {
        knot_pkt_free(packet);
        return NULL;
    }
    return packet;
}

/* Reads the INFO-CODE and leaves the reader at the EXTRA-TEXT; false if there is no EDE. */
static bool find_ede(const knot_pkt_t *packet, uint16_t *info_code, struct span_reader *reader)
{
    uint8_t *option = knot_pkt_edns_option(packet, KNOT_EDNS_OPTION_EDE);
    if (option == NULL) {
        return false;
    }
    *reader = span_reader(
        (struct span){knot_edns_opt_get_data(option), knot_edns_opt_get_length(option)});
    *info_code = span_read_u16(reader);
    return !reader->failed;
}

bool explain_answer_ede(struct span answer, uint16_t *info_code)
{
    struct span_reader reader;
    knot_pkt_t *packet = parse(answer);
    bool found = packet != NULL && find_ede(packet, info_code, &reader);
    knot_pkt_free(packet);
    return found;
}

static void print_ede(uint16_t info_code, struct span_reader *reader, FILE *out)
{
    char raw[EDE_TEXT_MAX] = "";
    char text[EDE_TEXT_MAX];
    struct span extra = span_read(reader, reader->span.size - reader->at);
    const knot_lookup_t *known = knot_lookup_by_id(knot_edns_ede_names, info_code);
    fprintf(out, ", EDE %u (%s)", (unsigned)info_code, known == NULL ? "unknown" : known->name);
    if (extra.size > 0) {
        snprintf(raw, sizeof raw, "%.*s", (int)extra.size, (const char *)extra.bytes);
        fprintf(out, ": %s", plain_text(raw, text, sizeof text));
    }
}

static void print_head(const knot_pkt_t *packet, FILE *out)
{
    uint16_t info_code;
    struct span_reader reader;
    fputs(knot_pkt_ext_rcode_name(packet), out);
    if (find_ede(packet, &info_code, &reader)) {
        print_ede(info_code, &reader, out);
    }
    fputc('\n', out);
}

static void print_section(const knot_pkt_t *packet, knot_section_t which, const char *indent,
                          FILE *out)
{
    const knot_pktsection_t *section = knot_pkt_section(packet, which);
    size_t size = 1024;
    char *text = malloc(size);
    for (uint16_t i = 0; text != NULL && i < section->count; i++) {
        const knot_rrset_t *record = knot_pkt_rr(section, i);
        if (knot_rrset_txt_dump(record, &text, &size, &KNOT_DUMP_STYLE_DEFAULT) > 0) {
            fprintf(out, "%s%s", indent, text);
        }
    }
    free(text);
}

void explain_answer_print(struct span answer, const char *indent, FILE *out)
{
    knot_pkt_t *packet = parse(answer);
    if (packet == NULL) {
        fputs("(unreadable)\n", out);
        return;
    }
    print_head(packet, out);
    print_section(packet, KNOT_ANSWER, indent, out);
    print_section(packet, KNOT_AUTHORITY, indent, out);
    knot_pkt_free(packet);
}
