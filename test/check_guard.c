/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/guard: what an order may not block.
 */
#include "policy/guard.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "geo/network.h"
#include "geo/problem.h"
#include "test/suite.h"

static const char protected_names[] = "# the operator's own\n"
                                      "Resolver.Example.\n"
                                      "login.bank.example # and its login\r\n"
                                      "b\xC3\xBC"
                                      "rger.example\n"
                                      "github.io\n";

static struct guard *new_guard(const char *bytes)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard =
        guard_new("protected", bytes, bytes == NULL ? 0 : strlen(bytes), &problems);
    ck_assert_ptr_nonnull(guard);
    ck_assert_uint_eq(problems.count, 0);
    problem_list_fini(&problems);
    return guard;
}

static enum guard_verdict judge(const struct guard *guard, const char *text,
                                char why[static WHY_MAX])
{
    struct dname name;
    ck_assert_msg(dname_parse(text, strlen(text), &name, why), "%s: %s", text, why);
    why[0] = '\0';
    return guard_judge(guard, &name, why);
}

static const struct {
    const char *label;
    const char *name;
    enum guard_verdict verdict;
    const char *why; /* a part of it; NULL when free */
} cases[] = {
    {"a name", "kickasstorrents.to", GUARD_FREE, NULL},
    {"a name below", "www.kickasstorrents.to", GUARD_FREE, NULL},
    {"a name with odd labels", "_x.-y-.example", GUARD_FREE, NULL},
    {"root", ".", GUARD_WIDE, "the root"},
    {"TLD", "com", GUARD_WIDE, "com is a top-level domain"},
    {"TLD of another script", "рф", GUARD_WIDE, "xn--p1ai is a top-level domain"},
    {"TLD that nobody has", "nonesuch", GUARD_WIDE, "top-level"},
    {"below a TLD that nobody has", "x.nonesuch", GUARD_FREE, NULL},
    {"public suffix", "co.uk", GUARD_WIDE, "co.uk is a public suffix"},
    {"public suffix in capitals with a dot", "CO.UK.", GUARD_WIDE, "co.uk is a public suffix"},
    {"below a public suffix", "example.co.uk", GUARD_FREE, NULL},
    {"widely used", "Fastly.NET", GUARD_WIDE, "fastly.net is widely used"},
    {"widely used, on the suffix list too", "cloudfront.net", GUARD_WIDE, "public suffix"},
    {"below a widely used name", "shop.example.fastly.net", GUARD_FREE, NULL},
    {"that ends like a widely used name", "notfastly.net", GUARD_FREE, NULL},
    {"private section", "blogspot.com", GUARD_WIDE, "public suffix"},
    {"public suffix of another script", "个人.hk", GUARD_WIDE, "public suffix"},
    {"wildcard of the list", "foo.ck", GUARD_WIDE, "foo.ck is a public suffix"},
    {"exception of the list", "www.ck", GUARD_FREE, NULL},
    {"exception at depth", "city.kobe.jp", GUARD_FREE, NULL},
    {"wildcard at depth", "x.kobe.jp", GUARD_WIDE, "public suffix"},
    {"underscore under a wildcard", "a_b.ck", GUARD_WIDE, "public suffix"},
    {"protected", "resolver.example", GUARD_PROTECTED, "resolver.example is a protected name"},
    {"below", "a.b.resolver.example", GUARD_PROTECTED, "below the protected name resolver.example"},
    {"above", "bank.example", GUARD_PROTECTED,
     "bank.example stands above the protected name login.bank.example"},
    {"a TLD above", "example", GUARD_PROTECTED, "above the protected name"},
    {"beside", "www.bank.example", GUARD_FREE, NULL},
    {"the same end", "myresolver.example", GUARD_FREE, NULL},
    {"protected U-label", "xn--brger-kva.example", GUARD_PROTECTED, "is a protected name"},
    {"protected public suffix", "github.io", GUARD_PROTECTED, "is a protected name"},
    {"below a protected public suffix", "x.github.io", GUARD_PROTECTED, "below"},
    {"TLD above a protected one", "io", GUARD_PROTECTED, "above the protected name github.io"},
};

