/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as tickets. Each line that is one gets a name to be answered by; a good one has a name
 * that can stand in an order, and texts that are UTF-8.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/order_tickets.h"
#include "policy/yaml_scalar.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *text)
{
    assert(text == NULL || (yaml_scalar_valid(text) && strchr(text, '\n') == NULL));
}

static void check_ticket(const struct order_ticket *ticket, unsigned line_before)
{
    struct dname name;
    char why[WHY_MAX];
    assert(ticket->line > line_before && ticket->given != NULL);
    check_text(ticket->given);
    check_text(ticket->item.ticket);
    check_text(ticket->item.effective);
    check_text(ticket->item.until);
    if (ticket->fate == ORDER_TICKET_REFUSED) {
        assert(ticket->why != NULL);
        return;
    }
    assert(ticket->fate == ORDER_TICKET_PROCESSED && ticket->why == NULL);
    assert(dname_parse(ticket->item.text, strlen(ticket->item.text), &name, why));
    assert(dname_equal(&name, &ticket->item.name));
    assert((ticket->item.kind == NAME_EXACT) == (ticket->given[0] == '='));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct order_tickets tickets;
    char *text = malloc(size + 1);
    if (text == NULL) {
        return 0;
    }
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    assert(order_tickets_parse(text, size, &tickets));
    for (size_t i = 0; i < tickets.count; i++) {
        check_ticket(&tickets.items[i], i == 0 ? 0 : tickets.items[i - 1].line);
    }
    order_tickets_fini(&tickets);
    return 0;
}
