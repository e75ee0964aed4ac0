/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading Forwarded and X-Forwarded-For (see http_forwarded.h).
 *
 * Both are lists, read from left to right; a node that is not trusted takes the place of those
 * before it. What cannot be read is such a node as well. In Forwarded, whose quoted strings may
 * hold commas, a mistake makes the rest of its line unreadable; no string goes beyond its line.
 */
#include "forwarder/http/http_forwarded.h"

#include <strings.h>

/* Who asks as far as has been read. */
struct reading {
    const struct network_set *trusted;
    enum http_forwarded_outcome outcome;
    struct address client;
};

static void take(struct reading *reading, enum http_forwarded_outcome outcome,
                 const struct address *address)
{
    bool first = reading->outcome == HTTP_FORWARDED_ABSENT;
    if (!first && outcome == HTTP_FORWARDED_CLIENT &&
        network_set_contains(reading->trusted, address)) {
        return;
    }
    reading->outcome = outcome;
    reading->client = outcome == HTTP_FORWARDED_CLIENT ? *address : (struct address){0};
}

static bool is_blank(uint8_t octet)
{
    return octet == ' ' || octet == '\t';
}

static struct span trim(struct span text)
{
    while (text.size > 0 && is_blank(text.bytes[0])) {
        text = (struct span){text.bytes + 1, text.size - 1};
    }
    while (text.size > 0 && is_blank(text.bytes[text.size - 1])) {
        text.size--;
    }
    return text;
}

static bool is_word(struct span text, const char *word)
{
    return text.size == strlen(word) && strncasecmp((const char *)text.bytes, word, text.size) == 0;
}

/* A port as a number, or an obfuscated one (RFC 7239 section 6). */
static bool is_port(struct span text)
{
    bool obfuscated = text.size > 1 && text.bytes[0] == '_';
    if (text.size == 0 || (!obfuscated && text.size > 5)) {
        return false;
    }
    for (size_t i = 0; i < text.size; i++) {
        uint8_t octet = text.bytes[i];
        bool digit = octet >= '0' && octet <= '9';
        bool letter = (octet | 0x20) >= 'a' && (octet | 0x20) <= 'z';
        if (!digit && !(obfuscated && (letter || octet == '.' || octet == '_' || octet == '-'))) {
            return false;
        }
    }
    return true;
}

/* "[address]" or "[address]:port". */
static bool parse_bracketed(struct span text, struct address *out)
{
    const uint8_t *end = memchr(text.bytes, ']', text.size);
    if (end == NULL) {
        return false;
    }
    size_t size = (size_t)(end - text.bytes) - 1;
    struct span rest = {end + 1, text.size - size - 2};
    bool ported = rest.size > 0 && rest.bytes[0] == ':' &&
                  is_port((struct span){rest.bytes + 1, rest.size - 1});
    return (rest.size == 0 || ported) && memchr(text.bytes, ':', size + 1) != NULL &&
           address_parse((const char *)text.bytes + 1, size, out);
}

/* An address, alone or with a port. IPv6 without brackets has none: its colons are its own. */
static bool parse_node(struct span text, bool bare_ipv6, struct address *out)
{
    if (text.bytes[0] == '[') {
        return parse_bracketed(text, out);
    }
    const uint8_t *colon = memchr(text.bytes, ':', text.size);
    size_t size = colon == NULL ? text.size : (size_t)(colon - text.bytes);
    struct span rest = {text.bytes + size, text.size - size};
    if (rest.size == 0 || is_port((struct span){rest.bytes + 1, rest.size - 1})) {
        return address_parse((const char *)text.bytes, size, out);
    }
    return bare_ipv6 && address_parse((const char *)text.bytes, text.size, out);
}

/* bare_ipv6: may an IPv6 address stand without brackets? In X-Forwarded-For it does. */
static void take_node(struct reading *reading, struct span text, bool bare_ipv6)
{
    struct address address;
    if (is_word(text, "unknown") || (text.size > 1 && text.bytes[0] == '_')) {
        take(reading, HTTP_FORWARDED_UNKNOWN, NULL);
    } else if (text.size > 0 && parse_node(text, bare_ipv6, &address)) {
        take(reading, HTTP_FORWARDED_CLIENT, &address);
    } else {
        take(reading, HTTP_FORWARDED_BAD, NULL);
    }
}

/* The octets up to the next line feed, which is passed. */
static struct span next_line(struct span_reader *lines)
{
    struct span rest = {lines->span.bytes + lines->at, lines->span.size - lines->at};
    const uint8_t *end = memchr(rest.bytes, '\n', rest.size);
    struct span line = {rest.bytes, end == NULL ? rest.size : (size_t)(end - rest.bytes)};
    lines->at += line.size + (end == NULL ? 0 : 1);
    return line;
}

/* ---- X-Forwarded-For: nodes between commas; an empty element is none (RFC 9110 section 5.6.1) */

