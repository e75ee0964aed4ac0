/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The control socket: a Unix stream socket, mode 0660, on which the operator's tool asks the
 * daemon. One request (a line of JSON) and one response (a line of JSON) a connection:
 * {"ok":true,"result":…} or {"ok":false,"error":"…","result":…}. Runs in the main thread.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "forwarder/server/control_request.h"

struct control;
struct event_base;

/* Told of each request; it is answered by control_reply with the same ticket, now or later. */
typedef void control_handle_fn(void *ctx, const struct control_request *request, uint64_t ticket);

/* Takes the lock that keeps a second daemon from the same socket, and so from the same state and
 * ports: a file beside it ("….lock"), held until control_free. NULL with a reason. */
struct control *control_new(struct event_base *base, const char *path, control_handle_fn *handle,
                            void *ctx, char why[static WHY_MAX]);
void control_free(struct control *control); /* removes the socket; NULL is allowed */

/* Binds the socket, in place of a stale one, and accepts requests from the next turn of the loop
 * on. False with a reason. */
bool control_start(struct control *control, char why[static WHY_MAX]);

/* The process that asked, as the kernel knows it (SO_PEERCRED). */
struct control_peer {
    uid_t uid;
    gid_t gid;
    pid_t pid;
};

/* Who sent the request of this ticket; false if that is not known, or he is gone. */
bool control_peer(const struct control *control, uint64_t ticket, struct control_peer *out);

/* Sends the response and closes, if the asker is still there. Takes over result (may be NULL).
 * error NULL means ok. */
void control_reply(struct control *control, uint64_t ticket, const char *error, json_t *result);
