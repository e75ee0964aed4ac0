/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One line of the audit record, and how it is chained to the one before it. A line is one object of
 * JSON, as it was written, with these members at its ends and those of the event between them:
 *
 *     {"seq":7,"time":"2026-01-01T00:00:00Z","event":"…",…,"prev":"…","hash":"…"}
 *
 * hash is the SHA-256 of the octets of the line before `,"hash":`, prev the hash of the line with
 * the number before (64 zeros: there is none). So whoever has jq and sha256sum can follow the
 * chain; nothing needs to be brought into a canonical form, what counts are the octets.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "geo/file_bytes.h"

/* The end of a chain: what the next line is chained to. All zero before the first. */
struct audit_head {
    uint64_t seq;
    uint8_t hash[FILE_BYTES_SHA256];
};

/* Octets of a line, without its line feed. */
#define AUDIT_LINE_MAX (8U << 20)

enum audit_line {
    AUDIT_LINE_GOOD,    /* a record whose hash is that of its text */
    AUDIT_LINE_CHANGED, /* it has a hash, which is not that of its text */
    AUDIT_LINE_NONE,    /* not a record at all: damaged, or a part of one */
};

struct audit_record {
    struct audit_head head; /* its own number and hash, as it states them */
    uint8_t prev[FILE_BYTES_SHA256];
    int64_t time;
    const char *text; /* the line, borrowed, not terminated */
    size_t size;
};

/* A record at this instant behind *head, which becomes its own: a line with its line feed, on the
 * heap. members is what stands between time and prev: `"event":"start","version":"1"`. NULL when
 * memory is out. */
char *audit_record_seal(struct audit_head *head, int64_t time, const char *members);

/* Reads a line (without its line feed) far enough to follow the chain; everything between its ends
 * is only hashed. With AUDIT_LINE_CHANGED *out is what it states, with AUDIT_LINE_NONE unset. */
enum audit_line audit_record_parse(const char *text, size_t size, struct audit_record *out);

/* Does this record follow right behind that head? */
bool audit_record_follows(const struct audit_record *record, const struct audit_head *head);

/* Reads 64 lower-case hexadecimal digits at text. */
bool audit_record_digest(const char *text, size_t size, uint8_t out[static FILE_BYTES_SHA256]);
