/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/language_tag: the form of tags, mostly those of RFC 5646 appendix A.
 */
#include "policy/language_tag.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

static const struct {
    const char *tag;
    bool valid;
} rows[] = {
    {"de", true},
    {"IT", true},
    {"gsw", true},
    {"zh-Hant", true},
    {"zh-cmn-Hans-CN", true},
    {"cmn-Hans-CN", true},
    {"zh-yue-HK", true},
    {"sr-Latn-RS", true},
    {"sl-rozaj-biske", true},
    {"de-CH-1901", true},
    {"sl-IT-nedis", true},
    {"hy-Latn-IT-arevela", true},
    {"es-419", true},
    {"de-CH-x-phonebk", true},
    {"az-Arab-x-AZE-derbend", true},
    {"en-US-u-islamcal", true},
    {"zh-CN-a-myext-x-private", true},
    {"en-a-myext-b-another", true},
    {"abcdefgh", true}, /* registered languages may be as long */
    {"", false},
    {"a", false},
    {"a-DE", false},
    {"de-", false},
    {"-de", false},
    {"de--CH", false},
    {"de_CH", false},
    {"de-419-DE", false}, /* two regions */
    {"de-Latn-Cyrl", false},
    {"de-DE-Latn", false},
    {"zh-aaa-bbb-ccc-ddd", false}, /* three extended languages at most */
    {"abcd-efg", false},           /* none behind four letters */
    {"en-a", false},
    {"en-a-b-abc", false},
    {"en-x", false},
    {"x-whatever", false},
    {"i-klingon", false},
    {"d3", false},
    {"deutschland", false},
    {"en-toolongsubtag", false},
    {"e\xc3\xa9", false},
    {"de-CH-1901-abcdefgh-ijklmnop-qrstuv", true}, /* of 35 octets */
    {"de-CH-1901-abcdefgh-ijklmnop-qrstuvw", false},
};

START_TEST(judges_the_form)
{
    const char *tag = rows[_i].tag;
    ck_assert_msg(language_tag_valid(tag, strlen(tag)) == rows[_i].valid, "%s", tag);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("language_tag");
    tcase_add_loop_test(tcase, judges_the_form, 0, (int)(sizeof rows / sizeof *rows));
    Suite *suite = suite_create("language_tag");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
