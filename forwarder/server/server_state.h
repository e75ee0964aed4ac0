/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the main thread owns, as server.c (life), server_reload.c (generations), server_workers.c
 * (workers and sockets), server_upstream.c (servers behind), server_keep.c (last good versions),
 * server_control.c (requests), server_audit.c (record), server_metrics.c (Prometheus), server_tap.c
 * (dnstap), server_service.c (service manager), server_clock.c (time of day), server_confine.c
 * (least privilege), server_watch.c (edits of files), server_top.c (live view) and server_end.c
 * (what is still being written) share it. Nobody else includes this.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "forwarder/server/audit_writer.h"
#include "forwarder/server/control_request.h"
#include "forwarder/server/listener_view.h"
#include "forwarder/server/loader.h"
#include "forwarder/server/reload_record.h"
#include "forwarder/server/status.h"
#include "forwarder/server/tally.h"
#include "forwarder/trouble.h"
#include "forwarder/wall_clock.h"
#include "forwarder/worker.h"

struct auditor;
struct block_counts;
struct control;
struct health;
struct inherited_sockets;
struct keeper;
struct listen_plan;
struct listen_rows;
struct metrics_listener;
struct upstream_names;
struct upstream_set;
struct upstream_tls;
struct watch;

/* A published generation, until the last worker has left it. */
struct server_published {
    struct published *published;
    struct config *config; /* the one its generation borrows */
    TAILQ_ENTRY(server_published) link;
};

/* What belongs to one `upstream` of forwarder.conf (server_upstream.c). */
struct server_era {
    struct server *server;
    struct config *config; /* owned; its upstream is what counts */
    struct upstream_tls *tls;
    struct upstream_names *names;
    struct health *health;
    bool unresolved; /* not begun yet: its first look-ups found no server */
};

struct server_set {
    struct upstream_set *set;
    struct server_era *era;
    TAILQ_ENTRY(server_set) link;
};

/* Reloads that are asked for alike are one load. */
struct server_ask {
    enum generation_strictness strictness;
    bool accept_shrink;
    bool watched; /* by the watch: files that are being written are left for later */
    struct audit_asker asker;
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

/* Blocked names, while somebody watches (server_top.c). */
struct server_top {
    struct event *tick;      /* a turn begins; NULL while nobody watches */
    struct name_sketch *all; /* of all workers, of one turn */
    int64_t turn_ms;         /* when the turn that runs began, monotonic */
    int64_t wanted_until_ms;
    bool awaited;  /* workers have not all taken part in the last turn yet */
    bool counting; /* in that turn they do */
    bool counted;  /* in the one before it they did, and give back what */
    json_t *last;  /* what the last whole turn gave; NULL: there is none yet */
};

struct server {
    const char *config_path;
    struct config *config; /* as at the start: for what only a start can change */
    struct event_base *base;
    int64_t started;
    struct wall_clock clock;
    int64_t clock_wrong_since; /* while clock.wrong */
    int exit_status;
    bool running;  /* workers run */
    bool stopping; /* SIGTERM or SIGINT came */

    struct loader *loader;
    struct server_reload_queue asked;    /* no load has begun for them */
    struct server_reload_queue loading;  /* the load that runs is for them */
    struct server_reload_queue adopting; /* waiting for all workers */
    struct loader_result held;           /* loaded, and waits until sockets have been left; if */
    bool holds;
    struct problem_list refused; /* why the last load gave no generation; else empty */
    int64_t refused_since;
    struct reload_record reloads;

    struct server_published_list published; /* the newest last */
    struct server_set_list sets;            /* the newest last */
    struct tally tally;                     /* of generations that were freed */

    struct server_era *era;      /* of the newest set */
    struct server_era *next_era; /* whose first set is awaited; NULL: none */
    struct config_address *drained;
    size_t drained_count;
    int64_t all_drained_since; /* no server is left to ask; 0: one is */

    struct worker_shared shared;
    struct worker **workers; /* those that retire are the last of them */
    size_t worker_count;
    struct listen_rows *rows;
    struct listen_plan *plan;       /* what is listened on; its workers are those that stay */
    bool unsettled;                 /* sockets are being left */
    struct counters retired;        /* what workers counted that are no more */
    uint64_t retired_drops;         /* of sockets that are no more */
    struct listener_view_left left; /* the same by listener */
    struct control *control;
    struct metrics_listener *metrics; /* NULL: nobody may ask for them */

    struct keeper *keeper;
    uint64_t kept;         /* the newest generation that is all under state */
    struct trouble unkept; /* why something is not; else everything is, or will be */

    struct auditor *auditor;
    struct block_counts *blocks;
    struct event *count_timer; /* counts are due */

    struct watch *watch;      /* NULL: edits of others are not noticed */
    struct trouble unwatched; /* why some are not, though they are wanted to be */

