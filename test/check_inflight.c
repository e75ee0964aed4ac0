/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The in-flight table against a naive model, and at its limits.
 */
#include "forwarder/upstream/inflight.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/upstream/upstream_counts.h"
#include "test/suite.h"

#define CHANNELS 3

static struct upstream_counts counts;

static struct inflight_channel channel_of(uint32_t number)
{
    return (struct inflight_channel){.number = number, .counts = &counts};
}

static struct span message_of(const uint8_t *bytes, size_t size)
{
    return (struct span){bytes, size};
}

START_TEST(a_query_is_kept_and_found_by_channel_and_id)
{
    static const uint8_t query[] = "twelve octets and more";
    struct inflight *inflight = inflight_new(4);
    struct inflight_channel a = channel_of(1);
    struct inflight_channel b = channel_of(2);
    struct inflight_entry *entry = inflight_add(inflight, message_of(query, sizeof query), 100);
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->message_size, sizeof query);
    ck_assert_mem_eq(entry->message, query, sizeof query);
    ck_assert(inflight_attempt(inflight, entry, &a, 7));
    ck_assert_ptr_eq(inflight_find(inflight, &a, 7), entry);
    ck_assert_ptr_null(inflight_find(inflight, &a, 8));
    ck_assert_ptr_null(inflight_find(inflight, &b, 7));
    inflight_take(inflight, entry);
    ck_assert_ptr_null(inflight_find(inflight, &a, 7));
    ck_assert_uint_eq(a.in_flight, 0);
    inflight_free(inflight);
}
END_TEST

/* The query of our own is asked; the client's stays as it came. */
START_TEST(a_query_of_ours_keeps_the_one_it_stands_for)
{
    static const uint8_t own[] = "twelve octets of ours";
    static const uint8_t original[600] = "twelve octets of theirs";
    struct inflight *inflight = inflight_new(2);
    struct inflight_channel a = channel_of(1);
    struct inflight_entry *entry = inflight_add_own(inflight, message_of(own, sizeof own),
                                                    message_of(original, sizeof original), 100);
    ck_assert_ptr_nonnull(entry);
    ck_assert_uint_eq(entry->message_size, sizeof own);
    ck_assert_mem_eq(entry->message, own, sizeof own);
    ck_assert_uint_eq(entry->original_size, sizeof original);
    ck_assert_mem_eq(entry->original, original, sizeof original);
    ck_assert(inflight_attempt(inflight, entry, &a, 7));
    inflight_take(inflight, entry);
    entry = inflight_add(inflight, message_of(own, sizeof own), 100);
    ck_assert(!entry->leads && !entry->reads_answer);
    ck_assert_uint_eq(entry->original_size, 0);
    inflight_free(inflight);
}
END_TEST

/* Together they must fit a room. */
START_TEST(two_queries_that_fit_no_room)
{
    static uint8_t original[65535];
    static const uint8_t own[12];
    struct inflight *inflight = inflight_new(2);
    ck_assert(inflight_has_room(inflight, sizeof original));
    ck_assert_ptr_null(inflight_add_own(inflight, message_of(own, sizeof own),
                                        message_of(original, sizeof original), 0));
    ck_assert_uint_eq(inflight_count(inflight), 0);
    ck_assert_ptr_nonnull(inflight_add_own(inflight, message_of(own, sizeof own),
                                           message_of(original, 65536 - 1 - sizeof own), 0));
    inflight_free(inflight);
}
END_TEST

START_TEST(an_id_waits_once_on_a_channel)
{
    static const uint8_t query[12];
    struct inflight *inflight = inflight_new(4);
    struct inflight_channel a = channel_of(1);
    struct inflight_channel b = channel_of(2);
    struct inflight_entry *one = inflight_add(inflight, message_of(query, 12), 0);
    struct inflight_entry *two = inflight_add(inflight, message_of(query, 12), 0);
    ck_assert(inflight_attempt(inflight, one, &a, 7));
    ck_assert(!inflight_attempt(inflight, two, &a, 7));
    ck_assert(inflight_attempt(inflight, two, &b, 7));
    ck_assert_uint_eq(a.in_flight + b.in_flight, 2);
    inflight_free(inflight);
}
END_TEST

