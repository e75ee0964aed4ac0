/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The control socket (see control.h).
 */
#include "forwarder/server/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "forwarder/milliseconds.h"

#define CONNECTIONS_MAX 32 /* further ones wait to be accepted */
#define BACKLOG 16
#define DEADLINE_S 10 /* for the request to come, and for the response to be read */
#define PATH_SIZE 256
#define PAUSE_MS 100 /* of accepting, when descriptors are out */

struct asker {
    struct control *control;
    uint64_t ticket;
    struct bufferevent *transport;
    struct event *deadline; /* for the request to come, then for the response to be read */
    bool asked;             /* its request has been handed on */
    bool replied;           /* to be closed once the response is out */
    LIST_ENTRY(asker) link;
};

struct control {
    struct event_base *base;
    control_handle_fn *handle;
    void *ctx;
    struct evconnlistener *listener;
    struct event *resume; /* accepting */
    int descriptor;       /* bound; -1 once the listener owns it, or when not bound */
    int lock;
    bool bound;
    char path[PATH_SIZE];
    uint64_t tickets;
    unsigned count;
    LIST_HEAD(, asker) askers;
};

static void accept_again(struct control *control)
{
    if (control->count < CONNECTIONS_MAX) {
        evconnlistener_enable(control->listener);
    }
}

static void asker_free(struct asker *asker)
{
    struct control *control = asker->control;
    LIST_REMOVE(asker, link);
    if (control->count-- == CONNECTIONS_MAX) {
        accept_again(control);
    }
    if (asker->deadline != NULL) {
        event_free(asker->deadline);
    }
    bufferevent_free(asker->transport);
    free(asker);
}

static void on_deadline(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    asker_free(ctx);
}

/* Counted from now, however many octets come meanwhile. */
static void start_deadline(struct asker *asker)
{
    struct timeval delay = {.tv_sec = DEADLINE_S};
    event_add(asker->deadline, &delay);
}

