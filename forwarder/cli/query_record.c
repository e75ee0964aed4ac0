/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lines of queries (see query_record.h). Which of its forms a line has, its first word tells: an
 * address, a number with a name behind it, or a name.
 */
#include "forwarder/cli/query_record.h"

#include <stdio.h>
#include <string.h>

#include "forwarder/explain/explain_question.h"

#define BLANKS " \t\r\n"
#define WORDS_MAX 4
#define COUNT_DIGITS_MAX 15

/* Stands where the reader of questions wants an address and the line has none. */
#define NO_ADDRESS "::"

struct words {
    const char *word[WORDS_MAX];
    unsigned count;
};

static bool is_number(const char *word)
{
    return word[0] != '\0' && word[strspn(word, "0123456789")] == '\0';
}

static bool read_count(const char *word, uint64_t *out, char why[static WHY_MAX])
{
    uint64_t value = 0;
    if (strlen(word) > COUNT_DIGITS_MAX) {
        snprintf(why, WHY_MAX, "the count has more than %d digits", COUNT_DIGITS_MAX);
        return false;
    }
    for (; *word != '\0'; word++) {
        value = value * 10 + (uint64_t)(*word - '0');
    }
    if (value == 0) {
        snprintf(why, WHY_MAX, "the count is 0, expected at least 1");
        return false;
    }
    *out = value;
    return true;
}

static bool split(char *line, struct words *out)
{
    char *rest = NULL;
    *out = (struct words){.count = 0};
    for (char *word = strtok_r(line, BLANKS, &rest); word != NULL;
         word = strtok_r(NULL, BLANKS, &rest)) {
        if (out->count == WORDS_MAX) {
            return false;
        }
        out->word[out->count++] = word;
    }
    return true;
}

/* The words of a line by what they say; NULL for those it has not. */
struct parts {
    const char *address;
    const char *name;
    const char *type;
    const char *count;
};

static bool sort_words(const struct words *words, struct parts *out)
{
    struct address address;
    const char *const *word = words->word;
    unsigned left = words->count;
    *out = (struct parts){0};
    if (left > 1 && address_parse(word[0], strlen(word[0]), &address)) {
        out->address = word[0];
        out->name = word[1];
        word += 2;
        left -= 2;
        if (left > 0 && !is_number(word[0])) {
            out->type = *word++;
            left--;
        }
    } else if (left == 2 && is_number(word[0])) {
        out->count = word[0];
        out->name = word[1];
        return true;
    } else {
        out->name = *word++;
        left--;
    }
    if (left == 1 && is_number(word[0])) {
        out->count = word[0];
        left--;
    }
    return left == 0;
}

enum query_record_line query_record_parse(char *line, size_t len, struct query_record *out,
                                          char why[static WHY_MAX])
{
    struct words words;
    struct parts parts;
    struct explain_question question;
    *out = (struct query_record){.count = 1};
    if (memchr(line, '\0', len) != NULL) {
        snprintf(why, WHY_MAX, "the line holds a NUL octet");
        return QUERY_RECORD_BAD;
    }
    bool fits = split(line, &words);
    if (words.count == 0 || words.word[0][0] == '#') {
        return QUERY_RECORD_NOTHING;
    }
    if (!fits || !sort_words(&words, &parts)) {
        snprintf(why, WHY_MAX, "expected NAME [COUNT], COUNT NAME or ADDRESS NAME [TYPE] [COUNT]");
        return QUERY_RECORD_BAD;
    }
    const char *address = parts.address == NULL ? NO_ADDRESS : parts.address;
    if (!explain_question_parse(&question, address, parts.name, parts.type, why) ||
        (parts.count != NULL && !read_count(parts.count, &out->count, why))) {
        return QUERY_RECORD_BAD;
    }
    out->has_client = parts.address != NULL;
    out->client = question.address;
    out->name = question.name;
    out->type = question.type;
    return QUERY_RECORD_ONE;
}
