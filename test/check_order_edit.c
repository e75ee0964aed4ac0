/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Order files edited in place: each layout that people write keeps its style, and all that was not
 * asked for keeps its octets. Random edits are held against a model: a list and a loop.
 */
#include "policy/order_edit.h"

#include <check.h>
#include <stdlib.h>

#include "policy/guard.h"
#include "policy/order_file.h"
#include "test/order_edit_notation.h"
#include "test/suite.h"

#define ENTRY "{at: 2026-01-01T00:00:00Z, by: anna, what: edit, reason: why not}"

static struct problem_list problems;

static const char *said(void)
{
    static char text[4096];
    text[0] = '\0';
    for (size_t i = 0; i < problems.count; i++) {
        size_t used = strlen(text);
        used += (size_t)snprintf(text + used, sizeof text - used, "%s", i == 0 ? "" : "\n");
        problem_format(&problems.items[i], text + used, sizeof text - used);
    }
    return text;
}

/* The text after the edit, owned by the caller; NULL if it is refused. */
static char *edited(const char *before, const char *words)
{
    struct order_edit_words edit;
    struct file_bytes file, out;
    order_edit_words(words, &edit);
    problem_list_fini(&problems);
    ck_assert(file_bytes_copy(before, strlen(before), &file));
    bool done = order_edit_apply("f", &file, &edit.edit, &out, &problems);
    ck_assert_msg(done == (problems.errors == 0), "%s", said());
    file_bytes_fini(&file);
    return done ? out.bytes : NULL;
}

