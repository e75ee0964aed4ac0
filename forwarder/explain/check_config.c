/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Checking a configuration (see check_config.h).
 */
#include "forwarder/explain/check_config.h"

#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "forwarder/config/config_user.h"
#include "forwarder/explain/check_orders.h"
#include "forwarder/explain/check_rate_limit.h"
#include "forwarder/explain/plain_text.h"
#include "forwarder/explain/problem_report.h"
#include "forwarder/generation/generation.h"
#include "forwarder/generation/generation_shrink.h"
#include "forwarder/generation/trusted_certificates.h"
#include "policy/policy.h"

/* A folder that is not there: what is broken on disk must not be mended from what was kept. */
#define NO_STATE "/dev/null/state"

static struct generation *load_files(const struct generation_options *options,
                                     struct problem_list *problems)
{
    struct config *config = options->config;
    char *state = config->state;
    config->state = strdup(NO_STATE);
    if (config->state == NULL) {
        config->state = state;
        problem_list_add(problems, PROBLEM_ERROR, config->path, 0, 0, "memory is out");
        return NULL;
    }
    struct generation *generation = generation_load(options, problems);
    free(config->state);
    config->state = state;
    return generation;
}

static struct generation *load(struct config *config, struct problem_list *problems)
{
    static const uint8_t no_secret[EDNS_COOKIE_SECRET]; /* nothing is answered */
    struct generation_options options = {
        .config = config,
        .strictness = GENERATION_LENIENT, /* so that what is well-formed is counted */
        .now = (int64_t)time(NULL),
        .process_cookie_secret = no_secret,
    };
    if (getrandom(&options.seed, sizeof options.seed, 0) != sizeof options.seed) {
        problem_list_add(problems, PROBLEM_ERROR, config->path, 0, 0,
                         "the system gives no random numbers");
        return NULL;
    }
    struct generation *generation = load_files(&options, problems);
    if (generation != NULL) {
        check_orders_covered(generation, options.seed, options.now, problems);
        check_orders_overdue(generation, options.now, problems);
        generation_shrink_warn(generation, config->state, problems);
    }
    return generation;
}

/* What an operator should know though nothing is wrong (RFC 9462 section 4). */
static void note_designated_resolvers(const struct config *config, struct problem_list *problems)
{
    if (!config->resolver_arpa_nodata) {
        problem_list_add(problems, PROBLEM_WARNING, config->path, 0, 0,
                         "resolver-arpa is forward: the resolvers that upstream designates must "
                         "stand behind Bailiwick too, or clients go around it");
    }
}

/* How much of the orders was judged. */
enum coverage {
    COVERAGE_WHOLE,
    COVERAGE_DRAFT, /* with the defaults of what is wrong in forwarder.conf */
    COVERAGE_NONE,
};

static enum coverage coverage_of(const struct config *config, const struct problem_list *problems)
{
    if (config == NULL || config->orders == NULL) {
        return COVERAGE_NONE;
    }
    return problems->errors == 0 ? COVERAGE_WHOLE : COVERAGE_DRAFT;
}

static void print_counts(const struct problem_list *problems, const struct generation *generation,
                         enum coverage coverage, FILE *out)
{
    static const char *const tails[] = {
        [COVERAGE_WHOLE] = "",
        [COVERAGE_DRAFT] = ("; orders were judged with the defaults of what is wrong in "
                            "forwarder.conf"),
        [COVERAGE_NONE] = "; orders were not read: mend forwarder.conf first",
    };
    size_t orders = generation == NULL ? 0 : policy_order_count(generation->policy);
    size_t names = generation == NULL ? 0 : policy_names(generation->policy);
    const struct {
        size_t count;
        const char *one;
        const char *many;
    } counts[] = {{problems->errors, "error", "errors"},
                  {problems->count - problems->errors, "warning", "warnings"},
                  {orders, "order", "orders"},
                  {names, "name", "names"}};
    size_t shown = coverage == COVERAGE_WHOLE || generation != NULL ? 4 : 2;
    for (size_t i = 0; i < shown; i++) {
        char text[PLAIN_TEXT_COUNT_MAX];
        fprintf(out, "%s%s", i == 0 ? "" : ", ",
                plain_text_count(counts[i].count, counts[i].one, counts[i].many, text));
    }
    fprintf(out, "%s\n", tails[coverage]);
}

/* A start would end there. */
static void check_user(const struct config *config, struct problem_list *problems)
{
    struct passwd entry;
    char room[CONFIG_USER_ROOM], why[WHY_MAX];
    if (config->user != NULL && !config_user_find(config->user, &entry, room, why)) {
        const struct config_place place = config_place_of(config, "user");
        problem_list_add(problems, PROBLEM_ERROR, config->path, place.line, place.column, "%s",
                         why);
    }
}

/* The certificates of `upstream.tls-ca` belong to no generation, so loading one does not read them.
 */
static void check_upstream(const struct config *config, struct problem_list *problems)
{
    char why[WHY_MAX];
    if (!trusted_certificates_wanted(&config->upstream)) {
        return;
    }
    X509_STORE *trusted = trusted_certificates_read(&config->upstream, why);
    if (trusted == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, config->path, config->upstream_place.line,
                         config->upstream_place.column, "%s", why);
    }
    X509_STORE_free(trusted);
}

/* What is told of a configuration as a whole. */
static void check_whole(const struct config *config, struct problem_list *problems)
{
    check_upstream(config, problems);
    note_designated_resolvers(config, problems);
    check_rate_limit(config, problems);
}

int check_config_run(const char *path, FILE *out)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct config *config = config_read_draft(path, &problems);
    enum coverage coverage = coverage_of(config, &problems);
    if (config != NULL) {
        check_user(config, &problems);
    }
    struct generation *generation = coverage == COVERAGE_NONE ? NULL : load(config, &problems);
    if (coverage == COVERAGE_WHOLE) {
        check_whole(config, &problems);
    }
    problem_report(&problems, out);
    print_counts(&problems, generation, coverage, out);
    int status = generation != NULL && problems.errors == 0 ? 0 : 1;
    generation_free(generation);
    config_free(config);
    problem_list_fini(&problems);
    return status;
}
