/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/suffix_map (with suffix_keys and suffix_map_builder): what was added is found, and nothing
 * else. The oracle is a list and a loop.
 */
#include "policy/suffix_map.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

#define SEED 0x5eedU

/* The next of a sequence of random numbers (xorshift64*). */
static uint64_t next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1dU;
}

static struct dname parse(const char *text)
{
    struct dname name;
    char why[WHY_MAX];
    ck_assert_msg(dname_parse(text, strlen(text), &name, why), "%s: %s", text, why);
    return name;
}

static struct suffix_map_builder *new_builder(void)
{
    struct suffix_map_builder *builder = suffix_map_builder_new(SEED);
    ck_assert_ptr_nonnull(builder);
    return builder;
}

static void add(struct suffix_map_builder *builder, const char *text, uint32_t value)
{
    struct dname name = parse(text);
    ck_assert(suffix_map_builder_add(builder, &name, value));
}

static struct suffix_map *seal(struct suffix_map_builder *builder)
{
    struct suffix_map *map = suffix_map_seal(builder);
    ck_assert_ptr_nonnull(map);
    return map;
}

static size_t find(const struct suffix_map *map, const char *text, const uint32_t **values)
{
    struct dname name = parse(text);
    struct suffix_keys keys;
    suffix_keys_init(&keys, &name, SEED);
    return suffix_map_find(map, &keys, keys.count, values);
}

/* --- Single properties --- */

START_TEST(empty_map)
{
    struct suffix_map *map = seal(new_builder());
    const uint32_t *values = NULL;
    ck_assert_uint_eq(suffix_map_names(map), 0);
    ck_assert_uint_eq(find(map, ".", &values), 0);
    ck_assert_uint_eq(find(map, "com", &values), 0);
    suffix_map_free(map);
}
END_TEST

START_TEST(names_that_are_there)
{
    static const char *const names[] = {".", "com", "example.com", "www.example.com", "a.b.c.d.e"};
    struct suffix_map_builder *builder = new_builder();
    for (uint32_t i = 0; i < 5; i++) {
        add(builder, names[i], 100 + i);
    }
    struct suffix_map *map = seal(builder);
    ck_assert_uint_eq(suffix_map_names(map), 5);
    for (uint32_t i = 0; i < 5; i++) {
        const uint32_t *values = NULL;
        ck_assert_msg(find(map, names[i], &values) == 1, "%s", names[i]);
        ck_assert_msg(values[0] == 100 + i, "%s: %u", names[i], values[0]);
    }
    suffix_map_free(map);
}
END_TEST

START_TEST(names_that_are_not_there)
{
    static const char *const absent[] = {
        ".",      "com", "example.org", "xample.com", "e.com", "www.example.com", "example.com.com",
        "example"};
    struct suffix_map_builder *builder = new_builder();
    add(builder, "example.com", 1);
    struct suffix_map *map = seal(builder);
    const uint32_t *values = NULL;
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        ck_assert_msg(find(map, absent[i], &values) == 0, "%s", absent[i]);
    }
    suffix_map_free(map);
}
END_TEST

START_TEST(every_suffix_is_found_at_its_depth)
{
    struct suffix_map_builder *builder = new_builder();
    add(builder, "example.com", 7);
    add(builder, "b.a.example.com", 8);
    struct suffix_map *map = seal(builder);

    static const uint32_t expected[] = {0, 0, 7, 0, 8, 0};
    struct dname name = parse("c.b.a.example.com");
    struct suffix_keys keys;
    suffix_keys_init(&keys, &name, SEED);
    for (unsigned labels = 0; labels <= keys.count; labels++) {
        const uint32_t *values = NULL;
        size_t count = suffix_map_find(map, &keys, labels, &values);
        ck_assert_msg(count == (expected[labels] != 0), "%u labels", labels);
        ck_assert_msg(count == 0 || values[0] == expected[labels], "%u labels", labels);
    }
    suffix_map_free(map);
}
END_TEST

START_TEST(labels_may_hold_any_octet)
{
    /* The second is one label that holds the wire form of the first. */
    struct dname two, one;
    ck_assert(dname_decode((const uint8_t *)"\1a\3com\0", 7, &two));
    ck_assert(dname_decode((const uint8_t *)"\6\1a\3com\0", 8, &one));
    struct suffix_map_builder *builder = new_builder();
    ck_assert(suffix_map_builder_add(builder, &one, 1));
    struct suffix_map *map = seal(builder);
    struct suffix_keys keys;
    const uint32_t *values = NULL;
    suffix_keys_init(&keys, &two, SEED);
    ck_assert_uint_eq(suffix_map_find(map, &keys, 1, &values), 0);
    ck_assert_uint_eq(suffix_map_find(map, &keys, 2, &values), 0);
    suffix_keys_init(&keys, &one, SEED);
    ck_assert_uint_eq(suffix_map_find(map, &keys, 1, &values), 1);
    suffix_map_free(map);
}
END_TEST

