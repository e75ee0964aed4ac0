/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Counting (see impact_tally.h). Objects of jansson serve as tables: they grow by themselves, and
 * say when memory is out.
 */
#include "forwarder/cli/impact_tally.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/address.h"
#include "policy/dname.h"

#define CLIENT_KEY_MAX (ADDRESS_TEXT_MAX + DNAME_TEXT_MAX + 1)

void impact_tally_init(struct impact_tally *tally)
{
    *tally = (struct impact_tally){
        .countries = json_object(), .names = json_object(), .clients = json_object()};
    tally->failed = tally->countries == NULL || tally->names == NULL || tally->clients == NULL;
}

void impact_tally_fini(struct impact_tally *tally)
{
    json_decref(tally->countries);
    json_decref(tally->names);
    json_decref(tally->clients);
}

static void add(struct impact_tally *tally, json_t *entry, const char *key, uint64_t count)
{
    json_int_t before = json_integer_value(json_object_get(entry, key));
    tally->failed = tally->failed ||
                    json_object_set_new(entry, key, json_integer(before + (json_int_t)count)) != 0;
}

/* The entry of a key, made if it is not there; NULL when memory is out. */
static json_t *entry_of(struct impact_tally *tally, json_t *table, const char *key)
{
    json_t *entry = json_object_get(table, key);
    if (entry == NULL) {
        entry = json_object();
        if (json_object_set_new(table, key, entry) != 0) {
            tally->failed = true;
            return NULL;
        }
    }
    return entry;
}

/* Is this client new, for a name or, with NULL, at all? Remembers it. */
static bool is_new_client(struct impact_tally *tally, const struct address *client,
                          const char *name)
{
    char text[ADDRESS_TEXT_MAX], key[CLIENT_KEY_MAX];
    snprintf(key, sizeof key, "%s %s", address_format(client, text), name == NULL ? "" : name);
    if (json_object_get(tally->clients, key) != NULL) {
        return false;
    }
    tally->failed = tally->failed || json_object_set_new(tally->clients, key, json_true()) != 0;
    return true;
}

static void add_blocked(struct impact_tally *tally, const struct impact_query *query,
                        json_t *country)
{
    json_t *name = entry_of(tally, tally->names, query->name);
    tally->blocked += query->count;
    add(tally, country, "would_block", query->count);
    if (name == NULL || json_object_set_new(name, "matched", json_string(query->matched)) != 0) {
        tally->failed = true;
        return;
    }
    add(tally, name, "queries", query->count);
    if (query->client != NULL && is_new_client(tally, query->client, query->name)) {
        add(tally, name, "clients", 1);
    }
    if (query->client != NULL && is_new_client(tally, query->client, NULL)) {
        add(tally, country, "clients", 1);
        tally->blocked_clients++;
    }
}

void impact_tally_add(struct impact_tally *tally, const struct impact_query *query)
{
    json_t *country = tally->failed ? NULL : entry_of(tally, tally->countries, query->country);
    if (country == NULL) {
        return;
    }
    tally->queries += query->count;
    add(tally, country, "queries", query->count);
    if (query->name != NULL) {
        add_blocked(tally, query, country);
    }
}

static int compare_entries(const void *a, const void *b)
{
    const json_t *left = *(json_t *const *)a, *right = *(json_t *const *)b;
    static const char *const keys[] = {"would_block", "queries"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_int_t one = json_integer_value(json_object_get(left, keys[i]));
        json_int_t other = json_integer_value(json_object_get(right, keys[i]));
        if (one != other) {
            return one > other ? -1 : 1;
        }
    }
    return 0;
}

json_t *impact_tally_top(json_t *counts, const char *key, size_t max)
{
    size_t count = 0;
    const char *name;
    json_t *entry, *top = json_array();
    json_t **entries = calloc(json_object_size(counts) + 1, sizeof(json_t *));
    bool failed = top == NULL || entries == NULL;
    json_object_foreach(counts, name, entry)
    {
        if (!failed) {
            failed = json_object_set_new(entry, key, json_string(name)) != 0;
            entries[count++] = entry;
        }
    }
    if (count > 0) {
        qsort(entries, count, sizeof(json_t *), compare_entries);
    }
    for (size_t i = 0; !failed && i < count && i < max; i++) {
        failed = json_array_append(top, entries[i]) != 0;
    }
    free(entries);
    if (failed) {
        json_decref(top);
        return NULL;
    }
    return top;
}
