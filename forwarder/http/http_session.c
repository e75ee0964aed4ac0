/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * HTTP/2 over nghttp2 (see http_session.h).
 *
 * nghttp2 calls back from http_session_receive and http_session_output only. Its windows move as we
 * say, not by themselves: what a stream's body takes of the connection's window is given back when
 * the query is handled, so no more than that window is ever held. The window of a single stream is
 * larger than any message and never moves.
 */
#include "forwarder/http/http_session.h"

#include <nghttp2/nghttp2.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "forwarder/http/http_reply.h"
#include "forwarder/http/http_request.h"
#include "forwarder/wire/dns.h"

#define STREAM_WINDOW (DNS_MESSAGE_MAX + 1) /* one octet too many can come, and is answered 413 */
#define FRAMES_A_REQUEST 8                  /* what a complete request pays for */
#define FIELDS_END (4 * HTTP_REQUEST_FIELDS_MAX)

enum state {
    RECEIVING,
    READY,
    ASKED,
    ANSWERED,
};

struct stream {
    struct http_session *session;
    int32_t id;
    enum state state;
    uint64_t begun_ms;
    struct http_request request;
    size_t unconsumed; /* octets of the connection's window that its body holds */
    uint8_t *body;     /* of the answer; NULL for an error, whose text is constant */
    struct span rest;  /* of what is to be sent */
    TAILQ_ENTRY(stream) all;
    TAILQ_ENTRY(stream) ready;
};

TAILQ_HEAD(stream_list, stream);

struct http_session {
    nghttp2_session *nghttp2;
    struct http_session_events events;
    unsigned patience_ms;
    struct http_session_arrival arrival;
    struct stream_list streams; /* in the order they began */
    struct stream_list ready;
    size_t kept;
    unsigned frames;    /* that it may still send */
    bool heard;         /* octets have come */
    bool ended;         /* nothing more is read */
    struct span notice; /* to be sent instead of frames: to a client of another protocol */
};

static const char other_protocol[] =
    "HTTP/1.1 505 HTTP Version Not Supported\r\nContent-Type: text/plain\r\n"
    "Content-Length: 22\r\nConnection: close\r\n\r\nThis server is HTTP/2\n";

/* ---- Streams ---- */

static struct stream *find(const struct http_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session->nghttp2, id);
}

static struct stream *stream_new(struct http_session *session, int32_t id)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        return NULL;
    }
    stream->session = session;
    stream->id = id;
    stream->begun_ms = session->arrival.now_ms;
    http_request_init(&stream->request);
    TAILQ_INSERT_TAIL(&session->streams, stream, all);
    return stream;
}

/* Gives back what the stream's body took of the connection's window. */
static void consume(struct stream *stream)
{
    if (stream->unconsumed > 0) {
        (void)nghttp2_session_consume_connection(stream->session->nghttp2, stream->unconsumed);
        stream->unconsumed = 0;
    }
}

static void leave_ready(struct stream *stream)
{
    if (stream->state == READY) {
        TAILQ_REMOVE(&stream->session->ready, stream, ready);
    }
}

static void stream_free(struct stream *stream)
{
    leave_ready(stream);
    TAILQ_REMOVE(&stream->session->streams, stream, all);
    stream->session->kept -= stream->rest.size;
    http_request_fini(&stream->request);
    free(stream->body);
    free(stream);
}

/* ---- Sending ---- */

static void end(struct http_session *session, uint32_t error)
{
    session->ended = true;
    (void)nghttp2_session_terminate_session(session->nghttp2, error);
}

/* NOLINTNEXTLINE(readability-function-size): nghttp2 says what it takes */
static ssize_t read_body(nghttp2_session *nghttp2, int32_t id, uint8_t *out, size_t size,
                         uint32_t *flags, nghttp2_data_source *source, void *ctx)
{
    struct stream *stream = source->ptr;
    size_t count = stream->rest.size < size ? stream->rest.size : size;
    (void)nghttp2;
    (void)id;
    (void)ctx;
    if (count > 0) {
        memcpy(out, stream->rest.bytes, count);
    }
    stream->rest = (struct span){stream->rest.bytes + count, stream->rest.size - count};
    stream->session->kept -= count;
    if (stream->rest.size == 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    }
    return (ssize_t)count;
}

