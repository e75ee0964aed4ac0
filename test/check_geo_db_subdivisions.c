/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Subdivisions in the databases that have them: each schema, and what is no code of one.
 */
#include <check.h>
#include <string.h>

#include "geo/geo_db.h"
#include "test/geo_model.h"
#include "test/suite.h"

#define FIXTURE(name) "test/fixtures/" name ".mmdb"

static struct geo_db *open_db(const char *path, enum geo_field field)
{
    char why[WHY_MAX] = "";
    struct geo_db *db = geo_db_open(path, field, why);
    ck_assert_msg(db != NULL, "%s: %s", path, why);
    return db;
}

static const struct {
    const char *path;
    enum geo_field field;
    const char *address, *country;
    const char *larger, *smaller; /* "": not known */
} PARTS[] = {
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "192.0.2.1", "US", "CA", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "192.0.2.65", "GB", "ENG", "WSX"},
    {FIXTURE("city"), GEO_FIELD_REGISTERED, "192.0.2.65", "US", "", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "192.0.2.129", "US", "", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "192.0.2.193", "FR", "75", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "192.0.2.225", "US", "", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "198.51.100.1", "", "", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "198.51.100.129", "US", "", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "203.0.113.1", "US", "TX", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "203.0.113.129", "US", "", ""},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, "10.0.0.1", "", "", ""},
    {FIXTURE("regions"), GEO_FIELD_COUNTRY, "192.0.2.1", "US", "CA", ""},
    {FIXTURE("regions"), GEO_FIELD_COUNTRY, "192.0.2.129", "US", "", ""},
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, "2.32.0.1", "IT", "", ""},
};

START_TEST(finds_subdivisions)
{
    for (size_t i = 0; i < sizeof PARTS / sizeof PARTS[0]; i++) {
        struct geo_db *db = open_db(PARTS[i].path, PARTS[i].field);
        struct address address = model_address(PARTS[i].address);
        struct geo_db_result result;
        geo_db_find(db, &address, &result);
        ck_assert_msg(strncmp(result.country.letter, PARTS[i].country, 2) == 0 &&
                          strncmp(result.within.level[0], PARTS[i].larger, 3) == 0 &&
                          strncmp(result.within.level[1], PARTS[i].smaller, 3) == 0,
                      "%s in %s: %.2s %.3s %.3s", PARTS[i].address, PARTS[i].path,
                      result.country.letter, result.within.level[0], result.within.level[1]);
        geo_db_unref(db);
    }
}
END_TEST

static const struct {
    const char *path;
    enum geo_field field;
    bool any;
    const char *code;
    bool named;
} NAMED[] = {
    {FIXTURE("city"), GEO_FIELD_COUNTRY, true, "US-CA", true},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, true, "GB-WSX", true},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, true, "GB-CA", false},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, true, "US-C", false},
    {FIXTURE("city"), GEO_FIELD_COUNTRY, true, "US-ON", false},
    {FIXTURE("city"), GEO_FIELD_REGISTERED, false, "US-CA", false},
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, false, "US-CA", false},
};

START_TEST(knows_which_subdivisions_there_are)
{
    for (size_t i = 0; i < sizeof NAMED / sizeof NAMED[0]; i++) {
        struct geo_db *db = open_db(NAMED[i].path, NAMED[i].field);
        struct subdivision asked;
        ck_assert(subdivision_parse(NAMED[i].code, strlen(NAMED[i].code), &asked));
        ck_assert_msg(geo_db_has_subdivisions(db) == NAMED[i].any, "%s", NAMED[i].path);
        ck_assert_msg(geo_db_names_subdivision(db, &asked) == NAMED[i].named, "%s in %s",
                      NAMED[i].code, NAMED[i].path);
        geo_db_unref(db);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("geo_db_subdivisions");
    TCase *tests = tcase_create("geo_db_subdivisions");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, finds_subdivisions);
    tcase_add_test(tests, knows_which_subdivisions_there_are);
    return suite_run(suite);
}
