/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines of a geofeed: what they say, and where exactly they are wrong.
 */
#include "geo/geofeed.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "test/suite.h"

#define BYTES(literal) literal, sizeof(literal) - 1

/* The rows as "network code" joined by "; ", a "-" for the unknown country; behind it the code of a
 * region. */
static void show(const struct geofeed *feed, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < feed->count; i++) {
        char network[NETWORK_TEXT_MAX];
        struct country country = feed->rows[i].country;
        const char *region = feed->rows[i].within.level[0];
        used += (size_t)snprintf(out + used, size - used, "%s%s %.2s%s%.3s", i == 0 ? "" : "; ",
                                 network_format(&feed->rows[i].network, network),
                                 country_known(country) ? country.letter : "-",
                                 *region == '\0' ? "" : "-", region);
    }
}

static const struct {
    const char *label;
    const char *bytes;
    size_t size;
    const char *expected;
} SOUND[] = {
    {"empty", BYTES(""), ""},
    {"comments and blank lines", BYTES("# a\n\n  \t\n#b\r\n\r\n"), ""},
    {"all five fields", BYTES("192.0.2.0/24,IT,IT-MI,Milano,20121\n"), "192.0.2.0/24 IT-MI"},
    {"empty fields", BYTES("2001:db8::/32,IT,,,\n"), "2001:db8::/32 IT"},
    {"two fields", BYTES("192.0.2.0/24,IT\n"), "192.0.2.0/24 IT"},
    {"no newline at the end", BYTES("192.0.2.0/24,IT"), "192.0.2.0/24 IT"},
    {"CRLF", BYTES("192.0.2.0/24,IT\r\n198.51.100.0/24,FR\r\n"),
     "192.0.2.0/24 IT; 198.51.100.0/24 FR"},
    {"no country is unknown", BYTES("192.0.2.0/24,,,,\n"), "192.0.2.0/24 -"},
    {"a prefix alone is unknown", BYTES("192.0.2.0/24\n"), "192.0.2.0/24 -"},
    {"a host", BYTES("192.0.2.1,IT,,,\n"), "192.0.2.1/32 IT"},
    {"small letters", BYTES("192.0.2.0/24,it,,,\n"), "192.0.2.0/24 IT"},
    {"UK reads as GB", BYTES("192.0.2.0/24,UK,,,\n"), "192.0.2.0/24 GB"},
    {"a comment behind", BYTES("192.0.2.0/24,IT # ours, since May\n"), "192.0.2.0/24 IT"},
    {"space around fields", BYTES("  192.0.2.0/24 ,\tIT , , ,\n"), "192.0.2.0/24 IT"},
    {"quoted fields", BYTES("\"192.0.2.0/24\",\"IT\",\"IT-MI\",\"Milano, Centro\",\"a\"\"b\"\n"),
     "192.0.2.0/24 IT-MI"},
    {"a region in small letters", BYTES("192.0.2.0/24,us,us-ca\n"), "192.0.2.0/24 US-CA"},
    {"a region of digits", BYTES("192.0.2.0/24,FR,FR-75\n"), "192.0.2.0/24 FR-75"},
    {"a region of one character", BYTES("192.0.2.0/24,AT,AT-9\n"), "192.0.2.0/24 AT-9"},
    {"a region of another country", BYTES("192.0.2.0/24,US,CA-ON\n"), "192.0.2.0/24 US"},
    {"a region without a country", BYTES("192.0.2.0/24,,US-CA\n"), "192.0.2.0/24 -"},
    {"a region that is too long", BYTES("192.0.2.0/24,US,US-CALI\n"), "192.0.2.0/24 US"},
    {"a region without its country", BYTES("192.0.2.0/24,US,CA\n"), "192.0.2.0/24 US"},
    {"other fields are not judged", BYTES("192.0.2.0/24,IT,Lombardia,\xe9\xff,\x01\n"),
     "192.0.2.0/24 IT"},
    {"a byte order mark",
     BYTES("\xef\xbb\xbf"
           "192.0.2.0/24,IT\n"),
     "192.0.2.0/24 IT"},
};

