/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The key `listen` of forwarder.conf: addresses, ports and transports to serve.
 */
#pragma once

#include "forwarder/config/config_table.h"

/* A config_read_fn for struct config: listen and listen_count. */
config_read_fn config_listen_read;
