/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Edits as splices (see yaml_edit.h). Where a collection in block style ends, is where the last
 * scalar in it does: libyaml's mark lies behind the comments that follow.
 */
#include "policy/yaml_edit.h"

#define INDENT 2 /* of a sequence below its key, where the file shows no other */

static size_t start_of(const struct text_splices *text, struct yaml_node node)
{
    return text_splices_offset(text, yaml_node_extent(node).start);
}

/* The last node in a collection in block style; the node itself for all else. */
static struct yaml_node last_within(struct yaml_node node)
{
    while (!yaml_node_extent(node).flow && yaml_node_count(node) > 0) {
        size_t last = yaml_node_count(node) - 1;
        node = yaml_node_kind(node) == YAML_TEXT_SEQUENCE ? yaml_node_item(node, last)
                                                          : yaml_node_value(node, last);
    }
    return node;
}

/* Behind what the node itself is. */
static size_t end_of(const struct text_splices *text, struct yaml_node node)
{
    return text_splices_offset(text, yaml_node_extent(last_within(node)).end);
}

/* Where a line can stand behind the node, a comment on the node's last line left with it. A block
 * scalar ends where a line begins. */
static size_t line_behind(const struct text_splices *text, struct yaml_node node)
{
    size_t end = end_of(text, node);
    return text_splices_begins_line(text, end) && end > start_of(text, node)
               ? end
               : text_splices_next_line(text, end);
}

/* What follows a text without a blank before it, and would be taken for part of it. */
static const char *gap_before(const struct text_splices *text, size_t at)
{
    return at < text->size && text->bytes[at] == '#' ? " " : "";
}

/* ---- Appending ---- */

static void indent(FILE *out, size_t columns)
{
    for (size_t i = 0; i < columns; i++) {
        fputc(' ', out);
    }
}

/* How many blanks the last item has behind its dash. */
static size_t gap_behind_dash(const struct text_splices *text, struct yaml_node sequence)
{
    struct yaml_node last = yaml_node_item(sequence, yaml_node_count(sequence) - 1);
    size_t start = start_of(text, last), gap = 0;
    while (gap < start && text->bytes[start - gap - 1] == ' ') {
        gap++;
    }
    bool behind_dash = gap < start && text->bytes[start - gap - 1] == '-';
    return behind_dash && gap > 0 ? gap : 1;
}

static void append_block(struct text_splices *text, struct yaml_node sequence,
                         const struct yaml_edit_items *items)
{
    size_t at = line_behind(text, sequence);
    size_t column = yaml_node_extent(sequence).column;
    size_t gap = gap_behind_dash(text, sequence);
    text_splices_close_line(text, at);
    FILE *out = text_splices_begin(text, at, 0);
    if (out == NULL) {
        return;
    }
    for (size_t i = 0; i < items->count; i++) {
        indent(out, column);
        fputc('-', out);
        indent(out, gap);
        items->print(items->ctx, i, out);
        fputs(text->eol, out);
    }
    text_splices_end(text, out);
}

/* The comma behind an item in flow style, or the end of the text. Comments stand between lines. */
static size_t find_comma(const struct text_splices *text, size_t at)
{
    while (at < text->size && text->bytes[at] != ',') {
        if (text->bytes[at] == '#') {
            at = text_splices_line_end(text, at);
        } else if (text_splices_is_blank(text->bytes[at])) {
            at++;
        } else if (text_splices_break(text, at) > 0) {
            at += text_splices_break(text, at);
        } else {
            return text->size;
        }
    }
    return at;
}

static bool first_on_line(const struct text_splices *text, size_t at)
{
    while (at > 0 && text_splices_is_blank(text->bytes[at - 1])) {
        at--;
    }
    return text_splices_begins_line(text, at);
}

/* Is there nothing but blanks and a comment between here and the end of the line? */
static bool last_on_line(const struct text_splices *text, size_t at)
{
    at = text_splices_skip_blanks(text, at);
    return at == text->size || text->bytes[at] == '#' || text_splices_break(text, at) > 0;
}

/* ", a, b", or a line each, with commas before the items. */
static void print_behind(FILE *out, const struct yaml_edit_items *items, const char *before)
{
    for (size_t i = 0; i < items->count; i++) {
        fputs(before, out);
        items->print(items->ctx, i, out);
    }
}

