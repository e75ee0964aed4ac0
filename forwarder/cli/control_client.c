/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The client's end of the control socket (see control_client.h). The time limit holds for each step
 * (connect, send, receive); the daemon answers in one piece, so receiving waits once.
 */
#include "forwarder/cli/control_client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

/* Bounds what a wrong program behind the path can make us hold. */
#define RESPONSE_MAX (64U * 1024U * 1024U)

static int refuse(char why[static WHY_MAX], const char *path, const char *what)
{
    snprintf(why, WHY_MAX, "%.160s: %s", path, what);
    return -1;
}

static const char *connect_reason(int error)
{
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        return "no daemon answers there; is bailiwickd running?";
    case EAGAIN:
        return "the daemon does not accept the connection in time";
    default:
        return strerror(error);
    }
}

/* A connected socket, or -1. */
static int open_socket(const char *path, unsigned timeout_s, char why[static WHY_MAX])
{
    struct sockaddr_un peer = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof peer.sun_path) {
        return refuse(why, path, "too long for the path of a socket");
    }
    memcpy(peer.sun_path, path, strlen(path) + 1);
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0) {
        return refuse(why, path, strerror(errno));
    }
    struct timeval limit = {.tv_sec = (time_t)timeout_s};
    if (setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) != 0 ||
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0 ||
        connect(descriptor, (const struct sockaddr *)&peer, sizeof peer) != 0) {
        refuse(why, path, connect_reason(errno));
        close(descriptor);
        return -1;
    }
    return descriptor;
}

static bool send_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(descriptor, bytes, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        size -= (size_t)sent;
    }
    return true;
}

static bool send_line(int descriptor, const json_t *request)
{
    char *line = json_dumps(request, JSON_COMPACT | JSON_PRESERVE_ORDER);
    bool sent =
        line != NULL && send_all(descriptor, line, strlen(line)) && send_all(descriptor, "\n", 1);
    free(line);
    return sent;
}

/* Where json_load_callback gets the response from, up to the end of the connection. */
struct receiver {
    int descriptor;
    size_t received;
    int error; /* 0: none */
};

static size_t receive(void *buffer, size_t size, void *ctx)
{
    struct receiver *receiver = ctx;
    ssize_t got;
    do {
        got = recv(receiver->descriptor, buffer, size, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        receiver->error = errno;
        return (size_t)-1;
    }
    receiver->received += (size_t)got;
    if (receiver->received > RESPONSE_MAX) {
        receiver->error = EMSGSIZE;
        return (size_t)-1;
    }
    return (size_t)got;
}

static json_t *receive_response(int descriptor, const char *path, char why[static WHY_MAX])
{
    struct receiver receiver = {.descriptor = descriptor};
    json_t *response = json_load_callback(receive, &receiver, JSON_REJECT_DUPLICATES, NULL);
    if (receiver.error == EAGAIN) {
        refuse(why, path, "the daemon does not answer in time");
    } else if (receiver.error != 0) {
        refuse(why, path, strerror(receiver.error));
    } else if (receiver.received == 0) {
        refuse(why, path, "the daemon closed the connection without an answer");
    } else if (!json_is_boolean(json_object_get(response, "ok"))) {
        refuse(why, path, "what answers there is not the daemon, or of another version");
    } else {
        return response;
    }
    json_decref(response);
    return NULL;
}

json_t *control_client_ask(const char *path, const json_t *request, unsigned timeout_s,
                           char why[static WHY_MAX])
{
    json_t *response = NULL;
    int descriptor = open_socket(path, timeout_s, why);
    if (descriptor < 0) {
        return NULL;
    }
    if (send_line(descriptor, request)) {
        response = receive_response(descriptor, path, why);
    } else {
        refuse(why, path, "the request could not be sent");
    }
    close(descriptor);
    return response;
}

bool control_client_nobody(const char *path)
{
    struct sockaddr_un peer = {.sun_family = AF_UNIX};
    int descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (descriptor < 0 || strlen(path) >= sizeof peer.sun_path) {
        if (descriptor >= 0) {
            close(descriptor);
        }
        return false;
    }
    memcpy(peer.sun_path, path, strlen(path) + 1);
    bool nobody = connect(descriptor, (const struct sockaddr *)&peer, sizeof peer) != 0 &&
                  (errno == ENOENT || errno == ENOTDIR || errno == ECONNREFUSED);
    close(descriptor);
    return nobody;
}
