/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as the protected networks. Each network of a text that is accepted must be found by
 * itself, by its first and its last address, and by all addresses of its family. (The last address
 * of ::/80 is one of IPv4, which no network of IPv6 holds.)
 */
#include "policy/protected_networks.h"

#include <assert.h>
#include <stdint.h>

#include "geo/problem.h"
#include "policy/line_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_network(const struct protected_networks *networks, const struct network *network)
{
    const struct network every_ipv6 = {.length = 0};
    const bool ipv4 = network->length >= NETWORK_IPV4.length && address_is_ipv4(&network->base);
    const struct network first = {network->base, 128};
    const struct network last = {network_last(network), 128};
    assert(protected_networks_find(networks, network) != NULL);
    assert(protected_networks_find(networks, &first) != NULL);
    assert(!network_contains(network, &last.base) ||
           protected_networks_find(networks, &last) != NULL);
    assert(protected_networks_find(networks, ipv4 ? &NETWORK_IPV4 : &every_ipv6) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list problems;
    struct line_reader reader;
    struct line line;
    problem_list_init(&problems);
    struct protected_networks *networks =
        protected_networks_new("f", (const char *)data, size, &problems);
    assert((networks == NULL) == (problems.errors > 0));
    line_reader_init(&reader, (const char *)data, size);
    while (networks != NULL && line_reader_next(&reader, &line)) {
        struct network network;
        char why[WHY_MAX];
        assert(network_parse(line.text, line.len, &network, why, sizeof why));
        check_network(networks, &network);
    }
    protected_networks_free(networks);
    problem_list_fini(&problems);
    return 0;
}
