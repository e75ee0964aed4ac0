/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as the data of an ECS option: what is read is written to the same octets, and libknot
 * reads the same in it.
 */
#include <assert.h>
#include <libknot/libknot.h>

#include "forwarder/wire/ecs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ecs ecs;
    knot_edns_client_subnet_t knot = {0};
    if (size > UINT16_MAX) {
        return 0;
    }
    bool taken = ecs_decode((struct span){data, size}, &ecs);
    bool known = knot_edns_client_subnet_parse(&knot, data, (uint16_t)size) == KNOT_EOK;
    if (!taken) {
        return 0;
    }
    /* Without a family there is nothing that libknot could read. */
    assert(known || ecs.family == ECS_FAMILY_NONE);
    assert(!known || (knot.source_len == ecs.source && knot.scope_len == ecs.scope &&
                      knot.family == ecs.family));

    uint8_t bytes[ECS_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    ecs_encode(&writer, &ecs);
    assert(!writer.failed && writer.size == size);
    assert(memcmp(bytes, data, size) == 0);
    return 0;
}
