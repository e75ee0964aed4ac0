/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The lines of a ticket system: NAME[,TICKET[,EFFECTIVE[,UNTIL]]], where NAME may be =NAME. A field
 * may stand in double quotes, in which two of them are one. Blank lines and lines that begin with #
 * are passed over; blanks around fields do not count. Each other line is a ticket, a bad one too:
 * whoever sent it gets an answer.
 */
#pragma once

#include "policy/order_edit.h"

enum order_ticket_fate {
    ORDER_TICKET_PROCESSED, /* as long as nothing speaks against it */
    ORDER_TICKET_BLOCKED,   /* already */
    ORDER_TICKET_REFUSED,
};

struct order_ticket {
    unsigned line;
    const char *given;           /* the name as it stands there, its sign with it; never NULL */
    struct order_edit_item item; /* unless it was refused here; its texts are borrowed */
    enum order_ticket_fate fate;
    char *why;      /* ORDER_TICKET_REFUSED: owned; NULL where memory was out */
    const char *by; /* ORDER_TICKET_BLOCKED: id of the order that blocks it; borrowed */
    const struct order_ticket *first; /* the same item on a line before: what becomes of that */
};

struct order_tickets {
    char *text; /* owned */
    struct order_ticket *items;
    size_t count;
    size_t capacity;
};

/* Takes size octets, with a NUL behind them, which are cut up and owned from then on. False when
 * memory is out; the caller frees in either case. */
bool order_tickets_parse(char *text, size_t size, struct order_tickets *out);
void order_tickets_fini(struct order_tickets *tickets);

/* Refuses one, unless it is refused already. */
void order_ticket_refuse(struct order_ticket *ticket, const char *why);
