/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ngtcp2 as Debian 12 has it (0.12) and as Debian 13 has it (1.x): the few things that differ.
 */
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "forwarder/wire/span.h"

#if NGTCP2_VERSION_NUM >= 0x010000

typedef ngtcp2_ccerr quic_compat_error;
#define quic_compat_error_default ngtcp2_ccerr_default
#define quic_compat_error_application ngtcp2_ccerr_set_application_error
#define quic_compat_error_transport ngtcp2_ccerr_set_transport_error
#define quic_compat_error_library ngtcp2_ccerr_set_liberr
#define quic_compat_error_alert ngtcp2_ccerr_set_tls_alert

static inline struct span quic_compat_token(const ngtcp2_pkt_hd *header)
{
    return (struct span){header->token, header->tokenlen};
}

/* The address was validated by a Retry with this token. */
static inline void quic_compat_validated(ngtcp2_settings *settings, struct span token)
{
    settings->token = token.bytes;
    settings->tokenlen = token.size;
    settings->token_type = NGTCP2_TOKEN_TYPE_RETRY;
}

static inline void quic_compat_original(ngtcp2_transport_params *params, const ngtcp2_cid *id)
{
    params->original_dcid = *id;
    params->original_dcid_present = 1;
}

/* Both directions of a stream; nothing, if it is not there any more. */
static inline void quic_compat_shutdown(ngtcp2_conn *transport, int64_t stream, uint64_t code)
{
    (void)ngtcp2_conn_shutdown_stream(transport, 0, stream, code);
}

#else

typedef ngtcp2_connection_close_error quic_compat_error;
#define quic_compat_error_default ngtcp2_connection_close_error_default
#define quic_compat_error_application ngtcp2_connection_close_error_set_application_error
#define quic_compat_error_transport ngtcp2_connection_close_error_set_transport_error
#define quic_compat_error_library ngtcp2_connection_close_error_set_transport_error_liberr
#define quic_compat_error_alert ngtcp2_connection_close_error_set_transport_error_tls_alert

static inline struct span quic_compat_token(const ngtcp2_pkt_hd *header)
{
    return (struct span){header->token.base, header->token.len};
}

/* The address was validated by a Retry with this token. */
static inline void quic_compat_validated(ngtcp2_settings *settings, struct span token)
{
    settings->token = (ngtcp2_vec){(uint8_t *)(uintptr_t)token.bytes, token.size};
}

static inline void quic_compat_original(ngtcp2_transport_params *params, const ngtcp2_cid *id)
{
    params->original_dcid = *id;
}

/* Both directions of a stream; nothing, if it is not there any more. */
static inline void quic_compat_shutdown(ngtcp2_conn *transport, int64_t stream, uint64_t code)
{
    (void)ngtcp2_conn_shutdown_stream(transport, stream, code);
}

#endif
