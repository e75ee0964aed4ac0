/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A table of ways to unpack (zlib, libzstd), and one loop around them: it reads packed bytes, lets
 * the way take some, and goes on until there is something to hand out. Invariant: the end is told
 * only when the source has ended where a member or frame ends.
 */
#include "policy/list_unpack.h"

#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#define PACKED_BYTES (64U * 1024U)

struct list_unpack {
    const struct way *way;
    const struct name_list_source *source;
    uint64_t total; /* bytes handed out */
    bool source_ended;
    bool whole;      /* nothing of a member or frame has been read, or all of one */
    bool any;        /* some member or frame has begun */
    size_t at, size; /* in packed */
    char *packed;
    z_stream gzip;
    ZSTD_DStream *zstd;
};

/* Where unpacked bytes go. */
struct room {
    char *out;
    size_t size;
    size_t used;
};

/* A way to unpack. step takes bytes from packed and fills room; false with a sentence. */
struct way {
    const char *name;
    bool (*begin)(struct list_unpack *unpack);
    bool (*step)(struct list_unpack *unpack, struct room *room, char why[static WHY_MAX]);
    void (*end)(struct list_unpack *unpack);
};

/* ---- gzip ---- */

static bool gzip_begin(struct list_unpack *unpack)
{
    /* 16: gzip and nothing else; 15: the largest window there is. */
    return inflateInit2(&unpack->gzip, 16 + 15) == Z_OK;
}

static bool gzip_step(struct list_unpack *unpack, struct room *room, char why[static WHY_MAX])
{
    z_stream *gzip = &unpack->gzip;
    if (unpack->whole && unpack->any && inflateReset(gzip) != Z_OK) {
        snprintf(why, WHY_MAX, "cannot be unpacked (gzip)");
        return false;
    }
    gzip->next_in = (unsigned char *)unpack->packed + unpack->at;
    gzip->avail_in = (unsigned)(unpack->size - unpack->at);
    gzip->next_out = (unsigned char *)room->out;
    gzip->avail_out = (unsigned)room->size;
    int status = inflate(gzip, Z_NO_FLUSH);
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR) {
        snprintf(why, WHY_MAX, "cannot be unpacked (gzip): %s",
                 gzip->msg != NULL ? gzip->msg : zError(status));
        return false;
    }
    unpack->at = unpack->size - gzip->avail_in;
    room->used = room->size - gzip->avail_out;
    unpack->whole = status == Z_STREAM_END;
    unpack->any = true;
    return true;
}

static void gzip_end(struct list_unpack *unpack)
{
    inflateEnd(&unpack->gzip);
}

/* ---- Zstandard ---- */

static bool zstd_begin(struct list_unpack *unpack)
{
    unpack->zstd = ZSTD_createDStream();
    return unpack->zstd != NULL &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(unpack->zstd, ZSTD_d_windowLogMax,
                                                LIST_UNPACK_WINDOW_LOG_MAX));
}

static bool zstd_step(struct list_unpack *unpack, struct room *room, char why[static WHY_MAX])
{
    ZSTD_inBuffer in = {unpack->packed, unpack->size, unpack->at};
    ZSTD_outBuffer out = {room->out, room->size, 0};
    size_t status = ZSTD_decompressStream(unpack->zstd, &out, &in);
    if (ZSTD_isError(status)) {
        snprintf(why, WHY_MAX, "cannot be unpacked (zstd): %s", ZSTD_getErrorName(status));
        return false;
    }
    unpack->at = in.pos;
    room->used = out.pos;
    unpack->whole = status == 0;
    unpack->any = true;
    return true;
}

static void zstd_end(struct list_unpack *unpack)
{
    ZSTD_freeDStream(unpack->zstd);
}

/* ---- All of them ---- */

static const struct way ways[] = {
    [NAME_LIST_PLAIN] = {.name = "plain"},
    [NAME_LIST_GZIP] = {"gzip", gzip_begin, gzip_step, gzip_end},
    [NAME_LIST_ZSTD] = {"zstd", zstd_begin, zstd_step, zstd_end},
};

struct list_unpack *list_unpack_new(enum name_list_packing packing,
                                    const struct name_list_source *source, char why[static WHY_MAX])
{
    const struct way *way = &ways[packing];
    struct list_unpack *unpack = calloc(1, sizeof *unpack);
    if (unpack == NULL) {
        goto no_memory;
    }
    *unpack = (struct list_unpack){.source = source, .whole = true};
    if (way->begin == NULL) {
        unpack->way = way;
        return unpack;
    }
    unpack->packed = malloc(PACKED_BYTES);
    if (unpack->packed != NULL && way->begin(unpack)) {
        unpack->way = way;
        return unpack;
    }

no_memory:
    snprintf(why, WHY_MAX, "out of memory");
    list_unpack_free(unpack);
    return NULL;
}

void list_unpack_free(struct list_unpack *unpack)
{
    if (unpack == NULL) {
        return;
    }
    if (unpack->way != NULL && unpack->way->end != NULL) {
        unpack->way->end(unpack);
    }
    free(unpack->packed);
    free(unpack);
}

/* Makes sure that packed bytes are there, or that the source has ended. */
static bool refill(struct list_unpack *unpack, char why[static WHY_MAX])
{
    if (unpack->at < unpack->size || unpack->source_ended) {
        return true;
    }
    unpack->at = 0;
    unpack->size = 0;
    if (!unpack->source->read(unpack->source->ctx, unpack->packed, PACKED_BYTES, &unpack->size,
                              why)) {
        return false;
    }
    unpack->source_ended = unpack->size == 0;
    return true;
}

/* Unpacks until there is something, or everything has been read. */
static bool unpack_some(struct list_unpack *unpack, struct room *room, char why[static WHY_MAX])
{
    while (room->used == 0) {
        if (!refill(unpack, why)) {
            return false;
        }
        if (unpack->source_ended && unpack->whole) {
            if (!unpack->any) {
                snprintf(why, WHY_MAX, "is empty, and no %s file", unpack->way->name);
                return false;
            }
            return true;
        }
        if (!unpack->way->step(unpack, room, why)) {
            return false;
        }
        if (unpack->source_ended && room->used == 0 && !unpack->whole) {
            snprintf(why, WHY_MAX, "is cut off: the %s data does not end", unpack->way->name);
            return false;
        }
    }
    return true;
}

bool list_unpack_read(struct list_unpack *unpack, char *out, size_t room_size, size_t *got,
                      char why[static WHY_MAX])
{
    struct room room = {.out = out, .size = room_size};
    bool done = unpack->way->step == NULL
                    ? unpack->source->read(unpack->source->ctx, out, room_size, &room.used, why)
                    : unpack_some(unpack, &room, why);
    if (!done) {
        return false;
    }
    *got = room.used;
    unpack->total += room.used;
    if (unpack->total > NAME_LIST_BYTES_MAX) {
        snprintf(why, WHY_MAX, "unpacks to more than %ju bytes", (uintmax_t)NAME_LIST_BYTES_MAX);
        return false;
    }
    return true;
}
