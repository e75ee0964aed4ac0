/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Overrides against a list and a loop: which prefix decides, and how far its answer holds.
 */
#include "geo/overrides.h"

#include <check.h>
#include <string.h>

#include "test/geo_model.h"
#include "test/suite.h"

static struct overrides *read_feed(const char *feed)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct overrides *overrides = overrides_parse("feed", feed, strlen(feed), &problems);
    ck_assert_msg(overrides != NULL, "%s",
                  problems.count == 0 ? "no problem named" : problems.items[0].text);
    problem_list_fini(&problems);
    return overrides;
}

static const char FEED[] = "10.0.0.0/8,IT,,,\n"
                           "10.1.0.0/16,FR,,,\n"
                           "10.1.2.0/24,,,,\n"
                           "10.1.2.3,DE,,,\n"
                           "::/0,SE,,,\n"
                           "2001:db8::/32,AT,,,\n";

static const struct {
    const char *address;
    const char *code; /* NULL: not found */
    const char *prefix, *alike;
} LOOKUPS[] = {
    {"10.255.255.255", "IT", "10.0.0.0/8", "10.128.0.0/9"},
    {"10.0.0.1", "IT", "10.0.0.0/8", "10.0.0.0/16"},
    {"10.1.255.255", "FR", "10.1.0.0/16", "10.1.128.0/17"},
    {"10.1.2.0", "", "10.1.2.0/24", "10.1.2.0/31"},
    {"10.1.2.3", "DE", "10.1.2.3/32", "10.1.2.3/32"},
    {"10.1.2.2", "", "10.1.2.0/24", "10.1.2.2/32"},
    {"9.255.255.255", NULL, NULL, "8.0.0.0/7"},
    {"192.0.2.1", NULL, NULL, "128.0.0.0/1"},
    {"::1", "SE", "::/0", "::/81"},
    {"::fffe:ffff:ffff", "SE", "::/0", "::fffe:0:0/96"},
    {"::1:0:0:0", "SE", "::/0", "::1:0:0:0/80"},
    {"2001:db8:1::", "AT", "2001:db8::/32", "2001:db8::/32"},
    {"ffff::", "SE", "::/0", "8000::/1"},
};

START_TEST(the_longest_prefix_decides)
{
    struct overrides *overrides = read_feed(FEED);
    for (size_t i = 0; i < sizeof LOOKUPS / sizeof LOOKUPS[0]; i++) {
        struct address address = model_address(LOOKUPS[i].address);
        struct overrides_result result;
        overrides_find(overrides, &address, &result);
        struct country expected;
        const char *code = LOOKUPS[i].code == NULL ? "" : LOOKUPS[i].code;
        country_parse(code, strlen(code), &expected);
        char prefix[NETWORK_TEXT_MAX], alike[NETWORK_TEXT_MAX];
        network_format(&result.prefix, prefix);
        network_format(&result.alike, alike);
        ck_assert_msg(result.found == (LOOKUPS[i].code != NULL), "%s", LOOKUPS[i].address);
        ck_assert_msg(country_equal(result.country, expected), "%s: %.2s", LOOKUPS[i].address,
                      result.country.letter);
        ck_assert_msg(!result.found || strcmp(prefix, LOOKUPS[i].prefix) == 0, "%s: %s",
                      LOOKUPS[i].address, prefix);
        ck_assert_msg(strcmp(alike, LOOKUPS[i].alike) == 0, "%s: alike %s", LOOKUPS[i].address,
                      alike);
    }
    ck_assert_uint_eq(overrides_count(overrides), 6);
    overrides_unref(overrides);
}
END_TEST

START_TEST(no_overrides)
{
    struct address address = model_address("192.0.2.1");
    struct overrides_result result;
    struct overrides *empty = read_feed("# nothing yet\n");
    overrides_find(empty, &address, &result);
    ck_assert(!result.found);
    ck_assert_uint_eq(result.alike.length, 96);
    ck_assert_uint_eq(overrides_count(empty), 0);
    overrides_unref(empty);

    overrides_find(NULL, &address, &result);
    ck_assert(!result.found);
    ck_assert_uint_eq(result.alike.length, 0);
    ck_assert_uint_eq(overrides_count(NULL), 0);
    ck_assert_ptr_null(overrides_ref(NULL));
    overrides_unref(NULL);
}
END_TEST

