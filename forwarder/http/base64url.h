/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Base64 with the alphabet that URLs take (RFC 4648 section 5), without padding, as RFC 8484
 * section 6 wants it. Strict: each sequence of octets has one text, and no other is read.
 */
#pragma once

#include "forwarder/wire/span.h"

/* Octets that a text of this length stands for. */
size_t base64url_size(size_t length);

/* Writes base64url_size(text.size) octets. False for any character outside of the alphabet (padding
 * included), a length that no octets give, and bits set behind the last octet. */
bool base64url_decode(struct span text, uint8_t *out);
