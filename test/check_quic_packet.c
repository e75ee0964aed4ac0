/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a stranger's datagram is.
 */
#include "forwarder/quic/quic_packet.h"

#include <check.h>

#include "test/suite.h"

#define V1 "\0\0\0\1"
#define OTHER "\x1a\x2a\x3a\x4a"
#define IDS "\x08to-heree\x05there"

/* The head of a datagram, which is filled up with zeros. */
static const struct {
    const char *label;
    const char *head;
    size_t head_size;
    size_t size;
    enum quic_packet_kind kind;
    const char *id;
    const char *source;
} packets[] = {
    {"first packet", "\xc0" V1 IDS, 20, 1200, QUIC_PACKET_LONG, "to-heree", "there"},
    {"later handshake packet", "\xe0" V1 IDS, 20, 60, QUIC_PACKET_LONG, "to-heree", "there"},
    {"other version", "\xc0" OTHER IDS, 20, 1200, QUIC_PACKET_OTHER_VERSION, "to-heree", "there"},
    {"other version, too short", "\xc0" OTHER IDS, 20, 1199, QUIC_PACKET_NOISE, NULL, NULL},
    {"a draft's version", "\xc0\xff\0\0\x1d" IDS, 20, 1200, QUIC_PACKET_OTHER_VERSION, "to-heree",
     "there"},
    {"version negotiation", "\xc0\0\0\0\0" IDS, 20, 1200, QUIC_PACKET_NOISE, NULL, NULL},
    {"short header",
     "\x40"
     "0123456789abcdef",
     17, 50, QUIC_PACKET_SHORT, "0123456789abcdef", ""},
    {"just an ID",
     "\x40"
     "0123456789abcdef",
     17, 17, QUIC_PACKET_SHORT, "0123456789abcdef", ""},
    {"less than an ID",
     "\x40"
     "0123456789abcde",
     16, 16, QUIC_PACKET_NOISE, NULL, NULL},
    {"nothing", "", 0, 0, QUIC_PACKET_NOISE, NULL, NULL},
    {"cut in its IDs", "\xc0" V1 "\x08to-h", 10, 10, QUIC_PACKET_NOISE, NULL, NULL},
    {"an ID of 7 octets",
     "\xc0" V1 "\x07"
     "0123456"
     "\x05"
     "there",
     19, 1200, QUIC_PACKET_NOISE, NULL, NULL},
    {"an ID of 21 octets",
     "\xc0" V1 "\x15"
     "0123456789abcdefghijk",
     27, 1200, QUIC_PACKET_NOISE, NULL, NULL},
};

START_TEST(packets_are_told_apart)
{
    uint8_t bytes[1200] = {0};
    struct quic_packet packet;
    memcpy(bytes, packets[_i].head, packets[_i].head_size);
    quic_packet_read((struct span){bytes, packets[_i].size}, &packet);
    ck_assert_msg(packet.kind == packets[_i].kind, "%s: %d", packets[_i].label, (int)packet.kind);
    if (packets[_i].id != NULL) {
        ck_assert_uint_eq(packet.id.size, strlen(packets[_i].id));
        ck_assert_mem_eq(packet.id.bytes, packets[_i].id, packet.id.size);
        ck_assert_uint_eq(packet.source.size, strlen(packets[_i].source));
        if (packet.source.size > 0) {
            ck_assert_mem_eq(packet.source.bytes, packets[_i].source, packet.source.size);
        }
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("quic_packet");
    TCase *tcase = tcase_create("quic_packet");
    tcase_add_loop_test(tcase, packets_are_told_apart, 0, sizeof packets / sizeof packets[0]);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
