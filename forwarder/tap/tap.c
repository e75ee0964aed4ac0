/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Rings and their thread (see tap.h). The thread looks at the rings every few milliseconds, because
 * to wake it would cost a worker a system call. Only the thread touches sink, trouble and retry_ms.
 */
#include "forwarder/tap/tap.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/log.h"
#include "forwarder/monotonic.h"
#include "forwarder/tap/tap_ring.h"
#include "forwarder/tap/tap_sink.h"
#include "forwarder/trouble.h"
#include "forwarder/wire/dnstap.h"

/* Size of a worker's ring: enough for what comes between two looks of the thread, and for some
 * seconds in which a receiver does not read. */
#define RING_BLOCKED (1024U * 1024)
#define RING_ALL (8U * 1024 * 1024)

#define LOOK_MS 10 /* between two looks at the rings */
#define RETRY_MS 500

struct share {
    struct tap_ring *ring;
    _Atomic uint64_t lost; /* the worker's */
};

struct tap {
    const struct config_dnstap *config;
    char identity[CONFIG_IDENTITY_MAX + 1];
    int stop;  /* eventfd */
    int ended; /* eventfd, rung by the thread */
    _Atomic bool stopping;
    _Atomic bool reopen;
    struct tap_sink *sink;
    struct trouble trouble; /* why nothing is written */
    int64_t retry_ms;       /* monotonic; when to open the sink again */
    _Atomic uint64_t written;
    _Atomic uint64_t lost;    /* the thread's */
    _Atomic unsigned workers; /* rises only; the rings below it stay */
    struct share shares[CONFIG_WORKERS_MAX];
};

static const char version[] = "bailiwick " BAILIWICK_VERSION;

static struct span span_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

struct tap *tap_new(const struct config_dnstap *config, char why[static WHY_MAX])
{
    struct tap *tap = calloc(1, sizeof *tap);
    snprintf(why, WHY_MAX, "dnstap: out of memory or descriptors");
    if (tap == NULL) {
        return NULL;
    }
    tap->config = config;
    if (config->identity != NULL) {
        snprintf(tap->identity, sizeof tap->identity, "%s", config->identity);
    } else {
        (void)gethostname(tap->identity, sizeof tap->identity - 1);
    }
    tap->stop = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    tap->ended = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    tap->sink = tap_sink_new(config);
    if (tap->stop < 0 || tap->ended < 0 || tap->sink == NULL) {
        tap_free(tap);
        return NULL;
    }
    return tap;
}

bool tap_widen(struct tap *tap, unsigned workers)
{
    for (unsigned i = tap->workers; i < workers; i++) {
        tap->shares[i].ring = tap_ring_new(tap_wants_all(tap) ? RING_ALL : RING_BLOCKED);
        if (tap->shares[i].ring == NULL) {
            return false;
        }
        tap->workers = i + 1;
    }
    return true;
}

void tap_free(struct tap *tap)
{
    if (tap == NULL) {
        return;
    }
    for (unsigned i = 0; i < tap->workers; i++) {
        tap_ring_free(tap->shares[i].ring);
    }
    tap_sink_free(tap->sink);
    if (tap->stop >= 0) {
        close(tap->stop);
    }
    if (tap->ended >= 0) {
        close(tap->ended);
    }
    free(tap);
}

/* ---- Workers ---- */

bool tap_wants_all(const struct tap *tap)
{
    return tap->config->queries == CONFIG_DNSTAP_ALL;
}

static void count(_Atomic uint64_t *counter, uint64_t more)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

static size_t most_of(const struct dnstap_event *event)
{
    return DNSTAP_EVENT_OVERHEAD + event->identity.size + event->version.size +
           event->client.address.size + event->server.address.size + event->message.size +
           event->policy.type.size + event->policy.rule.size + event->policy.value.size;
}

void tap_put(struct tap *tap, unsigned worker, struct dnstap_event *event)
{
    struct share *share = &tap->shares[worker];
    event->identity = span_of(tap->identity);
    event->version = (struct span){(const uint8_t *)version, sizeof version - 1};
    size_t most = most_of(event);
    uint8_t *room = tap_ring_room(share->ring, most);
    if (room == NULL) {
        count(&share->lost, 1);
        return;
    }
    struct span_writer writer = span_writer(room, most);
    dnstap_encode(event, &writer);
    if (writer.failed) {
        count(&share->lost, 1);
        return;
    }
    tap_ring_put(share->ring, writer.size);
}

