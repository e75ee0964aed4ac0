/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The HTTP/2 session against nghttp2's client, and against frames that no client should send.
 */
#include "forwarder/http/http_session.h"

#include "forwarder/http/http_request.h"
#include "test/http2_peer.h"
#include "test/suite.h"

#define ASK "/dns-query?dns=EjQBAAABAAAAAAAAAAABAAE" /* 1234 0100 ... . A */

#define GET_ROOT 0x82, 0x87, 0x84, 0x01, 1, 'a' /* https://a/ in HPACK */

/* "1234 8180 1 1 0 0 . A, . 60 A 192.0.2.1" */
static const uint8_t answer[] = {0x12, 0x34, 0x81, 0x80, 0, 1, 0, 1, 0, 0,  0, 0, 0,   0, 1, 0,
                                 1,    0,    0,    1,    0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1};
static const struct span whole = {answer, sizeof answer};

static void expect_status(struct peer *peer, int32_t id, const char *status)
{
    ck_assert_str_eq(peer_stream(peer, id)->status, status);
    ck_assert(peer_stream(peer, id)->ended);
}

static bool is_over(const struct peer *peer)
{
    return !http_session_wants(peer->session);
}

/* The next query is that of this stream; it is taken. */
static void take(struct peer *peer, int32_t id)
{
    struct http_session_query query;
    ck_assert(http_session_next(peer->session, &query));
    ck_assert_int_eq(query.stream, id);
    http_session_take(peer->session, &query);
}

START_TEST(a_query_is_answered)
{
    struct peer *peer = peer_open(NULL, 0);
    struct http_session_query query;
    int32_t id = peer_get(peer, ASK, NULL, NULL);
    ck_assert(!http_session_next(peer->session, &query));
    peer_exchange(peer);
    ck_assert(http_session_next(peer->session, &query));
    ck_assert_uint_eq(query.size, 17);
    ck_assert_mem_eq(query.message, "\x12\x34\x01\x00", 4);
    ck_assert_uint_eq(query.forwarded.x_forwarded_for.size, 0);
    take(peer, id);
    ck_assert(!http_session_next(peer->session, &query));
    ck_assert(http_session_answer(peer->session, id, whole));
    ck_assert_uint_eq(http_session_kept(peer->session), sizeof answer);
    peer_exchange(peer);
    ck_assert_uint_eq(http_session_kept(peer->session), 0);
    expect_status(peer, id, "200");
    ck_assert_str_eq(peer_stream(peer, id)->cache, "private, max-age=60");
    ck_assert_uint_eq(peer_stream(peer, id)->size, sizeof answer);
    ck_assert_mem_eq(peer_stream(peer, id)->body, answer, sizeof answer);
    ck_assert_uint_eq(peer->counted[HTTP_STATUS_OK], 1);
    peer_free(peer);
}
END_TEST

START_TEST(octet_by_octet)
{
    struct peer *peer = peer_new();
    const uint8_t *octets;
    ssize_t size;
    ck_assert_int_eq(nghttp2_submit_settings(peer->client, 0, NULL, 0), 0);
    struct peer_body body = {20, true};
    int32_t get = peer_get(peer, ASK, NULL, NULL);
    int32_t post = peer_post(peer, &body);
    while ((size = nghttp2_session_mem_send(peer->client, &octets)) > 0) {
        peer_send(peer, octets, (size_t)size, 1);
    }
    take(peer, get);
    take(peer, post);
    peer_free(peer);
}
END_TEST

START_TEST(answers_in_any_order)
{
    struct peer *peer = peer_open(NULL, 0);
    int32_t ids[3];
    for (unsigned i = 0; i < 3; i++) {
        ids[i] = peer_get(peer, ASK, NULL, NULL);
    }
    peer_exchange(peer);
    for (unsigned i = 0; i < 3; i++) {
        take(peer, ids[i]);
    }
    for (unsigned i = 3; i-- > 0;) {
        ck_assert(http_session_answer(peer->session, ids[i], whole));
        peer_exchange(peer);
        expect_status(peer, ids[i], "200");
    }
    peer_free(peer);
}
END_TEST

