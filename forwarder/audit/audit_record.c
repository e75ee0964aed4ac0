/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines of the audit record (see audit_record.h). The ends of a line have one form only, so an
 * octet that changed anywhere in it is always seen.
 */
#include "forwarder/audit/audit_record.h"

#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"

#define HEX_DIGITS (2U * FILE_BYTES_SHA256)
#define SEQ_DIGITS 18U /* so that it fits 64 bits */

static const char prev_key[] = ",\"prev\":\"";
static const char hash_key[] = ",\"hash\":\"";

/* The ends, in octets: `,"prev":"…"` and `,"hash":"…"}`. */
#define PREV_SIZE (sizeof prev_key - 1 + HEX_DIGITS + 1)
#define HASH_SIZE (sizeof hash_key - 1 + HEX_DIGITS + 2)

static bool digest(const char *text, size_t size, uint8_t out[static FILE_BYTES_SHA256])
{
    return EVP_Digest(text, size, out, NULL, EVP_sha256(), NULL) == 1;
}

char *audit_record_seal(struct audit_head *head, int64_t time, const char *members)
{
    char when[INSTANT_TEXT_MAX], hex[FILE_BYTES_HEX_MAX];
    size_t room = strlen(members) + INSTANT_TEXT_MAX + PREV_SIZE + HASH_SIZE + 64;
    char *line = malloc(room);
    uint8_t hash[FILE_BYTES_SHA256];
    if (line == NULL) {
        return NULL;
    }
    int size =
        snprintf(line, room, "{\"seq\":%" PRIu64 ",\"time\":\"%s\",%s%s%s\"", head->seq + 1,
                 instant_format(time, when), members, prev_key, file_bytes_hex(head->hash, hex));
    if (size < 0 || !digest(line, (size_t)size, hash)) {
        free(line);
        return NULL;
    }
    snprintf(line + size, room - (size_t)size, "%s%s\"}\n", hash_key, file_bytes_hex(hash, hex));
    head->seq++;
    memcpy(head->hash, hash, sizeof head->hash);
    return line;
}

static int hex_value(char digit)
{
    return digit >= '0' && digit <= '9'   ? digit - '0'
           : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10
                                          : -1;
}

bool audit_record_digest(const char *text, size_t size, uint8_t out[static FILE_BYTES_SHA256])
{
    if (size < HEX_DIGITS) {
        return false;
    }
    for (size_t i = 0; i < FILE_BYTES_SHA256; i++) {
        int high = hex_value(text[2 * i]);
        int low = hex_value(text[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

/* Takes an expected text off the front. */
static bool take(const char **at, const char *end, const char *expected)
{
    size_t size = strlen(expected);
    if ((size_t)(end - *at) < size || memcmp(*at, expected, size) != 0) {
        return false;
    }
    *at += size;
    return true;
}

/* A number from 1, without leading zeros. */
static bool take_seq(const char **at, const char *end, uint64_t *out)
{
    const char *start = *at;
    uint64_t seq = 0;
    while (*at < end && **at >= '0' && **at <= '9' && *at - start < (ptrdiff_t)SEQ_DIGITS) {
        seq = seq * 10 + (uint64_t)(*(*at)++ - '0');
    }
    *out = seq;
    return *at > start && *start != '0';
}

static bool take_time(const char **at, const char *end, int64_t *out)
{
    char same[INSTANT_TEXT_MAX];
    const char *quote = memchr(*at, '"', (size_t)(end - *at));
    size_t size = quote == NULL ? 0 : (size_t)(quote - *at);
    if (!instant_parse(*at, size, out) || strlen(instant_format(*out, same)) != size ||
        memcmp(*at, same, size) != 0) {
        return false;
    }
    *at = quote;
    return true;
}

/* The front of the line, up to the members of the event. */
static bool read_front(const char *text, const char *end, struct audit_record *out)
{
    const char *at = text;
    return take(&at, end, "{\"seq\":") && take_seq(&at, end, &out->head.seq) &&
           take(&at, end, ",\"time\":\"") && take_time(&at, end, &out->time) &&
           take(&at, end, "\",\"event\":\"");
}

/* Its end, where both digests stand. */
static bool read_end(const char *text, size_t size, struct audit_record *out)
{
    const char *end = text + size;
    const char *at = end - HASH_SIZE - PREV_SIZE;
    if (!take(&at, end, prev_key) || !audit_record_digest(at, HEX_DIGITS, out->prev)) {
        return false;
    }
    at += HEX_DIGITS;
    if (!take(&at, end, "\"") || !take(&at, end, hash_key) ||
        !audit_record_digest(at, HEX_DIGITS, out->head.hash)) {
        return false;
    }
    at += HEX_DIGITS;
    return take(&at, end, "\"}") && at == end;
}

enum audit_line audit_record_parse(const char *text, size_t size, struct audit_record *out)
{
    uint8_t hash[FILE_BYTES_SHA256];
    if (size < PREV_SIZE + HASH_SIZE || size > AUDIT_LINE_MAX || memchr(text, '\0', size) != NULL ||
        !read_end(text, size, out) || !read_front(text, text + size - HASH_SIZE - PREV_SIZE, out)) {
        return AUDIT_LINE_NONE;
    }
    out->text = text;
    out->size = size;
    if (!digest(text, size - HASH_SIZE, hash) || memcmp(hash, out->head.hash, sizeof hash) != 0) {
        return AUDIT_LINE_CHANGED;
    }
    return AUDIT_LINE_GOOD;
}

bool audit_record_follows(const struct audit_record *record, const struct audit_head *head)
{
    return record->head.seq == head->seq + 1 &&
           memcmp(record->prev, head->hash, sizeof head->hash) == 0;
}
