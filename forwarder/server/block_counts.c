/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Collecting and storing (see block_counts.h). A batch of rows has a name, under which it is tried
 * until it is stored, so that a commit that only seemed to fail adds nothing twice; what comes
 * meanwhile waits for the next batch.
 */
#include "forwarder/server/block_counts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "forwarder/country_slots.h"
#include "forwarder/generation/generation.h"
#include "forwarder/log.h"
#include "forwarder/published.h"
#include "forwarder/server/block_rows.h"
#include "forwarder/server/errands.h"
#include "policy/policy.h"

#define ERRANDS_MAX 16    /* collections that wait for a disk */
#define ROWS_MAX 1000000U /* that wait: some 100 MB */
#define NAME_MAX_SIZE 48

struct block_counts {
    struct errands *errands;
    int64_t hour;              /* that is collected for */
    struct block_rows at_hand; /* collected */

    /* The thread's. */
    char *path;
    struct block_store *store; /* NULL: not open */
    uint64_t process;          /* random, begins the names of batches */
    uint64_t batches;
    struct block_rows batch; /* being tried */
    struct block_rows waiting;

    pthread_mutex_t lock;
    struct block_counts_state state; /* under the lock */
};

struct store_errand {
    struct errand errand; /* the first member */
    struct block_counts *counts;
    struct block_rows rows;
};

/* ---- The thread ---- */

static void note_problem(struct block_counts *counts, const char *problem)
{
    bool news;
    pthread_mutex_lock(&counts->lock);
    news = trouble_note(&counts->state.unstored, problem, (int64_t)time(NULL));
    pthread_mutex_unlock(&counts->lock);
    if (news && problem[0] != '\0') {
        char path[LOG_VALUE_MAX], reason[LOG_VALUE_MAX];
        log_event(LOG_LEVEL_ERROR, "blocks", "counts cannot be stored", "file=%s reason=%s",
                  log_quote(counts->path, path, sizeof path),
                  log_quote(problem, reason, sizeof reason));
    } else if (news) {
        log_event(LOG_LEVEL_INFO, "blocks", "counts are stored again", "");
    }
}

/* Out of the way, with the journal that belongs to it; a new one is made. */
static bool put_aside(struct block_counts *counts, const char *reason)
{
    char aside[4096], from[4096], to[4200], text[LOG_VALUE_MAX], why[LOG_VALUE_MAX];
    int64_t now = (int64_t)time(NULL);
    snprintf(aside, sizeof aside, "%s.damaged-%lld", counts->path, (long long)now);
    if (rename(counts->path, aside) != 0) {
        return false;
    }
    snprintf(from, sizeof from, "%s-journal", counts->path);
    snprintf(to, sizeof to, "%s-journal", aside);
    (void)rename(from, to); /* there may be none */
    log_event(LOG_LEVEL_ERROR, "blocks", "damaged database put aside", "file=%s reason=%s",
              log_quote(aside, text, sizeof text), log_quote(reason, why, sizeof why));
    pthread_mutex_lock(&counts->lock);
    snprintf(counts->state.aside, WHY_MAX, "%.280s", aside);
    counts->state.aside_since = now;
    pthread_mutex_unlock(&counts->lock);
    return true;
}

static enum block_store_outcome try_batch(struct block_counts *counts, char why[static WHY_MAX])
{
    char name[NAME_MAX_SIZE];
    enum block_store_outcome outcome = BLOCK_STORE_DONE;
    if (counts->store == NULL) {
        outcome = block_store_open(counts->path, &counts->store, why);
    }
    if (outcome != BLOCK_STORE_DONE) {
        return outcome;
    }
    snprintf(name, sizeof name, "%016llx-%llu", (unsigned long long)counts->process,
             (unsigned long long)counts->batches);
    return block_store_add(counts->store, name, counts->batch.rows, counts->batch.count, why);
}

/* The batch that is being tried. */
static enum block_store_outcome store_batch(struct block_counts *counts, char why[static WHY_MAX])
{
    enum block_store_outcome outcome = try_batch(counts, why);
    if (outcome != BLOCK_STORE_DONE) { /* opened anew: the file may have been moved or removed */
        block_store_close(counts->store);
        counts->store = NULL;
    }
    if (outcome == BLOCK_STORE_DAMAGED && put_aside(counts, why)) {
        outcome = try_batch(counts, why);
    }
    return outcome;
}

static void run(struct errand *errand)
{
    struct store_errand *self = (struct store_errand *)errand;
    struct block_counts *counts = self->counts;
    char why[WHY_MAX] = "";
    uint64_t lost = block_rows_merge(&counts->waiting, &self->rows, ROWS_MAX);
    uint64_t stored = 0;
    enum block_store_outcome outcome = BLOCK_STORE_DONE;
    while (outcome == BLOCK_STORE_DONE && counts->batch.count + counts->waiting.count > 0) {
        if (counts->batch.count == 0) {
            counts->batch = counts->waiting;
            counts->waiting = (struct block_rows){0};
            counts->batches++;
        }
        outcome = store_batch(counts, why);
        if (outcome == BLOCK_STORE_DONE) {
            stored += block_rows_sum(&counts->batch);
            block_rows_fini(&counts->batch);
        }
    }
    pthread_mutex_lock(&counts->lock);
    counts->state.locked = outcome == BLOCK_STORE_LOCKED;
    counts->state.waiting -= stored + lost;
    counts->state.lost += lost;
    pthread_mutex_unlock(&counts->lock);
    note_problem(counts, outcome == BLOCK_STORE_DONE ? "" : why);
    free(self);
}

