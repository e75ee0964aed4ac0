/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Printing the audit record (see audit_listing.h).
 */
#include "forwarder/cli/audit_listing.h"

#include <stdio.h>
#include <string.h>

#include "forwarder/audit/audit_chain.h"
#include "forwarder/cli/audit_text.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cli_table.h"
#include "policy/instant.h"

#define KEYS_MAX 4

/* What is told of an event: its members, a number with what it counts. */
static const struct listing_row {
    const char *event;
    const char *keys[KEYS_MAX];
} rows[] = {
    {"start", {"version", "host"}},
    {"stop", {"status"}},
    {"generation", {"generation", "orders", "in_force", "errors"}},
    {"checkpoint", {"generation", "orders"}},
    {"order", {"change", "id"}},
    {"begins", {"id", "at"}},
    {"ends", {"id", "at"}},
    {"failure", {"file", "line", "column", "error"}},
    {"refused", {"errors"}},
    {"drain", {"upstream"}},
    {"undrain", {"upstream"}},
    {"gap", {"lost", "reason"}},
    {"torn", {"octets"}},
};

struct listing {
    bool json;
    struct cli_table table;
};

/* Appends to out, of which so much is used; returns how much then is. */
static size_t append(char out[static AUDIT_TEXT_MAX], size_t used, const char *text)
{
    int put = snprintf(out + used, AUDIT_TEXT_MAX - used, "%s%s", used == 0 ? "" : ", ", text);
    size_t now = used + (put < 0 ? 0 : (size_t)put);
    return now < AUDIT_TEXT_MAX ? now : AUDIT_TEXT_MAX - 1;
}

/* "loaded, IT-ONE", "generation 3, orders 12, in_force 5, errors 0". Returns out. */
static const char *what(const json_t *object, const char *event, char out[static AUDIT_TEXT_MAX])
{
    const struct listing_row *row = rows;
    const struct listing_row *end = rows + sizeof rows / sizeof rows[0];
    size_t used = 0;
    out[0] = '\0';
    while (row < end && strcmp(row->event, event) != 0) {
        row++;
    }
    for (size_t i = 0; row < end && i < KEYS_MAX && row->keys[i] != NULL; i++) {
        const json_t *value = json_object_get(object, row->keys[i]);
        char text[AUDIT_TEXT_MAX];
        if (json_is_integer(value)) {
            snprintf(text, sizeof text, "%s %lld", row->keys[i],
                     (long long)json_integer_value(value));
        } else {
            audit_text_plain(object, row->keys[i], "?", text);
        }
        used = append(out, used, text);
    }
    return out;
}

static bool on_record(void *ctx, const struct audit_place *place, const struct audit_record *record)
{
    struct listing *listing = ctx;
    char text[AUDIT_TEXT_MAX];
    (void)place;
    if (listing->json) {
        return fwrite(record->text, 1, record->size, stdout) == record->size &&
               putchar('\n') != EOF;
    }
    json_t *object = json_loadb(record->text, record->size, JSON_REJECT_DUPLICATES, NULL);
    const char *event = json_string_value(json_object_get(object, "event"));
    cli_table_add(&listing->table, instant_format(record->time, text));
    snprintf(text, sizeof text, "%llu", (unsigned long long)record->head.seq);
    cli_table_add(&listing->table, text);
    cli_table_add(&listing->table, audit_text_plain(object, "event", "?", text));
    cli_table_add(&listing->table, event == NULL ? "-" : what(object, event, text));
    cli_table_add(&listing->table, audit_text_askers(json_object_get(object, "asked"), text));
    json_decref(object);
    return true;
}

static void on_fault(void *ctx, const struct audit_place *place, const char *what_is_wrong)
{
    (void)ctx;
    fprintf(stderr, "%s:%u: %s\n", place->file, place->line, what_is_wrong);
}

bool audit_listing_print(const struct audit_files *files, bool json)
{
    static const char *const heads[] = {"TIME", "RECORD", "EVENT", "WHAT", "ASKED BY"};
    struct audit_chain chain;
    struct listing listing = {.json = json};
    const struct audit_chain_reader reader = {&listing, on_record, on_fault, NULL};
    char why[WHY_MAX];
    cli_table_init(&listing.table, sizeof heads / sizeof heads[0]);
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        cli_table_add(&listing.table, heads[i]);
    }
    bool whole = audit_chain_read(files, 0, &reader, &chain, why);
    if (!whole) {
        cli_output_error("%s", why);
    } else if (!json && !cli_table_print(&listing.table, "", stdout)) {
        cli_output_error("out of memory");
        whole = false;
    }
    cli_table_fini(&listing.table);
    if (whole && chain.faults > 0) {
        cli_output_error("the record is not as it was written: see bailiwick audit verify");
    }
    return whole && chain.faults == 0;
}
