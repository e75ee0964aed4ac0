/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Starts and single files: what a restart finds under `state`, and how database, overrides,
 * what is protected and the settings of blocks keep their last good versions.
 */
#include "forwarder/generation/generation.h"

#include <check.h>
#include <dirent.h>
#include <ftw.h>
#include <string.h>

#include "geo/geo_db.h"
#include "geo/overrides.h"
#include "test/full_disk.h"
#include "test/generation_set.h"
#include "test/suite.h"

/* What the files below `state` are, by name, size, inode and change: no two writes look alike. */
static uint64_t state_print;

static int add_to_print(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)walk;
    if (type == FTW_F) {
        for (const char *at = path; *at != '\0'; at++) {
            state_print += (uint64_t)*at * 31;
        }
        state_print += (uint64_t)status->st_ino * 7 + (uint64_t)status->st_size;
        state_print += (uint64_t)status->st_mtim.tv_nsec + (uint64_t)status->st_mtim.tv_sec;
    }
    return 0;
}

static uint64_t print_state(void)
{
    char path[SCRATCH_PATH_MAX];
    state_print = 0;
    nftw(scratch_path(&scratch, "state", path), add_to_print, 8, FTW_PHYS);
    return state_print;
}

/* The only file below a folder of state whose name is not meta.json. Returns out. */
static char *part_in(const char *folder, char out[static SCRATCH_PATH_MAX])
{
    char path[SCRATCH_PATH_MAX], name[SCRATCH_PATH_MAX] = "";
    DIR *dir = opendir(scratch_path(&scratch, folder, path));
    ck_assert_ptr_nonnull(dir);
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;) {
        if (entry->d_name[0] != '.' && strcmp(entry->d_name, "meta.json") != 0) {
            snprintf(name, sizeof name, "%s/%.64s", folder, entry->d_name);
        }
    }
    closedir(dir);
    ck_assert_str_ne(name, "");
    return scratch_path(&scratch, name, out);
}

static void start_and_stop(void)
{
    struct generation *generation = load((struct load){0});
    ck_assert_msg(generation != NULL, "%s", problems_text());
    generation_free(generation);
}

/* ---- Orders ---- */

START_TEST(broken_file_starts_with_its_last_good_version)
{
    put("orders/IT/a.yaml", ORDER_WITH_LIST("A", "l.txt"));
    put("orders/IT/l.txt", "one.example\ntwo.example\n");
    start_and_stop();
    put("orders/IT/a.yaml", "nonsense\n");
    put("orders/IT/l.txt", "changed.example\n");
    put("orders/IT/b.yaml", "never good\n");
    struct generation *generation = load((struct load){.now = NOW + 60});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    ck_assert_uint_eq(name_list_count(order_of(generation, "A")->lists[0].names), 2);
    ck_assert_int_eq(loaded_of(generation, "IT/a.yaml"), NOW);
    ck_assert_uint_eq(generation->error_count, 2);
    ck_assert_int_eq(strncmp(problems_text(), "orders/IT/a.yaml:1:1: ", 22), 0);

    put("orders/IT/a.yaml", "nonsense again\n"); /* and so it stays, load after load */
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    generation_free(generation);
}
END_TEST

START_TEST(unchanged_order_remembers_when_it_was_loaded)
{
    start_and_stop();
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *generation = load((struct load){.now = NOW + 60});
    ck_assert_int_eq(loaded_of(generation, "IT/a.yaml"), NOW);
    ck_assert_int_eq(loaded_of(generation, "IT/b.yaml"), NOW + 60);
    generation_free(generation);
}
END_TEST

