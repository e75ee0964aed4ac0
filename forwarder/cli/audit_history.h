/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the audit record says of one order: from when to when which version of it was loaded, with
 * whom that was asked by, and the times of which the record cannot say. Replays the record once;
 * the windows and dates of a version are judged when a time is asked about.
 */
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/problem.h"

enum audit_spell_state {
    AUDIT_SPELL_BEFORE,  /* the record does not go back so far */
    AUDIT_SPELL_DOWN,    /* the daemon did not run */
    AUDIT_SPELL_ABSENT,  /* no such order */
    AUDIT_SPELL_PRESENT, /* a version of it */
    AUDIT_SPELL_UNKNOWN, /* the record does not say */
};

/* A stretch of time in which nothing changed but what the version itself says. */
struct audit_spell {
    int64_t from; /* INT64_MIN: from the beginning */
    enum audit_spell_state state;
    json_t *order;   /* the version, as the record has it; one reference */
    json_t *asked;   /* who had it loaded; NULL: the record does not say */
    uint64_t seq;    /* of the record that says so */
    int64_t since;   /* when this version came into force first, of all restarts */
    bool open_known; /* of one with windows: is it known whether one was open at the beginning? */
    bool open;
};

/* An order began or ended to bind, by its dates or windows; or records may be missing that would
 * have told of that. */
struct audit_flip {
    int64_t at;
    uint64_t seq; /* of the record; of one that is missing: of the last before it */
    bool known;
    bool in_force; /* if that is known */
};

/* A time of which the record cannot say all. */
struct audit_doubt {
    int64_t from; /* including both */
    int64_t to;
    char *why;
};

/* A line of the order's history. */
struct audit_note {
    int64_t time;
    uint64_t seq;
    char *what;
    json_t *order; /* a reference, or NULL */
    json_t *asked; /* likewise */
};

struct audit_files;

struct audit_history {
    char *id;
    struct audit_spell *spells;
    size_t spell_count;
    struct audit_flip *flips;
    size_t flip_count;
    struct audit_doubt *doubts;
    size_t doubt_count;
    struct audit_note *notes;
    size_t note_count;
    bool seen;     /* the record knows this order */
    int64_t last;  /* time of the last record; INT64_MIN: there is none */
    bool running;  /* the record does not end with a stop */
    size_t faults; /* of the record; said on standard error */
};

/* Reads the record in these files. False with a reason. */
bool audit_history_read(const struct audit_files *files, const char *id, struct audit_history *out,
                        char why[static WHY_MAX]);
void audit_history_fini(struct audit_history *history);

/* The stretch that holds an instant, and the end of it (INT64_MAX: none is known). */
const struct audit_spell *audit_history_at(const struct audit_history *history, int64_t instant,
                                           int64_t *end);
