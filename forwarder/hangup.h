/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * SIGHUP while nobody can handle it: it waits instead of ending the process, as it would by
 * itself, and is delivered once it is let in. What handles it then is the loop's business.
 */
#pragma once

/* For the calling thread and those that it starts. */
void hangup_hold(void);
void hangup_let_in(void);
