/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The OPT of any message whose question can be read. Where libknot accepts the message, it must
 * have read the same; and an OPT made of what was read must read back the same.
 */
#include <assert.h>
#include <libknot/libknot.h>
#include <string.h>

#include "forwarder/wire/edns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_fields(const struct edns_query *query)
{
    assert(query->udp_size >= DNS_UDP_DEFAULT);
    assert(query->present || (!query->several && !query->structured && query->cookie.size == 0));
    assert(query->cookie.size == 0 || query->cookie.size == EDNS_COOKIE_CLIENT ||
           (query->cookie.size >= 16 && query->cookie.size <= EDNS_COOKIE_MAX));
    assert(query->ecs.size == 0 || (query->subnet && query->ecs.size <= ECS_MAX));
}

/* Does an OPT that libknot has accepted ask for structured errors? */
static bool asks(const knot_rrset_t *opt)
{
    const uint8_t *sde = knot_edns_get_option(opt, EDNS_OPTION_SDE, NULL);
    const uint8_t *ede = NULL;
    bool bare = false;
    while ((ede = knot_edns_get_option(opt, KNOT_EDNS_OPTION_EDE, ede)) != NULL) {
        bare |= knot_edns_opt_get_length(ede) == 2 &&
                knot_wire_read_u16(knot_edns_opt_get_data((uint8_t *)ede)) == 0;
    }
    return sde != NULL || bare;
}

/* libknot refuses more than we do, and takes an OPT whose owner is not the root. */
static void check_with_knot(struct span message, const struct edns_query *query)
{
    static uint8_t copy[DNS_MESSAGE_MAX];
    memcpy(copy, message.bytes, message.size);
    knot_pkt_t *packet = knot_pkt_new(copy, (uint16_t)message.size, NULL);
    int result = knot_pkt_parse(packet, KNOT_PF_KEEPWIRE | KNOT_PF_NOCANON);
    if (result == KNOT_EOK || result == KNOT_ETRAIL) {
        assert(query->readable == (result == KNOT_EOK) && !query->several);
        assert(!query->present || packet->opt_rr != NULL);
    }
    if ((result == KNOT_EOK || result == KNOT_ETRAIL) && query->present) {
        uint16_t payload = knot_edns_get_payload(packet->opt_rr);
        assert(query->udp_size == (payload < DNS_UDP_DEFAULT ? DNS_UDP_DEFAULT : payload));
        assert(query->version == knot_edns_get_version(packet->opt_rr));
        assert(query->dnssec_ok == knot_edns_do(packet->opt_rr));
        assert(query->structured == asks(packet->opt_rr));
    }
    knot_pkt_free(packet);
}

static void check_round_trip(const struct edns_query *query)
{
    static const uint8_t HEAD[] = {0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1};
    uint8_t bytes[sizeof HEAD + EDNS_ANSWER_BARE_MAX];
    struct span_writer writer = span_writer(bytes, sizeof bytes);
    span_write(&writer, (struct span){HEAD, sizeof HEAD});
    edns_answer_encode(&writer, &(struct edns_answer){.dnssec_ok = query->dnssec_ok,
                                                      .has_error = true,
                                                      .cookie = query->cookie,
                                                      .ecs = query->ecs});
    assert(!writer.failed);

    struct span message = {bytes, writer.size};
    struct dns_question question;
    struct edns_query back;
    assert(dns_question_decode(message, &question) == DNS_QUESTION_ONE);
    edns_query_decode(message, &question, &back);
    assert(back.present && !back.several && back.readable && back.version == 0);
    assert(back.udp_size == EDNS_UDP_SIZE && back.dnssec_ok == query->dnssec_ok);
    assert(back.subnet == (query->ecs.size > 0));
    assert(back.cookie.size == query->cookie.size);
    assert(back.cookie.size == 0 ||
           memcmp(back.cookie.bytes, query->cookie.bytes, back.cookie.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span message = {data, size};
    struct dns_question question;
    if (size > DNS_MESSAGE_MAX || dns_question_decode(message, &question) != DNS_QUESTION_ONE) {
        return 0;
    }
    struct edns_query query;
    edns_query_decode(message, &question, &query);
    check_fields(&query);
    check_with_knot(message, &query);
    check_round_trip(&query);
    return 0;
}
