/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as a control request: read or refused with a reason, texts within their rooms.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/server/control_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct control_request request;
    char why[WHY_MAX] = "";
    if (!control_request_parse((const char *)data, size, &request, why)) {
        if (why[0] == '\0') {
            abort();
        }
        return 0;
    }
    if (memchr(request.name, '\0', sizeof request.name) == NULL ||
        memchr(request.address, '\0', sizeof request.address) == NULL ||
        memchr(request.type, '\0', sizeof request.type) == NULL) {
        abort();
    }
    return 0;
}
