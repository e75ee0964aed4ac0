/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The records of any message, and the names in them. libknot is the independent reader: where it
 * reads a whole message, so do we, and name for name. Whatever can be read can be written in full,
 * and is then read as the same.
 */
#include <assert.h>
#include <libknot/libknot.h>
#include <string.h>

#include "forwarder/wire/record_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Both read the owner of the record the same, or we say that we cannot. */
static void compare_owner(struct span message, const struct records_record *record,
                          const knot_rrset_t *rrset)
{
    struct records_name name;
    size_t at = record->owner;
    if (records_name_read(message, &at, message.size, &name)) { /* it allows pointers to headers */
        assert(at > record->owner && at <= record->data);
        assert(knot_dname_is_case_equal(name.wire, rrset->owner));
    }
}

/* A message that libknot takes, records in their order. */
static void compare(struct span message)
{
    static uint8_t copy[DNS_MESSAGE_MAX];
    memcpy(copy, message.bytes, message.size);
    knot_pkt_t *packet = knot_pkt_new(copy, (uint16_t)message.size, NULL);
    if (knot_pkt_parse(packet, KNOT_PF_NOCANON) != KNOT_EOK) {
        knot_pkt_free(packet);
        return;
    }
    struct records records = records_begin(message);
    struct records_record record;
    uint16_t count = 0;
    while (records_next(&records, &record)) {
        if (count < packet->rrset_count && record.type == packet->rr[count].type) {
            compare_owner(message, &record, &packet->rr[count]);
        }
        count++;
    }
    assert(!records.broken);
    knot_pkt_free(packet);
}

/* What was written has its length in front, and all of it is in the room. */
static void write_data(struct span message, const struct records_record *record)
{
    static uint8_t room[2 * DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(room, sizeof room);
    if (record_data_write(message, record, &writer)) {
        assert(writer.size == 2U + (size_t)(room[0] << 8 | room[1]));
        assert(writer.size >= 2 + record->size || record->size > 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > DNS_MESSAGE_MAX) {
        return 0;
    }
    struct span message = {data, size};
    struct records records = records_begin(message);
    struct records_record record;
    size_t behind = records.at;
    while (records_next(&records, &record)) {
        struct records_name name;
        assert(record.owner == behind && record.data + record.size == records.at);
        assert(records.at <= size);
        behind = records.at;
        for (size_t at = record.owner, i = 0; i < 4; i++) {
            size_t before = at;
            bool read = records_name_read(message, &at, size, &name);
            assert(read ? at > before && name.size > 0 && name.size <= DNS_NAME_MAX : at == before);
            assert(!read || knot_dname_size(name.wire) == name.size);
        }
        write_data(message, &record);
    }
    if (size >= DNS_HEADER_SIZE) {
        compare(message);
    }
    return 0;
}
