/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Edits that others make, from the files that the configuration names to a reload.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "forwarder/server/server_state.h"
#include "forwarder/server/watch.h"

static const struct watch_timing timing = {.quiet_ms = 200, .longest_ms = 1000};

static void on_changed(void *ctx, const struct watch_change *change)
{
    static const struct server_ask ask = {
        .strictness = GENERATION_LENIENT, .watched = true, .asker = {.kind = AUDIT_ASKER_WATCH}};
    char files[LOG_VALUE_MAX];
    log_event(LOG_LEVEL_INFO, "watch", "files changed", "changes=%lu files=%s", change->count,
              log_quote(change->files, files, sizeof files));
    server_ask_reload(ctx, &ask, 0);
}

/* The configuration that the files are named by. */
static const struct config *config_of(const struct server *server)
{
    const struct generation *generation = server_generation(server);
    return generation == NULL ? server->config : generation->config;
}

static void note_problem(struct server *server, const char *problem)
{
    char reason[LOG_VALUE_MAX];
    if (!trouble_note(&server->unwatched, problem, server_now(server))) {
        return;
    }
    if (problem[0] != '\0') {
        log_event(LOG_LEVEL_WARNING, "watch", "some edits go unnoticed", "reason=%s",
                  log_quote(problem, reason, sizeof reason));
    } else {
        log_event(LOG_LEVEL_INFO, "watch", "all edits are noticed again", "");
    }
}

/* The path of forwarder.conf as it was given, from the root. Returns out, or NULL. */
static const char *absolute(const char *path, char out[static PATH_MAX])
{
    char here[PATH_MAX];
    if (path[0] == '/') {
        return path;
    }
    int put = getcwd(here, sizeof here) == NULL ? -1 : snprintf(out, PATH_MAX, "%s/%s", here, path);
    return put < 0 || put >= PATH_MAX ? NULL : out;
}

static void follow(struct server *server, const struct config *config)
{
    char path[PATH_MAX];
    const struct generation *generation = server_generation(server);
    const char *const fixed[] = {absolute(config->path, path),
                                 config->geo_database,
                                 config->geo_overrides,
                                 config->block.protected_names,
                                 config->block.protected_networks,
                                 config->block.cookie_secret};
    size_t lists = generation == NULL ? 0 : generation->outside_count;
    size_t most = sizeof fixed / sizeof fixed[0] + lists + 2 * config->listen_count;
    const char **files = calloc(most, sizeof(char *));
    size_t count = 0;
    if (files == NULL) {
        note_problem(server, "out of memory");
        return;
    }
    for (size_t i = 0; i < sizeof fixed / sizeof fixed[0]; i++) {
        if (fixed[i] != NULL) {
            files[count++] = fixed[i];
        }
    }
    for (size_t i = 0; i < lists; i++) {
        files[count++] = generation->outside[i];
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config->listen[i].certificate != NULL) {
            files[count++] = config->listen[i].certificate;
            files[count++] = config->listen[i].key;
        }
    }
    int64_t since = generation == NULL ? INT64_MAX : generation->loaded;
    watch_follow(server->watch, config->orders, files, count, since);
    free(files);
    const char *problem = watch_problem(server->watch);
    note_problem(server, problem == NULL ? "" : problem);
}

void server_follow_files(struct server *server)
{
    const struct config *config = config_of(server);
    char why[WHY_MAX];
    if (!config->watch) {
        server_stop_watch(server);
        return;
    }
    if (server->watch == NULL) {
        server->watch = watch_new(server->base, &timing, on_changed, server, why);
    }
    if (server->watch == NULL) {
        note_problem(server, why);
    } else {
        follow(server, config);
    }
}

void server_stop_watch(struct server *server)
{
    watch_free(server->watch);
    server->watch = NULL;
    server->unwatched = (struct trouble){0};
}
