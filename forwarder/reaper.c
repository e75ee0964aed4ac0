/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Queues of connections by activity (see reaper.h).
 */
#include "forwarder/reaper.h"

#include "forwarder/client_quota.h"
#include "forwarder/counters.h"

#define LOOKS 64 /* at connections that are spared, for one that comes; they go to the end */
#define ROUNDS 3 /* another worker may be quicker to take the place that was made */

void reaper_init(struct reaper *reaper, struct client_quota *quota, struct counters *counters)
{
    *reaper = (struct reaper){.quota = quota, .counters = counters};
    TAILQ_INIT(&reaper->newcomers);
    TAILQ_INIT(&reaper->known);
}

static struct reaper_queue *queue_of(const struct reaper_entry *entry)
{
    return entry->known ? &entry->reaper->known : &entry->reaper->newcomers;
}

static size_t *count_of(const struct reaper_entry *entry)
{
    return entry->known ? &entry->reaper->known_count : &entry->reaper->newcomer_count;
}

void reaper_enter(struct reaper *reaper, struct reaper_entry *entry, const struct reaper_kind *kind)
{
    *entry = (struct reaper_entry){.reaper = reaper, .kind = kind};
    TAILQ_INSERT_TAIL(&reaper->newcomers, entry, link);
    reaper->newcomer_count++;
}

void reaper_useful(struct reaper_entry *entry)
{
    if (entry->reaper == NULL) {
        return;
    }
    TAILQ_REMOVE(queue_of(entry), entry, link);
    if (!entry->known) {
        entry->known = true;
        entry->reaper->newcomer_count--;
        entry->reaper->known_count++;
    }
    TAILQ_INSERT_TAIL(&entry->reaper->known, entry, link);
}

void reaper_leave(struct reaper_entry *entry)
{
    if (entry->reaper == NULL) {
        return;
    }
    TAILQ_REMOVE(queue_of(entry), entry, link);
    --*count_of(entry);
    entry->reaper = NULL;
}

/* The first of a queue that is not spared, or NULL. To be waiting for answers is to be active. */
static struct reaper_entry *first(struct reaper_queue *queue)
{
    for (unsigned looks = 0; looks < LOOKS; looks++) {
        struct reaper_entry *entry = TAILQ_FIRST(queue);
        if (entry == NULL || !entry->kind->spared(entry)) {
            return entry;
        }
        TAILQ_REMOVE(queue, entry, link);
        TAILQ_INSERT_TAIL(queue, entry, link);
    }
    return NULL;
}

static struct reaper_entry *least_active(struct reaper *reaper)
{
    bool crowded = reaper->newcomer_count > reaper->known_count / 3; /* a quarter of both */
    struct reaper_entry *entry = first(crowded ? &reaper->newcomers : &reaper->known);
    return entry != NULL ? entry : first(crowded ? &reaper->known : &reaper->newcomers);
}

bool reaper_admit(struct reaper *reaper, const struct address *client)
{
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct reaper_entry *entry;
        switch (client_quota_take(reaper->quota, client)) {
        case CLIENT_QUOTA_TAKEN:
            return true;
        case CLIENT_QUOTA_TOO_MANY:
            return false;
        case CLIENT_QUOTA_FULL:
            entry = least_active(reaper);
            if (entry == NULL) {
                return false;
            }
            counters_add(reaper->counters, COUNTER_TCP_REAPED);
            reaper_leave(entry);
            entry->kind->reap(entry);
            break;
        }
    }
    return false;
}
