/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Printing problems (see problem_report.h). A line that is too long is cut, never split.
 */
#include "forwarder/explain/problem_report.h"

#include "forwarder/explain/plain_text.h"
#include "geo/problem.h"

#define LINE_MAX_OCTETS 8192

static void report(const struct problem *problem, FILE *out)
{
    char text[LINE_MAX_OCTETS];
    char line[LINE_MAX_OCTETS];
    struct problem shown = *problem;
    if (problem->level == PROBLEM_WARNING) {
        snprintf(text, sizeof text, "warning: %s", problem->text);
        shown.text = text;
    }
    problem_format(&shown, line, sizeof line);
    char plain[LINE_MAX_OCTETS];
    fprintf(out, "%s\n", plain_text(line, plain, sizeof plain));
}

void problem_report(const struct problem_list *problems, FILE *out)
{
    for (size_t i = 0; i < problems->count; i++) {
        report(&problems->items[i], out);
    }
}

void problem_report_error(const char *file, unsigned line, const char *text, FILE *out)
{
    struct problem_list problems;
    problem_list_init(&problems);
    problem_list_add(&problems, PROBLEM_ERROR, file, line, 0, "%s", text);
    problem_report(&problems, out);
    problem_list_fini(&problems);
}
