/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Certificates and keys of a load (see generation_tls.h).
 */
#include "forwarder/generation/generation_tls.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/generation_work.h"
#include "forwarder/stream/tls_pair.h"
#include "policy/instant.h"

#define PEM_BYTES_MAX (1024U * 1024U)
#define SOON_S (14 * 24 * 3600) /* before a certificate ends a warning is given */

struct tls_pair *generation_tls_find(const struct generation *generation,
                                     const struct config_listen *listen)
{
    if (generation == NULL || listen->certificate == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < generation->pair_count; i++) {
        if (tls_pair_is_of(generation->pairs[i], listen->certificate, listen->key)) {
            return generation->pairs[i];
        }
    }
    return NULL;
}

void generation_tls_free(struct generation *generation)
{
    for (size_t i = 0; i < generation->pair_count; i++) {
        tls_pair_unref(generation->pairs[i]);
    }
    free(generation->pairs);
}

static bool read_file(const struct generation_work *work, const char *path, struct file_bytes *out)
{
    char why[WHY_MAX];
    if (generation_is_unfinished(work, AT_FDCWD, path, why) ||
        !file_bytes_read(AT_FDCWD, path, PEM_BYTES_MAX, out, why)) {
        problem_list_add(work->problems, PROBLEM_ERROR, path, 0, 0, "%s", why);
        return false;
    }
    return true;
}

static bool read_files(const struct generation_work *work, struct tls_files *files)
{
    if (!read_file(work, files->certificate, &files->certificate_bytes)) {
        return false;
    }
    if (!read_file(work, files->key, &files->key_bytes)) {
        file_bytes_fini(&files->certificate_bytes);
        return false;
    }
    return true;
}

static void free_files(struct tls_files *files)
{
    explicit_bzero(files->key_bytes.bytes, files->key_bytes.size);
    file_bytes_fini(&files->key_bytes);
    file_bytes_fini(&files->certificate_bytes);
}

/* The pair as it is on disk now; NULL with a problem. */
static struct tls_pair *read_pair(const struct generation_work *work, struct tls_files *files,
                                  struct tls_pair *before)
{
    struct tls_fault fault;
    if (!read_files(work, files)) {
        return NULL;
    }
    if (before != NULL && tls_pair_is_same(before, files)) {
        free_files(files);
        return tls_pair_ref(before);
    }
    struct tls_pair *pair = tls_pair_new(files, work->options->tickets, &fault);
    if (pair == NULL) {
        problem_list_add(work->problems, PROBLEM_ERROR,
                         fault.in_key ? files->key : files->certificate, 0, 0, "%s", fault.why);
    }
    return pair;
}

/* Clients will refuse it, or soon. */
static void warn_of_dates(const struct generation_work *work, const char *certificate,
                          const struct tls_pair *pair)
{
    int64_t now = work->options->now;
    int64_t ends = tls_pair_ends(pair);
    char when[INSTANT_TEXT_MAX];
    if (tls_pair_begins(pair) > now) {
        problem_list_add(work->problems, PROBLEM_WARNING, certificate, 0, 0,
                         "the certificate is not valid before %s",
                         instant_format(tls_pair_begins(pair), when));
    } else if (ends < now) {
        problem_list_add(work->problems, PROBLEM_WARNING, certificate, 0, 0,
                         "the certificate ended at %s", instant_format(ends, when));
    } else if (ends - now < SOON_S) {
        problem_list_add(work->problems, PROBLEM_WARNING, certificate, 0, 0,
                         "the certificate ends at %s", instant_format(ends, when));
    }
}

static void take_pair(struct generation_work *work, const struct config_listen *listen)
{
    struct generation *result = work->result;
    struct tls_pair *before = generation_tls_find(work->options->before, listen);
    struct tls_files files = {.certificate = listen->certificate, .key = listen->key};
    struct tls_pair *pair = read_pair(work, &files, before);
    if (pair == NULL && before != NULL) {
        pair = tls_pair_ref(before);
    }
    if (pair != NULL) {
        warn_of_dates(work, listen->certificate, pair);
        result->pairs[result->pair_count++] = pair;
    } else {
        problem_list_add(work->problems, PROBLEM_WARNING, work->options->config->path,
                         listen->place.line, listen->place.column,
                         "this item of listen serves nobody until its certificate and key can be "
                         "used");
    }
}

/* Is it the first listener with these files? */
static bool is_first(const struct config *config, size_t row)
{
    const struct config_listen *listen = &config->listen[row];
    for (size_t i = 0; i < row; i++) {
        const struct config_listen *other = &config->listen[i];
        if (other->certificate != NULL && strcmp(other->certificate, listen->certificate) == 0 &&
            strcmp(other->key, listen->key) == 0) {
            return false;
        }
    }
    return true;
}

void generation_tls_read(struct generation_work *work)
{
    const struct config *config = work->options->config;
    work->result->pairs = calloc(config->listen_count + 1, sizeof(struct tls_pair *));
    if (work->result->pairs == NULL) {
        work->unusable = true;
        return;
    }
    for (size_t i = 0; i < config->listen_count; i++) {
        if (config->listen[i].certificate != NULL && is_first(config, i)) {
            take_pair(work, &config->listen[i]);
        }
    }
}
