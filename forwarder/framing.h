/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * DNS messages on a stream: two octets of length before each (RFC 1035 section 4.2.2, RFC 7766
 * section 8). Reading leaves what is incomplete in the buffer; writing puts length and message in
 * one piece, so that they leave in one segment.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "forwarder/wire/span.h"

struct evbuffer;

/* The first message of the buffer, if it is there as a whole: its octets are made contiguous, may
 * be written to, and stay until framing_drop. False if more octets must come first. */
bool framing_peek(struct evbuffer *input, uint8_t **message, size_t *size);

/* Removes the message that framing_peek showed. */
void framing_drop(struct evbuffer *input, size_t size);

/* Appends a message (at most 65,535 octets). False when memory is out. */
bool framing_write(struct evbuffer *output, struct span message);
