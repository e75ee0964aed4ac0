/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/dname: text and wire to canonical names and back.
 */
#include "policy/dname.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "test/suite.h"

#define LABEL_63 "a23456789-b23456789-c23456789-d23456789-e23456789-f23456789-123"
#define LABELS_4 "a.b.c.d."
#define LABELS_16 LABELS_4 LABELS_4 LABELS_4 LABELS_4
#define LABELS_64 LABELS_16 LABELS_16 LABELS_16 LABELS_16

static struct dname parse(const char *text)
{
    struct dname name;
    char why[WHY_MAX];
    ck_assert_msg(dname_parse(text, strlen(text), &name, why), "%s: %s", text, why);
    return name;
}

/* Asserts what every good name promises. */
static void assert_canonical(const char *label, const struct dname *name)
{
    size_t at = 0;
    unsigned labels = 0;
    while (name->wire[at] != 0) {
        ck_assert_msg(name->wire[at] <= 63, "%s: label length %u", label, name->wire[at]);
        for (size_t end = at + name->wire[at]; at++ < end;) {
            ck_assert_msg(name->wire[at] < 'A' || name->wire[at] > 'Z', "%s: a capital", label);
        }
        labels++;
    }
    ck_assert_msg(at + 1 == name->size, "%s: size %u", label, name->size);
    ck_assert_msg(labels == name->labels, "%s: labels %u", label, name->labels);
}

static const struct {
    const char *label;
    const char *text;
    const char *expected;
} good[] = {
    {"plain", "example.com", "example.com"},
    {"capitals", "ExAmPlE.COM", "example.com"},
    {"trailing dot", "example.com.", "example.com"},
    {"root", ".", "."},
    {"one label", "com", "com"},
    {"digits and hyphens", "1-2.3-4.example", "1-2.3-4.example"},
    {"underscore", "_dmarc.example", "_dmarc.example"},
    {"hyphen in front", "-a.example", "-a.example"},
    {"hyphen behind", "a-.example", "a-.example"},
    {"hyphens at 3 and 4", "r3---sn-4g5e6nez.googlevideo.com", "r3---sn-4g5e6nez.googlevideo.com"},
    {"A-label", "XN--bcher-kva.example", "xn--bcher-kva.example"},
    {"A-label that IDNA2008 disallows", "xn--n3h.example", "xn--n3h.example"},
    {"digits that are no address", "1.2.3", "1.2.3"},
    {"five numbers", "1.2.3.4.5", "1.2.3.4.5"},
    {"a number too large", "1.2.3.256", "1.2.3.256"},
    {"reverse tree", "4.3.2.1.in-addr.arpa", "4.3.2.1.in-addr.arpa"},
    {"63 octets", LABEL_63 ".example", LABEL_63 ".example"},
    {"U-label",
     "b\xC3\xBC"
     "cher.example",
     "xn--bcher-kva.example"},
    {"U-label in capitals",
     "B\xC3\x9C"
     "CHER.Example",
     "xn--bcher-kva.example"},
    {"decomposed",
     "bu\xCC\x88"
     "cher.example",
     "xn--bcher-kva.example"},
    {"sharp s stays itself", "fa\xC3\x9F.de", "xn--fa-hia.de"},
    {"U-label of a TLD", "пример.рф", "xn--e1afmkfd.xn--p1ai"},
    {"U-label beside an odd ASCII label",
     "-a_.b\xC3\xBC"
     "cher.example",
     "-a_.xn--bcher-kva.example"},
    {"soft hyphen vanishes",
     "ex\xC2\xAD"
     "ample.com",
     "example.com"},
    {"full-width letters", "\xEF\xBD\x81\xEF\xBD\x82.example", "ab.example"},
    {"U-label with trailing dot",
     "b\xC3\xBC"
     "cher.",
     "xn--bcher-kva"},
};

START_TEST(parse_good)
{
    struct dname name = parse(good[_i].text);
    char text[DNAME_TEXT_MAX];
    ck_assert_msg(strcmp(dname_format(&name, text), good[_i].expected) == 0, "%s: %s",
                  good[_i].label, text);
    assert_canonical(good[_i].label, &name);
}
END_TEST

#define TEXT(literal) literal, sizeof(literal) - 1

