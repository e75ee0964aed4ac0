/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as an order file of Italy; every list it names holds the same few lines. An order that
 * is accepted must keep what bailiwick-orders(5) demands of one, block nothing that is protected,
 * and do in a policy what it says.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "policy/guard.h"
#include "policy/language_tag.h"
#include "policy/network_rules.h"
#include "policy/order_file.h"
#include "policy/order_guard.h"
#include "policy/policy.h"

#define NOW INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define SEED 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct name_list *open_list(void *ctx, const struct name_list_options *options,
                                   uint8_t sha256[static FILE_BYTES_SHA256],
                                   struct problem_list *problems)
{
    static const char *const texts[] = {
        [NAME_LIST_NAMES] = "listed.example\n=exact.example\n!fine.listed.example\ncom\n",
        [NAME_LIST_HOSTS] = "0.0.0.0 listed.example\n0.0.0.0 com\n",
        [NAME_LIST_RPZ] = "@ SOA . . 1 2 3 4 5\nlisted.example CNAME .\n"
                          "*.listed.example CNAME rpz-passthru.\n"
                          "32.7.113.0.203.rpz-ip CNAME .\n",
    };
    struct name_list_options plain = *options;
    const char *text = texts[options->format];
    (void)ctx;
    memset(sha256, 0, FILE_BYTES_SHA256);
    plain.packing = NAME_LIST_PLAIN;
    return name_list_parse(&plain, text, strlen(text), problems);
}

static const struct guard *protecting(const char *name)
{
    static struct guard *guard; /* one for all runs: to make it is most of the time of a run */
    if (guard == NULL) {
        struct problem_list problems;
        problem_list_init(&problems);
        guard = guard_new("protected", name, strlen(name), &problems);
        assert(guard != NULL);
        assert(guard_protect_networks(guard, "networks", "192.0.2.53\n", 11, &problems));
    }
    return guard;
}

static void check_text(const char *text, size_t max)
{
    if (text == NULL) {
        return;
    }
    size_t len = strlen(text);
    assert(len > 0 && len <= max);
    for (size_t i = 0; i < len; i++) {
        assert((unsigned char)text[i] >= ' ' && text[i] != 0x7F);
    }
}

static void check_messages(const struct order *order)
{
    for (size_t i = 0; i < order->message_count; i++) {
        const struct order_message *message = &order->messages[i];
        assert(message->text != NULL);
        check_text(message->text, ORDER_MESSAGE_MAX);
        check_text(message->language, LANGUAGE_TAG_MAX);
        assert((message->language == NULL) <= (order->message_count == 1));
        for (size_t j = 0; j < i; j++) {
            assert(strcasecmp(message->language, order->messages[j].language) != 0);
        }
    }
}

static void check_times(const struct order *order)
{
    assert(order->effective < order->end);
    assert((order->window_count > 0) == (order->offsets != NULL));
    for (size_t i = 0; i < order->window_count; i++) {
        const struct order_window *window = &order->windows[i];
        assert(window->days > 0 && window->days < 128);
        assert(window->from_s < 86400 && window->to_s <= 86400);
    }
    for (size_t i = 0; i < order->term_count; i++) {
        const struct order_term *term = &order->terms[i];
        assert(term->effective < term->end && term->effective < order->end);
        assert(term->effective == ORDER_ALWAYS || term->effective >= order->effective);
        assert(term->end == ORDER_FOR_GOOD ||
               (term->end <= order->end && term->end > order->effective));
        assert(i == 0 || memcmp(term, term - 1, sizeof *term) != 0);
    }
}

static void check_names(const struct order *order, const struct guard *guard)
{
    char why[WHY_MAX];
    for (size_t i = 0; i < order->name_count; i++) {
        assert(order->names[i].term <= order->term_count);
        check_text(order->names[i].ticket, 100);
    }
    for (size_t i = 0; i < order->any_tld_count; i++) {
        assert(order->any_tld[i].labels == 1);
    }
    for (size_t i = 0; i < network_rules_count(order->answers); i++) {
        const struct network_rule *entry = network_rules_at(order->answers, i);
        assert(entry->rule == 0);
        assert(guard_judge_network(guard, &entry->network, why) != GUARD_PROTECTED);
    }
    assert(order_guard_allows(order, guard, why) || order->list_count > 0);
}

