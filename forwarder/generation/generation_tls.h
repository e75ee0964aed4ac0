/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The certificates and keys of a load: one pair for each two files that a listener names. Each pair
 * is judged alone and keeps its last good version, which is the generation's before: private keys
 * are never kept under `state`. A pair without any is missing; its listeners serve nobody until it
 * is mended, and all others are served.
 */
#pragma once

struct config_listen;
struct generation;
struct generation_work;
struct tls_pair;

/* result->pairs. */
void generation_tls_read(struct generation_work *work);

/* The pair of a listener, borrowed from the generation. NULL: it has none that could be used. */
struct tls_pair *generation_tls_find(const struct generation *generation,
                                     const struct config_listen *listen);

void generation_tls_free(struct generation *generation);
