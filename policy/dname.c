/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Domain names: text and wire to the canonical form, and back to text. Not here: maps of names
 * (policy/suffix_map.h) and what may be blocked (policy/guard.h). Owns nothing. Every struct dname
 * that leaves this file as good is complete: its labels have 1 to 63 octets, the root label ends
 * it, and no ASCII capital is left in it.
 */
#include "policy/dname.h"

#include <idn2.h>
#include <stdio.h>
#include <string.h>

#include "geo/address.h"

/* The octets that operators write in host names, in lower case; 0: not one of them. */
/* clang-format off */
static const uint8_t name_octet[256] = {
    ['-'] = '-', ['_'] = '_',
    ['0'] = '0', '1', '2', '3', '4', '5', '6', '7', '8', '9',
    ['A'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
            'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
    ['a'] = 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm',
            'n', 'o', 'p', 'q', 'r', 's', 't', 'u', 'v', 'w', 'x', 'y', 'z',
};
/* clang-format on */

static uint8_t lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
}

static bool refuse(char why[static WHY_MAX], const char *sentence)
{
    snprintf(why, WHY_MAX, "%s", sentence);
    return false;
}

/* Characters that tell what the text is instead of a name; the first one present decides. */
static const struct {
    char character;
    const char *why;
} telltale[] = {
    {'\0', "the text holds a NUL octet"},
    {'/', "this holds a path; write the host name alone"},
    {'@', "this holds a user name (@); write the host name alone"},
    {':', "this holds a port (:); write the host name alone"},
    {'*', "wildcards are not used: a name covers everything below it; write it without *."},
    {'\\', "backslash escapes are not used in names"},
    {' ', "there is white space within the name; one name is expected"},
    {'\t', "there is white space within the name; one name is expected"},
};

/* "192.0.2.0/24", "[::1]:53": does an address stand first? */
static bool begins_with_address(const char *text, size_t len)
{
    struct address address;
    if (text[0] == '[') {
        const char *close = memchr(text, ']', len);
        return close != NULL && address_parse(text + 1, (size_t)(close - text) - 1, &address);
    }
    const char *slash = memchr(text, '/', len);
    return address_parse(text, slash == NULL ? len : (size_t)(slash - text), &address);
}

/* Says what a text is that holds an ASCII character no name has. */
static bool refuse_text(const char *text, size_t len, char why[static WHY_MAX])
{
    if (memmem(text, len, "://", 3) != NULL) {
        return refuse(why, "this is a URL; write the host name alone");
    }
    if (begins_with_address(text, len)) {
        return refuse(why, "this is an address or a network, not a name");
    }
    for (size_t i = 0; i < sizeof telltale / sizeof telltale[0]; i++) {
        if (memchr(text, telltale[i].character, len) != NULL) {
            return refuse(why, telltale[i].why);
        }
    }
    for (size_t i = 0; i < len; i++) {
        if (text[i] > ' ' && text[i] <= '~' && text[i] != '.' && !name_octet[(uint8_t)text[i]]) {
            snprintf(why, WHY_MAX, "the character %c cannot stand in a name", text[i]);
            return false;
        }
    }
    return refuse(why, "the text holds a control character");
}

/* Makes room for a label of n octets behind the labels that out has; NULL if there is none. */
static uint8_t *append_label(struct dname *out, size_t n, char why[static WHY_MAX])
{
    if (n == 0) {
        refuse(why, "there is an empty label");
        return NULL;
    }
    if (n > DNAME_LABEL_MAX) {
        refuse(why, "a label is longer than 63 octets");
        return NULL;
    }
    if (out->size + 1 + n + 1 > DNAME_MAX) {
        refuse(why, "the name is longer than 255 octets");
        return NULL;
    }
    uint8_t *octets = &out->wire[out->size];
    *octets = (uint8_t)n;
    out->size = (uint8_t)(out->size + 1 + n);
    out->labels++;
    return octets + 1;
}

/* Appends what the library made of a label: plain ASCII now, and still one label. */
static bool append_mapped(const char *mapped, struct dname *out, char why[static WHY_MAX])
{
    size_t n = strlen(mapped);
    if (memchr(mapped, '.', n) != NULL) {
        return refuse(why, "a character of the international label stands for a dot");
    }
    uint8_t *octets = append_label(out, n, why);
    if (octets == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        octets[i] = name_octet[(uint8_t)mapped[i]];
        if (octets[i] == 0) {
            return refuse(why, "a character of the international label stands for one that cannot "
                               "stand in a name");
        }
    }
    return true;
}

