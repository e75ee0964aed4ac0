/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Order files: what is read, and for every kind of mistake the exact place and sentence. Lists come
 * from a table in memory; the clock stands at 2026-01-01T00:00:00Z; the folder is IT unless a row
 * says otherwise; dns.example.org is protected.
 */
#include "policy/order_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/guard.h"

#define ROWS(table) (int)(sizeof(table) / sizeof *(table))
#define NOW INT64_C(1767225600)

/* The required keys; what a row adds begins at line 4. */
#define BASE "id: X-1\nauthority: Court\nissued: 2022-07-11\n"
/* With a name; a row begins at line 5. */
#define NAMED BASE "names: [blocked.example]\n"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static const struct {
    const char *path;
    const char *bytes;
} lists[] = {
    {"good.txt", "listed.example\n"},
    {"marks.txt", "listed.example\n=exact.example\n"},
    {"exceptions.txt", "listed.example\n!fine.listed.example\n"},
    {"covered.txt", "listed.example\n=exact.listed.example\n!other.example\n"},
    {"wide.txt", "listed.example\ngithub.io\n"},
    {"bad.txt", "listed.example\nhttp://x.example/\n"},
};

static struct name_list *open_list(void *ctx, const struct name_list_options *options,
                                   uint8_t sha256[static FILE_BYTES_SHA256],
                                   struct problem_list *problems)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (strcmp(lists[i].path, options->name) == 0) {
            memset(sha256, (int)i + 1, FILE_BYTES_SHA256);
            return name_list_parse(options, lists[i].bytes, strlen(lists[i].bytes), problems);
        }
    }
    problem_list_add(problems, PROBLEM_ERROR, options->name, 0, 0, "no such file");
    return NULL;
}

static void join(const struct problem_list *problems, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        size_t used = strlen(out);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "\n" : "",
                                 problem->level == PROBLEM_WARNING ? "warning: " : "");
        problem_format(problem, out + used, size - used);
    }
}

/* Reads an order; what was said goes to said. */
static struct order *read_order(const char *folder, const char *yaml, char *said, size_t size)
{
    static const char protected_names[] = "dns.example.org\n";
    char why[WHY_MAX];
    struct problem_list problems;
    struct file_bytes bytes;
    struct order_file_env env = {
        .default_action = ORDER_REFUSED, .seed = 7, .now = NOW, .open_list = open_list};
    problem_list_init(&problems);
    struct guard *guard =
        guard_new("protected", protected_names, sizeof protected_names - 1, &problems);
    ck_assert_ptr_nonnull(guard);
    env.guard = guard;
    ck_assert(order_folder_scope_parse(folder, &env.folder, why));
    ck_assert(file_bytes_copy(yaml, strlen(yaml), &bytes));
    struct order *order = order_file_parse(&env, "f", &bytes, &problems);
    join(&problems, said, size);
    ck_assert_msg((order == NULL) == (problems.errors > 0), "%s", said);
    file_bytes_fini(&bytes);
    problem_list_fini(&problems);
    guard_free(guard);
    return order;
}

struct said_row {
    const char *label;
    const char *yaml;
    const char *expected; /* problems joined by newlines */
};

#define DATE_OR_TIME \
    "expected a date such as 2022-07-11 or a time such as 2022-07-11T00:00:00Z (RFC 3339), not "
#define COUNTRY "expected a country of ISO 3166-1 in capitals, such as IT, or EU or EEA"
#define NOT_IANA "this is no time zone: expected an IANA name such as Europe/Rome"

