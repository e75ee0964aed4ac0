/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The handshakes of TLS that a worker waits for, oldest first, and never more than a limit: an
 * honest client is through in two round trips, so it is the oldest that gives way.
 */
#pragma once

#include <stddef.h>
#include <sys/queue.h>

/* Of one connection; part of it. */
struct stream_handshake {
    TAILQ_ENTRY(stream_handshake) link;
};

TAILQ_HEAD(stream_handshake_queue, stream_handshake);

struct stream_handshakes {
    struct stream_handshake_queue pending;
    size_t count;
    size_t limit;
};

static inline void stream_handshakes_init(struct stream_handshakes *handshakes, size_t limit)
{
    TAILQ_INIT(&handshakes->pending);
    handshakes->count = 0;
    handshakes->limit = limit;
}

/* The one that must give way before another begins, which the caller ends; or NULL. */
static inline struct stream_handshake *
stream_handshakes_excess(const struct stream_handshakes *handshakes)
{
    return handshakes->count < handshakes->limit ? NULL : TAILQ_FIRST(&handshakes->pending);
}

static inline void stream_handshakes_begin(struct stream_handshakes *handshakes,
                                           struct stream_handshake *handshake)
{
    TAILQ_INSERT_TAIL(&handshakes->pending, handshake, link);
    handshakes->count++;
}

static inline void stream_handshakes_end(struct stream_handshakes *handshakes,
                                         struct stream_handshake *handshake)
{
    TAILQ_REMOVE(&handshakes->pending, handshake, link);
    handshakes->count--;
}
