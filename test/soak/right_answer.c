/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Right answers (see right_answer.h).
 */
#include "test/soak/right_answer.h"

#include <string.h>

#define HEADER_SIZE 12
#define OPT_SIZE 11 /* without options */
#define ECS_SIZE 11 /* of a /24 */
#define UDP_SIZE 1232
#define RECORDS_MAX 8
#define OPTION_ECS 8
#define IXFR 251
#define AXFR 252
#define MESSAGES_MORE 40 /* a transfer has from two messages up to one more than this */

enum {
    QR = 0x80,
    TC = 0x02,
    RD = 0x01,
    RA = 0x80,
    CD = 0x10,
    DO = 0x80,
    SERVFAIL = 2,
    REFUSED = 5
};

struct answer {
    uint8_t *bytes;
    size_t size;
    size_t question_end; /* in the query as in the answer */
    const uint8_t *opt;  /* in the query, or NULL */
    const uint8_t *ecs;  /* an option of it, 11 octets with its head; or NULL */
};

static void put16(struct answer *answer, unsigned value)
{
    answer->bytes[answer->size++] = (uint8_t)(value >> 8);
    answer->bytes[answer->size++] = (uint8_t)value;
}

static void put32(struct answer *answer, uint32_t value)
{
    put16(answer, value >> 16);
    put16(answer, value & 0xFFFF);
}

/* FNV-1a, then mixed so that near queries have far answers. */
static uint32_t hash_of(const uint8_t *bytes, size_t size, uint32_t salt)
{
    uint32_t hash = 0x811C9DC5U ^ salt;
    for (size_t i = 0; i < size; i++) {
        hash = (hash ^ bytes[i]) * 0x01000193U;
    }
    hash = (hash ^ hash >> 15) * 0x2C1B3C6DU;
    return hash ^ hash >> 13;
}

/* Where the only question ends; 0: there is none that can be read. */
static size_t question_end(const uint8_t *query, size_t size)
{
    size_t at = HEADER_SIZE;
    if (size < HEADER_SIZE + 5 || query[4] != 0 || query[5] != 1) {
        return 0;
    }
    while (at < size && query[at] != 0) {
        at += 1U + query[at];
    }
    return at + 5 <= size ? at + 5 : 0;
}

/* The OPT after the question, if there is one and it ends where the query does. */
static const uint8_t *opt_of(const uint8_t *query, size_t size, size_t end)
{
    const uint8_t *opt = query + end;
    if (query[11] != 1 || size < end + OPT_SIZE ||
        size != end + OPT_SIZE + ((size_t)opt[9] << 8 | opt[10])) {
        return NULL;
    }
    return opt;
}

/* ECS for a /24 among the options, or NULL. */
static const uint8_t *ecs_of(const uint8_t *opt)
{
    const uint8_t *at = opt + OPT_SIZE;
    const uint8_t *end = at + (opt[9] << 8 | opt[10]);
    while (end - at >= 4) {
        ptrdiff_t size = 4 + (at[2] << 8 | at[3]);
        if (at[0] == 0 && at[1] == OPTION_ECS && size == ECS_SIZE && size <= end - at) {
            return at;
        }
        at += size;
    }
    return NULL;
}

/* Header and question; no record yet. */
static bool begin(struct answer *answer, const uint8_t *query, size_t size, uint8_t *out)
{
    size_t end = question_end(query, size);
    if (end == 0 || end > RIGHT_QUERY_MAX) {
        return false;
    }
    memcpy(out, query, end);
    memset(out + 6, 0, 6);
    out[2] = (uint8_t)(QR | (query[2] & RD));
    out[3] = (uint8_t)(RA | (query[3] & CD));
    *answer = (struct answer){out, end, end, opt_of(query, size, end), NULL};
    if (answer->opt != NULL) {
        answer->ecs = ecs_of(answer->opt);
    }
    return true;
}

/* The client's network as it came, with the scope that the answer is for: all of it (RFC 7871
 * section 7.2.1). */
static void put_ecs(struct answer *answer)
{
    memcpy(answer->bytes + answer->size, answer->ecs, ECS_SIZE);
    answer->bytes[answer->size + 7] = answer->ecs[6];
    answer->size += ECS_SIZE;
}

/* An OPT with the query's DO, if there was one; with an EDE, and the client's network, if the EDE's
 * code is not 0. */
static void put_opt(struct answer *answer, unsigned ede, const char *text)
{
    size_t ede_size = ede == 0 ? 0 : 6 + strlen(text);
    size_t ecs_size = ede == 0 || answer->ecs == NULL ? 0 : ECS_SIZE;
    if (answer->opt == NULL) {
        return;
    }
    answer->bytes[11] = 1;
    answer->bytes[answer->size++] = 0;
    put16(answer, 41);
    put16(answer, UDP_SIZE);
    put32(answer, (uint32_t)(answer->opt[7] & DO) << 8);
    put16(answer, (unsigned)(ecs_size + ede_size));
    if (ecs_size > 0) {
        put_ecs(answer);
    }
    if (ede_size > 0) {
        put16(answer, 15);
        put16(answer, (unsigned)(2 + strlen(text)));
        put16(answer, ede);
        memcpy(answer->bytes + answer->size, text, strlen(text));
        answer->size += strlen(text);
    }
}

size_t right_answer_full(const uint8_t *query, size_t size, uint32_t salt,
                         uint8_t out[static RIGHT_ANSWER_MAX])
{
    struct answer answer;
    if (!begin(&answer, query, size, out)) {
        return 0;
    }
    uint32_t hash = hash_of(query + 2, size - 2, salt);
    unsigned records = 1 + hash % RECORDS_MAX;
    out[7] = (uint8_t)records;
    for (unsigned i = 0; i < records; i++) {
        put16(&answer, 0xC000 | HEADER_SIZE);
        put16(&answer, 1);
        put16(&answer, 1);
        put32(&answer, 300);
        put16(&answer, 4);
        put32(&answer, hash + i);
    }
    put_opt(&answer, 0, "");
    return answer.size;
}

unsigned right_answer_messages(const uint8_t *query, size_t size)
{
    size_t end = question_end(query, size);
    unsigned type = end == 0 ? 0 : (unsigned)query[end - 4] << 8 | query[end - 3];
    return type == AXFR || type == IXFR ? 2 + hash_of(query + 2, size - 2, 0) % MESSAGES_MORE : 1;
}

bool right_answer_is_cut(const uint8_t *query, size_t size)
{
    return size > 2 && (hash_of(query + 2, size - 2, 0) & 0x100) != 0;
}

size_t right_answer_cut(const uint8_t *query, size_t size, uint8_t out[static RIGHT_ANSWER_MAX])
{
    struct answer answer;
    if (!begin(&answer, query, size, out)) {
        return 0;
    }
    out[2] |= TC;
    put_opt(&answer, 0, "");
    return answer.size;
}

static size_t own(const uint8_t *query, size_t size, unsigned rcode, unsigned ede, const char *text,
                  uint8_t *out)
{
    struct answer answer;
    if (!begin(&answer, query, size, out)) {
        return 0;
    }
    out[3] |= (uint8_t)rcode;
    put_opt(&answer, ede, text);
    return answer.size;
}

size_t right_answer_refused(const uint8_t *query, size_t size, const char *text,
                            uint8_t out[static RIGHT_ANSWER_MAX])
{
    return own(query, size, REFUSED, 16, text, out);
}

size_t right_answer_servfail(const uint8_t *query, size_t size,
                             uint8_t out[static RIGHT_ANSWER_MAX])
{
    return own(query, size, SERVFAIL, 23, "", out);
}
