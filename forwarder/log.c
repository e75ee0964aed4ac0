/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Log lines, made in a buffer of the caller's stack and written at once. The only state is the
 * level and the format. Invariant: between two line ends on standard error there is one event,
 * whatever text from outside it carries, and it is no longer than a pipe writes whole.
 */
#include "forwarder/log.h"

#define SD_JOURNAL_SUPPRESS_LOCATION /* of this file, which says nothing */
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <systemd/sd-journal.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/log_fields.h"
#include "geo/utf8.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define LEVELS (LOG_LEVEL_DEBUG + 1)

static atomic_uint threshold = LOG_LEVEL_INFO;
static atomic_uint chosen_format = LOG_FORMAT_TEXT;
static atomic_bool to_journal;

bool log_level_parse(const char *text, size_t len, enum log_level *out)
{
    for (size_t level = 0; level < LEVELS; level++) {
        const char *name = log_fields_level((enum log_level)level);
        if (strlen(name) == len && memcmp(name, text, len) == 0) {
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

void log_set_format(enum log_format format)
{
    atomic_store_explicit(&chosen_format, (unsigned)format, memory_order_relaxed);
}

void log_find_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM"); /* "device:inode" */
    struct stat found;
    char own[64];
    /* Where its socket is out of reach (another root), sd_journal_sendv drops events and says that
     * it has sent them. */
    if (stream != NULL && fstat(STDERR_FILENO, &found) == 0 && access(JOURNAL_SOCKET, W_OK) == 0) {
        snprintf(own, sizeof own, "%ju:%ju", (uintmax_t)found.st_dev, (uintmax_t)found.st_ino);
        atomic_store_explicit(&to_journal, strcmp(stream, own) == 0, memory_order_relaxed);
    }
}

/* Octets of the character that text begins with, or 1; and whether it is a control character. What
 * is no UTF-8 is judged octet by octet: terminals that are set to an older encoding obey C1 there.
 */
static size_t character_size(const char *text, bool *control)
{
    uint32_t code;
    size_t size = utf8_next(text, &code);
    *control = utf8_is_control(code);
    return size == 0 ? 1 : size;
}

/* One character of text as it may stand in a line: itself, or its octets in hexadecimal. Returns
 * the octets of text it covers; out is a string. */
#define PIECE_MAX (4 * 4 + 1)
static size_t make_harmless(const char *text, char out[static PIECE_MAX])
{
    bool control;
    size_t size = character_size(text, &control);
    if (!control) {
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
    bool control = *text == '\0';
    while (*text != '\0' && !control && strchr(" \"\\=", *text) == NULL) {
        text += character_size(text, &control);
    }
    return *text == '\0' && !control;
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

/* Copies text to out, a string of at most LOG_LINE_MAX - 1 octets. Returns its length. */
static size_t make_line(const char *text, char out[static LOG_LINE_MAX])
{
    size_t used = 0;
    out[0] = '\0';
    for (const char *at = text; *at != '\0';) {
        char piece[PIECE_MAX];
        at += make_harmless(at, piece);
        if (!append(out, &used, LOG_LINE_MAX, 1, piece)) {
            break;
        }
    }
    return used;
}

/* False if the journal does not take it. */
static bool write_journal(const struct log_record *record, const char *text)
{
    struct log_journal_room room;
    struct iovec fields[LOG_JOURNAL_FIELDS];
    return sd_journal_sendv(fields, log_fields_journal(record, text, &room, fields)) == 0;
}

static void write_json(const struct log_record *record)
{
    char line[LOG_LINE_MAX];
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    write_line(line, log_fields_json(record, &now, line));
}

void log_event(enum log_level level, const char *module, const char *message, const char *fields,
               ...)
{
    if ((unsigned)level > atomic_load_explicit(&threshold, memory_order_relaxed)) {
        return;
    }
    char text[LOG_LINE_MAX], line[LOG_LINE_MAX];
    const char *name = log_fields_level(level), *values = "";
    int head = snprintf(text, sizeof text, "%s %s: %s%s", name, module, message,
                        fields[0] == '\0' ? "" : " ");
    if (head > 0 && (size_t)head < sizeof text) {
        va_list args;
        va_start(args, fields);
        vsnprintf(text + head, sizeof text - (size_t)head, fields, args);
        va_end(args);
        values = text + head;
    }
    const struct log_record record = {level, module, message, values};
    size_t size = make_line(text, line);
    if (atomic_load_explicit(&to_journal, memory_order_relaxed) &&
        write_journal(&record, line + strlen(name) + 1)) {
        return;
    }
    if (atomic_load_explicit(&chosen_format, memory_order_relaxed) == LOG_FORMAT_JSON) {
        write_json(&record);
        return;
    }
    line[size] = '\n';
    write_line(line, size + 1);
}
