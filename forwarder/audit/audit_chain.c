/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Following the chain (see audit_chain.h). Lines that are no records are held back until it is
 * known whether the next record tells of the last of them. The others are faults, and so is that
 * one if it does not; behind a fault the next record need not follow the one before it.
 */
#include "forwarder/audit/audit_chain.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines between two records that are told one by one. */
#define HELD_MAX 64

struct held {
    struct audit_place place;
    enum audit_line kind;
    size_t octets; /* without its line feed */
    size_t zeros;  /* among them */
};

struct walk {
    const struct audit_chain_reader *reader;
    struct audit_chain *out;
    const char *path;           /* of the file that is read */
    bool anchored;              /* the next record must follow out->head */
    struct held held[HELD_MAX]; /* lines since the last record that are none */
    size_t held_count;
    bool over_full;                       /* more than that */
    size_t last_size;                     /* of the last of them, with a line feed */
    uint8_t last_hash[FILE_BYTES_SHA256]; /* of its octets */
    bool cut;                             /* the file has no line feed at its end, */
    bool tail_is_record;                  /* but a whole record */
    struct audit_head tail_head;          /* with this head */
    bool ended;                           /* the reader wants no more */
};

static void fault(struct walk *walk, const struct audit_place *place, const char *what)
{
    walk->out->faults++;
    if (walk->reader->on_fault != NULL) {
        walk->reader->on_fault(walk->reader->ctx, place, what);
    }
}

static size_t count_zeros(const char *text, size_t size)
{
    size_t zeros = 0;
    for (size_t i = 0; i < size; i++) {
        zeros += text[i] == '\0' ? 1 : 0;
    }
    return zeros;
}

static void hold(struct walk *walk, const struct audit_place *place, enum audit_line kind,
                 const char *text, size_t size)
{
    const struct held held = {*place, kind, size, count_zeros(text, size)};
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (walk->held_count < HELD_MAX) {
        walk->held[walk->held_count++] = held;
    } else {
        walk->over_full = true;
    }
    walk->out->zeros += held.zeros;
    walk->last_size = size + 1;
    if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1 ||
        EVP_DigestUpdate(digest, text, size) != 1 || EVP_DigestUpdate(digest, "\n", 1) != 1 ||
        EVP_DigestFinal_ex(digest, walk->last_hash, NULL) != 1) {
        walk->last_size = 0; /* memory is out: nothing tells of it, then */
    }
    EVP_MD_CTX_free(digest);
}

static const char *fault_text(enum audit_line kind)
{
    switch (kind) {
    case AUDIT_LINE_CHANGED:
        return "this line was changed: its hash is not that of its text";
    case AUDIT_LINE_NONE:
        return "this line is no record: it was changed, or is a part of one";
    case AUDIT_LINE_GOOD:
        break;
    }
    return "this line is out of place";
}

/* Nobody tells of these lines. */
static void condemn(struct walk *walk)
{
    for (size_t i = 0; i < walk->held_count; i++) {
        const struct held *held = &walk->held[i];
        char what[WHY_MAX];
        if (held->zeros == 0) {
            fault(walk, &held->place, fault_text(held->kind));
            continue;
        }
        snprintf(what, sizeof what,
                 "this line is no record: of its %zu octets %zu are zero, as a power cut may leave "
                 "them; several records may be missing here",
                 held->octets, held->zeros);
        fault(walk, &held->place, what);
    }
    walk->anchored = walk->anchored && walk->held_count == 0;
    walk->held_count = 0;
    walk->over_full = false;
}

/* Is the record one that tells of the line before it? */
static bool tells_of_line(const struct walk *walk, const struct audit_record *record)
{
    char hex[FILE_BYTES_HEX_MAX];
    json_t *object = json_loadb(record->text, record->size, JSON_REJECT_DUPLICATES, NULL);
    const char *event = json_string_value(json_object_get(object, "event"));
    const char *sha256 = json_string_value(json_object_get(object, "sha256"));
    json_int_t octets = json_integer_value(json_object_get(object, "octets"));
    bool tells = event != NULL && strcmp(event, "torn") == 0 && sha256 != NULL &&
                 walk->last_size > 0 && octets == (json_int_t)walk->last_size &&
                 strcmp(sha256, file_bytes_hex(walk->last_hash, hex)) == 0;
    json_decref(object);
    return tells;
}

/* The lines between two records. */
static void judge_held(struct walk *walk, const struct audit_record *record)
{
    const struct held last = walk->held[walk->held_count - 1];
    if (!walk->over_full && tells_of_line(walk, record)) {
        walk->held_count--;
        walk->out->torn++;
        if (walk->reader->on_torn != NULL) {
            walk->reader->on_torn(walk->reader->ctx, &last.place, last.octets, last.zeros);
        }
    }
    condemn(walk);
}

