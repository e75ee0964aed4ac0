/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A filter over the system calls of the process (seccomp(2)), and no way to its memory from
 * outside: the key `sandbox`. Which calls, and why, stands in sandbox_calls.c.
 *
 * A call on the list is made. One that only an intruder has a use for (another program, a look into
 * another process, another user, a mount, a module) ends the process at once. Any other one fails
 * with ENOSYS, as on a kernel that is older than the C library, which then does without it: a newer
 * library must not end a service that courts rely on. The kernel's audit log names both kinds.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "geo/problem.h"

enum sandbox_outcome {
    SANDBOX_ENTERED,
    SANDBOX_NONE, /* this kernel has no such filters, or none for us; the rest is in force */
};

/* Puts the filter in force for the process and all its threads, later ones included, for good. With
 * SANDBOX_NONE the reason is in why. */
enum sandbox_outcome sandbox_enter(char why[static WHY_MAX]);

/* The filter's program for an architecture of libseccomp's (SCMP_ARCH_…, 0: this one), as text for
 * people, into an open descriptor. False with a reason. */
bool sandbox_print(uint32_t architecture, int descriptor, char why[static WHY_MAX]);
