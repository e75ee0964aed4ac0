/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What YAML is accepted, what is refused and at which place, and how a document reads.
 */
#include "policy/yaml_text.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

struct refusal {
    const char *label;
    const char *yaml;
    size_t size; /* 0: strlen */
    const char *expected;
};

/* A file with several problems has one row a problem set, joined by newlines. */
static const struct refusal refusals[] = {
    {"nothing", "", 0, "f: the file is empty"},
    {"comment only", "# nothing\n", 0, "f: the file is empty"},
    {"empty document", "---\n...\n", 0, "f: the file is empty"},
    {"tag", "a: !x y\n", 0,
     "f:1:4: a tag is not accepted here: put text that begins with ! in quotes"},
    {"tag on an empty scalar", "except:\n  - !fine.example\n", 0,
     "f:2:5: a tag is not accepted here: put text that begins with ! in quotes"},
    {"core tag", "a: !!int NO\n", 0,
     "f:1:4: a tag is not accepted here: put text that begins with ! in quotes"},
    {"tag on a list", "a: !!seq [b]\n", 0,
     "f:1:4: a tag is not accepted here: put text that begins with ! in quotes"},
    {"tag on a mapping", "a: !!map {b: c}\n", 0,
     "f:1:4: a tag is not accepted here: put text that begins with ! in quotes"},
    {"anchor", "a: &x y\n", 0, "f:1:4: an anchor is not accepted here: write the value itself"},
    {"anchor and alias", "a: &x [y]\nb: *x\n", 0,
     "f:1:4: an anchor is not accepted here: write the value itself\n"
     "f:2:4: an alias is not accepted here: write the value itself"},
    {"cycle", "a: &x {k: *x}\n", 0,
     "f:1:4: an anchor is not accepted here: write the value itself\n"
     "f:1:11: an alias is not accepted here: write the value itself"},
    {"merge key", "a: {<<: {b: c}}\n", 0,
     "f:1:5: a merge key is not accepted here: write the keys themselves"},
    {"key twice", "a: 1\nb: 2\na: 3\n", 0, "f:3:1: the key 'a' is given twice, first at line 1"},
    {"key twice, quoted once", "x:\n  k: 1\n  \"k\": 2\n", 0,
     "f:3:3: the key 'k' is given twice, first at line 2"},
    {"key thrice", "{a: 1, a: 2, a: 3}", 0,
     "f:1:8: the key 'a' is given twice, first at line 1\n"
     "f:1:14: the key 'a' is given twice, first at line 1"},
    {"list as a key", "[a, b]: c\n", 0, "f:1:1: a key must be text"},
    {"second document", "a: 1\n---\nb: 2\n", 0,
     "f:2:1: a second document begins: a file holds one"},
    {"NUL by escape", "a: \"x\\0y\"\n", 0, "f:1:4: a NUL character is not accepted in text"},
    {"NUL octet", "a: x\0y\n", 7,
     "f:1:5: this is no YAML in UTF-8: control characters are not "
     "allowed"},
    {"control character", "a: 1\nb: x\x01y\n", 0,
     "f:2:5: this is no YAML in UTF-8: control characters are not allowed"},
    {"bad UTF-8", "a: 1\r\n\xc3\xbc: \xff\n", 0,
     "f:2:4: this is no YAML in UTF-8: invalid leading UTF-8 octet"},
    {"UTF-16",
     "\xff\xfe"
     "a\0",
     4, "f:1:1: this is no YAML in UTF-8: invalid leading UTF-8 octet"},
    {"tab as indentation", "a:\n\t- b\n", 0,
     "f:2:1: this is no YAML: found character that cannot start any token while scanning for the "
     "next token (begun at line 2)"},
    {"open list", "a: [b,\n c\n", 0,
     "f:3:1: this is no YAML: did not find expected ',' or ']' while parsing a flow sequence "
     "(begun at line 1)"},
    {"unknown version", "%YAML 1.3\n---\na: 1\n", 0,
     "f:1:1: this is no YAML: found incompatible YAML document"},
    {"unknown alias", "a: *nowhere\n", 0,
     "f:1:4: an alias is not accepted here: write the value itself"},
};

