/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A resolver whose answers are a function of the query (right_answer.h), over UDP, TCP and TLS, and
 * that misbehaves as it is told. It tells nobody what it was asked: whoever asked knows the answer.
 * It ends a connection behind a transfer, in which it never lies.
 *
 * usage: fake_resolver ADDRESS PORT OTHER-ADDRESS OTHER-PORT TLS-PORT CERTIFICATE KEY
 *
 * Commands, one a line on standard input, each answered by a line `ok`; every mode replaces the one
 * before. `probes`, `broken` and `encrypted` are answered by how many questions for the root it has
 * answered, how many connections it has broken off, and how many queries came by TLS:
 *     honest               the truth, at once
 *     slow MS              the truth, later
 *     cut                  by UDP TC=1 for every second question, by TCP the truth
 *     break                by TCP now and then half an answer, and the end of the connection, by
 *                          turns orderly and not; otherwise the truth
 *     lie HOW [only]       a lie, then the truth; `only`: by UDP no truth. HOW is id (another ID),
 *                          question (another question), qr (no answer but a query), short (it ends
 *                          within the question), port (from the other port), address (from the
 *                          other address), or data: a lie in the right place, which nobody can tell
 *                          from the truth (to try the asker itself)
 */
#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/soak/right_answer.h"

#define BATCH 64
#define LIE 0x1A7EU
#define ROOT_AT 12 /* the name of a question */
/* Answers by TCP. Far more than the asker's rows ever wait for, or one query could meet the end of
 * its connection again and again until the daemon, which tries eight times, rightly gives it up. */
#define BREAK_EVERY 1000

enum mode {
    HONEST,
    SLOW,
    CUT,
    BREAK,
    LIE_ID,
    LIE_QUESTION,
    LIE_QR,
    LIE_SHORT,
    LIE_PORT,
    LIE_ADDRESS,
    LIE_DATA
};

struct stream;

/* An answer, and whom it goes to: a stream or an address. */
struct reply {
    struct resolver *resolver;
    struct stream *stream;
    struct sockaddr_in peer;
    struct event *due;
    LIST_ENTRY(reply) link; /* of the stream's */
    bool transfers;         /* the octets are the query, and all of its answer is due */
    size_t size;
    uint8_t bytes[RIGHT_ANSWER_MAX];
};

struct stream {
    struct resolver *resolver;
    struct bufferevent *transport;
    bool encrypted;
    bool ending; /* once what was written is out; says no more */
    LIST_HEAD(, reply) later;
};

struct resolver {
    struct event_base *base;
    int socket;
    int other_port;
    int other_address;
    enum mode mode;
    bool only;
    SSL_CTX *tls;
    unsigned encrypted;
    unsigned probes;
    unsigned streamed; /* answers by TCP since it breaks connections */
    struct timeval delay;
};

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- Answers ---- */

static void stream_free(struct stream *stream)
{
    struct reply *reply;
    while ((reply = LIST_FIRST(&stream->later)) != NULL) {
        LIST_REMOVE(reply, link);
        event_free(reply->due);
        free(reply);
    }
    bufferevent_free(stream->transport);
    free(stream);
}

static void on_end(struct bufferevent *transport, short what, void *ctx)
{
    (void)transport;
    if ((what & BEV_EVENT_CONNECTED) == 0) {
        stream_free(ctx);
    }
}

static void on_written(struct bufferevent *transport, void *ctx)
{
    (void)transport;
    stream_free(ctx);
}

static void end_once_written(struct stream *stream)
{
    stream->ending = true;
    bufferevent_setcb(stream->transport, NULL, on_written, on_end, stream);
}

/* Half of the answer, and then the end: by turns in order, or by a reset. */
static void break_off(struct stream *stream, const struct reply *reply)
{
    const struct linger abruptly = {1, 0};
    if (stream->resolver->streamed / BREAK_EVERY % 2 == 0) {
        setsockopt(bufferevent_getfd(stream->transport), SOL_SOCKET, SO_LINGER, &abruptly,
                   sizeof abruptly);
    }
    end_once_written(stream);
    bufferevent_write(stream->transport, reply->bytes, reply->size / 2);
}

