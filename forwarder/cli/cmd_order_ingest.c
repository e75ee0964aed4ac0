/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick order ingest`: the names of a batch of tickets, all that are good in one version of
 * the order's file, or of a list of it, and an answer for each line. Nothing is half-applied: until
 * the file has been replaced no ticket is processed, and if it cannot be, all are refused.
 *
 * What another order blocks is added too, though it is answered as blocked already: that order may
 * end first.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_set.h"
#include "forwarder/cli/cmd_order.h"
#include "forwarder/cli/list_draft.h"
#include "forwarder/cli/order_blame.h"
#include "forwarder/cli/order_cover.h"
#include "forwarder/cli/order_reload.h"
#include "forwarder/cli/order_store.h"
#include "forwarder/cli/order_tickets.h"
#include "forwarder/cli/order_words.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/explain/plain_text.h"
#include "forwarder/explain/problem_report.h"
#include "policy/policy.h"

#define TICKETS_BYTES_MAX (64U * 1024U * 1024U)
#define ROUNDS_MAX 8 /* of judging what is left once bad items are out */
#define SHOWN_MAX 2048
#define WHAT_MAX 2048 /* a path is in it */

/* One run. */
struct ingest {
    const struct cli_options *options;
    struct order_tickets tickets;
    struct order_store store;
    struct order_draft draft;
    struct list_draft list;        /* that takes the names; empty: the order's file does */
    struct cli_set set;            /* all orders, as they were when the lock was taken */
    struct order_edit_item *items; /* to add */
    size_t *origins;               /* of each the index of its ticket */
    size_t count;
    bool written;
};

/* ---- The tickets ---- */

/* All of a stream, with a NUL behind it. NULL with a sentence in why. */
static char *read_stream(FILE *in, size_t *size, char why[static WHY_MAX])
{
    char *text = NULL;
    size_t capacity = 0;
    *size = 0;
    do {
        if (*size + 1 >= capacity) {
            capacity = capacity * 2 + 65536;
            char *more = realloc(text, capacity);
            if (more == NULL) {
                snprintf(why, WHY_MAX, "out of memory");
                free(text);
                return NULL;
            }
            text = more;
        }
        *size += fread(text + *size, 1, capacity - *size - 1, in);
        if (ferror(in) || *size > TICKETS_BYTES_MAX) {
            snprintf(why, WHY_MAX, "%s", ferror(in) ? strerror(errno) : "more than 64 MiB");
            free(text);
            return NULL;
        }
    } while (!feof(in));
    text[*size] = '\0';
    return text;
}

static bool read_tickets(struct ingest *ingest)
{
    const char *path = ingest->options->value[CLI_OPTION_TICKETS];
    char why[WHY_MAX];
    size_t size = 0;
    bool standard = strcmp(path, "-") == 0;
    FILE *in = standard ? stdin : fopen(path, "re");
    if (in == NULL) {
        cli_output_error("%s: %s", path, strerror(errno));
        return false;
    }
    char *text = read_stream(in, &size, why);
    if (!standard) {
        fclose(in);
    }
    if (text == NULL) {
        cli_output_error("%s: %s", path, why);
        return false;
    }
    if (!order_tickets_parse(text, size, &ingest->tickets)) {
        cli_output_error("out of memory");
        return false;
    }
    return true;
}

/* ---- What is said twice ---- */

static int compare_texts(const char *a, const char *b)
{
    return strcmp(a == NULL ? "" : a, b == NULL ? "" : b);
}

/* The same item, whatever its ticket; of those the earlier line first. */
static int compare_items(const struct order_ticket *a, const struct order_ticket *b)
{
    const struct order_edit_item *left = &a->item, *right = &b->item;
    if (left->kind != right->kind) {
        return left->kind < right->kind ? -1 : 1;
    }
    if (left->name.size != right->name.size) {
        return left->name.size < right->name.size ? -1 : 1;
    }
    int order = memcmp(left->name.wire, right->name.wire, left->name.size);
    order = order != 0 ? order : compare_texts(left->effective, right->effective);
    return order != 0 ? order : compare_texts(left->until, right->until);
}

static int compare_tickets(const void *a, const void *b)
{
    const struct order_ticket *left = *(struct order_ticket *const *)a;
    const struct order_ticket *right = *(struct order_ticket *const *)b;
    int order = compare_items(left, right);
    if (order != 0) {
        return order;
    }
    return left->line < right->line ? -1 : left->line > right->line;
}

static bool find_repeated(struct order_tickets *tickets)
{
    struct order_ticket **sorted = calloc(tickets->count + 1, sizeof *sorted);
    size_t count = 0;
    for (size_t i = 0; sorted != NULL && i < tickets->count; i++) {
        if (tickets->items[i].fate != ORDER_TICKET_REFUSED) {
            sorted[count++] = &tickets->items[i];
        }
    }
    if (count > 0) {
        qsort(sorted, count, sizeof *sorted, compare_tickets);
    }
    for (size_t i = 1; i < count; i++) {
        if (compare_items(sorted[i - 1], sorted[i]) == 0) {
            const struct order_ticket *before = sorted[i - 1];
            sorted[i]->first = before->first == NULL ? before : before->first;
        }
    }
    free(sorted);
    return sorted != NULL;
}

/* ---- What each becomes ---- */

static void refuse_all(struct ingest *ingest, const char *why)
{
    for (size_t i = 0; i < ingest->tickets.count; i++) {
        struct order_ticket *ticket = &ingest->tickets.items[i];
        if (ticket->first == NULL &&
            (ticket->fate == ORDER_TICKET_PROCESSED || ticket->by != NULL)) {
            order_ticket_refuse(ticket, why);
        }
    }
}

/* Does the set hold an older version of this order? */
static bool is_last_good(const struct generation *generation, const char *id)
{
    for (size_t i = 0; i < policy_order_count(generation->policy); i++) {
        if (strcmp(policy_order(generation->policy, i)->id, id) == 0) {
            return generation->orders[i].last_good;
        }
    }
    return false;
}

/* Judges the tickets against what is blocked already. */
static bool cover(struct ingest *ingest, const struct order *order)
{
    const struct generation *generation = ingest->set.generation;
    const struct order_cover_options asked = {
        .order = order,
        .list = ingest->list.names,
        .policy = generation == NULL ? NULL : generation->policy,
        .last_good = generation != NULL && is_last_good(generation, order->id),
        .now = (int64_t)time(NULL)};
    struct order_cover *cover = order_cover_new(&asked);
    for (size_t i = 0; cover != NULL && i < ingest->tickets.count; i++) {
        struct order_ticket *ticket = &ingest->tickets.items[i];
        if (ticket->fate != ORDER_TICKET_PROCESSED || ticket->first != NULL) {
            continue;
        }
        const char *by = NULL;
        switch (order_cover_judge(cover, &ticket->item, &by)) {
        case ORDER_COVER_FREE:
            break;
        case ORDER_COVER_OWN:
            ticket->fate = ORDER_TICKET_BLOCKED;
            break;
        case ORDER_COVER_OTHER:
            ticket->fate = ORDER_TICKET_BLOCKED;
            ticket->by = by;
            break;
        case ORDER_COVER_EXCEPT:
            order_ticket_refuse(ticket, "the order excepts this name");
            break;
        }
    }
    order_cover_free(cover);
    return cover != NULL;
}

/* Collects what is to be added: what nothing blocks yet, or only another order. */
static void collect(struct ingest *ingest)
{
    ingest->count = 0;
    for (size_t i = 0; i < ingest->tickets.count; i++) {
        const struct order_ticket *ticket = &ingest->tickets.items[i];
        bool wanted = ticket->fate == ORDER_TICKET_PROCESSED ||
                      (ticket->fate == ORDER_TICKET_BLOCKED && ticket->by != NULL);
        if (wanted && ticket->first == NULL) {
            ingest->origins[ingest->count] = i;
            ingest->items[ingest->count++] = ticket->item;
        }
    }
}

/* An order_blame_fn. */
static void blame(void *ctx, size_t index, const char *why)
{
    struct ingest *ingest = ctx;
    order_ticket_refuse(&ingest->tickets.items[ingest->origins[index]], why);
}

/* ---- The file ---- */

/* Says why nothing can be written, to each ticket and on standard error. */
static void fail_all(struct ingest *ingest, const struct problem_list *problems)
{
    const char *why = "out of memory";
    for (size_t i = problems->count; i > 0; i--) {
        if (problems->items[i - 1].level == PROBLEM_ERROR) {
            why = problems->items[i - 1].text;
        }
    }
    problem_report(problems, stderr);
    cli_output_error("%s is left as it was", ingest->draft.name);
    refuse_all(ingest, why);
}

enum round_end {
    ROUND_WRITTEN,
    ROUND_BLAMED, /* items were refused: there is less left */
    ROUND_FAILED,
};

/* One version of the order's file with all that is left. */
static enum round_end write_order(struct ingest *ingest, const struct order_edit_entry *entry,
                                  struct problem_list *problems)
{
    const struct order_edit edit = {
        .add = ingest->items, .add_count = ingest->count, .entry = *entry};
    struct file_bytes next;
    struct order *order = order_store_next(&ingest->store, &ingest->draft, &edit, &next, problems);
    enum round_end end = ROUND_FAILED;
    if (order != NULL && order_store_put(&ingest->draft, &next, problems)) {
        end = ROUND_WRITTEN;
    } else if (order == NULL && next.bytes != NULL &&
               order_blame(&edit, &next, problems, blame, ingest)) {
        end = ROUND_BLAMED;
    }
    order_unref(order);
    file_bytes_fini(&next);
    return end;
}

/* One version of the list, and of the order's file, which tells of it. */
static enum round_end write_list(struct ingest *ingest, const struct order_edit_entry *entry,
                                 struct problem_list *problems)
{
    const struct list_draft_addition addition = {.items = ingest->items,
                                                 .count = ingest->count,
                                                 .blame = blame,
                                                 .ctx = ingest,
                                                 .entry = *entry};
    struct file_bytes next;
    struct order *order = list_draft_next(&ingest->list, &addition, &next, problems);
    enum round_end end = ROUND_FAILED;
    if (order != NULL && list_draft_put(&ingest->list, &ingest->draft, &next, problems)) {
        end = ROUND_WRITTEN;
    } else if (order == NULL && ingest->list.blamed > 0 && problems->errors == 0) {
        end = ROUND_BLAMED;
    }
    order_unref(order);
    file_bytes_fini(&next);
    return end;
}

/* Writes all that is left. False if items were refused in it: then there is less left. */
static bool write_round(struct ingest *ingest, bool last)
{
    char what[WHAT_MAX];
    struct problem_list problems;
    struct order_author author;
    const char *list = ingest->list.written;
    problem_list_init(&problems);
    order_author_init(&author, ingest->options);
    snprintf(what, sizeof what, "ingest %zu %s%s%s", ingest->count,
             ingest->count == 1 ? "name" : "names", list == NULL ? "" : " into ",
             list == NULL ? "" : list);
    const struct order_edit_entry entry = {author.at, author.by, what,
                                           ingest->options->value[CLI_OPTION_REASON]};
    enum round_end end = list == NULL ? write_order(ingest, &entry, &problems)
                                      : write_list(ingest, &entry, &problems);
    ingest->written = end == ROUND_WRITTEN;
    if (end == ROUND_FAILED || (end == ROUND_BLAMED && last)) {
        fail_all(ingest, &problems);
    }
    problem_list_fini(&problems);
    return end != ROUND_BLAMED || last;
}

static void write_items(struct ingest *ingest)
{
    ingest->items = calloc(ingest->tickets.count + 1, sizeof *ingest->items);
    ingest->origins = calloc(ingest->tickets.count + 1, sizeof *ingest->origins);
    if (ingest->items == NULL || ingest->origins == NULL) {
        cli_output_error("out of memory");
        refuse_all(ingest, "out of memory");
        return;
    }
    for (unsigned round = 1;; round++) {
        collect(ingest);
        if (ingest->count == 0 || write_round(ingest, round == ROUNDS_MAX)) {
            return;
        }
    }
}

/* Why the order takes no names any more; NULL: it does. */
static const char *closed(const struct order *order)
{
    if (order->status == ORDER_LIFTED) {
        return "the order is lifted";
    }
    return order->end <= (int64_t)time(NULL) ? "the order has ended" : NULL;
}

/* A names list has no room for dates. */
static void refuse_dates(struct ingest *ingest)
{
    for (size_t i = 0; i < ingest->tickets.count; i++) {
        struct order_ticket *ticket = &ingest->tickets.items[i];
        if (ticket->item.effective != NULL || ticket->item.until != NULL) {
            order_ticket_refuse(ticket, "a list holds names without dates of their own");
        }
    }
}

/* The order as it is; the list that takes the names is opened with it. NULL with an error. */
static struct order *judge_order(struct ingest *ingest, struct problem_list *problems)
{
    const char *list = ingest->options->value[CLI_OPTION_LIST];
    if (list == NULL) {
        return order_store_judge(&ingest->store, &ingest->draft, &ingest->draft.file.file,
                                 problems);
    }
    refuse_dates(ingest);
    if (!list_draft_open(&ingest->store, &ingest->draft, list, &ingest->list, problems)) {
        return NULL;
    }
    return list_draft_judge(&ingest->list, problems);
}

static void ingest_into(struct ingest *ingest)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct order *order = judge_order(ingest, &problems);
    const char *why = order == NULL ? NULL : closed(order);
    if (order == NULL) {
        fail_all(ingest, &problems);
    } else if (why != NULL) {
        cli_output_error("%s: %s", ingest->draft.name, why);
        refuse_all(ingest, why);
    } else if (!find_repeated(&ingest->tickets) || !cover(ingest, order)) {
        cli_output_error("out of memory");
        refuse_all(ingest, "out of memory");
    } else {
        write_items(ingest);
    }
    if (order != NULL && order->status == ORDER_SUSPENDED) {
        cli_output_error("%s is suspended: its names are blocked once it is resumed", order->id);
    }
    order_unref(order);
    problem_list_fini(&problems);
}

/* ---- The answers ---- */

/* What became of a ticket; *by is the order that blocks it. */
static enum order_ticket_fate fate_of(const struct ingest *ingest,
                                      const struct order_ticket *ticket, const char **by,
                                      const char **why)
{
    const struct order_ticket *first = ticket->first == NULL ? ticket : ticket->first;
    *by = first->by == NULL ? ingest->options->value[CLI_OPTION_ORDER] : first->by;
    *why = NULL;
    if (first->fate == ORDER_TICKET_REFUSED) {
        *by = NULL;
        *why = first->why == NULL ? "out of memory" : first->why;
    }
    return ticket->first != NULL && first->fate == ORDER_TICKET_PROCESSED ? ORDER_TICKET_BLOCKED
                                                                          : first->fate;
}

static const char *const fates[] = {
    [ORDER_TICKET_PROCESSED] = "processed",
    [ORDER_TICKET_BLOCKED] = "already blocked",
    [ORDER_TICKET_REFUSED] = "refused",
};

static bool print_json(const struct ingest *ingest, const struct order_ticket *ticket)
{
    const char *by, *why;
    enum order_ticket_fate fate = fate_of(ingest, ticket, &by, &why);
    json_t *object = json_object();
    json_put(&object, "line", json_integer((json_int_t)ticket->line));
    json_put_text(&object, "name", ticket->given);
    json_put_text(&object, "ticket", ticket->item.ticket);
    json_put_text(&object, "result", fates[fate]);
    json_put_text(&object, "order", by);
    json_put_text(&object, "why", why);
    bool written = cli_output_json(object);
    json_decref(object);
    return written;
}

static bool print_line(const struct ingest *ingest, const struct order_ticket *ticket)
{
    char given[SHOWN_MAX], shown[SHOWN_MAX];
    const char *by, *why;
    enum order_ticket_fate fate = fate_of(ingest, ticket, &by, &why);
    bool other =
        fate == ORDER_TICKET_BLOCKED && strcmp(by, ingest->options->value[CLI_OPTION_ORDER]) != 0;
    const char *more = why != NULL ? why : other ? by : "";
    return printf("%s: %s%s%s\n", plain_text(ticket->given, given, sizeof given), fates[fate],
                  why != NULL ? ": "
                  : other     ? " by "
                              : "",
                  plain_text(more, shown, sizeof shown)) > 0;
}

/* Answers every ticket. False if one was refused, or could not be answered. */
static bool answer(const struct ingest *ingest)
{
    bool json = cli_options_has(ingest->options, CLI_OPTION_JSON), good = true;
    for (size_t i = 0; i < ingest->tickets.count; i++) {
        const struct order_ticket *ticket = &ingest->tickets.items[i];
        const char *by, *why;
        bool written = json ? print_json(ingest, ticket) : print_line(ingest, ticket);
        good = written && fate_of(ingest, ticket, &by, &why) != ORDER_TICKET_REFUSED && good;
    }
    fflush(stdout);
    return good;
}

/* ---- The command ---- */

static bool run(struct ingest *ingest)
{
    if (!order_store_lock(&ingest->store)) {
        return false;
    }
    int64_t now = (int64_t)time(NULL);
    if (!cli_set_load(&ingest->set, cli_options_config(ingest->options), now, now)) {
        cli_output_error("what other orders block is not known");
    }
    const char *id = ingest->options->value[CLI_OPTION_ORDER];
    bool found = order_store_find(&ingest->store, id, &ingest->draft);
    if (found) {
        ingest_into(ingest);
    }
    order_store_unlock(&ingest->store);
    if (!found) {
        return false;
    }
    char *const files[] = {ingest->draft.name, ingest->list.name};
    size_t count = ingest->list.name == NULL ? 1 : 2;
    bool in_force = !ingest->written || order_reload(ingest->store.config, files, count, now);
    return answer(ingest) && in_force;
}

enum command_exit cmd_order_ingest(const struct cli_options *options)
{
    struct ingest ingest = {.options = options};
    bool done = false;
    if (read_tickets(&ingest) && order_store_open(&ingest.store, options)) {
        done = run(&ingest);
        list_draft_fini(&ingest.list);
        order_draft_fini(&ingest.draft);
        cli_set_free(&ingest.set);
        order_store_close(&ingest.store);
    }
    free(ingest.items);
    free(ingest.origins);
    order_tickets_fini(&ingest.tickets);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
