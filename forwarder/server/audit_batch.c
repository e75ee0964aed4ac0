/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Texts of records (see audit_batch.h).
 */
#include "forwarder/server/audit_batch.h"

#include <jansson.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/explain/json_put.h"
#include "forwarder/server/audit_facts.h"

void audit_batch_init(struct audit_batch *batch, const struct audit_head *head, int64_t time)
{
    *batch = (struct audit_batch){.head = *head, .time = time};
}

void audit_batch_fini(struct audit_batch *batch)
{
    free(batch->bytes);
    *batch = (struct audit_batch){.failed = true};
}

static void append(struct audit_batch *batch, const char *text, size_t size)
{
    if (batch->failed) {
        return;
    }
    if (batch->capacity - batch->size < size) {
        size_t capacity = 2 * (batch->size + size);
        char *bytes = realloc(batch->bytes, capacity);
        if (bytes == NULL) {
            batch->failed = true;
            return;
        }
        batch->bytes = bytes;
        batch->capacity = capacity;
    }
    memcpy(batch->bytes + batch->size, text, size);
    batch->size += size;
}

static void add(struct audit_batch *batch, const char *members)
{
    char *line = members == NULL ? NULL : audit_record_seal(&batch->head, batch->time, members);
    batch->lines++;
    if (line == NULL) {
        batch->failed = true;
    } else {
        append(batch, line, strlen(line));
    }
    free(line);
}

