/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A generation as texts (see audit_facts.h).
 */
#include "forwarder/server/audit_facts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/json_put.h"
#include "forwarder/explain/order_summary.h"
#include "forwarder/generation/generation.h"
#include "geo/geo_db.h"
#include "policy/policy.h"

char *audit_facts_members(json_t *object)
{
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(object);
    if (text != NULL) {
        size_t size = strlen(text);
        memmove(text, text + 1, size - 2);
        text[size - 2] = '\0';
    }
    return text;
}

char *audit_facts_failure(const char *file, unsigned line, unsigned column, const char *text)
{
    json_t *object = json_object();
    json_put_text(&object, "event", "failure");
    json_put_text(&object, "file", file);
    json_put(&object, "line", json_integer((json_int_t)line));
    json_put(&object, "column", json_integer((json_int_t)column));
    json_put_text(&object, "error", text);
    return audit_facts_members(object);
}

/* A name as lists write it: "name", "=name", "!name". */
static json_t *name_json(const struct order_name *item)
{
    char name[DNAME_TEXT_MAX], text[DNAME_TEXT_MAX + 1];
    const char *mark = item->kind == NAME_EXACT ? "=" : item->kind == NAME_EXCEPT ? "!" : "";
    snprintf(text, sizeof text, "%s%s", mark, dname_format(&item->name, name));
    return json_string(text);
}

/* An object for each pair of dates, without names yet. */
static json_t *terms_json(const struct order *order)
{
    json_t *items = json_array();
    for (size_t i = 0; i < order->term_count; i++) {
        json_t *item = json_object();
        json_put_instant(&item, "effective", order->terms[i].effective);
        json_put_instant(&item, "until", order->terms[i].end);
        json_put(&item, "names", json_array());
        if (json_array_append_new(items, item) != 0) {
            json_decref(items);
            return NULL;
        }
    }
    return items;
}

/* Names with dates of their own; null where there are more than a line may hold. */
static json_t *items_json(const struct order *order)
{
    size_t count = 0;
    for (size_t i = 0; i < order->name_count; i++) {
        count += order->names[i].term != 0 ? 1 : 0;
    }
    json_t *items = count > AUDIT_FACTS_ITEMS_MAX ? json_null() : terms_json(order);
    for (size_t i = 0; json_is_array(items) && i < order->name_count; i++) {
        const struct order_name *name = &order->names[i];
        json_t *item = name->term == 0 ? NULL : json_array_get(items, name->term - 1);
        if (name->term != 0 &&
            json_array_append_new(json_object_get(item, "names"), name_json(name)) != 0) {
            json_decref(items);
            return NULL;
        }
    }
    return items;
}

/* The order as `bailiwick orders --json` shows it, without what passes with time. */
static char *order_text(const struct generation *generation, size_t index, int64_t now)
{
    const struct order *order = policy_order(generation->policy, index);
    json_t *object = order_summary_json(generation, index, now);
    if (object == NULL) {
        return NULL;
    }
    json_object_del(object, "in_force");
    json_put(&object, "windows", json_boolean(order->window_count > 0));
    if (order->term_count > 0) {
        json_put(&object, "items", items_json(order));
    }
    char *text = object == NULL ? NULL : json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(object);
    return text;
}

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct audit_fact *)a)->id, ((const struct audit_fact *)b)->id);
}

static bool fill_orders(struct audit_facts *facts, const struct generation *generation)
{
    size_t count = policy_order_count(generation->policy);
    facts->facts = calloc(count + 1, sizeof *facts->facts);
    if (facts->facts == NULL) {
        return false;
    }
    for (; facts->count < count; facts->count++) {
        const struct order *order = policy_order(generation->policy, facts->count);
        struct audit_fact *fact = &facts->facts[facts->count];
        fact->order = facts->count;
        fact->status = order->status;
        fact->last_good = generation->orders[facts->count].last_good;
        fact->in_force = policy_order_in_force(order, generation->loaded);
        fact->id = strdup(order->id);
        fact->text = order_text(generation, facts->count, generation->loaded);
        if (fact->id == NULL || fact->text == NULL) {
            facts->count++;
            return false;
        }
    }
    qsort(facts->facts, count, sizeof *facts->facts, by_id);
    return true;
}

