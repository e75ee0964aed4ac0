/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The same bytes as a name in text and as one on the wire. What is read must be canonical, and must
 * read the same from its own wire form and, where the text needs no escapes, from its own text.
 */
#include "policy/dname.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void require_canonical(const struct dname *name)
{
    struct dname again;
    require(name->size >= 1 && name->labels <= DNAME_LABELS_MAX);
    require(dname_decode(name->wire, name->size, &again));
    require(dname_equal(name, &again) && again.labels == name->labels);
    require(name->size == 1 || !dname_decode(name->wire, name->size - 1U, &again));
}

static void require_suffixes(const struct dname *name)
{
    for (unsigned labels = 0; labels <= name->labels; labels++) {
        struct dname suffix;
        dname_suffix(name, labels, &suffix);
        require_canonical(&suffix);
        require(suffix.labels == labels && dname_within(name, &suffix));
        require(dname_within(&suffix, name) == (labels == name->labels));
    }
}

static void read_text(const char *text, size_t len)
{
    struct dname name, again;
    char formatted[DNAME_TEXT_MAX];
    char why[WHY_MAX] = "";
    if (!dname_parse(text, len, &name, why)) {
        require(name.size == 0 && why[0] != '\0' && memchr(why, '\0', sizeof why) != NULL);
        return;
    }
    require_canonical(&name);
    require_suffixes(&name);
    dname_format(&name, formatted);
    require(strpbrk(formatted, "\\/:@* ") == NULL);
    require(dname_parse(formatted, strlen(formatted), &again, why) && dname_equal(&name, &again));
}

/* The quick way reads what dname_parse reads, and nothing else. */
static void scan_text(const char *text, size_t len)
{
    struct dname scanned, parsed;
    char why[WHY_MAX];
    size_t used = dname_scan(text, len, &scanned);
    require(used <= len);
    if (used > 0) {
        require_canonical(&scanned);
        require(dname_parse(text, used, &parsed, why) && dname_equal(&parsed, &scanned));
    } else {
        bool plain = len > 0 && memchr(text, '.', len) != text;
        for (size_t i = 0; i < len; i++) {
            plain = plain && ((text[i] >= 'a' && text[i] <= 'z') || text[i] == '.');
        }
        require(!plain || !dname_parse(text, len, &parsed, why));
    }
}

static void read_wire(const uint8_t *wire, size_t size)
{
    struct dname name;
    char formatted[DNAME_TEXT_MAX];
    if (dname_decode(wire, size, &name)) {
        require(name.size <= size);
        require_canonical(&name);
        require_suffixes(&name);
        require(strlen(dname_format(&name, formatted)) < DNAME_TEXT_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    read_text((const char *)data, size);
    scan_text((const char *)data, size);
    read_wire(data, size);
    return 0;
}
