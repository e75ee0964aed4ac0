/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The sealed lists of a generation, found again by what they were made from: the same bytes, judged
 * by the same rules, are one map, whichever orders name them, in this generation and in the next.
 * So a list of a million names that did not change costs a load no more than its digest.
 */
#pragma once

#include <stdint.h>

struct file_stream_known;
struct generation_lists;
struct name_list;
struct name_list_options;
struct problem_list;

/* The digests (FILE_BYTES_SHA256 octets each) of the protected names and networks stand for the
 * guard that judges all lists of the generation. NULL when memory is out. */
struct generation_lists *generation_lists_new(const uint8_t *names_sha256,
                                              const uint8_t *networks_sha256);
void generation_lists_free(struct generation_lists *lists); /* NULL is allowed */

/* The list that this file makes, with one reference: one that lists or before (may be NULL) has, or
 * a new one, for which the file is read once more. Its warnings are added to problems each time,
 * under options->name. NULL with at least one error in problems if it is no list, or if it is not
 * any more what file describes. */
struct name_list *generation_lists_take(struct generation_lists *lists,
                                        const struct generation_lists *before,
                                        const struct name_list_options *options,
                                        const struct file_stream_known *file,
                                        struct problem_list *problems);
