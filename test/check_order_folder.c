/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Walks over folders made for the purpose: what becomes an entry, what is refused, and that links
 * lead nowhere else.
 */
#include "policy/order_folder.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

#include "test/scratch.h"
#include "test/suite.h"

static struct scratch scratch;

static void setup(void)
{
    scratch_init(&scratch);
}

static void teardown(void)
{
    scratch_fini(&scratch);
}

static void make_file(const char *name)
{
    char path[SCRATCH_PATH_MAX];
    scratch_write(scratch_path(&scratch, name, path), "x", 1);
}

static void make_folder(const char *name)
{
    char path[SCRATCH_PATH_MAX];
    ck_assert_int_eq(mkdir(scratch_path(&scratch, name, path), 0700), 0);
}

static void make_link(const char *target, const char *name)
{
    char path[SCRATCH_PATH_MAX];
    ck_assert_int_eq(symlink(target, scratch_path(&scratch, name, path)), 0);
}

/* The problems as "path: text" below the scratch folder, sorted as they came, joined by newlines.
 */
static void join(const struct problem_list *problems, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < problems->count; i++) {
        size_t used = strlen(out);
        const char *file = problems->items[i].file;
        ck_assert_int_eq(strncmp(file, scratch.folder, strlen(scratch.folder)), 0);
        snprintf(out + used, size - used, "%s%s: %s", i > 0 ? "\n" : "",
                 file + strlen(scratch.folder), problems->items[i].text);
    }
}

/* Walks a root below the scratch folder ("" is the folder itself); what was said goes to said. */
static bool read_root(const char *name, struct order_folder *out, char *said, size_t size)
{
    char path[SCRATCH_PATH_MAX];
    struct problem_list problems;
    problem_list_init(&problems);
    scratch_path(&scratch, name, path);
    if (*name == '\0') {
        path[strlen(path) - 1] = '\0';
    }
    bool read = order_folder_read(path, out, &problems);
    ck_assert(read || problems.errors > 0);
    join(&problems, said, size);
    problem_list_fini(&problems);
    return read;
}

START_TEST(finds_orders_and_lists)
{
    static const char *const expected[] = {
        "EU/union.yml",     "FR/a-b.yaml", "FR/a.txt", "FR/a.yaml",
        "FR/a/deep/c.yaml", "FR/ab.yaml",  "README",
    };
    char said[512];
    struct order_folder folder;
    make_folder("FR");
    make_folder("FR/a");
    make_folder("FR/a/deep");
    make_folder("FR/empty");
    make_folder("FR/.git");
    make_folder("EU");
    make_folder(".git");
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        make_file(expected[i]);
    }
    make_file("FR/.hidden.yaml");
    make_file("FR/a.yaml~");
    make_file("FR/.git/b.yaml");
    make_file(".hidden");
    ck_assert(read_root("", &folder, said, sizeof said));
    ck_assert_str_eq(said, "");
    ck_assert_uint_eq(folder.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < folder.count; i++) {
        ck_assert_str_eq(folder.entries[i].path, expected[i]);
        bool is_order = strstr(expected[i], ".y") != NULL;
        ck_assert_msg(folder.entries[i].is_order == is_order, "%s", expected[i]);
    }
    ck_assert(folder.entries[0].scope.is_group);
    ck_assert_int_eq(folder.entries[0].scope.group, COUNTRY_GROUP_EU);
    ck_assert(!folder.entries[4].scope.is_group);
    ck_assert(country_equal(folder.entries[4].scope.country, (struct country){{'F', 'R'}}));
    ck_assert(!country_known(folder.entries[6].scope.country));
    ck_assert_int_eq(faccessat(folder.descriptor, folder.entries[4].path, R_OK, 0), 0);
    order_folder_fini(&folder);
    ck_assert_int_eq(folder.descriptor, -1);
    order_folder_fini(&folder);
}
END_TEST

struct odd_row {
    const char *label;
    const char *folder; /* made first; may be NULL */
    const char *file;   /* made in it; may be NULL */
    const char *expected;
    size_t entries;
};

#define COUNTRY                                                                                 \
    "expected a country of ISO 3166-1 in capitals, such as IT, or EU or EEA, or a subdivision " \
    "of ISO 3166-2, such as US-CA"

static const struct odd_row odd[] = {
    {"empty", NULL, NULL, "", 0},
    {"no country", "lists", "lists/a.yaml", "/lists: " COUNTRY, 0},
    {"small letters", "it", "it/a.yaml", "/it: a country is written in capitals, such as IT", 0},
    {"a subdivision of no country", "XX-CA", "XX-CA/a.yaml", "/XX-CA: " COUNTRY, 0},
    {"a subdivision of four characters", "US-CALI", "US-CALI/a.yaml", "/US-CALI: " COUNTRY, 0},
    {"a subdivision without a code", "US-", NULL, "/US-: " COUNTRY, 0},
    {"an order at the top", NULL, "a.yaml",
     "/a.yaml: an order lies in the folder of a country or a group, not beside them", 0},
    {"a country's name as a file", NULL, "IT", "", 1},
    {"a folder with an order's name", "IT.yaml", NULL, "/IT.yaml: " COUNTRY, 0},
    {"an order's ending alone", "IT", "IT/yaml", "", 1},
};