START_TEST(all_of_both_families)
{
    struct overrides *overrides = read_feed("0.0.0.0/0,IT\n::/0,FR\n");
    struct address ipv4 = model_address("192.0.2.1"), ipv6 = model_address("::1");
    struct overrides_result result;
    overrides_find(overrides, &ipv4, &result);
    ck_assert_mem_eq(result.country.letter, "IT", 2);
    ck_assert_uint_eq(result.alike.length, 96);
    overrides_find(overrides, &ipv6, &result);
    ck_assert_mem_eq(result.country.letter, "FR", 2);
    overrides_unref(overrides);
}
END_TEST

static const struct {
    const char *label, *feed;
    const char *problem; /* NULL: fine */
    size_t count;
} DOUBLES[] = {
    {"the same twice", "10.0.0.0/8,IT\n10.0.0.0/8,IT\n", NULL, 1},
    {"the same three times", "10.0.0.0/8,IT\n10.0.0.0/8,it,,,\n10.0.0.0/8,IT,,x\n", NULL, 1},
    {"unknown twice", "10.0.0.0/8,\n10.0.0.0/8\n", NULL, 1},
    {"another country", "10.0.0.0/8,IT\n# a\n 10.0.0.0/8,FR\n",
     "feed:3:2: the prefix has another country in line 1", 0},
    {"another region", "10.0.0.0/8,US,US-CA\n10.0.0.0/8,US,us-ny,x\n",
     "feed:2:1: the prefix has another region in line 1", 0},
    {"a region and none", "10.0.0.0/8,US,US-CA\n10.0.0.0/8,US\n",
     "feed:2:1: the prefix has another region in line 1", 0},
    {"another city", "10.0.0.0/8,US,US-CA,x\n10.0.0.0/8,US,us-ca,y\n", NULL, 1},
    {"what is no region", "10.0.0.0/8,US,CA\n10.0.0.0/8,US,FR-75\n10.0.0.0/8,US\n", NULL, 1},
    {"unknown and known", "10.0.0.0/8,IT\n10.0.0.0/8,,,,\n", "feed:2:1: the prefix has", 0},
    {"in two notations", "::ffff:10.0.0.0/104,IT\n10.0.0.0/8,FR\n", "feed:2:1: the prefix", 0},
    {"all of IPv6", "::/0,IT\n::/0,FR\n", "feed:2:1: the prefix has another country", 0},
    {"all of IPv4", "0.0.0.0/0,IT\n0.0.0.0/0,FR\n", "feed:2:1: the prefix has another", 0},
    {"nested is no double", "10.0.0.0/8,IT\n10.0.0.0/9,FR\n10.0.0.0,DE\n", NULL, 3},
    {"a bad line", "10.0.0.0/8,IT\n10.0.0.1/8,IT\n", "feed:2:1: \"10.0.0.1/8\" has bits", 0},
};

START_TEST(doubles_must_agree)
{
    for (size_t i = 0; i < sizeof DOUBLES / sizeof DOUBLES[0]; i++) {
        struct problem_list problems;
        problem_list_init(&problems);
        struct overrides *overrides =
            overrides_parse("feed", DOUBLES[i].feed, strlen(DOUBLES[i].feed), &problems);
        ck_assert_msg((overrides != NULL) == (DOUBLES[i].problem == NULL), "%s", DOUBLES[i].label);
        ck_assert_msg(overrides_count(overrides) == DOUBLES[i].count, "%s", DOUBLES[i].label);
        if (overrides == NULL) {
            char text[256];
            ck_assert_uint_eq(problems.count, 1);
            problem_format(&problems.items[0], text, sizeof text);
            ck_assert_msg(strncmp(text, DOUBLES[i].problem, strlen(DOUBLES[i].problem)) == 0,
                          "%s: %s", DOUBLES[i].label, text);
        }
        overrides_unref(overrides);
        problem_list_fini(&problems);
    }
}
END_TEST

START_TEST(lives_until_the_last_reference)
{
    struct overrides *overrides = read_feed(FEED);
    ck_assert_ptr_eq(overrides_ref(overrides), overrides);
    overrides_unref(overrides);
    ck_assert_uint_eq(overrides_count(overrides), 6);
    overrides_unref(overrides);
}
END_TEST

/* ---- Random feeds in a small world, and every border of it ---- */

static struct model model;
static struct model_addresses addresses;

/* Networks whose addresses differ only in a few bits, so that most of them nest or touch: IPv4,
 * IPv6, and the very first and last addresses. */