START_TEST(errors_are_answered_at_once)
{
    struct peer *peer = peer_open(NULL, 0);
    struct http_session_query query;
    int32_t lost = peer_get(peer, "/", NULL, NULL);
    int32_t json = peer_get(peer, ASK, "accept", "application/dns-json");
    struct peer_body body = {65536, false};
    int32_t large = peer_post(peer, &body);
    nghttp2_nv head[] = {peer_field(":method", "HEAD"), peer_field(":scheme", "https"),
                         peer_field(":authority", "a.example"), peer_field(":path", ASK)};
    int32_t bare = nghttp2_submit_request(peer->client, NULL, head, 4, NULL, NULL);
    peer_exchange(peer);
    expect_status(peer, lost, "404");
    expect_status(peer, json, "406");
    expect_status(peer, large, "413");
    ck_assert(!peer_stream(peer, large)->closed);
    expect_status(peer, bare, "405");
    ck_assert_str_eq(peer_stream(peer, bare)->allow, "GET, POST");
    ck_assert_uint_eq(peer_stream(peer, bare)->size, 0);
    ck_assert_str_eq(peer_stream(peer, lost)->cache, "no-store");
    ck_assert_uint_gt(peer_stream(peer, lost)->size, 0);
    ck_assert(!http_session_next(peer->session, &query));
    ck_assert_uint_eq(peer->counted[HTTP_STATUS_NOT_FOUND], 1);
    ck_assert_uint_eq(peer->counted[HTTP_STATUS_OK], 0);
    /* The one that goes on with its body is let be for a while. */
    peer->arrival.now_ms += PEER_PATIENCE_MS;
    (void)peer_get(peer, "/", NULL, NULL);
    peer_exchange(peer);
    ck_assert(peer_stream(peer, large)->closed);
    ck_assert_uint_eq(peer_stream(peer, large)->error, NGHTTP2_NO_ERROR);
    peer_free(peer);
}
END_TEST

START_TEST(a_query_can_be_refused)
{
    struct peer *peer = peer_open(NULL, 0);
    struct http_session_query query;
    peer->arrival.keeps_forwarded = true;
    int32_t id = peer_get(peer, ASK, "x-forwarded-for", "me");
    peer_exchange(peer);
    ck_assert(http_session_next(peer->session, &query));
    ck_assert_uint_eq(query.forwarded.x_forwarded_for.size, 3);
    ck_assert_mem_eq(query.forwarded.x_forwarded_for.bytes, "me\n", 3);
    http_session_refuse(peer->session, &query, HTTP_STATUS_FORWARDED);
    ck_assert(!http_session_next(peer->session, &query));
    peer_exchange(peer);
    expect_status(peer, id, "400");
    peer_free(peer);
}
END_TEST

/* A field with octets that it may not have is not passed over: its request is malformed. */
START_TEST(an_invalid_field_spoils_its_request)
{
    /* behind the others, x: \x01 */
    static const uint8_t block[] = {GET_ROOT, 0x00, 1, 'x', 1, 0x01};
    struct peer *peer = peer_open(NULL, 0);
    peer_frame(peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1,
               (struct span){block, sizeof block});
    ck_assert(!is_over(peer));
    for (size_t i = 0; i < HTTP_STATUSES; i++) {
        ck_assert_uint_eq(peer->counted[i], 0);
    }
    /* The same without that field comes through to its 404. */
    peer_frame(peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 3,
               (struct span){block, sizeof block - 5});
    ck_assert_uint_eq(peer->counted[HTTP_STATUS_NOT_FOUND], 1);
    peer_free(peer);
}
END_TEST

START_TEST(an_answer_to_a_stream_that_is_gone_is_dropped)
{
    struct peer *peer = peer_open(NULL, 0);
    struct http_session_query query;
    int32_t ready = peer_get(peer, ASK, NULL, NULL);
    int32_t asked = peer_get(peer, ASK, NULL, NULL);
    peer_exchange(peer);
    ck_assert(http_session_next(peer->session, &query));
    nghttp2_submit_rst_stream(peer->client, 0, ready, NGHTTP2_CANCEL);
    peer_exchange(peer);
    take(peer, asked);
    nghttp2_submit_rst_stream(peer->client, 0, asked, NGHTTP2_CANCEL);
    peer_exchange(peer);
    http_session_take(peer->session, &query);
    http_session_refuse(peer->session, &query, HTTP_STATUS_FORWARDED);
    ck_assert(http_session_answer(peer->session, asked, whole));
    http_session_forgo(peer->session, asked);
    ck_assert(http_session_answer(peer->session, 77, whole));
    ck_assert(http_session_answer(peer->session, INT64_MAX, whole));
    ck_assert(http_session_answer(peer->session, 0, whole));
    ck_assert_uint_eq(http_session_kept(peer->session), 0);
    peer_exchange(peer);
    ck_assert(!peer->goaway);
    peer_free(peer);
}
END_TEST

