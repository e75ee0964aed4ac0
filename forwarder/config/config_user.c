/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking for a user (see config_user.h).
 */
#include "forwarder/config/config_user.h"

#include <stdio.h>
#include <string.h>

static bool refuse(char why[static WHY_MAX], const char *user, const char *what)
{
    snprintf(why, WHY_MAX, "user: %s %s", user, what);
    return false;
}

bool config_user_find(const char *user, struct passwd *entry, char room[static CONFIG_USER_ROOM],
                      char why[static WHY_MAX])
{
    struct passwd *found = NULL;
    int error = getpwnam_r(user, entry, room, CONFIG_USER_ROOM, &found);
    if (found == NULL) {
        return refuse(why, user, error == 0 ? "is no user of this system" : strerror(error));
    }
    if (entry->pw_uid == 0) {
        return refuse(why, user, "is root; name a user that may do less");
    }
    return true;
}
