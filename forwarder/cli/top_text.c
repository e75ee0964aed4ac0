/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tables of rates (see top_text.h).
 */
#include "forwarder/cli/top_text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/cli_table.h"

#define CELL_MAX 32

/* A row of a table: what it is called, and its rates. */
struct row {
    const char *label;
    double rates[2]; /* the first is what rows are sorted by */
};

struct rows {
    struct row *items;
    size_t count;
};

static int compare(const void *a, const void *b)
{
    const struct row *first = a, *second = b;
    if (first->rates[0] != second->rates[0]) {
        return first->rates[0] > second->rates[0] ? -1 : 1;
    }
    return strcmp(first->label, second->label);
}

static void add_row(struct rows *rows, const char *label, const json_t *first, const json_t *second)
{
    rows->items[rows->count++] =
        (struct row){label, {json_number_value(first), json_number_value(second)}};
}

static size_t size_of(const json_t *part)
{
    return json_object_size(part) + json_array_size(part);
}

/* {ID: rate}, {CC: {"queries", "blocked"}} or [{"name", "blocked"}]. */
static bool collect(const json_t *part, struct rows *rows)
{
    const char *key;
    size_t index;
    json_t *each;
    rows->items = calloc(size_of(part) + 1, sizeof(struct row));
    if (rows->items == NULL) {
        return false;
    }
    json_object_foreach((json_t *)part, key, each)
    {
        if (json_is_object(each)) {
            add_row(rows, key, json_object_get(each, "queries"), json_object_get(each, "blocked"));
        } else {
            add_row(rows, key, each, NULL);
        }
    }
    json_array_foreach((json_t *)part, index, each)
    {
        add_row(rows, json_string_value(json_object_get(each, "name")),
                json_object_get(each, "blocked"), NULL);
    }
    qsort(rows->items, rows->count, sizeof(struct row), compare);
    return true;
}

static void add_rate(struct cli_table *table, double rate)
{
    char cell[CELL_MAX];
    snprintf(cell, sizeof cell, rate < 10 ? "%.1f" : "%.0f", rate);
    cli_table_add(table, cell);
}

/* The tables below the summary. */
static const struct section {
    const char *part;
    const char *heads[3]; /* the last may be NULL */
} sections[] = {
    {"by_order", {"ORDER", "BLOCKED/S", NULL}},
    {"would_block_by_order", {"ORDER (SHADOW)", "WOULD BLOCK/S", NULL}},
    {"by_country", {"COUNTRY", "QUERIES/S", "BLOCKED/S"}},
    {"names", {"NAME", "BLOCKED/S", NULL}},
};

#define SECTIONS (sizeof sections / sizeof sections[0])

static bool print_rows(const struct section *section, const struct rows *rows, size_t most,
                       FILE *out)
{
    size_t columns = section->heads[2] == NULL ? 2 : 3;
    struct cli_table table;
    cli_table_init(&table, columns);
    for (size_t i = 0; i < columns; i++) {
        cli_table_add(&table, section->heads[i]);
    }
    for (size_t i = 0; i < rows->count && i < most; i++) {
        cli_table_add(&table, rows->items[i].label);
        for (size_t j = 1; j < columns; j++) {
            add_rate(&table, rows->items[i].rates[j - 1]);
        }
    }
    bool printed = cli_table_print(&table, "", out);
    cli_table_fini(&table);
    return printed;
}

/* One table behind a blank line, if there is room for a row of it; *lines are left then. */
static bool print_section(const struct section *section, const json_t *rates, size_t room,
                          size_t *lines, FILE *out)
{
    struct rows rows = {0};
    bool printed = collect(json_object_get(rates, section->part), &rows);
    if (printed && room > 2) {
        size_t most = rows.count < room - 2 ? rows.count : room - 2;
        fputc('\n', out);
        printed = print_rows(section, &rows, most, out);
        *lines -= 2 + most;
    }
    free(rows.items);
    return printed;
}

/* The tables that have anything in them; each may have its share of what those before it left. */
static bool print_sections(const json_t *rates, size_t lines, FILE *out)
{
    size_t waiting = 0;
    bool printed = true;
    for (size_t i = 0; i < SECTIONS; i++) {
        waiting += size_of(json_object_get(rates, sections[i].part)) > 0 ? 1 : 0;
    }
    for (size_t i = 0; printed && i < SECTIONS; i++) {
        if (size_of(json_object_get(rates, sections[i].part)) > 0) {
            printed = print_section(&sections[i], rates, lines / waiting--, &lines, out);
        }
    }
    return printed;
}

static bool print_summary(const json_t *rates, FILE *out)
{
    static const char *const keys[] = {"queries", "forwarded", "answered",
                                       "blocked", "servfail",  "dropped"};
    const size_t columns = sizeof keys / sizeof keys[0];
    struct cli_table table;
    cli_table_init(&table, columns);
    for (size_t i = 0; i < columns; i++) {
        char head[CELL_MAX];
        snprintf(head, sizeof head, "%s/s", keys[i]);
        cli_table_add(&table, head);
    }
    for (size_t i = 0; i < columns; i++) {
        add_rate(&table, json_number_value(json_object_get(rates, keys[i])));
    }
    bool printed = cli_table_print(&table, "", out);
    cli_table_fini(&table);
    return printed;
}

bool top_text_print(const json_t *rates, size_t lines, FILE *out)
{
    size_t left = lines == 0 ? SIZE_MAX : lines > 3 ? lines - 3 : 0;
    fprintf(out,
            "bailiwick: generation %" JSON_INTEGER_FORMAT ", %" JSON_INTEGER_FORMAT
            " connections, over %.1f s\n",
            json_integer_value(json_object_get(rates, "generation")),
            json_integer_value(json_object_get(rates, "connections")),
            (double)json_integer_value(json_object_get(rates, "interval_ms")) / 1000);
    return print_summary(rates, out) && print_sections(rates, left, out);
}