static const struct {
    const char *label;
    const char *text;
    size_t len;
    const char *why; /* a part of it */
} bad[] = {
    {"empty", TEXT(""), "there is none"},
    {"empty label in front", TEXT(".example"), "empty label"},
    {"empty label", TEXT("a..b"), "empty label"},
    {"two dots", TEXT(".."), "empty label"},
    {"two dots behind", TEXT("a.."), "empty label"},
    {"64 octets", TEXT("x" LABEL_63 ".example"), "63 octets"},
    {"NUL", TEXT("exam\0ple.com"), "NUL"},
    {"NUL at the end", TEXT("example.com\0"), "NUL"},
    {"NUL beside UTF-8", TEXT("b\xC3\xBC\0.example"), "NUL"},
    {"IPv4", TEXT("192.0.2.1"), "an address"},
    {"IPv4 with a dot", TEXT("192.0.2.1."), "an address"},
    {"IPv4 network", TEXT("1.2.3.4/24"), "an address or a network"},
    {"IPv6", TEXT("2001:db8::1"), "an address"},
    {"IPv6 network", TEXT("2001:db8::/32"), "an address or a network"},
    {"IPv6 in brackets", TEXT("[::1]"), "an address"},
    {"IPv6 with a port", TEXT("[::1]:53"), "an address"},
    {"a bracket alone", TEXT("[example"), "character ["},
    {"full-width IPv4", TEXT("1.2.3.\xEF\xBC\x94"), "an address"},
    {"URL", TEXT("http://example.com"), "URL"},
    {"URL with all", TEXT("https://user@example.com:80/x?y"), "URL"},
    {"path", TEXT("example.com/x"), "path"},
    {"port", TEXT("example.com:80"), "port"},
    {"mail address", TEXT("user@example.com"), "user name"},
    {"white space", TEXT("0.0.0.0 example.com"), "white space"},
    {"tab", TEXT("a\tb"), "white space"},
    {"blank in front", TEXT(" example.com"), "white space"},
    {"blank beside UTF-8", TEXT("b\xC3\xBC cher.example"), "white space"},
    {"control character", TEXT("exam\x07ple.com"), "control character"},
    {"newline", TEXT("example.com\n"), "control character"},
    {"DEL", TEXT("exam\x7Fple.com"), "control character"},
    {"wildcard", TEXT("*.example.com"), "write it without *."},
    {"wildcard within", TEXT("ex*mple.com"), "wildcards are not used"},
    {"escaped dot", TEXT("a\\.b.example"), "backslash"},
    {"escaped octet", TEXT("b\\252cher.example"), "backslash"},
    {"comma", TEXT("a.example,b.example"), "character ,"},
    {"quotes", TEXT("\"example.com\""), "character \""},
    {"filter syntax", TEXT("||example.com^"), "character |"},
    {"percent", TEXT("ex%73mple.com"), "character %"},
    {"mark beside UTF-8",
     TEXT("=b\xC3\xBC"
          "cher.example"),
     "character ="},
    {"bad UTF-8",
     TEXT("b\xFC"
          "cher.example"),
     "international label"},
    {"cut UTF-8", TEXT("b\xC3.example"), "international label"},
    {"ideographic dot",
     TEXT("a\xE3\x80\x82"
          "b.example"),
     "stands for a dot"},
    {"full-width slash",
     TEXT("a\xEF\xBC\x8F"
          "b.example"),
     "cannot stand in a name"},
    {"no-break space",
     TEXT("a\xC2\xA0"
          "b.example"),
     "cannot stand in a name"},
    {"account of", TEXT("\xE2\x84\x80.example"), "cannot stand in a name"},
    {"a label that vanishes", TEXT("\xC2\xAD.example"), "empty label"},
    {"emoji", TEXT("\xE2\x98\x83\xEF\xB8\x8F\xE2\x83\xA3.example"), "international label"},
    {"right-to-left among left-to-right", TEXT("a\xD7\x90.example"), "international label"},
};

START_TEST(parse_bad)
{
    struct dname name;
    char why[WHY_MAX] = "";
    ck_assert_msg(!dname_parse(bad[_i].text, bad[_i].len, &name, why), "%s: taken", bad[_i].label);
    ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].label, why);
    ck_assert_msg(name.size == 0, "%s: a name is left", bad[_i].label);
}
END_TEST

START_TEST(parse_longest)
{
    /* Three labels of 63 octets and one of 61: 255 octets with the root. */
    char text[300] = LABEL_63 "." LABEL_63 "." LABEL_63 ".";
    size_t len = strlen(text);
    memset(text + len, 'x', 61);
    struct dname name;
    char why[WHY_MAX];
    ck_assert(dname_parse(text, len + 61, &name, why));
    ck_assert_uint_eq(name.size, DNAME_MAX);
    ck_assert_uint_eq(name.labels, 4);
    text[len + 61] = 'x';
    ck_assert(!dname_parse(text, len + 62, &name, why));
    ck_assert_msg(strstr(why, "255 octets") != NULL, "%s", why);
}
END_TEST