START_TEST(verdicts)
{
    struct guard *guard = new_guard(protected_names);
    char why[WHY_MAX];
    enum guard_verdict verdict = judge(guard, cases[_i].name, why);
    ck_assert_msg(verdict == cases[_i].verdict, "%s: %d", cases[_i].label, (int)verdict);
    ck_assert_msg(cases[_i].why == NULL || strstr(why, cases[_i].why) != NULL, "%s: %s",
                  cases[_i].label, why);
    guard_free(guard);
}
END_TEST

START_TEST(without_protected_names)
{
    struct guard *guard = new_guard(NULL);
    char why[WHY_MAX];
    ck_assert_int_eq(judge(guard, "resolver.example", why), GUARD_FREE);
    ck_assert_int_eq(judge(guard, "example", why), GUARD_WIDE);
    ck_assert_int_eq(judge(guard, "github.io", why), GUARD_WIDE);
    guard_free(guard);
    guard_free(NULL);
}
END_TEST

static struct dname name_of(const char *text)
{
    struct dname name;
    char why[WHY_MAX];
    ck_assert_msg(dname_parse(text, strlen(text), &name, why), "%s", why);
    return name;
}

/* An order whose allow-wide lists github.io, com, the root, and what is protected. */
START_TEST(what_allow_wide_lists_is_permitted)
{
    static const struct {
        const char *name, *why; /* NULL: permitted */
    } rows[] = {
        {"resolver.example", NULL},
        {"github.io", NULL},
        {"com", NULL},
        {".", NULL},
        {"co.uk", "co.uk is a public suffix, and allow-wide does not list it"},
        {"example", "example is a top-level domain, and allow-wide does not list it"},
        {"a.example.org", "a.example.org is a protected name"},
    };
    struct dname names[] = {name_of("github.io"), name_of("com"), name_of("."),
                            name_of("a.example.org")};
    const struct guard_wide wide = {.names = names, .name_count = 4};
    struct guard *guard = new_guard("a.example.org\n");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct dname name = name_of(rows[i].name);
        char why[WHY_MAX] = "";
        bool permitted = guard_permits(guard, &wide, &name, why);
        ck_assert_msg(permitted == (rows[i].why == NULL), "%s: %s", rows[i].name, why);
        if (!permitted) {
            ck_assert_str_eq(why, rows[i].why);
        }
    }
    guard_free(guard);
}
END_TEST

static const char protected_networks[] = "# ours\n198.51.100.0/25\n198.51.100.7 # within\n"
                                         "2001:db8:53::/48\n192.0.2.53\n";

static const struct {
    const char *network;
    enum guard_verdict verdict;
    const char *why; /* NULL when free */
} networks[] = {
    {"203.0.113.7", GUARD_FREE, NULL},
    {"203.0.113.0/24", GUARD_FREE, NULL},
    {"203.0.112.0/23", GUARD_WIDE, "203.0.112.0/23 is wider than /24"},
    {"0.0.0.0/0", GUARD_PROTECTED, "0.0.0.0/0 holds the protected network 192.0.2.53/32"},
    {"::ffff:203.0.113.0/120", GUARD_FREE, NULL},
    {"2001:db8::1", GUARD_FREE, NULL},
    {"2001:db8::/48", GUARD_FREE, NULL},
    {"2001:db8::/47", GUARD_WIDE, "2001:db8::/47 is wider than /48"},
    {"2001:db8::/96", GUARD_FREE, NULL},
    {"::/0", GUARD_PROTECTED, "::/0 holds the protected network 2001:db8:53::/48"},
    {"::/8", GUARD_WIDE, "::/8 is wider than /48"}, /* around the IPv4 block, and not of it */
    {"192.0.2.53", GUARD_PROTECTED, "192.0.2.53/32 is the protected network 192.0.2.53/32"},
    {"192.0.2.52", GUARD_FREE, NULL},
    {"192.0.2.0/24", GUARD_PROTECTED, "192.0.2.0/24 holds the protected network 192.0.2.53/32"},
    {"198.51.100.9", GUARD_PROTECTED,
     "198.51.100.9/32 lies within the protected network 198.51.100.0/25"},
    {"198.51.100.128", GUARD_FREE, NULL},
    {"2001:db8:53::9", GUARD_PROTECTED,
     "2001:db8:53::9/128 lies within the protected network 2001:db8:53::/48"},
};

