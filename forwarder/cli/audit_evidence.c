/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Evidence beside an audit record (see audit_evidence.h).
 */
#include "forwarder/cli/audit_evidence.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forwarder/audit/audit_mark.h"
#include "forwarder/audit/block_store.h"
#include "policy/instant.h"

struct audit_evidence_item {
    const char *folder;
    enum audit_mark_outcome outcome;
    struct audit_mark mark;
    bool found; /* the record that it names */
    char why[WHY_MAX];
    int64_t counted; /* the first hour of which blocks were counted; INT64_MAX: there is none */
};

static bool take_hour(void *ctx, const struct block_row *row)
{
    *(int64_t *)ctx = row->hour;
    return false; /* they come in their order */
}

/* Of a database that cannot be read `audit export` says why. */
static int64_t first_hour(const char *folder)
{
    char why[WHY_MAX], *path = NULL;
    int64_t hour = INT64_MAX;
    if (asprintf(&path, "%s/../" BLOCK_STORE_FILE, folder) < 0) {
        return hour;
    }
    struct block_store *store = access(path, R_OK) != 0 ? NULL : block_store_open_read(path, why);
    if (store != NULL) {
        (void)block_store_read(store, (struct block_hours){INT64_MIN, INT64_MAX}, take_hour, &hour,
                               why);
    }
    block_store_close(store);
    free(path);
    return hour;
}

bool audit_evidence_read(char *const *folders, struct audit_evidence *out)
{
    size_t count = 0;
    while (folders[count] != NULL) {
        count++;
    }
    *out = (struct audit_evidence){.items = calloc(count + 1, sizeof *out->items)};
    for (; out->items != NULL && out->count < count; out->count++) {
        struct audit_evidence_item *item = &out->items[out->count];
        item->folder = folders[out->count];
        item->outcome = audit_mark_read(item->folder, &item->mark, item->why);
        item->counted = first_hour(item->folder);
    }
    return out->items != NULL;
}

void audit_evidence_fini(struct audit_evidence *evidence)
{
    free(evidence->items);
    *evidence = (struct audit_evidence){0};
}

void audit_evidence_note(struct audit_evidence *evidence, const struct audit_record *record)
{
    for (size_t i = 0; i < evidence->count; i++) {
        struct audit_evidence_item *item = &evidence->items[i];
        item->found = item->found || (item->mark.head.seq == record->head.seq &&
                                      memcmp(item->mark.head.hash, record->head.hash,
                                             sizeof item->mark.head.hash) == 0);
    }
}

/* A record that claims to be whole from its first line on, of a time after the first block. */
static bool begins_too_late(const struct audit_evidence_item *item, const struct audit_chain *chain)
{
    return chain->first == 1 && item->counted != INT64_MAX &&
           item->counted + BLOCK_STORE_HOUR_S <= chain->first_time;
}

bool audit_evidence_holds(const struct audit_evidence *evidence, const struct audit_chain *chain,
                          void (*tell)(const char *format, ...))
{
    bool holds = chain->records > 0;
    char hex[FILE_BYTES_HEX_MAX], hour[INSTANT_TEXT_MAX];
    if (!holds) {
        tell("there are no records: a daemon that was started once leaves some");
    }
    for (size_t i = 0; i < evidence->count; i++) {
        const struct audit_evidence_item *item = &evidence->items[i];
        if (item->outcome == AUDIT_MARK_BAD) {
            tell("%s", item->why);
            holds = false;
        } else if (item->outcome == AUDIT_MARK_READ && !item->found) {
            tell("%s.head: the record had come to record %llu, hash %s, which is not here",
                 item->folder, (unsigned long long)item->mark.head.seq,
                 file_bytes_hex(item->mark.head.hash, hex));
            holds = false;
        }
        if (begins_too_late(item, chain)) {
            tell("%s/../" BLOCK_STORE_FILE ": blocks were counted at %s, before the first record",
                 item->folder, instant_format(item->counted, hour));
            holds = false;
        }
    }
    return holds;
}
