/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * forwarder/generation/order_texts: what is written for each message of an order. What it looks
 * like in an answer is test/check_order_answer.c, how it is escaped test/check_structured_error.c.
 */
#include "forwarder/generation/order_texts.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/config/config.h"
#include "policy/order.h"
#include "test/suite.h"

static char contact[] = "tel:+39";
static char *contacts[] = {contact};

static const struct {
    const char *label;
    const char *language[2]; /* of the messages */
    const char *message[2];
    bool disclose;
    size_t contact_count;
    size_t count;
    const char *plain[2];
    const char *structured[2];
    const char *shortened[2];
} TEXTS[] = {
    {"no message",
     {0},
     {0},
     true,
     0,
     1,
     {"Blocked by order ID of Court"},
     {"{\"j\":\"Blocked by order ID of Court\",\"l\":\"en\"}"},
     {""}},
    {"one",
     {NULL},
     {"Stop"},
     true,
     1,
     1,
     {"Stop"},
     {"{\"c\":[\"tel:+39\"],\"j\":\"Stop\",\"l\":\"und\"}"},
     {"{\"c\":[\"tel:+39\"]}"}},
    {"two languages",
     {"it", "fr"},
     {"Fermo", "Halte"},
     true,
     0,
     2,
     {"Fermo", "Halte"},
     {"{\"j\":\"Fermo\",\"l\":\"it\"}", "{\"j\":\"Halte\",\"l\":\"fr\"}"},
     {"", ""}},
    {"sealed", {"it", "fr"}, {"Fermo", "Halte"}, false, 1, 2, {"", ""}, {"", ""}, {"", ""}},
};

static void check_span(const char *label, struct span span, const char *expected)
{
    ck_assert_msg(span.size == strlen(expected), "%s: %zu octets", label, span.size);
    ck_assert_msg(span.size == 0 || memcmp(span.bytes, expected, span.size) == 0, "%s: %.*s", label,
                  (int)span.size, (const char *)span.bytes);
}

static struct order *make_order(int row)
{
    struct order *order = order_new();
    order->id = strdup("ID");
    order->authority = strdup("Court");
    order->disclose = TEXTS[row].disclose;
    order->messages = calloc(2, sizeof *order->messages);
    for (; order->message_count < 2; order->message_count++) {
        const char *language = TEXTS[row].language[order->message_count];
        const char *message = TEXTS[row].message[order->message_count];
        if (message == NULL) {
            break;
        }
        order->messages[order->message_count] = (struct order_message){
            .language = language == NULL ? NULL : strdup(language), .text = strdup(message)};
    }
    return order;
}

START_TEST(one_text_a_message)
{
    const struct config_block config = {.contacts = contacts,
                                        .contact_count = TEXTS[_i].contact_count};
    struct order *order = make_order(_i);
    struct order_texts texts;
    ck_assert(order_texts_init(&texts, order, &config));
    ck_assert_uint_eq(texts.count, TEXTS[_i].count);
    for (size_t i = 0; i < texts.count; i++) {
        check_span(TEXTS[_i].label, texts.by_message[i].plain, TEXTS[_i].plain[i]);
        check_span(TEXTS[_i].label, texts.by_message[i].structured, TEXTS[_i].structured[i]);
        check_span(TEXTS[_i].label, texts.by_message[i].shortened, TEXTS[_i].shortened[i]);
    }
    order_texts_fini(&texts);
    order_unref(order);
}
END_TEST

START_TEST(nothing_can_be_ended)
{
    struct order_texts texts = {0};
    order_texts_fini(&texts);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_texts");
    TCase *tcase = tcase_create("order_texts");
    tcase_add_loop_test(tcase, one_text_a_message, 0, ROWS(TEXTS));
    tcase_add_test(tcase, nothing_can_be_ended);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
