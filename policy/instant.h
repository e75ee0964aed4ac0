/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dates as orders write them, to instants (seconds since the epoch, UTC): RFC 3339 date-times, and
 * bare dates in a named time zone (IANA names, by GLib over the system's tzdata). The start of a
 * day is its first instant, also where daylight saving time begins at midnight.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/problem.h"

struct instant_zone;

/* Opens an IANA zone such as Europe/Rome. NULL, with a sentence, if the system does not know it;
 * an offset, a POSIX rule or a path is no such name. Calls into one zone, and opening, are for one
 * thread at a time. */
struct instant_zone *instant_zone_open(const char *name, char why[static WHY_MAX]);
void instant_zone_close(struct instant_zone *zone); /* NULL is allowed */

/* Seconds that the zone's clocks are ahead of UTC at an instant. */
int32_t instant_zone_offset(const struct instant_zone *zone, int64_t instant);

/* Is this text YYYY-MM-DD with an existing day, 1900 to 9999? */
bool instant_is_date(const char *text, size_t len);

/* The first instant of a date, or of the day after it, in the zone (NULL: UTC). False if the text
 * is no date. */
bool instant_day_start(const char *text, size_t len, const struct instant_zone *zone, int64_t *out);
bool instant_day_end(const char *text, size_t len, const struct instant_zone *zone, int64_t *out);

/* Reads an RFC 3339 date-time ("2026-01-01T00:00:00Z", "…+02:00"); a fraction of a second or a leap
 * second is refused. */
bool instant_parse(const char *text, size_t len, int64_t *out);

/* RFC 3339 in UTC; an instant outside the years 1000 to 9999, which has no such text, as its number
 * of seconds. Returns out. */
#define INSTANT_TEXT_MAX 32
char *instant_format(int64_t instant, char out[static INSTANT_TEXT_MAX]);
