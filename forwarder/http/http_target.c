/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Path and query (see http_target.h).
 */
#include "forwarder/http/http_target.h"

static const char path[] = "/dns-query";
static const char name[] = "dns=";

#define PATH_SIZE (sizeof path - 1)
#define NAME_SIZE (sizeof name - 1)

/* The octets before the next mark, or all; rest is what follows it. */
static struct span cut(struct span *rest, char mark)
{
    const uint8_t *found = rest->size == 0 ? NULL : memchr(rest->bytes, mark, rest->size);
    struct span piece = *rest;
    if (found == NULL) {
        *rest = (struct span){0};
        return piece;
    }
    piece.size = (size_t)(found - rest->bytes);
    *rest = (struct span){found + 1, rest->size - piece.size - 1};
    return piece;
}

enum http_target http_target_read(struct span target, struct span *dns)
{
    struct span query = target;
    struct span found = cut(&query, '?');
    unsigned count = 0;
    if (found.size != PATH_SIZE || memcmp(found.bytes, path, PATH_SIZE) != 0) {
        return HTTP_TARGET_ELSEWHERE;
    }
    while (query.size > 0) {
        struct span parameter = cut(&query, '&');
        if (parameter.size >= NAME_SIZE && memcmp(parameter.bytes, name, NAME_SIZE) == 0) {
            found = (struct span){parameter.bytes + NAME_SIZE, parameter.size - NAME_SIZE};
            count++;
        }
    }
    if (count != 1) {
        return HTTP_TARGET_BARE;
    }
    *dns = found;
    return HTTP_TARGET_MESSAGE;
}
