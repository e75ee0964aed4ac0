/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asks as many clients would: from many source addresses, for names of a list, over UDP. Runs in a
 * network namespace that routes every address to itself. Either keeps a number of queries under way
 * (what is the most?) or asks at a fixed rate (how long does an answer take?).
 *
 * usage: generator SERVER SOURCES NAMES window|rate NUMBER SECONDS
 *
 * SERVER is ADDRESS:PORT; SOURCES has an IPv4 address a line, NAMES a name a line. Both are taken
 * in turn, each at its own pace. One line of JSON comes out: sent, received, seconds, and
 * microseconds of latency (p50, p99, p999). A query without an answer within LOST_NS is lost.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <poll.h>
#include <time.h>

#include "test/bench/batch.h"

#define SOCKETS 16
#define IDS 65536
#define LOST_NS INT64_C(500000000)
#define SAMPLES_MAX (16U << 20)
#define QUESTION_MAX 260

struct question {
    uint16_t size;
    uint8_t octets[QUESTION_MAX];
};

struct generator {
    struct sockaddr_in server;
    struct in_addr *sources;
    size_t source_count;
    struct question *questions;
    size_t question_count;

    struct pollfd sockets[SOCKETS];
    int64_t *sent_at[SOCKETS]; /* by ID; 0: nothing under way */
    uint16_t next_id[SOCKETS];
    struct batch batch;

    uint64_t asked;
    uint64_t sent;
    uint64_t received;
    uint64_t under_way;
    uint32_t *samples; /* ns / 100 */
    size_t sample_count;
};

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void *grown(void *array, size_t count, size_t size)
{
    /* Doubles at each power of two. */
    if ((count & (count - 1)) != 0) {
        return array;
    }
    array = reallocarray(array, count == 0 ? 1 : count * 2, size);
    if (array == NULL) {
        bench_fail("memory");
    }
    return array;
}

static FILE *open_list(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        bench_fail(path);
    }
    return file;
}

static void read_sources(struct generator *generator, const char *path)
{
    char line[64];
    FILE *file = open_list(path);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        size_t count = generator->source_count;
        generator->sources = grown(generator->sources, count, sizeof *generator->sources);
        if (inet_pton(AF_INET, line, &generator->sources[count]) != 1) {
            fprintf(stderr, "%s: not an IPv4 address: %s\n", path, line);
            exit(2);
        }
        generator->source_count++;
    }
    fclose(file);
}

