/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An event of the log as others than people want it: its key=value part taken apart again, and the
 * event as an object of JSON, or as the fields of the systemd journal. Knows no descriptor and no
 * level but its number.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>
#include <time.h>

#include "forwarder/log.h"

/* A pipe takes this much from one writer without mixing in another (POSIX). */
#define LOG_LINE_MAX PIPE_BUF

struct log_record {
    enum log_level level;
    const char *module;
    const char *message;
    const char *fields; /* key=value, as log_event has them; "" for none */
};

struct log_field {
    const char *key; /* borrowed */
    size_t key_size;
    char value[LOG_LINE_MAX]; /* without quotes and escapes; octets of any kind but NUL */
};

/* Takes the next field off *text; false at the end. A value in double quotes may hold anything; a
 * bare one ends where the next key begins. What is no field is passed over. */
bool log_fields_next(const char **text, struct log_field *out);

/* "error", "warning", "info", "debug". */
const char *log_fields_level(enum log_level level);

/* Writes {"time", "level", "module", "message", each key} and a line end; all values are text.
 * What is no UTF-8 becomes U+FFFD, and values that make the line too long are cut, or left out.
 * Returns octets written. */
size_t log_fields_json(const struct log_record *record, const struct timespec *time,
                       char out[static LOG_LINE_MAX]);

#define LOG_JOURNAL_FIELDS 32

/* PRIORITY, MESSAGE (text), BAILIWICK_MODULE, BAILIWICK_EVENT (the stable message), and a
 * BAILIWICK_<KEY> for each key; borrowed from text and room. Fields that do not fit are left out.
 * Returns how many there are. */
struct log_journal_room {
    char octets[2 * LOG_LINE_MAX];
};
int log_fields_journal(const struct log_record *record, const char *text,
                       struct log_journal_room *room, struct iovec out[static LOG_JOURNAL_FIELDS]);