/* In flow style with a line for each item and the bracket on one of its own. */
static void append_lines(struct text_splices *text, size_t start, size_t end,
                         const struct yaml_edit_items *items)
{
    size_t comma = find_comma(text, end);
    bool trailing = comma < text->size;
    if (!trailing) {
        text_splices_insert(text, end, ",");
    }
    size_t line = text_splices_line_start(text, start);
    FILE *out = text_splices_begin(text, text_splices_next_line(text, trailing ? comma : end), 0);
    if (out == NULL) {
        return;
    }
    for (size_t i = 0; i < items->count; i++) {
        fwrite(text->bytes + line, 1, start - line, out);
        items->print(items->ctx, i, out);
        fprintf(out, "%s%s", trailing || i + 1 < items->count ? "," : "", text->eol);
    }
    text_splices_end(text, out);
}

/* Behind the last item: on its line. */
static void append_inline(struct text_splices *text, size_t end,
                          const struct yaml_edit_items *items)
{
    FILE *out = text_splices_begin(text, end, 0);
    if (out != NULL) {
        print_behind(out, items, ", ");
        fputs(gap_before(text, end), out);
        text_splices_end(text, out);
    }
}

static void print_flow(FILE *out, const struct yaml_edit_items *items)
{
    for (size_t i = 0; i < items->count; i++) {
        fputs(i > 0 ? ", " : "", out);
        items->print(items->ctx, i, out);
    }
}

/* "[]" and what else holds no item. */
static void append_first(struct text_splices *text, struct yaml_node sequence,
                         const struct yaml_edit_items *items)
{
    size_t at = start_of(text, sequence) + 1;
    FILE *out = text_splices_begin(text, at, 0);
    if (out != NULL) {
        print_flow(out, items);
        fputs(gap_before(text, at), out);
        text_splices_end(text, out);
    }
}

static void append_flow(struct text_splices *text, struct yaml_node sequence,
                        const struct yaml_edit_items *items)
{
    size_t count = yaml_node_count(sequence);
    if (count == 0) {
        append_first(text, sequence, items);
        return;
    }
    struct yaml_node last = yaml_node_item(sequence, count - 1);
    size_t start = start_of(text, last), end = end_of(text, last);
    size_t comma = find_comma(text, end);
    bool lines =
        first_on_line(text, start) && last_on_line(text, comma < text->size ? comma + 1 : end);
    if (lines) {
        append_lines(text, start, end, items);
    } else {
        append_inline(text, end, items);
    }
}

void yaml_edit_append(struct text_splices *text, struct yaml_node sequence,
                      const struct yaml_edit_items *items)
{
    if (items->count == 0) {
        return;
    }
    if (yaml_node_extent(sequence).flow) {
        append_flow(text, sequence, items);
    } else {
        append_block(text, sequence, items);
    }
}

/* ---- Removing ---- */

/* The line on which the dash of an item stands: the item may begin further down. */
static size_t dash_line(const struct text_splices *text, struct yaml_node item, size_t column)
{
    size_t line = text_splices_line_start(text, start_of(text, item));
    for (;;) {
        size_t first = text_splices_skip_blanks(text, line);
        size_t mark = line == 0 ? text_splices_first(text) : 0;
        if ((first - line == column && text->bytes[first] == '-') || line == 0 ||
            (mark > 0 && text->bytes[mark + column] == '-')) {
            return line;
        }
        line = text_splices_line_start(text, line - 1);
    }
}

static void remove_block(struct text_splices *text, struct yaml_node sequence, const bool *gone)
{
    size_t column = yaml_node_extent(sequence).column;
    for (size_t i = 0; i < yaml_node_count(sequence); i++) {
        if (gone[i]) {
            struct yaml_node item = yaml_node_item(sequence, i);
            size_t start = dash_line(text, item, column);
            text_splices_cut(text, start, line_behind(text, item) - start);
        }
    }
}

/* An item with its comma; with its line if it has one of its own. */
static void remove_flow_item(struct text_splices *text, struct yaml_node item)
{
    size_t start = start_of(text, item), end = end_of(text, item);
    size_t comma = find_comma(text, end);
    bool own_line = first_on_line(text, start);
    bool near_comma = text_splices_skip_blanks(text, end) == comma;
    if (comma < text->size && !near_comma) {
        text_splices_cut(text, comma, 1); /* a comment stands between */
    } else if (comma < text->size) {
        end = text_splices_skip_blanks(text, comma + 1);
    }
    if (own_line && last_on_line(text, end)) {
        start = text_splices_line_start(text, start);
        end = text_splices_next_line(text, end);
    }
    text_splices_cut(text, start, end - start);
}

/* Items at the end of a line go with the comma before them, if the last one has none. */
static bool remove_flow_tail(struct text_splices *text, struct yaml_node sequence, size_t kept)
{
    size_t count = yaml_node_count(sequence);
    size_t from = end_of(text, yaml_node_item(sequence, kept - 1));
    size_t to = end_of(text, yaml_node_item(sequence, count - 1));
    if (find_comma(text, to) < text->size || text_splices_line_end(text, from) < to) {
        return false;
    }
    text_splices_cut(text, from, to - from);
    return true;
}

