/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rows in memory (see block_rows.h).
 */
#include "forwarder/server/block_rows.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool grow(struct block_rows *rows, size_t count)
{
    if (count <= rows->capacity) {
        return true;
    }
    size_t capacity = 2 * count;
    struct block_row *more = realloc(rows->rows, capacity * sizeof *more);
    if (more == NULL) {
        return false;
    }
    rows->rows = more;
    rows->capacity = capacity;
    return true;
}

bool block_rows_add(struct block_rows *rows, const char *order, struct country country,
                    int64_t hour, uint64_t count)
{
    struct block_row row = {.hour = hour, .count = count};
    if (!grow(rows, rows->count + 1) || (row.order = strdup(order)) == NULL) {
        return false;
    }
    if (country_known(country)) {
        snprintf(row.country, sizeof row.country, "%.2s", country.letter);
    } else {
        snprintf(row.country, sizeof row.country, "unknown");
    }
    rows->rows[rows->count++] = row;
    return true;
}

static int by_key(const void *a, const void *b)
{
    const struct block_row *left = a, *right = b;
    int order = strcmp(left->order, right->order);
    if (left->hour != right->hour) {
        return left->hour < right->hour ? -1 : 1;
    }
    return order != 0 ? order : strcmp(left->country, right->country);
}

static void add_up(struct block_rows *rows)
{
    size_t kept = 0;
    if (rows->count == 0) {
        return;
    }
    qsort(rows->rows, rows->count, sizeof *rows->rows, by_key);
    for (size_t i = 1; i < rows->count; i++) {
        if (by_key(&rows->rows[kept], &rows->rows[i]) == 0) {
            rows->rows[kept].count += rows->rows[i].count;
            free(rows->rows[i].order);
        } else {
            rows->rows[++kept] = rows->rows[i];
        }
    }
    rows->count = kept + 1;
}

static uint64_t cut(struct block_rows *rows, size_t most)
{
    uint64_t lost = 0;
    while (rows->count > most) {
        struct block_row *last = &rows->rows[--rows->count];
        lost += last->count;
        free(last->order);
    }
    return lost;
}

uint64_t block_rows_merge(struct block_rows *rows, struct block_rows *from, size_t most)
{
    if (!grow(rows, rows->count + from->count)) {
        uint64_t lost = cut(from, 0);
        block_rows_fini(from);
        return lost;
    }
    for (size_t i = 0; i < from->count; i++) {
        rows->rows[rows->count++] = from->rows[i];
    }
    from->count = 0;
    block_rows_fini(from);
    add_up(rows);
    return cut(rows, most);
}

uint64_t block_rows_sum(const struct block_rows *rows)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < rows->count; i++) {
        sum += rows->rows[i].count;
    }
    return sum;
}

void block_rows_fini(struct block_rows *rows)
{
    cut(rows, 0);
    free(rows->rows);
    *rows = (struct block_rows){0};
}