START_TEST(attempts_are_bounded_and_can_be_abandoned)
{
    static const uint8_t query[12];
    struct inflight *inflight = inflight_new(1);
    struct inflight_channel a = channel_of(1);
    struct inflight_channel b = channel_of(2);
    struct inflight_entry *entry = inflight_add(inflight, message_of(query, 12), 0);
    for (uint16_t id = 0; id < INFLIGHT_ATTEMPTS; id++) {
        ck_assert(inflight_attempt(inflight, entry, &a, id));
    }
    ck_assert(!inflight_attempt(inflight, entry, &a, 99));
    ck_assert(!inflight_abandon(inflight, entry, &b));
    ck_assert(inflight_abandon(inflight, entry, &a));
    ck_assert_ptr_null(inflight_find(inflight, &a, 0));
    ck_assert_ptr_null(inflight_find(inflight, &a, INFLIGHT_ATTEMPTS - 1));
    ck_assert_uint_eq(entry->tries, INFLIGHT_ATTEMPTS);
    ck_assert_uint_eq(entry->attempt_count, 0);
    inflight_take(inflight, entry);
    ck_assert_uint_eq(a.in_flight, 0);
    ck_assert_uint_eq(counts.outstanding, 0);
    inflight_free(inflight);
}
END_TEST

/* A query waits at several servers; the connection to one of them breaks. */
START_TEST(one_of_several_attempts_is_abandoned)
{
    static const uint8_t query[12];
    struct inflight *inflight = inflight_new(1);
    struct inflight_channel channels[] = {channel_of(1), channel_of(2), channel_of(3)};
    struct inflight_entry *entry = inflight_add(inflight, message_of(query, 12), 0);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(inflight_attempt(inflight, entry, &channels[i], 7));
    }
    ck_assert(inflight_abandon(inflight, entry, &channels[1]));
    ck_assert_ptr_eq(inflight_find(inflight, &channels[0], 7), entry);
    ck_assert_ptr_null(inflight_find(inflight, &channels[1], 7));
    ck_assert_ptr_eq(inflight_find(inflight, &channels[2], 7), entry);
    ck_assert_uint_eq(entry->attempt_count, 2);
    ck_assert(inflight_attempt(inflight, entry, &channels[1], 8));
    ck_assert(inflight_attempt(inflight, entry, &channels[1], 9));
    ck_assert(!inflight_attempt(inflight, entry, &channels[1], 10));
    ck_assert_ptr_eq(inflight_find(inflight, &channels[1], 9), entry);
    ck_assert_ptr_eq(inflight_next(inflight, NULL), entry);
    ck_assert_ptr_null(inflight_next(inflight, entry));
    inflight_take(inflight, entry);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert_uint_eq(channels[i].in_flight, 0);
    }
    ck_assert_uint_eq(counts.outstanding, 0);
    inflight_free(inflight);
}
END_TEST

START_TEST(a_full_table_takes_no_more_until_one_is_taken)
{
    static const uint8_t query[12];
    struct inflight *inflight = inflight_new(2);
    struct inflight_entry *one = inflight_add(inflight, message_of(query, 12), 0);
    ck_assert_ptr_nonnull(inflight_add(inflight, message_of(query, 12), 0));
    ck_assert(!inflight_has_room(inflight, 12));
    ck_assert_ptr_null(inflight_add(inflight, message_of(query, 12), 0));
    inflight_take(inflight, one);
    ck_assert_ptr_nonnull(inflight_add(inflight, message_of(query, 12), 0));
    ck_assert_uint_eq(inflight_count(inflight), 2);
    inflight_free(inflight);
}
END_TEST

START_TEST(long_queries_are_kept_whole_in_their_own_rooms)
{
    static uint8_t query[65535];
    struct inflight *inflight = inflight_new(INFLIGHT_LARGE + 2);
    struct inflight_entry *last = NULL;
    memset(query, 0xA5, sizeof query);
    for (unsigned i = 0; i < INFLIGHT_LARGE; i++) {
        last = inflight_add(inflight, message_of(query, sizeof query), 0);
        ck_assert_ptr_nonnull(last);
    }
    ck_assert_mem_eq(last->message, query, sizeof query);
    ck_assert(inflight_has_room(inflight, INFLIGHT_SMALL));
    ck_assert(!inflight_has_room(inflight, INFLIGHT_SMALL + 1));
    ck_assert_ptr_null(inflight_add(inflight, message_of(query, INFLIGHT_SMALL + 1), 0));
    ck_assert_ptr_nonnull(inflight_add(inflight, message_of(query, INFLIGHT_SMALL), 0));
    inflight_take(inflight, last);
    ck_assert_ptr_nonnull(inflight_add(inflight, message_of(query, INFLIGHT_SMALL + 1), 0));
    inflight_free(inflight);
}
END_TEST

