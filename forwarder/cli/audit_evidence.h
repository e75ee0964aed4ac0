/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * What lies beside the folders of an audit record and shows that there were records: how far it had
 * come (audit_mark.h), and since when blocks were counted. A record that was cut off, begun anew or
 * emptied has no line that is wrong; this tells it all the same, unless that was changed, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "forwarder/audit/audit_chain.h"

struct audit_evidence_item;

struct audit_evidence {
    struct audit_evidence_item *items; /* one a folder */
    size_t count;
};

/* Looks beside folders (an array that ends with NULL, borrowed), before their records are read:
 * they may grow meanwhile. False when memory is out. */
bool audit_evidence_read(char *const *folders, struct audit_evidence *out);
void audit_evidence_fini(struct audit_evidence *evidence);

/* Takes note of a record that is there. */
void audit_evidence_note(struct audit_evidence *evidence, const struct audit_record *record);

/* Was all that there was read? What speaks against it is told with tell. */
bool audit_evidence_holds(const struct audit_evidence *evidence, const struct audit_chain *chain,
                          void (*tell)(const char *format, ...));
