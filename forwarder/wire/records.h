/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The resource records of a message (RFC 1035 section 4.1.3) and the names in them: a cursor over
 * borrowed bytes, and the only place where compression pointers are followed. Knows where a record
 * begins and ends; what its RDATA means is its reader's business. Pure: no heap, no clock, no
 * sockets; hostile input yields false, never a read past the end, a loop, or more than linear work.
 */
#pragma once

#include "forwarder/wire/dns.h"

enum records_section {
    RECORDS_ANSWER,
    RECORDS_AUTHORITY,
    RECORDS_ADDITIONAL,
};
#define RECORDS_SECTIONS 3

struct records_record {
    enum records_section section;
    size_t owner; /* where in the message its name begins */
    uint16_t type;
    uint16_t class; /* of an OPT, the UDP size */
    uint32_t ttl;
    size_t data; /* where its RDATA begins */
    size_t size; /* RDLENGTH */
};

/* Invariant: at is behind what has been read, and at most message.size. */
struct records {
    struct span message;
    size_t at;
    uint16_t left[RECORDS_SECTIONS];
    bool broken; /* the message ends before its counts do, or a name has no end */
};

/* Begins behind the question section, however many questions it holds. */
struct records records_begin(struct span message);

/* The next record of any section. False at the end, or where the message cannot be read on: then
 * broken is set. A record whose names lead nowhere is a record all the same. */
bool records_next(struct records *records, struct records_record *out);

/* A name as the message spells it, case included, without compression. */
struct records_name {
    uint8_t size; /* 1 is the root */
    uint8_t wire[DNS_NAME_MAX];
};

/* Reads the name at *at, whose own octets end before end (that of an RDATA, or of the message),
 * and moves *at behind them. Each pointer must lead to before the octets it stands behind, and not
 * into the header: so there is no loop. False, *at as it was, for any other pointer, for more than
 * RECORDS_POINTERS_MAX of them, a label type but those of RFC 1035, a cut name, and one over 255
 * octets. */
bool records_name_read(struct span message, size_t *at, size_t end, struct records_name *out);

/* Pointers that one name may take: more than it has labels is not compression any more. */
#define RECORDS_POINTERS_MAX 127
