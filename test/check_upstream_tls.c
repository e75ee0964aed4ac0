/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a connection of TLS towards upstream begins with. Handshakes:
 * test/e2e/test_resolver_view.py.
 */
#include "forwarder/upstream/upstream_tls.h"

#include <check.h>
#include <openssl/ssl.h>

#include "test/suite.h"

START_TEST(a_connection_asks_for_its_name)
{
    char why[WHY_MAX] = "";
    struct config_upstream config = {.tls_ca = NULL};
    struct upstream_tls_ticket ticket = {.session = NULL};
    struct upstream_tls *tls = upstream_tls_new(&config, why);
    ck_assert_msg(tls != NULL, "%s", why);
    SSL *ssl = upstream_tls_connect(tls, "resolver.example", &ticket, 1);
    ck_assert_ptr_nonnull(ssl);
    ck_assert_str_eq(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name), "resolver.example");
    ck_assert_int_eq(SSL_get_verify_mode(ssl), SSL_VERIFY_PEER);
    ck_assert_int_eq(SSL_get_min_proto_version(ssl), TLS1_2_VERSION);
    SSL_free(ssl);
    upstream_tls_ticket_fini(&ticket);
    upstream_tls_free(tls);
    upstream_tls_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("upstream_tls");
    TCase *tcase = tcase_create("upstream_tls");
    tcase_add_test(tcase, a_connection_asks_for_its_name);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