START_TEST(parse_deepest)
{
    const char *text = LABELS_64 LABELS_16 LABELS_16 LABELS_16 LABELS_4 LABELS_4 LABELS_4 "a.b.c";
    struct dname name = parse(text);
    ck_assert_uint_eq(name.labels, DNAME_LABELS_MAX);
    ck_assert_uint_eq(name.size, DNAME_MAX);
    char deeper[300];
    snprintf(deeper, sizeof deeper, "x.%s", text);
    char why[WHY_MAX];
    ck_assert(!dname_parse(deeper, strlen(deeper), &name, why));
}
END_TEST

START_TEST(parse_very_long)
{
    /* Soft hyphens vanish: a text without end may still be a short name. It is refused. */
    enum {
        PAIRS = 4096
    };
    char *text = malloc(2 * PAIRS + 1);
    ck_assert_ptr_nonnull(text);
    for (size_t i = 0; i < PAIRS; i++) {
        memcpy(text + 2 * i, "\xC2\xAD", 2);
    }
    text[2 * PAIRS] = 'a';
    struct dname name;
    char why[WHY_MAX];
    ck_assert(!dname_parse(text, 2 * PAIRS + 1, &name, why));
    free(text);
}
END_TEST

static const struct {
    const char *label;
    const char *wire;
    size_t size;
    const char *expected; /* NULL: refused */
} wires[] = {
    {"root", TEXT("\0"), "."},
    {"plain", TEXT("\7example\3com\0"), "example.com"},
    {"capitals", TEXT("\7EXAMPLE\3cOm\0"), "example.com"},
    {"more behind", TEXT("\3com\0\0\1\0\1"), "com"},
    {"any octet", TEXT("\4\0\xFF .\1x\0"), "\\000\\255\\032\\..x"},
    {"octets beside letters", TEXT("\4@[`{\0"), "\\@[`{"},
    {"special characters", TEXT("\6\"$();\\\0"), "\\\"\\$\\(\\)\\;\\\\"},
    {"octets above ASCII keep their case", TEXT("\2\xC3\x9C\0"), "\\195\\156"},
    {"nothing", TEXT(""), NULL},
    {"no root", TEXT("\3com"), NULL},
    {"cut in a label", TEXT("\3co"), NULL},
    {"length alone", TEXT("\3"), NULL},
    {"compression pointer", TEXT("\1a\xC0\x0C"), NULL},
    {"pointer at once", TEXT("\xC0\x0C"), NULL},
    {"extended label type", TEXT("\x41\1\0"), NULL},
    {"label of 64", TEXT("\x40" LABEL_63 "x\0"), NULL},
};

START_TEST(decode)
{
    struct dname name;
    char text[DNAME_TEXT_MAX];
    bool good_wire = dname_decode((const uint8_t *)wires[_i].wire, wires[_i].size, &name);
    ck_assert_msg(good_wire == (wires[_i].expected != NULL), "%s", wires[_i].label);
    if (good_wire) {
        ck_assert_msg(strcmp(dname_format(&name, text), wires[_i].expected) == 0, "%s: %s",
                      wires[_i].label, text);
        assert_canonical(wires[_i].label, &name);
    }
}
END_TEST

START_TEST(decode_longest)
{
    uint8_t wire[DNAME_MAX + 2] = {0};
    for (size_t at = 0; at < DNAME_MAX - 1; at += 2) {
        wire[at] = 1;
        wire[at + 1] = 0xFF;
    }
    struct dname name;
    ck_assert(dname_decode(wire, sizeof wire, &name));
    ck_assert_uint_eq(name.size, DNAME_MAX);
    ck_assert_uint_eq(name.labels, DNAME_LABELS_MAX);
    char text[DNAME_TEXT_MAX];
    ck_assert_uint_eq(strlen(dname_format(&name, text)), DNAME_LABELS_MAX * 5 - 1);
    ck_assert(!dname_decode(wire, DNAME_MAX - 1, &name));
    wire[DNAME_MAX - 1] = 1;
    ck_assert_msg(!dname_decode(wire, sizeof wire, &name), "257 octets were taken");
}
END_TEST

START_TEST(format_longest)
{
    /* Three labels of 63 and one of 61 octets, each written as four characters. */
    uint8_t wire[DNAME_MAX];
    memset(wire, 0x80, sizeof wire);
    wire[0] = wire[64] = wire[128] = 63;
    wire[192] = 61;
    wire[254] = 0;
    struct dname name;
    ck_assert(dname_decode(wire, sizeof wire, &name));
    char text[DNAME_TEXT_MAX];
    ck_assert_uint_eq(strlen(dname_format(&name, text)), 250 * 4 + 3);
}
END_TEST

static const struct {
    const char *label;
    const char *name;
    const char *ancestor;
    bool within;
} pairs[] = {
    {"equal", "example.com", "example.com", true},
    {"below", "www.example.com", "example.com", true},
    {"far below", "a.b.c.d.example.com", "com", true},
    {"above", "com", "example.com", false},
    {"same end of a label", "badexample.com", "example.com", false},
    {"other", "example.org", "example.com", false},
    {"below the root", "com", ".", true},
    {"root and root", ".", ".", true},
    {"root below a name", ".", "com", false},
    {"same depth", "a.com", "b.com", false},
};

