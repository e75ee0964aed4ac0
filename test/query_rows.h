/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the tests of query judge: two installations, clients in several countries, and a row for
 * each way that a query can go, with the octets of what is answered. Only check_query.c includes
 * it.
 */
#pragma once

#include "forwarder/query.h"
#include "test/generation_set.h"

/* ---- Installations and clients ---- */

#define END (NOW + 3600) /* of order N */

#define ACTION(id, action, name) ORDER(id, name) "action: " action "\n"

static const struct {
    const char *path;
    const char *yaml;
} ORDERS[] = {
    {"IT/r.yaml", ORDER("R", "refused.example")},
    {"IT/told.yaml", ORDER("TOLD", "told.example") "message: By order.\n"},
    {"IT/public.yaml",
     ORDER("PUBLIC", "public.example") "public-record: {lumen: \"12345\", other: a/b}\n"},
    {"IT/half.yaml", "id: HALF\nauthority: A\nissued: 2022-07-11\nexact: [half.example]\n"
                     "action: address\naddresses: [192.0.2.80]\n"},
    {"IT/sealed.yaml", ORDER("SEALED", "sealed.example") "disclose: no\n"},
    {"IT/n.yaml", ACTION("N", "nxdomain", "nx.example") "until: 2025-06-27T05:53:20Z\n"},
    {"IT/exact.yaml", "id: EXACT\nauthority: A\nissued: 2022-07-11\nexact: [exact.example]\n"
                      "action: nxdomain\n"},
    {"IT/d.yaml", ACTION("D", "nodata", "nodata.example")},
    {"IT/address.yaml",
     ACTION("ADDRESS", "address", "address.example") "addresses: [192.0.2.80, \"2001:db8::80\"]\n"},
    {"IT/drop.yaml", ACTION("DROP", "drop", "drop.example")},
    {"IT/shadow.yaml", ACTION("SHADOW", "shadow", "shadow.example, refused.example")},
    {"IT/except.yaml", ORDER("EXCEPT", "network.example") "except-networks: [2.47.0.0/16]\n"},
    {"DE/de.yaml", ORDER("DE", "german.example")},
    {"FR/later.yaml", ORDER("LATER", "french.example") "effective: 2025-06-27T05:53:20Z\n"},
    {"AT/ended.yaml", ORDER("ENDED", "austrian.example") "until: 2025-06-27T04:53:20Z\n"},
    {"BE/suspended.yaml", ORDER("SUSPENDED", "belgian.example") "status: suspended\n"},
};

/* Two installations: one says nothing but what it must, the other has every restriction. */
enum installation {
    PLAIN,
    STRICT
};

static const char STRICT_CONFIG[] =
    "geo: {database: country.mmdb, overrides: overrides.csv}\n"
    "resolver-arpa: nodata\nblock: {ttl: 300s, organization: Example "
    "Networks, contact: [\"tel:+390212345\", "
    "https://example.org/block]}\n"
    "allow: [2.32.0.0/12, 203.0.113.0/24]\n";

#define ITALY "2.32.0.1"
#define ITALY6 "2001:b07::1"
#define EXCEPTED "2.47.0.1" /* in Italy, by the overrides of STRICT too */
#define SAN_MARINO "2.33.7.1"
#define GERMANY "5.9.0.1"
#define FRANCE "192.0.2.1"
#define AUSTRIA "5.9.255.129"
#define BELGIUM "192.0.2.129"
#define NOWHERE "203.0.113.1"

/* ---- Messages ---- */

/* Flags, the number of additional records, and the rest. */
#define QUERY(flags, arcount) "abcd" flags "0001 0000 0000" arcount
#define ASK "0100"

