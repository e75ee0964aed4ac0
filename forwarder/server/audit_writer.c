/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing the audit record (see audit_writer.h). Whenever something went wrong the file is closed,
 * and the next try begins with reading what the last files hold: so a start after a crash, and a
 * disk that has room again, are one and the same case. A record is as long as the mark beside it
 * says (audit_mark.h): what was there and is not any more was changed, or taken elsewhere.
 */
#include "forwarder/server/audit_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/audit/audit_chain.h"
#include "forwarder/audit/audit_files.h"
#include "forwarder/audit/audit_mark.h"
#include "forwarder/server/audit_batch.h"
#include "forwarder/server/audit_facts.h"

/* How often, and how far apart, the lock is tried: a fifth of a second in all. */
#define LOCK_TRIES 20
#define LOCK_PAUSE_NS 10000000L

/* A batch of which nobody knows how much of it came on disk. */
struct failed_batch {
    uint64_t first; /* number of the first record of its event; 0: there is no such batch */
    uint64_t lines; /* of that event */
    int64_t time;
    uint64_t gap; /* number of the record of a gap in it; 0: it has none */
};

struct audit_writer {
    char *folder;
    size_t file_max;
    struct audit_writer_state state;
    int descriptor; /* of the last file, -1: not open */
    unsigned file;
    size_t size;              /* octets in it */
    size_t base;              /* of these, up to behind what was in force when it began */
    struct audit_chain chain; /* as it was opened: what its tail is */
    bool whole;               /* what is in force must be told whole next */
    bool began;               /* this process has recorded something */
    struct failed_batch failed;
    struct audit_facts *facts; /* in force */
    struct audit_mark mark;    /* how far the record has come, by all that is known; if */
    bool marked;
};

void audit_event_fini(struct audit_event *event)
{
    free(event->members);
    audit_facts_unref(event->facts);
    event->members = NULL;
    event->facts = NULL;
}

struct audit_writer *audit_writer_new(const struct audit_writer_setup *setup)
{
    struct audit_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        return NULL;
    }
    writer->descriptor = -1;
    writer->file_max = setup->file_max;
    writer->folder = strdup(setup->folder);
    if (writer->folder == NULL) {
        free(writer);
        return NULL;
    }
    return writer;
}

static void shut(struct audit_writer *writer)
{
    if (writer->descriptor >= 0) {
        close(writer->descriptor);
    }
    writer->descriptor = -1;
}

void audit_writer_free(struct audit_writer *writer)
{
    if (writer == NULL) {
        return;
    }
    shut(writer);
    audit_facts_unref(writer->facts);
    free(writer->folder);
    free(writer);
}

const struct audit_writer_state *audit_writer_state(const struct audit_writer *writer)
{
    return &writer->state;
}

/* From errno. Returns false. */
static bool refuse(struct audit_writer *writer, const char *what)
{
    snprintf(writer->state.problem, WHY_MAX, "%.200s: %s: %s", writer->folder, what,
             strerror(errno));
    return false;
}

static void lose(struct audit_writer *writer, int64_t since, uint64_t lines)
{
    if (writer->state.since == 0) {
        writer->state.since = since;
    }
    writer->state.lost += lines;
    writer->whole = true;
}

/* Brings the entries of a folder on disk. */
static bool sync_folder(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool done = folder >= 0 && fsync(folder) == 0;
    if (folder >= 0) {
        close(folder);
    }
    return done;
}

/* Makes the folder where there is none. */
static bool make_folder(struct audit_writer *writer)
{
    char above[4096];
    if (mkdir(writer->folder, 0750) == 0 || errno == EEXIST) {
        return true;
    }
    snprintf(above, sizeof above, "%s", writer->folder);
    char *slash = strrchr(above, '/');
    if (errno == ENOENT && slash != NULL && slash != above) {
        *slash = '\0';
        if ((mkdir(above, 0750) == 0 || errno == EEXIST) && mkdir(writer->folder, 0750) == 0) {
            return true;
        }
    }
    return refuse(writer, "cannot be made");
}

/* Opens a file to append to, which must not be there yet if fresh. */
static bool open_file(struct audit_writer *writer, unsigned number, bool fresh)
{
    int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW | (fresh ? O_CREAT | O_EXCL : 0);
    char *path = audit_files_path(writer->folder, number);
    shut(writer);
    errno = ENOMEM;
    writer->descriptor = path == NULL ? -1 : open(path, flags, 0640);
    free(path);
    if (writer->descriptor < 0 || (fresh && !sync_folder(writer->folder))) {
        shut(writer);
        return refuse(writer, "no file can be opened");
    }
    writer->file = number;
    return true;
}

