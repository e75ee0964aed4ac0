/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as an order file of Italy; every list it names holds the same few names. An order that
 * is accepted must keep what interfaces section 3 demands of one, block nothing that is protected,
 * and do in a policy what it says.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/order_file.h"
#include "policy/policy.h"

#define NOW INT64_C(1767225600) /* 2026-01-01T00:00:00Z */
#define SEED 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct name_list *open_list(void *ctx, const struct name_list_options *options,
                                   uint8_t sha256[static FILE_BYTES_SHA256],
                                   struct problem_list *problems)
{
    static const char bytes[] = "listed.example\n=exact.example\n!fine.listed.example\ncom\n";
    (void)ctx;
    memset(sha256, 0, FILE_BYTES_SHA256);
    return name_list_parse(options, bytes, sizeof bytes - 1, problems);
}

static const struct guard *protecting(const char *name)
{
    static struct guard *guard; /* one for all runs: to make it is most of the time of a run */
    if (guard == NULL) {
        struct problem_list problems;
        problem_list_init(&problems);
        guard = guard_new("protected", name, strlen(name), &problems);
        assert(guard != NULL);
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

static void check_order(const struct order *order)
{
    assert(order->id != NULL && order->authority != NULL && order->issued != NULL);
    check_text(order->id, 64);
    check_text(order->authority, 200);
    check_text(order->title, 1000);
    for (size_t i = 0; i < order->message_count; i++) {
        check_text(order->messages[i].text, ORDER_MESSAGE_MAX);
    }
    assert(order->effective < order->end);
    assert((order->action == ORDER_ADDRESS) == (order->address_count > 0));
    assert(order->address_count <= ORDER_ADDRESSES_MAX);
    assert(order->name_count + order->list_count > 0);
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

static struct told explain(const struct policy *policy, const struct dname *qname)
{
    const struct policy_client client = {.country = {{'I', 'T'}}};
    const struct policy_question question = {qname, 1, NOW};
    struct policy_match match;
    struct told told = {0};
    policy_explain(policy, &client, &question, &match, take_note, &told);
    assert(told.count <= 1);
    return told;
}

static void check_policy(struct order *order)
{
    struct policy *policy = policy_new(&order, 1, SEED, NOW);
    struct dname protected_name;
    char why[WHY_MAX];
    assert(policy != NULL);
    for (size_t i = 0; i < order->name_count && i < 1000; i++) {
        const struct order_name *name = &order->names[i];
        struct told told = explain(policy, &name->name);
        if (name->kind == NAME_EXCEPT) {
            assert(told.count == 0 ||
                   (told.match.binding != POLICY_BINDS && told.match.binding != POLICY_SHADOWS));
        } else {
            assert(told.count == 1 && told.match.labels == name->name.labels);
        }
    }
    assert(dname_parse("dns.example.org", 15, &protected_name, why));
    assert(explain(policy, &protected_name).count == 0 ||
           explain(policy, &protected_name).match.binding != POLICY_BINDS);
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
        check_policy(order);
    }
    order_unref(order);
    file_bytes_fini(&bytes);
    problem_list_fini(&problems);
    return 0;
}