static void judge_link(struct walk *walk, const struct audit_place *place,
                       const struct audit_record *record)
{
    const struct audit_head *head = &walk->out->head;
    char what[WHY_MAX];
    if (walk->anchored && !audit_record_follows(record, head)) {
        if (record->head.seq > head->seq + 1) {
            snprintf(what, sizeof what, "records %llu to %llu are missing before this one",
                     (unsigned long long)head->seq + 1, (unsigned long long)record->head.seq - 1);
        } else if (record->head.seq == head->seq + 1) {
            snprintf(what, sizeof what,
                     "not chained to the record before: that one, or this, is another one");
        } else {
            snprintf(what, sizeof what, "record %llu where record %llu was expected",
                     (unsigned long long)record->head.seq, (unsigned long long)head->seq + 1);
        }
        fault(walk, place, what);
    }
}

static void take_record(struct walk *walk, const struct audit_place *place,
                        const struct audit_record *record)
{
    struct audit_chain *out = walk->out;
    if (walk->held_count > 0) {
        judge_held(walk, record);
    }
    judge_link(walk, place, record);
    if (out->records++ == 0) {
        out->first = record->head.seq;
        memcpy(out->prev, record->prev, sizeof out->prev);
        out->first_time = record->time;
    }
    out->last_time = record->time;
    out->head = record->head;
    walk->anchored = true;
    if (walk->reader->on_record != NULL &&
        !walk->reader->on_record(walk->reader->ctx, place, record)) {
        walk->ended = true;
    }
}

/* The last line of a file, without its line feed. */
static void take_tail(struct walk *walk, const struct audit_place *place, const char *text,
                      size_t size)
{
    struct audit_record record;
    hold(walk, place, AUDIT_LINE_NONE, text, size);
    walk->tail_is_record = audit_record_parse(text, size, &record) == AUDIT_LINE_GOOD;
    walk->tail_head = walk->tail_is_record ? record.head : (struct audit_head){0};
}

static void read_lines(struct walk *walk, const char *bytes, size_t size)
{
    struct audit_place place = {walk->path, 0};
    walk->cut = false;
    for (size_t at = 0; at < size && !walk->ended;) {
        const char *text = bytes + at;
        const char *feed = memchr(text, '\n', size - at);
        struct audit_record record;
        place.line++;
        if (feed == NULL) {
            walk->cut = true;
            take_tail(walk, &place, text, size - at);
            return;
        }
        size_t length = (size_t)(feed - text);
        enum audit_line kind = audit_record_parse(text, length, &record);
        if (kind == AUDIT_LINE_GOOD) {
            take_record(walk, &place, &record);
        } else {
            hold(walk, &place, kind, text, length);
        }
        at += length + 1;
    }
}

static bool read_file(struct walk *walk, const struct audit_file *file, char why[static WHY_MAX])
{
    char reason[WHY_MAX];
    size_t size;
    char *bytes = audit_files_read(file->path, &size, reason);
    if (bytes == NULL) {
        snprintf(why, WHY_MAX, "%.160s: %.140s", file->path, reason);
        return false;
    }
    walk->path = file->path;
    walk->out->file_size = size;
    read_lines(walk, bytes, size);
    free(bytes);
    return true;
}

/* The end of the last file. */
static void judge_tail(struct walk *walk)
{
    struct audit_chain *out = walk->out;
    const struct held last = walk->held[walk->held_count == 0 ? 0 : walk->held_count - 1];
    if (walk->ended || walk->held_count == 0) {
        return;
    }
    if (!walk->cut || walk->over_full) {
        condemn(walk);
        return;
    }
    walk->held_count--;
    condemn(walk);
    char what[WHY_MAX];
    if (last.zeros > 0) {
        snprintf(
            what, sizeof what,
            "the record ends in the middle of a line of %zu octets, of which %zu are zero, as a "
            "power cut may leave them: several records may be missing here",
            last.octets, last.zeros);
    } else {
        snprintf(what, sizeof what,
                 "the record ends in the middle of a line, of which there are %zu octets: its "
                 "writer was stopped, or something was cut off",
                 last.octets);
    }
    fault(walk, &last.place, what);
    out->tail = walk->last_size;
    memcpy(out->tail_hash, walk->last_hash, sizeof out->tail_hash);
    out->tail_is_record = walk->tail_is_record;
    if (walk->tail_is_record) {
        out->head = walk->tail_head;
    }
}

bool audit_chain_read(const struct audit_files *files, size_t skip_files,
                      const struct audit_chain_reader *reader, struct audit_chain *out,
                      char why[static WHY_MAX])
{
    struct walk walk = {.reader = reader, .out = out};
    bool read = true;
    *out = (struct audit_chain){0};
    /* The first record of all follows nothing, and says so. */
    walk.anchored = skip_files == 0 && files->count > 0 && files->items[0].number == 1;
    for (size_t i = skip_files; read && !walk.ended && i < files->count; i++) {
        read = read_file(&walk, &files->items[i], why);
    }
    judge_tail(&walk);
    return read;
}
