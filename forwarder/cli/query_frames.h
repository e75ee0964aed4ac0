/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frame Streams, the format in which dnstap is written to files: control frames that say what is in
 * the stream, and data frames. Read from a file, from one direction or from both (READY and ACCEPT
 * before START), several streams behind each other too. libfstrm is not used: it ends the process
 * when memory is out, and knows only files of one direction.
 */
#pragma once

#include <stdio.h>

#include "forwarder/wire/span.h"
#include "geo/problem.h"

struct query_frames {
    FILE *in;        /* borrowed */
    uint8_t *buffer; /* as large as frames were so far */
    size_t capacity;
    bool started;   /* a stream has begun and not ended */
    uint64_t count; /* data frames that were read */
};

/* A longer frame is none of dnstap: a DNS message has at most 64 KiB. */
#define QUERY_FRAMES_MAX (1024 * 1024)

void query_frames_init(struct query_frames *frames, FILE *in);
void query_frames_fini(struct query_frames *frames);

enum query_frames_outcome {
    QUERY_FRAMES_ONE,    /* *out is a data frame; borrowed until the next call */
    QUERY_FRAMES_END,    /* of the file, where a frame could begin */
    QUERY_FRAMES_BROKEN, /* a sentence is in why; nothing behind it can be read */
};

enum query_frames_outcome query_frames_next(struct query_frames *frames, struct span *out,
                                            char why[static WHY_MAX]);
