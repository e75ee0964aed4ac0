/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The parts of a tag stand in a fixed order, each known by its length and what it is made of
 * (RFC 5646 section 2.1):
 *
 *     language ["-" extlang]*3 ["-" script] ["-" region] *("-" variant)
 *     *("-" singleton 1*("-" subtag)) ["-x" 1*("-" subtag)]
 */
#include "policy/language_tag.h"

/* What was read last; a part may follow on its own or an earlier stage. */
enum stage {
    LANGUAGE,
    EXTLANG,
    SCRIPT,
    REGION,
    VARIANT,
    SINGLETON, /* of an extension: a subtag must follow */
    EXTENSION,
    PRIVATE_SINGLETON,
    PRIVATE,
};

struct subtag {
    const char *text;
    size_t len;
    size_t letters;
    size_t digits;
};

/* Cuts the subtag that begins at *at; what stands behind it is its hyphen or the end. */
static struct subtag take_subtag(const char *text, size_t len, size_t *at)
{
    struct subtag subtag = {.text = text + *at};
    for (; *at < len && text[*at] != '-'; ++*at) {
        char octet = text[*at];
        subtag.letters += (octet >= 'a' && octet <= 'z') || (octet >= 'A' && octet <= 'Z');
        subtag.digits += octet >= '0' && octet <= '9';
        subtag.len++;
    }
    return subtag;
}

/* Is it made of letters and digits, 1 to 8 of them? */
static bool is_subtag(const struct subtag *subtag)
{
    return subtag->len >= 1 && subtag->len <= 8 && subtag->letters + subtag->digits == subtag->len;
}

static bool is_variant(const struct subtag *subtag)
{
    return subtag->len >= 5 ||
           (subtag->len == 4 && subtag->text[0] >= '0' && subtag->text[0] <= '9');
}

static bool is_region(const struct subtag *subtag)
{
    return (subtag->len == 2 && subtag->letters == 2) || (subtag->len == 3 && subtag->digits == 3);
}

/* The part that a subtag begins or goes on with behind this stage; false if it has no place. */
static bool next_stage(enum stage stage, size_t extlangs, const struct subtag *subtag,
                       enum stage *out)
{
    bool is_private = subtag->text[0] == 'x' || subtag->text[0] == 'X';
    if (stage >= PRIVATE_SINGLETON) {
        *out = PRIVATE;
    } else if (subtag->len == 1) {
        *out = is_private ? PRIVATE_SINGLETON : SINGLETON;
        return stage != SINGLETON;
    } else if (stage >= SINGLETON) {
        *out = EXTENSION;
    } else if (stage <= EXTLANG && extlangs < 3 && subtag->len == 3 && subtag->letters == 3) {
        *out = EXTLANG;
    } else if (stage < SCRIPT && subtag->len == 4 && subtag->letters == 4) {
        *out = SCRIPT;
    } else if (stage < REGION && is_region(subtag)) {
        *out = REGION;
    } else {
        *out = VARIANT;
        return is_variant(subtag);
    }
    return true;
}

bool language_tag_valid(const char *text, size_t len)
{
    size_t at = 0;
    size_t extlangs = 0;
    struct subtag subtag = take_subtag(text, len, &at);
    enum stage stage = LANGUAGE;
    if (len > LANGUAGE_TAG_MAX || !is_subtag(&subtag) || subtag.len < 2 || subtag.digits > 0) {
        return false;
    }
    extlangs = subtag.len > 3 ? 3 : 0; /* only a language of two or three letters has any */
    while (at < len) {
        at++; /* the hyphen */
        subtag = take_subtag(text, len, &at);
        if (!is_subtag(&subtag) || !next_stage(stage, extlangs, &subtag, &stage)) {
            return false;
        }
        extlangs += stage == EXTLANG;
    }
    return stage != SINGLETON && stage != PRIVATE_SINGLETON;
}
