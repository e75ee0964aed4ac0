/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as the beginning of a stream with a PROXY header, as it comes octet by octet: what is
 * said of a part never contradicts what is said of more of it, no more is asked for than is
 * needed, and what was read reads back when it is written.
 */
#include <assert.h>
#include <stdlib.h>

#include "forwarder/wire/proxy_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_round_trip(const struct proxy_header *header)
{
    uint8_t bytes[PROXY_HEADER_ENCODED_MAX];
    struct proxy_header back;
    size_t size =
        proxy_header_encode(PROXY_HEADER_STREAM, &header->source, &header->destination, bytes);
    assert(size <= sizeof bytes);
    assert(proxy_header_decode((struct span){bytes, size}, &back) == PROXY_HEADER_WHOLE);
    assert(back.kind == PROXY_HEADER_CLIENT && back.size == size);
    assert(memcmp(back.source.octet, header->source.octet, sizeof back.source.octet) == 0);
    assert(memcmp(back.destination.octet, header->destination.octet,
                  sizeof back.destination.octet) == 0);
    assert(back.source.port == header->source.port);
    assert(back.destination.port == header->destination.port);
}

/* Reads as proxy_intake.c does: so far as is needed, no further, in a room of just that size. */
static enum proxy_header_outcome take(const uint8_t *data, size_t size, struct proxy_header *out)
{
    size_t need = 0;
    enum proxy_header_outcome outcome = PROXY_HEADER_SHORT;
    for (;;) {
        uint8_t *room = malloc(need == 0 ? 1 : need);
        assert(room != NULL);
        memcpy(room, data, need);
        struct span part = {room, need};
        outcome = proxy_header_decode(part, out);
        size_t more = proxy_header_need(part);
        free(room);
        assert((outcome == PROXY_HEADER_BAD && more == 0) || more <= PROXY_HEADER_MAX);
        if (outcome != PROXY_HEADER_SHORT || more > size) {
            return outcome;
        }
        assert(more > need);
        need = more;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct proxy_header whole;
    struct proxy_header stepwise;
    if (size == 0) {
        return 0;
    }
    enum proxy_header_outcome outcome = proxy_header_decode((struct span){data, size}, &whole);
    enum proxy_header_outcome taken = take(data, size, &stepwise);
    assert(taken == outcome || (taken == PROXY_HEADER_SHORT && outcome == PROXY_HEADER_BAD));
    if (outcome == PROXY_HEADER_WHOLE) {
        assert(whole.size == stepwise.size && whole.kind == stepwise.kind);
        assert(whole.size >= PROXY_HEADER_FIXED && whole.size <= size);
    }
    if (outcome == PROXY_HEADER_WHOLE && whole.kind == PROXY_HEADER_CLIENT) {
        check_round_trip(&whole);
    }
    return 0;
}
