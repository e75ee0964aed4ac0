/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The lines of a list that is read block by block, for the formats that go by lines
 * (policy/list_names.c, list_hosts.c).
 */
#pragma once

#include "policy/line_reader.h"
#include "policy/list_intake.h"

/* Takes the lines that reader has: as many as it wants, through line_reader_next or past it. */
typedef void list_lines_fn(struct list_intake *intake, void *ctx, struct line_reader *reader);

/* Hands over all lines of source, block by block. What goes wrong is reported. */
void list_lines_read(struct list_intake *intake, struct list_unpack *source, list_lines_fn *take,
                     void *ctx);
