/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Targets and sets of them: their text and hash, what counts as the same address, who holds whom.
 */
#include "forwarder/upstream/upstream_set.h"

#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "test/suite.h"

static struct config_address address_of(const char *host, uint16_t port)
{
    struct config_address address = {0};
    struct sockaddr_in *ipv4 = (struct sockaddr_in *)&address.sockaddr;
    struct sockaddr_in6 *ipv6 = (struct sockaddr_in6 *)&address.sockaddr;
    if (inet_pton(AF_INET, host, &ipv4->sin_addr) == 1) {
        ipv4->sin_family = AF_INET;
        ipv4->sin_port = htons(port);
        address.size = sizeof *ipv4;
    } else {
        address.sockaddr = (struct sockaddr_storage){0};
        ck_assert_int_eq(inet_pton(AF_INET6, host, &ipv6->sin6_addr), 1);
        ipv6->sin6_family = AF_INET6;
        ipv6->sin6_port = htons(port);
        address.size = sizeof *ipv6;
    }
    return address;
}

static struct upstream_target *target_of(const char *host, uint16_t port)
{
    struct config_address address = address_of(host, port);
    struct upstream_target *target = upstream_target_new(&address, 2);
    ck_assert_ptr_nonnull(target);
    return target;
}

static const struct {
    const char *host;
    uint16_t port;
    const char *text;
} TARGETS[] = {
    {"192.0.2.1", 53, "192.0.2.1:53"},
    {"192.0.2.1", 65535, "192.0.2.1:65535"},
    {"169.254.1.1", 53, "169.254.1.1:53"},
    {"2001:db8::1", 53, "[2001:db8::1]:53"},
    {"fe80::1", 53, "[fe80::1]:53"},
    {"febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
     "[febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    {"fec0::1", 53, "[fec0::1]:53"},
};

START_TEST(a_target_knows_its_address)
{
    for (size_t i = 0; i < ROWS(TARGETS); i++) {
        struct upstream_target *target = target_of(TARGETS[i].host, TARGETS[i].port);
        ck_assert_str_eq(target->text, TARGETS[i].text);
        ck_assert(atomic_load(&target->up));
        for (size_t j = 0; j < ROWS(TARGETS); j++) {
            struct upstream_target *other = target_of(TARGETS[j].host, TARGETS[j].port);
            ck_assert_msg(upstream_target_same(target, &other->address) == (i == j), "%s and %s",
                          target->text, other->text);
            ck_assert_msg((target->hash == other->hash) == (i == j), "%s and %s", target->text,
                          other->text);
            upstream_target_unref(other);
        }
        upstream_target_unref(target);
    }
    upstream_target_unref(NULL);
}
END_TEST

/* client-hash must choose alike on all machines: this number is not to change. */
START_TEST(the_hash_is_the_same_everywhere)
{
    struct upstream_target *target = target_of("192.0.2.1", 53);
    ck_assert_uint_eq(target->hash, UINT64_C(0x7FFBCD3D46753FCB));
    upstream_target_unref(target);
}
END_TEST

START_TEST(zones_tell_link_local_addresses_apart)
{
    struct config_address address = address_of("fe80::1", 53);
    struct upstream_target *target = upstream_target_new(&address, 1);
    ck_assert(upstream_target_same(target, &address));
    ((struct sockaddr_in6 *)&address.sockaddr)->sin6_scope_id = 2;
    ck_assert(!upstream_target_same(target, &address));
    upstream_target_unref(target);
}
END_TEST

START_TEST(workers_count_apart_and_are_summed)
{
    struct upstream_target *target = target_of("192.0.2.1", 53);
    struct upstream_counts *first = upstream_target_counts(target, 0);
    struct upstream_counts *second = upstream_target_counts(target, 1);
    ck_assert_uint_ge((uintptr_t)second - (uintptr_t)first, 64); /* not on one cache line */
    ck_assert_uint_eq((uintptr_t)first % 64, 0);
    ck_assert_uint_eq(upstream_target_sum(target).outstanding, 0);
    atomic_store(&first->outstanding, UINT32_MAX);
    atomic_store(&second->outstanding, 2);
    atomic_store(&first->queries, 3);
    atomic_store(&second->queries, 4);
    atomic_store(&second->timeouts, 5);
    histogram_add(&first->latency, 100, 1);
    histogram_add(&second->latency, 100, 1);
    struct upstream_counts_sum sum = upstream_target_sum(target);
    ck_assert_uint_eq(sum.outstanding, UINT64_C(0x100000001));
    ck_assert_uint_eq(sum.queries, 7);
    ck_assert_uint_eq(sum.timeouts, 5);
    ck_assert_uint_eq(histogram_count(&sum.latency), 2);
    ck_assert_uint_eq(sum.latency.sum_us, 200);
    upstream_target_unref(target);
}
END_TEST

/* What is freed too early or never, the sanitizer tells. */
START_TEST(a_set_holds_its_targets)
{
    struct upstream_target *targets[] = {target_of("192.0.2.1", 53), target_of("192.0.2.2", 53)};
    struct upstream_set *one = upstream_set_new(1, targets, 2);
    struct upstream_set *two = upstream_set_new(2, targets + 1, 1);
    struct upstream_set *none = upstream_set_new(3, targets, 0);
    upstream_target_unref(targets[0]);
    upstream_target_unref(targets[1]);
    ck_assert_uint_eq(one->number, 1);
    ck_assert_uint_eq(one->count, 2);
    ck_assert_str_eq(one->targets[0]->text, "192.0.2.1:53");
    ck_assert_uint_eq(none->count, 0);
    upstream_set_free(one);
    ck_assert_uint_eq(two->number, 2);
    ck_assert_str_eq(two->targets[0]->text, "192.0.2.2:53");
    upstream_set_free(two);
    upstream_set_free(none);
    upstream_set_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_set");
    TCase *tcase = tcase_create("upstream_set");
    tcase_add_test(tcase, a_target_knows_its_address);
    tcase_add_test(tcase, the_hash_is_the_same_everywhere);
    tcase_add_test(tcase, zones_tell_link_local_addresses_apart);
    tcase_add_test(tcase, workers_count_apart_and_are_summed);
    tcase_add_test(tcase, a_set_holds_its_targets);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
