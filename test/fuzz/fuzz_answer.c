/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Answers of upstreams, read for what they lead to and put behind a CNAME. Input: two octets with
 * the size of the query, the query, and the answer. What an answer tells does not depend on when
 * its listener has had enough, and what is composed can be read again.
 */
#include <assert.h>
#include <string.h>

#include "forwarder/answer_links.h"
#include "forwarder/cname_target.h"
#include "forwarder/wire/record_data.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct told {
    size_t count;
    size_t enough; /* after so many */
    uint64_t hash; /* of all but the last when stopped */
};

static uint64_t hash_of(uint64_t hash, const void *bytes, size_t size)
{
    const uint8_t *octet = bytes;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ octet[i]) * 0x100000001B3U;
    }
    return hash;
}

static bool on_link(void *ctx, const struct answer_link *link)
{
    struct told *told = ctx;
    assert(told->count < told->enough);
    if (link->name != NULL) {
        struct dname again;
        assert(dname_decode(link->name->wire, link->name->size, &again));
        assert(dname_equal(&again, link->name));
        told->hash = hash_of(told->hash, link->name->wire, link->name->size);
    } else {
        told->hash = hash_of(told->hash, link->address.octet, sizeof link->address.octet);
    }
    told->count++;
    return told->count == told->enough;
}

static void check_links(struct span answer, const struct dname *qname)
{
    struct told all = {.enough = SIZE_MAX};
    enum answer_links_outcome outcome = answer_links_walk(answer, qname, on_link, &all);
    assert(outcome != ANSWER_LINKS_STOPPED);
    if (all.count > 0) {
        struct told same = {.enough = all.count};
        assert(answer_links_walk(answer, qname, on_link, &same) == ANSWER_LINKS_STOPPED);
        assert(same.count == all.count && same.hash == all.hash);
        struct told one = {.enough = 1};
        assert(answer_links_walk(answer, qname, on_link, &one) == ANSWER_LINKS_STOPPED);
    }
}

/* Records written in full, one behind the other: all of them can be read. */
static void check_records(struct span section, uint16_t count)
{
    static uint8_t message[2 * DNS_MESSAGE_MAX];
    uint8_t header[DNS_HEADER_SIZE] = {[6] = (uint8_t)(count >> 8), [7] = (uint8_t)count};
    memcpy(message, header, sizeof header);
    memcpy(message + sizeof header, section.bytes, section.size);
    struct records records = records_begin((struct span){message, sizeof header + section.size});
    struct records_record record;
    uint16_t read = 0;
    while (records_next(&records, &record)) {
        struct records_name name;
        size_t at = record.owner;
        assert(records_name_read(records.message, &at, records.message.size, &name));
        assert(at + 10 == record.data);
        read++;
    }
    assert(!records.broken && read == count && records.at == records.message.size);
}

static void check_target(struct span query, struct span answer, const struct dname *qname)
{
    static uint8_t room[DNS_MESSAGE_MAX];
    uint8_t own[CNAME_TARGET_QUERY_MAX];
    struct dns_question question;
    struct block_tail tail;
    size_t size = cname_target_query(query, qname, own);
    assert(size <= sizeof own);
    assert(size == 0 ||
           dns_question_decode((struct span){own, size}, &question) == DNS_QUESTION_ONE);
    struct span_writer writer = span_writer(room, sizeof room);
    if (cname_target_read(answer, qname, &writer, &tail)) {
        check_records(tail.answer, tail.answer_count);
        check_records(tail.authority, tail.authority_count);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > DNS_MESSAGE_MAX) {
        return 0;
    }
    struct span_reader reader = span_reader((struct span){data, size});
    struct span query = span_read(&reader, span_read_u16(&reader));
    struct span answer = span_read(&reader, size - reader.at);
    struct dns_question question;
    struct dname qname;
    if (reader.failed || dns_question_decode(query, &question) != DNS_QUESTION_ONE ||
        !dname_decode(question.qname.bytes, question.qname.size, &qname)) {
        return 0;
    }
    check_links(answer, &qname);
    check_target(query, answer, &qname);
    return 0;
}
