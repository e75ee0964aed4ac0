/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any text as the key=value part of an event: the line is one object of JSON with all its keys or
 * the first of them, and no longer than a pipe takes; the journal's fields are names and values.
 */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/log_fields.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge_json(const struct log_record *record)
{
    static const struct timespec time = {.tv_sec = 1};
    char line[LOG_LINE_MAX];
    size_t size = log_fields_json(record, &time, line);
    json_error_t error;
    json_t *object = size > 0 && size <= LOG_LINE_MAX && line[size - 1] == '\n'
                         ? json_loadb(line, size, 0, &error)
                         : NULL;
    if (object == NULL || json_object_get(object, "message") == NULL ||
        memchr(line, '\n', size - 1) != NULL) {
        abort();
    }
    json_decref(object);
}

static void judge_journal(const struct log_record *record)
{
    struct log_journal_room room;
    struct iovec fields[LOG_JOURNAL_FIELDS];
    int count = log_fields_journal(record, "text", &room, fields);
    for (int i = 0; i < count; i++) {
        size_t name = strspn(fields[i].iov_base, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        if (name == 0 || name >= fields[i].iov_len ||
            ((const char *)fields[i].iov_base)[name] != '=') {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char fields[LOG_LINE_MAX + 64];
    size = size < sizeof fields ? size : sizeof fields - 1;
    memcpy(fields, data, size);
    fields[size] = '\0';
    const struct log_record record = {LOG_LEVEL_INFO, "module", "message", fields};
    judge_json(&record);
    judge_journal(&record);
    return 0;
}
