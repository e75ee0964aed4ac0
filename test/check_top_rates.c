/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rates from two answers of the daemon, and the text made of them.
 */
#include "forwarder/cli/top_rates.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/top_text.h"
#include "test/suite.h"

static const struct {
    const char *label;
    const char *before;
    const char *after;
    const char *rates; /* NULL: none */
} CASES[] = {
    {"over half a second", "{'started':'a','time_ms':1000,'queries':10}",
     "{'started':'a','time_ms':1500,'queries':21,'generation':3,'connections':7}",
     "{'interval_ms':500,'generation':3,'connections':7,'queries':22.0,'by_order':{},"
     "'would_block_by_order':{},'by_country':{}}"},
    {"by order, by country; what was quiet is left out",
     "{'started':'a','time_ms':0,'by_order':{'X':5,'Y':1},'by_country':{'IT':{'queries':1,"
     "'blocked':1},'DE':{'queries':4,'blocked':0}}}",
     "{'started':'a','time_ms':2000,'by_order':{'X':5,'Y':4,'Z':2},'by_country':{'IT':{"
     "'queries':2,'blocked':1},'DE':{'queries':4,'blocked':0},'FR':{'queries':1,'blocked':1}}}",
     "{'interval_ms':2000,'by_order':{'Y':1.5,'Z':1.0},'would_block_by_order':{},"
     "'by_country':{'IT':{'queries':0.5,'blocked':0.0},'FR':{'queries':0.5,'blocked':0.5}}}"},
    {"names have their own interval", "{'started':'a','time_ms':0}",
     "{'started':'a','time_ms':1000,'names':{'interval_ms':500,'names':[{'name':'a.example',"
     "'blocked':3}]}}",
     "{'interval_ms':1000,'by_order':{},'would_block_by_order':{},'by_country':{},"
     "'names':[{'name':'a.example','blocked':6.0}]}"},
    {"no names yet", "{'started':'a','time_ms':0}", "{'started':'a','time_ms':1,'names':null}",
     "{'interval_ms':1,'by_order':{},'would_block_by_order':{},'by_country':{},'names':null}"},
    {"a count that went back", "{'started':'a','time_ms':0,'queries':10}",
     "{'started':'a','time_ms':1000,'queries':3}",
     "{'interval_ms':1000,'queries':0.0,'by_order':{},'would_block_by_order':{},"
     "'by_country':{}}"},
    {"started anew", "{'started':'a','time_ms':0}", "{'started':'b','time_ms':1000}", NULL},
    {"no time between", "{'started':'a','time_ms':9}", "{'started':'a','time_ms':9}", NULL},
    {"another version", "{}", "{}", NULL},
};

static json_t *parse(const char *text)
{
    char json[1024];
    snprintf(json, sizeof json, "%s", text);
    for (char *quote = json; (quote = strchr(quote, '\'')) != NULL;) {
        *quote = '"';
    }
    json_t *value = json_loads(json, 0, NULL);
    ck_assert_msg(value != NULL, "%s", text);
    return value;
}

START_TEST(rates_of_two_answers)
{
    json_t *before = parse(CASES[_i].before);
    json_t *after = parse(CASES[_i].after);
    json_t *rates = top_rates(before, after);
    if (CASES[_i].rates == NULL) {
        ck_assert_msg(rates == NULL, "%s", CASES[_i].label);
    } else {
        json_t *expected = parse(CASES[_i].rates);
        char *text = json_dumps(rates, JSON_COMPACT);
        ck_assert_msg(json_equal(rates, expected), "%s: %s", CASES[_i].label, text);
        free(text);
        json_decref(expected);
    }
    json_decref(rates);
    json_decref(before);
    json_decref(after);
}
END_TEST

static char *print(const char *rates, size_t lines)
{
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    json_t *object = parse(rates);
    ck_assert(top_text_print(object, lines, out));
    json_decref(object);
    ck_assert_int_eq(fclose(out), 0);
    return text;
}

static const char BUSY[] =
    "{'interval_ms':1000,'generation':3,'connections':7,'queries':1234.4,'blocked':6.0,"
    "'by_order':{'A':1.0,'B':5.0},'would_block_by_order':{},"
    "'by_country':{'IT':{'queries':900.0,'blocked':6.0},'DE':{'queries':334.4,'blocked':0.0},"
    "'FR':{'queries':1.0,'blocked':0.0},'ES':{'queries':1.0,'blocked':0.0}},"
    "'names':[{'name':'a.example','blocked':6.0}]}";

START_TEST(text_for_people)
{
    char *text = print(BUSY, 0);
    ck_assert_str_eq(text, "bailiwick: generation 3, 7 connections, over 1.0 s\n"
                           "queries/s  forwarded/s  answered/s  blocked/s  servfail/s  dropped/s\n"
                           "1234       0.0          0.0         6.0        0.0         0.0\n"
                           "\n"
                           "ORDER  BLOCKED/S\n"
                           "B      5.0\n"
                           "A      1.0\n"
                           "\n"
                           "COUNTRY  QUERIES/S  BLOCKED/S\n"
                           "IT       900        6.0\n"
                           "DE       334        0.0\n"
                           "ES       1.0        0.0\n"
                           "FR       1.0        0.0\n"
                           "\n"
                           "NAME       BLOCKED/S\n"
                           "a.example  6.0\n");
    free(text);
}
END_TEST

/* However small the terminal, no more lines than it has. */
START_TEST(text_fits_a_terminal)
{
    for (size_t lines = 3; lines < 20; lines++) {
        char *text = print(BUSY, lines);
        size_t count = 0;
        for (const char *end = text; (end = strchr(end, '\n')) != NULL; end++) {
            count++;
        }
        ck_assert_uint_le(count, lines);
        ck_assert(lines < 12 || strstr(text, "a.example") != NULL);
        free(text);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("top_rates");
    TCase *tcase = tcase_create("top_rates");
    tcase_add_loop_test(tcase, rates_of_two_answers, 0, ROWS(CASES));
    tcase_add_test(tcase, text_for_people);
    tcase_add_test(tcase, text_fits_a_terminal);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
