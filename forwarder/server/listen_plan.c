/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which sockets there are, and whom the kernel gives what comes (see listen_plan.h).
 */
#include "forwarder/server/listen_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/config/config_address.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/quic/quic_steer.h"
#include "forwarder/server/inherited_sockets.h"
#include "forwarder/server/listen_rows.h"
#include "forwarder/server/listen_socket.h"
#include "forwarder/server/service_manager.h"
#include "forwarder/server/socket_group.h"
#include "forwarder/socket_state.h"
#include "forwarder/worker.h"

size_t listen_plan_workers(const struct config *config)
{
    cpu_set_t cpus;
    if (config->workers > 0) {
        return config->workers;
    }
    if (sched_getaffinity(0, sizeof cpus, &cpus) != 0 || CPU_COUNT(&cpus) < 1) {
        return 1;
    }
    return (size_t)CPU_COUNT(&cpus);
}

/* ---- Plans ---- */

/* Are they for one kind of socket at one address? */
static bool same_place(const struct config_listen *a, const struct config_listen *b)
{
    return config_address_equal(&a->address, &b->address) &&
           config_listen_is_datagrams(a) == config_listen_is_datagrams(b);
}

static const struct worker_socket *find_socket(const struct worker_sockets *list,
                                               const struct config_listen *listen)
{
    for (size_t i = 0; i < list->count; i++) {
        if (same_place(list->items[i].listen, listen)) {
            return &list->items[i];
        }
    }
    return NULL;
}

static bool has_serial(const struct worker_sockets *list, uint64_t serial)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].serial == serial) {
            return true;
        }
    }
    return false;
}

static bool was_listened_to(const struct listen_plan *before, const struct config_listen *listen)
{
    return before != NULL && before->workers > 0 && find_socket(before->lists[0], listen) != NULL;
}

static struct worker_sockets *new_list(struct listen_rows *registry, size_t room)
{
    struct worker_sockets *list =
        calloc(1, sizeof *list + (room + 1) * sizeof(struct worker_socket));
    if (list != NULL) {
        list->number = listen_rows_number(registry);
    }
    return list;
}

static struct listen_plan *new_plan(struct listen_rows *registry, size_t workers, size_t rows)
{
    struct listen_plan *plan = calloc(1, sizeof *plan + workers * sizeof(struct worker_sockets *));
    if (plan == NULL) {
        return NULL;
    }
    plan->registry = registry;
    plan->workers = workers;
    plan->room = rows;
    plan->rows = calloc(rows + 1, sizeof plan->rows[0]);
    plan->claims = calloc(rows + 1, sizeof plan->claims[0]);
    bool whole = plan->rows != NULL && plan->claims != NULL;
    for (size_t i = 0; i < workers; i++) {
        plan->lists[i] = new_list(registry, rows);
        whole = whole && plan->lists[i] != NULL;
    }
    if (!whole) {
        listen_plan_free(plan);
        return NULL;
    }
    return plan;
}

void listen_plan_free(struct listen_plan *plan)
{
    if (plan == NULL) {
        return;
    }
    for (size_t i = 0; i < plan->workers; i++) {
        worker_sockets_free(plan->lists[i]);
    }
    for (size_t i = 0; i < plan->offer_count; i++) {
        worker_sockets_free(plan->offers[i]);
    }
    for (size_t i = 0; i < plan->row_count; i++) {
        if (plan->claims[i] >= 0) {
            close(plan->claims[i]);
        }
    }
    free(plan->offers);
    free(plan->claims);
    free(plan->rows);
    free(plan);
}

/* Takes over the descriptor: false if that is none. */
static bool add(struct worker_sockets *list, int descriptor, uint64_t serial,
                const struct config_listen *listen)
{
    if (descriptor < 0) {
        return false;
    }
    list->items[list->count++] = (struct worker_socket){
        descriptor, serial, listen, listen_socket_is_wildcard(&listen->address), false};
    return true;
}

/* ---- Claims ---- */

static bool meets(const struct config_listen *a, const struct config_listen *b)
{
    return config_listen_is_datagrams(a) == config_listen_is_datagrams(b) &&
           listen_socket_meets(&a->address, &b->address);
}

/* Does the plan have a socket that would be in the way of one for this row? */
static bool is_held(const struct listen_plan *plan, const struct config_listen *listen)
{
    for (size_t worker = 0; plan != NULL && worker < plan->workers; worker++) {
        for (size_t i = 0; i < plan->lists[worker]->count; i++) {
            if (meets(plan->lists[worker]->items[i].listen, listen)) {
                return true;
            }
        }
    }
    for (size_t i = 0; plan != NULL && i < plan->row_count; i++) {
        if (plan->claims[i] >= 0 && meets(plan->rows[i], listen)) {
            return true;
        }
    }
    return false;
}

