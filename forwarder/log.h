/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The log: one event a line on standard error: level, module, a stable message, then key=value; or
 * the same as an object of JSON; or, where standard error leads to the systemd journal, as fields
 * of its own. The only global of the tree. Nothing per query is ever logged, and no client's
 * address. Safe from any thread; a line is written by one write call.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* An event without fields has "" for their format, which is meant. */
#pragma GCC diagnostic ignored "-Wformat-zero-length"

enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
};

/* "error", "warning", "info", "debug". */
bool log_level_parse(const char *text, size_t len, enum log_level *out);

/* Events less urgent than this are not written. At first LOG_LEVEL_INFO. */
void log_set_level(enum log_level level);

enum log_format {
    LOG_FORMAT_TEXT,
    LOG_FORMAT_JSON,
};

/* Starts as LOG_FORMAT_TEXT. */
void log_set_format(enum log_format format);

/* Does standard error lead to the journal, as whoever started the process says in JOURNAL_STREAM
 * (systemd.exec(5))? Then events go there with their fields, whatever the format, from now on. */
void log_find_journal(void);

/* fields is a printf format of the key=value part, "" for none; no key is called time, level,
 * module, message or event; values that may hold blanks or
 * quotes are given through log_quote. Control characters never reach the output raw. */
void log_event(enum log_level level, const char *module, const char *message, const char *fields,
               ...) __attribute__((format(printf, 4, 5)));

/* Writes text as a value: bare if it is plain, else in double quotes with backslash escapes, cut to
 * size. Returns out. */
char *log_quote(const char *text, char *out, size_t size);
#define LOG_VALUE_MAX 512
