/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/name_list: from lines to a sealed map, with what is refused and what is wrong.
 */
#include "test/list_read.h"

#include "test/suite.h"

static struct guard *guard; /* of the test case */
static struct problem_list problems;

static void set_up(void)
{
    problem_list_init(&problems);
    guard = list_read_guard();
}

static void tear_down(void)
{
    guard_free(guard);
    problem_list_fini(&problems);
}

/* Parses with up to two names of allow-wide. */
static struct name_list *parse(const char *bytes, size_t size, const char *const *wide,
                               bool refuse_is_error)
{
    return list_read(&(struct list_read){.bytes = bytes,
                                         .size = size,
                                         .wide = {wide[0], wide[1]},
                                         .refuse_is_error = refuse_is_error,
                                         .guard = guard},
                     &problems);
}

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *label;
    const char *bytes;
    size_t size;
    const char *wide[2];
    const char *expected;
    size_t count;
    size_t refused;
    const char *told;
} good[] = {
    {"names", BYTES("b.example\na.example\n"), {0}, "*a.example *b.example ", 2, 0, ""},
    {"a name twice", BYTES("a.example\nA.Example.\n"), {0}, "*a.example ", 2, 0, ""},
    {"exact", BYTES("=a.example"), {0}, "=a.example ", 1, 0, ""},
    {"exact and with all below",
     BYTES("=a.example\na.example"),
     {0},
     "*a.example =a.example ",
     2,
     0,
     ""},
    {"exception",
     BYTES("a.example\n!x.y.a.example\n"),
     {0},
     "!x.y.a.example *a.example ^. ^a.example ^example ^y.a.example ",
     2,
     0,
     ""},
    {"exceptions alone", BYTES("!com\n"), {0}, "!com ^. ", 1, 0, ""},
    {"exceptions are not judged",
     BYTES("!resolver.example"),
     {0},
     "!resolver.example ^. ^example ",
     1,
     0,
     ""},
    {"comments, blanks, CRLF and BOM",
     BYTES("\xEF\xBB\xBF# list\r\n\r\n  a.example\t# one\r\n\t=b.example\r\n"),
     {0},
     "*a.example =b.example ",
     2,
     0,
     ""},
    {"columns",
     BYTES("a.example,phishing,2024-01-01\nb.example;x\n=c.example , y\n!d.example,\n"),
     {0},
     "!d.example *a.example *b.example =c.example ^. ^example ",
     4,
     0,
     ""},
    {"columns in quotes",
     BYTES("\"a.example\",\"x,y\"\n \"=b.example\" ; z\n\"C.Example\"\n"),
     {0},
     "*a.example *c.example =b.example ",
     3,
     0,
     ""},
    {"a title",
     BYTES("\xEF\xBB\xBF# feed\r\n\"Domain\",\"First seen\"\r\na.example,x\r\n"),
     {0},
     "*a.example ",
     1,
     0,
     ""},
    {"a title of two words", BYTES("Domain Name;x\na.example;y\n"), {0}, "*a.example ", 1, 0, ""},
    {"a title is the first line alone",
     BYTES("a.example\nname\n"),
     {0},
     "*a.example ",
     1,
     1,
     "W list:2:1: name is a top-level domain, and allow-wide does not list it\n"},
    {"a TLD that reads as a title", BYTES("name\n"), {"name"}, "*name ", 1, 0, ""},
    {"no newline at the end", BYTES("a.example"), {0}, "*a.example ", 1, 0, ""},
    {"U-label",
     BYTES("b\xC3\xBC"
           "cher.example"),
     {0},
     "*xn--bcher-kva.example ",
     1,
     0,
     ""},
    {"public suffixes are left out",
     BYTES("a.example\nCo.Uk\n\n  com\n"),
     {0},
     "*a.example ",
     1,
     2,
     "W list:2:1: co.uk is a public suffix, and allow-wide does not list it\n"
     "W list:4:3: com is a top-level domain, and allow-wide does not list it\n"},
    {"exact public suffixes too",
     BYTES("a.example\n=github.io\n"),
     {0},
     "*a.example ",
     1,
     1,
     "W list:2:2: github.io is a public suffix, and allow-wide does not list it\n"},
    {"allow-wide",
     BYTES("github.io\n=com\nco.uk\n"),
     {"github.io", "com"},
     "*github.io =com ",
     2,
     1,
     "W list:3:1: co.uk is a public suffix, and allow-wide does not list it\n"},
    {"allow-wide is for one name alone",
     BYTES("a.example\ncom"),
     {"example.com"},
     "*a.example ",
     1,
     1,
     "W list:2:1: com is a top-level domain, and allow-wide does not list it\n"},
    {"protected names are left out",
     BYTES("a.example\nresolver.example\n=x.resolver.example\nbank.example\n"),
     {0},
     "*a.example ",
     1,
     3,
     "W list:2:1: resolver.example is a protected name\n"
     "W list:3:2: x.resolver.example stands below the protected name resolver.example\n"
     "W list:4:1: bank.example stands above the protected name login.bank.example\n"},
    {"allow-wide does not free what is protected",
     BYTES("a.example\nexample\n"),
     {"example"},
     "*a.example ",
     1,
     1,
     "W list:2:1: example stands above the protected name resolver.example\n"},
    {"the root",
     BYTES("."),
     {"."},
     "!login.bank.example !resolver.example *. ^. ^bank.example ^example ",
     1,
     0,
     ""},
    {"the root alone", BYTES("=."), {"."}, "=. ", 1, 0, ""},
};

