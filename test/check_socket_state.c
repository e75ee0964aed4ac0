/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the kernel tells of sockets on loopback: buffers, datagrams and connections without room.
 */
#include "forwarder/socket_state.h"

#include <check.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "test/suite.h"

#define SMALL 65536U

static const int families[] = {AF_INET, AF_INET6};

union place {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

/* A socket of ours, bound to loopback at a port that *place tells. */
static int bound(int family, int type, union place *place)
{
    socklen_t size = sizeof *place;
    int descriptor = socket(family, type, 0);
    *place = (union place){.any = {.sa_family = (sa_family_t)family}};
    if (family == AF_INET) {
        place->ipv4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    } else {
        place->ipv6.sin6_addr = in6addr_loopback;
    }
    ck_assert_int_eq(bind(descriptor, &place->any, size), 0);
    ck_assert_int_eq(getsockname(descriptor, &place->any, &size), 0);
    return descriptor;
}

START_TEST(a_buffer_is_as_asked_for)
{
    union place place;
    int descriptor = bound(families[_i], SOCK_DGRAM, &place);
    socket_state_ask(descriptor, SMALL);
    struct socket_state state = socket_state_read(descriptor);
    ck_assert_uint_eq(state.receive_buffer, SMALL);
    ck_assert_uint_eq(state.drops, 0);
    ck_assert_uint_eq(state.waiting, 0);
    close(descriptor);
}
END_TEST

START_TEST(datagrams_without_room_are_counted)
{
    static const char octets[1000];
    union place place;
    int descriptor = bound(families[_i], SOCK_DGRAM, &place);
    int sender = socket(families[_i], SOCK_DGRAM, 0);
    socket_state_ask(descriptor, SMALL);
    for (unsigned i = 0; i < 2 * SMALL / sizeof octets; i++) {
        ck_assert_int_eq(sendto(sender, octets, sizeof octets, 0, &place.any, sizeof place),
                         sizeof octets);
    }
    ck_assert_uint_gt(socket_state_read(descriptor).drops, 0);
    close(sender);
    close(descriptor);
}
END_TEST

START_TEST(connections_wait_until_the_queue_is_full)
{
    union place place;
    int clients[8];
    int descriptor = bound(families[_i], SOCK_STREAM, &place);
    ck_assert_int_eq(listen(descriptor, 2), 0);
    ck_assert_uint_eq(socket_state_read(descriptor).waiting, 0);
    for (size_t i = 0; i < 8; i++) {
        clients[i] = socket(families[_i], SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(clients[i], &place.any, sizeof place);
    }
    struct socket_state state = socket_state_read(descriptor);
    ck_assert_uint_ge(state.waiting, 2);
    ck_assert_uint_gt(state.drops, 0);
    for (size_t i = 0; i < 8; i++) {
        close(clients[i]);
    }
    close(descriptor);
}
END_TEST

START_TEST(what_is_no_socket_has_nothing)
{
    struct socket_state state = socket_state_read(-1);
    ck_assert_uint_eq(state.receive_buffer, 0);
    ck_assert_uint_eq(state.drops, 0);
    ck_assert_uint_eq(state.waiting, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("socket_state");
    TCase *tcase = tcase_create("socket_state");
    tcase_add_loop_test(tcase, a_buffer_is_as_asked_for, 0, 2);
    tcase_add_loop_test(tcase, datagrams_without_room_are_counted, 0, 2);
    tcase_add_loop_test(tcase, connections_wait_until_the_queue_is_full, 0, 2);
    tcase_add_test(tcase, what_is_no_socket_has_nothing);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
