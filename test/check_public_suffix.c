/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/public_suffix: suffixes of names, as libpsl's list has them.
 */
#include "policy/public_suffix.h"

#include <check.h>
#include <string.h>

#include "policy/dname.h"
#include "test/suite.h"

static const struct {
    const char *label;
    const char *name;
    unsigned labels;
    bool expected;
} cases[] = {
    {"the root", "example.com", 0, true},
    {"a TLD", "example.com", 1, true},
    {"a TLD that nobody has", "example.nonesuch", 1, true},
    {"a name", "example.com", 2, false},
    {"a suffix of two labels", "www.example.co.uk", 2, true},
    {"a name under it", "www.example.co.uk", 3, false},
    {"the private section", "x.github.io", 2, true},
    {"a wildcard of the list", "x.foo.ck", 2, true},
    {"its exception", "x.www.ck", 2, false},
    {"another script", "x.\xe4\xb8\xaa\xe4\xba\xba.hk", 2, true},
};

START_TEST(knows_public_suffixes)
{
    struct dname name;
    char why[WHY_MAX];
    ck_assert_msg(dname_parse(cases[_i].name, strlen(cases[_i].name), &name, why), "%s", why);
    ck_assert_msg(public_suffix_is(&name, cases[_i].labels) == cases[_i].expected, "%s",
                  cases[_i].label);
}
END_TEST

/* A dot within a label is no end of a label: this is the label "co.uk" under the TLD test. */
START_TEST(octets_of_a_label_are_no_text)
{
    static const uint8_t wire[] = "\5co.uk\0";
    static const uint8_t below[] = "\5a.com\2uk\0";
    struct dname name;
    ck_assert(dname_decode(wire, sizeof wire, &name));
    ck_assert(public_suffix_is(&name, 1));
    ck_assert(dname_decode(below, sizeof below, &name));
    ck_assert(!public_suffix_is(&name, 2));
}
END_TEST

START_TEST(has_a_list)
{
    ck_assert(public_suffix_known());
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("public_suffix");
    TCase *tcase = tcase_create("public_suffix");
    tcase_add_loop_test(tcase, knows_public_suffixes, 0, ROWS(cases));
    tcase_add_test(tcase, octets_of_a_label_are_no_text);
    tcase_add_test(tcase, has_a_list);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
