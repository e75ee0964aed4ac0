/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The table of HTTP errors (see http_status.h).
 */
#include "forwarder/http/http_status.h"

static const struct http_status_row rows[] = {
    [HTTP_STATUS_OK] = {"200", ""},
    [HTTP_STATUS_NO_MESSAGE] =
        {"400", "GET needs one parameter dns: a DNS message in base64url without padding.\n"},
    [HTTP_STATUS_NOT_A_QUERY] = {"400", "This is no DNS query.\n"},
    [HTTP_STATUS_FORWARDED] =
        {"400", "Forwarded or X-Forwarded-For does not say who asks, or they do not agree.\n"},
    [HTTP_STATUS_NOT_FOUND] = {"404", "DNS is at /dns-query.\n"},
    [HTTP_STATUS_METHOD] = {"405", "The methods are GET and POST.\n"},
    [HTTP_STATUS_NOT_ACCEPTED] = {"406", "Answers are of type application/dns-message.\n"},
    [HTTP_STATUS_TIMEOUT] = {"408", "The request did not end in time.\n"},
    [HTTP_STATUS_TOO_LARGE] = {"413", "A DNS message has at most 65535 octets.\n"},
    [HTTP_STATUS_MEDIA_TYPE] = {"415", "POST needs content-type: application/dns-message.\n"},
    [HTTP_STATUS_FIELDS] = {"431", "The header fields have more than 16384 octets.\n"},
    [HTTP_STATUS_UNAVAILABLE] = {"503", "Out of memory.\n"},
};

const struct http_status_row *http_status_row(enum http_status status)
{
    return &rows[status];
}