static void read_x_line(struct reading *reading, struct span line)
{
    while (line.size > 0) {
        const uint8_t *comma = memchr(line.bytes, ',', line.size);
        size_t size = comma == NULL ? line.size : (size_t)(comma - line.bytes);
        struct span node = trim((struct span){line.bytes, size});
        if (node.size > 0) {
            take_node(reading, node, true);
        }
        size += comma == NULL ? 0 : 1;
        line = (struct span){line.bytes + size, line.size - size};
    }
}

/* ---- Forwarded: elements between commas, pairs between semicolons, values perhaps quoted ---- */

static bool is_token(uint8_t octet)
{
    static const char marks[] = "!#$%&'*+-.^_`|~";
    uint8_t lower = octet | 0x20;
    return (octet >= '0' && octet <= '9') || (lower >= 'a' && lower <= 'z') ||
           (octet != '\0' && strchr(marks, octet) != NULL);
}

static struct span read_token(struct span_reader *line)
{
    size_t from = line->at;
    while (line->at < line->span.size && is_token(line->span.bytes[line->at])) {
        line->at++;
    }
    return (struct span){line->span.bytes + from, line->at - from};
}

static bool is_at(const struct span_reader *line, uint8_t octet)
{
    return line->at < line->span.size && line->span.bytes[line->at] == octet;
}

static bool accept(struct span_reader *line, uint8_t octet)
{
    bool there = is_at(line, octet);
    line->at += there ? 1 : 0;
    return there;
}

static void skip_blanks(struct span_reader *line)
{
    while (line->at < line->span.size && is_blank(line->span.bytes[line->at])) {
        line->at++;
    }
}

/* Behind the opening quote. A node needs no escaped character, so one ends the reading. */
static bool read_quoted(struct span_reader *line, struct span *value, bool *escaped)
{
    size_t from = line->at;
    *escaped = false;
    while (line->at < line->span.size) {
        uint8_t octet = line->span.bytes[line->at++];
        if (octet == '"') {
            *value = (struct span){line->span.bytes + from, line->at - from - 1};
            return true;
        }
        if (octet == '\\') {
            *escaped = true;
            line->at++;
        }
    }
    return false;
}

/* What the pair at hand says; node is set if it is `for`. */
static bool read_pair(struct span_reader *line, struct span *node)
{
    struct span value;
    bool escaped = false;
    struct span key = read_token(line);
    if (key.size == 0 || !accept(line, '=')) {
        return false;
    }
    if (accept(line, '"')) {
        if (!read_quoted(line, &value, &escaped)) {
            return false;
        }
    } else {
        value = read_token(line);
    }
    if (!is_word(key, "for")) {
        return true;
    }
    bool first = node->bytes == NULL;
    *node = value;
    return first && !escaped && value.size > 0;
}

/* An element to its end: a comma, or that of the line. Its pairs may be empty. */
static bool read_element(struct span_reader *line, struct span *node)
{
    do {
        skip_blanks(line);
        bool empty = line->at == line->span.size || is_at(line, ';') || is_at(line, ',');
        if (!empty && !read_pair(line, node)) {
            return false;
        }
        skip_blanks(line);
    } while (accept(line, ';'));
    return line->at == line->span.size || accept(line, ',');
}

static void read_forwarded_line(struct reading *reading, struct span text)
{
    struct span_reader line = span_reader(trim(text));
    while (line.at < line.span.size) {
        struct span node = {0};
        skip_blanks(&line);
        if (accept(&line, ',')) {
            continue;
        }
        if (!read_element(&line, &node)) {
            take(reading, HTTP_FORWARDED_BAD, NULL);
            return;
        }
        if (node.bytes == NULL) {
            take(reading, HTTP_FORWARDED_UNKNOWN, NULL);
        } else {
            take_node(reading, node, false);
        }
    }
}

static struct reading read_lines(struct span lines, const struct network_set *trusted,
                                 void (*read_line)(struct reading *reading, struct span line))
{
    struct reading reading = {.trusted = trusted, .outcome = HTTP_FORWARDED_ABSENT};
    struct span_reader reader = span_reader(lines);
    while (reader.at < lines.size) {
        read_line(&reading, next_line(&reader));
    }
    if (reading.outcome == HTTP_FORWARDED_ABSENT && lines.size > 0) {
        reading.outcome = HTTP_FORWARDED_BAD; /* a header, and nobody in it */
    }
    return reading;
}

enum http_forwarded_outcome http_forwarded_client(const struct http_forwarded *headers,
                                                  const struct network_set *trusted,
                                                  struct address *client)
{
    struct reading one = read_lines(headers->forwarded, trusted, read_forwarded_line);
    struct reading other = read_lines(headers->x_forwarded_for, trusted, read_x_line);
    if (one.outcome == HTTP_FORWARDED_ABSENT) {
        one = other;
    } else if (other.outcome != HTTP_FORWARDED_ABSENT &&
               (one.outcome != other.outcome || !address_equal(&one.client, &other.client))) {
        return HTTP_FORWARDED_BAD;
    }
    *client = one.client;
    return one.outcome;
}
