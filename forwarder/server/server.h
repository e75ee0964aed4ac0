/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The daemon as a whole: the main thread with its loop, the workers, what is published to them, and
 * who may ask for what. Starts in the order configuration, first generation, sockets, workers, so
 * that no query is ever seen without orders in force.
 */
#pragma once

/* Runs until SIGTERM or SIGINT. The exit status: 0 ended as asked, 1 could not start or run. */
int server_run(const char *config_path);
