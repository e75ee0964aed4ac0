/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who asks and whose country counts, step by step, and that no step is taken without trust.
 */
#include "forwarder/true_client.h"

#include <check.h>
#include <stdio.h>

#include "test/address_text.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define PROXY "192.0.2.1"     /* may send PROXY headers */
#define SUBNETS "192.0.2.2"   /* may send ECS */
#define FORWARDER "192.0.2.3" /* may send X-Forwarded-For */
#define SECOND "192.0.2.4"    /* so may this */
#define NOBODY "198.51.100.9"

static struct config_trust trust;

static struct network_set *set_of(const char *first, const char *second)
{
    struct network networks[2] = {{address_of(first), 128}, {address_of(second), 128}};
    struct network_set *set = network_set_new(networks, 2);
    ck_assert_ptr_nonnull(set);
    return set;
}

static void set_up(void)
{
    trust.proxy_protocol = set_of(PROXY, PROXY);
    trust.ecs = set_of(SUBNETS, SUBNETS);
    trust.forwarded_for = set_of(FORWARDER, SECOND);
}

static void tear_down(void)
{
    network_set_free(trust.proxy_protocol);
    network_set_free(trust.ecs);
    network_set_free(trust.forwarded_for);
}

static struct query_client peer_of(const char *text)
{
    struct address address = address_of(text);
    return true_client_of_peer(&address);
}

/* "address", or "address subject/spread" where they differ, or "address unknown". */
static const char *describe(const struct query_client *client)
{
    static char out[128];
    char address[ADDRESS_TEXT_MAX];
    char subject[ADDRESS_TEXT_MAX];
    address_format(&client->address, address);
    address_format(&client->subject, subject);
    if (query_client_is_unknown(client)) {
        snprintf(out, sizeof out, "%s unknown", address);
    } else if (address_equal(&client->address, &client->subject) && client->spread == 0) {
        snprintf(out, sizeof out, "%s", address);
    } else {
        snprintf(out, sizeof out, "%s %s/%u", address, subject, client->spread);
    }
    return out;
}

START_TEST(a_header_tells_who_asks)
{
    struct address source = address_of("2.32.0.1");
    struct address destination = address_of("192.0.2.53");
    struct proxy_header header = {
        .kind = PROXY_HEADER_CLIENT, .source = {.port = 4242}, .destination = {.port = 53}};
    struct query_ends ends = {.client_port = 1};
    memcpy(header.source.octet, source.octet, 16);
    memcpy(header.destination.octet, destination.octet, 16);

    struct query_client client = peer_of(PROXY);
    header.kind = PROXY_HEADER_LOCAL;
    true_client_proxied(&client, &header, &ends);
    ck_assert_str_eq(describe(&client), PROXY);
    header.kind = PROXY_HEADER_UNKNOWN;
    true_client_proxied(&client, &header, &ends);
    ck_assert_str_eq(describe(&client), PROXY " unknown");
    ck_assert_uint_eq(ends.client_port, 1);

    client = peer_of(PROXY);
    header.kind = PROXY_HEADER_CLIENT;
    true_client_proxied(&client, &header, &ends);
    ck_assert_str_eq(describe(&client), "2.32.0.1");
    ck_assert(address_equal(&ends.client, &source) && address_equal(&ends.server, &destination));
    ck_assert_uint_eq(ends.client_port, 4242);
    ck_assert_uint_eq(ends.server_port, 53);
}
END_TEST

/* told: from the last entry to the first; "-" is one that is no address. */
static const struct {
    const char *label;
    const char *peer;
    const char *told[4];
    const char *expected;
} CHAINS[] = {
    {"no entry", FORWARDER, {NULL}, FORWARDER},
    {"one", FORWARDER, {"2.32.0.1"}, "2.32.0.1"},
    {"of nobody that is trusted", NOBODY, {"2.32.0.1"}, NOBODY},
    {"of one trusted for something else", PROXY, {"2.32.0.1"}, PROXY},
    {"the right-most that is not trusted", FORWARDER, {SECOND, "5.9.0.1", "2.32.0.1"}, "5.9.0.1"},
    {"all are trusted", FORWARDER, {SECOND, FORWARDER}, FORWARDER},
    {"somebody", FORWARDER, {"-"}, FORWARDER " unknown"},
    {"somebody behind a second one", FORWARDER, {SECOND, "-", "2.32.0.1"}, SECOND " unknown"},
    {"somebody, whom nobody may tell", NOBODY, {"-"}, NOBODY},
    {"IPv6", FORWARDER, {"2001:b07::1"}, "2001:b07::1"},
};

START_TEST(a_list_is_followed_as_far_as_there_is_trust)
{
    struct query_client client = peer_of(CHAINS[_i].peer);
    const char *const *told = CHAINS[_i].told;
    bool on = true;
    for (; on && *told != NULL; told++) {
        struct address address;
        bool known = strcmp(*told, "-") != 0;
        if (known) {
            address = address_of(*told);
        }
        on = true_client_forwarded(&trust, &client, known ? &address : NULL);
    }
    ck_assert_msg(strcmp(describe(&client), CHAINS[_i].expected) == 0, "%s: %s", CHAINS[_i].label,
                  describe(&client));
}
END_TEST

#define QUESTION "01'a'00 0001 0001"
#define QUERY(additional, rest) "1234 0100 0001 0000 0000" additional QUESTION rest
#define WITH(size, options) QUERY("0001", "00 0029 04d0 00000000" size options)

