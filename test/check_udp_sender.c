/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Datagrams that are joined: each arrives by itself and whole, at its peer, from its address,
 * whether the kernel cuts or refuses to; and what cannot be sent takes nothing else with it.
 */
#include "forwarder/udp_sender.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/block.h"
#include "forwarder/wire/proxy_header.h"
#include "test/suite.h"
#include "test/udp_end.h"

#define OCTETS_MAX 1500
#define CLIENTS_MAX UDP_BATCH

static void set_option(int descriptor, int level, int name, int value)
{
    ck_assert_int_eq(setsockopt(descriptor, level, name, &value, sizeof value), 0);
}

/* Datagrams with their number in each octet. */
static uint8_t octets[UDP_BATCH][OCTETS_MAX];

static struct span numbered(unsigned number, size_t size)
{
    memset(octets[number], (int)number, size);
    return (struct span){octets[number], size};
}

/* The number of the next datagram that came to a socket, which must be whole. */
static unsigned receive(int descriptor, const size_t *sizes, union origin_peer *from)
{
    uint8_t got[OCTETS_MAX + 1];
    socklen_t size = sizeof *from;
    ssize_t count = recvfrom(descriptor, got, sizeof got, MSG_DONTWAIT, &from->any, &size);
    ck_assert_int_gt(count, 0);
    ck_assert_uint_lt(got[0], UDP_BATCH);
    ck_assert_int_eq(count, (ssize_t)sizes[got[0]]);
    ck_assert_mem_eq(got, got + 1, (size_t)count - 1);
    return got[0];
}

static void expect_no_more(int descriptor)
{
    uint8_t more;
    ck_assert_int_lt(recv(descriptor, &more, sizeof more, MSG_DONTWAIT), 0);
}

/* Receives so many datagrams; each must have come once. */
static void expect(int descriptor, unsigned count, const size_t *sizes)
{
    uint64_t seen = 0;
    union origin_peer from;
    for (unsigned i = 0; i < count; i++) {
        unsigned number = receive(descriptor, sizes, &from);
        ck_assert_uint_eq(seen >> number & 1, 0);
        seen |= UINT64_C(1) << number;
    }
    expect_no_more(descriptor);
}

/* ---- To the peer of a connected socket ---- */

static struct udp_sender *sender;
static struct udp_end server; /* to which the client is connected */
static struct udp_end client;

