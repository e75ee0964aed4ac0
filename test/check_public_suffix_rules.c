/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/public_suffix_rules: libpsl is the oracle. Whatever it calls a public suffix may never be
 * ruled out: each rule of its own list, names above, below and beside them, and random ones.
 */
#include "policy/public_suffix_rules.h"

#include <check.h>
#include <fcntl.h>
#include <glib.h>
#include <libpsl.h>
#include <stdio.h>
#include <string.h>

#include "geo/file_bytes.h"
#include "policy/line_reader.h"
#include "policy/public_suffix.h"
#include "test/suite.h"

static size_t asked, ruled_out;

static void ask(const struct public_suffix_rules *rules, const char *text)
{
    struct dname name;
    char why[WHY_MAX];
    if (!dname_parse(text, strlen(text), &name, why)) {
        return;
    }
    bool may = public_suffix_rules_may_name(rules, &name);
    if (!may && public_suffix_is(&name, name.labels)) {
        ck_abort_msg("%s is a public suffix", text);
    }
    asked++;
    ruled_out += !may;
}

static void ask_around(const struct public_suffix_rules *rules, const char *text, size_t len)
{
    static const char *const fronts[] = {"", "a.", "b.a.", "_x.", "xn--p1ai."};
    char name[512];
    while (len > 0 && (*text == '!' || *text == '*' || *text == '.')) {
        text++;
        len--;
    }
    for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++) {
        snprintf(name, sizeof name, "%s%.*s", fronts[i], (int)len, text);
        ask(rules, name);
        snprintf(name, sizeof name, "%s%.*s.com", fronts[i], (int)len, text);
        ask(rules, name);
    }
    const char *dot = memchr(text, '.', len);
    if (dot != NULL) {
        snprintf(name, sizeof name, "%.*s", (int)(text + len - dot - 1), dot + 1);
        ask(rules, name);
    }
}

static void read_list(struct file_bytes *file)
{
    char why[WHY_MAX];
    ck_assert_msg(file_bytes_read(AT_FDCWD, psl_builtin_filename(), 1U << 24, file, why),
                  "is the package publicsuffix there? %s", why);
}

/* There are none where the system's list has been renewed and libpsl's own has not: libpsl alone is
 * right then. */
static bool are_of_libpsl(const struct public_suffix_rules *rules)
{
    struct file_bytes file;
    read_list(&file);
    char *sha1 =
        g_compute_checksum_for_data(G_CHECKSUM_SHA1, (const guchar *)file.bytes, file.size);
    bool same = strcmp(sha1, psl_builtin_sha1sum()) == 0;
    ck_assert_msg((rules != NULL) == same, "rules of a list that libpsl does not go by, or none");
    g_free(sha1);
    file_bytes_fini(&file);
    return same;
}

START_TEST(nothing_that_is_a_suffix_is_ruled_out)
{
    struct public_suffix_rules *rules = public_suffix_rules_new();
    struct file_bytes file;
    struct line_reader reader;
    struct line line;
    if (!are_of_libpsl(rules)) {
        return;
    }
    read_list(&file);
    line_reader_init(&reader, file.bytes, file.size);
    while (line_reader_next(&reader, &line)) {
        if (line.len < 200 && line.text[0] != '/') {
            ask_around(rules, line.text, line.len);
        }
    }
    ck_assert_uint_gt(asked, 50000);
    ck_assert_uint_gt(ruled_out, asked / 3);
    file_bytes_fini(&file);
    public_suffix_rules_free(rules);
}
END_TEST

static const struct {
    const char *name;
    bool may;
} rows[] = {
    {".", true},
    {"com", true},
    {"co.uk", true},
    {"a.co.uk", false},
    {"a.ck", true},
    {"www.ck", true},
    {"b.a.ck", false},
    {"city.kobe.jp", true},
    {"github.io", true},
    {"a.github.io", false},
    {"blocked.example", false},
    {"a.b.example", false},
    {"xn--a.example", true},
};

START_TEST(names)
{
    struct public_suffix_rules *rules = public_suffix_rules_new();
    struct dname name;
    char why[WHY_MAX];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert(dname_parse(rows[i].name, strlen(rows[i].name), &name, why));
        ck_assert_msg(public_suffix_rules_may_name(rules, &name) == (rules == NULL || rows[i].may),
                      "%s", rows[i].name);
        ck_assert(public_suffix_rules_may_name(NULL, &name));
    }
    public_suffix_rules_free(rules);
    public_suffix_rules_free(NULL);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("rules");
    tcase_add_test(tcase, nothing_that_is_a_suffix_is_ruled_out);
    tcase_add_test(tcase, names);
    Suite *suite = suite_create("public_suffix_rules");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
