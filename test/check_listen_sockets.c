/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sockets that clients ask: which ones there are, what they are set to, and what happens when
 * an address cannot be had.
 */
#include "forwarder/server/listen_sockets.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "forwarder/config/config_listen.h"
#include "test/config_text.h"
#include "test/fake_server.h"

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The configuration, with another port for every address that it lists: one that is free. */
static struct config *configure(const char *listen)
{
    char text[TEXT_MAX];
    struct sockaddr_in any = {.sin_family = AF_INET};
    snprintf(text, sizeof text, "%s" UPSTREAM FILES, listen);
    struct config *config = parse_good(text);
    int probe = fake_socket(SOCK_STREAM, &any);
    close(probe);
    for (size_t i = 0; i < config->listen_count; i++) {
        struct sockaddr_in *address = (struct sockaddr_in *)&config->listen[i].address.sockaddr;
        address->sin_port = any.sin_port; /* where sin6_port is, too */
    }
    return config;
}

static struct worker_socket *open_sockets(const struct config *config, size_t *count)
{
    char why[WHY_MAX] = "";
    struct worker_socket *sockets = listen_sockets_open(config, NULL, true, count, why);
    ck_assert_msg(sockets != NULL, "%s", why);
    return sockets;
}

static void close_sockets(struct worker_socket *sockets, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ck_assert_int_eq(close(sockets[i].descriptor), 0);
    }
    free(sockets);
}

static int option(int descriptor, int level, int name)
{
    int value = -1;
    socklen_t size = sizeof value;
    ck_assert_int_eq(getsockopt(descriptor, level, name, &value, &size), 0);
    return value;
}

static const struct {
    const char *label;
    const char *listen;
    const char *kinds; /* a letter a socket: u or t, in capitals for all addresses */
} LISTS[] = {
    {"one address", "listen: [{address: 127.0.0.1}]\n", "ut"},
    {"udp alone", "listen: [{address: 127.0.0.1, transport: [udp]}]\n", "u"},
    {"tcp alone", "listen: [{address: \"::1\", transport: [tcp]}]\n", "t"},
    {"both wildcards, on one port", "listen: [{address: 0.0.0.0}, {address: \"::\"}]\n", "UTUT"},
};

START_TEST(each_address_and_transport_has_a_socket)
{
    for (size_t i = 0; i < ROWS(LISTS); i++) {
        struct config *config = configure(LISTS[i].listen);
        size_t count;
        struct worker_socket *sockets = open_sockets(config, &count);
        ck_assert_msg(count == strlen(LISTS[i].kinds), "%s", LISTS[i].label);
        for (size_t j = 0; j < count; j++) {
            char kind = LISTS[i].kinds[j];
            bool udp = kind == 'u' || kind == 'U';
            ck_assert_msg(config_listen_is_datagrams(sockets[j].listen) == udp, "%s",
                          LISTS[i].label);
            ck_assert_msg(sockets[j].wildcard == (kind < 'a'), "%s", LISTS[i].label);
            ck_assert_int_eq(option(sockets[j].descriptor, SOL_SOCKET, SO_TYPE),
                             udp ? SOCK_DGRAM : SOCK_STREAM);
        }
        close_sockets(sockets, count);
        config_free(config);
    }
}
END_TEST