static const struct said_row errors[] = {
    /* the file */
    {"empty", "", "f: the file is empty"},
    {"no YAML", "id: [\n",
     "f:2:1: this is no YAML: did not find expected node content while parsing "
     "a flow node (begun at line 2)"},
    {"a list", "- id: x\n", "f:1:1: expected the keys of an order, not a list"},
    {"a text", "order\n", "f:1:1: expected the keys of an order, not 'order'"},
    {"key twice", NAMED "id: Y\n", "f:5:1: the key 'id' is given twice, first at line 1"},
    {"tag", NAMED "except: [!fine.example ]\n",
     "f:5:10: a tag is not accepted here: put text that begins with ! in quotes"},
    {"unknown key", NAMED "efective: 2022-07-11\n", "f:5:1: an order has no key 'efective'"},
    {"key in capitals", NAMED "Title: x\n", "f:5:1: an order has no key 'Title'"},
    {"everything missing", "{title: x}",
     "f:1:1: the key 'id' is missing\n"
     "f:1:1: the key 'authority' is missing\n"
     "f:1:1: the key 'issued' is missing\n"
     "f:1:1: this order blocks nothing: expected names, exact or lists"},
    {"all problems at once", "# X\nid: a b\nissued: today\nnames:\n- x..y\n- good.example\n- com\n",
     "f:2:1: the key 'authority' is missing\n"
     "f:2:5: expected an id of 1 to 64 letters, digits, '.', '_' and '-', not 'a b'\n"
     "f:3:9: expected a date such as 2022-07-11, not 'today'\n"
     "f:5:3: 'x..y': there is an empty label\n"
     "f:7:3: com is a top-level domain, and allow-wide does not list it"},

    /* on record */
    {"id empty", "id:\nauthority: A\nissued: 2022-07-11\nexact: [a.example]\n",
     "f:1:4: expected an id of 1 to 64 letters, digits, '.', '_' and '-', not ''"},
    {"id a list", "id: [x]\nauthority: A\nissued: 2022-07-11\nexact: [a.example]\n",
     "f:1:5: expected text, not a list"},
    {"id too long",
     "id: " FIFTY TEN "01234\nauthority: A\nissued: 2022-07-11\nexact: [a.example]\n",
     "f:1:5: expected an id of 1 to 64 letters, digits, '.', '_' and '-', not '" FIFTY TEN
     "01234'"},
    {"id not ASCII", "id: Mil\xc3\xa1n\nauthority: A\nissued: 2022-07-11\nexact: [a.example]\n",
     "f:1:5: expected an id of 1 to 64 letters, digits, '.', '_' and '-', not 'Mil\xc3\xa1n'"},
    {"authority empty", "id: x\nauthority: ''\nissued: 2022-07-11\nexact: [a.example]\n",
     "f:2:12: expected text, found none"},
    {"authority too long",
     "id: x\nauthority: " FIFTY FIFTY FIFTY FIFTY "x\nissued: 2022-07-11\nexact: [a.example]\n",
     "f:2:12: this text has 201 octets, expected at most 200"},
    {"authority of two lines",
     "id: x\nauthority: \"a\\nb\"\nissued: 2022-07-11\nexact: [a.example]\n",
     "f:2:12: expected one line without control characters"},
    {"title with C1 control", NAMED "title: \"a\\u0085b\"\n",
     "f:5:8: expected one line without control characters"},
    {"title with line separator", NAMED "title: \"a\\u2028b\"\n",
     "f:5:8: expected one line without control characters"},
    {"title a mapping", NAMED "title: {it: x}\n", "f:5:8: expected text, not a mapping"},
    {"reference empty", NAMED "reference:\n", "f:5:11: expected text, found none"},
    {"legal-basis a list", NAMED "legal-basis: [x]\n", "f:5:14: expected text, not a list"},
    {"issued a time", "id: x\nauthority: A\nissued: 2022-07-11T00:00:00Z\nexact: [a.example]\n",
     "f:3:9: expected a date such as 2022-07-11, not '2022-07-11T00:00:00Z'"},
    {"issued on no day", "id: x\nauthority: A\nissued: 2023-02-29\nexact: [a.example]\n",
     "f:3:9: expected a date such as 2022-07-11, not '2023-02-29'"},
    {"received", NAMED "received: 12.7.2022\n", "f:5:11: " DATE_OR_TIME "'12.7.2022'"},
    {"deadline", NAMED "deadline: {}\n", "f:5:11: " DATE_OR_TIME "a mapping"},
    {"message too long", NAMED "message: " FIFTY FIFTY FIFTY FIFTY "\xc3\xa1\n",
     "f:5:10: this text has 202 octets, expected at most 200"},
    {"message with a control", NAMED "message: \"a\\tb\"\n",
     "f:5:10: expected one line without control characters"},
    {"message empty", NAMED "message: ''\n", "f:5:10: expected text, found none"},
    {"message per language", NAMED "message: {it: Bloccato, en: Blocked}\n",
     "f:5:10: a message per language is not supported by this build"},
    {"disclose", NAMED "disclose: maybe\n", "f:5:11: expected yes or no, not 'maybe'"},
    {"disclose a list", NAMED "disclose: [yes]\n", "f:5:11: expected yes or no, not a list"},
    {"disclose nothing", NAMED "disclose:\n", "f:5:10: expected yes or no, not ''"},
    {"public-record a text", NAMED "public-record: lumen\n",
     "f:5:16: expected a mapping, not 'lumen'"},
    {"public-record values", NAMED "public-record: {lumen: [1], x: ''}\n",
     "f:5:24: expected text, not a list\nf:5:32: expected text, found none"},

    /* when */
    {"status", NAMED "status: Active\n",
     "f:5:9: expected active, suspended or lifted, not 'Active'"},
    {"timezone unknown", NAMED "timezone: Europe/Milan\neffective: 2022-08-10\n",
     "f:5:11: 'Europe/Milan': this system knows no time zone Europe/Milan: is tzdata installed?"},
    {"timezone an offset", NAMED "timezone: +02:00\n", "f:5:11: '+02:00': " NOT_IANA},
    {"timezone a list", NAMED "timezone: [UTC]\n", "f:5:11: a list: " NOT_IANA},
    {"effective without timezone", NAMED "effective: 2022-08-10\n",
     "f:5:12: a bare date needs the key 'timezone' in the order"},
    {"until without timezone", NAMED "until: 2032-08-10\n",
     "f:5:8: a bare date needs the key 'timezone' in the order"},
    {"effective malformed", NAMED "effective: 2022-8-10\n", "f:5:12: " DATE_OR_TIME "'2022-8-10'"},
    {"until with a fraction", NAMED "until: 2032-08-10T00:00:00.5Z\n",
     "f:5:8: " DATE_OR_TIME "'2032-08-10T00:00:00.5Z'"},
    {"until without an offset", NAMED "until: 2032-08-10T00:00:00\n",
     "f:5:8: " DATE_OR_TIME "'2032-08-10T00:00:00'"},
    {"review malformed", NAMED "review: soon\n", "f:5:9: " DATE_OR_TIME "'soon'"},
    {"until before effective",
     NAMED "timezone: Europe/Rome\neffective: 2032-08-10\nuntil: 2032-08-09\n",
     "f:7:8: the order would end before it begins"},
    {"until at effective",
     NAMED "effective: 2032-08-10T02:00:00+02:00\nuntil: 2032-08-10T00:00:00Z\n",
     "f:6:8: the order would end before it begins"},

    /* whom */
    {"scope without the folder", NAMED "scope: [FR, SM]\n",
     "f:5:8: the scope must contain the folder of the order, IT"},
    {"scope empty", NAMED "scope: []\n",
     "f:5:8: the scope must contain the folder of the order, IT"},
    {"scope of no country", NAMED "scope: [IT, ZZ]\n", "f:5:13: 'ZZ': " COUNTRY},
    {"scope in small letters", NAMED "scope: it\n",
     "f:5:8: 'it': a country is written in capitals, such as IT"},
    {"scope twice", NAMED "scope: [IT, SM, IT]\n", "f:5:17: 'IT' is given twice"},
    {"scope twice by alias", NAMED "scope: [IT, GB, UK]\n", "f:5:17: 'UK' is given twice"},
    {"group twice", NAMED "scope: [IT, EU, EU]\n", "f:5:17: 'EU' is given twice"},
    {"scope a subdivision", NAMED "scope: [IT, US-CA]\n",
     "f:5:13: 'US-CA': a subdivision of a country is not supported by this build"},
    {"scope a mapping", NAMED "scope: {IT: yes}\n", "f:5:8: expected text, not a mapping"},
    {"scope in a list in a list", NAMED "scope: [[IT]]\n", "f:5:9: expected text, not a list"},
    {"include-unknown", NAMED "include-unknown: 1\n", "f:5:18: expected yes or no, not '1'"},
    {"except-networks a text", NAMED "except-networks: 192.0.2.0/24\n",
     "f:5:18: expected a list, not '192.0.2.0/24'"},
    {"except-networks", NAMED "except-networks: [192.0.2.0/24, x, [a], 192.0.2.1/24]\n",
     "f:5:33: \"x\" is not an IPv4 or IPv6 address or network\n"
     "f:5:36: expected text, not a list\n"
     "f:5:41: \"192.0.2.1/24\" has bits set behind its prefix length; the network is "
     "192.0.2.0/24"},

    /* what is answered */
    {"action", NAMED "action: deny\n",
     "f:5:9: expected refused, nxdomain, nodata, address, drop or shadow, not 'deny'"},
    {"action a list", NAMED "action: [refused]\n",
     "f:5:9: expected refused, nxdomain, nodata, address, drop or shadow, not a list"},
    {"action unknown, with addresses", NAMED "action: redirect\naddresses: [192.0.2.1]\n",
     "f:5:9: expected refused, nxdomain, nodata, address, drop or shadow, not 'redirect'"},
    {"action cname", NAMED "action: cname\ntarget: x.example\n",
     "f:5:9: the action 'cname' is not supported by this build\n"
     "f:6:9: the key 'target' is not supported by this build"},
    {"address without addresses", NAMED "action: address\n",
     "f:5:9: the action 'address' needs the key 'addresses'"},
    {"address with none", NAMED "action: address\naddresses: []\n",
     "f:6:12: expected 1 to 16 addresses, not 0"},
    {"too many addresses",
     NAMED "action: address\naddresses: [1.0.0.1, 1.0.0.2, 1.0.0.3, 1.0.0.4, 1.0.0.5, 1.0.0.6, "
           "1.0.0.7, 1.0.0.8, 1.0.0.9, 1.0.0.10, 1.0.0.11, 1.0.0.12, 1.0.0.13, 1.0.0.14, 1.0.0.15, "
           "1.0.0.16, 1.0.0.17]\n",
     "f:6:12: expected 1 to 16 addresses, not 17"},
    {"bad address", NAMED "action: address\naddresses: [192.0.2.256, 192.0.2.0/24]\n",
     "f:6:13: expected an IPv4 or IPv6 address, not '192.0.2.256'\n"
     "f:6:26: expected an IPv4 or IPv6 address, not '192.0.2.0/24'"},
    {"addresses a text", NAMED "action: address\naddresses: 192.0.2.1\n",
     "f:6:12: expected a list, not '192.0.2.1'"},
    {"addresses without the action", NAMED "addresses: [192.0.2.1]\n",
     "f:5:12: addresses go with the action 'address', not with 'refused'"},

    /* names */
    {"no names", BASE "except: [a.example]\n",
     "f:1:1: this order blocks nothing: expected names, exact or lists"},
    {"empty names", BASE "names: []\nexact: []\nlists: []\n",
     "f:1:1: this order blocks nothing: expected names, exact or lists"},
    {"names a text", BASE "names: a.example\n", "f:4:8: expected a list, not 'a.example'"},
    {"names nothing", BASE "names:\n", "f:4:7: expected a list, not ''"},
    {"a list of lists", BASE "names: [[a.example]]\n", "f:4:9: expected text, not a list"},
    {"a URL", BASE "names: ['https://a.example/x']\n",
     "f:4:9: 'https://a.example/x': this is a URL; write the host name alone"},
    {"an address", BASE "names: [192.0.2.1]\n",
     "f:4:9: '192.0.2.1': this is an address or a network, not a name"},
    {"an empty name", BASE "names: ['']\n", "f:4:9: '': a name is expected, and there is none"},
    {"a wildcard", BASE "exact: ['*.a.example']\n",
     "f:4:9: '*.a.example': wildcards are not used: a name covers everything below it; write it "
     "without *."},
    {"a name with dates of its own",
     BASE "names:\n- {name: a.example, effective: 2022-09-01, ticket: '4711'}\n",
     "f:5:21: the key 'effective' of a name is not supported by this build\n"
     "f:5:44: the key 'ticket' of a name is not supported by this build"},
    {"a mapping without name", BASE "names: [{ticket: 1}]\n",
     "f:4:9: the key 'name' is missing in this item"},
    {"a mapping in exact", BASE "exact: [{name: a.example}]\n",
     "f:4:9: expected text, not a mapping"},
    {"a public suffix", BASE "names: [github.io]\n",
     "f:4:9: github.io is a public suffix, and allow-wide does not list it"},
    {"a public suffix, exact", BASE "exact: [co.uk]\n",
     "f:4:9: co.uk is a public suffix, and allow-wide does not list it"},
    {"another suffix allowed", BASE "names: [com]\nallow-wide: [example.com, net]\n",
     "f:4:9: com is a top-level domain, and allow-wide does not list it"},
    {"the root", BASE "names: [.]\n",
     "f:4:9: the root stands above every name, and allow-wide does not list it"},
    {"an international suffix", BASE "names: [\xd1\x80\xd1\x84]\n",
     "f:4:9: '\xd1\x80\xd1\x84' reads as xn--p1ai: xn--p1ai is a top-level domain, and allow-wide "
     "does not list it"},
    {"protected", BASE "names: [dns.example.org]\nallow-wide: [dns.example.org]\n",
     "f:4:9: dns.example.org is a protected name"},
    {"below protected", BASE "exact: [a.dns.example.org]\n",
     "f:4:9: a.dns.example.org stands below the protected name dns.example.org"},
    {"above protected", BASE "names: [example.org]\n",
     "f:4:9: example.org stands above the protected name dns.example.org"},
    {"except malformed", NAMED "except: ['a b']\n",
     "f:5:10: 'a b': there is white space within the name; one name is expected"},
    {"allow-wide a text", NAMED "allow-wide: com\n", "f:5:13: expected a list, not 'com'"},
    {"allow-wide malformed", NAMED "allow-wide: [a..b, [x]]\n",
     "f:5:14: 'a..b': there is an empty label\nf:5:20: expected text, not a list"},
    {"allow-wide a network", NAMED "allow-wide: [10.0.0.0/8]\n",
     "f:5:14: a network here allows wide 'answers': these are not supported by this build"},

    /* lists */
    {"lists a text", BASE "lists: good.txt\n", "f:4:8: expected a list, not 'good.txt'"},
    {"a list that is a text", BASE "lists: [good.txt]\n",
     "f:4:9: expected a mapping, not 'good.txt'"},
    {"a list without keys", BASE "lists: [{}]\n",
     "f:4:9: the key 'file' of this list is missing\n"
     "f:4:9: the key 'format' of this list is missing"},
    {"a list with an unknown key", BASE "lists: [{file: good.txt, format: names, sha256: x}]\n",
     "f:4:41: a list has no key 'sha256': expected file, format or on-error"},
    {"file empty", BASE "lists: [{file: '', format: names}]\n",
     "f:4:16: expected text, found none"},
    {"file a list", BASE "lists: [{file: [a], format: names}]\n",
     "f:4:16: expected text, not a list"},
    {"format", BASE "lists: [{file: good.txt, format: adblock}]\n",
     "f:4:34: expected the format names, not 'adblock'"},
    {"format hosts", BASE "lists: [{file: good.txt, format: hosts}]\n",
     "f:4:34: the format 'hosts' is not supported by this build"},
    {"format rpz", BASE "lists: [{file: good.txt, format: rpz}]\n",
     "f:4:34: the format 'rpz' is not supported by this build"},
    {"gzip", BASE "lists: [{file: good.txt.gz, format: names}]\n",
     "f:4:16: a compressed list is not supported by this build"},
    {"zstd", BASE "lists: [{file: good.zst, format: names}]\n",
     "f:4:16: a compressed list is not supported by this build"},
    {"on-error", BASE "lists: [{file: good.txt, format: names, on-error: stop}]\n",
     "f:4:51: expected skip or fail, not 'stop'"},
    {"no such list", BASE "lists: [{file: none.txt, format: names}]\n", "none.txt: no such file"},
    {"a list with an error", BASE "lists: [{file: bad.txt, format: names}]\n",
     "bad.txt:2:1: this is a URL; write the host name alone"},
    {"a list that must not be refused",
     BASE "lists: [{file: wide.txt, format: names, on-error: fail}]\n",
     "wide.txt:2:1: github.io is a public suffix, and allow-wide does not list it"},

    /* not in this build */
    {"any-tld", BASE "any-tld: [ilcorsaronero]\n",
     "f:4:10: the key 'any-tld' is not supported by this build"},
    {"answers", BASE "answers: [203.0.113.7/32]\n",
     "f:4:10: the key 'answers' is not supported by this build"},
    {"aliases", NAMED "aliases: yes\n", "f:5:10: the key 'aliases' is not supported by this build"},
    {"aliases malformed", NAMED "aliases: all\n", "f:5:10: expected yes or no, not 'all'"},
    {"windows", NAMED "windows: [{days: [sat], from: '18:00', to: '23:30'}]\n",
     "f:5:10: the key 'windows' is not supported by this build"},
};