/* Every row ends in the history, which the edit begins or goes on with. */
static const struct row {
    const char *label;
    const char *before;
    const char *edit;
    const char *after;
} rows[] = {
    {"block, indented", "id: x\nnames:\n  - a.it\n  - b.it\n", "+c.it",
     "id: x\nnames:\n  - a.it\n  - b.it\n  - c.it\nhistory:\n  - " ENTRY "\n"},
    {"block, not indented", "id: x\nnames:\n- a.it\n", "+c.it +d.it",
     "id: x\nnames:\n- a.it\n- c.it\n- d.it\nhistory:\n- " ENTRY "\n"},
    {"wide gap behind the dash", "id: x\nnames:\n    -   a.it\n", "+c.it",
     "id: x\nnames:\n    -   a.it\n    -   c.it\nhistory:\n    - " ENTRY "\n"},
    {"history goes on", "id: x\nhistory:\n  - {at: t}\nnames: [a.it]\n", "status:lifted",
     "id: x\nstatus: lifted\nhistory:\n  - {at: t}\n  - " ENTRY "\nnames: [a.it]\n"},
    {"comments stay with their items",
     "id: x\nnames: # first\n  - a.it # one\n  # between\n"
     "  - b.it   # two\n  # behind\n\n# end\n",
     "+c.it",
     "id: x\nnames: # first\n  - a.it # one\n  # between\n  - b.it   # two\n  - c.it\nhistory:\n  "
     "- " ENTRY "\n  # behind\n\n# end\n"},
    {"no line end at the end", "id: x\nnames:\n  - a.it", "+c.it",
     "id: x\nnames:\n  - a.it\n  - c.it\nhistory:\n  - " ENTRY "\n"},
    {"status last, no line end", "id: x\nnames: [a.it]\nstatus: active", "status:suspended",
     "id: x\nnames: [a.it]\nstatus: suspended\nhistory:\n  - " ENTRY "\n"},
    {"CRLF", "id: x\r\nnames:\r\n  - a.it\r\n", "+c.it",
     "id: x\r\nnames:\r\n  - a.it\r\n  - c.it\r\nhistory:\r\n  - " ENTRY "\r\n"},
    {"byte order mark and letters of two octets",
     "\xEF\xBB\xBFid: x\ntitle: B\xC3\xBC"
     "cher \xE2\x82\xAC # \xF0\x9F\x98\x80\nnames:\n- b\xC3\xBC.it # \xC3\xA0\n- a.it\n",
     "+c.it -b\xC3\xBC.it",
     "\xEF\xBB\xBFid: x\ntitle: B\xC3\xBC"
     "cher \xE2\x82\xAC # \xF0\x9F\x98\x80\nnames:\n- a.it\n- c.it\nhistory:\n- " ENTRY "\n"},
    {"flow", "id: x\nnames: [a.it, b.it] # why\nx: y\n", "+c.it +d.it/7",
     "id: x\nnames: [a.it, b.it, c.it, {name: d.it, ticket: \"7\"}] # why\nx: y\nhistory:\n  "
     "- " ENTRY "\n"},
    {"flow, empty", "id: x\nnames: []\n", "+c.it",
     "id: x\nnames: [c.it]\nhistory:\n  - " ENTRY "\n"},
    {"flow, a comment in it", "id: x\nnames: [# none\n]\n", "+c.it",
     "id: x\nnames: [c.it # none\n]\nhistory:\n  - " ENTRY "\n"},
    {"flow, a line each", "id: x\nnames: [\n  a.it, # one\n  b.it  # two\n]\n", "+c.it",
     "id: x\nnames: [\n  a.it, # one\n  b.it,  # two\n  c.it\n]\nhistory:\n  - " ENTRY "\n"},
    {"flow, a line each, comma behind the last", "id: x\nnames: [\n  a.it,\n  b.it,  # two\n]\n",
     "+c.it +d.it",
     "id: x\nnames: [\n  a.it,\n  b.it,  # two\n  c.it,\n  d.it,\n]\nhistory:\n  - " ENTRY "\n"},
    {"flow over lines", "id: x\nnames: [a.it,\n  b.it]\n", "+c.it",
     "id: x\nnames: [a.it,\n  b.it, c.it]\nhistory:\n  - " ENTRY "\n"},
    {"flow at the root", "{id: x, names: [a.it]} # all\n", "+c.it status:suspended",
     "{id: x, status: suspended, names: [a.it, c.it], history: [" ENTRY "]} # all\n"},
    {"JSON", "{\"id\": \"x\", \"status\": \"active\", \"names\": [\"a.it\"]}", "status:lifted",
     "{\"id\": \"x\", \"status\": lifted, \"names\": [\"a.it\"], \"history\": [" ENTRY "]}"},
    {"items that are mappings", "id: x\nnames:\n  - name: a.it\n    ticket: \"1\" # t\n  # next\n",
     "+c.it/22",
     "id: x\nnames:\n  - name: a.it\n    ticket: \"1\" # t\n  - {name: c.it, ticket: \"22\"}"
     "\nhistory:\n  - " ENTRY "\n  # next\n"},
    {"block scalar before the end", "id: x\nnames: [a.it]\nmessage: |\n  text\n  more", "+c.it",
     "id: x\nnames: [a.it, c.it]\nmessage: |\n  text\n  more\nhistory:\n  - " ENTRY "\n"},
    {"block scalar, then a comment", "id: x\nmessage: >\n  text\n\n# end\n", "+c.it",
     "id: x\nmessage: >\n  text\n\nnames:\n  - c.it\nhistory:\n  - " ENTRY "\n# end\n"},
    {"end of the document", "---\nid: x\nnames:\n  - a.it\n...\n# over\n", "+c.it",
     "---\nid: x\nnames:\n  - a.it\n  - c.it\nhistory:\n  - " ENTRY "\n...\n# over\n"},
    {"keys of kinds", "id: x\nissued: 2022-07-11\naction: drop\nlists: []\n",
     "+c.it +=d.it +!e.it "
     "status:suspended",
     "id: x\nissued: 2022-07-11\nstatus: suspended\naction: drop\nnames:\n  - c.it\n"
     "exact:\n  - d.it\nexcept:\n  - e.it\nlists: []\nhistory:\n  - " ENTRY "\n"},
    {"all indented", "  id: x\n  names:\n    - a.it\n", "+c.it +=d.it",
     "  id: x\n  names:\n    - a.it\n    - c.it\n  exact:\n    - d.it\n  history:\n    - " ENTRY
     "\n"},
    {"status quoted, with a comment", "id: x\nstatus: 'active'   # for now\nnames: [a.it]\n",
     "status:suspended",
     "id: x\nstatus: suspended   # for now\nnames: [a.it]\nhistory:\n  - " ENTRY "\n"},
    {"status empty", "id: x\nstatus:\nnames: [a.it]\n", "status:lifted",
     "id: x\nstatus: lifted\nnames: [a.it]\nhistory:\n  - " ENTRY "\n"},
    {"names that other programs misread", "id: x\nnames: [a.it]\n", "+no +1e3 +7.it +null +on.it",
     "id: x\nnames: [a.it, \"no\", \"1e3\", 7.it, \"null\", on.it]\nhistory:\n  - " ENTRY "\n"},
    {"remove of a block", "id: x\nnames:\n  - a.it # one\n  # between\n  - b.it\n  - c.it\n",
     "-a.it -C.it.", "id: x\nnames:\n  # between\n  - b.it\nhistory:\n  - " ENTRY "\n"},
    {"remove the last line, no line end", "id: x\nnames:\n  - a.it\n  - b.it", "-b.it",
     "id: x\nnames:\n  - a.it\nhistory:\n  - " ENTRY "\n"},
    {"remove all of a block", "id: x\nnames : # each\n  # first\n  - a.it\nexact: [b.it]\n",
     "-a.it", "id: x\nnames : [] # each\n  # first\nexact: [b.it]\nhistory:\n  - " ENTRY "\n"},
    {"remove items of many lines",
     "id: x\nnames:\n  - name: a.it\n    ticket: x\n  -\n    b.it\n"
     "  - # c\n    c.it # d\n  - d.it\n",
     "-a.it -b.it -c.it", "id: x\nnames:\n  - d.it\nhistory:\n  - " ENTRY "\n"},
    {"remove by kind", "id: x\nnames: [a.it]\nexact: [a.it]\nexcept: [a.it]\n", "-=a.it",
     "id: x\nnames: [a.it]\nexact: []\nexcept: [a.it]\nhistory:\n  - " ENTRY "\n"},
    {"remove of flow, first", "id: x\nnames: [a.it, b.it]\n", "-a.it",
     "id: x\nnames: [b.it]\nhistory:\n  - " ENTRY "\n"},
    {"remove of flow, middle and last", "id: x\nnames: [a.it, b.it,c.it , d.it]\n", "-b.it -d.it",
     "id: x\nnames: [a.it, c.it]\nhistory:\n  - " ENTRY "\n"},
    {"remove of flow, last two", "id: x\nnames: [a.it, b.it, c.it]\n", "-b.it -c.it",
     "id: x\nnames: [a.it]\nhistory:\n  - " ENTRY "\n"},
    {"remove of flow, all", "id: x\nnames: [a.it, b.it,]\n", "-a.it -b.it",
     "id: x\nnames: []\nhistory:\n  - " ENTRY "\n"},
    {"remove of flow, lines", "id: x\nnames: [\n  a.it, # one\n  b.it, # two\n  c.it # three\n]\n",
     "-b.it -c.it", "id: x\nnames: [\n  a.it, # one\n]\nhistory:\n  - " ENTRY "\n"},
    {"remove of flow, comma on the next line", "id: x\nnames: [a.it # one\n  , b.it\n]\n", "-a.it",
     "id: x\nnames: [ # one\n   b.it\n]\nhistory:\n  - " ENTRY "\n"},
    {"remove what is not there", "id: x\nnames: [a.it]\n", "-b.it",
     "id: x\nnames: [a.it]\nhistory:\n  - " ENTRY "\n"},
    {"a name given twice", "id: x\nnames: [a.it, A.it, b.it]\n", "-a.it",
     "id: x\nnames: [b.it]\nhistory:\n  - " ENTRY "\n"},
};

