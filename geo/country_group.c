/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Membership of the EU and the EEA as a table of dated rows. A membership begins at 00:00 UTC of
 * its first day. The one that has ended did so at the instant its treaty names. The EEA is read as
 * the members of the EU together with Iceland, Liechtenstein and Norway.
 */
#include "geo/country_group.h"

#include <string.h>

#define SINCE_1958 INT64_C(-378691200) /* 1958-01-01 */
#define SINCE_1973 INT64_C(94694400)   /* 1973-01-01 */
#define SINCE_1981 INT64_C(347155200)  /* 1981-01-01 */
#define SINCE_1986 INT64_C(504921600)  /* 1986-01-01 */
#define SINCE_1994 INT64_C(757382400)  /* 1994-01-01 */
#define SINCE_1995 INT64_C(788918400)  /* 1995-01-01 */
#define MAY_1995 INT64_C(799286400)    /* 1995-05-01 */
#define MAY_2004 INT64_C(1083369600)   /* 2004-05-01 */
#define SINCE_2007 INT64_C(1167609600) /* 2007-01-01 */
#define JULY_2013 INT64_C(1372636800)  /* 2013-07-01 */
#define SINCE_2014 INT64_C(1388534400) /* 2014-01-01 */
#define BREXIT INT64_C(1580511600)     /* 2020-02-01 00:00 in Brussels, 2020-01-31T23:00:00Z */
#define FOR_GOOD INT64_MAX

#define EEA (1U << COUNTRY_GROUP_EEA)
#define EU (1U << COUNTRY_GROUP_EU | EEA) /* every member of the EU is in the EEA */

static const struct membership {
    struct country country;
    unsigned groups;
    int64_t from;  /* the first second inside */
    int64_t until; /* the first second outside again */
} memberships[] = {
    {{"BE"}, EU, SINCE_1958, FOR_GOOD},
    {{"DE"}, EU, SINCE_1958, FOR_GOOD},
    {{"FR"}, EU, SINCE_1958, FOR_GOOD},
    {{"IT"}, EU, SINCE_1958, FOR_GOOD},
    {{"LU"}, EU, SINCE_1958, FOR_GOOD},
    {{"NL"}, EU, SINCE_1958, FOR_GOOD},
    {{"DK"}, EU, SINCE_1973, FOR_GOOD},
    {{"IE"}, EU, SINCE_1973, FOR_GOOD},
    {{"GB"}, EU, SINCE_1973, BREXIT},
    {{"GR"}, EU, SINCE_1981, FOR_GOOD},
    {{"ES"}, EU, SINCE_1986, FOR_GOOD},
    {{"PT"}, EU, SINCE_1986, FOR_GOOD},
    {{"AT"}, EU, SINCE_1995, FOR_GOOD},
    {{"FI"}, EU, SINCE_1995, FOR_GOOD},
    {{"SE"}, EU, SINCE_1995, FOR_GOOD},
    {{"CY"}, EU, MAY_2004, FOR_GOOD},
    {{"CZ"}, EU, MAY_2004, FOR_GOOD},
    {{"EE"}, EU, MAY_2004, FOR_GOOD},
    {{"HU"}, EU, MAY_2004, FOR_GOOD},
    {{"LT"}, EU, MAY_2004, FOR_GOOD},
    {{"LV"}, EU, MAY_2004, FOR_GOOD},
    {{"MT"}, EU, MAY_2004, FOR_GOOD},
    {{"PL"}, EU, MAY_2004, FOR_GOOD},
    {{"SI"}, EU, MAY_2004, FOR_GOOD},
    {{"SK"}, EU, MAY_2004, FOR_GOOD},
    {{"BG"}, EU, SINCE_2007, FOR_GOOD},
    {{"RO"}, EU, SINCE_2007, FOR_GOOD},
    {{"HR"}, EU, JULY_2013, FOR_GOOD},

    /* Territories with codes of their own: Åland with Finland, the outermost regions with France
     * (Mayotte since it became one). */
    {{"AX"}, EU, SINCE_1995, FOR_GOOD},
    {{"GF"}, EU, SINCE_1958, FOR_GOOD},
    {{"GP"}, EU, SINCE_1958, FOR_GOOD},
    {{"MF"}, EU, SINCE_1958, FOR_GOOD},
    {{"MQ"}, EU, SINCE_1958, FOR_GOOD},
    {{"RE"}, EU, SINCE_1958, FOR_GOOD},
    {{"YT"}, EU, SINCE_2014, FOR_GOOD},

    {{"IS"}, EEA, SINCE_1994, FOR_GOOD},
    {{"NO"}, EEA, SINCE_1994, FOR_GOOD},
    {{"LI"}, EEA, MAY_1995, FOR_GOOD},
};

#define MEMBERSHIPS (sizeof memberships / sizeof memberships[0])

static const char *const names[COUNTRY_GROUPS] = {
    [COUNTRY_GROUP_EU] = "EU",
    [COUNTRY_GROUP_EEA] = "EEA",
};

bool country_group_parse(const char *text, size_t len, enum country_group *out)
{
    for (unsigned group = 0; group < COUNTRY_GROUPS; group++) {
        if (strlen(names[group]) == len && memcmp(names[group], text, len) == 0) {
            *out = (enum country_group)group;
            return true;
        }
    }
    return false;
}

const char *country_group_name(enum country_group group)
{
    return names[group];
}

bool country_group_has(enum country_group group, struct country country, int64_t now)
{
    for (size_t i = 0; i < MEMBERSHIPS; i++) {
        const struct membership *row = &memberships[i];
        if ((row->groups >> group & 1) != 0 && country_equal(row->country, country)) {
            return row->from <= now && now < row->until;
        }
    }
    return false;
}

void country_group_members_since(enum country_group group, int64_t since, struct country_set *out)
{
    *out = (struct country_set){0};
    for (size_t i = 0; i < MEMBERSHIPS; i++) {
        const struct membership *row = &memberships[i];
        if ((row->groups >> group & 1) != 0 && since < row->until) {
            country_set_add(out, row->country);
        }
    }
}
