/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Collecting a request (see http_request.h).
 */
#include "forwarder/http/http_request.h"

#include <stdlib.h>
#include <strings.h>

#include "forwarder/http/base64url.h"
#include "forwarder/http/http_target.h"
#include "forwarder/wire/dns.h"

#define FIELD_OVERHEAD 32
#define BODY_FIRST 512 /* octets of room for a body to begin with */

static const char dns_message[] = "application/dns-message";

void http_request_init(struct http_request *request)
{
    *request = (struct http_request){
        .path = HTTP_STATUS_NOT_FOUND,
        .query = HTTP_STATUS_NO_MESSAGE,
    };
}

static void drop_message(struct http_request *request)
{
    free(request->message);
    request->message = NULL;
    request->size = 0;
    request->capacity = 0;
}

static void drop_text(struct http_request_text *text)
{
    free(text->bytes);
    *text = (struct http_request_text){0};
}

void http_request_fini(struct http_request *request)
{
    drop_message(request);
    drop_text(&request->forwarded);
    drop_text(&request->x_forwarded_for);
}

/* The first error is the one that is told. */
static void fail(struct http_request *request, enum http_status status)
{
    if (request->status == HTTP_STATUS_OK) {
        request->status = status;
        http_request_fini(request);
    }
}

static bool is_text(struct span span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.bytes, text, span.size) == 0;
}

/* A media type or range without its parameters (RFC 9110 section 8.3.1). */
static bool is_type(struct span value, const char *type)
{
    const uint8_t *end = value.size == 0 ? NULL : memchr(value.bytes, ';', value.size);
    size_t size = end == NULL ? value.size : (size_t)(end - value.bytes);
    while (size > 0 && (value.bytes[size - 1] == ' ' || value.bytes[size - 1] == '\t')) {
        size--;
    }
    return size == strlen(type) && strncasecmp((const char *)value.bytes, type, size) == 0;
}

/* Does accept (RFC 9110 section 12.5.1) admit DNS messages? Preferences do not matter to who has
 * but one type to give. */
static bool accepts(struct span value)
{
    while (value.size > 0) {
        const uint8_t *comma = memchr(value.bytes, ',', value.size);
        size_t size = comma == NULL ? value.size : (size_t)(comma - value.bytes);
        struct span range = {value.bytes, size};
        while (range.size > 0 && (range.bytes[0] == ' ' || range.bytes[0] == '\t')) {
            range = (struct span){range.bytes + 1, range.size - 1};
        }
        if (is_type(range, dns_message) || is_type(range, "application/*") ||
            is_type(range, "*/*")) {
            return true;
        }
        size += comma == NULL ? 0 : 1;
        value = (struct span){value.bytes + size, value.size - size};
    }
    return false;
}

static void take_method(struct http_request *request, struct span value)
{
    request->get = is_text(value, "GET");
    request->post = is_text(value, "POST");
    request->head = is_text(value, "HEAD");
}

/* The message of a GET. What a POST has in its target means nothing, but the method may come later.
 */
static void take_path(struct http_request *request, struct span value)
{
    struct span dns;
    request->path = HTTP_STATUS_OK;
    switch (http_target_read(value, &dns)) {
    case HTTP_TARGET_ELSEWHERE:
        request->path = HTTP_STATUS_NOT_FOUND;
        return;
    case HTTP_TARGET_BARE:
        return;
    case HTTP_TARGET_MESSAGE:
        break;
    }
    size_t size = base64url_size(dns.size);
    drop_message(request);
    request->message = malloc(size + 1);
    if (request->message == NULL) {
        request->exhausted = true;
    } else if (base64url_decode(dns, request->message)) {
        request->size = size;
        request->query = HTTP_STATUS_OK;
    }
}

static void take_type(struct http_request *request, struct span value)
{
    request->typed = is_type(value, dns_message);
}

static void take_accept(struct http_request *request, struct span value)
{
    request->selective = true;
    request->accepted = request->accepted || accepts(value);
}

/* RFC 9110 section 8.6; what the body really has is counted anyway. */
static void take_length(struct http_request *request, struct span value)
{
    size_t length = 0;
    for (size_t i = 0; i < value.size && length <= DNS_MESSAGE_MAX; i++) {
        length = length * 10 + (size_t)(value.bytes[i] - '0');
    }
    request->too_long = length > DNS_MESSAGE_MAX;
}

