/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/list_unpack: what zlib and libzstd have packed here comes out again, whatever the steps it
 * is read in, and what is cut off, damaged or something else does not pass.
 */
#include "policy/list_unpack.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "test/suite.h"

#define BYTES_MAX (1U << 20)

static char packed[BYTES_MAX], out[BYTES_MAX], plain[BYTES_MAX / 2];

/* Appends a member or frame to what is packed. */
static size_t pack(enum name_list_packing packing, size_t at, const char *bytes, size_t size)
{
    if (packing == NAME_LIST_ZSTD) {
        size_t n = ZSTD_compress(packed + at, sizeof packed - at, bytes, size, 3);
        ck_assert(!ZSTD_isError(n));
        return at + n;
    }
    z_stream stream = {0};
    ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    memcpy(out, bytes, size);
    stream.next_in = (unsigned char *)out;
    stream.avail_in = (unsigned)size;
    stream.next_out = (unsigned char *)packed + at;
    stream.avail_out = (unsigned)(sizeof packed - at);
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    at += stream.total_out;
    deflateEnd(&stream);
    return at;
}

struct feed {
    size_t at, size, step;
};

static bool read_feed(void *ctx, char *to, size_t room, size_t *got, char why[static WHY_MAX])
{
    (void)why;
    struct feed *feed = ctx;
    size_t left = feed->size - feed->at;
    *got = left < feed->step ? left : feed->step;
    *got = *got < room ? *got : room;
    memcpy(to, packed + feed->at, *got);
    feed->at += *got;
    return true;
}

/* Unpacks size packed bytes into out; false with why. */
static bool unpack(enum name_list_packing packing, size_t size, size_t step, size_t *used,
                   char why[static WHY_MAX])
{
    struct feed feed = {.size = size, .step = step};
    const struct name_list_source source = {read_feed, &feed};
    struct list_unpack *unpacker = list_unpack_new(packing, &source, why);
    ck_assert_ptr_nonnull(unpacker);
    size_t got = 1, room = step < 100 ? 13 : sizeof out;
    bool done = true;
    for (*used = 0; done && got > 0; *used += done ? got : 0) {
        size_t most = sizeof out - *used < room ? sizeof out - *used : room;
        done = list_unpack_read(unpacker, out + *used, most, &got, why);
    }
    list_unpack_free(unpacker);
    return done;
}

static void fill_plain(void)
{
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof plain; i++) {
        seed = seed * 1664525 + 1013904223;
        plain[i] = i % 20 == 19 ? '\n' : (char)('a' + (seed >> 28));
    }
}

static const enum name_list_packing packings[] = {NAME_LIST_GZIP, NAME_LIST_ZSTD};
static const char *const said[] = {"gzip", "zstd"};

START_TEST(comes_out_again)
{
    static const size_t sizes[] = {0, 1, 1000, sizeof plain};
    static const size_t steps[] = {1, 7, 65536};
    char why[WHY_MAX];
    size_t used;
    fill_plain();
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        size_t size = pack(packings[_i], 0, plain, sizes[i]);
        for (size_t j = 0; j < sizeof steps / sizeof *steps; j++) {
            ck_assert_msg(unpack(packings[_i], size, steps[j], &used, why), "%s", why);
            ck_assert_uint_eq(used, sizes[i]);
            ck_assert(memcmp(out, plain, used) == 0);
        }
    }
}
END_TEST

START_TEST(several_members)
{
    char why[WHY_MAX];
    size_t used, size = pack(packings[_i], 0, "a.example\n", 10);
    size = pack(packings[_i], size, "", 0);
    size = pack(packings[_i], size, "b.example\n", 10);
    ck_assert_msg(unpack(packings[_i], size, 3, &used, why), "%s", why);
    ck_assert_uint_eq(used, 20);
    ck_assert(memcmp(out, "a.example\nb.example\n", 20) == 0);
}
END_TEST

/* However many bytes are missing, and whatever bit is wrong: in gzip the check at the end sees it,
 * zstd as packed here has none, so there only what breaks the format is seen. */
