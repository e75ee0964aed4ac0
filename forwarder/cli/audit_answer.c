/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The answer for one instant (see audit_answer.h).
 */
#include "forwarder/cli/audit_answer.h"

#include <string.h>

#include "forwarder/explain/json_put.h"
#include "policy/instant.h"

enum audit_in_force {
    AUDIT_IN_FORCE,
    AUDIT_NOT_IN_FORCE,
    AUDIT_IN_FORCE_UNKNOWN,
};

struct audit_answer {
    enum audit_in_force in_force;
    const char *why;                 /* of one that is not in force, or not known; else NULL */
    const struct audit_spell *spell; /* the version, if there was one */
    int64_t since;                   /* from when this is so; INT64_MIN: the record does not say */
    int64_t until;                   /* until when; INT64_MAX: it was still so at the end */
};

static int64_t instant_of(const json_t *object, const char *key, int64_t otherwise)
{
    const char *text = json_string_value(json_object_get(object, key));
    int64_t instant;
    if (text == NULL || !instant_parse(text, strlen(text), &instant)) {
        return otherwise;
    }
    return instant;
}

/* Narrows since and until to a border, on whichever side of the instant it is. */
static void narrow(struct audit_answer *answer, int64_t border, int64_t instant)
{
    if (border <= instant && border > answer->since) {
        answer->since = border;
    } else if (border > instant && border < answer->until) {
        answer->until = border;
    }
}

/* An order with windows: what was recorded when one opened or closed. */
static void judge_windows(const struct audit_history *history, int64_t instant,
                          struct audit_answer *answer)
{
    bool known = answer->spell->open_known, open = answer->spell->open;
    for (size_t i = 0; i < history->flip_count; i++) {
        const struct audit_flip *flip = &history->flips[i];
        if (flip->at < answer->spell->from || flip->seq < answer->spell->seq) {
            continue;
        }
        if (flip->at <= instant) {
            known = flip->known;
            open = flip->in_force;
        }
        narrow(answer, flip->at, instant);
    }
    if (!known) {
        answer->in_force = AUDIT_IN_FORCE_UNKNOWN;
        answer->why = "whether a window was open is not recorded";
    } else if (!open) {
        answer->in_force = AUDIT_NOT_IN_FORCE;
        answer->why = "outside its windows";
    }
}

static void judge_version(const struct audit_history *history, int64_t instant,
                          struct audit_answer *answer)
{
    const json_t *order = answer->spell->order;
    const char *status = json_string_value(json_object_get(order, "status"));
    int64_t effective = instant_of(order, "effective", INT64_MIN);
    int64_t end = instant_of(order, "until", INT64_MAX);
    if (status == NULL || strcmp(status, "active") != 0) {
        answer->in_force = AUDIT_NOT_IN_FORCE;
        answer->why = status == NULL                     ? "its status is not recorded"
                      : strcmp(status, "suspended") == 0 ? "suspended"
                                                         : "lifted";
        return;
    }
    answer->in_force = AUDIT_IN_FORCE;
    narrow(answer, effective, instant);
    narrow(answer, end, instant);
    if (instant < effective) {
        answer->in_force = AUDIT_NOT_IN_FORCE;
        answer->why = "before its effective date";
    } else if (instant >= end) {
        answer->in_force = AUDIT_NOT_IN_FORCE;
        answer->why = "past its end";
    } else if (json_is_true(json_object_get(order, "windows"))) {
        judge_windows(history, instant, answer);
    }
}

static void find(const struct audit_history *history, int64_t instant, struct audit_answer *out)
{
    *out = (struct audit_answer){.in_force = AUDIT_NOT_IN_FORCE};
    const struct audit_spell *spell = audit_history_at(history, instant, &out->until);
    out->since = spell->from;
    switch (spell->state) {
    case AUDIT_SPELL_BEFORE:
        out->in_force = AUDIT_IN_FORCE_UNKNOWN;
        out->why = "the record does not go back so far";
        break;
    case AUDIT_SPELL_DOWN:
        out->why = "the daemon did not run, or had not loaded anything yet";
        break;
    case AUDIT_SPELL_ABSENT:
        out->why = "it was not loaded";
        break;
    case AUDIT_SPELL_UNKNOWN:
        out->in_force = AUDIT_IN_FORCE_UNKNOWN;
        out->why = "what was in force is not recorded to its end";
        break;
    case AUDIT_SPELL_PRESENT:
        out->spell = spell;
        judge_version(history, instant, out);
        break;
    }
}

