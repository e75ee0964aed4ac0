/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/protected_networks against a loop over all of them. What is said of bad lines is tested
 * with its caller (check_guard).
 */
#include "policy/protected_networks.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/problem.h"
#include "test/suite.h"

static bool is_ipv4(const struct network *network)
{
    return network->length >= NETWORK_IPV4.length && address_is_ipv4(&network->base);
}

/* Have two networks an address in common? No network of IPv6 has one of IPv4. */
static bool meet(const struct network *a, const struct network *b)
{
    unsigned length = a->length < b->length ? a->length : b->length;
    return is_ipv4(a) == is_ipv4(b) && address_common_bits(&a->base, &b->base) >= length;
}

/* A network in a corner of either family where many of them meet. */
static struct network any_network(void)
{
    static const char *const corners[] = {"192.0.2.0", "2001:db8::", "::", "::fffe:0:0",
                                          "::1:0:0:0"};
    const char *corner = corners[(size_t)rand() % (sizeof corners / sizeof *corners)];
    struct address address;
    if (!address_parse(corner, strlen(corner), &address)) {
        ck_abort_msg("%s", corner);
    }
    address.octet[15] = (uint8_t)rand();
    address.octet[rand() % 16] ^= (uint8_t)(1 << rand() % 8);
    unsigned length = 128 - (unsigned)rand() % (address_is_ipv4(&address) ? 33 : 129);
    return network_around(&address, length);
}

#define PROTECTED 12

static void check_against_the_loop(void)
{
    char text[PROTECTED * (NETWORK_TEXT_MAX + 1)] = "";
    struct network protected[PROTECTED];
    struct problem_list problems;
    problem_list_init(&problems);
    for (size_t i = 0; i < PROTECTED; i++) {
        char one[NETWORK_TEXT_MAX];
        protected[i] = any_network();
        strcat(strcat(text, network_format(&protected[i], one)), "\n");
    }
    struct protected_networks *networks =
        protected_networks_new("f", text, strlen(text), &problems);
    ck_assert_msg(networks != NULL, "%s", text);
    for (unsigned i = 0; i < 300; i++) {
        struct network asked = any_network();
        bool expected = false;
        for (size_t n = 0; n < PROTECTED; n++) {
            expected = expected || meet(&protected[n], &asked);
        }
        const struct network *found = protected_networks_find(networks, &asked);
        if ((found != NULL) != expected || (found != NULL && !meet(found, &asked))) {
            char shown[NETWORK_TEXT_MAX];
            ck_abort_msg("%s among\n%s", network_format(&asked, shown), text);
        }
    }
    protected_networks_free(networks);
    problem_list_fini(&problems);
}

START_TEST(finds_what_a_loop_finds)
{
    srand(7);
    for (unsigned i = 0; i < 200; i++) {
        check_against_the_loop();
    }
}
END_TEST

START_TEST(nothing_is_protected)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct protected_networks *networks = protected_networks_new("f", "# none\n", 7, &problems);
    ck_assert_ptr_nonnull(networks);
    ck_assert_ptr_null(protected_networks_find(networks, &NETWORK_IPV4));
    ck_assert_ptr_null(protected_networks_find(NULL, &NETWORK_IPV4));
    protected_networks_free(networks);
    protected_networks_free(NULL);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("protected_networks");
    tcase_add_test(tcase, finds_what_a_loop_finds);
    tcase_add_test(tcase, nothing_is_protected);
    Suite *suite = suite_create("protected_networks");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
