/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The main thread's time of day, and what is told of a clock that cannot be believed. Workers read
 * theirs for themselves, by the same rule (wall_clock.h).
 */
#include <stdio.h>
#include <time.h>

#include "forwarder/monotonic.h"
#include "forwarder/server/server_state.h"
#include "policy/instant.h"

/* What time it is, and what the system says it is. */
static int64_t judge(struct server *server, int64_t *system)
{
    *system = (int64_t)time(NULL);
    return wall_clock_judge(&server->clock, *system, monotonic_ms() / 1000);
}

bool server_clock_start(struct server *server, char why[static WHY_MAX])
{
    char says[INSTANT_TEXT_MAX], made[INSTANT_TEXT_MAX];
    int64_t system;
    (void)judge(server, &system);
    if (server->clock.wrong) {
        snprintf(why, WHY_MAX,
                 "the clock says %s, and this program was made %s: set the clock, by it orders "
                 "begin and end",
                 instant_format(system, says), instant_format(WALL_CLOCK_MADE, made));
    }
    return !server->clock.wrong;
}

static void tell(const struct server *server, int64_t system, int64_t taken)
{
    char says[INSTANT_TEXT_MAX], used[INSTANT_TEXT_MAX];
    if (server->clock.wrong) {
        log_event(LOG_LEVEL_ERROR, "server", "the clock is wrong", "clock=%s taken=%s",
                  instant_format(system, says), instant_format(taken, used));
    } else {
        log_event(LOG_LEVEL_INFO, "server", "the clock is right again", "clock=%s",
                  instant_format(system, says));
    }
}

int64_t server_now(struct server *server)
{
    bool wrong_before = server->clock.wrong;
    int64_t system;
    int64_t now = judge(server, &system);
    if (server->clock.wrong != wrong_before) {
        server->clock_wrong_since = now;
        tell(server, system, now);
    }
    return now;
}
