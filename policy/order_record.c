/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What stands on record is copied and changes nothing in what the order does, but for its id and
 * its authority, of which clients are told; the history is checked and not even copied.
 */
#include "policy/order_record.h"

#include <stdlib.h>
#include <string.h>

#include "policy/instant.h"

#define ID_MAX 64
#define HISTORY_TEXT_MAX 1000

void order_record_id(struct order_reader *reader, const struct order_key *key,
                     struct yaml_node value)
{
    static const char inside[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._-";
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SCALAR)) {
        return;
    }
    size_t len = 0;
    const char *id = yaml_node_scalar(value, &len);
    if (len == 0 || len > ID_MAX || strspn(id, inside) != len) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected an id of 1 to %d letters, digits, '.', '_' and '-', not %s",
                          ID_MAX, yaml_node_quote(value, shown));
        return;
    }
    reader->order->id = order_reader_copy(reader, value, ID_MAX);
    yaml_node_place(value, &reader->order->id_line, &reader->order->id_column);
}

static char **text_of_key(struct order_reader *reader, const struct order_key *key)
{
    return (char **)(void *)((char *)reader->order + key->text_offset);
}

void order_record_text(struct order_reader *reader, const struct order_key *key,
                       struct yaml_node value)
{
    *text_of_key(reader, key) = order_reader_copy(reader, value, key->text_max);
}

void order_record_date(struct order_reader *reader, const struct order_key *key,
                       struct yaml_node value)
{
    size_t len = 0;
    const char *text = yaml_node_scalar(value, &len);
    if (!instant_is_date(text, len)) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected a date such as 2022-07-11, not %s",
                          yaml_node_quote(value, shown));
        return;
    }
    order_record_text(reader, key, value);
}

void order_record_date_or_time(struct order_reader *reader, const struct order_key *key,
                               struct yaml_node value)
{
    size_t len = 0;
    int64_t ignored;
    const char *text = yaml_node_scalar(value, &len);
    if (!instant_is_date(text, len) && !instant_parse(text, len, &ignored)) {
        order_reader_refuse_time(reader, value);
        return;
    }
    order_record_text(reader, key, value);
}

void order_record_disclose(struct order_reader *reader, const struct order_key *key,
                           struct yaml_node value)
{
    (void)key;
    order_reader_bool(reader, value, &reader->order->disclose);
}

void order_record_public_record(struct order_reader *reader, const struct order_key *key,
                                struct yaml_node value)
{
    if (!order_reader_expect(reader, value, YAML_TEXT_MAPPING)) {
        return;
    }
    struct order *order = reader->order;
    size_t count = yaml_node_count(value);
    order->records = calloc(count + 1, sizeof *order->records);
    if (order->records == NULL) {
        order_reader_out_of_memory(reader, value);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct order_record *record = &order->records[order->record_count++];
        record->key = order_reader_copy(reader, yaml_node_key(value, i), key->text_max);
        record->value = order_reader_copy(reader, yaml_node_value(value, i), key->text_max);
    }
}

/* ---- The history ---- */

/* An order_part_fn: an instant. */
static void read_at(struct order_reader *reader, struct yaml_node value, void *out)
{
    (void)out;
    size_t len = 0;
    int64_t ignored;
    const char *text = yaml_node_scalar(value, &len);
    if (!instant_parse(text, len, &ignored)) {
        char shown[YAML_QUOTE_MAX];
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected a time such as 2022-07-11T00:00:00Z (RFC 3339), not %s",
                          yaml_node_quote(value, shown));
    }
}

/* An order_part_fn. */
static void read_line(struct order_reader *reader, struct yaml_node value, void *out)
{
    (void)out;
    size_t len = 0;
    (void)order_reader_line(reader, value, HISTORY_TEXT_MAX, &len);
}

static const struct order_part_key history_keys[] = {
    {"at", read_at, true},
    {"by", read_line, true},
    {"what", read_line, true},
    {"reason", read_line, false},
};
static const struct order_part history_part = {
    .noun = "entry",
    .noun_with_article = "an entry",
    .expected = "at, by, what or reason",
    .keys = history_keys,
    .count = sizeof history_keys / sizeof *history_keys,
};

void order_record_history(struct order_reader *reader, const struct order_key *key,
                          struct yaml_node value)
{
    (void)key;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return;
    }
    for (size_t i = 0; i < yaml_node_count(value); i++) {
        (void)order_reader_part(reader, yaml_node_item(value, i), &history_part, NULL);
    }
}
