/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * geo/file_stream: files read in blocks are the files that were hashed, and copied only as such.
 */
#include "geo/file_stream.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "test/scratch.h"
#include "test/suite.h"

static struct scratch scratch;
static char path[SCRATCH_PATH_MAX], copy[SCRATCH_PATH_MAX];

static void set_up(void)
{
    scratch_init(&scratch);
    scratch_path(&scratch, "file", path);
    scratch_path(&scratch, "copy", copy);
}

static void tear_down(void)
{
    scratch_fini(&scratch);
}

static void put(const char *text)
{
    scratch_write(path, text, strlen(text));
}

/* Reads in steps; true with the text once the end was reached. */
static bool read_text(struct file_stream *stream, size_t step, char *out, char why[static WHY_MAX])
{
    size_t used = 0, got = 1;
    while (got > 0) {
        if (!file_stream_read(stream, out + used, step, &got, why)) {
            return false;
        }
        used += got;
    }
    out[used] = '\0';
    return true;
}

START_TEST(reads_and_hashes)
{
    static const size_t steps[] = {1, 2, 100};
    char why[WHY_MAX] = "", text[64], hex[FILE_BYTES_HEX_MAX];
    uint8_t sha256[FILE_BYTES_SHA256];
    put("abc");
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct file_stream *stream = file_stream_open(AT_FDCWD, path, 3, why);
        ck_assert_msg(stream != NULL, "%s", why);
        ck_assert_msg(read_text(stream, steps[i], text, why), "%s", why);
        ck_assert_str_eq(text, "abc");
        ck_assert(file_stream_sha256(stream, sha256));
        ck_assert_str_eq(file_bytes_hex(sha256, hex),
                         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        file_stream_close(stream);
    }
    file_stream_close(NULL);
}
END_TEST

START_TEST(what_changes_is_refused)
{
    static const char *const later[] = {"ab", "abcd", "xyz"};
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        char why[WHY_MAX] = "", text[64];
        const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
        put("abc");
        ck_assert_int_eq(utimensat(AT_FDCWD, path, old, 0), 0);
        struct file_stream *stream = file_stream_open(AT_FDCWD, path, 100, why);
        ck_assert_ptr_nonnull(stream);
        put(later[i]);
        ck_assert_msg(!read_text(stream, 2, text, why), "%s", later[i]);
        ck_assert_str_eq(why, "changed while it was read");
        file_stream_close(stream);
    }
}
END_TEST

START_TEST(what_is_refused_at_once)
{
    char why[WHY_MAX];
    put("abc");
    ck_assert_ptr_null(file_stream_open(AT_FDCWD, path, 2, why));
    ck_assert_str_eq(why, "has 3 bytes, more than the 2 that are read");
    ck_assert_ptr_null(file_stream_open(AT_FDCWD, scratch.folder, 100, why));
    ck_assert_str_eq(why, "not a regular file");
    ck_assert_ptr_null(file_stream_open(AT_FDCWD, copy, 100, why));
    ck_assert_str_eq(why, "cannot open: No such file or directory");
    ck_assert_int_eq(mkfifo(copy, 0600), 0);
    ck_assert_ptr_null(file_stream_open(AT_FDCWD, copy, 100, why));
    ck_assert_str_eq(why, "not a regular file");
}
END_TEST

/* Copies into a new file. */
static bool copy_known(const struct file_stream_known *known, char why[static WHY_MAX])
{
    int descriptor = open(copy, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(descriptor, 0);
    bool copied = file_stream_copy(known, descriptor, why);
    close(descriptor);
    return copied;
}

START_TEST(copies_what_is_known)
{
    char why[WHY_MAX] = "";
    struct file_stream_known known;
    struct file_bytes read;
    put("abc");
    ck_assert_msg(file_stream_know(AT_FDCWD, path, 3, &known, why), "%s", why);
    ck_assert_uint_eq(known.size, 3);
    ck_assert_msg(copy_known(&known, why), "%s", why);
    ck_assert(file_bytes_read(AT_FDCWD, copy, 100, &read, why));
    ck_assert_str_eq(read.bytes, "abc");
    ck_assert_mem_eq(read.sha256, known.sha256, FILE_BYTES_SHA256);
    file_bytes_fini(&read);
}
END_TEST

START_TEST(copies_nothing_else)
{
    static const char *const later[] = {"ab", "abcd", "xyz", ""};
    char why[WHY_MAX], expected[WHY_MAX];
    struct file_stream_known known;
    for (size_t i = 0; i < sizeof later / sizeof *later; i++) {
        put("abc");
        ck_assert(file_stream_know(AT_FDCWD, path, 3, &known, why));
        put(later[i]);
        ck_assert_msg(!copy_known(&known, why), "%s", later[i]);
        snprintf(expected, sizeof expected, "%s changed since it was read", path);
        ck_assert_str_eq(why, strlen(later[i]) > 3 ? "has 4 bytes, more than the 3 that are read"
                                                   : expected);
    }
    ck_assert_int_eq(unlink(path), 0);
    ck_assert(!copy_known(&known, why));
    ck_assert(!file_stream_know(AT_FDCWD, path, 3, &known, why));
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("streams");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, reads_and_hashes);
    tcase_add_test(tcase, what_changes_is_refused);
    tcase_add_test(tcase, what_is_refused_at_once);
    tcase_add_test(tcase, copies_what_is_known);
    tcase_add_test(tcase, copies_nothing_else);
    Suite *suite = suite_create("file_stream");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