static void check_options(const struct worker_socket *socket)
{
    int descriptor = socket->descriptor;
    bool ipv6 = option(descriptor, SOL_SOCKET, SO_DOMAIN) == AF_INET6;
    ck_assert_int_eq(option(descriptor, SOL_SOCKET, SO_REUSEPORT), 1);
    ck_assert_int_ne(fcntl(descriptor, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
    if (ipv6) {
        ck_assert_int_eq(option(descriptor, IPPROTO_IPV6, IPV6_V6ONLY), 1);
    }
    if (!config_listen_is_datagrams(socket->listen)) {
        ck_assert_int_eq(option(descriptor, SOL_SOCKET, SO_ACCEPTCONN), 1);
        return;
    }
    int level = ipv6 ? IPPROTO_IPV6 : IPPROTO_IP;
    ck_assert_int_eq(option(descriptor, level, ipv6 ? IPV6_RECVPKTINFO : IP_PKTINFO),
                     socket->wildcard);
    ck_assert_int_eq(option(descriptor, level, ipv6 ? IPV6_MTU_DISCOVER : IP_MTU_DISCOVER),
                     ipv6 ? IPV6_PMTUDISC_OMIT : IP_PMTUDISC_OMIT);
}

START_TEST(sockets_are_set_for_their_work)
{
    struct config *config = configure("listen: [{address: 127.0.0.1}, {address: \"::1\"}]\n");
    struct config *wildcards = configure("listen: [{address: 0.0.0.0}, {address: \"::\"}]\n");
    size_t count;
    size_t wildcard_count;
    struct worker_socket *sockets = open_sockets(config, &count);
    struct worker_socket *wildcard = open_sockets(wildcards, &wildcard_count);
    for (size_t i = 0; i < 4; i++) {
        check_options(&sockets[i]);
        check_options(&wildcard[i]);
    }
    close_sockets(sockets, count);
    close_sockets(wildcard, wildcard_count);
    config_free(config);
    config_free(wildcards);
}
END_TEST

START_TEST(each_worker_gets_its_own_on_the_same_port)
{
    struct config *config = configure("listen: [{address: 127.0.0.1}]\n");
    struct worker_socket *sockets[3];
    size_t count;
    for (size_t i = 0; i < ROWS(sockets); i++) {
        sockets[i] = open_sockets(config, &count);
    }
    for (size_t i = 0; i < ROWS(sockets); i++) {
        close_sockets(sockets[i], count);
    }
    config_free(config);
}
END_TEST

/* Of two addresses the second is taken, for one transport. */
static const struct {
    int type;
    const char *transport;
} TAKEN[] = {{SOCK_DGRAM, "udp"}, {SOCK_STREAM, "tcp"}};

START_TEST(a_port_that_is_taken_is_told_and_nothing_stays_open)
{
    struct config *config = configure("listen: [{address: 127.0.0.3}, {address: 127.0.0.4}]\n");
    struct sockaddr_in address;
    char why[WHY_MAX] = "";
    char expected[WHY_MAX];
    size_t count = 99;
    memcpy(&address, &config->listen[2].address.sockaddr, sizeof address);
    snprintf(expected, sizeof expected,
             "cannot listen on 127.0.0.4 port %u (%s): Address already in use",
             (unsigned)ntohs(address.sin_port), TAKEN[_i].transport);
    int other = fake_socket(TAKEN[_i].type, &address);
    ck_assert_int_ge(other, 0);
    ck_assert(TAKEN[_i].type == SOCK_DGRAM || listen(other, 1) == 0);
    int lowest = dup(other);
    close(lowest);
    ck_assert_ptr_null(listen_sockets_open(config, NULL, true, &count, why));
    ck_assert_str_eq(why, expected);
    int again = dup(other);
    ck_assert_int_eq(again, lowest);
    close(again);
    close(other);
    config_free(config);
}
END_TEST

START_TEST(an_address_of_nobody_is_told)
{
    struct config *config = configure("listen: [{address: \"2001:db8::1\"}]\n");
    char why[WHY_MAX] = "";
    size_t count;
    ck_assert_ptr_null(listen_sockets_open(config, NULL, true, &count, why));
    ck_assert_msg(strncmp(why, "cannot listen on 2001:db8::1 port ", 34) == 0, "%s", why);
    config_free(config);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listen_sockets");
    TCase *tcase = tcase_create("listen_sockets");
    tcase_add_test(tcase, each_address_and_transport_has_a_socket);
    tcase_add_test(tcase, sockets_are_set_for_their_work);
    tcase_add_test(tcase, each_worker_gets_its_own_on_the_same_port);
    tcase_add_loop_test(tcase, a_port_that_is_taken_is_told_and_nothing_stays_open, 0, ROWS(TAKEN));
    tcase_add_test(tcase, an_address_of_nobody_is_told);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
