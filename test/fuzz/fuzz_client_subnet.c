/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any query that a network is put into, and any answer that it is taken out of. The first octet
 * says of whom (IPv4 or IPv6, how much of it is known), the next two how long the query is; what
 * follows it is the answer.
 */
#include <assert.h>
#include <string.h>

#include "forwarder/answer_fit.h"
#include "forwarder/upstream/client_subnet.h"
#include "forwarder/wire/ecs.h"
#include "forwarder/wire/opt_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ECS 8

static unsigned count_ecs(struct span message)
{
    struct opt_record opt;
    struct opt_record_option option;
    unsigned count = 0;
    assert(opt_record_find(message, &opt) == OPT_RECORD_ONE);
    struct span_reader reader =
        span_reader((struct span){message.bytes + opt.record.data, opt.record.size});
    while (opt_record_next(&reader, &option)) {
        struct ecs ecs;
        count += option.code == ECS ? 1 : 0;
        assert(option.code != ECS || (ecs_decode(option.data, &ecs) && ecs.source > 0));
    }
    return count;
}

/* What was told stands once in a message that is whole, and can be withdrawn. */
static void check_told(struct span query, struct span told, enum client_subnet change)
{
    static uint8_t room[DNS_MESSAGE_MAX];
    struct dns_question before, after;
    struct opt_record opt;
    assert(told.size <= query.size + CLIENT_SUBNET_GROWTH);
    assert(count_ecs(told) == 1);
    assert(dns_question_decode(query, &before) == DNS_QUESTION_ONE);
    assert(dns_question_decode(told, &after) == DNS_QUESTION_ONE);
    assert(dns_question_same(&before, &after) && memcmp(query.bytes, told.bytes, 10) == 0);
    struct span_writer writer = span_writer(room, sizeof room);
    assert(client_subnet_withdraw(told, change, &writer) && !writer.failed);
    struct span withdrawn = {room, writer.size};
    if (change == CLIENT_SUBNET_OPT) {
        assert(withdrawn.size == query.size && memcmp(room, query.bytes, query.size) == 0);
    } else {
        assert(count_ecs(withdrawn) == 0 && opt_record_find(query, &opt) == OPT_RECORD_ONE);
    }
}

/* What is changed stays whole; what is not, has nothing to change or cannot be read. */
static void check_answer(struct span answer, enum client_subnet change, struct span query)
{
    static uint8_t room[DNS_MESSAGE_MAX];
    struct span_writer writer = span_writer(room, sizeof room);
    struct opt_record opt;
    (void)client_subnet_is_refusal(answer, change);
    if (!client_subnet_answer(answer, change, query, &writer)) {
        return;
    }
    struct span changed = {room, writer.size};
    enum opt_record_outcome outcome = opt_record_find(changed, &opt);
    assert(outcome == (change == CLIENT_SUBNET_OPT ? OPT_RECORD_NONE : OPT_RECORD_ONE));
    assert(changed.size <= answer.size + OPT_RECORD_OPTION + ECS_MAX);
    assert(change != CLIENT_SUBNET_OPTION || count_ecs(changed) == 0);
    assert(change != CLIENT_SUBNET_REPLACED || count_ecs(changed) <= 1);
}

static void check_cut(struct span answer, struct span query)
{
    uint8_t out[BLOCK_ANSWER_MAX];
    struct dns_header header;
    if (answer.size < DNS_HEADER_SIZE) {
        return;
    }
    size_t limit = answer_fit_limit(query);
    size_t size = answer_fit_cut(answer, limit, out);
    struct records records = records_begin((struct span){out, size});
    struct records_record record;
    while (records_next(&records, &record)) {
        assert(record.type == DNS_TYPE_OPT);
    }
    assert(!records.broken && records.at == size && size <= limit);
    assert(dns_header_decode((struct span){out, size}, &header));
    assert((header.flags & DNS_FLAG_TC) != 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t room[DNS_MESSAGE_MAX];
    if (size < 3 || size > DNS_MESSAGE_MAX) {
        return 0;
    }
    struct address client = {{[10] = 0xff, [11] = 0xff, [12] = 2, 32, 0, 1}};
    if ((data[0] & 1) != 0) {
        client = (struct address){{0x20, 1, 0xb, 7, 0, 1, 2, 3}};
    }
    size_t wanted = (size_t)(data[1] << 8 | data[2]);
    struct span query = {data + 3, wanted < size - 3 ? wanted : size - 3};
    struct span answer = {query.bytes + query.size, size - 3 - query.size};
    struct client_subnet_teller teller = {&client, data[0] >> 1, 24, 56};
    struct span_writer writer = span_writer(room, sizeof room);
    enum client_subnet change = client_subnet_query(query, &teller, &writer);
    if (change != CLIENT_SUBNET_NONE) {
        check_told(query, (struct span){room, writer.size}, change);
        check_answer(answer, change, query);
    }
    check_answer(answer, CLIENT_SUBNET_OPT, query);
    check_answer(answer, CLIENT_SUBNET_OPTION, query);
    check_cut(answer, query);
    return 0;
}
