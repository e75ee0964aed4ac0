/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keeping last good versions once they are in force: generations of real loads, in their order,
 * whatever overtakes them.
 */
#include "forwarder/server/keeper.h"

#include "forwarder/log.h"
#include "test/full_disk.h"
#include "test/generation_set.h"
#include "test/loop.h"
#include "test/suite.h"

static struct event_base *base;
static struct keeper *keeper;
static unsigned done;     /* generations told of */
static uint64_t told;     /* the last of them */
static char why[WHY_MAX]; /* what was told of it; "": it is kept */

static void on_kept(void *ctx, uint64_t generation, const char *reason)
{
    ck_assert_ptr_eq(ctx, &done);
    ck_assert_uint_gt(generation, told); /* in their order */
    done++;
    told = generation;
    snprintf(why, sizeof why, "%s", reason == NULL ? "" : reason);
}

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    base = event_base_new();
    done = 0;
    told = 0;
    keeper = keeper_new(base, on_kept, &done, why);
    ck_assert_msg(keeper != NULL, "%s", why);
}

static void tear_down(void)
{
    keeper_free(keeper);
    event_base_free(base);
    set_fini();
}

/* A load whose versions are not written yet, handed to the keeper; frees the one before. */
static struct generation *next(struct generation *before)
{
    struct generation *generation = load((struct load){.before = before, .not_kept = true});
    ck_assert_msg(generation != NULL, "%s", problems_text());
    keeper_add(keeper, generation_take_keep(generation));
    generation_free(before);
    return generation;
}

/* What a start finds that cannot read these files. */
static const char *kept_instead_of(const char *const *files)
{
    static char text[SET_TEXT_MAX];
    for (size_t i = 0; files[i] != NULL; i++) {
        put(files[i], "nonsense\n");
    }
    struct generation *generation = load((struct load){.read_only = true});
    text[0] = '\0';
    for (size_t i = 0; generation != NULL && i < policy_order_count(generation->policy); i++) {
        char name[DNAME_TEXT_MAX];
        const struct order *order = policy_order(generation->policy, i);
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s=%s", used == 0 ? "" : " ", order->id,
                 dname_format(&order->names[0].name, name));
    }
    generation_free(generation);
    return text;
}
#define KEPT_INSTEAD_OF(...) kept_instead_of((const char *const[]){__VA_ARGS__, NULL})

START_TEST(keeps_in_the_background)
{
    struct generation *generation = next(NULL);
    LOOP_UNTIL(base, done == 1);
    ck_assert_uint_eq(told, 1);
    ck_assert_str_eq(why, "");
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml"), "A=a.example");
}
END_TEST

/* Reloads follow each other faster than they can be kept. */
START_TEST(the_newest_version_is_kept)
{
    static const char *const names[] = {"b.example", "c.example", "d.example", "e.example"};
    struct generation *generation = next(NULL);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char text[256];
        snprintf(text, sizeof text, "id: A\nauthority: A\nissued: 2022-07-11\nnames: [%s]\n",
                 names[i]);
        put("orders/IT/a.yaml", text);
        generation = next(generation);
    }
    ck_assert(keeper_finish(keeper, 60000));
    ck_assert_uint_eq(told, 5);
    ck_assert_str_eq(why, "");
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml"), "A=e.example");
}
END_TEST

/* While another version waits to be written, the file becomes again what is kept already. */
START_TEST(an_edit_taken_back_is_taken_back)
{
    struct generation *generation = next(NULL);
    ck_assert(keeper_finish(keeper, 60000));
    put("orders/IT/a.yaml", ORDER("A", "other.example"));
    generation = next(generation);
    put("orders/IT/a.yaml", ORDER("A", "a.example"));
    generation = next(generation);
    ck_assert(keeper_finish(keeper, 60000));
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml"), "A=a.example");
}
END_TEST

/* What only an older one has is not lost: its file had an error by the time of the newer. */
START_TEST(a_newer_load_without_it_leaves_it)
{
    struct generation *generation = next(NULL);
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    put("orders/IT/a.yaml", ORDER("A", "new.example"));
    generation = next(generation);
    put("orders/IT/a.yaml", "nonsense\n");
    put("orders/IT/b.yaml", ORDER("B", "newer.example"));
    generation = next(generation);
    ck_assert(keeper_finish(keeper, 60000));
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml", "orders/IT/b.yaml"),
                     "A=new.example B=newer.example");
}
END_TEST

