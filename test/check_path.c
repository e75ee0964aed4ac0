/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a worker must not do for a query, whichever way it goes: allocate, take a lock, or call the
 * system for anything but waiting, and receiving and sending datagrams in batches.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "forwarder/tap/tap.h"
#include "test/heap_count.h"
#include "test/worker_bench.h"
#include "test/suite.h"

#define BLOCKED "01'a'07'example'00"
#define OTHER "05'other'07'example'00"
#define WARM_UP 200  /* queries, after which nothing grows any more */
#define QUERIES 5000 /* more than a block of random numbers lasts */

/* A client, what it asks, and with which limits. */
static const struct way {
    const char *label;
    const char *client;
    const char *name;
    const char *lines; /* of forwarder.conf */
    bool tapped;       /* dnstap tells of all queries */
} ways[] = {
    {"out of scope", NOWHERE, BLOCKED, "", false},
    {"in scope, not listed", ITALY, OTHER, "", false},
    {"in scope, blocked", ITALY, BLOCKED, "", false},
    {"counted, forwarded", ITALY, OTHER, "rate-limit: {answers: 1, queries: 1000000}\n", false},
    {"counted, blocked", ITALY, BLOCKED, "rate-limit: {answers: 1000000, queries: 1000000}\n",
     false},
    {"too many answers", ITALY, BLOCKED, "rate-limit: {answers: 1, slip: 1}\n", false},
    {"too many queries", NOWHERE, OTHER, "rate-limit: {queries: 1, slip: 1}\n", false},
    {"out of scope, tapped", NOWHERE, BLOCKED, "", true},
    {"in scope, blocked, tapped", ITALY, BLOCKED, "", true},
};
#define WAYS ((int)(sizeof ways / sizeof *ways))

static struct tap *tap;

static void begin(const struct way *way)
{
    static char file[] = "/nonexistent/tap", identity[] = "id";
    static const struct config_dnstap told = {
        .file = file, .queries = CONFIG_DNSTAP_ALL, .identity = identity};
    char why[WHY_MAX];
    bench_init(way->lines);
    if (way->tapped) { /* its thread is not a worker's business */
        tap = tap_new(&told, why);
        ck_assert_msg(tap != NULL && tap_widen(tap, 1), "%s", why);
        bench.worker->tap = tap;
    }
}

static void end(void)
{
    bench_fini();
    tap_free(tap);
    tap = NULL;
}

/* One round trip without a word to Check, which allocates. */
static bool round_trip(int client, const struct fake_message *query)
{
    static struct fake_message message;
    socklen_t size = sizeof message.from;
    if (send(client, query->bytes, query->size, 0) < 0) {
        return false;
    }
    for (;;) {
        event_base_loop(bench.base, EVLOOP_NONBLOCK);
        ssize_t got = recvfrom(bench.server.udp, message.bytes, sizeof message.bytes, MSG_DONTWAIT,
                               (struct sockaddr *)&message.from, &size);
        if (got > 0) {
            message.bytes[2] |= 0x80;
            sendto(bench.server.udp, message.bytes, (size_t)got, 0,
                   (struct sockaddr *)&message.from, size);
        }
        if (recv(client, message.bytes, sizeof message.bytes, MSG_DONTWAIT) > 0) {
            return (message.bytes[2] & 0x80) != 0;
        }
    }
}

static bool round_trips(const struct way *way, int client, unsigned count)
{
    struct fake_message query;
    bench_query(&query, 7, way->name);
    for (unsigned i = 0; i < count; i++) {
        if (!round_trip(client, &query)) {
            return false;
        }
    }
    return true;
}

START_TEST(leads_to_an_answer)
{
    const struct way *way = &ways[_i];
    begin(way);
    int client = bench_client(way->client, SOCK_DGRAM);
    ck_assert_msg(round_trips(way, client, WARM_UP), "%s", way->label);
    close(client);
    end();
}
END_TEST

START_TEST(touches_neither_heap_nor_locks)
{
    const struct way *way = &ways[_i];
    struct fake_message query;
    begin(way);
    int client = bench_client(way->client, SOCK_DGRAM);
    ck_assert(round_trips(way, client, WARM_UP));
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    ck_assert_int_eq(pthread_mutex_lock(&mutex), 0);
    ck_assert_msg(heap_calls > 0 && lock_calls > 0, "they are not counted");
    bench_query(&query, 7, way->name);
    unsigned heap_before = heap_calls;
    unsigned locks_before = lock_calls;
    bool answered = true;
    for (unsigned i = 0; i < QUERIES; i++) {
        answered = round_trip(client, &query) && answered;
    }
    unsigned heap = heap_calls - heap_before;
    unsigned locks = lock_calls - locks_before;
    ck_assert_msg(answered && heap == 0 && locks == 0, "%s: %u heap calls, %u locks", way->label,
                  heap, locks);
    close(client);
    end();
}
END_TEST

#define ALLOW(number) \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* From now on any other system call ends the process. sendto and recvfrom are the test's own. */
static bool restrict_calls(void)
{
    static struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        ALLOW(SYS_sendto),
        ALLOW(SYS_recvfrom),
        ALLOW(SYS_epoll_wait),
        ALLOW(SYS_epoll_pwait2),
        ALLOW(SYS_recvmmsg),
        ALLOW(SYS_sendmmsg),
        ALLOW(SYS_getrandom),
        ALLOW(SYS_clock_gettime),
        ALLOW(SYS_exit_group),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
    };
    const struct sock_fprog program = {sizeof filter / sizeof *filter, filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

START_TEST(calls_the_system_only_for_datagrams)
{
    const struct way *way = &ways[_i];
    int status;
    begin(way);
    int client = bench_client(way->client, SOCK_DGRAM);
    ck_assert(round_trips(way, client, WARM_UP));
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct fake_message query;
        bench_query(&query, 7, way->name);
        bool answered = restrict_calls();
        for (unsigned i = 0; answered && i < QUERIES; i++) {
            answered = round_trip(client, &query);
        }
        syscall(SYS_exit_group, answered ? 0 : 1);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s: status %d", way->label,
                  status);
    close(client);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("path");
    TCase *tcase = tcase_create("path");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, leads_to_an_answer, 0, WAYS);
    if (COUNTS_HEAP) {
        tcase_add_loop_test(tcase, touches_neither_heap_nor_locks, 0, WAYS);
        tcase_add_loop_test(tcase, calls_the_system_only_for_datagrams, 0, WAYS);
    }
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
