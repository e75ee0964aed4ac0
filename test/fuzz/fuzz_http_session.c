/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Octets of a client to an HTTP/2 session, in pieces, with answers, refusals and silence between.
 * The preface is sent for it. Each input octet below 32 at the start of a piece says what becomes
 * of the queries that are complete. What is kept is bounded, and goes when the session goes.
 */
#include <assert.h>
#include <stdlib.h>

#include "forwarder/http/http_request.h"
#include "forwarder/http/http_session.h"
#include "forwarder/wire/dns.h"

#define PIECE 61

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";

static void on_request(void *ctx, enum http_status status)
{
    assert(status < HTTP_STATUSES);
    ++*(unsigned *)ctx;
}

static void handle(struct http_session *session, unsigned how)
{
    static uint8_t octets[3000] = {0, 0, 0x81, 0x80};
    struct http_session_query query;
    while (http_session_next(session, &query)) {
        assert(query.size >= DNS_HEADER_SIZE && query.size <= DNS_MESSAGE_MAX);
        query.message[query.size - 1] ^= 1;
        if (how % 4 == 0) {
            http_session_refuse(session, &query, HTTP_STATUS_FORWARDED);
            continue;
        }
        http_session_take(session, &query);
        if (how % 4 == 1) {
            http_session_forgo(session, query.stream);
        } else if (how % 4 == 2) {
            assert(http_session_answer(session, query.stream,
                                       (struct span){octets, sizeof octets - how}));
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    unsigned count = 0;
    struct http_session_events events = {on_request, &count};
    struct http_session *session = http_session_new(1000, &events);
    struct http_session_arrival arrival = {.now_ms = 1, .keeps_forwarded = true};
    assert(session != NULL);
    http_session_receive(session, (struct span){(const uint8_t *)preface, sizeof preface - 1},
                         &arrival);
    for (size_t at = 0; at < size && http_session_wants(session);) {
        unsigned how = data[at] < 32 ? data[at] : 2;
        size_t piece = size - at < PIECE ? size - at : PIECE;
        http_session_receive(session, (struct span){data + at, piece}, &arrival);
        handle(session, how);
        assert(http_session_kept(session) <= 3000 * HTTP_SESSION_STREAMS);
        while (http_session_output(session).size > 0) {
        }
        if (how == 31) {
            http_session_drain(session);
        }
        arrival.now_ms += how;
        at += piece;
    }
    http_session_free(session);
    return 0;
}
