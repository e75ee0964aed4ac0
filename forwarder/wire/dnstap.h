/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The schema of dnstap (dnstap.proto of dnstap.info), as much of it as is written or read here, and
 * writing one message. Pure: addresses, times and the policy come as arguments.
 */
#pragma once

#include <time.h>

#include "forwarder/wire/protobuf.h"

/* What Frame Streams call it. */
#define DNSTAP_CONTENT_TYPE "protobuf:dnstap.Dnstap"

/* Numbers of fields: of Dnstap, */
enum dnstap_field {
    DNSTAP_IDENTITY = 1,
    DNSTAP_VERSION = 2,
    DNSTAP_MESSAGE = 14,
    DNSTAP_TYPE = 15,
};

/* of its Message, */
enum dnstap_message_field {
    DNSTAP_MESSAGE_TYPE = 1,
    DNSTAP_SOCKET_FAMILY = 2,
    DNSTAP_SOCKET_PROTOCOL = 3,
    DNSTAP_QUERY_ADDRESS = 4,
    DNSTAP_RESPONSE_ADDRESS = 5,
    DNSTAP_QUERY_PORT = 6,
    DNSTAP_RESPONSE_PORT = 7,
    DNSTAP_QUERY_TIME_SEC = 8,
    DNSTAP_QUERY_TIME_NSEC = 9,
    DNSTAP_QUERY_MESSAGE = 10,
    DNSTAP_RESPONSE_TIME_SEC = 12,
    DNSTAP_RESPONSE_TIME_NSEC = 13,
    DNSTAP_RESPONSE_MESSAGE = 14,
    DNSTAP_POLICY = 15,
    DNSTAP_HTTP_PROTOCOL = 16,
};

/* and of its Policy. */
enum dnstap_policy_field {
    DNSTAP_POLICY_TYPE = 1,
    DNSTAP_POLICY_RULE = 2,
    DNSTAP_POLICY_ACTION = 3,
    DNSTAP_POLICY_MATCH = 4,
    DNSTAP_POLICY_VALUE = 5,
};

/* Values of DNSTAP_TYPE. */
enum dnstap_type {
    DNSTAP_TYPE_MESSAGE = 1,
};

/* Of DNSTAP_MESSAGE_TYPE. */
enum dnstap_message_type {
    DNSTAP_CLIENT_QUERY = 5,
    DNSTAP_CLIENT_RESPONSE = 6,
};

enum dnstap_family {
    DNSTAP_INET = 1,
    DNSTAP_INET6 = 2,
};

enum dnstap_protocol {
    DNSTAP_UDP = 1,
    DNSTAP_TCP = 2,
    DNSTAP_DOT = 3,
    DNSTAP_DOH = 4,
    DNSTAP_DOQ = 7,
};

enum dnstap_http {
    DNSTAP_HTTP2 = 2,
};

/* In these two 0 is not of the schema, and left out. */
enum dnstap_match {
    DNSTAP_MATCH_UNNAMED, /* what the schema has no word for */
    DNSTAP_MATCH_QNAME = 1,
    DNSTAP_MATCH_CLIENT_IP = 2,
    DNSTAP_MATCH_RESPONSE_IP = 3,
};

enum dnstap_action {
    DNSTAP_ACTION_UNNAMED,
    DNSTAP_ACTION_NXDOMAIN = 1,
    DNSTAP_ACTION_NODATA = 2,
    DNSTAP_ACTION_PASS = 3,
    DNSTAP_ACTION_DROP = 4,
    DNSTAP_ACTION_TRUNCATE = 5,
    DNSTAP_ACTION_LOCAL_DATA = 6,
};

/* Spans that are empty are left out, here and below. */
struct dnstap_policy {
    struct span type;
    struct span rule; /* empty: no policy at all */
    enum dnstap_action action;
    enum dnstap_match match;
    struct span value;
};

/* One end of an exchange. */
struct dnstap_end {
    struct span address; /* 4 or 16 octets */
    uint16_t port;       /* host byte order; 0: not known */
};

struct dnstap_event {
    struct span identity;
    struct span version;
    enum dnstap_message_type type;
    enum dnstap_protocol protocol;
    struct dnstap_end client;
    struct dnstap_end server;
    struct timespec query_time;
    struct timespec response_time; /* of a CLIENT_RESPONSE */
    struct span message;           /* the query of a CLIENT_QUERY, else the response */
    struct dnstap_policy policy;
};

/* More than all else of an event takes, besides its spans. */
#define DNSTAP_EVENT_OVERHEAD 160U

/* Appends the event as one message; the writer fails where it does not fit. */
void dnstap_encode(const struct dnstap_event *event, struct span_writer *out);
