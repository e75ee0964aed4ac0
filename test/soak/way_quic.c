/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DNS over QUIC (RFC 9250) through the client of the end-to-end tests, a process a connection
 * (test/e2e/quic_client.c says how it is told), which never forgets a stream: hence the turnover.
 */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/soak/right_answer.h"
#include "test/soak/way.h"

#define QUERIES_MAX 200

struct way {
    struct row *row;
    struct bufferevent *talk;
    unsigned slots[QUERIES_MAX]; /* by tag */
    size_t sizes[QUERIES_MAX];
    uint8_t answers[QUERIES_MAX][2 + RIGHT_ANSWER_MAX];
    unsigned tags;
    bool down;
};

static void start_client(const struct way_route *route, int socket)
{
    char port[8];
    snprintf(port, sizeof port, "%u", route->port);
    pid_t child = fork();
    if (child < 0) {
        perror("fork");
        exit(1);
    }
    if (child == 0) {
        dup2(socket, STDIN_FILENO);
        dup2(socket, STDOUT_FILENO);
        setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
        execl(route->quic_client, "quic_client", route->local, route->server, port, "doq",
              (char *)NULL);
        _exit(127);
    }
}

static void go_down(struct way *way)
{
    if (!way->down) {
        way->down = true;
        row_on_down(way->row);
    }
}

/* ---- What the client tells ---- */

static void take_octets(struct way *way, unsigned tag, const char *hex)
{
    unsigned octet;
    for (; sscanf(hex, "%2x", &octet) == 1 && way->sizes[tag] < sizeof way->answers[tag];
         hex += 2) {
        way->answers[tag][way->sizes[tag]++] = (uint8_t)octet;
    }
}

static void take_answer(struct way *way, unsigned tag)
{
    size_t size = way->sizes[tag];
    const uint8_t *framed = way->answers[tag];
    if (size >= 2 && size == 2U + ((size_t)framed[0] << 8 | framed[1])) {
        row_on_answer(way->row, (int)way->slots[tag], framed + 2, size - 2);
    } else {
        fprintf(stderr, "quic: %zu octets on a stream that has ended\n", size);
    }
}

static void take_line(struct way *way, const char *line)
{
    unsigned tag;
    int at = 0;
    if (strncmp(line, "connected", 9) == 0) {
        row_on_up(way->row);
    } else if (strncmp(line, "closed", 6) == 0) {
        go_down(way);
    } else if (sscanf(line, "data %u %n", &tag, &at) == 1 && tag < QUERIES_MAX) {
        take_octets(way, tag, line + at);
    } else if (sscanf(line, "fin %u", &tag) == 1 && tag < QUERIES_MAX) {
        take_answer(way, tag);
    }
}

static void on_lines(struct bufferevent *talk, void *ctx)
{
    struct way *way = ctx;
    char *line;
    while (!way->down &&
           (line = evbuffer_readln(bufferevent_get_input(talk), NULL, EVBUFFER_EOL_LF)) != NULL) {
        take_line(way, line);
        free(line);
    }
}

static void on_end(struct bufferevent *talk, short what, void *ctx)
{
    (void)talk;
    (void)what;
    go_down(ctx);
}

/* ---- The way ---- */

static struct way *quic_open(const struct way_route *route, struct row *row)
{
    struct way *way = calloc(1, sizeof *way);
    int pair[2];
    if (way == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0) {
        perror("quic");
        exit(1);
    }
    start_client(route, pair[1]);
    close(pair[1]);
    evutil_make_socket_nonblocking(pair[0]);
    way->row = row;
    way->talk = bufferevent_socket_new(route->base, pair[0],
                                       BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (way->talk == NULL) {
        perror("quic");
        exit(1);
    }
    bufferevent_setcb(way->talk, on_lines, NULL, on_end, way);
    bufferevent_enable(way->talk, EV_READ | EV_WRITE);
    return way;
}

static bool quic_send(struct way *way, unsigned slot, const uint8_t *query, size_t size)
{
    if (way->tags == QUERIES_MAX || way->down) {
        return false;
    }
    unsigned tag = way->tags++;
    way->slots[tag] = slot;
    struct evbuffer *out = bufferevent_get_output(way->talk);
    evbuffer_add_printf(out, "send %u %04zx", tag, size);
    for (size_t i = 0; i < size; i++) {
        evbuffer_add_printf(out, "%02x", query[i]);
    }
    return evbuffer_add_printf(out, " fin\n") > 0;
}

static void quic_close(struct way *way)
{
    static const char farewell[] = "close\n";
    (void)!send(bufferevent_getfd(way->talk), farewell, sizeof farewell - 1, MSG_NOSIGNAL);
    bufferevent_free(way->talk);
    free(way);
}

const struct way_kind way_quic = {
    .name = "quic",
    .stream = true,
    .names_slots = true,
    .turnover = QUERIES_MAX,
    .open = quic_open,
    .send = quic_send,
    .close = quic_close,
};
