/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The ring between a worker and the thread that writes dnstap: what goes in comes out, in order and
 * whole, whatever sizes and however often it goes round; what does not fit is refused.
 */
#include "forwarder/tap/tap_ring.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>

#include "test/suite.h"

#define CAPACITY 256U

static bool put(struct tap_ring *ring, size_t size, uint8_t filler)
{
    uint8_t *room = tap_ring_room(ring, size);
    if (room == NULL) {
        return false;
    }
    memset(room, filler, size);
    tap_ring_put(ring, size);
    return true;
}

static void expect(struct tap_ring *ring, size_t size, uint8_t filler)
{
    struct span record = tap_ring_read(ring);
    ck_assert_uint_eq(record.size, size);
    for (size_t i = 0; i < size; i++) {
        ck_assert_uint_eq(record.bytes[i], filler);
    }
}

static void expect_nothing(struct tap_ring *ring)
{
    ck_assert_uint_eq(tap_ring_read(ring).size, 0);
}

START_TEST(records_come_out_in_order)
{
    struct tap_ring *ring = tap_ring_new(CAPACITY);
    expect_nothing(ring);
    ck_assert(put(ring, 1, 'a') && put(ring, 8, 'b') && put(ring, 9, 'c'));
    expect(ring, 1, 'a');
    expect(ring, 8, 'b');
    expect(ring, 9, 'c');
    expect_nothing(ring);
    tap_ring_release(ring);
    tap_ring_free(ring);
}
END_TEST

START_TEST(a_full_ring_refuses)
{
    struct tap_ring *ring = tap_ring_new(CAPACITY);
    ck_assert(!put(ring, CAPACITY, 'x')); /* its size needs room too */
    ck_assert(!put(ring, CAPACITY + 1, 'x'));
    ck_assert_ptr_null(tap_ring_room(ring, SIZE_MAX - 64));
    ck_assert(put(ring, CAPACITY - 8, 'a'));
    ck_assert(!put(ring, 1, 'b'));
    expect(ring, CAPACITY - 8, 'a');
    ck_assert(!put(ring, 1, 'b')); /* read, but not released */
    tap_ring_release(ring);
    ck_assert(put(ring, 1, 'b'));
    expect(ring, 1, 'b');
    tap_ring_free(ring);
}
END_TEST

START_TEST(a_record_is_in_one_piece)
{
    struct tap_ring *ring = tap_ring_new(CAPACITY);
    ck_assert(put(ring, 120, 'a') && put(ring, 64, 'b')); /* 56 octets are left */
    expect(ring, 120, 'a');
    tap_ring_release(ring);
    ck_assert(!put(ring, 121, 'x')); /* at the start there are 128 */
    ck_assert(put(ring, 100, 'c'));
    expect(ring, 64, 'b');
    expect(ring, 100, 'c');
    expect_nothing(ring);
    tap_ring_free(ring);
}
END_TEST

START_TEST(less_may_be_put_than_there_was_room_for)
{
    struct tap_ring *ring = tap_ring_new(CAPACITY);
    for (unsigned round = 0; round < 100; round++) {
        uint8_t *room = tap_ring_room(ring, 100);
        ck_assert_ptr_nonnull(room);
        memset(room, 'a', 3);
        tap_ring_put(ring, 3);
        expect(ring, 3, 'a');
        tap_ring_release(ring);
    }
    tap_ring_free(ring);
}
END_TEST

#define RECORDS 200000U

static size_t size_of(unsigned number)
{
    return 1 + number * 7919U % 90U;
}

static void *write_all(void *ctx)
{
    for (unsigned number = 0; number < RECORDS; number++) {
        while (!put(ctx, size_of(number), (uint8_t)number)) {
            sched_yield();
        }
    }
    return NULL;
}

START_TEST(two_threads_share_it)
{
    struct tap_ring *ring = tap_ring_new(CAPACITY);
    pthread_t writer;
    ck_assert_int_eq(pthread_create(&writer, NULL, write_all, ring), 0);
    for (unsigned number = 0; number < RECORDS;) {
        struct span record = tap_ring_read(ring);
        if (record.size == 0) {
            tap_ring_release(ring);
            sched_yield();
            continue;
        }
        if (record.size != size_of(number) || record.bytes[0] != (uint8_t)number ||
            record.bytes[record.size - 1] != (uint8_t)number) {
            ck_abort_msg("record %u", number);
        }
        number++;
    }
    pthread_join(writer, NULL);
    tap_ring_free(ring);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tap_ring");
    TCase *cases = tcase_create("tap_ring");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, records_come_out_in_order);
    tcase_add_test(cases, a_full_ring_refuses);
    tcase_add_test(cases, a_record_is_in_one_piece);
    tcase_add_test(cases, less_may_be_put_than_there_was_room_for);
    tcase_add_test(cases, two_threads_share_it);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
