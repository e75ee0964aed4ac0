/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Forwarded and X-Forwarded-For of any octets: the first octet of the input says where the one ends
 * and the other begins. A client who is told is not trusted unless all are; a line of the proxy's
 * behind them decides whatever they say; and nobody can take it back by what he writes before it.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "forwarder/http/http_forwarded.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct network_set *trusted(void)
{
    static struct network_set *set;
    if (set == NULL) {
        struct network networks[2];
        char why[128];
        assert(network_parse("10.0.0.0/8", 10, &networks[0], why, sizeof why));
        assert(network_parse("2001:db8::/32", 13, &networks[1], why, sizeof why));
        set = network_set_new(networks, 2);
    }
    return set;
}

/* The same header, and one more line. */
static struct span with_line(struct span header, const char *line)
{
    size_t size = header.size + strlen(line) + 2;
    char *text = malloc(size);
    assert(text != NULL);
    memcpy(text, header.bytes, header.size);
    text[header.size] = '\n';
    memcpy(text + header.size + 1, line, strlen(line));
    text[size - 1] = '\n';
    return (struct span){(const uint8_t *)text, size};
}

static void last_line_decides(struct span header, bool is_x)
{
    struct span longer = with_line(header, is_x ? "192.0.2.7" : "for=192.0.2.7;by=\"\"");
    struct http_forwarded headers = {is_x ? (struct span){0} : longer,
                                     is_x ? longer : (struct span){0}};
    struct address client, expected;
    assert(address_parse("192.0.2.7", 9, &expected));
    assert(http_forwarded_client(&headers, trusted(), &client) == HTTP_FORWARDED_CLIENT);
    assert(address_equal(&client, &expected));
    free((void *)(uintptr_t)longer.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    size_t cut = data[0] < size - 1 ? data[0] : size - 1;
    struct http_forwarded headers = {{data + 1, cut}, {data + 1 + cut, size - 1 - cut}};
    struct address client;
    enum http_forwarded_outcome outcome = http_forwarded_client(&headers, trusted(), &client);
    assert((outcome == HTTP_FORWARDED_ABSENT) == (size == 1));
    last_line_decides(headers.forwarded, false);
    last_line_decides(headers.x_forwarded_for, true);
    return 0;
}