START_TEST(refuses)
{
    const struct said_row *row = &errors[_i];
    char said[2048];
    ck_assert_msg(read_order("IT", row->yaml, said, sizeof said) == NULL, "%s", row->label);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s:\n%s\nnot\n%s", row->label, said,
                  row->expected);
}
END_TEST

static const struct said_row warnings[] = {
    {"nothing to say", NAMED, ""},
    {"ended", NAMED "until: 2025-12-31T23:59:59Z\n",
     "warning: f:5:8: the order ended at 2025-12-31T23:59:59Z and binds nobody any more"},
    {"ends now", NAMED "until: 2026-01-01T00:00:00Z\n",
     "warning: f:5:8: the order ended at 2026-01-01T00:00:00Z and binds nobody any more"},
    {"ends in a second", NAMED "until: 2026-01-01T00:00:01Z\n", ""},
    {"ended and lifted", NAMED "until: 2025-12-31T23:59:59Z\nstatus: lifted\n", ""},
    {"review was yesterday", NAMED "review: 2025-12-31\n",
     "warning: f:5:9: the order was due for review by 2026-01-01T00:00:00Z"},
    {"review is today", NAMED "review: 2026-01-01\n", ""},
    {"review was yesterday, but not there",
     NAMED "review: 2025-12-31\ntimezone: America/New_York\n", ""},
    {"review at a time", NAMED "review: 2025-06-01T12:00:00Z\n",
     "warning: f:5:9: the order was due for review by 2025-06-01T12:00:00Z"},
    {"review of a lifted order", NAMED "review: 2025-12-31\nstatus: lifted\n", ""},
    {"review of an ended order", NAMED "review: 2025-12-31\nuntil: 2025-12-31T00:00:00Z\n",
     "warning: f:6:8: the order ended at 2025-12-31T00:00:00Z and binds nobody any more"},
    {"a list's refusals", BASE "lists: [{file: wide.txt, format: names, on-error: skip}]\n",
     "warning: wide.txt:2:1: github.io is a public suffix, and allow-wide does not list it"},

    /* where nxdomain becomes nodata */
    {"nxdomain", NAMED "action: nxdomain\n", ""},
    {"nxdomain, exact", NAMED "action: nxdomain\nexact: [a.blocked.example, just.example]\n",
     "warning: f:6:8: nxdomain becomes nodata at just.example (to name one): names below it stay "
     "free"},
    {"nxdomain, exact within names", NAMED "action: nxdomain\nexact: [a.blocked.example]\n", ""},
    {"nxdomain, exact within a list",
     BASE "action: nxdomain\nexact: [a.listed.example]\nlists: [{file: good.txt, format: names}]\n",
     ""},
    {"refused, exact", NAMED "exact: [just.example]\n", ""},
    {"nxdomain, except", NAMED "action: nxdomain\nexcept: [a.b.example, fine.blocked.example]\n",
     "warning: f:6:9: nxdomain becomes nodata above fine.blocked.example (to name one), which "
     "stays "
     "free"},
    {"nxdomain, except a blocked name", NAMED "action: nxdomain\nexcept: [blocked.example]\n", ""},
    {"nxdomain, except within a list",
     BASE
     "action: nxdomain\nexcept: [a.listed.example]\nlists: [{file: good.txt, format: names}]\n",
     "warning: f:5:9: nxdomain becomes nodata above a.listed.example (to name one), which stays "
     "free"},
    {"nxdomain, exact in a list",
     BASE "action: nxdomain\nlists: [{file: marks.txt, format: names}]\n",
     "warning: f:5:8: nxdomain becomes nodata at exact.example (to name one): names below it stay "
     "free"},
    {"nxdomain, except in a list",
     BASE "action: nxdomain\nlists: [{file: exceptions.txt, format: names}]\n",
     "warning: f:5:8: nxdomain becomes nodata above fine.listed.example (to name one), which stays "
     "free"},
    {"nxdomain, nothing left free by a list",
     BASE "action: nxdomain\nlists: [{file: covered.txt, format: names}]\n", ""},
    {"nxdomain of the root", BASE "action: nxdomain\nnames: [.]\nallow-wide: [.]\n",
     "warning: f:5:8: nxdomain becomes nodata above dns.example.org (to name one), which stays "
     "free"},
};