#define REFUSED_NAME "07'refused'07'example'00"
#define TOLD_NAME "04'told'07'example'00"
#define SEALED_NAME "06'sealed'07'example'00"
#define PUBLIC_NAME "06'public'07'example'00"
#define HALF_NAME "04'half'07'example'00"
#define NX_NAME "02'nx'07'example'00"
#define EXACT_NAME "05'exact'07'example'00"
#define NODATA_NAME "06'nodata'07'example'00"
#define ADDRESS_NAME "07'address'07'example'00"
#define DROP_NAME "04'drop'07'example'00"
#define SHADOW_NAME "06'shadow'07'example'00"
#define NETWORK_NAME "07'network'07'example'00"
#define GERMAN_NAME "06'german'07'example'00"
#define FRENCH_NAME "06'french'07'example'00"
#define AUSTRIAN_NAME "08'austrian'07'example'00"
#define BELGIAN_NAME "07'belgian'07'example'00"
#define ANYWHERE_NAME "08'anywhere'07'example'00"
#define OTHER_NAME "05'other'07'example'00"
#define ARPA_NAME "08'resolver'04'arpa'00"
#define A "0001 0001"
#define AAAA "001c 0001"
#define MX "000f 0001"
#define DS "002b 0001"
#define DNSKEY "0030 0001"
#define SVCB "0040 0001"

#define OPT "00 0029 0200 00 00 0000 0000"
#define OPT_DO "00 0029 1000 00 00 8000 0000"
#define OPT_VERSION_1 "00 0029 04d0 00 01 0000 0000"
#define OPT_SDE "00 0029 0200 00 00 0000 0004 001a 0000"
#define OPT_EDE "00 0029 0200 00 00 0000 0006 000f 0002 0000"
#define OUR_OPT(rdlength, options) "00 0029 04d0 00 00 0000" rdlength options
#define OUR_OPT_DO(rdlength, options) "00 0029 04d0 00 00 8000" rdlength options

/* An SOA of the name at c00c or elsewhere, with this TTL. */
#define SOA(owner, ttl)                                          \
    owner "0006 0001" ttl "0026" owner "06'nobody'07'invalid'00" \
          "00000001 00000e10 000004b0 00093a80" ttl

/* A label of 63 octets. */
#define LONG_LABEL "3f'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"

#define FORWARDED(reason, retry) QUERY_FORWARD, reason, retry, NULL
#define ANSWERED(reason, octets) QUERY_ANSWER, reason, false, octets
#define DROPPED(reason) QUERY_DROP, reason, false, NULL

struct row {
    const char *label;
    const char *client;
    const char *query;
    enum query_fate fate;
    enum query_reason reason;
    bool retry;
    const char *answer;
};

#define HEADER_ONLY(flags) "abcd" flags "0000 0000 0000 0000"
#define REFUSED(question) "abcd 8185 0001 0000 0000 0000" question

