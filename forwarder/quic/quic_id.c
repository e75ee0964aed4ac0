/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Connection IDs (see quic_id.h).
 */
#include "forwarder/quic/quic_id.h"

void quic_id_mark(uint8_t id[static QUIC_ID_SIZE], unsigned worker)
{
    unsigned drawn = (unsigned)id[0] << 8 | id[1];
    unsigned marked = (drawn & ~(QUIC_ID_WORKERS_MAX - 1)) | worker;
    id[0] = (uint8_t)(marked >> 8);
    id[1] = (uint8_t)marked;
}

unsigned quic_id_worker(const uint8_t id[static QUIC_ID_SIZE])
{
    return ((unsigned)id[0] << 8 | id[1]) & (QUIC_ID_WORKERS_MAX - 1);
}