static void check_order(const struct order *order)
{
    assert(order->id != NULL && order->authority != NULL && order->issued != NULL);
    check_text(order->id, 64);
    check_text(order->authority, 200);
    check_text(order->title, 1000);
    check_messages(order);
    check_times(order);
    assert((order->action == ORDER_ADDRESS) == (order->address_count > 0));
    assert((order->action == ORDER_CNAME) == (order->target.size > 1));
    assert(order->address_count <= ORDER_ADDRESSES_MAX);
    assert(order->name_count + order->list_count + order->any_tld_count +
               network_rules_count(order->answers) >
           0);
    assert(order_scope_has(&order->scope, (struct country){{'I', 'T'}}, NOW));
    for (size_t i = 0; i < order->record_count; i++) {
        assert(order->records[i].key != NULL && order->records[i].value != NULL);
    }
}

struct told {
    size_t count;
    struct policy_match match;
};

static void take_note(void *ctx, const struct policy_match *match)
{
    struct told *told = ctx;
    told->count++;
    told->match = *match;
}

static struct told explain(const struct policy *policy, const struct policy_question *question,
                           enum policy_outcome *outcome)
{
    const struct policy_client client = {.country = {{'I', 'T'}}};
    struct policy_match match;
    struct told told = {0};
    *outcome = policy_explain(policy, &client, question, &match, take_note, &told);
    assert(told.count <= 1);
    return told;
}

/* Each name of the file is told; an exception, and what stands above a protected name, is never
 * blocked, whatever else there is. */
static void check_name(const struct policy *policy, const struct order_name *name)
{
    const struct policy_question question = {.qname = &name->name, .qtype = 1, .now = NOW};
    enum policy_outcome outcome;
    struct told told = explain(policy, &question, &outcome);
    if (name->kind == NAME_SUBTREE || name->kind == NAME_EXACT) {
        assert(told.count == 1);
        assert(name->term != 0 || told.match.labels == name->name.labels);
    } else if (name->term == 0) {
        assert(outcome == POLICY_PASS);
        assert(told.count == 0 || told.match.binding != POLICY_SHADOWS);
    }
}

/* What is protected is not blocked, whatever its answer holds and leads to. */
static void check_protected(const struct policy *policy, const struct order *order)
{
    struct dname name;
    char why[WHY_MAX];
    enum policy_outcome outcome;
    assert(dname_parse("dns.example.org", 15, &name, why));
    struct policy_question question = {.qname = &name, .qtype = 1, .now = NOW};
    explain(policy, &question, &outcome);
    assert(outcome == POLICY_PASS);
    for (size_t i = 0; i < order->name_count && i < 100; i++) {
        question.alias = &order->names[i].name;
        explain(policy, &question, &outcome);
        assert(outcome == POLICY_PASS);
    }
    question.alias = NULL;
    for (size_t i = 0; i < network_rules_count(order->answers) && i < 100; i++) {
        question.answer = &network_rules_at(order->answers, i)->network.base;
        explain(policy, &question, &outcome);
        assert(outcome == POLICY_PASS);
    }
}

static void check_policy(struct order *order)
{
    struct policy *policy = policy_new(&order, 1, SEED, NOW);
    assert(policy != NULL);
    for (size_t i = 0; i < order->name_count && i < 1000; i++) {
        check_name(policy, &order->names[i]);
    }
    check_protected(policy, order);
    policy_free(policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list problems;
    struct file_bytes bytes;
    struct order_file_env env = {
        .guard = protecting("dns.example.org\n"),
        .seed = SEED,
        .now = NOW,
        .open_list = open_list,
        .folder = {.country = {{'I', 'T'}}},
    };
    problem_list_init(&problems);
    if (!file_bytes_copy(data, size, &bytes)) {
        return 0;
    }
    struct order *order = order_file_parse(&env, "f", &bytes, &problems);
    assert((order == NULL) == (problems.errors > 0));
    if (order != NULL) {
        check_order(order);
        check_names(order, env.guard);
        check_policy(order);
    }
    order_unref(order);
    file_bytes_fini(&bytes);
    problem_list_fini(&problems);
    return 0;
}