START_TEST(warns)
{
    const struct said_row *row = &warnings[_i];
    char said[2048];
    struct order *order = read_order("IT", row->yaml, said, sizeof said);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s:\n%s\nnot\n%s", row->label, said,
                  row->expected);
    ck_assert_ptr_nonnull(order);
    order_unref(order);
}
END_TEST

static struct order *accept(const char *folder, const char *yaml)
{
    char said[2048];
    struct order *order = read_order(folder, yaml, said, sizeof said);
    ck_assert_msg(order != NULL && said[0] == '\0', "%s", said);
    return order;
}

static const char *name_text(const struct order *order, size_t index)
{
    static char text[DNAME_TEXT_MAX];
    return dname_format(&order->names[index].name, text);
}

/* The example of the contract, less what this build does not support. */
START_TEST(reads_everything)
{
    struct order *order = accept("IT", "id: IT-MI-2022-07-11\n"
                                       "authority: Tribunale di Milano\n"
                                       "title: Sony v Cloudflare\n"
                                       "reference: docket 1\n"
                                       "legal-basis: >\n  Art. 1\n  and 2\n\n"
                                       "issued: 2022-07-11\n"
                                       "received: 2022-07-12\n"
                                       "deadline: 2022-08-10T12:00:00+02:00\n"
                                       "timezone: Europe/Rome\n"
                                       "effective: 2022-08-10\n"
                                       "until: 2027-08-10\n"
                                       "review: 2026-08-10\n"
                                       "status: suspended\n"
                                       "scope: [IT, SM, EEA]\n"
                                       "except-networks: [192.0.2.0/24, '2001:db8::/32']\n"
                                       "include-unknown: yes\n"
                                       "action: address\n"
                                       "addresses: [192.0.2.80, '2001:db8::80']\n"
                                       "message: Blocked \xc3\xa0 Milano.\n"
                                       "disclose: no\n"
                                       "public-record: {lumen: '12345', court: x}\n"
                                       "names: [KickassTorrents.to., {name: b\xc3\xbc.example}]\n"
                                       "exact: [just-this.example]\n"
                                       "except: [fine.kickasstorrents.to]\n"
                                       "lists: [{file: good.txt, format: names}, "
                                       "{file: wide.txt, format: names, on-error: fail}]\n"
                                       "aliases: no\n"
                                       "allow-wide: [github.io]\n");
    ck_assert_str_eq(order->id, "IT-MI-2022-07-11");
    ck_assert_str_eq(order->authority, "Tribunale di Milano");
    ck_assert_str_eq(order->title, "Sony v Cloudflare");
    ck_assert_str_eq(order->reference, "docket 1");
    ck_assert_str_eq(order->legal_basis, "Art. 1 and 2");
    ck_assert_str_eq(order->issued, "2022-07-11");
    ck_assert_str_eq(order->received, "2022-07-12");
    ck_assert_str_eq(order->deadline, "2022-08-10T12:00:00+02:00");
    ck_assert_str_eq(order->message, "Blocked \xc3\xa0 Milano.");
    ck_assert_int_eq(order->effective, 1660082400); /* 2022-08-09T22:00:00Z */
    ck_assert_int_eq(order->end, 1817935200);       /* 2027-08-10T22:00:00Z */
    ck_assert_int_eq(order->review, 1786399200);    /* 2026-08-10T22:00:00Z */
    ck_assert_int_eq(order->status, ORDER_SUSPENDED);
    ck_assert_int_eq(order->action, ORDER_ADDRESS);
    ck_assert(!order->disclose);

    struct country italy = {{'I', 'T'}};
    struct country france = {{'F', 'R'}};
    ck_assert(country_set_has(&order->scope.countries, italy));
    ck_assert(!country_set_has(&order->scope.countries, france));
    ck_assert(order->scope.groups[COUNTRY_GROUP_EEA]);
    ck_assert(!order->scope.groups[COUNTRY_GROUP_EU]);
    ck_assert(order->scope.unknown);

    struct address address;
    ck_assert(address_parse("192.0.2.9", 9, &address));
    ck_assert(network_set_contains(order->except_networks, &address));
    ck_assert(address_parse("192.0.2.80", 10, &address));
    ck_assert_uint_eq(order->address_count, 2);
    ck_assert(address_equal(&order->addresses[0], &address));
    ck_assert_uint_eq(order->record_count, 2);
    ck_assert_str_eq(order->records[0].key, "lumen");
    ck_assert_str_eq(order->records[0].value, "12345");
    ck_assert_str_eq(order->records[1].key, "court");

    ck_assert_uint_eq(order->name_count, 4);
    ck_assert_str_eq(name_text(order, 0), "kickasstorrents.to");
    ck_assert_str_eq(name_text(order, 1), "xn--b-eha.example");
    ck_assert_int_eq(order->names[1].kind, NAME_SUBTREE);
    ck_assert_str_eq(name_text(order, 2), "just-this.example");
    ck_assert_int_eq(order->names[2].kind, NAME_EXACT);
    ck_assert_str_eq(name_text(order, 3), "fine.kickasstorrents.to");
    ck_assert_int_eq(order->names[3].kind, NAME_EXCEPT);
    ck_assert_uint_eq(order->list_count, 2);
    ck_assert_str_eq(order->lists[1].path, "wide.txt");
    ck_assert_uint_eq(name_list_count(order->lists[1].names), 2);
    ck_assert_uint_eq(order->lists[1].sha256[0], 5);
    order_unref(order);
}
END_TEST