/* How much of the batch that failed is there after all? The rest is lost. */
static void settle(struct audit_writer *writer)
{
    struct failed_batch failed = writer->failed;
    uint64_t last = writer->chain.head.seq;
    writer->failed.first = 0;
    if (failed.first == 0) {
        return;
    }
    uint64_t written = last < failed.first ? 0 : last - failed.first + 1;
    writer->began = writer->began || written > 0;
    if (failed.gap != 0 && last >= failed.gap) {
        writer->state.since = failed.time; /* what was lost before is told already */
        writer->state.lost = 0;
        writer->state.gaps++;
    }
    if (written < failed.lines) {
        lose(writer, failed.time, failed.lines - written);
    }
}

/* Is what the mark tells of, or all that there was, not here any more? Then the record goes on
 * from there, in a file of its own, wherever the others are now. */
static bool was_taken_away(const struct audit_writer *writer, const struct audit_file *last)
{
    const struct audit_chain *chain = &writer->chain;
    return writer->marked && (last == NULL || last->number < writer->mark.file ||
                              (chain->records == 0 && !chain->tail_is_record));
}

/* The next record is the first of a file that is not there yet. */
static bool begin_file(struct audit_writer *writer, unsigned number)
{
    if (!open_file(writer, number, true)) {
        return false;
    }
    writer->size = 0;
    writer->base = 0;
    writer->whole = true;
    return true;
}

static void tell_meddling(struct audit_writer *writer)
{
    char hex[FILE_BYTES_HEX_MAX];
    snprintf(writer->state.problem, WHY_MAX,
             "the file was changed by another hand: it ended with record %llu, hash %s",
             (unsigned long long)writer->mark.head.seq,
             file_bytes_hex(writer->mark.head.hash, hex));
}

/* The record, as it was when it was last written to, ended later than it does now. */
static void note_cut(struct audit_writer *writer, int64_t now)
{
    uint64_t known = writer->mark.head.seq, last = writer->chain.head.seq;
    if (writer->marked && known > last) {
        lose(writer, writer->chain.records > 0 ? writer->chain.last_time : now, known - last);
        tell_meddling(writer);
    }
}

/* Goes on where the files end, or where they ended. */
static bool resume(struct audit_writer *writer, const struct audit_file *last, int64_t now)
{
    unsigned number = last == NULL ? 0 : last->number;
    bool taken = was_taken_away(writer, last);
    writer->state.faults = writer->chain.faults - (writer->chain.tail > 0 ? 1 : 0);
    if (taken) {
        writer->chain.head = writer->mark.head;
        number = number > writer->mark.file ? number : writer->mark.file;
    }
    writer->state.head = writer->chain.head;
    settle(writer);
    note_cut(writer, now);
    if (taken || last == NULL || last->packed) {
        return begin_file(writer, number + 1);
    }
    writer->size = writer->chain.file_size;
    writer->base = 0;
    return open_file(writer, last->number, false);
}

/* Reads the last two files (the very last may be empty), and opens the last. */
static bool reopen(struct audit_writer *writer, int64_t now)
{
    static const struct audit_chain_reader silent = {0};
    struct audit_files files = {0};
    char why[WHY_MAX];
    if (!make_folder(writer)) {
        return false;
    }
    if (!writer->marked) {
        writer->marked = audit_mark_read(writer->folder, &writer->mark, why) == AUDIT_MARK_READ;
    }
    if (!audit_files_add(&files, writer->folder, writer->state.problem)) {
        return false;
    }
    bool resumed = audit_chain_read(&files, files.count > 2 ? files.count - 2 : 0, &silent,
                                    &writer->chain, writer->state.problem) &&
                   resume(writer, files.count == 0 ? NULL : &files.items[files.count - 1], now);
    audit_files_fini(&files);
    return resumed;
}

static bool put_all(int descriptor, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t put = write(descriptor, bytes, size);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        bytes += put;
        size -= (size_t)put;
    }
    return true;
}

/* The lock keeps readers from seeing half a line, which does little harm: one of them who does not
 * let go of it must not keep the record from being written. */
static void await_readers(int descriptor)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE_NS};
    for (unsigned i = 0; i < LOCK_TRIES && flock(descriptor, LOCK_EX | LOCK_NB) != 0; i++) {
        nanosleep(&pause, NULL);
    }
}

static bool put(struct audit_writer *writer, const struct audit_batch *batch)
{
    if (batch->failed) {
        errno = ENOMEM;
        return refuse(writer, "cannot be written");
    }
    await_readers(writer->descriptor);
    bool written = put_all(writer->descriptor, batch->bytes, batch->size);
    int reason = errno;
    (void)flock(writer->descriptor, LOCK_UN);
    errno = reason;
    if (!written || fdatasync(writer->descriptor) != 0) {
        return refuse(writer, "cannot be written");
    }
    return true;
}

/* What must stand before the next event: the end of half a line, what was lost, what is in force
 * unless the event itself tells that. Returns the number of the record of a gap, or 0. */
