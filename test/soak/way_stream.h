/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A connection in clear or by TLS, for the ways that are built on one.
 */
#pragma once

#include <event2/bufferevent.h>

#include "test/soak/way.h"

/* A connection under way from the route's address; alpn is one protocol's name, or NULL: no TLS.
 * The callbacks are the caller's to set. Exits without memory. */
struct bufferevent *way_stream_open(const struct way_route *route, const char *alpn);