static const struct row PLAIN_ROWS[] = {
    /* Scope before names: nothing of the question is looked at. */
    {"another country", SAN_MARINO, QUERY(ASK, "0000") REFUSED_NAME A,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"no country", NOWHERE, QUERY(ASK, "0000") REFUSED_NAME A, FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"an unreadable question from elsewhere", SAN_MARINO, QUERY(ASK, "0000") "c00c" A,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"two questions from elsewhere", SAN_MARINO,
     "abcd 0100 0002 0000 0000 0000" REFUSED_NAME A REFUSED_NAME A,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"two OPTs from elsewhere", SAN_MARINO, QUERY(ASK, "0002") REFUSED_NAME A OPT OPT,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"EDNS version 1 from elsewhere", SAN_MARINO, QUERY(ASK, "0001") REFUSED_NAME A OPT_VERSION_1,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"a header from elsewhere", SAN_MARINO, QUERY(ASK, "0000"),
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"no question from elsewhere", SAN_MARINO, "abcd 0100 0000 0000 0000 0000",
     FORWARDED(QUERY_NOT_IN_SCOPE, false)},
    {"UPDATE from elsewhere", SAN_MARINO, QUERY("2800", "0000") REFUSED_NAME A,
     FORWARDED(QUERY_NOT_IN_SCOPE, false)},
    {"where an order has ended", AUSTRIA, QUERY(ASK, "0000") "c00c" A,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"where an order is suspended", BELGIUM, QUERY(ASK, "0000") BELGIAN_NAME A,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"where an order is still to come: in scope", FRANCE, QUERY(ASK, "0000") "c00c" A,
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},

    /* What is no query at all. */
    {"a response", ITALY, QUERY("8180", "0000") REFUSED_NAME A, DROPPED(QUERY_MALFORMED)},
    {"a response from elsewhere", SAN_MARINO, QUERY("8180", "0000") REFUSED_NAME A,
     DROPPED(QUERY_MALFORMED)},
    {"DSO as a response", ITALY, HEADER_ONLY("b000"), DROPPED(QUERY_MALFORMED)},
    {"nothing", ITALY, "", DROPPED(QUERY_MALFORMED)},
    {"an ID", ITALY, "abcd", DROPPED(QUERY_MALFORMED)},
    {"eleven octets", ITALY, "abcd 0100 0001 0000 0000 00", DROPPED(QUERY_MALFORMED)},
    {"eleven octets from elsewhere", SAN_MARINO, "abcd 0100 0001 0000 0000 00",
     DROPPED(QUERY_MALFORMED)},

    /* Opcodes. */
    {"DSO", ITALY, HEADER_ONLY("3000"), ANSWERED(QUERY_NOTIMP, HEADER_ONLY("b084"))},
    {"DSO from elsewhere", SAN_MARINO, HEADER_ONLY("3000"),
     ANSWERED(QUERY_NOTIMP, HEADER_ONLY("b084"))},
    {"DSO with more behind it", ITALY, QUERY("3100", "0001") REFUSED_NAME A OPT,
     ANSWERED(QUERY_NOTIMP, HEADER_ONLY("b184"))},
    {"IQUERY", ITALY, QUERY("0800", "0000") REFUSED_NAME A, FORWARDED(QUERY_NO_QUESTION, false)},
    {"STATUS", ITALY, QUERY("1000", "0000") REFUSED_NAME A, FORWARDED(QUERY_NO_QUESTION, false)},
    {"NOTIFY", ITALY, QUERY("2000", "0000") REFUSED_NAME A, FORWARDED(QUERY_NO_QUESTION, false)},
    {"UPDATE", ITALY, QUERY("2800", "0000") REFUSED_NAME A, FORWARDED(QUERY_NO_QUESTION, false)},
    {"opcode 15", ITALY, QUERY("7800", "0000") REFUSED_NAME A, FORWARDED(QUERY_NO_QUESTION, false)},
    {"NOTIFY, unreadable", ITALY, QUERY("2000", "0000") "c00c" A,
     FORWARDED(QUERY_NO_QUESTION, false)},

    /* Questions. */
    {"none", ITALY, HEADER_ONLY("0100"), FORWARDED(QUERY_NO_QUESTION, false)},
    {"none, a cookie", ITALY,
     "abcd 0100 0000 0000 0000 0001 00 0029 04d0 00000000 000c 000a 0008 2464c4abcf10c957",
     FORWARDED(QUERY_NO_QUESTION, false)},
    {"two", ITALY, "abcd 0110 0002 0000 0000 0000" OTHER_NAME A REFUSED_NAME A,
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8191"))},
    {"65,535", ITALY, "abcd 0000 ffff 0000 0000 0000" OTHER_NAME A,
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8081"))},
    {"compressed", ITALY, QUERY(ASK, "0000") "07'refused' c010 07'example'00" A,
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},
    {"a label type of old", ITALY, QUERY(ASK, "0000") "41 07'example'00" A,
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},
    {"over-long", ITALY, QUERY(ASK, "0000") LONG_LABEL LONG_LABEL LONG_LABEL LONG_LABEL "01'a'00" A,
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},
    {"a cut label", ITALY, QUERY(ASK, "0000") "07'refus'",
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},
    {"a cut name", ITALY, QUERY(ASK, "0000") "07'refused'07'example'",
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},
    {"no type", ITALY, QUERY(ASK, "0000") REFUSED_NAME,
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},
    {"half a class", ITALY, QUERY(ASK, "0000") REFUSED_NAME "0001 00",
     ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},
    {"a header", ITALY, QUERY(ASK, "0000"), ANSWERED(QUERY_UNREADABLE, HEADER_ONLY("8181"))},

    /* Names that no order in force here names. */
    {"another name", ITALY, QUERY(ASK, "0000") OTHER_NAME A, FORWARDED(QUERY_NOT_LISTED, true)},
    {"another country's name", ITALY, QUERY(ASK, "0000") GERMAN_NAME A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"the name above", ITALY, QUERY(ASK, "0000") "07'example'00" A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"a name that ends alike", ITALY, QUERY(ASK, "0000") "08'xrefused'07'example'00" A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"a dot within a label", ITALY, QUERY(ASK, "0000") "0f'refused.example'00" A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"the root", ITALY, QUERY(ASK, "0000") "00" A, FORWARDED(QUERY_NOT_LISTED, true)},
    {"the longest name", ITALY,
     QUERY(ASK, "0000") LONG_LABEL LONG_LABEL LONG_LABEL
     "3d'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'00" A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"not listed, two OPTs", ITALY, QUERY(ASK, "0002") OTHER_NAME A OPT OPT,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"not listed, EDNS version 1", ITALY, QUERY(ASK, "0001") OTHER_NAME A OPT_VERSION_1,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"not listed, records cut", ITALY, QUERY(ASK, "0009") OTHER_NAME A "00 0029 04",
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"an excepted network", EXCEPTED, QUERY(ASK, "0000") NETWORK_NAME A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"an excepted network, by 6to4", "2002:22f:1::1", QUERY(ASK, "0000") NETWORK_NAME A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"not yet in force", FRANCE, QUERY(ASK, "0000") FRENCH_NAME A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"only counted", ITALY, QUERY(ASK, "0000") SHADOW_NAME A, FORWARDED(QUERY_NOT_LISTED, true)},
    {"only counted, two OPTs", ITALY, QUERY(ASK, "0002") SHADOW_NAME A OPT OPT,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"resolver.arpa is a name like others", ITALY, QUERY(ASK, "0000") "04'_dns'" ARPA_NAME SVCB,
     FORWARDED(QUERY_NOT_LISTED, true)},

    /* refused. */
    {"refused", ITALY, QUERY(ASK, "0000") REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME A))},
    {"refused over IPv6", ITALY6, QUERY(ASK, "0000") REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME A))},
    {"refused by 6to4", "2002:220:1::1", QUERY(ASK, "0000") REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME A))},
    {"refused beside an excepted network", ITALY, QUERY(ASK, "0000") NETWORK_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(NETWORK_NAME A))},
    {"refused in Germany", GERMANY, QUERY(ASK, "0000") GERMAN_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(GERMAN_NAME A))},
    {"refused below", ITALY, QUERY(ASK, "0000") "01'a'03'www'" REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED("01'a'03'www'" REFUSED_NAME A))},
    {"refused in capitals, as they came", ITALY, QUERY(ASK, "0000") "07'ReFuSed'07'EXAMPLE'00" A,
     ANSWERED(QUERY_BLOCKED, REFUSED("07'ReFuSed'07'EXAMPLE'00" A))},
    {"refused without RD", ITALY, QUERY("0000", "0000") REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, "abcd 8085 0001 0000 0000 0000" REFUSED_NAME A)},
    {"refused with CD, AD and Z", ITALY, QUERY("0170", "0000") REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, "abcd 8195 0001 0000 0000 0000" REFUSED_NAME A)},
    {"refused with AA, TC, RA and an rcode", ITALY, QUERY("078f", "0000") REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME A))},
    {"type ANY", ITALY, QUERY(ASK, "0000") REFUSED_NAME "00ff 0001",
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME "00ff 0001"))},
    {"type 0", ITALY, QUERY(ASK, "0000") REFUSED_NAME "0000 0001",
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME "0000 0001"))},
    {"a type of tomorrow", ITALY, QUERY(ASK, "0000") REFUSED_NAME "fffe 0001",
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME "fffe 0001"))},
    {"AXFR", ITALY, QUERY(ASK, "0000") REFUSED_NAME "00fc 0001",
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME "00fc 0001"))},
    {"class CHAOS", ITALY, QUERY(ASK, "0000") REFUSED_NAME "0010 0003",
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME "0010 0003"))},
    {"octets behind the message", ITALY, QUERY(ASK, "0000") REFUSED_NAME A "deadbeef",
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME A))},
    {"records cut", ITALY, QUERY(ASK, "0009") REFUSED_NAME A "00 0029 04",
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME A))},
    {"refused and only counted", ITALY, QUERY(ASK, "0000") "04'both'" REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED("04'both'" REFUSED_NAME A))},

    /* What the OPT says. */
    {"the order's own words", ITALY, QUERY(ASK, "0001") TOLD_NAME A OPT,
     ANSWERED(QUERY_BLOCKED, "abcd 8185 0001 0000 0000 0001" TOLD_NAME A OUR_OPT(
                                 "000f", "000f 000b 0010 'By order.'"))},
    {"words made of the order", ITALY, QUERY("0110", "0001") REFUSED_NAME A OPT_DO,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8195 0001 0000 0000 0001" REFUSED_NAME A OUR_OPT_DO(
                  "002f", "000f 002b 0010 'Blocked by order R of Tribunale di Milano'"))},
    {"no words of a sealed order", ITALY, QUERY(ASK, "0001") SEALED_NAME A OPT,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8185 0001 0000 0000 0001" SEALED_NAME A OUR_OPT("0006", "000f 0002 0010"))},
    {"an OPT behind other records", ITALY,
     "abcd 0100 0001 0001 0000 0001" SEALED_NAME A "c00c 0001 0001 00000000 0004 01020304" OPT,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8185 0001 0000 0000 0001" SEALED_NAME A OUR_OPT("0006", "000f 0002 0010"))},
    {"listed, two OPTs", ITALY, QUERY(ASK, "0002") REFUSED_NAME A OPT OPT,
     ANSWERED(QUERY_BAD_EDNS, "abcd 8181 0001 0000 0000 0001" REFUSED_NAME A OUR_OPT("0000", ""))},
    {"listed, EDNS version 1", ITALY, QUERY(ASK, "0001") REFUSED_NAME A OPT_VERSION_1,
     ANSWERED(QUERY_BAD_EDNS,
              "abcd 8180 0001 0000 0000 0001" REFUSED_NAME A "00 0029 04d0 01 00 0000 0000")},
    {"to be dropped, EDNS version 1", ITALY, QUERY(ASK, "0001") DROP_NAME A OPT_VERSION_1,
     ANSWERED(QUERY_BAD_EDNS,
              "abcd 8180 0001 0000 0000 0001" DROP_NAME A "00 0029 04d0 01 00 0000 0000")},

    /* The other actions. */
    {"nxdomain", ITALY, QUERY(ASK, "0000") NX_NAME A,
     ANSWERED(QUERY_BLOCKED, "abcd 8183 0001 0000 0001 0000" NX_NAME A SOA("c00c", "0000003c"))},
    {"nxdomain below", ITALY, QUERY(ASK, "0000") "03'www'" NX_NAME A,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8183 0001 0000 0001 0000 03'www'" NX_NAME A SOA("c010", "0000003c"))},
    {"nxdomain with OPT", ITALY, QUERY(ASK, "0001") NX_NAME A OPT,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8183 0001 0000 0001 0001" NX_NAME A SOA("c00c", "0000003c")
                  OUR_OPT("002f", "000f 002b 0010 'Blocked by order N of Tribunale di Milano'"))},
    {"nxdomain of a name with free names below", ITALY, QUERY(ASK, "0000") EXACT_NAME A,
     ANSWERED(QUERY_BLOCKED, "abcd 8180 0001 0000 0001 0000" EXACT_NAME A SOA("c00c", "0000003c"))},
    {"its DS", ITALY, QUERY(ASK, "0000") EXACT_NAME DS, FORWARDED(QUERY_NOT_LISTED, true)},
    {"its DNSKEY", ITALY, QUERY(ASK, "0000") EXACT_NAME DNSKEY, FORWARDED(QUERY_NOT_LISTED, true)},
    {"the free name below", ITALY, QUERY(ASK, "0000") "04'free'" EXACT_NAME A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"DS of a name with nothing free", ITALY, QUERY(ASK, "0000") NX_NAME DS,
     ANSWERED(QUERY_BLOCKED, "abcd 8183 0001 0000 0001 0000" NX_NAME DS SOA("c00c", "0000003c"))},
    {"nodata", ITALY, QUERY(ASK, "0000") NODATA_NAME A,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8180 0001 0000 0001 0000" NODATA_NAME A SOA("c00c", "0000003c"))},
    {"address, A", ITALY, QUERY(ASK, "0001") "03'www'" ADDRESS_NAME A OPT,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8180 0001 0001 0000 0001 03'www'" ADDRESS_NAME A
              "c00c 0001 0001 0000003c 0004 c0000250" OUR_OPT(
                  "0035", "000f 0031 0004 'Blocked by order ADDRESS of Tribunale di Milano'"))},
    {"address, AAAA", ITALY, QUERY(ASK, "0000") ADDRESS_NAME AAAA,
     ANSWERED(QUERY_BLOCKED, "abcd 8180 0001 0001 0000 0000" ADDRESS_NAME AAAA
                             "c00c 001c 0001 0000003c 0010 20010db8000000000000000000000080")},
    {"address, another type", ITALY, QUERY(ASK, "0000") ADDRESS_NAME MX,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8180 0001 0000 0001 0000" ADDRESS_NAME MX SOA("c00c", "0000003c"))},
    {"address, class CHAOS", ITALY, QUERY(ASK, "0000") ADDRESS_NAME "0001 0003",
     ANSWERED(QUERY_BLOCKED, "abcd 8180 0001 0000 0001 0000" ADDRESS_NAME
                             "0001 0003 c00c 0006 0003 0000003c 0026 c00c 06'nobody'07'invalid'00"
                             "00000001 00000e10 000004b0 00093a80 0000003c")},
    {"address, class ANY", ITALY, QUERY(ASK, "0000") ADDRESS_NAME "0001 00ff",
     ANSWERED(QUERY_BLOCKED, "abcd 8180 0001 0001 0000 0000" ADDRESS_NAME
                             "0001 00ff c00c 0001 0001 0000003c 0004 c0000250")},
    {"address, type ANY", ITALY, QUERY(ASK, "0000") ADDRESS_NAME "00ff 0001",
     ANSWERED(QUERY_BLOCKED,
              "abcd 8180 0001 0000 0001 0000" ADDRESS_NAME "00ff 0001" SOA("c00c", "0000003c"))},

    /* Structured errors, for who asks. */
    {"structured", ITALY, QUERY(ASK, "0001") REFUSED_NAME A OPT_SDE,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8185 0001 0000 0000 0001" REFUSED_NAME A OUR_OPT(
                  "0040", "000f 003c 0010 "
                          "'{\"j\":\"Blocked by order R of Tribunale di Milano\",\"l\":\"en\"}'"))},
    {"structured, asked as drafts had it", ITALY, QUERY(ASK, "0001") TOLD_NAME A OPT_EDE,
     ANSWERED(QUERY_BLOCKED, "abcd 8185 0001 0000 0000 0001" TOLD_NAME A OUR_OPT(
                                 "0021", "000f 001d 0010 '{\"j\":\"By order.\",\"l\":\"und\"}'"))},
    {"structured, a sealed order", ITALY, QUERY(ASK, "0001") SEALED_NAME A OPT_SDE,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8185 0001 0000 0000 0001" SEALED_NAME A OUR_OPT("0006", "000f 0002 0010"))},
    {"structured, on public record", ITALY, QUERY(ASK, "0001") PUBLIC_NAME A OPT_SDE,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8185 0001 0000 0000 0001" PUBLIC_NAME A OUR_OPT(
                  "0084", "000f 0080 0010 "
                          "'{\"j\":\"Blocked by order PUBLIC of Tribunale di Milano\",\"l\":\"en\","
                          "\"fdbs\":[{\"db\":\"lumen\",\"id\":\"12345\"},{\"db\":\"other\",\"id\":"
                          "\"a/b\"}]}'"))},
    {"structured: nothing is forged", ITALY, QUERY(ASK, "0001") "03'www'" ADDRESS_NAME A OPT_SDE,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8183 0001 0000 0001 0001 03'www'" ADDRESS_NAME A SOA("c010", "0000003c")
                  OUR_OPT("0046",
                          "000f 0042 0010 '{\"j\":\"Blocked by order ADDRESS of Tribunale di "
                          "Milano\",\"l\":\"en\"}'"))},
    {"structured: not NXDOMAIN where names below are free", ITALY,
     QUERY(ASK, "0001") HALF_NAME A OPT_EDE,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8180 0001 0000 0001 0001" HALF_NAME A SOA("c00c", "0000003c") OUR_OPT(
                  "0031", "000f 002d 0010 '{\"j\":\"Blocked by order HALF of A\",\"l\":\"en\"}'"))},
    {"structured, two OPTs", ITALY, QUERY(ASK, "0002") REFUSED_NAME A OPT_SDE OPT_SDE,
     ANSWERED(QUERY_BAD_EDNS, "abcd 8181 0001 0000 0000 0001" REFUSED_NAME A OUR_OPT("0000", ""))},
    {"structured, not listed", ITALY, QUERY(ASK, "0001") OTHER_NAME A OPT_SDE,
     FORWARDED(QUERY_NOT_LISTED, true)},

    {"drop", ITALY, QUERY(ASK, "0000") DROP_NAME A, DROPPED(QUERY_BLOCKED)},
    {"drop below, with OPT", ITALY, QUERY(ASK, "0001") "03'www'" DROP_NAME A OPT,
     DROPPED(QUERY_BLOCKED)},
};

