/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the main thread owns, as server.c (life), server_reload.c (generations), server_keep.c (last
 * good versions), server_control.c (requests) and server_service.c (service manager) share it.
 * Nobody else includes this.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "forwarder/server/control_request.h"
#include "forwarder/server/loader.h"
#include "forwarder/server/tally.h"
#include "forwarder/worker.h"

struct control;
struct health;
struct inherited_sockets;
struct keeper;
struct upstream_names;
struct upstream_set;
struct watch;

/* A published generation, until the last worker has left it. */
struct server_published {
    struct published *published;
    struct config *config; /* the one its generation borrows */
    TAILQ_ENTRY(server_published) link;
};

struct server_set {
    struct upstream_set *set;
    TAILQ_ENTRY(server_set) link;
};

/* Reloads that are asked for alike are one load. */
struct server_ask {
    enum generation_strictness strictness;
    bool accept_shrink;
    bool watched; /* by the watch: files that are being written are left for later */
};

/* A reload that was asked for: first queued, then answered when its generation is in force. */
struct server_reload {
    struct server_ask ask;
    uint64_t ticket;  /* of the control request; 0: nobody waits */
    uint64_t awaited; /* the generation that must be adopted before the answer */
    json_t *result;   /* what will be answered then */
    bool failed;      /* something was wrong with some file */
    TAILQ_ENTRY(server_reload) link;
};

TAILQ_HEAD(server_published_list, server_published);
TAILQ_HEAD(server_set_list, server_set);
TAILQ_HEAD(server_reload_queue, server_reload);

struct server {
    const char *config_path;
    struct config *config; /* as at the start: for what only a start can change */
    struct event_base *base;
    int64_t started;
    int exit_status;
    bool running;  /* workers run */
    bool stopping; /* SIGTERM or SIGINT came */

    struct loader *loader;
    struct server_reload_queue asked;    /* no load has begun for them */
    struct server_reload_queue loading;  /* the load that runs is for them */
    struct server_reload_queue adopting; /* waiting for all workers */
    struct problem_list refused;         /* why the last load gave no generation; else empty */
    int64_t refused_since;

    struct server_published_list published; /* the newest last */
    struct server_set_list sets;            /* the newest last */
    struct tally tally;                     /* of generations that were freed */

    struct worker_shared shared;
    struct worker **workers;
    size_t worker_count;
    struct upstream_names *names;
    struct health *health;
    struct control *control;

    struct keeper *keeper;
    uint64_t kept;              /* the newest generation that is all under state */
    char keep_problem[WHY_MAX]; /* why something is not; "": everything is, or will be */
    int64_t keep_problem_since;

    struct watch *watch;         /* NULL: edits of others are not noticed */
    char watch_problem[WHY_MAX]; /* why some are not, though they are wanted to be; "": none */
    int64_t watch_problem_since;

    struct inherited_sockets *inherited; /* until the workers have theirs */
    struct event *watchdog;              /* the service manager wants signs of life */

    struct event *signals[3];
    struct event *notified;    /* a worker has something to tell */
    struct event *order_timer; /* an order begins or ends */
    struct event *ticket_timer;
    struct tls_tickets *tickets; /* of all workers and generations */
    int64_t order_time;          /* up to when that was logged */
};

/* server_reload.c */

/* The generation in force; NULL before the first. */
struct generation *server_generation(const struct server *server);

void server_log_problems(const struct problem_list *problems);

/* Puts a loaded generation into force, and takes it over; false, and freed, when memory is out. */
bool server_publish(struct server *server, struct loader_result *result);

/* Queues a reload; the request with this ticket (0: none) is answered when it is done. */
void server_ask_reload(struct server *server, const struct server_ask *ask, uint64_t ticket);
void server_on_loaded(void *ctx, struct loader_result *result);

/* Frees what no worker uses any more, and answers reloads that are in force everywhere. */
void server_collect(struct server *server);

/* Logs orders that have begun or ended, and sets the timer to the next. */
void server_follow_orders(struct server *server);
void server_free_generations(struct server *server);

/* server_keep.c */

/* Has the last good versions of a generation written that is in force now. */
void server_keep(struct server *server, struct generation *generation);
void server_on_kept(void *ctx, uint64_t generation, const char *why);

/* server_watch.c */

/* Has the files watched that the configuration names, as far as it wants that, and the lists of the
 * generation in force, if there is one. */
void server_follow_files(struct server *server);
void server_stop_watch(struct server *server);

/* server_service.c */

/* Tells the service manager that queries are served, and by what: at the start, and once a load has
 * ended. */
void server_service_ready(const struct server *server);

/* The same for the first time; gives signs of life from now on if they are wanted. */
void server_service_start(struct server *server);

/* server_control.c */

void server_on_request(void *ctx, const struct control_request *request, uint64_t ticket);