static void join(const struct problem_list *problems, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < problems->count; i++) {
        size_t used = strlen(out);
        if (i > 0) {
            used += (size_t)snprintf(out + used, size - used, "\n");
        }
        problem_format(&problems->items[i], out + used, size - used);
    }
}

static struct yaml_text *parse(const char *bytes, size_t size, char *said, size_t said_size)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct yaml_text *text = yaml_text_parse("f", bytes, size, &problems);
    join(&problems, said, said_size);
    ck_assert_msg((text == NULL) == (problems.errors > 0), "%s", said);
    problem_list_fini(&problems);
    return text;
}

START_TEST(refuses)
{
    const struct refusal *row = &refusals[_i];
    char said[2048];
    size_t size = row->size > 0 ? row->size : strlen(row->yaml);
    ck_assert_msg(parse(row->yaml, size, said, sizeof said) == NULL, "%s", row->label);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s:\n%s\nnot\n%s", row->label, said,
                  row->expected);
}
END_TEST

static struct yaml_text *accept(const char *yaml)
{
    char said[2048];
    struct yaml_text *text = parse(yaml, strlen(yaml), said, sizeof said);
    ck_assert_msg(text != NULL, "%s", said);
    return text;
}

/* Scalars stay text, whatever YAML 1.1 would make of them. */
START_TEST(reads_scalars_as_text)
{
    static const char *const scalars[] = {"NO", "no", "yes", "053", "2022-07-11", "~", "1e3", ""};
    struct yaml_text *text = accept("[NO, no, yes, 053, 2022-07-11, ~, 1e3, '']");
    struct yaml_node root = yaml_text_root(text);
    ck_assert_int_eq(yaml_node_kind(root), YAML_TEXT_SEQUENCE);
    ck_assert_uint_eq(yaml_node_count(root), sizeof scalars / sizeof *scalars);
    for (size_t i = 0; i < yaml_node_count(root); i++) {
        size_t len = 99;
        struct yaml_node item = yaml_node_item(root, i);
        ck_assert_int_eq(yaml_node_kind(item), YAML_TEXT_SCALAR);
        ck_assert_str_eq(yaml_node_scalar(item, &len), scalars[i]);
        ck_assert_uint_eq(len, strlen(scalars[i]));
        ck_assert_uint_eq(yaml_node_count(item), 0);
    }
    yaml_text_free(text);
}
END_TEST

START_TEST(reads_mappings)
{
    struct yaml_text *text = accept("a: {b: c}\nempty:\nl:\n- 1\n- 2\n");
    struct yaml_node root = yaml_text_root(text);
    ck_assert_int_eq(yaml_node_kind(root), YAML_TEXT_MAPPING);
    ck_assert_uint_eq(yaml_node_count(root), 3);
    ck_assert_str_eq(yaml_node_scalar(yaml_node_key(root, 2), NULL), "l");
    ck_assert_uint_eq(yaml_node_count(yaml_node_value(root, 2)), 2);
    ck_assert_str_eq(yaml_node_scalar(yaml_node_find(root, "empty"), NULL), "");
    struct yaml_node a = yaml_node_find(root, "a");
    ck_assert_str_eq(yaml_node_scalar(yaml_node_find(a, "b"), NULL), "c");
    ck_assert_str_eq(yaml_node_scalar(a, NULL), "");
    ck_assert(!yaml_node_present(yaml_node_find(root, "b")));
    ck_assert(!yaml_node_present(yaml_node_find(yaml_node_find(root, "l"), "b")));
    ck_assert(!yaml_node_present(yaml_node_find(yaml_node_find(root, "none"), "b")));
    ck_assert_uint_eq(yaml_node_count(yaml_node_find(root, "none")), 0);
    yaml_text_free(text);
}
END_TEST

struct placed {
    const char *label;
    const char *yaml;
    const char *key;
    const char *expected;
};

static const struct placed places[] = {
    {"plain", "a: 1\nk: v\n", "k", "f:2:4: here"},
    {"columns are characters", "{b\xc3\xbc\x63her: 1, k: v}", "k", "f:1:16: here"},
    {"byte order mark", "\xef\xbb\xbfk: v\n", "k", "f:1:4: here"},
    {"CRLF", "a: 1\r\nk: v\r\n", "k", "f:2:4: here"},
    {"quoted", "k:   'v'\n", "k", "f:1:6: here"},
    {"block list", "k:\n  - v\n", "k", "f:2:3: here"},
    {"YAML 1.2", "%YAML 1.2\n---\nk: v\n", "k", "f:3:4: here"},
};

