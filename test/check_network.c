/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Networks in text, which addresses they hold, and sets of them against a plain loop.
 */
#include "geo/network.h"

#include <check.h>

#include "test/address_text.h"
#include "test/suite.h"

static const struct {
    const char *label, *text;
    const char *expected; /* formatted again; NULL: refused */
    const char *why;      /* a part of it */
} TEXTS[] = {
    {"IPv4", "192.0.2.0/24", "192.0.2.0/24", NULL},
    {"all of IPv4", "0.0.0.0/0", "0.0.0.0/0", NULL},
    {"an IPv4 host", "192.0.2.1", "192.0.2.1/32", NULL},
    {"an IPv4 host with its length", "192.0.2.1/32", "192.0.2.1/32", NULL},
    {"IPv6", "2001:db8::/32", "2001:db8::/32", NULL},
    {"all of IPv6", "::/0", "::/0", NULL},
    {"an IPv6 host", "2001:db8::1", "2001:db8::1/128", NULL},
    {"IPv4-mapped counts from the front", "::ffff:192.0.2.0/120", "192.0.2.0/24", NULL},
    {"the IPv4 block", "::ffff:0:0/96", "0.0.0.0/0", NULL},
    {"IPv4-mapped with an IPv4 length", "::ffff:192.0.2.0/24", NULL, "has bits set behind"},
    {"host bits", "192.0.2.1/24", NULL,
     "has bits set behind its prefix length; the network is "
     "192.0.2.0/24"},
    {"the last host bit", "2001:db8::1/127", NULL, "the network is 2001:db8::/127"},
    {"the first host bit", "128.0.0.0/0", NULL, "the network is 0.0.0.0/0"},
    {"too long for IPv4", "192.0.2.0/33", NULL, "from 0 to 32"},
    {"too long for IPv6", "2001:db8::/129", NULL, "from 0 to 128"},
    {"no length", "192.0.2.0/", NULL, "from 0 to 32"},
    {"a sign", "192.0.2.0/+24", NULL, "from 0 to 32"},
    {"a negative length", "192.0.2.0/-1", NULL, "from 0 to 32"},
    {"a leading zero", "192.0.2.0/024", NULL, "from 0 to 32"},
    {"a length that would wrap", "192.0.2.0/4294967320", NULL, "from 0 to 32"},
    {"a mask", "192.0.2.0/255.255.255.0", NULL, "from 0 to 32"},
    {"two lengths", "192.0.2.0/24/24", NULL, "from 0 to 32"},
    {"space", "192.0.2.0 /24", NULL, "is not an IPv4 or IPv6 address"},
    {"a name", "example.org", NULL, "is not an IPv4 or IPv6 address"},
    {"empty", "", NULL, "is not an IPv4 or IPv6 address"},
};

START_TEST(reads_and_writes_text)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct network network;
        char why[320] = "";
        bool read = network_parse(TEXTS[i].text, strlen(TEXTS[i].text), &network, why, sizeof why);
        ck_assert_msg(read == (TEXTS[i].expected != NULL), "%s: %s", TEXTS[i].label, why);
        char out[NETWORK_TEXT_MAX] = "";
        if (read) {
            network_format(&network, out);
        }
        ck_assert_msg(!read || strcmp(out, TEXTS[i].expected) == 0, "%s: %s", TEXTS[i].label, out);
        ck_assert_msg(read || strstr(why, TEXTS[i].why) != NULL, "%s: %s", TEXTS[i].label, why);
    }
}
END_TEST

static const struct {
    const char *label, *network, *address;
    bool inside;
} MEMBERS[] = {
    {"first", "192.0.2.0/25", "192.0.2.0", true},
    {"last", "192.0.2.0/25", "192.0.2.127", true},
    {"behind", "192.0.2.0/25", "192.0.2.128", false},
    {"before", "192.0.2.0/25", "192.0.1.255", false},
    {"host", "2001:db8::1/128", "2001:db8::1", true},
    {"beside the host", "2001:db8::1/128", "2001:db8::", false},
    {"all of IPv4", "0.0.0.0/0", "255.255.255.255", true},
    {"all of IPv4 is no IPv6", "0.0.0.0/0", "::1", false},
    {"all of IPv6", "::/0", "2001:db8::1", true},
    {"all of IPv6 is no IPv4", "::/0", "192.0.2.1", false},
    {"::/80 has IPv6 before the IPv4 block", "::/80", "::fffe:ffff:ffff", true},
    {"::/80 is no IPv4", "::/80", "0.0.0.0", false},
};