START_TEST(edits)
{
    const struct row *row = &rows[_i];
    char *after = edited(row->before, row->edit);
    ck_assert_msg(after != NULL, "%s: %s", row->label, said());
    ck_assert_msg(strcmp(after, row->after) == 0, "%s:\n%s\nnot\n%s", row->label, after,
                  row->after);
    free(after);
}
END_TEST

static const struct {
    const char *label;
    const char *before;
    const char *edit;
    const char *said;
} refusals[] = {
    {"no YAML", "id: [\n", "+a.it",
     "f:2:1: this is no YAML: did not find expected node content while parsing a flow node (begun "
     "at line 2)"},
    {"a tab", "id: x\nnames:\n\t- a.it\n", "+b.it",
     "f:3:1: this is no YAML: found character that cannot start any token while scanning for the "
     "next token (begun at line 3)"},
    {"an anchor", "id: x\nnames: &n [a.it]\n", "+b.it",
     "f:2:8: an anchor is not accepted here: write the value itself"},
    {"a list at the root", "- a.it\n", "+b.it", "f: expected the keys of an order"},
    {"text at the root", "a.it\n", "+b.it", "f: expected the keys of an order"},
    {"no keys", "{}\n", "+b.it", "f: expected the keys of an order"},
    {"names without a list", "id: x\nnames:\n", "+b.it", "f:2:7: expected a list, not ''"},
    {"names of one text", "id: x\nnames: a.it\n", "-a.it", "f:2:8: expected a list, not 'a.it'"},
    {"status a list", "id: x\nstatus: [active]\n", "status:lifted",
     "f:2:9: expected text, not a list"},
    {"history a text", "id: x\nhistory: none\n", "status:lifted",
     "f:2:10: expected a list, not 'none'"},
    {"a layout that is not edited", "? id\n: x\n? names\n", "status:lifted",
     "f: this file is laid out in a way that cannot be edited in place; change it by hand"},
};

