/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A name leaves names free if it is exact and nothing of the order covers what is below it, or if
 * it is an exception (in a response policy zone: a name that passes) strictly below a blocked name.
 */
#include "policy/order_nodata.h"

#include "policy/order_blocked.h"

/* A search for the first name that leaves names free. */
struct search {
    const struct order_blocked *blocked;
    struct dname name;
    enum name_kind kind;
    bool found;
};

/* A suffix_map_visit_fn; false, to end the visit, once a name is found. */
static bool visit_name(void *ctx, const struct dname *name, uint32_t value)
{
    struct search *search = ctx;
    enum name_kind kind = (enum name_kind)(value & ((1U << NAME_KIND_BITS) - 1));
    unsigned labels = name->labels;
    struct suffix_keys keys;
    if (kind == NAME_SUBTREE || kind == NAME_BELOW || kind == NAME_FREE_BELOW ||
        (kind != NAME_EXACT && labels == 0)) {
        return true;
    }
    suffix_keys_init(&keys, name, search->blocked->seed);
    unsigned kinds =
        order_blocked_kinds_above(search->blocked, &keys, kind == NAME_EXACT ? labels : labels - 1);
    bool covered = (kinds & ORDER_BLOCKED_BELOW) != 0;
    search->found = kind == NAME_EXACT ? !covered : covered;
    if (search->found) {
        search->name = *name;
        search->kind = kind;
    }
    return !search->found;
}

/* Warns if the search has found something, and readies it for the next one. */
static void warn(struct order_reader *reader, struct yaml_node node, struct search *search)
{
    char shown[DNAME_TEXT_MAX];
    if (!search->found) {
        return;
    }
    dname_format(&search->name, shown);
    if (search->kind == NAME_EXACT) {
        yaml_node_problem(node, PROBLEM_WARNING, reader->problems,
                          "nxdomain becomes nodata at %s (to name one): names below it stay free",
                          shown);
    } else {
        yaml_node_problem(node, PROBLEM_WARNING, reader->problems,
                          "nxdomain becomes nodata above %s (to name one), which stays free",
                          shown);
    }
    search->found = false;
}

static void check_file(struct order_reader *reader, struct search *search, enum name_kind kind,
                       struct yaml_node node)
{
    const struct order *order = reader->order;
    for (size_t i = 0; !search->found && i < order->name_count; i++) {
        if (order->names[i].kind == kind) {
            visit_name(search, &order->names[i].name, (uint32_t)kind);
        }
    }
    warn(reader, node, search);
}

void order_nodata_check(struct order_reader *reader, const struct order_blocked *blocked)
{
    struct search search = {.blocked = blocked};
    struct yaml_node except = order_reader_find(reader, "except");
    check_file(reader, &search, NAME_EXACT, order_reader_find(reader, "exact"));
    if (!yaml_node_present(except)) {
        except = order_reader_find(reader, "names"); /* what is protected below them */
    }
    check_file(reader, &search, NAME_EXCEPT, except);
    for (size_t i = 0; i < reader->order->list_count; i++) {
        suffix_map_each(name_list_map(reader->order->lists[i].names), visit_name, &search);
        warn(reader, order_reader_find(reader, "lists"), &search);
    }
}
