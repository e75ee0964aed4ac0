/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Clients that do not read their answers (see unread.h).
 */
#include "forwarder/unread.h"

static bool is_over(size_t octets, const struct unread_limit *limit)
{
    return octets > limit->octets + limit->beyond;
}

void unread_renew(struct unread *unread, size_t octets, const struct unread_limit *limit)
{
    unread->over = is_over(octets, limit);
    unread->read_by = unread->read;
}

bool unread_begin(struct unread *unread, size_t octets, const struct unread_limit *limit)
{
    if (unread->over && is_over(octets, limit)) {
        return false;
    }
    unread_renew(unread, octets, limit);
    return true;
}

bool unread_reads(const struct unread *unread, size_t octets, const struct unread_limit *limit)
{
    uint64_t read = unread->read - unread->read_by;
    if (unread->over) {
        return !is_over(octets, limit) || read * UNREAD_PART >= limit->octets;
    }
    return octets > 0 && read > 0;
}

unsigned unread_time_ms(unsigned idle_ms)
{
    return idle_ms < UNREAD_MS ? idle_ms : UNREAD_MS;
}

bool unread_is_too_much(size_t octets, size_t answer, size_t limit)
{
    return octets > 0 && octets + answer > limit * UNREAD_TIMES;
}
