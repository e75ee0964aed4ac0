/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connections to a listener with `proxy-protocol` between being accepted and being served: their
 * PROXY header is read from the descriptor, to the octet, so that TLS or queries begin behind it.
 * Headers inside TLS are read elsewhere (stream_proxied.c). The caller has found the peer
 * in trust.proxy-protocol.
 *
 * Limits: a connection whose header is not complete PROXY_INTAKE_MS after it was accepted is
 * closed, however its octets trickle in; meanwhile it holds its place in the quota like any other.
 * Owned by one listener; one thread.
 */
#pragma once

struct config_trust;
struct proxy_header;
struct proxy_intake;
struct stream_opening;
struct worker;

/* Proxies send the header at once: this leaves time for lost segments and slow paths. */
#define PROXY_INTAKE_MS 5000

/* Called when the header has been read and says who asks; takes over what the opening holds. */
typedef void proxy_intake_fn(void *ctx, const struct stream_opening *opening);

/* NULL when memory is out. */
struct proxy_intake *proxy_intake_new(struct worker *worker, proxy_intake_fn *on_client, void *ctx);
void proxy_intake_free(struct proxy_intake *intake); /* closes all; NULL is allowed */

/* Takes over descriptor and quota of the opening, whose client is its peer, in any case. */
void proxy_intake_take(struct proxy_intake *intake, const struct stream_opening *opening);

/* Closes those that wait: nothing has been asked over them. */
void proxy_intake_stop(struct proxy_intake *intake);

/* Who asks over a connection, and for whom its place in the quota is held: for the true client, but
 * for nobody in particular where he may speak for others, or is not known. */
void proxy_intake_tell(const struct config_trust *trust, const struct proxy_header *header,
                       struct stream_opening *opening);
