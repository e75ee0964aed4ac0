/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where the configured servers are: literals at once, names as a bootstrap server tells, followed
 * as their TTLs end.
 */
#include "forwarder/upstream/upstream_names.h"

#include "forwarder/log.h"
#include "forwarder/upstream/upstream_set.h"
#include "test/fake_server.h"
#include "test/suite.h"

#define SETS 8
#define ADDRESSES 20

/* What the bootstrap server says of every name. */
static struct {
    struct fake_server server;
    struct event *readable;
    const char *addresses[ADDRESSES]; /* of both families */
    uint32_t ttl;
    int rcode;
    bool silent;
    unsigned asked; /* A and AAAA count apart */
} bootstrap;

static struct event_base *base;
static struct config_server servers[3];
static struct config_server resolver;
static struct config_upstream config;
static struct upstream_names *names;
static struct upstream_set *sets[SETS]; /* as they came */
static size_t set_count;

static void add_record(struct fake_message *message, uint16_t type, const char *text)
{
    uint8_t address[16];
    size_t size = type == DNS_TYPE_A ? 4 : 16;
    if (inet_pton(type == DNS_TYPE_A ? AF_INET : AF_INET6, text, address) != 1) {
        return; /* of the other family */
    }
    uint8_t record[28] = {0xc0, 12, 0, (uint8_t)type, 0, 1};
    for (unsigned i = 0; i < 4; i++) {
        record[6 + i] = (uint8_t)(bootstrap.ttl >> (24 - 8 * i));
    }
    record[11] = (uint8_t)size;
    memcpy(record + 12, address, size);
    memcpy(message->bytes + message->size, record, 12 + size);
    message->size += 12 + size;
    message->bytes[7]++;
}

static void on_readable(evutil_socket_t descriptor, short what, void *ctx)
{
    struct fake_message message;
    struct dns_question question;
    (void)descriptor;
    (void)what;
    (void)ctx;
    fake_server_receive(&bootstrap.server, base, &message);
    bootstrap.asked++;
    if (bootstrap.silent) {
        return;
    }
    struct span query = {message.bytes, message.size};
    ck_assert_int_eq(dns_question_decode(query, &question), DNS_QUESTION_ONE);
    message.size = DNS_HEADER_SIZE + question.bytes.size;
    memset(message.bytes + 8, 0, 4);
    fake_answer(&message);
    message.bytes[3] = (uint8_t)bootstrap.rcode;
    for (size_t i = 0; i < ADDRESSES && bootstrap.addresses[i] != NULL; i++) {
        add_record(&message, question.qtype, bootstrap.addresses[i]);
    }
    fake_server_send(&bootstrap.server, &message);
}

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    base = event_base_new();
    memset(&bootstrap, 0, sizeof bootstrap);
    bootstrap.ttl = 3600;
    fake_server_open(&bootstrap.server);
    bootstrap.readable =
        event_new(base, bootstrap.server.udp, EV_READ | EV_PERSIST, on_readable, NULL);
    ck_assert_ptr_nonnull(bootstrap.readable);
    ck_assert_int_eq(event_add(bootstrap.readable, NULL), 0);
    resolver =
        (struct config_server){.is_address = true, .port = fake_server_port(&bootstrap.server)};
    ck_assert(address_parse("127.0.0.1", 9, &resolver.address));
    config =
        (struct config_upstream){.servers = servers, .bootstrap = &resolver, .bootstrap_count = 1};
    set_count = 0;
    names = NULL;
}

static void tear_down(void)
{
    upstream_names_free(names);
    for (size_t i = 0; i < set_count; i++) {
        upstream_set_free(sets[i]);
    }
    event_free(bootstrap.readable);
    fake_server_close(&bootstrap.server);
    event_base_free(base);
}

static void on_set(void *ctx, struct upstream_set *set)
{
    ck_assert_ptr_eq(ctx, &sets);
    ck_assert_uint_lt(set_count, SETS);
    ck_assert_uint_eq(set->number, set_count + 1);
    sets[set_count++] = set;
}

