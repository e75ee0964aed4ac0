/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Replaying the audit record for one order (see audit_history.h).
 */
#include "forwarder/cli/audit_history.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/audit/audit_chain.h"
#include "policy/instant.h"

struct replay {
    struct audit_history *history;
    int64_t latest;     /* the greatest time so far: clocks are set back */
    uint64_t last_seq;  /* of the record before */
    json_int_t pending; /* orders that the last generation is still to tell */
    bool whole;         /* it tells all of them */
    bool told;          /* it has told this one */
    json_t *asked;      /* by whom that generation was asked */
    bool failed;        /* memory is out */
};

static const char ended_without_a_word[] =
    "the daemon ended without a word: it may have served until it was started again";

/* Room for one more at the end of an array, zeroed; NULL when memory is out. */
static void *one_more(struct replay *replay, void **items, size_t *count, size_t size)
{
    void *more = realloc(*items, (*count + 1) * size);
    if (more == NULL) {
        replay->failed = true;
        return NULL;
    }
    *items = more;
    void *item = (char *)more + (*count)++ * size;
    memset(item, 0, size);
    return item;
}
#define ONE_MORE(replay, items, count) \
    one_more(replay, (void **)&(items), &(count), sizeof *(items))

static void doubt(struct replay *replay, int64_t from, int64_t to, const char *why)
{
    struct audit_history *history = replay->history;
    struct audit_doubt *item = ONE_MORE(replay, history->doubts, history->doubt_count);
    if (item != NULL) {
        *item = (struct audit_doubt){from, to, strdup(why)};
        replay->failed = replay->failed || item->why == NULL;
    }
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static int64_t instant_of(const json_t *object, const char *key, int64_t otherwise)
{
    const char *text = text_of(object, key);
    int64_t instant;
    return instant_parse(text, strlen(text), &instant) ? instant : otherwise;
}

static struct audit_spell *last_spell(const struct audit_history *history)
{
    return history->spell_count == 0 ? NULL : &history->spells[history->spell_count - 1];
}

static void begin_spell(struct replay *replay, const struct audit_spell *spell)
{
    struct audit_history *history = replay->history;
    struct audit_spell *item = ONE_MORE(replay, history->spells, history->spell_count);
    if (item != NULL) {
        *item = *spell;
        json_incref(item->order);
        json_incref(item->asked);
    }
}

/* The same state goes on where it is told again. */
static void turn(struct replay *replay, const struct audit_record *record,
                 enum audit_spell_state state)
{
    const struct audit_spell *last = last_spell(replay->history);
    if (last == NULL || last->state != state) {
        begin_spell(replay, &(struct audit_spell){
                                .from = record->time, .state = state, .seq = record->head.seq});
    }
}

static void note(struct replay *replay, const struct audit_record *record, const char *what,
                 json_t *order, json_t *asked)
{
    struct audit_history *history = replay->history;
    struct audit_note *item = ONE_MORE(replay, history->notes, history->note_count);
    if (item != NULL) {
        *item = (struct audit_note){record->time, record->head.seq, strdup(what),
                                    json_incref(order), json_incref(asked)};
        replay->failed = replay->failed || item->what == NULL;
    }
}

/* Were two texts of an order made from the same version of its files? */
static bool same_version(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"file", "sha256", "loaded", "lists"};
    bool same = a != NULL && b != NULL;
    for (size_t i = 0; same && i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *left = json_object_get(a, keys[i]), *right = json_object_get(b, keys[i]);
        same = left == right || json_equal(left, right) != 0; /* neither has it, or the same */
    }
    return same;
}

/* The last stretch with a version of the order, or NULL. */
static const struct audit_spell *last_version(const struct audit_history *history)
{
    for (size_t i = history->spell_count; i > 0; i--) {
        if (history->spells[i - 1].state == AUDIT_SPELL_PRESENT) {
            return &history->spells[i - 1];
        }
    }
    return NULL;
}

