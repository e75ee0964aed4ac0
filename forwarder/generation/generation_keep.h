/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a successful load leaves under `state`: the versions that are good now, for a start whose
 * files are not.
 */
#pragma once

struct generation_work;

/* Keeps what is new, removes what is gone from disk and configuration. What cannot be written is a
 * warning in work->problems: the generation serves all the same. */
void generation_keep(struct generation_work *work);
