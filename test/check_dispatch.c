/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A worker that looks at answers, and asks for the targets of orders: over datagrams, streams and
 * transfers, what clients get and what is counted. Queries that need neither: check_worker.c.
 */
#include "forwarder/dispatch.h"

#include "forwarder/upstream/inflight.h"
#include "forwarder/wire/records.h"
#include "policy/instant.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define OTHER "05'other'07'example'00"
#define REST "0000003c"
#define ALIAS(size, target) "c00c 0005 0001" REST size target
#define BAD ALIAS("000d", "03'bad'07'example'00")
#define DROPPED ALIAS("000e", "04'drop'07'example'00")
#define LED ALIAS("000d", "03'led'07'example'00")
#define FREE ALIAS("000e", "04'free'07'example'00")
#define LED_NAME "03'led'07'example'00"

static void tear_down(void)
{
    bench_fini();
}

#define LOOKING(id, name) ORDER(id, name) "aliases: yes\n"

/* Orders as they are now, in force when this returns. */
static void renew(void)
{
    struct published *before = bench.published;
    bench.published =
        bench_published(load((struct load){.before = before->generation, .read_only = true}));
    ck_assert_msg(problems.errors == 0, "%s", problems_text());
    worker_offer(bench.worker, bench.published);
    LOOP_UNTIL(bench.base, atomic_load(&bench.worker->oldest_published) == bench.published->number);
    published_free(before);
}

/* Orders that look at answers, in force when this returns. */
static void begin(void)
{
    bench_init("");
    put("orders/IT/bad.yaml", LOOKING("BAD", "bad.example"));
    put("orders/IT/drop.yaml", LOOKING("DROP", "drop.example") "action: drop\n");
    put("orders/IT/led.yaml",
        LOOKING("LED", "led.example") "action: cname\ntarget: page.example\n");
    renew();
}

static uint64_t blocked_by(const char *id)
{
    const struct policy *policy = bench.published->generation->policy;
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        if (strcmp(policy_order(policy, i)->id, id) == 0) {
            return published_blocked(bench.published, i);
        }
    }
    ck_abort_msg("no such order");
}

/* Turns a query into an answer with these records in its answer section. */
static void fill(struct fake_message *message, const char *records, unsigned count)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span parsed = wire_parse(records, bytes);
    fake_answer(message);
    memcpy(message->bytes + message->size, parsed.bytes, parsed.size);
    message->size += parsed.size;
    message->bytes[7] = (uint8_t)count;
}

static void receive(struct fake_message *message)
{
    fake_server_receive(&bench.server, bench.base, message);
}

static void ask(int client, uint16_t id, const char *name)
{
    struct fake_message message;
    bench_query(&message, id, name);
    ck_assert_int_eq(send(client, message.bytes, message.size, 0), (ssize_t)message.size);
}

/* The next datagram for a client. */
static void take(int client, uint16_t id, struct fake_message *message)
{
    LOOP_UNTIL(bench.base, loop_readable(client));
    ssize_t size = recv(client, message->bytes, sizeof message->bytes, 0);
    ck_assert_int_ge(size, DNS_HEADER_SIZE);
    message->size = (size_t)size;
    ck_assert_uint_eq(dns_id(message->bytes), id);
}

static unsigned rcode_of(const struct fake_message *message)
{
    return message->bytes[3] & DNS_RCODE_MASK;
}

/* Everything behind the ID is the same. */
static void expect_same(const struct fake_message *got, const struct fake_message *sent)
{
    ck_assert_uint_eq(got->size, sent->size);
    ck_assert_mem_eq(got->bytes + 2, sent->bytes + 2, sent->size - 2);
}

/* Asks for OTHER, and answers with these records. */
static void exchange(int client, uint16_t id, const char *records, unsigned count,
                     struct fake_message *sent)
{
    ask(client, id, OTHER);
    receive(sent);
    fill(sent, records, count);
    fake_server_send(&bench.server, sent);
}

/* ---- Datagrams ---- */