START_TEST(reads_sound_lines)
{
    for (size_t i = 0; i < sizeof SOUND / sizeof SOUND[0]; i++) {
        struct problem_list problems;
        struct geofeed feed;
        problem_list_init(&problems);
        bool read = geofeed_parse("feed", SOUND[i].bytes, SOUND[i].size, &feed, &problems);
        ck_assert_msg(read && problems.count == 0, "%s: %s", SOUND[i].label,
                      problems.count == 0 ? "" : problems.items[0].text);
        char rows[256];
        show(&feed, rows, sizeof rows);
        ck_assert_msg(strcmp(rows, SOUND[i].expected) == 0, "%s: %s", SOUND[i].label, rows);
        geofeed_fini(&feed);
        problem_list_fini(&problems);
    }
}
END_TEST

static const struct {
    const char *label;
    const char *bytes;
    size_t size;
    const char *problem; /* the start of the only one, with its place */
} BROKEN[] = {
    {"no prefix", BYTES(",IT,,,\n"), "feed:1:1: \"\" is not an IPv4 or IPv6 address or network"},
    {"a name", BYTES("\n\nexample.org,IT\n"), "feed:3:1: \"example.org\" is not an IPv4"},
    {"host bits", BYTES("# a\n192.0.2.1/24,IT,,,\n"),
     "feed:2:1: \"192.0.2.1/24\" has bits set behind its prefix length; the network is "
     "192.0.2.0/24"},
    {"too long a prefix", BYTES("192.0.2.0/33,IT\n"), "feed:1:1: \"192.0.2.0/33\" needs a prefix"},
    {"space in front counts", BYTES("   300.0.2.0/24,IT\n"), "feed:1:4: "},
    {"an unassigned country", BYTES("192.0.2.0/24,QQ,,,\n"),
     "feed:1:14: \"QQ\" is not a country code of ISO 3166-1; an empty field means unknown"},
    {"a group", BYTES("192.0.2.0/24,EU,,,\n"), "feed:1:14: \"EU\" is not a country"},
    {"three letters", BYTES("192.0.2.0/24,ITA,,,\n"), "feed:1:14: \"ITA\" is not a country"},
    {"a name of a country", BYTES("192.0.2.0/24, Italy,,,\n"), "feed:1:15: \"Italy\" is not"},
    {"small letters beyond z", BYTES("192.0.2.0/24,i{,,,\n"), "feed:1:14: \"i{\" is not"},
    {"six fields", BYTES("192.0.2.0/24,IT,,\xc3\xbc\xc3\xbc,,x\n"),
     "feed:1:22: more than five fields; expected prefix,country,region,city,postal code"},
    {"a sixth field that is empty", BYTES("192.0.2.0/24,IT,,,,\n"), "feed:1:20: more than five"},
    {"a NUL byte", BYTES("192.0.2.0/24,I\0,,,\n"), "feed:1:15: a NUL byte"},
    {"a NUL byte in a comment", BYTES("# \0\n"), "feed:1:3: a NUL byte"},
    {"a quote that stays open", BYTES("\"192.0.2.0/24,IT,,,\n"), "feed:1:1: \"\"192.0.2.0/24,IT"},
    {"old line ends", BYTES("192.0.2.0/24,IT\r198.51.100.0/24,IT"), "feed:1:14: \"IT?198"},
};

START_TEST(names_the_place_of_an_error)
{
    for (size_t i = 0; i < sizeof BROKEN / sizeof BROKEN[0]; i++) {
        struct problem_list problems;
        struct geofeed feed;
        problem_list_init(&problems);
        ck_assert_msg(!geofeed_parse("feed", BROKEN[i].bytes, BROKEN[i].size, &feed, &problems),
                      "%s", BROKEN[i].label);
        ck_assert_ptr_null(feed.rows);
        ck_assert_msg(problems.count == 1 && problems.errors == 1, "%s", BROKEN[i].label);
        char text[512];
        problem_format(&problems.items[0], text, sizeof text);
        ck_assert_msg(strncmp(text, BROKEN[i].problem, strlen(BROKEN[i].problem)) == 0, "%s: %s",
                      BROKEN[i].label, text);
        problem_list_fini(&problems);
    }
}
END_TEST

