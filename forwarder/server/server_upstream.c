/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The servers behind in the main thread: their names followed, their health checked, sets of them
 * handed to the workers, and what changes when `upstream` of forwarder.conf does or the operator
 * drains one.
 *
 * An era is the time of one `upstream` in forwarder.conf. The next one begins when its first
 * servers are known: a set without any takes the place of nobody's. What belongs to the era before
 * is freed when no worker uses a set of it.
 */
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <stdio.h>

#include "forwarder/config/config_address.h"
#include "forwarder/generation/trusted_certificates.h"
#include "forwarder/server/server_state.h"
#include "forwarder/upstream/health.h"
#include "forwarder/upstream/upstream_names.h"
#include "forwarder/upstream/upstream_set.h"
#include "forwarder/upstream/upstream_tls.h"

/* Nobody looks up or checks anything for it any more; its sets may still be used. */
static void retire_era(struct server_era *era)
{
    health_free(era->health);
    upstream_names_free(era->names);
    era->health = NULL;
    era->names = NULL;
}

static void era_free(struct server_era *era)
{
    if (era == NULL) {
        return;
    }
    retire_era(era);
    upstream_tls_free(era->tls);
    config_free(era->config);
    free(era);
}

struct upstream_set *server_upstreams(const struct server *server)
{
    const struct server_set *newest = TAILQ_LAST(&server->sets, server_set_list);
    return newest == NULL ? NULL : newest->set;
}

static bool is_used(const struct server *server, const struct server_era *era)
{
    const struct server_set *item;
    TAILQ_FOREACH(item, &server->sets, link)
    {
        if (item->era == era) {
            return true;
        }
    }
    return era == server->era || era == server->next_era;
}

static void free_set(struct server *server, struct server_set *item)
{
    struct server_era *era = item->era;
    TAILQ_REMOVE(&server->sets, item, link);
    upstream_set_free(item->set);
    free(item);
    if (!is_used(server, era)) {
        era_free(era);
    }
}

void server_collect_sets(struct server *server)
{
    uint64_t oldest = UINT64_MAX;
    for (size_t i = 0; i < server->worker_count; i++) {
        uint64_t number = atomic_load(&server->workers[i]->oldest_set);
        oldest = number < oldest ? number : oldest;
    }
    struct server_set *item = TAILQ_FIRST(&server->sets);
    while (item != NULL && TAILQ_NEXT(item, link) != NULL && item->set->number < oldest) {
        struct server_set *next = TAILQ_NEXT(item, link);
        free_set(server, item);
        item = next;
    }
}

void server_free_upstreams(struct server *server)
{
    struct server_set *item;
    struct server_era *era = server->era;
    struct server_era *next = server->next_era;
    while ((item = TAILQ_FIRST(&server->sets)) != NULL) {
        free_set(server, item);
    }
    server->era = server->next_era = NULL;
    era_free(era);
    era_free(next);
    free(server->drained);
}

/* ---- Drained servers ---- */

static struct config_address *find_drained(const struct server *server,
                                           const struct config_address *address)
{
    for (size_t i = 0; i < server->drained_count; i++) {
        if (config_address_equal(&server->drained[i], address)) {
            return &server->drained[i];
        }
    }
    return NULL;
}

/* A server that comes back by its name or the configuration is what it was: drained, or down. */
static void carry_over(const struct server *server, const struct upstream_set *set)
{
    const struct upstream_set *before = server_upstreams(server);
    for (size_t i = 0; i < set->count; i++) {
        struct upstream_target *target = set->targets[i];
        atomic_store(&target->drained, find_drained(server, &target->address) != NULL);
        for (size_t j = 0; before != NULL && j < before->count; j++) {
            const struct upstream_target *known = before->targets[j];
            if (known != target && config_address_equal(&known->address, &target->address)) {
                atomic_store(&target->up, atomic_load(&known->up));
            }
        }
    }
}

/* Whoever drained servers may have forgotten it when the others leave the configuration. */
static void note_all_drained(struct server *server, const struct upstream_set *set)
{
    bool all = set->count > 0;
    for (size_t i = 0; all && i < set->count; i++) {
        all = atomic_load(&set->targets[i]->drained);
    }
    if (!all) {
        server->all_drained_since = 0;
    } else if (server->all_drained_since == 0) {
        server->all_drained_since = server_now(server);
        log_event(LOG_LEVEL_WARNING, "upstream", "every server is drained", "servers=%zu",
                  set->count);
    }
}

