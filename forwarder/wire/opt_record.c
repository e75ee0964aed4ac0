/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finding the OPT record (see opt_record.h).
 */
#include "forwarder/wire/opt_record.h"

#define TYPE_SIG 24
#define TYPE_TSIG 250

/* Takes note of one record; false if it cannot be. */
static bool take(struct span message, const struct records_record *record, bool *found,
                 struct opt_record *out)
{
    if (record->section == RECORDS_ADDITIONAL &&
        (record->type == TYPE_SIG || record->type == TYPE_TSIG)) {
        out->signed_behind = true;
    }
    if (record->type != DNS_TYPE_OPT) {
        out->behind++;
        return true;
    }
    if (*found || record->section != RECORDS_ADDITIONAL || message.bytes[record->owner] != 0) {
        return false;
    }
    *found = true;
    out->record = *record;
    out->end = record->data + record->size;
    out->behind = 0;
    return true;
}

enum opt_record_outcome opt_record_find(struct span message, struct opt_record *out)
{
    struct records records = records_begin(message);
    struct records_record record;
    bool found = false;
    *out = (struct opt_record){.behind = 0};
    while (records_next(&records, &record)) {
        if (!take(message, &record, &found, out)) {
            return OPT_RECORD_UNREADABLE;
        }
    }
    if (records.broken || records.at != message.size) {
        return OPT_RECORD_UNREADABLE;
    }
    return found ? OPT_RECORD_ONE : OPT_RECORD_NONE;
}

bool opt_record_next(struct span_reader *rdata, struct opt_record_option *out)
{
    size_t begin = rdata->at;
    if (rdata->failed || begin == rdata->span.size) {
        return false;
    }
    out->code = span_read_u16(rdata);
    out->data = span_read(rdata, span_read_u16(rdata));
    if (rdata->failed) {
        return false;
    }
    out->whole = (struct span){rdata->span.bytes + begin, rdata->at - begin};
    return true;
}
