/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The octets of a client's connection, in clear or by TLS, as a bufferevent whose callbacks are
 * deferred. Reading stops at any time without loss: libevent leaves nothing decrypted behind.
 */
#pragma once

#include <stdbool.h>

struct bufferevent;
struct config_listen;
struct worker;

/* Takes over an accepted descriptor in any case. TLS is what the listener wants, with the
 * certificate in force. NULL when there is none that could be used, or memory is out. */
struct bufferevent *stream_transport_open(struct worker *worker, const struct config_listen *listen,
                                          int descriptor);

/* Closes, and tells the client so where the protocol of the octets can (RFC 8446 section 6.1) and
 * its handshake is done; NULL is allowed. */
void stream_transport_close(struct bufferevent *transport, bool handshaking);

bool stream_transport_is_tls(struct bufferevent *transport);

/* Did the handshake that is done resume a session? */
bool stream_transport_is_resumed(struct bufferevent *transport);

/* Reads what the client has sent already, without waiting for the loop; was there anything? Never
 * under TLS, where only the loop may read. */
bool stream_transport_read_now(struct bufferevent *transport);