static void reply(struct asker *asker, const char *error, json_t *result)
{
    json_t *response = json_object();
    json_object_set_new(response, "ok", json_boolean(error == NULL));
    if (error != NULL) {
        json_object_set_new(response, "error", json_string(error));
    }
    if (result != NULL) {
        json_object_set(response, "result", result);
    }
    char *text = json_dumps(response, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(response);
    asker->replied = true;
    start_deadline(asker);
    if (text == NULL) {
        text = strdup("{\"ok\":false,\"error\":\"out of memory\"}");
    }
    if (text != NULL) {
        evbuffer_add_printf(bufferevent_get_output(asker->transport), "%s\n", text);
    }
    free(text);
}

void control_reply(struct control *control, uint64_t ticket, const char *error, json_t *result)
{
    struct asker *asker;
    LIST_FOREACH(asker, &control->askers, link)
    {
        if (asker->ticket == ticket && !asker->replied) {
            reply(asker, error, result);
            break;
        }
    }
    json_decref(result);
}

bool control_peer(const struct control *control, uint64_t ticket, struct control_peer *out)
{
    const struct asker *asker;
    LIST_FOREACH(asker, &control->askers, link)
    {
        struct ucred peer;
        socklen_t size = sizeof peer;
        if (asker->ticket == ticket) {
            bool known = getsockopt(bufferevent_getfd(asker->transport), SOL_SOCKET, SO_PEERCRED,
                                    &peer, &size) == 0;
            *out = known ? (struct control_peer){peer.uid, peer.gid, peer.pid}
                         : (struct control_peer){0};
            return known;
        }
    }
    return false;
}

static void on_readable(struct bufferevent *transport, void *ctx)
{
    struct asker *asker = ctx;
    struct evbuffer *input = bufferevent_get_input(transport);
    struct control_request request;
    char why[WHY_MAX];
    size_t size;
    if (asker->asked) {
        evbuffer_drain(input, evbuffer_get_length(input));
        return;
    }
    char *line = evbuffer_readln(input, &size, EVBUFFER_EOL_LF);
    if (line == NULL && evbuffer_get_length(input) <= CONTROL_REQUEST_MAX) {
        return;
    }
    asker->asked = true;
    event_del(asker->deadline); /* a reload takes the time it takes */
    if (line == NULL || size > CONTROL_REQUEST_MAX) {
        reply(asker, "request too long", NULL);
    } else if (!control_request_parse(line, size, &request, why)) {
        reply(asker, why, NULL);
    } else {
        asker->control->handle(asker->control->ctx, &request, asker->ticket);
    }
    free(line);
}

/* Called too when writing is enabled with nothing to write. */
static void on_written(struct bufferevent *transport, void *ctx)
{
    struct asker *asker = ctx;
    if (asker->replied && evbuffer_get_length(bufferevent_get_output(transport)) == 0) {
        asker_free(asker);
    }
}

/* A client that shuts down its side after the request still waits for the response. */
static void on_event(struct bufferevent *transport, short what, void *ctx)
{
    struct asker *asker = ctx;
    (void)transport;
    if ((what & BEV_EVENT_EOF) != 0 && asker->asked) {
        return;
    }
    asker_free(asker);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t descriptor,
                      struct sockaddr *peer, int peer_size, void *ctx)
{
    struct control *control = ctx;
    struct asker *asker = control->count < CONNECTIONS_MAX ? calloc(1, sizeof *asker) : NULL;
    (void)peer;
    (void)peer_size;
    if (asker == NULL) {
        close(descriptor);
        return;
    }
    asker->transport = bufferevent_socket_new(control->base, descriptor,
                                              BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (asker->transport == NULL) {
        close(descriptor);
        free(asker);
        return;
    }
    asker->control = control;
    asker->ticket = ++control->tickets;
    LIST_INSERT_HEAD(&control->askers, asker, link);
    if (++control->count == CONNECTIONS_MAX) {
        evconnlistener_disable(listener);
    }
    asker->deadline = evtimer_new(control->base, on_deadline, asker);
    if (asker->deadline == NULL) {
        asker_free(asker);
        return;
    }
    bufferevent_setcb(asker->transport, on_readable, on_written, on_event, asker);
    bufferevent_enable(asker->transport, EV_READ | EV_WRITE);
    start_deadline(asker);
}

static void on_resume(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)descriptor;
    (void)what;
    accept_again(ctx);
}

/* Out of descriptors or memory: left enabled, the listener would spin. */
static void on_accept_error(struct evconnlistener *listener, void *ctx)
{
    struct control *control = ctx;
    struct timeval delay = milliseconds(PAUSE_MS);
    evconnlistener_disable(listener);
    event_add(control->resume, &delay);
}

/* A socket there is one that a killed daemon has left, and is replaced. Anything else is somebody's
 * file, named here by a slip. */
static bool may_be_replaced(const struct control *control, char why[static WHY_MAX])
{
    struct stat state;
    if (lstat(control->path, &state) != 0 || S_ISSOCK(state.st_mode)) {
        return true;
    }
    snprintf(why, WHY_MAX, "%s: is there already, and is no socket", control->path);
    return false;
}

/* Two daemons on one control socket would also share their ports without a word: SO_REUSEPORT lets
 * them. So the lock is what keeps a second one from starting. */
static bool take_lock(struct control *control, char why[static WHY_MAX])
{
    char path[PATH_SIZE + 8];
    snprintf(path, sizeof path, "%s.lock", control->path);
    control->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (control->lock < 0) {
        snprintf(why, WHY_MAX, "%s: cannot open: %s", path, strerror(errno));
        return false;
    }
    if (flock(control->lock, LOCK_EX | LOCK_NB) != 0) {
        snprintf(why, WHY_MAX, "%s: another bailiwickd holds it", path);
        return false;
    }
    return true;
}

/* Bound under a name of its own and then renamed, so that the socket has its mode from the first
 * moment and a stale one is replaced in one step. */
static bool bind_socket(struct control *control, char why[static WHY_MAX])
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int needed = snprintf(address.sun_path, sizeof address.sun_path, "%s.new", control->path);
    if (needed < 0 || (size_t)needed >= sizeof address.sun_path) {
        snprintf(why, WHY_MAX, "%s: too long for a socket", control->path);
        return false;
    }
    control->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    unlink(address.sun_path);
    if (control->descriptor < 0 || fchmod(control->descriptor, 0660) != 0 ||
        bind(control->descriptor, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(address.sun_path, 0660) != 0 || listen(control->descriptor, BACKLOG) != 0 ||
        rename(address.sun_path, control->path) != 0) {
        snprintf(why, WHY_MAX, "%s: cannot make the control socket: %s", control->path,
                 strerror(errno));
        unlink(address.sun_path);
        return false;
    }
    control->bound = true;
    return true;
}

struct control *control_new(struct event_base *base, const char *path, control_handle_fn *handle,
                            void *ctx, char why[static WHY_MAX])
{
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    control->base = base;
    control->handle = handle;
    control->ctx = ctx;
    control->descriptor = -1;
    control->lock = -1;
    LIST_INIT(&control->askers);
    int needed = snprintf(control->path, sizeof control->path, "%s", path);
    if (needed < 0 || (size_t)needed >= sizeof control->path) {
        snprintf(why, WHY_MAX, "%s: too long for a socket", path);
        goto fail;
    }
    if (!may_be_replaced(control, why) || !take_lock(control, why)) {
        goto fail;
    }
    return control;
fail:
    control_free(control);
    return NULL;
}

bool control_start(struct control *control, char why[static WHY_MAX])
{
    if (!bind_socket(control, why)) {
        return false;
    }
    snprintf(why, WHY_MAX, "out of memory");
    control->listener =
        evconnlistener_new(control->base, on_accept, control,
                           LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, control->descriptor);
    if (control->listener == NULL) {
        return false;
    }
    control->descriptor = -1;
    control->resume = evtimer_new(control->base, on_resume, control);
    if (control->resume == NULL) {
        return false;
    }
    evconnlistener_set_error_cb(control->listener, on_accept_error);
    return true;
}

void control_free(struct control *control)
{
    if (control == NULL) {
        return;
    }
    while (!LIST_EMPTY(&control->askers)) {
        asker_free(LIST_FIRST(&control->askers));
    }
    if (control->listener != NULL) {
        evconnlistener_free(control->listener);
    }
    if (control->resume != NULL) {
        event_free(control->resume);
    }
    if (control->descriptor >= 0) {
        close(control->descriptor);
    }
    if (control->bound) {
        unlink(control->path);
    }
    if (control->lock >= 0) {
        close(control->lock);
    }
    free(control);
}