START_TEST(reads_defaults)
{
    struct order *order = accept("IT", "{id: x, authority: A, issued: 2022-07-11, exact: [a.eu]}");
    struct country italy = {{'I', 'T'}};
    ck_assert_ptr_null(order->title);
    ck_assert_ptr_null(order->message);
    ck_assert_ptr_null(order->except_networks);
    ck_assert(order->disclose);
    ck_assert_int_eq(order->effective, ORDER_ALWAYS);
    ck_assert_int_eq(order->end, ORDER_FOR_GOOD);
    ck_assert_int_eq(order->review, ORDER_FOR_GOOD);
    ck_assert_int_eq(order->status, ORDER_ACTIVE);
    ck_assert_int_eq(order->action, ORDER_REFUSED);
    ck_assert(country_set_has(&order->scope.countries, italy));
    ck_assert(!order->scope.groups[COUNTRY_GROUP_EU]);
    ck_assert(!order->scope.unknown);
    ck_assert_uint_eq(order->name_count, 1);
    ck_assert_uint_eq(order->list_count, 0);
    order_unref(order);
}
END_TEST

START_TEST(keeps_the_digest)
{
    /* of sha256sum(1) over the text NAMED */
    static const char digest[] = "a8c59bfe3a529f02a2842ac2767307e8b944f835918f35130fb840f6f0365404";
    char hex[FILE_BYTES_HEX_MAX];
    struct order *order = accept("IT", NAMED);
    ck_assert_str_eq(file_bytes_hex(order->sha256, hex), digest);
    order_unref(order);
}
END_TEST