/* Binds a first socket for each row where there is none of our own. Those that stand for all
 * addresses come first: they see whoever has any of them, and are not in the way of our own rows
 * after them. False from errno, and which row that is. */
static bool claim(struct listen_plan *plan, const struct listen_plan *before,
                  const struct inherited_sockets *inherited, size_t *failed)
{
    for (int turn = 0; turn < 2; turn++) {
        for (size_t i = 0; i < plan->row_count; i++) {
            const struct config_listen *row = plan->rows[i];
            if (listen_socket_is_wildcard(&row->address) != (turn == 0) || is_held(plan, row) ||
                is_held(before, row) || inherited_sockets_meet(inherited, row)) {
                continue;
            }
            plan->claims[i] = listen_socket_open(row, plan->receive_buffer, LISTEN_SOCKET_ALONE);
            if (plan->claims[i] < 0) {
                *failed = i;
                return false;
            }
        }
    }
    return true;
}

/* The claim of a row, which is used up by that, or a socket that shares its address. */
static int open_socket(struct listen_plan *plan, size_t row)
{
    int descriptor = plan->claims[row];
    plan->claims[row] = -1;
    return descriptor >= 0
               ? descriptor
               : listen_socket_open(plan->rows[row], plan->receive_buffer, LISTEN_SOCKET_SHARED);
}

/* ---- Making one ---- */

/* The socket that the worker has for this row already, or a new one for a row that is new. */
static bool plan_socket(struct listen_plan *plan, size_t worker, size_t row,
                        const struct listen_plan *before)
{
    const struct config_listen *listen = plan->rows[row];
    struct worker_sockets *list = plan->lists[worker];
    if (!was_listened_to(before, listen)) {
        return before == NULL ||
               add(list, open_socket(plan, row), listen_rows_number(plan->registry), listen);
    }
    if (worker >= before->workers) {
        return true; /* listen_plan_complete */
    }
    const struct worker_socket *has = find_socket(before->lists[worker], listen);
    if (has == NULL ||
        !add(list, fcntl(has->descriptor, F_DUPFD_CLOEXEC, 0), has->serial, listen)) {
        return has == NULL;
    }
    list->items[list->count - 1].foreign = has->foreign;
    return true;
}

/* Says why a row cannot be had. */
static void refuse(const struct config *config, const struct config_listen *listen,
                   struct problem_list *problems)
{
    char why[WHY_MAX];
    listen_socket_why(listen, why);
    problem_list_add(problems, PROBLEM_ERROR, config->path, listen->place.line,
                     listen->place.column, "%s", why);
}

static size_t receive_buffer(const struct config *config)
{
    size_t wanted = config->limits.receive_buffer;
    return wanted > 0 ? wanted : SOCKET_STATE_RECEIVE_BUFFER;
}

/* What is listened to. False from errno, and which row it is that cannot be had. */
static bool fill_rows(struct listen_plan *plan, const struct config *config, size_t *failed)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        plan->rows[i] = listen_rows_intern(plan->registry, &config->listen[i]);
        plan->claims[i] = -1;
        if (plan->rows[i] == NULL) {
            *failed = i;
            return false;
        }
        plan->row_count++;
    }
    return true;
}

/* By which sockets, the same way. */
static bool fill_lists(struct listen_plan *plan, const struct listen_plan *before, size_t *failed)
{
    for (size_t i = 0; i < plan->row_count; i++) {
        for (size_t worker = 0; worker < plan->workers; worker++) {
            if (!plan_socket(plan, worker, i, before)) {
                *failed = i;
                return false;
            }
        }
    }
    return true;
}

bool listen_plan_try(const struct config *config, const struct listen_plan *before, bool leaving,
                     struct problem_list *problems)
{
    for (size_t i = 0; i < config->listen_count; i++) {
        const struct config_listen *row = &config->listen[i];
        enum listen_socket_sharing sharing =
            leaving || is_held(before, row) ? LISTEN_SOCKET_SHARED : LISTEN_SOCKET_ALONE;
        if (!was_listened_to(before, row) &&
            !listen_socket_try(row, before->receive_buffer, sharing)) {
            refuse(config, row, problems);
            return false;
        }
    }
    return true;
}

struct listen_plan *listen_plan_make(struct listen_rows *rows, const struct config *config,
                                     const struct listen_plan *before,
                                     struct problem_list *problems)
{
    struct listen_plan *plan = new_plan(rows, listen_plan_workers(config), config->listen_count);
    if (plan == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, config->path, 0, 0, "no memory for listen");
        return NULL;
    }
    plan->receive_buffer = before != NULL ? before->receive_buffer : receive_buffer(config);
    size_t failed;
    if (!fill_rows(plan, config, &failed) ||
        (before != NULL && !claim(plan, before, NULL, &failed)) ||
        !fill_lists(plan, before, &failed)) {
        refuse(config, &config->listen[failed], problems);
        listen_plan_free(plan);
        return NULL;
    }
    return plan;
}

