/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Finding the OPT record (see opt_record.h).
 */
#include "forwarder/wire/opt_record.h"

/* Takes note of one record; false if it cannot be. */
static bool take(struct span message, const struct records_record *record, bool *found,
                 struct opt_record *out)
{
    if (record->section == RECORDS_ADDITIONAL &&
        (record->type == DNS_TYPE_SIG || record->type == DNS_TYPE_TSIG)) {
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
    if (records.broken) {
        return OPT_RECORD_UNREADABLE;
    }
    out->tail = message.size - records.at;
    return found ? OPT_RECORD_ONE : OPT_RECORD_NONE;
}

/* Does the name at this place lead to nothing at or behind limit, but by octets of its own? */
static bool name_leads_before(struct span message, size_t at, size_t limit)
{
    while (message.bytes[at] != 0) { /* the cursor has passed the name: it has an end */
        if (dns_is_pointer(message.bytes[at])) {
            return dns_pointer_target(message.bytes + at) < limit;
        }
        at += 1U + message.bytes[at];
    }
    return true;
}

static bool may_move(struct span message, const struct records_record *record, size_t opt)
{
    bool plain = record->type == DNS_TYPE_A || record->type == DNS_TYPE_AAAA ||
                 record->type == DNS_TYPE_TXT || record->type == DNS_TYPE_RRSIG;
    return plain && name_leads_before(message, record->owner, opt);
}

bool opt_record_may_resize(struct span message, const struct opt_record *opt)
{
    struct records records = records_begin(message);
    struct records_record record;
    if (opt->behind == 0) {
        return true;
    }
    while (records_next(&records, &record)) {
        if (record.owner >= opt->end && !may_move(message, &record, opt->record.owner)) {
            return false;
        }
    }
    return true;
}

bool opt_record_is_readable(struct span rdata)
{
    struct span_reader reader = span_reader(rdata);
    struct opt_record_option option;
    while (opt_record_next(&reader, &option)) {
    }
    return !reader.failed;
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
