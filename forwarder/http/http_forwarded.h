/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Who asks, as proxies on the way say in Forwarded (RFC 7239) and X-Forwarded-For. Each proxy
 * appends the address that it was asked from, so only what trusted proxies appended can be
 * believed: the client is the last node that is not itself trusted, and what stands in front of it,
 * which that client may have written, decides nothing. Whether the peer is trusted at all is our
 * caller's business.
 *
 * A proxy writes one of the two headers and may pass on the other as its client wrote it. So where
 * both are there, they must name the same client.
 */
#pragma once

#include "forwarder/wire/span.h"
#include "geo/network.h"

/* The values of all lines of a header in their order, a line feed behind each; empty if absent. */
struct http_forwarded {
    struct span forwarded;
    struct span x_forwarded_for;
};

enum http_forwarded_outcome {
    HTTP_FORWARDED_ABSENT,  /* neither header: it is the peer itself that asks */
    HTTP_FORWARDED_CLIENT,  /* *client is set */
    HTTP_FORWARDED_UNKNOWN, /* a proxy does not know, or does not tell: unknown, an obfuscated node
                             * (RFC 7239 section 6.3), an element without for */
    HTTP_FORWARDED_BAD,     /* the client's node cannot be read; no node; the two headers differ */
};

/* In time linear in the headers. All nodes trusted: the first is the client. */
enum http_forwarded_outcome http_forwarded_client(const struct http_forwarded *headers,
                                                  const struct network_set *trusted,
                                                  struct address *client);
