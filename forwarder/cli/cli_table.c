/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables (see cli_table.h). A character counts as one column wide, whatever the terminal makes of
 * it.
 */
#include "forwarder/cli/cli_table.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/plain_text.h"

void cli_table_init(struct cli_table *table, size_t columns)
{
    *table = (struct cli_table){.columns = columns};
}

void cli_table_fini(struct cli_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->cells[i]);
    }
    free(table->cells);
    cli_table_init(table, table->columns);
}

static bool reserve(struct cli_table *table)
{
    if (table->count < table->capacity) {
        return true;
    }
    size_t capacity = table->capacity * 2 + 32;
    char **cells = reallocarray(table->cells, capacity, sizeof *cells);
    if (cells == NULL) {
        return false;
    }
    table->cells = cells;
    table->capacity = capacity;
    return true;
}

void cli_table_add(struct cli_table *table, const char *text)
{
    size_t size = strlen(text) + 1;
    char *cell = table->failed || !reserve(table) ? NULL : malloc(size);
    if (cell == NULL) {
        table->failed = true;
        return;
    }
    table->cells[table->count++] = plain_text(text, cell, size);
}

static size_t width_of(const char *cell)
{
    return (size_t)g_utf8_strlen(cell, -1);
}

static size_t widest(const struct cli_table *table, size_t column)
{
    size_t width = 0;
    for (size_t i = column; i < table->count; i += table->columns) {
        size_t cell = width_of(table->cells[i]);
        width = cell > width ? cell : width;
    }
    return width;
}

static void print_cell(const char *cell, size_t width, bool last, FILE *out)
{
    fputs(cell, out);
    if (last) {
        fputc('\n', out);
        return;
    }
    fprintf(out, "%*s", (int)(width - width_of(cell) + 2), "");
}

bool cli_table_print(const struct cli_table *table, const char *indent, FILE *out)
{
    size_t *widths = calloc(table->columns, sizeof *widths);
    if (widths == NULL || table->failed) {
        free(widths);
        return false;
    }
    for (size_t column = 0; column < table->columns; column++) {
        widths[column] = widest(table, column);
    }
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        if (column == 0) {
            fputs(indent, out);
        }
        print_cell(table->cells[i], widths[column], column + 1 == table->columns, out);
    }
    free(widths);
    return true;
}