START_TEST(refuses)
{
    ck_assert_msg(edited(refusals[_i].before, refusals[_i].edit) == NULL, "%s", refusals[_i].label);
    ck_assert_msg(strcmp(said(), refusals[_i].said) == 0, "%s: %s", refusals[_i].label, said());
}
END_TEST

START_TEST(refuses_what_grows_too_large)
{
    const size_t size = 4U * 1024U * 1024U - 8;
    char *text = malloc(size + 1);
    memset(text, '#', size);
    memcpy(text, "id: x\n", 6);
    text[size] = '\0';
    ck_assert_ptr_null(edited(text, "+a.it"));
    ck_assert_str_eq(said(), "f: would be larger than 4194304 octets: large sets of names belong "
                             "in lists");
    free(text);
}
END_TEST

/* ---- A new order ---- */

START_TEST(composes)
{
    const struct order_edit_field fields[] = {
        {"id", "IT-1"},
        {"authority", "Tribunale: \"di\" Milano"},
        {"title", NULL},
        {"issued", "2022-07-11"},
        {"message", "B\xC3\xBC"
                    "cher\n"},
    };
    struct order_edit_words edit;
    struct file_bytes out;
    order_edit_words("+b.it +!c.it +a.it", &edit);
    ck_assert(order_edit_compose(fields, 5, &edit.edit, &out));
    ck_assert_str_eq(out.bytes,
                     "id: IT-1\nauthority: \"Tribunale: \\\"di\\\" Milano\"\n"
                     "issued: 2022-07-11\nmessage: \"B\xC3\xBC"
                     "cher\\U0000000A\"\n"
                     "names:\n  - b.it\n  - a.it\nexcept:\n  - c.it\nhistory:\n  - " ENTRY "\n");
    file_bytes_fini(&out);
}
END_TEST

/* ---- The model ---- */

#define MODEL_NAMES 12
#define ROUNDS 80
#define EDITS 12

/* How many times each kind holds each name. */
struct model {
    unsigned has[3][MODEL_NAMES];
    const char *status;
};

static unsigned rolled;

static unsigned roll(unsigned sides)
{
    rolled = rolled * 1103515245U + 12345U;
    return (rolled >> 16) % sides;
}

static const char *const signs[] = {"", "=", "!"};

/* Writes one of the names as people might, of the twelve n0.it to n11.it. */
static void print_name(FILE *out, unsigned name)
{
    static const char *const ways[] = {"n%u.it", "N%u.it.", "'n%u.it'", "\"n%u.it\""};
    char text[32];
    snprintf(text, sizeof text, ways[roll(4)],
             name); /* NOLINT(clang-diagnostic-format-nonliteral) */
    fprintf(out, roll(4) == 0 ? "{name: %s}" : "%s", text);
}

static void print_list(FILE *out, struct model *model, unsigned kind, const char *eol)
{
    static const char *const keys[] = {"names", "exact", "except"};
    static const char *const dashes[] = {"", " ", "  - ", "- "};
    unsigned style = roll(4), count = style == 0 ? roll(4) : 1 + roll(4);
    fprintf(out, "%s:%s%s", keys[kind],
            style == 0   ? " ["
            : style == 1 ? " [ # c\xC3\xA9"
                         : "",
            style == 0 ? "" : eol);
    for (unsigned i = 0; i < count; i++) {
        unsigned name = roll(MODEL_NAMES);
        model->has[kind][name]++;
        fputs(dashes[style], out);
        print_name(out, name);
        bool last = i + 1 == count;
        if (style == 0) {
            fputs(last ? "" : ", ", out);
        } else {
            fprintf(out, "%s%s%s", style == 1 && !last ? "," : "",
                    roll(3) == 0 ? " # \xE2\x82\xAC" : "", eol);
        }
        if (style >= 2 && roll(4) == 0) {
            fprintf(out, "  # between%s", eol);
        }
    }
    if (style < 2) {
        fprintf(out, "]%s", eol);
    }
}

