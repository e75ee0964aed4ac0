/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/instant_offsets: the table of a zone against the zone itself.
 */
#include "policy/instant_offsets.h"

#include <check.h>
#include <string.h>

#include "policy/instant.h"
#include "test/suite.h"

static const struct {
    const char *label, *zone, *instant;
    int32_t offset;
    const char *until; /* "" is never */
} cases[] = {
    {"winter", "Europe/Rome", "2026-01-01T00:00:00Z", 3600, "2026-03-29T01:00:00Z"},
    {"the last second of winter", "Europe/Rome", "2026-03-29T00:59:59Z", 3600,
     "2026-03-29T01:00:00Z"},
    {"the first second of summer", "Europe/Rome", "2026-03-29T01:00:00Z", 7200,
     "2026-10-25T01:00:00Z"},
    {"the last second of summer", "Europe/Rome", "2026-10-25T00:59:59Z", 7200,
     "2026-10-25T01:00:00Z"},
    {"west of Greenwich", "America/New_York", "2026-07-01T00:00:00Z", -14400,
     "2026-11-01T06:00:00Z"},
    {"half an hour", "Australia/Lord_Howe", "2026-01-01T00:00:00Z", 39600, "2026-04-04T15:00:00Z"},
    {"no changes any more", "Asia/Kolkata", "2026-01-01T00:00:00Z", 19800, ""},
    {"none at all", "Etc/UTC", "1970-01-01T00:00:00Z", 0, ""},
    {"before the table", "Europe/Rome", "1960-07-01T00:00:00Z", 3600, "1970-05-30T23:00:00Z"},
    {"behind the table", "Europe/Rome", "2050-07-01T00:00:00Z", 3600, ""},
    {"a day left out", "Pacific/Apia", "2011-12-30T09:59:59Z", -36000, "2011-12-30T10:00:00Z"},
    {"the day after it", "Pacific/Apia", "2011-12-30T10:00:00Z", 50400, "2012-03-31T14:00:00Z"},
};

static struct instant_zone *zone_of(const char *name)
{
    char why[WHY_MAX];
    struct instant_zone *zone = instant_zone_open(name, why);
    ck_assert_msg(zone != NULL, "%s", why);
    return zone;
}

static int64_t instant_of(const char *text)
{
    int64_t instant = INT64_MAX;
    ck_assert_msg(*text == '\0' || instant_parse(text, strlen(text), &instant), "%s", text);
    return instant;
}

START_TEST(knows_offsets_and_changes)
{
    struct instant_zone *zone = zone_of(cases[_i].zone);
    struct instant_offsets *offsets = instant_offsets_new(zone);
    instant_zone_close(zone);
    ck_assert_ptr_nonnull(offsets);
    int64_t until;
    int32_t offset = instant_offsets_at(offsets, instant_of(cases[_i].instant), &until);
    char text[INSTANT_TEXT_MAX];
    ck_assert_msg(offset == cases[_i].offset, "%s: %d", cases[_i].label, offset);
    ck_assert_msg(until == instant_of(cases[_i].until), "%s: until %s", cases[_i].label,
                  instant_format(until, text));
    instant_offsets_free(offsets);
}
END_TEST

/* Every eleven hours of the years that the table knows, and around each change. */
START_TEST(agrees_with_the_zone)
{
    static const char *const names[] = {"Europe/Rome", "America/Sao_Paulo", "Africa/Casablanca",
                                        "Asia/Tehran", "Australia/Lord_Howe"};
    struct instant_zone *zone = zone_of(names[_i]);
    struct instant_offsets *offsets = instant_offsets_new(zone);
    ck_assert_ptr_nonnull(offsets);
    for (int64_t at = 0; at < instant_of("2037-12-31T00:00:00Z"); at += INT64_C(39600)) {
        int64_t until;
        int32_t offset = instant_offsets_at(offsets, at, &until);
        if (offset != instant_zone_offset(zone, at)) {
            ck_abort_msg("%s at %lld: %d", names[_i], (long long)at, offset);
        }
        if (until != INT64_MAX && (instant_zone_offset(zone, until - 1) != offset ||
                                   instant_zone_offset(zone, until) == offset)) {
            ck_abort_msg("%s at %lld: until %lld", names[_i], (long long)at, (long long)until);
        }
    }
    instant_offsets_free(offsets);
    instant_zone_close(zone);
}
END_TEST

START_TEST(frees_nothing)
{
    instant_offsets_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("instant_offsets");
    TCase *tcase = tcase_create("instant_offsets");
    tcase_add_loop_test(tcase, knows_offsets_and_changes, 0, ROWS(cases));
    tcase_add_loop_test(tcase, agrees_with_the_zone, 0, 5);
    tcase_add_test(tcase, frees_nothing);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
