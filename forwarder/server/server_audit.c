/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the main thread has recorded: start and end, generations with who asked for them, orders
 * that begin and end, and every minute how often each order blocked. Others write it down.
 */
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "forwarder/audit/block_store.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/published.h"
#include "forwarder/server/audit_facts.h"
#include "forwarder/server/auditor.h"
#include "forwarder/server/block_counts.h"
#include "forwarder/server/server_state.h"
#include "policy/order_window.h"
#include "policy/policy.h"

#define COUNT_PERIOD_S 60
#define FAILURES_MAX 100 /* that one refused load is told with */

/* A clock that is set ahead by years passes very many windows. Those of the last days tell what
 * holds now: every weekly window has come and gone in them. */
#define WINDOWS_TOLD_S (INT64_C(8) * 86400)

/* At the latest when the hour ends, which is what counts are for. */
static void set_timer(struct server *server, int64_t now)
{
    int64_t left = BLOCK_STORE_HOUR_S - now % BLOCK_STORE_HOUR_S;
    struct timeval delay = {.tv_sec = (time_t)(left < COUNT_PERIOD_S ? left : COUNT_PERIOD_S)};
    event_add(server->count_timer, &delay);
}

static void store_counts(struct server *server, int64_t now)
{
    struct server_published *item;
    TAILQ_FOREACH(item, &server->published, link)
    {
        block_counts_collect(server->blocks, item->published);
    }
    block_counts_store(server->blocks, now);
}

static void on_count_timer(evutil_socket_t descriptor, short what, void *ctx)
{
    struct server *server = ctx;
    int64_t now = server_now(server);
    (void)descriptor;
    (void)what;
    store_counts(server, now);
    auditor_retry(server->auditor, now);
    set_timer(server, now);
}

static void record_start(struct server *server, int64_t now)
{
    char host[256] = "";
    json_t *object = json_object();
    (void)!gethostname(host, sizeof host - 1);
    json_put_text(&object, "event", "start");
    json_put_text(&object, "version", BAILIWICK_VERSION);
    json_put_text(&object, "host", host);
    json_put(&object, "pid", json_integer((json_int_t)getpid()));
    json_put_text(&object, "config", server->config_path);
    auditor_tell(server->auditor, now, audit_facts_members(object));
}

bool server_audit_start(struct server *server, char why[static WHY_MAX])
{
    int64_t now = server_now(server);
    server->auditor = auditor_new(server->config->state, why);
    if (server->auditor == NULL) {
        return false;
    }
    server->blocks = block_counts_new(server->config->state, now, why);
    server->count_timer = evtimer_new(server->base, on_count_timer, server);
    if (server->blocks == NULL || server->count_timer == NULL) {
        return false;
    }
    record_start(server, now);
    set_timer(server, now);
    return true;
}

/* Everybody who asked for the load; of very many, the first. */
static void fill_askers(const struct server *server, struct audit_event *event)
{
    const struct server_reload *reload;
    TAILQ_FOREACH(reload, &server->loading, link)
    {
        if (event->asker_count < AUDIT_ASKERS_MAX) {
            event->askers[event->asker_count++] = reload->ask.asker;
        }
    }
    if (event->asker_count == 0) {
        event->askers[event->asker_count++] = (struct audit_asker){.kind = AUDIT_ASKER_START};
    }
}

void server_audit_generation(struct server *server, struct audit_facts *facts)
{
    struct audit_event event = {.time = server_now(server), .facts = facts};
    audit_facts_as_of(facts, server_generation(server)->policy, event.time);
    fill_askers(server, &event);
    auditor_put(server->auditor, &event);
}

/* A record more behind those in out, a line each; takes the text. */
static void add_line(FILE *out, char *members)
{
    if (members != NULL) {
        fprintf(out, "%s\n", members);
    }
    free(members);
}