static void take_version(struct replay *replay, const struct audit_record *record,
                         const json_t *object)
{
    const struct audit_spell *last = last_spell(replay->history);
    const struct audit_spell *before = last_version(replay->history);
    json_t *order = json_object_get(object, "order");
    const json_t *in_force = json_object_get(object, "in_force");
    bool stands = strcmp(text_of(object, "change"), "stands") == 0;
    if (stands && last != NULL && last->state == AUDIT_SPELL_PRESENT &&
        json_equal(last->order, order) != 0) {
        return; /* told once more */
    }
    struct audit_spell spell = {
        .from = record->time,
        .state = AUDIT_SPELL_PRESENT,
        .order = order,
        .asked = stands ? NULL : replay->asked,
        .seq = record->head.seq,
        .since = record->time,
        .open_known = in_force != NULL,
        .open = json_is_true(in_force),
    };
    if (before != NULL && same_version(before->order, order)) {
        spell.since = before->since;
        spell.asked = before->asked;
    }
    begin_spell(replay, &spell);
}

/* All that is in force was told: that order too, or there is none, and what was damaged before does
 * not matter any more. */
static void told_whole(struct replay *replay, const struct audit_record *record)
{
    struct audit_history *history = replay->history;
    if (!replay->told) {
        turn(replay, record, AUDIT_SPELL_ABSENT);
    }
    for (size_t i = 0; i < history->doubt_count; i++) {
        struct audit_doubt *item = &history->doubts[i];
        item->to = item->to == INT64_MAX ? record->time : item->to;
    }
}

static void on_order(struct replay *replay, const struct audit_record *record, const json_t *object)
{
    struct audit_history *history = replay->history;
    const char *change = text_of(object, "change");
    if (strcmp(text_of(object, "id"), history->id) == 0) {
        history->seen = true;
        replay->told = true;
        if (strcmp(change, "removed") == 0) {
            turn(replay, record, AUDIT_SPELL_ABSENT);
        } else {
            take_version(replay, record, object);
        }
        if (strcmp(change, "stands") != 0) {
            note(replay, record, change, json_object_get(object, "order"), replay->asked);
        }
    }
    if (--replay->pending == 0 && replay->whole) {
        told_whole(replay, record);
    }
}

/* A generation that was not told to its end leaves open what was in force. */
static void end_generation(struct replay *replay, const struct audit_record *record)
{
    if (replay->pending > 0) {
        turn(replay, record, AUDIT_SPELL_UNKNOWN);
    }
    replay->pending = 0;
}

static void on_generation(struct replay *replay, const struct audit_record *record,
                          const json_t *object)
{
    end_generation(replay, record);
    replay->history->running = true; /* its start may have been lost */
    json_decref(replay->asked);
    replay->asked = json_incref(json_object_get(object, "asked"));
    replay->whole = json_is_true(json_object_get(object, "whole"));
    replay->pending = json_integer_value(json_object_get(object, "changes"));
    replay->told = false;
    if (replay->whole && replay->pending == 0) {
        told_whole(replay, record);
    }
}

static void on_start(struct replay *replay, const struct audit_record *record, const json_t *object)
{
    (void)object;
    end_generation(replay, record);
    if (replay->history->running) {
        doubt(replay, replay->latest, record->time, ended_without_a_word);
        note(replay, record, "ended without a stop", NULL, NULL);
    }
    note(replay, record, "start", NULL, NULL);
    turn(replay, record, AUDIT_SPELL_DOWN);
    replay->history->running = true;
}

static void on_stop(struct replay *replay, const struct audit_record *record, const json_t *object)
{
    (void)object;
    end_generation(replay, record);
    note(replay, record, "stop", NULL, NULL);
    turn(replay, record, AUDIT_SPELL_DOWN);
    replay->history->running = false;
}

/* From then on nobody knows which windows are open, until the next one opens or closes, or a
 * generation says so: a checkpoint does not. */
static void lose_sight(struct replay *replay, int64_t at)
{
    struct audit_history *history = replay->history;
    struct audit_flip *flip = ONE_MORE(replay, history->flips, history->flip_count);
    if (flip != NULL) {
        *flip = (struct audit_flip){.at = at, .seq = replay->last_seq};
    }
}

static void on_flip(struct replay *replay, const struct audit_record *record, const json_t *object)
{
    struct audit_history *history = replay->history;
    const char *event = text_of(object, "event");
    if (strcmp(text_of(object, "id"), history->id) != 0) {
        return;
    }
    struct audit_flip *flip = ONE_MORE(replay, history->flips, history->flip_count);
    if (flip != NULL) {
        *flip = (struct audit_flip){instant_of(object, "at", record->time), record->head.seq, true,
                                    strcmp(event, "begins") == 0};
    }
    note(replay, record, event, NULL, NULL);
}

