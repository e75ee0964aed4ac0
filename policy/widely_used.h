/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The shipped list of names whose blocking would hurt everybody (policy/widely-used.txt), as it was
 * compiled in.
 */
#pragma once

#include <stddef.h>

/* Its text, one name a line, # comments; lives as long as the program. */
const char *widely_used_text(size_t *size);