static void reply_send(const struct reply *reply)
{
    struct stream *stream = reply->stream;
    uint8_t length[2] = {(uint8_t)(reply->size >> 8), (uint8_t)reply->size};
    if (stream == NULL) {
        sendto(reply->resolver->socket, reply->bytes, reply->size, 0,
               (const struct sockaddr *)&reply->peer, sizeof reply->peer);
        return;
    }
    bufferevent_write(stream->transport, length, sizeof length);
    if (reply->resolver->mode == BREAK && ++reply->resolver->streamed % BREAK_EVERY == 0) {
        break_off(stream, reply);
        return;
    }
    bufferevent_write(stream->transport, reply->bytes, reply->size);
}

/* All messages of a transfer, one behind the other, and the end; the reply has its query. */
static void transfer_send(const struct reply *reply)
{
    const unsigned messages = right_answer_messages(reply->bytes, reply->size);
    struct reply message = *reply;
    for (unsigned i = 0; i < messages && !reply->stream->ending; i++) {
        message.size = right_answer_full(reply->bytes, reply->size, i, message.bytes);
        reply_send(&message);
    }
    end_once_written(reply->stream);
}

static void send_all(const struct reply *reply)
{
    if (reply->transfers) {
        transfer_send(reply);
    } else {
        reply_send(reply);
    }
}

static void on_due(evutil_socket_t unused, short what, void *ctx)
{
    struct reply *reply = ctx;
    (void)unused;
    (void)what;
    send_all(reply);
    if (reply->stream != NULL) {
        LIST_REMOVE(reply, link);
    }
    event_free(reply->due);
    free(reply);
}

static void reply_later(const struct reply *reply)
{
    struct reply *kept = malloc(sizeof *kept);
    if (kept == NULL) {
        die("malloc");
    }
    *kept = *reply;
    kept->due = evtimer_new(reply->resolver->base, on_due, kept);
    if (kept->due == NULL || event_add(kept->due, &reply->resolver->delay) != 0) {
        die("event");
    }
    if (kept->stream != NULL) {
        LIST_INSERT_HEAD(&kept->stream->later, kept, link);
    }
}

/* Sends a lie of the mode's kind; a port or an address has none over a stream. */
static void lie(struct reply *reply, const uint8_t *query, size_t size)
{
    struct resolver *resolver = reply->resolver;
    enum mode mode = resolver->mode;
    reply->size = right_answer_full(query, size, LIE, reply->bytes);
    if (mode == LIE_ID) {
        reply->bytes[1] ^= 0x55;
    }
    if (mode == LIE_QUESTION) {
        reply->bytes[13] ^= 1;
    }
    if (mode == LIE_QR) {
        reply->bytes[2] &= 0x7F;
    }
    if (mode == LIE_SHORT) {
        reply->size = 2 + (size - 2) * reply->bytes[1] / 256; /* the ID at least */
        reply->size = reply->size < 17 ? reply->size : 17;
    }
    if (mode == LIE_PORT || mode == LIE_ADDRESS) {
        int from = mode == LIE_PORT ? resolver->other_port : resolver->other_address;
        if (reply->stream == NULL) {
            sendto(from, reply->bytes, reply->size, 0, (const struct sockaddr *)&reply->peer,
                   sizeof reply->peer);
        }
        return;
    }
    reply_send(reply);
}

static void answer(struct reply *reply, const uint8_t *query, size_t size)
{
    struct resolver *resolver = reply->resolver;
    bool datagram = reply->stream == NULL;
    reply->transfers = !datagram && right_answer_messages(query, size) > 1;
    if (resolver->mode >= LIE_ID && !reply->transfers &&
        right_answer_full(query, size, LIE, reply->bytes) > 0) {
        lie(reply, query, size);
        if (resolver->mode == LIE_DATA || (resolver->only && datagram)) {
            return;
        }
    }
    reply->size = right_answer_full(query, size, 0, reply->bytes);
    if (resolver->mode == CUT && datagram && right_answer_is_cut(query, size)) {
        reply->size = right_answer_cut(query, size, reply->bytes);
    }
    if (reply->transfers) {
        memcpy(reply->bytes, query, size);
        reply->size = size;
    }
    if (reply->size > 0 && resolver->mode == SLOW) {
        reply_later(reply);
    } else if (reply->size > 0) {
        send_all(reply);
    }
}

