/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The certificates by which TLS servers behind us must be signed: `upstream.tls-ca`, or what the
 * system trusts. Read at the start, by a reload that changes `upstream`, and by a check.
 */
#pragma once

#include <stdbool.h>

#include "geo/problem.h"

struct config_upstream;
struct x509_store_st;

/* Does any server have TLS? Otherwise nothing needs to be trusted. */
bool trusted_certificates_wanted(const struct config_upstream *config);

/* To be freed by X509_STORE_free. NULL with a reason. */
struct x509_store_st *trusted_certificates_read(const struct config_upstream *config,
                                                char why[static WHY_MAX]);