static json_t *doubts_json(const struct audit_history *history, int64_t instant, int64_t now)
{
    json_t *array = json_array();
    if (instant > now) {
        json_array_append_new(array, json_string("that time is yet to come"));
    }
    for (size_t i = 0; i < history->doubt_count; i++) {
        const struct audit_doubt *doubt = &history->doubts[i];
        if (doubt->from <= instant && instant <= doubt->to) {
            json_t *object = json_object();
            json_put_instant(&object, "from", doubt->from);
            json_put_instant(&object, "to", doubt->to);
            json_put_text(&object, "why", doubt->why);
            if (json_array_append_new(array, object) != 0) {
                json_decref(array);
                return NULL;
            }
        }
    }
    return array;
}

/* What the version itself says, taken over as it was recorded. */
static void put_version(json_t **object, const struct audit_spell *spell)
{
    static const char *const keys[] = {"status",    "file",  "sha256",          "lists",
                                       "loaded",    "scope", "include_unknown", "action",
                                       "effective", "until", "last_good"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        json_t *value = spell == NULL ? NULL : json_object_get(spell->order, keys[i]);
        json_put(object, strcmp(keys[i], "until") == 0 ? "end" : keys[i],
                 value == NULL ? json_null() : json_incref(value));
    }
}

/* Does an item with these dates bind at the instant? Unless the order does not. */
static bool item_binds(const json_t *item, int64_t instant)
{
    return instant >= instant_of(item, "effective", INT64_MIN) &&
           instant < instant_of(item, "until", INT64_MAX);
}

/* The names that have dates of their own, as they were recorded, each with in_force. */
static json_t *items_json(const struct audit_answer *answer, int64_t instant)
{
    json_t *known = answer->spell == NULL ? NULL : json_object_get(answer->spell->order, "items");
    json_t *items = json_array();
    size_t index;
    const json_t *item;
    if (json_is_null(known)) {
        json_decref(items);
        return json_null();
    }
    json_array_foreach(known, index, item)
    {
        json_t *copy = json_copy((json_t *)item);
        bool binds = item_binds(item, instant);
        json_put(&copy, "in_force",
                 answer->in_force == AUDIT_IN_FORCE_UNKNOWN && binds
                     ? json_null()
                     : json_boolean(answer->in_force == AUDIT_IN_FORCE && binds));
        if (json_array_append_new(items, copy) != 0) {
            json_decref(items);
            return NULL;
        }
    }
    return items;
}

json_t *audit_answer_json(const struct audit_history *history, int64_t instant, int64_t now)
{
    struct audit_answer answer;
    json_t *object = json_object();
    find(history, instant, &answer);
    json_put_text(&object, "order", history->id);
    json_put_instant(&object, "time", instant);
    json_put(&object, "in_force",
             answer.in_force == AUDIT_IN_FORCE_UNKNOWN
                 ? json_null()
                 : json_boolean(answer.in_force == AUDIT_IN_FORCE));
    json_put_text(&object, "why", answer.why);
    json_put_instant(&object, "from", answer.since);
    json_put_instant(&object, "to", answer.until);
    put_version(&object, answer.spell);
    json_put(&object, "items", items_json(&answer, instant));
    json_put_instant(&object, "version_since",
                     answer.spell == NULL ? INT64_MIN : answer.spell->since);
    json_put(&object, "asked",
             answer.spell == NULL || answer.spell->asked == NULL
                 ? json_null()
                 : json_incref(answer.spell->asked));
    json_put(&object, "seq",
             answer.spell == NULL ? json_null() : json_integer((json_int_t)answer.spell->seq));
    json_put_instant(&object, "record_ends", history->last);
    json_put(&object, "uncertain", doubts_json(history, instant, now));
    return object;
}
