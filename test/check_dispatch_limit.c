/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What goes out in place of what `rate-limit` does not let go, and how it is counted. Queries are
 * sent before the worker reads, so that it takes them at one time of its clock.
 */
#include "forwarder/dispatch_limit.h"

#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"
#define BATCH 60 /* less than one read takes */

static void tear_down(void)
{
    bench_fini();
}

/* What came back of a batch. */
struct outcome {
    unsigned whole;     /* as without limits */
    unsigned truncated; /* TC=1, NOERROR, the question, no longer than the query */
};

static void send_message(int client, const struct fake_message *query)
{
    ck_assert_int_eq(send(client, query->bytes, query->size, 0), (ssize_t)query->size);
}

/* The answer as it waits, or is it not there? */
static size_t read_answer(int client, uint8_t answer[static BLOCK_ANSWER_MAX])
{
    ssize_t size = recv(client, answer, BLOCK_ANSWER_MAX, MSG_DONTWAIT);
    return size < 0 ? 0 : (size_t)size;
}

static void count_answer(const struct fake_message *query, struct span answer, struct outcome *out)
{
    ck_assert_uint_ge(answer.size, DNS_HEADER_SIZE);
    ck_assert_mem_eq(answer.bytes, query->bytes, 2);
    ck_assert_uint_eq(answer.bytes[2] & 0x80U, 0x80);
    if ((answer.bytes[2] & 0x02U) == 0) {
        out->whole++;
        return;
    }
    out->truncated++;
    ck_assert_uint_le(answer.size, query->size);
    ck_assert_uint_eq(answer.bytes[3] & DNS_RCODE_MASK, DNS_RCODE_NOERROR);
    ck_assert_mem_eq(answer.bytes + 4, "\0\1\0\0\0\0\0", 7);
    size_t question = answer.size - DNS_HEADER_SIZE - (answer.bytes[11] == 1 ? 11 : 0);
    ck_assert_mem_eq(answer.bytes + DNS_HEADER_SIZE, query->bytes + DNS_HEADER_SIZE, question);
}

static bool all_taken(unsigned before)
{
    return bench_counter(COUNTER_QUERIES) == before + BATCH;
}

static struct outcome ask_batch(int client, const struct fake_message *query)
{
    struct outcome outcome = {0};
    uint8_t answer[BLOCK_ANSWER_MAX];
    size_t size;
    unsigned before = (unsigned)bench_counter(COUNTER_QUERIES);
    for (unsigned i = 0; i < BATCH; i++) {
        send_message(client, query);
    }
    LOOP_UNTIL(bench.base, all_taken(before));
    while ((size = read_answer(client, answer)) > 0) {
        count_answer(query, (struct span){answer, size}, &outcome);
    }
    return outcome;
}

/* A client whose answers all have room. */
static int make_client(const char *from)
{
    int client = bench_client(from, SOCK_DGRAM);
    int size = 1 << 20;
    ck_assert_int_eq(setsockopt(client, SOL_SOCKET, SO_RCVBUF, &size, sizeof size), 0);
    return client;
}

static void make_message(struct fake_message *message, const char *notation)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span query = wire_parse(notation, bytes);
    message->size = query.size;
    memcpy(message->bytes, query.bytes, query.size);
}

#define HEADER "0007 0100 0001 0000 0000 "
#define COOKIE "000a 0008 0102030405060708"

/* Answers that are made here, one kind each. */
static const struct {
    const char *label;
    const char *lines;
    const char *query;
    bool slips; /* else it has no question, or is no QUERY, and is dropped */
} answers[] = {
    {"blocked", "", HEADER "0000 " BLOCKED " 0001 0001", true},
    {"blocked, with EDNS", "", HEADER "0001 " BLOCKED " 0001 0001 00 0029 04d0 00000000 0000",
     true},
    {"blocked, with a cookie", "",
     HEADER "0001 " BLOCKED " 0001 0001 00 0029 04d0 00000000 000c " COOKIE, true},
    {"blocked, EDNS version 1", "", HEADER "0001 " BLOCKED " 0001 0001 00 0029 04d0 00010000 0000",
     true},
    {"FORMERR", "", "0007 0100 0002 0000 0000 0000 " BLOCKED " 0001 0001 " OTHER " 0001 0001",
     false},
    {"NOTIMP", "", "0007 3000 0001 0000 0000 0000 " BLOCKED " 0001 0001", false},
    {"not served", "allow: [192.0.2.1]\n", HEADER "0000 " OTHER " 0001 0001", true},
    {"resolver.arpa", "resolver-arpa: nodata\n",
     HEADER "0000 04'_dns'08'resolver'04'arpa'00 0040 0001", true},
};

