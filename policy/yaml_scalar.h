/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text as a scalar of YAML, for files that people go on editing: plain where every reader of YAML
 * takes it for this very text, else in double quotes. Fits block and flow style alike; one line.
 */
#pragma once

#include <stdbool.h>
#include <stdio.h>

/* Writes the scalar. Errors of the stream are for its owner. */
void yaml_scalar_print(const char *text, FILE *out);

/* Is the text UTF-8? Any other cannot be a scalar. */
bool yaml_scalar_valid(const char *text);
