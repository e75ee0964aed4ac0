/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * YAML by libyaml in two passes. The first reads events only and refuses what Bailiwick does not
 * accept: an alias never reaches the second pass (there it would be a cycle or ten lines that visit
 * 10^10 nodes), nor does deep nesting (libyaml loads it in quadratic time). The second loads the
 * document, whose nodes know their lines and columns. A struct yaml_text owns one such document;
 * it never holds a NUL inside a scalar, a key that is not a scalar, or two equal keys side by side.
 */
#include "policy/yaml_text.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "geo/utf8.h"

struct yaml_text {
    char *name;
    yaml_document_t document;
};

/* One parse: what both passes need to know. */
struct yaml_source {
    const char *name;
    const char *bytes; /* behind a byte order mark, which has no column */
    size_t size;
    struct problem_list *problems;
};

static unsigned place_of(size_t zero_based)
{
    return zero_based < UINT_MAX ? (unsigned)zero_based + 1 : UINT_MAX;
}

__attribute__((format(printf, 3, 4))) static void
source_problem(const struct yaml_source *source, yaml_mark_t mark, const char *format, ...)
{
    char text[WHY_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    problem_list_add(source->problems, PROBLEM_ERROR, source->name, place_of(mark.line),
                     place_of(mark.column), "%s", text);
}

/* The text in quotes, see yaml_node_quote. */
static char *quote(const char *text, size_t len, char out[static YAML_QUOTE_MAX])
{
    const size_t room = YAML_QUOTE_MAX - sizeof "''…";
    size_t shown = len < room ? len : room;
    while (shown < len && shown > 0 && utf8_continues(text[shown])) {
        shown--;
    }
    snprintf(out, YAML_QUOTE_MAX, "'%.*s%s'", (int)shown, text, shown < len ? "…" : "");
    for (char *c = out; *c != '\0'; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7F) {
            *c = '?';
        }
    }
    return out;
}

/* libyaml counts what it could not decode in octets from the start only. */
static yaml_mark_t mark_of_offset(const struct yaml_source *source, size_t offset)
{
    yaml_mark_t mark = {.index = offset};
    for (size_t i = 0; i < offset && i < source->size; i++) {
        char c = source->bytes[i];
        bool crlf = c == '\r' && i + 1 < source->size && source->bytes[i + 1] == '\n';
        if (c == '\n' || (c == '\r' && !crlf)) {
            mark.line++;
            mark.column = 0;
        } else if (!utf8_continues(c)) {
            mark.column++;
        }
    }
    return mark;
}

static void parser_problem(const struct yaml_source *source, const yaml_parser_t *parser)
{
    const char *problem = parser->problem != NULL ? parser->problem : "unreadable";
    if (parser->error == YAML_MEMORY_ERROR) {
        problem_list_add(source->problems, PROBLEM_ERROR, source->name, 0, 0, "out of memory");
        return;
    }
    if (parser->error == YAML_READER_ERROR) {
        source_problem(source, mark_of_offset(source, parser->problem_offset),
                       "this is no YAML in UTF-8: %s", problem);
    } else if (parser->context != NULL) {
        source_problem(source, parser->problem_mark, "this is no YAML: %s %s (begun at line %u)",
                       problem, parser->context, place_of(parser->context_mark.line));
    } else {
        source_problem(source, parser->problem_mark, "this is no YAML: %s", problem);
    }
}

static bool parser_start(yaml_parser_t *parser, const struct yaml_source *source)
{
    if (!yaml_parser_initialize(parser)) {
        problem_list_add(source->problems, PROBLEM_ERROR, source->name, 0, 0, "out of memory");
        return false;
    }
    yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(parser, (const unsigned char *)source->bytes, source->size);
    return true;
}

/* ---- First pass: events ---- */

struct yaml_events {
    const struct yaml_source *source;
    unsigned depth;
    unsigned documents;
};

