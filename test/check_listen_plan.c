/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sockets that clients ask: which ones there are, what they are set to, what happens when an
 * address cannot be had, and what stays and whom the kernel chooses when the plan changes.
 */
#include "forwarder/server/listen_plan.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "forwarder/server/listener_view.h"
#include "test/few_descriptors.h"
#include "test/listen_plan_make.h"
#include "test/suite.h"

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
        struct listen_plan *plan = plan_for(config, 1, NULL);
        const struct worker_socket *sockets = plan->lists[0]->items;
        ck_assert_msg(plan->lists[0]->count == strlen(LISTS[i].kinds), "%s", LISTS[i].label);
        for (size_t j = 0; j < plan->lists[0]->count; j++) {
            char kind = LISTS[i].kinds[j];
            bool udp = kind == 'u' || kind == 'U';
            ck_assert_msg(config_listen_is_datagrams(sockets[j].listen) == udp, "%s",
                          LISTS[i].label);
            ck_assert_msg(sockets[j].wildcard == (kind < 'a'), "%s", LISTS[i].label);
            ck_assert_int_eq(option(sockets[j].descriptor, SOL_SOCKET, SO_TYPE),
                             udp ? SOCK_DGRAM : SOCK_STREAM);
        }
        listen_plan_free(plan);
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
    struct listen_plan *plan = plan_for(config, 1, NULL);
    struct listen_plan *wildcard = plan_for(wildcards, 1, NULL);
    for (size_t i = 0; i < 4; i++) {
        check_options(&plan->lists[0]->items[i]);
        check_options(&wildcard->lists[0]->items[i]);
    }
    listen_plan_free(plan);
    listen_plan_free(wildcard);
    config_free(config);
    config_free(wildcards);
}
END_TEST

/* ---- Changes ---- */

static void send_datagram(const struct listen_plan *plan)
{
    const struct worker_socket *first = &plan->lists[0]->items[0];
    const struct config_address *to = &first->listen->address;
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    ck_assert_int_eq(sendto(client, "x", 1, 0, (const struct sockaddr *)&to->sockaddr, to->size),
                     1);
    close(client);
}

/* A client's datagram; the socket of a worker that it lands in, which is emptied. */
static size_t worker_of_a_datagram(const struct listen_plan *plan, size_t lists)
{
    char octet;
    size_t found = SIZE_MAX;
    send_datagram(plan);
    for (size_t i = 0; i < lists; i++) {
        if (recv(plan->lists[i]->items[0].descriptor, &octet, 1, 0) == 1) {
            ck_assert_uint_eq(found, SIZE_MAX);
            found = i;
        }
    }
    return found;
}

START_TEST(what_stays_is_the_same_socket)
{
    struct config *config = configure("listen: [{address: 127.0.0.1}]\n");
    struct listen_plan *before = plan_for(config, 3, NULL);
    struct listen_plan *same = plan_for(config, 3, before);
    struct listen_plan *more = plan_for(config, 5, before);
    struct listen_plan *fewer = plan_for(config, 2, before);
    ck_assert(listen_plan_is_same(same, before));
    ck_assert(!listen_plan_is_same(more, before));
    ck_assert(!listen_plan_is_same(fewer, before));
    for (size_t i = 0; i < 3; i++) {
        const struct worker_socket *was = before->lists[i]->items;
        const struct worker_socket *is = more->lists[i]->items;
        for (size_t j = 0; j < 2; j++) {
            ck_assert_uint_eq(was[j].serial, is[j].serial);
            ck_assert_int_ne(was[j].descriptor, is[j].descriptor);
            ck_assert_uint_ne(more->lists[4]->items[j].serial, is[j].serial);
        }
    }
    struct worker_sockets *shared = listen_plan_share(more, 1);
    ck_assert_uint_eq(shared->count, 2);
    ck_assert_uint_eq(shared->items[1].serial, before->lists[1]->items[1].serial);
    worker_sockets_free(shared);
    listen_plan_free(before);
    listen_plan_free(same);
    listen_plan_free(more);
    listen_plan_free(fewer);
    config_free(config);
}
END_TEST

