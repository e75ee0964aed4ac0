/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Text is read strictly here, the C library counts the days, and GLib is asked only which offset a
 * zone has at an instant: where days begin is found here, by a walk over the zone's intervals. GLib
 * opens more than IANA zones: "+02:00", POSIX rules, absolute paths and zones that count leap
 * seconds (right/…), so a name is checked first.
 */
#include "policy/instant.h"

#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DAY_S INT64_C(86400)
#define ZONE_NAME_MAX 64

struct instant_zone {
    GTimeZone *glib;
};

struct instant_date {
    int year;
    int month; /* 1 to 12 */
    int day;   /* 1 to 31 */
};

/* ---- Calendar ---- */

static bool is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return month == 2 && is_leap(year) ? 29 : days[month - 1];
}

/* The instant of this date's midnight in UTC. */
static int64_t midnight_utc(struct instant_date date)
{
    struct tm tm = {.tm_year = date.year - 1900, .tm_mon = date.month - 1, .tm_mday = date.day};
    return timegm(&tm);
}

/* ---- Text ---- */

/* Does text fit the pattern, where 0 stands for any digit and anything else for itself? */
static bool fits(const char *text, size_t len, const char *pattern)
{
    if (len != strlen(pattern)) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (pattern[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != pattern[i]) {
            return false;
        }
    }
    return true;
}

static int number(const char *digits, size_t len)
{
    int value = 0;
    for (size_t i = 0; i < len; i++) {
        value = value * 10 + (digits[i] - '0');
    }
    return value;
}

static bool date_parse(const char *text, size_t len, struct instant_date *out)
{
    if (!fits(text, len, "0000-00-00")) {
        return false;
    }
    *out = (struct instant_date){number(text, 4), number(text + 5, 2), number(text + 8, 2)};
    return out->year >= 1900 && out->month >= 1 && out->month <= 12 && out->day >= 1 &&
           out->day <= days_in_month(out->year, out->month);
}

static bool time_of_day_parse(const char *text, size_t len, int64_t *out)
{
    if (!fits(text, len, "00:00:00")) {
        return false;
    }
    int hour = number(text, 2);
    int minute = number(text + 3, 2);
    int second = number(text + 6, 2);
    *out = hour * 3600 + minute * 60 + second;
    return hour < 24 && minute < 60 && second < 60;
}

static bool offset_parse(const char *text, size_t len, int64_t *out)
{
    if (len == 1 && (*text == 'Z' || *text == 'z')) {
        *out = 0;
        return true;
    }
    if (!fits(text, len, "+00:00") && !fits(text, len, "-00:00")) {
        return false;
    }
    int hour = number(text + 1, 2);
    int minute = number(text + 4, 2);
    *out = (*text == '-' ? -1 : 1) * (hour * 3600 + minute * 60);
    return hour < 24 && minute < 60;
}

bool instant_is_date(const char *text, size_t len)
{
    struct instant_date date;
    return date_parse(text, len, &date);
}

bool instant_parse(const char *text, size_t len, int64_t *out)
{
    const size_t date_len = strlen("2026-01-01");
    const size_t time_at = date_len + 1;
    const size_t offset_at = strlen("2026-01-01T00:00:00");
    struct instant_date date;
    int64_t time_of_day;
    int64_t offset;
    if (len <= offset_at || (text[date_len] != 'T' && text[date_len] != 't') ||
        !date_parse(text, date_len, &date) ||
        !time_of_day_parse(text + time_at, offset_at - time_at, &time_of_day) ||
        !offset_parse(text + offset_at, len - offset_at, &offset)) {
        return false;
    }
    *out = midnight_utc(date) + time_of_day - offset;
    return true;
}

