/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Checks that need all names of an order together. Internal to the reading of orders
 * (policy/order_reader.h). Orders are not compared with each other here.
 */
#pragma once

#include "policy/order_reader.h"

/* An error: an order that blocks nothing; a cname whose target the order blocks. A warning: names
 * that another name of the order covers, or an exception; exceptions that match nothing; items that
 * have ended; where nxdomain becomes nodata because names below a blocked name stay free. */
void order_checks_names(struct order_reader *reader);