START_TEST(several_values_in_order_and_once)
{
    static const uint32_t added[] = {9, 3, UINT32_MAX, 3, 0, 9, 5, 9};
    static const uint32_t expected[] = {0, 3, 5, 9, UINT32_MAX};
    struct suffix_map_builder *builder = new_builder();
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++) {
        add(builder, "a.example", added[i]);
        add(builder, "b.example", 3);
    }
    struct suffix_map *map = seal(builder);
    const uint32_t *values = NULL;
    ck_assert_uint_eq(suffix_map_names(map), 2);
    ck_assert_uint_eq(find(map, "a.example", &values), 5);
    ck_assert_mem_eq(values, expected, sizeof expected);
    ck_assert_uint_eq(find(map, "b.example", &values), 1);
    ck_assert_uint_eq(values[0], 3);
    suffix_map_free(map);
}
END_TEST

START_TEST(twice_is_once)
{
    struct suffix_map_builder *builder = new_builder();
    for (int i = 0; i < 1000; i++) {
        add(builder, "example.com", 1);
    }
    struct suffix_map *map = seal(builder);
    const uint32_t *values = NULL;
    ck_assert_uint_eq(suffix_map_names(map), 1);
    ck_assert_uint_eq(find(map, "example.com", &values), 1);
    suffix_map_free(map);
}
END_TEST

START_TEST(all_names_have_one_value)
{
    struct suffix_map *empty = seal(new_builder());
    ck_assert(suffix_map_all(empty, 3));
    struct suffix_map_builder *builder = new_builder();
    add(builder, "a.example", 3);
    add(builder, "b.example", 3);
    struct suffix_map *one = seal(builder);
    ck_assert(suffix_map_all(one, 3));
    ck_assert(!suffix_map_all(one, 0));
    builder = new_builder();
    add(builder, "a.example", 3);
    add(builder, "b.example", 4);
    struct suffix_map *two = seal(builder);
    ck_assert(!suffix_map_all(two, 3));
    builder = new_builder();
    add(builder, "a.example", 3);
    add(builder, "a.example", 4);
    struct suffix_map *both = seal(builder);
    ck_assert(!suffix_map_all(both, 3));
    suffix_map_free(empty);
    suffix_map_free(one);
    suffix_map_free(two);
    suffix_map_free(both);
}
END_TEST

START_TEST(more_values_than_codes)
{
    /* Past 16,256 distinct values a record has no code for its value; the borders are at 128 and
     * there. Every hundredth name has the next value too. */
    enum {
        NAMES = 17000
    };
    char text[32];
    struct suffix_map_builder *builder = new_builder();
    for (uint32_t i = 0; i < NAMES; i++) {
        snprintf(text, sizeof text, "n%u.example", i);
        add(builder, text, 3 * i);
        if (i % 100 == 0) {
            add(builder, text, 3 * (i + 1));
        }
    }
    struct suffix_map *map = seal(builder);
    ck_assert_uint_eq(suffix_map_names(map), NAMES);
    for (uint32_t i = 0; i < NAMES; i++) {
        const uint32_t *values = NULL;
        snprintf(text, sizeof text, "n%u.example", i);
        size_t count = find(map, text, &values);
        ck_assert_msg(count == (i % 100 == 0 ? 2 : 1), "%s: %zu values", text, count);
        ck_assert_msg(values[0] == 3 * i, "%s: %u", text, values[0]);
        ck_assert_msg(count == 1 || values[1] == 3 * (i + 1), "%s", text);
    }
    suffix_map_free(map);
}
END_TEST

