/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Sockets of a service manager: found by what they are bound to, each once, and not otherwise.
 */
#include "forwarder/server/inherited_sockets.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forwarder/config/config_address.h"
#include "test/config_text.h"
#include "test/suite.h"

#define FIRST 3 /* sd_listen_fds(3) */

/* Hands over the descriptors as a service manager does, in this process: each test is one. */
static struct inherited_sockets *hand_over(const int *descriptors, int count, const char *names)
{
    char text[16];
    int high[8];
    for (int i = 0; i < count; i++) {
        high[i] = fcntl(descriptors[i], F_DUPFD, 100);
        ck_assert_int_ge(high[i], 100);
    }
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(dup2(high[i], FIRST + i), FIRST + i);
        close(high[i]);
    }
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    snprintf(text, sizeof text, "%d", count);
    setenv("LISTEN_FDS", text, 1);
    setenv("LISTEN_FDNAMES", names, 1);
    return inherited_sockets_take();
}

static struct config_listen row(const char *text)
{
    char yaml[TEXT_MAX];
    snprintf(yaml, sizeof yaml, LISTENING("%s"), text);
    struct config *config = parse_good(yaml);
    struct config_listen first = config->listen[0];
    ck_assert_uint_eq(config->listen_count, 1);
    config_free(config);
    first.certificate = first.key = NULL; /* not needed here */
    return first;
}

/* A socket on a port that is free, and the row it is for. */
static int bound(int type, const char *text, struct config_listen *out)
{
    *out = row(text);
    struct sockaddr *address = (struct sockaddr *)&out->address.sockaddr;
    ((struct sockaddr_in *)address)->sin_port = 0; /* where sin6_port is, too */
    int descriptor = socket(address->sa_family, type, 0);
    ck_assert_int_eq(bind(descriptor, address, out->address.size), 0);
    ck_assert_int_eq(getsockname(descriptor, address, &out->address.size), 0);
    ck_assert(type == SOCK_DGRAM || listen(descriptor, 1) == 0);
    return descriptor;
}

/* The row for another port, address or kind. */
static struct config_listen another(const char *text, const struct config_listen *port_of, int more)
{
    const struct sockaddr_in *from = (const struct sockaddr_in *)&port_of->address.sockaddr;
    struct config_listen listen = row(text);
    config_address_set_port(&listen.address, (uint16_t)(ntohs(from->sin_port) + more));
    return listen;
}

START_TEST(nothing_is_handed_over)
{
    struct config_listen any = row("{address: 127.0.0.1, transport: udp}");
    ck_assert_ptr_null(inherited_sockets_take());
    ck_assert_int_eq(inherited_sockets_find(NULL, &any, 0, NULL), -1);
    ck_assert_int_eq(inherited_sockets_find_any(NULL, &any), -1);
    inherited_sockets_free(NULL);
}
END_TEST

START_TEST(each_is_found_by_what_it_is_bound_to)
{
    struct config_listen udp, tcp, other;
    int descriptors[] = {bound(SOCK_DGRAM, "{address: 127.0.0.1, transport: udp}", &udp),
                         bound(SOCK_STREAM,
                               "{address: \"::1\", transport: tls, "
                               "certificate: a, key: b}",
                               &tcp),
                         open("/dev/null", O_RDONLY)};
    bool foreign = false;
    struct inherited_sockets *inherited =
        hand_over(descriptors, 3, "bailiwick.socket:unknown:stored");
    ck_assert_ptr_nonnull(inherited);
    ck_assert_ptr_null(getenv("LISTEN_FDS"));
    other = another("{address: 127.0.0.1, transport: tcp}", &udp, 0);
    ck_assert_int_eq(inherited_sockets_find(inherited, &other, 0, &foreign), -1);
    other = another("{address: 127.0.0.2, transport: udp}", &udp, 0);
    ck_assert_int_eq(inherited_sockets_find(inherited, &other, 0, &foreign), -1);
    other = another("{address: 127.0.0.1, transport: udp}", &udp, 1);
    ck_assert_int_eq(inherited_sockets_find(inherited, &other, 0, &foreign), -1);
    ck_assert_int_eq(inherited_sockets_find(inherited, &udp, 0, &foreign), FIRST);
    ck_assert(foreign);
    ck_assert_int_ne(fcntl(FIRST, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(FIRST, F_GETFD) & FD_CLOEXEC, 0);
    ck_assert_int_eq(inherited_sockets_find(inherited, &udp, 0, &foreign), -1);
    inherited_sockets_free(inherited);
    ck_assert_int_ge(fcntl(FIRST, F_GETFD), 0);
    ck_assert_int_eq(fcntl(FIRST + 1, F_GETFD), -1);
    ck_assert_int_eq(fcntl(FIRST + 2, F_GETFD), -1);
}
END_TEST

/* Three workers' sockets, handed over in another order, with one of a unit between. */
START_TEST(each_worker_gets_its_own_back)
{
    struct config_listen udp;
    char names[4 * INHERITED_SOCKETS_NAME_MAX];
    char name[3][INHERITED_SOCKETS_NAME_MAX];
    int first = bound(SOCK_DGRAM, "{address: 127.0.0.1, transport: udp}", &udp);
    int descriptors[] = {first, dup(first), dup(first), dup(first)};
    for (size_t worker = 0; worker < 3; worker++) {
        inherited_sockets_name(&udp, worker, name[worker]);
    }
    snprintf(names, sizeof names, "%s:%s:unit:%s", name[2], name[0], name[1]);
    struct inherited_sockets *inherited = hand_over(descriptors, 4, names);
    bool foreign = true;
    ck_assert_int_eq(inherited_sockets_find(inherited, &udp, 0, &foreign), FIRST + 1);
    ck_assert(!foreign);
    ck_assert_int_eq(inherited_sockets_find(inherited, &udp, 7, &foreign), FIRST + 2);
    ck_assert(foreign);
    ck_assert_int_eq(inherited_sockets_find(inherited, &udp, 7, &foreign), -1);
    ck_assert_int_eq(inherited_sockets_find(inherited, &udp, 2, &foreign), FIRST);
    ck_assert_int_eq(inherited_sockets_find_any(inherited, &udp), FIRST + 3);
    ck_assert_int_eq(inherited_sockets_find_any(inherited, &udp), -1);
    inherited_sockets_free(inherited);
}
END_TEST

static const struct {
    const char *listen;
    size_t worker;
    const char *name;
} NAMES[] = {
    {"{address: 192.0.2.1, transport: udp}", 0, "udp-192.0.2.1-53-0"},
    {"{address: \"2001:db8::1\", port: 54, transport: tcp}", 12, "tcp-2001_db8__1-54-12"},
    {"{address: \"::\", transport: quic, certificate: a, key: b}", 3, "udp-__-853-3"},
};

START_TEST(names_have_no_colon)
{
    struct config_listen listen = row(NAMES[_i].listen);
    char name[INHERITED_SOCKETS_NAME_MAX];
    ck_assert_str_eq(inherited_sockets_name(&listen, NAMES[_i].worker, name), NAMES[_i].name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inherited_sockets");
    TCase *tcase = tcase_create("inherited_sockets");
    tcase_add_test(tcase, nothing_is_handed_over);
    tcase_add_test(tcase, each_is_found_by_what_it_is_bound_to);
    tcase_add_test(tcase, each_worker_gets_its_own_back);
    tcase_add_loop_test(tcase, names_have_no_colon, 0, sizeof NAMES / sizeof NAMES[0]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
