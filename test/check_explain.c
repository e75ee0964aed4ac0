/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Explanations: for each way that a query can go, the object and the person's text. The clock
 * stands at 2026-01-01T00:00:00Z unless a row says otherwise.
 */
#include "forwarder/explain/explain.h"

#include <stdio.h>

#include "policy/instant.h"
#include "test/explain_set.h"
#include "test/suite.h"

#define NOW EXPLAIN_SET_LOADED

#define ORDER(id) EXPLAIN_SET_ORDER(id)

static const struct explain_set_order ORDERS[] = {
    {"IT", "id: IT-MI\nauthority: Tribunale di Milano\nissued: 2022-07-11\n"
           "timezone: Europe/Rome\neffective: 2022-08-10\nscope: [IT, SM]\n"
           "names: [kickass.example]\nexact: [only.example]\nexcept: [fine.kickass.example]\n"
           "except-networks: [2.47.0.0/16]\n"},
    {"IT", ORDER("IT-ADDRESS") "action: address\naddresses: [192.0.2.80]\n"
                               "names: [address.example]\n"},
    {"IT", ORDER("IT-NX") "action: nxdomain\nnames: [nx.example, \"free.nx2.example\"]\n"
                          "exact: [nx2.example]\nuntil: 2026-01-01T00:00:10Z\n"},
    {"IT", ORDER("IT-DROP") "action: drop\nnames: [drop.example]\n"},
    {"IT", ORDER("IT-SHADOW") "action: shadow\nnames: [shadow.example, kickass.example]\n"},
    {"IT", ORDER("IT-SHADOW-LONG") "action: shadow\nnames: [long.shadow.example]\n"},
    {"IT", ORDER("IT-LATER") "effective: 2027-01-01T00:00:00Z\nnames: [later.example]\n"},
    {"IT", ORDER("IT-ENDED") "until: 2025-01-01T00:00:00Z\nnames: [ended.example]\n"},
    {"IT", ORDER("IT-LIFTED") "status: lifted\nnames: [lifted.example]\n"},
    {"DE", ORDER("DE-ONE") "include-unknown: yes\nnames: [de.example]\n"},
    {"FR", "id: FR-SEALED\nauthority: \"Evil\\u202eCourt\"\nissued: 2022-07-11\n"
           "disclose: no\nnames: [sealed.example]\n"},
};

static const struct explain_set_order ENDED = {
    "IT", ORDER("IT-ENDED") "until: 2025-01-01T00:00:00Z\nnames: [ended.example]\n"};

static const struct order *find_order(const struct explain_set *set, const char *id)
{
    const struct policy *policy = set->generation.policy;
    for (size_t i = 0; i < policy_order_count(policy); i++) {
        if (strcmp(policy_order(policy, i)->id, id) == 0) {
            return policy_order(policy, i);
        }
    }
    ck_abort_msg("no order %s", id);
    return NULL;
}

START_TEST(the_object_is_the_documented_one)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, ROWS(ORDERS));
    json_t *object = explain_set_json(
        &set, &(struct explain_set_question){"2.32.0.1", "www.KickAss.example.", NULL, NULL});
    char *text = json_dumps(object, JSON_COMPACT);
    static const char expected[] =
        "{\"address\":\"2.32.0.1\",\"country\":\"IT\",\"network\":\"2.32.0.0/16\","
        "\"source\":\"database\",\"name\":\"www.kickass.example\",\"type\":\"A\","
        "\"time\":\"2026-01-01T00:00:00Z\",\"verdict\":\"block\",\"order\":\"IT-MI\","
        "\"matched\":\"kickass.example\",\"action\":\"refused\",\"ede\":16,"
        "\"why\":\"2.32.0.1 is in IT (database, 2.32.0.0/16); order IT-MI of Tribunale di Milano "
        "binds clients in IT since 2022-08-09T22:00:00Z and names kickass.example\","
        "\"generation\":7,\"loaded\":\"2026-01-01T00:00:00Z\",\"file\":\"IT/IT-MI.yaml\","
        "\"sha256\":\"";
    ck_assert_msg(strncmp(text, expected, strlen(expected)) == 0, "%s", text);
    const char *rest = text + strlen(expected) + FILE_BYTES_HEX_MAX - 1;
    ck_assert_str_eq(rest, "\",\"order_loaded\":\"2025-12-31T23:59:00Z\",\"ticket\":null,"
                           "\"reads_answer\":false,\"link\":null,"
                           "\"ede_text\":\"Blocked by order IT-MI of Tribunale di Milano\","
                           "\"structured_error\":{\"j\":\"Blocked by order IT-MI of Tribunale di "
                           "Milano\",\"l\":\"en\"}}");
    free(text);
    json_decref(object);
    explain_set_fini(&set);
}
END_TEST

