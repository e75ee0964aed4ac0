/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The groups of countries that an order may bind: EU and EEA, by dated membership (who is a member
 * on that day). Territories with codes of their own count where EU law applies to them:
 * AX GF GP MF MQ RE YT. A database's own "EU" code is never one of these groups.
 */
#pragma once

#include "geo/country.h"

enum country_group {
    COUNTRY_GROUP_EU,
    COUNTRY_GROUP_EEA,
};
#define COUNTRY_GROUPS 2

/* Reads "EU" or "EEA". */
bool country_group_parse(const char *text, size_t len, enum country_group *out);

const char *country_group_name(enum country_group group);

/* Is this country a member at this instant (seconds since the epoch, UTC)? The unknown country
 * never is. No allocation; a table. */
bool country_group_has(enum country_group group, struct country country, int64_t now);

/* Every country that is a member at some instant at or after since: the widest the group can be
 * for a policy that was loaded then. */
void country_group_members_since(enum country_group group, int64_t since, struct country_set *out);