START_TEST(unchanged_files_are_not_written_again)
{
    put("overrides.csv", "192.0.2.0/24,IT,,,\n");
    put("protected.txt", "resolver.example\n");
    configure("geo: {database: country.mmdb, overrides: overrides.csv}\n"
              "block: {protected-names: protected.txt}\n");
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(problems_text(), "");
    uint64_t before = print_state();
    generation = reload(generation);
    ck_assert_uint_eq(print_state(), before);
    generation_free(generation);
    start_and_stop();
    ck_assert_uint_eq(print_state(), before);
    put("orders/IT/a.yaml", ORDER("A", "other.example"));
    start_and_stop();
    ck_assert_uint_ne(print_state(), before);
}
END_TEST

static const struct {
    const char *label;
    const char *text; /* what the kept order is overwritten with */
} damages[] = {
    {"emptied", ""},
    {"cut", "id: A\nauthority: Tribunale di Milano\n"},
    {"another order of the same size", ORDER("A", "b.example")},
};

START_TEST(damaged_copy_is_not_used)
{
    char part[SCRATCH_PATH_MAX];
    start_and_stop();
    put("orders/IT/a.yaml", "nonsense\n");
    scratch_write(part_in("state/orders/IT%2fa.yaml", part), damages[_i].text,
                  strlen(damages[_i].text));
    struct generation *generation = load((struct load){0});
    ck_assert_msg(strcmp(orders_of(generation), "") == 0, "%s", damages[_i].label);
    ck_assert_msg(strstr(problems_text(), "its last good version is not used: ") != NULL, "%s: %s",
                  damages[_i].label, problems_text());
    ck_assert_ptr_nonnull(strstr(problems_text(), "is damaged"));
    generation_free(generation);

    put("orders/IT/a.yaml", ORDER("A", "a.example")); /* mended: kept anew */
    start_and_stop();
    put("orders/IT/a.yaml", "nonsense\n");
    generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    generation_free(generation);
}
END_TEST

START_TEST(kept_copy_is_judged_by_what_is_protected_now)
{
    start_and_stop();
    put("orders/IT/a.yaml", "nonsense\n");
    put("protected.txt", "www.a.example\n");
    configure("block: {protected-names: protected.txt}\n");
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "");
    ck_assert_ptr_nonnull(strstr(problems_text(), "its last good version is not used: "));
    generation_free(generation);
}
END_TEST

START_TEST(order_that_went_does_not_come_back)
{
    char folder[SCRATCH_PATH_MAX], away[SCRATCH_PATH_MAX];
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    start_and_stop();
    take_away("orders/IT/b.yaml"); /* while nothing ran */
    start_and_stop();
    scratch_path(&scratch, "orders", folder);
    ck_assert_int_eq(rename(folder, scratch_path(&scratch, "away", away)), 0);
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    generation_free(generation);
}
END_TEST

START_TEST(same_id_at_a_restart_stays_with_its_file)
{
    start_and_stop();
    put("orders/DE/0.yaml", ORDER("A", "a.example"));
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A");
    ck_assert_str_eq(problems_text(),
                     "orders/DE/0.yaml:1:5: the id A is that of orders/IT/a.yaml already");
    generation_free(generation);
}
END_TEST

START_TEST(tool_reads_state_and_leaves_it)
{
    start_and_stop();
    uint64_t before = print_state();
    put("orders/IT/a.yaml", "nonsense\n");
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *generation = load((struct load){.read_only = true});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A* IT/b.yaml=B");
    ck_assert_uint_eq(print_state(), before);
    generation_free(generation);
}
END_TEST

/* No file may grow beyond this: what a full disk looks like, though the database still fits. */
#define ROOM 8192

START_TEST(full_disk_is_a_warning)
{
    char order[2 * ROOM] = ORDER("A", "other.example") "#";
    start_and_stop();
    memset(order + strlen(order), 'x', ROOM);
    put("orders/IT/a.yaml", order);
    full_disk_after(ROOM);
    struct generation *generation = load((struct load){0});
    full_disk_ends();
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A");
    ck_assert_uint_eq(generation->problem_count, 0);
    ck_assert_int_eq(
        strncmp(problems_text(), "warning: state: 1 of the last good versions coul", 47), 0);
    generation = reload(generation); /* room again */
    ck_assert_str_eq(problems_text(), "");
    generation_free(generation);
    put("orders/IT/a.yaml", "nonsense\n");
    generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    ck_assert_uint_eq(order_of(generation, "A")->name_count, 1);
    generation_free(generation);
}
END_TEST

