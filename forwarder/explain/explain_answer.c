/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers for people (see explain_answer.h), parsed by libknot.
 */
#include "forwarder/explain/explain_answer.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/plain_text.h"
#include "libknot/codes.h"
#include "libknot/errcode.h"
#include "libknot/packet/pkt.h"
#include "libknot/packet/wire.h"
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

/* An Extended DNS Error as far as it has been read. */
struct ede {
    uint16_t info_code;
    struct span extra_text;
    json_t *structured; /* extra_text as an object; NULL: it is plain text, or none */
};

static bool read_ede(const knot_pkt_t *packet, struct ede *ede)
{
    struct span_reader reader;
    *ede = (struct ede){0};
    if (!find_ede(packet, &ede->info_code, &reader)) {
        return false;
    }
    ede->extra_text = span_read(&reader, reader.span.size - reader.at);
    if (ede->extra_text.size > 0) {
        ede->structured = json_loadb((const char *)ede->extra_text.bytes, ede->extra_text.size,
                                     JSON_REJECT_DUPLICATES, NULL);
    }
    if (!json_is_object(ede->structured)) {
        json_decref(ede->structured);
        ede->structured = NULL;
    }
    return true;
}

json_t *explain_answer_extra_text(struct span answer)
{
    struct ede ede = {0};
    knot_pkt_t *packet = parse(answer);
    json_t *text = NULL;
    if (packet != NULL && read_ede(packet, &ede)) {
        text = ede.structured;
        if (text == NULL && ede.extra_text.size > 0) {
            text = json_stringn((const char *)ede.extra_text.bytes, ede.extra_text.size);
        }
    }
    knot_pkt_free(packet);
    return text == NULL ? json_null() : text;
}

static void print_plain(const char *text, FILE *out)
{
    char plain[EDE_TEXT_MAX];
    fputs(plain_text(text, plain, sizeof plain), out);
}

static void print_ede(const struct ede *ede, FILE *out)
{
    char raw[EDE_TEXT_MAX] = "";
    const knot_lookup_t *known = knot_lookup_by_id(knot_edns_ede_names, ede->info_code);
    fprintf(out, ", EDE %u (%s)", (unsigned)ede->info_code,
            known == NULL ? "unknown" : known->name);
    if (ede->extra_text.size > 0 && ede->structured == NULL) {
        snprintf(raw, sizeof raw, "%.*s", (int)ede->extra_text.size,
                 (const char *)ede->extra_text.bytes);
        fputs(": ", out);
        print_plain(raw, out);
    }
}

/* What a member holds: a text, or a list of texts or of database entries. */
static void print_value(const json_t *value, FILE *out)
{
    size_t index;
    json_t *item;
    if (json_is_string(value)) {
        print_plain(json_string_value(value), out);
    }
    json_array_foreach(value, index, item)
    {
        fputs(index == 0 ? "" : ", ", out);
        print_value(item, out);
    }
    if (json_is_object(value)) {
        print_value(json_object_get(value, "db"), out);
        fputc(' ', out);
        print_value(json_object_get(value, "id"), out);
    }
}

static void print_structured(const json_t *structured, const char *indent, FILE *out)
{
    static const struct {
        const char *name;
        const char *label;
    } members[] = {{"c", "contact"},
                   {"j", "justification"},
                   {"o", "organization"},
                   {"l", "language"},
                   {"fdbs", "public record"}};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        const json_t *value = json_object_get(structured, members[i].name);
        if (value != NULL) {
            fprintf(out, "%s%s: ", indent, members[i].label);
            print_value(value, out);
            fputc('\n', out);
        }
    }
}

static void print_head(const knot_pkt_t *packet, const char *indent, FILE *out)
{
    struct ede ede;
    fputs(knot_pkt_ext_rcode_name(packet), out);
    fputs(knot_wire_get_tc(packet->wire) ? ", truncated" : "", out);
    if (read_ede(packet, &ede)) {
        print_ede(&ede, out);
    }
    fputc('\n', out);
    print_structured(ede.structured, indent, out);
    json_decref(ede.structured);
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
    print_head(packet, indent, out);
    print_section(packet, KNOT_ANSWER, indent, out);
    print_section(packet, KNOT_AUTHORITY, indent, out);
    knot_pkt_free(packet);
}
