/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Clients over TLS, with a whole worker behind them: handshakes that are honest, slow, too many or
 * no handshakes at all; queries and answers with the options of the hop; half-closing, clients that
 * do not read, draining.
 */
#include "forwarder/stream/stream_transport.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "test/certificate_make.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"
#define PADDED_BLOCK 468

static SSL_CTX *context; /* of clients */

struct client {
    int socket;
    SSL *tls;
};

static void put_files(void)
{
    struct certificate_text text;
    certificate_make(1700000000, 4000000000, &text);
    put("cert.pem", text.certificate);
    put("key.pem", text.key);
}

static void set_up(void)
{
    bench_tls = true;
    bench_files = put_files;
    context = SSL_CTX_new(TLS_client_method());
}

static void tear_down(void)
{
    SSL_CTX_free(context);
    bench_fini();
}

/* Connects; its handshake is not begun. */
static struct client connect_client(const char *from)
{
    struct client client = {bench_client(from, SOCK_STREAM), SSL_new(context)};
    ck_assert_int_eq(evutil_make_socket_nonblocking(client.socket), 0);
    ck_assert_int_eq(SSL_set_fd(client.tls, client.socket), 1);
    SSL_set_connect_state(client.tls);
    return client;
}

enum step {
    STEP_HANDSHAKE,
    STEP_READ,
    STEP_WRITE,
};

static int take_step(const struct client *client, enum step step, void *octets, size_t size)
{
    ERR_clear_error();
    switch (step) {
    case STEP_HANDSHAKE:
        return SSL_do_handshake(client->tls);
    case STEP_READ:
        return SSL_read(client->tls, octets, (int)size);
    case STEP_WRITE:
        return SSL_write(client->tls, octets, (int)size);
    }
    return -1;
}

/* Repeats a step while it would block; its last result. */
static int insist(const struct client *client, enum step step, void *octets, size_t size)
{
    uint64_t limit = loop_now_ms() + LOOP_LIMIT_MS;
    for (;;) {
        int result = take_step(client, step, octets, size);
        int error = SSL_get_error(client->tls, result);
        if (result > 0 || (error != SSL_ERROR_WANT_READ && error != SSL_ERROR_WANT_WRITE)) {
            return result;
        }
        ck_assert_msg(loop_now_ms() < limit, "waited in vain for step %d", (int)step);
        loop_round(bench.base);
    }
}

static struct client open_client(const char *from)
{
    struct client client = connect_client(from);
    ck_assert_int_eq(insist(&client, STEP_HANDSHAKE, NULL, 0), 1);
    return client;
}

static void close_client(struct client *client)
{
    SSL_free(client->tls);
    close(client->socket);
}

static void tell(struct client *client, const struct fake_message *message)
{
    uint8_t framed[2 + DNS_MESSAGE_MAX] = {(uint8_t)(message->size >> 8), (uint8_t)message->size};
    memcpy(framed + 2, message->bytes, message->size);
    ck_assert_int_gt(insist(client, STEP_WRITE, framed, message->size + 2), 0);
}

static void ask(struct client *client, uint16_t id, const char *name)
{
    struct fake_message message;
    bench_query(&message, id, name);
    tell(client, &message);
}

/* Reads exactly so much; false at the end. */
static bool read_octets(struct client *client, uint8_t *out, size_t size)
{
    for (size_t have = 0; have < size;) {
        int got = insist(client, STEP_READ, out + have, size - have);
        if (got <= 0) {
            ck_assert_uint_eq(have, 0);
            return false;
        }
        have += (size_t)got;
    }
    return true;
}

static void hear(struct client *client, struct fake_message *message)
{
    uint8_t length[2];
    ck_assert(read_octets(client, length, 2));
    message->size = (size_t)(length[0] << 8 | length[1]);
    ck_assert(read_octets(client, message->bytes, message->size));
}

static void expect(struct client *client, uint16_t id, enum dns_rcode rcode)
{
    struct fake_message message;
    hear(client, &message);
    ck_assert_uint_eq(dns_id(message.bytes), id);
    ck_assert_uint_eq(message.bytes[3] & DNS_RCODE_MASK, (unsigned)rcode);
}

/* The end, told by TLS itself. */
static void expect_goodbye(struct client *client)
{
    uint8_t octet;
    int got = insist(client, STEP_READ, &octet, 1);
    ck_assert_int_eq(SSL_get_error(client->tls, got), SSL_ERROR_ZERO_RETURN);
    close_client(client);
}