START_TEST(depths_are_those_of_the_names)
{
    struct suffix_map_builder *builder = new_builder();
    struct suffix_depths depths = {{0, 0}};
    add(builder, "a.b.example", 1);
    struct suffix_map *map = seal(builder);
    suffix_map_add_depths(map, &depths);
    suffix_map_free(map);

    builder = new_builder();
    add(builder, ".", 1);
    char deep[2 * 64 + 1];
    for (size_t label = 0; label < 64; label++) {
        memcpy(deep + 2 * label, "a.", 2);
    }
    deep[2 * 64 - 1] = '\0';
    add(builder, deep, 1);
    map = seal(builder);
    suffix_map_add_depths(map, &depths);
    suffix_map_free(map);
    for (unsigned labels = 0; labels <= DNAME_LABELS_MAX; labels++) {
        bool expected = labels == 0 || labels == 3 || labels == 64;
        ck_assert_msg(suffix_depths_have(&depths, labels) == expected, "%u labels", labels);
    }
}
END_TEST

START_TEST(longest_and_deepest_names)
{
    uint8_t wire[DNAME_MAX] = {0};
    for (size_t at = 0; at < DNAME_MAX - 1; at += 2) {
        wire[at] = 1;
        wire[at + 1] = 'a';
    }
    struct dname deep;
    ck_assert(dname_decode(wire, sizeof wire, &deep));
    struct suffix_map_builder *builder = new_builder();
    for (unsigned labels = 0; labels <= deep.labels; labels++) {
        struct dname part;
        dname_suffix(&deep, labels, &part);
        ck_assert(suffix_map_builder_add(builder, &part, labels));
    }
    struct suffix_map *map = seal(builder);
    struct suffix_keys keys;
    struct suffix_depths held = {{0}};
    suffix_keys_init(&keys, &deep, SEED);
    suffix_map_sift(map, &keys, &held);
    for (unsigned labels = 0; labels <= deep.labels; labels++) {
        const uint32_t *values = NULL;
        ck_assert_msg(suffix_depths_have(&held, labels), "%u labels", labels);
        ck_assert_msg(suffix_map_find(map, &keys, labels, &values) == 1, "%u labels", labels);
        ck_assert_msg(values[0] == labels, "%u labels: %u", labels, values[0]);
    }
    suffix_map_free(map);
}
END_TEST

START_TEST(what_is_not_there_or_not_sealed_can_be_freed)
{
    suffix_map_free(NULL);
    suffix_map_builder_free(NULL);
    struct suffix_map_builder *builder = new_builder();
    add(builder, "example.com", 1);
    suffix_map_builder_free(builder);
}
END_TEST

/* Labels of each length that is read in a way of its own, next to the root and farther from it. */
static const char *const hashed[] = {
    "a.b",
    "a.to",
    "www.example.com",
    "abcdef.g",
    "abcdefg",
    "seven77.eight888",
    "fifteen-octets1.sixteen-octets12",
    "a-long-label-of-many-octets.www.example.com",
    "thirty-two-octets-in-one-label-1.thirty-one-octets-in-one-labels",
    "sixty-three-octets-which-is-all-that-one-label-of-a-name-may-ha.x",
};

START_TEST(keys_hash_suffixes)
{
    struct dname name = parse(hashed[_i]);
    struct suffix_keys keys, of_suffix, of_other_seed;
    suffix_keys_init(&keys, &name, SEED);
    suffix_keys_init(&of_other_seed, &name, SEED + 1);
    for (unsigned labels = 0; labels <= name.labels; labels++) {
        struct dname part;
        memset(&part, 0xff, sizeof part); /* what stands behind a name does not count */
        dname_suffix(&name, labels, &part);
        suffix_keys_init(&of_suffix, &part, SEED);
        ck_assert_uint_eq(of_suffix.hash[labels], keys.hash[labels]);
        ck_assert_uint_ne(of_other_seed.hash[labels], keys.hash[labels]);
        ck_assert_mem_eq(name.wire + keys.start[labels], part.wire, part.size);
    }
}
END_TEST

/* --- The oracle --- */

#define PAIRS 600

struct pair {
    struct dname name;
    uint32_t value;
};

/* A name of up to eight labels over an alphabet so small that many are equal, above or below. */
static struct dname random_name(uint64_t *random)
{
    char text[64] = "";
    size_t len = 0;
    uint64_t labels = next_random(random) % 9;
    for (uint64_t i = 0; i < labels; i++) {
        uint64_t octets = 1 + next_random(random) % 2;
        for (uint64_t k = 0; k < octets; k++) {
            text[len++] = (char)('a' + next_random(random) % 2);
        }
        text[len++] = '.';
    }
    return parse(len == 0 ? "." : text);
}

