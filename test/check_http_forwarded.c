/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whom trusted proxies name: 10.0.0.0/8 and 2001:db8:1::/48 are trusted, all others are not.
 */
#include "forwarder/http/http_forwarded.h"

#include <check.h>

#include "test/address_text.h"
#include "test/suite.h"

#define ABSENT "absent"
#define UNKNOWN "unknown"
#define BAD "bad"

/* Lines end in a line feed; NULL: the header is not there. */
static const struct {
    const char *label;
    const char *forwarded;
    const char *x_forwarded_for;
    const char *client;
} HEADERS[] = {
    {"neither", NULL, NULL, ABSENT},

    {"X: one", NULL, "192.0.2.1\n", "192.0.2.1"},
    {"X: IPv6", NULL, "2001:db8::1\n", "2001:db8::1"},
    {"X: IPv6 that looks like a port", NULL, "2001::1234\n", "2001::1234"},
    {"X: blanks", NULL, " \t192.0.2.1 \t\n", "192.0.2.1"},
    {"X: IPv4 with a port", NULL, "192.0.2.1:4711\n", "192.0.2.1"},
    {"X: IPv6 in brackets", NULL, "[2001:db8::1]\n", "2001:db8::1"},
    {"X: IPv6 with a port", NULL, "[2001:db8::1]:4711\n", "2001:db8::1"},
    {"X: mapped", NULL, "::ffff:192.0.2.1\n", "192.0.2.1"},
    {"X: the last one", NULL, "198.51.100.1, 192.0.2.1\n", "192.0.2.1"},
    {"X: the last that is not trusted", NULL, "198.51.100.1, 192.0.2.1, 10.0.0.1,10.0.0.2\n",
     "192.0.2.1"},
    {"X: a mapped one is trusted too", NULL, "192.0.2.1, ::ffff:10.0.0.1\n", "192.0.2.1"},
    {"X: all trusted: the first", NULL, "10.0.0.3, 10.0.0.1\n", "10.0.0.3"},
    {"X: lines in their order", NULL, "198.51.100.1\n192.0.2.1\n10.0.0.1\n", "192.0.2.1"},
    {"X: empty elements are none", NULL, ",192.0.2.1,,\n", "192.0.2.1"},
    {"X: what the client wrote decides nothing", NULL, "so what, 192.0.2.1\n", "192.0.2.1"},
    {"X: unknown", NULL, "unknown\n", UNKNOWN},
    {"X: unknown in front", NULL, "Unknown, 192.0.2.1\n", "192.0.2.1"},
    {"X: unknown behind", NULL, "192.0.2.1, unknown, 10.0.0.1\n", UNKNOWN},
    {"X: obfuscated", NULL, "_hidden\n", UNKNOWN},
    {"X: a name", NULL, "client.example\n", BAD},
    {"X: bad and then trusted", NULL, "192.0.2.1, 192.0.2.256, 10.0.0.1\n", BAD},
    {"X: three parts", NULL, "192.0.2\n", BAD},
    {"X: a leading zero", NULL, "192.0.2.010\n", BAD},
    {"X: no port", NULL, "192.0.2.1:\n", BAD},
    {"X: a long port", NULL, "192.0.2.1:123456\n", BAD},
    {"X: an odd port", NULL, "192.0.2.1:4x\n", BAD},
    {"X: IPv4 in brackets", NULL, "[192.0.2.1]\n", BAD},
    {"X: an open bracket", NULL, "[2001:db8::1\n", BAD},
    {"X: brackets with nothing", NULL, "[]\n", BAD},
    {"X: behind the bracket", NULL, "[2001:db8::1]x\n", BAD},
    {"X: a zone", NULL, "fe80::1%eth0\n", BAD},
    {"X: quoted", NULL, "\"192.0.2.1\"\n", BAD},
    {"X: a network", NULL, "192.0.2.0/24\n", BAD},
    {"X: two by a blank", NULL, "192.0.2.1 192.0.2.2\n", BAD},
    {"X: nothing", NULL, "\n", BAD},
    {"X: commas", NULL, ", ,\n", BAD},

    {"F: one", "for=192.0.2.1\n", NULL, "192.0.2.1"},
    {"F: quoted", "for=\"192.0.2.1\"\n", NULL, "192.0.2.1"},
    {"F: with a port", "for=\"192.0.2.1:4711\"\n", NULL, "192.0.2.1"},
    {"F: IPv6", "for=\"[2001:db8::1]\"\n", NULL, "2001:db8::1"},
    {"F: IPv6 with a port", "for=\"[2001:db8::1]:4711\"\n", NULL, "2001:db8::1"},
    {"F: with an obfuscated port", "for=\"192.0.2.1:_p.1-x\"\n", NULL, "192.0.2.1"},
    {"F: case", "FOR=192.0.2.1\n", NULL, "192.0.2.1"},
    {"F: among others", "by=10.0.0.1; proto=https ;for=192.0.2.1;host=a.example\n", NULL,
     "192.0.2.1"},
    {"F: the last that is not trusted", "for=198.51.100.1, for=192.0.2.1,for=10.0.0.1\n", NULL,
     "192.0.2.1"},
    {"F: trusted, IPv6", "for=192.0.2.1, for=\"[2001:db8:1::7]\"\n", NULL, "192.0.2.1"},
    {"F: lines in their order", "for=198.51.100.1\nfor=192.0.2.1\n", NULL, "192.0.2.1"},
    {"F: empty elements are none", " , for=192.0.2.1 ,\n", NULL, "192.0.2.1"},
    {"F: a comma in quotes", "for=192.0.2.1;x=\"a, for=198.51.100.1\"\n", NULL, "192.0.2.1"},
    {"F: an escaped quote", "for=192.0.2.1;x=\"\\\", for=198.51.100.1\"\n", NULL, "192.0.2.1"},
    {"F: unknown", "for=unknown\n", NULL, UNKNOWN},
    {"F: obfuscated", "for=_gazonk;proto=http\n", NULL, UNKNOWN},
    {"F: obfuscated, quoted", "for=\"_gazonk\"\n", NULL, UNKNOWN},
    {"F: not told", "proto=http;by=10.0.0.1\n", NULL, UNKNOWN},
    {"F: not told, behind", "for=192.0.2.1, proto=http\n", NULL, UNKNOWN},
    {"F: not told, in front", "proto=http, for=192.0.2.1\n", NULL, "192.0.2.1"},
    {"F: no quotes around a port", "for=192.0.2.1:4711\n", NULL, BAD},
    {"F: no quotes around IPv6", "for=[2001:db8::1]\n", NULL, BAD},
    {"F: no brackets around IPv6", "for=\"2001:db8::1\"\n", NULL, BAD},
    {"F: twice in an element", "for=192.0.2.1;for=192.0.2.1\n", NULL, BAD},
    {"F: empty", "for=\n", NULL, BAD},
    {"F: empty in quotes", "for=\"\"\n", NULL, BAD},
    {"F: no value", "for\n", NULL, BAD},
    {"F: blanks around =", "for = 192.0.2.1\n", NULL, BAD},
    {"F: an open quote", "for=\"192.0.2.1\n", NULL, BAD},
    {"F: an open quote with an escape at its end", "for=\"192.0.2.1\\\n", NULL, BAD},
    {"F: an escape in an address", "for=\"192.0.2\\.1\"\n", NULL, BAD},
    {"F: behind the quote", "for=\"192.0.2.1\"x\n", NULL, BAD},
    {"F: empty pairs", ";;for=192.0.2.1; ;\n", NULL, "192.0.2.1"},
    {"F: nothing but an empty pair", ";\n", NULL, UNKNOWN},
    {"F: an address alone", "192.0.2.1\n", NULL, BAD},
    {"F: nothing", "\n", NULL, BAD},
    {"F: a quote that would swallow the proxy's element",
     "for=198.51.100.1;x=\", for=\"192.0.2.1\"\n", NULL, BAD},
    {"F: no quote goes beyond its line", "for=198.51.100.1;x=\"\nfor=192.0.2.1;by=\"10.0.0.1\"\n",
     NULL, "192.0.2.1"},
    {"F: what the client wrote on a line of his own decides nothing", "=,=\nfor=192.0.2.1\n", NULL,
     "192.0.2.1"},

    {"both agree", "for=192.0.2.1\n", "192.0.2.1\n", "192.0.2.1"},
    {"both agree behind what differs", "for=\"[2001:db8::1]\", for=192.0.2.1\n",
     "198.51.100.1, 192.0.2.1, 10.0.0.1\n", "192.0.2.1"},
    {"they differ", "for=198.51.100.1\n", "192.0.2.1\n", BAD},
    {"one does not know", "for=unknown\n", "192.0.2.1\n", BAD},
    {"both do not know", "for=unknown\n", "unknown\n", UNKNOWN},
    {"one is bad", "for=x\n", "192.0.2.1\n", BAD},
    {"one is empty", "\n", "192.0.2.1\n", BAD},
};

