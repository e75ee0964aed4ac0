/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Characters in text that may be anything (see utf8.h).
 */
#include "geo/utf8.h"

#include <glib.h>
#include <string.h>

size_t utf8_next(const char *text, uint32_t *code)
{
    gunichar character = g_utf8_get_char_validated(text, -1);
    bool valid = character != (gunichar)-1 && character != (gunichar)-2;
    *code = valid ? character : (unsigned char)text[0];
    return valid ? (size_t)(g_utf8_next_char(text) - text) : 0;
}

size_t utf8_mark(const char *bytes, size_t size)
{
    static const char mark[3] = "\xef\xbb\xbf";
    return size >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0 ? sizeof mark : 0;
}
