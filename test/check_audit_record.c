/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines of the audit record: what is sealed is read back, and no octet of it may change.
 */
#include "forwarder/audit/audit_record.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

#define TIME 1767225600 /* 2026-01-01T00:00:00Z */
#define MEMBERS "\"event\":\"start\",\"version\":\"1\""

/* As `printf %s LINE | sha256sum` gives it for the line up to its hash. */
#define FIRST                                                                                    \
    "{\"seq\":1,\"time\":\"2026-01-01T00:00:00Z\"," MEMBERS                                      \
    ",\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":\"" \
    "a1c29389d1e60e1ecbe88e17ec373b42fc7c3135fb05f2fe1a7b3ef915434b32"                           \
    "\"}\n"

static struct audit_head head;

static void set_up(void)
{
    head = (struct audit_head){0};
}

static char *seal(void)
{
    char *line = audit_record_seal(&head, TIME, MEMBERS);
    ck_assert_ptr_nonnull(line);
    return line;
}

START_TEST(a_record_has_this_form)
{
    char *line = seal();
    ck_assert_str_eq(line, FIRST);
    free(line);
}
END_TEST

START_TEST(records_follow_each_other)
{
    struct audit_head before = head;
    for (uint64_t seq = 1; seq < 12; seq++) {
        struct audit_record record;
        char *line = seal();
        ck_assert_int_eq(audit_record_parse(line, strlen(line) - 1, &record), AUDIT_LINE_GOOD);
        ck_assert_uint_eq(record.head.seq, seq);
        ck_assert_int_eq(record.time, TIME);
        ck_assert_mem_eq(record.head.hash, head.hash, sizeof head.hash);
        ck_assert(audit_record_follows(&record, &before));
        ck_assert(!audit_record_follows(&record, &head));
        before = head;
        free(line);
    }
}
END_TEST

START_TEST(no_bit_may_change)
{
    char *line = seal();
    size_t size = strlen(line) - 1;
    for (size_t bit = 0; bit < 8 * size; bit++) {
        struct audit_record record;
        line[bit / 8] = (char)(line[bit / 8] ^ 1 << bit % 8);
        ck_assert_msg(audit_record_parse(line, size, &record) != AUDIT_LINE_GOOD, "bit %zu", bit);
        line[bit / 8] = (char)(line[bit / 8] ^ 1 << bit % 8);
    }
    free(line);
}
END_TEST

START_TEST(no_part_of_it_is_a_record)
{
    char *line = seal();
    struct audit_record record;
    for (size_t size = 0; size < strlen(line) - 1; size++) {
        ck_assert_int_eq(audit_record_parse(line, size, &record), AUDIT_LINE_NONE);
    }
    ck_assert_int_eq(audit_record_parse(line, strlen(line), &record), AUDIT_LINE_NONE);
    ck_assert_int_eq(audit_record_parse(line + 1, strlen(line) - 2, &record), AUDIT_LINE_NONE);
    free(line);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit_record");
    TCase *tcase = tcase_create("audit_record");
    tcase_add_checked_fixture(tcase, set_up, NULL);
    tcase_add_test(tcase, a_record_has_this_form);
    tcase_add_test(tcase, records_follow_each_other);
    tcase_add_test(tcase, no_bit_may_change);
    tcase_add_test(tcase, no_part_of_it_is_a_record);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