void server_audit_refused(struct server *server, const struct problem_list *problems)
{
    struct audit_event event = {.time = server_now(server)};
    json_t *object = json_object();
    size_t told = 0, size = 0;
    FILE *out = open_memstream(&event.members, &size);
    json_put_text(&object, "event", "refused");
    json_put(&object, "generation", json_integer((json_int_t)server_generation(server)->number));
    json_put(&object, "errors", json_integer((json_int_t)problems->errors));
    char *refused = audit_facts_members(object);
    if (out != NULL) {
        add_line(out, refused);
        for (size_t i = 0; i < problems->count && told < FAILURES_MAX; i++) {
            const struct problem *problem = &problems->items[i];
            if (problem->level == PROBLEM_ERROR) {
                add_line(out, audit_facts_failure(problem->file, problem->line, problem->column,
                                                  problem->text));
                told++;
            }
        }
        fclose(out);
    } else {
        free(refused);
    }
    fill_askers(server, &event);
    auditor_put(server->auditor, &event);
}

void server_audit_drain(struct server *server, const struct server_drain *drain,
                        const char *address)
{
    struct audit_event event = {
        .time = server_now(server), .askers = {drain->asker}, .asker_count = 1};
    json_t *object = json_object();
    json_put_text(&object, "event", drain->drained ? "drain" : "undrain");
    json_put_text(&object, "upstream", address);
    json_put(&object, "force", json_boolean(drain->force));
    event.members = audit_facts_members(object);
    auditor_put(server->auditor, &event);
}

static char *change_text(const struct server *server, const struct order *order, int64_t at)
{
    json_t *object = json_object();
    json_put_text(&object, "event", policy_order_in_force(order, at) ? "begins" : "ends");
    json_put(&object, "generation", json_integer((json_int_t)server_generation(server)->number));
    json_put_text(&object, "id", order->id);
    json_put_sha256(&object, "sha256", order->sha256);
    json_put_instant(&object, "at", at);
    return audit_facts_members(object);
}

/* The first instant after this one at which the order may begin or end to bind; of its windows only
 * those behind an instant of their own are looked at. */
static int64_t next_change(const struct order *order, int64_t after, int64_t windows_after)
{
    int64_t begin = after > windows_after ? after : windows_after;
    int64_t next = order->window_count > 0 ? order_window_until(order, begin) : ORDER_FOR_GOOD;
    if (after < order->effective && order->effective < next) {
        next = order->effective;
    }
    if (after < order->end && order->end < next) {
        next = order->end;
    }
    return next;
}

static void add_changes(const struct server *server, int64_t from, int64_t to, FILE *out)
{
    const struct policy *policy = server_generation(server)->policy;
    const int64_t windows = to - WINDOWS_TOLD_S;
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        const struct order *order = policy_order(policy, i);
        int64_t at = next_change(order, from, windows);
        for (; order->status == ORDER_ACTIVE && at <= to; at = next_change(order, at, windows)) {
            if (policy_order_in_force(order, at) != policy_order_in_force(order, at - 1)) {
                add_line(out, change_text(server, order, at));
            }
        }
    }
}

void server_audit_changes(struct server *server, int64_t from, int64_t to)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (out != NULL) {
        add_changes(server, from, to, out);
        fclose(out);
    }
    if (out == NULL || size > 0) {
        auditor_tell(server->auditor, server_now(server), text); /* one event, however many */
    } else {
        free(text);
    }
}

void server_audit_counts(struct server *server, struct published *published)
{
    if (server->blocks != NULL) {
        block_counts_collect(server->blocks, published);
    }
}

void server_audit_stop(struct server *server)
{
    int64_t now = server_now(server);
    json_t *object = json_object();
    if (server->auditor == NULL || server->blocks == NULL) {
        json_decref(object);
        return;
    }
    json_put_text(&object, "event", "stop");
    json_put(&object, "status", json_integer(server->exit_status));
    auditor_tell(server->auditor, now, audit_facts_members(object));
    store_counts(server, now);
}

void server_audit_free(struct server *server)
{
    auditor_free(server->auditor);
    block_counts_free(server->blocks);
    if (server->count_timer != NULL) {
        event_free(server->count_timer);
    }
    server->auditor = NULL;
    server->blocks = NULL;
}
