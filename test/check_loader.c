/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Loading aside: the first load at once, later ones in a thread, and what becomes of a
 * forwarder.conf with an error.
 */
#include "forwarder/server/loader.h"

#include "forwarder/log.h"
#include "forwarder/server/audit_facts.h"
#include "test/generation_set.h"
#include "test/loop.h"
#include "test/suite.h"

#define CONF                                                                         \
    "listen: [{address: 127.0.0.1}]\nupstream: {servers: [{address: 192.0.2.53}]}\n" \
    "orders: orders\nstate: state\ngeo: {database: country.mmdb}\n"

static struct event_base *base;
static struct loader *loader;
static struct loader_result result; /* of the last load */
static unsigned done;               /* loads told of */

static struct config *own; /* what loader_read gave */

static void on_done(void *ctx, struct loader_result *of)
{
    ck_assert_ptr_eq(ctx, &done);
    ck_assert(!loader_busy(loader));
    done++;
    result = *of;
}

static void free_result(void)
{
    generation_free(result.generation);
    audit_facts_unref(result.facts);
    config_free(result.config);
    problem_list_fini(&result.problems);
    result = (struct loader_result){0};
}

static void set_up(void)
{
    char path[SCRATCH_PATH_MAX];
    char why[WHY_MAX] = "";
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    put("forwarder.conf", CONF);
    base = event_base_new();
    done = 0;
    result = (struct loader_result){0};
    loader = loader_new(base, scratch_path(&scratch, "forwarder.conf", path), on_done, &done, why);
    ck_assert_msg(loader != NULL, "%s", why);
}

static void tear_down(void)
{
    loader_free(loader);
    config_free(own);
    own = NULL;
    free_result();
    event_base_free(base);
    set_fini();
}

/* As a start does before its first load. */
static void read_config(void)
{
    struct problem_list said;
    problem_list_init(&said);
    own = loader_read(loader, &said);
    ck_assert_uint_eq(said.errors, 0);
    ck_assert_ptr_nonnull(own);
    problem_list_fini(&said);
}

static void run_first(void)
{
    read_config();
    loader_run(loader, &result);
    ck_assert_uint_eq(result.problems.errors, 0);
    ck_assert_ptr_nonnull(result.generation);
    ck_assert_ptr_nonnull(result.config);
}

/* Loads in the thread, against the generation in force, which is freed if another one came. */
static void reload_aside(enum generation_strictness strictness)
{
    struct loader_result before = result;
    const struct loader_ask ask = {.strictness = strictness};
    unsigned count = done;
    ck_assert(loader_start(loader, before.generation, &ask));
    ck_assert(loader_busy(loader));
    LOOP_UNTIL(base, done == count + 1);
    if (result.generation != NULL) {
        generation_free(before.generation);
        audit_facts_unref(before.facts);
        config_free(before.config);
    } else {
        result.generation = before.generation;
        result.config = before.config;
        result.facts = before.facts;
    }
    problem_list_fini(&before.problems);
}

/* The keys that the last load said only a start can change. The fixture's age is a warning too. */
static const char *fixed_keys(void)
{
    static const char ENDING[] = " has changed: that takes effect at the next start";
    static char keys[256];
    keys[0] = '\0';
    for (size_t i = 0; i < result.problems.count; i++) {
        const char *text = result.problems.items[i].text;
        size_t used = strlen(keys);
        const char *ending = strstr(text, ENDING);
        if (ending != NULL) {
            snprintf(keys + used, sizeof keys - used, "%s%.*s", used == 0 ? "" : " ",
                     (int)(ending - text), text);
        }
    }
    return keys;
}

START_TEST(the_first_load_is_made_at_once)
{
    run_first();
    ck_assert_uint_eq(done, 0);
    ck_assert_uint_eq(result.generation->number, 1);
    ck_assert_ptr_eq(result.generation->config, result.config);
    ck_assert_str_eq(orders_of(result.generation), "IT/a.yaml=A");
    ck_assert_ptr_ne(own, result.config);
    ck_assert_str_eq(own->orders, result.config->orders);
}
END_TEST

START_TEST(a_bad_configuration_is_no_start)
{
    struct problem_list said;
    problem_list_init(&said);
    put("forwarder.conf", CONF "nonsense: 1\n");
    ck_assert_ptr_null(loader_read(loader, &said));
    ck_assert_uint_ge(said.errors, 1);
    problem_list_fini(&said);
}
END_TEST

START_TEST(no_configuration_is_no_start)
{
    struct problem_list said;
    problem_list_init(&said);
    take_away("forwarder.conf");
    ck_assert_ptr_null(loader_read(loader, &said));
    ck_assert_uint_eq(said.errors, 1);
    ck_assert_msg(strstr(said.items[0].file, "/forwarder.conf") != NULL, "%s", said.items[0].file);
    problem_list_fini(&said);
}
END_TEST