static const struct {
    const char *label;
    const char *peer;
    const char *message;
    const char *expected;
} SUBNET_ROWS[] = {
    {"no OPT", SUBNETS, QUERY("0000", ""), SUBNETS},
    {"no ECS", SUBNETS, WITH("0000", ""), SUBNETS},
    {"another option", SUBNETS, WITH("0004", "000c 0000"), SUBNETS},
    {"IPv4", SUBNETS, WITH("000b", "0008 0007 0001 18 00 022000"), SUBNETS " 2.32.0.0/8"},
    {"a host", SUBNETS, WITH("000c", "0008 0008 0001 20 00 02200001"), SUBNETS " 2.32.0.1/0"},
    {"IPv6", SUBNETS, WITH("000f", "0008 000b 0002 38 00 20010b07000000"),
     SUBNETS " 2001:b07::/72"},
    {"of nobody that is trusted", NOBODY, WITH("000b", "0008 0007 0001 18 00 022000"), NOBODY},
    {"of one trusted for something else", PROXY, WITH("000b", "0008 0007 0001 18 00 022000"),
     PROXY},
    {"SOURCE 0", SUBNETS, WITH("0008", "0008 0004 0001 00 00"), SUBNETS " unknown"},
    {"SOURCE 0 of no family", SUBNETS, WITH("0008", "0008 0004 0000 00 00"), SUBNETS " unknown"},
    {"malformed", SUBNETS, WITH("000c", "0008 0008 0001 18 00 02200001"), SUBNETS " unknown"},
    {"with a SCOPE", SUBNETS, WITH("000b", "0008 0007 0001 18 18 022000"), SUBNETS " unknown"},
    {"two", SUBNETS, WITH("0016", "0008 0007 0001 18 00 022000 0008 0007 0001 18 00 022000"),
     SUBNETS " unknown"},
    {"two OPTs", SUBNETS, QUERY("0002", "00 0029 04d0 00000000 0000 00 0029 04d0 00000000 0000"),
     SUBNETS " unknown"},
    {"none before an option that is cut", SUBNETS, WITH("0004", "000c 0009"), SUBNETS " unknown"},
    {"before an option that is cut", SUBNETS, WITH("000f", "0008 0007 0001 18 00 022000 000c 0009"),
     SUBNETS " unknown"},
    {"behind the last record", SUBNETS,
     QUERY("0000", "00 0029 04d0 00000000 000b 0008 0007 0001 18 00 022000"), SUBNETS " unknown"},
    {"before what stands behind the last record", SUBNETS,
     WITH("000b", "0008 0007 0001 18 00 022000") "00 0029 04d0 00000000 0000", SUBNETS " unknown"},
    {"cut", SUBNETS, WITH("000b", "0008 0007 0001 18 00"), SUBNETS " unknown"},
    {"no question that can be read", SUBNETS, "1234 0100 0001 0000 0000 0000 c00c 0001 0001",
     SUBNETS " unknown"},
};

START_TEST(a_subnet_tells_whose_country_counts)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct query_client client = peer_of(SUBNET_ROWS[_i].peer);
    true_client_ecs(&trust, wire_parse(SUBNET_ROWS[_i].message, bytes), &client);
    ck_assert_msg(strcmp(describe(&client), SUBNET_ROWS[_i].expected) == 0, "%s: %s",
                  SUBNET_ROWS[_i].label, describe(&client));
}
END_TEST

/* Somebody behind one that may tell networks: this one is his own word. */
START_TEST(what_somebody_says_of_himself_is_not_believed)
{
    static const char MESSAGE[] = WITH("000b", "0008 0007 0001 18 00 022000");
    struct query_ends ends = {.client_port = 0};
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct query_client client = peer_of(SUBNETS);
    true_client_proxied(&client, &(struct proxy_header){.kind = PROXY_HEADER_UNKNOWN}, &ends);
    true_client_ecs(&trust, wire_parse(MESSAGE, bytes), &client);
    ck_assert_str_eq(describe(&client), SUBNETS " unknown");

    struct config_trust both = {.forwarded_for = trust.ecs, .ecs = trust.ecs};
    client = peer_of(SUBNETS);
    (void)true_client_forwarded(&both, &client, NULL);
    true_client_ecs(&both, wire_parse(MESSAGE, bytes), &client);
    ck_assert_str_eq(describe(&client), SUBNETS " unknown");

    client = peer_of(SUBNETS);
    true_client_lose(&client);
    true_client_ecs(&both, wire_parse(MESSAGE, bytes), &client);
    ck_assert_str_eq(describe(&client), SUBNETS " 2.32.0.0/8");
}
END_TEST

START_TEST(who_speaks_for_others)
{
    static const char *const SPEAKERS[] = {PROXY, SUBNETS, FORWARDER, SECOND};
    struct address nobody = address_of(NOBODY);
    for (size_t i = 0; i < ROWS(SPEAKERS); i++) {
        struct address speaker = address_of(SPEAKERS[i]);
        ck_assert(true_client_speaks(&trust, &speaker));
    }
    ck_assert(!true_client_speaks(&trust, &nobody));
    ck_assert(!true_client_speaks(&(struct config_trust){0}, &nobody));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("true_client");
    TCase *tcase = tcase_create("true_client");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_header_tells_who_asks);
    tcase_add_loop_test(tcase, a_list_is_followed_as_far_as_there_is_trust, 0, (int)ROWS(CHAINS));
    tcase_add_loop_test(tcase, a_subnet_tells_whose_country_counts, 0, (int)ROWS(SUBNET_ROWS));
    tcase_add_test(tcase, what_somebody_says_of_himself_is_not_believed);
    tcase_add_test(tcase, who_speaks_for_others);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
