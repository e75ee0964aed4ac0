/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks as many clients do, by every transport, and judges every answer by what it is told is right
 * just now. It knows nothing of why: whoever changes the world tells it beforehand what will be
 * right too, and afterwards what alone is.
 *
 * usage: asker QUIC-CLIENT
 *
 * Commands, one a line on standard input, each answered by one line (`ok`, unless another is said):
 *     seed N                   what the queries of this run depend on
 *     text N WORDS...          what EDE 16 says of order N
 *     lost MS                  a query without an answer for so long is lost
 *     show N                   so many more failures are told on standard error
 *     row WAY LOCAL SERVER PORT SUFFIX WINDOW RATE TURNOVER [proxy CLIENT|ecs CLIENT|transfers]
 *                              one more row (row.h), from 0 on
 *     right WHAT ROW...        what is right for these, in one word: f (forwarded), c (cut),
 *                              s (SERVFAIL), x (connections may end), 0 to 9 (order N)
 *     phase NAME               what is asked from now on counts under this name
 *     ask yes|no               whether anything more is
 *     answers                  right ones so far, by row, in one line
 *     now                      an instant
 *     waiting INSTANT          how many of those that were asked before it have no answer yet
 *     figures                  one line of JSON: `wrong` and the like, by phase
 * It ends with its input.
 */
#include "test/soak/asker.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN_MS 4
#define TURN_MAX_NS UINT64_C(100000000) /* a longer one: the machine did something else */

static SSL_CTX *tls;
static const char *quic_client;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* ---- What speaks for another ---- */

/* A PROXY header, version 2, for a client of the server's family. */
static void put_proxy(struct way_route *route, const char *client, bool stream)
{
    static const uint8_t magic[] = "\r\n\r\n\0\r\nQUIT\n";
    bool ipv6 = strchr(client, ':') != NULL;
    size_t octets = ipv6 ? 16 : 4;
    int family = ipv6 ? AF_INET6 : AF_INET;
    uint8_t *at = route->prefix;
    memcpy(at, magic, 12);
    at[12] = 0x21;
    at[13] = (uint8_t)((ipv6 ? 0x20 : 0x10) | (stream ? 1 : 2));
    at[14] = 0;
    at[15] = (uint8_t)(2 * octets + 4);
    if (inet_pton(family, client, at + 16) != 1 ||
        inet_pton(family, route->server, at + 16 + octets) != 1) {
        die(client);
    }
    const uint8_t ports[] = {0x10, 0x92, 0, 53};
    memcpy(at + 16 + 2 * octets, ports, sizeof ports);
    route->prefix_size = 16 + 2 * octets + sizeof ports;
}

/* The /24 of an IPv4 client (RFC 7871). */
static void put_ecs(struct row_plan *plan, const char *client)
{
    uint8_t address[4];
    if (inet_pton(AF_INET, client, address) != 1) {
        die(client);
    }
    const uint8_t data[] = {0, 1, 24, 0, address[0], address[1], address[2]};
    memcpy(plan->ecs, data, sizeof data);
    plan->ecs_size = sizeof data;
}

/* ---- Commands ---- */

static const struct way_kind *kind_of(const char *name)
{
    static const struct way_kind *const kinds[] = {&way_udp,   &way_tcp, &way_tls,
                                                   &way_https, &way_get, &way_quic};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kinds[i]->name, name) == 0) {
            return kinds[i];
        }
    }
    return NULL;
}

static bool add_row(struct asker *asker, const char *line)
{
    struct row_plan plan = {.route = {.base = asker->base, .tls = tls, .quic_client = quic_client}};
    char kind[8];
    char suffix[64];
    char how[16] = "";
    char client[INET6_ADDRSTRLEN] = "";
    if (sscanf(line, "%7s %45s %45s %hu %63s %u %lf %u %15s %45s", kind, plan.route.local,
               plan.route.server, &plan.route.port, suffix, &plan.window, &plan.rate,
               &plan.turnover, how, client) < 8) {
        return false;
    }
    plan.kind = kind_of(kind);
    plan.suffix = suffix;
    if (plan.kind == NULL || plan.window > WAY_SLOTS || asker->row_count == ASKER_ROWS) {
        return false;
    }
    if (strcmp(how, "proxy") == 0) {
        put_proxy(&plan.route, client, plan.kind->stream);
    } else if (strcmp(how, "ecs") == 0) {
        put_ecs(&plan, client);
    }
    plan.transfers = strcmp(how, "transfers") == 0;
    struct row *row = row_new(asker, &plan);
    if (row == NULL) {
        die("row");
    }
    asker->rows[asker->row_count++] = row;
    return true;
}

