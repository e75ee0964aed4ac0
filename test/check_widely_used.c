/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The shipped list itself: it is dated, long enough, and every line is a name that somebody can
 * register, once.
 */
#include "policy/widely_used.h"

#include <check.h>
#include <libpsl.h>
#include <stdlib.h>
#include <string.h>

#include "policy/dname.h"
#include "policy/line_reader.h"
#include "test/suite.h"

START_TEST(the_list_is_dated)
{
    size_t size;
    const char *text = widely_used_text(&size);
    const char *date = memmem(text, size, "# As of 20", strlen("# As of 20"));
    ck_assert_ptr_nonnull(date);
    ck_assert_int_eq(text[size - 1], '\n');
}
END_TEST

static int compare_names(const void *a, const void *b)
{
    const struct dname *left = a, *right = b;
    return left->size != right->size ? (int)left->size - (int)right->size
                                     : memcmp(left->wire, right->wire, left->size);
}

START_TEST(every_line_is_a_registrable_name_once)
{
    size_t size, count = 0;
    const char *text = widely_used_text(&size);
    struct dname *names = calloc(size / 4, sizeof *names);
    struct line_reader reader;
    struct line line;
    char why[WHY_MAX], shown[DNAME_TEXT_MAX];
    line_reader_init(&reader, text, size);
    while (line_reader_next(&reader, &line)) {
        ck_assert_msg(dname_parse(line.text, line.len, &names[count], why), "line %u: %s",
                      line.number, why);
        dname_format(&names[count], shown);
        const char *own = psl_registrable_domain(psl_builtin(), shown);
        ck_assert_msg(psl_is_public_suffix(psl_builtin(), shown) ||
                          (own != NULL && strcmp(own, shown) == 0),
                      "line %u: %s stands below a registrable name", line.number, shown);
        count++;
    }
    ck_assert_uint_ge(count, 1000);
    qsort(names, count, sizeof *names, compare_names);
    for (size_t i = 1; i < count; i++) {
        dname_format(&names[i], shown);
        ck_assert_msg(!dname_equal(&names[i], &names[i - 1]), "%s stands twice", shown);
    }
    free(names);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("widely_used");
    TCase *rows = tcase_create("list");
    tcase_add_test(rows, the_list_is_dated);
    tcase_add_test(rows, every_line_is_a_registrable_name_once);
    suite_add_tcase(suite, rows);
    return suite_run(suite);
}