/* ---- Queries ---- */

static void on_datagrams(evutil_socket_t descriptor, short what, void *ctx)
{
    (void)what;
    for (unsigned i = 0; i < BATCH; i++) {
        uint8_t query[RIGHT_QUERY_MAX];
        struct reply reply = {.resolver = ctx};
        socklen_t length = sizeof reply.peer;
        ssize_t size = recvfrom(descriptor, query, sizeof query, MSG_DONTWAIT,
                                (struct sockaddr *)&reply.peer, &length);
        if (size < 0) {
            return;
        }
        answer(&reply, query, (size_t)size);
        reply.resolver->probes += size > ROOT_AT && query[ROOT_AT] == 0;
    }
}

static void on_octets(struct bufferevent *transport, void *ctx)
{
    struct stream *stream = ctx;
    struct evbuffer *input = bufferevent_get_input(transport);
    uint8_t framed[2 + RIGHT_QUERY_MAX];
    ev_ssize_t got;
    while (!stream->ending && (got = evbuffer_copyout(input, framed, sizeof framed)) >= 2) {
        size_t size = (size_t)framed[0] << 8 | framed[1];
        struct reply reply = {.resolver = stream->resolver, .stream = stream};
        if (size > RIGHT_QUERY_MAX || (size_t)got < 2 + size) {
            return;
        }
        evbuffer_drain(input, 2 + size);
        answer(&reply, framed + 2, size);
        reply.resolver->probes += size > ROOT_AT && framed[2 + ROOT_AT] == 0;
        reply.resolver->encrypted += stream->encrypted;
    }
}

static void begin_stream(struct resolver *resolver, struct bufferevent *transport, bool encrypted)
{
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL || transport == NULL) {
        die("stream");
    }
    stream->resolver = resolver;
    stream->transport = transport;
    stream->encrypted = encrypted;
    bufferevent_setcb(stream->transport, on_octets, NULL, on_end, stream);
    bufferevent_enable(stream->transport, EV_READ | EV_WRITE);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t descriptor,
                      struct sockaddr *peer, int length, void *ctx)
{
    struct resolver *resolver = ctx;
    (void)listener;
    (void)peer;
    (void)length;
    begin_stream(resolver,
                 bufferevent_socket_new(resolver->base, descriptor, BEV_OPT_CLOSE_ON_FREE), false);
}

static void on_accept_tls(struct evconnlistener *listener, evutil_socket_t descriptor,
                          struct sockaddr *peer, int length, void *ctx)
{
    struct resolver *resolver = ctx;
    SSL *tls = SSL_new(resolver->tls);
    (void)listener;
    (void)peer;
    (void)length;
    if (tls == NULL) {
        die("tls");
    }
    struct bufferevent *transport = bufferevent_openssl_socket_new(
        resolver->base, descriptor, tls, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
    begin_stream(resolver, transport, true);
    bufferevent_openssl_set_allow_dirty_shutdown(transport, 1);
}

/* ---- Commands ---- */

static bool obey(struct resolver *resolver, const char *line)
{
    static const char *const ways[] = {
        [LIE_ID] = "id",     [LIE_QUESTION] = "question", [LIE_QR] = "qr",    [LIE_SHORT] = "short",
        [LIE_PORT] = "port", [LIE_ADDRESS] = "address",   [LIE_DATA] = "data"};
    char how[16] = "";
    char only[8] = "";
    unsigned ms;
    static const char *const modes[] = {[HONEST] = "honest", [CUT] = "cut", [BREAK] = "break"};
    for (enum mode mode = HONEST; mode <= BREAK; mode++) {
        if (modes[mode] != NULL && strcmp(line, modes[mode]) == 0) {
            resolver->mode = mode;
            return true;
        }
    }
    if (sscanf(line, "slow %u", &ms) == 1) {
        resolver->mode = SLOW;
        resolver->delay = (struct timeval){ms / 1000, (suseconds_t)(ms % 1000) * 1000};
        return true;
    }
    if (sscanf(line, "lie %15s %7s", how, only) >= 1) {
        for (int mode = LIE_ID; mode <= LIE_DATA; mode++) {
            if (strcmp(how, ways[mode]) == 0) {
                resolver->mode = (enum mode)mode;
                resolver->only = strcmp(only, "only") == 0;
                return true;
            }
        }
    }
    return false;
}

static void on_command(struct bufferevent *input, void *ctx)
{
    const struct resolver *resolver = ctx;
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(input), NULL, EVBUFFER_EOL_LF)) != NULL) {
        if (strcmp(line, "probes") == 0) {
            printf("%u\n", resolver->probes);
        } else if (strcmp(line, "broken") == 0) {
            printf("%u\n", resolver->streamed / BREAK_EVERY);
        } else if (strcmp(line, "encrypted") == 0) {
            printf("%u\n", resolver->encrypted);
        } else {
            puts(obey(ctx, line) ? "ok" : "what?");
        }
        fflush(stdout);
        free(line);
    }
}

