/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Members of audit records as a person reads them. What they hold comes from files, so control
 * characters are made plain.
 */
#pragma once

#include <jansson.h>

#define AUDIT_TEXT_MAX 256

/* A text of an object, or something in its place. Returns out. */
const char *audit_text_plain(const json_t *object, const char *key, const char *otherwise,
                             char out[static AUDIT_TEXT_MAX]);

/* Who asked: "root (uid 0, process 123), SIGHUP", or "-". Returns out. */
const char *audit_text_askers(const json_t *asked, char out[static AUDIT_TEXT_MAX]);