/* ---- The thread ---- */

static void note(struct tap *tap, const char *problem)
{
    const struct config_dnstap *config = tap->config;
    char where[LOG_VALUE_MAX], reason[LOG_VALUE_MAX];
    if (!trouble_note(&tap->trouble, problem, (int64_t)time(NULL))) {
        return;
    }
    log_quote(config->socket != NULL ? config->socket : config->file, where, sizeof where);
    if (problem[0] != '\0') {
        log_event(LOG_LEVEL_WARNING, "dnstap", "not written", "to=%s reason=%s lost=%llu", where,
                  log_quote(problem, reason, sizeof reason),
                  (unsigned long long)tap_counts(tap).lost);
    } else {
        log_event(LOG_LEVEL_INFO, "dnstap", "written again", "to=%s lost=%llu", where,
                  (unsigned long long)tap_counts(tap).lost);
    }
}

static bool is_open(struct tap *tap)
{
    char why[WHY_MAX];
    if (tap_sink_is_open(tap->sink)) {
        return true;
    }
    if (monotonic_ms() < tap->retry_ms) {
        return false;
    }
    bool opened = tap_sink_open(tap->sink, why);
    note(tap, opened ? "" : why);
    tap->retry_ms = monotonic_ms() + RETRY_MS;
    return opened;
}

/* Writes what stands next in a ring. Returns how many messages that were. */
static int write_batch(struct tap *tap, struct tap_ring *ring)
{
    struct iovec messages[TAP_SINK_BATCH];
    char why[WHY_MAX];
    struct span message;
    int taken = 0;
    while (taken < TAP_SINK_BATCH && (message = tap_ring_read(ring)).size > 0) {
        messages[taken++] = (struct iovec){(void *)(uintptr_t)message.bytes, message.size};
    }
    if (taken > 0) {
        bool written = tap_sink_write(tap->sink, messages, taken, why);
        count(written ? &tap->written : &tap->lost, (uint64_t)taken);
        note(tap, written ? "" : why);
        tap_ring_release(ring);
    }
    return taken;
}

/* Writes a batch of each ring. Was there anything? */
static bool drain(struct tap *tap)
{
    bool any = false, open = is_open(tap);
    for (unsigned i = 0; i < tap->workers && open; i++) {
        if (write_batch(tap, tap->shares[i].ring) > 0) {
            any = true;
            open = is_open(tap);
        }
    }
    return any;
}

static void ring(int descriptor)
{
    uint64_t one = 1;
    (void)!write(descriptor, &one, sizeof one);
}

/* Workers have ended: what they left is the last. */
static void finish(struct tap *tap)
{
    int64_t deadline = monotonic_ms() + TAP_SINK_PATIENCE_MS;
    while (drain(tap) && monotonic_ms() < deadline) {
    }
    tap_sink_close(tap->sink);
}

void *tap_run(void *ctx)
{
    struct tap *tap = ctx;
    struct pollfd stop = {.fd = tap->stop, .events = POLLIN};
    while (!atomic_load(&tap->stopping)) {
        if (atomic_exchange(&tap->reopen, false)) {
            tap_sink_close_moved(tap->sink);
            tap->retry_ms = 0;
        }
        if (!drain(tap)) {
            (void)poll(&stop, 1, LOOK_MS);
        }
    }
    finish(tap);
    ring(tap->ended);
    return NULL;
}

void tap_stop(struct tap *tap)
{
    atomic_store(&tap->stopping, true);
    ring(tap->stop);
}

bool tap_await_end(struct tap *tap, int timeout_ms)
{
    struct pollfd ended = {.fd = tap->ended, .events = POLLIN};
    return poll(&ended, 1, timeout_ms) > 0;
}

void tap_reopen(struct tap *tap)
{
    atomic_store(&tap->reopen, true);
}

struct tap_counts tap_counts(const struct tap *tap)
{
    struct tap_counts counts = {0};
    if (tap == NULL) {
        return counts;
    }
    counts.written = atomic_load_explicit(&tap->written, memory_order_relaxed);
    counts.lost = atomic_load_explicit(&tap->lost, memory_order_relaxed);
    for (unsigned i = 0; i < tap->workers; i++) {
        counts.lost += atomic_load_explicit(&tap->shares[i].lost, memory_order_relaxed);
    }
    return counts;
}