static const struct {
    const char *name;
    void (*take)(struct http_request *request, struct span value);
} fields[] = {
    {":method", take_method},        {":path", take_path},    {"content-type", take_type},
    {"content-length", take_length}, {"accept", take_accept},
};

static void keep(struct http_request *request, struct http_request_text *text, struct span value)
{
    uint8_t *bytes = realloc(text->bytes, text->size + value.size + 1);
    if (bytes == NULL) {
        request->exhausted = true;
        return;
    }
    if (value.size > 0) {
        memcpy(bytes + text->size, value.bytes, value.size);
    }
    text->bytes = bytes;
    text->size += value.size;
    text->bytes[text->size++] = '\n';
}

void http_request_field(struct http_request *request, struct span name, struct span value,
                        bool keeps_forwarded)
{
    request->fields += name.size + value.size + FIELD_OVERHEAD;
    if (request->fields > HTTP_REQUEST_FIELDS_MAX) {
        fail(request, HTTP_STATUS_FIELDS);
    }
    if (request->status != HTTP_STATUS_OK || request->headed) {
        return;
    }
    for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
        if (is_text(name, fields[i].name)) {
            fields[i].take(request, value);
            return;
        }
    }
    if (keeps_forwarded && is_text(name, "forwarded")) {
        keep(request, &request->forwarded, value);
    } else if (keeps_forwarded && is_text(name, "x-forwarded-for")) {
        keep(request, &request->x_forwarded_for, value);
    }
}

void http_request_headed(struct http_request *request)
{
    const struct {
        bool wrong;
        enum http_status status;
    } checks[] = {
        {request->path != HTTP_STATUS_OK, request->path},
        {!request->get && !request->post, HTTP_STATUS_METHOD},
        {request->selective && !request->accepted, HTTP_STATUS_NOT_ACCEPTED},
        {request->post && !request->typed, HTTP_STATUS_MEDIA_TYPE},
        {request->post && request->too_long, HTTP_STATUS_TOO_LARGE},
        {request->exhausted, HTTP_STATUS_UNAVAILABLE},
        {request->get && request->query != HTTP_STATUS_OK, request->query},
    };
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        if (checks[i].wrong) {
            fail(request, checks[i].status);
        }
    }
    if (request->post && !request->headed) {
        drop_message(request); /* that of its target */
    }
    request->headed = true;
}

/* Makes room for size more octets. */
static bool grow(struct http_request *request, size_t size)
{
    size_t capacity = request->capacity == 0 ? BODY_FIRST : request->capacity;
    while (capacity < request->size + size) {
        capacity *= 2;
    }
    if (capacity == request->capacity) {
        return true;
    }
    uint8_t *message = realloc(request->message, capacity);
    if (message == NULL) {
        return false;
    }
    request->message = message;
    request->capacity = capacity;
    return true;
}

void http_request_body(struct http_request *request, struct span octets)
{
    if (request->status != HTTP_STATUS_OK || !request->post || octets.size == 0) {
        return;
    }
    if (octets.size > DNS_MESSAGE_MAX - request->size) {
        fail(request, HTTP_STATUS_TOO_LARGE);
    } else if (!grow(request, octets.size)) {
        fail(request, HTTP_STATUS_UNAVAILABLE);
    } else {
        memcpy(request->message + request->size, octets.bytes, octets.size);
        request->size += octets.size;
    }
}

void http_request_end(struct http_request *request)
{
    struct dns_header header;
    if (request->status == HTTP_STATUS_OK &&
        (!dns_header_decode(http_request_message(request), &header) ||
         (header.flags & DNS_FLAG_QR) != 0)) {
        fail(request, HTTP_STATUS_NOT_A_QUERY);
    }
}

struct span http_request_message(const struct http_request *request)
{
    return (struct span){request->message, request->size};
}

static struct span text_span(const struct http_request_text *text)
{
    return (struct span){text->bytes, text->size};
}

struct http_forwarded http_request_forwarded(const struct http_request *request)
{
    return (struct http_forwarded){text_span(&request->forwarded),
                                   text_span(&request->x_forwarded_for)};
}
