/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The target of a request, path and query (RFC 9113 section 8.3.1), as far as RFC 8484 gives it a
 * meaning. One path is served, /dns-query, spelled so: no percent-encoding, no dot segments.
 */
#pragma once

#include "forwarder/wire/span.h"

enum http_target {
    HTTP_TARGET_ELSEWHERE, /* another path */
    HTTP_TARGET_BARE,      /* no parameter dns, or several */
    HTTP_TARGET_MESSAGE,   /* with one */
};

/* Sets *dns, a run of the target, for HTTP_TARGET_MESSAGE only: the parameter's value as it is
 * written. Other parameters are passed over. */
enum http_target http_target_read(struct span target, struct span *dns);
