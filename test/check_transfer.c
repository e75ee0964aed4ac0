/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Zone transfers, relayed: which queries are some, whose messages belong to them, how they end, and
 * that a client that does not keep up loses nothing.
 */
#include "forwarder/upstream/transfer.h"

#include "test/upstream_bench.h"
#include "test/suite.h"

#define SERVERS 2

#define AXFR "cafe 0000 0001 0000 0000 0000 07'example'00 00fc 0001"

static struct bench *bench;
static struct fake_server servers[SERVERS];
static struct upstream *upstream;
static struct upstream_set *set;
static struct transfer *transfer;

static unsigned messages; /* told of so far */
static size_t octets;
static unsigned take;        /* so many messages and no more; 0: all */
static unsigned pause_after; /* so many messages; 0: never */
static unsigned idle_ms;
static bool ended;
static enum transfer_end how;

static bool on_message(void *ctx, struct transfer *which, struct span message)
{
    ck_assert_ptr_eq(ctx, bench);
    ck_assert_ptr_eq(which, transfer);
    ck_assert_uint_ge(message.size, DNS_HEADER_SIZE);
    ck_assert_uint_eq(dns_id(message.bytes), 0xcafe);
    memcpy(bench->answer.bytes, message.bytes, message.size);
    bench->answer.size = message.size;
    octets += message.size;
    messages++;
    if (messages == pause_after) {
        transfer_pause(which, true);
    }
    return take == 0 || messages <= take;
}

static void on_end(void *ctx, struct transfer *which, enum transfer_end end)
{
    ck_assert_ptr_eq(ctx, bench);
    ck_assert_ptr_eq(which, transfer);
    ck_assert(!ended);
    ended = true;
    how = end;
    transfer_free(which);
    transfer = NULL;
}

static void set_up(void)
{
    bench = bench_new(1);
    bench->config.balance = CONFIG_BALANCE_FIRST;
    messages = 0;
    octets = 0;
    take = 0;
    pause_after = 0;
    idle_ms = 30000; /* no test gets there that has not shortened it */
    ended = false;
    for (size_t i = 0; i < SERVERS; i++) {
        fake_server_open(&servers[i]);
        bench_target(bench, &servers[i]);
    }
    upstream = upstream_new(&bench->env);
    set = upstream_set_new(1, bench->targets, SERVERS);
    ck_assert_ptr_nonnull(upstream);
    ck_assert_ptr_nonnull(set);
    upstream_adopt(upstream, set);
}

static void tear_down(void)
{
    transfer_free(transfer);
    upstream_free(upstream);
    upstream_set_free(set);
    for (size_t i = 0; i < SERVERS; i++) {
        fake_server_close(&servers[i]);
    }
    bench_free(bench);
}

static void begin(void)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct transfer_request request = {.query = wire_parse(AXFR, bytes), .idle_ms = idle_ms};
    struct transfer_events events = {on_message, on_end, bench};
    transfer = transfer_new(&bench->env, upstream, &request, &events);
    ck_assert_ptr_nonnull(transfer);
    ck_assert(wire_equal(transfer_query(transfer), request.query));
}

/* The connection on which the transfer asks a server; *message is its query. */
static int asked(size_t server, struct fake_message *message)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span query = wire_parse(AXFR, bytes);
    int connection = fake_server_accept(&servers[server], bench->base);
    ck_assert(fake_stream_read(connection, bench->base, message));
    ck_assert_uint_eq(message->size, query.size);
    ck_assert_mem_eq(message->bytes + 2, query.bytes + 2, query.size - 2);
    return connection;
}

