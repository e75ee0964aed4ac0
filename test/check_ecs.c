/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * ECS options, well-formed and not (RFC 7871 section 6).
 */
#include "forwarder/wire/ecs.h"

#include <check.h>

#include "test/wire_notation.h"
#include "test/suite.h"

#define IPV4 "00000000 00000000 0000ffff "

/* octets: NULL where the option is malformed. */
static const struct {
    const char *label;
    const char *data;
    const char *octets;
} OPTIONS[] = {
    {"IPv4 /24", "0001 18 00 c00002", IPV4 "c0000200"},
    {"IPv4 /32", "0001 20 00 c0000201", IPV4 "c0000201"},
    {"IPv4 /1", "0001 01 00 80", IPV4 "80000000"},
    {"IPv4 /0", "0001 00 00", IPV4 "00000000"},
    {"IPv4 /20", "0001 14 00 c00010", IPV4 "c0001000"},
    {"a SCOPE", "0001 18 20 c00002", IPV4 "c0000200"},
    {"IPv6 /56", "0002 38 00 20010db8000001", "20010db8000001000000000000000000"},
    {"IPv6 /128", "0002 80 80 20010db8000000000000000000000001",
     "20010db8000000000000000000000001"},
    {"IPv6 /0", "0002 00 00", "00000000000000000000000000000000"},
    {"no family", "0000 00 00", IPV4 "00000000"},

    {"nothing", "", NULL},
    {"cut before SCOPE", "0001 18", NULL},
    {"an octet less", "0001 18 00 c000", NULL},
    {"an octet more", "0001 18 00 c0000200", NULL},
    {"no octets", "0001 01 00", NULL},
    {"an octet for /0", "0001 00 00 00", NULL},
    {"a bit behind /24 of IPv6", "0002 17 00 20010d", NULL},
    {"a bit behind /20", "0001 14 00 c00008", NULL},
    {"a bit behind /1", "0001 01 00 c0", NULL},
    {"IPv4 /33", "0001 21 00 c000020180", NULL},
    {"IPv4 with SCOPE 33", "0001 18 21 c00002", NULL},
    {"IPv6 /129", "0002 81 00 20010db800000000000000000000000180", NULL},
    {"no family with a bit", "0000 01 00 80", NULL},
    {"no family with SCOPE 1", "0000 00 01", NULL},
    {"family 3", "0003 18 00 c00002", NULL},
    {"family 257", "0101 18 00 c00002", NULL},
};

START_TEST(options_are_read_and_written)
{
    uint8_t bytes[2][WIRE_NOTATION_MAX];
    uint8_t out[ECS_MAX];
    struct ecs ecs;
    struct span data = wire_parse(OPTIONS[_i].data, bytes[0]);
    bool expected = OPTIONS[_i].octets != NULL;
    ck_assert_msg(ecs_decode(data, &ecs) == expected, "%s", OPTIONS[_i].label);
    if (!expected) {
        return;
    }
    struct span octets = wire_parse(OPTIONS[_i].octets, bytes[1]);
    ck_assert_uint_eq(octets.size, sizeof ecs.octet);
    ck_assert_mem_eq(ecs.octet, octets.bytes, octets.size);
    ck_assert_uint_eq(ecs.source, data.bytes[2]);
    ck_assert_uint_eq(ecs.scope, data.bytes[3]);
    struct span_writer writer = span_writer(out, sizeof out);
    ecs_encode(&writer, &ecs);
    ck_assert(!writer.failed);
    ck_assert_msg(wire_equal((struct span){out, writer.size}, data), "%s", OPTIONS[_i].label);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ecs");
    TCase *tcase = tcase_create("ecs");
    tcase_add_loop_test(tcase, options_are_read_and_written, 0, (int)ROWS(OPTIONS));
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
