/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading trusted certificates (see trusted_certificates.h).
 */
#include "forwarder/generation/trusted_certificates.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <stdio.h>
#include <string.h>

#include "forwarder/config/config.h"

bool trusted_certificates_wanted(const struct config_upstream *config)
{
    for (size_t i = 0; i < config->server_count; i++) {
        if (config->servers[i].tls) {
            return true;
        }
    }
    return false;
}

static bool load(X509_STORE *store, const char *file, char why[static WHY_MAX])
{
    ERR_clear_error();
    if (file == NULL) {
        snprintf(why, WHY_MAX, "the certificates that the system trusts cannot be used");
        return X509_STORE_set_default_paths(store) == 1;
    }
    if (X509_STORE_load_file(store, file) == 1) {
        return true;
    }
    unsigned long error = ERR_peek_error();
    const char *reason =
        ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
    snprintf(why, WHY_MAX, "upstream.tls-ca %s: needs a PEM file with certificates: %s", file,
             reason != NULL ? reason : "it holds none");
    ERR_clear_error();
    return false;
}

X509_STORE *trusted_certificates_read(const struct config_upstream *config,
                                      char why[static WHY_MAX])
{
    X509_STORE *store = X509_STORE_new();
    if (store == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        return NULL;
    }
    if (!load(store, config->tls_ca, why)) {
        X509_STORE_free(store);
        return NULL;
    }
    return store;
}
