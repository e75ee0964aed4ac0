/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Events of generations. Each names the order's id, the SHA-256 of its file and where that lies, so
 * that the log alone shows which text was in force from when to when.
 */
#include "forwarder/generation/generation_log.h"

#include <stdio.h>

#include "forwarder/generation/generation_orders.h"
#include "forwarder/generation/generation_work.h"
#include "forwarder/log.h"
#include "geo/geo_db.h"
#include "policy/instant.h"
#include "policy/order.h"
#include "policy/policy.h"

/* Room for id, digest and file together. */
#define FIELDS_MAX (2 * LOG_VALUE_MAX + FILE_BYTES_HEX_MAX + 32)

/* "id=… sha256=… file=…", "-" for what is not known. Returns out. */
static char *order_fields(const char *id, const uint8_t *sha256, const char *path,
                          char out[static FIELDS_MAX])
{
    char quoted_id[LOG_VALUE_MAX], quoted_path[LOG_VALUE_MAX], hex[FILE_BYTES_HEX_MAX] = "-";
    if (sha256 != NULL) {
        file_bytes_hex(sha256, hex);
    }
    snprintf(out, FIELDS_MAX, "id=%s sha256=%s file=%s",
             log_quote(id == NULL ? "-" : id, quoted_id, sizeof quoted_id), hex,
             log_quote(path, quoted_path, sizeof quoted_path));
    return out;
}

static void log_order(const char *message, const struct order *order, const char *path, int64_t now)
{
    char fields[FIELDS_MAX];
    log_event(LOG_LEVEL_INFO, "orders", message, "%s status=%s in_force=%s",
              order_fields(order->id, order->sha256, path, fields),
              order_status_name(order->status), policy_order_in_force(order, now) ? "yes" : "no");
}

static void log_failure(const struct generation_candidate *candidate)
{
    char fields[FIELDS_MAX];
    const struct order *order = candidate->order;
    const char *id = candidate->failed_id != NULL ? candidate->failed_id : candidate->held_id;
    log_event(
        LOG_LEVEL_WARNING, "orders", "order failed", "%s",
        order_fields(id, candidate->hashed ? candidate->sha256 : NULL, candidate->path, fields));
    if (order != NULL) {
        log_event(LOG_LEVEL_WARNING, "orders", "order kept at last good version", "%s",
                  order_fields(order->id, order->sha256, candidate->path, fields));
    }
}

static void log_candidate(const struct generation_work *work,
                          const struct generation_candidate *candidate)
{
    const struct order *order = candidate->order;
    const struct generation_source *source =
        generation_find_source(work->options->before, candidate->path);
    const struct order *old = source == NULL ? NULL : source->order;
    int64_t now = work->options->now;
    if (candidate->failed) {
        log_failure(candidate);
    }
    if (order == NULL && old != NULL) {
        log_order("order removed", old, candidate->path, now);
    } else if (order != NULL && old == NULL) {
        log_order("order loaded", order, candidate->path, now);
    } else if (order != NULL && !generation_same_version(order, old)) {
        log_order("order changed", order, candidate->path, now);
    }
}

/* Orders whose files are gone. */
static void log_removed(const struct generation_work *work)
{
    const struct generation *before = work->options->before;
    size_t count = before == NULL ? 0 : policy_order_count(before->policy);
    for (size_t i = 0; i < count; i++) {
        const char *path = before->orders[i].path;
        if (generation_orders_find(work, path) == NULL) {
            log_order("order removed", policy_order(before->policy, i), path, work->options->now);
        }
    }
}

static void log_database(const struct generation_work *work)
{
    const struct geo_db *db = work->result->db;
    const struct generation *before = work->options->before;
    char built[INSTANT_TEXT_MAX], hex[FILE_BYTES_HEX_MAX];
    bool kept = work->result->db_last_good;
    if (kept || before == NULL || before->db != db) {
        log_event(kept ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "geo",
                  kept ? "database kept at last good version" : "database loaded",
                  "sha256=%s built=%s", file_bytes_hex(geo_db_sha256(db), hex),
                  instant_format(geo_db_built(db), built));
    }
    if (work->result->overrides_last_good) {
        log_event(LOG_LEVEL_WARNING, "geo", "overrides kept at last good version", "sha256=%s",
                  file_bytes_hex(work->result->private->overrides_sha256, hex));
    }
}

void generation_log_load(const struct generation_work *work)
{
    log_database(work);
    for (size_t i = 0; i < work->count; i++) {
        log_candidate(work, &work->candidates[i]);
    }
    log_removed(work);
}

void generation_log_changes(const struct generation *generation, int64_t from, int64_t to)
{
    for (size_t i = 0; i < policy_order_count(generation->policy); i++) {
        const struct order *order = policy_order(generation->policy, i);
        const char *path = generation->orders[i].path;
        if (order->status != ORDER_ACTIVE || order->effective >= order->end) {
            continue;
        }
        if (from < order->effective && order->effective <= to) {
            log_order("order begins", order, path, order->effective);
        }
        if (from < order->end && order->end <= to) {
            log_order("order ends", order, path, order->end);
        }
    }
}
