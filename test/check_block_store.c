/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts of blocks on disk: added up, added once, whole or not at all; and files that are no such
 * database.
 */
#include "forwarder/audit/block_store.h"

#include <sqlite3.h>
#include <string.h>

#include "test/full_disk.h"
#include "test/scratch.h"
#include "test/suite.h"

static struct scratch scratch;
static char path[SCRATCH_PATH_MAX];
static struct block_store *store;
static char said[1024];
static char why[WHY_MAX];

static void open_store(void)
{
    block_store_close(store);
    ck_assert_msg(block_store_open(path, &store, why) == BLOCK_STORE_DONE, "%s", why);
}

static void set_up(void)
{
    scratch_init(&scratch);
    scratch_path(&scratch, "blocks.sqlite", path);
    open_store();
}

static void tear_down(void)
{
    block_store_close(store);
    store = NULL;
    scratch_fini(&scratch);
}

static bool say(void *ctx, const struct block_row *row)
{
    size_t used = strlen(said);
    (void)ctx;
    snprintf(said + used, sizeof said - used, "%lld:%s:%s=%llu ", (long long)row->hour, row->order,
             row->country, (unsigned long long)row->count);
    return true;
}

static const char *rows_of(int64_t from, int64_t to)
{
    said[0] = '\0';
    ck_assert_msg(block_store_read(store, (struct block_hours){from, to}, say, NULL, why), "%s",
                  why);
    return said;
}

static enum block_store_outcome add(const char *batch, const char *order, const char *country,
                                    int64_t hour, uint64_t count)
{
    char copy[64];
    struct block_row rows[] = {{.order = copy, .hour = hour, .count = count},
                               {.order = copy, .country = "unknown", .hour = hour, .count = 1}};
    snprintf(copy, sizeof copy, "%s", order);
    snprintf(rows[0].country, sizeof rows[0].country, "%s", country);
    return block_store_add(store, batch, rows, 2, why);
}

START_TEST(batches_add_up)
{
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    ck_assert_int_eq(add("p-2", "A", "IT", 3600, 5), BLOCK_STORE_DONE);
    ck_assert_int_eq(add("p-3", "B", "IT", 3600, 3), BLOCK_STORE_DONE);
    ck_assert_int_eq(add("p-4", "B", "SM", 7200, 1), BLOCK_STORE_DONE);
    ck_assert_str_eq(rows_of(0, 7200),
                     "3600:A:IT=5 3600:A:unknown=1 3600:B:IT=5 3600:B:unknown=2 ");
    ck_assert_str_eq(rows_of(7200, 7201), "7200:B:SM=1 7200:B:unknown=1 ");
}
END_TEST

/* A commit that seemed to fail is tried again. */
START_TEST(a_batch_counts_once)
{
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    open_store();
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    ck_assert_str_eq(rows_of(0, 3601), "3600:B:IT=2 3600:B:unknown=1 ");
}
END_TEST

START_TEST(it_keeps_who_it_is)
{
    char other[SCRATCH_PATH_MAX];
    char *source = block_store_meta(store, "source");
    open_store();
    char *again = block_store_meta(store, "source");
    ck_assert_uint_eq(strlen(source), 32);
    ck_assert_str_eq(source, again);
    free(again);
    block_store_close(store);
    ck_assert_int_eq(block_store_open(scratch_path(&scratch, "other.sqlite", other), &store, why),
                     BLOCK_STORE_DONE);
    again = block_store_meta(store, "source");
    ck_assert_str_ne(source, again);
    free(again);
    free(source);
}
END_TEST

