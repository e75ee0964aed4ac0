/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who else may listen where we do: nobody, though the kernel would let another daemon of our user
 * share our ports; and our own sockets, which are not in each other's way.
 */
#include "forwarder/server/listen_plan.h"

#include <sys/socket.h>

#include "test/listen_plan_make.h"
#include "test/suite.h"

/* What one daemon listens to, and what a second one of the same user wants then. */
static const struct {
    const char *first;
    const char *second;
    const char *refused; /* what it is told; NULL: it gets all */
} DAEMONS[] = {
    {"{address: 127.0.0.1, transport: udp}", "{address: 127.0.0.1, transport: udp}", "(udp)"},
    {"{address: 127.0.0.1, transport: tcp}", "{address: 127.0.0.1, transport: tcp}", "(tcp)"},
    {"{address: \"::1\"}", "{address: \"::1\"}", "on ::1 port"},
    {"{address: 0.0.0.0}", "{address: 127.0.0.1}", "on 127.0.0.1 port"},
    {"{address: 127.0.0.1}", "{address: 0.0.0.0}", "on 0.0.0.0 port"},
    {"{address: 127.0.0.1}", "{address: 127.0.0.2}, {address: 0.0.0.0}", "on 0.0.0.0 port"},
    {"{address: 0.0.0.0}, {address: 127.0.0.1}", "{address: 127.0.0.1}", "on 127.0.0.1 port"},
    {"{address: 192.0.2.7, freebind: yes}", "{address: 192.0.2.7, freebind: yes}", "192.0.2.7"},
    {"{address: 127.0.0.1}", "{address: 127.0.0.2}", NULL},
    {"{address: 0.0.0.0}", "{address: \"::\"}", NULL},
    {"{address: 127.0.0.1, transport: udp}", "{address: 127.0.0.1, transport: tcp}", NULL},
    {"{address: 127.0.0.1, transport: udp}",
     "{address: 127.0.0.1, transport: quic, certificate: a, key: b}", "(quic)"},
};

START_TEST(two_daemons_share_nothing)
{
    char first[TEXT_MAX], second[TEXT_MAX], why[WHY_MAX] = "";
    snprintf(first, sizeof first, "listen: [%s]\n", DAEMONS[_i].first);
    snprintf(second, sizeof second, "listen: [%s]\n", DAEMONS[_i].second);
    struct config *config = configure(first);
    struct config *wanted = configure_as(second, config);
    struct config *elsewhere = configure("listen: [{address: 127.0.0.3}]\n");
    struct listen_plan *held = plan_for(config, 2, NULL);
    struct listen_plan *before = plan_for(elsewhere, 1, NULL);
    struct listen_plan *start = listen_plan_make(rows, wanted, NULL, &problems);
    const struct config_listen *refused = listen_plan_complete(start, NULL, why);
    listen_plan_free(start);
    ck_assert_msg((refused != NULL) == (DAEMONS[_i].refused != NULL), "%s", why);
    ck_assert(listen_plan_try(wanted, before, false, &problems) == (refused == NULL));
    struct listen_plan *reload = listen_plan_make(rows, wanted, before, &problems);
    ck_assert((reload == NULL) == (refused != NULL));
    listen_plan_free(reload);
    ck_assert_uint_eq(problems.errors, refused == NULL ? 0 : 2);
    for (size_t i = 0; i < problems.count; i++) {
        ck_assert_ptr_nonnull(strstr(problems.items[i].text, DAEMONS[_i].refused));
        ck_assert_str_eq(problems.items[i].text, why);
        ck_assert_uint_eq(problems.items[i].line, 1);
    }
    listen_plan_free(held);
    start = plan_for(wanted, 2, NULL); /* once nobody has it */
    listen_plan_free(start);
    listen_plan_free(before);
    config_free(config);
    config_free(wanted);
    config_free(elsewhere);
}
END_TEST

/* Our own sockets are not in each other's way, in whatever order they are listed, and those that
 * are being left are not taken for another's. */
START_TEST(one_daemon_may_have_a_wildcard_and_its_addresses)
{
    struct config *one = configure("listen: [{address: 127.0.0.1}]\n");
    struct config *all = configure_as("listen: [{address: 0.0.0.0}]\n", one);
    struct config *both = configure_as(
        "listen: [{address: 127.0.0.1}, {address: 0.0.0.0}, {address: \"::\"}]\n", one);
    struct config *const wanted[] = {one, all, both};
    for (size_t i = 0; i < ROWS(wanted); i++) {
        struct listen_plan *before = plan_for(wanted[i], 3, NULL);
        for (size_t j = 0; j < ROWS(wanted); j++) {
            ck_assert(listen_plan_try(wanted[j], before, false, &problems));
            listen_plan_free(plan_for(wanted[j], 3, before));
        }
        struct config *none = configure("listen: [{address: 127.0.0.2}]\n");
        struct listen_plan *now = plan_for(none, 3, before); /* before is being left */
        ck_assert(listen_plan_try(wanted[i], now, true, &problems));
        ck_assert(!listen_plan_try(wanted[i], now, false, &problems));
        listen_plan_free(before);
        ck_assert(listen_plan_try(wanted[i], now, false, &problems));
        listen_plan_free(now);
        config_free(none);
    }
    config_free(one);
    config_free(all);
    config_free(both);
}
END_TEST

/* A connection that was closed here first keeps its port for a minute, and nobody from it. */
START_TEST(old_connections_are_in_nobodys_way)
{
    struct config *config = configure("listen: [{address: 127.0.0.1, transport: tcp}]\n");
    struct listen_plan *plan = plan_for(config, 2, NULL);
    const struct config_address *to = &config->listen[0].address;
    char octet;
    int client = socket(AF_INET, SOCK_STREAM, 0), accepted = -1;
    ck_assert_int_eq(connect(client, (const struct sockaddr *)&to->sockaddr, to->size), 0);
    for (size_t i = 0; accepted < 0; i = 1 - i) {
        accepted = accept(plan->lists[i]->items[0].descriptor, NULL, NULL);
    }
    listen_plan_free(plan);
    plan = plan_for(config, 2, NULL); /* while it is open */
    listen_plan_free(plan);
    close(accepted);
    ck_assert_int_eq(recv(client, &octet, 1, 0), 0);
    close(client);
    plan = plan_for(config, 2, NULL);
    listen_plan_free(plan);
    config_free(config);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("listen_alone");
    TCase *tcase = tcase_create("listen_alone");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, two_daemons_share_nothing, 0, ROWS(DAEMONS));
    tcase_add_test(tcase, one_daemon_may_have_a_wildcard_and_its_addresses);
    tcase_add_test(tcase, old_connections_are_in_nobodys_way);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
