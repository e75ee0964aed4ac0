/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loads in a thread aside (see loader.h). The thread touches job and nothing else of the loader
 * but what never changes and the good configuration, which nobody else uses while it runs.
 */
#include "forwarder/server/loader.h"

#include <event2/event.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/config/config_upstream.h"
#include "forwarder/generation/trusted_certificates.h"
#include "forwarder/server/audit_facts.h"
#include "forwarder/server/background.h"
#include "forwarder/server/listen_plan.h"
#include "forwarder/upstream/upstream_tls.h"
#include "geo/file_identity.h"
#include "policy/yaml_text.h"

struct loader {
    char *path;
    loader_done_fn *done;
    void *ctx;
    uint64_t seed;
    uint8_t cookie_secret[EDNS_COOKIE_SECRET];
    struct file_bytes good; /* the last text of forwarder.conf that had no error */
    bool has_good;
    struct config *started; /* as it was at the start */
    struct tls_tickets *tickets;

    int finished; /* eventfd, rung by the thread */
    struct event *finished_event;
    bool busy;
    pthread_t thread;
    const struct generation *before;
    struct loader_ask ask; /* unfinished is owned */
    struct loader_result result;
};

struct config *loader_good_config(const struct loader *loader)
{
    struct problem_list ignored;
    if (!loader->has_good) {
        return NULL;
    }
    problem_list_init(&ignored);
    struct config *config =
        config_parse(loader->path, loader->good.bytes, loader->good.size, &ignored);
    problem_list_fini(&ignored);
    return config;
}

/* The configuration as it is now, or the last good one; NULL if there is neither. */
static struct config *read_config(struct loader *loader, struct problem_list *problems)
{
    struct file_bytes now;
    char why[WHY_MAX] = "is being written; it is read once whoever writes it closes it";
    if (file_identity_among(loader->ask.unfinished, loader->ask.unfinished_count, AT_FDCWD,
                            loader->path) ||
        !file_bytes_read(AT_FDCWD, loader->path, YAML_TEXT_BYTES_MAX, &now, why)) {
        problem_list_add(problems, PROBLEM_ERROR, loader->path, 0, 0, "%s", why);
    } else {
        struct config *config = config_parse(loader->path, now.bytes, now.size, problems);
        if (config != NULL) {
            file_bytes_fini(&loader->good);
            loader->good = now;
            loader->has_good = true;
            return config;
        }
        file_bytes_fini(&now);
    }
    return loader_good_config(loader);
}

/* What only a start can change is told, not applied. */
static bool keep_fixed(struct loader *loader, struct config *config, struct problem_list *problems)
{
    const char *key;
    struct config_place place;
    size_t next = 0;
    while ((key = config_fixed_difference(loader->started, config, &next, &place)) != NULL) {
        problem_list_add(problems, PROBLEM_WARNING, loader->path, place.line, place.column,
                         "%s has changed: that takes effect at the next start", key);
    }
    char *state = strdup(loader->started->state);
    if (state == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, loader->path, 0, 0, "out of memory");
        return false;
    }
    free(config->state);
    config->state = state;
    return true;
}

/* The rows that are listened to now, in place of those of config. */
static bool keep_listen(struct config *config, const struct listen_plan *plan)
{
    struct config_listen *rows = calloc(plan->row_count + 1, sizeof *rows);
    for (size_t i = 0; rows != NULL && i < plan->row_count; i++) {
        rows[i] = *plan->rows[i];
    }
    struct config_listen *listen = rows == NULL ? NULL : config_listen_copy(rows, plan->row_count);
    free(rows);
    if (listen == NULL) {
        return false;
    }
    config_listen_free(config->listen, config->listen_count);
    config->listen = listen;
    config->listen_count = plan->row_count;
    return true;
}

/* A row whose port would change hands between plain DNS and QUIC, for which their sockets are too
 * different; or NULL. */
static const struct config_listen *find_swap(const struct config *config,
                                             const struct listen_plan *plan)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listen *row = &config->listen[i];
        for (size_t j = 0; config_listen_is_datagrams(row) && j < plan->row_count; j++) {
            const struct config_listen *other = plan->rows[j];
            if (config_listen_is_datagrams(other) && other->transport != row->transport &&
                config_address_equal(&other->address, &row->address)) {
                return row;
            }
        }
    }
    return NULL;
}

/* Looks whether what is new in `listen` can be had; who puts the generation into force binds it.
 * What cannot be had is told, and all of it stays as it is; `workers` is a matter of its own. */
static bool plan_listen(struct loader *loader, struct loader_result *result)
{
    struct config *config = result->config;
    const struct listen_plan *now = loader->ask.plan;
    if (now == NULL) {
        return true;
    }
    const struct config_listen *swap = find_swap(config, now);
    if (swap != NULL) {
        problem_list_add(&result->problems, PROBLEM_WARNING, loader->path, swap->place.line,
                         swap->place.column,
                         "listen has a port that changes between udp and quic: that takes effect "
                         "at the next start");
    } else if (listen_plan_try(config, now, loader->ask.leaving, &result->problems)) {
        return true;
    }
    if (!keep_listen(config, now)) {
        problem_list_add(&result->problems, PROBLEM_ERROR, loader->path, 0, 0, "out of memory");
        return false;
    }
    return true;
}

/* The servers and how they are asked, if that has changed, with what their certificates are checked
 * against. */
