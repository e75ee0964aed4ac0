/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick audit verify`: is the record as it was written, from its first line to its last,
 * and is all of it there?
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/audit/audit_chain.h"
#include "forwarder/cli/audit_evidence.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cmd_audit.h"
#include "forwarder/explain/json_put.h"
#include "forwarder/explain/plain_text.h"
#include "policy/instant.h"

struct verification {
    const uint8_t *wanted; /* a hash that must be there; NULL: none */
    bool found;
    const uint8_t *after; /* that of the record before the first; NULL: not told */
    struct audit_evidence evidence;
    FILE *problems;
    size_t gaps;
};

static bool on_record(void *ctx, const struct audit_place *place, const struct audit_record *record)
{
    static const char gap[] = ",\"event\":\"gap\",";
    struct verification *verification = ctx;
    (void)place;
    if (verification->wanted != NULL &&
        memcmp(record->head.hash, verification->wanted, FILE_BYTES_SHA256) == 0) {
        verification->found = true;
    }
    audit_evidence_note(&verification->evidence, record);
    verification->gaps += memmem(record->text, record->size, gap, sizeof gap - 1) != NULL ? 1 : 0;
    return true;
}

static void on_fault(void *ctx, const struct audit_place *place, const char *what)
{
    const struct verification *verification = ctx;
    fprintf(verification->problems, "%s:%u: %s\n", place->file, place->line, what);
}

static void on_torn(void *ctx, const struct audit_place *place, size_t octets, size_t zeros)
{
    const struct verification *verification = ctx;
    if (zeros > 0) {
        fprintf(verification->problems,
                "%s:%u: note: a line of %zu octets, of which %zu are zero, left by a power cut: "
                "several records may be missing here; the record after it tells of the line\n",
                place->file, place->line, octets, zeros);
        return;
    }
    fprintf(verification->problems,
            "%s:%u: note: half a line of %zu octets, left by a crash or a full disk; the record "
            "after it tells of it\n",
            place->file, place->line, octets);
}

static bool show_json(const struct audit_chain *chain, const struct verification *verification,
                      bool ok)
{
    bool any = chain->records > 0;
    json_t *object = json_object();
    json_put(&object, "ok", json_boolean(ok));
    json_put(&object, "records", json_integer((json_int_t)chain->records));
    json_put_sha256(&object, "prev", chain->first > 1 ? chain->prev : NULL);
    json_put(&object, "first", json_integer((json_int_t)chain->first));
    json_put(&object, "last", json_integer((json_int_t)chain->head.seq));
    json_put_instant(&object, "first_time", any ? chain->first_time : INT64_MIN);
    json_put_instant(&object, "last_time", any ? chain->last_time : INT64_MIN);
    json_put_sha256(&object, "hash", any ? chain->head.hash : NULL);
    json_put(&object, "faults", json_integer((json_int_t)chain->faults));
    json_put(&object, "cut_short", json_boolean(chain->tail > 0));
    json_put(&object, "half_lines", json_integer((json_int_t)chain->torn));
    json_put(&object, "zero_octets", json_integer((json_int_t)chain->zeros));
    json_put(&object, "gaps", json_integer((json_int_t)verification->gaps));
    bool shown = cli_output_json(object);
    json_decref(object);
    return shown;
}

static void show_text(const struct audit_chain *chain, const struct verification *verification,
                      bool ok)
{
    char first[INSTANT_TEXT_MAX], last[INSTANT_TEXT_MAX], hex[FILE_BYTES_HEX_MAX];
    char zeros[WHY_MAX] = "", count[PLAIN_TEXT_COUNT_MAX];
    char records[PLAIN_TEXT_COUNT_MAX], faults[PLAIN_TEXT_COUNT_MAX], gaps[PLAIN_TEXT_COUNT_MAX];
    plain_text_count(chain->records, "record", "records", records);
    if (chain->records == 0) {
        printf("%s: %s\n", ok ? "ok" : "not ok", records);
        return;
    }
    plain_text_count(chain->faults, "fault", "faults", faults);
    plain_text_count(verification->gaps, "gap", "gaps", gaps);
    if (chain->zeros > 0) {
        snprintf(zeros, sizeof zeros, ", %s zero where records may be missing",
                 plain_text_count(chain->zeros, "octet is", "octets are", count));
    }
    printf("%s: %s (%llu to %llu), %s to %s, %s%s%s%s\n", ok ? "ok" : "not ok", records,
           (unsigned long long)chain->first, (unsigned long long)chain->head.seq,
           instant_format(chain->first_time, first), instant_format(chain->last_time, last), gaps,
           chain->faults == 0 ? "" : ", ", chain->faults == 0 ? "" : faults, zeros);
    if (chain->first > 1) {
        printf("behind record %llu, hash %s\n", (unsigned long long)chain->first - 1,
               file_bytes_hex(chain->prev, hex));
    }
    printf("hash %s\n", file_bytes_hex(chain->head.hash, hex));
}

/* What is not here, and must be somewhere. False, and said, if nobody has told of that. Of a first
 * file that is there the chain itself tells what it lacks. */
static bool judge_beginning(const struct audit_files *files, const struct audit_chain *chain,
                            const uint8_t *after)
{
    char hex[FILE_BYTES_HEX_MAX];
    bool begins_later = chain->first > 1 && files->items[0].number > 1;
    bool told = after != NULL && memcmp(after, chain->prev, sizeof chain->prev) == 0;
    if (chain->records > 0 && after != NULL && !told) {
        cli_output_error("the first record here is not behind the one with the hash that was given "
                         "(--after), but behind %s",
                         file_bytes_hex(chain->prev, hex));
        return false;
    }
    if (begins_later && !told) {
        cli_output_error("records 1 to %llu are not here: name the folder that they were taken to, "
                         "or the hash of the last of them if it was noted (--after); the first "
                         "record here says that it was %s",
                         (unsigned long long)chain->first - 1, file_bytes_hex(chain->prev, hex));
        return false;
    }
    return true;
}

static enum command_exit verify(const struct audit_files *files, struct verification *verification,
                                bool json)
{
    struct audit_chain chain;
    char why[WHY_MAX];
    const struct audit_chain_reader reader = {verification, on_record, on_fault, on_torn};
    if (!audit_chain_read(files, 0, &reader, &chain, why)) {
        cli_output_error("%s", why);
        return COMMAND_FAILED;
    }
    bool ok = chain.faults == 0;
    ok = judge_beginning(files, &chain, verification->after) && ok;
    ok = audit_evidence_holds(&verification->evidence, &chain, cli_output_error) && ok;
    if (verification->wanted != NULL && !verification->found) {
        cli_output_error("no record has the hash that was given: the record was cut off before it, "
                         "or is another one");
        ok = false;
    }
    bool shown = true;
    if (json) {
        shown = show_json(&chain, verification, ok);
    } else {
        show_text(&chain, verification, ok);
    }
    return ok && shown ? COMMAND_DONE : COMMAND_FAILED;
}

/* Reads the value of an option, NULL if it is not there. False, said, if it is no hash. */
static bool take_hash(const struct cli_options *options, enum cli_option option,
                      uint8_t hash[static FILE_BYTES_SHA256], const uint8_t **out)
{
    char why[WHY_MAX];
    const char *text = options->value[option];
    *out = text == NULL ? NULL : hash;
    if (text != NULL && (strlen(text) != 2U * FILE_BYTES_SHA256 ||
                         !audit_record_digest(text, strlen(text), hash))) {
        snprintf(why, sizeof why, "--%s takes the 64 hexadecimal digits of a hash",
                 cli_options_name(option));
        cli_output_usage("audit", why);
        return false;
    }
    return true;
}

static enum command_exit verify_folders(char *const *folders, struct verification *verification,
                                        bool json)
{
    struct audit_files files;
    enum command_exit status = COMMAND_FAILED;
    if (!audit_evidence_read(folders, &verification->evidence)) {
        cli_output_error("out of memory");
        return status;
    }
    if (cmd_audit_files(folders, &files)) {
        status = verify(&files, verification, json);
        audit_files_fini(&files);
    }
    audit_evidence_fini(&verification->evidence);
    return status;
}

enum command_exit cmd_audit_verify(const struct cli_options *options)
{
    uint8_t head[FILE_BYTES_SHA256], after[FILE_BYTES_SHA256];
    struct verification verification = {.problems = stderr};
    if (!take_hash(options, CLI_OPTION_HEAD, head, &verification.wanted) ||
        !take_hash(options, CLI_OPTION_AFTER, after, &verification.after)) {
        return COMMAND_MISUSED;
    }
    char **folders = cmd_audit_folders(options);
    if (folders == NULL) {
        return COMMAND_FAILED;
    }
    enum command_exit status =
        verify_folders(folders, &verification, cli_options_has(options, CLI_OPTION_JSON));
    cmd_audit_folders_free(folders);
    return status;
}
