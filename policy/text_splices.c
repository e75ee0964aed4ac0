/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Splices (see text_splices.h). The map from characters to octets has an entry every STRIDE
 * characters, the rest is counted.
 */
#include "policy/text_splices.h"

#include <stdlib.h>
#include <string.h>

#include "geo/utf8.h"

#define STRIDE 256U

struct text_splice {
    size_t at;
    size_t gone;
    size_t number; /* of splices at one place the earlier stands first */
    char *text;    /* owned; NULL: nothing comes */
    size_t len;
    bool line_end; /* comes only where what stands before it does not end a line */
};

/* ---- Places in the text ---- */

size_t text_splices_break(const struct text_splices *splices, size_t at)
{
    const unsigned char *c = (const unsigned char *)splices->bytes + at;
    size_t left = splices->size - at;
    if (left >= 1 && *c == '\n') {
        return 1;
    }
    if (left >= 1 && *c == '\r') {
        return left >= 2 && c[1] == '\n' ? 2 : 1;
    }
    if (left >= 2 && c[0] == 0xC2 && c[1] == 0x85) {
        return 2;
    }
    return left >= 3 && c[0] == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9) ? 3 : 0;
}

bool text_splices_is_blank(char c)
{
    return c == ' ' || c == '\t';
}

size_t text_splices_skip_blanks(const struct text_splices *splices, size_t at)
{
    while (at < splices->size && text_splices_is_blank(splices->bytes[at])) {
        at++;
    }
    return at;
}

size_t text_splices_line_end(const struct text_splices *splices, size_t at)
{
    while (at < splices->size && text_splices_break(splices, at) == 0) {
        at++;
    }
    return at;
}

size_t text_splices_next_line(const struct text_splices *splices, size_t at)
{
    at = text_splices_line_end(splices, at);
    return at < splices->size ? at + text_splices_break(splices, at) : at;
}

bool text_splices_begins_line(const struct text_splices *splices, size_t at)
{
    return at == 0 || (at >= 1 && text_splices_break(splices, at - 1) == 1) ||
           (at >= 2 && text_splices_break(splices, at - 2) == 2) ||
           (at >= 3 && text_splices_break(splices, at - 3) == 3);
}

size_t text_splices_line_start(const struct text_splices *splices, size_t at)
{
    while (!text_splices_begins_line(splices, at)) {
        at--;
    }
    return at;
}

size_t text_splices_first(const struct text_splices *splices)
{
    return utf8_mark(splices->bytes, splices->size);
}

static bool map_offsets(struct text_splices *splices)
{
    splices->offsets = calloc(splices->size / STRIDE + 2, sizeof *splices->offsets);
    if (splices->offsets == NULL) {
        return false;
    }
    size_t characters = 0;
    for (size_t at = text_splices_first(splices); at < splices->size; at++) {
        if (!utf8_continues(splices->bytes[at])) {
            if (characters % STRIDE == 0) {
                splices->offsets[characters / STRIDE] = at;
            }
            characters++;
        }
    }
    if (characters % STRIDE == 0) {
        splices->offsets[characters / STRIDE] = splices->size;
    }
    return true;
}

size_t text_splices_offset(const struct text_splices *splices, size_t character)
{
    size_t at = splices->offsets[character / STRIDE];
    for (size_t left = character % STRIDE; left > 0 && at < splices->size; left--) {
        do {
            at++;
        } while (at < splices->size && utf8_continues(splices->bytes[at]));
    }
    return at;
}

/* ---- Splices ---- */

static struct text_splice *add_splice(struct text_splices *splices, size_t at, size_t gone)
{
    if (splices->count == splices->capacity) {
        size_t capacity = splices->capacity * 2 + 16;
        struct text_splice *more = reallocarray(splices->items, capacity, sizeof *more);
        if (more == NULL) {
            splices->failed = true;
            return NULL;
        }
        splices->items = more;
        splices->capacity = capacity;
    }
    struct text_splice *splice = &splices->items[splices->count];
    *splice = (struct text_splice){.at = at, .gone = gone, .number = splices->count};
    splices->count++;
    return splice;
}

