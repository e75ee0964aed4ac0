/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One command at a time changes orders. The lock is flock's, on the folder of the orders itself: it
 * leaves no file behind and ends with the process that holds it. Who has to wait says so, and for
 * whom, and does not wait for ever.
 */
#pragma once

struct cli_options;

/* How long the options say that a command waits, in seconds; 0: not at all. What cannot be meant is
 * more than ORDER_LOCK_WAIT_MAX_S. */
#define ORDER_LOCK_WAIT_MAX_S 3600U
unsigned order_lock_wait_s(const struct cli_options *options);

/* Opens the folder and takes its lock; name is what people call it. While another process has the
 * lock it is waited for, which is said on standard error. -1, and the reason said, if there is no
 * such folder or the time is over. Sends the process SIGALRM meanwhile. */
int order_lock_take(const char *folder, const char *name, unsigned wait_s);