static bool fill_failures(struct audit_facts *facts, const struct generation *generation)
{
    facts->failures = calloc(generation->problem_count + 1, sizeof(char *));
    if (facts->failures == NULL) {
        return false;
    }
    for (size_t i = 0; i < generation->problem_count; i++) {
        const struct generation_problem *problem = &generation->problems[i];
        if (problem->level != PROBLEM_ERROR || problem->since != generation->loaded) {
            continue;
        }
        char *text =
            audit_facts_failure(problem->file, problem->line, problem->column, problem->text);
        if (text == NULL) {
            return false;
        }
        facts->failures[facts->failure_count++] = text;
    }
    return true;
}

/* What it is made of besides orders. */
static char *about(const struct audit_facts *facts, const struct generation *generation)
{
    size_t in_force = 0;
    json_t *database = json_object(), *overrides = json_null(), *object = json_object();
    for (size_t i = 0; i < facts->count; i++) {
        in_force += facts->facts[i].in_force ? 1 : 0;
    }
    json_put_text(&database, "file", generation->config->geo_database);
    json_put_sha256(&database, "sha256", geo_db_sha256(generation->db));
    json_put_instant(&database, "built", geo_db_built(generation->db));
    json_put(&database, "last_good", json_boolean(generation->db_last_good));
    if (generation->overrides != NULL) {
        overrides = json_object();
        json_put_text(&overrides, "file", generation->config->geo_overrides);
        json_put_sha256(&overrides, "sha256", generation_overrides_sha256(generation));
        json_put(&overrides, "last_good", json_boolean(generation->overrides_last_good));
    }
    json_put(&object, "generation", json_integer((json_int_t)generation->number));
    json_put_instant(&object, "loaded", generation->loaded);
    json_put(&object, "orders", json_integer((json_int_t)facts->count));
    json_put(&object, "in_force", json_integer((json_int_t)in_force));
    json_put(&object, "errors", json_integer((json_int_t)generation->error_count));
    json_put(&object, "database", database);
    json_put(&object, "overrides", overrides);
    return audit_facts_members(object);
}

struct audit_facts *audit_facts_new(const struct generation *generation)
{
    struct audit_facts *facts = calloc(1, sizeof *facts);
    if (facts == NULL) {
        return NULL;
    }
    atomic_init(&facts->references, 1);
    facts->generation = generation->number;
    facts->loaded = generation->loaded;
    if (!fill_orders(facts, generation) || !fill_failures(facts, generation) ||
        (facts->about = about(facts, generation)) == NULL) {
        audit_facts_unref(facts);
        return NULL;
    }
    return facts;
}

void audit_facts_as_of(struct audit_facts *facts, const struct policy *policy, int64_t now)
{
    for (size_t i = 0; facts != NULL && i < facts->count; i++) {
        struct audit_fact *fact = &facts->facts[i];
        fact->in_force = policy_order_in_force(policy_order(policy, fact->order), now);
    }
}

struct audit_facts *audit_facts_ref(struct audit_facts *facts)
{
    if (facts != NULL) {
        atomic_fetch_add(&facts->references, 1);
    }
    return facts;
}

void audit_facts_unref(struct audit_facts *facts)
{
    if (facts == NULL || atomic_fetch_sub(&facts->references, 1) > 1) {
        return;
    }
    for (size_t i = 0; i < facts->count; i++) {
        free(facts->facts[i].id);
        free(facts->facts[i].text);
    }
    for (size_t i = 0; i < facts->failure_count; i++) {
        free(facts->failures[i]);
    }
    free(facts->facts);
    free(facts->failures);
    free(facts->about);
    free(facts);
}
