/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Every row of `listen` that was ever in force, each once: listeners and the connections that came
 * by them refer to theirs for as long as they live, whatever has become of the configuration.
 */
#pragma once

#include <stdint.h>

struct config_listen;
struct listen_rows;

/* NULL when memory is out. */
struct listen_rows *listen_rows_new(void);
void listen_rows_free(struct listen_rows *rows); /* NULL is allowed */

/* A new number, never given before, for a socket or a list of sockets. */
uint64_t listen_rows_number(struct listen_rows *rows);

/* The row that equals this one; a copy of it, if there was none. NULL when memory is out. */
const struct config_listen *listen_rows_intern(struct listen_rows *rows,
                                               const struct config_listen *listen);