START_TEST(good_lists)
{
    char text[LIST_READ_TEXT];
    struct name_list *list = parse(good[_i].bytes, good[_i].size, good[_i].wide, false);
    ck_assert_msg(list != NULL, "%s: %s", good[_i].label, list_read_told(&problems, text));
    ck_assert_msg(strcmp(list_read_contents(list, text), good[_i].expected) == 0, "%s: %s",
                  good[_i].label, text);
    ck_assert_msg(name_list_count(list) == good[_i].count, "%s: count %zu", good[_i].label,
                  name_list_count(list));
    ck_assert_msg(name_list_refused(list) == good[_i].refused, "%s: refused %zu", good[_i].label,
                  name_list_refused(list));
    ck_assert_msg(strcmp(list_read_told(&problems, text), good[_i].told) == 0, "%s: %s",
                  good[_i].label, text);
    name_list_unref(list);
}
END_TEST

static const struct {
    const char *label;
    const char *bytes;
    size_t size;
    bool refuse_is_error;
    const char *told;
} bad[] = {
    {"nothing", BYTES(""), false, "list: the list holds no name\n"},
    {"comments alone", BYTES("# a.example\n\n"), false, "list: the list holds no name\n"},
    {"all refused", BYTES("com\n"), false,
     "W list:1:1: com is a top-level domain, and allow-wide does not list it\n"
     "list: every name of the list was refused\n"},
    {"refusal is an error", BYTES("a.example\ncom\n=resolver.example"), true,
     "list:2:1: com is a top-level domain, and allow-wide does not list it\n"
     "list:3:2: resolver.example is a protected name\n"},
    {"all bad lines are told", BYTES("a.example\n a..b\n=10.0.0.1\n!\nx y\n=\n!=a.example\n"),
     false,
     "list:2:2: there is an empty label\n"
     "list:3:2: this is an address or a network, not a name\n"
     "list:4:2: a name is expected, and there is none\n"
     "list:5:1: there is white space within the name; one name is expected\n"
     "list:6:2: a name is expected, and there is none\n"
     "list:7:2: the character = cannot stand in a name\n"},
    {"columns without a name", BYTES("a.example\n,x\n\"\",x\n=,x\n"), false,
     "list:2:1: a name is expected, and there is none\n"
     "list:3:2: a name is expected, and there is none\n"
     "list:4:2: a name is expected, and there is none\n"},
    {"quotes", BYTES("\"a.example\n\"b.example\"x,y\n  \"c.example\"\"d\"\n\"e f\",x\n"), false,
     "list:1:1: the quote is not closed in this line\n"
     "list:2:12: expected a comma or the end of the line behind the quote\n"
     "list:3:14: expected a comma or the end of the line behind the quote\n"
     "list:4:2: there is white space within the name; one name is expected\n"},
    {"a rank before the name", BYTES("1,a.example\n2,b.example\n"), false,
     "W list:1:1: 1 is a top-level domain, and allow-wide does not list it\n"
     "W list:2:1: 2 is a top-level domain, and allow-wide does not list it\n"
     "list: every name of the list was refused\n"},
    {"UTF-16", BYTES("\xFE\xFF\0a\0.\0b\n"), false,
     "list:1:1: this is UTF-16; expected UTF-8 or ASCII\n"},
    {"hosts format", BYTES("0.0.0.0 a.example\n"), false,
     "list:1:1: there is white space within the name; one name is expected\n"},
    {"wildcard", BYTES("*.a.example\n"), false,
     "list:1:1: wildcards are not used: a name covers everything below it; write it without *.\n"},
    {"NUL", BYTES("a.example\nb\0.example\n"), false, "list:2:1: the text holds a NUL octet\n"},
    {"a blank after the mark", BYTES("= a.example\n"), false,
     "list:1:2: there is white space within the name; one name is expected\n"},
    {"bad lines beside refused ones", BYTES("com\na..b\n"), false,
     "W list:1:1: com is a top-level domain, and allow-wide does not list it\n"
     "list:2:1: there is an empty label\n"},
};

