/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The system calls of sandbox.h, by name: what the daemon and its libraries make, and what is never
 * theirs. A call of neither table is refused, and is no reason to end.
 */
#pragma once

#include <stdint.h>

/* Names as libseccomp knows them; NULL ends a table. What an architecture, or a libseccomp, does
 * not have is passed over there. */
extern const char *const sandbox_calls_allowed[];
extern const char *const sandbox_calls_deadly[];

/* Calls that are allowed with some arguments only: one row a condition, any of which suffices. */
struct sandbox_argument {
    const char *call;
    unsigned argument; /* from 0 */
    uint64_t mask;     /* the bits that count */
    uint64_t value;    /* what they must be */
    int second;        /* another argument that must be 0; -1: none */
};
extern const struct sandbox_argument sandbox_calls_arguments[];