FILE *text_splices_begin(struct text_splices *splices, size_t at, size_t gone)
{
    struct text_splice *splice = add_splice(splices, at, gone);
    FILE *out = splice == NULL ? NULL : open_memstream(&splice->text, &splice->len);
    splices->failed = splices->failed || out == NULL;
    return out;
}

void text_splices_end(struct text_splices *splices, FILE *out)
{
    bool failed = ferror(out) != 0;
    splices->failed = fclose(out) != 0 || failed || splices->failed;
}

void text_splices_cut(struct text_splices *splices, size_t at, size_t gone)
{
    (void)add_splice(splices, at, gone); /* what is lost is told at the end */
}

void text_splices_insert(struct text_splices *splices, size_t at, const char *text)
{
    FILE *out = text_splices_begin(splices, at, 0);
    if (out != NULL) {
        fputs(text, out);
        text_splices_end(splices, out);
    }
}

void text_splices_close_line(struct text_splices *splices, size_t at)
{
    struct text_splice *splice = at == splices->size ? add_splice(splices, at, 0) : NULL;
    if (splice != NULL) {
        splice->line_end = true;
    }
}

/* ---- Beginning and end ---- */

static const char *eol_of(const struct text_splices *splices)
{
    size_t at = text_splices_line_end(splices, 0);
    size_t size = at < splices->size ? text_splices_break(splices, at) : 0;
    if (size == 2 && splices->bytes[at] == '\r') {
        return "\r\n";
    }
    return size == 1 && splices->bytes[at] == '\r' ? "\r" : "\n";
}

bool text_splices_init(struct text_splices *splices, const char *bytes, size_t size)
{
    *splices = (struct text_splices){.bytes = bytes, .size = size};
    splices->eol = eol_of(splices);
    return map_offsets(splices);
}

void text_splices_fini(struct text_splices *splices)
{
    for (size_t i = 0; i < splices->count; i++) {
        free(splices->items[i].text);
    }
    free(splices->items);
    free(splices->offsets);
    *splices = (struct text_splices){0};
}

static int compare_splices(const void *a, const void *b)
{
    const struct text_splice *left = a, *right = b;
    if (left->at != right->at) {
        return left->at < right->at ? -1 : 1;
    }
    return left->number < right->number ? -1 : left->number > right->number;
}

static bool ends_line(const char *text, size_t size)
{
    return size == 0 || text[size - 1] == '\n' || text[size - 1] == '\r';
}

/* Writes the text with the splices made; false if two of them want the same octets. */
static bool write_out(const struct text_splices *splices, char *out, size_t *size)
{
    size_t at = 0, used = 0;
    for (size_t i = 0; i < splices->count; i++) {
        const struct text_splice *splice = &splices->items[i];
        const char *text = splice->line_end ? splices->eol : splice->text;
        size_t len = splice->line_end ? strlen(splices->eol) : splice->len;
        if (splice->at < at) {
            return false;
        }
        memcpy(out + used, splices->bytes + at, splice->at - at);
        used += splice->at - at;
        at = splice->at + splice->gone;
        if (len > 0 && !(splice->line_end && ends_line(out, used))) {
            memcpy(out + used, text, len);
            used += len;
        }
    }
    memcpy(out + used, splices->bytes + at, splices->size - at);
    *size = used + splices->size - at;
    out[*size] = '\0';
    return true;
}

char *text_splices_finish(struct text_splices *splices, size_t *size)
{
    size_t most = splices->size + 1;
    if (splices->failed) {
        return NULL;
    }
    for (size_t i = 0; i < splices->count; i++) {
        most += splices->items[i].len + strlen(splices->eol);
    }
    if (splices->count > 0) {
        qsort(splices->items, splices->count, sizeof splices->items[0], compare_splices);
    }
    char *out = malloc(most);
    if (out != NULL && !write_out(splices, out, size)) {
        free(out);
        return NULL;
    }
    return out;
}
