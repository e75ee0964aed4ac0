/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the service manager that started the daemon is told (systemd; sd_notify(3)): that it is
 * ready, loads anew, stops, is alive; and which sockets it is to keep for the next start. Knows
 * the protocol; server_service.c knows when to say what. Without a service manager every call does
 * nothing.
 */
#pragma once

/* Queries are served, by what status says in one line. */
void service_manager_ready(const char *status);

/* New orders are being loaded, until the next service_manager_ready. */
void service_manager_reloading(void);

void service_manager_stopping(void);

/* What the end still waits for, in one line; it is given so much time from now on, whatever it had
 * before, unless it asks again. */
void service_manager_waiting(const char *status, unsigned seconds);

/* How often it wants a sign of life, in milliseconds; 0: never. */
unsigned service_manager_watchdog_ms(void);
void service_manager_alive(void);

/* Has it keep a duplicate of a socket for the next start (inherited_sockets.h). A socket that it
 * has already is not kept twice. */
void service_manager_keep(int descriptor, const char *name);

/* Has it close all that it keeps under this name. */
void service_manager_drop(const char *name);
