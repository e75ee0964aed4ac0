/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the daemon answers over its control socket: status, reload, orders, top, test.
 */
#include <stdlib.h>

#include "forwarder/client_quota.h"
#include "forwarder/explain/explain.h"
#include "forwarder/explain/explain_question.h"
#include "forwarder/explain/order_summary.h"
#include "forwarder/server/auditor.h"
#include "forwarder/server/block_counts.h"
#include "forwarder/server/control.h"
#include "forwarder/server/server_state.h"
#include "forwarder/server/status.h"
#include "policy/instant.h"
#include "policy/policy.h"

/* Counts over all generations: those freed, and those still in use. */
static bool count_all(const struct server *server, struct tally *out)
{
    const struct server_published *item;
    if (!tally_copy(&server->tally, out)) {
        return false;
    }
    TAILQ_FOREACH(item, &server->published, link)
    {
        tally_fold(out, item->published);
    }
    return true;
}

bool server_view(struct server *server, struct tally *tally, struct status_view *out)
{
    if (!count_all(server, tally)) {
        return false;
    }
    *out = (struct status_view){
        .started = server->started,
        .now = server_now(server),
        .generation = server_generation(server),
        .refused = &server->refused,
        .refused_since = server->refused_since,
        .upstreams = server_upstreams(server),
        .all_drained_since = server->all_drained_since,
        .workers = server->workers,
        .worker_count = server->worker_count,
        .retired = &server->retired,
        .retired_drops = server->retired_drops,
        .left = &server->left,
        .kept = server->kept,
        .unkept = &server->unkept,
        .watched = server->watch != NULL,
        .unwatched = &server->unwatched,
        .clock_wrong = server->clock.wrong,
        .clock_wrong_since = server->clock_wrong_since,
        .connections = client_quota_connections(server->shared.quota),
        .tally = tally,
        .reloads = &server->reloads,
        .tap = server->shared.tap,
    };
    auditor_state(server->auditor, &out->audit);
    block_counts_state(server->blocks, &out->blocks);
    return true;
}

static void answer_status(struct server *server, uint64_t ticket)
{
    struct tally tally;
    struct status_view view;
    json_t *status = NULL;
    if (server_view(server, &tally, &view)) {
        status = status_json(&view);
        tally_fini(&tally);
    }
    control_reply(server->control, ticket, status == NULL ? "out of memory" : NULL, status);
}

static void answer_top(struct server *server, const struct control_request *request,
                       uint64_t ticket)
{
    struct tally tally;
    struct status_view view;
    json_t *counts = NULL;
    if (server_view(server, &tally, &view)) {
        counts = status_counts_json(&view);
        tally_fini(&tally);
    }
    if (counts != NULL) {
        char started[INSTANT_TEXT_MAX];
        json_object_set_new(counts, "started",
                            json_string(instant_format(server->started, started)));
        json_object_set_new(counts, "generation",
                            json_integer((json_int_t)view.generation->number));
        server_top_put(server, request->names, counts);
    }
    control_reply(server->control, ticket, counts == NULL ? "out of memory" : NULL, counts);
}

/* What is in force, as it was read. */
static void answer_orders(struct server *server, uint64_t ticket)
{
    const struct generation *generation = server_generation(server);
    int64_t now = server_now(server);
    json_t *orders = json_array();
    for (size_t i = 0; i < policy_order_count(generation->policy); i++) {
        if (json_array_append_new(orders, order_summary_json(generation, i, now)) != 0) {
            json_decref(orders);
            control_reply(server->control, ticket, "out of memory", NULL);
            return;
        }
    }
    json_t *result =
        json_pack("{s:I, s:o}", "generation", (json_int_t)generation->number, "orders", orders);
    control_reply(server->control, ticket, result == NULL ? "out of memory" : NULL, result);
}

static void answer_test(struct server *server, const struct control_request *request,
                        uint64_t ticket)
{
    struct explain_question question;
    char why[WHY_MAX];
    question.now = server_now(server);
    if (!explain_question_parse(&question, request->address, request->name, request->type, why) ||
        (request->time[0] != '\0' && !explain_question_time(request->time, &question.now, why))) {
        control_reply(server->control, ticket, why, NULL);
        return;
    }
    json_t *result = explain_json(server_generation(server), &question);
    char *text = explain_text(server_generation(server), &question);
    if (result == NULL || text == NULL) {
        control_reply(server->control, ticket, "out of memory", result);
    } else {
        json_object_set_new(result, "text", json_string(text));
        control_reply(server->control, ticket, NULL, result);
    }
    free(text);
}

static struct audit_asker asker_of(const struct server *server, uint64_t ticket)
{
    struct control_peer peer = {.uid = (uid_t)-1, .gid = (gid_t)-1};
    (void)control_peer(server->control, ticket, &peer); /* nobody, if nobody knows */
    return (struct audit_asker){AUDIT_ASKER_CONTROL, peer.uid, peer.gid, peer.pid};
}

static void answer_reload(struct server *server, const struct control_request *request,
                          uint64_t ticket)
{
    const struct server_ask ask = {
        .strictness = request->strict ? GENERATION_STRICT : GENERATION_LENIENT,
        .accept_shrink = request->accept_shrink,
        .asker = asker_of(server, ticket),
    };
    server_ask_reload(server, &ask, ticket);
}

/* Servers are told as status tells them. */
static void answer_drain(struct server *server, const struct control_request *request,
                         uint64_t ticket)
{
    const struct server_drain drain = {
        .address = request->address,
        .drained = request->command == CONTROL_DRAIN,
        .force = request->force,
        .asker = asker_of(server, ticket),
    };
    char why[WHY_MAX];
    if (!server_drain(server, &drain, why)) {
        control_reply(server->control, ticket, why, NULL);
        return;
    }
    json_t *result = json_pack("{s:o}", "upstreams", status_upstreams(server_upstreams(server)));
    control_reply(server->control, ticket, result == NULL ? "out of memory" : NULL, result);
}

void server_on_request(void *ctx, const struct control_request *request, uint64_t ticket)
{
    struct server *server = ctx;
    switch (request->command) {
    case CONTROL_STATUS:
        answer_status(server, ticket);
        break;
    case CONTROL_RELOAD:
        answer_reload(server, request, ticket);
        break;
    case CONTROL_ORDERS:
        answer_orders(server, ticket);
        break;
    case CONTROL_TOP:
        answer_top(server, request, ticket);
        break;
    case CONTROL_TEST:
        answer_test(server, request, ticket);
        break;
    case CONTROL_DRAIN:
    case CONTROL_UNDRAIN:
        answer_drain(server, request, ticket);
        break;
    }
}
