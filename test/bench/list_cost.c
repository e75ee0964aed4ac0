/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How long lists take and how much memory: from a file's text to a sealed map, the digest that an
 * unchanged list costs, and cold look-ups: one by one, as the daemon makes them for streams, and in
 * the groups that it makes of the datagrams of one receive. Prints a table; asserts nothing. Names
 * have 5 to 30 characters, 15.6 on average; those looked up have three labels. A million of them
 * are looked up in each turn, and of the turns the quickest is told.
 *
 * usage: list_cost [NAMES...]        by default 1000000 and 10000000
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "geo/file_stream.h"
#include "policy/guard.h"
#include "policy/name_list.h"
#include "policy/suffix_map.h"

#define SEED 7
#define LOOKUPS 1000000U
#define TURNS 5U
#define GROUP 16U /* as in forwarder/listen_udp.c */
#define TEXT_MAX 40U

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "list_cost: %s\n", what);
    exit(EXIT_FAILURE);
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* xorshift64: the same names in every run. */
static uint64_t next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Writes the name number n into out; returns its length. */
static size_t write_name(uint64_t n, char *out)
{
    static const char octets[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char *const suffixes[] = {"com", "net", "org", "to",    "info", "it",
                                           "de",  "fr",  "xyz", "co.uk", "ru",   "online"};
    uint64_t state = (n + 1) * 0x9e3779b97f4a7c15U;
    next(&state);
    const char *suffix = suffixes[next(&state) % (sizeof suffixes / sizeof *suffixes)];
    size_t suffix_len = strlen(suffix);
    size_t wanted = 5 + next(&state) % 12 + next(&state) % 11;
    size_t label = wanted > suffix_len + 2 ? wanted - suffix_len - 1 : 1;
    for (size_t i = 0; i < label; i++) {
        out[i] = octets[next(&state) % (sizeof octets - 1)];
    }
    return label + (size_t)sprintf(out + label, ".%s", suffix);
}

static double write_file(const char *path, size_t names)
{
    FILE *file = fopen(path, "w");
    size_t octets = 0;
    char name[TEXT_MAX];
    if (file == NULL) {
        die("cannot write the list");
    }
    for (size_t i = 0; i < names; i++) {
        octets += write_name(i, name);
        fprintf(file, "%s\n", name);
    }
    if (fclose(file) != 0) {
        die("cannot write the list");
    }
    return (double)octets / (double)names;
}

/* ---- Loading ---- */

/* A line of /proc/self/status in megabytes. */
static double status_mb(const char *key)
{
    char line[256];
    double found = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, key, strlen(key)) == 0) {
            found = strtod(line + strlen(key), NULL) * 1024 / 1e6;
        }
    }
    if (file != NULL) {
        fclose(file);
    }
    return found;
}

static bool read_stream(void *ctx, char *out, size_t room, size_t *got, char why[static WHY_MAX])
{
    return file_stream_read(ctx, out, room, got, why);
}

static struct name_list *load(const char *path, const struct guard *guard)
{
    char why[WHY_MAX];
    struct problem_list problems;
    problem_list_init(&problems);
    const struct name_list_options options = {.name = "list", .guard = guard, .seed = SEED};
    struct file_stream *stream = file_stream_open(AT_FDCWD, path, NAME_LIST_BYTES_MAX, why);
    if (stream == NULL) {
        die(why);
    }
    const struct name_list_source source = {read_stream, stream};
    struct name_list *list = name_list_read(&options, &source, &problems);
    file_stream_close(stream);
    problem_list_fini(&problems);
    if (list == NULL) {
        die("the list was not taken");
    }
    return list;
}

/* ---- Look-ups ---- */

/* A name as short as it is: that the names asked come from memory too is not what is measured. */
struct question {
    uint8_t size, labels;
    uint8_t wire[TEXT_MAX + 6];
};

/* Names of three labels: www. before one of the list, or before one that is not in it. */
static void ask(struct question *questions, size_t names, bool hit)
{
    uint64_t state = 1;
    char why[WHY_MAX];
    for (size_t i = 0; i < LOOKUPS; i++) {
        char text[TEXT_MAX + 4] = "www.";
        size_t len;
        do {
            len = 4 + write_name(next(&state) % names + (hit ? 0 : names), text + 4);
        } while (memmem(text, len, ".co.uk", 6) != NULL);
        struct dname name;
        if (!dname_parse(text, len, &name, why)) {
            die(why);
        }
        questions[i] = (struct question){.size = name.size, .labels = name.labels};
        memcpy(questions[i].wire, name.wire, name.size);
    }
}

