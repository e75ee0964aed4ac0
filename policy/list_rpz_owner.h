/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What the owner of a record in a response policy zone triggers on (draft-vixie-dnsop-dns-rpz):
 * the name of a question, alone or with all below it, or an address in an answer or of a client,
 * which stands in the owner backwards: 24.0.2.0.192.rpz-ip, 48.zz.db8.2001.rpz-client-ip.
 */
#pragma once

#include "geo/network.h"
#include "policy/dname.h"

enum list_rpz_trigger {
    LIST_RPZ_APEX,           /* the zone itself: its SOA and NS */
    LIST_RPZ_NAME,           /* name, exactly */
    LIST_RPZ_BELOW,          /* everything below name */
    LIST_RPZ_ANSWER,         /* network, in an answer (rpz-ip) */
    LIST_RPZ_CLIENT,         /* network, of a client (rpz-client-ip) */
    LIST_RPZ_NOT_APPLICABLE, /* rpz-nsdname, rpz-nsip: who forwards sees no name servers */
    LIST_RPZ_BAD,            /* none of these; why says what is wrong */
};

struct list_rpz_owner {
    enum list_rpz_trigger trigger;
    struct dname name;
    struct network network;
};

enum list_rpz_trigger list_rpz_owner_read(const struct dname *owner, const struct dname *zone,
                                          struct list_rpz_owner *out, char why[static WHY_MAX]);