static uint64_t add_due(struct audit_writer *writer, struct audit_batch *batch, bool told)
{
    uint64_t gap = 0;
    if (writer->chain.tail > 0) {
        if (writer->size > 0) { /* it may stand at the end of another file */
            audit_batch_add_feed(batch);
        }
        if (!writer->chain.tail_is_record) {
            audit_batch_add_torn(batch, writer->chain.tail, writer->chain.tail_hash);
        }
    }
    if (writer->state.since != 0) {
        audit_batch_add_gap(batch, &(struct audit_gap){
                                       .from = writer->state.since,
                                       .lost = writer->state.lost,
                                       .start = !writer->began,
                                       .reason = writer->state.problem[0] == '\0'
                                                     ? "events came faster than the disk"
                                                     : writer->state.problem,
                                   });
        gap = batch->head.seq;
    }
    if (writer->whole && !told && writer->facts != NULL) {
        audit_batch_add_checkpoint(batch, writer->facts);
    }
    return gap;
}

static void done(struct audit_writer *writer, const struct audit_batch *batch, uint64_t gap)
{
    writer->state.head = batch->head;
    writer->state.problem[0] = '\0';
    writer->size += batch->size;
    writer->base = writer->whole && writer->base == 0 ? writer->size : writer->base;
    writer->whole = false;
    writer->began = writer->began || batch->lines > 0;
    writer->chain.tail = 0;
    writer->mark = (struct audit_mark){batch->head, writer->file};
    writer->marked = true;
    (void)audit_mark_write(writer->folder, &writer->mark); /* an older one is still true */
    if (gap != 0) {
        writer->state.gaps++;
        writer->state.since = 0;
        writer->state.lost = 0;
    }
}

/* The file is full: the next one. */
static bool rotate(struct audit_writer *writer)
{
    if (writer->chain.tail > 0 || writer->size < writer->base + writer->file_max) {
        return true;
    }
    return begin_file(writer, writer->file + 1);
}

static void add_event(struct audit_writer *writer, struct audit_batch *batch,
                      const struct audit_event *event)
{
    if (event->facts != NULL) {
        audit_batch_add_generation(batch, event, writer->whole ? NULL : writer->facts);
    } else {
        audit_batch_add_event(batch, event);
    }
}

/* Counts the records of an event that has nowhere to go. */
static void lose_event(struct audit_writer *writer, const struct audit_event *event, int64_t now)
{
    struct audit_batch batch;
    if (event == NULL) {
        return;
    }
    audit_batch_init(&batch, &writer->state.head, now);
    add_event(writer, &batch, event);
    lose(writer, now, batch.lines);
    audit_batch_fini(&batch);
}

static void write_batch(struct audit_writer *writer, const struct audit_event *event, int64_t now)
{
    struct audit_batch batch;
    audit_batch_init(&batch, &writer->state.head, now);
    uint64_t gap = add_due(writer, &batch, event != NULL && event->facts != NULL);
    uint64_t due = batch.lines;
    if (event != NULL) {
        add_event(writer, &batch, event);
    }
    if (batch.size > 0 && !put(writer, &batch)) {
        shut(writer);
        writer->failed =
            (struct failed_batch){writer->state.head.seq + due + 1, batch.lines - due, now, gap};
        lose(writer, now, 0);
    } else {
        done(writer, &batch, gap);
    }
    audit_batch_fini(&batch);
}

/* Is the file that is open still what was written, and where it was? */
static bool is_as_left(const struct audit_writer *writer)
{
    struct stat open, named;
    char *path = audit_files_path(writer->folder, writer->file);
    bool same = path != NULL && fstat(writer->descriptor, &open) == 0 && lstat(path, &named) == 0 &&
                open.st_ino == named.st_ino && open.st_dev == named.st_dev &&
                (size_t)open.st_size == writer->size;
    free(path);
    return same;
}

/* Somebody else changed, moved or removed the file: what there was, and that it is gone, is told.
 */
static void note_meddling(struct audit_writer *writer, int64_t now)
{
    shut(writer);
    if (reopen(writer, now) && writer->state.since == 0) {
        lose(writer, now, 0);
        tell_meddling(writer);
    }
}

void audit_writer_write(struct audit_writer *writer, const struct audit_event *event, int64_t now)
{
    if (writer->descriptor >= 0 && !is_as_left(writer)) {
        note_meddling(writer, now);
    }
    if (event != NULL && event->dropped > 0) {
        lose(writer, event->dropped_since, event->dropped);
    }
    if ((writer->descriptor < 0 && !reopen(writer, now)) || !rotate(writer)) {
        lose_event(writer, event, now);
    } else {
        write_batch(writer, event, now);
    }
    if (event != NULL && event->facts != NULL) {
        audit_facts_unref(writer->facts);
        writer->facts = audit_facts_ref(event->facts);
    }
}
