/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The public suffix list as text: a rule a line, up to the first blank; // begins a comment; "*."
 * in front stands for one more label, "!" for an exception (publicsuffix.org, "Format"). A name can
 * only be a suffix where a rule is written for it, or a rule with "*." for what stands above it.
 * Rules are not judged here, and names and rules that are not plain ASCII are left to libpsl.
 */
#include "policy/public_suffix_rules.h"

#include <fcntl.h>
#include <libpsl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "geo/file_bytes.h"
#include "policy/line_reader.h"
#include "policy/suffix_map.h"

#define RULES_SEED 0 /* the list is everybody's, and no query is compared with it */
#define RULES_BYTES_MAX (4U * 1024U * 1024U)
#define SHA1_OCTETS 20

struct public_suffix_rules {
    struct suffix_map *map;
};

/* Values of the map. */
enum rule {
    RULE_NAME, /* a rule for this name, or an exception */
    RULE_STAR, /* a rule for each name with one label more */
};

/* Is this what the built-in list was made of? */
static bool is_built_in(const struct file_bytes *file)
{
    uint8_t sha1[SHA1_OCTETS];
    char text[2 * SHA1_OCTETS + 1];
    const char *expected = psl_builtin_sha1sum();
    if (expected == NULL ||
        EVP_Digest(file->bytes, file->size, sha1, NULL, EVP_sha1(), NULL) != 1) {
        return false;
    }
    for (size_t i = 0; i < sizeof sha1; i++) {
        snprintf(text + 2 * i, 3, "%02x", sha1[i]);
    }
    return strcmp(text, expected) == 0;
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)text[i] > 0x7F) {
            return false;
        }
    }
    return true;
}

/* Adds the rule of a line, if it has one. False when memory is out, or a rule cannot be read. */
static bool add_rule(struct suffix_map_builder *builder, const struct line *line)
{
    struct dname name;
    const char *text = line->text;
    size_t len = 0;
    enum rule rule = RULE_NAME;
    while (len < line->len && text[len] != ' ' && text[len] != '\t') {
        len++;
    }
    if ((len >= 2 && memcmp(text, "//", 2) == 0) || !is_ascii(text, len)) {
        return true;
    }
    if (len >= 2 && memcmp(text, "*.", 2) == 0) {
        rule = RULE_STAR;
        text += 2;
        len -= 2;
    } else if (*text == '!') {
        text++;
        len--;
    }
    /* The name above a star is a suffix too. */
    return dname_scan(text, len, &name) == len &&
           suffix_map_builder_add(builder, &name, RULE_NAME) &&
           (rule == RULE_NAME || suffix_map_builder_add(builder, &name, rule));
}

static struct suffix_map *read_rules(const struct file_bytes *file)
{
    struct line_reader reader;
    struct line line;
    struct suffix_map_builder *builder = suffix_map_builder_new(RULES_SEED);
    line_reader_init(&reader, file->bytes, file->size);
    while (builder != NULL && line_reader_next(&reader, &line)) {
        if (!add_rule(builder, &line)) {
            suffix_map_builder_free(builder);
            builder = NULL;
        }
    }
    return builder == NULL ? NULL : suffix_map_seal(builder);
}

struct public_suffix_rules *public_suffix_rules_new(void)
{
    struct file_bytes file;
    char why[WHY_MAX];
    const char *path = psl_builtin_filename();
    if (path == NULL || !file_bytes_read(AT_FDCWD, path, RULES_BYTES_MAX, &file, why)) {
        return NULL;
    }
    struct public_suffix_rules *rules = calloc(1, sizeof *rules);
    if (rules != NULL && is_built_in(&file)) {
        rules->map = read_rules(&file);
    }
    file_bytes_fini(&file);
    if (rules != NULL && rules->map == NULL) {
        free(rules);
        rules = NULL;
    }
    return rules;
}

void public_suffix_rules_free(struct public_suffix_rules *rules)
{
    if (rules != NULL) {
        suffix_map_free(rules->map);
        free(rules);
    }
}

/* A label that stands for one of other characters ("xn--…"); its rules were passed over. */
static bool has_a_label(const struct dname *name)
{
    for (size_t at = 0; name->wire[at] != 0; at += 1U + name->wire[at]) {
        if (name->wire[at] >= 4 && memcmp(name->wire + at + 1, "xn--", 4) == 0) {
            return true;
        }
    }
    return false;
}

bool public_suffix_rules_may_name(const struct public_suffix_rules *rules, const struct dname *name)
{
    struct suffix_keys keys;
    const uint32_t *values;
    if (rules == NULL || name->labels < 2 || has_a_label(name)) {
        return true;
    }
    suffix_keys_init(&keys, name, RULES_SEED);
    if (suffix_map_find(rules->map, &keys, keys.count, &values) > 0) {
        return true;
    }
    size_t count = suffix_map_find(rules->map, &keys, keys.count - 1U, &values);
    return count > 0 && values[count - 1] == RULE_STAR;
}
