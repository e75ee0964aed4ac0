/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Events for machines (see log_fields.h).
 */
#include "forwarder/log_fields.h"

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "geo/utf8.h"

const char *log_fields_level(enum log_level level)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERROR] = "error",
        [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_INFO] = "info",
        [LOG_LEVEL_DEBUG] = "debug",
    };
    return names[level];
}

/* ---- Taking fields apart ---- */

/* Octets of the key that text begins with, which a '=' must follow; 0: it begins with none. */
static size_t key_size(const char *text)
{
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
    return text[size] == '=' ? size : 0;
}

/* Does a value end here: with the text, or before the next key? */
static bool is_end(const char *at)
{
    return *at == '\0' || (*at == ' ' && key_size(at + 1) > 0);
}

static unsigned hexadecimal(char digit)
{
    return (unsigned)(isdigit((unsigned char)digit) != 0 ? digit - '0' : digit - 'a' + 10);
}

/* The octet that an escape of log_quote stands for; *size: how long it is. */
static char unescape(const char *at, size_t *size)
{
    *size = 2;
    if (at[1] != 'x' || isxdigit((unsigned char)at[2]) == 0 ||
        isxdigit((unsigned char)at[3]) == 0) {
        return at[1];
    }
    *size = 4;
    return (char)(hexadecimal(at[2]) << 4 | hexadecimal(at[3]));
}

/* Reads a value behind its opening quote. NULL if no quote closes it, else where it ends. */
static const char *read_quoted(const char *at, char *out)
{
    size_t used = 0, size;
    while (*at != '\0' && !(*at == '"' && is_end(at + 1))) {
        char octet = *at;
        size = 1;
        if (octet == '\\' && at[1] != '\0') {
            octet = unescape(at, &size);
        }
        if (octet == '\0') {
            octet = '?';
        }
        out[used++] = octet;
        at += size;
    }
    out[used] = '\0';
    return *at == '"' ? at + 1 : NULL;
}

static const char *read_bare(const char *at, char *out)
{
    size_t used = 0;
    while (!is_end(at)) {
        out[used++] = *at++;
    }
    out[used] = '\0';
    return at;
}

bool log_fields_next(const char **text, struct log_field *out)
{
    const char *at = *text;
    while (*at != '\0' && key_size(at) == 0) { /* up to the next key */
        at += strcspn(at, " ");
        at += strspn(at, " ");
    }
    *text = at;
    if (*at == '\0' || strlen(at) >= sizeof out->value) {
        return false;
    }
    out->key = at;
    out->key_size = key_size(at);
    at += out->key_size + 1;
    const char *end = *at == '"' ? read_quoted(at + 1, out->value) : NULL;
    *text = end != NULL ? end : read_bare(at, out->value);
    return true;
}

/* ---- JSON ---- */

struct line {
    char *out;
    size_t used;
    size_t room; /* what closes the line needs has been left out of it */
};

static bool put(struct line *line, const char *text, size_t size)
{
    if (size > line->room - line->used) {
        return false;
    }
    memcpy(line->out + line->used, text, size);
    line->used += size;
    return true;
}

/* One character as it may stand in a string of JSON; terminals obey C1 and DEL too. */
static bool put_character(struct line *line, const char **text)
{
    const char *at = *text;
    uint32_t code;
    size_t size = utf8_next(at, &code);
    char escape[8];
    *text += size == 0 ? 1 : size;
    if (size == 0) {
        return put(line, "\xef\xbf\xbd", 3);
    }
    if (utf8_is_control(code)) {
        snprintf(escape, sizeof escape, "\\u%04x", (unsigned)code & 0xffU);
        return put(line, escape, 6);
    }
    if (code == '"' || code == '\\') {
        escape[0] = '\\';
        escape[1] = (char)code;
        return put(line, escape, 2);
    }
    return put(line, at, size);
}

/* "key":"value", cut where the line is full; left out where not even the key fits. */
static void put_member(struct line *line, const char *key, size_t size, const char *value)
{
    if (size + sizeof ",\"\":\"\"" > line->room - line->used) {
        return;
    }
    put(line, line->used == 1 ? "\"" : ",\"", line->used == 1 ? 1 : 2);
    put(line, key, size);
    put(line, "\":\"", 3);
    line->room--; /* for the closing quote */
    while (*value != '\0' && put_character(line, &value)) {
    }
    line->room++;
    put(line, "\"", 1);
}

size_t log_fields_json(const struct log_record *record, const struct timespec *time,
                       char out[static LOG_LINE_MAX])
{
    static const char end[] = "}\n";
    struct line line = {.out = out, .room = LOG_LINE_MAX - (sizeof end - 1)};
    struct tm utc;
    struct log_field field;
    const char *fields = record->fields;
    char seconds[32], instant[64];
    gmtime_r(&time->tv_sec, &utc);
    strftime(seconds, sizeof seconds, "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(instant, sizeof instant, "%s.%06ldZ", seconds, time->tv_nsec / 1000);
    put(&line, "{", 1);
    put_member(&line, "time", 4, instant);
    put_member(&line, "level", 5, log_fields_level(record->level));
    put_member(&line, "module", 6, record->module);
    put_member(&line, "message", 7, record->message);
    while (log_fields_next(&fields, &field)) {
        put_member(&line, field.key, field.key_size, field.value);
    }
    line.room = LOG_LINE_MAX;
    put(&line, end, sizeof end - 1);
    return line.used;
}

/* ---- The journal ---- */

static const char prefix[] = "BAILIWICK_";

/* The next fields, one after the other in room. */
struct fields {
    struct log_journal_room *room;
    size_t used;
    struct iovec *out;
    int count;
};

static void add(struct fields *fields, const char *key, size_t size, const char *value)
{
    char *at = fields->room->octets + fields->used;
    size_t left = sizeof fields->room->octets - fields->used;
    int length = snprintf(at, left, "%.*s=%s", (int)size, key, value);
    if (fields->count < LOG_JOURNAL_FIELDS && length > 0 && (size_t)length < left) {
        fields->out[fields->count++] = (struct iovec){at, (size_t)length};
        fields->used += (size_t)length;
    }
}

static void add_own(struct fields *fields, const char *key, size_t size, const char *value)
{
    char name[64];
    size_t used = sizeof prefix - 1;
    if (size > sizeof name - used) {
        return;
    }
    memcpy(name, prefix, used);
    for (size_t i = 0; i < size; i++) {
        name[used++] = (char)toupper((unsigned char)key[i]);
    }
    add(fields, name, used, value);
}

int log_fields_journal(const struct log_record *record, const char *text,
                       struct log_journal_room *room, struct iovec out[static LOG_JOURNAL_FIELDS])
{
    /* As syslog has them. */
    static const char *const priorities[] = {
        [LOG_LEVEL_ERROR] = "3",
        [LOG_LEVEL_WARNING] = "4",
        [LOG_LEVEL_INFO] = "6",
        [LOG_LEVEL_DEBUG] = "7",
    };
    struct fields fields = {.room = room, .out = out};
    struct log_field field;
    const char *rest = record->fields;
    add(&fields, "PRIORITY", 8, priorities[record->level]);
    add(&fields, "MESSAGE", 7, text);
    add_own(&fields, "module", 6, record->module);
    add_own(&fields, "event", 5, record->message);
    while (log_fields_next(&rest, &field)) {
        add_own(&fields, field.key, field.key_size, field.value);
    }
    return fields.count;
}
