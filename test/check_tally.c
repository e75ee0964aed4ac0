/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counts by order id that outlive their generations.
 */
#include "forwarder/server/tally.h"

#include "forwarder/country_slots.h"
#include "forwarder/log.h"
#include "forwarder/published.h"
#include "test/generation_set.h"
#include "test/suite.h"

static struct tally tally;

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    ck_assert(tally_init(&tally));
}

static void tear_down(void)
{
    tally_fini(&tally);
    set_fini();
}

/* Publishes what is on disk for two workers, each of which has counted so much for an order. */
static struct published *publish(const char *id, unsigned blocked, unsigned shadowed)
{
    struct published *published = published_new(load((struct load){.read_only = true}), 2);
    ck_assert_ptr_nonnull(published);
    size_t order = 0;
    while (strcmp(policy_order(published->generation->policy, order)->id, id) != 0) {
        order++;
        ck_assert_uint_lt(order, policy_order_count(published->generation->policy));
    }
    for (size_t i = 0; i < 2; i++) {
        uint32_t slot = country_slots_first(published->slots, order);
        atomic_store(&published->shares[i].blocked[slot], blocked);
        atomic_store(&published->shares[i].shadowed[order], shadowed);
    }
    return published;
}

static void fold(const char *id, unsigned blocked, unsigned shadowed)
{
    struct published *published = publish(id, blocked, shadowed);
    tally_fold(&tally, published);
    published_free(published);
}

static void expect(const struct tally *actual, const char *blocked, const char *would_block)
{
    char *first = json_dumps(actual->blocked, JSON_COMPACT | JSON_SORT_KEYS);
    char *second = json_dumps(actual->would_block, JSON_COMPACT | JSON_SORT_KEYS);
    ck_assert_str_eq(first, blocked);
    ck_assert_str_eq(second, would_block);
    free(first);
    free(second);
}

START_TEST(counts_add_up_over_generations)
{
    expect(&tally, "{}", "{}");
    fold("A", 3, 0);
    expect(&tally, "{\"A\":6}", "{}");
    put("orders/IT/0.yaml", ORDER("0", "zero.example")); /* A has another index now */
    fold("A", 1, 0);
    fold("0", 0, 5);
    expect(&tally, "{\"A\":8}", "{\"0\":10}");
    take_away("orders/IT/a.yaml");
    fold("0", 1, 1);
    expect(&tally, "{\"0\":2,\"A\":8}", "{\"0\":12}");
}
END_TEST

START_TEST(a_copy_counts_on_for_itself)
{
    struct tally copy;
    fold("A", 1, 1);
    ck_assert(tally_copy(&tally, &copy));
    fold("A", 1, 0);
    expect(&copy, "{\"A\":2}", "{\"A\":2}");
    struct published *published = publish("A", 0, 4);
    tally_fold(&copy, published);
    published_free(published);
    expect(&copy, "{\"A\":2}", "{\"A\":10}");
    expect(&tally, "{\"A\":4}", "{\"A\":2}");
    tally_fini(&copy);
}
END_TEST

START_TEST(counts_are_not_cut_to_32_bits)
{
    struct published *published = publish("A", 0, 0);
    atomic_store(&published->shares[0].blocked[0], UINT64_C(5000000000));
    tally_fold(&tally, published);
    published_free(published);
    expect(&tally, "{\"A\":5000000000}", "{}");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tally");
    TCase *tcase = tcase_create("tally");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, counts_add_up_over_generations);
    tcase_add_test(tcase, a_copy_counts_on_for_itself);
    tcase_add_test(tcase, counts_are_not_cut_to_32_bits);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
