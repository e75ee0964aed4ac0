/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick test --batch`: many questions against one generation, a line each way.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "geo/problem.h"

struct generation;

struct test_batch {
    const struct generation *generation;
    const char *name; /* what errors call the input */
    int64_t now;      /* the instant to judge at */
    bool json;
};

/* Answers each line of in on standard output, a bad one on standard error as name:line. Blank lines
 * and those that begin with # are passed over. True if every line was answered and in was read to
 * its end. */
bool test_batch_run(const struct test_batch *batch, FILE *in);

/* The words of a line, in it. */
struct test_batch_words {
    const char *address;
    const char *name;
    const char *type; /* or NULL */
};

enum test_batch_line {
    TEST_BATCH_QUESTION,
    TEST_BATCH_NOTHING, /* blank, or a comment */
    TEST_BATCH_BAD,     /* a sentence is in why */
};

/* Splits a line of len octets, "ADDRESS NAME [TYPE]", in place. */
enum test_batch_line test_batch_split(char *line, size_t len, struct test_batch_words *out,
                                      char why[static WHY_MAX]);
