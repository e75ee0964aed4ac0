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
#define LABEL_MAX 40
#define OPTION_ECS 8
#define OPTION_UNKNOWN 65001U
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
    uint64_t asked_patience_ns;
    unsigned messages; /* of its answer, that came on this connection */
    size_t size;
    uint8_t query[RIGHT_QUERY_MAX];
};

struct row {
    struct asker *asker;
    unsigned index; /* the asker's */
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
    struct row *row = calloc(1, sizeof *row);
    if (row == NULL) {
        return NULL;
    }
    row->asker = asker;
    row->index = asker->row_count;
    row->plan = *plan;
    if (plan->turnover == 0) {
        row->plan.turnover = plan->kind->turnover;
    }
    snprintf(row->suffix, sizeof row->suffix, "%s", plan->suffix);
    row->right = ROW_FORWARD;
    return row;
}

uint64_t row_answers(const struct row *row)
{
    return row->answers;
}

unsigned row_waiting(const struct row *row, uint64_t asked_ns)
{
    unsigned count = 0;
    for (unsigned i = 0; i < row->plan.window; i++) {
        count += row->slots[i].state != FREE && row->slots[i].asked_ns < asked_ns;
    }
    return count;
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

/* Bits of a query by which it differs from others: of its number, and of the run. */
static uint64_t chance_of(const struct row *row, uint64_t number)
{
    uint64_t bits = (row->asker->seed ^ (uint64_t)row->index << 48) + number;
    bits = (bits ^ bits >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    bits = (bits ^ bits >> 27) * UINT64_C(0x94D049BB133111EB);
    return bits ^ bits >> 31;
}

static uint8_t *put_name(uint8_t *at, const char *text, uint64_t chance)
{
    while (*text != '\0') {
        size_t label = strcspn(text, ".");
        *at++ = (uint8_t)label;
        for (size_t i = 0; i < label; i++) {
            /* Both cases, as resolvers that check spellings ask (0x20). */
            bool upper = text[i] >= 'a' && text[i] <= 'z' && (chance >> i % 16 & 1) != 0;
            *at++ = (uint8_t)(upper ? text[i] - 32 : text[i]);
        }
        text += label + (text[label] == '.');
    }
    *at++ = 0;
    return at;
}

/* A label of any octets, dots and zeros among them. */
static uint8_t *put_label(uint8_t *at, uint64_t chance)
{
    size_t size = 1 + chance % LABEL_MAX;
    *at++ = (uint8_t)size;
    for (size_t i = 0; i < size; i++) {
        chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        *at++ = (uint8_t)(chance >> 56);
    }
    return at;
}

static uint8_t *put_option(uint8_t *at, unsigned code, const uint8_t *data, size_t size)
{
    const uint8_t head[] = {(uint8_t)(code >> 8), (uint8_t)code, 0, (uint8_t)size};
    memcpy(at, head, sizeof head);
    memcpy(at + sizeof head, data, size);
    return at + sizeof head + size;
}

/* With DO or without, and now and then an option that nobody knows, before or after ECS. */
static uint8_t *put_opt(uint8_t *at, const struct row_plan *plan, uint64_t chance)
{
    const uint8_t head[] = {0, 0, 41, 0x04, 0xD0, 0, 0, (uint8_t)((chance & 1) << 7), 0};
    bool unknown = (chance >> 1) % 4 == 0;
    bool first = (chance >> 3 & 1) != 0;
    uint8_t octet = (uint8_t)(chance >> 8);
    memcpy(at, head, sizeof head);
    uint8_t *size = at + sizeof head;
    uint8_t *options = size + 2;
    at = options;
    if (unknown && first) {
        at = put_option(at, OPTION_UNKNOWN, &octet, chance >> 4 & 1);
    }
    if (plan->ecs_size > 0) {
        at = put_option(at, OPTION_ECS, plan->ecs, plan->ecs_size);
    }
    if (unknown && !first) {
        at = put_option(at, OPTION_UNKNOWN, &octet, 1);
    }
    size[0] = 0;
    size[1] = (uint8_t)(at - options);
    return at;
}

/* The next query of the row: another name each, all kinds of types, some classes, RD, AD and CD,
 * every fourth without OPT (but where ECS is what counts). */
static void write_query(struct row *row, unsigned index)
{
    static const uint16_t types[] = {1, 28, 16, 65, 2, 43, 255, 12, 257, 64, 65280, 250};
    static const uint8_t classes[] = {1, 1, 1, 1, 1, 3, 4, 255};
    struct slot *slot = &row->slots[index];
    uint64_t number = row->number++;
    uint64_t chance = chance_of(row, number);
    bool has_opt = row->plan.ecs_size > 0 || number % 4 != 0;
    unsigned id = row->plan.kind->names_slots ? 0 : (unsigned)(number << ID_SLOTS | index) & 0xFFFF;
    unsigned type = row->plan.transfers ? 251 + (chance & 1) /* IXFR, AXFR */
                                        : types[chance % (sizeof types / sizeof *types)];
    char name[128];
    snprintf(name, sizeof name, "q%llu.%s", (unsigned long long)number, row->suffix);
    const uint8_t header[] = {(uint8_t)(id >> 8),
                              (uint8_t)id,
                              chance >> 8 & 1,         /* RD */
                              chance >> 9 << 4 & 0x30, /* AD, CD */
                              0,
                              1,
                              0,
                              0,
                              0,
                              0,
                              0,
                              has_opt};
    memcpy(slot->query, header, sizeof header);
    uint8_t *at = slot->query + sizeof header;
    if ((chance >> 12) % 4 == 0) {
        at = put_label(at, chance >> 14);
    }
    at = put_name(at, name, chance >> 20);
    const uint8_t tail[] = {(uint8_t)(type >> 8), (uint8_t)type, 0, classes[chance >> 36 & 7]};
    memcpy(at, tail, sizeof tail);
    at += sizeof tail;
    if (has_opt) {
        at = put_opt(at, &row->plan, chance >> 40);
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
    slot->messages = 0;
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
    slot->asked_patience_ns = row->asker->patience_ns;
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
    return right_answer_full(slot->query, slot->size, slot->messages, out) == size &&
           memcmp(out, answer, size) == 0;
}

/* Which of the answers that are right it is: one bit; 0: none. What began as the resolver's goes on
 * as such. */
static uint32_t right_one(const struct row *row, const struct slot *slot, const uint8_t *answer,
                          size_t size)
{
    uint8_t own[RIGHT_ANSWER_MAX];
    if ((slot->right & ROW_FORWARD) != 0 && is_full(slot, own, answer, size)) {
        return ROW_FORWARD;
    }
    if (slot->messages > 0) {
        return 0;
    }
    if ((slot->right & ROW_CUT) != 0 && right_answer_is_cut(slot->query, slot->size) &&
        right_answer_cut(slot->query, slot->size, own) == size && memcmp(own, answer, size) == 0) {
        return ROW_CUT;
    }
    if ((slot->right & ROW_SERVFAIL) != 0 &&
        right_answer_servfail(slot->query, slot->size, own) == size &&
        memcmp(own, answer, size) == 0) {
        return ROW_SERVFAIL;
    }
    for (unsigned i = 0; i < ROW_TEXTS; i++) {
        if ((slot->right >> i & 1) != 0 && row->asker->texts[i] != NULL &&
            right_answer_refused(slot->query, slot->size, row->asker->texts[i], own) == size &&
            memcmp(own, answer, size) == 0) {
            return 1U << i;
        }
    }
    return 0;
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
    uint32_t right = right_one(row, slot, answer, size);
    if (right == ROW_FORWARD && ++slot->messages < right_answer_messages(slot->query, slot->size)) {
        return; /* the rest is to come */
    }
    struct phase *phase = phase_of(row, slot);
    phase->answers++;
    phase_note_latency(phase, (asker_now_ns() - slot->asked_ns) / 1000);
    slot->state = FREE;
    if (right == 0) {
        phase->wrong++;
        show(row, slot, "wrong", answer, size);
        return;
    }
    row->answers++;
    phase->servfail += right == ROW_SERVFAIL;
    phase->cut += right == ROW_CUT;
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
    const struct asker *asker = row->asker;
    for (unsigned i = 0; i < row->plan.window; i++) {
        struct slot *slot = &row->slots[i];
        if (slot->state != FREE && asker->patience_ns - slot->asked_patience_ns > asker->lost_ns) {
            phase_of(row, slot)->lost++;
            show(row, slot, "lost", NULL, 0);
            slot->state = FREE;
        }
    }
}