START_TEST(a_query_that_gets_no_answer_frees_its_place)
{
    struct peer *peer = peer_open(NULL, 0);
    int32_t id = peer_get(peer, ASK, NULL, NULL);
    peer_exchange(peer);
    take(peer, id);
    http_session_forgo(peer->session, id);
    peer_exchange(peer);
    ck_assert(peer_stream(peer, id)->closed);
    ck_assert_uint_eq(peer_stream(peer, id)->error, NGHTTP2_CANCEL);
    int32_t next = peer_get(peer, ASK, NULL, NULL);
    peer_exchange(peer);
    take(peer, next);
    ck_assert(http_session_answer(peer->session, next, whole));
    peer_exchange(peer);
    expect_status(peer, next, "200");
    peer_free(peer);
}
END_TEST

START_TEST(answers_wait_for_the_windows_of_the_client)
{
    static const nghttp2_settings_entry closed = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    static const nghttp2_settings_entry open = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 1000};
    struct peer *peer = peer_open(&closed, 1);
    int32_t id = peer_get(peer, ASK, NULL, NULL);
    peer_exchange(peer);
    take(peer, id);
    ck_assert(http_session_answer(peer->session, id, whole));
    peer_exchange(peer);
    ck_assert_uint_eq(http_session_kept(peer->session), sizeof answer);
    ck_assert(!peer_stream(peer, id)->ended);
    nghttp2_submit_settings(peer->client, 0, &open, 1);
    peer_exchange(peer);
    ck_assert_uint_eq(http_session_kept(peer->session), 0);
    expect_status(peer, id, "200");
    /* A session may end with answers kept. */
    nghttp2_submit_settings(peer->client, 0, &closed, 1);
    id = peer_get(peer, ASK, NULL, NULL);
    peer_exchange(peer);
    ck_assert(http_session_answer(peer->session, id, whole));
    peer_free(peer);
}
END_TEST

/* ---- Limits ---- */

START_TEST(bodies_share_the_window_of_the_connection)
{
    struct peer *peer = peer_open(NULL, 0);
    struct peer_body bodies[4];
    int32_t ids[4];
    size_t left = 0;
    for (unsigned i = 0; i < 4; i++) {
        bodies[i] = (struct peer_body){60000, true};
        ids[i] = peer_post(peer, &bodies[i]);
    }
    peer_exchange(peer);
    for (unsigned i = 0; i < 4; i++) {
        left += bodies[i].left;
    }
    ck_assert_uint_ge(left, 4 * 60000 - HTTP_SESSION_WINDOW);
    /* Each one that is handled makes room for others. */
    for (unsigned done = 0; done < 4;) {
        struct http_session_query query;
        if (!http_session_next(peer->session, &query)) {
            peer->arrival.now_ms += PEER_PATIENCE_MS; /* all wait for each other */
            (void)peer_get(peer, "/", NULL, NULL);
            peer_exchange(peer);
            break;
        }
        ck_assert_uint_eq(query.size, 60000);
        http_session_take(peer->session, &query);
        ck_assert(http_session_answer(peer->session, query.stream, whole));
        peer_exchange(peer);
        done++;
    }
    for (unsigned i = 0; i < 4; i++) {
        ck_assert(peer_stream(peer, ids[i])->ended);
    }
    ck_assert(!peer->goaway);
    peer_free(peer);
}
END_TEST

START_TEST(a_request_becomes_complete_in_time_or_is_answered_408)
{
    struct peer *peer = peer_open(NULL, 0);
    struct peer_body body = {1, false};
    int32_t id = peer_post(peer, &body);
    peer_exchange(peer);
    for (unsigned i = 0; i < 9; i++) {
        peer->arrival.now_ms += PEER_PATIENCE_MS / 10;
        body.left = 1;
        nghttp2_session_resume_data(peer->client, id);
        peer_exchange(peer);
        ck_assert(!peer_stream(peer, id)->ended);
    }
    peer->arrival.now_ms += PEER_PATIENCE_MS / 10;
    body.left = 1;
    nghttp2_session_resume_data(peer->client, id);
    peer_exchange(peer);
    expect_status(peer, id, "408");
    peer_free(peer);
}
END_TEST

