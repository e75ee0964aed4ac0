/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What goes wrong until it is mended (see trouble.h).
 */
#include "forwarder/trouble.h"

#include <stdio.h>
#include <string.h>

bool trouble_note(struct trouble *trouble, const char *why, int64_t now)
{
    if (strncmp(why, trouble->why, WHY_MAX - 1) == 0) {
        return false;
    }
    snprintf(trouble->why, sizeof trouble->why, "%s", why);
    trouble->since = now;
    return true;
}
