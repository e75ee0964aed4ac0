/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/list_rpz: triggers and rules of response policy zones, and each way a zone can be wrong.
 */
#include "test/list_read.h"

#include "test/suite.h"

#define SOA "rpz.test. 60 IN SOA ns.test. root.test. 1 2 3 4 5\n" /* line 1 of every list below */
#define CONFLICT                                                                              \
    " has different rules in two places of the zone; expected one, its records next to each " \
    "other\n"
#define ADDRESS                                                                                   \
    "expected a prefix length and the parts of an address in reverse, as in 24.0.2.0.192.rpz-ip " \
    "or 48.zz.db8.2001.rpz-ip\n"
#define NUMBERS "expected four numbers from 0 to 255, the last one first\n"
#define WORDS                                                                                  \
    "expected eight hexadecimal words, the last one first, or fewer and one zz for the zeros " \
    "between them\n"

#define BYTES(literal) literal, sizeof(literal) - 1

static const struct {
    const char *label;
    const char *bytes;
    size_t size;
    const char *expected;
    size_t count;
    const char *told;
    const char *wide[2];
} good[] = {
    {"each action",
     BYTES("$ORIGIN rpz.test.\n@ SOA a. b. 1 2 3 4 5\n@ NS c.\n"
           "a.example CNAME .\nb.example CNAME *.\nc.example CNAME rpz-drop.\n"
           "d.example CNAME rpz-tcp-only.\ne.example CNAME garden.example.\n"
           "f.example CNAME *.garden.example.\n"),
     "=a.example:nxdomain =b.example:nodata =c.example:drop =d.example:tcp-only "
     "=e.example:cname(garden.example) "
     "=f.example:cname(*.garden.example) ",
     6,
     "",
     {0}},
    {"an exact name is itself, a wildcard what is below",
     BYTES(SOA "a.example.rpz.test. CNAME .\n*.b.example.rpz.test. CNAME .\n"),
     "=a.example:nxdomain >b.example:nxdomain ",
     2,
     "",
     {0}},
    {"both become one",
     BYTES(SOA "a.example.rpz.test. CNAME .\n*.a.example.rpz.test. CNAME .\n"
               "*.b.example.rpz.test. CNAME .\nb.example.rpz.test. CNAME .\n"),
     "*a.example:nxdomain *b.example:nxdomain ",
     2,
     "",
     {0}},
    {"both stay two with different rules",
     BYTES(SOA "a.example.rpz.test. CNAME .\n*.a.example.rpz.test. CNAME *.\n"),
     "=a.example:nxdomain >a.example:nodata ",
     2,
     "",
     {0}},
    {"both stay two when they stand apart",
     BYTES(SOA "a.example.rpz.test. CNAME .\nb.example.rpz.test. CNAME .\n"
               "*.a.example.rpz.test. CNAME .\n"),
     "=a.example:nxdomain =b.example:nxdomain >a.example:nxdomain ",
     3,
     "",
     {0}},
    {"a name twice with one rule",
     BYTES(SOA "a.example.rpz.test. CNAME .\nb.example.rpz.test. CNAME .\n"
               "A.EXAMPLE.rpz.test. CNAME .\n"),
     "=a.example:nxdomain =b.example:nxdomain ",
     3,
     "",
     {0}},
    {"passing names free what is above them",
     BYTES(SOA "*.example.rpz.test. CNAME rpz-passthru.\na.test.rpz.test. CNAME rpz-passthru.\n"),
     "-example ^. ^example ^test ~a.test ",
     2,
     "",
     {0}},
    {"passing as it once was written",
     BYTES(SOA "a.example.rpz.test. CNAME a.example.\n"),
     "^. ^example ~a.example ",
     1,
     "",
     {0}},
    {"local data",
     BYTES(SOA "a.example.rpz.test. A 192.0.2.1\n A 192.0.2.2\n AAAA 2001:db8::1\n TXT x y\n"
               " A 192.0.2.1\nb.example.rpz.test. TXT \"z\"\n"),
     "=a.example:local data/1-4-01/1-4-02/28-16-01/16-4-79 =b.example:local data/16-2-7a ",
     2,
     "",
     {0}},
    {"types that are not kept",
     BYTES(SOA "a.example.rpz.test. MX 1 b.\nb.example.rpz.test. A 192.0.2.1\n MX 1 b.\n"),
     "=a.example:nodata =b.example:local data/1-4-01 ",
     2,
     "W list: 2 records are not A, AAAA, CNAME or TXT: questions for their types are answered "
     "without data\n",
     {0}},
    {"DNSSEC's records trigger nothing",
     BYTES(SOA "a.example.rpz.test. CNAME .\n"
               "a.example.rpz.test. RRSIG CNAME 8 2 60 20300101000000 20200101000000 1 rpz.test. "
               "AAAA\nb.example.rpz.test. NSEC c.rpz.test. A\n"),
     "=a.example:nxdomain ",
     1,
     "",
     {0}},
    {"the zone itself, and its SOA again at the end",
     BYTES(SOA "rpz.test. A 192.0.2.1\na.example.rpz.test. CNAME .\n" SOA),
     "=a.example:nxdomain ",
     1,
     "",
     {0}},
    {"the root as zone",
     BYTES(". SOA a. b. 1 2 3 4 5\na.example CNAME rpz-drop\n"),
     "=a.example:drop ",
     1,
     "",
     {0}},
    {"a wildcard in the middle is a label, as are odd octets",
     BYTES(SOA "a.*.example.rpz.test. CNAME .\na\\.b.example.rpz.test. CNAME .\n"),
     "=a.*.example:nxdomain =a\\.b.example:nxdomain ",
     2,
     "",
     {0}},
    {"parentheses, comments, quotes, inherited owners, CRLF",
     BYTES(SOA "; a comment (\r\na.example.rpz.test. (\r\n CNAME ; and \"another\r\n . )\r\n"
               "b.example.rpz.test. TXT \"(;\"\r\n A 192.0.2.1\r\n\r\n"),
     "=a.example:nxdomain =b.example:local data/16-3-3b/1-4-01 ",
     2,
     "",
     {0}},
    {"no line feed at the end, a byte order mark",
     BYTES("\xEF\xBB\xBF" SOA "a.example.rpz.test. CNAME ."),
     "=a.example:nxdomain ",
     1,
     "",
     {0}},
    {"rules by name server do not apply",
     BYTES(SOA "ns.example.rpz-nsdname.rpz.test. CNAME .\n32.1.2.0.192.rpz-nsip.rpz.test. CNAME .\n"
               "a.example.rpz.test. CNAME .\n"),
     "=a.example:nxdomain ",
     1,
     "W list: 2 rules by name server (rpz-nsdname, rpz-nsip) are not applicable: who forwards "
     "queries sees no name servers\n",
     {0}},
    {"a zone may hold nothing", BYTES(SOA), "", 0, "W list: the list blocks nothing\n", {0}},
    {"a target within the zone",
     BYTES(SOA "a.example.rpz.test. CNAME garden.rpz.test.\n"),
     "=a.example:cname(garden.rpz.test) ",
     1,
     "W list:2:27: the target is garden.rpz.test, within the zone: does it lack its final dot?\n",
     {0}},
    {"below a public suffix is as the suffix itself",
     BYTES(SOA "*.co.uk.rpz.test. CNAME .\nco.uk.rpz.test. CNAME .\na.example.rpz.test. CNAME .\n"),
     "=a.example:nxdomain ",
     1,
     "W list:2:1: co.uk is a public suffix, and allow-wide does not list it\n",
     {0}},
    {"a suffix that is allowed",
     BYTES(SOA "*.co.uk.rpz.test. CNAME .\n"),
     ">co.uk:nxdomain ",
     1,
     "",
     {"co.uk"}},
    {"everything",
     BYTES(SOA "*.rpz.test. CNAME .\n"),
     "!login.bank.example !resolver.example >.:nxdomain ^. ^bank.example ^example ",
     1,
     "",
     {"."}},
    {"what passes is not judged",
     BYTES(SOA "*.resolver.example.rpz.test. CNAME rpz-passthru.\n"),
     "-resolver.example ^. ^example ^resolver.example ",
     1,
     "",
     {0}},
};