static void remove_flow(struct text_splices *text, struct yaml_node sequence, const bool *gone)
{
    size_t count = yaml_node_count(sequence), kept = count;
    while (kept > 0 && gone[kept - 1]) {
        kept--;
    }
    bool tail_removed = kept > 0 && kept < count && remove_flow_tail(text, sequence, kept);
    for (size_t i = 0; i < (tail_removed ? kept : count); i++) {
        if (gone[i]) {
            remove_flow_item(text, yaml_node_item(sequence, i));
        }
    }
}

static bool all_gone(struct yaml_node sequence, const bool *gone)
{
    for (size_t i = 0; i < yaml_node_count(sequence); i++) {
        if (!gone[i]) {
            return false;
        }
    }
    return true;
}

void yaml_edit_remove(struct text_splices *text, struct yaml_node key, struct yaml_node sequence,
                      const bool *gone)
{
    if (yaml_node_extent(sequence).flow) {
        remove_flow(text, sequence, gone);
        return;
    }
    if (all_gone(sequence, gone)) {
        size_t colon =
            text_splices_skip_blanks(text, text_splices_offset(text, yaml_node_extent(key).end));
        text_splices_insert(text, colon < text->size ? colon + 1 : colon, " []");
    }
    remove_block(text, sequence, gone);
}

/* ---- Setting and inserting ---- */

void yaml_edit_set(struct text_splices *text, struct yaml_node scalar, const char *word)
{
    size_t start = start_of(text, scalar), end = end_of(text, scalar);
    FILE *out = text_splices_begin(text, start, end - start);
    if (out != NULL) {
        fprintf(out, "%s%s%s", start == end ? " " : "", word, gap_before(text, end));
        text_splices_end(text, out);
    }
}

static void insert_flow(struct text_splices *text, struct yaml_node mapping, size_t after,
                        const struct yaml_edit_pair *pair)
{
    struct yaml_node key = yaml_node_key(mapping, after);
    size_t at = end_of(text, yaml_node_value(mapping, after));
    const char *quote = text->bytes[start_of(text, key)] == '"' ? "\"" : "";
    FILE *out = text_splices_begin(text, at, 0);
    if (out == NULL) {
        return;
    }
    fprintf(out, ", %s%s%s: ", quote, pair->key, quote);
    if (pair->word != NULL) {
        fprintf(out, "%s%s%s", quote, pair->word, quote);
    } else {
        fputc('[', out);
        print_flow(out, &pair->items);
        fputc(']', out);
    }
    fputs(gap_before(text, at), out);
    text_splices_end(text, out);
}

/* How far the dashes of a sequence stand behind its key, by the first that shows it. */
static size_t dash_indent(struct yaml_node mapping)
{
    size_t column = yaml_node_extent(yaml_node_key(mapping, 0)).column;
    for (size_t i = 0; i < yaml_node_count(mapping); i++) {
        struct yaml_node value = yaml_node_value(mapping, i);
        struct yaml_extent extent = yaml_node_extent(value);
        if (yaml_node_kind(value) == YAML_TEXT_SEQUENCE && !extent.flow &&
            extent.column >= column) {
            return extent.column - column;
        }
    }
    return INDENT;
}

static void insert_block(struct text_splices *text, struct yaml_node mapping, size_t after,
                         const struct yaml_edit_pair *pair)
{
    size_t at = line_behind(text, yaml_node_value(mapping, after));
    size_t column = yaml_node_extent(yaml_node_key(mapping, 0)).column;
    text_splices_close_line(text, at);
    FILE *out = text_splices_begin(text, at, 0);
    if (out == NULL) {
        return;
    }
    indent(out, column);
    fprintf(out, "%s:%s%s%s", pair->key, pair->word != NULL ? " " : "",
            pair->word != NULL ? pair->word : "", text->eol);
    column += dash_indent(mapping);
    for (size_t i = 0; pair->word == NULL && i < pair->items.count; i++) {
        indent(out, column);
        fputs("- ", out);
        pair->items.print(pair->items.ctx, i, out);
        fputs(text->eol, out);
    }
    text_splices_end(text, out);
}

void yaml_edit_insert(struct text_splices *text, struct yaml_node mapping, size_t after,
                      const struct yaml_edit_pair *pair)
{
    if (yaml_node_extent(mapping).flow) {
        insert_flow(text, mapping, after, pair);
    } else {
        insert_block(text, mapping, after, pair);
    }
}