START_TEST(locked_by_somebody)
{
    sqlite3 *db;
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(add("p-2", "B", "IT", 3600, 2), BLOCK_STORE_LOCKED);
    ck_assert_ptr_nonnull(strstr(why, "locked"));
    sqlite3_close(db);
    ck_assert_int_eq(add("p-2", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    ck_assert_str_eq(rows_of(0, 3601), "3600:B:IT=4 3600:B:unknown=2 ");
}
END_TEST

START_TEST(a_full_disk_changes_nothing)
{
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    full_disk_after(64);
    ck_assert_int_eq(add("p-2", "B", "IT", 3600, 2), BLOCK_STORE_FAILED);
    full_disk_ends();
    ck_assert_str_eq(rows_of(0, 3601), "3600:B:IT=2 3600:B:unknown=1 ");
    ck_assert_int_eq(add("p-2", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    ck_assert_str_eq(rows_of(0, 3601), "3600:B:IT=4 3600:B:unknown=2 ");
}
END_TEST

START_TEST(files_that_are_no_database)
{
    static const struct {
        const char *label;
        const char *text;
        size_t offset;
        enum block_store_outcome outcome;
    } rows[] = {
        {"a text", "It was a dark and stormy night, and the rain fell in torrents.", 0,
         BLOCK_STORE_DAMAGED},
        {"a page overwritten", "damaged damaged damaged damaged", 4096, BLOCK_STORE_DAMAGED},
        {"a later version", "\0\0\0\x09", 60, BLOCK_STORE_FAILED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        block_store_close(store);
        store = NULL;
        (void)unlink(path);
        open_store();
        ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
        block_store_close(store);
        store = NULL;
        int fd = open(path, O_WRONLY | O_CLOEXEC);
        size_t size = rows[i].text[0] == '\0' ? 4 : strlen(rows[i].text);
        ck_assert_int_eq(pwrite(fd, rows[i].text, size, (off_t)rows[i].offset), (ssize_t)size);
        close(fd);
        enum block_store_outcome outcome = block_store_open(path, &store, why);
        ck_assert_msg(outcome == rows[i].outcome, "%s: %d %s", rows[i].label, (int)outcome, why);
        ck_assert_ptr_null(store);
        ck_assert_uint_gt(strlen(why), 5);
    }
    ck_assert_ptr_null(block_store_open_read("/nowhere/blocks.sqlite", why));
    ck_assert_str_eq(why, "there is none; blocks are counted there once a minute");
}
END_TEST

/* A block_store_fn: the writer goes on, however long a reader takes for what he was told. */
static bool write_meanwhile(void *ctx, const struct block_row *row)
{
    (void)ctx;
    ck_assert_int_eq(row->hour, 3600);
    ck_assert_msg(add("p-9", "B", "IT", 7200, 1) == BLOCK_STORE_DONE, "%s", why);
    return true;
}

START_TEST(a_slow_reader_keeps_nobody_waiting)
{
    struct block_store *reader;
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    reader = block_store_open_read(path, why);
    ck_assert_msg(reader != NULL, "%s", why);
    ck_assert(block_store_read(reader, (struct block_hours){0, 3601}, write_meanwhile, NULL, why));
    block_store_close(reader);
    ck_assert_str_eq(rows_of(7200, 7201), "7200:B:IT=1 7200:B:unknown=1 ");
}
END_TEST

START_TEST(others_read_meanwhile)
{
    ck_assert_int_eq(add("p-1", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    struct block_store *writer = store;
    store = block_store_open_read(path, why);
    ck_assert_msg(store != NULL, "%s", why);
    ck_assert_str_eq(rows_of(0, 3601), "3600:B:IT=2 3600:B:unknown=1 ");
    struct block_store *reader = store;
    store = writer;
    ck_assert_int_eq(add("p-2", "B", "IT", 3600, 2), BLOCK_STORE_DONE);
    block_store_close(reader);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block_store");
    TCase *tcase = tcase_create("block_store");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, batches_add_up);
    tcase_add_test(tcase, a_batch_counts_once);
    tcase_add_test(tcase, it_keeps_who_it_is);
    tcase_add_test(tcase, locked_by_somebody);
    tcase_add_test(tcase, a_full_disk_changes_nothing);
    tcase_add_test(tcase, files_that_are_no_database);
    tcase_add_test(tcase, others_read_meanwhile);
    tcase_add_test(tcase, a_slow_reader_keeps_nobody_waiting);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
