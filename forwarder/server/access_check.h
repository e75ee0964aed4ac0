/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the daemon must be able to open as the user it has become, at the start and at every reload
 * after: said at once and whole, before a load that would take each file it may not read for one
 * that is not there. What is not there at all is the load's business.
 */
#pragma once

struct config;
struct problem_list;

/* Appends an error for each path of the configuration that this process may not read (state and the
 * folder of control: write), at the place of its key, and for the first such thing in each of the
 * folders of orders and state. What is in state is written to, too; where state itself is not there
 * it must be possible to make it. */
void access_check(const struct config *config, struct problem_list *problems);
