/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whom TLS towards upstream trusts: what can be read as certificates, and when there is need.
 */
#include "forwarder/generation/trusted_certificates.h"

#include <check.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "test/suite.h"

static char path[] = "/tmp/check_trusted.XXXXXX";

static void write_file(const char *text)
{
    strcpy(path + sizeof path - 7, "XXXXXX");
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, text, strlen(text)), (ssize_t)strlen(text));
    close(descriptor);
}

static const struct {
    const char *label;
    const char *text;
} UNREADABLE[] = {
    {"empty", ""},
    {"text", "no certificates here\n"},
    {"a key", "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n"},
    {"half a certificate", "-----BEGIN CERTIFICATE-----\nMIIB\n"},
    {"no certificate in it", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"},
};

START_TEST(a_file_without_certificates_is_refused)
{
    for (size_t i = 0; i < ROWS(UNREADABLE); i++) {
        char why[WHY_MAX] = "";
        struct config_upstream config = {.tls_ca = path};
        write_file(UNREADABLE[i].text);
        ck_assert_msg(trusted_certificates_read(&config, why) == NULL, "%s", UNREADABLE[i].label);
        ck_assert_msg(strstr(why, path) != NULL && strstr(why, "upstream.tls-ca") != NULL, "%s",
                      why);
        unlink(path);
    }
}
END_TEST

START_TEST(a_file_that_is_not_there_is_refused)
{
    char why[WHY_MAX] = "";
    static char missing[] = "/nonexistent/ca.pem";
    struct config_upstream config = {.tls_ca = missing};
    ck_assert_ptr_null(trusted_certificates_read(&config, why));
    ck_assert_str_eq(why, "upstream.tls-ca /nonexistent/ca.pem: needs a PEM file with "
                          "certificates: No such file or directory");
}
END_TEST

START_TEST(the_system_trusts_somebody)
{
    char why[WHY_MAX] = "";
    struct config_upstream config = {.tls_ca = NULL};
    X509_STORE *store = trusted_certificates_read(&config, why);
    ck_assert_msg(store != NULL, "%s", why);
    X509_STORE_free(store);
}
END_TEST

START_TEST(they_are_wanted_for_tls)
{
    struct config_server servers[] = {{.tls = false}, {.tls = true}};
    struct config_upstream config = {.servers = servers, .server_count = 1};
    ck_assert(!trusted_certificates_wanted(&config));
    config.server_count = 2;
    ck_assert(trusted_certificates_wanted(&config));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trusted_certificates");
    TCase *tcase = tcase_create("trusted_certificates");
    tcase_add_test(tcase, a_file_without_certificates_is_refused);
    tcase_add_test(tcase, a_file_that_is_not_there_is_refused);
    tcase_add_test(tcase, the_system_trusts_somebody);
    tcase_add_test(tcase, they_are_wanted_for_tls);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