static size_t find_all(const struct suffix_map *map, const struct suffix_keys *keys,
                       const struct suffix_depths *held)
{
    const uint32_t *values;
    size_t found = 0;
    for (unsigned labels = keys->count + 1; labels-- > 0;) {
        if (suffix_depths_have(held, labels)) {
            found += suffix_map_find(map, keys, labels, &values);
        }
    }
    return found;
}

/* Nanoseconds a look-up, all suffixes of its name included. The steps are those of policy_prepare,
 * policy_sift and policy_decide. */
static double time_turn(const struct suffix_map *map, const struct question *questions,
                        size_t group, size_t *found)
{
    static struct dname names[GROUP];
    static struct suffix_keys keys[GROUP];
    static struct suffix_depths held[GROUP];
    double begin = now();
    *found = 0;
    for (size_t i = 0; i + group <= LOOKUPS; i += group) {
        for (size_t j = 0; j < group; j++) {
            const struct question *question = &questions[i + j];
            names[j].size = question->size;
            names[j].labels = question->labels;
            memcpy(names[j].wire, question->wire, question->size);
            suffix_keys_init(&keys[j], &names[j], SEED);
            suffix_map_prefetch(map, &keys[j]);
        }
        for (size_t j = 0; j < group; j++) {
            held[j] = (struct suffix_depths){{0}};
            suffix_map_sift(map, &keys[j], &held[j]);
        }
        for (size_t j = 0; j < group; j++) {
            *found += find_all(map, &keys[j], &held[j]);
        }
    }
    return (now() - begin) * 1e9 / LOOKUPS;
}

/* Of several turns the one that others on the machine disturbed least. */
static double time_lookups(const struct suffix_map *map, const struct question *questions,
                           size_t group, size_t *found)
{
    double least = time_turn(map, questions, group, found);
    for (unsigned turn = 1; turn < TURNS; turn++) {
        double again = time_turn(map, questions, group, found);
        least = again < least ? again : least;
    }
    return least;
}

static void time_both(const struct suffix_map *map, size_t names, bool hit)
{
    struct question *questions = calloc(LOOKUPS, sizeof *questions);
    size_t found = 0;
    if (questions == NULL) {
        die("no memory");
    }
    ask(questions, names, hit);
    double single = time_lookups(map, questions, 1, &found);
    double grouped = time_lookups(map, questions, GROUP, &found);
    printf("  %-5s one by one %4.0f ns, in groups of %u %4.0f ns (%zu of %u found)\n",
           hit ? "hit:" : "miss:", single, GROUP, grouped, found, LOOKUPS);
    free(questions);
}

static void run(size_t names)
{
    char path[] = "/tmp/list_cost-XXXXXX", why[WHY_MAX];
    int descriptor = mkstemp(path);
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = guard_new("none", NULL, 0, &problems);
    if (descriptor < 0 || guard == NULL) {
        die("cannot begin");
    }
    close(descriptor);
    double mean = write_file(path, names);
    struct file_stream_known known;
    double begin = now();
    if (!file_stream_know(AT_FDCWD, path, NAME_LIST_BYTES_MAX, &known, why)) {
        die(why);
    }
    double digest = now() - begin;
    double before = status_mb("VmRSS:");
    begin = now();
    struct name_list *list = load(path, guard);
    double taken = now() - begin;
    unlink(path);
    const struct suffix_map *map = name_list_map(list);
    printf("%zu names, %.1f octets each, %zu distinct\n", names, mean, suffix_map_names(map));
    printf("  text to sealed map %.2f s, digest alone %.3f s\n", taken, digest);
    printf("  map %.1f MB, resident %.1f MB more, at most %.1f MB more while loading\n",
           (double)suffix_map_bytes(map) / 1e6, status_mb("VmRSS:") - before,
           status_mb("VmHWM:") - before);
    time_both(map, names, false);
    time_both(map, names, true);
    name_list_unref(list);
    guard_free(guard);
}

/* Each size in a process of its own, so that none finds memory warm. */
int main(int argc, char **argv)
{
    static char *defaults[] = {"", "1000000", "10000000"};
    char **sizes = argc > 1 ? argv : defaults;
    int count = argc > 1 ? argc : 3;
    for (int i = 1; i < count; i++) {
        fflush(stdout);
        pid_t child = fork();
        if (child == 0) {
            run(strtoul(sizes[i], NULL, 10));
            return EXIT_SUCCESS;
        }
        int status = 1;
        if (child < 0 || waitpid(child, &status, 0) != child || status != 0) {
            die("a run failed");
        }
    }
    return EXIT_SUCCESS;
}