/* Would nobody be left to ask, or nobody that is up while this one is? */
static bool is_last(const struct upstream_set *set, const struct config_address *address)
{
    size_t others = 0;
    bool up = false;
    for (size_t i = 0; i < set->count; i++) {
        const struct upstream_target *target = set->targets[i];
        if (config_address_equal(&target->address, address)) {
            up = up || atomic_load(&target->up);
        } else if (!atomic_load(&target->drained)) {
            if (atomic_load(&target->up)) {
                return false;
            }
            others++;
        }
    }
    return up || others == 0;
}

static bool note_drained(struct server *server, const struct config_address *address, bool drained)
{
    struct config_address *known = find_drained(server, address);
    if (known != NULL && !drained) {
        *known = server->drained[--server->drained_count];
    }
    if (known != NULL || !drained) {
        return true;
    }
    struct config_address *all =
        realloc(server->drained, (server->drained_count + 1) * sizeof *all);
    if (all == NULL) {
        return false;
    }
    server->drained = all;
    all[server->drained_count++] = *address;
    return true;
}

/* An address with or without its port, as upstream_target.text has it: host in its usual form, the
 * port behind it or "". */
static bool split(const char *text, char host[static ADDRESS_TEXT_MAX], const char **port)
{
    char copy[ADDRESS_TEXT_MAX + 2];
    struct address address;
    bool bracket = text[0] == '[';
    size_t size = bracket ? strcspn(++text, "]") : strlen(text);
    const char *colon = bracket ? NULL : strchr(text, ':');
    if (colon != NULL && strchr(colon + 1, ':') == NULL) {
        size = (size_t)(colon - text); /* one colon: that of a port */
    }
    if (size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    *port = text + size + (bracket && text[size] == ']' ? 1 : 0);
    if (!address_parse(copy, size, &address) || (**port != '\0' && **port != ':')) {
        return false;
    }
    address_format(&address, host);
    return true;
}

/* The server that is meant; NULL with a sentence. */
static struct upstream_target *find_target(const struct upstream_set *set, const char *text,
                                           char why[static WHY_MAX])
{
    char wanted[ADDRESS_TEXT_MAX], host[ADDRESS_TEXT_MAX];
    const char *wanted_port, *port;
    struct upstream_target *found = NULL;
    snprintf(why, WHY_MAX,
             "expected an address, or an address and port such as 192.0.2.1:53 or "
             "[2001:db8::1]:53");
    if (!split(text, wanted, &wanted_port)) {
        return NULL;
    }
    snprintf(why, WHY_MAX, "no server has this address; bailiwick upstream lists them");
    for (size_t i = 0; i < set->count; i++) {
        struct upstream_target *target = set->targets[i];
        if (!split(target->text, host, &port) || strcmp(host, wanted) != 0 ||
            (*wanted_port != '\0' && strcmp(port, wanted_port) != 0)) {
            continue;
        }
        if (found != NULL && !config_address_equal(&found->address, &target->address)) {
            snprintf(why, WHY_MAX, "several servers have this address: say the port, too");
            return NULL;
        }
        found = target;
    }
    return found;
}

bool server_drain(struct server *server, const struct server_drain *drain, char why[static WHY_MAX])
{
    const struct upstream_set *set = server_upstreams(server);
    const struct upstream_target *meant = find_target(set, drain->address, why);
    if (meant == NULL) {
        return false;
    }
    if (drain->drained && !drain->force && is_last(set, &meant->address)) {
        snprintf(why, WHY_MAX,
                 "no other server is up and not drained; --force drains it all the same");
        return false;
    }
    bool known = find_drained(server, &meant->address) != NULL;
    if (!note_drained(server, &meant->address, drain->drained)) {
        snprintf(why, WHY_MAX, "out of memory");
        return false;
    }
    if (known != drain->drained) {
        server_audit_drain(server, drain, meant->text);
    }
    for (size_t i = 0; i < set->count; i++) {
        struct upstream_target *target = set->targets[i];
        if (config_address_equal(&target->address, &meant->address) &&
            atomic_exchange(&target->drained, drain->drained) != drain->drained) {
            log_event(LOG_LEVEL_INFO, "upstream",
                      drain->drained ? "server is drained" : "server is asked again", "address=%s",
                      target->text);
        }
    }
    note_all_drained(server, set);
    return true;
}

/* ---- Eras ---- */

/* Health checks, if they are wanted. */
static bool start_health(struct server *server, struct server_era *era, char why[static WHY_MAX])
{
    const struct config_upstream *config = &era->config->upstream;
    if (config->health_check.enabled && era->health == NULL) {
        era->health = health_new(server->base, config, era->tls, why);
    }
    return !config->health_check.enabled || era->health != NULL;
}

/* Without health checks every server counts as up. */
static void check_health(struct server *server, struct server_era *era, struct upstream_set *set)
{
    char why[WHY_MAX];
    if (!start_health(server, era, why)) {
        log_event(LOG_LEVEL_ERROR, "upstream", "no health check", "address=all reason=\"%s\"", why);
    }
    if (era->health != NULL) {
        health_follow(era->health, set);
        return;
    }
    for (size_t i = 0; i < set->count; i++) {
        atomic_store(&set->targets[i]->up, true);
    }
}

/* The first set of the next era is there. */
static void begin_era(struct server *server)
{
    struct server_era *before = server->era;
    server->era = server->next_era;
    server->next_era = NULL;
    if (before == NULL) {
        return;
    }
    retire_era(before);
    log_event(LOG_LEVEL_INFO, "upstream", "servers as configured anew", "servers=%zu",
              server->era->config->upstream.server_count);
    if (!is_used(server, before)) {
        era_free(before);
    }
}

/* Two eras have sets while the next one begins: a worker takes for new what has a new number. */
static uint64_t next_number(const struct server *server)
{
    const struct upstream_set *newest = server_upstreams(server);
    return newest == NULL ? 1 : newest->number + 1;
}

/* Reloads may have waited for a set. */
static void tell_waiting(struct server *server)
{
    if (server->running) {
        event_active(server->notified, EV_READ, 0);
    }
}

/* Would the next era begin without any server, where there are some now? */
static bool leaves_nobody(const struct server_era *era, const struct upstream_set *set)
{
    const struct upstream_set *before = server_upstreams(era->server);
    return era == era->server->next_era && set->count == 0 && before != NULL && before->count > 0;
}

static void on_set(void *ctx, struct upstream_set *set)
{
    struct server_era *era = ctx;
    struct server *server = era->server;
    if (leaves_nobody(era, set)) {
        era->unresolved = true;
        upstream_set_free(set);
        tell_waiting(server);
        return;
    }
    struct server_set *item = calloc(1, sizeof *item);
    if (item == NULL) {
        upstream_set_free(set); /* the one before stays in use */
        return;
    }
    set->number = next_number(server);
    set->tls = era->tls;
    item->set = set;
    item->era = era;
    carry_over(server, set);
    note_all_drained(server, set);
    TAILQ_INSERT_TAIL(&server->sets, item, link);
    if (era == server->next_era) {
        begin_era(server);
    }
    check_health(server, era, set);
    for (size_t i = 0; server->running && i < server->worker_count; i++) {
        worker_offer_set(server->workers[i], set);
    }
    tell_waiting(server);
}

bool server_awaits_upstreams(const struct server *server)
{
    return server->next_era != NULL && !server->next_era->unresolved;
}

bool server_follow_upstream(struct server *server, struct config *config, struct upstream_tls *tls,
                            char why[static WHY_MAX])
{
    struct server_era *era = calloc(1, sizeof *era);
    const struct upstream_set *newest = server_upstreams(server);
    snprintf(why, WHY_MAX, "out of memory");
    if (era == NULL) {
        upstream_tls_free(tls);
        config_free(config);
        return false;
    }
    era->server = server;
    era->config = config;
    era->tls = tls;
    era->names = upstream_names_new(server->base, &config->upstream, CONFIG_WORKERS_MAX, why);
    era_free(server->next_era); /* one that has not begun never does */
    server->next_era = era;
    if (era->names == NULL ||
        !upstream_names_start(era->names, newest == NULL ? 0 : newest->number, on_set, era)) {
        server->next_era = NULL;
        era_free(era);
        return false;
    }
    return true;
}

/* Is there a set of servers yet? At a start that is waited for. */
bool server_start_upstreams(struct server *server, char why[static WHY_MAX])
{
    struct upstream_tls *tls = NULL;
    struct config *config = loader_good_config(server->loader);
    snprintf(why, WHY_MAX, "out of memory");
    if (config == NULL) {
        return false;
    }
    if (trusted_certificates_wanted(&config->upstream) &&
        (tls = upstream_tls_new(&config->upstream, why)) == NULL) {
        config_free(config);
        return false;
    }
    if (!server_follow_upstream(server, config, tls, why)) {
        return false;
    }
    while (server->next_era != NULL) {
        event_base_loop(server->base, EVLOOP_ONCE);
    }
    return start_health(server, server->era, why);
}
