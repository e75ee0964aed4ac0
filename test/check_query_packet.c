/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Captured packets, layer by layer, whole and cut at every octet.
 */
#include "forwarder/cli/query_packet.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "test/query_text.h"
#include "test/wire_notation.h"
#include "test/suite.h"

#define UDP "0fa0 0035 001d 0000 "
#define UDP_BACK "0035 0fa0 001d 0000 "
#define TCP "0fa0 0035 00000001 00000001 50 18 0200 0000 0000 "
#define TCP_OPTIONS "0fa0 0035 00000001 00000001 60 18 0200 0000 0000 01010101 "
#define IPV4(size, protocol) "45 00 00" size " 0000 0000 40 " protocol " 0000 c0000201 c0000235 "
#define IPV6(size, protocol)                                                \
    "60000000 00" size " " protocol " 40 20010db8000000000000000000000001 " \
    "20010db8000000000000000000000053 "
#define ETHERNET "000000000000 000000000000 0800 "
#define VLAN "000000000000 000000000000 8100 0001 0800 "

static const struct {
    const char *label;
    enum query_packet_link link;
    const char *packet;
    const char *expected; /* queries told, each with " " behind it */
} packets[] = {
    {"UDP over IPv4", QUERY_PACKET_IP, IPV4("31", "11") UDP QUERY_TEXT_QUERY, "192.0.2.1:a.b:1 "},
    {"UDP over IPv6", QUERY_PACKET_IP, IPV6("1d", "11") UDP QUERY_TEXT_QUERY, "2001:db8::1:a.b:1 "},
    {"extension headers", QUERY_PACKET_IP,
     IPV6("2d", "00") "3c 00 000000000000 11 00 000000000000 " UDP QUERY_TEXT_QUERY,
     "2001:db8::1:a.b:1 "},
    {"Ethernet", QUERY_PACKET_ETHERNET, ETHERNET IPV4("31", "11") UDP QUERY_TEXT_QUERY,
     "192.0.2.1:a.b:1 "},
    {"VLAN, and padding", QUERY_PACKET_ETHERNET,
     VLAN IPV4("31", "11") UDP QUERY_TEXT_QUERY "000000", "192.0.2.1:a.b:1 "},
    {"cooked", QUERY_PACKET_COOKED,
     "0000 0001 0006 0000000000000000 0800 " IPV4("31", "11") UDP QUERY_TEXT_QUERY,
     "192.0.2.1:a.b:1 "},
    {"cooked, version 2", QUERY_PACKET_COOKED_2,
     "0800 0000 00000001 0001 00 06 0000000000000000 " IPV4("31", "11") UDP QUERY_TEXT_QUERY,
     "192.0.2.1:a.b:1 "},
    {"loopback", QUERY_PACKET_LOOPBACK, "02000000 " IPV4("31", "11") UDP QUERY_TEXT_QUERY,
     "192.0.2.1:a.b:1 "},
    {"TCP", QUERY_PACKET_IP, IPV4("3f", "06") TCP "0015 " QUERY_TEXT_QUERY, "192.0.2.1:a.b:1 "},
    {"TCP with options, two messages", QUERY_PACKET_IP,
     IPV4("5a", "06") TCP_OPTIONS "0015 " QUERY_TEXT_QUERY "0015 " QUERY_TEXT_QUERY,
     "192.0.2.1:a.b:1 192.0.2.1:a.b:1 "},
    {"TCP that goes on in the next segment", QUERY_PACKET_IP,
     IPV4("3f", "06") TCP "0016 " QUERY_TEXT_QUERY, ""},
    {"from port 53", QUERY_PACKET_IP, IPV4("31", "11") UDP_BACK QUERY_TEXT_QUERY, ""},
    {"an answer", QUERY_PACKET_IP, IPV4("31", "11") UDP QUERY_TEXT_ANSWER, ""},
    {"another opcode", QUERY_PACKET_IP, IPV4("31", "11") UDP QUERY_TEXT_NOTIFY, ""},
    {"a fragment", QUERY_PACKET_IP,
     "45 00 0031 0000 2000 40 11 0000 c0000201 c0000235 " UDP QUERY_TEXT_QUERY, ""},
    {"a fragment of IPv6", QUERY_PACKET_IP,
     IPV6("25", "2c") "11 00 0001 00000000 " UDP QUERY_TEXT_QUERY, ""},
    {"a header that is too short", QUERY_PACKET_IP,
     "44 00 0031 0000 0000 40 11 0000 c0000201 c0000235 " UDP QUERY_TEXT_QUERY, ""},
    {"another version", QUERY_PACKET_IP, "55 00 0031 0000", ""},
    {"another protocol", QUERY_PACKET_IP, IPV4("31", "01") UDP QUERY_TEXT_QUERY, ""},
    {"nothing", QUERY_PACKET_ETHERNET, "", ""},
};

static char told[2 * QUERY_TEXT_MAX];

static bool tell(void *ctx, const struct query_record *record)
{
    char text[QUERY_TEXT_MAX];
    size_t used = strlen(told);
    ck_assert_ptr_eq(ctx, told);
    ck_assert(record->has_client && record->count == 1);
    snprintf(told + used, sizeof told - used, "%s ", query_text(record, text));
    return true;
}

START_TEST(packets_are_read)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span packet = wire_parse(packets[_i].packet, bytes);
    told[0] = '\0';
    ck_assert(query_packet_each(packets[_i].link, packet, tell, told));
    ck_assert_msg(strcmp(told, packets[_i].expected) == 0, "%s: %s", packets[_i].label, told);
}
END_TEST

/* In an allocation of its size, so that sanitizers see a read past the end. */
START_TEST(cut_packets_are_passed_over)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span whole = wire_parse(packets[_i].packet, bytes);
    for (size_t size = 0; size < whole.size; size++) {
        uint8_t *cut = malloc(size + (size == 0));
        memcpy(cut, bytes, size);
        told[0] = '\0';
        ck_assert(query_packet_each(packets[_i].link, (struct span){cut, size}, tell, told));
        ck_assert_msg(strncmp(told, packets[_i].expected, strlen(told)) == 0, "%s at %zu: %s",
                      packets[_i].label, size, told);
        free(cut);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query_packet");
    TCase *cases = tcase_create("packets");
    int rows = sizeof packets / sizeof packets[0];
    tcase_add_loop_test(cases, packets_are_read, 0, rows);
    tcase_add_loop_test(cases, cut_packets_are_passed_over, 0, rows);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