START_TEST(good_zones)
{
    char text[LIST_READ_TEXT];
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = list_read_guard();
    struct name_list *list = list_read(&(struct list_read){.format = NAME_LIST_RPZ,
                                                           .bytes = good[_i].bytes,
                                                           .size = good[_i].size,
                                                           .wide = {good[_i].wide[0]},
                                                           .guard = guard},
                                       &problems);
    ck_assert_msg(strcmp(list_read_told(&problems, text), good[_i].told) == 0, "%s: %s",
                  good[_i].label, text);
    ck_assert_msg(list != NULL, "%s", good[_i].label);
    ck_assert_msg(strcmp(list_read_contents(list, text), good[_i].expected) == 0, "%s: %s",
                  good[_i].label, text);
    ck_assert_msg(name_list_count(list) == good[_i].count, "%s: %zu", good[_i].label,
                  name_list_count(list));
    name_list_unref(list);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

static const struct {
    const char *label;
    const char *bytes;
    size_t size;
    const char *told;
} bad[] = {
    {"empty", BYTES(""), "list: expected the SOA of a zone\n"},
    {"no SOA first", BYTES("a.example. CNAME .\n" SOA),
     "list:1:1: expected the SOA of the zone as its first record\n"},
    {"no zone file", BYTES("<html>\n"), "list:1:1: owner is invalid\n"},
    {"a second zone", BYTES(SOA "b.x.rpz.test. SOA a. b. 1 2 3 4 5\n"),
     "list:2:1: a second zone begins here; expected one\n"},
    {"out of the zone", BYTES(SOA "a.example. CNAME .\n"),
     "list:2:1: the owner is not in the zone rpz.test\n"},
    {"$INCLUDE", BYTES(SOA "$INCLUDE /etc/passwd\na.example.rpz.test. CNAME .\n"),
     "list:2:1: $INCLUDE is not followed: a list is one file\n"},
    {"another directive", BYTES(SOA "\n$GENERATE 1-2 a A 192.0.2.1\n"),
     "list:3:2: invalid directive\n"},
    {"another class", BYTES(SOA "a.example.rpz.test. CH CNAME .\n"),
     "list:2:22: unsupported record type\n"},
    {"an empty label", BYTES(SOA "a..b.rpz.test. CNAME .\n"),
     "list:2:3: invalid domain name character\n"},
    {"U-label", BYTES(SOA "b\xC3\xBC.rpz.test. CNAME .\n"),
     "list:2:2: invalid domain name character\n"},
    {"NUL", BYTES(SOA "b\0.rpz.test. CNAME .\n"), "list:2:2: invalid domain name character\n"},
    {"not an address", BYTES(SOA "a.rpz.test. A 192.0.2.256\n"),
     "list:2:26: invalid IPv4 address\n"},
    {"data that is not of its type",
     BYTES(SOA "a.x.rpz.test. TYPE1 \\# 3 010203\n"
               "b.x.rpz.test. TYPE16 \\# 2 0501\n"),
     "list:2:26: the data of this record is not of its type\n"
     "list:3:27: the data of this record is not of its type\n"},
    {"an open parenthesis", BYTES(SOA "a.x.rpz.test. ( CNAME .\nb.x.rpz.test. CNAME .\n"),
     "list:3:22: unclosed last multiline block\n"},
    {"lines that go on being read", BYTES(SOA "a..b CNAME .\n\nc.x.rpz.test. CNAME .\nd..e A 1\n"),
     "list:2:3: invalid domain name character\nlist:5:3: invalid domain name character\n"},
    {"a CNAME and other data", BYTES(SOA "a.rpz.test. CNAME .\n A 192.0.2.1\n"),
     "list:2:1: the owner has a CNAME and other data\n"},
    {"two CNAMEs", BYTES(SOA "a.x.rpz.test. CNAME .\n CNAME *.\n"),
     "list:3:8: the owner has another CNAME already\n"},
    {"two rules apart",
     BYTES(SOA "a.x.rpz.test. CNAME .\nb.x.rpz.test. CNAME .\n"
               "a.x.rpz.test. CNAME *.\n"),
     "list: a.x" CONFLICT},
    {"a rule and passing, apart",
     BYTES(SOA "*.a.x.rpz.test. CNAME .\nb.x.rpz.test. CNAME .\n"
               "*.a.x.rpz.test. CNAME rpz-passthru.\n"),
     "list: a.x" CONFLICT},
    {"data in two places",
     BYTES(SOA "a.x.rpz.test. A 192.0.2.1\nb.x.rpz.test. CNAME .\n"
               "a.x.rpz.test. A 192.0.2.2\n"),
     "list: a.x" CONFLICT},
    {"networks with two rules",
     BYTES(SOA "32.1.2.0.192.rpz-ip.rpz.test. CNAME .\n"
               "a.x.rpz.test. CNAME .\n"
               "32.1.2.0.192.rpz-ip.rpz.test. CNAME *.\n"),
     "list: 192.0.2.1/32" CONFLICT},
    {"actions without their final dot",
     BYTES(SOA "$ORIGIN rpz.test.\na.x CNAME rpz-passthru\nb.x CNAME rpz-drop ; why\n"
               "c.x CNAME rpz-tcp-only\n"),
     "list:3:11: rpz-passthru.rpz.test lacks its final dot; expected rpz-passthru.\n"
     "list:4:11: rpz-drop.rpz.test lacks its final dot; expected rpz-drop.\n"
     "list:5:11: rpz-tcp-only.rpz.test lacks its final dot; expected rpz-tcp-only.\n"},
    {"actions that there are not",
     BYTES(SOA "a.x.rpz.test. CNAME rpz-passthrough.\nb.x.rpz.test. CNAME x.RPZ-drop.\n"
               "c.x.rpz.test. CNAME rpz-.\n"),
     "list:2:21: rpz-passthrough. is no action; expected rpz-passthru., rpz-drop. or "
     "rpz-tcp-only.\n"
     "list:3:21: x.rpz-drop. is no action; expected rpz-passthru., rpz-drop. or rpz-tcp-only.\n"
     "list:4:21: rpz-. is no action; expected rpz-passthru., rpz-drop. or rpz-tcp-only.\n"},
    {"addresses",
     BYTES(SOA "rpz-ip.rpz.test. CNAME .\n32.rpz-ip.rpz.test. CNAME .\n"
               "x.1.2.0.192.rpz-ip.rpz.test. CNAME .\n"
               "33.1.2.0.192.rpz-ip.rpz.test. CNAME .\n"
               "0.0.0.0.0.rpz-ip.rpz.test. CNAME .\n"
               "032.1.2.0.192.rpz-ip.rpz.test. CNAME .\n"
               "32.1.2.0.256.rpz-ip.rpz.test. CNAME .\n"
               "32.1.02.0.192.rpz-ip.rpz.test. CNAME .\n"
               "24.1.2.0.192.rpz-ip.rpz.test. CNAME .\n"),
     "list:2:1: " ADDRESS "list:3:1: " ADDRESS
     "list:4:1: expected a prefix length from 1 to 32 as the first label\n"
     "list:5:1: expected a prefix length from 1 to 32 as the first label\n"
     "list:6:1: expected a prefix length from 1 to 32 as the first label\n"
     "list:7:1: expected a prefix length from 1 to 32 as the first label\n"
     "list:8:1: " NUMBERS "list:9:1: " NUMBERS
     "list:10:1: the address has bits set behind its prefix length\n"},
    {"addresses of IPv6",
     BYTES(SOA "129.zz.2001.rpz-ip.rpz.test. CNAME .\n"
               "128.1.2.3.rpz-ip.rpz.test. CNAME .\n"
               "128.zz.1.zz.2.rpz-ip.rpz.test. CNAME .\n"
               "128.g.zz.rpz-ip.rpz.test. CNAME .\n"
               "128.10000.zz.rpz-ip.rpz.test. CNAME .\n"
               "128.1.2.3.4.5.6.7.8.9.rpz-ip.rpz.test. CNAME .\n"
               "32.1.zz.2001.rpz-client-ip.rpz.test. CNAME .\n"),
     "list:2:1: expected a prefix length from 1 to 128 as the first label\n"
     "list:3:1: " WORDS "list:4:1: " WORDS "list:5:1: " WORDS "list:6:1: " WORDS
     "list:7:1: " ADDRESS "list:8:1: the address has bits set behind its prefix length\n"},
    {"all refused", BYTES(SOA "com.rpz.test. CNAME .\n"),
     "W list:2:1: com is a top-level domain, and allow-wide does not list it\n"
     "list: every name of the list was refused\n"},
};

START_TEST(bad_zones)
{
    char text[LIST_READ_TEXT];
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = list_read_guard();
    struct name_list *list = list_read(
        &(struct list_read){
            .format = NAME_LIST_RPZ, .bytes = bad[_i].bytes, .size = bad[_i].size, .guard = guard},
        &problems);
    ck_assert_msg(strcmp(list_read_told(&problems, text), bad[_i].told) == 0, "%s: %s",
                  bad[_i].label, text);
    ck_assert_msg(list == NULL, "%s", bad[_i].label);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

#define REFUSED_CLIENT                                                                        \
    "W list:2:1: blocks every name for these clients, and allow-wide does not list the root " \
    "(\".\")\n"

static const struct {
    const char *label;
    const char *owner;
    const char *target;
    const char *network; /* NULL: refused */
    const char *told;
    const char *wide;
    const char *wide_network;
    bool client;
} networks[] = {
    {"a host", "32.1.2.0.192.rpz-ip", ".", "192.0.2.1/32", "", NULL, NULL, false},
    {"a network", "24.0.2.0.192.rpz-ip", "rpz-drop.", "192.0.2.0/24", "", NULL, NULL, false},
    {"IPv6", "48.zz.1.db8.2001.rpz-ip", ".", "2001:db8:1::/48", "", NULL, NULL, false},
    {"IPv6, zeros within", "128.1.zz.db8.2001.rpz-ip", ".", "2001:db8::1/128", "", NULL, NULL,
     false},
    {"IPv6, all eight words", "128.8.7.6.5.4.3.db8.2001.rpz-ip", ".", "2001:db8:3:4:5:6:7:8/128",
     "", NULL, NULL, false},
    {"IPv6, zeros at the end of the address's beginning", "128.1.zz.rpz-ip", ".", "::1/128", "",
     NULL, NULL, false},
    {"four words with zeros between", "64.zz.3.2.2001.rpz-ip", ".", "2001:2:3::/64", "", NULL, NULL,
     false},
    {"capitals", "48.ZZ.1.DB8.2001.RPZ-IP", ".", "2001:db8:1::/48", "", NULL, NULL, false},
    {"passing", "8.0.0.0.10.rpz-ip", "rpz-passthru.", "10.0.0.0/8", "", NULL, NULL, false},
    {"wide and allowed", "16.0.0.2.192.rpz-ip", ".", "192.2.0.0/16", "", NULL, "192.2.0.0/16",
     false},
    {"a client", "32.1.2.0.192.rpz-client-ip", ".", "192.0.2.1/32", "", ".", NULL, true},
    {"a client that passes", "32.1.2.0.192.rpz-client-ip", "rpz-passthru.", "192.0.2.1/32", "",
     NULL, NULL, true},
    {"a client without leave", "32.1.2.0.192.rpz-client-ip", ".", NULL, REFUSED_CLIENT, NULL, NULL,
     true},
};

START_TEST(addresses)
{
    char bytes[512], text[LIST_READ_TEXT], found[NETWORK_TEXT_MAX];
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = list_read_guard();
    snprintf(bytes, sizeof bytes, SOA "%s.rpz.test. CNAME %s\nx.test.rpz.test. CNAME .\n",
             networks[_i].owner, networks[_i].target);
    struct name_list *list = list_read(&(struct list_read){.format = NAME_LIST_RPZ,
                                                           .bytes = bytes,
                                                           .size = strlen(bytes),
                                                           .wide = {networks[_i].wide},
                                                           .networks = networks[_i].wide_network,
                                                           .guard = guard},
                                       &problems);
    ck_assert_msg(strcmp(list_read_told(&problems, text), networks[_i].told) == 0, "%s: %s",
                  networks[_i].label, text);
    ck_assert_msg(list != NULL, "%s", networks[_i].label);
    const struct network_rules *answers = name_list_answers(list);
    const struct network_rules *clients = name_list_clients(list);
    const struct network_rules *here = networks[_i].client ? clients : answers;
    ck_assert_uint_eq(network_rules_count(answers) + network_rules_count(clients),
                      networks[_i].network != NULL);
    if (networks[_i].network != NULL) {
        struct network network;
        ck_assert(network_parse(networks[_i].network, strlen(networks[_i].network), &network, text,
                                sizeof text));
        const struct network_rule *rule = network_rules_find(here, &network.base);
        ck_assert_msg(rule != NULL, "%s", networks[_i].label);
        network_format(&rule->network, found);
        ck_assert_msg(strcmp(found, networks[_i].network) == 0, "%s: %s", networks[_i].label,
                      found);
        ck_assert_int_eq(rule->rule == NAME_LIST_PASS,
                         strcmp(networks[_i].target, "rpz-passthru.") == 0);
    }
    name_list_unref(list);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

START_TEST(equal_rules_are_one)
{
    static char bytes[65536];
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = list_read_guard();
    size_t len = (size_t)snprintf(bytes, sizeof bytes, SOA);
    for (unsigned i = 0; i < 500; i++) {
        len +=
            (size_t)snprintf(bytes + len, sizeof bytes - len, "n%u.test.rpz.test. %s %s\n", i,
                             i % 2 == 0 ? "A" : "CNAME", i % 2 == 0 ? "192.0.2.1" : "garden.test.");
    }
    struct name_list *list = list_read(
        &(struct list_read){.format = NAME_LIST_RPZ, .bytes = bytes, .size = len, .guard = guard},
        &problems);
    ck_assert_ptr_nonnull(list);
    ck_assert_uint_eq(name_list_count(list), 500);
    ck_assert_ptr_null(name_list_rule(list, 0));
    ck_assert_int_eq(name_list_rule(list, 1)->action, ORDER_LOCAL);
    ck_assert_int_eq(name_list_rule(list, 2)->action, ORDER_CNAME);
    struct dname name;
    struct suffix_keys keys;
    const uint32_t *values;
    char why[WHY_MAX];
    ck_assert(dname_parse("n499.test", 9, &name, why));
    suffix_keys_init(&keys, &name, LIST_READ_SEED);
    ck_assert_uint_eq(suffix_map_find(name_list_map(list), &keys, 2, &values), 1);
    ck_assert_uint_eq(values[0], 2U << NAME_KIND_BITS | NAME_EXACT);
    name_list_unref(list);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

/* A record that goes on over all of a block and more. */
START_TEST(what_does_not_end)
{
    char text[LIST_READ_TEXT];
    size_t size = 600000;
    char *bytes = malloc(size);
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = list_read_guard();
    ck_assert_ptr_nonnull(bytes);
    memset(bytes, '\n', size);
    memcpy(bytes, SOA "a.rpz.test. (", sizeof(SOA "a.rpz.test. (") - 1);
    struct name_list *list = list_read(
        &(struct list_read){.format = NAME_LIST_RPZ, .bytes = bytes, .size = size, .guard = guard},
        &problems);
    ck_assert_ptr_null(list);
    ck_assert_str_eq(
        list_read_told(&problems, text),
        "list:2: what begins here does not end within 262144 bytes: is a parenthesis open?\n");
    free(bytes);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("zones");
    tcase_add_loop_test(tcase, good_zones, 0, ROWS(good));
    tcase_add_loop_test(tcase, bad_zones, 0, ROWS(bad));
    tcase_add_loop_test(tcase, addresses, 0, ROWS(networks));
    tcase_add_test(tcase, equal_rules_are_one);
    tcase_add_test(tcase, what_does_not_end);
    Suite *suite = suite_create("list_rpz");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
