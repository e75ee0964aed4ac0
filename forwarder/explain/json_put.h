/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Building a JSON object a key at a time, in order. Like the cursors over wire bytes: after the
 * first failure (memory out) the object is gone and every later put does nothing, so that many keys
 * are put and one test is made at the end.
 */
#pragma once

#include <jansson.h>
#include <stdint.h>

/* Takes the caller's reference of value, whatever happens; a NULL value is a failure. On failure
 * *object is freed and NULL. */
void json_put(json_t **object, const char *key, json_t *value);

/* NULL is null. Octets that are not UTF-8 (a file may be called anything) become "?". */
void json_put_text(json_t **object, const char *key, const char *text);

/* RFC 3339 in UTC; null for ORDER_ALWAYS and ORDER_FOR_GOOD. */
void json_put_instant(json_t **object, const char *key, int64_t instant);

/* Lower-case hexadecimal; null for NULL. */
void json_put_sha256(json_t **object, const char *key, const uint8_t *sha256);
