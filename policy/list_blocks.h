/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The bytes of a list in blocks that can be read one by one: each ends where a line does, or where
 * the reader of the format says that a block may end. The rest of the bytes becomes the beginning
 * of the next block, so a list of any size needs one buffer.
 */
#pragma once

#include "policy/list_unpack.h"

#define LIST_BLOCKS_BYTES (256U * 1024U) /* of the buffer: no line or record is longer */

/* Looks at bytes that were not seen before, in the order of the file, and returns how many of them
 * stand before the last place where a block may end; 0: there is no such place. */
typedef size_t list_blocks_cut_fn(void *ctx, const char *bytes, size_t size);

/* The common one: after a line feed. ctx is not used. */
size_t list_blocks_cut_lines(void *ctx, const char *bytes, size_t size);

struct list_blocks {
    struct list_unpack *source; /* borrowed */
    list_blocks_cut_fn *cut;
    void *ctx;
    char *buffer;
    size_t given; /* of the buffer, in the block before */
    size_t used;  /* of the buffer */
    bool ended;
};

/* False with a sentence when memory is out. The caller frees with list_blocks_fini. */
bool list_blocks_init(struct list_blocks *blocks, struct list_unpack *source,
                      list_blocks_cut_fn *cut, void *ctx, char why[static WHY_MAX]);
void list_blocks_fini(struct list_blocks *blocks);

enum list_blocks_outcome {
    LIST_BLOCKS_SOME,     /* *bytes, *size: the next block, valid until the next call */
    LIST_BLOCKS_END,      /* all was read and is whole */
    LIST_BLOCKS_TOO_LONG, /* what begins behind the block before does not end within a buffer */
    LIST_BLOCKS_FAILED,   /* the source has failed; why says how */
};
enum list_blocks_outcome list_blocks_next(struct list_blocks *blocks, const char **bytes,
                                          size_t *size, char why[static WHY_MAX]);