static struct network random_network(void)
{
    static const char *const starts[] = {"192.0.2.0", "2001:db8::", "::", "255.255.255.0",
                                         "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ff00"};
    struct address address = model_address(starts[lrand48() % 5]);
    address.octet[15] = (uint8_t)(lrand48() & 0xff);
    unsigned length =
        lrand48() % 4 == 0 ? (unsigned)lrand48() % 129 : 122 + (unsigned)lrand48() % 7;
    if (address_is_ipv4(&address) && length < 96) {
        length +=
            96 - (length > 32 ? 32 : length); /* no IPv6 network around the IPv4 block alone */
        length = length > 128 ? 128 : length;
    }
    return network_around(&address, length);
}

static void make_random_feed(char *feed, size_t size)
{
    static const char *const codes[] = {"IT", "FR", "DE", ""};
    size_t used = 0;
    size_t rows = 1 + (size_t)lrand48() % 20;
    model.count = 0;
    feed[0] = '\0';
    for (size_t i = 0; i < rows; i++) {
        struct network network = random_network();
        char text[NETWORK_TEXT_MAX];
        const char *code = codes[lrand48() % 4];
        bool twice = false;
        for (size_t j = 0; j < model.count; j++) {
            twice = twice || (model.rows[j].network.length == network.length &&
                              address_equal(&model.rows[j].network.base, &network.base));
        }
        if (!twice) {
            network_format(&network, text);
            model_add(&model, text, code);
            used += (size_t)snprintf(feed + used, size - used, "%s,%s,,,\n", text, code);
        }
    }
}

/* Is the network one bit wider than alike answered in the same way too? Only the addresses of the
 * list are asked; its borders are among them. None may hold IPv4 together with IPv6. */
static bool wider_is_alike_too(const struct network *alike, const struct model_row *row)
{
    if (alike->length <= NETWORK_IPV4.length &&
        address_common_bits(&alike->base, &NETWORK_IPV4.base) >= alike->length - 1U) {
        return false;
    }
    for (size_t i = 0; i < addresses.count; i++) {
        const struct address *other = &addresses.items[i];
        if (address_common_bits(&alike->base, other) >= alike->length - 1U &&
            model_find(&model, other) != row) {
            return false;
        }
    }
    return true;
}

static void check_one(const struct overrides *overrides, const struct address *address)
{
    const struct model_row *row = model_find(&model, address);
    struct overrides_result result;
    char text[ADDRESS_TEXT_MAX];
    address_format(address, text);
    overrides_find(overrides, address, &result);
    ck_assert_msg(result.found == (row != NULL), "%s", text);
    ck_assert_msg(country_equal(result.country, row == NULL ? COUNTRY_UNKNOWN : row->country), "%s",
                  text);
    ck_assert_msg(row == NULL || (result.prefix.length == row->network.length &&
                                  address_equal(&result.prefix.base, &row->network.base)),
                  "%s", text);
    const struct network *alike = &result.alike;
    ck_assert_msg(address_common_bits(&alike->base, address) >= alike->length, "%s", text);
    for (size_t i = 0; i < addresses.count; i++) {
        const struct address *other = &addresses.items[i];
        if (address_common_bits(&alike->base, other) >= alike->length &&
            model_find(&model, other) != row) {
            ck_abort_msg("%s: alike claims too much", text);
        }
    }
    ck_assert_msg(alike->length == 0 || !wider_is_alike_too(alike, row),
                  "%s: alike claims too little", text);
}

START_TEST(agrees_with_the_model)
{
    static char feed[4096];
    srand48(_i);
    for (unsigned round = 0; round < 25; round++) {
        make_random_feed(feed, sizeof feed);
        struct overrides *overrides = read_feed(feed);
        ck_assert_uint_eq(overrides_count(overrides), model.count);
        addresses.count = 0;
        model_addresses_of(&addresses, &model);
        model_addresses_around(&addresses, &NETWORK_IPV4);
        for (size_t i = 0; i < addresses.count; i++) {
            check_one(overrides, &addresses.items[i]);
        }
        overrides_unref(overrides);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overrides");
    TCase *tests = tcase_create("overrides");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, the_longest_prefix_decides);
    tcase_add_test(tests, no_overrides);
    tcase_add_test(tests, all_of_both_families);
    tcase_add_test(tests, doubles_must_agree);
    tcase_add_test(tests, lives_until_the_last_reference);
    tcase_add_loop_test(tests, agrees_with_the_model, 0, 20);
    tcase_set_timeout(tests, 60);
    return suite_run(suite);
}
