/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a worker tells dnstap of the queries that it handles, by itself and over a fake upstream:
 * which messages, of which kind, with which order. Read back by libfstrm.
 */
#include "forwarder/tap_query.h"

#include <check.h>
#include <fstrm.h>

#include "forwarder/tap/tap.h"
#include "forwarder/wire/dnstap.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"

static char file[SCRATCH_PATH_MAX], identity[] = "id";
static struct config_dnstap told = {.file = file, .identity = identity};

static void begin(enum config_dnstap_queries queries)
{
    char why[WHY_MAX];
    bench_init("");
    scratch_path(&scratch, "queries.tap", file);
    told.queries = queries;
    bench.worker->tap = tap_new(&told, why);
    ck_assert_msg(bench.worker->tap != NULL && tap_widen(bench.worker->tap, 1), "%s", why);
}

/* One round trip over UDP; the upstream answers what is forwarded. */
static void ask(const char *from, const char *name, bool forwarded)
{
    struct fake_message message;
    int client = bench_client(from, SOCK_DGRAM);
    bench_query(&message, 7, name);
    ck_assert_int_eq(send(client, message.bytes, message.size, 0), (ssize_t)message.size);
    if (forwarded) {
        LOOP_UNTIL(bench.base, loop_readable(bench.server.udp));
        socklen_t size = sizeof message.from;
        ssize_t got = recvfrom(bench.server.udp, message.bytes, sizeof message.bytes, 0,
                               (struct sockaddr *)&message.from, &size);
        message.bytes[2] |= 0x80;
        ck_assert_int_eq(sendto(bench.server.udp, message.bytes, (size_t)got, 0,
                                (struct sockaddr *)&message.from, size),
                         got);
    }
    LOOP_UNTIL(bench.base, loop_readable(client));
    close(client);
}

static uint64_t number(struct span bytes, unsigned wanted)
{
    struct span_reader reader = span_reader(bytes);
    struct protobuf_field field;
    while (protobuf_read(&reader, &field)) {
        if (field.number == wanted) {
            return field.value;
        }
    }
    return 0;
}

static struct span octets(struct span bytes, unsigned wanted)
{
    struct span_reader reader = span_reader(bytes);
    struct protobuf_field field;
    while (protobuf_read(&reader, &field)) {
        if (field.number == wanted) {
            return field.octets;
        }
    }
    return (struct span){0};
}

/* "Q", "R", with ":" and the order behind it where there is a policy; " " between them. */
static void describe(struct span frame, char *out, size_t size)
{
    struct span message = octets(frame, DNSTAP_MESSAGE);
    struct span rule = octets(octets(message, DNSTAP_POLICY), DNSTAP_POLICY_RULE);
    bool query = number(message, DNSTAP_MESSAGE_TYPE) == DNSTAP_CLIENT_QUERY;
    size_t used = strlen(out);
    ck_assert_uint_eq(number(message, DNSTAP_SOCKET_PROTOCOL), DNSTAP_UDP);
    ck_assert_uint_gt(octets(message, query ? DNSTAP_QUERY_MESSAGE : DNSTAP_RESPONSE_MESSAGE).size,
                      DNS_HEADER_SIZE);
    snprintf(out + used, size - used, "%s%s%s%.*s", used == 0 ? "" : " ", query ? "Q" : "R",
             rule.size == 0 ? "" : ":", (int)rule.size,
             rule.size == 0 ? "" : (const char *)rule.bytes);
}

/* All that was told, once the tap has ended. */
static void expect(const char *expected)
{
    char found[256] = "";
    const uint8_t *bytes;
    size_t size;
    tap_stop(bench.worker->tap);
    ck_assert_ptr_null(tap_run(bench.worker->tap));
    ck_assert_uint_eq(tap_counts(bench.worker->tap).lost, 0);
    struct fstrm_file_options *options = fstrm_file_options_init();
    fstrm_file_options_set_file_path(options, file);
    struct fstrm_reader *reader = fstrm_file_reader_init(options, NULL);
    while (fstrm_reader_read(reader, &bytes, &size) == fstrm_res_success) {
        describe((struct span){bytes, size}, found, sizeof found);
    }
    fstrm_reader_destroy(&reader);
    fstrm_file_options_destroy(&options);
    ck_assert_str_eq(found, expected);
    struct tap *tap = bench.worker->tap;
    bench_fini();
    tap_free(tap);
}

static void ask_all_ways(void)
{
    ask(NOWHERE, BLOCKED, true);
    ask(ITALY, OTHER, true);
    ask(ITALY, BLOCKED, false);
}

START_TEST(blocked_queries_alone)
{
    begin(CONFIG_DNSTAP_BLOCKED);
    ask_all_ways();
    expect("Q:A R:A");
}
END_TEST

START_TEST(all_queries)
{
    begin(CONFIG_DNSTAP_ALL);
    ask_all_ways();
    expect("Q R Q R Q:A R:A");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tap_query");
    TCase *cases = tcase_create("tap_query");
    tcase_set_timeout(cases, 60);
    tcase_add_test(cases, blocked_queries_alone);
    tcase_add_test(cases, all_queries);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
