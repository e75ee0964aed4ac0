/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Messages about a.b for the tests of what reads queries from files (in the notation of
 * wire_notation.h), and what was read as text.
 */
#pragma once

#include <stdio.h>

#include "forwarder/cli/query_record.h"

/* 21 octets each. */
#define QUERY_TEXT_QUERY "0001 0100 0001 0000 0000 0000 01'a'01'b'00 0001 0001 "
#define QUERY_TEXT_ANSWER "0001 8180 0001 0000 0000 0000 01'a'01'b'00 0001 0001 "
#define QUERY_TEXT_NOTIFY "0001 2000 0001 0000 0000 0000 01'a'01'b'00 0006 0001 "

#define QUERY_TEXT_MAX (ADDRESS_TEXT_MAX + DNAME_TEXT_MAX + 8)

/* "192.0.2.1:a.b:1", with "-" for no address. Returns out. */
static inline char *query_text(const struct query_record *record, char out[static QUERY_TEXT_MAX])
{
    char address[ADDRESS_TEXT_MAX] = "-", name[DNAME_TEXT_MAX];
    if (record->has_client) {
        address_format(&record->client, address);
    }
    snprintf(out, QUERY_TEXT_MAX, "%s:%s:%u", address, dname_format(&record->name, name),
             record->type);
    return out;
}
