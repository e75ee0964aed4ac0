/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Two-octet framing: messages cut at every place, of every size at the limits.
 */
#include "forwarder/framing.h"

#include <check.h>
#include <event2/buffer.h>
#include <string.h>

#include "test/suite.h"

START_TEST(a_message_is_seen_only_when_whole)
{
    static const uint8_t stream[] = {0, 3, 'a', 'b', 'c', 0, 0, 0, 1, 'd'};
    struct evbuffer *input = evbuffer_new();
    uint8_t *message;
    size_t size;
    for (size_t cut = 0; cut < 5; cut++) {
        ck_assert_msg(!framing_peek(input, &message, &size), "after %zu octets", cut);
        evbuffer_add(input, stream + cut, 1);
    }
    ck_assert(framing_peek(input, &message, &size));
    ck_assert_uint_eq(size, 3);
    ck_assert_mem_eq(message, "abc", 3);
    framing_drop(input, size);
    evbuffer_add(input, stream + 5, 5);
    ck_assert(framing_peek(input, &message, &size));
    ck_assert_uint_eq(size, 0);
    framing_drop(input, size);
    ck_assert(framing_peek(input, &message, &size));
    ck_assert_uint_eq(size, 1);
    ck_assert_uint_eq(message[0], 'd');
    framing_drop(input, size);
    ck_assert_uint_eq(evbuffer_get_length(input), 0);
    evbuffer_free(input);
}
END_TEST

START_TEST(what_is_written_is_read_again)
{
    static const size_t sizes[] = {0, 1, 12, 255, 256, 4094, 65534, 65535};
    static uint8_t octets[65535];
    struct evbuffer *buffer = evbuffer_new();
    uint8_t *message;
    size_t size;
    for (size_t i = 0; i < sizeof octets; i++) {
        octets[i] = (uint8_t)(i * 31);
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_assert(framing_write(buffer, (struct span){octets, sizes[i]}));
    }
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        ck_assert(framing_peek(buffer, &message, &size));
        ck_assert_uint_eq(size, sizes[i]);
        ck_assert(memcmp(message, octets, size) == 0);
        framing_drop(buffer, size);
    }
    evbuffer_free(buffer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("framing");
    TCase *tcase = tcase_create("framing");
    tcase_add_test(tcase, a_message_is_seen_only_when_whole);
    tcase_add_test(tcase, what_is_written_is_read_again);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
