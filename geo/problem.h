/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is wrong with an input file, and where. Every reader of files in the tree appends to a
 * problem list instead of stopping at the first error, so that a person can mend them all at once.
 * A list owns its texts. It lives in the lowest room because every room above reads files.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Room for one sentence that says why something failed, terminating NUL included. */
#define WHY_MAX 320

enum problem_level {
    PROBLEM_ERROR,   /* the file is not used as it stands */
    PROBLEM_WARNING, /* it is used, but a person should look */
};

struct problem {
    enum problem_level level;
    char *file;      /* as the operator would name it; never NULL */
    unsigned line;   /* from 1; 0: the file as a whole */
    unsigned column; /* from 1, in characters; 0: the line as a whole */
    char *text;      /* what is wrong and what was expected, one sentence without a final stop */
};

struct problem_list {
    struct problem *items;
    size_t count;
    size_t capacity;
    size_t errors; /* how many errors were added; an item for each unless memory was out */
};

void problem_list_init(struct problem_list *list);

/* Frees what the list owns; the list is empty and usable again afterwards. */
void problem_list_fini(struct problem_list *list);

/* Appends one problem; file and text are copied, and become UTF-8 without control characters ('?'
 * for what is not). If memory is out the problem is lost, but an error still counts. */
void problem_list_add(struct problem_list *list, enum problem_level level, const char *file,
                      unsigned line, unsigned column, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Moves all of from to the end of list; from is left empty. If memory is out its problems are lost,
 * but its errors still count. */
void problem_list_move(struct problem_list *list, struct problem_list *from);

/* Writes "file:line:column: text" (leaving out places that are 0) into out, cut to size. */
void problem_format(const struct problem *problem, char *out, size_t size);
