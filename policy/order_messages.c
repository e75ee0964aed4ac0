/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The languages of a mapping stand in the order of the file, and the first is the default.
 */
#include "policy/order_messages.h"

#include <stdlib.h>
#include <strings.h>

#include "policy/language_tag.h"

/* Few enough that each tag is compared with those before it. */
#define LANGUAGES_MAX 200

static bool has_language(const struct order *order, const char *tag)
{
    for (size_t i = 0; i < order->message_count; i++) {
        if (order->messages[i].language != NULL &&
            strcasecmp(order->messages[i].language, tag) == 0) {
            return true;
        }
    }
    return false;
}

/* The tag as the caller's own copy; NULL after a problem. */
static char *read_language(struct order_reader *reader, struct yaml_node key)
{
    size_t len = 0;
    const char *text = yaml_node_scalar(key, &len);
    char shown[YAML_QUOTE_MAX];
    if (!language_tag_valid(text, len)) {
        yaml_node_problem(key, PROBLEM_ERROR, reader->problems,
                          "expected a language such as it or pt-BR (RFC 5646), not %s",
                          yaml_node_quote(key, shown));
        return NULL;
    }
    if (has_language(reader->order, text)) {
        yaml_node_problem(key, PROBLEM_ERROR, reader->problems, "%s is given twice",
                          yaml_node_quote(key, shown));
        return NULL;
    }
    return order_reader_copy(reader, key, LANGUAGE_TAG_MAX);
}

static void read_languages(struct order_reader *reader, struct yaml_node value, size_t text_max)
{
    struct order *order = reader->order;
    for (size_t i = 0; i < yaml_node_count(value); i++) {
        struct order_message *message = &order->messages[order->message_count];
        message->language = read_language(reader, yaml_node_key(value, i));
        message->text = order_reader_copy(reader, yaml_node_value(value, i), text_max);
        order->message_count++;
    }
}

void order_messages_read(struct order_reader *reader, const struct order_key *key,
                         struct yaml_node value)
{
    struct order *order = reader->order;
    bool mapping = yaml_node_kind(value) == YAML_TEXT_MAPPING;
    size_t count = mapping ? yaml_node_count(value) : 1;
    if (count == 0 || count > LANGUAGES_MAX) {
        yaml_node_problem(value, PROBLEM_ERROR, reader->problems,
                          "expected a text in 1 to %d languages, not %zu", LANGUAGES_MAX, count);
        return;
    }
    order->messages = calloc(count, sizeof *order->messages);
    if (order->messages == NULL) {
        order_reader_out_of_memory(reader, value);
    } else if (mapping) {
        read_languages(reader, value, key->text_max);
    } else {
        order->messages[0].text = order_reader_copy(reader, value, key->text_max);
        order->message_count = 1;
    }
}
