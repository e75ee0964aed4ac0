/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What one step of the path costs, by itself: a step over many inputs in a loop, with a clock
 * around it or an instruction counter (valgrind --tool=callgrind --toggle-collect=cost_measured).
 *
 * usage: cost CONFIG SOURCES NAMES COUNT [STEP...]
 *
 * CONFIG is a forwarder.conf; SOURCES has an IPv4 address a line, NAMES a name a line; both are
 * taken in turn. Prints a line for each STEP (all of them): its name, nanoseconds, how often.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "forwarder/explain/problem_report.h"
#include "forwarder/generation/generation.h"
#include "forwarder/log.h"
#include "forwarder/order_answer.h"
#include "forwarder/query.h"
#include "forwarder/query_seen.h"
#include "forwarder/rate_limit.h"
#include "forwarder/upstream/inflight.h"
#include "forwarder/upstream/upstream_counts.h"
#include "geo/geo_memo.h"

#define MEMO_ENTRIES 65536
#define MESSAGE_MAX 300
#define RATE 1000 /* queries a second and client */
#define SEED 42   /* of suffix maps: the same in every run */

struct question {
    uint16_t size;
    uint8_t octets[MESSAGE_MAX];
    struct dname name;
};

struct world {
    struct config *config;
    struct generation *generation;
    struct geo_memo *memo;
    struct inflight *inflight;
    struct rate_limit *limit;
    struct address *sources;
    size_t source_count;
    struct question *questions;
    size_t question_count;
    int64_t now;
};

static void fail(const char *what)
{
    fprintf(stderr, "cost: %s\n", what);
    exit(1);
}

/* ---- Inputs ---- */

static bool read_line(FILE *file, char *line, size_t size)
{
    if (fgets(line, (int)size, file) == NULL) {
        return false;
    }
    line[strcspn(line, "\n")] = '\0';
    return true;
}

static size_t count_lines(FILE *file)
{
    char line[256];
    size_t count = 0;
    while (read_line(file, line, sizeof line)) {
        count++;
    }
    rewind(file);
    return count;
}

static FILE *open_lines(const char *path, size_t *count)
{
    FILE *file = fopen(path, "re");
    if (file == NULL || (*count = count_lines(file)) == 0) {
        fail(path);
    }
    return file;
}

static void read_sources(struct world *world, const char *path)
{
    char line[256];
    size_t count;
    FILE *file = open_lines(path, &count);
    world->sources = calloc(count, sizeof *world->sources);
    while (world->sources != NULL && read_line(file, line, sizeof line)) {
        if (!address_parse(line, strlen(line), &world->sources[world->source_count++])) {
            fail(line);
        }
    }
    fclose(file);
}

/* A query of type A with a bare OPT, as the generator asks. */
static void make_question(struct question *out, const char *text)
{
    static const uint8_t header[] = {0, 7, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1};
    static const uint8_t tail[] = {0, 1, 0, 1, 0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0};
    char why[WHY_MAX];
    if (!dname_parse(text, strlen(text), &out->name, why)) {
        fail(why);
    }
    struct span_writer writer = span_writer(out->octets, sizeof out->octets);
    span_write(&writer, (struct span){header, sizeof header});
    span_write(&writer, (struct span){out->name.wire, out->name.size});
    span_write(&writer, (struct span){tail, sizeof tail});
    out->size = (uint16_t)writer.size;
}

static void read_names(struct world *world, const char *path)
{
    char line[256];
    size_t count;
    FILE *file = open_lines(path, &count);
    world->questions = calloc(count, sizeof *world->questions);
    while (world->questions != NULL && read_line(file, line, sizeof line)) {
        make_question(&world->questions[world->question_count++], line);
    }
    fclose(file);
}