/* Header, name, type A, class IN, and an OPT of 1232 octets, as most clients ask. */
static void write_question(struct question *out, const char *name)
{
    static const uint8_t header[] = {0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    static const uint8_t tail[] = {0, 0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
    memcpy(out->octets, header, sizeof header);
    size_t at = sizeof header;
    while (*name != '\0' && at < 200) {
        size_t label = strcspn(name, ".");
        out->octets[at] = (uint8_t)label;
        memcpy(out->octets + at + 1, name, label);
        at += label + 1;
        name += label + (name[label] == '.');
    }
    memcpy(out->octets + at, tail, sizeof tail);
    out->size = (uint16_t)(at + sizeof tail);
}

static void read_names(struct generator *generator, const char *path)
{
    char line[128];
    FILE *file = open_list(path);
    while (fgets(line, sizeof line, file) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        size_t count = generator->question_count;
        generator->questions = grown(generator->questions, count, sizeof *generator->questions);
        write_question(&generator->questions[count], line);
        generator->question_count++;
    }
    fclose(file);
}

static void set_source(struct generator *generator, unsigned index)
{
    struct cmsghdr *control = (struct cmsghdr *)(void *)generator->batch.controls[index];
    struct in_pktinfo info = {.ipi_spec_dst =
                                  generator->sources[generator->asked % generator->source_count]};
    control->cmsg_level = IPPROTO_IP;
    control->cmsg_type = IP_PKTINFO;
    control->cmsg_len = CMSG_LEN(sizeof info);
    memcpy(CMSG_DATA(control), &info, sizeof info);
    generator->batch.headers[index].msg_hdr.msg_control = control;
    generator->batch.headers[index].msg_hdr.msg_controllen = CMSG_SPACE(sizeof info);
}

/* Asks count questions, at most BATCH, from one socket. */
static void ask(struct generator *generator, unsigned socket, unsigned count)
{
    struct batch *batch = &generator->batch;
    int64_t now = now_ns();
    for (unsigned i = 0; i < count; i++) {
        uint16_t id = generator->next_id[socket]++;
        const struct question *question =
            &generator->questions[generator->asked % generator->question_count];
        memcpy(batch->octets[i], question->octets, question->size);
        memcpy(batch->octets[i], &id, sizeof id);
        batch->parts[i].iov_len = question->size;
        batch->headers[i].msg_hdr.msg_name = &generator->server;
        batch->headers[i].msg_hdr.msg_namelen = sizeof generator->server;
        set_source(generator, i);
        generator->asked++;
        generator->under_way += generator->sent_at[socket][id] == 0;
        generator->sent_at[socket][id] = now;
    }
    batch_send(batch, generator->sockets[socket].fd, count);
    generator->sent += count;
}

static void take_answers(struct generator *generator, unsigned socket)
{
    struct batch *batch = &generator->batch;
    unsigned count = batch_receive(batch, generator->sockets[socket].fd, false);
    int64_t now = now_ns();
    for (unsigned i = 0; i < count; i++) {
        uint16_t id;
        memcpy(&id, batch->octets[i], sizeof id);
        int64_t *sent_at = &generator->sent_at[socket][id];
        if (*sent_at == 0) {
            continue;
        }
        if (generator->sample_count < SAMPLES_MAX) {
            generator->samples[generator->sample_count++] = (uint32_t)((now - *sent_at) / 100);
        }
        *sent_at = 0;
        generator->under_way--;
        generator->received++;
    }
}

/* Forgets what has been under way for too long. */
static void forget_lost(struct generator *generator)
{
    int64_t before = now_ns() - LOST_NS;
    for (unsigned s = 0; s < SOCKETS; s++) {
        for (unsigned id = 0; id < IDS; id++) {
            if (generator->sent_at[s][id] != 0 && generator->sent_at[s][id] < before) {
                generator->sent_at[s][id] = 0;
                generator->under_way--;
            }
        }
    }
}

static void take_all(struct generator *generator, int64_t wait_ns)
{
    struct timespec wait = {wait_ns / 1000000000, wait_ns % 1000000000};
    if (ppoll(generator->sockets, SOCKETS, &wait, NULL) <= 0) {
        return;
    }
    for (unsigned s = 0; s < SOCKETS; s++) {
        if (generator->sockets[s].revents != 0) {
            take_answers(generator, s);
        }
    }
}

/* Takes what is still under way when nothing more is asked. */
static void take_rest(struct generator *generator)
{
    const int64_t end = now_ns() + LOST_NS;
    int64_t left;
    while (generator->under_way > 0 && (left = end - now_ns()) > 0) {
        take_all(generator, left);
    }
}

static void keep_window(struct generator *generator, uint64_t window, int64_t end)
{
    int64_t look = now_ns() + LOST_NS;
    for (unsigned turn = 0; now_ns() < end; turn++) {
        while (generator->under_way < window) {
            uint64_t room = window - generator->under_way;
            ask(generator, turn++ % SOCKETS, room < BATCH ? (unsigned)room : BATCH);
        }
        take_all(generator, LOST_NS / 10);
        if (now_ns() > look) {
            forget_lost(generator);
            look = now_ns() + LOST_NS;
        }
    }
}

static void keep_rate(struct generator *generator, uint64_t rate, int64_t end)
{
    const int64_t step = INT64_C(1000000000) / (int64_t)rate;
    int64_t next = now_ns();
    for (unsigned turn = 0; next < end;) {
        int64_t left = next - now_ns();
        if (left <= 0) {
            ask(generator, turn++ % SOCKETS, 1);
            next += step;
        } else {
            take_all(generator, left);
        }
    }
}

static int compare_samples(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static double percentile(const struct generator *generator, double share)
{
    if (generator->sample_count == 0) {
        return 0;
    }
    size_t at = (size_t)(share * (double)(generator->sample_count - 1));
    return generator->samples[at] / 10.0;
}

static void report(struct generator *generator, double seconds)
{
    qsort(generator->samples, generator->sample_count, sizeof *generator->samples, compare_samples);
    printf("{\"sent\": %" PRIu64 ", \"received\": %" PRIu64 ", \"seconds\": %.3f, "
           "\"p50\": %.1f, \"p99\": %.1f, \"p999\": %.1f}\n",
           generator->sent, generator->received, seconds, percentile(generator, 0.5),
           percentile(generator, 0.99), percentile(generator, 0.999));
}

static void open_sockets(struct generator *generator)
{
    for (unsigned s = 0; s < SOCKETS; s++) {
        struct sockaddr_in any = {.sin_family = AF_INET};
        generator->sockets[s] = (struct pollfd){.fd = bench_socket(), .events = POLLIN};
        generator->sent_at[s] = calloc(IDS, sizeof *generator->sent_at[s]);
        if (generator->sent_at[s] == NULL ||
            bind(generator->sockets[s].fd, (struct sockaddr *)&any, sizeof any) != 0) {
            bench_fail("socket");
        }
    }
}

int main(int argc, char **argv)
{
    if (argc != 7 || (strcmp(argv[4], "window") != 0 && strcmp(argv[4], "rate") != 0)) {
        fputs("usage: generator SERVER SOURCES NAMES window|rate NUMBER SECONDS\n", stderr);
        return 2;
    }
    struct generator *generator = calloc(1, sizeof *generator);
    uint64_t number = strtoull(argv[5], NULL, 10);
    if (generator == NULL || number == 0 ||
        (generator->samples = calloc(SAMPLES_MAX, sizeof *generator->samples)) == NULL) {
        bench_fail("generator");
    }
    generator->server = bench_address(argv[1]);
    read_sources(generator, argv[2]);
    read_names(generator, argv[3]);
    batch_init(&generator->batch);
    open_sockets(generator);

    int64_t start = now_ns();
    int64_t end = start + (int64_t)(strtod(argv[6], NULL) * 1e9);
    if (strcmp(argv[4], "window") == 0) {
        keep_window(generator, number, end);
    } else {
        keep_rate(generator, number, end);
    }
    double seconds = (double)(now_ns() - start) / 1e9;
    take_rest(generator);
    report(generator, seconds);
    return 0;
}