START_TEST(judges_the_odd)
{
    const struct odd_row *row = &odd[_i];
    char said[512];
    struct order_folder folder;
    if (row->folder != NULL) {
        make_folder(row->folder);
    }
    if (row->file != NULL) {
        make_file(row->file);
    }
    ck_assert(read_root("", &folder, said, sizeof said));
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s: %s", row->label, said);
    ck_assert_msg(folder.count == row->entries, "%s: %zu entries", row->label, folder.count);
    ck_assert(folder.count == 0 || !folder.entries[0].is_order);
    order_folder_fini(&folder);
}
END_TEST

/* Links to files are entries, links to folders are not; a link to nowhere or a FIFO is for its
 * reader to refuse. */
START_TEST(follows_links_to_files_only)
{
    static const char *const expected[] = {"IT/fifo.yaml", "IT/linked.yaml", "IT/nowhere.yaml"};
    char said[512];
    char path[SCRATCH_PATH_MAX];
    struct order_folder folder;
    make_file("outside");
    make_folder("orders");
    make_folder("orders/IT");
    make_link("../../outside", "orders/IT/linked.yaml");
    make_link("absent", "orders/IT/nowhere.yaml");
    make_link("..", "orders/IT/circle");
    make_link("IT", "orders/FR");
    ck_assert_int_eq(mkfifo(scratch_path(&scratch, "orders/IT/fifo.yaml", path), 0600), 0);
    ck_assert(read_root("orders", &folder, said, sizeof said));
    ck_assert_ptr_nonnull(strstr(said, "/orders/IT/circle: a symbolic link to a folder is not "
                                       "followed here"));
    ck_assert_ptr_nonnull(strstr(said, "/orders/FR: a symbolic link to a folder is not followed "
                                       "here"));
    ck_assert_uint_eq(folder.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < folder.count; i++) {
        ck_assert_str_eq(folder.entries[i].path, expected[i]);
        ck_assert(folder.entries[i].is_order);
    }
    order_folder_fini(&folder);
}
END_TEST

/* The root's link is switched between the walk and the reading: the walk's folder is still read. */
START_TEST(resolves_the_root_once)
{
    char said[512];
    char path[SCRATCH_PATH_MAX];
    struct order_folder folder;
    make_folder("release-1");
    make_folder("release-1/IT");
    make_file("release-1/IT/a.yaml");
    make_folder("release-2");
    make_link("release-1", "orders");
    ck_assert(read_root("orders", &folder, said, sizeof said));
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(unlink(scratch_path(&scratch, "orders", path)), 0);
    make_link("release-2", "orders");
    ck_assert_uint_eq(folder.count, 1);
    ck_assert_int_eq(faccessat(folder.descriptor, folder.entries[0].path, R_OK, 0), 0);
    order_folder_fini(&folder);
}
END_TEST

START_TEST(refuses_a_root_that_is_none)
{
    char said[512];
    struct order_folder folder;
    make_file("file");
    ck_assert(!read_root("file", &folder, said, sizeof said));
    ck_assert_str_eq(said, "/file: cannot open the folder of orders: Not a directory");
    order_folder_fini(&folder);
    ck_assert(!read_root("absent", &folder, said, sizeof said));
    ck_assert_str_eq(said, "/absent: cannot open the folder of orders: No such file or directory");
    order_folder_fini(&folder);
}
END_TEST

START_TEST(bounds_the_depth)
{
    char said[512];
    char path[SCRATCH_PATH_MAX] = "IT";
    struct order_folder folder;
    make_folder("IT");
    make_file("IT/a.yaml");
    for (int depth = 1; depth <= ORDER_FOLDER_DEPTH; depth++) {
        strcat(path, "/d");
        make_folder(path);
    }
    ck_assert(read_root("", &folder, said, sizeof said));
    ck_assert_uint_eq(folder.count, 1);
    ck_assert_str_eq(said, "/IT/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d/d: this folder lies too deep");
    order_folder_fini(&folder);
}
END_TEST

/* A superuser may open any folder, so there is nothing to see then. */
START_TEST(goes_on_past_a_closed_folder)
{
    char said[512];
    char path[SCRATCH_PATH_MAX];
    struct order_folder folder;
    make_folder("FR");
    make_folder("IT");
    make_file("IT/a.yaml");
    ck_assert_int_eq(chmod(scratch_path(&scratch, "FR", path), 0), 0);
    ck_assert(read_root("", &folder, said, sizeof said));
    ck_assert_uint_eq(folder.count, 1);
    ck_assert_str_eq(said, geteuid() == 0 ? "" : "/FR: cannot open this folder: Permission denied");
    order_folder_fini(&folder);
    ck_assert_int_eq(chmod(path, 0700), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_folder");
    TCase *tcase = tcase_create("order_folder");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, finds_orders_and_lists);
    tcase_add_loop_test(tcase, judges_the_odd, 0, ROWS(odd));
    tcase_add_test(tcase, follows_links_to_files_only);
    tcase_add_test(tcase, resolves_the_root_once);
    tcase_add_test(tcase, refuses_a_root_that_is_none);
    tcase_add_test(tcase, bounds_the_depth);
    tcase_add_test(tcase, goes_on_past_a_closed_folder);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