START_TEST(those_that_are_left_get_nothing_more)
{
    struct config *config = configure("listen: [{address: 127.0.0.1}]\n");
    struct listen_plan *before = plan_for(config, 4, NULL);
    bool reached[4] = {false};
    for (unsigned i = 0; i < 400; i++) {
        reached[worker_of_a_datagram(before, 4)] = true;
    }
    ck_assert(reached[0] && reached[1] && reached[2] && reached[3]);
    struct listen_plan *fewer = plan_for(config, 2, before);
    listen_plan_enforce(fewer, before);
    for (unsigned i = 0; i < 100; i++) {
        ck_assert_uint_lt(worker_of_a_datagram(before, 4), 2);
    }
    listen_plan_free(before); /* as workers do that leave */
    listen_plan_settle(fewer);
    reached[0] = reached[1] = false;
    for (unsigned i = 0; i < 100; i++) {
        reached[worker_of_a_datagram(fewer, 2)] = true;
    }
    ck_assert(reached[0] && reached[1]);
    listen_plan_free(fewer);
    config_free(config);
}
END_TEST

/* The wildcard takes over at once, and what the socket holds can still be read, and answered. */
START_TEST(an_address_is_left_to_a_wildcard)
{
    struct config *config = configure("listen: [{address: 127.0.0.1, transport: udp}]\n");
    struct listen_plan *before = plan_for(config, 1, NULL);
    struct config *all = configure("listen: [{address: 0.0.0.0, transport: udp}]\n");
    struct sockaddr_in *port = (struct sockaddr_in *)&all->listen[0].address.sockaddr;
    struct sockaddr_in to, from;
    socklen_t size = sizeof from;
    char octet = 'x';
    memcpy(&to, &config->listen[0].address.sockaddr, sizeof to);
    port->sin_port = to.sin_port;
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    struct listen_plan *plan = plan_for(all, 1, before);
    ck_assert_int_eq(sendto(client, "1", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    listen_plan_enforce(plan, before);
    ck_assert_int_eq(sendto(client, "2", 1, 0, (struct sockaddr *)&to, sizeof to), 1);
    int left = before->lists[0]->items[0].descriptor;
    ck_assert_int_eq(recv(plan->lists[0]->items[0].descriptor, &octet, 1, 0), 1);
    ck_assert_int_eq(octet, '2');
    ck_assert_int_eq(recvfrom(left, &octet, 1, 0, (struct sockaddr *)&from, &size), 1);
    ck_assert_int_eq(octet, '1');
    ck_assert_int_eq(sendto(left, "3", 1, 0, (struct sockaddr *)&from, size), 1);
    ck_assert_int_eq(recvfrom(client, &octet, 1, 0, (struct sockaddr *)&from, &size), 1);
    ck_assert_int_eq(octet, '3');
    ck_assert_mem_eq(&from.sin_addr, &to.sin_addr, sizeof to.sin_addr);
    ck_assert_uint_eq(from.sin_port, to.sin_port);
    close(client);
    listen_plan_free(before);
    listen_plan_free(plan);
    config_free(config);
    config_free(all);
}
END_TEST

/* A client of the wildcard's socket, in a thread of its own. */
struct exchange {
    int server;
    struct sockaddr_in to;
    atomic_bool over;
    atomic_uint lost;
    atomic_uint arrived;
};

static void *exchange(void *ctx)
{
    struct exchange *self = ctx;
    int client = socket(AF_INET, SOCK_DGRAM, 0);
    struct pollfd wait = {.fd = self->server, .events = POLLIN};
    char octet = 'x';
    while (!self->over && self->lost == 0) {
        bool sent =
            sendto(client, &octet, 1, 0, (struct sockaddr *)&self->to, sizeof self->to) == 1;
        bool came = sent && poll(&wait, 1, 2000) == 1 && recv(self->server, &octet, 1, 0) == 1;
        self->lost += came ? 0 : 1;
        self->arrived += came ? 1 : 0;
    }
    close(client);
    return NULL;
}

/* Looking whether an address can be had beside a wildcard takes no datagram from that. */
START_TEST(a_try_takes_nothing)
{
    struct config *all = configure("listen: [{address: 0.0.0.0}]\n");
    struct config *both = configure("listen: [{address: 0.0.0.0}, {address: 127.0.0.1}]\n");
    struct listen_plan *plan = plan_for(all, 1, NULL);
    struct exchange state = {.server = plan->lists[0]->items[0].descriptor};
    pthread_t thread;
    memcpy(&state.to, &all->listen[0].address.sockaddr, sizeof state.to);
    for (size_t i = 0; i < both->listen_count; i++) {
        ((struct sockaddr_in *)&both->listen[i].address.sockaddr)->sin_port = state.to.sin_port;
    }
    state.to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(pthread_create(&thread, NULL, exchange, &state), 0);
    for (unsigned i = 0; (i < 1000 || state.arrived < 100) && state.lost == 0; i++) {
        ck_assert(listen_plan_try(both, plan, false, &problems));
    }
    state.over = true;
    pthread_join(thread, NULL);
    ck_assert_uint_eq(state.lost, 0);
    ck_assert(listen_plan_is_wanted(plan, all));
    ck_assert(!listen_plan_is_wanted(plan, both));
    listen_plan_free(plan);
    config_free(all);
    config_free(both);
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
    struct config *none = configure("listen: [{address: 127.0.0.5}]\n");
    struct listen_plan *before = plan_for(none, 1, NULL);
    char expected[WHY_MAX];
    memcpy(&address, &config->listen[2].address.sockaddr, sizeof address);
    snprintf(expected, sizeof expected,
             "cannot listen on 127.0.0.4 port %u (%s): Address already in use: another process has "
             "this port",
             (unsigned)ntohs(address.sin_port), TAKEN[_i].transport);
    int other = fake_socket(TAKEN[_i].type, &address);
    ck_assert_int_ge(other, 0);
    ck_assert(TAKEN[_i].type == SOCK_DGRAM || listen(other, 1) == 0);
    int lowest = dup(other);
    close(lowest);
    ck_assert(!listen_plan_try(config, before, false, &problems));
    ck_assert_str_eq(problems.items[0].text, expected);
    problem_list_fini(&problems);
    problem_list_init(&problems);
    ck_assert_ptr_null(listen_plan_make(rows, config, before, &problems));
    ck_assert_uint_eq(problems.errors, 1);
    ck_assert_str_eq(problems.items[0].text, expected);
    ck_assert_uint_eq(problems.items[0].line, 1);
    ck_assert_uint_eq(problems.items[0].column, 32);
    int again = dup(other);
    ck_assert_int_eq(again, lowest);
    close(again);
    close(other);
    listen_plan_free(before);
    config_free(none);
    config_free(config);
}
END_TEST

/* What workers that run are to follow is there as a whole, or not at all. */
START_TEST(lists_for_workers_that_run)
{
    struct config *config = configure("listen: [{address: 127.0.0.1}]\n");
    struct listen_plan *before = plan_for(config, 3, NULL);
    struct listen_plan *plan = plan_for(config, 2, before);
    struct rlimit limit = few_descriptors(3); /* of four */
    bool offered = listen_plan_offer(plan, 3);
    enough_descriptors(limit);
    ck_assert(!offered);
    listen_plan_free(plan);
    int lowest = dup(STDERR_FILENO);
    plan = plan_for(config, 2, before);
    ck_assert(listen_plan_offer(plan, 3));
    for (size_t i = 0; i < 2; i++) { /* the third is not taken */
        struct worker_sockets *list = listen_plan_take_offer(plan, 2 * i);
        ck_assert_uint_eq(list->count, i == 0 ? 2 : 0);
        worker_sockets_free(list);
    }
    listen_plan_free(plan);
    int again = dup(STDERR_FILENO);
    ck_assert_int_eq(again, lowest + 1);
    close(again);
    close(lowest);
    listen_plan_free(before);
    config_free(config);
}
END_TEST

START_TEST(an_address_of_nobody_is_told)
{
    struct config *config = configure("listen: [{address: \"2001:db8::1\"}]\n");
    char why[WHY_MAX] = "";
    struct listen_plan *plan = listen_plan_make(rows, config, NULL, &problems);
    ck_assert_ptr_nonnull(plan);
    ck_assert(listen_plan_complete(plan, NULL, why) == plan->rows[0]);
    listen_plan_free(plan);
    ck_assert_msg(strncmp(why, "cannot listen on 2001:db8::1 port ", 34) == 0, "%s", why);
    config_free(config);
}
END_TEST

/* An anycast address that the machine does not have yet. */
START_TEST(an_address_of_nobody_can_be_listened_on_if_asked_for)
{
    static const char *const lists[] = {
        "listen: [{address: \"2001:db8::1\", freebind: yes}]\n",
        "listen: [{address: 192.0.2.77, freebind: yes}]\n",
    };
    for (size_t i = 0; i < ROWS(lists); i++) {
        struct config *config = configure(lists[i]);
        struct listen_plan *plan = plan_for(config, 1, NULL);
        ck_assert_uint_eq(plan->lists[0]->count, 2);
        listen_plan_free(plan);
        config_free(config);
    }
}
END_TEST

static struct listener_view view_of(struct worker *worker, const struct listener_view_left *left)
{
    size_t count;
    struct worker *const workers[] = {worker};
    struct listener_view *views = listener_view_all(workers, 1, left, &count);
    ck_assert_ptr_nonnull(views);
    ck_assert_uint_eq(count, 2);
    struct listener_view first = views[0];
    free(views);
    return first;
}

/* Counts never fall, however sockets come and go. */
START_TEST(what_was_dropped_stays_counted)
{
    struct config *config = configure("listen: [{address: 127.0.0.1}]\n");
    config->limits.receive_buffer = 4096;
    struct listen_plan *before = plan_for(config, 2, NULL);
    struct listen_plan *after = plan_for(config, 1, before);
    struct worker *worker = calloc(2, sizeof *worker);
    ck_assert_ptr_nonnull(worker);
    struct worker *const workers[] = {&worker[0], &worker[1]};
    struct listener_view_left left = {0};
    for (unsigned i = 0; i < 2; i++) {
        worker[i].sockets = before->lists[i];
        while (view_of(&worker[i], NULL).drops == 0) {
            send_datagram(before);
        }
    }
    uint64_t stays = view_of(&worker[0], NULL).drops, leaves = view_of(&worker[1], NULL).drops;
    listener_view_leaving(workers, 2, &left);
    worker[0].sockets = after->lists[0];
    worker[1].sockets = NULL;
    listener_view_has_left(workers, 2, &left);
    ck_assert_uint_eq(view_of(&worker[0], &left).drops, stays + leaves);
    ck_assert_uint_eq(view_of(&worker[0], NULL).drops, stays);
    listener_view_left_fini(&left);
    free(worker);
    listen_plan_free(before);
    listen_plan_free(after);
    config_free(config);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listen_plan");
    TCase *tcase = tcase_create("listen_plan");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, each_address_and_transport_has_a_socket);
    tcase_add_test(tcase, sockets_are_set_for_their_work);
    tcase_add_test(tcase, what_stays_is_the_same_socket);
    tcase_add_test(tcase, those_that_are_left_get_nothing_more);
    tcase_add_test(tcase, a_try_takes_nothing);
    tcase_add_test(tcase, an_address_is_left_to_a_wildcard);
    tcase_add_loop_test(tcase, a_port_that_is_taken_is_told_and_nothing_stays_open, 0, ROWS(TAKEN));
    tcase_add_test(tcase, lists_for_workers_that_run);
    tcase_add_test(tcase, an_address_of_nobody_is_told);
    tcase_add_test(tcase, an_address_of_nobody_can_be_listened_on_if_asked_for);
    tcase_add_test(tcase, what_was_dropped_stays_counted);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