START_TEST(later_loads_are_made_aside)
{
    run_first();
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    reload_aside(GENERATION_LENIENT);
    ck_assert_uint_eq(result.generation->number, 2);
    ck_assert_str_eq(orders_of(result.generation), "IT/a.yaml=A IT/b.yaml=B");
    take_away("orders/IT/a.yaml");
    reload_aside(GENERATION_STRICT);
    ck_assert_uint_eq(result.generation->number, 3);
    ck_assert_str_eq(orders_of(result.generation), "IT/b.yaml=B");
}
END_TEST

START_TEST(a_configuration_with_an_error_keeps_its_last_good_text)
{
    run_first();
    put("forwarder.conf", CONF "block: {ttl: 120s}\n");
    reload_aside(GENERATION_LENIENT);
    ck_assert_uint_eq(result.config->block.ttl_s, 120);
    put("forwarder.conf", CONF "block: {ttl: never}\n");
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    reload_aside(GENERATION_LENIENT);
    ck_assert_uint_eq(result.generation->number, 3);
    ck_assert_uint_eq(result.problems.errors, 1);
    ck_assert_uint_eq(result.generation->error_count, 1);
    ck_assert_uint_eq(result.config->block.ttl_s, 120);
    ck_assert_str_eq(orders_of(result.generation), "IT/a.yaml=A IT/b.yaml=B");
    take_away("forwarder.conf");
    reload_aside(GENERATION_LENIENT);
    ck_assert_uint_eq(result.generation->number, 4);
    ck_assert_uint_eq(result.problems.errors, 1);
    ck_assert_uint_eq(result.config->block.ttl_s, 120);
}
END_TEST

START_TEST(strictly_any_error_is_a_refusal)
{
    run_first();
    put("forwarder.conf", CONF "block: {ttl: never}\n");
    reload_aside(GENERATION_STRICT);
    ck_assert_uint_eq(result.problems.errors, 1);
    ck_assert_uint_eq(result.generation->number, 1);
    put("forwarder.conf", CONF);
    put("orders/IT/b.yaml", "id: B\n");
    reload_aside(GENERATION_STRICT);
    ck_assert_uint_ge(result.problems.errors, 1);
    ck_assert_uint_eq(result.generation->number, 1);
    reload_aside(GENERATION_LENIENT);
    ck_assert_uint_eq(result.generation->number, 2);
    ck_assert_str_eq(orders_of(result.generation), "IT/a.yaml=A");
}
END_TEST

START_TEST(what_only_a_start_can_change_is_a_warning_at_each_load)
{
    run_first();
    put("forwarder.conf", CONF "limits: {in-flight: 9}\ncontrol: /srv/c\n");
    for (unsigned i = 0; i < 2; i++) {
        reload_aside(GENERATION_LENIENT);
        ck_assert_uint_eq(result.problems.errors, 0);
        ck_assert_str_eq(fixed_keys(), "limits control");
    }
    put("forwarder.conf", CONF);
    reload_aside(GENERATION_LENIENT);
    ck_assert_str_eq(fixed_keys(), "");
}
END_TEST

/* Last good versions stay where the start put them. */
START_TEST(the_state_folder_stays_what_it_was)
{
    char path[SCRATCH_PATH_MAX];
    struct stat state;
    run_first();
    put("forwarder.conf", "listen: [{address: 127.0.0.1}]\norders: orders\nstate: other\n"
                          "upstream: {servers: [{address: 192.0.2.53}]}\n"
                          "geo: {database: country.mmdb}\n");
    reload_aside(GENERATION_LENIENT);
    ck_assert_str_eq(fixed_keys(), "state");
    ck_assert_str_eq(result.config->state, scratch_path(&scratch, "state", path));
    ck_assert_int_eq(stat(scratch_path(&scratch, "other", path), &state), -1);
}
END_TEST

/* What it made is freed, and nobody told. */
START_TEST(a_load_that_runs_is_waited_for_at_the_end)
{
    run_first();
    ck_assert(loader_start(loader, result.generation, &(struct loader_ask){0}));
    loader_free(loader);
    loader = NULL;
    ck_assert_uint_eq(done, 0);
    loader_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("loader");
    TCase *tcase = tcase_create("loader");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, the_first_load_is_made_at_once);
    tcase_add_test(tcase, a_bad_configuration_is_no_start);
    tcase_add_test(tcase, no_configuration_is_no_start);
    tcase_add_test(tcase, later_loads_are_made_aside);
    tcase_add_test(tcase, a_configuration_with_an_error_keeps_its_last_good_text);
    tcase_add_test(tcase, strictly_any_error_is_a_refusal);
    tcase_add_test(tcase, what_only_a_start_can_change_is_a_warning_at_each_load);
    tcase_add_test(tcase, the_state_folder_stays_what_it_was);
    tcase_add_test(tcase, a_load_that_runs_is_waited_for_at_the_end);
    tcase_set_timeout(tcase, 60);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
