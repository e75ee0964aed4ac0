/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Problems of input files, printed for people and editors: one a line.
 */
#pragma once

#include <stdio.h>

struct problem_list;

/* Writes each as "file:line:column: text", a warning as "file:line:column: warning: text". */
void problem_report(const struct problem_list *problems, FILE *out);

/* The same for one error, which need not be in a list. */
void problem_report_error(const char *file, unsigned line, const char *text, FILE *out);
