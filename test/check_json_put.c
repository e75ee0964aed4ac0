/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Objects built a key at a time: order, nulls, text that is not UTF-8, and failure that stays.
 */
#include "forwarder/explain/json_put.h"

#include <check.h>
#include <stdlib.h>

#include "policy/order.h"
#include "test/suite.h"

START_TEST(keys_keep_their_order_and_nulls)
{
    uint8_t digest[FILE_BYTES_SHA256] = {0xab, 0x01};
    json_t *object = json_object();
    json_put_text(&object, "z", "text");
    json_put_text(&object, "none", NULL);
    json_put_text(&object, "path", "caf\xe9\n");
    json_put_instant(&object, "time", 1767225600);
    json_put_instant(&object, "always", ORDER_ALWAYS);
    json_put_instant(&object, "for good", ORDER_FOR_GOOD);
    json_put_sha256(&object, "digest", digest);
    json_put_sha256(&object, "no digest", NULL);
    json_put(&object, "a", json_integer(7));
    char *text = json_dumps(object, JSON_COMPACT);
    ck_assert_str_eq(text, "{\"z\":\"text\",\"none\":null,\"path\":\"caf??\","
                           "\"time\":\"2026-01-01T00:00:00Z\",\"always\":null,\"for good\":null,"
                           "\"digest\":\"ab010000000000000000000000000000"
                           "00000000000000000000000000000000\",\"no digest\":null,\"a\":7}");
    free(text);
    json_decref(object);
}
END_TEST

START_TEST(a_failure_stays)
{
    json_t *object = json_object();
    json_put(&object, "a", json_integer(1));
    json_put(&object, "b", NULL);
    ck_assert_ptr_null(object);
    json_put(&object, "c", json_integer(3));
    json_put_text(&object, "d", "text");
    ck_assert_ptr_null(object);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("json_put");
    TCase *tcase = tcase_create("json_put");
    tcase_add_test(tcase, keys_keep_their_order_and_nulls);
    tcase_add_test(tcase, a_failure_stays);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
