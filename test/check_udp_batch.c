/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Batches of datagrams over loopback sockets: what is received is what was sent, with who sent it
 * and where to.
 */
#include "forwarder/udp_batch.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/suite.h"
#include "test/udp_end.h"

START_TEST(a_batch_arrives)
{
    struct udp_end server = udp_end_open("127.0.0.1");
    struct udp_end client = udp_end_open("127.0.0.1");
    struct udp_receiver *receiver = udp_receiver_new(true);
    for (uint8_t round = 0; round < 3; round++) { /* the second batch uses headers of the first */
        uint8_t count = (uint8_t)(round == 0 ? UDP_BATCH : 5);
        for (uint8_t i = 0; i < count; i++) {
            uint8_t octets[3] = {round, i, 0};
            ck_assert_int_eq(sendto(client.descriptor, octets, (size_t)i % 3 + 1, 0,
                                    &server.address.any, server.size),
                             i % 3 + 1);
        }
        ck_assert_uint_eq(udp_receiver_read(receiver, server.descriptor), count);
        for (uint8_t i = 0; i < count; i++) {
            struct origin_datagram origin = {0};
            size_t size;
            uint8_t *bytes = udp_receiver_take(receiver, i, &size, &origin);
            ck_assert_uint_eq(size, (size_t)i % 3 + 1);
            ck_assert_uint_eq(bytes[0], round);
            ck_assert(size < 2 || bytes[1] == i);
            ck_assert_int_eq(origin.peer.ipv4.sin_port, client.address.ipv4.sin_port);
        }
        ck_assert_uint_eq(udp_receiver_read(receiver, server.descriptor), 0);
    }
    udp_receiver_free(receiver);
    close(server.descriptor);
    close(client.descriptor);
}
END_TEST

START_TEST(the_largest_datagram_is_received_whole)
{
    static uint8_t octets[65507];
    struct udp_end server = udp_end_open("127.0.0.1");
    struct udp_end client = udp_end_open("127.0.0.1");
    struct udp_receiver *receiver = udp_receiver_new(true);
    size_t size;
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(i * 7);
    }
    ck_assert_int_eq(
        sendto(client.descriptor, octets, sizeof octets, 0, &server.address.any, server.size),
        (ssize_t)sizeof octets);
    ck_assert_uint_eq(udp_receiver_read(receiver, server.descriptor), 1);
    uint8_t *bytes = udp_receiver_bytes(receiver, 0, &size);
    ck_assert_uint_eq(size, sizeof octets);
    ck_assert(memcmp(bytes, octets, size) == 0);
    udp_receiver_free(receiver);
    close(server.descriptor);
    close(client.descriptor);
}
END_TEST

/* Wildcard sockets report which address was asked. */
static const struct {
    const char *wildcard;
    const char *asked;
    int level;
    int option;
} asked[] = {
    {"0.0.0.0", "127.0.0.1", IPPROTO_IP, IP_PKTINFO},
    {"0.0.0.0", "127.9.8.7", IPPROTO_IP, IP_PKTINFO},
    {"::", "::1", IPPROTO_IPV6, IPV6_RECVPKTINFO},
};

START_TEST(the_address_asked_is_known)
{
    struct udp_end server = udp_end_open(asked[_i].wildcard);
    struct udp_end client = udp_end_open(asked[_i].level == IPPROTO_IP ? "127.0.0.1" : "::1");
    struct udp_receiver *receiver = udp_receiver_new(true);
    struct origin_datagram origin = {0};
    size_t size;
    int on = 1;
    ck_assert_int_eq(
        setsockopt(server.descriptor, asked[_i].level, asked[_i].option, &on, sizeof on), 0);
    union origin_peer to = server.address;
    bool ipv4 = to.any.sa_family == AF_INET;
    void *room = ipv4 ? (void *)&to.ipv4.sin_addr : (void *)&to.ipv6.sin6_addr;
    inet_pton(to.any.sa_family, asked[_i].asked, room);
    ck_assert_int_eq(sendto(client.descriptor, "q", 1, 0, &to.any, server.size), 1);
    ck_assert_uint_eq(udp_receiver_read(receiver, server.descriptor), 1);
    ck_assert_uint_eq(*udp_receiver_take(receiver, 0, &size, &origin), 'q');
    ck_assert_uint_eq(size, 1);
    ck_assert(memcmp(&origin.local, room, ipv4 ? 4 : 16) == 0);
    ck_assert(memcmp(&origin.peer, &client.address, client.size) == 0);
    udp_receiver_free(receiver);
    close(server.descriptor);
    close(client.descriptor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("udp_batch");
    TCase *tcase = tcase_create("udp_batch");
    tcase_add_test(tcase, a_batch_arrives);
    tcase_add_test(tcase, the_largest_datagram_is_received_whole);
    tcase_add_loop_test(tcase, the_address_asked_is_known, 0, sizeof asked / sizeof asked[0]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
