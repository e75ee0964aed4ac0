/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing the audit record under `state`: events become lines, chained to those that are there, and
 * each event is on disk before the next one is looked at. For one thread, which may wait for the
 * disk.
 *
 * What cannot be written is lost, and counted; as soon as something can be written again, a record
 * of the gap comes first, then all that is in force. A line that was written half stays, and a
 * record behind it says so (audit_chain.h).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "forwarder/audit/audit_record.h"
#include "geo/problem.h"

struct audit_facts;
struct audit_writer;

/* Who caused an event. */
enum audit_asker_kind {
    AUDIT_ASKER_START,
    AUDIT_ASKER_CONTROL, /* over the control socket: a process, by what the kernel says of it */
    AUDIT_ASKER_SIGNAL,  /* SIGHUP */
    AUDIT_ASKER_WATCH,   /* a file was edited */
};

struct audit_asker {
    enum audit_asker_kind kind;
    uid_t uid; /* of AUDIT_ASKER_CONTROL, as the next two */
    gid_t gid;
    pid_t pid;
};

#define AUDIT_ASKERS_MAX 16

/* Something that happened. */
struct audit_event {
    int64_t time;
    char *members;             /* of its records, a line each, on the heap; with facts NULL */
    struct audit_facts *facts; /* a generation came into force: one reference */
    struct audit_asker askers[AUDIT_ASKERS_MAX];
    size_t asker_count;
    uint64_t dropped; /* events before it that found no room or memory */
    int64_t dropped_since;
};

void audit_event_fini(struct audit_event *event);

struct audit_writer_setup {
    const char *folder; /* made when it is not there, and so is the one above it */
    size_t file_max;    /* octets of a file, after the records of what was in force when it began */
};

/* The state of the record. */
struct audit_writer_state {
    struct audit_head head;
    uint64_t lost;         /* records, in the gap that is open */
    int64_t since;         /* of that gap; 0: none is */
    uint64_t gaps;         /* that were recorded */
    char problem[WHY_MAX]; /* why nothing can be written; "": it can */
    size_t faults;         /* that were seen in the last files when they were opened */
};

/* NULL when memory is out. Nothing is touched before the first event. */
struct audit_writer *audit_writer_new(const struct audit_writer_setup *setup);
void audit_writer_free(struct audit_writer *writer); /* NULL is allowed */

/* Writes an event, and whatever is due before it. NULL: only what is due. */
void audit_writer_write(struct audit_writer *writer, const struct audit_event *event, int64_t now);

const struct audit_writer_state *audit_writer_state(const struct audit_writer *writer);