START_TEST(answers_are_blocked_and_counted)
{
    static struct fake_message sent;
    static struct fake_message got;
    struct country italy;
    ck_assert(country_parse("IT", 2, &italy));
    begin();
    int client = bench_client(ITALY, SOCK_DGRAM);
    exchange(client, 1, BAD, 1, &sent);
    take(client, 1, &got);
    ck_assert_uint_eq(rcode_of(&got), DNS_RCODE_REFUSED);
    ck_assert_uint_eq(blocked_by("BAD"), 1);
    exchange(client, 2, FREE, 1, &sent);
    take(client, 2, &got);
    expect_same(&got, &sent);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED_ANSWERS), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERS_READ), 2);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERS_UNREADABLE), 0);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERED), 1);
    ck_assert_uint_eq(atomic_load(&bench.worker->counters.country[country_index(italy)].blocked),
                      1);
    close(client);
}
END_TEST

/* An answer that upstream takes its time for ends with the order all the same. */
START_TEST(a_late_answer_ends_with_its_order)
{
    static struct fake_message sent;
    static struct fake_message got;
    char text[INSTANT_TEXT_MAX], order[512];
    begin();
    int64_t now = bench.worker->clock.seconds;
    snprintf(order, sizeof order, "%saction: nodata\nuntil: %s\n", LOOKING("BAD", "bad.example"),
             instant_format(now + 45, text));
    put("orders/IT/bad.yaml", order);
    renew();
    int client = bench_client(ITALY, SOCK_DGRAM);
    ask(client, 1, OTHER);
    receive(&sent);
    inflight_next(bench.worker->inflight, NULL)->now = now - 30;
    fill(&sent, BAD, 1);
    fake_server_send(&bench.server, &sent);
    take(client, 1, &got);
    struct records records = records_begin((struct span){got.bytes, got.size});
    struct records_record soa;
    ck_assert(records_next(&records, &soa));
    ck_assert_uint_eq(soa.type, DNS_TYPE_SOA);
    ck_assert_uint_le(soa.ttl, 45);
    close(client);
}
END_TEST

/* What is not to be read is not read, and what cannot be read is forwarded, octet by octet. */
START_TEST(answers_out_of_scope_are_not_read)
{
    static struct fake_message sent;
    static struct fake_message got;
    static const char *const answers[] = {BAD, "c0", "ffff ffff ffff ffff ffff ffff", "c018"};
    begin();
    int outside = bench_client(NOWHERE, SOCK_DGRAM);
    int inside = bench_client(ITALY, SOCK_DGRAM);
    for (uint16_t i = 0; i < 4; i++) {
        exchange(outside, i, answers[i], 255, &sent);
        take(outside, i, &got);
        expect_same(&got, &sent);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERS_READ), 0);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERS_UNREADABLE), 0);
    for (uint16_t i = 1; i < 4; i++) {
        exchange(inside, i, answers[i], 255, &sent);
        take(inside, i, &got);
        expect_same(&got, &sent);
        ck_assert_uint_eq(bench_counter(COUNTER_ANSWERS_UNREADABLE), i);
    }
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED), 0);
    close(outside);
    close(inside);
}
END_TEST

START_TEST(a_dropped_answer_leaves_silence)
{
    static struct fake_message sent;
    begin();
    int client = bench_client(ITALY, SOCK_DGRAM);
    exchange(client, 1, DROPPED, 1, &sent);
    LOOP_UNTIL(bench.base, bench_counter(COUNTER_BLOCKED) == 1);
    loop_for(bench.base, 20);
    ck_assert(!loop_readable(client));
    ck_assert_uint_eq(blocked_by("DROP"), 1);
    ck_assert_uint_eq(inflight_count(bench.worker->inflight), 0);
    close(client);
}
END_TEST

/* ---- Targets ---- */

static void expect_page_asked(const struct fake_message *message)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span expected =
        wire_parse("0100 0001 0000 0000 0000 04'page'07'example'00 0001 0001", bytes);
    ck_assert_uint_eq(message->size, expected.size + 2);
    ck_assert_mem_eq(message->bytes + 2, expected.bytes, expected.size);
}

#define PAGE_A "c00c 0001 0001" REST "0004 c0000250"