static const struct {
    const char *label;
    const char *query;
    bool wanted;
} QUERIES[] = {
    {"AXFR", AXFR, true},
    {"IXFR", "cafe 0000 0001 0000 0000 0000 07'example'00 00fb 0001", true},
    {"IXFR with its SOA",
     "cafe 0000 0001 0000 0001 0000 07'example'00 00fb 0001 c00c 0006 0001 00000000 0000", true},
    {"any class", "cafe 0000 0001 0000 0000 0000 07'example'00 00fc 00ff", true},
    {"the root", "cafe 0000 0001 0000 0000 0000 00 00fc 0001", true},
    {"SOA", "cafe 0000 0001 0000 0000 0000 07'example'00 0006 0001", false},
    {"ANY", "cafe 0000 0001 0000 0000 0000 07'example'00 00ff 0001", false},
    {"NOTIFY", "cafe 2000 0001 0000 0000 0000 07'example'00 00fc 0001", false},
    {"two questions",
     "cafe 0000 0002 0000 0000 0000 07'example'00 00fc 0001 07'example'00 00fc 0001", false},
    {"no question", "cafe 0000 0000 0000 0000 0000", false},
    {"a cut question", "cafe 0000 0001 0000 0000 0000 07'example'00 00fc 00", false},
    {"a cut header", "cafe 0000 0001 00", false},
};

START_TEST(transfers_are_recognised)
{
    for (size_t i = 0; i < ROWS(QUERIES); i++) {
        uint8_t bytes[WIRE_NOTATION_MAX];
        struct span query = wire_parse(QUERIES[i].query, bytes);
        ck_assert_msg(transfer_wanted(query) == QUERIES[i].wanted, "%s", QUERIES[i].label);
    }
}
END_TEST

START_TEST(messages_are_relayed_until_upstream_closes)
{
    struct fake_message message;
    begin();
    int connection = asked(0, &message);
    fake_answer(&message);
    for (unsigned i = 0; i < 100; i++) {
        message.bytes[3] = (uint8_t)(i & 0x70U); /* bits that mean nothing here */
        fake_stream_write(connection, bench->base, &message);
    }
    LOOP_UNTIL(bench->base, messages == 100);
    ck_assert_uint_eq(octets, 100 * message.size);
    ck_assert_mem_eq(bench->answer.bytes + 2, message.bytes + 2, message.size - 2);
    ck_assert(!ended);
    close(connection);
    LOOP_UNTIL(bench->base, ended);
    ck_assert_int_eq(how, TRANSFER_CLOSED);
}
END_TEST

/* Behind the ID of the query. */
static const struct {
    const char *label;
    const char *message;
    bool belongs;
} MESSAGES[] = {
    {"with the question", "8400 0001 0000 0000 0000 07'example'00 00fc 0001", true},
    {"without a question", "8400 0000 0000 0000 0000", true},
    {"with another question", "8400 0001 0000 0000 0000 07'exomple'00 00fc 0001", false},
    {"a query", "0000 0001 0000 0000 0000 07'example'00 00fc 0001", false},
    {"too short", "8400", false},
};

START_TEST(only_messages_of_the_transfer_are_relayed)
{
    struct fake_message query;
    struct fake_message message;
    uint8_t bytes[WIRE_NOTATION_MAX];
    unsigned good = 0;
    begin();
    int connection = asked(0, &query);
    for (size_t i = 0; i < ROWS(MESSAGES); i++) {
        struct span rest = wire_parse(MESSAGES[i].message, bytes);
        message.size = 2 + rest.size;
        memcpy(message.bytes + 2, rest.bytes, rest.size);
        dns_set_id(message.bytes, (uint16_t)(dns_id(query.bytes) + 1));
        fake_stream_write(connection, bench->base, &message);
        dns_set_id(message.bytes, dns_id(query.bytes));
        fake_stream_write(connection, bench->base, &message);
        good += MESSAGES[i].belongs ? 1 : 0;
        LOOP_UNTIL(bench->base, messages + bench_counter(bench, COUNTER_UNMATCHED) == 2 * (i + 1));
        ck_assert_msg(messages == good, "%s", MESSAGES[i].label);
    }
    close(connection);
}
END_TEST

/* The second message is not taken: that is the end, whatever upstream has to say. */
START_TEST(what_is_not_taken_ends_it)
{
    struct fake_message message;
    take = 1;
    begin();
    int connection = asked(0, &message);
    fake_answer(&message);
    for (unsigned i = 0; i < 5; i++) {
        fake_stream_write(connection, bench->base, &message);
    }
    LOOP_UNTIL(bench->base, ended);
    ck_assert_int_eq(how, TRANSFER_CLOSED);
    ck_assert_uint_eq(messages, 2);
    ck_assert_uint_eq(bench_counter(bench, COUNTER_ANSWERED), 1);
    close(connection);
}
END_TEST

