/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Checking a folder of files: what is printed, what is counted, and that a last good version mends
 * nothing.
 */
#include "forwarder/explain/check_config.h"

#include <check.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/generation.h"
#include "forwarder/generation/generation_keep.h"
#include "test/scratch.h"
#include "test/suite.h"

#define ORDER(id)                                                                     \
    "id: " id "\nauthority: Court\nissued: 2022-07-11\nnames: [" id "-a.example, " id \
    "-b.example]\n"

#define CONFIG(more)                                                                 \
    "listen: [{address: 127.0.0.1}]\nupstream: {servers: [{address: 192.0.2.53}]}\n" \
    "geo: {database: borders.mmdb, max-age: 3650d}\n" more

/* A folder with a configuration that is right, a database and two orders, and another folder with
 * an order that is right and one that is not. */
static void set_up(struct scratch *scratch)
{
    char database[PATH_MAX];
    char config[2 * PATH_MAX];
    char path[SCRATCH_PATH_MAX];
    scratch_init(scratch);
    ck_assert_ptr_nonnull(realpath("test/fixtures/borders.mmdb", database));
    snprintf(config, sizeof config,
             "listen: [{address: 127.0.0.1}]\nupstream: {servers: [{address: 192.0.2.53}]}\n"
             "geo: {database: %s, max-age: 3650d}\norders: orders\nstate: state\n"
             "resolver-arpa: nodata\n",
             database);
    scratch_write(scratch_path(scratch, "forwarder.conf", path), config, strlen(config));
    ck_assert_int_eq(mkdir(scratch_path(scratch, "orders", path), 0700), 0);
    ck_assert_int_eq(mkdir(scratch_path(scratch, "orders/IT", path), 0700), 0);
    scratch_write(scratch_path(scratch, "orders/IT/one.yaml", path), ORDER("IT-1"),
                  strlen(ORDER("IT-1")));
    scratch_write(scratch_path(scratch, "orders/IT/two.yaml", path), ORDER("IT-2"),
                  strlen(ORDER("IT-2")));
    ck_assert_int_eq(symlink(database, scratch_path(scratch, "borders.mmdb", path)), 0);
    ck_assert_int_eq(mkdir(scratch_path(scratch, "bad", path), 0700), 0);
    ck_assert_int_eq(mkdir(scratch_path(scratch, "bad/IT", path), 0700), 0);
    scratch_write(scratch_path(scratch, "bad/IT/one.yaml", path), ORDER("IT-1"),
                  strlen(ORDER("IT-1")));
    scratch_write(scratch_path(scratch, "bad/IT/three.yaml", path), ORDER("IT-3") "actoin: drop\n",
                  strlen(ORDER("IT-3") "actoin: drop\n"));
}

static int run(const struct scratch *scratch, char text[static 4096])
{
    char path[SCRATCH_PATH_MAX];
    memset(text, 0, 4096);
    FILE *out = fmemopen(text, 4095, "w");
    int status = check_config_run(scratch_path(scratch, "forwarder.conf", path), out);
    ck_assert_int_eq(fclose(out), 0);
    return status;
}

static const struct {
    const char *label;
    const char *path; /* of a file that is written over; NULL: none */
    const char *bytes;
    int status;
    const char *line;   /* begins a line behind the folder's path; NULL: there is none */
    const char *counts; /* the last line */
} CHECKS[] = {
    {"all is right", NULL, NULL, 0, NULL, "0 errors, 0 warnings, 2 orders, 4 names\n"},
    {"an order is wrong", "orders/IT/two.yaml", ORDER("IT-2") "actoin: drop\n", 1,
     "orders/IT/two.yaml:5:1: ", "1 error, 0 warnings, 1 order, 2 names\n"},
    {"a warning alone is no failure", "orders/IT/notes.txt", "call the court\n", 0,
     "orders/IT/notes.txt: warning: ", "0 errors, 1 warning, 2 orders, 4 names\n"},
    {"designated resolvers are noted", "forwarder.conf",
     "listen: [{address: 127.0.0.1}]\nupstream: {servers: [{address: 192.0.2.53}]}\n"
     "geo: {database: none.mmdb}\norders: orders\n",
     1, "forwarder.conf: warning: resolver-arpa is forward: ",
     "1 error, 1 warning, 0 orders, 0 names\n"},
    {"no database", "forwarder.conf",
     "listen: [{address: 127.0.0.1}]\nupstream: {servers: [{address: 192.0.2.53}]}\n"
     "geo: {database: none.mmdb}\norders: orders\nresolver-arpa: nodata\n",
     1, "none.mmdb: ", "1 error, 0 warnings, 0 orders, 0 names\n"},
    {"no configuration", "forwarder.conf", "listen: [\n", 1,
     "forwarder.conf:", "1 error, 0 warnings; orders were not read: mend forwarder.conf first\n"},
    {"no place of orders", "forwarder.conf", CONFIG("orders: [orders]\n"), 1,
     "forwarder.conf:4:9: orders needs ",
     "1 error, 0 warnings; orders were not read: mend forwarder.conf first\n"},
    {"an order is wrong, and the configuration too", "forwarder.conf",
     CONFIG("orders: bad\nblock: {action: nope, contact: [x, \"tel:1\"], ttl: x}\nstate: []\n"), 1,
     "bad/IT/three.yaml:5:1: ",
     "5 errors, 0 warnings, 1 order, 2 names; orders were judged with the defaults of what is "
     "wrong in forwarder.conf\n"},
    {"hardly anything is right", "forwarder.conf", "orders: bad\nlisten: x\ngeo: y\nblock: z\n", 1,
     "bad/IT/three.yaml:5:1: ",
     "5 errors, 0 warnings; orders were judged with the defaults of what is wrong in "
     "forwarder.conf\n"},
    {"a user whom nobody knows", "forwarder.conf", CONFIG("orders: orders\nuser: no-such-user\n"),
     1, "forwarder.conf:5:7: user: no-such-user is no user of this system",
     "1 error, 1 warning, 2 orders, 4 names\n"},
    {"root", "forwarder.conf", CONFIG("orders: orders\nuser: root\n"), 1,
     "forwarder.conf:5:7: user: root is root", "1 error, 1 warning, 2 orders, 4 names\n"},
    {"certificates of upstream", "forwarder.conf",
     "listen: [{address: 127.0.0.1}]\nupstream:\n  servers:\n"
     "    - {address: 192.0.2.53, transport: tls, tls-name: a.example}\n  tls-ca: none.pem\n"
     "geo: {database: borders.mmdb, max-age: 3650d}\norders: orders\nresolver-arpa: nodata\n",
     1, "forwarder.conf:3:3: upstream.tls-ca", "1 error, 0 warnings, 2 orders, 4 names\n"},
};

