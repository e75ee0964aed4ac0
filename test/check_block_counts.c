/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From what workers count to the database: nothing twice and nothing lost, over generations, and
 * while the database is locked, damaged or has no room.
 */
#include "forwarder/server/block_counts.h"

#include <sqlite3.h>

#include "forwarder/audit/block_store.h"
#include "forwarder/country_slots.h"
#include "forwarder/log.h"
#include "forwarder/published.h"
#include "test/generation_set.h"
#include "test/suite.h"

#define HOUR 1767225600

static struct block_counts *counts;
static struct published *published;
static struct block_counts_state state;
static char said[1024];

static void begin(void)
{
    char why[WHY_MAX];
    counts = block_counts_new(scratch.folder, HOUR + 5, why);
    ck_assert_msg(counts != NULL, "%s", why);
}

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    begin();
    published = published_new(load((struct load){.read_only = true}), 2);
}

static void tear_down(void)
{
    block_counts_free(counts);
    published_free(published);
    set_fini();
}

static void block(const char *code, unsigned times)
{
    struct country country = COUNTRY_UNKNOWN;
    (void)country_parse(code, 2, &country);
    uint32_t slot = country_slots_find(published->slots, 0, country);
    atomic_fetch_add(&published->shares[times % 2].blocked[slot], times);
}

static void store(int64_t now)
{
    block_counts_collect(counts, published);
    block_counts_store(counts, now);
    ck_assert(block_counts_finish(counts, 20000));
    block_counts_state(counts, &state);
}

static bool say(void *ctx, const struct block_row *row)
{
    size_t used = strlen(said);
    (void)ctx;
    snprintf(said + used, sizeof said - used, "%lld:%s=%llu ", (long long)(row->hour - HOUR),
             row->country, (unsigned long long)row->count);
    return true;
}

static const char *stored(void)
{
    char path[SCRATCH_PATH_MAX], why[WHY_MAX];
    said[0] = '\0';
    struct block_store *from =
        block_store_open_read(scratch_path(&scratch, BLOCK_STORE_FILE, path), why);
    const struct block_hours ever = {0, INT64_MAX};
    ck_assert_msg(from != NULL && block_store_read(from, ever, say, NULL, why), "%s", why);
    block_store_close(from);
    return said;
}

START_TEST(blocks_are_stored_once_by_hour)
{
    block("IT", 3);
    block("??", 1);
    store(HOUR + 60);
    store(HOUR + 120);
    block("IT", 4);
    store(HOUR + 3600); /* still of the hour before */
    block("IT", 2);
    store(HOUR + 3660);
    ck_assert_str_eq(stored(), "0:IT=7 0:unknown=1 3600:IT=2 ");
    ck_assert_str_eq(state.unstored.why, "");
}
END_TEST

START_TEST(a_start_adds_to_what_is_there)
{
    block("IT", 3);
    store(HOUR + 60);
    block_counts_free(counts);
    published_free(published);
    begin();
    published = published_new(load((struct load){.read_only = true}), 2);
    block("IT", 5);
    store(HOUR + 60);
    ck_assert_str_eq(stored(), "0:IT=8 ");
}
END_TEST

START_TEST(a_generation_that_goes_has_its_counts_stored)
{
    block("IT", 3);
    block_counts_collect(counts, published);
    published_free(published);
    published = published_new(load((struct load){.read_only = true}), 2);
    block("IT", 1);
    store(HOUR + 60);
    ck_assert_str_eq(stored(), "0:IT=4 ");
}
END_TEST

START_TEST(a_damaged_database_is_put_aside)
{
    block("IT", 3);
    store(HOUR + 60);
    put(BLOCK_STORE_FILE, "It was a dark and stormy night, and the rain fell in torrents.\n");
    block_counts_free(counts);
    begin();
    block("IT", 2);
    store(HOUR + 60);
    ck_assert_str_eq(state.unstored.why, "");
    ck_assert_ptr_nonnull(strstr(state.aside, BLOCK_STORE_FILE ".damaged-"));
    ck_assert_int_eq(access(state.aside, R_OK), 0);
    ck_assert_str_eq(stored(), "0:IT=2 ");
}
END_TEST

/* What comes meanwhile waits. */
START_TEST(a_database_that_cannot_be_opened)
{
    char path[SCRATCH_PATH_MAX];
    ck_assert_int_eq(mkdir(scratch_path(&scratch, BLOCK_STORE_FILE, path), 0700), 0);
    block("IT", 3);
    store(HOUR + 60);
    ck_assert_uint_gt(strlen(state.unstored.why), 5);
    ck_assert_uint_eq(block_counts_left(counts), 3);
    ck_assert(!block_counts_retry(counts, HOUR + 60)); /* a try more would not help */
    block("IT", 2);
    store(HOUR + 3600);
    block("IT", 1);
    store(HOUR + 3660);
    ck_assert_int_eq(rmdir(path), 0);
    store(HOUR + 3720); /* nothing new: what waits is tried */
    ck_assert_str_eq(state.unstored.why, "");
    ck_assert_str_eq(stored(), "0:IT=5 3600:IT=1 ");
    ck_assert_uint_eq(state.lost, 0);
}
END_TEST

/* That passes: what waits is told with its amount, and worth another try. */
START_TEST(a_database_that_is_locked)
{
    char path[SCRATCH_PATH_MAX];
    sqlite3 *db;
    block("IT", 3);
    store(HOUR + 60);
    ck_assert(!block_counts_retry(counts, HOUR + 60));
    ck_assert_uint_eq(block_counts_left(counts), 0);
    ck_assert_int_eq(sqlite3_open(scratch_path(&scratch, BLOCK_STORE_FILE, path), &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    block("IT", 2);
    block("??", 5);
    store(HOUR + 120);
    ck_assert(state.locked);
    ck_assert_uint_eq(block_counts_left(counts), 7);
    block("IT", 1);
    block_counts_collect(counts, published);
    ck_assert_uint_eq(block_counts_left(counts), 8);
    sqlite3_close(db);
    ck_assert(block_counts_retry(counts, HOUR + 180));
    ck_assert(block_counts_finish(counts, 20000));
    ck_assert_uint_eq(block_counts_left(counts), 0);
    ck_assert(!block_counts_retry(counts, HOUR + 180));
    ck_assert_str_eq(stored(), "0:IT=6 0:unknown=5 ");
}
END_TEST

/* By whoever wants to begin anew, while the daemon runs. */
START_TEST(a_database_that_was_taken_away)
{
    char path[SCRATCH_PATH_MAX];
    block("IT", 3);
    store(HOUR + 60);
    ck_assert_int_eq(unlink(scratch_path(&scratch, BLOCK_STORE_FILE, path)), 0);
    block("IT", 2);
    store(HOUR + 120);
    store(HOUR + 180);
    ck_assert_str_eq(state.unstored.why, "");
    ck_assert_str_eq(stored(), "0:IT=2 ");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("block_counts");
    TCase *tcase = tcase_create("block_counts");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, blocks_are_stored_once_by_hour);
    tcase_add_test(tcase, a_start_adds_to_what_is_there);
    tcase_add_test(tcase, a_generation_that_goes_has_its_counts_stored);
    tcase_add_test(tcase, a_damaged_database_is_put_aside);
    tcase_add_test(tcase, a_database_that_cannot_be_opened);
    tcase_add_test(tcase, a_database_that_is_locked);
    tcase_add_test(tcase, a_database_that_was_taken_away);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
