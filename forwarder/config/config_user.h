/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The user that `user` of forwarder.conf names, asked of this system. Reading forwarder.conf asks
 * nothing of it: the file may be read on another machine.
 */
#pragma once

#include <pwd.h>
#include <stdbool.h>

#include "geo/problem.h"

#define CONFIG_USER_ROOM 16384 /* octets of an entry of the user database */

/* Finds a user that a daemon may become; room holds the texts of entry. False with a sentence that
 * begins with the key: there is no such user, or it is root. */
bool config_user_find(const char *user, struct passwd *entry, char room[static CONFIG_USER_ROOM],
                      char why[static WHY_MAX]);