START_TEST(within)
{
    struct dname name = parse(pairs[_i].name);
    struct dname ancestor = parse(pairs[_i].ancestor);
    ck_assert_msg(dname_within(&name, &ancestor) == pairs[_i].within, "%s", pairs[_i].label);
    bool same = strcmp(pairs[_i].name, pairs[_i].ancestor) == 0;
    ck_assert_msg(dname_equal(&name, &ancestor) == same, "%s", pairs[_i].label);
}
END_TEST

START_TEST(within_counts_labels_not_octets)
{
    /* One label whose last octets look like the wire form of "com". */
    struct dname name;
    struct dname com = parse("com");
    ck_assert(dname_decode((const uint8_t *)"\5x\3com\0", 7, &name));
    ck_assert(!dname_within(&name, &com));
}
END_TEST

START_TEST(suffix)
{
    static const char *const suffixes[] = {".", "com", "example.com", "www.example.com"};
    struct dname name = parse("www.example.com");
    char text[DNAME_TEXT_MAX];
    for (unsigned labels = 0; labels <= 3; labels++) {
        struct dname part;
        dname_suffix(&name, labels, &part);
        ck_assert_str_eq(dname_format(&part, text), suffixes[labels]);
        assert_canonical(suffixes[labels], &part);
    }
    dname_suffix(&name, 2, &name);
    ck_assert_str_eq(dname_format(&name, text), "example.com");
}
END_TEST

/* The run that dname_scan looks at, by the plain meaning of its promise. */
static size_t run_of(const char *text, size_t len)
{
    static const char octets[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
    size_t run = 0;
    while (run < len && text[run] != '\0' && strchr(octets, text[run]) != NULL) {
        run++;
    }
    return run;
}

static void assert_scan(const char *label, const char *text, size_t len)
{
    struct dname scanned, parsed;
    char why[WHY_MAX];
    size_t run = run_of(text, len);
    bool is_name = run > 0 && dname_parse(text, run, &parsed, why) && parsed.labels > 0;
    size_t used = dname_scan(text, len, &scanned);
    ck_assert_msg(used == (is_name ? run : 0), "%s: %zu", label, used);
    ck_assert_msg(!is_name || (dname_equal(&scanned, &parsed) && scanned.labels == parsed.labels),
                  "%s", label);
}

START_TEST(scan)
{
    assert_scan("good", good[_i].text, strlen(good[_i].text));
    assert_scan("bad", bad[_i].text, bad[_i].len);
}
END_TEST

/* Around the longest name, with and without a final dot, and with more behind it. */
START_TEST(scan_longest)
{
    static const char *const tails[] = {"", ".", "..", ",", ".,", "x", ".x", "\n"};
    for (size_t last = 58; last <= 64; last++) {
        char text[300] = LABEL_63 "." LABEL_63 "." LABEL_63 ".", why[32];
        size_t len = strlen(text) + last;
        memset(text + len - last, 'x', last);
        for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
            strcpy(text + len, tails[i]);
            snprintf(why, sizeof why, "%zu and %s", last, tails[i]);
            assert_scan(why, text, strlen(text));
        }
    }
    assert_scan("deepest", LABELS_64 LABELS_64, strlen(LABELS_64 LABELS_64));
    assert_scan("one less", &(LABELS_64 LABELS_64)[2], strlen(LABELS_64 LABELS_64) - 2);
}
END_TEST

int main(void)
{
    TCase *text = tcase_create("text");
    tcase_add_loop_test(text, parse_good, 0, ROWS(good));
    tcase_add_loop_test(text, parse_bad, 0, ROWS(bad));
    tcase_add_loop_test(text, scan, 0, ROWS(good) < ROWS(bad) ? ROWS(good) : ROWS(bad));
    tcase_add_test(text, scan_longest);
    tcase_add_test(text, parse_longest);
    tcase_add_test(text, parse_deepest);
    tcase_add_test(text, parse_very_long);
    tcase_add_test(text, format_longest);
    TCase *wire = tcase_create("wire");
    tcase_add_loop_test(wire, decode, 0, ROWS(wires));
    tcase_add_test(wire, decode_longest);
    TCase *tree = tcase_create("tree");
    tcase_add_loop_test(tree, within, 0, ROWS(pairs));
    tcase_add_test(tree, within_counts_labels_not_octets);
    tcase_add_test(tree, suffix);

    Suite *suite = suite_create("dname");
    suite_add_tcase(suite, text);
    suite_add_tcase(suite, wire);
    suite_add_tcase(suite, tree);
    return suite_run(suite);
}
