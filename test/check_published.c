/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A published generation: a share for each worker, counts of all of them by order.
 */
#include "forwarder/published.h"

#include "forwarder/counters.h"
#include "forwarder/country_slots.h"
#include "forwarder/log.h"
#include "test/generation_set.h"
#include "test/suite.h"

#define WORKERS 3

static struct published *published;

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    published = published_new(load((struct load){.read_only = true}), WORKERS);
    ck_assert_ptr_nonnull(published);
}

static void tear_down(void)
{
    published_free(published);
    set_fini();
}

START_TEST(a_share_begins_empty)
{
    ck_assert_uint_eq(published->number, published->generation->number);
    ck_assert_uint_eq(published->share_count, WORKERS);
    for (size_t i = 0; i < WORKERS; i++) {
        ck_assert_uint_eq(published->shares[i].in_flight, 0);
        ck_assert_ptr_null(published->shares[i].older);
    }
    for (size_t i = 0; i < policy_order_count(published->generation->policy); i++) {
        ck_assert_uint_eq(published_blocked(published, i) + published_shadowed(published, i), 0);
    }
}
END_TEST

START_TEST(what_workers_count_is_summed_by_order)
{
    for (size_t i = 0; i < WORKERS; i++) {
        for (size_t times = 0; times <= i; times++) {
            counters_bump(&published->shares[i].blocked[0]);
        }
        counters_bump(&published->shares[i].shadowed[1]);
    }
    ck_assert_uint_eq(published_blocked(published, 0), 1 + 2 + 3);
    ck_assert_uint_eq(published_blocked(published, 1), 0);
    ck_assert_uint_eq(published_shadowed(published, 0), 0);
    ck_assert_uint_eq(published_shadowed(published, 1), WORKERS);
}
END_TEST

static struct country country(const char *code)
{
    struct country out;
    ck_assert(country_parse(code, 2, &out));
    return out;
}

static uint32_t slot_of(size_t order, struct country of)
{
    return country_slots_find(published->slots, order, of);
}

/* Each order has slots of its own, one a country of its scope and one for all others. */
START_TEST(blocks_are_counted_by_order_and_country)
{
    put("orders/EU/c.yaml", ORDER("C", "c.example"));
    put("orders/AD/d.yaml", "id: D\nauthority: A\nissued: 2022-07-11\nscope: [AD, US]\n"
                            "names: [d.example]\n");
    published_free(published);
    published = published_new(load((struct load){.read_only = true}), WORKERS);
    static const struct {
        const char *label;
        const char *id;
        const char *countries; /* two letters each */
        size_t slots;
    } rows[] = {
        {"one country", "A", "IT", 2},
        {"a group", "C", "ITFRDEREAX", 27 + 7 + 1},
        {"two countries", "D", "USAD", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t order = 0;
        while (strcmp(policy_order(published->generation->policy, order)->id, rows[i].id) != 0) {
            order++;
        }
        uint32_t first = country_slots_first(published->slots, order);
        uint32_t end = country_slots_end(published->slots, order);
        ck_assert_msg(end - first == rows[i].slots, "%s: %u slots", rows[i].label, end - first);
        ck_assert_uint_eq(slot_of(order, COUNTRY_UNKNOWN), end - 1);
        ck_assert_uint_eq(slot_of(order, country("JP")), end - 1);
        for (const char *at = rows[i].countries; *at != '\0'; at += 2) {
            uint32_t slot = slot_of(order, country(at));
            ck_assert_msg(slot >= first && slot < end - 1, "%s: %.2s", rows[i].label, at);
            ck_assert_uint_eq(published_blocked_in(published, slot), 0);
            counters_bump(&published->shares[1].blocked[slot]);
        }
        counters_bump(&published->shares[0].blocked[slot_of(order, COUNTRY_UNKNOWN)]);
        ck_assert_uint_eq(published_blocked(published, order), strlen(rows[i].countries) / 2 + 1);
    }
}
END_TEST

START_TEST(a_generation_without_orders_can_be_published)
{
    published_free(published);
    published = NULL;
    take_away("orders/IT/a.yaml");
    take_away("orders/IT/b.yaml");
    struct generation *generation = load((struct load){.read_only = true});
    ck_assert_msg(generation != NULL, "%s", problems_text());
    ck_assert_uint_eq(policy_order_count(generation->policy), 0);
    published = published_new(generation, WORKERS);
    ck_assert_ptr_nonnull(published);
    published_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("published");
    TCase *tcase = tcase_create("published");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, a_share_begins_empty);
    tcase_add_test(tcase, what_workers_count_is_summed_by_order);
    tcase_add_test(tcase, blocks_are_counted_by_order_and_country);
    tcase_add_test(tcase, a_generation_without_orders_can_be_published);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