START_TEST(upstream_sees_an_id_of_its_own)
{
    struct fake_message message;
    unsigned same = 0;
    for (unsigned i = 0; i < 3; i++) { /* three times the client's ID is one chance in 2^48 */
        begin();
        int connection = asked(0, &message);
        same += dns_id(message.bytes) == 0xcafe ? 1 : 0;
        transfer_free(transfer);
        transfer = NULL;
        ck_assert_msg(!fake_stream_read(connection, bench->base, &message), "closed by its end");
        close(connection);
    }
    ck_assert_uint_lt(same, 3);
}
END_TEST

START_TEST(silence_after_messages_is_an_end)
{
    struct fake_message message;
    idle_ms = 300;
    begin();
    int connection = asked(0, &message);
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, messages == 1);
    uint64_t began = loop_now_ms();
    LOOP_UNTIL(bench->base, ended);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + idle_ms);
    ck_assert_int_eq(how, TRANSFER_IDLE);
    close(connection);
}
END_TEST

/* ---- Servers that do not answer ---- */

START_TEST(a_server_that_refuses_is_passed_over)
{
    struct fake_message message;
    fake_server_close(&servers[0]);
    begin();
    int connection = asked(1, &message);
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, messages == 1);
    close(connection);
}
END_TEST

START_TEST(a_server_that_closes_is_passed_over)
{
    struct fake_message message;
    begin();
    close(asked(0, &message));
    int connection = asked(1, &message);
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, messages == 1);
    close(connection);
}
END_TEST

START_TEST(a_server_that_does_not_take_the_connection_is_passed_over)
{
    struct fake_message message;
    int fillers[FAKE_FILLERS];
    bench->config.retry_after_ms = 100;
    fake_server_fill(&servers[0], fillers);
    loop_for(bench->base, 20);
    uint64_t began = loop_now_ms();
    begin();
    int connection = asked(1, &message);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + bench->config.retry_after_ms);
    fake_answer(&message);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, messages == 1);
    fake_server_empty(fillers);
    close(connection);
}
END_TEST

/* It may be at work on a large zone: the client is told when its time is over, and not before. */
START_TEST(a_server_that_is_silent_is_waited_for)
{
    struct fake_message message;
    bench->config.timeout_ms = 300;
    begin();
    uint64_t began = loop_now_ms();
    int silent = asked(0, &message);
    LOOP_UNTIL(bench->base, ended);
    ck_assert_int_eq(how, TRANSFER_UNANSWERED);
    ck_assert_uint_ge(loop_now_ms() + LOOP_COARSE_MS, began + bench->config.timeout_ms);
    ck_assert(!loop_readable(servers[1].tcp));
    close(silent);
}
END_TEST

START_TEST(nobody_answers)
{
    begin();
    for (size_t i = 0; i < SERVERS; i++) {
        fake_server_close(&servers[i]);
    }
    LOOP_UNTIL(bench->base, ended);
    ck_assert_int_eq(how, TRANSFER_UNANSWERED);
    ck_assert_uint_eq(messages, 0);
}
END_TEST

START_TEST(nobody_can_be_asked)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct transfer_request request = {.query = wire_parse(AXFR, bytes), .idle_ms = idle_ms};
    struct transfer_events events = {on_message, on_end, bench};
    struct upstream_set *empty = upstream_set_new(2, NULL, 0);
    upstream_adopt(upstream, empty);
    ck_assert_ptr_null(transfer_new(&bench->env, upstream, &request, &events));
    upstream_set_free(empty);
}
END_TEST

/* A message that has nothing to do with the transfer is not one of its messages. */
START_TEST(rubbish_is_not_a_first_message)
{
    struct fake_message message;
    begin();
    int connection = asked(0, &message);
    fake_stream_write(connection, bench->base, &message); /* QR=0 */
    LOOP_UNTIL(bench->base, bench_counter(bench, COUNTER_UNMATCHED) == 1);
    close(connection);
    close(asked(1, &message));
}
END_TEST