START_TEST(no_state_folder_is_a_warning)
{
    put("state", "a file in the way");
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A");
    ck_assert_uint_eq(generation->problem_count, 0);
    ck_assert_uint_eq(problems.count, 1);
    ck_assert_int_eq(problems.items[0].level, PROBLEM_WARNING);
    generation_free(generation);
}
END_TEST

START_TEST(no_orders_folder_and_no_state)
{
    char folder[SCRATCH_PATH_MAX], away[SCRATCH_PATH_MAX];
    scratch_path(&scratch, "orders", folder);
    ck_assert_int_eq(rename(folder, scratch_path(&scratch, "away", away)), 0);
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "");
    ck_assert_uint_eq(generation->error_count, 1);
    generation_free(generation);
}
END_TEST

/* ---- Database ---- */

static const struct {
    const char *label;
    const char *bytes; /* NULL: taken away */
    size_t size;
} bad_databases[] = {
    {"gone", NULL, 0},
    {"empty", "", 0},
    {"text", "not a database\n", 15},
    {"metadata alone", "\xab\xcd\xefMaxMind.com", 14},
    {"truncated", "", 1}, /* to its first half */
    {"corrupt", "", 2},   /* every fourth octet of its tree flipped */
};

static void spoil_database(size_t row)
{
    struct file_bytes file;
    char path[SCRATCH_PATH_MAX], why[WHY_MAX];
    const char *bytes = bad_databases[row].bytes;
    size_t size = bad_databases[row].size;
    if (bytes == NULL) {
        take_away("country.mmdb");
    } else if (bytes[0] != '\0' || size == 0) {
        put_bytes("country.mmdb", bytes, size);
    } else {
        scratch_path(&scratch, "country.mmdb", path);
        ck_assert(file_bytes_read(AT_FDCWD, path, 1U << 20, &file, why));
        for (size_t i = 0; size == 2 && i < file.size / 2; i += 4) {
            file.bytes[i] = (char)~file.bytes[i];
        }
        put_bytes("country.mmdb", file.bytes, size == 1 ? file.size / 2 : file.size);
        file_bytes_fini(&file);
    }
}

START_TEST(bad_database_keeps_the_last_good_one)
{
    struct generation *generation = load((struct load){0});
    struct geo_db *db = generation->db;
    spoil_database((size_t)_i);
    generation = reload(generation);
    ck_assert_msg(generation->db == db, "%s", bad_databases[_i].label);
    ck_assert(generation->db_last_good);
    ck_assert_uint_eq(generation->error_count, 1);
    ck_assert_int_eq(strncmp(problems_text(), "country.mmdb: ", 14), 0);

    struct generation *start = load((struct load){0});
    ck_assert_msg(start != NULL, "%s: %s", bad_databases[_i].label, problems_text());
    ck_assert(start->db_last_good);
    ck_assert_mem_eq(geo_db_sha256(start->db), geo_db_sha256(db), FILE_BYTES_SHA256);
    generation_free(start);

    put_database("borders.mmdb");
    generation = reload(generation);
    ck_assert_str_eq(problems_text(), "");
    ck_assert(!generation->db_last_good && generation->db != db);
    generation_free(generation);
}
END_TEST