static uint32_t right_of(const char *letters)
{
    static const char names[] = "fcsx";
    static const uint32_t bits[] = {ROW_FORWARD, ROW_CUT, ROW_SERVFAIL, ROW_CLOSED};
    uint32_t right = 0;
    for (; *letters != '\0'; letters++) {
        const char *name = strchr(names, *letters);
        right |= name != NULL ? bits[name - names] : 1U << (*letters - '0') % ROW_TEXTS;
    }
    return right;
}

static bool set_right(struct asker *asker, char *line)
{
    char *rest;
    const char *letters = strtok_r(line, " ", &rest);
    const char *row;
    while (letters != NULL && (row = strtok_r(NULL, " ", &rest)) != NULL) {
        unsigned number = (unsigned)atoi(row);
        if (number >= asker->row_count) {
            return false;
        }
        row_set_right(asker->rows[number], right_of(letters));
    }
    return letters != NULL;
}

static bool set_text(struct asker *asker, const char *line)
{
    unsigned number;
    int at = 0;
    if (sscanf(line, "%u %n", &number, &at) != 1 || number >= ROW_TEXTS) {
        return false;
    }
    asker->texts[number] = strdup(line + at);
    return asker->texts[number] != NULL;
}

static bool begin_phase(struct asker *asker, const char *name)
{
    if (asker->phase + 1 == ASKER_PHASES) {
        return false;
    }
    asker->phase++;
    snprintf(asker->phases[asker->phase].name, PHASE_NAME_MAX, "%s", name);
    return true;
}

static void print_answers(const struct asker *asker)
{
    for (unsigned i = 0; i < asker->row_count; i++) {
        printf("%llu ", (unsigned long long)row_answers(asker->rows[i]));
    }
    putchar('\n');
}

static void print_waiting(const struct asker *asker, const char *instant)
{
    uint64_t asked_ns = strtoull(instant, NULL, 10);
    unsigned count = 0;
    for (unsigned i = 0; i < asker->row_count; i++) {
        count += row_waiting(asker->rows[i], asked_ns);
    }
    printf("%u\n", count);
}

static void print_figures(const struct asker *asker)
{
    putchar('[');
    for (unsigned i = 0; i <= asker->phase; i++) {
        const struct phase *phase = &asker->phases[i];
        printf("%s{\"phase\": \"%s\", \"queries\": %llu, \"answers\": %llu, \"wrong\": %llu, "
               "\"lost\": %llu, \"closed\": %llu, \"servfail\": %llu, \"cut\": %llu, "
               "\"worst\": %llu, \"p99\": %llu, \"stood\": %llu}",
               i == 0 ? "" : ", ", phase->name, (unsigned long long)phase->queries,
               (unsigned long long)phase->answers, (unsigned long long)phase->wrong,
               (unsigned long long)phase->lost, (unsigned long long)phase->closed,
               (unsigned long long)phase->servfail, (unsigned long long)phase->cut,
               (unsigned long long)phase->worst_us,
               (unsigned long long)phase_percentile(phase, 0.99),
               (unsigned long long)phase->stood_us);
    }
    puts("]");
}

/* Commands that are answered with more than `ok`. */
static bool tell(const struct asker *asker, const char *what, const char *rest)
{
    if (strcmp(what, "answers") == 0) {
        print_answers(asker);
    } else if (strcmp(what, "figures") == 0) {
        print_figures(asker);
    } else if (strcmp(what, "now") == 0) {
        printf("%llu\n", (unsigned long long)asker_now_ns());
    } else if (strcmp(what, "waiting") == 0) {
        print_waiting(asker, rest);
    } else {
        return false;
    }
    return true;
}

