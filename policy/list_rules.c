/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An array of rules and an open hash table of their numbers. Invariant: no two rules are equal, and
 * every rule but a free slot is found from the slot of its hash on.
 */
#include "policy/list_rules.h"

#include <stdlib.h>
#include <string.h>

#include "policy/name_list.h"

#define RULES_MAX ((UINT32_MAX >> NAME_KIND_BITS) - 1)

struct list_rules {
    struct order_rule *items;
    size_t count;
    size_t capacity; /* of items; a power of two or 0 */
    uint32_t *slots; /* numbers of rules, 0: free; twice as many as capacity */
};

struct list_rules *list_rules_new(void)
{
    return calloc(1, sizeof(struct list_rules));
}

static void rule_fini(struct order_rule *rule)
{
    for (size_t i = 0; i < rule->record_count; i++) {
        free(rule->records[i].data);
    }
    free(rule->records);
}

void list_rules_release(struct order_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        rule_fini(&rules[i]);
    }
    free(rules);
}

void list_rules_free(struct list_rules *rules)
{
    if (rules != NULL) {
        list_rules_release(rules->items, rules->count);
        free(rules->slots);
        free(rules);
    }
}

struct order_rule *list_rules_take(struct list_rules *rules, size_t *count)
{
    struct order_rule *items = rules->items;
    *count = rules->count;
    rules->items = NULL;
    rules->count = 0;
    return items;
}

/* FNV-1a is enough: only the author of the zone can choose what is hashed. */
static uint64_t hash_octets(uint64_t hash, const void *octets, size_t size)
{
    const uint8_t *at = octets;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ at[i]) * 0x100000001b3U;
    }
    return hash;
}

static uint64_t hash_rule(const struct order_rule *rule)
{
    uint64_t hash = hash_octets(0xcbf29ce484222325U, &rule->action, sizeof rule->action);
    hash = hash_octets(hash, rule->target.wire, rule->target.size);
    for (size_t i = 0; i < rule->record_count; i++) {
        const struct order_rule_record *record = &rule->records[i];
        hash = hash_octets(hash, &record->type, sizeof record->type);
        hash = hash_octets(hash, record->data, record->size);
    }
    return hash;
}

static bool rules_equal(const struct order_rule *a, const struct order_rule *b)
{
    bool equal = a->action == b->action && dname_equal(&a->target, &b->target) &&
                 a->record_count == b->record_count;
    for (size_t i = 0; equal && i < a->record_count; i++) {
        const struct order_rule_record *x = &a->records[i], *y = &b->records[i];
        equal = x->type == y->type && x->size == y->size && memcmp(x->data, y->data, x->size) == 0;
    }
    return equal;
}

/* The slot where a rule's number is, or the free one where it should be. */
static uint32_t *find_slot(const struct list_rules *rules, const struct order_rule *rule)
{
    size_t mask = 2 * rules->capacity - 1;
    size_t at = (size_t)hash_rule(rule) & mask;
    while (rules->slots[at] != 0 && !rules_equal(&rules->items[rules->slots[at] - 1], rule)) {
        at = (at + 1) & mask;
    }
    return &rules->slots[at];
}

static bool grow(struct list_rules *rules)
{
    size_t capacity = rules->capacity == 0 ? 16 : rules->capacity * 2;
    struct order_rule *items = reallocarray(rules->items, capacity, sizeof *items);
    if (items == NULL) {
        return false;
    }
    rules->items = items;
    uint32_t *slots = calloc(2 * capacity, sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    free(rules->slots);
    rules->slots = slots;
    rules->capacity = capacity;
    for (size_t i = 0; i < rules->count; i++) {
        *find_slot(rules, &rules->items[i]) = (uint32_t)i + 1;
    }
    return true;
}

static bool copy_records(const struct order_rule *rule, struct order_rule *out)
{
    out->record_count = 0;
    out->records = calloc(rule->record_count + 1, sizeof *out->records);
    if (out->records == NULL) {
        return false;
    }
    for (size_t i = 0; i < rule->record_count; i++) {
        const struct order_rule_record *record = &rule->records[i];
        uint8_t *data = malloc(record->size + 1U);
        if (data == NULL) {
            return false;
        }
        memcpy(data, record->data, record->size);
        out->records[i] = (struct order_rule_record){record->type, record->size, data};
        out->record_count++;
    }
    return true;
}

bool list_rules_add(struct list_rules *rules, const struct order_rule *rule, uint32_t *number)
{
    if (rules->count == rules->capacity && !grow(rules)) {
        return false;
    }
    uint32_t *slot = find_slot(rules, rule);
    if (*slot == 0) {
        struct order_rule copy = *rule;
        if (rules->count == RULES_MAX) {
            return false;
        }
        if (!copy_records(rule, &copy)) {
            rule_fini(&copy);
            return false;
        }
        rules->items[rules->count++] = copy;
        *slot = (uint32_t)rules->count;
    }
    *number = *slot;
    return true;
}
