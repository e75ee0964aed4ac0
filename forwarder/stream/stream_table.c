/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Slots, serials and queues of connections (see stream_table.h).
 */
#include "forwarder/stream/stream_table.h"

#include <event2/event.h>
#include <stdlib.h>

#include "forwarder/origin.h"
#include "forwarder/slots.h"

TAILQ_HEAD(stream_queue, stream_place);

struct stream_table {
    struct stream_table_events events;
    struct slots slots; /* of places */
    uint32_t stalled_count;
    struct stream_queue stalled;
    struct stream_queue doomed;
    struct event *later; /* closes the doomed, resumes the stalled */
};

static void unstall(struct stream_place *place)
{
    if (place->stalled) {
        TAILQ_REMOVE(&place->table->stalled, place, waiting);
        place->table->stalled_count--;
        place->stalled = false;
    }
}

static void on_later(evutil_socket_t descriptor, short what, void *ctx)
{
    struct stream_table *table = ctx;
    (void)descriptor;
    (void)what;
    while (!TAILQ_EMPTY(&table->doomed)) {
        table->events.close(TAILQ_FIRST(&table->doomed));
    }
    table->events.turn(table->events.ctx);
    /* Each stalled one gets its turn once; who finds no room goes back to the end of the list. */
    for (uint32_t turns = table->stalled_count; turns > 0 && table->stalled_count > 0; turns--) {
        struct stream_place *place = TAILQ_FIRST(&table->stalled);
        unstall(place);
        table->events.resume(place);
    }
}

struct stream_table *stream_table_new(struct event_base *base,
                                      const struct stream_table_events *events)
{
    struct stream_table *table = calloc(1, sizeof *table);
    if (table == NULL) {
        return NULL;
    }
    table->events = *events;
    TAILQ_INIT(&table->stalled);
    TAILQ_INIT(&table->doomed);
    table->later = event_new(base, -1, 0, on_later, table);
    if (table->later == NULL) {
        stream_table_free(table);
        return NULL;
    }
    return table;
}

void stream_table_free(struct stream_table *table)
{
    if (table == NULL) {
        return;
    }
    for (uint32_t i = 0; i < table->slots.capacity; i++) {
        if (table->slots.all[i].item != NULL) {
            table->events.close(table->slots.all[i].item);
        }
    }
    if (table->later != NULL) {
        event_free(table->later);
    }
    slots_fini(&table->slots);
    free(table);
}

bool stream_table_add(struct stream_table *table, struct stream_place *place)
{
    *place = (struct stream_place){.table = table};
    return slots_add(&table->slots, place, &place->slot, &place->serial);
}

void stream_table_remove(struct stream_place *place)
{
    struct stream_table *table = place->table;
    unstall(place);
    if (place->doomed) {
        TAILQ_REMOVE(&table->doomed, place, waiting);
    }
    slots_remove(&table->slots, place->slot);
}

size_t stream_table_count(const struct stream_table *table)
{
    return table->slots.count;
}

struct stream_place *stream_table_find(const struct stream_table *table,
                                       const struct origin_stream *origin)
{
    struct stream_place *place = slots_find(&table->slots, origin->slot, origin->serial);
    return place != NULL && !place->doomed ? place : NULL;
}

void stream_table_doom(struct stream_place *place)
{
    struct stream_table *table = place->table;
    if (place->doomed) {
        return;
    }
    unstall(place);
    place->doomed = true;
    TAILQ_INSERT_TAIL(&table->doomed, place, waiting);
    event_active(table->later, 0, 0);
}

bool stream_table_stall(struct stream_place *place)
{
    if (place->stalled || place->doomed) {
        return false;
    }
    place->stalled = true;
    place->table->stalled_count++;
    TAILQ_INSERT_TAIL(&place->table->stalled, place, waiting);
    return true;
}

void stream_table_resume(struct stream_table *table)
{
    if (!TAILQ_EMPTY(&table->stalled)) {
        event_active(table->later, 0, 0);
    }
}

void stream_table_drain(struct stream_table *table, stream_table_test_fn *is_meant, const void *ctx)
{
    for (uint32_t i = 0; i < table->slots.capacity; i++) {
        struct stream_place *place = table->slots.all[i].item;
        if (place != NULL && !place->doomed && (is_meant == NULL || is_meant(place, ctx))) {
            unstall(place);
            table->events.drain(place);
        }
    }
}