/* ---- Queries ---- */

START_TEST(queries_are_answered)
{
    struct fake_message query;
    bench_init("");
    struct client client = open_client(ITALY);
    ask(&client, 1, BLOCKED);
    ask(&client, 2, OTHER);
    expect(&client, 1, DNS_RCODE_REFUSED);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    bench_answer(upstream, &query);
    expect(&client, 2, DNS_RCODE_NOERROR);
    ck_assert_uint_eq(bench_counter(COUNTER_TLS_ACCEPTED), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_ACCEPTED), 1);
    close_client(&client);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    close(upstream);
}
END_TEST

/* Appends an OPT, with these options. */
static void add_opt(struct fake_message *message, const char *options)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span parsed = wire_parse(options, bytes);
    uint8_t head[] = {0, 0, 41, 4, 208, 0, 0, 0, 0, 0, (uint8_t)parsed.size};
    memcpy(message->bytes + message->size, head, sizeof head);
    memcpy(message->bytes + message->size + sizeof head, bytes, parsed.size);
    message->size += sizeof head + parsed.size;
    message->bytes[11]++;
}

START_TEST(a_block_and_an_answer_are_padded_alike)
{
    struct fake_message blocked, other, query, plain;
    bench_init("");
    struct client client = open_client(ITALY);
    bench_query(&blocked, 1, BLOCKED);
    add_opt(&blocked, "000b 0000 000c 0005 0000000000");
    tell(&client, &blocked);
    hear(&client, &blocked);
    ck_assert_uint_eq(blocked.size, PADDED_BLOCK);

    bench_query(&other, 2, OTHER);
    plain = other;
    add_opt(&other, "000c 0005 0000000000 000b 0000");
    add_opt(&plain, "");
    tell(&client, &other);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    ck_assert_uint_eq(query.size, plain.size); /* without what was the hop's */
    ck_assert_mem_eq(query.bytes + 2, plain.bytes + 2, plain.size - 2);
    bench_answer(upstream, &query);
    hear(&client, &other);
    ck_assert_uint_eq(other.size, PADDED_BLOCK);
    close_client(&client);
    close(upstream);
}
END_TEST

/* The promise: who asks for nothing of the hop gets through unchanged. */
START_TEST(without_options_of_the_hop_no_octet_changes)
{
    struct fake_message asked, query, answer;
    bench_init("");
    struct client client = open_client(NOWHERE);
    int upstream = -1;
    for (unsigned i = 0; i < 3; i++) {
        bench_query(&asked, (uint16_t)i, OTHER);
        if (i > 0) {
            add_opt(&asked, i == 1 ? "" : "fde9 0002 0b0c");
        }
        tell(&client, &asked);
        upstream = upstream < 0 ? fake_server_accept(&bench.server, bench.base) : upstream;
        bench_read(upstream, &query);
        ck_assert_uint_eq(query.size, asked.size);
        ck_assert_mem_eq(query.bytes + 2, asked.bytes + 2, asked.size - 2);
        bench_answer(upstream, &query);
        hear(&client, &answer);
        fake_answer(&asked);
        ck_assert_uint_eq(answer.size, asked.size);
        ck_assert_mem_eq(answer.bytes, asked.bytes, asked.size);
    }
    close_client(&client);
    close(upstream);
}
END_TEST

/* While there is no room for answers nothing is read; nothing is lost, whatever records hold. */
START_TEST(a_burst_of_queries_is_answered_whole)
{
    static uint8_t burst[128 * 1024];
    struct fake_message message;
    int room = 1 << 20;
    uint16_t count = 0;
    size_t size = 0;
    bench_init("limits: {stream-output: 64 KiB}\n");
    struct client client = open_client(ITALY);
    ck_assert_int_eq(setsockopt(client.socket, SOL_SOCKET, SO_SNDBUF, &room, sizeof room), 0);
    ask(&client, count++, BLOCKED);
    for (;;) {
        bench_query(&message, count, BLOCKED);
        if (size + 2 + message.size > sizeof burst) {
            break;
        }
        burst[size++] = 0;
        burst[size++] = (uint8_t)message.size;
        memcpy(burst + size, message.bytes, message.size);
        size += message.size;
        count++;
    }
    ck_assert_int_eq(insist(&client, STEP_WRITE, burst, size), (int)size);
    for (uint16_t id = 0; id < count; id++) {
        expect(&client, id, DNS_RCODE_REFUSED);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_OVERFLOW), 0);
    close_client(&client);
}
END_TEST

