/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The cursor over records, and names with compression (see records.h).
 */
#include "forwarder/wire/records.h"

#include <string.h>

/* Moves *at behind the octets that a name takes where it stands; no pointer is followed. */
static bool skip_name(struct span message, size_t *at)
{
    size_t limit = message.size - *at < DNS_NAME_MAX ? message.size : *at + DNS_NAME_MAX;
    for (size_t next = *at; next < limit;) {
        uint8_t length = message.bytes[next];
        if (length == 0) {
            *at = next + 1;
            return true;
        }
        if (dns_is_pointer(length)) {
            *at = next + DNS_POINTER_SIZE;
            return *at <= message.size;
        }
        if (length > DNS_LABEL_MAX) {
            return false;
        }
        next += 1U + length;
    }
    return false;
}

static bool skip(struct records *records, size_t size)
{
    if (size > records->message.size - records->at) {
        return false;
    }
    records->at += size;
    return true;
}

static bool skip_questions(struct records *records, uint16_t count)
{
    for (; count > 0; count--) {
        if (!skip_name(records->message, &records->at) || !skip(records, DNS_QUESTION_FIXED)) {
            return false;
        }
    }
    return true;
}

struct records records_begin(struct span message)
{
    struct records records = {.message = message};
    struct dns_header header;
    if (!dns_header_decode(message, &header)) {
        records.broken = true;
        return records;
    }
    records.at = DNS_HEADER_SIZE;
    records.left[RECORDS_ANSWER] = header.ancount;
    records.left[RECORDS_AUTHORITY] = header.nscount;
    records.left[RECORDS_ADDITIONAL] = header.arcount;
    records.broken = !skip_questions(&records, header.qdcount);
    return records;
}

/* Reads type, class, TTL and RDLENGTH, and passes the RDATA. */
static bool read_fixed(struct records *records, struct records_record *out)
{
    struct span_reader reader = span_reader(records->message);
    reader.at = records->at;
    out->type = span_read_u16(&reader);
    out->class = span_read_u16(&reader);
    out->ttl = span_read_u32(&reader);
    out->size = span_read_u16(&reader);
    out->data = reader.at;
    span_read(&reader, out->size);
    records->at = reader.at;
    return !reader.failed;
}

bool records_next(struct records *records, struct records_record *out)
{
    enum records_section section = RECORDS_ANSWER;
    while (section <= RECORDS_ADDITIONAL && records->left[section] == 0) {
        section++;
    }
    if (records->broken || section > RECORDS_ADDITIONAL) {
        return false;
    }
    records->left[section]--;
    out->section = section;
    out->owner = records->at;
    records->broken = !skip_name(records->message, &records->at) || !read_fixed(records, out);
    return !records->broken;
}

/* A name that is being read: at goes on where a pointer leads. */
struct reading {
    struct span message;
    size_t at;
    size_t end;   /* of the octets that at is among */
    size_t start; /* where these octets began: a pointer behind them must lead to before it */
    unsigned pointers;
};

static bool follow(struct reading *reading)
{
    if (reading->end - reading->at < DNS_POINTER_SIZE ||
        reading->pointers == RECORDS_POINTERS_MAX) {
        return false;
    }
    size_t target = dns_pointer_target(reading->message.bytes + reading->at);
    if (target < DNS_HEADER_SIZE || target >= reading->start) {
        return false;
    }
    reading->end = reading->message.size;
    reading->at = target;
    reading->start = target;
    reading->pointers++;
    return true;
}

/* Appends the label at hand, its length octet included. */
static bool take_label(struct reading *reading, size_t length, struct records_name *out)
{
    size_t size = length + 1;
    if (size > reading->end - reading->at || size > sizeof out->wire - out->size) {
        return false;
    }
    memcpy(out->wire + out->size, reading->message.bytes + reading->at, size);
    out->size = (uint8_t)(out->size + size);
    reading->at += size;
    return true;
}

bool records_name_read(struct span message, size_t *at, size_t end, struct records_name *out)
{
    struct reading reading = {.message = message, .at = *at, .end = end, .start = *at};
    size_t behind = 0; /* the first pointer, which ends the name where it stands */
    out->size = 0;
    while (reading.at < reading.end) {
        uint8_t length = message.bytes[reading.at];
        if (dns_is_pointer(length)) {
            behind = behind == 0 ? reading.at + DNS_POINTER_SIZE : behind;
            if (!follow(&reading)) {
                return false;
            }
            continue;
        }
        if (length > DNS_LABEL_MAX || !take_label(&reading, length, out)) {
            return false;
        }
        if (length == 0) {
            *at = behind == 0 ? reading.at : behind;
            return true;
        }
    }
    return false;
}