/* ---- A client that does not keep up ---- */

START_TEST(a_pause_holds_messages_back_and_loses_none)
{
    struct fake_message message;
    idle_ms = 300;
    begin();
    pause_after = 2;
    int connection = asked(0, &message);
    fake_answer(&message);
    for (unsigned i = 0; i < 5; i++) {
        fake_stream_write(connection, bench->base, &message);
    }
    LOOP_UNTIL(bench->base, messages == 2);
    loop_for(bench->base, 2 * idle_ms + 50); /* it is not upstream that is silent */
    ck_assert_uint_eq(messages, 2);
    ck_assert(!ended);
    transfer_pause(transfer, true);
    transfer_pause(transfer, false);
    LOOP_UNTIL(bench->base, messages == 5);
    fake_stream_write(connection, bench->base, &message);
    LOOP_UNTIL(bench->base, messages == 6);
    transfer_pause(transfer, false);
    loop_for(bench->base, 10);
    ck_assert_uint_eq(messages, 6);
    close(connection);
}
END_TEST

START_TEST(upstream_may_close_during_a_pause)
{
    struct fake_message message;
    begin();
    pause_after = 2;
    int connection = asked(0, &message);
    fake_answer(&message);
    for (unsigned i = 0; i < 5; i++) {
        fake_stream_write(connection, bench->base, &message);
    }
    close(connection);
    LOOP_UNTIL(bench->base, messages == 2);
    loop_for(bench->base, 20);
    ck_assert(!ended);
    pause_after = 4; /* and another one on the way */
    transfer_pause(transfer, false);
    LOOP_UNTIL(bench->base, messages == 4);
    loop_for(bench->base, 20);
    ck_assert(!ended);
    transfer_pause(transfer, false);
    LOOP_UNTIL(bench->base, ended);
    ck_assert_uint_eq(messages, 5);
    ck_assert_int_eq(how, TRANSFER_CLOSED);
}
END_TEST

START_TEST(much_is_relayed_through_many_pauses)
{
    static struct fake_message message;
    begin();
    int connection = asked(0, &message);
    fake_answer(&message);
    message.size = 60000;
    for (unsigned i = 1; i <= 50; i++) {
        pause_after = i;
        fake_stream_write(connection, bench->base, &message);
        LOOP_UNTIL(bench->base, messages == i);
        transfer_pause(transfer, false);
    }
    ck_assert_uint_eq(octets, 50 * message.size);
    close(connection);
    LOOP_UNTIL(bench->base, ended);
    ck_assert_int_eq(how, TRANSFER_CLOSED);
}
END_TEST

static void add_relaying(Suite *suite)
{
    TCase *tcase = tcase_create("relaying");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, transfers_are_recognised);
    tcase_add_test(tcase, messages_are_relayed_until_upstream_closes);
    tcase_add_test(tcase, only_messages_of_the_transfer_are_relayed);
    tcase_add_test(tcase, what_is_not_taken_ends_it);
    tcase_add_test(tcase, upstream_sees_an_id_of_its_own);
    tcase_add_test(tcase, silence_after_messages_is_an_end);
    tcase_add_test(tcase, a_pause_holds_messages_back_and_loses_none);
    tcase_add_test(tcase, upstream_may_close_during_a_pause);
    tcase_add_test(tcase, much_is_relayed_through_many_pauses);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
}

static void add_trying(Suite *suite)
{
    TCase *tcase = tcase_create("trying");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_server_that_refuses_is_passed_over);
    tcase_add_test(tcase, a_server_that_closes_is_passed_over);
    tcase_add_test(tcase, a_server_that_does_not_take_the_connection_is_passed_over);
    tcase_add_test(tcase, a_server_that_is_silent_is_waited_for);
    tcase_add_test(tcase, nobody_answers);
    tcase_add_test(tcase, nobody_can_be_asked);
    tcase_add_test(tcase, rubbish_is_not_a_first_message);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
}

int main(void)
{
    Suite *suite = suite_create("transfer");
    add_relaying(suite);
    add_trying(suite);
    return suite_run(suite);
}
