/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What an order tells a client whom it blocks: the octets of EXTRA-TEXT (RFC 8914), for people and,
 * for clients that ask for it, structured. They depend on the order and the configuration
 * alone, so they are made when a generation is loaded, and an answer copies them.
 */
#pragma once

#include <stdbool.h>

#include "forwarder/wire/span.h"

#define ORDER_TEXT_MAX 1400 /* octets of a structured one; what is longer is left out */

struct config_block;
struct order;

/* In one language. Each may be empty. */
struct order_text {
    struct span plain;      /* the order's message, or a sentence that names it */
    struct span structured; /* structured_error.h */
    struct span shortened;  /* the same where room is short */
};

struct order_texts {
    struct order_text *by_message; /* in the languages and the order of order->messages; without any
                                    * there is one text, in English */
    size_t count;                  /* at least 1 */
};

/* All of them; empty for an order that is not disclosed. False when memory is out: order_texts_fini
 * is due all the same. */
bool order_texts_init(struct order_texts *texts, const struct order *order,
                      const struct config_block *config);
void order_texts_fini(struct order_texts *texts); /* all zero is allowed */
