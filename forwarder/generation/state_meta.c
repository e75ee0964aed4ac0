/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meta.json. Invariant: what is formatted from a version parses to the same version.
 */
#include "forwarder/generation/state_meta.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/state.h"

static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
static const char digits[] = "0123456789abcdef";

char *state_meta_encode(const char *path)
{
    char *out = malloc(3 * strlen(path) + 1);
    if (out == NULL) {
        return NULL;
    }
    char *end = out;
    for (const char *at = path; *at != '\0'; at++) {
        if (strchr(plain, *at) != NULL && (*at != '.' || at != path)) {
            *end++ = *at;
        } else {
            end += sprintf(end, "%%%02x", (unsigned)(unsigned char)*at);
        }
    }
    *end = '\0';
    return out;
}

/* The value of count hexadecimal digits, or -1. */
static int parse_digits(const char *text, size_t count)
{
    int value = 0;
    for (size_t i = 0; i < count; i++) {
        const char *digit = text[i] == '\0' ? NULL : strchr(digits, text[i]);
        if (digit == NULL) {
            return -1;
        }
        value = value * 16 + (int)(digit - digits);
    }
    return value;
}

/* The path of an encoded text, on the heap; NULL if it is none. */
static char *decode(const char *text)
{
    char *out = malloc(strlen(text) + 1);
    char *end = out;
    for (; out != NULL && *text != '\0'; text++) {
        int octet = (unsigned char)*text;
        if (*text == '%') {
            octet = parse_digits(text + 1, 2);
            text += octet > 0 ? 2 : 0;
        }
        if (octet <= 0) {
            free(out);
            return NULL;
        }
        *end++ = (char)octet;
    }
    if (out != NULL) {
        *end = '\0';
    }
    return out;
}

char *state_meta_folder(const char *path, char out[static STATE_META_NAME_MAX])
{
    char *encoded = state_meta_encode(path);
    if (encoded != NULL && strlen(encoded) < STATE_META_NAME_MAX) {
        snprintf(out, STATE_META_NAME_MAX, "%s", encoded);
    } else {
        uint8_t sha256[FILE_BYTES_SHA256] = {0};
        EVP_Digest(path, strlen(path), sha256, NULL, EVP_sha256(), NULL);
        out[0] = '=';
        file_bytes_hex(sha256, out + 1);
    }
    free(encoded);
    return out;
}

static json_t *format_part(const struct state_part *part)
{
    char sha256[FILE_BYTES_HEX_MAX];
    const char *origin = part->origin == NULL ? "" : part->origin;
    return json_pack("{s:s, s:I, s:I, s:s}", "origin", origin, "size", (json_int_t)part->size,
                     "names", (json_int_t)part->names, "sha256",
                     file_bytes_hex(part->sha256, sha256));
}

char *state_meta_format(const char *path, const struct state_version *version)
{
    char *encoded = state_meta_encode(path);
    const char *id = version->id == NULL ? "" : version->id;
    json_t *parts = json_array();
    bool complete = encoded != NULL && parts != NULL;
    for (size_t i = 0; complete && i < version->count; i++) {
        complete = json_array_append_new(parts, format_part(&version->parts[i])) == 0;
    }
    json_t *json = NULL;
    if (complete) {
        json = json_pack("{s:s, s:s, s:I, s:O}", "path", encoded, "id", id, "loaded",
                         (json_int_t)version->loaded, "parts", parts);
    }
    char *text = json == NULL ? NULL : json_dumps(json, JSON_INDENT(1));
    json_decref(json);
    json_decref(parts);
    free(encoded);
    return text;
}

static bool parse_sha256(const char *text, uint8_t out[static FILE_BYTES_SHA256])
{
    if (strlen(text) != FILE_BYTES_HEX_MAX - 1) {
        return false;
    }
    for (size_t i = 0; i < FILE_BYTES_SHA256; i++) {
        int octet = parse_digits(text + 2 * i, 2);
        if (octet < 0) {
            return false;
        }
        out[i] = (uint8_t)octet;
    }
    return true;
}

static bool parse_part(json_t *json, struct state_part *out)
{
    const char *origin, *sha256;
    json_int_t size, names = 0; /* versions that were kept before names were counted have none */
    if (json_unpack(json, "{s:s, s:I, s?I, s:s}", "origin", &origin, "size", &size, "names", &names,
                    "sha256", &sha256) != 0 ||
        size < 0 || names < 0 || !parse_sha256(sha256, out->sha256)) {
        return false;
    }
    out->size = (size_t)size;
    out->names = (size_t)names;
    out->origin = strdup(origin);
    return out->origin != NULL;
}

static bool parse_version(json_t *json, struct state_version *out)
{
    const char *path, *id;
    json_int_t loaded;
    json_t *parts;
    if (json_unpack(json, "{s:s, s:s, s:I, s:o}", "path", &path, "id", &id, "loaded", &loaded,
                    "parts", &parts) != 0 ||
        json_array_size(parts) == 0) {
        return false;
    }
    out->path = decode(path);
    out->id = strdup(id);
    out->loaded = loaded;
    out->parts = calloc(json_array_size(parts), sizeof *out->parts);
    if (out->path == NULL || out->id == NULL || out->parts == NULL) {
        return false;
    }
    out->count = json_array_size(parts);
    for (size_t i = 0; i < out->count; i++) {
        if (!parse_part(json_array_get(parts, i), &out->parts[i])) {
            return false;
        }
    }
    return true;
}

bool state_meta_parse(const char *bytes, size_t size, struct state_version *out)
{
    *out = (struct state_version){0};
    json_t *json = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, NULL);
    bool whole = json != NULL && parse_version(json, out);
    json_decref(json);
    if (!whole) {
        state_version_fini(out);
    }
    return whole;
}