static int compare_values(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The values of a name: a list and a loop. */
static size_t oracle_find(const struct pair *pairs, const struct dname *name, uint32_t *values)
{
    size_t count = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        bool known = false;
        for (size_t k = 0; k < count; k++) {
            known = known || values[k] == pairs[i].value;
        }
        if (!known && dname_equal(&pairs[i].name, name)) {
            values[count++] = pairs[i].value;
        }
    }
    qsort(values, count, sizeof *values, compare_values);
    return count;
}

static void compare_with_oracle(const struct suffix_map *map, const struct pair *pairs,
                                const struct dname *name, uint64_t seed)
{
    struct suffix_keys keys;
    struct suffix_depths held = {{0}};
    suffix_keys_init(&keys, name, seed);
    suffix_map_prefetch(map, &keys);
    suffix_map_sift(map, &keys, &held);
    for (unsigned labels = 0; labels <= name->labels; labels++) {
        struct dname part;
        uint32_t expected[PAIRS];
        const uint32_t *values = NULL;
        dname_suffix(name, labels, &part);
        size_t count = oracle_find(pairs, &part, expected);
        ck_assert_uint_eq(suffix_map_find(map, &keys, labels, &values), count);
        ck_assert(count == 0 || suffix_depths_have(&held, labels));
        ck_assert(count == 0 || memcmp(values, expected, count * sizeof *values) == 0);
    }
}

/* Of a map's contents: is each pair one that was added, and how many are there? */
struct census {
    const struct pair *pairs;
    size_t seen;
    size_t until;
};

static bool count_pair(void *ctx, const struct dname *name, uint32_t value)
{
    struct census *census = ctx;
    bool added = false;
    for (size_t i = 0; i < PAIRS && !added; i++) {
        added = census->pairs[i].value == value && dname_equal(&census->pairs[i].name, name);
    }
    ck_assert_msg(added, "a pair that nobody added");
    census->seen++;
    return census->seen != census->until;
}

static size_t distinct_pairs(const struct pair *pairs)
{
    size_t distinct = 0;
    for (size_t i = 0; i < PAIRS; i++) {
        bool known = false;
        for (size_t k = 0; k < i && !known; k++) {
            known = pairs[k].value == pairs[i].value && dname_equal(&pairs[k].name, &pairs[i].name);
        }
        distinct += known ? 0 : 1;
    }
    return distinct;
}

/* Seeds of the names and of the map, and how many values there are. */
static const struct {
    uint64_t names;
    uint64_t map;
    uint32_t values;
} rounds[] = {
    {1, 0, 1}, {2, 1, 2}, {3, UINT64_MAX, 4}, {4, 0x9e3779b97f4a7c15U, 300}, {5, 42, UINT32_MAX},
};

START_TEST(as_the_oracle_says)
{
    static struct pair pairs[PAIRS];
    uint64_t random = rounds[_i].names;
    uint64_t seed = rounds[_i].map;
    struct suffix_map_builder *builder = suffix_map_builder_new(seed);
    ck_assert_ptr_nonnull(builder);
    for (size_t i = 0; i < PAIRS; i++) {
        pairs[i].name = random_name(&random);
        pairs[i].value = (uint32_t)(next_random(&random) >> 32) % rounds[_i].values;
        ck_assert(suffix_map_builder_add(builder, &pairs[i].name, pairs[i].value));
    }
    struct suffix_map *map = seal(builder);
    for (size_t i = 0; i < PAIRS; i++) {
        compare_with_oracle(map, pairs, &pairs[i].name, seed);
        struct dname other = random_name(&random);
        compare_with_oracle(map, pairs, &other, seed);
    }
    struct census all = {.pairs = pairs};
    suffix_map_each(map, count_pair, &all);
    ck_assert_uint_eq(all.seen, distinct_pairs(pairs));
    struct census some = {.pairs = pairs, .until = 5};
    suffix_map_each(map, count_pair, &some);
    ck_assert_uint_eq(some.seen, 5);
    suffix_map_free(map);
}
END_TEST

/* --- A national list --- */

#define MANY 1000000U

/* One of many different names, 15.6 characters on average. Returns its length. */
static size_t national_name(uint32_t number, char text[static 32])
{
    static const char *const tlds[] = {"com", "club", "org", "it", "to", "pro", "info", "live"};
    uint64_t random = number + 1U;
    size_t len = 0;
    for (uint64_t more = 1 + next_random(&random) % 12; more > 0; more--) {
        text[len++] = (char)('a' + next_random(&random) % 26);
    }
    snprintf(text + len, 32 - len, "%05x.%s", number, tlds[number % 8]);
    return strlen(text);
}

