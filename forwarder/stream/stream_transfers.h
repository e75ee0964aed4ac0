/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The zone transfers of one client's connection: each is relayed message by message until a side
 * closes, judged as its query was, and paused while the client does not read.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/origin.h"
#include "forwarder/wire/span.h"

#define STREAM_TRANSFERS 8 /* of one connection at once */

struct stream_client;
struct transfer;
struct transfer_mark;

struct stream_transfer {
    struct transfer *transfer;
    struct origin_stream origin;
    bool answered; /* the client was sent something */
};

struct stream_transfers {
    struct stream_client *client;
    unsigned count;
    struct stream_transfer running[STREAM_TRANSFERS];
};

/* Starts one; it holds the generation of its mark until it ends. False if no server could be asked,
 * or the process is short of descriptors. */
bool stream_transfers_start(struct stream_transfers *transfers, const struct origin_stream *origin,
                            struct span query, const struct transfer_mark *mark);

/* All go on with reading from upstream: the client has read what there was. */
void stream_transfers_resume(struct stream_transfers *transfers);

/* Ends all, and tells nobody. */
void stream_transfers_stop(struct stream_transfers *transfers);
