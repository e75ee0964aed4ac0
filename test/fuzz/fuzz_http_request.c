/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A request of any header fields and body. Lines of the input are fields, "name:value"; what stands
 * behind an empty line is the body. A request that is well holds a query of the size that a message
 * may have; one that is not holds nothing.
 */
#include <assert.h>

#include "forwarder/http/http_request.h"
#include "forwarder/wire/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct span next_line(struct span *rest)
{
    const uint8_t *end = memchr(rest->bytes, '\n', rest->size);
    struct span line = {rest->bytes, end == NULL ? rest->size : (size_t)(end - rest->bytes)};
    size_t taken = line.size + (end == NULL ? 0 : 1);
    *rest = (struct span){rest->bytes + taken, rest->size - taken};
    return line;
}

static void put_field(struct http_request *request, struct span line)
{
    const uint8_t *colon = line.size < 2 ? NULL : memchr(line.bytes + 1, ':', line.size - 1);
    size_t name = colon == NULL ? line.size : (size_t)(colon - line.bytes);
    size_t value = colon == NULL ? line.size : name + 1;
    http_request_field(request, (struct span){line.bytes, name},
                       (struct span){line.bytes + value, line.size - value}, true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct http_request request;
    struct span rest = {data, size};
    http_request_init(&request);
    while (rest.size > 0) {
        struct span line = next_line(&rest);
        if (line.size == 0) {
            break;
        }
        put_field(&request, line);
    }
    http_request_headed(&request);
    while (rest.size > 0) {
        size_t piece = rest.size < 7 ? rest.size : 7;
        http_request_body(&request, (struct span){rest.bytes, piece});
        rest = (struct span){rest.bytes + piece, rest.size - piece};
    }
    http_request_end(&request);
    struct span message = http_request_message(&request);
    if (request.status == HTTP_STATUS_OK) {
        assert(request.get != request.post);
        assert(message.size >= DNS_HEADER_SIZE && message.size <= DNS_MESSAGE_MAX);
        assert((message.bytes[2] & 0x80) == 0);
    } else {
        assert(message.bytes == NULL && message.size == 0);
        assert(http_request_forwarded(&request).forwarded.size == 0);
    }
    http_request_fini(&request);
    return 0;
}