char *instant_format(int64_t instant, char out[static INSTANT_TEXT_MAX])
{
    const int64_t first = midnight_utc((struct instant_date){1000, 1, 1});
    const int64_t last = midnight_utc((struct instant_date){10000, 1, 1});
    struct tm tm;
    time_t time = (time_t)instant;
    if (instant < first || instant >= last || gmtime_r(&time, &tm) == NULL) {
        snprintf(out, INSTANT_TEXT_MAX, "%" PRId64, instant);
    } else {
        strftime(out, INSTANT_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
    }
    return out;
}

/* ---- Zones ---- */

/* IANA names begin with a capital, and so do their parts; "localtime", "right/…" and "posixrules"
 * do not. No part is empty or holds a dot, so no name leads out of the zone folder. */
static bool zone_name_plausible(const char *name)
{
    static const char inside[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789+-_/";
    size_t len = strlen(name);
    return len > 0 && len <= ZONE_NAME_MAX && name[0] >= 'A' && name[0] <= 'Z' &&
           strspn(name, inside) == len && strstr(name, "//") == NULL && name[len - 1] != '/';
}

/* GLib takes "EST5" as a POSIX rule if there is no such file, and prints a complaint about a file
 * that is no zone. So the file must be there and be one; GLib looks in the same folder. */
static bool zone_file_exists(const char *name)
{
    const char *folder = getenv("TZDIR");
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s",
                          folder != NULL && *folder != '\0' ? folder : "/usr/share/zoneinfo", name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return false;
    }
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0) {
        return false;
    }
    char magic[4];
    bool is_zone = read(descriptor, magic, sizeof magic) == sizeof magic &&
                   memcmp(magic, "TZif", sizeof magic) == 0;
    close(descriptor);
    return is_zone;
}

struct instant_zone *instant_zone_open(const char *name, char why[static WHY_MAX])
{
    if (!zone_name_plausible(name)) {
        snprintf(why, WHY_MAX, "this is no time zone: expected an IANA name such as Europe/Rome");
        return NULL;
    }
    struct instant_zone *zone = calloc(1, sizeof *zone);
    if (zone == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    if (!zone_file_exists(name) || (zone->glib = g_time_zone_new_identifier(name)) == NULL) {
        snprintf(why, WHY_MAX, "this system knows no time zone %s: is tzdata installed?", name);
        free(zone);
        return NULL;
    }
    return zone;
}

void instant_zone_close(struct instant_zone *zone)
{
    if (zone != NULL) {
        g_time_zone_unref(zone->glib);
        free(zone);
    }
}

static gint zone_interval(const struct instant_zone *zone, int64_t instant)
{
    return g_time_zone_find_interval(zone->glib, G_TIME_TYPE_UNIVERSAL, instant);
}

int32_t instant_zone_offset(const struct instant_zone *zone, int64_t instant)
{
    return g_time_zone_get_offset(zone->glib, zone_interval(zone, instant));
}

/* The first instant in (inside, outside] that is no longer in the interval of inside. */
static int64_t interval_end(const struct instant_zone *zone, int64_t inside, int64_t outside)
{
    gint interval = zone_interval(zone, inside);
    while (outside - inside > 1) {
        int64_t middle = inside + (outside - inside) / 2;
        if (zone_interval(zone, middle) == interval) {
            inside = middle;
        } else {
            outside = middle;
        }
    }
    return outside;
}

/* The first instant at which the zone's clocks show this day's midnight or later. Clocks are walked
 * forward from two days before (no offset reaches that far), through intervals of one offset each:
 * where midnight is skipped the next interval begins the day, where it comes twice the first
 * counts. */
static int64_t zone_midnight(const struct instant_zone *zone, int64_t midnight)
{
    int64_t start = midnight - 2 * DAY_S;
    for (;;) {
        gint interval = zone_interval(zone, start);
        int64_t shown = midnight - g_time_zone_get_offset(zone->glib, interval);
        int64_t candidate = shown > start ? shown : start;
        if (zone_interval(zone, candidate) == interval) {
            return candidate;
        }
        start = interval_end(zone, start, candidate);
    }
}

static bool day_start(const char *text, size_t len, int64_t days_later,
                      const struct instant_zone *zone, int64_t *out)
{
    struct instant_date date;
    if (!date_parse(text, len, &date)) {
        return false;
    }
    int64_t midnight = midnight_utc(date) + days_later * DAY_S;
    *out = zone == NULL ? midnight : zone_midnight(zone, midnight);
    return true;
}

bool instant_day_start(const char *text, size_t len, const struct instant_zone *zone, int64_t *out)
{
    return day_start(text, len, 0, zone, out);
}

bool instant_day_end(const char *text, size_t len, const struct instant_zone *zone, int64_t *out)
{
    return day_start(text, len, 1, zone, out);
}
