/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key `dnstap` of forwarder.conf: which queries are reported, and where to.
 */
#pragma once

#include "forwarder/config/config_table.h"

struct config_dnstap;

/* Fills struct config_dnstap. */
extern const struct config_table config_dnstap_table;

/* Reads it into the dnstap of a struct config, and checks what one row cannot. */
void config_dnstap_read(const struct config_key *key, struct yaml_node node, void *field,
                        const struct config_reader *reader);

/* Frees what it points to. */
void config_dnstap_fini(struct config_dnstap *dnstap);

bool config_dnstap_equal(const struct config_dnstap *a, const struct config_dnstap *b);