static void on_gap(struct replay *replay, const struct audit_record *record, const json_t *object)
{
    char why[WHY_MAX];
    snprintf(why, sizeof why, "a gap in the record, %lld records lost: %.200s",
             (long long)json_integer_value(json_object_get(object, "lost")),
             text_of(object, "reason"));
    int64_t from = instant_of(object, "from", record->time);
    end_generation(replay, record);
    if (json_is_true(json_object_get(object, "start")) && replay->history->running) {
        doubt(replay, replay->latest, from, ended_without_a_word);
        note(replay, record, "ended without a stop", NULL, NULL);
    }
    doubt(replay, from, instant_of(object, "to", record->time), why);
    lose_sight(replay, from);
    note(replay, record, "gap", NULL, NULL);
}

static bool on_record(void *ctx, const struct audit_place *place, const struct audit_record *record)
{
    static const struct {
        const char *event;
        void (*take)(struct replay *replay, const struct audit_record *record,
                     const json_t *object);
    } rows[] = {
        {"order", on_order},
        {"generation", on_generation},
        {"checkpoint", on_generation},
        {"start", on_start},
        {"stop", on_stop},
        {"begins", on_flip},
        {"ends", on_flip},
        {"gap", on_gap},
    };
    struct replay *replay = ctx;
    json_t *object = json_loadb(record->text, record->size, JSON_REJECT_DUPLICATES, NULL);
    const char *event = text_of(object, "event");
    (void)place;
    if (replay->latest > record->time) {
        doubt(replay, record->time, replay->latest, "the clock was set back");
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].event, event) == 0) {
            rows[i].take(replay, record, object);
        }
    }
    replay->latest = record->time > replay->latest ? record->time : replay->latest;
    replay->last_seq = record->head.seq;
    replay->history->last = record->time;
    json_decref(object);
    return !replay->failed;
}

/* What stood there is not known, and what comes behind it may have been changed by it. */
static void on_fault(void *ctx, const struct audit_place *place, const char *what)
{
    struct replay *replay = ctx;
    char why[WHY_MAX];
    fprintf(stderr, "%s:%u: %s\n", place->file, place->line, what);
    snprintf(why, sizeof why, "%.200s:%u: %.90s", place->file, place->line, what);
    doubt(replay, replay->latest, INT64_MAX, why);
    lose_sight(replay, replay->latest);
}

bool audit_history_read(const struct audit_files *files, const char *id, struct audit_history *out,
                        char why[static WHY_MAX])
{
    struct audit_chain chain;
    struct replay replay = {.history = out, .latest = INT64_MIN};
    const struct audit_chain_reader reader = {&replay, on_record, on_fault, NULL};
    *out = (struct audit_history){.last = INT64_MIN, .id = strdup(id)};
    bool read = out->id != NULL && audit_chain_read(files, 0, &reader, &chain, why);
    if (out->id == NULL || replay.failed) {
        snprintf(why, WHY_MAX, "out of memory");
        read = false;
    }
    out->faults = read ? chain.faults : 0;
    json_decref(replay.asked);
    if (!read) {
        audit_history_fini(out);
    }
    return read;
}

void audit_history_fini(struct audit_history *history)
{
    for (size_t i = 0; i < history->spell_count; i++) {
        json_decref(history->spells[i].order);
        json_decref(history->spells[i].asked);
    }
    for (size_t i = 0; i < history->doubt_count; i++) {
        free(history->doubts[i].why);
    }
    for (size_t i = 0; i < history->note_count; i++) {
        free(history->notes[i].what);
        json_decref(history->notes[i].order);
        json_decref(history->notes[i].asked);
    }
    free(history->spells);
    free(history->flips);
    free(history->doubts);
    free(history->notes);
    free(history->id);
    *history = (struct audit_history){0};
}

const struct audit_spell *audit_history_at(const struct audit_history *history, int64_t instant,
                                           int64_t *end)
{
    static const struct audit_spell before = {.from = INT64_MIN, .state = AUDIT_SPELL_BEFORE};
    const struct audit_spell *found = &before;
    *end = history->spell_count > 0 ? history->spells[0].from : INT64_MAX;
    for (size_t i = 0; i < history->spell_count; i++) {
        if (history->spells[i].from <= instant) {
            found = &history->spells[i];
            *end = i + 1 < history->spell_count ? history->spells[i + 1].from : INT64_MAX;
        }
    }
    return found;
}
