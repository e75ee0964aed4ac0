/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as YAML. What is accepted must be what the header promises: no NUL inside a scalar,
 * no key twice, no nesting beyond the limit; and every node must have a place.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/yaml_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_node(struct yaml_node node, unsigned depth);

static void check_scalar(struct yaml_node node)
{
    size_t len = 0;
    const char *text = yaml_node_scalar(node, &len);
    assert(strlen(text) == len);
}

static void check_mapping(struct yaml_node node, unsigned depth)
{
    for (size_t i = 0; i < yaml_node_count(node); i++) {
        struct yaml_node key = yaml_node_key(node, i);
        assert(yaml_node_kind(key) == YAML_TEXT_SCALAR);
        check_scalar(key);
        struct yaml_node value = yaml_node_value(node, i);
        assert(yaml_node_find(node, yaml_node_scalar(key, NULL)).id == value.id);
        check_node(value, depth + 1);
    }
}

static void check_place(struct yaml_node node)
{
    struct problem_list problems;
    char shown[YAML_QUOTE_MAX];
    problem_list_init(&problems);
    yaml_node_problem(node, PROBLEM_WARNING, &problems, "%s", yaml_node_quote(node, shown));
    assert(strlen(shown) < sizeof shown);
    assert(problems.count == 1 && problems.errors == 0);
    assert(problems.items[0].line > 0 && problems.items[0].column > 0);
    problem_list_fini(&problems);
}

static void check_node(struct yaml_node node, unsigned depth)
{
    assert(depth <= YAML_TEXT_DEPTH);
    check_place(node);
    switch (yaml_node_kind(node)) {
    case YAML_TEXT_SCALAR:
        check_scalar(node);
        assert(yaml_node_count(node) == 0);
        break;
    case YAML_TEXT_SEQUENCE:
        for (size_t i = 0; i < yaml_node_count(node); i++) {
            check_node(yaml_node_item(node, i), depth + 1);
        }
        break;
    case YAML_TEXT_MAPPING:
        check_mapping(node, depth);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct yaml_text *text = yaml_text_parse("f", (const char *)data, size, &problems);
    assert((text == NULL) == (problems.errors > 0));
    assert(problems.count == problems.errors);
    if (text != NULL) {
        check_node(yaml_text_root(text), 0);
    }
    yaml_text_free(text);
    problem_list_fini(&problems);
    return 0;
}
