/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as a captured packet, behind one that says which link layer: what is told is a whole
 * name, and no more queries than could lie in so many octets.
 */
#include <stdint.h>
#include <stdlib.h>

#include "forwarder/cli/query_packet.h"
#include "forwarder/wire/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool tell(void *ctx, const struct query_record *record)
{
    size_t *left = ctx;
    struct dname again;
    if (!record->has_client || record->count != 1 || *left < DNS_HEADER_SIZE ||
        !dname_decode(record->name.wire, record->name.size, &again) ||
        !dname_equal(&again, &record->name)) {
        abort();
    }
    *left -= DNS_HEADER_SIZE;
    return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0) {
        size_t left = size;
        enum query_packet_link link = (enum query_packet_link)(data[0] % 5);
        query_packet_each(link, (struct span){data + 1, size - 1}, tell, &left);
    }
    return 0;
}
