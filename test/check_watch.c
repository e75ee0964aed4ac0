/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Edits of real files, and what is told of them. Everything happens below one folder:
 * orders -> releases/1 (a link), single.txt, elsewhere/.
 */
#include "forwarder/server/watch.h"

#include <check.h>
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "test/loop.h"
#include "test/scratch.h"
#include "test/suite.h"

static const struct watch_timing timing = {.quiet_ms = 10, .longest_ms = 60};

static struct scratch scratch;
static struct event_base *base;
static struct watch *watch;
static struct watch_change last;
static unsigned told;

static void on_changed(void *ctx, const struct watch_change *change)
{
    ck_assert_ptr_eq(ctx, &told);
    ck_assert_uint_gt(change->count, 0);
    last = *change;
    told++;
}

/* ---- Watches that run out ---- */

static unsigned watches_left = UINT_MAX;

/* Stands before the C library's: the kernel's limit is one for the whole machine. */
int inotify_add_watch(int descriptor, const char *path, uint32_t mask)
{
    if (watches_left == 0) {
        errno = ENOSPC;
        return -1;
    }
    watches_left--;
    return (int)syscall(SYS_inotify_add_watch, descriptor, path, mask);
}

/* ---- Files ---- */

static const char *at(const char *name)
{
    static char paths[4][SCRATCH_PATH_MAX];
    static unsigned next;
    return scratch_path(&scratch, name, paths[next++ % 4]);
}

static void folder(const char *name)
{
    ck_assert_int_eq(mkdir(at(name), 0700), 0);
}

static void write_file(const char *name)
{
    scratch_write(at(name), "x", 1);
}

static void link_to(const char *target, const char *name)
{
    ck_assert_int_eq(symlink(target, at(name)), 0);
}

static void move(const char *from, const char *to)
{
    ck_assert_int_eq(rename(at(from), at(to)), 0);
}

static int writer = -1; /* a file that somebody has open */

