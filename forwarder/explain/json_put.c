/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Keys of a JSON object (see json_put.h), over jansson, which keeps them in the order they came.
 */
#include "forwarder/explain/json_put.h"

#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/plain_text.h"
#include "geo/file_bytes.h"
#include "policy/instant.h"
#include "policy/order.h"

void json_put(json_t **object, const char *key, json_t *value)
{
    if (json_object_set_new(*object, key, value) != 0) {
        json_decref(*object);
        *object = NULL;
    }
}

static json_t *plain_json(const char *text)
{
    size_t size = strlen(text) + 1;
    char *plain = malloc(size);
    json_t *value = plain == NULL ? NULL : json_string(plain_text(text, plain, size));
    free(plain);
    return value;
}

void json_put_text(json_t **object, const char *key, const char *text)
{
    if (text == NULL) {
        json_put(object, key, json_null());
        return;
    }
    json_t *value = json_string(text); /* NULL for what is not UTF-8 */
    json_put(object, key, value != NULL ? value : plain_json(text));
}

void json_put_instant(json_t **object, const char *key, int64_t instant)
{
    char text[INSTANT_TEXT_MAX];
    bool given = instant != ORDER_ALWAYS && instant != ORDER_FOR_GOOD;
    json_put_text(object, key, given ? instant_format(instant, text) : NULL);
}

void json_put_sha256(json_t **object, const char *key, const uint8_t *sha256)
{
    char text[FILE_BYTES_HEX_MAX];
    json_put_text(object, key, sha256 == NULL ? NULL : file_bytes_hex(sha256, text));
}
