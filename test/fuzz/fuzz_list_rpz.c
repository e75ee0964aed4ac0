/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Response policy zones. Whatever blocks was let pass by the guard and has a rule that can be
 * answered; what passes has none.
 */
#include "policy/order_action.h"
#include "test/fuzz/list_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rule(const struct order_rule *rule)
{
    require(rule != NULL && rule->action != ORDER_REFUSED && rule->action != ORDER_SHADOW);
    require((rule->action == ORDER_LOCAL) == (rule->record_count > 0));
    require((rule->action == ORDER_CNAME) == (rule->target.size > 0));
    for (size_t i = 0; i < rule->record_count; i++) {
        const struct order_rule_record *record = &rule->records[i];
        require(record->type == 16 || (record->type == 1 && record->size == 4) ||
                (record->type == 28 && record->size == 16));
    }
}

static bool check_pair(void *ctx, const struct dname *name, uint32_t value)
{
    const struct list_fuzz *fuzz = ctx;
    char why[WHY_MAX];
    uint32_t rule = value >> NAME_KIND_BITS;
    switch ((enum name_kind)(value & ((1U << NAME_KIND_BITS) - 1))) {
    case NAME_SUBTREE:
    case NAME_EXACT:
    case NAME_BELOW:
        require(guard_judge(fuzz->guard, name, why) == GUARD_FREE);
        check_rule(name_list_rule(fuzz->list, rule));
        break;
    case NAME_FREE_BELOW:
    case NAME_PASS:
    case NAME_PASS_BELOW:
        require(rule == 0);
        break;
    case NAME_EXCEPT:
        abort(); /* only where the root is blocked */
    }
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct list_fuzz fuzz = {.format = NAME_LIST_RPZ, .bytes = (const char *)data, .size = size};
    list_fuzz_read(&fuzz, check_pair);
    return 0;
}
