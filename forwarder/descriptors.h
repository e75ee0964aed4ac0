/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The process's descriptors: clients never get the last ones, so that reloads, status and upstreams
 * go on when clients have taken all the others.
 */
#pragma once

#include <stdbool.h>

#define DESCRIPTORS_SPARE 64

/* Would the next descriptor be one of the spare ones, or is there none? open is any descriptor of
 * the process. Two system calls: for accepting, not for queries. */
bool descriptors_short(int open);