/* Question, our CNAME, and the target's record in full. */
static void expect_led(const struct fake_message *got, const char *name)
{
    char text[512];
    uint8_t bytes[WIRE_NOTATION_MAX];
    snprintf(text, sizeof text,
             "8180 0001 0002 0000 0000 %s 0001 0001 c00c 0005 0001 0000003c 000e"
             "04'page'07'example'00 04'page'07'example'00 0001 0001" REST "0004 c0000250",
             name);
    struct span expected = wire_parse(text, bytes);
    ck_assert_uint_eq(got->size, expected.size + 2);
    ck_assert_mem_eq(got->bytes + 2, expected.bytes, expected.size);
}

START_TEST(a_question_leads_to_the_target)
{
    static struct fake_message sent;
    static struct fake_message got;
    begin();
    int client = bench_client(ITALY, SOCK_DGRAM);
    ask(client, 7, LED_NAME);
    receive(&sent);
    expect_page_asked(&sent);
    fill(&sent, PAGE_A, 1);
    fake_server_send(&bench.server, &sent);
    take(client, 7, &got);
    expect_led(&got, LED_NAME);
    ck_assert_uint_eq(blocked_by("LED"), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_FORWARDED), 0);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERS_READ), 0);
    close(client);
}
END_TEST

START_TEST(an_answer_leads_to_the_target)
{
    static struct fake_message sent;
    static struct fake_message got;
    begin();
    int client = bench_client(ITALY, SOCK_DGRAM);
    exchange(client, 8, LED, 1, &sent);
    receive(&sent);
    expect_page_asked(&sent);
    fill(&sent, PAGE_A, 1);
    fake_server_send(&bench.server, &sent);
    take(client, 8, &got);
    expect_led(&got, OTHER);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED_ANSWERS), 1);
    ck_assert_uint_eq(inflight_count(bench.worker->inflight), 0);
    close(client);
}
END_TEST

START_TEST(a_target_that_nobody_answers_for)
{
    static struct fake_message sent;
    static struct fake_message got;
    begin();
    int client = bench_client(ITALY, SOCK_DGRAM);
    ask(client, 7, LED_NAME);
    receive(&sent);
    fill(&sent, "c00c 0005", 1); /* not to be read */
    fake_server_send(&bench.server, &sent);
    take(client, 7, &got);
    ck_assert_uint_eq(rcode_of(&got), DNS_RCODE_SERVFAIL);
    config->upstream.timeout_ms = 100;
    ask(client, 8, LED_NAME);
    take(client, 8, &got);
    ck_assert_uint_eq(rcode_of(&got), DNS_RCODE_SERVFAIL);
    ck_assert_uint_eq(bench_counter(COUNTER_SERVFAIL), 2);
    close(client);
}
END_TEST

/* ---- Streams ---- */

START_TEST(streams_get_theirs)
{
    static struct fake_message message;
    begin();
    int client = bench_client(ITALY, SOCK_STREAM);
    bench_ask(client, 1, OTHER);
    int upstream = fake_server_accept(&bench.server, bench.base);
    bench_read(upstream, &message);
    fill(&message, BAD, 1);
    fake_stream_write(upstream, bench.base, &message);
    bench_expect(client, 1, DNS_RCODE_REFUSED);

    bench_ask(client, 2, OTHER); /* dropped: nothing comes, and the stream stays */
    bench_read(upstream, &message);
    fill(&message, DROPPED, 1);
    fake_stream_write(upstream, bench.base, &message);
    LOOP_UNTIL(bench.base, blocked_by("DROP") == 1);

    bench_ask(client, 3, OTHER); /* led from an answer, then from a question */
    bench_read(upstream, &message);
    fill(&message, LED, 1);
    fake_stream_write(upstream, bench.base, &message);
    bench_read(upstream, &message);
    expect_page_asked(&message);
    fill(&message, PAGE_A, 1);
    fake_stream_write(upstream, bench.base, &message);
    ck_assert(fake_stream_read(client, bench.base, &message));
    expect_led(&message, OTHER);

    bench_ask(client, 4, LED_NAME);
    bench_read(upstream, &message);
    fill(&message, PAGE_A, 1);
    fake_stream_write(upstream, bench.base, &message);
    ck_assert(fake_stream_read(client, bench.base, &message));
    expect_led(&message, LED_NAME);

    /* Nothing is due any more: the end of the client's side is the end of the stream. */
    shutdown(client, SHUT_WR);
    bench_expect_end(client);
    close(upstream);
}
END_TEST

/* ---- Transfers ---- */

