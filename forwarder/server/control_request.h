/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What may be asked over the control socket: one JSON object on one line. Read strictly: an unknown
 * command or member, a wrong type, a member given twice or left out is refused with a sentence.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "geo/problem.h"

#define CONTROL_REQUEST_MAX 8192 /* octets of a line */
#define CONTROL_TEXT_MAX 1100    /* an address, a name or a type, with its NUL */

enum control_command {
    CONTROL_STATUS,  /* {"command":"status"} */
    CONTROL_RELOAD,  /* {"command":"reload","strict":false,"accept-shrink":false} */
    CONTROL_ORDERS,  /* {"command":"orders"} */
    CONTROL_TOP,     /* {"command":"top","names":false} */
    CONTROL_TEST,    /* {"command":"test","address":"2.32.0.1","name":"example.net","type":"A",
                      *  "time":"2026-01-01T00:00:00Z"}; type and time may be left out */
    CONTROL_DRAIN,   /* {"command":"drain","address":"192.0.2.53:53","force":false} */
    CONTROL_UNDRAIN, /* {"command":"undrain","address":"192.0.2.53:53"} */
};

struct control_request {
    enum control_command command;
    bool strict;                    /* CONTROL_RELOAD */
    bool accept_shrink;             /* CONTROL_RELOAD */
    bool names;                     /* CONTROL_TOP */
    bool force;                     /* CONTROL_DRAIN */
    char address[CONTROL_TEXT_MAX]; /* CONTROL_TEST; CONTROL_DRAIN and UNDRAIN, with its port */
    char name[CONTROL_TEXT_MAX];
    char type[CONTROL_TEXT_MAX]; /* "A" if left out */
    char time[CONTROL_TEXT_MAX]; /* empty if left out: now */
};

bool control_request_parse(const char *bytes, size_t size, struct control_request *out,
                           char why[static WHY_MAX]);