    pthread_t tap_thread; /* of shared.tap */
    bool taps;            /* it runs */
    struct server_top top;

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

/* Logs that a start fails by what a key of forwarder.conf says, with its place. Returns false. */
bool server_refused(const struct server *server, const char *key, const char *why);

/* Starts the load that was asked for before workers ran, if one was. */
void server_load_asked(struct server *server);

/* For the record of reloads. */
void server_load_begins(struct server *server);
void server_load_ended(struct server *server, bool loaded, const struct problem_list *problems);

/* Puts what was loaded into force, with what is to be listened on from now on (NULL: as before),
 * and takes both over; false when memory is out. What could not be put into force is said in the
 * result's problems. */
bool server_publish(struct server *server, struct loader_result *result, struct listen_plan *plan);

/* Queues a reload; the request with this ticket (0: none) is answered when it is done. */
void server_ask_reload(struct server *server, const struct server_ask *ask, uint64_t ticket);
void server_on_loaded(void *ctx, struct loader_result *result);

/* Frees what no worker uses any more, and answers reloads that are in force everywhere. */
void server_collect(struct server *server);

/* Logs orders that have begun or ended, and sets the timer to the next. */
void server_follow_orders(struct server *server);
void server_free_generations(struct server *server);

/* server_workers.c */

/* Opens all sockets and makes all workers, before the first of them reads: a port that is taken
 * stops the start whole. False with a reason. */
bool server_make_workers(struct server *server, char why[static WHY_MAX]);
bool server_run_workers(struct server *server, char why[static WHY_MAX]);
void server_stop_workers(struct server *server);
bool server_workers_ended(const struct server *server);
void server_free_workers(struct server *server);

/* Has what the plan says listened on, by as many workers as it says; takes it over. What could not
 * be done is said in problems. */
void server_follow_plan(struct server *server, struct listen_plan *plan,
                        struct problem_list *problems);

/* Do workers still run that are too many? */
bool server_is_retiring(const struct server *server);

/* Takes note of workers that have ended, and of sockets that were left. */
void server_collect_workers(struct server *server);

/* server_upstream.c */

/* Follows the servers for the first time, and waits a little for their addresses. False with a
 * reason. */
bool server_start_upstreams(struct server *server, char why[static WHY_MAX]);

/* Follows the servers of config from now on, which it takes over with tls in any case; those before
 * stay in use until the new ones are known. False with a reason. */
bool server_follow_upstream(struct server *server, struct config *config, struct upstream_tls *tls,
                            char why[static WHY_MAX]);

/* Are the first look-ups of new ones still under way? Once they have ended in vain nobody waits for
 * them: the names are looked up again and again, and until one is found those before stay in use.
 */
bool server_awaits_upstreams(const struct server *server);

/* The newest set; NULL before the first. */
struct upstream_set *server_upstreams(const struct server *server);

/* A server is to be asked nothing more, or to be asked again. */
struct server_drain {
    const char *address; /* 192.0.2.1, 192.0.2.1:53, 2001:db8::1 or [2001:db8::1]:53 */
    bool drained;
    bool force; /* though nobody is left then */
    struct audit_asker asker;
};
bool server_drain(struct server *server, const struct server_drain *drain,
                  char why[static WHY_MAX]);

void server_collect_sets(struct server *server);
void server_free_upstreams(struct server *server);

/* server_top.c */

/* Adds what a live view needs beside the counts: the monotonic time, and with names those that were
 * blocked in the last turn, which are counted from the first such request on, as long as another
 * one comes every few seconds. */
void server_top_put(struct server *server, bool names, json_t *out);

/* Takes what workers have counted in a turn that is over; cheap when there is none. */
void server_top_collect(struct server *server);
void server_top_stop(struct server *server);

/* server_clock.c */

/* Reads the clock for the first time. False with a reason: a start cannot believe it. */
bool server_clock_start(struct server *server, char why[static WHY_MAX]);

/* What time it is, as far as the clock is believed; tells when that changes. */
int64_t server_now(struct server *server);

/* server_confine.c */

/* Gives up all that is not needed from here on, as the configuration says; there is no other thread
 * yet. False with a reason: that cannot be, or something could not be opened any more. */
bool server_confine(const struct server *server, char why[static WHY_MAX]);

/* server_keep.c */

/* Has the last good versions of a generation written that is in force now. */
void server_keep(struct server *server, struct generation *generation);
void server_on_kept(void *ctx, uint64_t generation, const char *why);

/* server_audit.c */

/* Opens the record of what is in force, and the counts, and records the start. */
bool server_audit_start(struct server *server, char why[static WHY_MAX]);

/* A generation came into force, for all whose load it is; takes the reference. */
void server_audit_generation(struct server *server, struct audit_facts *facts);

/* A load gave none. */
void server_audit_refused(struct server *server, const struct problem_list *problems);

/* A server, by its address and port, is drained or undrained, which it was not before. */
void server_audit_drain(struct server *server, const struct server_drain *drain,
                        const char *address);

/* Records each order that began or ended to bind in (from, to]. */
void server_audit_changes(struct server *server, int64_t from, int64_t to);

/* Before a generation is freed: what it counted. */
void server_audit_counts(struct server *server, struct published *published);

/* Records the end. */
void server_audit_stop(struct server *server);
void server_audit_free(struct server *server);

/* server_end.c */

/* Nothing happens any more: waits for what is still being written, and tells what is lost. False
 * if a thread is at work nonetheless: with a slow disk, or a long list. */
bool server_all_written(struct server *server);

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

/* server_metrics.c */

/* Begins to answer Prometheus, if the configuration wants that. False with a reason. */
bool server_start_metrics(struct server *server, char why[static WHY_MAX]);

/* server_tap.c */

/* What workers tell of queries is written from now on, if the configuration wants that. */
bool server_start_tap(struct server *server, char why[static WHY_MAX]);

/* There may be so many workers from now on; false when memory is out. */
bool server_widen_tap(struct server *server, size_t workers);

/* A file that was moved away is begun anew. */
void server_reopen_tap(struct server *server);

/* Workers have ended, or never began: writes what is left. False if that takes too long. */
bool server_stop_tap(struct server *server);

/* server_control.c */

/* What is told of the daemon, by status and by metrics: borrows from the server; counts over all
 * generations are put into tally, the caller's to end. False when memory is out. */
bool server_view(struct server *server, struct tally *tally, struct status_view *out);

void server_on_request(void *ctx, const struct control_request *request, uint64_t ticket);
