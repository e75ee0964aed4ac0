/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A growing array of problems that owns its texts. Invariant: errors counts every error that was
 * ever added, even one whose text found no memory, so that a file with an error never looks clean.
 */
#include "geo/problem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/utf8.h"

void problem_list_init(struct problem_list *list)
{
    *list = (struct problem_list){0};
}

void problem_list_fini(struct problem_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->items[i].file);
        free(list->items[i].text);
    }
    free(list->items);
    problem_list_init(list);
}

/* Texts quote what stood in a file. Neither a terminal nor a JSON reader must choke on it. */
static void make_printable(char *text)
{
    while (*text != '\0') {
        uint32_t code;
        size_t size = utf8_next(text, &code);
        if (size == 0 || utf8_is_control(code)) {
            *text = '?'; /* and so is what goes on with it */
            size = 1;
        }
        text += size;
    }
}

static bool reserve(struct problem_list *list, size_t more)
{
    if (more <= list->capacity - list->count) {
        return true;
    }
    size_t capacity = list->capacity == 0 ? 8 : list->capacity * 2;
    if (capacity - list->count < more) {
        capacity = list->count + more;
    }
    struct problem *items = reallocarray(list->items, capacity, sizeof *items);
    if (items == NULL) {
        return false;
    }
    list->items = items;
    list->capacity = capacity;
    return true;
}

/* NOLINTNEXTLINE(readability-function-size): the place alone is three of the six parameters. */
void problem_list_add(struct problem_list *list, enum problem_level level, const char *file,
                      unsigned line, unsigned column, const char *format, ...)
{
    if (level == PROBLEM_ERROR) {
        list->errors++;
    }
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0) {
        return;
    }
    char *name = strdup(file);
    if (name == NULL || !reserve(list, 1)) {
        free(name);
        free(text);
        return;
    }
    make_printable(name);
    make_printable(text);
    list->items[list->count++] = (struct problem){
        .level = level, .file = name, .line = line, .column = column, .text = text};
}

void problem_list_move(struct problem_list *list, struct problem_list *from)
{
    list->errors += from->errors;
    if (from->count > 0 && reserve(list, from->count)) {
        memcpy(list->items + list->count, from->items, from->count * sizeof *from->items);
        list->count += from->count;
        from->count = 0; /* the texts have a new owner */
    }
    problem_list_fini(from);
}

void problem_format(const struct problem *problem, char *out, size_t size)
{
    if (problem->line == 0) {
        snprintf(out, size, "%s: %s", problem->file, problem->text);
    } else if (problem->column == 0) {
        snprintf(out, size, "%s:%u: %s", problem->file, problem->line, problem->text);
    } else {
        snprintf(out, size, "%s:%u:%u: %s", problem->file, problem->line, problem->column,
                 problem->text);
    }
}
