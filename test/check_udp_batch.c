/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Batches of datagrams over loopback sockets: what is sent arrives octet for octet, from the
 * address that was asked, and an error of one datagram does not take the others with it.
 */
#include "forwarder/udp_batch.h"

#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/block.h"

/* A bound UDP socket and its address. */
struct end {
    int descriptor;
    union origin_peer address;
    socklen_t size;
};

static struct end open_end(const char *text)
{
    struct end end = {.size = sizeof(end.address.ipv4)};
    if (strchr(text, ':') != NULL) {
        end.address.ipv6.sin6_family = AF_INET6;
        end.size = sizeof(end.address.ipv6);
        ck_assert_int_eq(inet_pton(AF_INET6, text, &end.address.ipv6.sin6_addr), 1);
    } else {
        end.address.ipv4.sin_family = AF_INET;
        ck_assert_int_eq(inet_pton(AF_INET, text, &end.address.ipv4.sin_addr), 1);
    }
    end.descriptor = socket(end.address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(end.descriptor, 0);
    ck_assert_int_eq(bind(end.descriptor, &end.address.any, end.size), 0);
    ck_assert_int_eq(getsockname(end.descriptor, &end.address.any, &end.size), 0);
    return end;
}

START_TEST(a_batch_arrives_and_its_answers_return)
{
    struct end server = open_end("127.0.0.1");
    struct end client = open_end("127.0.0.1");
    struct udp_receiver *receiver = udp_receiver_new();
    struct udp_sender *sender = udp_sender_new();
    uint8_t got[64];
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
            uint8_t *bytes = udp_receiver_bytes(receiver, i, &size);
            ck_assert_uint_eq(size, (size_t)i % 3 + 1);
            ck_assert_uint_eq(bytes[0], round);
            udp_receiver_origin(receiver, i, &origin);
            ck_assert_int_eq(origin.peer.ipv4.sin_port, client.address.ipv4.sin_port);
            udp_sender_add(sender, (struct span){bytes, size}, &origin, false);
        }
        ck_assert(udp_sender_full(sender) == (count == UDP_BATCH));
        ck_assert_uint_eq(udp_sender_flush(sender, server.descriptor), 0);
        for (uint8_t i = 0; i < count; i++) {
            ck_assert_int_eq(recv(client.descriptor, got, sizeof(got), 0), i % 3 + 1);
        }
        ck_assert_uint_eq(udp_receiver_read(receiver, server.descriptor), 0);
    }
    udp_sender_free(sender);
    udp_receiver_free(receiver);
    close(server.descriptor);
    close(client.descriptor);
}
END_TEST

START_TEST(the_largest_datagram_is_received_whole)
{
    static uint8_t octets[65507];
    struct end server = open_end("127.0.0.1");
    struct end client = open_end("127.0.0.1");
    struct udp_receiver *receiver = udp_receiver_new();
    size_t size;
    for (size_t i = 0; i < sizeof(octets); i++) {
        octets[i] = (uint8_t)(i * 7);
    }
    ck_assert_int_eq(
        sendto(client.descriptor, octets, sizeof(octets), 0, &server.address.any, server.size),
        (ssize_t)sizeof(octets));
    ck_assert_uint_eq(udp_receiver_read(receiver, server.descriptor), 1);
    uint8_t *bytes = udp_receiver_bytes(receiver, 0, &size);
    ck_assert_uint_eq(size, sizeof(octets));
    ck_assert(memcmp(bytes, octets, size) == 0);
    udp_receiver_free(receiver);
    close(server.descriptor);
    close(client.descriptor);
}
END_TEST

/* Wildcard sockets: the answer leaves from the address that was asked. */
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

START_TEST(answers_leave_from_the_address_asked)
{
    struct end server = open_end(asked[_i].wildcard);
    struct end client = open_end(asked[_i].level == IPPROTO_IP ? "127.0.0.1" : "::1");
    struct udp_receiver *receiver = udp_receiver_new();
    struct udp_sender *sender = udp_sender_new();
    struct origin_datagram origin = {0};
    union origin_peer from;
    socklen_t size = sizeof(from);
    uint8_t octet = 'q';
    int on = 1;
    ck_assert_int_eq(
        setsockopt(server.descriptor, asked[_i].level, asked[_i].option, &on, sizeof(on)), 0);
    union origin_peer to = server.address;
    inet_pton(to.any.sa_family, asked[_i].asked,
              to.any.sa_family == AF_INET ? (void *)&to.ipv4.sin_addr : (void *)&to.ipv6.sin6_addr);
    ck_assert_int_eq(sendto(client.descriptor, &octet, 1, 0, &to.any, server.size), 1);
    ck_assert_uint_eq(udp_receiver_read(receiver, server.descriptor), 1);
    udp_receiver_origin(receiver, 0, &origin);
    udp_sender_add(sender, (struct span){&octet, 1}, &origin, true);
    ck_assert_uint_eq(udp_sender_flush(sender, server.descriptor), 0);
    ck_assert_int_eq(recvfrom(client.descriptor, &octet, 1, 0, &from.any, &size), 1);
    ck_assert(memcmp(&from, &to, size) == 0);
    udp_sender_free(sender);
    udp_receiver_free(receiver);
    close(server.descriptor);
    close(client.descriptor);
}
END_TEST

START_TEST(one_that_cannot_be_sent_does_not_stop_the_others)
{
    static uint8_t too_long[65536];
    struct end server = open_end("127.0.0.1");
    struct end client = open_end("127.0.0.1");
    struct udp_sender *sender = udp_sender_new();
    struct origin_datagram origin = {.peer = client.address};
    uint8_t *room = udp_sender_room(sender);
    uint8_t got[BLOCK_ANSWER_MAX];
    memset(room, 'r', BLOCK_ANSWER_MAX);
    udp_sender_add(sender, (struct span){room, BLOCK_ANSWER_MAX}, &origin, false);
    udp_sender_add(sender, (struct span){too_long, sizeof(too_long)}, &origin, false);
    udp_sender_add(sender, (struct span){too_long, 7}, &origin, false);
    ck_assert_uint_eq(udp_sender_flush(sender, server.descriptor), 1);
    ck_assert_int_eq(recv(client.descriptor, got, sizeof(got), 0), BLOCK_ANSWER_MAX);
    ck_assert_int_eq(recv(client.descriptor, got, sizeof(got), 0), 7);
    udp_sender_free(sender);
    close(server.descriptor);
    close(client.descriptor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("udp_batch");
    TCase *tcase = tcase_create("udp_batch");
    tcase_add_test(tcase, a_batch_arrives_and_its_answers_return);
    tcase_add_test(tcase, the_largest_datagram_is_received_whole);
    tcase_add_loop_test(tcase, answers_leave_from_the_address_asked, 0,
                        sizeof(asked) / sizeof(asked[0]));
    tcase_add_test(tcase, one_that_cannot_be_sent_does_not_stop_the_others);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