/* The loopback has a queue for each processor: who moves between two sendings may be overtaken. */
static void stay_on_one_processor(void)
{
    cpu_set_t allowed, one;
    unsigned first = 0;
    ck_assert_int_eq(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    while (!CPU_ISSET(first, &allowed)) {
        first++;
    }
    CPU_ZERO(&one);
    CPU_SET(first, &one);
    ck_assert_int_eq(sched_setaffinity(0, sizeof one, &one), 0);
}

static void setup(void)
{
    stay_on_one_processor();
    server = udp_end_open("127.0.0.1");
    client = udp_end_open("127.0.0.1");
    sender = udp_sender_new(udp_sender_can_join(client.descriptor));
    ck_assert_ptr_nonnull(sender);
    ck_assert_int_eq(connect(client.descriptor, &server.address.any, server.size), 0);
}

static void teardown(void)
{
    udp_sender_free(sender);
    close(server.descriptor);
    close(client.descriptor);
}

static bool add(unsigned number, size_t header, size_t size)
{
    uint8_t *room = udp_sender_room(sender);
    memset(room, (int)number, header);
    return udp_sender_add_connected(sender, (struct span){room, header},
                                    numbered(number, size - header));
}

static const struct {
    const char *label;
    size_t least, most; /* sizes, in turn */
    unsigned count;
    unsigned
        step; /* from one size to the next; of the other direction if it is that of all less 1 */
    size_t header; /* in front of all, or of each other one if `some` */
    bool some;
    bool refused; /* by the kernel, for a socket without checksums */
} trains[] = {
    {"nothing", 1, 1, 0, 1, 0, false, false},
    {"one", 40, 40, 1, 1, 0, false, false},
    {"a full batch of one size", 40, 40, UDP_BATCH, 1, 0, false, false},
    {"one of each size", 12, 12 + UDP_BATCH, UDP_BATCH, 1, 0, false, false},
    {"one of each size, shorter and shorter", 20, 20 + UDP_BATCH - 1, UDP_BATCH, UDP_BATCH - 1, 0,
     false, false},
    {"few sizes", 30, 38, UDP_BATCH, 1, 0, false, false},
    {"few sizes, shorter and shorter", 30, 38, UDP_BATCH, 8, 0, false, false},
    {"two sizes in turn", 30, 31, UDP_BATCH, 1, 0, false, false},
    {"sizes that one place in a table is for", 30, 30 + 3 * 64, UDP_BATCH, 64, 0, false, false},
    {"around the size that is not joined", 505, 520, UDP_BATCH, 1, 0, false, false},
    {"none is joined", 512, 512, UDP_BATCH, 1, 0, false, false},
    {"longer than an Ethernet frame", 1490, OCTETS_MAX, 20, 1, 0, false, false},
    {"behind headers", 60, 70, UDP_BATCH, 1, PROXY_HEADER_ENCODED_MAX, false, false},
    {"one size behind headers", 300, 300, UDP_BATCH, 1, PROXY_HEADER_ENCODED_MAX, false, false},
    {"some behind headers", 60, 62, UDP_BATCH, 1, 28, true, false},
    {"not cut, one size", 40, 40, UDP_BATCH, 1, 0, false, true},
    {"not cut, few sizes", 30, 38, UDP_BATCH, 1, 28, false, true},
    {"not cut, longer ones too", 500, 520, UDP_BATCH, 1, 0, false, true},
};

START_TEST(each_arrives_by_itself)
{
    size_t sizes[UDP_BATCH];
    const size_t span = trains[_i].most - trains[_i].least + 1;
    set_option(client.descriptor, SOL_SOCKET, SO_NO_CHECK, trains[_i].refused);
    for (unsigned round = 0; round < 3; round++) {
        size_t size = round % span;
        bool full = false;
        for (unsigned i = 0; i < trains[_i].count; i++) {
            ck_assert(!full);
            size_t header = trains[_i].some && i % 2 == 0 ? 0 : trains[_i].header;
            sizes[i] = trains[_i].least + size;
            if (header >= sizes[i]) {
                header = sizes[i] - 1;
            }
            full = add(i, header, sizes[i]);
            size = (size + trains[_i].step) % span;
        }
        ck_assert_int_eq(full, trains[_i].count == UDP_BATCH);
        ck_assert_msg(udp_sender_flush(sender, client.descriptor) == 0, "%s: lost",
                      trains[_i].label);
        expect(server.descriptor, trains[_i].count, sizes);
    }
}
END_TEST

/* A socket that asks for it is given joined datagrams as they were handed over. */
static void expect_joined(int descriptor, size_t size)
{
    uint8_t got[65536];
    ck_assert_int_eq(recv(descriptor, got, sizeof got, MSG_DONTWAIT), (ssize_t)size);
}

START_TEST(those_of_one_size_and_a_shorter_one_are_joined)
{
    set_option(server.descriptor, SOL_UDP, UDP_GRO, 1);
    for (unsigned i = 0; i < 10; i++) {
        (void)add(i, 0, i == 4 ? 39 : 50);
    }
    (void)add(10, 0, 30);
    (void)add(11, 0, 600);
    ck_assert_uint_eq(udp_sender_flush(sender, client.descriptor), 0);
    expect_joined(server.descriptor, 9 * 50 + 39);
    expect_joined(server.descriptor, 30);
    expect_joined(server.descriptor, 600);
    (void)add(0, 0, 20);
    (void)add(1, 0, 21); /* is found to be the longer one */
    (void)add(2, 0, 21);
    ck_assert_uint_eq(udp_sender_flush(sender, client.descriptor), 0);
    expect_joined(server.descriptor, 2 * 21 + 20);
    expect_no_more(server.descriptor);
}
END_TEST

START_TEST(empty_ones_are_not_lost_among_others)
{
    for (unsigned i = 0; i < 4; i++) {
        (void)add(i, 0, i < 2 ? 1 : 0);
    }
    ck_assert_uint_eq(udp_sender_flush(sender, client.descriptor), 0);
    unsigned empty = 0;
    for (unsigned i = 0; i < 4; i++) {
        uint8_t got[2];
        empty += recv(server.descriptor, got, sizeof got, MSG_DONTWAIT) == 0;
    }
    ck_assert_uint_eq(empty, 2);
}
END_TEST

START_TEST(what_is_refused_once_is_not_tried_again)
{
    size_t sizes[] = {40, 40};
    set_option(server.descriptor, SOL_UDP, UDP_GRO, 1);
    set_option(client.descriptor, SOL_SOCKET, SO_NO_CHECK, 1);
    for (unsigned round = 0; round < 2; round++) {
        (void)add(0, 0, 40);
        (void)add(1, 0, 40);
        ck_assert_uint_eq(udp_sender_flush(sender, client.descriptor), 0);
        expect(server.descriptor, 2, sizes);
        set_option(client.descriptor, SOL_SOCKET, SO_NO_CHECK, 0);
    }
}
END_TEST

START_TEST(one_that_cannot_be_sent_does_not_stop_the_others)
{
    static uint8_t too_long[65536];
    size_t sizes[UDP_BATCH] = {40, 40, 600, 40};
    for (unsigned i = 0; i < 4; i++) {
        (void)add(i, 0, sizes[i]);
    }
    (void)udp_sender_add_connected(sender, (struct span){0},
                                   (struct span){too_long, sizeof too_long});
    ck_assert_uint_eq(udp_sender_flush(sender, client.descriptor), 1);
    expect(server.descriptor, 4, sizes);
}
END_TEST

/* The error that an ICMP message left behind is another datagram's. */
START_TEST(a_peer_that_was_away_gets_all_when_it_is_back)
{
    size_t sizes[UDP_BATCH] = {20, 20, 30, 40, 40};
    close(server.descriptor);
    ck_assert_int_eq(send(client.descriptor, "x", 1, 0), 1);
    server.descriptor = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_eq(bind(server.descriptor, &server.address.any, server.size), 0);
    for (unsigned i = 0; i < 5; i++) {
        (void)add(i, 0, sizes[i]);
    }
    ck_assert_uint_eq(udp_sender_flush(sender, client.descriptor), 0);
    expect(server.descriptor, 5, sizes);
}
END_TEST

START_TEST(a_socket_that_cannot_cut_is_known)
{
    int other = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert(udp_sender_can_join(client.descriptor));
    ck_assert(!udp_sender_can_join(other));
    close(other);
}
END_TEST

/* ---- To many peers, from an address of ours ---- */

static const struct {
    const char *label;
    const char *bound;   /* where the answers come from, or the wildcard */
    const char *from[2]; /* in turn for each round of the clients, if that is the wildcard */
    unsigned clients;
    size_t least, most; /* sizes, in turn */
    bool refused;
} answers[] = {
    {"one client", "127.0.0.1", {NULL}, 1, 60, 90, false},
    {"two clients", "127.0.0.1", {NULL}, 2, 60, 90, false},
    {"a few", "127.0.0.1", {NULL}, 5, 200, 203, false},
    {"a client for each", "127.0.0.1", {NULL}, UDP_BATCH, 60, 90, false},
    {"nearly", "127.0.0.1", {NULL}, UDP_BATCH - 1, 60, 60, false},
    {"long ones between", "127.0.0.1", {NULL}, 3, 500, 530, false},
    {"IPv6", "::1", {NULL}, 3, 60, 70, false},
    {"a client for each, IPv6", "::1", {NULL}, UDP_BATCH, 60, 70, false},
    {"wildcard", "0.0.0.0", {"127.0.0.1", "127.0.0.1"}, 3, 60, 70, false},
    {"wildcard, asked at two addresses", "0.0.0.0", {"127.0.0.1", "127.9.8.7"}, 3, 60, 64, false},
    {"wildcard, IPv6", "::", {"::1", "::1"}, 3, 60, 70, false},
    {"wildcard, both families", "::", {"::ffff:127.0.0.1", "::ffff:127.9.8.7"}, 3, 60, 64, false},
    {"not cut", "127.0.0.1", {NULL}, 3, 60, 64, true},
    {"not cut, wildcard", "0.0.0.0", {"127.0.0.1", "127.9.8.7"}, 3, 60, 64, true},
    {"not cut, wildcard, IPv6", "::", {"::1", "::1"}, 1, 60, 61, true},
};

/* Who asks, from where an answer can go there. */
static struct udp_end open_client(const char *bound, const char *from)
{
    struct udp_end end;
    if (from != NULL && strncmp(from, "::ffff:", 7) == 0) {
        end = udp_end_open("::ffff:127.0.0.1");
    } else {
        end = udp_end_open(strchr(bound, ':') != NULL ? "::1" : "127.0.0.1");
    }
    return end;
}

static struct in6_addr local_of(const char *text)
{
    struct in6_addr local = {0};
    if (text != NULL) {
        int family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
        ck_assert_int_eq(inet_pton(family, text, &local), 1);
    }
    return local;
}

static void expect_from(const union origin_peer *from, const struct in6_addr *local)
{
    if (from->any.sa_family == AF_INET) {
        ck_assert(memcmp(&from->ipv4.sin_addr, local, sizeof from->ipv4.sin_addr) == 0);
    } else {
        ck_assert(memcmp(&from->ipv6.sin6_addr, local, sizeof *local) == 0);
    }
}

START_TEST(each_peer_gets_its_own)
{
    struct udp_end listener = udp_end_open(answers[_i].bound);
    struct udp_end clients[CLIENTS_MAX];
    const unsigned count = answers[_i].clients;
    const bool from_local = answers[_i].from[0] != NULL;
    const struct in6_addr locals[] = {local_of(answers[_i].from[0]), local_of(answers[_i].from[1])};
    struct udp_sender *to_clients = udp_sender_new(true);
    for (unsigned i = 0; i < count; i++) {
        clients[i] = open_client(answers[_i].bound, answers[_i].from[0]);
    }
    set_option(listener.descriptor, SOL_SOCKET, SO_NO_CHECK, answers[_i].refused);
    for (unsigned round = 0; round < 3; round++) {
        size_t sizes[UDP_BATCH];
        size_t size = answers[_i].least + round % 2;
        for (unsigned i = 0; i < UDP_BATCH; i++) {
            struct origin_datagram origin = {.peer = clients[i % count].address,
                                             .local = locals[i / count % 2]};
            sizes[i] = size;
            bool full = udp_sender_add(to_clients, numbered(i, size), &origin, from_local);
            ck_assert_int_eq(full, i == UDP_BATCH - 1);
            size = size < answers[_i].most ? size + 1 : answers[_i].least;
        }
        ck_assert_msg(udp_sender_flush(to_clients, listener.descriptor) == 0, "%s: lost",
                      answers[_i].label);
        uint64_t seen = 0;
        for (unsigned i = 0; i < UDP_BATCH; i++) {
            union origin_peer from;
            unsigned number = receive(clients[i % count].descriptor, sizes, &from);
            ck_assert_uint_eq(number % count, i % count);
            ck_assert_uint_eq(seen >> number & 1, 0);
            seen |= UINT64_C(1) << number;
            if (from_local) {
                expect_from(&from, &locals[number / count % 2]);
            }
        }
    }
    for (unsigned i = 0; i < count; i++) {
        expect_no_more(clients[i].descriptor);
        close(clients[i].descriptor);
    }
    udp_sender_free(to_clients);
    close(listener.descriptor);
}
END_TEST

/* Peers that have the port or the address in common, and two addresses of ours. */
static const struct {
    const char *bound;
    const char *clients[2];
    const char *locals[2];
} families[] = {
    {"0.0.0.0", {"127.0.0.1", "127.0.0.2"}, {"127.0.0.1", "127.9.8.7"}},
    {"::", {"::ffff:127.0.0.1", "::ffff:127.0.0.2"}, {"::ffff:127.0.0.1", "::ffff:127.9.8.7"}},
};
static const size_t some_sizes[] = {30, 31, 94, 32, 95, 158, 511, 512, 600};

/* A datagram of a batch: what it is to be. */
struct drawn {
    unsigned client;
    unsigned local;
    bool from_local;
};

/* Receives what was drawn for the clients. */
static void expect_drawn(const struct udp_end *clients, const struct drawn *drawn, unsigned count,
                         const size_t *sizes, const struct in6_addr *locals)
{
    uint64_t seen = 0;
    for (unsigned i = 0; i < count; i++) {
        union origin_peer from;
        unsigned number = receive(clients[drawn[i].client].descriptor, sizes, &from);
        ck_assert_uint_lt(number, count);
        ck_assert_uint_eq(drawn[number].client, drawn[i].client);
        ck_assert_uint_eq(seen >> number & 1, 0);
        seen |= UINT64_C(1) << number;
        if (drawn[number].from_local) {
            expect_from(&from, &locals[drawn[number].local]);
        }
    }
}

/* What tables remember of one batch must not mislead the next. */
START_TEST(batches_that_have_little_in_common)
{
    const struct in6_addr locals[] = {local_of(families[_i].locals[0]),
                                      local_of(families[_i].locals[1])};
    struct udp_end listener = udp_end_open(families[_i].bound);
    struct udp_end clients[6];
    struct udp_sender *to_clients = udp_sender_new(true);
    unsigned random = 1;
    for (unsigned i = 0; i < 6; i += 2) {
        clients[i] = udp_end_open(families[_i].clients[0]);
        clients[i + 1] = udp_end_open_at(families[_i].clients[1], clients[i].address.ipv4.sin_port);
    }
    for (unsigned round = 0; round < 1000; round++) {
        struct drawn drawn[UDP_BATCH];
        size_t sizes[UDP_BATCH];
        unsigned count = 1 + (random >> 16) % UDP_BATCH;
        for (unsigned i = 0; i < count; i++) {
            random = random * 1103515245U + 12345U;
            drawn[i] = (struct drawn){(random >> 8) % (1 + round % 6), random >> 20 & round & 1,
                                      (random >> 21 & round >> 1 & 1) == 0};
            sizes[i] = some_sizes[(random >> 22) % (1 + round / 7 % 9)];
            struct origin_datagram origin = {.peer = clients[drawn[i].client].address,
                                             .local = locals[drawn[i].local]};
            (void)udp_sender_add(to_clients, numbered(i, sizes[i]), &origin, drawn[i].from_local);
        }
        ck_assert_uint_eq(udp_sender_flush(to_clients, listener.descriptor), 0);
        expect_drawn(clients, drawn, count, sizes, locals);
    }
    for (unsigned i = 0; i < 6; i++) {
        expect_no_more(clients[i].descriptor);
        close(clients[i].descriptor);
    }
    udp_sender_free(to_clients);
    close(listener.descriptor);
}
END_TEST

/* Which of them are joined: those to one address and port, from one address of ours. */
START_TEST(only_what_goes_one_way_is_joined)
{
    struct udp_end listener = udp_end_open("0.0.0.0");
    struct udp_end other = udp_end_open("127.0.0.1");
    const struct in6_addr locals[] = {local_of("127.0.0.1"), local_of("127.9.8.7")};
    struct udp_sender *to_clients = udp_sender_new(true);
    set_option(server.descriptor, SOL_UDP, UDP_GRO, 1);
    set_option(other.descriptor, SOL_UDP, UDP_GRO, 1);
    for (unsigned i = 0; i < 12; i++) {
        struct origin_datagram origin = {.peer = i % 3 == 2 ? other.address : server.address,
                                         .local = locals[i % 3 == 1]};
        (void)udp_sender_add(to_clients, numbered(i, 50), &origin, true);
    }
    ck_assert_uint_eq(udp_sender_flush(to_clients, listener.descriptor), 0);
    expect_joined(server.descriptor, 4 * 50);
    expect_joined(server.descriptor, 4 * 50);
    expect_no_more(server.descriptor);
    expect_joined(other.descriptor, 4 * 50);
    expect_no_more(other.descriptor);
    udp_sender_free(to_clients);
    close(listener.descriptor);
    close(other.descriptor);
}
END_TEST

/* It is refused to be sent at all, not to be cut: the others go on joined. */
START_TEST(an_address_that_is_not_ours_loses_only_its_own)
{
    struct udp_end listener = udp_end_open("::");
    struct udp_end peer = udp_end_open("::1");
    struct udp_sender *to_clients = udp_sender_new(true);
    set_option(peer.descriptor, SOL_UDP, UDP_GRO, 1);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < 6; i++) {
            struct origin_datagram origin = {.peer = peer.address,
                                             .local = local_of(i < 3 ? "2001:db8::1" : "::1")};
            (void)udp_sender_add(to_clients, numbered(i, 50), &origin, true);
        }
        ck_assert_uint_eq(udp_sender_flush(to_clients, listener.descriptor), 3);
        expect_joined(peer.descriptor, 3 * 50);
        expect_no_more(peer.descriptor);
    }
    udp_sender_free(to_clients);
    close(listener.descriptor);
    close(peer.descriptor);
}
END_TEST