START_TEST(answers_made_here_are_limited)
{
    char lines[256];
    struct fake_message query;
    snprintf(lines, sizeof lines, "%srate-limit: {answers: 10, slip: 1}\n", answers[_i].lines);
    bench_init(lines);
    int client = make_client(ITALY);
    make_message(&query, answers[_i].query);
    struct outcome outcome = ask_batch(client, &query);
    ck_assert_msg(outcome.whole == 10, "%s: %u", answers[_i].label, outcome.whole);
    ck_assert_uint_eq(outcome.truncated, answers[_i].slips ? BATCH - 10 : 0);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_SLIPPED), outcome.truncated);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_DROPPED), BATCH - 10 - outcome.truncated);
    ck_assert_uint_eq(bench_counter(COUNTER_DROPPED), BATCH - 10 - outcome.truncated);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_QUERIES), 0);
    close(client);
}
END_TEST

static const struct {
    const char *slip;
    unsigned least, most; /* of 50 */
} slips[] = {{"0", 0, 0}, {"1", 50, 50}, {"2", 8, 42}, {"10", 0, 22}};

START_TEST(one_of_slip_goes_out_truncated)
{
    char lines[128];
    struct fake_message query;
    snprintf(lines, sizeof lines, "rate-limit: {answers: 10, slip: %s}\n", slips[_i].slip);
    bench_init(lines);
    int client = make_client(ITALY);
    bench_query(&query, 7, BLOCKED);
    struct outcome outcome = ask_batch(client, &query);
    ck_assert_uint_eq(outcome.whole, 10);
    ck_assert_uint_ge(outcome.truncated, slips[_i].least);
    ck_assert_uint_le(outcome.truncated, slips[_i].most);
    close(client);
}
END_TEST

/* Answers of upstream are no business of this limit: only `queries` touches them. */
START_TEST(what_is_forwarded_is_not_limited)
{
    struct fake_message query;
    bench_init("rate-limit: {answers: 1, slip: 0}\n");
    int client = make_client(ITALY);
    bench_query(&query, 7, OTHER);
    ask_batch(client, &query);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), BATCH);
    ck_assert_uint_eq(bench_counter(COUNTER_DROPPED), 0);
    close(client);
}
END_TEST

static bool all_unanswered(void)
{
    return bench_counter(COUNTER_SERVFAIL) == BATCH;
}

START_TEST(a_servfail_is_limited)
{
    struct outcome outcome = {0};
    struct fake_message query;
    uint8_t answer[BLOCK_ANSWER_MAX];
    size_t size;
    bench_init("rate-limit: {answers: 10, slip: 1}\n");
    config->upstream.timeout_ms = 100;
    int client = make_client(NOWHERE);
    bench_query(&query, 7, OTHER);
    ask_batch(client, &query);
    LOOP_UNTIL(bench.base, all_unanswered());
    while ((size = read_answer(client, answer)) > 0) {
        count_answer(&query, (struct span){answer, size}, &outcome);
    }
    ck_assert_uint_ge(outcome.whole, 10);
    ck_assert_uint_gt(outcome.truncated, 0);
    ck_assert_uint_eq(outcome.whole + outcome.truncated, BATCH);
    close(client);
}
END_TEST