/* Does a line of text begin with the scratch folder and this? */
static bool has_line(const struct scratch *scratch, const char *text, const char *line)
{
    char wanted[2 * SCRATCH_PATH_MAX];
    snprintf(wanted, sizeof wanted, "%s/%s", scratch->folder, line);
    for (; text != NULL; text = strchr(text, '\n'), text += text != NULL) {
        if (strncmp(text, wanted, strlen(wanted)) == 0) {
            return true;
        }
    }
    return false;
}

static void expect(const char *label, const char *text, const char *counts)
{
    size_t tail = strlen(counts);
    ck_assert_msg(strlen(text) >= tail && strcmp(text + strlen(text) - tail, counts) == 0,
                  "%s:\n%s", label, text);
}

START_TEST(files_are_checked)
{
    for (size_t i = 0; i < ROWS(CHECKS); i++) {
        struct scratch scratch;
        char path[SCRATCH_PATH_MAX];
        char text[4096];
        set_up(&scratch);
        if (CHECKS[i].path != NULL) {
            scratch_write(scratch_path(&scratch, CHECKS[i].path, path), CHECKS[i].bytes,
                          strlen(CHECKS[i].bytes));
        }
        int status = run(&scratch, text);
        ck_assert_msg(status == CHECKS[i].status, "%s:\n%s", CHECKS[i].label, text);
        ck_assert_msg(CHECKS[i].line == NULL || has_line(&scratch, text, CHECKS[i].line), "%s:\n%s",
                      CHECKS[i].label, text);
        expect(CHECKS[i].label, text, CHECKS[i].counts);
        scratch_fini(&scratch);
    }
}
END_TEST

/* Loads as the daemon does, so that last good versions are kept. */
static void keep_versions(const struct scratch *scratch)
{
    static const uint8_t secret[EDNS_COOKIE_SECRET];
    char path[SCRATCH_PATH_MAX];
    struct problem_list problems;
    problem_list_init(&problems);
    struct config *config = config_read(scratch_path(scratch, "forwarder.conf", path), &problems);
    ck_assert_ptr_nonnull(config);
    struct generation_options options = {
        .config = config, .write_state = true, .now = 1767225600, .process_cookie_secret = secret};
    struct generation *generation = generation_load(&options, &problems);
    ck_assert_ptr_nonnull(generation);
    ck_assert_uint_eq(problems.errors, 0);
    char why[WHY_MAX];
    struct generation_keep *keep = generation_take_keep(generation);
    ck_assert_msg(generation_keep_write(keep, why), "%s", why);
    generation_keep_free(keep);
    generation_free(generation);
    config_free(config);
    problem_list_fini(&problems);
}

START_TEST(a_last_good_version_mends_nothing)
{
    struct scratch scratch;
    char path[SCRATCH_PATH_MAX];
    char text[4096];
    set_up(&scratch);
    keep_versions(&scratch);
    ck_assert_int_eq(access(scratch_path(&scratch, "state", path), F_OK), 0);
    scratch_write(scratch_path(&scratch, "orders/IT/two.yaml", path), "id: [\n", 6);
    ck_assert_int_eq(run(&scratch, text), 1);
    expect("with a state", text, "1 error, 0 warnings, 1 order, 2 names\n");
    scratch_fini(&scratch);
}
END_TEST

int main(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    Suite *suite = suite_create("check_config");
    TCase *tcase = tcase_create("check_config");
    tcase_add_test(tcase, files_are_checked);
    tcase_add_test(tcase, a_last_good_version_mends_nothing);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