/* Sends rest behind the fields of a response. */
static bool respond(struct stream *stream, const struct http_reply *reply, struct span body)
{
    struct http_session *session = stream->session;
    nghttp2_data_provider provider = {.source = {.ptr = stream}, .read_callback = read_body};
    bool bodyless = stream->request.head;
    leave_ready(stream);
    stream->state = ANSWERED;
    consume(stream);
    http_request_fini(&stream->request);
    if (!bodyless) {
        stream->rest = body;
        session->kept += body.size;
    }
    return nghttp2_submit_response(session->nghttp2, stream->id, reply->fields, reply->count,
                                   bodyless ? NULL : &provider) == 0;
}

static void respond_error(struct stream *stream, enum http_status status)
{
    struct http_session *session = stream->session;
    const char *text = http_status_row(status)->text;
    struct http_reply reply;
    http_reply_error(&reply, status);
    session->events.on_request(session->events.ctx, status);
    if (!respond(stream, &reply, (struct span){(const uint8_t *)text, strlen(text)})) {
        end(session, NGHTTP2_INTERNAL_ERROR);
    }
}

/* ---- What nghttp2 tells ---- */

static int on_begin_headers(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *ctx)
{
    struct http_session *session = ctx;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST) {
        return 0;
    }
    struct stream *stream = stream_new(session, frame->hd.stream_id);
    if (stream == NULL) {
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    return nghttp2_session_set_stream_user_data(nghttp2, stream->id, stream);
}

/* NOLINTNEXTLINE(readability-function-size): nghttp2 says what it takes */
static int on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                     void *ctx)
{
    struct http_session *session = ctx;
    struct stream *stream = find(session, frame->hd.stream_id);
    (void)nghttp2;
    (void)flags;
    if (stream == NULL || session->ended) {
        return 0;
    }
    http_request_field(&stream->request, (struct span){name, name_size},
                       (struct span){value, value_size}, session->arrival.keeps_forwarded);
    if (stream->request.fields > FIELDS_END) {
        end(session, NGHTTP2_ENHANCE_YOUR_CALM);
    }
    return 0;
}

/* By default nghttp2 ignores a field with octets that are not allowed, such as a proxy's field that
 * holds what its client sent. Such a request is malformed (RFC 9113 section 8.2.1). */
/* NOLINTNEXTLINE(readability-function-size): nghttp2 says what it takes */
static int on_invalid_header(nghttp2_session *nghttp2, const nghttp2_frame *frame,
                             const uint8_t *name, size_t name_size, const uint8_t *value,
                             size_t value_size, uint8_t flags, void *ctx)
{
    (void)nghttp2;
    (void)frame;
    (void)name;
    (void)name_size;
    (void)value;
    (void)value_size;
    (void)flags;
    (void)ctx;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* NOLINTNEXTLINE(readability-function-size): nghttp2 says what it takes */
static int on_data_chunk(nghttp2_session *nghttp2, uint8_t flags, int32_t id, const uint8_t *data,
                         size_t size, void *ctx)
{
    struct stream *stream = find(ctx, id);
    (void)flags;
    if (stream == NULL || stream->state != RECEIVING) {
        return nghttp2_session_consume_connection(nghttp2, size);
    }
    stream->unconsumed += size;
    http_request_body(&stream->request, (struct span){data, size});
    if (stream->request.status != HTTP_STATUS_OK) {
        respond_error(stream, stream->request.status);
    }
    return 0;
}

/* All of a request is there. */
static void complete(struct stream *stream)
{
    struct http_session *session = stream->session;
    unsigned frames = session->frames + FRAMES_A_REQUEST;
    session->frames = frames < HTTP_SESSION_FRAMES ? frames : HTTP_SESSION_FRAMES;
    http_request_end(&stream->request);
    if (stream->request.status != HTTP_STATUS_OK) {
        respond_error(stream, stream->request.status);
        return;
    }
    stream->state = READY;
    TAILQ_INSERT_TAIL(&session->ready, stream, ready);
}

static int on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *ctx)
{
    struct http_session *session = ctx;
    bool headers = frame->hd.type == NGHTTP2_HEADERS;
    (void)nghttp2;
    if (session->ended || (!headers && frame->hd.type != NGHTTP2_DATA)) {
        return 0;
    }
    struct stream *stream = find(session, frame->hd.stream_id);
    if (stream == NULL || stream->state != RECEIVING) {
        return 0;
    }
    if (headers) {
        http_request_headed(&stream->request);
    }
    if (stream->request.status != HTTP_STATUS_OK) {
        respond_error(stream, stream->request.status);
    } else if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0) {
        complete(stream);
    }
    return 0;
}

