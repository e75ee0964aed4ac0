/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates of keys, against a model that keeps each key's own count: what the table gives more or less
 * than that, and when. Time is made up.
 */
#include "forwarder/rate_table.h"

#include <check.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test/suite.h"

#define START_MS 5000000U

static const struct keyed_hash_key secret = {{0x0123456789abcdefU, 0xfedcba9876543210U}};
static struct rate_table *table;

static void set_up(void)
{
    table = rate_table_new(&secret);
    ck_assert_ptr_nonnull(table);
}

static void tear_down(void)
{
    rate_table_free(table);
}

static bool take(uint64_t key, uint32_t rate, uint64_t at_ms)
{
    return rate_table_take(table, &(struct rate_key){key, 0}, rate, START_MS + at_ms);
}

/* How many of count at the same time. */
static unsigned take_all(uint64_t key, uint32_t rate, uint64_t at_ms, unsigned count)
{
    unsigned taken = 0;
    for (unsigned i = 0; i < count; i++) {
        taken += take(key, rate, at_ms);
    }
    return taken;
}

/* ---- One key ---- */

static const struct {
    uint32_t rate;
    uint64_t after_ms;
    unsigned asked;
    unsigned given; /* after all has been used up */
} refills[] = {
    {1, 0, 5, 0},    {1, 999, 5, 0},         {1, 1000, 5, 1},          {1, 3600000, 5, 1},
    {10, 99, 5, 0},  {10, 100, 5, 1},        {10, 550, 9, 5},          {10, 1000, 20, 10},
    {3, 1000, 5, 3}, {7, 143, 5, 1},         {1000, 1, 5, 1},          {1000, 250, 900, 250},
    {300, 10, 9, 3}, {300, 60000, 999, 300}, {1000000, 1, 3000, 1000},
};

START_TEST(as_many_a_second_as_the_rate)
{
    uint32_t rate = refills[_i].rate;
    ck_assert_uint_eq(take_all(1, rate, 0, 2 * rate), rate);
    ck_assert_uint_eq(take_all(1, rate, refills[_i].after_ms, refills[_i].asked),
                      refills[_i].given);
}
END_TEST

START_TEST(both_words_make_the_key)
{
    ck_assert(rate_table_take(table, &(struct rate_key){1, 1}, 1, START_MS));
    ck_assert(!rate_table_take(table, &(struct rate_key){1, 1}, 1, START_MS));
    ck_assert(rate_table_take(table, &(struct rate_key){1, 2}, 1, START_MS));
    ck_assert(rate_table_take(table, &(struct rate_key){2, 1}, 1, START_MS));
}
END_TEST

/* A reload changes the rate, and what was used up stays so for the second that it took. */
START_TEST(the_rate_may_change)
{
    ck_assert_uint_eq(take_all(1, 100, 0, 1000), 100);
    ck_assert_uint_eq(take_all(1, 10, 0, 1000), 0);
    ck_assert_uint_eq(take_all(1, 10, 500, 1000), 5);
    ck_assert_uint_eq(take_all(1, 1000, 500, 1000), 0);
    ck_assert_uint_eq(take_all(1, 1000, 1000, 1000), 500);
}
END_TEST

/* Threads read their clocks on their own: one that is behind gives nothing twice. */
START_TEST(a_clock_may_be_behind)
{
    ck_assert_uint_eq(take_all(1, 10, 100, 5), 5);
    ck_assert_uint_eq(take_all(1, 10, 50, 100), 4);
    ck_assert_uint_eq(take_all(1, 10, 100, 100), 1);
}
END_TEST

/* ---- Many keys ---- */

#define KEYS 64
#define STEPS 40000

/* A list of counts and a loop: tokens in millionths, refilled by the clock. */
struct model {
    uint64_t tokens[KEYS];
    uint64_t at_ms;
};

static bool model_take(struct model *model, unsigned key, uint32_t rate, uint64_t at_ms)
{
    for (unsigned i = 0; i < KEYS; i++) {
        uint64_t tokens = model->tokens[i] + (at_ms - model->at_ms) * rate * 1000;
        model->tokens[i] = tokens < rate * 1000000UL ? tokens : rate * 1000000UL;
    }
    model->at_ms = at_ms;
    if (model->tokens[key] < 1000000) {
        return false;
    }
    model->tokens[key] -= 1000000;
    return true;
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525U + 1013904223U;
    return *state >> 8;
}

/* So few keys do not meet in this table, and it counts as exactly as a list. */
START_TEST(few_keys_are_counted_exactly)
{
    static const uint32_t rates[] = {1, 2, 5, 8, 20, 80};
    uint32_t rate = rates[_i];
    struct model model = {.at_ms = 0};
    uint32_t random = 7 + rate;
    uint64_t now = 0;
    unsigned given = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        model.tokens[i] = rate * 1000000UL;
    }
    for (unsigned step = 0; step < STEPS; step++) {
        now += next_random(&random) % 64 == 0 ? next_random(&random) % 200 : 0;
        unsigned key = next_random(&random) % (step % 2 == 0 ? KEYS : 3);
        bool expected = model_take(&model, key, rate, now);
        ck_assert_msg(take(key, rate, now) == expected, "rate %u, step %u: key %u at %lu", rate,
                      step, key, (unsigned long)now);
        given += expected;
    }
    ck_assert_uint_gt(given, 0);
    ck_assert_uint_lt(given, STEPS);
}
END_TEST

