/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Texts, booleans, names, networks and mappings, as the keys of an order have them. Knows no key.
 */
#include "policy/order_reader.h"

#include <stdlib.h>
#include <string.h>

struct yaml_node order_reader_find(const struct order_reader *reader, const char *key)
{
    return yaml_node_find(reader->root, key);
}

void order_reader_out_of_memory(struct order_reader *reader, struct yaml_node node)
{
    yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "out of memory");
}

bool order_reader_expect(struct order_reader *reader, struct yaml_node node, enum yaml_kind kind)
{
    static const char *const kinds[] = {
        [YAML_TEXT_SCALAR] = "text",
        [YAML_TEXT_SEQUENCE] = "a list",
        [YAML_TEXT_MAPPING] = "a mapping",
    };
    if (yaml_node_kind(node) == kind) {
        return true;
    }
    char shown[YAML_QUOTE_MAX];
    yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "expected %s, not %s", kinds[kind],
                      yaml_node_quote(node, shown));
    return false;
}

/* Does a control character (C0, DEL, C1) or a line separator stand here? The text is UTF-8. */
static bool is_control(const unsigned char *at)
{
    return at[0] < 0x20 || at[0] == 0x7F || (at[0] == 0xC2 && at[1] >= 0x80 && at[1] <= 0x9F) ||
           (at[0] == 0xE2 && at[1] == 0x80 && (at[2] == 0xA8 || at[2] == 0xA9));
}

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (is_control((const unsigned char *)text + i)) {
            return true;
        }
    }
    return false;
}

const char *order_reader_line(struct order_reader *reader, struct yaml_node node, size_t max,
                              size_t *len)
{
    if (!order_reader_expect(reader, node, YAML_TEXT_SCALAR)) {
        return NULL;
    }
    const char *text = yaml_node_scalar(node, len);
    while (*len > 0 && text[*len - 1] == '\n') {
        --*len;
    }
    if (*len == 0) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "expected text, found none");
    } else if (*len > max) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems,
                          "this text has %zu octets, expected at most %zu", *len, max);
    } else if (has_control(text, *len)) {
        yaml_node_problem(node, PROBLEM_ERROR, reader->problems,
                          "expected one line without control characters");
    } else {
        return text;
    }
    return NULL;
}

char *order_reader_copy(struct order_reader *reader, struct yaml_node node, size_t max)
{
    size_t len = 0;
    const char *text = order_reader_line(reader, node, max, &len);
    if (text == NULL) {
        return NULL;
    }
    char *copy = strndup(text, len);
    if (copy == NULL) {
        order_reader_out_of_memory(reader, node);
    }
    return copy;
}

bool order_reader_bool(struct order_reader *reader, struct yaml_node node, bool *out)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {{"yes", true}, {"true", true}, {"no", false}, {"false", false}};
    const char *text = yaml_node_scalar(node, NULL);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(text, words[i].word) == 0) {
            *out = words[i].value;
            return true;
        }
    }
    char shown[YAML_QUOTE_MAX];
    yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "expected yes or no, not %s",
                      yaml_node_quote(node, shown));
    return false;
}

void order_reader_refuse_time(struct order_reader *reader, struct yaml_node node)
{
    char shown[YAML_QUOTE_MAX];
    yaml_node_problem(node, PROBLEM_ERROR, reader->problems,
                      "expected a date such as 2022-07-11 or a time such as "
                      "2022-07-11T00:00:00Z (RFC 3339), not %s",
                      yaml_node_quote(node, shown));
}

bool order_reader_name(struct order_reader *reader, struct yaml_node node, struct dname *out)
{
    char why[WHY_MAX];
    char shown[YAML_QUOTE_MAX];
    size_t len = 0;
    if (!order_reader_expect(reader, node, YAML_TEXT_SCALAR)) {
        return false;
    }
    const char *text = yaml_node_scalar(node, &len);
    if (dname_parse(text, len, out, why)) {
        return true;
    }
    yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s: %s", yaml_node_quote(node, shown),
                      why);
    return false;
}

bool order_reader_network(struct order_reader *reader, struct yaml_node node, struct network *out)
{
    char why[WHY_MAX];
    size_t len = 0;
    if (!order_reader_expect(reader, node, YAML_TEXT_SCALAR)) {
        return false;
    }
    const char *text = yaml_node_scalar(node, &len);
    if (network_parse(text, len, out, why, sizeof why)) {
        return true;
    }
    yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "%s", why);
    return false;
}

/* ---- Mappings ---- */

static const struct order_part_key *find_key(const struct order_part *part, const char *name)
{
    for (size_t i = 0; i < part->count; i++) {
        if (strcmp(part->keys[i].name, name) == 0) {
            return &part->keys[i];
        }
    }
    return NULL;
}

bool order_reader_part(struct order_reader *reader, struct yaml_node node,
                       const struct order_part *part, void *out)
{
    size_t before = reader->problems->errors;
    if (!order_reader_expect(reader, node, YAML_TEXT_MAPPING)) {
        return false;
    }
    for (size_t i = 0; i < yaml_node_count(node); i++) {
        struct yaml_node name = yaml_node_key(node, i);
        const struct order_part_key *key = find_key(part, yaml_node_scalar(name, NULL));
        if (key == NULL) {
            char shown[YAML_QUOTE_MAX];
            yaml_node_problem(name, PROBLEM_ERROR, reader->problems,
                              "%s has no key %s: expected %s", part->noun_with_article,
                              yaml_node_quote(name, shown), part->expected);
        } else {
            key->read(reader, yaml_node_value(node, i), out);
        }
    }
    for (size_t i = 0; i < part->count; i++) {
        if (part->keys[i].required &&
            !yaml_node_present(yaml_node_find(node, part->keys[i].name))) {
            yaml_node_problem(node, PROBLEM_ERROR, reader->problems,
                              "the key '%s' of this %s is missing", part->keys[i].name, part->noun);
        }
    }
    return reader->problems->errors == before;
}

void *order_reader_items(struct order_reader *reader, struct yaml_node value, size_t size,
                         order_item_fn *read, size_t *count)
{
    *count = 0;
    if (!order_reader_expect(reader, value, YAML_TEXT_SEQUENCE)) {
        return NULL;
    }
    size_t items = yaml_node_count(value);
    char *out = calloc(items + 1, size);
    if (out == NULL) {
        order_reader_out_of_memory(reader, value);
        return NULL;
    }
    for (size_t i = 0; i < items; i++) {
        *count += read(reader, yaml_node_item(value, i), out + *count * size);
    }
    return out;
}