static struct span span_of(const char *text)
{
    return text == NULL ? (struct span){0} : (struct span){(const uint8_t *)text, strlen(text)};
}

static const char *told(enum http_forwarded_outcome outcome, const struct address *client,
                        char text[static ADDRESS_TEXT_MAX])
{
    switch (outcome) {
    case HTTP_FORWARDED_ABSENT:
        return ABSENT;
    case HTTP_FORWARDED_CLIENT:
        return address_format(client, text);
    case HTTP_FORWARDED_UNKNOWN:
        return UNKNOWN;
    case HTTP_FORWARDED_BAD:
        break;
    }
    return BAD;
}

START_TEST(clients)
{
    struct network networks[] = {network_of("10.0.0.0/8"), network_of("2001:db8:1::/48")};
    struct network_set *trusted = network_set_new(networks, 2);
    for (size_t i = 0; i < sizeof HEADERS / sizeof HEADERS[0]; i++) {
        struct http_forwarded headers = {span_of(HEADERS[i].forwarded),
                                         span_of(HEADERS[i].x_forwarded_for)};
        struct address client;
        char text[ADDRESS_TEXT_MAX];
        const char *got = told(http_forwarded_client(&headers, trusted, &client), &client, text);
        ck_assert_msg(strcmp(got, HEADERS[i].client) == 0, "%s: %s", HEADERS[i].label, got);
    }
    network_set_free(trusted);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("http_forwarded");
    TCase *tcase = tcase_create("http_forwarded");
    tcase_add_test(tcase, clients);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
