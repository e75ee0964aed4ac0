/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names as libpsl wants them: text in lower case without a trailing dot (with one co.uk is no
 * public suffix). Borrows libpsl's built-in list, which is constant data.
 */
#include "policy/public_suffix.h"

#include <libpsl.h>
#include <stdio.h>

#include "policy/dname.h"

/* An octet for libpsl. One that occurs in no public suffix becomes a question mark, so that only
 * wildcards of the list match it. */
static char suffix_octet(uint8_t octet)
{
    bool plain = (octet >= 'a' && octet <= 'z') || (octet >= '0' && octet <= '9') || octet == '-';
    return (char)(plain ? octet : '?');
}

/* Not dname_format: a million names are judged, and a dot that is escaped there would be a dot
 * here. */
static void format_suffix(const uint8_t *wire, char out[static DNAME_MAX])
{
    char *text = out;
    for (size_t at = 0; wire[at] != 0;) {
        if (at > 0) {
            *text++ = '.';
        }
        for (size_t end = at + wire[at]; at++ < end;) {
            *text++ = suffix_octet(wire[at]);
        }
    }
    *text = '\0';
}

bool public_suffix_known(void)
{
    return psl_builtin() != NULL;
}

bool public_suffix_is(const struct dname *name, unsigned labels)
{
    if (labels <= 1) {
        return true;
    }
    const uint8_t *wire = name->wire;
    for (unsigned skip = name->labels - labels; skip > 0; skip--) {
        wire += 1 + wire[0];
    }
    char text[DNAME_MAX];
    format_suffix(wire, text);
    return psl_is_public_suffix(psl_builtin(), text) != 0;
}

/* Is this text named by the list, and not only taken for a suffix as any unknown TLD is? */
static bool is_listed(const char *text)
{
    return psl_is_public_suffix2(psl_builtin(), text, PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE) != 0;
}

/* Is "label.tld" a suffix, where another label would be none? */
static bool is_listed_under(const char *label, const char *tld)
{
    char text[DNAME_MAX + PUBLIC_SUFFIX_TLD_MAX];
    snprintf(text, sizeof text, "%s.%s", label, tld);
    if (!is_listed(text)) {
        return false;
    }
    snprintf(text, sizeof text, "0-0.%s", tld);
    return !is_listed(text);
}

bool public_suffix_of_label(const struct dname *label, char tld[static PUBLIC_SUFFIX_TLD_MAX])
{
    char text[DNAME_MAX];
    format_suffix(label->wire, text);
    tld[0] = tld[1] = tld[2] = '\0';
    if (is_listed(text)) {
        return true;
    }
    for (tld[0] = 'a'; tld[0] <= 'z'; tld[0]++) {
        for (tld[1] = 'a'; tld[1] <= 'z'; tld[1]++) {
            if (is_listed_under(text, tld)) {
                return true;
            }
        }
    }
    return false;
}
