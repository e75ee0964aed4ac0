/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Dates to instants. Expected values are written in UTC and were read off zdump -V, not computed by
 * the module.
 */
#include "policy/instant.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "test/suite.h"

struct time_row {
    const char *text;
    const char *utc; /* NULL: refused */
};

static const struct time_row times[] = {
    {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
    {"2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z"},
    {"2026-01-01t00:00:00z", "2026-01-01T00:00:00Z"},
    {"2026-01-01T00:00:00+02:00", "2025-12-31T22:00:00Z"},
    {"2026-01-01T00:00:00-03:30", "2026-01-01T03:30:00Z"},
    {"2026-01-01T00:00:00-00:00", "2026-01-01T00:00:00Z"},
    {"2024-02-29T23:59:59+23:59", "2024-02-29T00:00:59Z"},
    {"1900-03-01T00:00:00Z", "1900-03-01T00:00:00Z"},
    {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
    {"2026-01-01T00:00:00", NULL},
    {"2026-01-01 00:00:00Z", NULL},
    {"2026-01-01T24:00:00Z", NULL},
    {"2026-01-01T00:60:00Z", NULL},
    {"2016-12-31T23:59:60Z", NULL},
    {"2026-01-01T00:00:00.5Z", NULL},
    {"2026-01-01T00:00:00+2:00", NULL},
    {"2026-01-01T00:00:00+0200", NULL},
    {"2026-01-01T00:00:00+24:00", NULL},
    {"2026-01-01T00:00:00+01:60", NULL},
    {"2026-01-01T00:00Z", NULL},
    {"2026-1-01T00:00:00Z", NULL},
    {"2023-02-29T00:00:00Z", NULL},
    {"2026-01-01T00:00:00ZZ", NULL},
    {"2026-01-01T00:00:00Z ", NULL},
    {" 2026-01-01T00:00:00Z", NULL},
    {"2026-01-01", NULL},
    {"+026-01-01T00:00:00Z", NULL},
    {"", NULL},
};

START_TEST(reads_date_times)
{
    const struct time_row *row = &times[_i];
    int64_t instant = 0;
    char shown[INSTANT_TEXT_MAX];
    bool read = instant_parse(row->text, strlen(row->text), &instant);
    ck_assert_msg(read == (row->utc != NULL), "%s", row->text);
    if (read) {
        ck_assert_msg(strcmp(instant_format(instant, shown), row->utc) == 0, "%s: %s", row->text,
                      shown);
    }
}
END_TEST

START_TEST(counts_seconds)
{
    int64_t instant = 0;
    ck_assert(instant_parse("2022-08-10T00:00:00Z", 20, &instant));
    ck_assert_int_eq(instant, 1660089600);
    ck_assert(instant_parse("1969-12-31T23:59:59Z", 20, &instant));
    ck_assert_int_eq(instant, -1);
}
END_TEST

START_TEST(reads_no_further_than_the_length)
{
    int64_t instant = 0;
    ck_assert(instant_is_date("2026-01-01T00", 10));
    ck_assert(!instant_is_date("2026-01-0\0", 10));
    ck_assert(!instant_parse("2026-01-01T00:00:00Z", 19, &instant));
}
END_TEST

struct format_row {
    int64_t instant;
    const char *expected;
};

static const struct format_row formats[] = {
    {0, "1970-01-01T00:00:00Z"},
    {-1, "1969-12-31T23:59:59Z"},
    {253402300799, "9999-12-31T23:59:59Z"},
    {253402300800, "253402300800"},
    {INT64_MIN, "-9223372036854775808"},
    {INT64_MAX, "9223372036854775807"},
};

START_TEST(writes_instants)
{
    char shown[INSTANT_TEXT_MAX];
    ck_assert_str_eq(instant_format(formats[_i].instant, shown), formats[_i].expected);
}
END_TEST

struct date_row {
    const char *text;
    bool is_date;
};

static const struct date_row dates[] = {
    {"2022-07-11", true},  {"2024-02-29", true},  {"2000-02-29", true},  {"1900-01-01", true},
    {"9999-12-31", true},  {"1900-02-29", false}, {"2023-02-29", false}, {"2022-04-31", false},
    {"2022-13-01", false}, {"2022-00-10", false}, {"2022-01-00", false}, {"1899-12-31", false},
    {"22-07-11", false},   {"2022-7-11", false},  {"2022/07/11", false}, {"11-07-2022", false},
    {"2022-07-1x", false}, {"20220711", false},   {"", false},           {"2022-07-11 ", false},
};

START_TEST(knows_dates)
{
    const struct date_row *row = &dates[_i];
    int64_t instant = 0;
    ck_assert_msg(instant_is_date(row->text, strlen(row->text)) == row->is_date, "%s", row->text);
    ck_assert_msg(instant_day_start(row->text, strlen(row->text), NULL, &instant) == row->is_date,
                  "%s", row->text);
}
END_TEST

struct day_row {
    const char *label;
    const char *zone; /* NULL: UTC */
    const char *date;
    const char *start;
    const char *end;
};

static const struct day_row days[] = {
    {"UTC", NULL, "2022-08-10", "2022-08-10T00:00:00Z", "2022-08-11T00:00:00Z"},
    {"UTC by name", "UTC", "2022-08-10", "2022-08-10T00:00:00Z", "2022-08-11T00:00:00Z"},
    {"summer", "Europe/Rome", "2022-08-10", "2022-08-09T22:00:00Z", "2022-08-10T22:00:00Z"},
    {"winter", "Europe/Rome", "2022-12-31", "2022-12-30T23:00:00Z", "2022-12-31T23:00:00Z"},
    {"23 hours", "Europe/Rome", "2022-03-27", "2022-03-26T23:00:00Z", "2022-03-27T22:00:00Z"},
    {"25 hours", "Europe/Rome", "2022-10-30", "2022-10-29T22:00:00Z", "2022-10-30T23:00:00Z"},
    {"past the 32 bits", "Europe/Rome", "2045-07-01", "2045-06-30T22:00:00Z",
     "2045-07-01T22:00:00Z"},
    {"winter past them", "Europe/Rome", "2045-01-01", "2044-12-31T23:00:00Z",
     "2045-01-01T23:00:00Z"},
    {"Ramadan rule past them", "Africa/Casablanca", "2045-07-10", "2045-07-10T00:00:00Z",
     "2045-07-11T00:00:00Z"},
    {"gap at midnight", "Africa/Cairo", "2023-04-28", "2023-04-27T22:00:00Z",
     "2023-04-28T21:00:00Z"},
    {"day before that gap", "Africa/Cairo", "2023-04-27", "2023-04-26T22:00:00Z",
     "2023-04-27T22:00:00Z"},
    {"overlap before midnight", "Africa/Cairo", "2023-10-26", "2023-10-25T21:00:00Z",
     "2023-10-26T22:00:00Z"},
    {"gap, Beirut", "Asia/Beirut", "2022-03-27", "2022-03-26T22:00:00Z", "2022-03-27T21:00:00Z"},
    {"gap, Sao Paulo", "America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z",
     "2018-11-05T02:00:00Z"},
    {"midnight reached twice", "America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00:00Z",
     "2018-02-18T03:00:00Z"},
    {"midnight twice", "America/Havana", "2023-11-05", "2023-11-05T04:00:00Z",
     "2023-11-06T05:00:00Z"},
    {"gap, Havana", "America/Havana", "2023-03-12", "2023-03-12T05:00:00Z", "2023-03-13T04:00:00Z"},
    {"a minute of the day, then back", "America/St_Johns", "2005-10-30", "2005-10-30T02:30:00Z",
     "2005-10-31T03:30:00Z"},
    {"gap after midnight", "America/St_Johns", "2005-04-03", "2005-04-03T03:30:00Z",
     "2005-04-04T02:30:00Z"},
    {"a day that never was", "Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z",
     "2011-12-30T10:00:00Z"},
    {"the day after", "Pacific/Apia", "2011-12-31", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"},
    {"far east", "Pacific/Kiritimati", "2022-08-10", "2022-08-09T10:00:00Z",
     "2022-08-10T10:00:00Z"},
    {"far west", "Etc/GMT+12", "2022-08-10", "2022-08-10T12:00:00Z", "2022-08-11T12:00:00Z"},
    {"year's end", "Europe/Rome", "1999-12-31", "1999-12-30T23:00:00Z", "1999-12-31T23:00:00Z"},
    {"leap day", "Europe/Rome", "2024-02-29", "2024-02-28T23:00:00Z", "2024-02-29T23:00:00Z"},
};

START_TEST(days_begin_and_end)
{
    const struct day_row *row = &days[_i];
    char why[WHY_MAX] = "";
    char shown[INSTANT_TEXT_MAX];
    int64_t instant = 0;
    struct instant_zone *zone = row->zone != NULL ? instant_zone_open(row->zone, why) : NULL;
    ck_assert_msg((zone != NULL) == (row->zone != NULL), "%s: %s", row->label, why);
    ck_assert(instant_day_start(row->date, strlen(row->date), zone, &instant));
    ck_assert_msg(strcmp(instant_format(instant, shown), row->start) == 0, "%s: starts %s",
                  row->label, shown);
    ck_assert(instant_day_end(row->date, strlen(row->date), zone, &instant));
    ck_assert_msg(strcmp(instant_format(instant, shown), row->end) == 0, "%s: ends %s", row->label,
                  shown);
    instant_zone_close(zone);
}
END_TEST

/* Days follow one another without a gap or an overlap, in zones with every kind of oddity. */
START_TEST(days_join)
{
    static const char *const zones[] = {"Africa/Cairo",     "America/Havana", "America/St_Johns",
                                        "Pacific/Apia",     "Asia/Gaza",      "Australia/Lord_Howe",
                                        "Africa/Casablanca"};
    for (size_t z = 0; z < sizeof zones / sizeof *zones; z++) {
        char why[WHY_MAX];
        struct instant_zone *zone = instant_zone_open(zones[z], why);
        ck_assert_ptr_nonnull(zone);
        int64_t previous_end = INT64_MIN;
        for (int day = 0; day < 40 * 12 * 28; day++) {
            char text[48];
            int64_t start = 0;
            int64_t end = 0;
            snprintf(text, sizeof text, "%04d-%02d-%02d", 1990 + day / 28 / 12, day / 28 % 12 + 1,
                     day % 28 + 1);
            /* No assertions here: Check writes a mark for each that holds. */
            bool good = instant_day_start(text, 10, zone, &start) &&
                        instant_day_end(text, 10, zone, &end) &&
                        (day % 28 == 0 || start == previous_end) && end >= start &&
                        end - start <= 26 * 3600;
            if (!good) {
                ck_abort_msg("%s %s", zones[z], text);
            }
            previous_end = end;
        }
        instant_zone_close(zone);
    }
}
END_TEST

static const char *const no_zones[] = {
    "",
    "Europe/Nowhere",
    "Europe",
    "Europe/",
    "Europe//Rome",
    "europe/rome",
    "EUROPE/ROME",
    "Europe/Rome ",
    "+02:00",
    "-02:00",
    "02:00",
    "Z",
    "UTC+2",
    "EST5",
    "CET-1CEST",
    "CET-1CEST,M3.5.0,M10.5.0/3",
    ":Europe/Rome",
    "/usr/share/zoneinfo/Europe/Rome",
    "../zoneinfo/Europe/Rome",
    "Europe/../Europe/Rome",
    "localtime",
    "posixrules",
    "right/Europe/Rome",
    "posix/Europe/Rome",
    "tzdata.zi",
    "Etc/GMT+99",
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
};

START_TEST(refuses_zones)
{
    char why[WHY_MAX] = "";
    ck_assert_msg(instant_zone_open(no_zones[_i], why) == NULL, "%s", no_zones[_i]);
    ck_assert_msg(strlen(why) > 20, "%s: %s", no_zones[_i], why);
}
END_TEST

START_TEST(opens_zones)
{
    static const char *const zones[] = {"Europe/Rome",
                                        "America/Argentina/Buenos_Aires",
                                        "America/Port-au-Prince",
                                        "Etc/GMT+5",
                                        "UTC",
                                        "GMT"};
    for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
        char why[WHY_MAX] = "";
        struct instant_zone *zone = instant_zone_open(zones[i], why);
        ck_assert_msg(zone != NULL, "%s: %s", zones[i], why);
        instant_zone_close(zone);
    }
    instant_zone_close(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("instant");
    TCase *tcase = tcase_create("instant");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, reads_date_times, 0, ROWS(times));
    tcase_add_test(tcase, counts_seconds);
    tcase_add_test(tcase, reads_no_further_than_the_length);
    tcase_add_loop_test(tcase, writes_instants, 0, ROWS(formats));
    tcase_add_loop_test(tcase, knows_dates, 0, ROWS(dates));
    tcase_add_loop_test(tcase, days_begin_and_end, 0, ROWS(days));
    tcase_add_test(tcase, days_join);
    tcase_add_loop_test(tcase, refuses_zones, 0, ROWS(no_zones));
    tcase_add_test(tcase, opens_zones);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
