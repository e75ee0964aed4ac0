/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Base64url (see base64url.h).
 */
#include "forwarder/http/base64url.h"

#define NO_DIGIT 64U

static unsigned digit(uint8_t character)
{
    if (character >= 'A' && character <= 'Z') {
        return character - 'A';
    }
    if (character >= 'a' && character <= 'z') {
        return 26U + character - 'a';
    }
    if (character >= '0' && character <= '9') {
        return 52U + character - '0';
    }
    if (character == '-' || character == '_') {
        return character == '-' ? 62 : 63;
    }
    return NO_DIGIT;
}

size_t base64url_size(size_t length)
{
    return length / 4 * 3 + length % 4 * 3 / 4;
}

bool base64url_decode(struct span text, uint8_t *out)
{
    uint32_t bits = 0;
    unsigned count = 0; /* of bits that are not written yet */
    for (size_t i = 0; i < text.size; i++) {
        unsigned value = digit(text.bytes[i]);
        if (value == NO_DIGIT) {
            return false;
        }
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = (uint8_t)(bits >> count);
        }
    }
    return text.size % 4 != 1 && (bits & ((1U << count) - 1)) == 0;
}