/* Who may block the root may still not block what is protected. */
START_TEST(excepts_protected_names_from_the_root)
{
    struct order *order = accept("IT", BASE "names: [.]\nallow-wide: [.]\n");
    ck_assert_uint_eq(order->name_count, 2);
    ck_assert_int_eq(order->names[0].kind, NAME_SUBTREE);
    ck_assert_uint_eq(order->names[0].name.labels, 0);
    ck_assert_int_eq(order->names[1].kind, NAME_EXCEPT);
    ck_assert_str_eq(name_text(order, 1), "dns.example.org");
    order_unref(order);
    order = accept("IT", BASE "exact: [.]\nallow-wide: [.]\n");
    ck_assert_uint_eq(order->name_count, 1);
    order_unref(order);
}
END_TEST

struct scope_row {
    const char *label;
    const char *folder;
    const char *yaml;
    const char *expected;
};

static const struct scope_row scopes[] = {
    {"a group as folder", "EU", NAMED, ""},
    {"a group as folder and scope", "EU", NAMED "scope: EU\n", ""},
    {"a group and more", "EEA", NAMED "scope: [CH, EEA]\n", ""},
    {"a group holds the country", "FR", NAMED "scope: EU\n", ""},
    {"a group holds its territory", "RE", NAMED "scope: EU\n", ""},
    {"no longer a member", "GB", NAMED "scope: EU\n",
     "f:5:8: the scope must contain the folder of the order, GB"},
    {"UK is GB", "GB", NAMED "scope: UK\n", ""},
    {"a member is not the group", "EU", NAMED "scope: FR\n",
     "f:5:8: the scope must contain the folder of the order, EU"},
    {"another group", "EEA", NAMED "scope: EU\n",
     "f:5:8: the scope must contain the folder of the order, EEA"},
    {"Norway is text", "NO", NAMED "scope: [NO]\n", ""},
};

