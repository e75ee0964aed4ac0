/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A writer of JSON (see structured_error.h). Invariant: what it writes is an object of RFC 8259 in
 * valid UTF-8 that holds to RFC 7493 section 2: no surrogates, no noncharacters, no name twice.
 */
#include "forwarder/generation/structured_error.h"

#include <string.h>

#include "geo/utf8.h"
#include "policy/order.h"

/* U+FFFD, in place of what JSON cannot hold. */
#define REPLACEMENT "\xef\xbf\xbd"

static void put(struct span_writer *out, const char *text)
{
    span_write(out, (struct span){(const uint8_t *)text, strlen(text)});
}

/* U+FDD0 to U+FDEF, and the last two code points of every plane. */
static bool is_noncharacter(uint32_t code)
{
    return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) == 0xfffe;
}

/* RFC 8259 section 7: what must be escaped, in its shortest form. */
static void put_escaped(struct span_writer *out, uint8_t octet)
{
    static const char digits[] = "0123456789abcdef";
    static const char short_forms[0x20] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r'};
    if (octet >= 0x20 || short_forms[octet] != '\0') {
        span_write_u8(out, '\\');
        span_write_u8(out, octet >= 0x20 ? octet : (uint8_t)short_forms[octet]);
        return;
    }
    put(out, "\\u00");
    span_write_u8(out, (uint8_t)digits[octet >> 4]);
    span_write_u8(out, (uint8_t)digits[octet & 15]);
}

static void put_string(struct span_writer *out, const char *text)
{
    span_write_u8(out, '"');
    while (*text != '\0' && !out->failed) {
        uint32_t code;
        size_t size = utf8_next(text, &code);
        if (size == 0 || is_noncharacter(code)) {
            put(out, REPLACEMENT);
        } else if (code < 0x20 || code == '"' || code == '\\') {
            put_escaped(out, (uint8_t)code);
        } else {
            span_write(out, (struct span){(const uint8_t *)text, size});
        }
        text += size == 0 ? 1 : size;
    }
    span_write_u8(out, '"');
}

/* The first follows what opened it, the others a comma. */
static void put_separator(struct span_writer *out)
{
    uint8_t before = out->size == 0 ? 0 : out->bytes[out->size - 1];
    if (before != '{' && before != '[') {
        span_write_u8(out, ',');
    }
}

static void put_name(struct span_writer *out, const char *name)
{
    put_separator(out);
    put_string(out, name);
    span_write_u8(out, ':');
}

static void put_text(struct span_writer *out, const char *name, const char *text)
{
    if (text != NULL) {
        put_name(out, name);
        put_string(out, text);
    }
}

static void put_contacts(struct span_writer *out, const struct structured_error *error)
{
    if (error->contact_count == 0) {
        return;
    }
    put_name(out, "c");
    span_write_u8(out, '[');
    for (size_t i = 0; i < error->contact_count; i++) {
        put_separator(out);
        put_string(out, error->contacts[i]);
    }
    span_write_u8(out, ']');
}

static void put_records(struct span_writer *out, const struct structured_error *error)
{
    if (error->record_count == 0) {
        return;
    }
    put_name(out, "fdbs");
    span_write_u8(out, '[');
    for (size_t i = 0; i < error->record_count; i++) {
        put_separator(out);
        span_write_u8(out, '{');
        put_text(out, "db", error->record[i].key);
        put_text(out, "id", error->record[i].value);
        span_write_u8(out, '}');
    }
    span_write_u8(out, ']');
}

struct span structured_error_write(const struct structured_error *error, bool whole, uint8_t *out,
                                   size_t size)
{
    struct span_writer writer = span_writer(out, size);
    span_write_u8(&writer, '{');
    put_contacts(&writer, error);
    if (whole && (error->justification != NULL || error->organization != NULL)) {
        put_text(&writer, "j", error->justification);
        put_text(&writer, "o", error->organization);
        put_text(&writer, "l", error->language);
    }
    put_records(&writer, error);
    bool empty = writer.size == 1;
    span_write_u8(&writer, '}');
    return writer.failed || empty ? (struct span){0} : (struct span){out, writer.size};
}