static void load(struct world *world, const char *path)
{
    static const uint8_t secret[EDNS_COOKIE_SECRET];
    struct problem_list problems;
    problem_list_init(&problems);
    world->now = time(NULL);
    world->config = config_read(path, &problems);
    if (world->config == NULL) {
        problem_report(&problems, stderr);
        fail("the configuration cannot be read");
    }
    world->generation = generation_load(
        &(struct generation_options){
            .config = world->config,
            .strictness = GENERATION_STRICT,
            .seed = SEED,
            .now = world->now,
            .process_cookie_secret = secret,
        },
        &problems);
    if (world->generation == NULL) {
        problem_report(&problems, stderr);
        fail("the orders or the database cannot be loaded");
    }
    problem_list_fini(&problems);
    world->memo = geo_memo_new(MEMO_ENTRIES);
    world->inflight = inflight_new(1024);
    world->limit = rate_limit_new();
    world->config->rate_limit.queries = RATE;
    if (world->memo == NULL || world->inflight == NULL || world->limit == NULL) {
        fail("out of memory");
    }
    geo_memo_reset(world->memo, world->generation->db, world->generation->overrides);
}

/* ---- Steps ---- */

static const struct address *source_of(const struct world *world, size_t turn)
{
    return &world->sources[turn % world->source_count];
}

static const struct question *question_of(const struct world *world, size_t turn)
{
    return &world->questions[turn % world->question_count];
}

static uint64_t find_country(struct world *world, size_t turn)
{
    struct place place;
    geo_memo_find(world->memo, source_of(world, turn), &place);
    return country_index(place.country);
}

static uint64_t locate_country(struct world *world, size_t turn)
{
    struct location location;
    locate(world->generation->db, world->generation->overrides, source_of(world, turn), &location);
    return country_index(location.country);
}

static uint64_t decide(struct world *world, size_t turn)
{
    struct policy_match match;
    struct policy_client client = {.address = *source_of(world, turn)};
    const struct policy_question question = {
        .qname = &question_of(world, turn)->name, .qtype = DNS_TYPE_A, .now = world->now};
    country_parse("IT", 2, &client.country);
    return policy_decide(world->generation->policy, &client, &question, &match, NULL, NULL);
}

static uint64_t parse(struct world *world, size_t turn)
{
    const struct question *question = question_of(world, turn);
    struct span message = {question->octets, question->size};
    struct dns_question decoded;
    struct edns_query edns;
    struct dname name;
    dns_question_decode(message, &decoded);
    edns_query_decode(message, &decoded, &edns);
    dname_decode(decoded.qname.bytes, decoded.qname.size, &name);
    return name.size + edns.udp_size;
}

static void note_nothing(void *ctx, const struct policy_match *match)
{
    (void)ctx;
    (void)match;
}

static uint64_t judge(struct world *world, size_t turn)
{
    static uint8_t out[BLOCK_ANSWER_MAX];
    struct query_result result;
    struct query_env env = {.generation = world->generation,
                            .memo = world->memo,
                            .now = world->now,
                            .on_shadow = note_nothing};
    struct query_client client = {.address = *source_of(world, turn),
                                  .subject = *source_of(world, turn)};
    const struct question *question = question_of(world, turn);
    query_judge(&env, &client, (struct span){question->octets, question->size}, &result, out);
    return result.reason;
}

/* From a match to the octets of an answer. */
static uint64_t block(struct world *world, size_t turn)
{
    static uint8_t out[BLOCK_ANSWER_MAX];
    const struct question *question = question_of(world, turn);
    const struct address *client = source_of(world, turn);
    struct query_env env = {.generation = world->generation, .now = world->now};
    struct query_client who = {.address = *client};
    struct query_seen seen = {.client = &who, .message = {question->octets, question->size}};
    struct policy_match match = {.labels = question->name.labels - 1U, .end = ORDER_FOR_GOOD};
    struct query_result result;
    struct order_answer_query asked = {
        .block = &seen.block, .qname = &question->name, .client = client};
    if (!dns_header_decode(seen.message, &seen.block.header) || !query_seen_question(&seen)) {
        fail("a question");
    }
    query_seen_opt(&seen);
    order_answer(&env, &asked, &match, &result, out);
    return result.size;
}

