/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * dnstap from rings to a file, which libfstrm reads back: messages octet by octet, what a full disk
 * costs, rotation, what must not be written over; and a receiver that hangs or is not there.
 */
#include "forwarder/tap/tap.h"

#include <check.h>
#include <fcntl.h>
#include <fstrm.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/log.h"
#include "forwarder/tap/tap_sink.h"
#include "forwarder/wire/dnstap.h"
#include "test/full_disk.h"
#include "test/scratch.h"
#include "test/wire_notation.h"
#include "test/suite.h"

static struct scratch scratch;
static char path[SCRATCH_PATH_MAX], old[SCRATCH_PATH_MAX];
static struct config_dnstap to_file, to_socket;
static char why[WHY_MAX], identity[] = "id";

static void setup(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    scratch_init(&scratch);
    scratch_path(&scratch, "tap", path);
    scratch_path(&scratch, "tap.old", old);
    to_file = (struct config_dnstap){.file = path, .identity = identity};
    to_socket = (struct config_dnstap){.socket = path, .identity = identity};
}

static void teardown(void)
{
    scratch_fini(&scratch);
}

/* How many messages a file holds, and the last of them; -1: it is no whole stream. */
static int read_back(const char *from, uint8_t *last, size_t *last_size)
{
    struct fstrm_file_options *options = fstrm_file_options_init();
    struct fstrm_reader_options *of = fstrm_reader_options_init();
    const uint8_t *message;
    size_t size;
    int count = 0;
    fstrm_res result;
    fstrm_file_options_set_file_path(options, from);
    ck_assert_int_eq(fstrm_reader_options_add_content_type(of, (const uint8_t *)DNSTAP_CONTENT_TYPE,
                                                           strlen(DNSTAP_CONTENT_TYPE)),
                     fstrm_res_success);
    struct fstrm_reader *reader = fstrm_file_reader_init(options, of);
    ck_assert_ptr_nonnull(reader);
    while ((result = fstrm_reader_read(reader, &message, &size)) == fstrm_res_success) {
        count++;
        if (last != NULL) {
            memcpy(last, message, size);
            *last_size = size;
        }
    }
    fstrm_reader_destroy(&reader);
    fstrm_reader_options_destroy(&of);
    fstrm_file_options_destroy(&options);
    return result == fstrm_res_stop ? count : -1;
}

static const uint8_t QUERY[] = "a query";
static const uint8_t IPV4[] = {192, 0, 2, 1};

static struct dnstap_event an_event(void)
{
    return (struct dnstap_event){
        .type = DNSTAP_CLIENT_QUERY,
        .protocol = DNSTAP_UDP,
        .client = {{IPV4, sizeof IPV4}, 5353},
        .query_time = {.tv_sec = 1, .tv_nsec = 2},
        .message = {QUERY, sizeof QUERY - 1},
    };
}

#define VERSION "'bailiwick " BAILIWICK_VERSION "'"

static const struct {
    const char *label;
    enum dnstap_protocol protocol;
    struct dnstap_policy policy;
    const char *inner; /* the Message */
} EVENTS[] = {
    {"a query",
     DNSTAP_UDP,
     {.action = DNSTAP_ACTION_DROP},
     "0805 1001 1801 2204c0000201 30e929 4001 4d02000000 5207'a query'"},
    {"by HTTPS",
     DNSTAP_DOH,
     {.action = DNSTAP_ACTION_DROP},
     "0805 1001 1804 2204c0000201 30e929 4001 4d02000000 5207'a query' 800102"},
    {"with a policy",
     DNSTAP_TCP,
     {{(const uint8_t *)"t", 1},
      {(const uint8_t *)"r", 1},
      DNSTAP_ACTION_NODATA,
      DNSTAP_MATCH_QNAME,
      {(const uint8_t *)"v", 1}},
     "0805 1001 1802 2204c0000201 30e929 4001 4d02000000 5207'a query' "
     "7a0d 0a01't' 1201'r' 1802 2001 2a01'v'"},
};

static struct tap *tap_for(unsigned workers)
{
    struct tap *tap = tap_new(&to_file, why);
    ck_assert_msg(tap != NULL && tap_widen(tap, workers), "%s", why);
    return tap;
}

