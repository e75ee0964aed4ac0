/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The texts of one order (see order_texts.h). Owns a copy of the octets of each.
 */
#include "forwarder/generation/order_texts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config.h"
#include "forwarder/generation/structured_error.h"
#include "policy/order.h"

/* The sentence of an order without a message: its id and its authority are each within a bound. */
#define SENTENCE_MAX 512

/* A text and the language it is in. */
struct sentence {
    const char *text;
    const char *language; /* a tag of RFC 5646 */
};

/* Message number index, or the sentence that names the order, in out. "und" of RFC 5646 section
 * 4.1 where the order does not say. */
static struct sentence sentence_of(const struct order *order, size_t index,
                                   char out[static SENTENCE_MAX + 1])
{
    if (index < order->message_count) {
        const struct order_message *message = &order->messages[index];
        return (struct sentence){message->text,
                                 message->language != NULL ? message->language : "und"};
    }
    snprintf(out, SENTENCE_MAX + 1, "Blocked by order %s of %s", order->id, order->authority);
    return (struct sentence){out, "en"};
}

static bool copy(struct span *out, struct span text)
{
    uint8_t *bytes = malloc(text.size + 1);
    if (bytes == NULL) {
        return false;
    }
    if (text.size > 0) { /* an empty span may have no bytes to copy from */
        memcpy(bytes, text.bytes, text.size);
    }
    *out = (struct span){bytes, text.size};
    return true;
}

static bool write_text(struct order_text *text, const struct order *order,
                       const struct config_block *config, struct sentence sentence)
{
    const struct structured_error error = {
        .contacts = config->contacts,
        .contact_count = config->contact_count,
        .justification = sentence.text,
        .organization = config->organization,
        .language = sentence.language,
        .record = order->records,
        .record_count = order->record_count,
    };
    uint8_t room[ORDER_TEXT_MAX];
    struct span plain = {(const uint8_t *)sentence.text, strlen(sentence.text)};
    return copy(&text->plain, plain) &&
           copy(&text->structured, structured_error_write(&error, true, room, sizeof room)) &&
           copy(&text->shortened, structured_error_write(&error, false, room, sizeof room));
}

bool order_texts_init(struct order_texts *texts, const struct order *order,
                      const struct config_block *config)
{
    char room[SENTENCE_MAX + 1];
    texts->count = order->message_count > 0 ? order->message_count : 1;
    texts->by_message = calloc(texts->count, sizeof *texts->by_message);
    if (texts->by_message == NULL) {
        texts->count = 0;
        return false;
    }
    for (size_t i = 0; order->disclose && i < texts->count; i++) {
        if (!write_text(&texts->by_message[i], order, config, sentence_of(order, i, room))) {
            return false;
        }
    }
    return true;
}

void order_texts_fini(struct order_texts *texts)
{
    for (size_t i = 0; i < texts->count; i++) {
        const struct order_text *text = &texts->by_message[i];
        free((void *)(uintptr_t)text->plain.bytes);
        free((void *)(uintptr_t)text->structured.bytes);
        free((void *)(uintptr_t)text->shortened.bytes);
    }
    free(texts->by_message);
}
