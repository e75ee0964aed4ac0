/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Base64url: the vectors of RFC 4648 section 10, every octet at every place, and what is refused.
 */
#include "forwarder/http/base64url.h"

#include <check.h>

#include "test/suite.h"

static struct span text_of(const char *text)
{
    return (struct span){(const uint8_t *)text, strlen(text)};
}

static const struct {
    const char *text;
    const char *octets; /* NULL: refused */
} VECTORS[] = {
    {"", ""},
    {"Zg", "f"},
    {"Zm8", "fo"},
    {"Zm9v", "foo"},
    {"Zm9vYg", "foob"},
    {"Zm9vYmE", "fooba"},
    {"Zm9vYmFy", "foobar"},
    {"_-A", "\xff\xe0"},
    {"Zg==", NULL},
    {"Zm8=", NULL},
    {"Z", NULL},
    {"Zm9vY", NULL},
    {"Zh", NULL},
    {"Zm9", NULL},
    {"+/A", NULL},
    {"Zm 9v", NULL},
    {"Zm9v\n", NULL},
    {"%5A", NULL},
};

START_TEST(vectors)
{
    for (size_t i = 0; i < sizeof VECTORS / sizeof VECTORS[0]; i++) {
        uint8_t out[16];
        struct span text = text_of(VECTORS[i].text);
        bool read = base64url_decode(text, out);
        ck_assert_msg(read == (VECTORS[i].octets != NULL), "%s", VECTORS[i].text);
        if (read) {
            size_t size = strlen(VECTORS[i].octets);
            ck_assert_uint_eq(base64url_size(text.size), size);
            ck_assert_msg(memcmp(out, VECTORS[i].octets, size) == 0, "%s", VECTORS[i].text);
        }
    }
}
END_TEST

/* The naive encoder: bit by bit. */
static size_t encode(const uint8_t *octets, size_t size, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = 0;
    for (size_t bit = 0; bit < size * 8; bit += 6) {
        unsigned value = 0;
        for (size_t i = bit; i < bit + 6; i++) {
            unsigned one = i < size * 8 ? (unsigned)octets[i / 8] >> (7 - i % 8) & 1U : 0U;
            value = value << 1 | one;
        }
        out[length++] = digits[value];
    }
    return length;
}

START_TEST(every_octet_at_every_place)
{
    for (unsigned octet = 0; octet < 256; octet++) {
        for (size_t size = 1; size <= 7; size++) {
            uint8_t octets[7] = {0};
            uint8_t out[7];
            char text[16];
            octets[size - 1] = (uint8_t)octet;
            octets[size / 2] ^= 0x5a;
            struct span encoded = {(const uint8_t *)text, encode(octets, size, text)};
            ck_assert_uint_eq(base64url_size(encoded.size), size);
            ck_assert(base64url_decode(encoded, out));
            ck_assert_mem_eq(out, octets, size);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("base64url");
    TCase *tcase = tcase_create("base64url");
    tcase_add_test(tcase, vectors);
    tcase_add_test(tcase, every_octet_at_every_place);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