static struct guard *guard_with_networks(void)
{
    struct guard *guard = new_guard(protected_names);
    struct problem_list problems;
    problem_list_init(&problems);
    ck_assert(guard_protect_networks(guard, "networks", protected_networks,
                                     sizeof protected_networks - 1, &problems));
    ck_assert_uint_eq(problems.count, 0);
    problem_list_fini(&problems);
    return guard;
}

START_TEST(judges_networks)
{
    struct guard *guard = guard_with_networks();
    struct network network;
    char why[WHY_MAX];
    const char *text = networks[_i].network;
    ck_assert_msg(network_parse(text, strlen(text), &network, why, sizeof why), "%s", why);
    enum guard_verdict verdict = guard_judge_network(guard, &network, why);
    ck_assert_msg(verdict == networks[_i].verdict, "%s: %d", text, (int)verdict);
    if (networks[_i].why != NULL) {
        ck_assert_str_eq(why, networks[_i].why);
    }
    guard_free(guard);
}
END_TEST

static const struct {
    const char *label;
    enum guard_verdict verdict;
    const char *why;
} labels[] = {
    {"ilcorsaronero", GUARD_FREE, NULL},
    {"example", GUARD_FREE, NULL},
    {"nonesuch", GUARD_FREE, NULL}, /* as a TLD nobody has it */
    {"com", GUARD_WIDE, "com is a top-level domain"},
    {"co", GUARD_WIDE, "co is a top-level domain"},
    {"xn--p1ai", GUARD_WIDE, "xn--p1ai is a top-level domain"},
    {"gob", GUARD_WIDE, "gob is a public suffix under ar"},
    {"kobe", GUARD_WIDE, "kobe is a public suffix under jp"}, /* for *.kobe.jp */
    {"a_b", GUARD_FREE, NULL},
};

START_TEST(judges_labels)
{
    struct dname label;
    char why[WHY_MAX];
    ck_assert(dname_parse(labels[_i].label, strlen(labels[_i].label), &label, why));
    ck_assert_msg(guard_judge_label(&label, why) == labels[_i].verdict, "%s: %s", labels[_i].label,
                  why);
    if (labels[_i].why != NULL) {
        ck_assert_str_eq(why, labels[_i].why);
    }
}
END_TEST

START_TEST(without_protected_networks)
{
    struct guard *guard = new_guard(NULL);
    char why[WHY_MAX];
    ck_assert_int_eq(guard_judge_network(guard, &NETWORK_IPV4, why), GUARD_WIDE);
    ck_assert_str_eq(why, "0.0.0.0/0 is wider than /24");
    guard_free(guard);
}
END_TEST

START_TEST(bad_networks_are_all_told)
{
    static const char bytes[] = "192.0.2.1/24\n192.0.2.0/24\n  example.org\n";
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = new_guard(NULL);
    ck_assert(!guard_protect_networks(guard, "networks", bytes, sizeof bytes - 1, &problems));
    ck_assert_uint_eq(problems.count, 2);
    char text[400];
    problem_format(&problems.items[0], text, sizeof text);
    ck_assert_str_eq(text,
                     "networks:1:1: \"192.0.2.1/24\" has bits set behind its prefix length; the "
                     "network is 192.0.2.0/24");
    problem_format(&problems.items[1], text, sizeof text);
    ck_assert_str_eq(text,
                     "networks:3:3: \"example.org\" is not an IPv4 or IPv6 address or network");
    problem_list_fini(&problems);
    guard_free(guard);
}
END_TEST

START_TEST(odd_octets)
{
    struct guard *guard = new_guard(NULL);
    char why[WHY_MAX];
    struct dname name;
    /* A dot within a label is no border of labels: *.ck is a public suffix, and this is one. */
    ck_assert(dname_decode((const uint8_t *)"\3a.b\2ck\0", 8, &name));
    ck_assert_int_eq(guard_judge(guard, &name, why), GUARD_WIDE);
    ck_assert(dname_decode((const uint8_t *)"\2\0\xFF\7example\0", 12, &name));
    ck_assert_int_eq(guard_judge(guard, &name, why), GUARD_FREE);
    guard_free(guard);
}
END_TEST