static void plan_upstream(struct loader *loader, struct loader_result *result)
{
    const struct config_upstream *now = &result->config->upstream;
    const struct config_place *place = &result->config->upstream_place;
    char why[WHY_MAX] = "out of memory";
    if (loader->ask.upstream == NULL ||
        config_upstream_equal(now, &loader->ask.upstream->upstream)) {
        return;
    }
    if (trusted_certificates_wanted(now)) {
        result->upstream_tls = upstream_tls_new(now, why);
        if (result->upstream_tls == NULL) {
            problem_list_add(&result->problems, PROBLEM_ERROR, loader->path, place->line,
                             place->column, "upstream stays as it is: %s", why);
            return;
        }
    }
    result->upstream = loader_good_config(loader);
    if (result->upstream == NULL) {
        problem_list_add(&result->problems, PROBLEM_ERROR, loader->path, place->line, place->column,
                         "upstream stays as it is: %s", why);
    }
}

void loader_result_fini(struct loader_result *result)
{
    generation_free(result->generation);
    audit_facts_unref(result->facts);
    config_free(result->config);
    config_free(result->upstream);
    upstream_tls_free(result->upstream_tls);
    *result = (struct loader_result){.problems = result->problems};
}

/* What of the configuration is not part of the generation. */
static bool plan(struct loader *loader, struct loader_result *result)
{
    if (!keep_fixed(loader, result->config, &result->problems) || !plan_listen(loader, result)) {
        return false;
    }
    plan_upstream(loader, result);
    return true;
}

static void load(struct loader *loader)
{
    struct loader_result *result = &loader->result;
    *result = (struct loader_result){0};
    problem_list_init(&result->problems);
    result->config = read_config(loader, &result->problems);
    bool refused = result->config == NULL || !plan(loader, result) ||
                   (loader->ask.strictness == GENERATION_STRICT && result->problems.errors > 0);
    if (!refused) {
        struct generation_options options = {
            .config = result->config,
            .before = loader->before,
            .strictness = loader->ask.strictness,
            .accept_shrink = loader->ask.accept_shrink,
            .unfinished = loader->ask.unfinished,
            .unfinished_count = loader->ask.unfinished_count,
            .write_state = true,
            .tickets = loader->tickets,
            .seed = loader->seed,
            .now = loader->ask.now,
            .process_cookie_secret = loader->cookie_secret,
        };
        result->generation = generation_load(&options, &result->problems);
    }
    if (result->generation == NULL) {
        loader_result_fini(result);
    } else {
        result->facts = audit_facts_new(result->generation);
    }
}

static void *run(void *ctx)
{
    struct loader *loader = ctx;
    uint64_t one = 1;
    load(loader);
    (void)!write(loader->finished, &one, sizeof one);
    return NULL;
}

static void on_finished(evutil_socket_t descriptor, short what, void *ctx)
{
    struct loader *loader = ctx;
    uint64_t count;
    (void)what;
    (void)!read(descriptor, &count, sizeof count);
    pthread_join(loader->thread, NULL);
    loader->busy = false;
    loader->done(loader->ctx, &loader->result);
}

struct loader *loader_new(struct event_base *base, const char *config_path, loader_done_fn *done,
                          void *ctx, char why[static WHY_MAX])
{
    struct loader *loader = calloc(1, sizeof *loader);
    snprintf(why, WHY_MAX, "out of memory or descriptors");
    if (loader == NULL) {
        return NULL;
    }
    loader->done = done;
    loader->ctx = ctx;
    loader->path = strdup(config_path);
    loader->finished = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    loader->finished_event =
        event_new(base, loader->finished, EV_READ | EV_PERSIST, on_finished, loader);
    if (loader->path == NULL || loader->finished < 0 || loader->finished_event == NULL ||
        event_add(loader->finished_event, NULL) != 0 ||
        getrandom(&loader->seed, sizeof loader->seed, 0) != sizeof loader->seed ||
        getrandom(loader->cookie_secret, EDNS_COOKIE_SECRET, 0) != EDNS_COOKIE_SECRET) {
        loader_free(loader);
        return NULL;
    }
    return loader;
}

void loader_free(struct loader *loader)
{
    if (loader == NULL) {
        return;
    }
    if (loader->busy) {
        pthread_join(loader->thread, NULL);
        loader_result_fini(&loader->result);
        problem_list_fini(&loader->result.problems);
    }
    if (loader->finished_event != NULL) {
        event_free(loader->finished_event);
    }
    if (loader->finished >= 0) {
        close(loader->finished);
    }
    free(loader->ask.unfinished);
    config_free(loader->started);
    file_bytes_fini(&loader->good);
    free(loader->path);
    free(loader);
}

void loader_forsake(struct loader *loader)
{
    if (loader != NULL && loader->busy) {
        pthread_detach(loader->thread);
    }
}

void loader_set_tickets(struct loader *loader, struct tls_tickets *tickets)
{
    loader->tickets = tickets;
}

struct config *loader_read(struct loader *loader, struct problem_list *problems)
{
    struct config *config = read_config(loader, problems);
    loader->started = config == NULL ? NULL : loader_good_config(loader);
    return config;
}

void loader_run(struct loader *loader, struct loader_result *result)
{
    loader->before = NULL;
    loader->ask.now = (int64_t)time(NULL);
    load(loader);
    *result = loader->result;
}

bool loader_start(struct loader *loader, const struct generation *before,
                  const struct loader_ask *ask)
{
    loader->before = before;
    free(loader->ask.unfinished);
    loader->ask = *ask;
    loader->busy = background_start(&loader->thread, run, loader);
    return loader->busy;
}

bool loader_busy(const struct loader *loader)
{
    return loader->busy;
}