START_TEST(no_database_is_no_start)
{
    char part[SCRATCH_PATH_MAX];
    spoil_database((size_t)_i);
    put("orders/IT/b.yaml", "nonsense\n");
    ck_assert_ptr_null(load((struct load){0}));
    ck_assert_ptr_nonnull(strstr(problems_text(), "orders/IT/b.yaml")); /* all problems are told */
    ck_assert_ptr_nonnull(strstr(problems_text(), "country.mmdb: "));

    put_database("geoip2.mmdb");
    start_and_stop();
    spoil_database((size_t)_i);
    part_in("state/geo/database", part);
    scratch_write(part, "x", 1);
    ck_assert_ptr_null(load((struct load){0}));
    ck_assert_ptr_nonnull(strstr(problems_text(), "its last good version is not used"));
}
END_TEST

START_TEST(unchanged_database_is_one_copy)
{
    struct generation *generation = load((struct load){0});
    struct geo_db *db = generation->db;
    generation = reload(generation);
    ck_assert_ptr_eq(generation->db, db);
    configure("geo: {database: country.mmdb, country-field: registered_country}\n");
    generation = reload(generation);
    ck_assert_ptr_ne(generation->db, db);
    generation_free(generation);
}
END_TEST

START_TEST(old_database_is_a_warning)
{
    struct generation *generation = load((struct load){.now = NOW + 60 * 86400});
    ck_assert_str_eq(problems_text(), "warning: country.mmdb: the database was built at "
                                      "2025-06-15T15:06:40Z, longer ago than geo.max-age allows");
    generation_free(generation);
    configure("geo: {database: country.mmdb, max-age: 365d}\n");
    generation = load((struct load){.now = NOW + 60 * 86400});
    ck_assert_str_eq(problems_text(), "");
    generation_free(generation);
}
END_TEST

/* ---- Overrides ---- */

START_TEST(bad_overrides_keep_the_last_good_ones)
{
    put("overrides.csv", "192.0.2.0/24,IT,,,\n198.51.100.0/24,,,,\n");
    configure("geo: {database: country.mmdb, overrides: overrides.csv}\n");
    struct generation *generation = load((struct load){0});
    ck_assert_uint_eq(overrides_count(generation->overrides), 2);
    put("overrides.csv", "192.0.2.0/24,ITA,,,\n");
    generation = reload(generation);
    ck_assert_uint_eq(overrides_count(generation->overrides), 2);
    ck_assert(generation->overrides_last_good);
    ck_assert_int_eq(strncmp(problems_text(), "overrides.csv:1:", 16), 0);
    put("overrides.csv", "");
    generation = reload(generation);
    ck_assert_uint_eq(overrides_count(generation->overrides), 2);
    ck_assert(generation->overrides_last_good);
    ck_assert_ptr_nonnull(strstr(problems_text(), "the file is empty"));
    generation_free(generation);

    generation = load((struct load){0});
    ck_assert_uint_eq(overrides_count(generation->overrides), 2);
    ck_assert(generation->overrides_last_good);
    put("overrides.csv", "192.0.2.0/24,FR,,,\n");
    generation = reload(generation);
    ck_assert_uint_eq(overrides_count(generation->overrides), 1);
    ck_assert(!generation->overrides_last_good);
    configure("");
    generation = reload(generation); /* no more overrides, and none to come back */
    ck_assert_ptr_null(generation->overrides);
    generation_free(generation);

    configure("geo: {database: country.mmdb, overrides: nowhere.csv}\n");
    generation = load((struct load){0});
    ck_assert_ptr_null(generation->overrides);
    ck_assert(!generation->overrides_last_good);
    ck_assert_uint_eq(generation->error_count, 1);
    generation_free(generation);
}
END_TEST

/* ---- What is protected ---- */

#define ANSWERS(id, network) \
    "id: " id "\nauthority: A\nissued: 2026-01-01\nanswers: [" network "]\n"

static const struct {
    const char *key;
    const char *protects;
    const char *bad;
    const char *order;   /* what it lets through, */
    const char *refused; /* and what not */
} protections[] = {
    {"protected-names", "resolver.example\n", "two words\n", ORDER("B", "b.example"),
     ORDER("B", "www.resolver.example")},
    {"protected-networks", "192.0.2.53\n", "192.0.2.53/24\n", ANSWERS("B", "192.0.2.1"),
     ANSWERS("B", "192.0.2.53")},
};
#define PROTECTIONS (int)(sizeof protections / sizeof *protections)

