/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables: widths by characters, cells that would break a line, no rows at all.
 */
#include "forwarder/cli/cli_table.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *label;
    size_t columns;
    const char *cells[8];
    const char *expected;
} TABLES[] = {
    {"no cells", 2, {NULL}, ""},
    {"one column", 1, {"a", "bb"}, ">a\n>bb\n"},
    {"as wide as the widest", 3, {"A", "B", "C", "long", "", "x"}, ">A     B  C\n>long     x\n"},
    {"characters, not octets",
     2,
     {"M\xc3\xbcnchen", "x", "Munchen", "y"},
     ">M\xc3\xbcnchen  x\n>Munchen  y\n"},
    {"control characters", 2, {"a\nb", "\x1b[2J"}, ">a?b  ?[2J\n"},
};

START_TEST(tables_are_aligned)
{
    for (size_t i = 0; i < ROWS(TABLES); i++) {
        struct cli_table table;
        char *text = NULL;
        size_t size = 0;
        cli_table_init(&table, TABLES[i].columns);
        for (size_t c = 0; c < ROWS(TABLES[i].cells) && TABLES[i].cells[c] != NULL; c++) {
            cli_table_add(&table, TABLES[i].cells[c]);
        }
        FILE *out = open_memstream(&text, &size);
        ck_assert(cli_table_print(&table, ">", out));
        ck_assert_int_eq(fclose(out), 0);
        ck_assert_msg(strcmp(text, TABLES[i].expected) == 0, "%s:\n%s", TABLES[i].label, text);
        free(text);
        cli_table_fini(&table);
    }
}
END_TEST

START_TEST(many_cells_are_kept)
{
    struct cli_table table;
    cli_table_init(&table, 4);
    for (unsigned i = 0; i < 1000; i++) {
        char text[8];
        snprintf(text, sizeof text, "%u", i);
        cli_table_add(&table, text);
    }
    ck_assert_uint_eq(table.count, 1000);
    ck_assert_str_eq(table.cells[999], "999");
    cli_table_fini(&table);
    ck_assert_uint_eq(table.count, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("cli_table");
    TCase *tcase = tcase_create("cli_table");
    tcase_add_test(tcase, tables_are_aligned);
    tcase_add_test(tcase, many_cells_are_kept);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
