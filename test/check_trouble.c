/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder/trouble: what is told, and since when it stands.
 */
#include "forwarder/trouble.h"

#include <check.h>
#include <string.h>

#include "test/suite.h"

START_TEST(each_reason_is_news_once)
{
    static const struct {
        const char *label, *why;
        bool news;
        int64_t since;
    } notes[] = {
        {"all is well from the beginning", "", false, 0},
        {"it begins", "disk full", true, 102},
        {"it goes on", "disk full", false, 102},
        {"for another reason", "disk gone", true, 104},
        {"it ends", "", true, 105},
        {"that is known", "", false, 105},
        {"it begins anew", "disk full", true, 107},
    };
    struct trouble trouble = {0};
    for (size_t i = 0; i < sizeof notes / sizeof notes[0]; i++) {
        bool news = trouble_note(&trouble, notes[i].why, 101 + (int64_t)i);
        ck_assert_msg(news == notes[i].news, "%s", notes[i].label);
        ck_assert_str_eq(trouble.why, notes[i].why);
        ck_assert_msg(trouble.since == notes[i].since, "%s", notes[i].label);
        ck_assert_int_eq(trouble_stands(&trouble), notes[i].why[0] != '\0');
    }
}
END_TEST

START_TEST(a_long_reason_is_cut_and_told_once)
{
    char why[2 * WHY_MAX];
    struct trouble trouble = {0};
    memset(why, 'x', sizeof why);
    why[sizeof why - 1] = '\0';
    ck_assert(trouble_note(&trouble, why, 1));
    ck_assert_uint_eq(strlen(trouble.why), WHY_MAX - 1);
    ck_assert(!trouble_note(&trouble, why, 2));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trouble");
    TCase *tcase = tcase_create("trouble");
    tcase_add_test(tcase, each_reason_is_news_once);
    tcase_add_test(tcase, a_long_reason_is_cut_and_told_once);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
