/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `send-client: ecs` in flight: what is asked, what is kept, and what an answer or a refusal makes
 * of it. The octets themselves: check_client_subnet.c.
 */
#include "forwarder/upstream/upstream_subnet.h"

#include "forwarder/query.h"
#include "forwarder/upstream/upstream.h"
#include "test/upstream_bench.h"
#include "test/suite.h"

#define QUESTION "03'www'07'example'00 0001 0001"
#define PLAIN "1234 0100 0001 0000 0000 0000" QUESTION
#define TOLD "1234 0100 0001 0000 0000 0001" QUESTION "00 0029 0216 00000000 000b" ECS
#define ECS "0008 0007 0001 18 00 c00002"
#define ANSWER(flags, counts) "1234" flags "0001" counts QUESTION
#define OPT "00 0029 04d0 00000000 000b" ECS

static struct bench *bench;
static struct query_client client;

static void set_up(void)
{
    bench = bench_new(16);
    bench->config.send_client = CONFIG_SEND_ECS;
    bench->config.ecs_ipv4 = 24;
    bench->config.ecs_ipv6 = 56;
    client = (struct query_client){.subject = {{[10] = 0xff, [11] = 0xff, [12] = 192, 0, 2, 1}}};
}

static void tear_down(void)
{
    bench_free(bench);
}

static struct inflight_entry *add(const char *query)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct inflight_entry *entry =
        upstream_subnet_add(&bench->env, wire_parse(query, bytes), &client);
    ck_assert_ptr_nonnull(entry);
    entry->client_id = 0x1234;
    entry->origin.kind = ORIGIN_DATAGRAM;
    entry->retry = true;
    return entry;
}

static void expect(const uint8_t *octets, size_t size, const char *expected)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    ck_assert(wire_equal((struct span){octets, size}, wire_parse(expected, bytes)));
}

START_TEST(the_query_of_the_client_is_kept)
{
    struct inflight_entry *entry = add(PLAIN);
    ck_assert_int_eq(entry->subnet, CLIENT_SUBNET_OPT);
    expect(entry->message, entry->message_size, TOLD);
    expect(entry->original, entry->original_size, PLAIN);
    inflight_take(bench->env.inflight, entry);
}
END_TEST

/* The setting is another; nobody knows who asks; the query is to be left alone. */
START_TEST(or_it_is_asked_as_it_is)
{
    for (unsigned i = 0; i < 3; i++) {
        bench->config.send_client = i == 0 ? CONFIG_SEND_NO : CONFIG_SEND_ECS;
        client.spread = i == 1 ? 128 : 0;
        struct inflight_entry *entry = add(i == 2 ? PLAIN "00" : PLAIN);
        ck_assert_int_eq(entry->subnet, CLIENT_SUBNET_NONE);
        ck_assert_uint_eq(entry->original_size, 0);
        expect(entry->message, entry->message_size, i == 2 ? PLAIN "00" : PLAIN);
        inflight_take(bench->env.inflight, entry);
    }
}
END_TEST

START_TEST(a_query_of_our_own_tells_too)
{
    uint8_t own[WIRE_NOTATION_MAX], original[WIRE_NOTATION_MAX];
    struct inflight_entry *entry = upstream_subnet_add_own(
        &bench->env, wire_parse(PLAIN, own),
        wire_parse("4321 0100 0001 0000 0000 0000 00 0001 0001", original), &client);
    ck_assert_ptr_nonnull(entry);
    expect(entry->message, entry->message_size, TOLD);
    expect(entry->original, entry->original_size, "4321 0100 0001 0000 0000 0000 00 0001 0001");
    inflight_take(bench->env.inflight, entry);
}
END_TEST