static void obey(struct asker *asker, char *line)
{
    char *rest = strchr(line, ' ');
    bool done = true;
    if (rest != NULL) {
        *rest++ = '\0';
    } else {
        rest = line + strlen(line);
    }
    if (tell(asker, line, rest)) {
        return;
    }
    if (strcmp(line, "right") == 0) {
        done = set_right(asker, rest);
    } else if (strcmp(line, "row") == 0) {
        done = add_row(asker, rest);
    } else if (strcmp(line, "text") == 0) {
        done = set_text(asker, rest);
    } else if (strcmp(line, "phase") == 0) {
        done = begin_phase(asker, rest);
    } else if (strcmp(line, "seed") == 0) {
        asker->seed = strtoull(rest, NULL, 10);
    } else if (strcmp(line, "lost") == 0) {
        asker->lost_ns = strtoull(rest, NULL, 10) * 1000000U;
    } else if (strcmp(line, "show") == 0) {
        asker->show = (unsigned)atoi(rest);
    } else if (strcmp(line, "ask") == 0) {
        asker->asking = strcmp(rest, "yes") == 0;
    } else {
        done = false;
    }
    puts(done ? "ok" : "what?");
}

static void on_command(struct bufferevent *input, void *ctx)
{
    char *line;
    while ((line = evbuffer_readln(bufferevent_get_input(input), NULL, EVBUFFER_EOL_LF)) != NULL) {
        obey(ctx, line);
        fflush(stdout);
        free(line);
    }
}

static void on_input_end(struct bufferevent *input, short what, void *ctx)
{
    (void)input;
    (void)what;
    (void)ctx;
    exit(0);
}

/* ---- Turns ---- */

/* How long the last turn was, as patience counts it: a turn that was long says that the asker did
 * not run, and answers may lie unread. */
static void count_time(struct asker *asker, uint64_t spent_ns)
{
    struct phase *phase = &asker->phases[asker->phase];
    asker->patience_ns += spent_ns < TURN_MAX_NS ? spent_ns : TURN_MAX_NS;
    if (spent_ns / 1000 > phase->stood_us) {
        phase->stood_us = spent_ns / 1000;
    }
}

static void on_turn(evutil_socket_t unused, short what, void *ctx)
{
    static uint64_t last;
    struct asker *asker = ctx;
    uint64_t now = asker_now_ns();
    uint64_t spent_ns = last == 0 ? 0 : now - last;
    (void)unused;
    (void)what;
    last = now;
    count_time(asker, spent_ns);
    for (unsigned i = 0; i < asker->row_count; i++) {
        row_turn(asker->rows[i], (double)spent_ns / 1e9, asker->asking);
        row_give_up(asker->rows[i]);
    }
}

int main(int argc, char **argv)
{
    static struct asker asker = {.lost_ns = UINT64_C(10000000000)};
    const struct timeval turn = {0, TURN_MS * 1000};
    if (argc != 2) {
        fputs("usage: asker QUIC-CLIENT\n", stderr);
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    signal(SIGCHLD, SIG_IGN);
    quic_client = argv[1];
    tls = SSL_CTX_new(TLS_client_method());
    asker.base = event_base_new();
    evutil_make_socket_nonblocking(STDIN_FILENO);
    struct bufferevent *commands = bufferevent_socket_new(asker.base, STDIN_FILENO, 0);
    struct event *timer = event_new(asker.base, -1, EV_PERSIST, on_turn, &asker);
    if (tls == NULL || commands == NULL || timer == NULL || event_add(timer, &turn) != 0) {
        die("asker");
    }
    snprintf(asker.phases[0].name, PHASE_NAME_MAX, "start");
    bufferevent_setcb(commands, on_command, NULL, on_input_end, &asker);
    bufferevent_enable(commands, EV_READ);
    event_base_dispatch(asker.base);
    return 0;
}
