/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key of an order that names files with names. Internal to the reading of orders
 * (policy/order_reader.h); what is in such a file is read by policy/name_list.h.
 */
#pragma once

#include "policy/order_reader.h"

order_key_fn order_lists_read;