/* Appends a label that holds UTF-8. Only such labels go through libidn2: it refuses ASCII labels
 * that exist ("r3---x", "-a"), and what it would do to other ASCII characters is not asked. */
static bool append_international(const char *label, size_t n, struct dname *out,
                                 char why[static WHY_MAX])
{
    char text[DNAME_TEXT_MAX];
    if (n >= sizeof text) {
        return refuse(why, "a label is longer than 63 octets");
    }
    memcpy(text, label, n);
    text[n] = '\0';
    char *mapped = NULL;
    int status = idn2_to_ascii_8z(text, &mapped, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (status != IDN2_OK) {
        snprintf(why, WHY_MAX, "not an international label (IDNA2008): %s", idn2_strerror(status));
        return false;
    }
    bool good = append_mapped(mapped, out, why);
    idn2_free(mapped);
    return good;
}

enum label_kind {
    LABEL_PLAIN,         /* only octets of host names */
    LABEL_INTERNATIONAL, /* those, and octets above ASCII */
    LABEL_FOREIGN,       /* another ASCII character: this is not a label */
};

static enum label_kind label_kind(const char *label, size_t n)
{
    enum label_kind kind = LABEL_PLAIN;
    for (size_t i = 0; i < n; i++) {
        uint8_t octet = (uint8_t)label[i];
        if (octet >= 0x80) {
            kind = LABEL_INTERNATIONAL;
        } else if (name_octet[octet] == 0) {
            return LABEL_FOREIGN;
        }
    }
    return kind;
}

static bool append_plain(const char *label, size_t n, struct dname *out, char why[static WHY_MAX])
{
    uint8_t *octets = append_label(out, n, why);
    if (octets == NULL) {
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        octets[i] = name_octet[(uint8_t)label[i]];
    }
    return true;
}

/* Reads the labels of a text without trailing dot. */
static bool parse_labels(const char *text, size_t len, struct dname *out, char why[static WHY_MAX])
{
    const char *end = text + len;
    for (const char *label = text;; label++) {
        const char *dot = memchr(label, '.', (size_t)(end - label));
        size_t n = (size_t)((dot == NULL ? end : dot) - label);
        bool good = false;
        switch (label_kind(label, n)) {
        case LABEL_PLAIN:
            good = append_plain(label, n, out, why);
            break;
        case LABEL_INTERNATIONAL:
            good = append_international(label, n, out, why);
            break;
        case LABEL_FOREIGN:
            good = refuse_text(text, len, why);
            break;
        }
        if (!good || dot == NULL) {
            return good;
        }
        label = dot;
    }
}

static void append_root(struct dname *out)
{
    out->wire[out->size++] = 0;
}

/* Four labels that read as an IPv4 address. Asked of the result, because full-width digits are
 * digits only there. */
static bool is_ipv4(const struct dname *name)
{
    uint8_t last = name->size < 2 ? 0 : name->wire[name->size - 2];
    if (name->labels != 4 || last < '0' || last > '9') {
        return false;
    }
    struct address address;
    char text[DNAME_TEXT_MAX];
    dname_format(name, text);
    return address_parse(text, strlen(text), &address);
}

bool dname_parse(const char *text, size_t len, struct dname *out, char why[static WHY_MAX])
{
    out->size = 0;
    out->labels = 0;
    if (len == 0) {
        return refuse(why, "a name is expected, and there is none");
    }
    bool root = len == 1 && text[0] == '.';
    if (!root && !parse_labels(text, len - (text[len - 1] == '.'), out, why)) {
        goto fail;
    }
    append_root(out);
    if (is_ipv4(out)) {
        refuse(why, "this is an address or a network, not a name");
        goto fail;
    }
    return true;

fail:
    out->size = 0;
    return false;
}

size_t dname_scan(const char *text, size_t len, struct dname *out)
{
    uint8_t *length = out->wire; /* of the label that is being read */
    uint8_t *at = length + 1;    /* where its next octet goes */
    uint8_t *const end = out->wire + DNAME_MAX - 1;
    size_t used = 0;
    out->labels = 0;
    for (; used < len && at <= end; used++) {
        uint8_t octet = name_octet[(uint8_t)text[used]];
        if (octet != 0) {
            *at++ = octet;
            continue;
        }
        if (text[used] != '.') {
            break;
        }
        size_t n = (size_t)(at - length) - 1;
        if (n == 0 || n > DNAME_LABEL_MAX) {
            return 0;
        }
        *length = (uint8_t)n;
        out->labels++;
        length = at++;
    }
    size_t n = (size_t)(at - length) - 1;
    bool goes_on = used < len && (name_octet[(uint8_t)text[used]] != 0 || text[used] == '.');
    if (goes_on || n > DNAME_LABEL_MAX || (n > 0 && at > end) || (n == 0 && out->labels == 0)) {
        return 0;
    }
    if (n > 0) {
        *length = (uint8_t)n;
        out->labels++;
        length = at;
    }
    *length = 0;
    out->size = (uint8_t)(length - out->wire + 1);
    return is_ipv4(out) ? 0 : used;
}

/* The same for eight octets at once. A high bit says of each octet: it is not below 'A', it is
 * above 'Z'; those above 0x7f are no letters. */
static uint64_t lower_word(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101U;
    uint64_t low_bits = word & (ones * 0x7f);
    uint64_t from_a = low_bits + ones * (0x80 - 'A');
    uint64_t above_z = low_bits + ones * (0x7f - 'Z');
    uint64_t letters = (from_a ^ above_z) & ~word & (ones * 0x80);
    return word | letters >> 2; /* 0x20 */
}

static void copy_lower_word(uint8_t *out, const uint8_t *wire)
{
    uint64_t word;
    memcpy(&word, wire, sizeof word);
    word = lower_word(word);
    memcpy(out, &word, sizeof word);
}

/* Length octets are copied as they are: they lie below every letter. The last word overlaps the one
 * before it. */
static void copy_lower(uint8_t *out, const uint8_t *wire, size_t size)
{
    const size_t word = sizeof(uint64_t);
    if (size < word) {
        for (size_t at = 0; at < size; at++) {
            out[at] = lower(wire[at]);
        }
        return;
    }
    for (size_t at = 0; at + word < size; at += word) {
        copy_lower_word(out + at, wire + at);
    }
    copy_lower_word(out + size - word, wire + size - word);
}

bool dname_decode(const uint8_t *wire, size_t size, struct dname *out)
{
    size_t limit = size < DNAME_MAX ? size : DNAME_MAX;
    size_t at = 0;
    unsigned labels = 0;
    out->size = 0;
    out->labels = 0;
    while (at < limit && wire[at] != 0) {
        /* Longer than a label: a compression pointer, or another label type. */
        if (wire[at] > DNAME_LABEL_MAX) {
            return false;
        }
        at += 1U + wire[at];
        labels++;
    }
    if (at >= limit) {
        return false; /* cut */
    }
    copy_lower(out->wire, wire, at);
    out->labels = (uint8_t)labels;
    out->size = (uint8_t)at;
    append_root(out);
    return true;
}

bool dname_equal(const struct dname *a, const struct dname *b)
{
    return a->size == b->size && memcmp(a->wire, b->wire, a->size) == 0;
}

/* Where the suffix of name with this many labels begins. */
static size_t suffix_start(const struct dname *name, unsigned labels)
{
    size_t at = 0;
    for (unsigned above = name->labels; above > labels; above--) {
        at += 1U + name->wire[at];
    }
    return at;
}

bool dname_within(const struct dname *name, const struct dname *ancestor)
{
    if (name->labels < ancestor->labels) {
        return false;
    }
    size_t start = suffix_start(name, ancestor->labels);
    return name->size - start == ancestor->size &&
           memcmp(name->wire + start, ancestor->wire, ancestor->size) == 0;
}

void dname_suffix(const struct dname *name, unsigned labels, struct dname *out)
{
    size_t start = suffix_start(name, labels);
    out->size = (uint8_t)(name->size - start);
    out->labels = (uint8_t)labels;
    memmove(out->wire, name->wire + start, out->size);
}

/* One octet of a label as RFC 1035 section 5.1 writes it; returns where the text goes on. */
static char *format_octet(uint8_t octet, char *at)
{
    if (octet <= ' ' || octet > '~') {
        *at++ = '\\';
        *at++ = (char)('0' + octet / 100);
        *at++ = (char)('0' + octet / 10 % 10);
        *at++ = (char)('0' + octet % 10);
        return at;
    }
    if (strchr("\"$().;@\\", octet) != NULL) {
        *at++ = '\\';
    }
    *at++ = (char)octet;
    return at;
}

char *dname_format(const struct dname *name, char out[static DNAME_TEXT_MAX])
{
    if (name->labels == 0) {
        snprintf(out, DNAME_TEXT_MAX, ".");
        return out;
    }
    char *text = out;
    for (size_t at = 0; name->wire[at] != 0;) {
        if (at > 0) {
            *text++ = '.';
        }
        for (size_t end = at + name->wire[at]; at++ < end;) {
            text = format_octet(name->wire[at], text);
        }
    }
    *text = '\0';
    return out;
}