/* Room for one more in a list: for sockets that were handed over beyond the rows. */
static bool widen(struct listen_plan *plan, size_t worker)
{
    struct worker_sockets *list = plan->lists[worker];
    size_t size = sizeof *list + (list->count + 2) * sizeof(struct worker_socket);
    if (list->count < plan->room) {
        return true;
    }
    list = realloc(list, size);
    if (list == NULL) {
        return false;
    }
    plan->lists[worker] = list;
    return true;
}

/* Takes over the descriptor in any case. */
static bool add_inherited(struct listen_plan *plan, size_t worker, int descriptor,
                          const struct config_listen *listen)
{
    if (!listen_socket_prepare(descriptor, listen, plan->receive_buffer) || !widen(plan, worker)) {
        int error = errno;
        close(descriptor);
        errno = error;
        return false;
    }
    return add(plan->lists[worker], descriptor, listen_rows_number(plan->registry), listen);
}

/* The socket of a unit, which nobody else can bind: that of the first worker, for another. Not of
 * QUIC, where each connection has its worker. */
static int share_foreign(const struct listen_plan *plan, const struct config_listen *listen)
{
    const struct worker_socket *first = find_socket(plan->lists[0], listen);
    if (errno != EADDRINUSE || first == NULL || !first->foreign ||
        listen->transport == CONFIG_QUIC) {
        return -1;
    }
    return fcntl(first->descriptor, F_DUPFD_CLOEXEC, 0);
}

/* One that was handed over, or a new one. */
static bool obtain(struct listen_plan *plan, size_t worker, size_t row,
                   struct inherited_sockets *inherited)
{
    const struct config_listen *listen = plan->rows[row];
    struct worker_sockets *list;
    bool foreign = false;
    int descriptor = inherited_sockets_find(inherited, listen, worker, &foreign);
    if (descriptor < 0 && (descriptor = open_socket(plan, row)) < 0) {
        descriptor = share_foreign(plan, listen);
        foreign = true;
    }
    if (descriptor < 0 || !add_inherited(plan, worker, descriptor, listen)) {
        return false;
    }
    list = plan->lists[worker];
    list->items[list->count - 1].foreign = foreign;
    return true;
}

static bool obtain_left(struct listen_plan *plan, const struct config_listen *listen,
                        struct inherited_sockets *inherited)
{
    int descriptor;
    while ((descriptor = inherited_sockets_find_any(inherited, listen)) >= 0) {
        if (!add_inherited(plan, plan->workers - 1, descriptor, listen)) {
            return false;
        }
    }
    return true;
}

/* The sockets of one row for all workers. False from errno. */
static bool complete_row(struct listen_plan *plan, size_t row, struct inherited_sockets *inherited)
{
    for (size_t worker = 0; worker < plan->workers; worker++) {
        if (find_socket(plan->lists[worker], plan->rows[row]) == NULL &&
            !obtain(plan, worker, row, inherited)) {
            return false;
        }
    }
    return obtain_left(plan, plan->rows[row], inherited);
}

const struct config_listen *listen_plan_complete(struct listen_plan *plan,
                                                 struct inherited_sockets *inherited,
                                                 char why[static WHY_MAX])
{
    size_t row = 0;
    bool whole = claim(plan, NULL, inherited, &row);
    while (whole && row < plan->row_count) {
        whole = complete_row(plan, row, inherited);
        row += whole ? 1 : 0;
    }
    if (whole) {
        return NULL;
    }
    listen_socket_why(plan->rows[row], why);
    return plan->rows[row];
}

void listen_plan_cut(struct listen_plan *plan, size_t workers)
{
    while (plan->workers > workers) {
        worker_sockets_free(plan->lists[--plan->workers]);
    }
}

bool listen_plan_is_wanted(const struct listen_plan *plan, const struct config *config)
{
    bool same =
        plan->workers == listen_plan_workers(config) && plan->row_count == config->listen_count;
    for (size_t i = 0; same && i < plan->row_count; i++) {
        same = config_listen_equal(plan->rows[i], &config->listen[i]);
    }
    return same;
}

bool listen_plan_offer(struct listen_plan *plan, size_t workers)
{
    plan->offers = calloc(workers + 1, sizeof plan->offers[0]);
    for (size_t i = 0; plan->offers != NULL && i < workers; i++) {
        plan->offers[i] =
            i < plan->workers ? listen_plan_share(plan, i) : new_list(plan->registry, 0);
        if (plan->offers[i] == NULL) {
            return false;
        }
        plan->offer_count++;
    }
    return plan->offers != NULL;
}

