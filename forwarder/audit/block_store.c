/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts in SQLite (see block_store.h). The rollback journal stays beside the file only while a
 * transaction runs; a crash in the middle of one is undone by whoever opens the file next.
 */
#include "forwarder/audit/block_store.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define BUSY_MS 1000 /* how long a reader may hold up the writer, or the other way round */
#define SOURCE_OCTETS 16
#define ORDER_MAX 255 /* octets of an id that are read */
#define SCHEMA_VERSION 1

struct block_store {
    sqlite3 *db;
};

static const char schema[] = "CREATE TABLE IF NOT EXISTS blocked("
                             "hour INTEGER NOT NULL, order_id TEXT NOT NULL, "
                             "country TEXT NOT NULL, count INTEGER NOT NULL, "
                             "PRIMARY KEY(hour, order_id, country)) WITHOUT ROWID;"
                             "CREATE TABLE IF NOT EXISTS meta("
                             "key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
                             "PRAGMA user_version = 1;";

/* Says what went wrong; which outcome is it? */
static enum block_store_outcome failed(sqlite3 *db, char why[static WHY_MAX])
{
    int code = db == NULL ? SQLITE_NOMEM : sqlite3_extended_errcode(db);
    snprintf(why, WHY_MAX, "%.280s", db == NULL ? "out of memory" : sqlite3_errmsg(db));
    switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return BLOCK_STORE_DAMAGED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return BLOCK_STORE_LOCKED;
    default:
        return BLOCK_STORE_FAILED;
    }
}

static bool run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* Steps a statement that gives no rows, and begins it anew. */
static bool step(sqlite3_stmt *statement)
{
    bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
}

static bool bind_text(sqlite3_stmt *statement, int index, const char *text)
{
    return sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC) == SQLITE_OK;
}

static bool put_meta(sqlite3 *db, const char *sql, const char *key, const char *value)
{
    sqlite3_stmt *put = NULL;
    bool done = sqlite3_prepare_v2(db, sql, -1, &put, NULL) == SQLITE_OK &&
                bind_text(put, 1, key) && bind_text(put, 2, value) && step(put);
    sqlite3_finalize(put);
    return done;
}

/* Who this database is: random, so that a machine of the same name is another one. */
static bool name_source(sqlite3 *db)
{
    static const char once[] = "INSERT OR IGNORE INTO meta VALUES(?, ?)";
    uint8_t random[SOURCE_OCTETS];
    char source[2 * SOURCE_OCTETS + 1], host[256] = "";
    if (getrandom(random, sizeof random, 0) != sizeof random) {
        return false;
    }
    for (size_t i = 0; i < sizeof random; i++) {
        snprintf(source + 2 * i, 3, "%02x", random[i]);
    }
    (void)!gethostname(host, sizeof host - 1);
    return put_meta(db, once, "source", source) && put_meta(db, once, "host", host);
}

/* The first value of a statement without parameters; "" if it cannot be had. */
static void ask(sqlite3 *db, const char *sql, char out[static WHY_MAX])
{
    sqlite3_stmt *statement = NULL;
    out[0] = '\0';
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        snprintf(out, WHY_MAX, "%.280s", (const char *)sqlite3_column_text(statement, 0));
    }
    sqlite3_finalize(statement);
}

/* Is it whole, and written by a version that this one knows? */
static enum block_store_outcome examine(sqlite3 *db, char why[static WHY_MAX])
{
    char answer[WHY_MAX];
    ask(db, "PRAGMA user_version", answer);
    if (answer[0] == '\0') {
        return failed(db, why);
    }
    if (strcmp(answer, "0") != 0 && atoi(answer) != SCHEMA_VERSION) {
        snprintf(why, WHY_MAX, "it has the format %.16s, which this version does not know", answer);
        return BLOCK_STORE_FAILED;
    }
    ask(db, "PRAGMA quick_check(1)", answer);
    if (answer[0] == '\0') {
        return failed(db, why);
    }
    snprintf(why, WHY_MAX, "%s", answer);
    return strcmp(answer, "ok") == 0 ? BLOCK_STORE_DONE : BLOCK_STORE_DAMAGED;
}

enum block_store_outcome block_store_open(const char *path, struct block_store **out,
                                          char why[static WHY_MAX])
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    enum block_store_outcome outcome = BLOCK_STORE_FAILED;
    struct block_store *store = calloc(1, sizeof *store);
    *out = NULL;
    snprintf(why, WHY_MAX, "out of memory");
    if (store == NULL) {
        return outcome;
    }
    if (sqlite3_open_v2(path, &db, flags, NULL) != SQLITE_OK) {
        outcome = failed(db, why);
        goto fail;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    outcome = examine(db, why);
    if (outcome != BLOCK_STORE_DONE) {
        goto fail;
    }
    if (!run(db, "PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL; BEGIN IMMEDIATE;") ||
        !run(db, schema) || !name_source(db) || !run(db, "COMMIT")) {
        outcome = failed(db, why);
        goto fail;
    }
    store->db = db;
    *out = store;
    return BLOCK_STORE_DONE;
fail:
    sqlite3_close(db);
    free(store);
    return outcome;
}

struct block_store *block_store_open_read(const char *path, char why[static WHY_MAX])
{
    char answer[WHY_MAX];
    struct block_store *store = calloc(1, sizeof *store);
    snprintf(why, WHY_MAX, "out of memory");
    if (store == NULL) {
        return NULL;
    }
    if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        if (access(path, F_OK) != 0 && errno == ENOENT) {
            snprintf(why, WHY_MAX, "there is none; blocks are counted there once a minute");
        } else {
            failed(store->db, why);
        }
        block_store_close(store);
        return NULL;
    }
    sqlite3_busy_timeout(store->db, BUSY_MS);
    ask(store->db, "PRAGMA user_version", answer);
    if (atoi(answer) != SCHEMA_VERSION) {
        snprintf(why, WHY_MAX, "it is no database of blocks of this version of Bailiwick");
        block_store_close(store);
        return NULL;
    }
    return store;
}

