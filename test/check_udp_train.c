/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams joined by size: each arrives by itself and whole, whether the kernel cuts or refuses
 * to, and what cannot be sent takes nothing else with it.
 */
#include "forwarder/upstream/udp_train.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OCTETS_MAX 1500

static struct udp_train *train;
static int server;
static int client; /* connected to the server */

static int open_loopback(struct sockaddr_in *address)
{
    socklen_t size = sizeof(*address);
    int descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    *address = (struct sockaddr_in){.sin_family = AF_INET};
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(bind(descriptor, (struct sockaddr *)address, size), 0);
    ck_assert_int_eq(getsockname(descriptor, (struct sockaddr *)address, &size), 0);
    return descriptor;
}

static void setup(void)
{
    struct sockaddr_in own;
    struct sockaddr_in peer;
    train = udp_train_new();
    server = open_loopback(&peer);
    client = open_loopback(&own);
    ck_assert_ptr_nonnull(train);
    ck_assert_int_eq(connect(client, (struct sockaddr *)&peer, sizeof(peer)), 0);
}

static void teardown(void)
{
    udp_train_free(train);
    close(server);
    close(client);
}

static void set_option(int descriptor, int level, int name)
{
    const int on = 1;
    ck_assert_int_eq(setsockopt(descriptor, level, name, &on, sizeof(on)), 0);
}

/* Datagrams with their number in each octet. */
static uint8_t sent[UDP_BATCH][OCTETS_MAX];

static void add(unsigned number, size_t header, size_t size)
{
    uint8_t *room = udp_train_room(train);
    memset(room, (int)number, header);
    memset(sent[number], (int)number, size - header);
    udp_train_add(train, (struct span){room, header}, (struct span){sent[number], size - header});
}

/* Receives so many datagrams and checks them; each must have come once. */
static void expect(unsigned count, const size_t *sizes)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t got[OCTETS_MAX + 1];
        ssize_t size = recv(server, got, sizeof(got), 0);
        ck_assert_int_gt(size, 0);
        ck_assert_uint_lt(got[0], UDP_BATCH);
        ck_assert_int_eq(size, (ssize_t)sizes[got[0]]);
        ck_assert_mem_eq(got, got + 1, (size_t)size - 1);
        ck_assert_uint_eq(seen >> got[0] & 1, 0);
        seen |= UINT64_C(1) << got[0];
    }
    uint8_t more;
    ck_assert_int_lt(recv(server, &more, sizeof(more), MSG_DONTWAIT), 0);
}

static const struct {
    const char *label;
    size_t least, most; /* sizes, in turn */
    unsigned count;
    size_t header;
    bool refused; /* by the kernel, for a socket without checksums */
} trains[] = {
    {"nothing", 1, 1, 0, 0, false},
    {"one", 40, 40, 1, 0, false},
    {"a full batch of one size", 40, 40, UDP_BATCH, 0, false},
    {"one of each size", 12, 12 + UDP_BATCH, UDP_BATCH, 0, false},
    {"few sizes", 30, 38, UDP_BATCH, 0, false},
    {"around the size that is not joined", 505, 520, UDP_BATCH, 0, false},
    {"none is joined", 512, 512, UDP_BATCH, 0, false},
    {"longer than an Ethernet frame", 1490, OCTETS_MAX, 20, 0, false},
    {"behind headers", 60, 70, UDP_BATCH, PROXY_HEADER_ENCODED_MAX, false},
    {"not cut, one size", 40, 40, UDP_BATCH, 0, true},
    {"not cut, few sizes", 30, 38, UDP_BATCH, 28, true},
    {"not cut, longer ones too", 500, 520, UDP_BATCH, 0, true},
};

START_TEST(each_arrives_by_itself)
{
    size_t sizes[UDP_BATCH];
    if (trains[_i].refused) {
        set_option(client, SOL_SOCKET, SO_NO_CHECK);
    }
    for (unsigned round = 0; round < 3; round++) {
        size_t size = trains[_i].least + round;
        for (unsigned i = 0; i < trains[_i].count; i++) {
            ck_assert(!udp_train_full(train));
            sizes[i] = size;
            add(i, trains[_i].header, size);
            size = size < trains[_i].most ? size + 1 : trains[_i].least;
        }
        ck_assert_int_eq(udp_train_full(train), trains[_i].count == UDP_BATCH);
        ck_assert_msg(udp_train_flush(train, client) == 0, "%s: lost", trains[_i].label);
        expect(trains[_i].count, sizes);
    }
}
END_TEST

/* A socket that asks for it is given joined datagrams as they were handed over. */
START_TEST(those_of_one_size_and_a_shorter_one_are_joined)
{
    set_option(server, SOL_UDP, UDP_GRO);
    for (unsigned i = 0; i < 10; i++) {
        add(i, 0, i == 4 ? 39 : 50);
    }
    add(10, 0, 30);
    ck_assert_uint_eq(udp_train_flush(train, client), 0);
    uint8_t got[OCTETS_MAX];
    ck_assert_int_eq(recv(server, got, sizeof(got), 0), 9 * 50 + 39);
    ck_assert_int_eq(recv(server, got, sizeof(got), 0), 30);
}
END_TEST

START_TEST(one_that_cannot_be_sent_does_not_stop_the_others)
{
    static uint8_t too_long[65536];
    size_t sizes[UDP_BATCH] = {40, 40, 600, 40};
    for (unsigned i = 0; i < 4; i++) {
        add(i, 0, sizes[i]);
    }
    udp_train_add(train, (struct span){0}, (struct span){too_long, sizeof(too_long)});
    ck_assert_uint_eq(udp_train_flush(train, client), 1);
    expect(4, sizes);
}
END_TEST

/* The error that an ICMP message left behind is another datagram's. */
START_TEST(a_peer_that_was_away_gets_all_when_it_is_back)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    size_t sizes[UDP_BATCH] = {20, 20, 30, 40, 40};
    ck_assert_int_eq(getsockname(server, (struct sockaddr *)&address, &size), 0);
    close(server);
    ck_assert_int_eq(send(client, "x", 1, 0), 1);
    server = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server, (struct sockaddr *)&address, size), 0);
    for (unsigned i = 0; i < 5; i++) {
        add(i, 0, sizes[i]);
    }
    ck_assert_uint_eq(udp_train_flush(train, client), 0);
    expect(5, sizes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("udp_train");
    TCase *tcase = tcase_create("udp_train");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, each_arrives_by_itself, 0, sizeof(trains) / sizeof(trains[0]));
    tcase_add_test(tcase, those_of_one_size_and_a_shorter_one_are_joined);
    tcase_add_test(tcase, one_that_cannot_be_sent_does_not_stop_the_others);
    tcase_add_test(tcase, a_peer_that_was_away_gets_all_when_it_is_back);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
