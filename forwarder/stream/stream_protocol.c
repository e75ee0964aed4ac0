/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which protocol a listener's connections begin with (see stream_protocol.h).
 */
#include "forwarder/stream/stream_protocol.h"

#include "forwarder/config/config.h"

const struct stream_protocol *stream_protocol_behind_proxy(const struct config_listen *listen)
{
    static const struct stream_protocol *const first[] = {
        [CONFIG_UDP] = NULL,           [CONFIG_TCP] = &stream_framed,
        [CONFIG_TLS] = &stream_framed, [CONFIG_HTTPS] = &stream_https,
        [CONFIG_QUIC] = NULL,
    };
    return first[listen->transport];
}

const struct stream_protocol *stream_protocol_of(const struct config_listen *listen)
{
    if (listen->proxy == CONFIG_PROXY_INSIDE) {
        return &stream_proxied;
    }
    return stream_protocol_behind_proxy(listen);
}
