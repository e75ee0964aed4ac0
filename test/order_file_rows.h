/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What is said of an order file: a row for every kind of mistake, and for every warning.
 */
#pragma once

/* The required keys; what a row adds begins at line 4. */
#define BASE "id: X-1\nauthority: Court\nissued: 2022-07-11\n"
/* With a name; a row begins at line 5. */
#define NAMED BASE "names: [blocked.example]\n"

/* With a name and a time zone; a row begins at line 6. */
#define ROME NAMED "timezone: Europe/Rome\n"
/* In force in 2030 alone; the row stands at line 4. */
#define DATED(row) BASE row "timezone: UTC\neffective: 2030-01-01\nuntil: 2030-12-31\n"

#define TWENTY(text) TEN_TIMES(text) TEN_TIMES(text)
#define TEN_TIMES(text) text text text text text text text text text text
#define COVERED(line) "warning: f:" #line ":3: b.a.example is covered by a.example of this order\n"

#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

struct said_row {
    const char *label;
    const char *yaml;
    const char *expected; /* problems joined by newlines */
};

#define DATE_OR_TIME \
    "expected a date such as 2022-07-11 or a time such as 2022-07-11T00:00:00Z (RFC 3339), not "
#define COUNTRY                                                                                 \
    "expected a country of ISO 3166-1 in capitals, such as IT, or EU or EEA, or a subdivision " \
    "of ISO 3166-2, such as US-CA"
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
    {"unknown key", NAMED "efective: 2022-07-11\n",
     "f:5:1: an order has no key 'efective'; expected those of bailiwick-orders(5)"},
    {"key in capitals", NAMED "Title: x\n",
     "f:5:1: an order has no key 'Title'; expected those of bailiwick-orders(5)"},
    {"everything missing", "{title: x}",
     "f:1:1: the key 'id' is missing\n"
     "f:1:1: the key 'authority' is missing\n"
     "f:1:1: the key 'issued' is missing\n"
     "f:1:1: this order blocks nothing: expected names, exact, any-tld, lists or "
     "answers"},
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
    {"message a list", NAMED "message: [Blocked]\n", "f:5:10: expected text, not a list"},
    {"messages of no language", NAMED "message: {}\n",
     "f:5:10: expected a text in 1 to 200 languages, not 0"},
    {"messages", NAMED "message: {it: Bloccato, it_IT: x, fr: '', de: [a]}\n",
     "f:5:25: expected a language such as it or pt-BR (RFC 5646), not 'it_IT'\n"
     "f:5:39: expected text, found none\n"
     "f:5:47: expected text, not a list"},
    {"messages in one language", NAMED "message: {pt-BR: x, PT-br: y}\n",
     "f:5:21: 'PT-br' is given twice"},
    {"a message of one language too long",
     NAMED "message: {en: x, it: " FIFTY FIFTY FIFTY FIFTY "x}\n",
     "f:5:22: this text has 201 octets, expected at most 200"},
    {"disclose", NAMED "disclose: maybe\n", "f:5:11: expected yes or no, not 'maybe'"},
    {"disclose a list", NAMED "disclose: [yes]\n", "f:5:11: expected yes or no, not a list"},
    {"disclose nothing", NAMED "disclose:\n", "f:5:10: expected yes or no, not ''"},
    {"public-record a text", NAMED "public-record: lumen\n",
     "f:5:16: expected a mapping, not 'lumen'"},
    {"public-record values", NAMED "public-record: {lumen: [1], x: ''}\n",
     "f:5:24: expected text, not a list\nf:5:32: expected text, found none"},
    {"history a text", NAMED "history: long\n", "f:5:10: expected a list, not 'long'"},
    {"history of texts", NAMED "history: [lifted]\n", "f:5:11: expected a mapping, not 'lifted'"},
    {"history without keys", NAMED "history: [{}]\n",
     "f:5:11: the key 'at' of this entry is missing\n"
     "f:5:11: the key 'by' of this entry is missing\n"
     "f:5:11: the key 'what' of this entry is missing"},
    {"history malformed", NAMED "history: [{at: 2022-07-11, by: [x], what: '', reason: {}}]\n",
     "f:5:16: expected a time such as 2022-07-11T00:00:00Z (RFC 3339), not '2022-07-11'\n"
     "f:5:32: expected text, not a list\n"
     "f:5:43: expected text, found none\n"
     "f:5:55: expected text, not a mapping"},
    {"history with an unknown key",
     NAMED "history: [{at: '2022-07-11T00:00:00Z', by: x, what: y, why: z}]\n",
     "f:5:56: an entry has no key 'why': expected at, by, what or reason"},

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
    {"scope a subdivision of no country", NAMED "scope: [IT, XX-CA]\n",
     "f:5:13: 'XX-CA': " COUNTRY},
    {"scope a subdivision in small letters", NAMED "scope: [IT, US-ca]\n",
     "f:5:13: 'US-ca': " COUNTRY},
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
     "f:5:9: expected refused, nxdomain, nodata, address, cname, drop or shadow, not 'deny'"},
    {"action a list", NAMED "action: [refused]\n",
     "f:5:9: expected refused, nxdomain, nodata, address, cname, drop or shadow, not a list"},
    {"action unknown, with addresses", NAMED "action: redirect\naddresses: [192.0.2.1]\n",
     "f:5:9: expected refused, nxdomain, nodata, address, cname, drop or shadow, not 'redirect'"},
    {"cname without target", NAMED "action: cname\n",
     "f:5:9: the action 'cname' needs the key 'target'"},
    {"target without cname", NAMED "target: x.example\n",
     "f:5:9: the key 'target' goes with the action 'cname', not with 'refused'"},
    {"target with address", NAMED "action: address\naddresses: [192.0.2.1]\ntarget: x.example\n",
     "f:7:9: the key 'target' goes with the action 'cname', not with 'address'"},
    {"target malformed", NAMED "action: cname\ntarget: http://x.example\n",
     "f:6:9: 'http://x.example': this is a URL; write the host name alone"},
    {"target a list", NAMED "action: cname\ntarget: [x.example]\n",
     "f:6:9: expected text, not a list"},
    {"target the root", NAMED "action: cname\ntarget: .\n",
     "f:6:9: expected a name that has addresses, not the root"},
    {"target blocked", NAMED "action: cname\ntarget: blocked.example\n",
     "f:6:9: the order blocks its own target blocked.example"},
    {"target below what is blocked", NAMED "action: cname\ntarget: a.b.Blocked.example.\n",
     "f:6:9: the order blocks its own target a.b.blocked.example"},
    {"target an exact name", NAMED "action: cname\ntarget: x.example\nexact: [x.example]\n",
     "f:6:9: the order blocks its own target x.example"},
    {"target within a list",
     BASE "action: cname\ntarget: x.listed.example\nlists: [{file: good.txt, format: names}]\n",
     "f:5:9: the order blocks its own target x.listed.example"},
    {"target with the label of any-tld",
     BASE "action: cname\ntarget: www.pirate.co.uk\nany-tld: [pirate]\n",
     "f:5:9: the order blocks its own target www.pirate.co.uk"},
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
     "f:5:12: the key 'addresses' goes with the action 'address', not with 'refused'"},

    /* names */
    {"no names", BASE "except: [a.example]\n",
     "f:1:1: this order blocks nothing: expected names, exact, any-tld, lists or "
     "answers"},
    {"empty names", BASE "names: []\nexact: []\nlists: []\n",
     "f:1:1: this order blocks nothing: expected names, exact, any-tld, lists or "
     "answers"},
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
    {"a mapping without name", BASE "names: [{ticket: 1}]\n",
     "f:4:9: the key 'name' of this item is missing"},
    {"an item with an unknown key", NAMED "except: [{name: a.example, effektive: x}]\n",
     "f:5:28: an item has no key 'effektive': expected name, effective, until or ticket"},
    {"an item malformed", BASE "exact: [{name: a..b, until: soon, ticket: ''}]\n",
     "f:4:16: 'a..b': there is an empty label\n"
     "f:4:29: " DATE_OR_TIME "'soon'\n"
     "f:4:43: expected text, found none"},
    {"a ticket too long", BASE "names: [{name: a.example, ticket: " FIFTY FIFTY "x}]\n",
     "f:4:35: this text has 101 octets, expected at most 100"},
    {"an item without timezone", BASE "names: [{name: a.example, until: 2032-08-10}]\n",
     "f:4:34: a bare date needs the key 'timezone' in the order"},
    {"an item that is refused", BASE "names: [{ticket: '1', name: com}]\n",
     "f:4:29: com is a top-level domain, and allow-wide does not list it"},
    {"an item before its order", DATED("names: [{name: a.example, effective: 2029-12-31}]\n"),
     "f:4:38: the item would begin before its order"},
    {"an item after its order", DATED("names: [{name: a.example, effective: 2031-01-01}]\n"),
     "f:4:38: the item would begin after its order has ended"},
    {"an item that ends too early", DATED("names: [{name: a.example, until: 2029-12-31}]\n"),
     "f:4:34: the item would end before its order begins"},
    {"an item that ends too late", DATED("names: [{name: a.example, until: 2031-01-01}]\n"),
     "f:4:34: the item would end after its order"},
    {"an item backwards",
     DATED("names: [{name: a.example, effective: 2030-06-02, until: 2030-06-01}]\n"),
     "f:4:57: the item would end before it begins"},
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
    {"allow-wide no network", NAMED "allow-wide: [10.0.0.1/8]\n",
     "f:5:14: \"10.0.0.1/8\" has bits set behind its prefix length; the network is 10.0.0.0/8"},

    /* labels under any suffix */
    {"any-tld a text", BASE "any-tld: pirate\n", "f:4:10: expected a list, not 'pirate'"},
    {"any-tld empty", BASE "any-tld: []\n",
     "f:1:1: this order blocks nothing: expected names, exact, any-tld, lists or answers"},
    {"any-tld", BASE "any-tld: [pirate.example, ., '', {name: x}]\n",
     "f:4:11: expected one label, such as 'example' of example.com, not 'pirate.example'\n"
     "f:4:27: expected one label, such as 'example' of example.com, not '.'\n"
     "f:4:30: '': a name is expected, and there is none\n"
     "f:4:34: expected text, not a mapping"},
    {"any-tld of suffixes", BASE "any-tld: [com, co, \xd1\x80\xd1\x84]\n",
     "f:4:11: com is a top-level domain, and allow-wide does not list it\n"
     "f:4:16: co is a top-level domain, and allow-wide does not list it\n"
     "f:4:20: '\xd1\x80\xd1\x84' reads as xn--p1ai: xn--p1ai is a top-level domain, and "
     "allow-wide does not list it"},
    {"any-tld of a second-level suffix", BASE "any-tld: [gob]\n",
     "f:4:11: gob is a public suffix under ar, and allow-wide does not list it"},

    /* answers */
    {"answers a text", BASE "answers: 203.0.113.7\n", "f:4:10: expected a list, not '203.0.113.7'"},
    {"answers empty", BASE "answers: []\n",
     "f:1:1: this order blocks nothing: expected names, exact, any-tld, lists or answers"},
    {"answers", BASE "answers: [203.0.113.7/24, a.example, [x]]\n",
     "f:4:11: \"203.0.113.7/24\" has bits set behind its prefix length; the network is "
     "203.0.113.0/24\n"
     "f:4:27: \"a.example\" is not an IPv4 or IPv6 address or network\n"
     "f:4:38: expected text, not a list"},
    {"wide answers",
     BASE "answers: [203.0.112.0/23, '2001:db8::/47']\nallow-wide: [203.0.0.0/16]\n",
     "f:4:11: 203.0.112.0/23 is wider than /24, and allow-wide does not list it\n"
     "f:4:27: 2001:db8::/47 is wider than /48, and allow-wide does not list it"},
    {"protected answers",
     BASE "answers: [192.0.2.0/24, 192.0.2.53, 192.0.0.0/16]\nallow-wide: [192.0.0.0/16]\n",
     "f:4:11: 192.0.2.0/24 holds the protected network 192.0.2.53/32\n"
     "f:4:25: 192.0.2.53/32 is the protected network 192.0.2.53/32\n"
     "f:4:37: 192.0.0.0/16 holds the protected network 192.0.2.53/32"},

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
     "f:4:34: expected the format names, hosts or rpz, not 'adblock'"},
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

    /* aliases and windows */
    {"aliases malformed", NAMED "aliases: all\n", "f:5:10: expected yes or no, not 'all'"},
    {"windows without timezone", NAMED "windows: [{from: '18:00', to: '23:30'}]\n",
     "f:5:10: windows need the key 'timezone' in the order"},
    {"windows a mapping", ROME "windows: {from: '18:00', to: '23:30'}\n",
     "f:6:10: expected a list, not a mapping"},
    {"no windows", ROME "windows: []\n", "f:6:10: expected 1 to 64 windows, not 0"},
    {"a window without hours", ROME "windows: [{days: [mon]}]\n",
     "f:6:11: the key 'from' of this window is missing\n"
     "f:6:11: the key 'to' of this window is missing"},
    {"a window with an unknown key", ROME "windows: [{day: mon, from: 18:00, to: 23:30}]\n",
     "f:6:12: a window has no key 'day': expected days, from or to"},
    {"days", ROME "windows: [{days: [sat, Sun, sat, [mon]], from: 18:00, to: 23:30}]\n",
     "f:6:24: expected mon, tue, wed, thu, fri, sat or sun, not 'Sun'\n"
     "f:6:29: 'sat' is given twice\n"
     "f:6:34: expected mon, tue, wed, thu, fri, sat or sun, not a list"},
    {"no days", ROME "windows: [{days: [], from: 18:00, to: 23:30}]\n",
     "f:6:18: expected at least one day; without the key every day counts"},
    {"days a text", ROME "windows: [{days: sat, from: 18:00, to: 23:30}]\n",
     "f:6:18: expected a list, not 'sat'"},
    {"hours", ROME "windows: [{from: 24:00, to: 24:01}, {from: 6pm, to: 7:00}]\n",
     "f:6:18: expected a time of day from 00:00 to 23:59, such as 18:00, not '24:00'\n"
     "f:6:29: expected a time of day from 00:00 to 24:00, such as 18:00, not '24:01'\n"
     "f:6:44: expected a time of day from 00:00 to 23:59, such as 18:00, not '6pm'\n"
     "f:6:53: expected a time of day from 00:00 to 24:00, such as 18:00, not '7:00'"},
    {"odd hours", ROME "windows: [{from: 18:60, to: [x]}, {from: 18-00, to: '1 :00'}]\n",
     "f:6:18: expected a time of day from 00:00 to 23:59, such as 18:00, not '18:60'\n"
     "f:6:29: expected a time of day from 00:00 to 24:00, such as 18:00, not a list\n"
     "f:6:42: expected a time of day from 00:00 to 23:59, such as 18:00, not '18-00'\n"
     "f:6:53: expected a time of day from 00:00 to 24:00, such as 18:00, not '1 :00'"},
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

    /* items */
    {"items that have ended",
     BASE "names: [a.example, {name: b.example, until: '2025-12-31T00:00:00Z'}]\n"
          "except: [{name: c.a.example, until: '2026-01-01T00:00:00Z'}]\n",
     "warning: f:4:27: the item b.example ended at 2025-12-31T00:00:00Z\n"
     "warning: f:5:17: the item c.a.example ended at 2026-01-01T00:00:00Z"},
    {"an item that ends", BASE "names: [{name: b.example, until: '2026-01-01T00:00:01Z'}]\n", ""},
    {"items of an ended order",
     NAMED "until: 2025-12-31T00:00:00Z\n"
           "exact: [{name: x.example, until: '2025-12-30T00:00:00Z'}]\n",
     "warning: f:5:8: the order ended at 2025-12-31T00:00:00Z and binds nobody any more"},
    {"items of a suspended order",
     NAMED "status: suspended\nexact: [{name: x.example, until: '2025-12-30T00:00:00Z'}]\n", ""},

    /* names that others cover */
    {"a name twice", NAMED "exact: [a.example, A.example.]\n",
     "warning: f:5:20: a.example is given twice, first at line 5"},
    {"names within names",
     BASE "names: [a.example, b.a.example, c.b.a.example]\nexact: [a.example]\n",
     "warning: f:4:20: b.a.example is covered by a.example of this order\n"
     "warning: f:4:33: c.b.a.example is covered by a.example of this order\n"
     "warning: f:5:9: a.example is covered by a.example of this order"},
    {"a wider name behind", BASE "names: [b.a.example, a.example]\n",
     "warning: f:4:9: b.a.example is covered by a.example of this order"},
    {"an exact name covers nothing", NAMED "exact: [a.example, b.a.example]\n", ""},
    {"a name for a time covers none for good",
     BASE "names: [b.a.example, {name: a.example, until: '2030-01-01T00:00:00Z'}]\n", ""},
    {"a name for good covers one for a time",
     BASE "names: [{name: b.a.example, until: '2030-01-01T00:00:00Z'}, a.example]\n",
     "warning: f:4:16: b.a.example is covered by a.example of this order"},
    {"a name in two times",
     BASE "names:\n- {name: a.example, until: '2030-01-01T00:00:00Z'}\n"
          "- {name: a.example, effective: '2031-01-01T00:00:00Z'}\n",
     ""},
    {"a name twice in one time",
     BASE "names:\n- {name: a.example, until: '2030-01-01T00:00:00Z'}\n"
          "- {name: a.example, until: '2030-01-01T01:00:00+01:00'}\n",
     "warning: f:6:10: a.example is given twice, first at line 5"},
    {"very many names that others cover",
     BASE "names:\n- a.example\n" TWENTY("- b.a.example\n") "- c.a.example\n- d.a.example\n",
     COVERED(6) COVERED(7) COVERED(8) COVERED(9) COVERED(10) COVERED(11) COVERED(12) COVERED(13)
         COVERED(14) COVERED(15) COVERED(16) COVERED(17) COVERED(18) COVERED(19) COVERED(20)
             COVERED(21) COVERED(22) COVERED(23) COVERED(24)
                 COVERED(25) "warning: f:1:1: 2 more items are covered by others of this order"},

    /* exceptions */
    {"an exception of nothing", NAMED "except: [a.example, example.com, d.blocked.example]\n",
     "warning: f:5:10: the exception a.example can never match: the order blocks nothing at it, "
     "above it or below it\n"
     "warning: f:5:21: the exception example.com can never match: the order blocks nothing at it, "
     "above it or below it"},
    {"an exception above a name", NAMED "except: [example]\n",
     "warning: f:4:9: blocked.example is never blocked: the exception example of this order covers "
     "it"},
    {"an exception for a time", NAMED "except: [{name: example, until: '2030-01-01T00:00:00Z'}]\n",
     ""},
    {"exceptions within an exception",
     NAMED "except: [b.blocked.example, a.b.blocked.example, b.blocked.example]\n",
     "warning: f:5:29: a.b.blocked.example is covered by b.blocked.example of this order\n"
     "warning: f:5:50: b.blocked.example is given twice, first at line 5"},
    {"exceptions of a list",
     BASE "lists: [{file: marks.txt, format: names}]\n"
          "except: [a.listed.example, exact.example, below.exact.example, example]\n",
     "warning: f:5:10: a.listed.example is covered by example of this order\n"
     "warning: f:5:28: exact.example is covered by example of this order\n"
     "warning: f:5:43: below.exact.example is covered by example of this order\n"
     "warning: f:5:43: the exception below.exact.example can never match: the order blocks nothing "
     "at it, above it or below it"},
    {"an exception that a list gives no meaning",
     BASE "lists: [{file: marks.txt, format: names}]\nexcept: [below.exact.example]\n",
     "warning: f:5:10: the exception below.exact.example can never match: the order blocks nothing "
     "at it, above it or below it"},
    {"any exception may match an answer", NAMED "answers: [203.0.113.7]\nexcept: [a.example]\n",
     ""},
    {"any exception may match a label", NAMED "any-tld: [pirate]\nexcept: [a.example]\n", ""},
    {"any exception may match an alias", NAMED "aliases: yes\nexcept: [a.example]\n", ""},

    /* labels and answers */
    {"a label twice", BASE "any-tld: [pirate, Pirate, b\xc3\xbc, xn--b-eha]\n",
     "warning: f:4:19: 'Pirate' is given twice\nwarning: f:4:31: 'xn--b-eha' is given twice"},
    {"a label that allow-wide lists", BASE "any-tld: [gob]\nallow-wide: [gob]\n", ""},
    {"an answer twice", BASE "answers: [203.0.113.7, 203.0.113.7/32, 203.0.113.0/24]\n",
     "warning: f:4:10: 1 of these networks are given twice"},
    {"answers of nobody",
     BASE "answers: [127.0.0.1, 10.1.2.0/24, '::', fe80::1, 0.0.0.0, 203.0.113.7]\n",
     "warning: f:4:11: 127.0.0.1/32 has loopback addresses (RFC 1122), which names of anybody may "
     "have\n"
     "warning: f:4:22: 10.1.2.0/24 has private addresses (RFC 1918), which names of anybody may "
     "have\n"
     "warning: f:4:35: ::/128 has the unspecified address (RFC 4291), which names of anybody may "
     "have\n"
     "warning: f:4:41: fe80::1/128 has link-local addresses (RFC 4291), which names of anybody may "
     "have\n"
     "warning: f:4:50: 0.0.0.0/32 has addresses of no host (RFC 1122), which names of anybody may "
     "have"},
    {"wide answers that are allowed",
     BASE "answers: [203.0.112.0/23]\nallow-wide: [203.0.112.0/23]\n", ""},
    {"wide answers around private ones", BASE "answers: [172.0.0.0/8]\nallow-wide: [172.0.0.0/8]\n",
     "warning: f:4:11: 172.0.0.0/8 has private addresses (RFC 1918), which names of anybody may "
     "have"},
    {"a target that is excepted",
     NAMED "action: cname\ntarget: page.blocked.example\nexcept: [page.blocked.example]\n", ""},

    /* where nxdomain becomes nodata */
    {"nxdomain", NAMED "action: nxdomain\n", ""},
    {"nxdomain, exact", NAMED "action: nxdomain\nexact: [a.blocked.example, just.example]\n",
     "warning: f:6:9: a.blocked.example is covered by blocked.example of this order\n"
     "warning: f:6:8: nxdomain becomes nodata at just.example (to name one): names below it stay "
     "free"},
    {"nxdomain, exact within names", NAMED "action: nxdomain\nexact: [a.blocked.example]\n",
     "warning: f:6:9: a.blocked.example is covered by blocked.example of this order"},
    {"nxdomain, exact within a list",
     BASE "action: nxdomain\nexact: [a.listed.example]\nlists: [{file: good.txt, format: names}]\n",
     ""},
    {"refused, exact", NAMED "exact: [just.example]\n", ""},
    {"nxdomain, except", NAMED "action: nxdomain\nexcept: [a.b.example, fine.blocked.example]\n",
     "warning: f:6:10: the exception a.b.example can never match: the order blocks nothing at it, "
     "above it or below it\n"
     "warning: f:6:9: nxdomain becomes nodata above fine.blocked.example (to name one), which "
     "stays "
     "free"},
    {"nxdomain, except a blocked name", NAMED "action: nxdomain\nexcept: [blocked.example]\n",
     "warning: f:4:9: blocked.example is never blocked: the exception blocked.example of this "
     "order "
     "covers it"},
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
