/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Limits on stream connections: in all, and of each client.
 */
#include "forwarder/client_quota.h"

#include <check.h>
#include <pthread.h>
#include <string.h>

#include "test/address_text.h"
#include "test/suite.h"

static bool take(struct client_quota *quota, const struct address *client)
{
    return client_quota_take(quota, client) == CLIENT_QUOTA_TAKEN;
}

START_TEST(each_client_has_its_own_limit)
{
    struct client_quota *quota = client_quota_new(100, 2);
    struct address one = address_of("192.0.2.1");
    struct address two = address_of("192.0.2.2");
    ck_assert(take(quota, &one));
    ck_assert(take(quota, &one));
    ck_assert(!take(quota, &one));
    ck_assert(take(quota, &two));
    client_quota_release(quota, &one);
    ck_assert(take(quota, &one));
    ck_assert_uint_eq(client_quota_connections(quota), 3);
    client_quota_free(quota);
}
END_TEST

START_TEST(an_ipv6_client_is_its_64)
{
    struct client_quota *quota = client_quota_new(100, 1);
    struct address one = address_of("2001:db8:0:1::1");
    struct address same = address_of("2001:db8:0:1:ffff::2");
    struct address other = address_of("2001:db8:0:2::1");
    ck_assert(take(quota, &one));
    ck_assert(!take(quota, &same));
    ck_assert(take(quota, &other));
    client_quota_free(quota);
}
END_TEST

START_TEST(all_clients_together_are_limited)
{
    struct client_quota *quota = client_quota_new(2, 2);
    struct address one = address_of("192.0.2.1");
    struct address two = address_of("192.0.2.2");
    struct address three = address_of("192.0.2.3");
    ck_assert(take(quota, &one));
    ck_assert(take(quota, &two));
    ck_assert(!take(quota, &three));
    client_quota_release(quota, &two);
    ck_assert(take(quota, &three));
    client_quota_free(quota);
}
END_TEST

/* Room is to be made for him who may have more, and for nobody else. */
START_TEST(it_tells_which_limit)
{
    struct client_quota *quota = client_quota_new(2, 1);
    struct address one = address_of("192.0.2.1");
    struct address two = address_of("192.0.2.2");
    struct address three = address_of("192.0.2.3");
    ck_assert_int_eq(client_quota_take(quota, &one), CLIENT_QUOTA_TAKEN);
    ck_assert_int_eq(client_quota_take(quota, &one), CLIENT_QUOTA_TOO_MANY);
    ck_assert_int_eq(client_quota_take(quota, &two), CLIENT_QUOTA_TAKEN);
    ck_assert_int_eq(client_quota_take(quota, &one), CLIENT_QUOTA_TOO_MANY);
    ck_assert_int_eq(client_quota_take(quota, &three), CLIENT_QUOTA_FULL);
    client_quota_release(quota, &one);
    ck_assert_int_eq(client_quota_take(quota, &three), CLIENT_QUOTA_TAKEN);
    ck_assert_uint_eq(client_quota_connections(quota), 2);
    client_quota_free(quota);
}
END_TEST

START_TEST(who_speaks_for_others_has_no_limit_of_his_own)
{
    struct client_quota *quota = client_quota_new(5, 2);
    struct address loopback = address_of("::1"); /* whose /64 is :: */
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(take(quota, &CLIENT_QUOTA_NOBODY));
    }
    ck_assert(take(quota, &loopback));
    ck_assert(take(quota, &loopback));
    ck_assert(!take(quota, &CLIENT_QUOTA_NOBODY)); /* it counts in all */
    ck_assert_uint_eq(client_quota_connections(quota), 5);
    client_quota_free(quota);
}
END_TEST

START_TEST(a_place_goes_over_to_the_true_client)
{
    struct client_quota *quota = client_quota_new(3, 1);
    struct address one = address_of("192.0.2.1");
    struct address two = address_of("192.0.2.2");
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(take(quota, &CLIENT_QUOTA_NOBODY));
    }
    /* Even where all places are taken. */
    ck_assert(client_quota_move(quota, &CLIENT_QUOTA_NOBODY, &one));
    ck_assert(!client_quota_move(quota, &CLIENT_QUOTA_NOBODY, &one));
    ck_assert(client_quota_move(quota, &CLIENT_QUOTA_NOBODY, &two));
    ck_assert(client_quota_move(quota, &one, &one));
    ck_assert(client_quota_move(quota, &CLIENT_QUOTA_NOBODY, &CLIENT_QUOTA_NOBODY));
    ck_assert_uint_eq(client_quota_connections(quota), 3);
    client_quota_release(quota, &one);
    ck_assert(client_quota_move(quota, &CLIENT_QUOTA_NOBODY, &one));
    client_quota_release(quota, &one);
    client_quota_release(quota, &two);
    ck_assert_uint_eq(client_quota_connections(quota), 0);
    client_quota_free(quota);
}
END_TEST

#define ROUNDS 20000

static void *take_and_release(void *ctx)
{
    struct client_quota *quota = ctx;
    struct address address = address_of("192.0.2.0");
    for (unsigned i = 0; i < ROUNDS; i++) {
        address.octet[15] = (uint8_t)i;
        if (take(quota, &address)) {
            client_quota_release(quota, &address);
        }
    }
    return NULL;
}

START_TEST(threads_leave_it_empty)
{
    struct client_quota *quota = client_quota_new(3, 1);
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, take_and_release, quota), 0);
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    ck_assert_uint_eq(client_quota_connections(quota), 0);
    client_quota_free(quota);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client_quota");
    TCase *tcase = tcase_create("client_quota");
    tcase_add_test(tcase, each_client_has_its_own_limit);
    tcase_add_test(tcase, an_ipv6_client_is_its_64);
    tcase_add_test(tcase, all_clients_together_are_limited);
    tcase_add_test(tcase, it_tells_which_limit);
    tcase_add_test(tcase, who_speaks_for_others_has_no_limit_of_his_own);
    tcase_add_test(tcase, a_place_goes_over_to_the_true_client);
    tcase_add_test(tcase, threads_leave_it_empty);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
