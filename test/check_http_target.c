/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Paths and query strings.
 */
#include "forwarder/http/http_target.h"

#include <check.h>

#include "test/suite.h"

static const struct {
    const char *target;
    enum http_target outcome;
    const char *dns;
} TARGETS[] = {
    {"/dns-query?dns=AAAB", HTTP_TARGET_MESSAGE, "AAAB"},
    {"/dns-query?dns=", HTTP_TARGET_MESSAGE, ""},
    {"/dns-query?ct&dns=AAAB&x=1", HTTP_TARGET_MESSAGE, "AAAB"},
    {"/dns-query?dns=AA=AB", HTTP_TARGET_MESSAGE, "AA=AB"},
    {"/dns-query?dns=AA?AB", HTTP_TARGET_MESSAGE, "AA?AB"},
    {"/dns-query?&&dns=AAAB&&", HTTP_TARGET_MESSAGE, "AAAB"},
    {"/dns-query", HTTP_TARGET_BARE, NULL},
    {"/dns-query?", HTTP_TARGET_BARE, NULL},
    {"/dns-query?dns", HTTP_TARGET_BARE, NULL},
    {"/dns-query?DNS=AAAB", HTTP_TARGET_BARE, NULL},
    {"/dns-query?xdns=AAAB", HTTP_TARGET_BARE, NULL},
    {"/dns-query?dns=AAAB&dns=AAAB", HTTP_TARGET_BARE, NULL},
    {"/dns-query/?dns=AAAB", HTTP_TARGET_ELSEWHERE, NULL},
    {"/dns-quer?dns=AAAB", HTTP_TARGET_ELSEWHERE, NULL},
    {"/dns-query2", HTTP_TARGET_ELSEWHERE, NULL},
    {"/DNS-query", HTTP_TARGET_ELSEWHERE, NULL},
    {"/dns%2dquery", HTTP_TARGET_ELSEWHERE, NULL},
    {"/./dns-query", HTTP_TARGET_ELSEWHERE, NULL},
    {"//dns-query", HTTP_TARGET_ELSEWHERE, NULL},
    {"https://resolver.example/dns-query", HTTP_TARGET_ELSEWHERE, NULL},
    {"/", HTTP_TARGET_ELSEWHERE, NULL},
    {"?dns=AAAB", HTTP_TARGET_ELSEWHERE, NULL},
    {"*", HTTP_TARGET_ELSEWHERE, NULL},
    {"", HTTP_TARGET_ELSEWHERE, NULL},
};

START_TEST(targets)
{
    for (size_t i = 0; i < sizeof TARGETS / sizeof TARGETS[0]; i++) {
        const char *label = TARGETS[i].target;
        struct span dns = {0};
        struct span target = {(const uint8_t *)label, strlen(label)};
        ck_assert_msg(http_target_read(target, &dns) == TARGETS[i].outcome, "%s", label);
        if (TARGETS[i].dns != NULL) {
            ck_assert_msg(dns.size == strlen(TARGETS[i].dns) &&
                              memcmp(dns.bytes, TARGETS[i].dns, dns.size) == 0,
                          "%s", label);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_target");
    TCase *tcase = tcase_create("http_target");
    tcase_add_test(tcase, targets);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