/* ---- The main thread ---- */

static int64_t hour_of(int64_t now)
{
    return now - now % BLOCK_STORE_HOUR_S;
}

struct block_counts *block_counts_new(const char *state, int64_t now, char why[static WHY_MAX])
{
    struct block_counts *counts = calloc(1, sizeof *counts);
    snprintf(why, WHY_MAX, "out of memory");
    if (counts == NULL) {
        return NULL;
    }
    pthread_mutex_init(&counts->lock, NULL);
    counts->hour = hour_of(now);
    if (asprintf(&counts->path, "%s/" BLOCK_STORE_FILE, state) < 0) {
        counts->path = NULL;
    }
    if (counts->path == NULL ||
        getrandom(&counts->process, sizeof counts->process, 0) != sizeof counts->process) {
        block_counts_free(counts);
        return NULL;
    }
    counts->errands = errands_new(ERRANDS_MAX, why);
    if (counts->errands == NULL) {
        block_counts_free(counts);
        return NULL;
    }
    return counts;
}

/* What came since the last time in one slot. */
static void collect_slot(struct block_counts *counts, struct published *published, size_t order,
                         uint32_t slot, unsigned country)
{
    uint64_t sum = published_blocked_in(published, slot);
    uint64_t news = sum - published->stored[slot];
    if (news > 0 && counts->at_hand.count < ROWS_MAX &&
        block_rows_add(&counts->at_hand, policy_order(published->generation->policy, order)->id,
                       country_of_index(country), counts->hour, news)) {
        published->stored[slot] = sum; /* else the next time */
    }
}

void block_counts_collect(struct block_counts *counts, struct published *published)
{
    size_t orders = policy_order_count(published->generation->policy);
    for (size_t order = 0; order < orders; order++) {
        uint32_t slot = country_slots_first(published->slots, order);
        for (unsigned word = 0; word < COUNTRY_SLOTS_WORDS; word++) {
            uint64_t left = published->slots->orders[order].countries.bits[word];
            for (; left != 0; left &= left - 1) {
                collect_slot(counts, published, order, slot++,
                             64 * word + (unsigned)__builtin_ctzll(left));
            }
        }
    }
}

/* By so many; the thread that takes them away runs as soon as it has them. */
static void change_waiting(struct block_counts *counts, uint64_t blocks)
{
    pthread_mutex_lock(&counts->lock);
    counts->state.waiting += blocks;
    pthread_mutex_unlock(&counts->lock);
}

void block_counts_store(struct block_counts *counts, int64_t now)
{
    struct store_errand *errand;
    const uint64_t sum = block_rows_sum(&counts->at_hand);
    bool failing;
    counts->hour = hour_of(now);
    pthread_mutex_lock(&counts->lock);
    failing = trouble_stands(&counts->state.unstored);
    pthread_mutex_unlock(&counts->lock);
    if (counts->at_hand.count == 0 && !failing) {
        return;
    }
    errand = calloc(1, sizeof *errand);
    if (errand == NULL) {
        return; /* the next time */
    }
    *errand = (struct store_errand){{.run = run}, counts, counts->at_hand};
    change_waiting(counts, sum);
    if (errands_add(counts->errands, &errand->errand)) {
        counts->at_hand = (struct block_rows){0};
    } else {
        change_waiting(counts, -sum);
        free(errand);
    }
}

bool block_counts_retry(struct block_counts *counts, int64_t now)
{
    struct block_counts_state state;
    block_counts_state(counts, &state);
    if (!state.locked && counts->at_hand.count == 0) {
        return false;
    }
    block_counts_store(counts, now);
    return true;
}

uint64_t block_counts_left(struct block_counts *counts)
{
    struct block_counts_state state;
    block_counts_state(counts, &state);
    return state.waiting + block_rows_sum(&counts->at_hand);
}

void block_counts_state(struct block_counts *counts, struct block_counts_state *out)
{
    pthread_mutex_lock(&counts->lock);
    *out = counts->state;
    pthread_mutex_unlock(&counts->lock);
}

bool block_counts_finish(struct block_counts *counts, unsigned timeout_ms)
{
    return errands_finish(counts->errands, timeout_ms);
}

void block_counts_free(struct block_counts *counts)
{
    if (counts == NULL) {
        return;
    }
    errands_free(counts->errands);
    block_store_close(counts->store);
    block_rows_fini(&counts->at_hand);
    block_rows_fini(&counts->batch);
    block_rows_fini(&counts->waiting);
    pthread_mutex_destroy(&counts->lock);
    free(counts->path);
    free(counts);
}
