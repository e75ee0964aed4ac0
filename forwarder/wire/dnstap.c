/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing dnstap messages (see dnstap.h).
 */
#include "forwarder/wire/dnstap.h"

static void write_present(struct span_writer *out, unsigned number, struct span octets)
{
    if (octets.size > 0) {
        protobuf_write_octets(out, number, octets);
    }
}

static void write_known(struct span_writer *out, unsigned number, unsigned value)
{
    if (value != 0) {
        protobuf_write_varint(out, number, value);
    }
}

static void write_time(struct span_writer *out, unsigned seconds, unsigned nanoseconds,
                       const struct timespec *time)
{
    protobuf_write_varint(out, seconds, (uint64_t)time->tv_sec);
    protobuf_write_32_bits(out, nanoseconds, (uint32_t)time->tv_nsec);
}

static void write_policy(struct span_writer *out, const struct dnstap_policy *policy)
{
    if (policy->rule.size == 0) {
        return;
    }
    size_t begun = protobuf_write_begin(out, DNSTAP_POLICY);
    write_present(out, DNSTAP_POLICY_TYPE, policy->type);
    write_present(out, DNSTAP_POLICY_RULE, policy->rule);
    write_known(out, DNSTAP_POLICY_ACTION, policy->action);
    write_known(out, DNSTAP_POLICY_MATCH, policy->match);
    write_present(out, DNSTAP_POLICY_VALUE, policy->value);
    protobuf_write_end(out, begun);
}

static void write_ends(struct span_writer *out, const struct dnstap_event *event)
{
    bool ipv4 = event->client.address.size == 4;
    protobuf_write_varint(out, DNSTAP_SOCKET_FAMILY, ipv4 ? DNSTAP_INET : DNSTAP_INET6);
    write_known(out, DNSTAP_SOCKET_PROTOCOL, event->protocol);
    write_present(out, DNSTAP_QUERY_ADDRESS, event->client.address);
    write_present(out, DNSTAP_RESPONSE_ADDRESS, event->server.address);
    write_known(out, DNSTAP_QUERY_PORT, event->client.port);
    write_known(out, DNSTAP_RESPONSE_PORT, event->server.port);
}

void dnstap_encode(const struct dnstap_event *event, struct span_writer *out)
{
    write_present(out, DNSTAP_IDENTITY, event->identity);
    write_present(out, DNSTAP_VERSION, event->version);
    size_t begun = protobuf_write_begin(out, DNSTAP_MESSAGE);
    protobuf_write_varint(out, DNSTAP_MESSAGE_TYPE, event->type);
    write_ends(out, event);
    write_time(out, DNSTAP_QUERY_TIME_SEC, DNSTAP_QUERY_TIME_NSEC, &event->query_time);
    if (event->type == DNSTAP_CLIENT_QUERY) {
        write_present(out, DNSTAP_QUERY_MESSAGE, event->message);
    } else {
        write_time(out, DNSTAP_RESPONSE_TIME_SEC, DNSTAP_RESPONSE_TIME_NSEC, &event->response_time);
        write_present(out, DNSTAP_RESPONSE_MESSAGE, event->message);
    }
    write_policy(out, &event->policy);
    if (event->protocol == DNSTAP_DOH) {
        protobuf_write_varint(out, DNSTAP_HTTP_PROTOCOL, DNSTAP_HTTP2);
    }
    protobuf_write_end(out, begun);
    protobuf_write_varint(out, DNSTAP_TYPE, DNSTAP_TYPE_MESSAGE);
}
