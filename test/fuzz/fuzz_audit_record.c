/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A line of the audit record from any bytes: what is read is what was sealed, octet for octet, and
 * what claims to be sealed and is not is told apart; likewise the mark beside a record. Behind that
 * the octets are members, of which a record is made that reads back.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/audit/audit_mark.h"
#include "forwarder/audit/audit_record.h"

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* A good line is the one line that its parts give when they are sealed again. */
static void seal_again(const char *line, size_t size, const struct audit_record *record)
{
    struct audit_head head = {.seq = record->head.seq - 1};
    memcpy(head.hash, record->prev, sizeof head.hash);
    const char *members = memmem(line, size, "\"event\":", strlen("\"event\":"));
    const char *end = line + size - strlen(",\"prev\":\"\",\"hash\":\"\"}") - 4 * sizeof head.hash;
    require(members != NULL && members <= end);
    char *copy = strndup(members, (size_t)(end - members));
    char *again = copy == NULL ? NULL : audit_record_seal(&head, record->time, copy);
    require(again != NULL && strlen(again) == size + 1 && memcmp(again, line, size) == 0);
    free(again);
    free(copy);
}

static void seal_members(const uint8_t *data, size_t size)
{
    static const char event[] = "\"event\":\"x\",\"y\":";
    struct audit_head head = {.seq = size};
    struct audit_record record;
    char *members = malloc(sizeof event + size);
    require(members != NULL);
    memcpy(members, event, sizeof event);
    for (size_t i = 0; i < size; i++) {
        members[sizeof event - 1 + i] = (char)(data[i] == '\0' ? 1 : data[i]);
    }
    members[sizeof event - 1 + size] = '\0';
    char *line = audit_record_seal(&head, 0, members);
    require(line != NULL);
    require(audit_record_parse(line, strlen(line) - 1, &record) == AUDIT_LINE_GOOD);
    require(record.head.seq == head.seq && record.time == 0);
    require(memcmp(record.head.hash, head.hash, sizeof head.hash) == 0);
    free(line);
    free(members);
}

/* A mark is read from the one text that it is written as. */
static void read_mark(const char *text, size_t size)
{
    struct audit_mark mark, same;
    char again[AUDIT_MARK_TEXT_MAX];
    if (audit_mark_parse(text, size, &mark)) {
        size_t length = audit_mark_format(&mark, again);
        require(length == size && memcmp(again, text, size) == 0);
        require(audit_mark_parse(again, length, &same) && same.file == mark.file);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct audit_record record;
    switch (audit_record_parse((const char *)data, size, &record)) {
    case AUDIT_LINE_GOOD:
        seal_again((const char *)data, size, &record);
        break;
    case AUDIT_LINE_CHANGED:
        require(record.size == size && record.head.seq > 0);
        break;
    case AUDIT_LINE_NONE:
        break;
    }
    seal_members(data, size);
    read_mark((const char *)data, size);
    return 0;
}