static int on_begin_frame(nghttp2_session *nghttp2, const nghttp2_frame_hd *header, void *ctx)
{
    struct http_session *session = ctx;
    (void)nghttp2;
    (void)header;
    if (session->frames == 0 && !session->ended) {
        end(session, NGHTTP2_ENHANCE_YOUR_CALM);
    } else if (!session->ended) {
        session->frames--;
    }
    return 0;
}

static int on_stream_close(nghttp2_session *nghttp2, int32_t id, uint32_t error, void *ctx)
{
    struct stream *stream = find(ctx, id);
    (void)nghttp2;
    (void)error;
    if (stream != NULL) {
        consume(stream);
        stream_free(stream);
    }
    return 0;
}

/* ---- The session ---- */

static nghttp2_session *make_nghttp2(struct http_session *session)
{
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    nghttp2_session *nghttp2 = NULL;
    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0) {
        nghttp2_session_callbacks_del(callbacks);
        return NULL;
    }
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks, on_invalid_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_no_closed_streams(option, 1);
    if (nghttp2_session_server_new2(&nghttp2, callbacks, session, option) != 0) {
        nghttp2 = NULL;
    }
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return nghttp2;
}

static bool submit_preface(nghttp2_session *nghttp2)
{
    static const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, HTTP_SESSION_STREAMS},
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, STREAM_WINDOW},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, HTTP_REQUEST_FIELDS_MAX},
    };
    return nghttp2_submit_settings(nghttp2, NGHTTP2_FLAG_NONE, settings,
                                   sizeof settings / sizeof settings[0]) == 0 &&
           nghttp2_session_set_local_window_size(nghttp2, NGHTTP2_FLAG_NONE, 0,
                                                 HTTP_SESSION_WINDOW) == 0;
}

struct http_session *http_session_new(unsigned patience_ms,
                                      const struct http_session_events *events)
{
    struct http_session *session = calloc(1, sizeof *session);
    if (session == NULL) {
        return NULL;
    }
    session->events = *events;
    session->patience_ms = patience_ms;
    session->frames = HTTP_SESSION_FRAMES;
    TAILQ_INIT(&session->streams);
    TAILQ_INIT(&session->ready);
    session->nghttp2 = make_nghttp2(session);
    if (session->nghttp2 == NULL || !submit_preface(session->nghttp2)) {
        http_session_free(session);
        return NULL;
    }
    return session;
}

void http_session_free(struct http_session *session)
{
    struct stream *stream;
    if (session == NULL) {
        return;
    }
    nghttp2_session_del(session->nghttp2); /* tells of no stream */
    while ((stream = TAILQ_FIRST(&session->streams)) != NULL) {
        stream_free(stream);
    }
    free(session);
}

/* The stream ends here, whatever the client has to say yet. */
static void reset(struct stream *stream, uint32_t error)
{
    (void)nghttp2_submit_rst_stream(stream->session->nghttp2, NGHTTP2_FLAG_NONE, stream->id, error);
}

/* Ends requests that take too long to become complete, however steadily their octets drip in. Those
 * that were answered before their end get as much time (RFC 9113 section 8.1 allows to reset them
 * at once, but curl 7.88 then loses the answer). */
