/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is said of an order file: a row for every kind of mistake, and for every warning.
 */
#pragma once

/* The required keys; what a row adds begins at line 4. */
#define BASE "id: X-1\nauthority: Court\nissued: 2022-07-11\n"
/* With a name; a row begins at line 5. */
#define NAMED BASE "names: [blocked.example]\n"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

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
    {"no such list", BASE "lists: [{file: none.txt, format: names}]\n",
     "none.txt: no such file\n"
     "f:4:16: this list cannot be used"},
    {"a list with an error", BASE "lists: [{file: bad.txt, format: names}]\n",
     "bad.txt:2:1: this is a URL; write the host name alone\n"
     "f:4:16: this list cannot be used"},
    {"a list that must not be refused",
     BASE "lists: [{file: wide.txt, format: names, on-error: fail}]\n",
     "wide.txt:2:1: github.io is a public suffix, and allow-wide does not list it\n"
     "f:4:16: this list cannot be used"},

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