START_TEST(a_transfer_is_refused_at_its_first_message)
{
    static struct fake_message message;
    begin();
    int client = bench_client(ITALY, SOCK_STREAM);
    bench_ask_transfer(client, 7);
    int upstream = bench_accept_transfer(&message);
    fill(&message, BAD, 1);
    fake_stream_write(upstream, bench.base, &message);
    bench_expect(client, 7, DNS_RCODE_REFUSED);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED_ANSWERS), 1);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERED), 0);
    close(upstream);
    bench_ask(client, 8, "01'a'07'example'00"); /* the connection goes on */
    bench_expect(client, 8, DNS_RCODE_REFUSED);
    close(client);
}
END_TEST

/* A client must not take a part for the whole. */
START_TEST(a_transfer_is_refused_in_its_midst)
{
    static struct fake_message message;
    static struct fake_message bad;
    begin();
    int client = bench_client(ITALY, SOCK_STREAM);
    bench_ask_transfer(client, 7);
    int upstream = bench_accept_transfer(&message);
    bad = message;
    fill(&bad, BAD, 1);
    fake_stream_write(upstream, bench.base, &message);
    fake_stream_write(upstream, bench.base, &bad);
    fake_stream_write(upstream, bench.base, &message);
    bench_expect(client, 7, DNS_RCODE_NOERROR);
    bench_expect(client, 7, DNS_RCODE_REFUSED);
    bench_expect_end(client);
    ck_assert_uint_eq(bench_counter(COUNTER_BLOCKED), 1);
    close(upstream);
}
END_TEST

START_TEST(a_transfer_out_of_scope_is_not_read)
{
    static struct fake_message message;
    begin();
    int client = bench_client(NOWHERE, SOCK_STREAM);
    bench_ask_transfer(client, 7);
    int upstream = bench_accept_transfer(&message);
    fill(&message, BAD, 1);
    fake_stream_write(upstream, bench.base, &message);
    bench_expect(client, 7, DNS_RCODE_NOERROR);
    ck_assert_uint_eq(bench_counter(COUNTER_ANSWERS_READ), 0);
    close(upstream);
    bench_expect_end(client);
}
END_TEST

/* A transfer in scope is judged by the generation it began under, which stays as long. */
START_TEST(a_transfer_keeps_its_generation)
{
    static struct fake_message message;
    begin();
    int client = bench_client(ITALY, SOCK_STREAM);
    bench_ask_transfer(client, 7);
    int upstream = bench_accept_transfer(&message);
    struct published *first = bench.published;
    take_away("orders/IT/bad.yaml");
    bench.published =
        bench_published(load((struct load){.before = first->generation, .read_only = true}));
    worker_offer(bench.worker, bench.published);
    LOOP_UNTIL(bench.base, atomic_load(&bench.worker->adopted) == bench.published->number);
    ck_assert_uint_eq(atomic_load(&bench.worker->oldest_published), first->number);
    fill(&message, BAD, 1);
    fake_stream_write(upstream, bench.base, &message);
    bench_expect(client, 7, DNS_RCODE_REFUSED);
    LOOP_UNTIL(bench.base, atomic_load(&bench.worker->oldest_published) == bench.published->number);
    published_free(first);
    close(upstream);
    close(client);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("dispatch");
    TCase *tcase = tcase_create("dispatch");
    tcase_add_checked_fixture(tcase, NULL, tear_down);
    tcase_add_test(tcase, answers_are_blocked_and_counted);
    tcase_add_test(tcase, a_late_answer_ends_with_its_order);
    tcase_add_test(tcase, answers_out_of_scope_are_not_read);
    tcase_add_test(tcase, a_dropped_answer_leaves_silence);
    tcase_add_test(tcase, a_question_leads_to_the_target);
    tcase_add_test(tcase, an_answer_leads_to_the_target);
    tcase_add_test(tcase, a_target_that_nobody_answers_for);
    tcase_add_test(tcase, streams_get_theirs);
    tcase_add_test(tcase, a_transfer_is_refused_at_its_first_message);
    tcase_add_test(tcase, a_transfer_is_refused_in_its_midst);
    tcase_add_test(tcase, a_transfer_out_of_scope_is_not_read);
    tcase_add_test(tcase, a_transfer_keeps_its_generation);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