static void refuse_anchor_and_tag(const struct yaml_source *source, yaml_mark_t mark,
                                  const yaml_char_t *anchor, const yaml_char_t *tag)
{
    if (anchor != NULL) {
        source_problem(source, mark, "an anchor is not accepted here: write the value itself");
    }
    if (tag != NULL) {
        source_problem(source, mark,
                       "a tag is not accepted here: put text that begins with ! in quotes");
    }
}

static bool enter(struct yaml_events *events, yaml_mark_t mark)
{
    if (++events->depth <= YAML_TEXT_DEPTH) {
        return true;
    }
    source_problem(events->source, mark, "nested deeper than %d levels", YAML_TEXT_DEPTH);
    return false;
}

/* Judges one event; false when there is no point in reading on. */
static bool event_accept(struct yaml_events *events, const yaml_event_t *event)
{
    const struct yaml_source *source = events->source;
    yaml_mark_t mark = event->start_mark;
    switch (event->type) {
    case YAML_DOCUMENT_START_EVENT:
        if (++events->documents > 1) {
            source_problem(source, mark, "a second document begins: a file holds one");
            return false;
        }
        return true;
    case YAML_ALIAS_EVENT:
        source_problem(source, mark, "an alias is not accepted here: write the value itself");
        return true;
    case YAML_SCALAR_EVENT:
        refuse_anchor_and_tag(source, mark, event->data.scalar.anchor, event->data.scalar.tag);
        if (memchr(event->data.scalar.value, 0, event->data.scalar.length) != NULL) {
            source_problem(source, mark, "a NUL character is not accepted in text");
        }
        return true;
    case YAML_SEQUENCE_START_EVENT:
        refuse_anchor_and_tag(source, mark, event->data.sequence_start.anchor,
                              event->data.sequence_start.tag);
        return enter(events, mark);
    case YAML_MAPPING_START_EVENT:
        refuse_anchor_and_tag(source, mark, event->data.mapping_start.anchor,
                              event->data.mapping_start.tag);
        return enter(events, mark);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        events->depth--;
        return true;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_STREAM_END_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    return true;
}

static void check_events(const struct yaml_source *source)
{
    struct yaml_events events = {.source = source};
    yaml_parser_t parser;
    if (!parser_start(&parser, source)) {
        return;
    }
    for (bool more = true; more;) {
        yaml_event_t event;
        if (!yaml_parser_parse(&parser, &event)) {
            parser_problem(source, &parser);
            break;
        }
        more = event_accept(&events, &event) && event.type != YAML_STREAM_END_EVENT;
        yaml_event_delete(&event);
    }
    yaml_parser_delete(&parser);
}

/* ---- Second pass: the document ---- */

struct yaml_key {
    const char *text;
    yaml_mark_t mark;
};

static int key_compare(const void *a, const void *b)
{
    const struct yaml_key *left = a;
    const struct yaml_key *right = b;
    int order = strcmp(left->text, right->text);
    if (order != 0) {
        return order;
    }
    return left->mark.index < right->mark.index ? -1 : left->mark.index > right->mark.index;
}

static void refuse_twice(const struct yaml_source *source, struct yaml_key *keys, size_t count)
{
    qsort(keys, count, sizeof *keys, key_compare);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(keys[i - 1].text, keys[i].text) == 0) {
            char shown[YAML_QUOTE_MAX];
            source_problem(source, keys[i].mark, "the key %s is given twice, first at line %u",
                           quote(keys[i].text, strlen(keys[i].text), shown),
                           place_of(keys[i - 1].mark.line));
        }
    }
}