START_TEST(judges_scopes)
{
    const struct scope_row *row = &scopes[_i];
    char said[2048];
    struct order *order = read_order(row->folder, row->yaml, said, sizeof said);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s: %s", row->label, said);
    order_unref(order);
}
END_TEST

struct folder_row {
    const char *name;
    const char *expected; /* "country", "group", or the sentence */
};

static const struct folder_row folders[] = {
    {"IT", "country"},
    {"XK", "country"},
    {"UK", "country"},
    {"EU", "group"},
    {"EEA", "group"},
    {"it", "a country is written in capitals, such as IT"},
    {"eea", "a country is written in capitals, such as IT"},
    {"US-CA", "a subdivision of a country is not supported by this build"},
    {"GB-ENG", "a subdivision of a country is not supported by this build"},
    {"ZZ", COUNTRY},
    {"A1", COUNTRY},
    {"ITA", COUNTRY},
    {"lists", COUNTRY},
    {"XX-CA", COUNTRY},
    {"", COUNTRY},
};

START_TEST(reads_folder_names)
{
    const struct folder_row *row = &folders[_i];
    struct order_folder_scope scope;
    char why[WHY_MAX] = "";
    const char *result = why;
    if (order_folder_scope_parse(row->name, &scope, why)) {
        result = scope.is_group ? "group" : "country";
    }
    ck_assert_msg(strcmp(result, row->expected) == 0, "%s: %s", row->name, result);
}
END_TEST

