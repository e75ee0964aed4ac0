/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mark beside an audit record: what is written is read, and nothing else passes for it.
 */
#include "forwarder/audit/audit_mark.h"

#include <string.h>

#include "test/scratch.h"
#include "test/suite.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static struct scratch scratch;
static char folder[SCRATCH_PATH_MAX];

static void set_up(void)
{
    scratch_init(&scratch);
    scratch_path(&scratch, "audit", folder);
}

static void tear_down(void)
{
    scratch_fini(&scratch);
}

START_TEST(written_and_read)
{
    const struct audit_mark mark = {.head = {.seq = 7, .hash = {1, 2, 255}}, .file = 3};
    struct audit_mark again;
    char why[WHY_MAX], trailing[SCRATCH_PATH_MAX];
    ck_assert_int_eq(audit_mark_read(folder, &again, why), AUDIT_MARK_NONE);
    ck_assert(audit_mark_write(folder, &(struct audit_mark){.head = {.seq = 6}, .file = 2}));
    ck_assert(audit_mark_write(folder, &mark));
    ck_assert_int_eq(audit_mark_read(folder, &again, why), AUDIT_MARK_READ);
    ck_assert_mem_eq(&again.head, &mark.head, sizeof mark.head);
    ck_assert_uint_eq(again.file, 3);
    ck_assert_int_eq(audit_mark_read(scratch_path(&scratch, "audit/", trailing), &again, why),
                     AUDIT_MARK_READ);
    ck_assert(!audit_mark_write("/none/such", &mark));
}
END_TEST

START_TEST(what_is_no_mark)
{
    static const struct {
        const char *label, *text;
    } rows[] = {
        {"nothing", ""},
        {"a number alone", "7\n"},
        {"no file", "7 " HASH "\n"},
        {"no line feed", "7 " HASH " 1"},
        {"more behind it", "7 " HASH " 1\n8"},
        {"a blank too many", "7  " HASH " 1\n"},
        {"a sign", "-7 " HASH " 1\n"},
        {"a leading zero", "07 " HASH " 1\n"},
        {"capitals", "7 A0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 1\n"},
        {"a digit too few",
         "7 0112233445566778899aabbccddeeff00112233445566778899aabbccddeeff 1\n"},
        {"too large a file", "7 " HASH " 4294967296\n"},
    };
    struct audit_mark mark;
    char why[WHY_MAX], path[SCRATCH_PATH_MAX];
    scratch_path(&scratch, "audit.head", path);
    for (size_t i = 0; i < ROWS(rows); i++) {
        scratch_write(path, rows[i].text, strlen(rows[i].text));
        ck_assert_msg(audit_mark_read(folder, &mark, why) == AUDIT_MARK_BAD, "%s", rows[i].label);
        ck_assert_msg(strstr(why, "/audit.head: ") != NULL, "%s: %s", rows[i].label, why);
    }
    scratch_write(path, "7 " HASH " 1\n", strlen("7 " HASH " 1\n"));
    ck_assert_int_eq(audit_mark_read(folder, &mark, why), AUDIT_MARK_READ);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit_mark");
    TCase *tcase = tcase_create("audit_mark");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, written_and_read);
    tcase_add_test(tcase, what_is_no_mark);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
