/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as the texts of a structured error. Input: an octet that says which there are, then
 * the texts, each up to a NUL. What is written must be an object that jansson reads, minified, with
 * the names and only the names that were given, and of no size but its own.
 */
#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/structured_error.h"
#include "policy/order.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OUT_MAX 1400
#define TEXTS 6

/* The texts, one after the other in one allocation. */
static char *read_texts(const uint8_t *data, size_t size, char *texts[static TEXTS])
{
    char *copy = malloc(size + TEXTS + 1);
    memcpy(copy, data, size);
    memset(copy + size, 0, TEXTS + 1);
    char *at = copy;
    for (size_t i = 0; i < TEXTS; i++) {
        texts[i] = at;
        at += strlen(at) + 1;
        at = at > copy + size ? copy + size : at;
    }
    return copy;
}

static void check_object(struct span written, const struct structured_error *error, bool whole)
{
    json_error_t why;
    json_t *object =
        json_loadb((const char *)written.bytes, written.size, JSON_REJECT_DUPLICATES, &why);
    assert(json_is_object(object));
    bool told = whole && (error->justification != NULL || error->organization != NULL);
    assert(json_array_size(json_object_get(object, "c")) == error->contact_count);
    assert(json_array_size(json_object_get(object, "fdbs")) == error->record_count);
    assert(json_is_string(json_object_get(object, "j")) == (whole && error->justification != NULL));
    assert(json_is_string(json_object_get(object, "o")) == (whole && error->organization != NULL));
    assert(json_is_string(json_object_get(object, "l")) == told);
    assert(json_object_get(object, "s") == NULL);
    char *minified = json_dumps(object, JSON_COMPACT | JSON_PRESERVE_ORDER);
    assert(strlen(minified) >= written.size); /* jansson escapes DEL, and in capitals */
    free(minified);
    json_decref(object);
}

static void check_error(const struct structured_error *error, bool whole)
{
    uint8_t out[OUT_MAX];
    struct span written = structured_error_write(error, whole, out, sizeof out);
    if (written.size == 0) {
        return;
    }
    check_object(written, error, whole);
    uint8_t *exact = malloc(written.size);
    assert(structured_error_write(error, whole, exact, written.size).size == written.size);
    assert(memcmp(exact, out, written.size) == 0);
    assert(structured_error_write(error, whole, exact, written.size - 1).size == 0);
    free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    char *texts[TEXTS];
    char *copy = read_texts(data + 1, size - 1, texts);
    const struct order_record records[] = {{texts[4], texts[5]}, {texts[5], texts[4]}};
    const struct structured_error error = {
        .contacts = texts,
        .contact_count = data[0] & 3,
        .justification = (data[0] & 4) != 0 ? texts[2] : NULL,
        .organization = (data[0] & 8) != 0 ? texts[3] : NULL,
        .language = "en",
        .record = records,
        .record_count = data[0] >> 4 & 1 ? 2 : data[0] >> 5 & 1,
    };
    check_error(&error, true);
    check_error(&error, false);
    free(copy);
    return 0;
}
