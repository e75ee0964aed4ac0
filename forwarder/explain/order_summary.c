/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * An order as an object (see order_summary.h).
 */
#include "forwarder/explain/order_summary.h"

#include "forwarder/explain/json_put.h"
#include "forwarder/explain/scope_codes.h"
#include "forwarder/generation/generation.h"
#include "policy/network_rules.h"
#include "policy/policy.h"

size_t order_summary_names(const struct order *order)
{
    size_t names = order->name_count;
    for (size_t i = 0; i < order->list_count; i++) {
        names += name_list_count(order->lists[i].names);
    }
    return names;
}

static json_t *scope_json(const struct order_scope *scope)
{
    char code[SCOPE_CODES_TEXT_MAX];
    json_t *codes = json_array();
    for (unsigned at = 0; scope_codes_next(scope, &at, code);) {
        if (json_array_append_new(codes, json_string(code)) != 0) {
            json_decref(codes);
            return NULL;
        }
    }
    return codes;
}

static json_t *list_json(const struct order_list *list)
{
    json_t *object = json_object();
    json_put_text(&object, "file", list->path);
    json_put_sha256(&object, "sha256", list->sha256);
    json_put(&object, "names", json_integer((json_int_t)name_list_count(list->names)));
    json_put(&object, "refused", json_integer((json_int_t)name_list_refused(list->names)));
    return object;
}

static json_t *lists_json(const struct order *order)
{
    json_t *lists = json_array();
    for (size_t i = 0; i < order->list_count; i++) {
        if (json_array_append_new(lists, list_json(&order->lists[i])) != 0) {
            json_decref(lists);
            return NULL;
        }
    }
    return lists;
}

json_t *order_summary_json(const struct generation *generation, size_t index, int64_t now)
{
    const struct order *order = policy_order(generation->policy, index);
    const struct generation_order *version = &generation->orders[index];
    json_t *object = json_object();
    json_put_text(&object, "id", order->id);
    json_put_text(&object, "file", version->path);
    json_put_sha256(&object, "sha256", order->sha256);
    json_put_instant(&object, "loaded", version->loaded);
    json_put_text(&object, "authority", order->authority);
    json_put_text(&object, "title", order->title);
    json_put_text(&object, "reference", order->reference);
    json_put_text(&object, "status", order_status_name(order->status));
    json_put(&object, "in_force", json_boolean(policy_order_in_force(order, now)));
    json_put_instant(&object, "effective", order->effective);
    json_put_instant(&object, "until", order->end);
    json_put(&object, "scope", scope_json(&order->scope));
    json_put(&object, "include_unknown", json_boolean(order->scope.unknown));
    json_put_text(&object, "action", order_action_name(order->action));
    json_put(&object, "names", json_integer((json_int_t)order_summary_names(order)));
    json_put(&object, "any_tld", json_integer((json_int_t)order->any_tld_count));
    json_put(&object, "answers", json_integer((json_int_t)network_rules_count(order->answers)));
    json_put(&object, "lists", lists_json(order));
    json_put(&object, "last_good", json_boolean(version->last_good));
    return object;
}