static const struct row STRICT_ROWS[] = {
    /* Who is not served. */
    {"not served", GERMANY, QUERY(ASK, "0000") GERMAN_NAME A,
     ANSWERED(QUERY_NOT_SERVED, REFUSED(GERMAN_NAME A))},
    {"not served, with OPT: no EDE", GERMANY, QUERY(ASK, "0001") GERMAN_NAME A OPT,
     ANSWERED(QUERY_NOT_SERVED, "abcd 8185 0001 0000 0000 0001" GERMAN_NAME A OUR_OPT("0000", ""))},
    {"not served, unreadable", GERMANY, QUERY(ASK, "0000") "c00c" A,
     ANSWERED(QUERY_NOT_SERVED, HEADER_ONLY("8185"))},
    {"not served, no question", GERMANY, HEADER_ONLY("0100"),
     ANSWERED(QUERY_NOT_SERVED, HEADER_ONLY("8185"))},
    {"not served, UPDATE", GERMANY, QUERY("2800", "0000") GERMAN_NAME A,
     ANSWERED(QUERY_NOT_SERVED, "abcd a885 0001 0000 0000 0000" GERMAN_NAME A)},
    {"not served, a response", GERMANY, QUERY("8180", "0000") GERMAN_NAME A,
     DROPPED(QUERY_MALFORMED)},
    {"not served, eleven octets", GERMANY, "abcd 0100 0001 0000 0000 00", DROPPED(QUERY_MALFORMED)},
    {"served, DSO", ITALY, HEADER_ONLY("3000"), ANSWERED(QUERY_NOTIMP, HEADER_ONLY("b084"))},
    {"served, of another country", SAN_MARINO, QUERY(ASK, "0000") REFUSED_NAME A,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},
    {"served and refused", ITALY, QUERY(ASK, "0000") REFUSED_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(REFUSED_NAME A))},
    {"block.ttl", ITALY, QUERY(ASK, "0000") NODATA_NAME A,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8180 0001 0000 0001 0000" NODATA_NAME A SOA("c00c", "0000012c"))},

    {"structured, with contacts and organization", ITALY, QUERY(ASK, "0001") REFUSED_NAME A OPT_SDE,
     ANSWERED(QUERY_BLOCKED,
              "abcd 8185 0001 0000 0000 0001" REFUSED_NAME A OUR_OPT(
                  "008a", "000f 0086 0010 "
                          "'{\"c\":[\"tel:+390212345\",\"https://example.org/block\"],"
                          "\"j\":\"Blocked by order R of Tribunale di Milano\","
                          "\"o\":\"Example Networks\",\"l\":\"en\"}'"))},

    /* include-unknown. */
    {"no country, bound", NOWHERE, QUERY(ASK, "0000") ANYWHERE_NAME A,
     ANSWERED(QUERY_BLOCKED, REFUSED(ANYWHERE_NAME A))},
    {"no country, another order's name", NOWHERE, QUERY(ASK, "0000") REFUSED_NAME A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"another country is not no country", SAN_MARINO, QUERY(ASK, "0000") ANYWHERE_NAME A,
     FORWARDED(QUERY_NOT_IN_SCOPE, true)},

    /* resolver-arpa: nodata. */
    {"designated resolvers", ITALY, QUERY(ASK, "0000") "04'_dns'" ARPA_NAME SVCB,
     ANSWERED(QUERY_DESIGNATED,
              "abcd 8180 0001 0000 0001 0000 04'_dns'" ARPA_NAME SVCB SOA("c011", "0000012c"))},
    {"designated resolvers, with OPT: no EDE", ITALY,
     QUERY(ASK, "0001") "04'_dns'" ARPA_NAME SVCB OPT,
     ANSWERED(QUERY_DESIGNATED, "abcd 8180 0001 0000 0001 0001 04'_dns'" ARPA_NAME SVCB SOA(
                                    "c011", "0000012c") OUR_OPT("0000", ""))},
    {"resolver.arpa itself, in capitals", ITALY, QUERY(ASK, "0000") "08'RESOLVER'04'ARPA'00" A,
     ANSWERED(QUERY_DESIGNATED,
              "abcd 8180 0001 0000 0001 0000 08'RESOLVER'04'ARPA'00" A SOA("c00c", "0000012c"))},
    {"not resolver.arpa", ITALY, QUERY(ASK, "0000") "09'xresolver'04'arpa'00" A,
     FORWARDED(QUERY_NOT_LISTED, true)},
    {"designated resolvers, from elsewhere", SAN_MARINO,
     QUERY(ASK, "0000") "04'_dns'" ARPA_NAME SVCB, FORWARDED(QUERY_NOT_IN_SCOPE, true)},
};

