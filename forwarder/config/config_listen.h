/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key `listen` of forwarder.conf: addresses, ports and transports to serve.
 */
#pragma once

#include "forwarder/config/config.h"
#include "forwarder/config/config_table.h"

/* A config_read_fn for struct config: listen and listen_count. */
config_read_fn config_listen_read;

/* Refuses items with proxy-protocol if trust.proxy-protocol is empty: they could serve nobody.
 * root is the root of the file, whose keys have all been read. */
void config_listen_check_trust(const struct config *config, struct yaml_node root,
                               const struct config_reader *reader);

/* Refuses servers of upstream that are items of listen themselves. Of root the same. */
void config_listen_check_loops(const struct config *config, struct yaml_node root,
                               const struct config_reader *reader);

void config_listen_free(struct config_listen *listen, size_t count); /* NULL is allowed */

/* A copy of these rows on the heap; NULL when memory is out. */
struct config_listen *config_listen_copy(const struct config_listen *listen, size_t count);

bool config_listen_equal(const struct config_listen *a, const struct config_listen *b);

/* Does it listen for datagrams (udp, quic), or for connections? */
bool config_listen_is_datagrams(const struct config_listen *listen);

/* The word for its transport in forwarder.conf. */
const char *config_listen_transport(const struct config_listen *listen);
const char *config_transport_name(enum config_transport transport);