void block_store_close(struct block_store *store)
{
    if (store == NULL) {
        return;
    }
    sqlite3_close(store->db);
    free(store);
}

char *block_store_meta(struct block_store *store, const char *key)
{
    sqlite3_stmt *get = NULL;
    char *value = NULL;
    if (sqlite3_prepare_v2(store->db, "SELECT value FROM meta WHERE key = ?", -1, &get, NULL) ==
            SQLITE_OK &&
        bind_text(get, 1, key) && sqlite3_step(get) == SQLITE_ROW) {
        value = strdup((const char *)sqlite3_column_text(get, 0));
    }
    sqlite3_finalize(get);
    return value;
}

static bool add_rows(sqlite3 *db, const struct block_row *rows, size_t count)
{
    static const char sql[] =
        "INSERT INTO blocked VALUES(?, ?, ?, ?) ON CONFLICT DO UPDATE SET count = "
        "count + excluded.count";
    sqlite3_stmt *add = NULL;
    bool done = sqlite3_prepare_v2(db, sql, -1, &add, NULL) == SQLITE_OK;
    for (size_t i = 0; done && i < count; i++) {
        done = sqlite3_bind_int64(add, 1, rows[i].hour) == SQLITE_OK &&
               bind_text(add, 2, rows[i].order) && bind_text(add, 3, rows[i].country) &&
               sqlite3_bind_int64(add, 4, (sqlite3_int64)rows[i].count) == SQLITE_OK && step(add);
    }
    sqlite3_finalize(add);
    return done;
}

enum block_store_outcome block_store_add(struct block_store *store, const char *batch,
                                         const struct block_row *rows, size_t count,
                                         char why[static WHY_MAX])
{
    static const char set[] = "INSERT OR REPLACE INTO meta VALUES(?, ?)";
    sqlite3 *db = store->db;
    if (!run(db, "BEGIN IMMEDIATE")) {
        return failed(db, why);
    }
    char *last = block_store_meta(store, "run");
    bool there = last != NULL && strcmp(last, batch) == 0;
    free(last);
    if (there) { /* it was committed, though that seemed to fail */
        run(db, "ROLLBACK");
        return BLOCK_STORE_DONE;
    }
    if (!add_rows(db, rows, count) || !put_meta(db, set, "run", batch) || !run(db, "COMMIT")) {
        enum block_store_outcome outcome = failed(db, why);
        run(db, "ROLLBACK");
        return outcome;
    }
    return BLOCK_STORE_DONE;
}

/* Rows that were read. */
struct found {
    struct block_row *rows;
    size_t count;
    size_t capacity;
};

static void found_fini(struct found *found)
{
    for (size_t i = 0; i < found->count; i++) {
        free(found->rows[i].order);
    }
    free(found->rows);
}

/* The row that a statement stands at; false when memory is out. */
static bool keep_row(struct found *found, sqlite3_stmt *get)
{
    if (found->count == found->capacity) {
        size_t capacity = found->capacity * 2 + 256;
        struct block_row *rows = reallocarray(found->rows, capacity, sizeof *rows);
        if (rows == NULL) {
            return false;
        }
        found->rows = rows;
        found->capacity = capacity;
    }
    const char *order = (const char *)sqlite3_column_text(get, 1);
    const char *country = (const char *)sqlite3_column_text(get, 2);
    struct block_row *row = &found->rows[found->count];
    *row = (struct block_row){.order = order == NULL ? NULL : strndup(order, ORDER_MAX),
                              .hour = sqlite3_column_int64(get, 0),
                              .count = (uint64_t)sqlite3_column_int64(get, 3)};
    snprintf(row->country, sizeof row->country, "%s", country == NULL ? "" : country);
    found->count += row->order != NULL;
    return row->order != NULL;
}

/* All rows of these hours. Nobody who takes his time with them keeps the database locked. */
static bool find_rows(sqlite3 *db, struct block_hours hours, struct found *found,
                      char why[static WHY_MAX])
{
    static const char sql[] = "SELECT hour, order_id, country, count FROM blocked "
                              "WHERE hour >= ? AND hour < ? ORDER BY hour, order_id, country";
    sqlite3_stmt *get = NULL;
    bool kept = true;
    int code = sqlite3_prepare_v2(db, sql, -1, &get, NULL);
    if (code == SQLITE_OK) {
        sqlite3_bind_int64(get, 1, hours.from);
        sqlite3_bind_int64(get, 2, hours.to);
        while (kept && (code = sqlite3_step(get)) == SQLITE_ROW) {
            kept = keep_row(found, get);
        }
    }
    if (!kept) {
        snprintf(why, WHY_MAX, "out of memory");
    } else if (code != SQLITE_DONE) {
        failed(db, why);
    }
    sqlite3_finalize(get);
    return kept && code == SQLITE_DONE;
}

bool block_store_read(struct block_store *store, struct block_hours hours, block_store_fn *each,
                      void *ctx, char why[static WHY_MAX])
{
    struct found found = {0};
    bool whole = find_rows(store->db, hours, &found, why);
    for (size_t i = 0; whole && i < found.count && each(ctx, &found.rows[i]); i++) {
    }
    found_fini(&found);
    return whole;
}
