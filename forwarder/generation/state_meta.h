/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * How a kept version is described (meta.json below `state`), and how a path becomes the name of
 * the folder it is kept in. Text only; the folders are state.c's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct state_version;

/* A path as ASCII: letters, digits and "-._" as they are, the rest and a dot in front as %xx. On
 * the heap; NULL when memory is out. */
char *state_meta_encode(const char *path);

/* The name of the folder for a path: encoded, or "=" and its SHA-256 where that would be longer
 * than a file's name may be. Returns out. */
#define STATE_META_NAME_MAX 256
char *state_meta_folder(const char *path, char out[static STATE_META_NAME_MAX]);

/* The description of the version of a path as JSON text on the heap; NULL if memory is out or a
 * text is not UTF-8. */
char *state_meta_format(const char *path, const struct state_version *version);

/* Reads such a text. False, and *out empty, if it is not a whole one. Parts have no file yet. */
bool state_meta_parse(const char *bytes, size_t size, struct state_version *out);
