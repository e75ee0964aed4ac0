/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The live view in the main thread: blocked names, in turns of a second, only while somebody asks
 * for them. Each worker counts in a sketch of its own (name_sketch.h), gives it back when its turn
 * is over (name_turns.h), and gets an empty one. When nobody has asked for a while, they get none.
 */
#include <event2/event.h>

#include "forwarder/milliseconds.h"
#include "forwarder/monotonic.h"
#include "forwarder/name_sketch.h"
#include "forwarder/server/server_state.h"

#define TURN_MS 1000
#define LEASE_MS 5000 /* after the last request for names */
#define NAMES_MAX 50  /* that are told */

/* Every worker gives back what it has, and counts on in an empty sketch, or not at all. One that
 * has no memory for it does not count. */
static void begin_turn(struct server *server, bool count)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        worker_ask_names(server->workers[i], count ? name_sketch_new() : NULL);
    }
    server->top.awaited = true;
    server->top.counted = server->top.counting;
    server->top.counting = count;
}

static bool is_over(const struct server *server)
{
    for (size_t i = 0; i < server->worker_count; i++) {
        if (!name_turns_over(&server->workers[i]->names)) {
            return false;
        }
    }
    return true;
}

static json_t *most_json(const struct name_sketch *sketch, int64_t ms)
{
    struct name_sketch_count most[NAMES_MAX];
    size_t count = name_sketch_most(sketch, most, NAMES_MAX);
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        char text[DNAME_TEXT_MAX];
        json_array_append_new(list,
                              json_pack("{s:s, s:I}", "name", dname_format(&most[i].name, text),
                                        "blocked", (json_int_t)most[i].count));
    }
    return json_pack("{s:I, s:o}", "interval_ms", (json_int_t)ms, "names", list);
}

void server_top_collect(struct server *server)
{
    struct server_top *top = &server->top;
    if (!top->awaited || !is_over(server)) {
        return;
    }
    int64_t now = monotonic_ms();
    top->awaited = false;
    for (size_t i = 0; i < server->worker_count; i++) {
        struct name_sketch *done = name_turns_collect(&server->workers[i]->names);
        if (done != NULL && top->all != NULL) {
            name_sketch_merge(top->all, done);
        }
        name_sketch_free(done);
    }
    if (top->tick == NULL) {
        return; /* that was the end of it */
    }
    if (top->counted) {
        json_decref(top->last);
        top->last = most_json(top->all, now - top->turn_ms);
        name_sketch_clear(top->all);
    }
    top->turn_ms = now;
}

static void stop(struct server_top *top)
{
    if (top->tick != NULL) {
        event_free(top->tick);
    }
    name_sketch_free(top->all);
    json_decref(top->last);
    top->tick = NULL;
    top->all = NULL;
    top->last = NULL;
}

static void on_tick(evutil_socket_t descriptor, short what, void *ctx)
{
    struct server *server = ctx;
    (void)descriptor;
    (void)what;
    server_top_collect(server);
    if (server->top.awaited) {
        return; /* a worker is busy: the turn is longer */
    }
    if (monotonic_ms() <= server->top.wanted_until_ms) {
        begin_turn(server, true);
    } else {
        stop(&server->top);
        begin_turn(server, false);
    }
}

static void start(struct server *server)
{
    struct server_top *top = &server->top;
    const struct timeval period = milliseconds(TURN_MS);
    top->all = name_sketch_new();
    top->tick = event_new(server->base, -1, EV_PERSIST, on_tick, server);
    if (top->all == NULL || top->tick == NULL || event_add(top->tick, &period) != 0) {
        stop(top); /* no names: the request says so by having none */
    } else if (!top->awaited) {
        begin_turn(server, true);
    }
}

void server_top_put(struct server *server, bool names, json_t *out)
{
    struct server_top *top = &server->top;
    json_object_set_new(out, "time_ms", json_integer((json_int_t)monotonic_ms()));
    if (!names) {
        return;
    }
    top->wanted_until_ms = monotonic_ms() + LEASE_MS;
    if (top->tick == NULL) {
        start(server);
    }
    json_object_set(out, "names", top->last == NULL ? json_null() : top->last);
}

void server_top_stop(struct server *server)
{
    stop(&server->top);
}
