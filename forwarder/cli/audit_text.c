/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Texts of audit records (see audit_text.h).
 */
#include "forwarder/cli/audit_text.h"

#include <stdio.h>

#include "forwarder/explain/plain_text.h"

const char *audit_text_plain(const json_t *object, const char *key, const char *otherwise,
                             char out[static AUDIT_TEXT_MAX])
{
    const char *text = json_string_value(json_object_get(object, key));
    return plain_text(text == NULL ? otherwise : text, out, AUDIT_TEXT_MAX);
}

/* Returns what snprintf does. */
static int put_asker(const json_t *asker, char *out, size_t room)
{
    char user[AUDIT_TEXT_MAX];
    if (!json_is_integer(json_object_get(asker, "uid"))) {
        return snprintf(out, room, "%.64s", audit_text_plain(asker, "by", "?", user));
    }
    return snprintf(out, room, "%.64s (uid %lld, process %lld)",
                    audit_text_plain(asker, "user", "?", user),
                    (long long)json_integer_value(json_object_get(asker, "uid")),
                    (long long)json_integer_value(json_object_get(asker, "pid")));
}

const char *audit_text_askers(const json_t *asked, char out[static AUDIT_TEXT_MAX])
{
    size_t index, used = 0;
    const json_t *asker;
    snprintf(out, AUDIT_TEXT_MAX, "-");
    json_array_foreach((json_t *)asked, index, asker)
    {
        int comma = index == 0 ? 0 : snprintf(out + used, AUDIT_TEXT_MAX - used, ", ");
        used += comma < 0 ? 0 : (size_t)comma;
        int put = used < AUDIT_TEXT_MAX ? put_asker(asker, out + used, AUDIT_TEXT_MAX - used) : 0;
        used += put < 0 ? 0 : (size_t)put;
        if (used >= AUDIT_TEXT_MAX) {
            break;
        }
    }
    return out;
}
