/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick audit export`: how often each order blocked, by country and hour, of this machine or
 * added up over several.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/audit/block_store.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_table.h"
#include "forwarder/cli/cmd_audit.h"
#include "forwarder/cli/export_merge.h"
#include "forwarder/explain/json_put.h"
#include "policy/instant.h"

enum form {
    FORM_TABLE,
    FORM_JSON,
    FORM_CSV,
};

/* Where rows go. */
struct output {
    enum form form;
    int64_t from;
    int64_t to;
    char *source; /* NULL: of several */
    char *host;
    struct cli_table table;
    bool failed;
};

static bool put_json(const struct output *output, const struct block_row *row)
{
    json_t *object = json_object();
    if (output->source != NULL) {
        json_put_text(&object, "source", output->source);
        json_put_text(&object, "host", output->host);
    }
    json_put_text(&object, "order", row->order);
    json_put_text(&object, "country", row->country);
    json_put_instant(&object, "hour", row->hour);
    json_put(&object, "blocked", json_integer((json_int_t)row->count));
    bool put = cli_output_json(object);
    json_decref(object);
    return put;
}

static bool put_row(void *ctx, const struct block_row *row)
{
    struct output *output = ctx;
    char hour[INSTANT_TEXT_MAX], count[24];
    instant_format(row->hour, hour);
    snprintf(count, sizeof count, "%llu", (unsigned long long)row->count);
    switch (output->form) {
    case FORM_JSON:
        output->failed = !put_json(output, row);
        break;
    case FORM_CSV: /* neither ids nor codes hold what would need quotes */
        printf("%s,%s,%s,%s\n", hour, row->order, row->country, count);
        break;
    case FORM_TABLE:
        cli_table_add(&output->table, hour);
        cli_table_add(&output->table, row->order);
        cli_table_add(&output->table, row->country);
        cli_table_add(&output->table, count);
        break;
    }
    return !output->failed;
}

static void begin(struct output *output)
{
    cli_table_init(&output->table, 4);
    cli_table_add(&output->table, "HOUR");
    cli_table_add(&output->table, "ORDER");
    cli_table_add(&output->table, "COUNTRY");
    cli_table_add(&output->table, "BLOCKED");
    if (output->form == FORM_CSV) {
        puts("hour,order,country,blocked");
    }
}

static bool end(struct output *output)
{
    bool whole = !output->failed;
    if (whole && output->form == FORM_TABLE) {
        whole = cli_table_print(&output->table, "", stdout);
        if (!whole) {
            cli_output_error("out of memory");
        }
    }
    cli_table_fini(&output->table);
    free(output->source);
    free(output->host);
    return whole;
}

static bool export_own(const struct cli_options *options, struct output *output)
{
    char why[WHY_MAX];
    char *path = cmd_audit_below_state(options, BLOCK_STORE_FILE);
    if (path == NULL) {
        return false;
    }
    struct block_store *store = block_store_open_read(path, why);
    bool read = store != NULL;
    if (read) {
        output->source = block_store_meta(store, "source");
        output->host = block_store_meta(store, "host");
        begin(output);
        read = block_store_read(store, (struct block_hours){output->from, output->to}, put_row,
                                output, why);
        read = end(output) && read;
    }
    if (!read && !output->failed) {
        cli_output_error("%s: %s", path, why);
    }
    block_store_close(store);
    free(path);
    return read;
}

static bool merge_file(struct export_merge *merge, const char *path)
{
    char why[WHY_MAX];
    char *line = NULL;
    size_t room = 0;
    unsigned number = 0;
    FILE *in = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
    if (in == NULL) {
        cli_output_error("%s: %s", path, strerror(errno));
        return false;
    }
    bool whole = true;
    for (ssize_t size; whole && (size = getline(&line, &room, in)) > 0;) {
        number++;
        whole = export_merge_add(merge, line, (size_t)size, why);
    }
    if (!whole) {
        cli_output_error("%s:%u: %s", path, number, why);
    } else if (ferror(in)) {
        cli_output_error("%s: cannot be read", path);
        whole = false;
    }
    free(line);
    if (in != stdin) {
        fclose(in);
    }
    return whole;
}

static bool export_merged(const struct cli_options *options, struct output *output)
{
    struct export_merge merge = {0};
    bool whole = true;
    for (int i = 0; whole && i < options->operand_count; i++) {
        whole = merge_file(&merge, options->operands[i]);
    }
    if (whole && !export_merge_sum(&merge)) {
        cli_output_error("the counts are too large to be added up");
        whole = false;
    }
    if (whole) {
        begin(output);
        for (size_t i = 0; i < merge.count; i++) {
            const struct block_row *row = &merge.rows[i].row;
            if (row->hour >= output->from && row->hour < output->to && !put_row(output, row)) {
                break;
            }
        }
        whole = end(output);
    }
    export_merge_fini(&merge);
    return whole;
}

enum command_exit cmd_audit_export(const struct cli_options *options)
{
    struct output output = {.from = INT64_MIN, .to = INT64_MAX};
    const char *from = options->value[CLI_OPTION_FROM], *to = options->value[CLI_OPTION_TO];
    bool merge = cli_options_has(options, CLI_OPTION_MERGE);
    bool json = cli_options_has(options, CLI_OPTION_JSON);
    bool csv = cli_options_has(options, CLI_OPTION_CSV);
    if ((from != NULL && !cmd_audit_instant("from", from, &output.from)) ||
        (to != NULL && !cmd_audit_instant("to", to, &output.to))) {
        return COMMAND_MISUSED;
    }
    if (json && csv) {
        cli_output_usage("audit", "--json and --csv exclude each other");
        return COMMAND_MISUSED;
    }
    if (merge != (options->operand_count > 0)) {
        cli_output_usage("audit", merge ? "--merge needs files" : "files need --merge");
        return COMMAND_MISUSED;
    }
    output.form = json ? FORM_JSON : csv ? FORM_CSV : FORM_TABLE;
    bool done = merge ? export_merged(options, &output) : export_own(options, &output);
    return done ? COMMAND_DONE : COMMAND_FAILED;
}