static void open_writer(const char *name)
{
    writer = open(at(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(writer, 0);
}

static void write_some(void)
{
    ck_assert_int_eq(write(writer, "more", 4), 4);
}

static void close_writer(void)
{
    ck_assert_int_eq(close(writer), 0);
    writer = -1;
}

static void follow(int64_t since)
{
    const char *files[] = {at("single.txt"), at("elsewhere/list.txt")};
    watch_follow(watch, at("orders"), files, 2, since);
}

static void set_up(void)
{
    char why[WHY_MAX] = "";
    scratch_init(&scratch);
    folder("releases");
    folder("releases/1");
    folder("releases/1/IT");
    folder("releases/1/IT/deep");
    folder("releases/1/.git");
    folder("elsewhere");
    write_file("releases/1/IT/a.yaml");
    write_file("single.txt");
    link_to("releases/1", "orders");
    base = event_base_new();
    told = 0;
    watch = watch_new(base, &timing, on_changed, &told, why);
    ck_assert_msg(watch != NULL, "%s", why);
    follow(INT64_MAX);
    ck_assert_ptr_null(watch_problem(watch));
    loop_for(base, 30);
    ck_assert_uint_eq(told, 0);
}

static void tear_down(void)
{
    if (writer >= 0) {
        close_writer();
    }
    watch_free(watch);
    event_base_free(base);
    scratch_fini(&scratch);
}

/* ---- Single edits ---- */

static void write_in_place(void)
{
    write_file("orders/IT/a.yaml");
}

static void write_new(void)
{
    write_file("orders/IT/deep/b.yaml");
}

static void move_into_place(void)
{
    write_file("orders/IT/.a.yaml.new");
    move("orders/IT/.a.yaml.new", "orders/IT/a.yaml");
}

static void delete_order(void)
{
    ck_assert_int_eq(unlink(at("orders/IT/a.yaml")), 0);
}

static void link_in_tree(void)
{
    link_to("a.yaml", "orders/IT/c.yaml");
}

static void hard_link(void)
{
    ck_assert_int_eq(link(at("single.txt"), at("orders/IT/c.yaml")), 0);
}

static void permit(void)
{
    ck_assert_int_eq(chmod(at("orders/IT/a.yaml"), 0400), 0);
}

static void new_country(void)
{
    folder("orders/DE");
}

static void switch_link(void)
{
    folder("releases/2");
    link_to("releases/2", "orders.new");
    move("orders.new", "orders");
}

static void write_single(void)
{
    write_file("single.txt");
}

static void move_single(void)
{
    write_file("single.txt.tmp");
    move("single.txt.tmp", "single.txt");
}

static void write_absent(void)
{
    write_file("elsewhere/list.txt");
}

static void remove_folder_above(void)
{
    ck_assert_int_eq(rmdir(at("elsewhere")), 0);
}

static void write_hidden(void)
{
    write_file("orders/IT/.a.yaml.swp");
    write_file("orders/.git/index");
    write_file("orders/IT/a.yaml~");
}

static void write_beside(void)
{
    write_file("other.txt");
    write_file("elsewhere/other.txt");
    write_file("releases/note.txt");
}

static void only_read(void)
{
    char byte;
    int fd = open(at("orders/IT/a.yaml"), O_RDONLY | O_CLOEXEC);
    ck_assert_int_eq(read(fd, &byte, 1), 1);
    ck_assert_int_eq(close(fd), 0);
}

static const struct edit_row {
    const char *label;
    void (*edit)(void);
    const char *file; /* that is told, or NULL: nothing is */
} edits[] = {
    {"written in place", write_in_place, "releases/1/IT/a.yaml"},
    {"a new file at depth", write_new, "releases/1/IT/deep/b.yaml"},
    {"moved into its place", move_into_place, "releases/1/IT/a.yaml"},
    {"deleted", delete_order, "releases/1/IT/a.yaml"},
    {"a symbolic link to a file", link_in_tree, "releases/1/IT/c.yaml"},
    {"a hard link", hard_link, "releases/1/IT/c.yaml"},
    {"permissions", permit, "releases/1/IT/a.yaml"},
    {"a folder", new_country, "releases/1/DE"},
    {"the link to the folder is switched", switch_link, "orders"},
    {"a single file in place", write_single, "single.txt"},
    {"a single file moved there", move_single, "single.txt"},
    {"a single file that was not there", write_absent, "elsewhere/list.txt"},
    {"the folder of a single file goes", remove_folder_above, "elsewhere"},
    {"what readers pass over", write_hidden, NULL},
    {"other files in watched folders", write_beside, NULL},
    {"reading", only_read, NULL},
};

START_TEST(one_edit)
{
    const struct edit_row *row = &edits[_i];
    char file[SCRATCH_PATH_MAX];
    row->edit();
    if (row->file == NULL) {
        loop_for(base, 60);
        ck_assert_msg(told == 0, "%s: told of %s", row->label, last.files);
        return;
    }
    LOOP_UNTIL(base, told > 0);
    ck_assert_msg(strstr(last.files, scratch_path(&scratch, row->file, file)) != NULL,
                  "%s: told of %s", row->label, last.files);
}
END_TEST

/* ---- Sequences ---- */

static size_t unfinished(void)
{
    size_t count;
    struct file_identity *files = watch_unfinished(watch, &count);
    struct file_identity expected;
    if (count > 0) {
        ck_assert(file_identity_of(AT_FDCWD, at("orders/IT/half.yaml"), &expected));
        ck_assert_int_eq(file_identity_compare(&files[0], &expected), 0);
    }
    free(files);
    return count;
}

START_TEST(the_end_of_writing_counts)
{
    open_writer("orders/IT/half.yaml");
    loop_for(base, 40);
    write_some();
    loop_for(base, 40);
    ck_assert_uint_eq(told, 0);
    ck_assert_uint_eq(unfinished(), 1);
    close_writer();
    LOOP_UNTIL(base, told == 1);
    ck_assert_uint_eq(unfinished(), 0);
}
END_TEST

START_TEST(another_file_is_told_while_one_is_written)
{
    open_writer("orders/IT/half.yaml");
    loop_for(base, 20);
    write_some();
    write_file("orders/IT/a.yaml");
    uint64_t limit = loop_now_ms() + LOOP_LIMIT_MS;
    while (told == 0) { /* a writer that never rests does not put it off for good */
        ck_assert(loop_now_ms() < limit);
        write_some();
        loop_round(base);
    }
    ck_assert_uint_eq(unfinished(), 1);
    ck_assert_ptr_nonnull(strstr(last.files, "a.yaml"));
    ck_assert_ptr_null(strstr(last.files, "half.yaml"));
}
END_TEST

START_TEST(a_file_that_is_replaced_or_gone_is_not_unfinished)
{
    open_writer("orders/IT/half.yaml");
    loop_for(base, 20);
    write_some();
    loop_for(base, 20);
    ck_assert_uint_eq(unfinished(), 1);
    write_file("whole.yaml");
    move("whole.yaml", "orders/IT/half.yaml");
    LOOP_UNTIL(base, told == 1);
    ck_assert_uint_eq(unfinished(), 0);
}
END_TEST

START_TEST(edits_in_a_row_are_told_once)
{
    for (int i = 0; i < 20; i++) {
        write_file("orders/IT/a.yaml");
    }
    LOOP_UNTIL(base, told == 1);
    ck_assert_uint_ge(last.count, 1);
    loop_for(base, 60);
    ck_assert_uint_eq(told, 1);
}
END_TEST

/* Made before their watch could be there. */
START_TEST(folders_in_new_folders_are_watched)
{
    folder("new");
    folder("new/deep");
    folder("new/deep/deeper");
    move("new", "orders/DE");
    LOOP_UNTIL(base, told == 1);
    write_file("orders/DE/deep/deeper/d.yaml");
    LOOP_UNTIL(base, told == 2);
    ck_assert_ptr_nonnull(strstr(last.files, "releases/1/DE/deep/deeper/d.yaml"));
}
END_TEST

START_TEST(the_folder_behind_a_switched_link_is_watched_the_one_before_is_not)
{
    folder("releases/2");
    folder("releases/2/IT");
    link_to("releases/2", "orders.new");
    move("orders.new", "orders");
    LOOP_UNTIL(base, told == 1);
    write_file("releases/1/IT/a.yaml");
    loop_for(base, 60);
    ck_assert_uint_eq(told, 1);
    write_file("releases/2/IT/a.yaml");
    LOOP_UNTIL(base, told == 2);
}
END_TEST

START_TEST(a_folder_that_went_and_came_back_is_watched)
{
    move("releases", "away");
    LOOP_UNTIL(base, told == 1);
    folder("releases");
    folder("releases/1");
    LOOP_UNTIL(base, told == 2);
    write_file("releases/1/x.yaml");
    LOOP_UNTIL(base, told == 3);
}
END_TEST

START_TEST(what_a_link_in_the_tree_leads_to_is_watched)
{
    write_file("elsewhere/real.yaml");
    link_to("../../../elsewhere/real.yaml", "releases/1/IT/link.yaml");
    LOOP_UNTIL(base, told == 1);
    write_file("elsewhere/real.yaml");
    LOOP_UNTIL(base, told == 2);
    ck_assert_ptr_nonnull(strstr(last.files, "elsewhere/real.yaml"));
}
END_TEST

START_TEST(a_file_that_changed_before_it_was_wanted_is_told)
{
    const char *files[] = {at("late.txt")};
    write_file("late.txt");
    watch_follow(watch, at("orders"), files, 1, 0);
    LOOP_UNTIL(base, told == 1);
    watch_follow(watch, at("orders"), files, 1, 0);
    loop_for(base, 60);
    ck_assert_uint_eq(told, 1); /* it is watched by now */
    write_file("single.txt");   /* and this is not any more */
    loop_for(base, 60);
    ck_assert_uint_eq(told, 1);
}
END_TEST

START_TEST(a_folder_of_orders_that_is_not_there_yet)
{
    watch_follow(watch, at("not/yet"), NULL, 0, 0);
    folder("not");
    LOOP_UNTIL(base, told == 1);
    folder("not/yet");
    LOOP_UNTIL(base, told == 2);
    write_file("not/yet/x.yaml");
    LOOP_UNTIL(base, told == 3);
}
END_TEST

START_TEST(where_no_watch_is_left_that_is_said)
{
    folder("releases/2");
    folder("releases/2/IT");
    watches_left = 1;
    watch_follow(watch, at("releases/2"), NULL, 0, INT64_MAX);
    ck_assert_ptr_nonnull(watch_problem(watch));
    ck_assert_msg(strstr(watch_problem(watch), "no watch is left") != NULL, "%s",
                  watch_problem(watch));
    watches_left = UINT_MAX;
    watch_follow(watch, at("releases/2"), NULL, 0, INT64_MAX);
    ck_assert_ptr_null(watch_problem(watch));
    write_file("releases/2/IT/a.yaml");
    LOOP_UNTIL(base, told == 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("watch");
    TCase *single = tcase_create("single edits"), *rows = tcase_create("sequences");
    tcase_add_checked_fixture(single, set_up, tear_down);
    tcase_add_loop_test(single, one_edit, 0, sizeof edits / sizeof edits[0]);
    suite_add_tcase(suite, single);
    tcase_add_checked_fixture(rows, set_up, tear_down);
    tcase_set_timeout(rows, 60);
    tcase_add_test(rows, the_end_of_writing_counts);
    tcase_add_test(rows, another_file_is_told_while_one_is_written);
    tcase_add_test(rows, a_file_that_is_replaced_or_gone_is_not_unfinished);
    tcase_add_test(rows, edits_in_a_row_are_told_once);
    tcase_add_test(rows, folders_in_new_folders_are_watched);
    tcase_add_test(rows, the_folder_behind_a_switched_link_is_watched_the_one_before_is_not);
    tcase_add_test(rows, a_folder_that_went_and_came_back_is_watched);
    tcase_add_test(rows, what_a_link_in_the_tree_leads_to_is_watched);
    tcase_add_test(rows, a_file_that_changed_before_it_was_wanted_is_told);
    tcase_add_test(rows, a_folder_of_orders_that_is_not_there_yet);
    tcase_add_test(rows, where_no_watch_is_left_that_is_said);
    suite_add_tcase(suite, rows);
    return suite_run(suite);
}