START_TEST(deadlines_come_in_order)
{
    static const uint8_t query[12];
    uint64_t due;
    struct inflight *inflight = inflight_new(4);
    ck_assert(!inflight_next_due(inflight, 1000, 8000, &due));
    struct inflight_entry *one = inflight_add(inflight, message_of(query, 12), 100);
    struct inflight_entry *two = inflight_add(inflight, message_of(query, 12), 200);
    inflight_await_retry(inflight, two);
    ck_assert(inflight_next_due(inflight, 1000, 8000, &due));
    ck_assert_uint_eq(due, 1200);
    ck_assert_ptr_null(inflight_due_retry(inflight, 199));
    ck_assert_ptr_eq(inflight_due_retry(inflight, 200), two);
    ck_assert_ptr_null(inflight_due_retry(inflight, 200));
    ck_assert(inflight_next_due(inflight, 1000, 8000, &due));
    ck_assert_uint_eq(due, 8100);
    ck_assert_ptr_null(inflight_overdue(inflight, 99));
    ck_assert_ptr_eq(inflight_overdue(inflight, 100), one);
    inflight_take(inflight, one);
    ck_assert_ptr_null(inflight_overdue(inflight, 100));
    ck_assert_ptr_eq(inflight_overdue(inflight, 200), two);
    inflight_await_retry(inflight, two);
    inflight_take(inflight, two); /* leaves both lists */
    ck_assert(!inflight_next_due(inflight, 1000, 8000, &due));
    inflight_free(inflight);
}
END_TEST

/* The model: which entry waits for each ID on each channel. */
struct model {
    struct inflight_entry *waits[CHANNELS][256];
    struct inflight_entry *live[64];
    size_t count;
};

static void model_take(struct model *model, struct inflight *inflight, size_t index)
{
    struct inflight_entry *entry = model->live[index];
    for (unsigned c = 0; c < CHANNELS; c++) {
        for (unsigned id = 0; id < 256; id++) {
            if (model->waits[c][id] == entry) {
                model->waits[c][id] = NULL;
            }
        }
    }
    inflight_take(inflight, entry);
    model->live[index] = model->live[--model->count];
}

START_TEST(agrees_with_a_naive_model)
{
    static const uint8_t query[12];
    struct inflight *inflight = inflight_new(64);
    struct inflight_channel channels[CHANNELS] = {channel_of(1), channel_of(2), channel_of(3)};
    struct model model = {.count = 0};
    srandom(1);
    for (unsigned step = 0; step < 60000; step++) {
        unsigned c = (unsigned)random() % CHANNELS;
        uint16_t id = (uint16_t)(random() % 256);
        switch (random() % 4) {
        case 0:
            if (inflight_has_room(inflight, 12)) {
                model.live[model.count++] = inflight_add(inflight, message_of(query, 12), step);
            }
            break;
        case 1:
        case 2:
            if (model.count > 0) {
                struct inflight_entry *entry = model.live[(size_t)random() % model.count];
                bool expected =
                    model.waits[c][id] == NULL && entry->attempt_count < INFLIGHT_ATTEMPTS;
                ck_assert(inflight_attempt(inflight, entry, &channels[c], id) == expected);
                model.waits[c][id] = expected ? entry : model.waits[c][id];
            }
            break;
        default:
            if (model.count > 0) {
                model_take(&model, inflight, (size_t)random() % model.count);
            }
            break;
        }
        ck_assert_ptr_eq(inflight_find(inflight, &channels[c], id), model.waits[c][id]);
        ck_assert_uint_eq(inflight_count(inflight), model.count);
    }
    while (model.count > 0) {
        model_take(&model, inflight, 0);
    }
    ck_assert_uint_eq(counts.outstanding, 0);
    inflight_free(inflight);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("inflight");
    TCase *tcase = tcase_create("inflight");
    tcase_add_test(tcase, a_query_is_kept_and_found_by_channel_and_id);
    tcase_add_test(tcase, a_query_of_ours_keeps_the_one_it_stands_for);
    tcase_add_test(tcase, two_queries_that_fit_no_room);
    tcase_add_test(tcase, an_id_waits_once_on_a_channel);
    tcase_add_test(tcase, attempts_are_bounded_and_can_be_abandoned);
    tcase_add_test(tcase, one_of_several_attempts_is_abandoned);
    tcase_add_test(tcase, a_full_table_takes_no_more_until_one_is_taken);
    tcase_add_test(tcase, long_queries_are_kept_whole_in_their_own_rooms);
    tcase_add_test(tcase, deadlines_come_in_order);
    tcase_add_test(tcase, agrees_with_a_naive_model);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
