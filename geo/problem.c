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

/* The well-formed UTF-8 sequences of Unicode's table 3-7, less the control characters: one row for
 * a range of first bytes with the range of the second; all later bytes are 80 to BF. */
static const struct sequence {
    uint8_t first_low, first_high;
    uint8_t second_low, second_high;
    uint8_t length;
} sequences[] = {
    {0x20, 0x7e, 0x00, 0xff, 1}, {0xc2, 0xc2, 0xa0, 0xbf, 2}, {0xc3, 0xdf, 0x80, 0xbf, 2},
    {0xe0, 0xe0, 0xa0, 0xbf, 3}, {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3},
    {0xee, 0xef, 0x80, 0xbf, 3}, {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4},
    {0xf4, 0xf4, 0x80, 0x8f, 4},
};

static bool matches(const struct sequence *row, const unsigned char *text)
{
    if (text[0] < row->first_low || text[0] > row->first_high) {
        return false;
    }
    for (unsigned i = 1; i < row->length; i++) {
        uint8_t low = i == 1 ? row->second_low : 0x80;
        uint8_t high = i == 1 ? row->second_high : 0xbf;
        if (text[i] < low || text[i] > high) {
            return false; /* the terminating NUL too */
        }
    }
    return true;
}

/* How many bytes the printable character at text has; 0 if there is none. */
static size_t character_length(const unsigned char *text)
{
    for (size_t i = 0; i < sizeof sequences / sizeof sequences[0]; i++) {
        if (matches(&sequences[i], text)) {
            return sequences[i].length;
        }
    }
    return 0;
}

/* Texts quote what stood in a file. Neither a terminal nor a JSON reader must choke on it. */
static void make_printable(char *text)
{
    unsigned char *at = (unsigned char *)text;
    while (*at != '\0') {
        size_t length = character_length(at);
        if (length == 0) {
            *at = '?';
            length = 1;
        }
        at += length;
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