START_TEST(holds_addresses)
{
    for (size_t i = 0; i < sizeof MEMBERS / sizeof MEMBERS[0]; i++) {
        struct network network = network_of(MEMBERS[i].network);
        struct address address = address_of(MEMBERS[i].address);
        ck_assert_msg(network_contains(&network, &address) == MEMBERS[i].inside, "%s",
                      MEMBERS[i].label);
        struct network_set *set = network_set_new(&network, 1);
        ck_assert_msg(network_set_contains(set, &address) == MEMBERS[i].inside, "set: %s",
                      MEMBERS[i].label);
        network_set_free(set);
    }
}
END_TEST

START_TEST(cuts_around_an_address)
{
    struct address address = address_of("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff");
    for (unsigned length = 0; length <= 128; length++) {
        struct network network = network_around(&address, length);
        struct address last = network_last(&network);
        ck_assert_uint_eq(network.length, length);
        ck_assert(network_contains(&network, &address));
        for (unsigned bit = 0; bit < 128; bit++) {
            unsigned mask = 0x80U >> bit % 8;
            bool kept = bit < length && (address.octet[bit / 8] & mask) != 0;
            ck_assert_msg(((network.base.octet[bit / 8] & mask) != 0) == kept, "/%u, bit %u",
                          length, bit);
            ck_assert_msg(((last.octet[bit / 8] & mask) != 0) == (kept || bit >= length),
                          "last of /%u, bit %u", length, bit);
        }
    }
}
END_TEST

START_TEST(empty_sets)
{
    struct address address = address_of("192.0.2.1");
    ck_assert_ptr_null(network_set_new(NULL, 0));
    ck_assert(!network_set_contains(NULL, &address));
    network_set_free(NULL);
}
END_TEST

/* A small world: the low 8 bits of addresses that begin alike, so that networks often nest, touch
 * and repeat. */
static struct address world_address(const struct address *start, unsigned n)
{
    struct address address = *start;
    address.octet[15] = (uint8_t)n;
    return address;
}

/* Does the set say of every network of the small world what its addresses say? */
static void check_overlaps(const struct network_set *set, const bool inside[static 256],
                           const struct address *start)
{
    for (unsigned length = 120; length <= 128; length++) {
        unsigned size = 1U << (128 - length);
        for (unsigned first = 0; first < 256; first += size) {
            struct address base = world_address(start, first);
            struct network network = network_around(&base, length);
            bool any = false;
            for (unsigned n = first; n < first + size; n++) {
                any = any || inside[n];
            }
            if (network_set_overlaps(set, &network) != any) {
                ck_abort_msg("%u/%u", first, length);
            }
        }
    }
}

START_TEST(an_ipv6_network_around_ipv4_holds_none_of_it)
{
    const struct address ipv4 = address_of("192.0.2.1");
    const struct network member = network_around(&ipv4, 128);
    const struct network around = network_around(&ipv4, 80);
    struct network_set *set = network_set_new(&member, 1);
    ck_assert(!network_set_overlaps(set, &around));
    ck_assert(network_set_overlaps(set, &NETWORK_IPV4));
    ck_assert(!network_set_overlaps(NULL, &NETWORK_IPV4));
    network_set_free(set);
}
END_TEST

START_TEST(sets_agree_with_a_loop)
{
    srand48(1);
    const struct address start = address_of(_i == 0 ? "192.0.2.0" : "2001:db8::");
    for (unsigned round = 0; round < 2000; round++) {
        struct network members[12];
        size_t count = 1 + (size_t)lrand48() % 12;
        for (size_t i = 0; i < count; i++) {
            struct address address = world_address(&start, (unsigned)lrand48() & 255);
            members[i] = network_around(&address, 121 + (unsigned)lrand48() % 8);
        }
        struct network_set *set = network_set_new(members, count);
        bool inside[256] = {false};
        for (unsigned n = 0; n < 256; n++) {
            struct address address = world_address(&start, n);
            for (size_t i = 0; i < count; i++) {
                inside[n] = inside[n] || network_contains(&members[i], &address);
            }
            if (network_set_contains(set, &address) != inside[n]) {
                ck_abort_msg("round %u, address %u", round, n);
            }
        }
        if (round % 20 == 0) {
            check_overlaps(set, inside, &start);
        }
        network_set_free(set);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("network");
    TCase *tests = tcase_create("network");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, reads_and_writes_text);
    tcase_add_test(tests, holds_addresses);
    tcase_add_test(tests, cuts_around_an_address);
    tcase_add_test(tests, empty_sets);
    tcase_add_test(tests, an_ipv6_network_around_ipv4_holds_none_of_it);
    tcase_add_loop_test(tests, sets_agree_with_a_loop, 0, 2);
    return suite_run(suite);
}
