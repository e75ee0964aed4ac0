/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The OPT record of a whole message (RFC 6891 section 6.1), query or answer, and the options in it:
 * for code that changes them. A message that cannot be read to its end has none here; edns.h reads
 * what can be read of a query. Pure, like the rest of this room.
 */
#pragma once

#include "forwarder/wire/records.h"

#define OPT_RECORD_FIXED (1 + DNS_RECORD_FIXED) /* octets of one without options: root owner */
#define OPT_RECORD_OPTION 4                     /* octets of an option before its data */

enum opt_record_outcome {
    OPT_RECORD_NONE,
    OPT_RECORD_ONE,
    OPT_RECORD_UNREADABLE, /* counts or lengths that do not fit, two or more, or one that has
                            * another owner or section than it should */
};

struct opt_record {
    struct records_record record; /* its owner is where it begins */
    size_t end;                   /* where it ends */
    bool signed_behind;           /* the message is signed: TSIG or SIG(0) (RFC 8945, RFC 2931) */
    uint16_t behind;              /* records behind it */
    size_t tail;                  /* octets behind the last record */
};

/* Sets record and behind for OPT_RECORD_ONE, signed_behind and tail but for OPT_RECORD_UNREADABLE.
 */
enum opt_record_outcome opt_record_find(struct span message, struct opt_record *out);

/* May the OPT become longer or shorter? What stands behind it moves then: none of it may be signed
 * over, be pointed to, or hold names that might be compressed (RFC 3597 section 4). */
bool opt_record_may_resize(struct span message, const struct opt_record *opt);

struct opt_record_option {
    uint16_t code;
    struct span data;
    struct span whole; /* with code and length */
};

/* Can all options of RDATA be read? */
bool opt_record_is_readable(struct span rdata);

/* The next option of RDATA. False at the end; reader.failed, where one does not fit. */
bool opt_record_next(struct span_reader *rdata, struct opt_record_option *out);
