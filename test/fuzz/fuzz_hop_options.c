/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any message as a query and as an answer: taking twice is taking once, what is left is the
 * message but for the OPT's RDATA, and what was put can be taken again, to the OPT of our own where
 * there was none.
 */
#include <assert.h>
#include <string.h>

#include "forwarder/stream/hop_options.h"
#include "forwarder/wire/opt_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_take(const uint8_t *data, size_t size)
{
    static uint8_t query[DNS_MESSAGE_MAX], again[DNS_MESSAGE_MAX];
    struct origin_hop hop, second;
    memcpy(query, data, size);
    size_t left = hop_options_take(query, size, &hop);
    assert(left <= size);
    assert(hop.padding || hop.keepalive ? hop.opt && left < size
                                        : left == size && memcmp(query, data, size) == 0);
    memcpy(again, query, left);
    assert(hop_options_take(again, left, &second) == left);
    assert(memcmp(again, query, left) == 0);
    assert(second.opt == hop.opt && !second.padding && !second.keepalive);
}

/* An answer that had no OPT has ours at its end, empty once the padding is taken. */
static void check_own_opt(const uint8_t *out, size_t taken, const uint8_t *plain, size_t bare)
{
    static const uint8_t opt[] = {0, 0, 41};
    assert(taken == bare + OPT_RECORD_FIXED);
    assert(memcmp(out, plain, DNS_ARCOUNT_AT) == 0);
    assert(span_u16(out + DNS_ARCOUNT_AT) == span_u16(plain + DNS_ARCOUNT_AT) + 1);
    assert(memcmp(out + DNS_HEADER_SIZE, plain + DNS_HEADER_SIZE, bare - DNS_HEADER_SIZE) == 0);
    assert(memcmp(out + bare, opt, sizeof opt) == 0);
    assert(span_u16(out + taken - 2) == 0);
}

static void check_put(const uint8_t *data, size_t size, const struct origin_hop *asked)
{
    static uint8_t out[DNS_MESSAGE_MAX], plain[DNS_MESSAGE_MAX];
    struct origin_hop had, has;
    size_t put = hop_options_put((struct span){data, size}, asked, 30000, out);
    if (put == 0) {
        return;
    }
    assert(put <= DNS_MESSAGE_MAX);
    memcpy(plain, data, size);
    size_t bare = hop_options_take(plain, size, &had);
    size_t taken = hop_options_take(out, put, &has);
    assert(has.opt);
    if (had.opt) {
        assert(taken == bare && memcmp(out, plain, bare) == 0);
    } else {
        assert(asked->padding);
        check_own_opt(out, taken, plain, bare);
    }
    assert(!has.padding ||
           (asked->padding && (put % HOP_OPTIONS_BLOCK == 0 || put == DNS_MESSAGE_MAX)));
    assert(!has.keepalive || asked->keepalive);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > DNS_MESSAGE_MAX) {
        return 0;
    }
    check_take(data, size);
    for (unsigned asked = 0; asked < 8; asked++) {
        const struct origin_hop hop = {(asked & 1) != 0, (asked & 2) != 0, (asked & 4) != 0};
        check_put(data, size, &hop);
    }
    return 0;
}