static void add_format(struct audit_batch *batch, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add_format(struct audit_batch *batch, const char *format, ...)
{
    va_list arguments;
    char *members;
    va_start(arguments, format);
    int size = vasprintf(&members, format, arguments);
    va_end(arguments);
    add(batch, size < 0 ? NULL : members);
    if (size >= 0) {
        free(members);
    }
}

/* Takes the reference. */
static void add_json(struct audit_batch *batch, json_t *object)
{
    char *members = audit_facts_members(object);
    add(batch, members);
    free(members);
}

void audit_batch_add_feed(struct audit_batch *batch)
{
    append(batch, "\n", 1);
}

void audit_batch_add_torn(struct audit_batch *batch, size_t octets,
                          const uint8_t sha256[static FILE_BYTES_SHA256])
{
    char hex[FILE_BYTES_HEX_MAX];
    add_format(batch, "\"event\":\"torn\",\"octets\":%zu,\"sha256\":\"%s\"", octets,
               file_bytes_hex(sha256, hex));
}

void audit_batch_add_gap(struct audit_batch *batch, const struct audit_gap *gap)
{
    json_t *object = json_object();
    json_put_text(&object, "event", "gap");
    json_put_instant(&object, "from", gap->from);
    json_put_instant(&object, "to", batch->time);
    json_put(&object, "lost", json_integer((json_int_t)gap->lost));
    json_put_text(&object, "reason", gap->reason);
    json_put(&object, "start", json_boolean(gap->start));
    add_json(batch, object);
}

/* What the user is called; null where nobody knows. Some sources of names take their time. */
static void put_user(json_t **object, uid_t uid)
{
    struct passwd entry, *found = NULL;
    char buffer[4096];
    bool known = getpwuid_r(uid, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL;
    json_put_text(object, "user", known ? found->pw_name : NULL);
}

static json_t *asker_json(const struct audit_asker *asker)
{
    static const char *const names[] = {
        [AUDIT_ASKER_START] = "start",
        [AUDIT_ASKER_CONTROL] = "control",
        [AUDIT_ASKER_SIGNAL] = "SIGHUP",
        [AUDIT_ASKER_WATCH] = "watch",
    };
    json_t *object = json_object();
    json_put_text(&object, "by", names[asker->kind]);
    if (asker->kind == AUDIT_ASKER_CONTROL) {
        put_user(&object, asker->uid);
        json_put(&object, "uid", json_integer((json_int_t)asker->uid));
        json_put(&object, "gid", json_integer((json_int_t)asker->gid));
        json_put(&object, "pid", json_integer((json_int_t)asker->pid));
    }
    return object;
}

/* `,"asked":[…]`, or "" where nobody did, on the heap. NULL when memory is out. */
static char *askers_text(const struct audit_event *event)
{
    json_t *array = json_array();
    char *text = NULL, *member = NULL;
    if (event->asker_count == 0) {
        json_decref(array);
        return strdup("");
    }
    for (size_t i = 0; i < event->asker_count; i++) {
        if (json_array_append_new(array, asker_json(&event->askers[i])) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    text = json_dumps(array, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(array);
    if (text != NULL && asprintf(&member, ",\"asked\":%s", text) < 0) {
        member = NULL;
    }
    free(text);
    return member;
}

void audit_batch_add_event(struct audit_batch *batch, const struct audit_event *event)
{
    char *askers = askers_text(event);
    const char *text = event->members;
    if (askers == NULL) {
        add(batch, NULL);
        return;
    }
    for (bool first = true; *text != '\0'; first = false) {
        size_t size = strcspn(text, "\n");
        add_format(batch, "%.*s%s", (int)size, text, first ? askers : "");
        text += size + (text[size] == '\n' ? 1 : 0);
    }
    free(askers);
}

/* in_force is what stands behind that key with its comma, or "". */
static void add_order(struct audit_batch *batch, const char *change, uint64_t generation,
                      const struct audit_fact *fact, const char *in_force)
{
    add_format(batch,
               "\"event\":\"order\",\"change\":\"%s\",\"generation\":%llu,\"id\":\"%s\","
               "%s\"order\":%s",
               change, (unsigned long long)generation, fact->id, in_force, fact->text);
}

static const char *in_force_text(const struct audit_fact *fact)
{
    return fact->in_force ? "\"in_force\":true," : "\"in_force\":false,";
}

/* What became of an order that was there before; NULL: nothing. */
static const char *change_of(const struct audit_fact *before, const struct audit_fact *after)
{
    static const char *const names[] = {
        [ORDER_ACTIVE] = "resumed",
        [ORDER_SUSPENDED] = "suspended",
        [ORDER_LIFTED] = "lifted",
    };
    if (before->status != after->status) {
        return names[after->status];
    }
    if (before->last_good != after->last_good) {
        return after->last_good ? "failed" : "mended";
    }
    return strcmp(before->text, after->text) == 0 ? NULL : "changed";
}

/* Tells, or with add false only counts, what is not as it was; both are sorted by id. */
static size_t compare(struct audit_batch *batch, const struct audit_facts *before,
                      const struct audit_facts *after, bool tell)
{
    size_t changes = 0, i = 0, j = 0;
    while (i < before->count || j < after->count) {
        const struct audit_fact *old = i < before->count ? &before->facts[i] : NULL;
        const struct audit_fact *new = j < after->count ? &after->facts[j] : NULL;
        int order = old == NULL ? 1 : new == NULL ? -1 : strcmp(old->id, new->id);
        const char *change = order < 0 ? "removed" : order > 0 ? "loaded" : change_of(old, new);
        i += order <= 0 ? 1 : 0;
        j += order >= 0 ? 1 : 0;
        changes += change != NULL ? 1 : 0;
        if (change != NULL && tell && order < 0) {
            add_order(batch, change, after->generation, old, "\"in_force\":false,");
        } else if (change != NULL && tell) {
            add_order(batch, change, after->generation, new, in_force_text(new));
        }
    }
    return changes;
}

void audit_batch_add_generation(struct audit_batch *batch, const struct audit_event *event,
                                const struct audit_facts *before)
{
    const struct audit_facts *facts = event->facts;
    char *askers = askers_text(event);
    size_t changes = before == NULL ? facts->count : compare(batch, before, facts, false);
    if (askers == NULL) {
        add(batch, NULL);
    } else {
        add_format(batch, "\"event\":\"generation\",%s,\"whole\":%s,\"changes\":%zu%s",
                   facts->about, before == NULL ? "true" : "false", changes, askers);
    }
    free(askers);
    for (size_t i = 0; before == NULL && i < facts->count; i++) {
        add_order(batch, "loaded", facts->generation, &facts->facts[i],
                  in_force_text(&facts->facts[i]));
    }
    if (before != NULL) {
        compare(batch, before, facts, true);
    }
    for (size_t i = 0; i < facts->failure_count; i++) {
        add(batch, facts->failures[i]);
    }
}

void audit_batch_add_checkpoint(struct audit_batch *batch, const struct audit_facts *facts)
{
    add_format(batch, "\"event\":\"checkpoint\",%s,\"whole\":true,\"changes\":%zu", facts->about,
               facts->count);
    for (size_t i = 0; i < facts->count; i++) { /* which windows are open now was told before */
        add_order(batch, "stands", facts->generation, &facts->facts[i], "");
    }
}
