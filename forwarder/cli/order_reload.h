/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * After an edit: the running daemon reads its files again, and says what became of those edited.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct config;

/* Has the daemon reload, and returns when what was written since the instant `since` is in force.
 * False, said on standard error, if one of the files (named as the daemon names them) was refused,
 * no new set came into force, or the daemon does not answer. That no daemon runs is said as well,
 * and is no failure. */
bool order_reload(const struct config *config, char *const *files, size_t count, int64_t since);
