/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an HTTP request comes to: an answer, or one of the errors that RFC 8484 and RFC 9110 have
 * for it, each with a sentence for the person who looks.
 */
#pragma once

enum http_status {
    HTTP_STATUS_OK,
    HTTP_STATUS_NO_MESSAGE,   /* 400: GET without exactly one readable parameter dns */
    HTTP_STATUS_NOT_A_QUERY,  /* 400: what was sent is no DNS query */
    HTTP_STATUS_FORWARDED,    /* 400: a trusted peer does not say who asks in a way we can read */
    HTTP_STATUS_NOT_FOUND,    /* 404: another path than /dns-query */
    HTTP_STATUS_METHOD,       /* 405: other than GET and POST */
    HTTP_STATUS_NOT_ACCEPTED, /* 406: the client takes no application/dns-message */
    HTTP_STATUS_TIMEOUT,      /* 408: the request did not end in time */
    HTTP_STATUS_TOO_LARGE,    /* 413: more than a DNS message can be */
    HTTP_STATUS_MEDIA_TYPE,   /* 415: POST of something else */
    HTTP_STATUS_FIELDS,       /* 431: header fields beyond HTTP_REQUEST_FIELDS_MAX */
    HTTP_STATUS_UNAVAILABLE,  /* 503: out of memory */
    HTTP_STATUSES
};

struct http_status_row {
    const char *code; /* three digits */
    const char *text; /* a line */
};

const struct http_status_row *http_status_row(enum http_status status);