START_TEST(events_are_written)
{
    uint8_t found[512], expected[WIRE_NOTATION_MAX], inner[WIRE_NOTATION_MAX];
    char text[1024];
    size_t size = 0;
    struct tap *tap = tap_for(1);
    struct dnstap_event event = an_event();
    event.protocol = EVENTS[_i].protocol;
    event.policy = EVENTS[_i].policy;
    tap_put(tap, 0, &event);
    tap_stop(tap);
    ck_assert_ptr_null(tap_run(tap)); /* its last round */
    ck_assert_uint_eq(tap_counts(tap).written, 1);
    ck_assert_uint_eq(tap_counts(tap).lost, 0);
    tap_free(tap);
    ck_assert_int_eq(read_back(path, found, &size), 1);
    size_t length = wire_parse(EVENTS[_i].inner, inner).size;
    snprintf(text, sizeof text, "0a02'id' 12%02zx" VERSION "72%02zx%s 7801",
             sizeof("bailiwick " BAILIWICK_VERSION) - 1, length, EVENTS[_i].inner);
    struct span wanted = wire_parse(text, expected);
    ck_assert_msg(size == wanted.size && memcmp(found, expected, size) == 0, "%s",
                  EVENTS[_i].label);
}
END_TEST

START_TEST(a_full_ring_loses_and_counts)
{
    struct tap *tap = tap_for(2);
    struct dnstap_event event = an_event();
    unsigned put = 0;
    for (; tap_counts(tap).lost == 0; put++) {
        tap_put(tap, 1, &event);
    }
    tap_put(tap, 0, &event); /* another worker's ring is its own */
    tap_stop(tap);
    tap_run(tap);
    ck_assert_uint_eq(tap_counts(tap).written, put);
    ck_assert_uint_eq(tap_counts(tap).lost, 1);
    tap_free(tap);
    ck_assert_int_eq(read_back(path, NULL, NULL), (int)put);
}
END_TEST

START_TEST(a_message_that_no_ring_holds_is_lost)
{
    static uint8_t large[2 * 1024 * 1024];
    struct tap *tap = tap_for(1);
    struct dnstap_event event = an_event();
    event.message = (struct span){large, sizeof large};
    tap_put(tap, 0, &event);
    ck_assert_uint_eq(tap_counts(tap).lost, 1);
    tap_free(tap);
}
END_TEST

static bool put_one(struct tap_sink *sink, size_t size)
{
    static uint8_t message[4096];
    const struct iovec one = {message, size};
    return tap_sink_write(sink, &one, 1, why);
}

START_TEST(a_full_disk_costs_what_does_not_fit)
{
    struct tap_sink *sink = tap_sink_new(&to_file);
    ck_assert_msg(tap_sink_open(sink, why), "%s", why);
    full_disk_after(1000);
    ck_assert(put_one(sink, 600));
    ck_assert(!put_one(sink, 600));
    ck_assert_str_ne(why, "");
    ck_assert(put_one(sink, 200));
    tap_sink_close(sink);
    ck_assert_int_eq(read_back(path, NULL, NULL), 2);
    tap_sink_free(sink);
}
END_TEST

START_TEST(a_file_that_was_full_can_be_replaced)
{
    struct tap_sink *sink = tap_sink_new(&to_file);
    ck_assert(tap_sink_open(sink, why));
    full_disk_after(700);
    ck_assert(put_one(sink, 600));
    ck_assert(!put_one(sink, 600));
    ck_assert_int_eq(rename(path, old), 0);
    tap_sink_close_moved(sink);
    ck_assert(!tap_sink_is_open(sink));
    ck_assert_msg(tap_sink_open(sink, why), "%s", why);
    ck_assert(put_one(sink, 600));
    tap_sink_free(sink);
}
END_TEST

START_TEST(a_disk_that_is_full_from_the_start_leaves_the_old_file)
{
    struct tap_sink *sink = tap_sink_new(&to_file);
    scratch_write(path, "earlier", 7);
    full_disk_after(10);
    for (unsigned i = 0; i < 3; i++) {
        ck_assert(!tap_sink_open(sink, why));
    }
    struct stat found;
    ck_assert_int_eq(stat(old, &found), 0);
    ck_assert_int_eq(found.st_size, 7);
    tap_sink_free(sink);
}
END_TEST

