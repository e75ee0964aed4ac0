/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counting what is left of the descriptors (see descriptors.h): the kernel gives out the lowest
 * that is free, so its number says how many are taken.
 */
#include "forwarder/descriptors.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

bool descriptors_short(int open)
{
    struct rlimit limit;
    int lowest = fcntl(open, F_DUPFD_CLOEXEC, 0);
    if (lowest < 0) {
        return true;
    }
    close(lowest);
    return getrlimit(RLIMIT_NOFILE, &limit) == 0 &&
           (rlim_t)lowest + DESCRIPTORS_SPARE >= limit.rlim_cur;
}