START_TEST(two_that_have_no_room_are_asked_as_one)
{
    static uint8_t query[DNS_MESSAGE_MAX - 40] = {0x12, 0x34, 1, 0, 0, 1, 0, 0,    0,    0, 0,
                                                  1,    0,    0, 1, 0, 1, 0, 0xff, 0xff, 0, 1};
    size_t rdata = sizeof query - 28;
    query[26] = (uint8_t)(rdata >> 8);
    query[27] = (uint8_t)rdata;
    struct inflight_entry *entry =
        upstream_subnet_add(&bench->env, (struct span){query, sizeof query}, &client);
    ck_assert_ptr_nonnull(entry);
    ck_assert_int_eq(entry->subnet, CLIENT_SUBNET_NONE);
    ck_assert_uint_eq(entry->message_size, sizeof query);
    inflight_take(bench->env.inflight, entry);
}
END_TEST

/* Delivers an answer to the entry as a socket would that has so much room behind it. */
static void deliver(struct inflight_entry *entry, const char *answer, size_t room)
{
    static uint8_t bytes[WIRE_NOTATION_MAX];
    struct span parsed = wire_parse(answer, bytes);
    upstream_deliver(&bench->env, entry,
                     (struct upstream_room){bytes, parsed.size, parsed.size + room});
}

START_TEST(the_answer_is_the_clients)
{
    deliver(add(PLAIN), ANSWER("8180", "0000 0000 0001") OPT, 0);
    ck_assert_uint_eq(bench->answers, 1);
    expect(bench->answer.bytes, bench->answer.size, ANSWER("8180", "0000 0000 0000"));
}
END_TEST

/* The client's own option is longer than the one that came back. */
START_TEST(an_answer_may_grow)
{
    for (size_t room = 0; room < 5; room += 4) {
        deliver(add("1234 0100 0001 0000 0000 0001" QUESTION
                    "00 0029 04d0 00000000 000c 0008 0008 0001 20 00 c6336401"),
                ANSWER("8180", "0000 0000 0001") OPT, room);
        expect(bench->answer.bytes, bench->answer.size,
               ANSWER("8180",
                      "0000 0000 0001") "00 0029 04d0 00000000 000c 0008 0008 0001 20 00 c6336401");
    }
    ck_assert_uint_eq(bench->answers, 2);
}
END_TEST

static unsigned asked_again;

static void ask_again(struct upstream *upstream, struct inflight_entry *entry)
{
    ck_assert_ptr_null(upstream);
    ck_assert_int_eq(entry->subnet, CLIENT_SUBNET_NONE);
    asked_again++;
}

START_TEST(a_refusal_is_asked_again_once)
{
    struct inflight_channel channel;
    static struct upstream_counts counts;
    struct inflight_entry *entry = add(PLAIN);
    bench->env.ask_again = ask_again;
    upstream_channel_init(&bench->env, &channel, NULL, &counts);
    ck_assert(upstream_attempt(&bench->env, entry, &channel));
    asked_again = 0;
    deliver(entry, ANSWER("8185", "0000 0000 0000"), 0);
    ck_assert_uint_eq(asked_again, 1);
    ck_assert_uint_eq(bench->answers, 0);
    ck_assert_uint_eq(entry->attempt_count, 0);
    ck_assert_uint_eq(bench_counter(bench, COUNTER_SUBNET_REFUSED), 1);
    dns_set_id(entry->message, 0x1234);
    expect(entry->message, entry->message_size, PLAIN);
    deliver(entry, ANSWER("8185", "0000 0000 0000"), 0);
    ck_assert_uint_eq(asked_again, 1);
    ck_assert_uint_eq(bench->answers, 1);
    expect(bench->answer.bytes, bench->answer.size, ANSWER("8185", "0000 0000 0000"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_subnet");
    TCase *tcase = tcase_create("upstream_subnet");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_query_of_the_client_is_kept);
    tcase_add_test(tcase, or_it_is_asked_as_it_is);
    tcase_add_test(tcase, a_query_of_our_own_tells_too);
    tcase_add_test(tcase, two_that_have_no_room_are_asked_as_one);
    tcase_add_test(tcase, the_answer_is_the_clients);
    tcase_add_test(tcase, an_answer_may_grow);
    tcase_add_test(tcase, a_refusal_is_asked_again_once);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