START_TEST(reports_every_bad_line)
{
    static const char bytes[] = "x,IT\n192.0.2.0/24,IT\n192.0.2.0/24,ZZ\n\n192.0.2.0/24,,,,,\n";
    struct problem_list problems;
    struct geofeed feed;
    problem_list_init(&problems);
    ck_assert(!geofeed_parse("feed", bytes, strlen(bytes), &feed, &problems));
    ck_assert_uint_eq(problems.count, 3);
    ck_assert_uint_eq(problems.items[0].line, 1);
    ck_assert_uint_eq(problems.items[1].line, 3);
    ck_assert_uint_eq(problems.items[2].line, 5);
    problem_list_fini(&problems);
}
END_TEST

START_TEST(gives_up_on_what_is_no_feed)
{
    char bytes[20000];
    memset(bytes, '\n', sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i += 2) {
        bytes[i] = 'x';
    }
    struct problem_list problems;
    struct geofeed feed;
    problem_list_init(&problems);
    ck_assert(!geofeed_parse("feed", bytes, sizeof bytes, &feed, &problems));
    ck_assert_uint_eq(problems.count, 101);
    ck_assert_str_eq(problems.items[100].text,
                     "the rest of the file was not read: too many errors");
    problem_list_fini(&problems);
}
END_TEST

static const struct {
    const char *network;
    bool warned;
} SIXTOFOUR[] = {
    {"2002:c000:200::/40", true}, {"2002::/16", true},     {"2000::/4", false},
    {"2003::/16", false},         {"192.0.2.0/24", false}, {"2001::/32", false},
};

START_TEST(warns_of_6to4)
{
    for (size_t i = 0; i < sizeof SIXTOFOUR / sizeof SIXTOFOUR[0]; i++) {
        struct problem_list problems;
        struct geofeed feed;
        problem_list_init(&problems);
        const char *network = SIXTOFOUR[i].network;
        ck_assert(geofeed_parse("feed", network, strlen(network), &feed, &problems));
        ck_assert_msg(problems.count == SIXTOFOUR[i].warned && problems.errors == 0, "%s", network);
        geofeed_fini(&feed);
        problem_list_fini(&problems);
    }
}
END_TEST

START_TEST(reads_many_lines)
{
    static char bytes[64 * 5000];
    size_t size = 0;
    for (unsigned i = 0; i < 5000; i++) {
        size += (size_t)snprintf(bytes + size, sizeof bytes - size, "10.%u.%u.0/24,IT,,,\n",
                                 i / 256, i % 256);
    }
    struct problem_list problems;
    struct geofeed feed;
    problem_list_init(&problems);
    ck_assert(geofeed_parse("feed", bytes, size, &feed, &problems));
    ck_assert_uint_eq(feed.count, 5000);
    for (unsigned i = 0; i < 5000; i++) {
        ck_assert_uint_eq(feed.rows[i].line, i + 1);
        ck_assert_uint_eq(feed.rows[i].network.base.octet[14], i % 256);
    }
    geofeed_fini(&feed);
    problem_list_fini(&problems);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("geofeed");
    TCase *tests = tcase_create("geofeed");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, reads_sound_lines);
    tcase_add_test(tests, names_the_place_of_an_error);
    tcase_add_test(tests, reports_every_bad_line);
    tcase_add_test(tests, gives_up_on_what_is_no_feed);
    tcase_add_test(tests, warns_of_6to4);
    tcase_add_test(tests, reads_many_lines);
    return suite_run(suite);
}
