/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where an address is, in a sentence and as keys of an object: every source, a failed lookup
 * included. Reasons are tested with whole explanations in check_explain.c.
 */
#include "forwarder/explain/explanation_why.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/explain.h"
#include "geo/locate.h"
#include "geo/problem.h"
#include "test/suite.h"

static const struct {
    const char *label;
    enum locate_source source;
    const char *country, *network;
    const char *sentence, *object;
} PLACES[] = {
    {"database", LOCATE_DATABASE, "IT", "2.32.0.0/12", "2.32.0.1 is in IT (database, 2.32.0.0/12)",
     "{\"address\":\"2.32.0.1\",\"country\":\"IT\",\"network\":\"2.32.0.0/12\","
     "\"source\":\"database\"}"},
    {"database, but no country", LOCATE_DATABASE, "", "2.32.0.0/12",
     "2.32.0.1 is in no known country (database, 2.32.0.0/12)",
     "{\"address\":\"2.32.0.1\",\"country\":null,\"network\":\"2.32.0.0/12\","
     "\"source\":\"database\"}"},
    {"override", LOCATE_OVERRIDE, "SM", "2.32.0.0/24", "2.32.0.1 is in SM (override, 2.32.0.0/24)",
     "{\"address\":\"2.32.0.1\",\"country\":\"SM\",\"network\":\"2.32.0.0/24\","
     "\"source\":\"override\"}"},
    {"nowhere", LOCATE_NOWHERE, "", "2.32.0.0/16",
     "2.32.0.1 is in no known country (no network covers it)",
     "{\"address\":\"2.32.0.1\",\"country\":null,\"network\":null,\"source\":\"none\"}"},
    {"failed", LOCATE_FAILED, "", "2.32.0.1", "the country of 2.32.0.1 could not be looked up",
     "{\"address\":\"2.32.0.1\",\"country\":null,\"network\":null,\"source\":\"failed\"}"},
};

START_TEST(places_are_told)
{
    for (size_t i = 0; i < ROWS(PLACES); i++) {
        char sentence[128] = "";
        char why[WHY_MAX];
        struct address address;
        struct location location = {.source = PLACES[i].source};
        ck_assert(address_parse("2.32.0.1", 8, &address));
        ck_assert(network_parse(PLACES[i].network, strlen(PLACES[i].network), &location.network,
                                why, sizeof why));
        country_parse(PLACES[i].country, strlen(PLACES[i].country), &location.country);

        FILE *out = fmemopen(sentence, sizeof sentence, "w");
        explanation_why_place(&address, &location, out);
        ck_assert_int_eq(fclose(out), 0);
        ck_assert_msg(strcmp(sentence, PLACES[i].sentence) == 0, "%s: %s", PLACES[i].label,
                      sentence);

        json_t *object = json_object();
        explain_put_place(&object, &address, &location);
        char *text = json_dumps(object, JSON_COMPACT);
        ck_assert_msg(strcmp(text, PLACES[i].object) == 0, "%s: %s", PLACES[i].label, text);
        free(text);
        json_decref(object);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explanation_why");
    TCase *tcase = tcase_create("explanation_why");
    tcase_add_test(tcase, places_are_told);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