static void check_mapping(const struct yaml_source *source, yaml_document_t *document,
                          const yaml_node_t *mapping)
{
    size_t pairs = (size_t)(mapping->data.mapping.pairs.top - mapping->data.mapping.pairs.start);
    size_t count = 0;
    struct yaml_key *keys = calloc(pairs + 1, sizeof *keys);
    if (keys == NULL) {
        source_problem(source, mapping->start_mark, "out of memory");
        return;
    }
    for (size_t i = 0; i < pairs; i++) {
        const yaml_node_t *key =
            yaml_document_get_node(document, mapping->data.mapping.pairs.start[i].key);
        if (key->type != YAML_SCALAR_NODE) {
            source_problem(source, key->start_mark, "a key must be text");
            continue;
        }
        keys[count++] = (struct yaml_key){(const char *)key->data.scalar.value, key->start_mark};
        if (key->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
            strcmp(keys[count - 1].text, "<<") == 0) {
            source_problem(source, key->start_mark,
                           "a merge key is not accepted here: write the keys themselves");
        }
    }
    refuse_twice(source, keys, count);
    free(keys);
}

static void check_document(const struct yaml_source *source, yaml_document_t *document)
{
    const yaml_node_t *root = yaml_document_get_root_node(document);
    if (root == NULL || (root->type == YAML_SCALAR_NODE && root->data.scalar.length == 0 &&
                         root->data.scalar.style == YAML_PLAIN_SCALAR_STYLE)) {
        problem_list_add(source->problems, PROBLEM_ERROR, source->name, 0, 0, "the file is empty");
        return;
    }
    for (const yaml_node_t *node = document->nodes.start; node < document->nodes.top; node++) {
        if (node->type == YAML_MAPPING_NODE) {
            check_mapping(source, document, node);
        }
    }
}

static bool load(const struct yaml_source *source, yaml_document_t *document)
{
    yaml_parser_t parser;
    if (!parser_start(&parser, source)) {
        return false;
    }
    bool loaded = yaml_parser_load(&parser, document);
    if (!loaded) {
        parser_problem(source, &parser);
    }
    yaml_parser_delete(&parser);
    return loaded;
}

struct yaml_text *yaml_text_parse(const char *name, const char *bytes, size_t size,
                                  struct problem_list *problems)
{
    size_t before = problems->errors;
    size_t bom = size >= 3 && memcmp(bytes, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    struct yaml_source source = {name, size > 0 ? bytes + bom : "", size - bom, problems};
    if (size > YAML_TEXT_BYTES_MAX) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0,
                         "larger than %u octets: large sets of names belong in lists",
                         YAML_TEXT_BYTES_MAX);
        return NULL;
    }
    check_events(&source);
    if (problems->errors != before) {
        return NULL;
    }
    struct yaml_text *text = calloc(1, sizeof *text);
    if (text == NULL || (text->name = strdup(name)) == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "out of memory");
        goto fail;
    }
    if (!load(&source, &text->document)) {
        goto fail;
    }
    check_document(&source, &text->document);
    if (problems->errors == before) {
        return text;
    }
    yaml_document_delete(&text->document);
fail:
    if (text != NULL) {
        free(text->name);
        free(text);
    }
    return NULL;
}

void yaml_text_free(struct yaml_text *text)
{
    if (text != NULL) {
        yaml_document_delete(&text->document);
        free(text->name);
        free(text);
    }
}

/* ---- Reading ---- */

/* libyaml's getters take a document they do not change as not const. */
static const yaml_node_t *inside(struct yaml_node node)
{
    return yaml_document_get_node((yaml_document_t *)&node.text->document, node.id);
}

struct yaml_node yaml_text_root(const struct yaml_text *text)
{
    return (struct yaml_node){text, 1};
}

bool yaml_node_present(struct yaml_node node)
{
    return node.text != NULL;
}

enum yaml_kind yaml_node_kind(struct yaml_node node)
{
    switch (inside(node)->type) {
    case YAML_SEQUENCE_NODE:
        return YAML_TEXT_SEQUENCE;
    case YAML_MAPPING_NODE:
        return YAML_TEXT_MAPPING;
    case YAML_NO_NODE:
    case YAML_SCALAR_NODE:
        return YAML_TEXT_SCALAR;
    }
    return YAML_TEXT_SCALAR;
}

