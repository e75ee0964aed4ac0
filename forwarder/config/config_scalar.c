/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Single values of forwarder.conf: words, numbers with and without units, texts, paths. A number
 * that overflows on its way is out of range like any other that is too large.
 */
#include "forwarder/config/config_scalar.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
    const char *name;
    uint64_t factor;
};

/* Each in the unit of the fields it fills. The largest first, so that a range is printed in the
 * unit a person would take. */
static const struct unit millisecond_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

static const struct unit second_units[] = {
    {"d", 86400},
    {"h", 3600},
    {"m", 60},
    {"s", 1},
};

static const struct unit size_units[] = {
    {" MiB", 1048576}, {" KiB", 1024}, {"MiB", 1048576}, {"KiB", 1024}, {"", 1},
};

struct measure {
    const char *what;
    const struct unit *units;
    size_t count;
};

static const struct measure milliseconds = {"a duration", millisecond_units,
                                            sizeof millisecond_units / sizeof millisecond_units[0]};
static const struct measure seconds = {"a duration in whole seconds", second_units,
                                       sizeof second_units / sizeof second_units[0]};
static const struct measure octets = {"a size", size_units,
                                      sizeof size_units / sizeof size_units[0]};

__attribute__((format(printf, 2, 3))) static bool refuse(char why[static WHY_MAX],
                                                         const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, WHY_MAX, format, args);
    va_end(args);
    return false;
}

void config_scalar_store(void *field, size_t size, uint64_t value)
{
    switch (size) {
    case sizeof(uint8_t):
        memcpy(field, &(uint8_t){(uint8_t)value}, size);
        break;
    case sizeof(uint16_t):
        memcpy(field, &(uint16_t){(uint16_t)value}, size);
        break;
    case sizeof(uint32_t):
        memcpy(field, &(uint32_t){(uint32_t)value}, size);
        break;
    case sizeof(uint64_t):
        memcpy(field, &value, size);
        break;
    default:
        break;
    }
}

/* Those that can be used: "udp, tcp". */
static void list_choices(const struct config_choice *choices, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (; choices->name != NULL && used < size; choices++) {
        if (choices->refused == NULL) {
            int put =
                snprintf(out + used, size - used, "%s%s", used == 0 ? "" : ", ", choices->name);
            used += put > 0 ? (size_t)put : 0;
        }
    }
}

bool config_scalar_choice(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    for (const struct config_choice *choice = key->choices; choice->name != NULL; choice++) {
        if (strcmp(choice->name, value->text) != 0) {
            continue;
        }
        if (choice->refused != NULL) {
            return refuse(why, "%s %s", value->shown, choice->refused);
        }
        config_scalar_store(field, key->size, choice->value);
        return true;
    }
    char known[WHY_MAX / 2];
    list_choices(key->choices, known, sizeof known);
    return refuse(why, "needs one of %s, not %s", known, value->shown);
}

/* Reads the decimal digits that text begins with. Returns what follows them, or NULL if there are
 * none, or more than the number holds. */
static const char *take_digits(const char *text, uint64_t *out)
{
    if (*text < '0' || *text > '9') {
        return NULL;
    }
    *out = 0;
    for (; *text >= '0' && *text <= '9'; text++) {
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, (uint64_t)(*text - '0'), out)) {
            return NULL;
        }
    }
    return text;
}

bool config_scalar_number(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    uint64_t number;
    const char *rest = take_digits(value->text, &number);
    if (rest == NULL || *rest != '\0' || number < key->min || number > key->max) {
        return refuse(why, "needs a number from %ju to %ju, not %s", (uintmax_t)key->min,
                      (uintmax_t)key->max, value->shown);
    }
    config_scalar_store(field, key->size, number);
    return true;
}

/* The amount in the largest unit that divides it. Returns out. */
#define AMOUNT_MAX 32
static char *format_amount(const struct measure *measure, uint64_t amount,
                           char out[static AMOUNT_MAX])
{
    const struct unit *unit = measure->units;
    const struct unit *smallest = &measure->units[measure->count - 1];
    while (unit < smallest && (amount == 0 || amount % unit->factor != 0)) {
        unit++;
    }
    snprintf(out, AMOUNT_MAX, "%ju%s", (uintmax_t)(amount / unit->factor), unit->name);
    return out;
}

/* Reads digits and a unit; *out counts in the smallest unit. False if there is no such thing. */
static bool take_amount(const struct measure *measure, const char *text, uint64_t *out)
{
    uint64_t number;
    const char *rest = take_digits(text, &number);
    for (size_t i = 0; rest != NULL && i < measure->count; i++) {
        if (strcmp(measure->units[i].name, rest) == 0) {
            return !__builtin_mul_overflow(number, measure->units[i].factor, out);
        }
    }
    return false;
}

static bool read_amount(const struct measure *measure, const struct config_key *key,
                        const struct config_value *value, void *field, char why[static WHY_MAX])
{
    uint64_t amount;
    if (!take_amount(measure, value->text, &amount) || amount < key->min || amount > key->max) {
        char min[AMOUNT_MAX], max[AMOUNT_MAX];
        return refuse(why, "needs %s from %s to %s, not %s", measure->what,
                      format_amount(measure, key->min, min), format_amount(measure, key->max, max),
                      value->shown);
    }
    config_scalar_store(field, key->size, amount);
    return true;
}

bool config_scalar_milliseconds(const struct config_key *key, const struct config_value *value,
                                void *field, char why[static WHY_MAX])
{
    return read_amount(&milliseconds, key, value, field, why);
}

bool config_scalar_seconds(const struct config_key *key, const struct config_value *value,
                           void *field, char why[static WHY_MAX])
{
    return read_amount(&seconds, key, value, field, why);
}

bool config_scalar_size(const struct config_key *key, const struct config_value *value, void *field,
                        char why[static WHY_MAX])
{
    return read_amount(&octets, key, value, field, why);
}

/* Puts a heap text into a char * field; false if there is none, for want of memory. */
static bool store_text(char *text, void *field, char why[static WHY_MAX])
{
    if (text == NULL) {
        return refuse(why, "found no memory");
    }
    memcpy(field, &text, sizeof text);
    return true;
}

static bool has_control_character(const char *text)
{
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < ' ' || *text == 0x7f) {
            return true;
        }
    }
    return false;
}

bool config_scalar_text(const struct config_key *key, const struct config_value *value, void *field,
                        char why[static WHY_MAX])
{
    if (value->len > key->max || has_control_character(value->text)) {
        return refuse(why, "needs one line of at most %ju bytes, not %s", (uintmax_t)key->max,
                      value->shown);
    }
    return store_text(strdup(value->text), field, why);
}

bool config_scalar_path(const struct config_key *key, const struct config_value *value, void *field,
                        char why[static WHY_MAX])
{
    if (has_control_character(value->text)) {
        return refuse(why, "needs a path without control characters, not %s", value->shown);
    }
    size_t len = value->len;
    while (len > 1 && value->text[len - 1] == '/') {
        len--;
    }
    bool absolute = value->text[0] == '/';
    char *path;
    if (asprintf(&path, "%s%s%.*s", absolute ? "" : value->folder, absolute ? "" : "/", (int)len,
                 value->text) < 0) {
        return refuse(why, "found no memory");
    }
    if (key->max != 0 && strlen(path) > key->max) {
        free(path);
        return refuse(why, "needs a path of at most %ju bytes once it is absolute, not %s",
                      (uintmax_t)key->max, value->shown);
    }
    return store_text(path, field, why);
}