/* ---- Ends ---- */

START_TEST(after_a_half_close_what_is_due_is_sent)
{
    struct fake_message query;
    bench_init("");
    struct client client = open_client(NOWHERE);
    ask(&client, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    ck_assert_int_eq(SSL_shutdown(client.tls), 0);
    loop_for(bench.base, 20);
    ck_assert_uint_eq(bench_connections(), 1);
    bench_answer(upstream, &query);
    expect(&client, 1, DNS_RCODE_NOERROR);
    expect_goodbye(&client);
    close(upstream);
}
END_TEST

/* What waits to be written when the end of input comes is written all the same. */
START_TEST(a_half_close_behind_much_output)
{
    static struct fake_message large;
    enum {
        ANSWERS = 6
    };
    bench_init("limits: {stream-output: 1 MiB}\n");
    struct client client = open_client(NOWHERE);
    for (uint16_t id = 0; id < ANSWERS; id++) {
        ask(&client, id, OTHER);
    }
    int upstream = fake_server_accept(&bench.server, bench.base);
    for (unsigned i = 0; i < ANSWERS; i++) {
        bench_read(upstream, &large);
        large.size = 60000;
        bench_answer(upstream, &large);
    }
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_ANSWERED) == ANSWERS);
    ck_assert_int_eq(SSL_shutdown(client.tls), 0);
    loop_for(bench.base, 20);
    for (unsigned i = 0; i < ANSWERS; i++) {
        hear(&client, &large);
        ck_assert_uint_eq(large.size, 60000);
    }
    expect_goodbye(&client);
    close(upstream);
}
END_TEST

START_TEST(an_idle_client_is_told_goodbye)
{
    bench_init("limits: {tcp-idle: 100ms}\n");
    struct client client = open_client(ITALY);
    ask(&client, 1, BLOCKED);
    expect(&client, 1, DNS_RCODE_REFUSED);
    expect_goodbye(&client);
    ck_assert_uint_eq(bench_connections(), 0);
    ck_assert_uint_eq(bench_counter(COUNTER_TLS_FAILED), 0);
}
END_TEST

START_TEST(draining_says_goodbye)
{
    struct fake_message query;
    bench_init("");
    struct client idle = open_client(NOWHERE), waiting = open_client(NOWHERE);
    struct client early = connect_client(NOWHERE);
    ask(&waiting, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &query);
    LOOP_UNTIL(bench.base, bench_connections() == 3);
    stream_client_drain(bench.worker, NULL);
    expect_goodbye(&idle);
    bench_answer(upstream, &query);
    expect(&waiting, 1, DNS_RCODE_NOERROR);
    expect_goodbye(&waiting);
    LOOP_UNTIL(bench.base, bench_connections() == 0);
    ck_assert_uint_eq(bench_counter(COUNTER_TLS_FAILED), 0);
    close_client(&early);
    close(upstream);
}
END_TEST

START_TEST(who_does_not_read_is_closed)
{
    bench_init("limits: {tcp-idle: 100ms, stream-output: 64 KiB}\n");
    struct client client = open_client(ITALY);
    struct fake_message message;
    uint8_t framed[64] = {0};
    bench_query(&message, 1, BLOCKED);
    framed[1] = (uint8_t)message.size;
    memcpy(framed + 2, message.bytes, message.size);
    for (unsigned i = 0; bench_connections() == 1; i++) {
        if (SSL_write(client.tls, framed, (int)message.size + 2) <= 0 || i % 64 == 0) {
            loop_round(bench.base);
        }
        ck_assert_uint_lt(i, 10000000);
    }
    close_client(&client);
}
END_TEST

/* ---- Handshakes ---- */

START_TEST(what_is_no_handshake_is_closed)
{
    static const char *const octets[] = {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\xff\xff garbage",
                                         "\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00",
                                         "\x15\x03\x03\x00\x02\x02\x28"};
    static const size_t sizes[] = {18, 13, 10, 7};
    uint8_t answer[4096];
    bench_init("");
    for (size_t i = 0; i < 4; i++) {
        int client = bench_client(NOWHERE, SOCK_STREAM);
        ck_assert_int_eq(send(client, octets[i], sizes[i], 0), (ssize_t)sizes[i]);
        shutdown(client, SHUT_WR);
        LOOP_UNTIL(bench.base, bench_counter(COUNTER_TLS_FAILED) == i + 1);
        LOOP_UNTIL(bench.base, bench_connections() == 0);
        while (recv(client, answer, sizeof answer, 0) > 0) { /* an alert */
        }
        close(client);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TLS_ACCEPTED), 0);
}
END_TEST