START_TEST(bad_lists)
{
    static const char *const wide[2] = {NULL};
    char text[LIST_READ_TEXT];
    ck_assert_msg(parse(bad[_i].bytes, bad[_i].size, wide, bad[_i].refuse_is_error) == NULL, "%s",
                  bad[_i].label);
    ck_assert_msg(strcmp(list_read_told(&problems, text), bad[_i].told) == 0, "%s: %s",
                  bad[_i].label, text);
    ck_assert_msg(problems.errors > 0, "%s", bad[_i].label);
}
END_TEST

/* A list of this many lines each of a refused name, of what is no name, and of a good name. */
static size_t write_lines(char *bytes, size_t size, unsigned refused, unsigned wrong,
                          unsigned right)
{
    size_t len = 0;
    for (unsigned i = 0; i < refused; i++) {
        len += (size_t)snprintf(bytes + len, size - len, "com\n");
    }
    for (unsigned i = 0; i < wrong; i++) {
        len += (size_t)snprintf(bytes + len, size - len, "a..b\n");
    }
    for (unsigned i = 0; i < right; i++) {
        len += (size_t)snprintf(bytes + len, size - len, "n%u.example\n", i);
    }
    return len;
}

static const struct {
    const char *label;
    unsigned refused, wrong;
    bool refuse_is_error;
    size_t problems, errors;
    const char *last; /* of the problems */
} floods[] = {
    {"as many refusals as are told", 20, 0, false, 20, 0, "list:20:1: com is"},
    {"one more", 21, 0, false, 21, 0, "list: 1 more names were refused"},
    {"many refusals", 500, 0, false, 21, 0, "list: 480 more names were refused"},
    {"many refusals that are errors", 500, 0, true, 21, 21, "list: 480 more names were refused"},
    {"many bad lines", 0, 500, false, 21, 21, "list: 480 more lines are not names"},
    {"both", 500, 500, false, 42, 21, "list: 480 more names were refused"},
};

START_TEST(floods_are_counted)
{
    static const char *const wide[2] = {NULL};
    static char bytes[8192];
    char text[512];
    size_t size = write_lines(bytes, sizeof bytes, floods[_i].refused, floods[_i].wrong, 3);
    struct name_list *list = parse(bytes, size, wide, floods[_i].refuse_is_error);
    ck_assert_msg((list != NULL) == (floods[_i].errors == 0), "%s", floods[_i].label);
    ck_assert_msg(problems.count == floods[_i].problems, "%s: %zu problems", floods[_i].label,
                  problems.count);
    ck_assert_msg(problems.errors == floods[_i].errors, "%s: %zu errors", floods[_i].label,
                  problems.errors);
    problem_format(&problems.items[problems.count - 1], text, sizeof text);
    ck_assert_msg(strstr(text, floods[_i].last) == text, "%s: %s", floods[_i].label, text);
    if (list != NULL) {
        ck_assert_uint_eq(name_list_refused(list), floods[_i].refused);
        ck_assert_uint_eq(name_list_count(list), 3);
    }
    name_list_unref(list);
}
END_TEST

/* A source that gives a few bytes at a time, and may fail at its end. */
struct drip {
    const char *at;
    size_t left;
    size_t step;
    const char *failure;
};

static bool read_drip(void *ctx, char *out, size_t room, size_t *got, char why[static WHY_MAX])
{
    struct drip *drip = ctx;
    *got = drip->left < drip->step ? drip->left : drip->step;
    *got = *got < room ? *got : room;
    if (*got == 0 && drip->failure != NULL) {
        snprintf(why, WHY_MAX, "%s", drip->failure);
        return false;
    }
    memcpy(out, drip->at, *got);
    drip->at += *got;
    drip->left -= *got;
    return true;
}

