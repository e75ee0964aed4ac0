/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Queries and answers on one stream.
 */
#include "forwarder/quic/quic_stream.h"

#include <check.h>

#include "test/suite.h"

struct piece {
    const char *bytes;
    size_t size;
    bool fin;
    enum quic_stream_fate fate;
};

static const struct {
    const char *label;
    struct piece pieces[4];
} queries[] = {
    {"whole", {{"\0\3abc", 5, true, QUIC_STREAM_WHOLE}}},
    {"FIN by itself", {{"\0\3abc", 5, false, QUIC_STREAM_MORE}, {"", 0, true, QUIC_STREAM_WHOLE}}},
    {"in pieces",
     {{"\0", 1, false, QUIC_STREAM_MORE},
      {"\3a", 2, false, QUIC_STREAM_MORE},
      {"bc", 2, true, QUIC_STREAM_WHOLE}}},
    {"nothing", {{"", 0, true, QUIC_STREAM_WRONG}}},
    {"half a length", {{"\0", 1, true, QUIC_STREAM_WRONG}}},
    {"of no octets", {{"\0\0", 2, true, QUIC_STREAM_WHOLE}}},
    {"too short", {{"\0\4abc", 5, true, QUIC_STREAM_WRONG}}},
    {"too long", {{"\0\2abc", 5, false, QUIC_STREAM_WRONG}}},
    {"a second one",
     {{"\0\1a", 3, false, QUIC_STREAM_MORE}, {"\0\1b", 3, true, QUIC_STREAM_WRONG}}},
};

START_TEST(queries_are_framed)
{
    struct quic_stream *stream = quic_stream_new(4);
    size_t received = 0;
    for (const struct piece *piece = queries[_i].pieces; piece->bytes != NULL; piece++) {
        struct span bytes = {(const uint8_t *)piece->bytes, piece->size};
        ck_assert_msg(quic_stream_take(stream, bytes, piece->fin) == piece->fate, "%s",
                      queries[_i].label);
        received += piece->size;
        if (piece->fate == QUIC_STREAM_WHOLE) {
            size_t size;
            const uint8_t *query = quic_stream_query(stream, &size);
            ck_assert_uint_eq(size, received - 2);
            ck_assert_mem_eq(query, "abc", size);
        }
    }
    ck_assert_uint_eq(stream->received, received);
    quic_stream_free(stream);
}
END_TEST

/* The longest, in pieces of 1,000; one octet more is wrong. Memory follows what came. */
START_TEST(the_longest_query)
{
    static uint8_t bytes[QUIC_STREAM_MAX] = {0xFF, 0xFF};
    struct quic_stream *stream = quic_stream_new(0);
    ck_assert_int_eq(quic_stream_take(stream, (struct span){bytes, 2}, false), QUIC_STREAM_MORE);
    ck_assert_uint_le(stream->input_room, 1024);
    for (size_t at = 2; at < sizeof bytes; at += 1000) {
        size_t size = sizeof bytes - at < 1000 ? sizeof bytes - at : 1000;
        ck_assert_int_eq(quic_stream_take(stream, (struct span){bytes + at, size}, false),
                         QUIC_STREAM_MORE);
    }
    ck_assert_int_eq(quic_stream_take(stream, (struct span){bytes, 1}, true), QUIC_STREAM_WRONG);
    quic_stream_free(stream);
}
END_TEST

static struct span text(const char *bytes)
{
    return (struct span){(const uint8_t *)bytes, strlen(bytes)};
}

START_TEST(answers_are_sent_and_forgotten)
{
    struct quic_stream *stream = quic_stream_new(0);
    ck_assert(!quic_stream_wants(stream));
    ck_assert(quic_stream_answer(stream, text("one")));
    ck_assert(quic_stream_answer(stream, text("three")));
    stream->finished = true;
    ck_assert_uint_eq(stream->queued, 12);

    struct span unsent = quic_stream_unsent(stream);
    ck_assert_uint_eq(unsent.size, 5);
    ck_assert_mem_eq(unsent.bytes, "\0\3one", 5);
    ck_assert(!quic_stream_ends(stream, unsent)); /* another block follows */
    quic_stream_sent(stream, 4, false);
    ck_assert_mem_eq(quic_stream_unsent(stream).bytes, "e", 1);
    quic_stream_sent(stream, 1, false);

    ck_assert_uint_eq(quic_stream_acked(stream, 4), 0);
    ck_assert_uint_eq(quic_stream_acked(stream, 5), 5);

    unsent = quic_stream_unsent(stream);
    ck_assert_mem_eq(unsent.bytes, "\0\5three", 7);
    ck_assert(quic_stream_ends(stream, unsent));
    quic_stream_sent(stream, 7, true);
    ck_assert(!quic_stream_wants(stream));
    ck_assert_uint_eq(quic_stream_acked(stream, 12), 7);
    ck_assert_uint_eq(stream->queued, 0);
    quic_stream_free(stream);
}
END_TEST

/* A packet took the last octets, but not FIN; FIN goes by itself. */
START_TEST(fin_by_itself)
{
    struct quic_stream *stream = quic_stream_new(0);
    ck_assert(quic_stream_answer(stream, text("one")));
    quic_stream_sent(stream, 5, false);
    ck_assert(!quic_stream_wants(stream));
    stream->finished = true;
    ck_assert(quic_stream_wants(stream));
    ck_assert_uint_eq(quic_stream_unsent(stream).size, 0);
    ck_assert(quic_stream_ends(stream, quic_stream_unsent(stream)));
    quic_stream_sent(stream, 0, true);
    ck_assert(!quic_stream_wants(stream));
    quic_stream_free(stream);
}
END_TEST

/* What was not sent is not taken for acknowledged, whatever is claimed. */
START_TEST(acknowledging_too_much)
{
    struct quic_stream *stream = quic_stream_new(0);
    ck_assert(quic_stream_answer(stream, text("one")));
    ck_assert_uint_eq(quic_stream_acked(stream, 1000), 0);
    ck_assert_uint_eq(quic_stream_discard(stream), 5);
    ck_assert(!quic_stream_wants(stream));
    ck_assert(quic_stream_answer(stream, text("two")));
    ck_assert_mem_eq(quic_stream_unsent(stream).bytes, "\0\3two", 5);
    quic_stream_free(stream);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quic_stream");
    TCase *tcase = tcase_create("quic_stream");
    tcase_add_loop_test(tcase, queries_are_framed, 0, sizeof queries / sizeof queries[0]);
    tcase_add_test(tcase, the_longest_query);
    tcase_add_test(tcase, answers_are_sent_and_forgotten);
    tcase_add_test(tcase, fin_by_itself);
    tcase_add_test(tcase, acknowledging_too_much);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