static void on_input_end(struct bufferevent *input, short what, void *ctx)
{
    struct resolver *resolver = ctx;
    (void)input;
    (void)what;
    event_base_loopbreak(resolver->base);
}

/* ---- Sockets ---- */

static struct sockaddr_in address_of(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        die(host);
    }
    return address;
}

static int open_socket(const char *host, const char *port)
{
    const int room = 8 << 20;
    struct sockaddr_in address = address_of(host, port);
    int made = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (made < 0 || bind(made, (struct sockaddr *)&address, sizeof address) != 0) {
        die("bind");
    }
    setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
    return made;
}

static void listen_on(struct resolver *resolver, evconnlistener_cb accepted, const char *host,
                      const char *port)
{
    const unsigned options = LEV_OPT_REUSEABLE | LEV_OPT_CLOSE_ON_FREE;
    struct sockaddr_in address = address_of(host, port);
    if (evconnlistener_new_bind(resolver->base, accepted, resolver, options, 1024,
                                (struct sockaddr *)&address, sizeof address) == NULL) {
        die("listen");
    }
}

static SSL_CTX *tls_with(const char *certificate, const char *key)
{
    SSL_CTX *tls = SSL_CTX_new(TLS_server_method());
    if (tls == NULL || SSL_CTX_use_certificate_chain_file(tls, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(tls, key, SSL_FILETYPE_PEM) != 1) {
        die(certificate);
    }
    return tls;
}

int main(int argc, char **argv)
{
    static struct resolver resolver;
    if (argc != 8) {
        fputs("usage: fake_resolver ADDRESS PORT OTHER-ADDRESS OTHER-PORT TLS-PORT CERTIFICATE "
              "KEY\n",
              stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    resolver.base = event_base_new();
    resolver.tls = tls_with(argv[6], argv[7]);
    resolver.socket = open_socket(argv[1], argv[2]);
    resolver.other_port = open_socket(argv[1], argv[4]);
    resolver.other_address = open_socket(argv[3], argv[2]);
    struct event *readable =
        event_new(resolver.base, resolver.socket, EV_READ | EV_PERSIST, on_datagrams, &resolver);
    listen_on(&resolver, on_accept, argv[1], argv[2]);
    listen_on(&resolver, on_accept_tls, argv[1], argv[5]);
    evutil_make_socket_nonblocking(STDIN_FILENO);
    struct bufferevent *commands = bufferevent_socket_new(resolver.base, STDIN_FILENO, 0);
    if (readable == NULL || commands == NULL || event_add(readable, NULL) != 0) {
        die("listen");
    }
    bufferevent_setcb(commands, on_command, NULL, on_input_end, &resolver);
    bufferevent_enable(commands, EV_READ);
    event_base_dispatch(resolver.base);
    return 0;
}