/* An address, or else a name. */
static void add_server(char *host, uint16_t port, uint32_t scope_id)
{
    struct config_server *server = &servers[config.server_count++];
    *server = (struct config_server){.host = host, .port = port, .scope_id = scope_id};
    server->is_address = address_parse(host, strlen(host), &server->address);
}

static void start(void)
{
    char why[WHY_MAX] = "";
    names = upstream_names_new(base, &config, 1, why);
    ck_assert_msg(names != NULL, "%s", why);
    ck_assert(upstream_names_start(names, 0, on_set, &sets));
    while (set_count == 0) { /* the first look-ups are waited for */
        ck_assert_int_eq(event_base_loop(base, EVLOOP_ONCE), 0);
    }
}

/* The targets of the newest set, blanks between. */
static const char *targets(void)
{
    static char text[1024];
    const struct upstream_set *set = sets[set_count - 1];
    text[0] = '\0';
    for (size_t i = 0; i < set->count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : " ", set->targets[i]->text);
    }
    return text;
}

START_TEST(addresses_are_known_at_once)
{
    char ipv4[] = "192.0.2.1";
    char ipv6[] = "2001:db8::1";
    char local[] = "fe80::1";
    add_server(ipv4, 53, 0);
    add_server(ipv6, 5353, 0);
    add_server(local, 53, 7);
    start();
    ck_assert_str_eq(targets(), "192.0.2.1:53 [2001:db8::1]:5353 [fe80::1]:53");
    const struct sockaddr_in6 *address =
        (const struct sockaddr_in6 *)&sets[0]->targets[2]->address.sockaddr;
    ck_assert_uint_eq(address->sin6_scope_id, 7);
    ck_assert_uint_eq(bootstrap.asked, 0);
}
END_TEST

START_TEST(a_name_is_all_its_addresses)
{
    char first[] = "192.0.2.9";
    char name[] = "upstream.example";
    char last[] = "192.0.2.8";
    bootstrap.addresses[0] = "192.0.2.2";
    bootstrap.addresses[1] = "2001:db8::2";
    bootstrap.addresses[2] = "192.0.2.1";
    add_server(first, 53, 0);
    add_server(name, 5353, 0);
    add_server(last, 53, 0);
    start();
    ck_assert_str_eq(targets(), "192.0.2.9:53 192.0.2.1:5353 192.0.2.2:5353 [2001:db8::2]:5353 "
                                "192.0.2.8:53");
    ck_assert_uint_eq(set_count, 1);
}
END_TEST

START_TEST(an_address_given_twice_is_one_server)
{
    char name[] = "upstream.example";
    bootstrap.addresses[0] = "192.0.2.1";
    bootstrap.addresses[1] = "192.0.2.1";
    bootstrap.ttl = 1;
    add_server(name, 53, 0);
    start();
    ck_assert_str_eq(targets(), "192.0.2.1:53");
    LOOP_UNTIL(base, bootstrap.asked >= 4);
    loop_for(base, 50);
    ck_assert_uint_eq(set_count, 1);
}
END_TEST

START_TEST(more_addresses_than_fit_are_left_out)
{
    char name[] = "upstream.example";
    char texts[ADDRESSES][16];
    for (unsigned i = 0; i < ADDRESSES; i++) {
        snprintf(texts[i], sizeof texts[i], "192.0.2.%u", i + 1);
        bootstrap.addresses[i] = texts[i];
    }
    add_server(name, 53, 0);
    start();
    ck_assert_uint_eq(sets[0]->count, 16);
}
END_TEST