START_TEST(too_many_fields)
{
    static char large[HTTP_REQUEST_FIELDS_MAX + 1];
    struct peer *peer = peer_open(NULL, 0);
    memset(large, 'x', sizeof large - 1);
    int32_t id = peer_get(peer, ASK, "x", large);
    peer_exchange(peer);
    expect_status(peer, id, "431");
    ck_assert(!peer->goaway);
    peer_free(peer);
}
END_TEST

/* A field in the table of HPACK, and then one octet for each time it is meant. */
START_TEST(a_few_octets_that_stand_for_many_fields)
{
    static uint8_t block[16000];
    struct peer *peer = peer_open(NULL, 0);
    static const uint8_t first[] = {GET_ROOT, 0x40, 1, 'x', 0x7f, 0xa1, 0x0f}; /* 2,000 */
    memset(block, 'x', sizeof block);
    memcpy(block, first, sizeof first);
    memset(block + sizeof first + 2080, 0xbe, 2000);
    size_t size = sizeof first + 2080 + 2000;
    peer_frame(peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, 1,
               (struct span){block, size});
    peer_receive(peer);
    ck_assert(is_over(peer) && peer->goaway);
    ck_assert_uint_eq(peer->goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    peer_free(peer);
}
END_TEST

static const uint8_t zeros[64];

/* Frames that ask for work and bring no request. */
static const struct {
    const char *label;
    uint8_t type;
    uint8_t flags;
    uint32_t stream;
    size_t size;
} FLOODS[] = {
    {"PING", NGHTTP2_PING, 0, 0, 8},
    {"PING answered", NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, 8},
    {"SETTINGS", NGHTTP2_SETTINGS, 0, 0, 0},
    {"PRIORITY", NGHTTP2_PRIORITY, 0, 5, 5},
};

START_TEST(floods_end_the_connection)
{
    for (size_t i = 0; i < sizeof FLOODS / sizeof FLOODS[0]; i++) {
        struct peer *peer = peer_open(NULL, 0);
        unsigned sent = 0;
        for (; !is_over(peer) && sent < 2 * HTTP_SESSION_FRAMES; sent++) {
            peer_frame(peer, FLOODS[i].type, FLOODS[i].flags, FLOODS[i].stream,
                       (struct span){zeros, FLOODS[i].size});
            peer_receive(peer);
        }
        ck_assert_msg(is_over(peer) && sent <= HTTP_SESSION_FRAMES, "%s: %u", FLOODS[i].label,
                      sent);
        ck_assert_msg(peer->goaway && peer->goaway_error == NGHTTP2_ENHANCE_YOUR_CALM, "%s: %u",
                      FLOODS[i].label, peer->goaway_error);
        peer_free(peer);
    }
}
END_TEST

/* A client that asks may ping now and then for as long as it likes. */
START_TEST(requests_pay_for_frames)
{
    struct peer *peer = peer_open(NULL, 0);
    for (unsigned i = 0; i < PEER_STREAMS - 1; i++) {
        for (unsigned ping = 0; ping < 6; ping++) {
            nghttp2_submit_ping(peer->client, 0, NULL);
        }
        int32_t id = peer_get(peer, ASK, NULL, NULL);
        peer_exchange(peer);
        take(peer, id);
        ck_assert(http_session_answer(peer->session, id, whole));
        peer_exchange(peer);
        ck_assert(!is_over(peer) && !peer->goaway);
    }
    peer_free(peer);
}
END_TEST

/* Requests that are reset as soon as they are made (CVE-2023-44487). */
START_TEST(rapid_resets_end_the_connection)
{
    static const uint8_t block[] = {GET_ROOT};
    struct peer *peer = peer_open(NULL, 0);
    unsigned sent = 0;
    for (; !is_over(peer) && sent < 5000; sent++) {
        uint32_t id = 2 * sent + 1;
        peer_frame(peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_END_HEADERS, id,
                   (struct span){block, sizeof block});
        peer_frame(peer, NGHTTP2_RST_STREAM, 0, id, (struct span){zeros, 4});
        while (http_session_output(peer->session).size > 0) {
        }
    }
    ck_assert_msg(is_over(peer) && sent < 2000, "%u", sent);
    peer_free(peer);
}
END_TEST

START_TEST(continuations_without_end_end_the_connection)
{
    static const uint8_t block[] = {GET_ROOT};
    struct peer *peer = peer_open(NULL, 0);
    unsigned sent = 0;
    peer_frame(peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_STREAM, 1,
               (struct span){block, sizeof block});
    for (; !is_over(peer) && sent < 100; sent++) {
        peer_frame(peer, NGHTTP2_CONTINUATION, 0, 1, (struct span){zeros, 0});
    }
    peer_receive(peer);
    ck_assert_msg(is_over(peer) && sent < 20, "%u", sent);
    ck_assert(peer->goaway);
    ck_assert_uint_eq(peer->goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    peer_free(peer);
}
END_TEST

START_TEST(more_streams_than_are_allowed)
{
    static const uint8_t block[] = {GET_ROOT};
    struct peer *peer = peer_open(NULL, 0);
    for (uint32_t i = 0; !is_over(peer) && i < 2 * HTTP_SESSION_STREAMS; i++) {
        peer_frame(peer, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 2 * i + 1,
                   (struct span){block, sizeof block});
        peer_receive(peer);
    }
    ck_assert(is_over(peer) && peer->goaway);
    ck_assert_uint_le(peer->counted[HTTP_STATUS_NOT_FOUND], HTTP_SESSION_STREAMS);
    peer_free(peer);
}
END_TEST

START_TEST(another_protocol_gets_a_sentence)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    struct peer *peer = peer_new();
    peer_send(peer, (const uint8_t *)request, strlen(request), strlen(request));
    ck_assert(is_over(peer));
    struct span octets = http_session_output(peer->session);
    ck_assert_uint_gt(octets.size, 13);
    ck_assert_mem_eq(octets.bytes, "HTTP/1.1 505 ", 13);
    const char *body = memmem(octets.bytes, octets.size, "\r\n\r\n", 4);
    ck_assert_ptr_nonnull(body);
    ck_assert_ptr_nonnull(memmem(octets.bytes, octets.size, "Content-Length: 22\r\n", 20));
    ck_assert_int_eq((const char *)octets.bytes + octets.size - (body + 4), 22);
    ck_assert_uint_eq(http_session_output(peer->session).size, 0);
    peer_free(peer);
}
END_TEST

START_TEST(draining_answers_what_has_come)
{
    struct peer *peer = peer_open(NULL, 0);
    int32_t id = peer_get(peer, ASK, NULL, NULL);
    peer_exchange(peer);
    take(peer, id);
    http_session_drain(peer->session);
    peer_receive(peer);
    ck_assert(peer->goaway && peer->goaway_error == NGHTTP2_NO_ERROR);
    ck_assert(http_session_answer(peer->session, id, whole));
    peer_exchange(peer);
    expect_status(peer, id, "200");
    peer_free(peer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_session");
    TCase *tcase = tcase_create("http_session");
    tcase_add_test(tcase, a_query_is_answered);
    tcase_add_test(tcase, octet_by_octet);
    tcase_add_test(tcase, answers_in_any_order);
    tcase_add_test(tcase, errors_are_answered_at_once);
    tcase_add_test(tcase, a_query_can_be_refused);
    tcase_add_test(tcase, an_invalid_field_spoils_its_request);
    tcase_add_test(tcase, an_answer_to_a_stream_that_is_gone_is_dropped);
    tcase_add_test(tcase, a_query_that_gets_no_answer_frees_its_place);
    tcase_add_test(tcase, answers_wait_for_the_windows_of_the_client);
    tcase_add_test(tcase, bodies_share_the_window_of_the_connection);
    tcase_add_test(tcase, a_request_becomes_complete_in_time_or_is_answered_408);
    tcase_add_test(tcase, too_many_fields);
    tcase_add_test(tcase, a_few_octets_that_stand_for_many_fields);
    tcase_add_test(tcase, floods_end_the_connection);
    tcase_add_test(tcase, requests_pay_for_frames);
    tcase_add_test(tcase, rapid_resets_end_the_connection);
    tcase_add_test(tcase, continuations_without_end_end_the_connection);
    tcase_add_test(tcase, more_streams_than_are_allowed);
    tcase_add_test(tcase, another_protocol_gets_a_sentence);
    tcase_add_test(tcase, draining_answers_what_has_come);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
