/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Harmless text (see plain_text.h), by GLib's Unicode tables. Invariant: what comes out is valid
 * UTF-8 of printable characters, so it can neither steer a terminal nor feign a line.
 */
#include "forwarder/explain/plain_text.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "geo/utf8.h"

/* Octets of the character that text begins with (1 for an octet that belongs to none), and whether
 * a terminal shows it as itself. */
static size_t character_size(const char *text, bool *printable)
{
    uint32_t code;
    size_t size = utf8_next(text, &code);
    *printable = size > 0 && g_unichar_isprint(code);
    return size == 0 ? 1 : size;
}

char *plain_text(const char *text, char *out, size_t size)
{
    size_t used = 0;
    while (*text != '\0') {
        bool printable;
        size_t covered = character_size(text, &printable);
        size_t piece = printable ? covered : 1;
        if (used + piece >= size) {
            break;
        }
        memcpy(out + used, printable ? text : "?", piece);
        used += piece;
        text += covered;
    }
    out[used] = '\0';
    return out;
}

char *plain_text_count(size_t count, const char *one, const char *many,
                       char out[static PLAIN_TEXT_COUNT_MAX])
{
    snprintf(out, PLAIN_TEXT_COUNT_MAX, "%zu %s", count, count == 1 ? one : many);
    return out;
}
