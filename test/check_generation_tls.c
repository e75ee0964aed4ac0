/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Certificates and keys with a load: each pair alone, last good versions, dates, and what never
 * gets under state.
 */
#include "forwarder/generation/generation_tls.h"

#include "forwarder/log.h"
#include "forwarder/stream/tls_pair.h"
#include "test/certificate_make.h"
#include "test/generation_set.h"
#include "test/suite.h"

#define DAY 86400
#define CONF                                                                                  \
    "listen:\n  - {address: 127.0.0.1, port: 853, transport: tls, certificate: a.pem, key: "  \
    "a.key}\n"                                                                                \
    "  - {address: '::1', port: 853, transport: tls, certificate: a.pem, key: a.key}\n"       \
    "  - {address: 127.0.0.1, port: 443, transport: https, certificate: b.pem, key: b.key}\n" \
    "upstream: {servers: [{address: 192.0.2.53}]}\norders: orders\nstate: state\n"            \
    "geo: {database: country.mmdb}\n"

static struct certificate_text a, b;

static void put_pair(const char *name, const struct certificate_text *text)
{
    char path[SCRATCH_PATH_MAX];
    snprintf(path, sizeof path, "%s.pem", name);
    put(path, text->certificate);
    snprintf(path, sizeof path, "%s.key", name);
    put(path, text->key);
}

static void set_up(void)
{
    char path[SCRATCH_PATH_MAX];
    set_init();
    log_set_level(LOG_LEVEL_ERROR);
    put("forwarder.conf", CONF);
    config_free(config);
    config = config_read(scratch_path(&scratch, "forwarder.conf", path), &problems);
    ck_assert_ptr_nonnull(config);
    certificate_make(NOW - DAY, NOW + 90 * DAY, &a);
    certificate_make(NOW - DAY, NOW + 90 * DAY, &b);
    put_pair("a", &a);
    put_pair("b", &b);
}

static struct tls_pair *pair_of(const struct generation *generation, size_t listen)
{
    return generation_tls_find(generation, &config->listen[listen]);
}

/* Is this the pair in force for a listener? */
static bool serves(const struct generation *generation, size_t listen,
                   const struct certificate_text *text)
{
    const struct tls_pair *pair = pair_of(generation, listen);
    return pair != NULL &&
           strcmp((const char *)tls_pair_certificate(pair).bytes, text->certificate) == 0;
}

START_TEST(listeners_with_the_same_files_share_a_pair)
{
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(problems_text(), "");
    ck_assert_uint_eq(generation->pair_count, 2);
    ck_assert(serves(generation, 0, &a) && serves(generation, 2, &b));
    ck_assert_ptr_eq(pair_of(generation, 0), pair_of(generation, 1));
    generation_free(generation);
}
END_TEST

START_TEST(a_pair_that_has_not_changed_is_the_same)
{
    struct generation *first = load((struct load){0});
    put_pair("b", &a);
    struct generation *second = load((struct load){.before = first});
    ck_assert_str_eq(problems_text(), "");
    ck_assert_ptr_eq(pair_of(first, 0), pair_of(second, 0));
    ck_assert_ptr_ne(pair_of(first, 2), pair_of(second, 2));
    ck_assert(serves(first, 2, &b) && serves(second, 2, &a));
    generation_free(first);
    ck_assert(serves(second, 0, &a));
    generation_free(second);
}
END_TEST

/* What stands in a file of the pair b, and what is said of it. */
static const struct {
    const char *label;
    const char *file;
    const char *content; /* NULL: there is no file */
    const char *said;
} BAD[] = {
    {"no certificate file", "b.pem", NULL, "b.pem: cannot open: No such file or directory"},
    {"no key file", "b.key", NULL, "b.key: cannot open: No such file or directory"},
    {"an empty certificate", "b.pem", "", "b.pem: has no certificate; a PEM file is expected"},
    {"another's key", "b.key", a.key, "b.key: is not the key of the certificate in b.pem"},
};

static void put_bad(size_t row)
{
    if (BAD[row].content == NULL) {
        take_away(BAD[row].file);
    } else {
        put(BAD[row].file, BAD[row].content);
    }
}

START_TEST(a_bad_pair_keeps_its_last_good_version)
{
    struct generation *first = load((struct load){0});
    put_bad((size_t)_i);
    struct generation *second = load((struct load){.before = first});
    ck_assert_str_eq(problems_text(), BAD[_i].said);
    ck_assert(serves(second, 0, &a) && serves(second, 2, &b));
    ck_assert_ptr_null(load((struct load){.before = second, .strict = true}));
    certificate_make(NOW - DAY, NOW + 90 * DAY, &b);
    put_pair("b", &b);
    struct generation *third = load((struct load){.before = second});
    ck_assert_str_eq(problems_text(), "");
    ck_assert(serves(third, 2, &b));
    generation_free(first);
    generation_free(second);
    generation_free(third);
}
END_TEST

START_TEST(at_a_start_a_bad_pair_is_missing_and_others_serve)
{
    char said[SET_TEXT_MAX];
    put_bad((size_t)_i);
    struct generation *generation = load((struct load){0});
    snprintf(said, sizeof said,
             "%s; warning: forwarder.conf:4:5: this item of listen serves nobody until its "
             "certificate and key can be used",
             BAD[_i].said);
    ck_assert_str_eq(problems_text(), said);
    ck_assert(serves(generation, 0, &a));
    ck_assert_ptr_null(pair_of(generation, 2));
    generation_free(generation);
}
END_TEST

START_TEST(dates_are_told)
{
    static const struct {
        int64_t begins;
        int64_t ends;
        const char *said;
    } rows[] = {
        {NOW - DAY, NOW + 15 * DAY, ""},
        {NOW - DAY, NOW + 14 * DAY, ""},
        {NOW - DAY, NOW + 14 * DAY - 1,
         "warning: b.pem: the certificate ends at 2025-07-11T04:53:19Z"},
        {NOW - DAY, NOW - 1, "warning: b.pem: the certificate ended at 2025-06-27T04:53:19Z"},
        {NOW + 1, NOW + 90 * DAY,
         "warning: b.pem: the certificate is not valid before 2025-06-27T04:53:21Z"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        certificate_make(rows[i].begins, rows[i].ends, &b);
        put_pair("b", &b);
        struct generation *generation = load((struct load){0});
        ck_assert_str_eq(problems_text(), rows[i].said);
        ck_assert(serves(generation, 2, &b));
        generation_free(generation);
    }
}
END_TEST

START_TEST(keys_are_never_kept)
{
    char command[2 * SCRATCH_PATH_MAX];
    struct generation *generation = load((struct load){0});
    snprintf(command, sizeof command, "test -d %s/state && ! grep -rl -e PRIVATE %s/state",
             scratch.folder, scratch.folder);
    ck_assert_int_eq(system(command), 0);
    generation_free(generation);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("generation_tls");
    TCase *tcase = tcase_create("generation_tls");
    tcase_add_checked_fixture(tcase, set_up, set_fini);
    tcase_add_test(tcase, listeners_with_the_same_files_share_a_pair);
    tcase_add_test(tcase, a_pair_that_has_not_changed_is_the_same);
    tcase_add_loop_test(tcase, a_bad_pair_keeps_its_last_good_version, 0,
                        sizeof BAD / sizeof BAD[0]);
    tcase_add_loop_test(tcase, at_a_start_a_bad_pair_is_missing_and_others_serve, 0,
                        sizeof BAD / sizeof BAD[0]);
    tcase_add_test(tcase, dates_are_told);
    tcase_add_test(tcase, keys_are_never_kept);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
