/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading, hashing and sealing whole files, and what is refused.
 */
#include "geo/file_bytes.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "test/scratch.h"
#include "test/suite.h"

static struct scratch scratch;
static char path[SCRATCH_PATH_MAX];

static void set_up(void)
{
    scratch_init(&scratch);
    scratch_path(&scratch, "file", path);
}

static void tear_down(void)
{
    scratch_fini(&scratch);
}

static const struct {
    const char *label, *bytes;
    size_t size;
    const char *sha256;
} CONTENTS[] = {
    {"empty", "", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"with NULs", "a\0b\0", 4, "8fb20ef63ced4145fc2e983ffe597d1dcff39154c3bf21f0fa9dde6a0c50fdc9"},
};

START_TEST(reads_and_hashes)
{
    for (size_t i = 0; i < sizeof CONTENTS / sizeof CONTENTS[0]; i++) {
        char why[WHY_MAX] = "", hex[FILE_BYTES_HEX_MAX];
        struct file_bytes read, copied;
        scratch_write(path, CONTENTS[i].bytes, CONTENTS[i].size);
        ck_assert_msg(file_bytes_read(AT_FDCWD, path, CONTENTS[i].size, &read, why), "%s: %s",
                      CONTENTS[i].label, why);
        ck_assert(file_bytes_copy(CONTENTS[i].bytes, CONTENTS[i].size, &copied));
        ck_assert_uint_eq(read.size, CONTENTS[i].size);
        ck_assert_mem_eq(read.bytes, CONTENTS[i].bytes, CONTENTS[i].size + 1);
        ck_assert_mem_eq(copied.bytes, CONTENTS[i].bytes, CONTENTS[i].size + 1);
        ck_assert_mem_eq(copied.sha256, read.sha256, FILE_BYTES_SHA256);
        ck_assert_msg(strcmp(file_bytes_hex(read.sha256, hex), CONTENTS[i].sha256) == 0, "%s: %s",
                      CONTENTS[i].label, hex);
        file_bytes_fini(&read);
        file_bytes_fini(&copied);
        ck_assert_ptr_null(read.bytes);
    }
}
END_TEST

START_TEST(reads_large_files)
{
    size_t size = (size_t)5 << 20;
    char *bytes = malloc(size);
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (char)(i * 7919 >> 8);
    }
    char why[WHY_MAX] = "";
    scratch_write(path, bytes, size);
    struct file_bytes read;
    ck_assert_msg(file_bytes_read(AT_FDCWD, path, size, &read, why), "%s", why);
    ck_assert_uint_eq(read.size, size);
    ck_assert(memcmp(read.bytes, bytes, size) == 0);
    file_bytes_fini(&read);
    free(bytes);
}
END_TEST

START_TEST(reads_from_a_folder_and_through_a_link)
{
    char why[WHY_MAX] = "", link_path[SCRATCH_PATH_MAX];
    struct file_bytes read;
    scratch_write(path, "abc", 3);
    ck_assert_int_eq(symlink("file", scratch_path(&scratch, "link", link_path)), 0);
    int folder = open(scratch.folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(folder, 0);
    ck_assert_msg(file_bytes_read(folder, "link", 3, &read, why), "%s", why);
    ck_assert_str_eq(read.bytes, "abc");
    file_bytes_fini(&read);
    close(folder);
}
END_TEST

/* Must return at once with this sentence. A FIFO would block without O_NONBLOCK: Check's time limit
 * then fails the test. */
static void expect_refused(const char *what, size_t max, const char *sentence)
{
    char why[WHY_MAX] = "";
    struct file_bytes read = {.size = 1};
    ck_assert_msg(!file_bytes_read(AT_FDCWD, what, max, &read, why), "%s", what);
    ck_assert_msg(strstr(why, sentence) != NULL, "%s: %s", what, why);
    ck_assert_ptr_null(read.bytes);
    ck_assert_uint_eq(read.size, 0);
}

START_TEST(refuses_what_is_no_file)
{
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    expect_refused(path, 100, "not a regular file");
    expect_refused(scratch.folder, 100, "not a regular file");
    expect_refused("/dev/zero", 100, "not a regular file");
    expect_refused("/dev/null", 100, "not a regular file");
    char missing[SCRATCH_PATH_MAX];
    expect_refused(scratch_path(&scratch, "missing", missing), 100, "No such file");
}
END_TEST

START_TEST(refuses_more_than_max)
{
    scratch_write(path, "abcd", 4);
    expect_refused(path, 3, "has 4 bytes, more than the 3");
}
END_TEST

START_TEST(notices_a_size_that_does_not_hold)
{
    /* The kernel says that this file has no bytes, and then there are some. */
    expect_refused("/proc/self/status", 1 << 20, "changed while it was read");
}
END_TEST

START_TEST(a_sealed_copy_stays_as_it_is)
{
    char why[WHY_MAX] = "", out[4] = "";
    struct file_bytes file;
    int fd = -1;
    ck_assert(file_bytes_copy("abc", 3, &file));
    ck_assert_msg(file_bytes_seal(&file, &fd, why), "%s", why);
    file_bytes_fini(&file);
    ck_assert_int_eq(pread(fd, out, sizeof out, 0), 3);
    ck_assert_str_eq(out, "abc");
    ck_assert_int_eq(pwrite(fd, "x", 1, 0), -1);
    ck_assert_int_eq(errno, EPERM);
    ck_assert_int_eq(ftruncate(fd, 0), -1);
    ck_assert_int_eq(ftruncate(fd, 10), -1);
    ck_assert_ptr_eq(mmap(NULL, 3, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE), -1);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    close(fd);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("file_bytes");
    TCase *tests = tcase_create("file_bytes");
    suite_add_tcase(suite, tests);
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, reads_and_hashes);
    tcase_add_test(tests, reads_large_files);
    tcase_add_test(tests, reads_from_a_folder_and_through_a_link);
    tcase_add_test(tests, refuses_what_is_no_file);
    tcase_add_test(tests, refuses_more_than_max);
    tcase_add_test(tests, notices_a_size_that_does_not_hold);
    tcase_add_test(tests, a_sealed_copy_stays_as_it_is);
    return suite_run(suite);
}
