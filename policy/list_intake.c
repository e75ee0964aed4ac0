/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Judging and collecting. Not here: how any list is written, and the sealing. Owns nothing: the
 * collections are its caller's (policy/name_list.c). Invariant: a name or network that blocks is
 * collected only once the guard, or allow-wide, has let it through.
 */
#include "policy/list_intake.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy/guard.h"
#include "policy/network_rules.h"
#include "policy/suffix_map.h"

/* ---- Problems ---- */

__attribute__((format(printf, 4, 0))) static void tell(struct list_intake *intake,
                                                       struct list_tally *tally,
                                                       struct list_place place, const char *format,
                                                       va_list args)
{
    char text[2 * WHY_MAX];
    if (++tally->count <= NAME_LIST_PROBLEMS) {
        vsnprintf(text, sizeof text, format, args);
        problem_list_add(intake->problems, tally->level, intake->options->name, place.line,
                         place.column, "%s", text);
    }
}

void list_intake_bad(struct list_intake *intake, struct list_place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(intake, &intake->bad, place, format, args);
    va_end(args);
}

void list_intake_note(struct list_intake *intake, struct list_place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(intake, &intake->noted, place, format, args);
    va_end(args);
}

__attribute__((format(printf, 3, 4))) static void
refuse(struct list_intake *intake, struct list_place place, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    tell(intake, &intake->refused, place, format, args);
    va_end(args);
}

void list_intake_say(struct list_intake *intake, enum problem_level level, const char *format, ...)
{
    char text[2 * WHY_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    problem_list_add(intake->problems, level, intake->options->name, 0, 0, "%s", text);
    intake->bad.count += level == PROBLEM_ERROR;
}

static void tell_rest(const struct list_intake *intake, const struct list_tally *tally)
{
    if (tally->count > NAME_LIST_PROBLEMS) {
        problem_list_add(intake->problems, tally->level, intake->options->name, 0, 0, "%zu %s",
                         tally->count - NAME_LIST_PROBLEMS, tally->rest);
    }
}

/* ---- Names ---- */

static void add(struct list_intake *intake, const struct dname *name, enum name_kind kind,
                uint32_t rule)
{
    if (!suffix_map_builder_add(intake->builder, name, rule << NAME_KIND_BITS | (uint32_t)kind)) {
        intake->out_of_memory = true;
    }
}

/* Adds a name that is free, and marks the names above it as having something free below them. */
static void add_free(struct list_intake *intake, const struct dname *name, enum name_kind kind)
{
    add(intake, name, kind, 0);
    /* If only what is below a name passes, the name itself is above it too. */
    unsigned above = name->labels + (kind == NAME_PASS_BELOW ? 1U : 0U);
    for (unsigned labels = 0; labels < above; labels++) {
        struct dname ancestor;
        dname_suffix(name, labels, &ancestor);
        add(intake, &ancestor, NAME_FREE_BELOW, 0);
    }
}

/* A guard_visit_fn. */
static bool add_protected(void *ctx, const struct dname *name)
{
    struct list_intake *intake = ctx;
    add_free(intake, name, NAME_EXCEPT);
    return !intake->out_of_memory;
}

/* Every name is blocked, for some client at least: what is protected still may not be. */
static void except_protected(struct list_intake *intake)
{
    if (!intake->protected_added) {
        intake->protected_added = true;
        guard_each_protected(intake->options->guard, add_protected, intake);
    }
}

/* May the order block this name? If not, it is counted and told. */
static bool allows_name(struct list_intake *intake, struct list_place place,
                        const struct dname *name)
{
    const struct name_list_options *options = intake->options;
    char why[WHY_MAX];
    bool permitted = guard_permits(options->guard, &options->wide, name, why);
    if (!permitted) {
        refuse(intake, place, "%s", why);
    }
    return permitted;
}

void list_intake_block(struct list_intake *intake, struct list_place place,
                       const struct dname *name, enum name_kind kind, uint32_t rule)
{
    if (!allows_name(intake, place, name)) {
        return;
    }
    intake->count++;
    add(intake, name, kind, rule);
    if (name->labels == 0 && kind != NAME_EXACT) {
        except_protected(intake);
    }
}

void list_intake_pass(struct list_intake *intake, const struct dname *name, enum name_kind kind)
{
    intake->count++;
    add_free(intake, name, kind);
}

/* ---- Networks ---- */

static void add_network(struct list_intake *intake, struct list_networks *networks,
                        const struct network_rule *network)
{
    if (networks->count == networks->capacity) {
        size_t capacity = networks->capacity * 2 + 16;
        struct network_rule *items = reallocarray(networks->items, capacity, sizeof *items);
        if (items == NULL) {
            intake->out_of_memory = true;
            return;
        }
        networks->items = items;
        networks->capacity = capacity;
    }
    networks->items[networks->count++] = *network;
    intake->count++;
}

static bool allows_network(struct list_intake *intake, struct list_place place,
                           const struct network *network)
{
    const struct name_list_options *options = intake->options;
    char why[WHY_MAX];
    bool permitted = guard_permits_network(options->guard, &options->wide, network, why);
    if (!permitted) {
        refuse(intake, place, "%s", why);
    }
    return permitted;
}

void list_intake_answer(struct list_intake *intake, struct list_place place,
                        const struct network_rule *network)
{
    if (network->rule == NAME_LIST_PASS || allows_network(intake, place, &network->network)) {
        add_network(intake, &intake->answers, network);
    }
}

void list_intake_client(struct list_intake *intake, struct list_place place,
                        const struct network_rule *network)
{
    static const struct dname root = {.size = 1};
    if (network->rule != NAME_LIST_PASS) {
        if (!guard_wide_has(&intake->options->wide, &root)) {
            refuse(intake, place,
                   "blocks every name for these clients, and allow-wide does not list the root "
                   "(\".\")");
            return;
        }
        if (!allows_network(intake, place, &network->network)) {
            return;
        }
        except_protected(intake);
    }
    add_network(intake, &intake->clients, network);
}

/* ---- The list as a whole ---- */

bool list_intake_end(struct list_intake *intake)
{
    tell_rest(intake, &intake->bad);
    tell_rest(intake, &intake->refused);
    tell_rest(intake, &intake->noted);
    if (intake->out_of_memory) {
        list_intake_say(intake, PROBLEM_ERROR, "out of memory");
    }
    if (intake->bad.count > 0 || (intake->refused.count > 0 && intake->options->refuse_is_error)) {
        return false;
    }
    if (intake->count == 0 && intake->refused.count > 0) {
        list_intake_say(intake, PROBLEM_ERROR, "every name of the list was refused");
    } else if (intake->count == 0 && intake->may_be_empty) {
        list_intake_say(intake, PROBLEM_WARNING, "the list blocks nothing");
    } else if (intake->count == 0) {
        list_intake_say(intake, PROBLEM_ERROR, "the list holds no name");
    }
    return intake->bad.count == 0;
}