static const struct {
    const char *label;
    struct explain_set_question question;
    const char *country, *source, *verdict, *order, *matched, *action;
    int ede;         /* 0: null */
    const char *why; /* behind the place */
} VERDICTS[] = {
    {"blocked",
     {"2.32.0.1", "kickass.example", "TXT", NULL},
     "IT",
     "database",
     "block",
     "IT-MI",
     "kickass.example",
     "refused",
     16,
     "order IT-MI of Tribunale di Milano binds clients in IT since 2022-08-09T22:00:00Z and names "
     "kickass.example"},
    {"an exact name",
     {"2.32.0.1", "only.example", NULL, NULL},
     "IT",
     "database",
     "block",
     "IT-MI",
     "only.example",
     "refused",
     16,
     "order IT-MI of Tribunale di Milano binds clients in IT since 2022-08-09T22:00:00Z and names "
     "exactly only.example"},
    {"below an exact name",
     {"2.32.0.1", "x.only.example", NULL, NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "no order names x.only.example"},
    {"an exception",
     {"2.32.0.1", "www.fine.kickass.example", NULL, NULL},
     "IT",
     "database",
     "shadow",
     "IT-SHADOW",
     "kickass.example",
     "shadow",
     0,
     "order IT-SHADOW of Court would bind clients in IT and names kickass.example, but its action "
     "is shadow: the query is forwarded and counted"},
    {"an excepted network",
     {"2.47.0.1", "only.example", NULL, NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-MI of Tribunale di Milano names exactly only.example, but the client's network is "
     "excepted"},
    {"before the start",
     {"2.32.0.1", "only.example", NULL, "2022-08-09T21:59:59Z"},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-MI of Tribunale di Milano names exactly only.example, but is not yet in force (from "
     "2022-08-09T22:00:00Z)"},
    {"at the start",
     {"2.32.0.1", "only.example", NULL, "2022-08-09T22:00:00Z"},
     "IT",
     "database",
     "block",
     "IT-MI",
     "only.example",
     "refused",
     16,
     NULL},
    {"an override",
     {"198.51.100.65", "only.example", NULL, NULL},
     "SM",
     "override",
     "block",
     "IT-MI",
     "only.example",
     "refused",
     16,
     NULL},
    {"an override to unknown",
     {"198.51.100.129", "only.example", NULL, NULL},
     NULL,
     "override",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-MI of Tribunale di Milano names exactly only.example, but the client's country is "
     "not in "
     "its scope (IT, SM)"},
    {"an unknown country that is bound",
     {"203.0.113.1", "de.example", NULL, NULL},
     NULL,
     "database",
     "block",
     "DE-ONE",
     "de.example",
     "refused",
     16,
     "order DE-ONE of Court binds clients whose country is not known and names de.example"},
    {"nowhere",
     {"10.0.0.1", "nothing.example", NULL, NULL},
     NULL,
     "none",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "no order names nothing.example"},
    {"another country",
     {"5.9.0.1", "address.example", NULL, NULL},
     "DE",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-ADDRESS of Court names address.example, but the client's country is not in its "
     "scope (IT)"},
    {"later",
     {"2.32.0.1", "later.example", NULL, NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-LATER of Court names later.example, but is not yet in force (from "
     "2027-01-01T00:00:00Z)"},
    {"ended",
     {"2.32.0.1", "ended.example", NULL, NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-ENDED of Court names ended.example, but has ended (at 2025-01-01T00:00:00Z)"},
    {"lifted",
     {"2.32.0.1", "lifted.example", NULL, NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-LIFTED of Court names lifted.example, but was lifted"},
    {"addresses",
     {"2.32.0.1", "address.example", NULL, NULL},
     "IT",
     "database",
     "block",
     "IT-ADDRESS",
     "address.example",
     "address",
     4,
     NULL},
    {"nxdomain",
     {"2.32.0.1", "x.nx.example", NULL, NULL},
     "IT",
     "database",
     "block",
     "IT-NX",
     "nx.example",
     "nxdomain",
     16,
     "order IT-NX of Court binds clients in IT until 2026-01-01T00:00:10Z and names nx.example"},
    {"nxdomain with free names below",
     {"2.32.0.1", "nx2.example", NULL, NULL},
     "IT",
     "database",
     "block",
     "IT-NX",
     "nx2.example",
     "nodata",
     16,
     NULL},
    {"the same, its DS",
     {"2.32.0.1", "nx2.example", "DS", NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "order IT-NX of Court names exactly nx2.example, but names below stay free, so DS and DNSKEY "
     "are "
     "forwarded"},
    {"dropped",
     {"2.32.0.1", "drop.example", NULL, NULL},
     "IT",
     "database",
     "block",
     "IT-DROP",
     "drop.example",
     "drop",
     0,
     NULL},
    {"the longest shadow",
     {"2.32.0.1", "a.long.shadow.example", NULL, NULL},
     "IT",
     "database",
     "shadow",
     "IT-SHADOW-LONG",
     "long.shadow.example",
     "shadow",
     0,
     NULL},
    {"sealed, and its authority harmless",
     {"192.0.2.1", "sealed.example", NULL, NULL},
     "FR",
     "database",
     "block",
     "FR-SEALED",
     "sealed.example",
     "refused",
     16,
     "order FR-SEALED of Evil?Court binds clients in FR and names sealed.example"},
    {"an international name",
     {"2.32.0.1",
      "b\xc3\xbc"
      "cher.example",
      NULL, NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "no order names xn--bcher-kva.example"},
    {"the root, an unknown type",
     {"2.32.0.1", ".", "TYPE65280", NULL},
     "IT",
     "database",
     "forward",
     NULL,
     NULL,
     NULL,
     0,
     "no order names ."},
};

START_TEST(every_way_of_a_query_is_explained)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, ROWS(ORDERS));
    for (size_t i = 0; i < ROWS(VERDICTS); i++) {
        const char *label = VERDICTS[i].label;
        json_t *object = explain_set_json(&set, &VERDICTS[i].question);
        explain_set_expect(label, object, "country", VERDICTS[i].country);
        explain_set_expect(label, object, "source", VERDICTS[i].source);
        explain_set_expect(label, object, "verdict", VERDICTS[i].verdict);
        explain_set_expect(label, object, "order", VERDICTS[i].order);
        explain_set_expect(label, object, "matched", VERDICTS[i].matched);
        explain_set_expect(label, object, "action", VERDICTS[i].action);
        json_t *ede = json_object_get(object, "ede");
        ck_assert_msg(VERDICTS[i].ede == 0 ? json_is_null(ede)
                                           : json_integer_value(ede) == VERDICTS[i].ede,
                      "%s: ede", label);
        explain_set_expect_why(label, object, VERDICTS[i].why);
        json_decref(object);
    }
    explain_set_fini(&set);
}
END_TEST

START_TEST(the_text_tells_a_person_everything)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, ROWS(ORDERS));
    char *text = explain_set_text(
        &set, &(struct explain_set_question){"2.32.0.1", "www.kickass.example", NULL, NULL});
    char built[INSTANT_TEXT_MAX], mi[FILE_BYTES_HEX_MAX], shadow[FILE_BYTES_HEX_MAX];
    char expected[4096];
    snprintf(expected, sizeof expected,
             "Client      2.32.0.1 is in IT (database, 2.32.0.0/16)\n"
             "Database    %s, built %s\n"
             "Query       www.kickass.example A at 2026-01-01T00:00:00Z\n"
             "Orders      2 orders name it\n"
             "  IT-MI of Tribunale di Milano: binds\n"
             "            names kickass.example and everything below it\n"
             "            scope IT, SM, since 2022-08-09T22:00:00Z, action refused\n"
             "            IT/IT-MI.yaml, loaded 2025-12-31T23:59:00Z\n"
             "            SHA-256 %s\n"
             "  IT-SHADOW of Court: would block, and is only counted (shadow)\n"
             "            names kickass.example and everything below it\n"
             "            scope IT, action shadow\n"
             "            IT/IT-SHADOW.yaml, loaded 2025-12-31T23:59:00Z\n"
             "            SHA-256 %s\n"
             "Verdict     block\n"
             "Why         2.32.0.1 is in IT (database, 2.32.0.0/16); order IT-MI of Tribunale di "
             "Milano binds clients in IT since 2022-08-09T22:00:00Z and names kickass.example\n"
             "Answer      REFUSED, EDE 16 (Censored): Blocked by order IT-MI of Tribunale di "
             "Milano\n"
             "Structured  REFUSED, EDE 16 (Censored)\n"
             "            justification: Blocked by order IT-MI of Tribunale di Milano\n"
             "            language: en\n"
             "Generation  7, loaded 2026-01-01T00:00:00Z\n",
             geo_db_type(set.generation.db), instant_format(geo_db_built(set.generation.db), built),
             file_bytes_hex(find_order(&set, "IT-MI")->sha256, mi),
             file_bytes_hex(find_order(&set, "IT-SHADOW")->sha256, shadow));
    ck_assert_str_eq(text, expected);
    free(text);
    explain_set_fini(&set);
}
END_TEST

static const struct explain_set_lines LINES[] = {
    {"nobody names it",
     {"10.0.0.1", "free.example", "AAAA", NULL},
     "Query       free.example AAAA at 2026-01-01T00:00:00Z\n"
     "Orders      none names it\n"
     "Verdict     forward\n"
     "Why         10.0.0.1 is in no known country (no network covers it); no order names "
     "free.example\n"
     "Answer      the upstream's, unchanged\n"
     "Generation "},
    {"orders of other countries are told",
     {"5.9.0.1", "only.example", NULL, NULL},
     "  IT-MI of Tribunale di Milano: the client's country is not in its scope (IT, SM)\n"
     "            names only.example alone\n"},
    {"an address",
     {"2.32.0.1", "address.example", NULL, NULL},
     "Answer      NOERROR, EDE 4 (Forged Answer): Blocked by order IT-ADDRESS of Court\n"
     "            address.example.    \t60\tA\t192.0.2.80\n"
     "Structured  NXDOMAIN, EDE 16 (Censored)\n"
     "            justification: Blocked by order IT-ADDRESS of Court\n"
     "            language: en\n"
     "            address.example.    \t60\tSOA\taddress.example. nobody.invalid. "},
    {"a TTL that ends with the order",
     {"2.32.0.1", "nx.example", NULL, NULL},
     "Answer      NXDOMAIN, EDE 16 (Censored): Blocked by order IT-NX of Court\n"
     "            nx.example.         \t10\tSOA\tnx.example. nobody.invalid. "},
    {"a sealed order tells nothing",
     {"192.0.2.1", "sealed.example", NULL, NULL},
     "Answer      REFUSED, EDE 16 (Censored)\n"
     "Structured  REFUSED, EDE 16 (Censored)\n"
     "Generation "},
    {"what an order says of itself is harmless",
     {"192.0.2.1", "sealed.example", NULL, NULL},
     "  FR-SEALED of Evil?Court: binds\n"},
    {"no answer",
     {"2.32.0.1", "drop.example", NULL, NULL},
     "Answer      none, the query is dropped\n"
     "Generation "},
    {"an unknown country in a scope",
     {"2.32.0.1", "de.example", NULL, NULL},
     "            scope DE, unknown countries, action refused\n"},
};

START_TEST(the_text_fits_the_question)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, ROWS(ORDERS));
    explain_set_expect_lines(&set, LINES, ROWS(LINES));
    explain_set_fini(&set);
}
END_TEST

START_TEST(last_good_versions_are_told)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, ORDERS, 1);
    set.versions[0].last_good = true;
    set.generation.db_last_good = true;
    set.generation.overrides_last_good = true;
    char *text = explain_set_text(
        &set, &(struct explain_set_question){"2.32.0.1", "only.example", NULL, NULL});
    ck_assert_ptr_nonnull(strstr(text, " (the last good one; the file on disk has an error)\n"));
    ck_assert_ptr_nonnull(
        strstr(text, "Overrides   the last good ones; the file on disk has an error\n"));
    ck_assert_ptr_nonnull(strstr(text, "IT/IT-MI.yaml, loaded 2025-12-31T23:59:00Z (the last good "
                                       "version; the file on disk has an error)\n"));
    free(text);
    explain_set_fini(&set);
}
END_TEST

/* The daemon is asked about a day before its generation was loaded. */
START_TEST(the_past_is_judged_as_it_was)
{
    struct explain_set set;
    explain_set_init(&set, EXPLAIN_SET_CONFIG, &ENDED, 1);
    policy_free(set.generation.policy);
    set.generation.policy = explain_set_policy(&ENDED, 1, NOW);
    set.versions[0] = (struct generation_order){.path = set.paths[0], .loaded = NOW};
    json_t *object = explain_set_json(
        &set, &(struct explain_set_question){"2.32.0.1", "ended.example", NULL, "2024-06-01"});
    explain_set_expect("ended", object, "verdict", "block");
    explain_set_expect("ended", object, "order", "IT-ENDED");
    json_decref(object);
    explain_set_fini(&set);
}
END_TEST

/* The client is refused, or not led elsewhere, by the configuration and not by an order. */
START_TEST(blocks_without_an_order_are_told)
{
    static const struct {
        const char *config, *name, *why;
    } rows[] = {
        {EXPLAIN_SET_CONFIG "allow: [192.0.2.0/24]\n", "kickass.example",
         "2.32.0.1 is in IT (database, 2.32.0.0/16); the configuration's allow does not hold it, "
         "so none of its queries is served"},
        {EXPLAIN_SET_CONFIG "resolver-arpa: nodata\n", "_dns.resolver.arpa",
         "2.32.0.1 is in IT (database, 2.32.0.0/16); resolver-arpa is nodata, so a client of this "
         "country is not led to designated resolvers"},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        struct explain_set set;
        explain_set_init(&set, rows[i].config, ORDERS, ROWS(ORDERS));
        json_t *object = explain_set_json(
            &set, &(struct explain_set_question){"2.32.0.1", rows[i].name, NULL, NULL});
        explain_set_expect(rows[i].name, object, "verdict", "block");
        explain_set_expect(rows[i].name, object, "order", NULL);
        explain_set_expect(rows[i].name, object, "action", NULL);
        explain_set_expect(rows[i].name, object, "why", rows[i].why);
        ck_assert(json_is_null(json_object_get(object, "ede")));
        json_decref(object);
        explain_set_fini(&set);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("explain");
    TCase *tcase = tcase_create("explain");
    tcase_add_test(tcase, the_object_is_the_documented_one);
    tcase_add_test(tcase, every_way_of_a_query_is_explained);
    tcase_add_test(tcase, the_text_tells_a_person_everything);
    tcase_add_test(tcase, the_text_fits_the_question);
    tcase_add_test(tcase, last_good_versions_are_told);
    tcase_add_test(tcase, the_past_is_judged_as_it_was);
    tcase_add_test(tcase, blocks_without_an_order_are_told);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
