/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Blocks of whole lines, through one line reader that counts them. Text that is not UTF-8 but
 * UTF-16 is told once instead of line by line.
 */
#include "policy/list_lines.h"

#include <string.h>

/* Does the list begin with the byte order mark of UTF-16? Some spreadsheets write it so. */
static bool is_utf16(const char *bytes, size_t size)
{
    return size >= 2 && (memcmp(bytes, "\xFF\xFE", 2) == 0 || memcmp(bytes, "\xFE\xFF", 2) == 0);
}

/* Takes all blocks; the first one is block number 0. */
static void take_blocks(struct list_intake *intake, struct list_blocks *blocks, list_lines_fn *take,
                        void *ctx)
{
    struct line_reader reader = {0};
    const char *bytes;
    size_t size;
    char why[WHY_MAX];
    for (bool first = true; !intake->out_of_memory; first = false) {
        switch (list_blocks_next(blocks, &bytes, &size, why)) {
        case LIST_BLOCKS_SOME:
            break;
        case LIST_BLOCKS_END:
            return;
        case LIST_BLOCKS_TOO_LONG:
            list_intake_bad(intake, (struct list_place){reader.number + 1, 0},
                            "the line is longer than %u bytes", LIST_BLOCKS_BYTES);
            return;
        case LIST_BLOCKS_FAILED:
            list_intake_say(intake, PROBLEM_ERROR, "%s", why);
            return;
        }
        if (first && is_utf16(bytes, size)) {
            list_intake_bad(intake, (struct list_place){1, 1},
                            "this is UTF-16; expected UTF-8 or ASCII");
            return;
        }
        if (first) {
            line_reader_init(&reader, bytes, size);
        } else {
            line_reader_continue(&reader, bytes, size);
        }
        take(intake, ctx, &reader);
    }
}

void list_lines_read(struct list_intake *intake, struct list_unpack *source, list_lines_fn *take,
                     void *ctx)
{
    struct list_blocks blocks;
    char why[WHY_MAX];
    if (!list_blocks_init(&blocks, source, list_blocks_cut_lines, NULL, why)) {
        intake->out_of_memory = true;
        return;
    }
    take_blocks(intake, &blocks, take, ctx);
    list_blocks_fini(&blocks);
}