START_TEST(longest_names_fit_the_reason)
{
    char long_name[260];
    memset(long_name, 'a', sizeof long_name);
    long_name[63] = long_name[127] = long_name[191] = '.';
    memcpy(long_name + 245, ".example", 9);
    struct guard *guard = new_guard(long_name);
    char why[WHY_MAX];
    ck_assert_int_eq(judge(guard, long_name + 64, why), GUARD_PROTECTED);
    ck_assert_msg(strstr(why, "above the protected name aaa") != NULL, "%s", why);
    ck_assert_uint_lt(strlen(why), WHY_MAX);
    guard_free(guard);
}
END_TEST

START_TEST(bad_lines_are_all_told)
{
    static const char bytes[] = "good.example\n"
                                "  http://bad.example\n"
                                "a..b\n"
                                ".\n"
                                "10.0.0.1\n";
    static const char *const expected[] = {
        "protected:2:3: this is a URL",
        "protected:3:1: there is an empty label",
        "protected:4:1: the root cannot be protected",
        "protected:5:1: this is an address",
    };
    struct problem_list problems;
    problem_list_init(&problems);
    ck_assert_ptr_null(guard_new("protected", bytes, sizeof bytes - 1, &problems));
    ck_assert_uint_eq(problems.errors, 4);
    ck_assert_uint_eq(problems.count, 4);
    for (size_t i = 0; i < problems.count; i++) {
        char text[400];
        problem_format(&problems.items[i], text, sizeof text);
        ck_assert_msg(strstr(text, expected[i]) == text, "%s", text);
    }
    problem_list_fini(&problems);
}
END_TEST

START_TEST(earlier_errors_do_not_count)
{
    struct problem_list problems;
    problem_list_init(&problems);
    problem_list_add(&problems, PROBLEM_ERROR, "another", 0, 0, "bad");
    struct guard *guard = guard_new("protected", "a.example", 9, &problems);
    ck_assert_ptr_nonnull(guard);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

struct visited {
    char text[256];
    unsigned left;
};

static bool visit(void *ctx, const struct dname *name)
{
    struct visited *visited = ctx;
    char text[DNAME_TEXT_MAX];
    size_t len = strlen(visited->text);
    snprintf(visited->text + len, sizeof visited->text - len, "%.64s ", dname_format(name, text));
    return --visited->left > 0;
}

START_TEST(protected_names_are_visited)
{
    struct guard *guard = new_guard(protected_names);
    struct visited all = {.left = 9};
    guard_each_protected(guard, visit, &all);
    ck_assert_str_eq(all.text,
                     "resolver.example login.bank.example xn--brger-kva.example github.io ");
    struct visited some = {.left = 2};
    guard_each_protected(guard, visit, &some);
    ck_assert_str_eq(some.text, "resolver.example login.bank.example ");
    struct visited above = {.left = 9};
    guard_each_above(guard, visit, &above);
    ck_assert_int_eq(above.left, 9 - 3); /* example, bank.example and io, in any order */
    ck_assert_msg(strstr(above.text, "bank.example ") != NULL, "%s", above.text);
    guard_free(guard);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("guard");
    tcase_add_loop_test(tcase, verdicts, 0, (int)(sizeof cases / sizeof cases[0]));
    tcase_add_test(tcase, without_protected_names);
    tcase_add_test(tcase, what_allow_wide_lists_is_permitted);
    tcase_add_loop_test(tcase, judges_networks, 0, (int)(sizeof networks / sizeof networks[0]));
    tcase_add_loop_test(tcase, judges_labels, 0, (int)(sizeof labels / sizeof labels[0]));
    tcase_add_test(tcase, without_protected_networks);
    tcase_add_test(tcase, bad_networks_are_all_told);
    tcase_add_test(tcase, odd_octets);
    tcase_add_test(tcase, longest_names_fit_the_reason);
    tcase_add_test(tcase, bad_lines_are_all_told);
    tcase_add_test(tcase, earlier_errors_do_not_count);
    tcase_add_test(tcase, protected_names_are_visited);
    Suite *suite = suite_create("guard");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