struct worker_sockets *listen_plan_take_offer(struct listen_plan *plan, size_t worker)
{
    struct worker_sockets *list = plan->offers[worker];
    plan->offers[worker] = NULL;
    return list;
}

bool listen_plan_is_same(const struct listen_plan *plan, const struct listen_plan *before)
{
    bool same = plan->workers == before->workers && plan->row_count == before->row_count;
    for (size_t i = 0; same && i < plan->row_count; i++) {
        same = plan->rows[i] == before->rows[i];
    }
    for (size_t i = 0; same && i < plan->workers; i++) {
        same = plan->lists[i]->count == before->lists[i]->count;
    }
    return same;
}

struct worker_sockets *listen_plan_share(const struct listen_plan *plan, size_t worker)
{
    const struct worker_sockets *own = plan->lists[worker];
    struct worker_sockets *list = new_list(plan->registry, own->count);
    for (size_t i = 0; list != NULL && i < own->count; i++) {
        const struct worker_socket *socket = &own->items[i];
        int descriptor = fcntl(socket->descriptor, F_DUPFD_CLOEXEC, 0);
        if (!add(list, descriptor, socket->serial, socket->listen)) {
            worker_sockets_free(list);
            return NULL;
        }
    }
    return list;
}

/* ---- Whom the kernel gives what comes ---- */

static bool is_planned(const struct listen_plan *plan, size_t worker, uint64_t serial)
{
    return plan != NULL && worker < plan->workers && has_serial(plan->lists[worker], serial);
}

static void tell_manager(const struct listen_plan *plan, const struct listen_plan *than,
                         void (*tell)(int descriptor, const char *name))
{
    for (size_t worker = 0; plan != NULL && worker < plan->workers; worker++) {
        const struct worker_sockets *list = plan->lists[worker];
        for (size_t i = 0; i < list->count; i++) {
            const struct worker_socket *socket = &list->items[i];
            char name[INHERITED_SOCKETS_NAME_MAX];
            if (!is_planned(than, worker, socket->serial) && !socket->foreign &&
                find_socket(list, socket->listen) == socket) {
                tell(socket->descriptor, inherited_sockets_name(socket->listen, worker, name));
            }
        }
    }
}

static void drop(int descriptor, const char *name)
{
    (void)descriptor;
    service_manager_drop(name);
}

/* A socket that is left, and the only one at its address: connected to itself, it is no longer
 * where queries of others go, but still answers those that it holds. */
static void turn_away(const struct worker_socket *socket)
{
    struct config_address address = {.size = sizeof address.sockaddr};
    struct sockaddr *any = (struct sockaddr *)&address.sockaddr;
    if (config_listen_is_datagrams(socket->listen) && socket->listen->transport != CONFIG_QUIC &&
        getsockname(socket->descriptor, any, &address.size) == 0) {
        (void)connect(socket->descriptor, any, address.size);
    }
}

/* Of the sockets at one address those of workers that stay alone are to be used. */
static void steer(const struct listen_plan *plan, const struct config_listen *listen, bool fewer)
{
    const struct worker_socket *any = find_socket(plan->lists[0], listen);
    if (any == NULL) {
        return;
    }
    if (listen->transport == CONFIG_QUIC) {
        (void)quic_steer(any->descriptor, (unsigned)plan->workers);
    } else if (fewer) {
        (void)socket_group_narrow(any->descriptor, (unsigned)plan->workers);
    }
}

void listen_plan_enforce(const struct listen_plan *plan, const struct listen_plan *before)
{
    for (size_t i = 0; i < plan->row_count; i++) {
        bool fewer = false;
        for (size_t worker = 0; before != NULL && worker < before->workers; worker++) {
            const struct worker_sockets *list = before->lists[worker];
            for (size_t j = 0; j < list->count; j++) {
                fewer = fewer || (same_place(list->items[j].listen, plan->rows[i]) &&
                                  !is_planned(plan, worker, list->items[j].serial));
            }
        }
        steer(plan, plan->rows[i], fewer);
    }
    for (size_t worker = 0; before != NULL && worker < before->workers; worker++) {
        const struct worker_sockets *list = before->lists[worker];
        for (size_t i = 0; i < list->count; i++) {
            if (!was_listened_to(plan, list->items[i].listen)) {
                turn_away(&list->items[i]);
            }
        }
    }
    tell_manager(before, plan, drop);
    tell_manager(plan, before, service_manager_keep);
}

void listen_plan_settle(const struct listen_plan *plan)
{
    for (size_t i = 0; i < plan->row_count; i++) {
        const struct worker_socket *any = find_socket(plan->lists[0], plan->rows[i]);
        if (any != NULL && any->listen->transport != CONFIG_QUIC) {
            socket_group_widen(any->descriptor);
        }
    }
}
