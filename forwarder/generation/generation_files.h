/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a generation is made from besides orders: protected names and networks, database, overrides,
 * the secret of cookies. Each keeps its last good version, from the generation before or from
 * `state`.
 */
#pragma once

struct generation_work;

/* work->guard. If protected names or networks can be read neither from their file nor from a last
 * good version, the load goes on without them, to find all problems, and is unusable. */
void generation_files_read_protected(struct generation_work *work);

/* result->db. Without any database the load is unusable. */
void generation_files_read_database(struct generation_work *work);

/* result->overrides. Without a last good version there are none. */
void generation_files_read_overrides(struct generation_work *work);

/* result->cookie_secret and result->soa_rname. */
void generation_files_read_block(struct generation_work *work);