START_TEST(one_that_does_not_join_keeps_the_order)
{
    struct udp_sender *in_order = udp_sender_new(false);
    struct origin_datagram origin = {.peer = server.address};
    size_t sizes[UDP_BATCH];
    union origin_peer from;
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        sizes[i] = 20 + i % 3;
        (void)udp_sender_add(in_order, numbered(i, sizes[i]), &origin, false);
    }
    ck_assert_uint_eq(udp_sender_flush(in_order, client.descriptor), 0);
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        ck_assert_uint_eq(receive(server.descriptor, sizes, &from), i);
    }
    udp_sender_free(in_order);
}
END_TEST

START_TEST(a_room_holds_the_longest_answer)
{
    struct origin_datagram origin = {.peer = server.address};
    uint8_t got[BLOCK_ANSWER_MAX + 1];
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        uint8_t *room = udp_sender_room(sender);
        memset(room, (int)i, BLOCK_ANSWER_MAX);
        (void)udp_sender_add(sender, (struct span){room, BLOCK_ANSWER_MAX}, &origin, false);
    }
    ck_assert_uint_eq(udp_sender_flush(sender, client.descriptor), 0);
    for (unsigned i = 0; i < UDP_BATCH; i++) {
        ck_assert_int_eq(recv(server.descriptor, got, sizeof got, MSG_DONTWAIT), BLOCK_ANSWER_MAX);
        ck_assert_uint_eq(got[0], i);
        ck_assert_mem_eq(got, got + 1, BLOCK_ANSWER_MAX - 1);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("udp_sender");
    TCase *tcase = tcase_create("udp_sender");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, each_arrives_by_itself, 0, sizeof trains / sizeof trains[0]);
    tcase_add_test(tcase, those_of_one_size_and_a_shorter_one_are_joined);
    tcase_add_test(tcase, empty_ones_are_not_lost_among_others);
    tcase_add_test(tcase, what_is_refused_once_is_not_tried_again);
    tcase_add_test(tcase, one_that_cannot_be_sent_does_not_stop_the_others);
    tcase_add_test(tcase, a_peer_that_was_away_gets_all_when_it_is_back);
    tcase_add_test(tcase, a_socket_that_cannot_cut_is_known);
    tcase_add_loop_test(tcase, each_peer_gets_its_own, 0, sizeof answers / sizeof answers[0]);
    tcase_add_loop_test(tcase, batches_that_have_little_in_common, 0,
                        sizeof families / sizeof families[0]);
    tcase_add_test(tcase, only_what_goes_one_way_is_joined);
    tcase_add_test(tcase, an_address_that_is_not_ours_loses_only_its_own);
    tcase_add_test(tcase, one_that_does_not_join_keeps_the_order);
    tcase_add_test(tcase, a_room_holds_the_longest_answer);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
