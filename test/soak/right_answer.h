/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What a right answer is, octet for octet, as a function of the query alone: made here both by the
 * fake resolver, to be sent, and by the asker, to be compared. Written from the RFCs and the
 * contract; nothing of the code under test is used.
 *
 * A query here has one uncompressed question and at most one OPT, which stands last; its options
 * are such as nobody answers, but for ECS of a /24. Functions return the answer's size, or 0 for
 * octets that are no such query.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RIGHT_ANSWER_MAX 1400
#define RIGHT_QUERY_MAX 512

/* The resolver's answer: addresses that are a hash of every octet of the query but its ID, so that
 * it also shows that the query arrived unchanged; and an OPT if the query had one. salt is 0 for
 * the truth; with any other number it is a lie. */
size_t right_answer_full(const uint8_t *query, size_t size, uint32_t salt,
                         uint8_t out[static RIGHT_ANSWER_MAX]);

/* How many messages over a stream are the answer: a transfer's (AXFR, IXFR) are several, each the
 * resolver's answer with its number, from 0 on, for a salt. */
unsigned right_answer_messages(const uint8_t *query, size_t size);

/* Does the resolver, when it cuts at all, cut this one? About every second. */
bool right_answer_is_cut(const uint8_t *query, size_t size);

/* The resolver's answer when it is to be asked again by TCP: question and OPT with TC=1. */
size_t right_answer_cut(const uint8_t *query, size_t size, uint8_t out[static RIGHT_ANSWER_MAX]);

/* Bailiwick's: REFUSED with EDE 16 and this text; SERVFAIL with EDE 23 and none. */
size_t right_answer_refused(const uint8_t *query, size_t size, const char *text,
                            uint8_t out[static RIGHT_ANSWER_MAX]);
size_t right_answer_servfail(const uint8_t *query, size_t size,
                             uint8_t out[static RIGHT_ANSWER_MAX]);