/* An order in a layout of its own. */
static char *random_order(struct model *model)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    const char *eol = roll(3) == 0 ? "\r\n" : "\n";
    *model = (struct model){.status = "active"};
    fprintf(out, "%sid: IT-1%sauthority: 'X: Y' # who%sissued: 2022-07-11%s",
            roll(4) == 0 ? "\xEF\xBB\xBF" : "", eol, eol, eol);
    if (roll(2) == 0) {
        fprintf(out, "status: active%s# status%s", eol, eol);
    }
    fprintf(out, "any: [keep, {this: as it is}]%s", eol);
    for (unsigned kind = 0; kind < 3; kind++) {
        if (roll(3) > 0) {
            print_list(out, model, kind, eol);
        }
    }
    fprintf(out, "# the end%s", roll(2) == 0 ? eol : "");
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

/* Up to four words that add or remove, and what they make of the model. */
static void random_words(struct model *model, char *out, size_t size)
{
    static const char *const statuses[] = {"active", "suspended", "lifted"};
    bool adds = roll(2) == 0;
    size_t used = 0;
    out[0] = '\0';
    if (roll(4) == 0) {
        model->status = statuses[roll(3)];
        used += (size_t)snprintf(out, size, "status:%s ", model->status);
    }
    for (unsigned i = roll(4); i > 0; i--) {
        unsigned kind = roll(3), name = roll(MODEL_NAMES);
        model->has[kind][name] = adds ? model->has[kind][name] + 1 : 0;
        used += (size_t)snprintf(out + used, size - used, "%c%sn%u.it%s ", adds ? '+' : '-',
                                 signs[kind], name, adds && roll(3) == 0 ? "/47" : "");
    }
}

/* Does the file hold what the model does? Read by lines of a naive kind: every name of the twelve
 * is counted below the last key that was seen. */
static void count_names(const char *text, struct model *out)
{
    static const char *const keys[] = {"names:", "exact:", "except:"};
    int kind = -1;
    *out = (struct model){.status = "active"};
    for (const char *at = text; *at != '\0'; at++) {
        bool line = at == text || at[-1] == '\n' || at[-1] == '\xBF';
        unsigned name = 0;
        if (line && *at >= 'a' && *at <= 'z') {
            kind = -1;
            for (int i = 0; i < 3; i++) {
                kind = strncmp(at, keys[i], strlen(keys[i])) == 0 ? i : kind;
            }
            out->status = strncmp(at, "status: s", 9) == 0   ? "suspended"
                          : strncmp(at, "status: l", 9) == 0 ? "lifted"
                                                             : out->status;
        }
        if (kind >= 0 && (*at == 'n' || *at == 'N') && sscanf(at + 1, "%u.it", &name) == 1) {
            out->has[kind][name]++;
        }
    }
}

/* Is each line of before that no edit touched still in after, in the same order? Lines with a name
 * or the status may be touched. */
static void check_lines(const char *before, const char *after)
{
    const char *at = after;
    while (*before != '\0') {
        size_t len = strcspn(before, "\n");
        char line[256];
        ck_assert_int_lt(snprintf(line, sizeof line, "%.*s", (int)len, before), (int)sizeof line);
        if (strstr(line, ".it") == NULL && strncmp(line, "status", 6) != 0 &&
            strncmp(line, "names:", 6) != 0 && strncmp(line, "exact:", 6) != 0 &&
            strncmp(line, "except:", 7) != 0 && strspn(line, "\r") != strlen(line)) {
            const char *found = strstr(at, line);
            ck_assert_msg(found != NULL, "the line %s is lost in\n%s", line, after);
            at = found + strlen(line);
        }
        before += len + (before[len] == '\n');
    }
}

START_TEST(holds_what_the_model_holds)
{
    rolled = (unsigned)_i * 7919U + 1;
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct model model, counted;
        char *text = random_order(&model);
        for (unsigned i = 0; i < EDITS; i++) {
            char words[256];
            random_words(&model, words, sizeof words);
            char *after = edited(text, words);
            ck_assert_msg(after != NULL, "%s\n%s\n%s", words, text, said());
            count_names(after, &counted);
            ck_assert_msg(memcmp(counted.has, model.has, sizeof model.has) == 0 &&
                              strcmp(counted.status, model.status) == 0,
                          "%s\n%s\n%s", words, text, after);
            check_lines(text, after);
            free(text);
            text = after;
        }
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_edit");
    TCase *tcase = tcase_create("order_edit");
    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, edits, 0, ROWS(rows));
    tcase_add_loop_test(tcase, refuses, 0, ROWS(refusals));
    tcase_add_test(tcase, refuses_what_grows_too_large);
    tcase_add_test(tcase, composes);
    tcase_add_loop_test(tcase, holds_what_the_model_holds, 0, 4);
    return suite_run(suite);
}
