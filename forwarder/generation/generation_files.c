/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Single files of a load. Invariant: whatever is taken from `state` has the SHA-256 it was kept
 * with; what cannot be read is an error that names the file, whatever stands in for it.
 */
#include "forwarder/generation/generation_files.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/generation_work.h"
#include "forwarder/generation/state.h"
#include "geo/geo_db.h"
#include "geo/overrides.h"
#include "policy/guard.h"
#include "policy/instant.h"

#define PROTECTED_BYTES_MAX (16U * 1024U * 1024U)
#define OVERRIDES_BYTES_MAX (256U * 1024U * 1024U)
#define SECRET_BYTES_MAX 256U

__attribute__((format(printf, 4, 5))) static void say(const struct generation_work *work,
                                                      enum problem_level level, const char *file,
                                                      const char *format, ...)
{
    char text[2 * WHY_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    problem_list_add(work->problems, level, file, 0, 0, "%s", text);
}

/* Describes what is kept under state of a file of its own. False if nothing can be used; what is
 * damaged is an error in the file that it was to stand in for. */
static bool find_kept(const struct generation_work *work, const char *kind, const char *path,
                      const char *file, struct state_version *out)
{
    const struct state_key key = {work->options->config->state, kind, path};
    char why[WHY_MAX];
    enum state_outcome outcome = state_read(&key, out, why);
    if (outcome == STATE_DAMAGED) {
        say(work, PROBLEM_ERROR, file, "its last good version is not used: %s", why);
    }
    return outcome == STATE_KEPT;
}

/* Reads the bytes of what is kept. */
static bool read_kept(const struct generation_work *work, const char *kind, const char *path,
                      const char *file, struct file_bytes *out)
{
    struct state_version kept;
    char why[WHY_MAX];
    *out = (struct file_bytes){0};
    if (!find_kept(work, kind, path, file, &kept)) {
        return false;
    }
    bool read = state_part_read(&kept.parts[0], out, why);
    if (!read) {
        say(work, PROBLEM_ERROR, file, "its last good version is not used: %s", why);
    }
    state_version_fini(&kept);
    return read;
}

/* ---- What is protected ---- */

/* One of the two texts that the guard is made from. */
struct protected_text {
    const char *path; /* as configured; NULL: there is none */
    const char *kept; /* its name under state */
    bool (*use)(struct generation_work *work, const char *name, const struct file_bytes *file,
                struct problem_list *problems);
    struct file_bytes *held;         /* by the generation, once it is used */
    const struct file_bytes *before; /* by the generation before; NULL: there is none */
};

/* The guard is made over the names. */
static bool use_names(struct generation_work *work, const char *name, const struct file_bytes *file,
                      struct problem_list *problems)
{
    work->guard = guard_new(name, file->bytes, file->size, problems);
    return work->guard != NULL;
}

/* And gets the networks then. */
static bool use_networks(struct generation_work *work, const char *name,
                         const struct file_bytes *file, struct problem_list *problems)
{
    return guard_protect_networks(work->guard, name, file->bytes, file->size, problems);
}

/* Uses these bytes, which become the generation's; false with errors in problems. */
static bool use_text(struct generation_work *work, const struct protected_text *text,
                     struct file_bytes *file, struct problem_list *problems)
{
    bool used = text->use(work, text->path, file, problems);
    if (used) {
        *text->held = *file;
        *file = (struct file_bytes){0};
    }
    return used;
}

static bool use_last_good(struct generation_work *work, const struct protected_text *text)
{
    struct problem_list ignored;
    struct file_bytes file = {0};
    if (text->before != NULL) {
        const struct file_bytes *old = text->before;
        if (old->bytes == NULL || !file_bytes_copy(old->bytes, old->size, &file)) {
            return false;
        }
    } else if (!read_kept(work, "block", text->kept, text->path, &file)) {
        return false;
    }
    problem_list_init(&ignored);
    bool used = use_text(work, text, &file, &ignored);
    problem_list_fini(&ignored);
    file_bytes_fini(&file);
    return used;
}

static void read_text(struct generation_work *work, const struct protected_text *text)
{
    struct file_bytes file = {0};
    char why[WHY_MAX];
    bool used = false;
    if (text->path == NULL) {
        return;
    }
    if (!generation_is_unfinished(work, AT_FDCWD, text->path, why) &&
        file_bytes_read(AT_FDCWD, text->path, PROTECTED_BYTES_MAX, &file, why)) {
        used = use_text(work, text, &file, work->problems);
    } else {
        say(work, PROBLEM_ERROR, text->path, "%s", why);
    }
    file_bytes_fini(&file);
    if (!used && !use_last_good(work, text)) {
        say(work, PROBLEM_ERROR, text->path, "without it an order might block what is protected");
        work->unusable = true;
    }
}

void generation_files_read_protected(struct generation_work *work)
{
    const struct config_block *block = &work->options->config->block;
    const struct generation *before = work->options->before;
    struct generation_private *private = work->result->private;
    const struct protected_text names = {block->protected_names, "protected-names", use_names,
                                         &private->protected_names,
                                         before == NULL ? NULL : &before->private->protected_names};
    const struct protected_text networks = {
        block->protected_networks, "protected-networks", use_networks, &private->protected_networks,
        before == NULL ? NULL : &before->private->protected_networks};
    read_text(work, &names);
    if (work->guard == NULL) {
        work->guard = guard_new("", NULL, 0, work->problems);
    }
    if (work->guard != NULL) {
        read_text(work, &networks);
    }
    work->unusable = work->unusable || work->guard == NULL;
}

/* ---- Database ---- */

static struct geo_db *open_kept_database(const struct generation_work *work)
{
    const struct config *config = work->options->config;
    struct state_version kept;
    char why[WHY_MAX];
    if (!find_kept(work, "geo", "database", config->geo_database, &kept)) {
        return NULL;
    }
    struct geo_db *db = geo_db_open(kept.parts[0].file, config->geo_field, why);
    if (db == NULL) {
        say(work, PROBLEM_ERROR, config->geo_database, "its last good version is not used: %s",
            why);
    } else if (memcmp(geo_db_sha256(db), kept.parts[0].sha256, FILE_BYTES_SHA256) != 0) {
        say(work, PROBLEM_ERROR, config->geo_database,
            "its last good version is not used: %s is damaged", kept.parts[0].file);
        geo_db_unref(db);
        db = NULL;
    }
    state_version_fini(&kept);
    return db;
}

/* An older database answers for networks that have moved since. */
static void warn_of_age(const struct generation_work *work)
{
    const struct config *config = work->options->config;
    int64_t built = geo_db_built(work->result->db);
    if (work->options->now - built > config->geo_max_age_s) {
        char when[INSTANT_TEXT_MAX];
        say(work, PROBLEM_WARNING, config->geo_database,
            "the database was built at %s, longer ago than geo.max-age allows",
            instant_format(built, when));
    }
}

/* The same bytes read the same way: one copy in memory is enough. */
static bool same_database(const struct generation *before, const struct geo_db *db,
                          enum geo_field field)
{
    return before != NULL && before->private->geo_field == field &&
           memcmp(geo_db_sha256(before->db), geo_db_sha256(db), FILE_BYTES_SHA256) == 0;
}

void generation_files_read_database(struct generation_work *work)
{
    const struct config *config = work->options->config;
    const struct generation *before = work->options->before;
    struct generation *result = work->result;
    char why[WHY_MAX];
    if (config->geo_database == NULL) { /* of a draft, and said when that was read */
        work->unusable = true;
        return;
    }
    struct geo_db *db = generation_is_unfinished(work, AT_FDCWD, config->geo_database, why)
                            ? NULL
                            : geo_db_open(config->geo_database, config->geo_field, why);
    result->private->geo_field = config->geo_field;
    if (db == NULL) {
        say(work, PROBLEM_ERROR, config->geo_database, "%s", why);
    }
    if (db == NULL && before != NULL) {
        db = geo_db_ref(before->db);
        result->private->geo_field = before->private->geo_field;
        result->db_last_good = true;
    } else if (db == NULL) {
        db = open_kept_database(work);
        result->db_last_good = db != NULL;
    } else if (same_database(before, db, config->geo_field)) {
        geo_db_unref(db);
        db = geo_db_ref(before->db);
    }
    result->db = db;
    if (db != NULL) {
        warn_of_age(work);
    } else {
        work->unusable = true;
    }
}

/* ---- Overrides ---- */

static void take_overrides(struct generation_work *work, struct overrides *overrides,
                           const uint8_t sha256[static FILE_BYTES_SHA256])
{
    work->result->overrides = overrides;
    memcpy(work->result->private->overrides_sha256, sha256, FILE_BYTES_SHA256);
}

static void fall_back_to_overrides(struct generation_work *work)
{
    const char *name = work->options->config->geo_overrides;
    const struct generation *before = work->options->before;
    struct problem_list ignored;
    struct file_bytes file;
    if (before != NULL) {
        take_overrides(work, overrides_ref(before->overrides), before->private->overrides_sha256);
    } else if (read_kept(work, "geo", "overrides", name, &file)) {
        problem_list_init(&ignored);
        take_overrides(work, overrides_parse(name, file.bytes, file.size, &ignored), file.sha256);
        problem_list_fini(&ignored);
        file_bytes_fini(&file);
    }
    work->result->overrides_last_good = work->result->overrides != NULL;
}

/* A file of no octets is one that is being written; whoever means none says so by a comment. */
static struct overrides *parse_overrides(struct generation_work *work, const char *name,
                                         const struct file_bytes *file)
{
    if (file->size == 0) {
        say(work, PROBLEM_ERROR, name,
            "the file is empty; where nothing is to be overridden, it needs a comment");
        return NULL;
    }
    return overrides_parse(name, file->bytes, file->size, work->problems);
}

void generation_files_read_overrides(struct generation_work *work)
{
    const char *name = work->options->config->geo_overrides;
    struct file_bytes file;
    char why[WHY_MAX];
    if (name == NULL) {
        return;
    }
    if (generation_is_unfinished(work, AT_FDCWD, name, why) ||
        !file_bytes_read(AT_FDCWD, name, OVERRIDES_BYTES_MAX, &file, why)) {
        say(work, PROBLEM_ERROR, name, "%s", why);
        fall_back_to_overrides(work);
        return;
    }
    struct overrides *overrides = parse_overrides(work, name, &file);
    if (overrides != NULL) {
        take_overrides(work, overrides, file.sha256);
        work->overrides = file;
    } else {
        file_bytes_fini(&file);
        fall_back_to_overrides(work);
    }
}

/* ---- Block settings ---- */

static int hex_value(char digit)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    const char *found = digit == '\0' ? NULL : strchr(digits, digit);
    ptrdiff_t at = found == NULL ? -1 : found - digits;
    return (int)(at < 16 ? at : at - 6);
}

