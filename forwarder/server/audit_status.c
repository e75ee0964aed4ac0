/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The record in status (see audit_status.h).
 */
#include "forwarder/server/audit_status.h"

#include <stdio.h>

#include "forwarder/audit/block_store.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/generation/generation.h"
#include "forwarder/server/audit_writer.h"
#include "forwarder/server/block_counts.h"
#include "forwarder/server/status.h"

#define TEXT_MAX (2 * WHY_MAX)
#define PATH_TEXT_MAX 4096

json_t *audit_status_json(const struct status_view *view)
{
    const struct audit_writer_state *audit = &view->audit;
    json_t *object = json_object(), *gap = json_null();
    if (audit->since != 0) {
        gap = json_object();
        json_put_instant(&gap, "since", audit->since);
        json_put(&gap, "lost", json_integer((json_int_t)audit->lost));
    }
    json_put(&object, "records", json_integer((json_int_t)audit->head.seq));
    json_put_sha256(&object, "hash", audit->head.hash);
    json_put(&object, "gaps", json_integer((json_int_t)audit->gaps));
    json_put(&object, "gap", gap);
    json_put(&object, "blocks_lost", json_integer((json_int_t)view->blocks.lost));
    return object;
}

static void warn(json_t *warnings, const struct status_view *view, const char *name,
                 const char *text, int64_t since)
{
    char path[PATH_TEXT_MAX];
    snprintf(path, sizeof path, "%s/%s", view->generation->config->state, name);
    json_array_append_new(warnings, status_own_warning(path, text, since));
}

void audit_status_warn(json_t *warnings, const struct status_view *view)
{
    const struct audit_writer_state *audit = &view->audit;
    const struct block_counts_state *blocks = &view->blocks;
    char text[TEXT_MAX];
    if (audit->since != 0) {
        snprintf(text, sizeof text, "the audit record has a gap, %llu records so far (%s)",
                 (unsigned long long)audit->lost,
                 audit->problem[0] == '\0' ? "not written yet" : audit->problem);
        warn(warnings, view, "audit", text, audit->since);
    }
    if (audit->faults > 0) {
        snprintf(text, sizeof text,
                 "the audit record was damaged when it was opened: bailiwick audit verify");
        warn(warnings, view, "audit", text, view->started);
    }
    if (trouble_stands(&blocks->unstored)) {
        snprintf(text, sizeof text, "counts of blocks cannot be stored (%s)", blocks->unstored.why);
        warn(warnings, view, BLOCK_STORE_FILE, text, blocks->unstored.since);
    }
    if (blocks->aside[0] != '\0') {
        snprintf(text, sizeof text, "a damaged database was put aside as %s", blocks->aside);
        warn(warnings, view, BLOCK_STORE_FILE, text, blocks->aside_since);
    }
}
