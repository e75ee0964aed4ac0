/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Files replaced whole: what they keep, what is left alone, and what a crash leaves.
 */
#include "forwarder/cli/file_replace.h"

#include <string.h>

#include "test/scratch.h"
#include "test/suite.h"

static struct scratch scratch;
static char path[SCRATCH_PATH_MAX];
static char why[WHY_MAX];

static void setup(void)
{
    scratch_init(&scratch);
    scratch_path(&scratch, "a.yaml", path);
    scratch_write(path, "old", 3);
    why[0] = '\0';
}

static void teardown(void)
{
    scratch_fini(&scratch);
}

static const char *content(const char *name)
{
    static char text[64];
    char file[SCRATCH_PATH_MAX];
    FILE *in = fopen(scratch_path(&scratch, name, file), "re");
    ck_assert_ptr_nonnull(in);
    text[fread(text, 1, sizeof text - 1, in)] = '\0';
    fclose(in);
    return text;
}

static bool exists(const char *name)
{
    char file[SCRATCH_PATH_MAX];
    return access(scratch_path(&scratch, name, file), F_OK) == 0;
}

static bool replace(const char *file, const char *text)
{
    struct file_replace found;
    struct file_bytes bytes;
    ck_assert_msg(file_replace_open(file, 100, &found, why), "%s", why);
    ck_assert(file_bytes_copy(text, strlen(text), &bytes));
    bool done = file_replace_write(&found, &bytes, why);
    file_bytes_fini(&bytes);
    file_replace_fini(&found);
    return done;
}

START_TEST(replaces_and_keeps_the_mode)
{
    struct stat state;
    ck_assert_int_eq(chmod(path, 0604), 0);
    ck_assert_msg(replace(path, "new text"), "%s", why);
    ck_assert_str_eq(content("a.yaml"), "new text");
    ck_assert_int_eq(stat(path, &state), 0);
    ck_assert_uint_eq(state.st_mode & 07777U, 0604);
}
END_TEST

START_TEST(follows_links)
{
    char link_path[SCRATCH_PATH_MAX];
    struct stat state;
    ck_assert_int_eq(symlink("a.yaml", scratch_path(&scratch, "link.yaml", link_path)), 0);
    ck_assert_msg(replace(link_path, "new"), "%s", why);
    ck_assert_int_eq(lstat(link_path, &state), 0);
    ck_assert(S_ISLNK(state.st_mode));
    ck_assert_str_eq(content("a.yaml"), "new");
}
END_TEST

/* In place, and by a file of the same size under the same name. */
START_TEST(leaves_alone_what_others_changed)
{
    char other[SCRATCH_PATH_MAX];
    struct file_replace found;
    struct file_bytes bytes;
    ck_assert(file_bytes_copy("new", 3, &bytes));
    ck_assert(file_replace_open(path, 100, &found, why));
    if (_i == 0) {
        scratch_write(path, "their text", 10);
    } else if (_i == 1) {
        scratch_write(scratch_path(&scratch, "b", other), "own", 3);
        ck_assert_int_eq(rename(other, path), 0);
    } else {
        ck_assert_int_eq(unlink(path), 0);
    }
    ck_assert(!file_replace_write(&found, &bytes, why));
    ck_assert_str_eq(why, "was changed by somebody else meanwhile; nothing was written");
    if (_i < 2) {
        ck_assert_str_eq(content("a.yaml"), _i == 0 ? "their text" : "own");
    } else {
        ck_assert(!exists("a.yaml"));
    }
    file_replace_fini(&found);
    file_bytes_fini(&bytes);
}
END_TEST

START_TEST(takes_away_what_a_crash_left)
{
    char left[SCRATCH_PATH_MAX];
    scratch_write(scratch_path(&scratch, ".a.yaml.bailiwick-0123456789abcdef", left), "x", 1);
    scratch_write(scratch_path(&scratch, ".b.yaml.bailiwick-0123456789abcdef", left), "x", 1);
    ck_assert_msg(replace(path, "new"), "%s", why);
    ck_assert(!exists(".a.yaml.bailiwick-0123456789abcdef"));
    ck_assert(exists(".b.yaml.bailiwick-0123456789abcdef"));
}
END_TEST

START_TEST(reads_no_other_than_files)
{
    struct file_replace found;
    ck_assert(!file_replace_open(scratch.folder, 100, &found, why));
    ck_assert_str_eq(why, "not a regular file");
    ck_assert(!file_replace_open(path, 2, &found, why));
    ck_assert_str_eq(why, "has 3 bytes, more than the 2 that are read");
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(!file_replace_open(path, 100, &found, why));
    ck_assert_str_eq(why, "cannot be reached: No such file or directory");
    file_replace_fini(&found);
}
END_TEST

START_TEST(creates_but_never_over)
{
    char fresh[SCRATCH_PATH_MAX];
    struct file_bytes bytes;
    struct stat state;
    mode_t mask = umask(027);
    ck_assert(file_bytes_copy("new", 3, &bytes));
    ck_assert_msg(file_replace_create(scratch_path(&scratch, "b.yaml", fresh), &bytes, why), "%s",
                  why);
    umask(mask);
    ck_assert_int_eq(stat(fresh, &state), 0);
    ck_assert_uint_eq(state.st_mode & 07777U, 0640);
    ck_assert(!file_replace_create(path, &bytes, why));
    ck_assert_str_eq(why, "cannot write: File exists");
    ck_assert_str_eq(content("a.yaml"), "old");
    ck_assert(!file_replace_create(scratch_path(&scratch, "no/b.yaml", fresh), &bytes, why));
    ck_assert_str_eq(why, "cannot open its folder: No such file or directory");
    file_bytes_fini(&bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file_replace");
    TCase *tcase = tcase_create("file_replace");
    suite_add_tcase(suite, tcase);
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, replaces_and_keeps_the_mode);
    tcase_add_test(tcase, follows_links);
    tcase_add_loop_test(tcase, leaves_alone_what_others_changed, 0, 3);
    tcase_add_test(tcase, takes_away_what_a_crash_left);
    tcase_add_test(tcase, reads_no_other_than_files);
    tcase_add_test(tcase, creates_but_never_over);
    return suite_run(suite);
}