START_TEST(a_removed_order_stays_removed)
{
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *generation = next(NULL);
    put("orders/IT/c.yaml", ORDER("C", "c.example"));
    generation = next(generation);
    take_away("orders/IT/b.yaml");
    take_away("orders/IT/c.yaml");
    generation = next(generation);
    ck_assert(keeper_finish(keeper, 60000));
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml", "orders/IT/b.yaml", "orders/IT/c.yaml"),
                     "A=a.example");
}
END_TEST

/* What is in force stays kept until a load finds that its file is gone. */
START_TEST(a_file_that_goes_before_it_is_kept)
{
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *generation = load((struct load){.not_kept = true});
    take_away("orders/IT/b.yaml");
    keeper_add(keeper, generation_take_keep(generation));
    ck_assert(keeper_finish(keeper, 60000));
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/b.yaml"), "A=a.example B=b.example");
    take_away("orders/IT/b.yaml");
    generation = next(generation);
    ck_assert(keeper_finish(keeper, 60000));
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/b.yaml"), "A=a.example");
}
END_TEST

/* No file may grow beyond this: what a full disk looks like. */
#define ROOM 40

START_TEST(a_full_disk_is_told_until_there_is_room)
{
    struct generation *generation = next(NULL);
    ck_assert(keeper_finish(keeper, 60000));
    put("orders/IT/a.yaml", ORDER("A", "new.example"));
    full_disk_after(ROOM);
    generation = next(generation);
    ck_assert(keeper_finish(keeper, 60000));
    full_disk_ends();
    ck_assert_msg(strstr(why, "1 of the last good versions could not be kept: ") == why, "%s", why);
    ck_assert_uint_eq(policy_order_count(generation->policy), 1);

    generation = next(generation); /* nothing changed, but there is room again */
    ck_assert(keeper_finish(keeper, 60000));
    ck_assert_str_eq(why, "");
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml"), "A=new.example");
}
END_TEST

/* Killed after it came into force and before it was kept. */
START_TEST(a_start_reads_what_was_never_kept)
{
    struct generation *generation = load((struct load){0});
    put("orders/IT/a.yaml", ORDER("A", "new.example"));
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *lost = load((struct load){.before = generation, .not_kept = true});
    generation_free(generation);
    generation_free(lost);

    generation = next(NULL); /* the next start: the files are good, and are kept now */
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A IT/b.yaml=B");
    ck_assert(keeper_finish(keeper, 60000));
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml", "orders/IT/b.yaml"),
                     "A=new.example B=b.example");
}
END_TEST

/* The same, and the file has an error by then: the version before stands in, and is named. */
START_TEST(a_start_without_the_file_has_the_version_before)
{
    struct generation *generation = load((struct load){0});
    put("orders/IT/a.yaml", ORDER("A", "new.example"));
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *lost = load((struct load){.before = generation, .not_kept = true});
    generation_free(generation);
    generation_free(lost);

    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml", "orders/IT/b.yaml"), "A=a.example");
    ck_assert_uint_eq(problems.errors, 2);
    take_away("orders/IT/a.yaml"); /* an order whose file is gone does not come back */
    generation = next(NULL);
    ck_assert_str_eq(orders_of(generation), "");
    generation_free(generation);
}
END_TEST

/* The end of the daemon does not wait for a disk for ever, and whoever is freed meanwhile leaves a
 * whole version. */
START_TEST(ended_while_it_keeps)
{
    struct generation *generation = next(NULL);
    (void)keeper_finish(keeper, 0);
    keeper_free(keeper);
    keeper = NULL;
    generation_free(generation);
    ck_assert_str_eq(KEPT_INSTEAD_OF("orders/IT/a.yaml"), "A=a.example");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("keeper");
    TCase *tcase = tcase_create("keeper");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, keeps_in_the_background);
    tcase_add_test(tcase, the_newest_version_is_kept);
    tcase_add_test(tcase, an_edit_taken_back_is_taken_back);
    tcase_add_test(tcase, a_newer_load_without_it_leaves_it);
    tcase_add_test(tcase, a_removed_order_stays_removed);
    tcase_add_test(tcase, a_file_that_goes_before_it_is_kept);
    tcase_add_test(tcase, a_full_disk_is_told_until_there_is_room);
    tcase_add_test(tcase, a_start_reads_what_was_never_kept);
    tcase_add_test(tcase, a_start_without_the_file_has_the_version_before);
    tcase_add_test(tcase, ended_while_it_keeps);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
