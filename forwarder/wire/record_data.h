/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * RDATA taken from one message into another: names in it may be compressed against the message it
 * came in, so they are written out in full where a type allows compression (RFC 3597 section 4).
 * Every other type is copied as it is. Pure, like the rest of this room.
 */
#pragma once

#include "forwarder/wire/records.h"

/* Appends RDLENGTH and RDATA of a record of this message. False, with nothing usable written, when
 * a name in it cannot be read, the RDATA ends too early, or it does not fit. */
bool record_data_write(struct span message, const struct records_record *record,
                       struct span_writer *writer);
