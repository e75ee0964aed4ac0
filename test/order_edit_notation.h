/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Edits of an order file as the words of tests: "+x.example" adds a name, "+=x.example" an exact
 * one, "+!x.example" an exception, "+x.example/4711" one with a ticket, "-x.example" removes,
 * "status:lifted" sets. The entry of the history is always the same.
 */
#pragma once

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/order_edit.h"

#define ORDER_EDIT_WORDS 32
#define ORDER_EDIT_AT "2026-01-01T00:00:00Z"

struct order_edit_words {
    char text[4096]; /* the words, cut up */
    struct order_edit_item add[ORDER_EDIT_WORDS];
    struct order_edit_item remove[ORDER_EDIT_WORDS];
    struct order_edit edit;
};

static inline void order_edit_word_name(char *word, struct order_edit_item *out)
{
    char why[WHY_MAX];
    *out = (struct order_edit_item){.kind = NAME_SUBTREE};
    if (*word == '=' || *word == '!') {
        out->kind = *word == '=' ? NAME_EXACT : NAME_EXCEPT;
        word++;
    }
    char *slash = strchr(word, '/');
    if (slash != NULL) {
        *slash = '\0';
        out->ticket = slash + 1;
    }
    out->text = word;
    ck_assert_msg(dname_parse(word, strlen(word), &out->name, why), "%s: %s", word, why);
}

/* out holds what the edit points to. */
static inline void order_edit_words(const char *words, struct order_edit_words *out)
{
    char *rest = NULL;
    *out = (struct order_edit_words){.edit = {.entry = {ORDER_EDIT_AT, "anna", "edit", "why not"}}};
    ck_assert_int_lt(snprintf(out->text, sizeof out->text, "%s", words), (int)sizeof out->text);
    out->edit.add = out->add;
    out->edit.remove = out->remove;
    for (char *word = strtok_r(out->text, " ", &rest); word != NULL;
         word = strtok_r(NULL, " ", &rest)) {
        if (strncmp(word, "status:", strlen("status:")) == 0) {
            out->edit.status = word + strlen("status:");
        } else if (*word == '+') {
            order_edit_word_name(word + 1, &out->add[out->edit.add_count++]);
        } else {
            order_edit_word_name(word + 1, &out->remove[out->edit.remove_count++]);
        }
    }
}