static void configure_protected(const char *key)
{
    char text[128];
    snprintf(text, sizeof text, "block: {%s: protected.txt}\n", key);
    configure(text);
}

START_TEST(bad_protected_text_keeps_the_last_good_one)
{
    put("protected.txt", protections[_i].protects);
    put("orders/IT/b.yaml", protections[_i].order);
    configure_protected(protections[_i].key);
    struct generation *generation = load((struct load){0});
    put("protected.txt", protections[_i].bad);
    put("orders/IT/b.yaml", protections[_i].refused);
    generation = reload(generation); /* the same is protected as before */
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A IT/b.yaml=B*");
    ck_assert_uint_eq(generation->error_count, 2);
    generation_free(generation);
    generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A IT/b.yaml=B*");
    generation_free(generation);
}
END_TEST

START_TEST(no_protected_text_is_no_start)
{
    configure_protected(protections[_i].key);
    ck_assert_ptr_null(load((struct load){0}));
    ck_assert_ptr_nonnull(strstr(problems_text(), "protected.txt: "));
    put("protected.txt", "");
    start_and_stop();
}
END_TEST

START_TEST(what_becomes_protected_is_blocked_no_more)
{
    put("orders/IT/b.yaml", protections[_i].refused);
    struct generation *generation = load((struct load){0});
    put("protected.txt", protections[_i].protects);
    configure_protected(protections[_i].key);
    generation = reload(generation);
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A");
    ck_assert_ptr_nonnull(strstr(problems_text(), "its last good version is not used: it blocks "));
    ck_assert_ptr_nonnull(strstr(problems_text(), "that is protected now"));
    generation_free(generation);
    generation = load((struct load){0}); /* nor by what is kept */
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A");
    generation_free(generation);
}
END_TEST

/* ---- Block settings ---- */

static const struct {
    const char *label;
    const char *text; /* of the file; NULL: there is none */
    const char *secret;
    bool good;
} secrets[] = {
    {"16 octets", "\x01\x02\x03\x04\x05\x06\x07\x08qrstuvwx",
     "\x01\x02\x03\x04\x05\x06\x07\x08qrstuvwx", true},
    {"32 digits", "0102030405060708717273747576777A", "\x01\x02\x03\x04\x05\x06\x07\x08qrstuvwz",
     true},
    {"32 digits and a line end", "0102030405060708717273747576777a\n",
     "\x01\x02\x03\x04\x05\x06\x07\x08qrstuvwz", true},
    {"31 digits", "0102030405060708717273747576777\n", "process's secret", false},
    {"no digits", "010203040506070871727374757677xx\n", "process's secret", false},
    {"empty", "", "process's secret", false},
    {"too long", "0102030405060708717273747576777a0", "process's secret", false},
    {"gone", NULL, "process's secret", false},
};

START_TEST(cookie_secret_is_read)
{
    if (secrets[_i].text != NULL) {
        put("secret", secrets[_i].text);
    }
    configure("block: {cookie-secret: secret}\n");
    struct generation *generation = load((struct load){0});
    ck_assert_msg((generation->error_count == 0) == secrets[_i].good, "%s: %s", secrets[_i].label,
                  problems_text());
    ck_assert_mem_eq(generation->cookie_secret, secrets[_i].secret, EDNS_COOKIE_SECRET);
    generation_free(generation);
}
END_TEST

