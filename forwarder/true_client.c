/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * From the peer to whose country counts (see true_client.h).
 */
#include "forwarder/true_client.h"

#include <string.h>

#include "forwarder/wire/dns.h"
#include "forwarder/wire/ecs.h"
#include "forwarder/wire/edns.h"

#define ADDRESS_BITS 128U

struct query_client true_client_of_peer(const struct address *peer)
{
    return (struct query_client){.address = *peer, .subject = *peer};
}

static void become(struct query_client *client, const struct address *address)
{
    client->address = *address;
    client->subject = *address;
    client->spread = 0;
}

void true_client_lose(struct query_client *client)
{
    client->subject = (struct address){0};
    client->spread = ADDRESS_BITS;
}

void true_client_hide(struct query_client *client)
{
    true_client_lose(client);
    client->hidden = true;
}

void true_client_proxied(struct query_client *client, const struct proxy_header *header,
                         struct query_ends *ends)
{
    switch (header->kind) {
    case PROXY_HEADER_LOCAL:
        return;
    case PROXY_HEADER_UNKNOWN:
        true_client_hide(client);
        return;
    case PROXY_HEADER_CLIENT:
        break;
    }
    memcpy(ends->client.octet, header->source.octet, sizeof ends->client.octet);
    memcpy(ends->server.octet, header->destination.octet, sizeof ends->server.octet);
    ends->client_port = header->source.port;
    ends->server_port = header->destination.port;
    become(client, &ends->client);
}

bool true_client_forwarded(const struct config_trust *trust, struct query_client *client,
                           const struct address *told)
{
    if (query_client_is_unknown(client) ||
        !network_set_contains(trust->forwarded_for, &client->address)) {
        return false;
    }
    if (told == NULL) {
        true_client_hide(client);
        return false;
    }
    become(client, told);
    return true;
}

/* The network of a well-formed option. */
static void narrow(struct query_client *client, const struct ecs *ecs)
{
    if (ecs->source == 0) {
        true_client_lose(client);
        return;
    }
    unsigned family_bits = ecs->family == ECS_FAMILY_IPV4 ? 32 : ADDRESS_BITS;
    memcpy(client->subject.octet, ecs->octet, sizeof client->subject.octet);
    client->spread = (uint8_t)(family_bits - ecs->source);
}

void true_client_ecs(const struct config_trust *trust, struct span message,
                     struct query_client *client)
{
    struct dns_question question;
    struct edns_query edns;
    struct ecs ecs;
    if (client->hidden || !network_set_contains(trust->ecs, &client->address)) {
        return;
    }
    if (dns_question_decode(message, &question) != DNS_QUESTION_ONE) {
        true_client_lose(client);
        return;
    }
    edns_query_decode(message, &question, &edns);
    if (edns.readable && !edns.several && !edns.subnet) {
        return; /* it asks for itself */
    }
    if (edns.readable && !edns.several && ecs_decode(edns.ecs, &ecs)) {
        narrow(client, &ecs);
    } else {
        true_client_lose(client);
    }
}

bool true_client_speaks(const struct config_trust *trust, const struct address *address)
{
    return network_set_contains(trust->proxy_protocol, address) ||
           network_set_contains(trust->ecs, address) ||
           network_set_contains(trust->forwarded_for, address);
}
