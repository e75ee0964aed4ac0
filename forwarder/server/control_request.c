/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading control requests (see control_request.h).
 */
#include "forwarder/server/control_request.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

/* One row a command: its name and the members it takes beside "command". */
static const struct command_row {
    const char *name;
    enum control_command command;
    const char *booleans[3]; /* optional, false by default */
    const char *texts[5];    /* see read_request for which may be left out */
} rows[] = {
    {"status", CONTROL_STATUS, {NULL}, {NULL}},
    {"reload", CONTROL_RELOAD, {"strict", "accept-shrink"}, {NULL}},
    {"orders", CONTROL_ORDERS, {NULL}, {NULL}},
    {"top", CONTROL_TOP, {"names"}, {NULL}},
    {"test", CONTROL_TEST, {NULL}, {"address", "name", "type", "time"}},
    {"drain", CONTROL_DRAIN, {"force"}, {"address"}},
    {"undrain", CONTROL_UNDRAIN, {NULL}, {"address"}},
};

static const struct command_row *find_row(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            return &rows[i];
        }
    }
    return NULL;
}

static bool is_listed(const char *const *names, const char *name)
{
    for (; *names != NULL; names++) {
        if (strcmp(*names, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Only members that the command has, each of its type. */
static bool check_members(const struct command_row *row, json_t *object, char *why)
{
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        if (strcmp(key, "command") == 0) {
            continue;
        }
        if (is_listed(row->booleans, key)) {
            if (!json_is_boolean(value)) {
                snprintf(why, WHY_MAX, "%s: expected true or false", key);
                return false;
            }
        } else if (is_listed(row->texts, key)) {
            if (!json_is_string(value) || json_string_length(value) >= CONTROL_TEXT_MAX ||
                strlen(json_string_value(value)) != json_string_length(value)) {
                snprintf(why, WHY_MAX, "%s: expected a text of less than %d octets", key,
                         CONTROL_TEXT_MAX);
                return false;
            }
        } else {
            snprintf(why, WHY_MAX, "the command %s has no member %.40s", row->name, key);
            return false;
        }
    }
    return true;
}

/* False if a required text is missing. */
static bool take_text(json_t *object, const char *key, const char *fallback, char *out, char *why)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL) {
        text = fallback;
    }
    if (text == NULL) {
        snprintf(why, WHY_MAX, "%s is missing", key);
        return false;
    }
    snprintf(out, CONTROL_TEXT_MAX, "%s", text);
    return true;
}

static bool read_request(json_t *object, struct control_request *out, char *why)
{
    const char *name = json_string_value(json_object_get(object, "command"));
    const struct command_row *row = name == NULL ? NULL : find_row(name);
    if (row == NULL) {
        snprintf(why, WHY_MAX,
                 "expected a command of status, reload, orders, top, test, drain or undrain");
        return false;
    }
    if (!check_members(row, object, why)) {
        return false;
    }
    out->command = row->command;
    out->strict = json_is_true(json_object_get(object, "strict"));
    out->names = json_is_true(json_object_get(object, "names"));
    out->accept_shrink = json_is_true(json_object_get(object, "accept-shrink"));
    out->force = json_is_true(json_object_get(object, "force"));
    if (is_listed(row->texts, "address") &&
        !take_text(object, "address", NULL, out->address, why)) {
        return false;
    }
    return row->command != CONTROL_TEST || (take_text(object, "name", NULL, out->name, why) &&
                                            take_text(object, "type", "A", out->type, why) &&
                                            take_text(object, "time", "", out->time, why));
}

bool control_request_parse(const char *bytes, size_t size, struct control_request *out,
                           char why[static WHY_MAX])
{
    json_error_t error;
    memset(out, 0, sizeof *out);
    json_t *object = json_loadb(bytes, size, JSON_REJECT_DUPLICATES, &error);
    if (!json_is_object(object)) {
        snprintf(why, WHY_MAX, "not a JSON object: %s", object == NULL ? error.text : "");
        json_decref(object);
        return false;
    }
    bool read = read_request(object, out, why);
    json_decref(object);
    return read;
}
