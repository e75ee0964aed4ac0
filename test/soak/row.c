/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking and judging (see row.h). A slot holds one query from its first sending to its answer:
 *
 *     FREE ─ask─► SENT ─answer─► FREE
 *                  │ ▲
 *      connection  ▼ │ sent again on the next one
 *      ended     WAITING
 *
 * A query by UDP is never sent again.
 */
#include "test/soak/row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/soak/asker.h"
#include "test/soak/right_answer.h"

#define ID_SLOTS 6 /* low bits of an ID that are the slot's number */
#define REOPEN_NS UINT64_C(50000000)

enum slot_state {
    FREE,
    SENT,
    WAITING
};

struct slot {
    enum slot_state state;
    uint32_t right; /* at any time since it was asked */
    unsigned phase;
    uint64_t asked_ns;
    size_t size;
    uint8_t query[RIGHT_QUERY_MAX];
};

struct row {
    struct asker *asker;
    struct row_plan plan;
    char suffix[64];
    struct way *way;
    bool up;
    bool down;        /* to be closed at the next turn: its own code may be running */
    uint64_t open_ns; /* not before */
    unsigned carried; /* queries, by this connection */
    uint32_t right;
    double due;
    uint64_t number; /* of names so far */
    uint64_t answers;
    struct slot slots[WAY_SLOTS];
};

struct row *row_new(struct asker *asker, const struct row_plan *plan)
{
    struct row *row = calloc(1, sizeof(*row));
    if (row == NULL) {
        return NULL;
    }
    row->asker = asker;
    row->plan = *plan;
    if (plan->turnover == 0) {
        row->plan.turnover = plan->kind->turnover;
    }
    snprintf(row->suffix, sizeof(row->suffix), "%s", plan->suffix);
    row->right = ROW_FORWARD;
    return row;
}

uint64_t row_answers(const struct row *row)
{
    return row->answers;
}

void row_set_right(struct row *row, uint32_t right)
{
    row->right = right;
    for (unsigned i = 0; i < row->plan.window; i++) {
        row->slots[i].right |= right;
    }
}

/* ---- Queries ---- */

static struct phase *phase_of(struct row *row, const struct slot *slot)
{
    return &row->asker->phases[slot->phase];
}

static uint8_t *put_name(uint8_t *at, const char *text, uint64_t number)
{
    while (*text != '\0') {
        size_t label = strcspn(text, ".");
        *at++ = (uint8_t)label;
        for (size_t i = 0; i < label; i++) {
            /* Both cases, as resolvers that check spellings ask (0x20). */
            bool upper = text[i] >= 'a' && text[i] <= 'z' && (number >> i % 16 & 1) != 0;
            *at++ = (uint8_t)(upper ? text[i] - 32 : text[i]);
        }
        text += label + (text[label] == '.');
    }
    *at++ = 0;
    return at;
}

static uint8_t *put_opt(uint8_t *at, const struct row_plan *plan)
{
    uint8_t options = (uint8_t)(plan->ecs_size == 0 ? 0 : plan->ecs_size + 4);
    const uint8_t opt[] = {0, 0, 41, 0x04, 0xD0, 0, 0, 0, 0, 0, options};
    memcpy(at, opt, sizeof(opt));
    at += sizeof(opt);
    if (plan->ecs_size > 0) {
        const uint8_t option[] = {0, 8, 0, (uint8_t)plan->ecs_size};
        memcpy(at, option, sizeof(option));
        memcpy(at + sizeof(option), plan->ecs, plan->ecs_size);
        at += sizeof(option) + plan->ecs_size;
    }
    return at;
}

/* The next query of the row: another name each, some types in turn, every fourth without OPT (but
 * where ECS is what counts). */
