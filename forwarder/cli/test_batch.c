/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Batches (see test_batch.h). Nothing is kept from line to line, so a batch may be endless.
 */
#include "forwarder/cli/test_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/cli_output.h"
#include "forwarder/explain/explain.h"
#include "forwarder/explain/explain_question.h"
#include "forwarder/explain/problem_report.h"

#define BLANKS " \t\r\n"

enum test_batch_line test_batch_split(char *line, size_t len, struct test_batch_words *out,
                                      char why[static WHY_MAX])
{
    char *rest = NULL;
    if (memchr(line, '\0', len) != NULL) {
        snprintf(why, WHY_MAX, "the line holds a NUL octet");
        return TEST_BATCH_BAD;
    }
    *out = (struct test_batch_words){.address = strtok_r(line, BLANKS, &rest)};
    if (out->address == NULL || out->address[0] == '#') {
        return TEST_BATCH_NOTHING;
    }
    out->name = strtok_r(NULL, BLANKS, &rest);
    out->type = strtok_r(NULL, BLANKS, &rest);
    if (out->name == NULL || strtok_r(NULL, BLANKS, &rest) != NULL) {
        snprintf(why, WHY_MAX, "expected ADDRESS NAME [TYPE]");
        return TEST_BATCH_BAD;
    }
    return TEST_BATCH_QUESTION;
}

/* "2.32.0.1 IT www.kickasstorrents.to A block IT-MI-2022-07-11"; "-" for what is not known. */
static bool print_line(const json_t *object)
{
    static const char *const keys[] = {"address", "country", "name", "type", "verdict", "order"};
    for (size_t i = 0; object != NULL && i < sizeof keys / sizeof keys[0]; i++) {
        const char *value = json_string_value(json_object_get(object, keys[i]));
        printf("%s%s", i == 0 ? "" : " ", value == NULL ? "-" : value);
    }
    return object != NULL && putchar('\n') != EOF;
}

/* Answers one line; false with a sentence in why. */
static bool answer(const struct test_batch *batch, char *line, size_t len, char why[static WHY_MAX])
{
    struct test_batch_words words;
    struct explain_question question = {.now = batch->now};
    switch (test_batch_split(line, len, &words, why)) {
    case TEST_BATCH_NOTHING:
        return true;
    case TEST_BATCH_BAD:
        return false;
    case TEST_BATCH_QUESTION:
        break;
    }
    if (!explain_question_parse(&question, words.address, words.name, words.type, why)) {
        return false;
    }
    json_t *object = explain_json(batch->generation, &question);
    bool written = batch->json ? cli_output_json(object) : print_line(object);
    json_decref(object);
    snprintf(why, WHY_MAX, "not answered");
    return written;
}

bool test_batch_run(const struct test_batch *batch, FILE *in)
{
    char *line = NULL;
    size_t capacity = 0;
    unsigned number = 0;
    ssize_t len;
    bool good = true;
    while (!ferror(stdout) && (len = getline(&line, &capacity, in)) >= 0) {
        char why[WHY_MAX];
        number++;
        if (!answer(batch, line, (size_t)len, why)) {
            problem_report_error(batch->name, number, why, stderr);
            good = false;
        }
    }
    if (!ferror(stdout) && !feof(in)) {
        problem_report_error(batch->name, number + 1, strerror(errno), stderr);
        good = false;
    }
    free(line);
    return good;
}
