/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Records on their way to disk: in memory, texts of events become lines that continue the chain.
 * Once memory has run out nothing is added any more, and failed says so.
 */
#pragma once

#include "forwarder/server/audit_writer.h"

struct audit_batch {
    struct audit_head head; /* behind the last line */
    int64_t time;           /* of all of them */
    char *bytes;
    size_t size;
    size_t capacity;
    uint64_t lines;
    bool failed;
};

/* What could not be recorded. */
struct audit_gap {
    int64_t from;  /* until the time of the batch */
    uint64_t lost; /* records */
    bool start;    /* the start of this process is one of them */
    const char *reason;
};

/* Empty, behind a head. */
void audit_batch_init(struct audit_batch *batch, const struct audit_head *head, int64_t time);
void audit_batch_fini(struct audit_batch *batch);

/* A line feed alone, behind half a line. */
void audit_batch_add_feed(struct audit_batch *batch);

/* Half a line that lies before this record: see audit_chain.h. */
void audit_batch_add_torn(struct audit_batch *batch, size_t octets,
                          const uint8_t sha256[static FILE_BYTES_SHA256]);

void audit_batch_add_gap(struct audit_batch *batch, const struct audit_gap *gap);

/* An event's own texts, the first with who asked for it. */
void audit_batch_add_event(struct audit_batch *batch, const struct audit_event *event);

/* A generation that came into force, and each order that differs from before (NULL: every order,
 * and the record says that it is whole). */
void audit_batch_add_generation(struct audit_batch *batch, const struct audit_event *event,
                                const struct audit_facts *before);

/* All that is in force, once more. */
void audit_batch_add_checkpoint(struct audit_batch *batch, const struct audit_facts *facts);