START_TEST(a_million_names_in_26_octets_each)
{
    /* Counted, and asserted at the end: an assertion of Check is a system call. */
    struct suffix_map_builder *builder = new_builder();
    char text[32];
    char why[WHY_MAX];
    struct dname name;
    size_t characters = 0, added = 0, found = 0, others = 0, passed = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        size_t len = national_name(i, text);
        characters += len;
        added += dname_parse(text, len, &name, why) && suffix_map_builder_add(builder, &name, 0);
    }
    struct suffix_map *map = seal(builder);
    for (uint32_t i = 0; i < MANY; i++) {
        struct suffix_keys keys;
        const uint32_t *values = NULL;
        struct suffix_depths held = {{0}}, other = {{0}};
        dname_parse(text, national_name(i, text), &name, why);
        suffix_keys_init(&keys, &name, SEED);
        suffix_map_sift(map, &keys, &held);
        found += suffix_depths_have(&held, 2) ? suffix_map_find(map, &keys, 2, &values) : 0;
        name.wire[1] = '_';
        suffix_keys_init(&keys, &name, SEED);
        suffix_map_sift(map, &keys, &other);
        passed += suffix_depths_have(&other, 2);
        others += suffix_map_find(map, &keys, 2, &values);
    }
    ck_assert_uint_ge(characters, 15600 * (MANY / 1000));
    ck_assert_uint_eq(added, MANY);
    ck_assert_uint_eq(suffix_map_names(map), MANY);
    ck_assert_uint_le(suffix_map_bytes(map), 26 * (size_t)MANY);
    ck_assert_uint_eq(found, MANY);
    ck_assert_uint_eq(others, 0);
    ck_assert_uint_le(passed, MANY / 100 * 8); /* names that were not added and had to be read */
    suffix_map_free(map);
}
END_TEST

/* Sums what is visited: a name's labels as hundreds, and its value. */
static bool add_up(void *ctx, const struct dname *name, uint32_t value)
{
    uint32_t *sum = ctx;
    *sum += name->labels * 100U + value;
    return true;
}

/* Only these, each value once; and they are found as others are. */
START_TEST(names_with_several_values)
{
    struct suffix_map_builder *builder = new_builder();
    add(builder, "one.example", 1);
    add(builder, "two.example", 3);
    add(builder, "two.example", 2);
    add(builder, "two.example", 3);
    struct suffix_map *map = seal(builder);
    uint32_t sum = 0;
    suffix_map_each_several(map, add_up, &sum);
    ck_assert_uint_eq(sum, 202 + 203);

    struct dname name = parse("x.two.example");
    struct suffix_keys keys;
    const uint32_t *values;
    suffix_keys_init(&keys, &name, SEED);
    ck_assert_uint_eq(suffix_map_find(map, &keys, 2, &values), 2);
    ck_assert_uint_eq(values[0], 2);
    suffix_map_free(map);
}
END_TEST

int main(void)
{
    TCase *properties = tcase_create("properties");
    tcase_add_test(properties, empty_map);
    tcase_add_test(properties, names_with_several_values);
    tcase_add_test(properties, names_that_are_there);
    tcase_add_test(properties, names_that_are_not_there);
    tcase_add_test(properties, every_suffix_is_found_at_its_depth);
    tcase_add_test(properties, labels_may_hold_any_octet);
    tcase_add_test(properties, several_values_in_order_and_once);
    tcase_add_test(properties, twice_is_once);
    tcase_add_test(properties, all_names_have_one_value);
    tcase_add_test(properties, more_values_than_codes);
    tcase_add_test(properties, depths_are_those_of_the_names);
    tcase_add_test(properties, longest_and_deepest_names);
    tcase_add_test(properties, what_is_not_there_or_not_sealed_can_be_freed);
    tcase_add_loop_test(properties, keys_hash_suffixes, 0, ROWS(hashed));
    TCase *oracle = tcase_create("oracle");
    tcase_set_timeout(oracle, 60);
    tcase_add_loop_test(oracle, as_the_oracle_says, 0, ROWS(rounds));
    TCase *size = tcase_create("size");
    tcase_set_timeout(size, 120);
    tcase_add_test(size, a_million_names_in_26_octets_each);

    Suite *suite = suite_create("suffix_map");
    suite_add_tcase(suite, properties);
    suite_add_tcase(suite, oracle);
    suite_add_tcase(suite, size);
    return suite_run(suite);
}
