/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Addresses in text and in socket addresses, and the bits that two of them share.
 */
#include "geo/address.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "test/suite.h"

static const struct {
    const char *label, *text;
    const char *expected; /* formatted again; NULL: refused */
    bool ipv4;
} TEXTS[] = {
    {"IPv4", "192.0.2.1", "192.0.2.1", true},
    {"IPv4, the lowest", "0.0.0.0", "0.0.0.0", true},
    {"IPv4, the highest", "255.255.255.255", "255.255.255.255", true},
    {"IPv6", "2001:db8::1", "2001:db8::1", false},
    {"IPv6 in full", "2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1", false},
    {"the longest zero run is cut (RFC 5952)", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1", false},
    {"a single zero field is not cut", "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1", false},
    {"unspecified", "::", "::", false},
    {"loopback", "::1", "::1", false},
    {"IPv4-mapped is IPv4", "::ffff:192.0.2.1", "192.0.2.1", true},
    {"IPv4-mapped in hexadecimal", "::FFFF:c000:201", "192.0.2.1", true},
    {"one off IPv4-mapped", "::fffe:c000:201", "::fffe:c000:201", false},
    {"NAT64 is IPv6", "64:ff9b::192.0.2.1", "64:ff9b::c000:201", false},
    {"empty", "", NULL, false},
    {"three parts", "192.0.2", NULL, false},
    {"five parts", "192.0.2.1.1", NULL, false},
    {"a part too large", "192.0.2.256", NULL, false},
    {"a leading zero", "192.0.2.01", NULL, false},
    {"hexadecimal", "0xc0.0.2.1", NULL, false},
    {"a number", "3221225985", NULL, false},
    {"space in front", " 192.0.2.1", NULL, false},
    {"space behind", "192.0.2.1 ", NULL, false},
    {"a scope", "fe80::1%eth0", NULL, false},
    {"brackets", "[::1]", NULL, false},
    {"two gaps", "1::2::3", NULL, false},
    {"five digits", "2001:0db80::1", NULL, false},
    {"nine fields", "1:2:3:4:5:6:7:8:9", NULL, false},
    {"a length", "192.0.2.1/32", NULL, false},
    {"a name", "localhost", NULL, false},
    {"longer than any", "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000", NULL, false},
};

START_TEST(reads_and_writes_text)
{
    for (size_t i = 0; i < sizeof TEXTS / sizeof TEXTS[0]; i++) {
        struct address address;
        bool read = address_parse(TEXTS[i].text, strlen(TEXTS[i].text), &address);
        ck_assert_msg(read == (TEXTS[i].expected != NULL), "%s", TEXTS[i].label);
        if (read) {
            char out[ADDRESS_TEXT_MAX];
            ck_assert_msg(strcmp(address_format(&address, out), TEXTS[i].expected) == 0, "%s: %s",
                          TEXTS[i].label, out);
            ck_assert_msg(address_is_ipv4(&address) == TEXTS[i].ipv4, "%s", TEXTS[i].label);
        }
    }
}
END_TEST

START_TEST(reads_exactly_the_length_given)
{
    struct address address;
    char out[ADDRESS_TEXT_MAX];
    ck_assert(address_parse("192.0.2.123", 9, &address));
    ck_assert_str_eq(address_format(&address, out), "192.0.2.1");
    ck_assert(!address_parse("192.0.2.1\0", 10, &address));
    ck_assert(!address_parse("\0", 1, &address));
}
END_TEST

START_TEST(reads_socket_addresses)
{
    char out[ADDRESS_TEXT_MAX];
    struct address address;
    struct sockaddr_in ipv4 = {.sin_family = AF_INET, .sin_port = 53};
    ck_assert_int_eq(inet_pton(AF_INET, "192.0.2.1", &ipv4.sin_addr), 1);
    ck_assert(address_of_sockaddr((struct sockaddr *)&ipv4, &address));
    ck_assert_str_eq(address_format(&address, out), "192.0.2.1");

    struct sockaddr_in6 ipv6 = {.sin6_family = AF_INET6, .sin6_scope_id = 3};
    ck_assert_int_eq(inet_pton(AF_INET6, "2001:db8::1", &ipv6.sin6_addr), 1);
    ck_assert(address_of_sockaddr((struct sockaddr *)&ipv6, &address));
    ck_assert_str_eq(address_format(&address, out), "2001:db8::1");

    /* What a dual-stack socket shows of an IPv4 client. */
    ck_assert_int_eq(inet_pton(AF_INET6, "::ffff:192.0.2.1", &ipv6.sin6_addr), 1);
    struct address mapped;
    ck_assert(address_of_sockaddr((struct sockaddr *)&ipv6, &mapped));
    ck_assert(address_of_sockaddr((struct sockaddr *)&ipv4, &address));
    ck_assert(address_equal(&address, &mapped));

    struct sockaddr_un local = {.sun_family = AF_UNIX};
    ck_assert(!address_of_sockaddr((struct sockaddr *)&local, &address));
}
END_TEST

START_TEST(finds_the_ipv4_address_in_6to4)
{
    static const struct {
        const char *address;
        const char *ipv4; /* NULL: it is no 6to4 address */
    } rows[] = {
        {"2002:220:501::1", "2.32.5.1"}, {"2002:ffff:ffff:ffff::", "255.255.255.255"},
        {"2002::", "0.0.0.0"},           {"2001:220:501::1", NULL},
        {"2003:220:501::1", NULL},       {"32.2.2.32", NULL},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct address address, ipv4, expected;
        ck_assert(address_parse(rows[i].address, strlen(rows[i].address), &address));
        ck_assert_msg(address_in_6to4(&address, &ipv4) == (rows[i].ipv4 != NULL), "%s",
                      rows[i].address);
        if (rows[i].ipv4 != NULL) {
            ck_assert(address_parse(rows[i].ipv4, strlen(rows[i].ipv4), &expected));
            ck_assert_msg(address_equal(&ipv4, &expected), "%s", rows[i].address);
        }
    }
}
END_TEST

START_TEST(counts_common_bits)
{
    struct address a = {{0}};
    for (unsigned i = 0; i < 16; i++) {
        a.octet[i] = (uint8_t)(i * 37 + 11);
    }
    ck_assert_uint_eq(address_common_bits(&a, &a), 128);
    ck_assert_int_eq(address_compare(&a, &a), 0);
    for (unsigned bit = 0; bit < 128; bit++) {
        struct address b = a;
        b.octet[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
        b.octet[15] ^= (uint8_t)(bit < 120 ? 0x5a : 0); /* what follows does not matter */
        ck_assert_uint_eq(address_common_bits(&a, &b), bit);
        ck_assert_uint_eq(address_common_bits(&b, &a), bit);
        ck_assert(!address_equal(&a, &b));
        bool above = (b.octet[bit / 8] & 0x80U >> bit % 8) != 0;
        ck_assert_msg((address_compare(&b, &a) > 0) == above, "bit %u", bit);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("address");
    TCase *tests = tcase_create("address");
    suite_add_tcase(suite, tests);
    tcase_add_test(tests, reads_and_writes_text);
    tcase_add_test(tests, reads_exactly_the_length_given);
    tcase_add_test(tests, reads_socket_addresses);
    tcase_add_test(tests, finds_the_ipv4_address_in_6to4);
    tcase_add_test(tests, counts_common_bits);
    return suite_run(suite);
}
