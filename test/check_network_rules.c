/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/network_rules: which entry decides, by a table and against a loop over all entries.
 */
#include "policy/network_rules.h"

#include <check.h>
#include <string.h>

#include "test/address_text.h"
#include "test/suite.h"

#define NONE UINT32_MAX

/* The number of a network is its place; the one at 7 is there twice. */
static const char *const networks[] = {
    "203.0.113.0/24", "203.0.113.7/32", "198.51.0.0/16",  "198.51.100.0/24",
    "0.0.0.0/0",      "2001:db8::/32",  "2001:db8::1",    "192.0.2.0/25",
    "192.0.2.128/25", "192.0.2.0/25",   "203.0.113.8/32", "2001:db8:1::/48",
};

static const struct {
    const char *label;
    const char *address;
    uint32_t expected;
} cases[] = {
    {"in the only network", "203.0.113.1", 0},
    {"the longest", "203.0.113.7", 1},
    {"a neighbour of equal length", "203.0.113.8", 10},
    {"the wider of two", "198.51.1.1", 2},
    {"the longer of two", "198.51.100.255", 3},
    {"all of IPv4", "10.0.0.1", 4},
    {"IPv6", "2001:db8::2", 5},
    {"one IPv6 address", "2001:db8::1", 6},
    {"a longer IPv6 network", "2001:db8:1::1", 11},
    {"no IPv6 network", "2001:db9::1", NONE},
    {"all of IPv4 holds no IPv6", "::1", NONE},
    {"the first of two alike", "192.0.2.1", 7},
    {"its other half", "192.0.2.200", 8},
    {"an IPv4-mapped address", "::ffff:203.0.113.7", 1},
};

START_TEST(the_longest_network_decides)
{
    struct network_rule entries[ROWS(networks)];
    for (size_t i = 0; i < ROWS(networks); i++) {
        entries[i] = (struct network_rule){network_of(networks[i]), (uint32_t)i};
    }
    struct network_rules *rules = network_rules_new(entries, ROWS(networks));
    ck_assert_ptr_nonnull(rules);
    struct address address = address_of(cases[_i].address);
    const struct network_rule *found = network_rules_find(rules, &address);
    ck_assert_msg((found == NULL ? NONE : found->rule) == cases[_i].expected, "%s: %u",
                  cases[_i].label, found == NULL ? NONE : found->rule);
    ck_assert(found == NULL || network_contains(&found->network, &address));
    ck_assert_uint_eq(network_rules_count(rules), ROWS(networks) - 1);
    network_rules_free(rules);
}
END_TEST

START_TEST(nothing_holds_nothing)
{
    struct address address = address_of("192.0.2.1");
    ck_assert_ptr_null(network_rules_new(NULL, 0));
    ck_assert_ptr_null(network_rules_find(NULL, &address));
    ck_assert_uint_eq(network_rules_count(NULL), 0);
    network_rules_free(NULL);
}
END_TEST

/* The first of the longest entries that hold the address. */
static const struct network_rule *slow_find(const struct network_rule *entries, size_t count,
                                            const struct address *address)
{
    const struct network_rule *best = NULL;
    for (size_t i = 0; i < count; i++) {
        if (network_contains(&entries[i].network, address) &&
            (best == NULL || entries[i].network.length > best->network.length)) {
            best = &entries[i];
        }
    }
    return best;
}

/* Addresses that share most of their bits, of both families. */
static struct address random_address(unsigned *state)
{
    struct address address =
        address_of((*state = *state * 1103515245U + 12345U) & 65536U ? "192.0.2.0" : "2001:db8::");
    *state = *state * 1103515245U + 12345U;
    address.octet[14] = (uint8_t)(*state >> 16 & 3U);
    address.octet[15] = (uint8_t)(*state >> 20);
    return address;
}

static bool is_within(const struct network *inner, const struct network *outer)
{
    return inner->length >= outer->length && network_contains(outer, &inner->base);
}

/* What holds all of a network, and what lies inside it. */
static void check_network(const struct network_rules *rules, const struct network_rule *entries,
                          size_t count, const struct address *address, unsigned length)
{
    struct network network = network_around(address, length);
    const struct network_rule *best = NULL;
    bool inside = false;
    uint32_t wanted = address->octet[15] % 7U;
    for (size_t i = 0; i < count; i++) {
        if (is_within(&network, &entries[i].network) &&
            (best == NULL || entries[i].network.length > best->network.length)) {
            best = &entries[i];
        }
    }
    for (size_t i = 0; i < network_rules_count(rules); i++) {
        const struct network_rule *entry = network_rules_at(rules, i);
        inside |= entry->rule == wanted && entry->network.length > length &&
                  is_within(&entry->network, &network);
    }
    const struct network_rule *found = network_rules_find_network(rules, &network);
    if ((found == NULL) != (best == NULL) || (found != NULL && found->rule != best->rule) ||
        network_rules_inside(rules, &network, wanted) != inside) {
        char text[NETWORK_TEXT_MAX];
        ck_abort_msg("%s", network_format(&network, text));
    }
}

START_TEST(agrees_with_a_loop)
{
    enum {
        TRIALS = 300,
        ENTRIES = 60,
        QUESTIONS = 200
    };
    unsigned state = 1;
    for (int trial = 0; trial < TRIALS; trial++) {
        struct network_rule entries[ENTRIES];
        size_t count = 1 + (size_t)trial % ENTRIES;
        for (size_t i = 0; i < count; i++) {
            struct address base = random_address(&state);
            state = state * 1103515245U + 12345U;
            entries[i] =
                (struct network_rule){network_around(&base, 112 + (state >> 16) % 17), (uint32_t)i};
        }
        struct network_rules *rules = network_rules_new(entries, count);
        ck_assert_ptr_nonnull(rules);
        for (int question = 0; question < QUESTIONS; question++) {
            struct address address = random_address(&state);
            check_network(rules, entries, count, &address, 112 + (unsigned)question % 17);
            const struct network_rule *expected = slow_find(entries, count, &address);
            const struct network_rule *found = network_rules_find(rules, &address);
            if ((found == NULL) != (expected == NULL) ||
                (found != NULL && found->rule != expected->rule)) {
                ck_abort_msg("trial %d, question %d", trial, question);
            }
        }
        network_rules_free(rules);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network_rules");
    TCase *tcase = tcase_create("network_rules");
    tcase_add_loop_test(tcase, the_longest_network_decides, 0, ROWS(cases));
    tcase_add_test(tcase, nothing_holds_nothing);
    tcase_add_test(tcase, agrees_with_a_loop);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
