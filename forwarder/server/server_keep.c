/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Last good versions in the main thread: handed to the keeper once their generation is in force,
 * and what became of them told by log and status.
 */
#include "forwarder/generation/generation.h"
#include "forwarder/server/keeper.h"
#include "forwarder/server/server_state.h"

static void note_problem(struct server *server, const char *problem)
{
    char state[LOG_VALUE_MAX], reason[LOG_VALUE_MAX];
    if (!trouble_note(&server->unkept, problem, server_now(server))) {
        return;
    }
    log_quote(server->config->state, state, sizeof state);
    if (problem[0] != '\0') {
        log_event(LOG_LEVEL_WARNING, "state", "not everything is kept", "state=%s reason=%s", state,
                  log_quote(problem, reason, sizeof reason));
    } else {
        log_event(LOG_LEVEL_INFO, "state", "everything is kept again", "state=%s", state);
    }
}

void server_on_kept(void *ctx, uint64_t generation, const char *why)
{
    struct server *server = ctx;
    if (why == NULL) {
        server->kept = generation;
    }
    note_problem(server, why == NULL ? "" : why);
}

void server_keep(struct server *server, struct generation *generation)
{
    struct generation_keep *keep = generation_take_keep(generation);
    if (keep == NULL) {
        note_problem(server, "no memory to keep the last good versions");
    } else {
        keeper_add(server->keeper, keep);
    }
}