START_TEST(cut_off_or_damaged)
{
    char why[WHY_MAX], expected[64];
    size_t used, size = pack(packings[_i], 0, "a.example\nb.example\nc.example\n", 30);
    snprintf(expected, sizeof expected, "is cut off: the %s data does not end", said[_i]);
    for (size_t cut = 1; cut < size; cut++) {
        ck_assert(!unpack(packings[_i], size - cut, 5, &used, why));
        ck_assert_msg(strcmp(why, expected) == 0, "%zu: %s", cut, why);
    }
    snprintf(expected, sizeof expected, "cannot be unpacked (%s): ", said[_i]);
    packed[0] ^= 1;
    ck_assert(!unpack(packings[_i], size, 5, &used, why));
    ck_assert_msg(strstr(why, expected) == why, "%s", why);
    packed[0] ^= 1;
    packed[size - 6] ^= 1; /* of gzip the CRC */
    ck_assert(packings[_i] == NAME_LIST_ZSTD || !unpack(packings[_i], size, 5, &used, why));
    packed[size - 6] ^= 1;
    size_t more = size;
    memcpy(packed + more, "tail", 4);
    ck_assert(!unpack(packings[_i], more + 4, 5, &used, why));
    snprintf(expected, sizeof expected, "is empty, and no %s file", said[_i]);
    ck_assert(!unpack(packings[_i], 0, 5, &used, why));
    ck_assert_str_eq(why, expected);
}
END_TEST

START_TEST(plain_is_as_it_is)
{
    char why[WHY_MAX];
    size_t used;
    memcpy(packed, "a.example\n", 10);
    ck_assert(unpack(NAME_LIST_PLAIN, 10, 3, &used, why));
    ck_assert_uint_eq(used, 10);
    ck_assert(unpack(NAME_LIST_PLAIN, 0, 3, &used, why));
    ck_assert_uint_eq(used, 0);
}
END_TEST

/* A frame may ask for a window of a gigabyte before it gives a byte. */
START_TEST(windows_are_limited)
{
    static const unsigned char frame[] = {0x28, 0xB5, 0x2F, 0xFD, 0x00, 0xA0, 0x01, 0x00, 0x00};
    char why[WHY_MAX];
    size_t used;
    memcpy(packed, frame, sizeof frame);
    ck_assert(!unpack(NAME_LIST_ZSTD, sizeof frame, 100, &used, why));
    ck_assert_str_eq(why, "cannot be unpacked (zstd): Frame requires too much memory for decoding");
}
END_TEST

/* Endless zeros pack to almost nothing: four gigabytes and a bit, seen as they are thrown away. */
static bool read_frames(void *ctx, char *to, size_t room, size_t *got, char why[static WHY_MAX])
{
    (void)why;
    const struct feed *feed = ctx;
    *got = feed->size < room ? feed->size : room;
    memcpy(to, packed, *got);
    return true;
}

START_TEST(what_unpacks_without_end)
{
    static char zeros[BYTES_MAX];
    char why[WHY_MAX];
    struct feed feed = {.size = ZSTD_compress(packed, sizeof packed, zeros, sizeof zeros, 3)};
    const struct name_list_source source = {read_frames, &feed};
    struct list_unpack *unpacker = list_unpack_new(NAME_LIST_ZSTD, &source, why);
    size_t got = 1;
    uint64_t total = 0;
    while (list_unpack_read(unpacker, out, sizeof out, &got, why)) {
        total += got;
        ck_assert_uint_gt(got, 0);
    }
    ck_assert_str_eq(why, "unpacks to more than 4294967296 bytes");
    ck_assert_uint_le(total, NAME_LIST_BYTES_MAX);
    list_unpack_free(unpacker);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("unpack");
    tcase_add_loop_test(tcase, comes_out_again, 0, 2);
    tcase_add_loop_test(tcase, several_members, 0, 2);
    tcase_add_loop_test(tcase, cut_off_or_damaged, 0, 2);
    tcase_add_test(tcase, plain_is_as_it_is);
    tcase_add_test(tcase, windows_are_limited);
    tcase_add_test(tcase, what_unpacks_without_end);
    Suite *suite = suite_create("list_unpack");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