static struct name_list *read_in_steps(const char *bytes, size_t step, const char *failure)
{
    struct drip drip = {bytes, strlen(bytes), step, failure};
    const struct name_list_source source = {read_drip, &drip};
    const struct name_list_options options = {
        .name = "list", .guard = guard, .seed = LIST_READ_SEED};
    return name_list_read(&options, &source, &problems);
}

START_TEST(bytes_come_in_any_steps)
{
    static const char bytes[] =
        "\xEF\xBB\xBFname\r\na.example\r\n\n# x\n=b.example,y\ncom\nc.example";
    static const size_t steps[] = {1, 2, 3, 7, 100};
    char text[LIST_READ_TEXT];
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct name_list *list = read_in_steps(bytes, steps[i], NULL);
        ck_assert_ptr_nonnull(list);
        ck_assert_str_eq(list_read_contents(list, text), "*a.example *c.example =b.example ");
        ck_assert_str_eq(
            list_read_told(&problems, text),
            "W list:6:1: com is a top-level domain, and allow-wide does not list it\n");
        problem_list_fini(&problems);
        name_list_unref(list);
    }
}
END_TEST

START_TEST(a_source_that_fails)
{
    char text[LIST_READ_TEXT];
    ck_assert_ptr_null(read_in_steps("a.example\nb.example\n", 4, "changed while it was read"));
    ck_assert_str_eq(list_read_told(&problems, text), "list: changed while it was read\n");
}
END_TEST

/* Lines up to the size of a block are read, a longer one is told by its number. */
START_TEST(long_lines)
{
    static const char *const wide[2] = {NULL};
    static const size_t comments[] = {1000, 262000, 262144};
    char *bytes = malloc(300000), text[LIST_READ_TEXT];
    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < sizeof comments / sizeof *comments; i++) {
        size_t len = (size_t)sprintf(bytes, "a.example\n");
        memset(bytes + len, '#', comments[i]);
        len += comments[i];
        len += (size_t)sprintf(bytes + len, "\nb.example\n");
        struct name_list *list = parse(bytes, len, wide, false);
        ck_assert_msg((list != NULL) == (comments[i] < 262144), "%zu", comments[i]);
        ck_assert_str_eq(list_read_told(&problems, text),
                         list != NULL ? "" : "list:2: the line is longer than 262144 bytes\n");
        ck_assert(list == NULL || name_list_count(list) == 2);
        name_list_unref(list);
    }
    free(bytes);
}
END_TEST

START_TEST(packing_by_ending)
{
    static const struct {
        const char *path;
        enum name_list_packing packing;
    } rows[] = {{"a.txt", NAME_LIST_PLAIN},      {"a.txt.gz", NAME_LIST_GZIP},
                {"lists/a.zst", NAME_LIST_ZSTD}, {"gz", NAME_LIST_PLAIN},
                {".gz", NAME_LIST_PLAIN},        {"a.gz.txt", NAME_LIST_PLAIN},
                {"a.GZ", NAME_LIST_PLAIN},       {"", NAME_LIST_PLAIN}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        ck_assert_msg(name_list_packing_of(rows[i].path) == rows[i].packing, "%s", rows[i].path);
    }
}
END_TEST

START_TEST(references)
{
    static const char *const wide[2] = {NULL};
    struct name_list *list = parse("a.example", 9, wide, false);
    ck_assert_ptr_nonnull(list);
    ck_assert_ptr_eq(name_list_ref(list), list);
    name_list_unref(list);
    ck_assert_uint_eq(name_list_count(list), 1);
    name_list_unref(list);
    name_list_unref(NULL);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("lists");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_loop_test(tcase, good_lists, 0, ROWS(good));
    tcase_add_loop_test(tcase, bad_lists, 0, ROWS(bad));
    tcase_add_loop_test(tcase, floods_are_counted, 0, ROWS(floods));
    tcase_add_test(tcase, bytes_come_in_any_steps);
    tcase_add_test(tcase, a_source_that_fails);
    tcase_add_test(tcase, long_lines);
    tcase_add_test(tcase, packing_by_ending);
    tcase_add_test(tcase, references);
    Suite *suite = suite_create("name_list");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