START_TEST(what_is_no_regular_file_is_left_alone)
{
    struct tap_sink *sink = tap_sink_new(&to_file);
    ck_assert_int_eq(symlink(old, path), 0);
    ck_assert(!tap_sink_open(sink, why));
    ck_assert_str_eq(why, "is there, and is no regular file");
    ck_assert_int_ne(access(old, F_OK), 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert(!tap_sink_open(sink, why));
    tap_sink_free(sink);
}
END_TEST

START_TEST(a_file_stays_open_until_it_is_moved)
{
    struct tap_sink *sink = tap_sink_new(&to_file);
    ck_assert(tap_sink_open(sink, why));
    tap_sink_close_moved(sink);
    ck_assert(tap_sink_is_open(sink));
    ck_assert_int_eq(unlink(path), 0);
    tap_sink_close_moved(sink);
    ck_assert(!tap_sink_is_open(sink));
    ck_assert(tap_sink_open(sink, why));
    tap_sink_free(sink);
    ck_assert_int_eq(read_back(path, NULL, NULL), 0);
}
END_TEST

static int listen_there(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, strlen(path) + 1);
    int receiver = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(receiver, (const struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(listen(receiver, 1), 0);
    return receiver;
}

START_TEST(a_receiver_that_says_nothing_is_not_waited_for_long)
{
    struct tap_sink *sink = tap_sink_new(&to_socket);
    ck_assert(!tap_sink_open(sink, why));
    ck_assert_str_eq(why, "No such file or directory");
    int receiver = listen_there();
    ck_assert(!tap_sink_open(sink, why));
    ck_assert_str_eq(why, "the receiver takes too long");
    ck_assert(!tap_sink_is_open(sink));
    tap_sink_free(sink);
    close(receiver);
}
END_TEST

/* Agrees, before it is asked to, until somebody had the patience: READY and START have come, which
 * are as long as ACCEPT. */
static int agree(int receiver)
{
    uint8_t octets[WIRE_NOTATION_MAX], got[128];
    struct span frame =
        wire_parse("00000000 00000022 00000001 00000001 00000016 'protobuf:dnstap.Dnstap'", octets);
    for (;;) {
        int connection = accept(receiver, NULL, NULL);
        size_t used = 0;
        ssize_t size = send(connection, frame.bytes, frame.size, MSG_NOSIGNAL);
        while (size > 0) {
            size = recv(connection, got, 2 * frame.size - used, 0);
            used += size > 0 ? (size_t)size : 0;
            if (used == 2 * frame.size) {
                return connection;
            }
        }
        close(connection);
    }
}

static void *agree_aside(void *ctx)
{
    int *receiver = ctx;
    *receiver = agree(*receiver);
    return NULL;
}

START_TEST(a_receiver_that_reads_no_more_is_left)
{
    struct tap_sink *sink = tap_sink_new(&to_socket);
    int receiver = listen_there(), connection = receiver;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, agree_aside, &connection), 0);
    while (!tap_sink_open(sink, why)) { /* a busy machine */
    }
    pthread_join(thread, NULL);
    ck_assert(tap_sink_is_open(sink));
    while (put_one(sink, 4096)) {
    }
    ck_assert_str_eq(why, "the receiver takes too long");
    ck_assert(!tap_sink_is_open(sink));
    tap_sink_free(sink);
    close(connection);
    close(receiver);
}
END_TEST

START_TEST(a_receiver_that_leaves_is_noticed)
{
    struct tap_sink *sink = tap_sink_new(&to_socket);
    int receiver = listen_there(), connection = receiver;
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, agree_aside, &connection), 0);
    while (!tap_sink_open(sink, why)) {
    }
    pthread_join(thread, NULL);
    close(connection);
    close(receiver);
    ck_assert(!tap_sink_is_open(sink));
    ck_assert(!tap_sink_open(sink, why));
    tap_sink_free(sink);
}
END_TEST

START_TEST(no_tap_counts_nothing)
{
    ck_assert_uint_eq(tap_counts(NULL).written, 0);
    ck_assert_uint_eq(tap_counts(NULL).lost, 0);
    tap_free(NULL);
    tap_sink_free(NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tap");
    TCase *cases = tcase_create("tap");
    tcase_set_timeout(cases, 60);
    tcase_add_checked_fixture(cases, setup, teardown);
    tcase_add_loop_test(cases, events_are_written, 0, sizeof EVENTS / sizeof EVENTS[0]);
    tcase_add_test(cases, a_full_ring_loses_and_counts);
    tcase_add_test(cases, a_message_that_no_ring_holds_is_lost);
    tcase_add_test(cases, a_full_disk_costs_what_does_not_fit);
    tcase_add_test(cases, a_file_that_was_full_can_be_replaced);
    tcase_add_test(cases, a_disk_that_is_full_from_the_start_leaves_the_old_file);
    tcase_add_test(cases, what_is_no_regular_file_is_left_alone);
    tcase_add_test(cases, a_file_stays_open_until_it_is_moved);
    tcase_add_test(cases, a_receiver_that_says_nothing_is_not_waited_for_long);
    tcase_add_test(cases, a_receiver_that_reads_no_more_is_left);
    tcase_add_test(cases, a_receiver_that_leaves_is_noticed);
    tcase_add_test(cases, no_tap_counts_nothing);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
