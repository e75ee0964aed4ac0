/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Where queries come from: lines of text, packets in a capture (pcap, pcapng), or messages of
 * dnstap. Which of them a file is, its first octets tell.
 */
#pragma once

#include "forwarder/cli/query_record.h"

struct query_source_result {
    uint64_t read; /* lines that say something, packets, or messages */
    uint64_t bad;  /* lines that are no query, frames that are no dnstap; the first few are told on
                    * standard error */
};

/* Reads path ("-" is text on standard input) and tells of each query. False, said on standard
 * error, if it cannot be read to its end or is of a kind that is not read. */
bool query_source_read(const char *path, query_record_fn *tell, void *ctx,
                       struct query_source_result *out);