/* A secret is 16 octets, or 32 hexadecimal digits with or without an end of line. */
static bool parse_secret(const struct file_bytes *file, uint8_t out[static EDNS_COOKIE_SECRET])
{
    if (file->size == EDNS_COOKIE_SECRET) {
        memcpy(out, file->bytes, EDNS_COOKIE_SECRET);
        return true;
    }
    size_t size = 2 * EDNS_COOKIE_SECRET;
    if (file->size < size || strspn(file->bytes + size, "\r\n") != file->size - size) {
        return false;
    }
    for (size_t i = 0; i < EDNS_COOKIE_SECRET; i++) {
        int high = hex_value(file->bytes[2 * i]), low = hex_value(file->bytes[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

static void read_secret(struct generation_work *work)
{
    const char *name = work->options->config->block.cookie_secret;
    const struct generation *before = work->options->before;
    uint8_t *out = work->result->cookie_secret;
    const uint8_t *process = work->options->process_cookie_secret;
    struct file_bytes file = {0};
    char why[WHY_MAX] = "needs 16 bytes or 32 hexadecimal digits";
    if (name != NULL && file_bytes_read(AT_FDCWD, name, SECRET_BYTES_MAX, &file, why) &&
        parse_secret(&file, out)) {
        explicit_bzero(file.bytes, file.size);
        file_bytes_fini(&file);
        return;
    }
    if (name != NULL) {
        say(work, PROBLEM_ERROR, name, "%s", why);
        file_bytes_fini(&file);
    }
    const uint8_t *other = name != NULL && before != NULL ? before->cookie_secret : process;
    if (other != NULL) {
        memcpy(out, other, EDNS_COOKIE_SECRET);
    }
}

/* The local part of a mailbox as a label, with escapes such as %2B taken back (RFC 3986
 * section 2.1; the configuration has seen that each has its two digits). False if it is none or too
 * long. */
static bool put_local_part(const char *text, size_t len, uint8_t label[static 1 + DNAME_LABEL_MAX])
{
    label[0] = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned octet = (unsigned char)text[i];
        if (octet == '%') {
            char digits[] = {text[i + 1], text[i + 2], '\0'};
            octet = (unsigned)strtoul(digits, NULL, 16);
            i += 2;
        }
        if (label[0] == DNAME_LABEL_MAX) {
            return false;
        }
        label[++label[0]] = (uint8_t)octet;
    }
    return label[0] > 0;
}

/* The first mailbox of a mailto URI (RFC 6068) as RNAME (RFC 1035 section 8): the local part is one
 * label. */
static bool parse_mailbox(const char *uri, struct span *rname, uint8_t out[static DNAME_MAX])
{
    const char *local = uri + strlen("mailto:");
    size_t len = strcspn(local, "?,");
    const char *at = memrchr(local, '@', len);
    size_t local_len = at == NULL ? 0 : (size_t)(at - local);
    struct dname domain;
    char why[WHY_MAX];
    if (!put_local_part(local, local_len, out) ||
        !dname_parse(at + 1, len - local_len - 1, &domain, why) || domain.labels == 0 ||
        1U + out[0] + domain.size > DNAME_MAX) {
        return false;
    }
    memcpy(out + 1 + out[0], domain.wire, domain.size);
    *rname = (struct span){out, 1U + out[0] + domain.size};
    return true;
}

static void read_rname(struct generation_work *work)
{
    const struct config_block *block = &work->options->config->block;
    for (size_t i = 0; i < block->contact_count; i++) {
        if (strncmp(block->contacts[i], "mailto:", strlen("mailto:")) == 0) {
            if (!parse_mailbox(block->contacts[i], &work->result->soa_rname,
                               work->result->private->soa_rname)) {
                say(work, PROBLEM_WARNING, work->options->config->path,
                    "block.contact %s is no mailbox that an SOA record can name",
                    block->contacts[i]);
            }
            return;
        }
    }
}

void generation_files_read_block(struct generation_work *work)
{
    read_secret(work);
    read_rname(work);
}