/* As the daemon has them from one receive: read together, then judged. */
static uint64_t judge_batch(struct world *world, size_t turn)
{
    enum {
        BATCH = 16
    };
    static uint8_t out[BLOCK_ANSWER_MAX];
    static struct query_read read[BATCH];
    static struct query_client client[BATCH];
    struct query_env env = {.generation = world->generation,
                            .memo = world->memo,
                            .now = world->now,
                            .on_shadow = note_nothing};
    uint64_t sum = 0;
    if (turn % BATCH != 0) {
        return 0;
    }
    for (size_t i = 0; i < BATCH; i++) {
        client[i].address = client[i].subject = *source_of(world, turn + i);
        geo_memo_prefetch(world->memo, &client[i].address);
    }
    for (size_t i = 0; i < BATCH; i++) {
        const struct question *question = question_of(world, turn + i);
        query_read(&env, &client[i], (struct span){question->octets, question->size}, &read[i]);
    }
    for (size_t i = 0; i < BATCH; i++) {
        query_sift(&env, &read[i]);
    }
    for (size_t i = 0; i < BATCH; i++) {
        struct query_result result;
        query_decide(&env, &read[i], &result, out);
        sum += result.reason;
    }
    return sum;
}

static uint64_t add_and_take(struct world *world, size_t turn)
{
    static struct inflight_channel channel = {.number = 1};
    static struct upstream_counts counts;
    const struct question *question = question_of(world, turn);
    struct span message = {question->octets, question->size};
    channel.counts = &counts;
    struct inflight_entry *entry = inflight_add(world->inflight, message, turn);
    if (entry == NULL || !inflight_attempt(world->inflight, entry, &channel, (uint16_t)turn)) {
        fail("the in-flight table");
    }
    entry = inflight_find(world->inflight, &channel, (uint16_t)turn);
    inflight_take(world->inflight, entry);
    return entry->message_size;
}

/* Each turn is a millisecond, so that nobody is over the limit: what counting costs. */
static uint64_t count_rate(struct world *world, size_t turn)
{
    struct query_client client = {.address = *source_of(world, turn)};
    return rate_limit_query(world->limit, world->config, &client, RATE + turn);
}

static const struct step {
    const char *name;
    uint64_t (*run)(struct world *world, size_t turn);
} steps[] = {
    {"country", find_country},  {"country-unremembered", locate_country},
    {"parse", parse},           {"verdict", decide},
    {"query", judge},           {"query-batched", judge_batch},
    {"block", block},           {"in-flight", add_and_take},
    {"rate-limit", count_rate},
};
#define STEPS (sizeof steps / sizeof *steps)

/* ---- Measuring ---- */

/* The name that an instruction counter toggles at: not to be inlined. */
uint64_t cost_measured(struct world *world, const struct step *step, size_t count);
__attribute__((noinline)) uint64_t cost_measured(struct world *world, const struct step *step,
                                                 size_t count)
{
    uint64_t sum = 0;
    for (size_t turn = 0; turn < count; turn++) {
        sum += step->run(world, turn);
    }
    return sum;
}

static double now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static bool is_wanted(const struct step *step, char **names)
{
    for (char **name = names; *name != NULL; name++) {
        if (strcmp(*name, step->name) == 0) {
            return true;
        }
    }
    return *names == NULL;
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fputs("usage: cost CONFIG SOURCES NAMES COUNT [STEP...]\n", stderr);
        return 2;
    }
    struct world world = {0};
    size_t count = strtoul(argv[4], NULL, 10);
    log_set_level(LOG_LEVEL_ERROR);
    read_sources(&world, argv[2]);
    read_names(&world, argv[3]);
    load(&world, argv[1]);
    for (size_t i = 0; i < STEPS; i++) {
        if (is_wanted(&steps[i], argv + 5)) {
            double start = now_ns();
            uint64_t sum = cost_measured(&world, &steps[i], count);
            double ns = (now_ns() - start) / (double)count;
            printf("%s %.1f %zu %" PRIu64 "\n", steps[i].name, ns, count, sum);
        }
    }
    rate_limit_free(world.limit);
    inflight_free(world.inflight);
    geo_memo_free(world.memo);
    generation_free(world.generation);
    config_free(world.config);
    free(world.sources);
    free(world.questions);
    return 0;
}