const char *yaml_node_scalar(struct yaml_node node, size_t *len)
{
    const yaml_node_t *scalar = inside(node);
    bool is_scalar = scalar->type == YAML_SCALAR_NODE;
    if (len != NULL) {
        *len = is_scalar ? scalar->data.scalar.length : 0;
    }
    return is_scalar ? (const char *)scalar->data.scalar.value : "";
}

char *yaml_node_quote(struct yaml_node node, char out[static YAML_QUOTE_MAX])
{
    size_t len = 0;
    const char *text = yaml_node_scalar(node, &len);
    switch (yaml_node_kind(node)) {
    case YAML_TEXT_SCALAR:
        return quote(text, len, out);
    case YAML_TEXT_SEQUENCE:
        snprintf(out, YAML_QUOTE_MAX, "a list");
        break;
    case YAML_TEXT_MAPPING:
        snprintf(out, YAML_QUOTE_MAX, "a mapping");
        break;
    }
    return out;
}

size_t yaml_node_count(struct yaml_node node)
{
    if (!yaml_node_present(node)) {
        return 0;
    }
    const yaml_node_t *parent = inside(node);
    switch (yaml_node_kind(node)) {
    case YAML_TEXT_SEQUENCE:
        return (size_t)(parent->data.sequence.items.top - parent->data.sequence.items.start);
    case YAML_TEXT_MAPPING:
        return (size_t)(parent->data.mapping.pairs.top - parent->data.mapping.pairs.start);
    case YAML_TEXT_SCALAR:
        return 0;
    }
    return 0;
}

struct yaml_node yaml_node_item(struct yaml_node sequence, size_t index)
{
    return (struct yaml_node){sequence.text, inside(sequence)->data.sequence.items.start[index]};
}

struct yaml_node yaml_node_key(struct yaml_node mapping, size_t index)
{
    return (struct yaml_node){mapping.text, inside(mapping)->data.mapping.pairs.start[index].key};
}

struct yaml_node yaml_node_value(struct yaml_node mapping, size_t index)
{
    return (struct yaml_node){mapping.text, inside(mapping)->data.mapping.pairs.start[index].value};
}

struct yaml_node yaml_node_find(struct yaml_node mapping, const char *key)
{
    bool is_mapping = yaml_node_present(mapping) && yaml_node_kind(mapping) == YAML_TEXT_MAPPING;
    size_t count = is_mapping ? yaml_node_count(mapping) : 0;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(yaml_node_scalar(yaml_node_key(mapping, i), NULL), key) == 0) {
            return yaml_node_value(mapping, i);
        }
    }
    return (struct yaml_node){NULL, 0};
}

void yaml_node_place(struct yaml_node node, unsigned *line, unsigned *column)
{
    yaml_mark_t mark = inside(node)->start_mark;
    *line = place_of(mark.line);
    *column = place_of(mark.column);
}

static bool is_flow(const yaml_node_t *node)
{
    return (node->type == YAML_SEQUENCE_NODE &&
            node->data.sequence.style == YAML_FLOW_SEQUENCE_STYLE) ||
           (node->type == YAML_MAPPING_NODE && node->data.mapping.style == YAML_FLOW_MAPPING_STYLE);
}

struct yaml_extent yaml_node_extent(struct yaml_node node)
{
    const yaml_node_t *found = inside(node);
    return (struct yaml_extent){
        .start = found->start_mark.index,
        .end = found->end_mark.index,
        .column = found->start_mark.column,
        .flow = is_flow(found),
    };
}

void yaml_node_problem(struct yaml_node node, enum problem_level level,
                       struct problem_list *problems, const char *format, ...)
{
    yaml_mark_t mark = inside(node)->start_mark;
    char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    problem_list_add(problems, level, node.text->name, place_of(mark.line), place_of(mark.column),
                     "%s", length < 0 ? "out of memory" : text);
    free(length < 0 ? NULL : text);
}
