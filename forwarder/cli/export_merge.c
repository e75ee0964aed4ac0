/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Merging exports (see export_merge.h).
 */
#include "forwarder/cli/export_merge.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"

static struct export_row *one_more(struct export_merge *merge)
{
    if (merge->count == merge->capacity) {
        size_t capacity = merge->capacity == 0 ? 64 : 2 * merge->capacity;
        struct export_row *rows = realloc(merge->rows, capacity * sizeof *rows);
        if (rows == NULL) {
            return NULL;
        }
        merge->rows = rows;
        merge->capacity = capacity;
    }
    struct export_row *row = &merge->rows[merge->count];
    *row = (struct export_row){0};
    return row;
}

/* The members of a row, all of them and of the right kind. */
static bool read_row(const json_t *object, struct export_row *row, char why[static WHY_MAX])
{
    const char *source = json_string_value(json_object_get(object, "source"));
    const char *order = json_string_value(json_object_get(object, "order"));
    const char *country = json_string_value(json_object_get(object, "country"));
    const char *hour = json_string_value(json_object_get(object, "hour"));
    const json_t *blocked = json_object_get(object, "blocked");
    snprintf(why, WHY_MAX,
             "expected a line of bailiwick audit export --json with source, order, country, hour "
             "and blocked%s",
             json_is_object(object) && source == NULL ? "; what was merged is not merged again"
                                                      : "");
    if (source == NULL || order == NULL || country == NULL || hour == NULL ||
        !json_is_integer(blocked) || json_integer_value(blocked) < 0 ||
        strlen(country) >= sizeof row->row.country ||
        !instant_parse(hour, strlen(hour), &row->row.hour)) {
        return false;
    }
    row->row.count = (uint64_t)json_integer_value(blocked);
    snprintf(row->row.country, sizeof row->row.country, "%s", country);
    row->source = strdup(source);
    row->row.order = strdup(order);
    if (row->source == NULL || row->row.order == NULL) {
        free(row->source);
        free(row->row.order);
        snprintf(why, WHY_MAX, "out of memory");
        return false;
    }
    return true;
}

bool export_merge_add(struct export_merge *merge, const char *line, size_t size,
                      char why[static WHY_MAX])
{
    struct export_row *row = one_more(merge);
    if (row == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return false;
    }
    json_t *object = json_loadb(line, size, JSON_REJECT_DUPLICATES, NULL);
    bool read = read_row(object, row, why);
    json_decref(object);
    merge->count += read ? 1 : 0;
    return read;
}

static int by_place(const struct export_row *a, const struct export_row *b)
{
    int order = strcmp(a->row.order, b->row.order);
    if (a->row.hour != b->row.hour) {
        return a->row.hour < b->row.hour ? -1 : 1;
    }
    return order != 0 ? order : strcmp(a->row.country, b->row.country);
}

/* Those of one source in one place stand together, the greatest last. */
static int by_place_and_source(const void *left, const void *right)
{
    const struct export_row *a = left, *b = right;
    int place = by_place(a, b);
    int source = place != 0 ? place : strcmp(a->source, b->source);
    return source != 0 ? source : (a->row.count > b->row.count) - (a->row.count < b->row.count);
}

static bool is_superseded(const struct export_row *row, const struct export_row *next)
{
    return by_place(row, next) == 0 && strcmp(row->source, next->source) == 0;
}

bool export_merge_sum(struct export_merge *merge)
{
    size_t kept = 0;
    bool fits = true;
    if (merge->count > 0) {
        qsort(merge->rows, merge->count, sizeof *merge->rows, by_place_and_source);
    }
    for (size_t i = 0; i < merge->count; i++) {
        struct export_row row = merge->rows[i];
        bool counts = i + 1 == merge->count || !is_superseded(&row, &merge->rows[i + 1]);
        free(row.source);
        row.source = NULL;
        if (!counts) {
            free(row.row.order);
        } else if (kept > 0 && by_place(&merge->rows[kept - 1], &row) == 0) {
            fits = fits && row.row.count <= INT64_MAX - merge->rows[kept - 1].row.count;
            merge->rows[kept - 1].row.count += row.row.count;
            free(row.row.order);
        } else {
            merge->rows[kept++] = row;
        }
    }
    merge->count = kept;
    return fits;
}

void export_merge_fini(struct export_merge *merge)
{
    for (size_t i = 0; i < merge->count; i++) {
        free(merge->rows[i].source);
        free(merge->rows[i].row.order);
    }
    free(merge->rows);
    *merge = (struct export_merge){0};
}