/* An order that leads elsewhere: upstream is not even asked. */
START_TEST(a_cname_is_limited_before_it_is_asked_for)
{
    struct fake_message query;
    bench_init("rate-limit: {answers: 10, slip: 1}\n");
    put("orders/IT/a.yaml", ORDER("A", "a.example") "action: cname\ntarget: t.example\n");
    struct published *first = bench.published;
    bench.published = bench_published(load((struct load){.read_only = true}));
    bench.published->number = first->number + 1;
    worker_offer(bench.worker, bench.published);
    LOOP_UNTIL(bench.base, atomic_load(&bench.worker->adopted) == bench.published->number);
    published_free(first);
    int client = make_client(ITALY);
    bench_query(&query, 7, BLOCKED);
    struct outcome outcome = ask_batch(client, &query);
    ck_assert_uint_eq(outcome.truncated, BATCH - 10);
    struct fake_message asked;
    for (unsigned i = 0; i < 10; i++) {
        fake_server_receive(&bench.server, bench.base, &asked);
    }
    ck_assert(!loop_readable(bench.server.udp));
    close(client);
}
END_TEST

START_TEST(queries_are_limited_before_they_are_judged)
{
    struct fake_message query;
    bench_init("rate-limit: {queries: 10, slip: 1}\n");
    int client = make_client(NOWHERE);
    bench_query(&query, 7, OTHER);
    struct outcome outcome = ask_batch(client, &query);
    ck_assert_uint_eq(outcome.whole, 0);
    ck_assert_uint_eq(outcome.truncated, BATCH - 10);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), 10);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_QUERIES), BATCH - 10);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_SLIPPED), BATCH - 10);
    close(client);
}
END_TEST

/* NOERROR, cut or not, would tell whoever sent it that it was done. */
START_TEST(no_update_seems_done)
{
    struct fake_message query;
    bench_init("rate-limit: {queries: 10, slip: 1}\n");
    int client = make_client(NOWHERE);
    make_message(&query, "0007 2800 0001 0000 0000 0000 " OTHER " 0006 0001");
    struct outcome outcome = ask_batch(client, &query);
    ck_assert_uint_eq(outcome.truncated, 0);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_DROPPED), BATCH - 10);
    close(client);
}
END_TEST

/* Nobody answers an answer, whatever slips. */
START_TEST(what_is_no_query_is_not_counted_as_one)
{
    struct fake_message query;
    bench_init("rate-limit: {queries: 1, answers: 1, slip: 1}\n");
    int client = make_client(ITALY);
    make_message(&query, "0007 8100 0001 0000 0000 0000 " BLOCKED " 0001 0001");
    struct outcome outcome = ask_batch(client, &query);
    ck_assert_uint_eq(outcome.whole + outcome.truncated, 0);
    ck_assert_uint_eq(bench_counter(COUNTER_DROPPED), BATCH);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_DROPPED), 0);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_QUERIES), 0);
    close(client);
}
END_TEST

/* Over a stream too many queries are REFUSED, and answers are not limited. */
START_TEST(streams_are_refused)
{
    struct fake_message message;
    bench_init("rate-limit: {queries: 1, answers: 1}\n");
    int client = bench_client(ITALY, SOCK_STREAM);
    for (uint16_t id = 0; id < BATCH; id++) {
        bench_ask(client, id, BLOCKED);
    }
    for (unsigned i = 0; i < BATCH; i++) {
        ck_assert(fake_stream_read(client, bench.base, &message));
        ck_assert_uint_eq(message.bytes[3] & DNS_RCODE_MASK, DNS_RCODE_REFUSED);
    }
    uint64_t refused = bench_counter(COUNTER_RATE_QUERIES);
    ck_assert_uint_gt(refused, 0);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED) + refused, BATCH);
    ck_assert_uint_eq(bench_counter(COUNTER_RATE_DROPPED), 0);
    close(client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dispatch_limit");
    TCase *tcase = tcase_create("dispatch_limit");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, answers_made_here_are_limited, 0, sizeof answers / sizeof *answers);
    tcase_add_loop_test(tcase, one_of_slip_goes_out_truncated, 0, sizeof slips / sizeof *slips);
    tcase_add_test(tcase, what_is_forwarded_is_not_limited);
    tcase_add_test(tcase, a_servfail_is_limited);
    tcase_add_test(tcase, a_cname_is_limited_before_it_is_asked_for);
    tcase_add_test(tcase, queries_are_limited_before_they_are_judged);
    tcase_add_test(tcase, no_update_seems_done);
    tcase_add_test(tcase, what_is_no_query_is_not_counted_as_one);
    tcase_add_test(tcase, streams_are_refused);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