static void write_query(struct row *row, unsigned index)
{
    static const uint8_t types[] = {1, 28, 16, 65, 2, 43, 255, 12};
    struct slot *slot = &row->slots[index];
    uint64_t number = row->number++;
    bool has_opt = row->plan.ecs_size > 0 || number % 4 != 0;
    unsigned id = row->plan.kind->names_slots ? 0 : (unsigned)(number << ID_SLOTS | index) & 0xFFFF;
    char name[128];
    snprintf(name, sizeof(name), "q%llu.%s", (unsigned long long)number, row->suffix);
    uint8_t header[] = {(uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1, 0, 0, 0, 0, 0, has_opt};
    memcpy(slot->query, header, sizeof(header));
    uint8_t *at = put_name(slot->query + sizeof(header), name, number * 0x9E37U);
    const uint8_t tail[] = {0, types[number % sizeof(types)], 0, 1};
    memcpy(at, tail, sizeof(tail));
    at += sizeof(tail);
    if (has_opt) {
        at = put_opt(at, &row->plan);
    }
    slot->size = (size_t)(at - slot->query);
}

static bool row_is_idle(const struct row *row)
{
    for (unsigned i = 0; i < row->plan.window; i++) {
        if (row->slots[i].state != FREE) {
            return false;
        }
    }
    return true;
}

/* False: the way takes no more for now. */
static bool send_slot(struct row *row, unsigned index)
{
    struct slot *slot = &row->slots[index];
    if (!row->plan.kind->send(row->way, index, slot->query, slot->size)) {
        return false;
    }
    slot->state = SENT;
    row->carried++;
    return true;
}

static bool ask(struct row *row, unsigned index)
{
    struct slot *slot = &row->slots[index];
    write_query(row, index);
    if (!send_slot(row, index)) {
        return false;
    }
    slot->right = row->right;
    slot->phase = row->asker->phase;
    slot->asked_ns = asker_now_ns();
    phase_of(row, slot)->queries++;
    return true;
}

static void ask_again(struct row *row)
{
    for (unsigned i = 0; i < row->plan.window && row->up; i++) {
        if (row->slots[i].state == WAITING && !send_slot(row, i)) {
            return;
        }
    }
}

static void open_way(struct row *row)
{
    uint64_t now = asker_now_ns();
    if (row->way != NULL || now < row->open_ns) {
        return;
    }
    row->open_ns = now + REOPEN_NS;
    row->way = row->plan.kind->open(&row->plan.route, row);
}

static void close_way(struct row *row)
{
    row->plan.kind->close(row->way);
    row->way = NULL;
    row->up = false;
    row->down = false;
    row->carried = 0;
}

/* Does the connection carry no more? Then it ends as soon as nothing is under way, and its
 * successor begins. */
static bool is_worn(struct row *row)
{
    if (row->plan.turnover == 0 || row->carried < row->plan.turnover) {
        return false;
    }
    if (row_is_idle(row)) {
        close_way(row);
        row->open_ns = 0;
    }
    return true;
}

static void ask_what_is_due(struct row *row)
{
    for (unsigned i = 0; i < row->plan.window && row->due >= 1 && row->up && !is_worn(row); i++) {
        if (row->slots[i].state != FREE) {
            continue;
        }
        if (!ask(row, i)) {
            return;
        }
        row->due--;
    }
}

void row_turn(struct row *row, double seconds, bool asking)
{
    if (row->down) {
        close_way(row);
    }
    open_way(row);
    if (!row->up) {
        return;
    }
    ask_again(row);
    row->due += row->plan.rate * seconds;
    if (asking) {
        ask_what_is_due(row);
    }
    if (row->due > row->plan.window) {
        row->due = row->plan.window;
    }
}

/* ---- Answers ---- */

static void show(struct row *row, const struct slot *slot, const char *what, const uint8_t *answer,
                 size_t size)
{
    struct asker *asker = row->asker;
    if (asker->show == 0) {
        return;
    }
    asker->show--;
    fprintf(stderr, "%s: phase %s, %s from %s, %s, right %05x, %llu ms, query ", what,
            phase_of(row, slot)->name, row->plan.kind->name, row->plan.route.local, row->suffix,
            slot->right, (unsigned long long)((asker_now_ns() - slot->asked_ns) / 1000000));
    for (size_t i = 0; i < slot->size; i++) {
        fprintf(stderr, "%02x", slot->query[i]);
    }
    fputs(", answer ", stderr);
    for (size_t i = 0; i < size; i++) {
        fprintf(stderr, "%02x", answer[i]);
    }
    fputc('\n', stderr);
}

static bool is_full(const struct slot *slot, uint8_t *out, const uint8_t *answer, size_t size)
{
    return right_answer_full(slot->query, slot->size, 0, out) == size &&
           memcmp(out, answer, size) == 0;
}

static bool is_right(const struct row *row, const struct slot *slot, const uint8_t *answer,
                     size_t size)
{
    uint8_t own[RIGHT_ANSWER_MAX];
    if ((slot->right & ROW_FORWARD) != 0 && is_full(slot, own, answer, size)) {
        return true;
    }
    if ((slot->right & ROW_CUT) != 0 && right_answer_is_cut(slot->query, slot->size) &&
        right_answer_cut(slot->query, slot->size, own) == size && memcmp(own, answer, size) == 0) {
        return true;
    }
    if ((slot->right & ROW_SERVFAIL) != 0 &&
        right_answer_servfail(slot->query, slot->size, own) == size &&
        memcmp(own, answer, size) == 0) {
        return true;
    }
    for (unsigned i = 0; i < ROW_TEXTS; i++) {
        if ((slot->right >> i & 1) != 0 && row->asker->texts[i] != NULL &&
            right_answer_refused(slot->query, slot->size, row->asker->texts[i], own) == size &&
            memcmp(own, answer, size) == 0) {
            return true;
        }
    }
    return false;
}

/* The slot that waits for an answer with this ID, or NULL. */
static struct slot *slot_of(struct row *row, int index, const uint8_t *answer, size_t size)
{
    if (index < 0 && size >= 2) {
        index = answer[1] & (WAY_SLOTS - 1);
    }
    if (index < 0 || (unsigned)index >= row->plan.window || size < 2) {
        return NULL;
    }
    struct slot *slot = &row->slots[index];
    return slot->state == SENT && memcmp(slot->query, answer, 2) == 0 ? slot : NULL;
}

void row_on_answer(struct row *row, int index, const uint8_t *answer, size_t size)
{
    struct slot *slot = slot_of(row, index, answer, size);
    if (slot == NULL) {
        /* Nobody asked for it, or it was answered before. */
        static const struct slot nothing;
        row->asker->phases[row->asker->phase].wrong++;
        show(row, &nothing, "unasked", answer, size);
        return;
    }
    struct phase *phase = phase_of(row, slot);
    phase->answers++;
    phase_note_latency(phase, (asker_now_ns() - slot->asked_ns) / 1000);
    slot->state = FREE;
    if (is_right(row, slot, answer, size)) {
        row->answers++;
        return;
    }
    phase->wrong++;
    show(row, slot, "wrong", answer, size);
}

void row_on_up(struct row *row)
{
    row->up = true;
}

void row_on_down(struct row *row)
{
    row->up = false;
    row->down = true;
    for (unsigned i = 0; i < row->plan.window; i++) {
        struct slot *slot = &row->slots[i];
        if (slot->state != SENT) {
            continue;
        }
        slot->state = WAITING;
        if ((slot->right & ROW_CLOSED) == 0) {
            phase_of(row, slot)->lost++;
            show(row, slot, "closed", NULL, 0);
            slot->state = FREE;
        } else {
            phase_of(row, slot)->closed++;
        }
    }
}

void row_give_up(struct row *row)
{
    uint64_t now = asker_now_ns();
    for (unsigned i = 0; i < row->plan.window; i++) {
        struct slot *slot = &row->slots[i];
        if (slot->state != FREE && now - slot->asked_ns > row->asker->lost_ns) {
            phase_of(row, slot)->lost++;
            show(row, slot, "lost", NULL, 0);
            slot->state = FREE;
        }
    }
}
