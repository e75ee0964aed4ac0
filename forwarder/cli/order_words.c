/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Names of the command line (see order_words.h).
 */
#include "forwarder/cli/order_words.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/cli_output.h"

#define MORE_MAX 32 /* octets of " and 1000000 more" */

bool order_words_parse(const char *word, struct order_edit_item *out, char why[static WHY_MAX])
{
    *out = (struct order_edit_item){.kind = NAME_SUBTREE, .text = word};
    if (*word == '=' || *word == '!') {
        out->kind = *word == '=' ? NAME_EXACT : NAME_EXCEPT;
        out->text++;
    }
    return dname_parse(out->text, strlen(out->text), &out->name, why);
}

struct order_edit_item *order_words_read(char **words, size_t count)
{
    struct order_edit_item *items = calloc(count + 1, sizeof *items);
    bool good = items != NULL;
    if (!good) {
        cli_output_error("out of memory");
    }
    for (size_t i = 0; items != NULL && i < count; i++) {
        char why[WHY_MAX];
        if (!order_words_parse(words[i], &items[i], why)) {
            cli_output_error("%s: %s", words[i], why);
            good = false;
        }
    }
    if (!good) {
        free(items);
        return NULL;
    }
    return items;
}

const char *order_words_sign(enum name_kind kind)
{
    switch (kind) {
    case NAME_EXACT:
        return "=";
    case NAME_EXCEPT:
        return "!";
    case NAME_SUBTREE:
    case NAME_FREE_BELOW:
    case NAME_BELOW:
    case NAME_PASS:
    case NAME_PASS_BELOW:
        break;
    }
    return "";
}

char *order_words_what(const char *verb, const struct order_edit_item *items, size_t count,
                       char out[static ORDER_WORDS_WHAT_MAX])
{
    size_t used = (size_t)snprintf(out, ORDER_WORDS_WHAT_MAX, "%s", verb);
    for (size_t i = 0; i < count; i++) {
        const char *between = i == 0 ? " " : ", ";
        size_t len = strlen(between) + 1 + strlen(items[i].text);
        if (used + len + MORE_MAX > ORDER_WORDS_WHAT_MAX) {
            snprintf(out + used, ORDER_WORDS_WHAT_MAX - used, "%s%zu %s", i == 0 ? " " : " and ",
                     count - i, i == 0 ? "names" : "more");
            break;
        }
        used += (size_t)snprintf(out + used, ORDER_WORDS_WHAT_MAX - used, "%s%s%s", between,
                                 order_words_sign(items[i].kind), items[i].text);
    }
    return out;
}
