/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A table for people: cells of text, columns as wide as their widest cell. Texts are copied and
 * made plain. After memory ran out nothing more is added and printing says so.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct cli_table {
    size_t columns;
    char **cells; /* row by row */
    size_t count;
    size_t capacity;
    bool failed;
};

/* An empty table of so many columns, more than 0. */
void cli_table_init(struct cli_table *table, size_t columns);
void cli_table_fini(struct cli_table *table);

/* The next cell; after the last of a row comes the first of the next. */
void cli_table_add(struct cli_table *table, const char *text);

/* Writes the rows, each behind indent, columns two blanks apart. False if memory was out. */
bool cli_table_print(const struct cli_table *table, const char *indent, FILE *out);
