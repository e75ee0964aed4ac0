/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Texts, booleans and kinds of value, as every key of an order has them. Knows no key.
 */
#include "policy/order_reader.h"

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