START_TEST(bad_cookie_secret_keeps_the_last_good_one)
{
    put("secret", "0123456789abcdef");
    configure("block: {cookie-secret: secret}\n");
    struct generation *generation = load((struct load){0});
    put("secret", "short");
    generation = reload(generation);
    ck_assert_mem_eq(generation->cookie_secret, "0123456789abcdef", EDNS_COOKIE_SECRET);
    ck_assert_uint_eq(generation->error_count, 1);
    configure("");
    generation = reload(generation);
    ck_assert_mem_eq(generation->cookie_secret, "process's secret", EDNS_COOKIE_SECRET);
    generation_free(generation);
}
END_TEST

static const struct {
    const char *contact;
    const char *rname;
    size_t size;
} contacts[] = {
    {"mailto:abuse@example.org",
     "\x05"
     "abuse\x07"
     "example\x03"
     "org",
     19},
    {"[tel:+1, 'mailto:legal.team@Example.ORG?subject=x@y', 'mailto:b@c.example']",
     "\x0alegal.team\x07"
     "example\x03"
     "org",
     24},
    {"'mailto:a@example.org,b@other.example'", "\1a\7example\3org", 15},
    {"'mailto:a%2Bb%40c@example.org'", "\5a+b@c\7example\3org", 19},
    {"https://example.org/", "", 0},
    {"mailto:x@bad..example", "", 0},
};

START_TEST(soa_names_the_first_mailbox)
{
    char lines[SET_TEXT_MAX];
    snprintf(lines, sizeof lines, "block: {contact: %s}\n", contacts[_i].contact);
    configure(lines);
    struct generation *generation = load((struct load){0});
    ck_assert_msg(generation->soa_rname.size == contacts[_i].size, "%s", contacts[_i].contact);
    if (contacts[_i].size > 0) {
        ck_assert_mem_eq(generation->soa_rname.bytes, contacts[_i].rname, contacts[_i].size);
    }
    generation_free(generation);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("generation_restart");
    TCase *tcase = tcase_create("generation_restart");
    tcase_add_checked_fixture(tcase, set_init, set_fini);
    tcase_add_test(tcase, broken_file_starts_with_its_last_good_version);
    tcase_add_test(tcase, unchanged_order_remembers_when_it_was_loaded);
    tcase_add_test(tcase, unchanged_files_are_not_written_again);
    tcase_add_loop_test(tcase, damaged_copy_is_not_used, 0, sizeof damages / sizeof *damages);
    tcase_add_test(tcase, kept_copy_is_judged_by_what_is_protected_now);
    tcase_add_test(tcase, order_that_went_does_not_come_back);
    tcase_add_test(tcase, same_id_at_a_restart_stays_with_its_file);
    tcase_add_test(tcase, tool_reads_state_and_leaves_it);
    tcase_add_test(tcase, full_disk_is_a_warning);
    tcase_add_test(tcase, no_state_folder_is_a_warning);
    tcase_add_test(tcase, no_orders_folder_and_no_state);
    tcase_add_loop_test(tcase, bad_database_keeps_the_last_good_one, 0,
                        sizeof bad_databases / sizeof *bad_databases);
    tcase_add_loop_test(tcase, no_database_is_no_start, 0,
                        sizeof bad_databases / sizeof *bad_databases);
    tcase_add_test(tcase, unchanged_database_is_one_copy);
    tcase_add_test(tcase, old_database_is_a_warning);
    tcase_add_test(tcase, bad_overrides_keep_the_last_good_ones);
    tcase_add_loop_test(tcase, bad_protected_text_keeps_the_last_good_one, 0, PROTECTIONS);
    tcase_add_loop_test(tcase, no_protected_text_is_no_start, 0, PROTECTIONS);
    tcase_add_loop_test(tcase, what_becomes_protected_is_blocked_no_more, 0, PROTECTIONS);
    tcase_add_loop_test(tcase, cookie_secret_is_read, 0, sizeof secrets / sizeof *secrets);
    tcase_add_test(tcase, bad_cookie_secret_keeps_the_last_good_one);
    tcase_add_loop_test(tcase, soa_names_the_first_mailbox, 0, sizeof contacts / sizeof *contacts);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