/* Others, however many, give a key nothing that it has used up: each is asked for again after a
 * flood of 100,000 others within the same millisecond. */
START_TEST(a_flood_of_others_lets_nobody_evade)
{
    for (uint64_t key = 0; key < 100; key++) {
        ck_assert_uint_ge(take_all(key, 5, 0, 10), 1);
    }
    for (uint64_t key = 1000; key < 101000; key++) {
        take(key, 5, 0);
    }
    for (uint64_t key = 0; key < 100; key++) {
        ck_assert_uint_eq(take_all(key, 5, 0, 10), 0);
    }
}
END_TEST

static const struct {
    const char *label;
    unsigned used_up; /* other keys */
} floods[] = {{"a few", 1000}, {"many", 50000}, {"most", 250000}};

/* How many of so many keys that asked nothing yet are refused because of others. */
static unsigned wronged(unsigned count)
{
    unsigned refused = 0;
    for (unsigned i = 0; i < count; i++) {
        refused += !take(UINT64_C(1) << 40 | i, 20, 0);
    }
    return refused;
}

START_TEST(few_are_wronged_by_a_flood)
{
    const unsigned asked = 4000; /* so few that they add nothing that counts */
    for (uint64_t key = 0; key < floods[_i].used_up; key++) {
        take(key, 1, 0);
    }
    double odds = pow(1 - exp(-(double)floods[_i].used_up / RATE_TABLE_WIDTH), RATE_TABLE_ROWS);
    double most = odds * asked;
    ck_assert_double_le(wronged(asked), most + 4 * sqrt(most));
}
END_TEST

/* Four times as many keys as a row has counters, each asked for once: nobody is refused. */
START_TEST(a_thin_flood_harms_nobody)
{
    unsigned refused = 0;
    for (uint64_t key = 0; key < 4U * RATE_TABLE_WIDTH; key++) {
        refused += !take(key, 20, 0);
    }
    ck_assert_uint_eq(refused, 0);
    ck_assert_uint_eq(wronged(1000), 0);
}
END_TEST

/* ---- Many threads ---- */

#define THREADS 4
#define TURNS 20000

struct thread {
    pthread_t id;
    _Atomic unsigned *given;
};

static void *take_many(void *ctx)
{
    struct thread *thread = ctx;
    for (unsigned turn = 0; turn < TURNS; turn++) {
        atomic_fetch_add(thread->given, take(1, 100, turn / 10));
    }
    return NULL;
}

/* What one gives another does not give again; races may add a few, and never a share each. */
START_TEST(threads_share_a_count)
{
    struct thread threads[THREADS];
    _Atomic unsigned given = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        threads[i].given = &given;
        ck_assert_int_eq(pthread_create(&threads[i].id, NULL, take_many, &threads[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i].id, NULL);
    }
    const unsigned due = 100 + (TURNS / 10 - 1) / 10; /* at once, and of two seconds */
    ck_assert_uint_ge(given, due);
    ck_assert_uint_lt(given, 2 * due);
}
END_TEST

static unsigned given_meanwhile;

/* The pages of the table. Called by a signal handler too, where no check may be made. */
static int table_protect(int protection)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), before = (uintptr_t)table % page;
    const size_t size = sizeof(uint64_t) * RATE_TABLE_ROWS * RATE_TABLE_WIDTH;
    return mprotect((char *)table - before, before + size, protection);
}

/* The one who writes is held up, and all is given to another. */
static void on_fault(int number)
{
    (void)number;
    if (table_protect(PROT_READ | PROT_WRITE) != 0) {
        abort();
    }
    given_meanwhile = take_all(1, 100, 0, 200);
}

/* A thread that is paused as it writes what it read before gives at most its own one more. */
START_TEST(a_paused_thread_gives_nothing_again)
{
    struct sigaction before, faults = {.sa_handler = on_fault, .sa_flags = SA_NODEFER};
    ck_assert_int_eq(sigaction(SIGSEGV, &faults, &before), 0);
    given_meanwhile = 0;
    ck_assert_int_eq(table_protect(PROT_READ), 0);
    ck_assert(take(1, 100, 0));
    sigaction(SIGSEGV, &before, NULL);
    ck_assert_uint_eq(given_meanwhile, 100);
    ck_assert_uint_eq(take_all(1, 100, 0, 200), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rate_table");
    TCase *tcase = tcase_create("rate_table");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, as_many_a_second_as_the_rate, 0, sizeof refills / sizeof *refills);
    tcase_add_test(tcase, both_words_make_the_key);
    tcase_add_test(tcase, the_rate_may_change);
    tcase_add_test(tcase, a_clock_may_be_behind);
    tcase_add_loop_test(tcase, few_keys_are_counted_exactly, 0, 6);
    tcase_add_test(tcase, a_flood_of_others_lets_nobody_evade);
    tcase_add_loop_test(tcase, few_are_wronged_by_a_flood, 0, sizeof floods / sizeof *floods);
    tcase_add_test(tcase, a_thin_flood_harms_nobody);
    tcase_add_test(tcase, threads_share_a_count);
    tcase_add_test(tcase, a_paused_thread_gives_nothing_again);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
