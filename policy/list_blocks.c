/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One buffer that is filled at its end and given out from its front. Invariant: before more is
 * read, what was read and not given out is moved to the front.
 */
#include "policy/list_blocks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t list_blocks_cut_lines(void *ctx, const char *bytes, size_t size)
{
    (void)ctx;
    const char *feed = memrchr(bytes, '\n', size);
    return feed == NULL ? 0 : (size_t)(feed - bytes) + 1;
}

bool list_blocks_init(struct list_blocks *blocks, struct list_unpack *source,
                      list_blocks_cut_fn *cut, void *ctx, char why[static WHY_MAX])
{
    *blocks = (struct list_blocks){
        .source = source, .cut = cut, .ctx = ctx, .buffer = malloc(LIST_BLOCKS_BYTES)};
    if (blocks->buffer == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return false;
    }
    return true;
}

void list_blocks_fini(struct list_blocks *blocks)
{
    free(blocks->buffer);
    *blocks = (struct list_blocks){0};
}

/* Hands out the first size bytes of the buffer. */
static enum list_blocks_outcome give(struct list_blocks *blocks, size_t size, const char **bytes,
                                     size_t *out)
{
    blocks->given = size;
    *bytes = blocks->buffer;
    *out = size;
    return LIST_BLOCKS_SOME;
}

enum list_blocks_outcome list_blocks_next(struct list_blocks *blocks, const char **bytes,
                                          size_t *size, char why[static WHY_MAX])
{
    blocks->used -= blocks->given;
    memmove(blocks->buffer, blocks->buffer + blocks->given, blocks->used);
    blocks->given = 0;
    while (!blocks->ended && blocks->used < LIST_BLOCKS_BYTES) {
        char *behind = blocks->buffer + blocks->used;
        size_t got = 0;
        if (!list_unpack_read(blocks->source, behind, LIST_BLOCKS_BYTES - blocks->used, &got,
                              why)) {
            return LIST_BLOCKS_FAILED;
        }
        size_t cut = blocks->cut(blocks->ctx, behind, got);
        blocks->ended = got == 0;
        size_t end = blocks->used + cut;
        blocks->used += got;
        if (cut > 0) {
            return give(blocks, end, bytes, size);
        }
    }
    if (!blocks->ended) {
        return LIST_BLOCKS_TOO_LONG;
    }
    return blocks->used == 0 ? LIST_BLOCKS_END : give(blocks, blocks->used, bytes, size);
}