START_TEST(places_problems)
{
    const struct placed *row = &places[_i];
    char said[256];
    struct problem_list problems;
    problem_list_init(&problems);
    struct yaml_text *text = accept(row->yaml);
    yaml_node_problem(yaml_node_find(yaml_text_root(text), row->key), PROBLEM_WARNING, &problems,
                      "%s", "here");
    ck_assert_uint_eq(problems.errors, 0);
    ck_assert_uint_eq(problems.count, 1);
    problem_format(&problems.items[0], said, sizeof said);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s: %s", row->label, said);
    problem_list_fini(&problems);
    yaml_text_free(text);
}
END_TEST

struct quoted {
    const char *yaml;
    const char *expected;
};

static const struct quoted quotes[] = {
    {"x", "'x'"},
    {"[a]", "a list"},
    {"{a: b}", "a mapping"},
    {"''", "''"},
    {"\"a\\nb\\x7f\"", "'a?b?'"},
    {"0123456789012345678901234567890123456789012345678901234567890123456789012345",
     "'01234567890123456789012345678901234567890123456789012345678901234567890123…'"},
    {"0123456789012345678901234567890123456789012345678901234567890123456789012\xc3\xbc\xc3\xbc",
     "'0123456789012345678901234567890123456789012345678901234567890123456789012…'"},
};

START_TEST(quotes_what_was_found)
{
    char shown[YAML_QUOTE_MAX];
    struct yaml_text *text = accept(quotes[_i].yaml);
    ck_assert_str_eq(yaml_node_quote(yaml_text_root(text), shown), quotes[_i].expected);
    yaml_text_free(text);
}
END_TEST

/* Depth ends the first pass: 100 kB of "[" would take libyaml's loader ten seconds. */
START_TEST(bounds_depth_and_size)
{
    static char deep[100 * 1024];
    char said[256];
    memset(deep, '[', sizeof deep);
    ck_assert_ptr_null(parse(deep, sizeof deep, said, sizeof said));
    ck_assert_str_eq(said, "f:1:33: nested deeper than 32 levels");

    memset(deep, '[', 32);
    memset(deep + 32, ']', 32);
    yaml_text_free(parse(deep, 64, said, sizeof said));
    ck_assert_str_eq(said, "");

    char *large = malloc(YAML_TEXT_BYTES_MAX + 1);
    ck_assert_ptr_nonnull(large);
    memset(large, ' ', YAML_TEXT_BYTES_MAX + 1);
    ck_assert_ptr_null(parse(large, YAML_TEXT_BYTES_MAX + 1, said, sizeof said));
    ck_assert_str_eq(said, "f: larger than 4194304 octets: large sets of names belong in lists");
    free(large);
}
END_TEST

/* Keys are compared after sorting: 200,000 of them are no reason to wait. */
START_TEST(bears_many_keys)
{
    enum {
        KEYS = 200000,
        ROOM = 16
    };
    char said[256];
    char *yaml = malloc((size_t)KEYS * ROOM);
    ck_assert_ptr_nonnull(yaml);
    size_t size = 0;
    for (int i = 0; i < KEYS; i++) {
        size += (size_t)snprintf(yaml + size, ROOM, "k%d: 1\n", i % (KEYS - 1));
    }
    ck_assert_ptr_null(parse(yaml, size, said, sizeof said));
    ck_assert_str_eq(said, "f:200000:1: the key 'k0' is given twice, first at line 1");
    free(yaml);
}
END_TEST

START_TEST(frees_null)
{
    yaml_text_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("yaml_text");
    TCase *tcase = tcase_create("yaml_text");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, refuses, 0, ROWS(refusals));
    tcase_add_test(tcase, reads_scalars_as_text);
    tcase_add_test(tcase, reads_mappings);
    tcase_add_loop_test(tcase, places_problems, 0, ROWS(places));
    tcase_add_loop_test(tcase, quotes_what_was_found, 0, ROWS(quotes));
    tcase_add_test(tcase, bounds_depth_and_size);
    tcase_add_test(tcase, bears_many_keys);
    tcase_add_test(tcase, frees_null);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
