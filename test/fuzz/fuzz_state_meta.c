/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * meta.json from any bytes: what parses formats to a text that parses to the same version.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/generation/state.h"
#include "forwarder/generation/state_meta.h"

static void require(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void check_same(const struct state_version *a, const struct state_version *b)
{
    require(strcmp(a->path, b->path) == 0 && strcmp(a->id, b->id) == 0);
    require(a->loaded == b->loaded && a->count == b->count && a->count > 0);
    for (size_t i = 0; i < a->count; i++) {
        require(strcmp(a->parts[i].origin, b->parts[i].origin) == 0);
        require(a->parts[i].size == b->parts[i].size);
        require(memcmp(a->parts[i].sha256, b->parts[i].sha256, FILE_BYTES_SHA256) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct state_version version, again;
    if (!state_meta_parse((const char *)data, size, &version)) {
        require(version.count == 0 && version.path == NULL);
        return 0;
    }
    char *text = state_meta_format(version.path, &version);
    require(text != NULL && state_meta_parse(text, strlen(text), &again));
    check_same(&version, &again);
    state_version_fini(&again);
    state_version_fini(&version);
    free(text);
    return 0;
}
