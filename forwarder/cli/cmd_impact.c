/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick impact`: what an order would have blocked of queries that were seen. The order is held
 * to be active and in force; each query is judged by the code that the daemon judges with, alone
 * with this order. Clients are counted, and never named.
 */
#include <stdio.h>
#include <string.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_table.h"
#include "forwarder/cli/command.h"
#include "forwarder/cli/impact_set.h"
#include "forwarder/cli/impact_tally.h"
#include "forwarder/cli/query_source.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/explain/plain_text.h"
#include "geo/locate.h"
#include "policy/policy.h"

#define NAMES_SHOWN 20
#define CELL_MAX 24
#define EVERY_COUNTRY SIZE_MAX

struct judging {
    const struct impact_set *set;
    struct policy_client anybody; /* in the order's scope: for queries without a client */
    struct impact_tally tally;
};

/* ---- Judging ---- */

static void take_shadow(void *ctx, const struct policy_match *match)
{
    struct policy_match *shadow = ctx;
    if (match->binding == POLICY_SHADOWS) {
        *shadow = *match;
    }
}

/* Would the order have blocked this? An order that only counts counts here as if it blocked. */
static bool blocks(const struct judging *judging, const struct policy_client *client,
                   const struct query_record *record, struct policy_match *match)
{
    const struct policy_question question = {
        .qname = &record->name, .qtype = record->type, .now = judging->set->now};
    const struct policy *policy = judging->set->generation->policy;
    struct policy_match shadow = {.binding = POLICY_OTHER_COUNTRY};
    const struct place place = {client->country, client->within};
    if (!policy_in_scope(policy, &place, question.now)) {
        return false;
    }
    if (policy_decide(policy, client, &question, match, take_shadow, &shadow) == POLICY_BLOCK) {
        return true;
    }
    *match = shadow;
    return shadow.binding == POLICY_SHADOWS;
}

/* Where the client is; false if the lookup erred, and no order binds. */
static bool place_client(const struct judging *judging, const struct query_record *record,
                         struct policy_client *client, char code[static CELL_MAX])
{
    struct location location;
    *client = judging->anybody;
    snprintf(code, CELL_MAX, "-");
    if (!record->has_client) {
        return true;
    }
    locate(judging->set->generation->db, judging->set->generation->overrides, &record->client,
           &location);
    *client = (struct policy_client){record->client, location.country, location.within, 0};
    if (country_known(location.country)) {
        snprintf(code, CELL_MAX, "%.2s", location.country.letter);
    } else {
        snprintf(code, CELL_MAX, "unknown");
    }
    return location.source != LOCATE_FAILED;
}

/* A query_record_fn. */
static bool judge(void *ctx, const struct query_record *record)
{
    struct judging *judging = ctx;
    struct policy_client client;
    struct policy_match match;
    char code[CELL_MAX], name[DNAME_TEXT_MAX], matched[DNAME_TEXT_MAX];
    bool placed = place_client(judging, record, &client, code);
    struct impact_query query = {.country = code, .count = record->count};
    if (placed && blocks(judging, &client, record, &match)) {
        struct dname suffix;
        dname_suffix(&record->name, match.labels, &suffix);
        query.client = record->has_client ? &record->client : NULL;
        query.name = dname_format(&record->name, name);
        query.matched = dname_format(&suffix, matched);
    }
    impact_tally_add(&judging->tally, &query);
    return !judging->tally.failed;
}

static struct policy_client somebody(const struct order *order, int64_t now)
{
    struct policy_client client = {.country = COUNTRY_UNKNOWN};
    for (unsigned index = 0; index < COUNTRY_INDEXES; index++) {
        if (order_scope_has(&order->scope, country_of_index(index), now)) {
            client.country = country_of_index(index);
            return client;
        }
    }
    if (order->scope.subdivision_count > 0) {
        client.country = order->scope.subdivisions[0].country;
        subdivisions_add(&client.within, &order->scope.subdivisions[0]);
    }
    return client;
}

/* ---- Output ---- */

static json_t *result_json(struct judging *judging, const struct query_source_result *source)
{
    struct impact_tally *tally = &judging->tally;
    json_t *object = json_object();
    json_put_text(&object, "order", judging->set->order->id);
    json_put_text(&object, "file", judging->set->generation->orders[0].path);
    json_put_sha256(&object, "sha256", judging->set->order->sha256);
    json_put_instant(&object, "judged_at", judging->set->now);
    json_put(&object, "queries", json_integer((json_int_t)tally->queries));
    json_put(&object, "would_block", json_integer((json_int_t)tally->blocked));
    json_put(&object, "clients", json_integer((json_int_t)tally->blocked_clients));
    json_put(&object, "names_blocked", json_integer((json_int_t)json_object_size(tally->names)));
    json_put(&object, "unreadable_lines", json_integer((json_int_t)source->bad));
    json_put(&object, "countries", impact_tally_top(tally->countries, "country", EVERY_COUNTRY));
    json_put(&object, "names", impact_tally_top(tally->names, "name", NAMES_SHOWN));
    return object;
}

static void add_cell(struct cli_table *table, const json_t *entry, const char *key)
{
    char number[CELL_MAX];
    const json_t *value = json_object_get(entry, key);
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    cli_table_add(table, json_is_string(value) ? json_string_value(value) : number);
}

/* Entries as rows, a column for each key. */
static bool print_table(const json_t *entries, const char *const *keys, const char *const *heads,
                        size_t columns)
{
    struct cli_table table;
    size_t index;
    const json_t *entry;
    cli_table_init(&table, columns);
    for (size_t i = 0; i < columns; i++) {
        cli_table_add(&table, heads[i]);
    }
    json_array_foreach(entries, index, entry)
    {
        for (size_t i = 0; i < columns; i++) {
            add_cell(&table, entry, keys[i]);
        }
    }
    bool whole = cli_table_print(&table, "  ", stdout);
    cli_table_fini(&table);
    return whole;
}

static size_t number(const json_t *object, const char *key)
{
    return (size_t)json_integer_value(json_object_get(object, key));
}

static bool print(const json_t *result)
{
    static const char *const country_keys[] = {"country", "queries", "would_block", "clients"};
    static const char *const country_heads[] = {"COUNTRY", "QUERIES", "WOULD BLOCK", "CLIENTS"};
    static const char *const name_keys[] = {"name", "queries", "clients", "matched"};
    static const char *const name_heads[] = {"NAME", "QUERIES", "CLIENTS", "MATCHED"};
    char queries[PLAIN_TEXT_COUNT_MAX], clients[PLAIN_TEXT_COUNT_MAX], names[PLAIN_TEXT_COUNT_MAX];
    printf("%s would have blocked %" JSON_INTEGER_FORMAT " of %s, of %s, for %s (judged at %s)\n",
           json_string_value(json_object_get(result, "order")),
           json_integer_value(json_object_get(result, "would_block")),
           plain_text_count(number(result, "queries"), "query", "queries", queries),
           plain_text_count(number(result, "clients"), "client", "clients", clients),
           plain_text_count(number(result, "names_blocked"), "name", "names", names),
           json_string_value(json_object_get(result, "judged_at")));
    bool whole = print_table(json_object_get(result, "countries"), country_keys, country_heads, 4);
    if (json_array_size(json_object_get(result, "names")) > 0) {
        whole = whole && print_table(json_object_get(result, "names"), name_keys, name_heads, 4);
    }
    if (!whole) {
        cli_output_error("out of memory");
    }
    return whole;
}

static enum command_exit show(struct judging *judging, const struct query_source_result *source,
                              bool json)
{
    json_t *result = judging->tally.failed ? NULL : result_json(judging, source);
    bool shown = json || result == NULL ? cli_output_json(result) : print(result);
    json_decref(result);
    return shown && source->bad == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

enum command_exit cmd_impact(const struct cli_options *options)
{
    struct impact_set set;
    struct query_source_result source;
    const char *queries = options->value[CLI_OPTION_QUERIES];
    enum command_exit status = COMMAND_FAILED;
    if (queries == NULL) {
        cli_output_usage("impact", "--queries FILE is missing");
        return COMMAND_MISUSED;
    }
    if (impact_set_load(&set, options)) {
        struct judging judging = {.set = &set, .anybody = somebody(set.order, set.now)};
        impact_tally_init(&judging.tally);
        if (query_source_read(queries, judge, &judging, &source) || judging.tally.failed) {
            status = show(&judging, &source, cli_options_has(options, CLI_OPTION_JSON));
        }
        impact_tally_fini(&judging.tally);
    }
    impact_set_fini(&set);
    return status;
}
