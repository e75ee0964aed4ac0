/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Tags for languages (RFC 5646), judged by their form alone: no list of languages is asked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define LANGUAGE_TAG_MAX 35 /* octets; RFC 5646 section 4.4.1 asks for no more */

/* Is this text well-formed as a langtag (RFC 5646 section 2.1) of at most LANGUAGE_TAG_MAX octets?
 * Tags of private use alone and the irregular ones of old are not taken. */
bool language_tag_valid(const char *text, size_t len);
