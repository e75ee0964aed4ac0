/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A full disk, as a process meets it: no file may grow beyond so many octets.
 */
#pragma once

#include <check.h>
#include <signal.h>
#include <sys/resource.h>

/* From now on, until full_disk_ends. RLIM_INFINITY: no file is too large. */
static inline void full_disk_after(rlim_t octets)
{
    struct rlimit limit = {octets, RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN); /* the error is for whoever writes */
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static inline void full_disk_ends(void)
{
    full_disk_after(RLIM_INFINITY);
}