/* Not by the byte either: the deadline is from the first to the last. */
START_TEST(a_slow_handshake_is_closed)
{
    bench_init("limits: {tcp-idle: 200ms}\n");
    struct client honest = open_client(ITALY);
    int slow = bench_client(NOWHERE, SOCK_STREAM);
    int silent = bench_client(NOWHERE, SOCK_STREAM);
    static const char hello[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    for (size_t i = 0; bench_counter(COUNTER_TLS_FAILED) < 2; i++) {
        (void)!send(slow, i < sizeof hello ? hello + i : "\0", 1, MSG_NOSIGNAL);
        ask(&honest, 1, BLOCKED);
        expect(&honest, 1, DNS_RCODE_REFUSED);
        ck_assert_uint_lt(i, 1000);
        loop_for(bench.base, 20);
    }
    ck_assert_uint_eq(bench_connections(), 1);
    close(slow);
    close(silent);
    close_client(&honest);
}
END_TEST

/* Four connections make a limit of two handshakes. */
START_TEST(the_oldest_of_too_many_handshakes_gives_way)
{
    int waiting[5];
    bench_init("limits: {tcp-connections: 4}\n");
    for (size_t i = 0; i < 5; i++) {
        waiting[i] = bench_client(NOWHERE, SOCK_STREAM);
        LOOP_UNTIL(bench.base, bench_counter(COUNTER_TCP_ACCEPTED) == i + 1);
        LOOP_UNTIL(bench.base, bench_connections() == (i < 2 ? i + 1 : 2));
    }
    ck_assert_uint_eq(bench_counter(COUNTER_TLS_FAILED), 3);
    struct client honest = open_client(ITALY);
    ask(&honest, 1, BLOCKED);
    expect(&honest, 1, DNS_RCODE_REFUSED);
    ck_assert_uint_eq(bench_counter(COUNTER_TCP_REFUSED), 0);
    for (size_t i = 0; i < 5; i++) {
        close(waiting[i]);
    }
    close_client(&honest);
}
END_TEST

static void put_no_files(void)
{
}

START_TEST(without_a_certificate_nobody_is_served)
{
    bench_files = put_no_files;
    bench_init("");
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_expect_end(client);
    ck_assert_uint_eq(bench_counter(COUNTER_TLS_FAILED), 1);
    ck_assert_uint_eq(bench_connections(), 0);
}
END_TEST

START_TEST(nothing_is_renegotiated)
{
    bench_init("");
    struct client client = connect_client(ITALY);
    SSL_set_max_proto_version(client.tls, TLS1_2_VERSION);
    ck_assert_int_eq(insist(&client, STEP_HANDSHAKE, NULL, 0), 1);
    ck_assert_int_eq(SSL_renegotiate(client.tls), 1);
    ck_assert_int_le(insist(&client, STEP_HANDSHAKE, NULL, 0), 0);
    LOOP_UNTIL(bench.base, bench_connections() == 0 || !loop_readable(client.socket));
    close_client(&client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("stream_transport");
    TCase *tcase = tcase_create("stream_transport");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, queries_are_answered);
    tcase_add_test(tcase, a_block_and_an_answer_are_padded_alike);
    tcase_add_test(tcase, without_options_of_the_hop_no_octet_changes);
    tcase_add_test(tcase, a_burst_of_queries_is_answered_whole);
    tcase_add_test(tcase, after_a_half_close_what_is_due_is_sent);
    tcase_add_test(tcase, a_half_close_behind_much_output);
    tcase_add_test(tcase, an_idle_client_is_told_goodbye);
    tcase_add_test(tcase, draining_says_goodbye);
    tcase_add_test(tcase, who_does_not_read_is_closed);
    tcase_add_test(tcase, what_is_no_handshake_is_closed);
    tcase_add_test(tcase, a_slow_handshake_is_closed);
    tcase_add_test(tcase, the_oldest_of_too_many_handshakes_gives_way);
    tcase_add_test(tcase, without_a_certificate_nobody_is_served);
    tcase_add_test(tcase, nothing_is_renegotiated);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