static void expire(struct http_session *session)
{
    struct stream *stream;
    TAILQ_FOREACH(stream, &session->streams, all)
    {
        if (session->arrival.now_ms - stream->begun_ms < session->patience_ms) {
            return;
        }
        if (stream->state == RECEIVING) {
            respond_error(stream, HTTP_STATUS_TIMEOUT);
        } else if (nghttp2_session_get_stream_remote_close(session->nghttp2, stream->id) == 0) {
            reset(stream, NGHTTP2_NO_ERROR);
        }
    }
}

void http_session_receive(struct http_session *session, struct span octets,
                          const struct http_session_arrival *arrival)
{
    session->arrival = *arrival;
    session->heard = true;
    if (session->ended) {
        return;
    }
    ssize_t taken = nghttp2_session_mem_recv(session->nghttp2, octets.bytes, octets.size);
    if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC) {
        session->ended = true;
        session->notice = (struct span){(const uint8_t *)other_protocol, sizeof other_protocol - 1};
    } else if (taken < 0) {
        end(session,
            taken == NGHTTP2_ERR_NOMEM ? NGHTTP2_INTERNAL_ERROR : NGHTTP2_ENHANCE_YOUR_CALM);
    } else {
        expire(session);
    }
}

bool http_session_wants(const struct http_session *session)
{
    return !session->ended && nghttp2_session_want_read(session->nghttp2) != 0;
}

struct span http_session_output(struct http_session *session)
{
    struct span octets = session->notice;
    if (octets.bytes != NULL) {
        session->notice.size = 0;
        return octets;
    }
    if (!session->heard) {
        return octets; /* first it must be seen that this is HTTP/2 */
    }
    ssize_t size = nghttp2_session_mem_send(session->nghttp2, &octets.bytes);
    octets.size = size > 0 ? (size_t)size : 0;
    session->ended = session->ended || size < 0;
    return octets;
}

bool http_session_next(struct http_session *session, struct http_session_query *out)
{
    const struct stream *stream = TAILQ_FIRST(&session->ready);
    if (stream == NULL) {
        return false;
    }
    out->stream = stream->id;
    out->message = stream->request.message;
    out->size = stream->request.size;
    out->forwarded = http_request_forwarded(&stream->request);
    return true;
}

void http_session_take(struct http_session *session, const struct http_session_query *query)
{
    struct stream *stream = find(session, (int32_t)query->stream);
    session->events.on_request(session->events.ctx, HTTP_STATUS_OK);
    if (stream != NULL && stream->state == READY) {
        leave_ready(stream);
        stream->state = ASKED;
        consume(stream);
        http_request_fini(&stream->request);
    }
}

void http_session_refuse(struct http_session *session, const struct http_session_query *query,
                         enum http_status status)
{
    struct stream *stream = find(session, (int32_t)query->stream);
    if (stream != NULL && stream->state == READY) {
        respond_error(stream, status);
    }
}

bool http_session_answer(struct http_session *session, int64_t id, struct span answer)
{
    struct stream *stream = find(session, (int32_t)id);
    struct http_reply reply;
    if (stream == NULL || stream->state == ANSWERED) {
        return true;
    }
    stream->body = malloc(answer.size + 1);
    if (stream->body == NULL) {
        return false;
    }
    memcpy(stream->body, answer.bytes, answer.size);
    http_reply_answer(&reply, answer);
    return respond(stream, &reply, (struct span){stream->body, answer.size});
}

void http_session_forgo(struct http_session *session, int64_t id)
{
    struct stream *stream = find(session, (int32_t)id);
    if (stream != NULL && stream->state != ANSWERED) {
        leave_ready(stream);
        stream->state = ANSWERED;
        reset(stream, NGHTTP2_CANCEL);
    }
}

void http_session_drain(struct http_session *session)
{
    (void)nghttp2_submit_goaway(session->nghttp2, NGHTTP2_FLAG_NONE,
                                nghttp2_session_get_last_proc_stream_id(session->nghttp2),
                                NGHTTP2_NO_ERROR, NULL, 0);
}

size_t http_session_kept(const struct http_session *session)
{
    bool over = session->ended || (nghttp2_session_want_read(session->nghttp2) == 0 &&
                                   nghttp2_session_want_write(session->nghttp2) == 0);
    return over ? 0 : session->kept;
}
