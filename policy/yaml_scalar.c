/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Writing scalars (see yaml_scalar.h). The plain ones are few on purpose: other programs read these
 * files too, and take 4711, 1.5, no or ~ for something else than text.
 */
#include "policy/yaml_scalar.h"

#include <glib.h>
#include <string.h>

#include "policy/instant.h"

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Words that YAML 1.1 takes for something else than text. */
static bool is_reserved(const char *text)
{
    static const char *const words[] = {"y",   "n",    "yes",   "no",  "on",
                                        "off", "true", "false", "null"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

/* Is there a letter that no number holds? */
static bool has_letter(const char *text)
{
    for (; *text != '\0'; text++) {
        if (is_letter(*text) && strchr("abcdefABCDEFxXoO", *text) == NULL) {
            return true;
        }
    }
    return false;
}

static bool is_plain(const char *text)
{
    if (instant_is_date(text, strlen(text))) {
        return true;
    }
    if (!is_letter(text[0]) && !is_digit(text[0])) {
        return false;
    }
    for (const char *at = text; *at != '\0'; at++) {
        bool inner_blank = *at == ' ' && at[1] != '\0' && at[1] != ' ';
        if (!is_letter(*at) && !is_digit(*at) && strchr("._-/", *at) == NULL && !inner_blank &&
            ((unsigned char)*at < 0x80)) {
            return false;
        }
    }
    return has_letter(text) && !is_reserved(text);
}

/* A character that a line of a file should not hold as itself: controls, line separators, byte
 * order marks, what no font shows. */
static bool needs_escape(gunichar character)
{
    return character < 0x20 || (character >= 0x7F && character <= 0xA0) || character == 0x2028 ||
           character == 0x2029 || character == 0xFEFF || character > 0xFFFD ||
           (character >= 0xD800 && character <= 0xDFFF);
}

static bool has_escapes(const char *text)
{
    for (; *text != '\0'; text = g_utf8_next_char(text)) {
        if (needs_escape(g_utf8_get_char(text))) {
            return true;
        }
    }
    return false;
}

static void print_quoted(const char *text, FILE *out)
{
    fputc('"', out);
    while (*text != '\0') {
        const char *next = g_utf8_next_char(text);
        gunichar character = g_utf8_get_char(text);
        if (character == '"' || character == '\\') {
            fprintf(out, "\\%c", (char)character);
        } else if (needs_escape(character)) {
            fprintf(out, "\\U%08X", (unsigned)character);
        } else {
            fwrite(text, 1, (size_t)(next - text), out);
        }
        text = next;
    }
    fputc('"', out);
}

void yaml_scalar_print(const char *text, FILE *out)
{
    if (is_plain(text) && !has_escapes(text)) {
        fputs(text, out);
    } else {
        print_quoted(text, out);
    }
}

bool yaml_scalar_valid(const char *text)
{
    return g_utf8_validate(text, -1, NULL);
}
