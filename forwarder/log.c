/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Log lines, made in a buffer of the caller's stack and written at once. The only state is the
 * level. Invariant: between two line ends on standard error there is one event, whatever text from
 * outside it carries, and it is no longer than a pipe writes whole.
 */
#include "forwarder/log.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A pipe takes this much from one writer without mixing in another (POSIX). */
#define LOG_LINE_MAX PIPE_BUF

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

#define LEVELS (sizeof level_names / sizeof level_names[0])

static atomic_uint threshold = LOG_LEVEL_INFO;

bool log_level_parse(const char *text, size_t len, enum log_level *out)
{
    for (size_t level = 0; level < LEVELS; level++) {
        if (strlen(level_names[level]) == len && memcmp(level_names[level], text, len) == 0) {
            *out = (enum log_level)level;
            return true;
        }
    }
    return false;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (unsigned)level, memory_order_relaxed);
}

/* Octets of the character that text begins with, as its first octet announces them, but no more
 * than there are; 1 for what is no UTF-8. */
static size_t character_size(const char *text)
{
    unsigned char first = (unsigned char)text[0];
    size_t announced = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1;
    size_t size = 1;
    while (size < announced && ((unsigned char)text[size] & 0xc0) == 0x80) {
        size++;
    }
    return size == announced ? size : 1;
}

/* C0 and DEL, and C1 in UTF-8, which terminals obey as well. */
static bool is_control(const char *character)
{
    unsigned char first = (unsigned char)character[0];
    unsigned char second = first == 0 ? 0 : (unsigned char)character[1];
    return first < 0x20 || first == 0x7f || (first == 0xc2 && second >= 0x80 && second < 0xa0);
}

/* One character of text as it may stand in a line: itself, or its octets in hexadecimal. Returns
 * the octets of text it covers; out is a string. */
#define PIECE_MAX (4 * 4 + 1)
static size_t make_harmless(const char *text, char out[static PIECE_MAX])
{
    size_t size = character_size(text);
    if (!is_control(text)) {
        memcpy(out, text, size);
        out[size] = '\0';
        return size;
    }
    for (size_t i = 0; i < size; i++) {
        snprintf(out + 4 * i, 5, "\\x%02x", (unsigned)(unsigned char)text[i]);
    }
    return size;
}

/* Appends a string to out while it fits with room octets left behind it (one of them the NUL). */
static bool append(char *out, size_t *used, size_t size, size_t room, const char *piece)
{
    size_t len = strlen(piece);
    if (*used + len + room > size) {
        return false;
    }
    memcpy(out + *used, piece, len + 1);
    *used += len;
    return true;
}

static bool is_plain(const char *text)
{
    for (const char *at = text; *at != '\0'; at++) {
        if (is_control(at) || strchr(" \"\\=", *at) != NULL) {
            return false;
        }
    }
    return *text != '\0';
}

char *log_quote(const char *text, char *out, size_t size)
{
    size_t used = 0;
    if (size == 0) {
        return out;
    }
    out[0] = '\0';
    if (size < sizeof "\"\"") {
        return out;
    }
    if (is_plain(text) && strlen(text) < size) {
        append(out, &used, size, 1, text);
        return out;
    }
    append(out, &used, size, 2, "\"");
    while (*text != '\0') {
        char piece[PIECE_MAX] = {'\\', *text, '\0'};
        size_t taken = *text == '"' || *text == '\\' ? 1 : make_harmless(text, piece);
        if (!append(out, &used, size, 2, piece)) {
            break;
        }
        text += taken;
    }
    append(out, &used, size, 1, "\"");
    return out;
}

static void write_line(const char *line, size_t size)
{
    while (write(STDERR_FILENO, line, size) < 0 && errno == EINTR) {
    }
}

void log_event(enum log_level level, const char *module, const char *message, const char *fields,
               ...)
{
    if ((unsigned)level > atomic_load_explicit(&threshold, memory_order_relaxed)) {
        return;
    }
    char text[LOG_LINE_MAX];
    int head = snprintf(text, sizeof text, "%s %s: %s%s", level_names[level], module, message,
                        fields[0] == '\0' ? "" : " ");
    if (head > 0 && (size_t)head < sizeof text) {
        va_list args;
        va_start(args, fields);
        vsnprintf(text + head, sizeof text - (size_t)head, fields, args);
        va_end(args);
    }
    char line[LOG_LINE_MAX];
    size_t used = 0;
    for (const char *at = text; *at != '\0';) {
        char piece[PIECE_MAX];
        at += make_harmless(at, piece);
        if (!append(line, &used, sizeof line, 1, piece)) {
            break;
        }
    }
    line[used] = '\n';
    write_line(line, used + 1);
}