/* With block.action: address an order that says nothing needs addresses. */
START_TEST(takes_the_default_action)
{
    char why[WHY_MAX];
    char said[256];
    struct problem_list problems;
    struct file_bytes bytes;
    problem_list_init(&problems);
    struct guard *guard = guard_new("protected", NULL, 0, &problems);
    struct order_file_env env = {.guard = guard, .default_action = ORDER_ADDRESS, .now = NOW};
    ck_assert(order_folder_scope_parse("IT", &env.folder, why));
    ck_assert(file_bytes_copy(NAMED, strlen(NAMED), &bytes));
    ck_assert_ptr_null(order_file_parse(&env, "f", &bytes, &problems));
    join(&problems, said, sizeof said);
    ck_assert_str_eq(said, "f:1:1: the action 'address' needs the key 'addresses'");
    env.default_action = ORDER_DROP;
    struct order *order = order_file_parse(&env, "f", &bytes, &problems);
    ck_assert_ptr_nonnull(order);
    ck_assert_int_eq(order->action, ORDER_DROP);
    order_unref(order);
    file_bytes_fini(&bytes);
    problem_list_fini(&problems);
    guard_free(guard);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_file");
    TCase *tcase = tcase_create("order_file");
    tcase_add_loop_test(tcase, refuses, 0, ROWS(errors));
    tcase_add_loop_test(tcase, warns, 0, ROWS(warnings));
    tcase_add_test(tcase, reads_everything);
    tcase_add_test(tcase, reads_defaults);
    tcase_add_test(tcase, keeps_the_digest);
    tcase_add_test(tcase, excepts_protected_names_from_the_root);
    tcase_add_loop_test(tcase, judges_scopes, 0, ROWS(scopes));
    tcase_add_loop_test(tcase, reads_folder_names, 0, ROWS(folders));
    tcase_add_test(tcase, takes_the_default_action);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