/* The same query as time goes by. */
static const struct {
    struct row row;
    int64_t now;
} TIMES[] = {
    {{"long before the end", ITALY, QUERY(ASK, "0000") NX_NAME A,
      ANSWERED(QUERY_BLOCKED, "abcd 8183 0001 0000 0001 0000" NX_NAME A SOA("c00c", "0000003c"))},
     END - 61},
    {{"block.ttl before the end", ITALY, QUERY(ASK, "0000") NX_NAME A,
      ANSWERED(QUERY_BLOCKED, "abcd 8183 0001 0000 0001 0000" NX_NAME A SOA("c00c", "0000003c"))},
     END - 60},
    {{"59 seconds before the end", ITALY, QUERY(ASK, "0000") NX_NAME A,
      ANSWERED(QUERY_BLOCKED, "abcd 8183 0001 0000 0001 0000" NX_NAME A SOA("c00c", "0000003b"))},
     END - 59},
    {{"the last second", ITALY, QUERY(ASK, "0000") NX_NAME A,
      ANSWERED(QUERY_BLOCKED, "abcd 8183 0001 0000 0001 0000" NX_NAME A SOA("c00c", "00000001"))},
     END - 1},
    {{"the end", ITALY, QUERY(ASK, "0000") NX_NAME A, FORWARDED(QUERY_NOT_LISTED, true)}, END},
    {{"an order for good", ITALY, QUERY(ASK, "0000") NODATA_NAME A,
      ANSWERED(QUERY_BLOCKED,
               "abcd 8180 0001 0000 0001 0000" NODATA_NAME A SOA("c00c", "0000003c"))},
     INT64_C(4102444800)},
    {{"a second before it is in force", FRANCE, QUERY(ASK, "0000") FRENCH_NAME A,
      FORWARDED(QUERY_NOT_LISTED, true)},
     END - 1},
    {{"once in force", FRANCE, QUERY(ASK, "0000") FRENCH_NAME A,
      ANSWERED(QUERY_BLOCKED, REFUSED(FRENCH_NAME A))},
     END},
};