START_TEST(a_name_is_followed_when_its_ttl_ends)
{
    char name[] = "upstream.example";
    bootstrap.addresses[0] = "192.0.2.1";
    bootstrap.addresses[1] = "192.0.2.2";
    bootstrap.ttl = 1;
    add_server(name, 53, 0);
    start();
    ck_assert_str_eq(targets(), "192.0.2.1:53 192.0.2.2:53");

    unsigned asked = bootstrap.asked;
    bootstrap.addresses[0] = "192.0.2.2"; /* the other way round: nothing new */
    bootstrap.addresses[1] = "192.0.2.1";
    LOOP_UNTIL(base, bootstrap.asked == asked + 2);
    loop_for(base, 50);
    ck_assert_uint_eq(set_count, 1);

    bootstrap.addresses[1] = "192.0.2.3";
    LOOP_UNTIL(base, set_count == 2);
    ck_assert_str_eq(targets(), "192.0.2.2:53 192.0.2.3:53");
    ck_assert_msg(sets[1]->targets[0] == sets[0]->targets[1], "what stays is the same target");
}
END_TEST

START_TEST(a_name_that_fails_keeps_its_addresses)
{
    char name[] = "upstream.example";
    bootstrap.addresses[0] = "192.0.2.1";
    bootstrap.ttl = 1;
    add_server(name, 53, 0);
    start();
    unsigned asked = bootstrap.asked;
    bootstrap.rcode = DNS_RCODE_SERVFAIL;
    LOOP_UNTIL(base, bootstrap.asked >= asked + 2);
    loop_for(base, 50);
    ck_assert_uint_eq(set_count, 1);
}
END_TEST

START_TEST(a_ttl_of_zero_is_no_busy_loop)
{
    char name[] = "upstream.example";
    bootstrap.addresses[0] = "192.0.2.1";
    bootstrap.ttl = 0;
    add_server(name, 53, 0);
    start();
    loop_for(base, 1500);
    ck_assert_uint_le(bootstrap.asked, 4);
}
END_TEST

/* The daemon starts, and the server is there as soon as its name is. */
START_TEST(a_name_that_fails_at_the_start_is_tried_again)
{
    char name[] = "upstream.example";
    char literal[] = "192.0.2.9";
    bootstrap.rcode = DNS_RCODE_SERVFAIL;
    add_server(name, 53, 0);
    add_server(literal, 53, 0);
    start();
    ck_assert_str_eq(targets(), "192.0.2.9:53");
    bootstrap.rcode = DNS_RCODE_NOERROR;
    bootstrap.addresses[0] = "192.0.2.1";
    LOOP_UNTIL(base, set_count == 2);
    ck_assert_str_eq(targets(), "192.0.2.1:53 192.0.2.9:53");
}
END_TEST

START_TEST(a_silent_bootstrap_server_does_not_hold_up_the_start_for_long)
{
    char name[] = "upstream.example";
    bootstrap.silent = true;
    add_server(name, 53, 0);
    uint64_t began = loop_now_ms();
    start();
    ck_assert_uint_lt(loop_now_ms(), began + 4000);
    ck_assert_uint_eq(sets[0]->count, 0);
}
END_TEST

START_TEST(what_was_never_started_can_be_freed)
{
    char why[WHY_MAX] = "";
    char name[] = "upstream.example";
    add_server(name, 53, 0);
    names = upstream_names_new(base, &config, 1, why);
    ck_assert_msg(names != NULL, "%s", why);
    upstream_names_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_names");
    TCase *tcase = tcase_create("upstream_names");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, addresses_are_known_at_once);
    tcase_add_test(tcase, a_name_is_all_its_addresses);
    tcase_add_test(tcase, an_address_given_twice_is_one_server);
    tcase_add_test(tcase, more_addresses_than_fit_are_left_out);
    tcase_add_test(tcase, a_name_is_followed_when_its_ttl_ends);
    tcase_add_test(tcase, a_name_that_fails_keeps_its_addresses);
    tcase_add_test(tcase, a_ttl_of_zero_is_no_busy_loop);
    tcase_add_test(tcase, a_name_that_fails_at_the_start_is_tried_again);
    tcase_add_test(tcase, a_silent_bootstrap_server_does_not_hold_up_the_start_for_long);
    tcase_add_test(tcase, what_was_never_started_can_be_freed);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
