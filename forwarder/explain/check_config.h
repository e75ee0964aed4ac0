/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick check` and `bailiwickd --check`: reads everything that a configuration names, as a
 * start without last good versions would, and prints every error, and warnings about what is
 * well-formed but hardly meant. With errors in forwarder.conf itself the orders are judged all the
 * same, as long as it says where they are, and it is told that this was done with defaults: a
 * person with a deadline then mends all at once. Opens no sockets. Of the state folder it reads
 * only how many names each list gave when it was last in force.
 */
#pragma once

#include <stdio.h>

/* Writes each problem of the configuration at path and of every file below it as
 * "file:line:column: text", and the counts. Returns the exit status: 0 without errors, else 1. */
int check_config_run(const char *path, FILE *out);
