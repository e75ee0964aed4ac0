/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Format rpz: a response policy zone (draft-vixie-dnsop-dns-rpz) whose rules win over the action of
 * the order. The zone's name is the owner of its SOA, which comes first. Records of one owner make
 * one rule and stand next to each other, as in any zone that a server has written. A rule that is
 * the same for a name and for all below it becomes one entry of the map.
 *
 * As in BIND: a CNAME beside other data, two CNAMEs, and an owner with different rules in two
 * places make the zone unusable; what stands at the zone's own name, and DNSSEC's records, trigger
 * nothing; an old rule that points at its own name passes it.
 */
#include <libknot/descriptor.h>
#include <stdlib.h>
#include <string.h>

#include "policy/list_rpz_owner.h"
#include "policy/list_rpz_zone.h"
#include "policy/list_rules.h"
#include "policy/network_rules.h"

#define RECORDS_MAX 256U
#define DATA_MAX 60000U /* octets of a rule's records: what an answer can carry */

/* The records of one owner, as they come. */
struct pending {
    bool open;
    struct dname owner;
    struct list_rpz_owner trigger;
    struct list_place place;
    bool has_alias;
    struct dname alias;
    struct list_place alias_place;
    bool has_other; /* a record of a type that is not kept */
    struct order_rule_record records[RECORDS_MAX];
    size_t record_count;
    uint8_t data[DATA_MAX];
    size_t data_size;
};

/* A name to block that waits whether the same rule is to hold below it, or above it, too. */
struct held {
    bool open;
    struct dname name;
    enum name_kind kind;
    uint32_t rule;
    struct list_place place;
};

struct rpz {
    struct list_intake *intake;
    bool begun; /* the SOA was read */
    struct dname zone;
    struct pending pending;
    struct held held;
    size_t not_applicable; /* triggers on name servers */
    size_t other;          /* records of types that are not kept */
};

/* ---- Rules ---- */

enum decision {
    DECIDES_RULE,
    DECIDES_PASS,
    DECIDES_NOTHING, /* the records are wrong, which was told */
};

/* What a CNAME to one of these names means. */
static const struct {
    const char *target;
    enum decision decision;
    enum order_action action;
} targets[] = {
    {".", DECIDES_RULE, ORDER_NXDOMAIN},
    {"rpz-drop", DECIDES_RULE, ORDER_DROP},
    {"rpz-tcp-only", DECIDES_RULE, ORDER_TCP_ONLY},
    {"rpz-passthru", DECIDES_PASS, ORDER_REFUSED},
};
#define TARGETS (sizeof targets / sizeof *targets)

static bool is_wildcard(const struct dname *name)
{
    return name->labels > 0 && name->wire[0] == 1 && name->wire[1] == '*';
}

/* Tells of a target that has become relative: it lacks its final dot. Is it an error? */
static bool is_slip(struct rpz *rpz, const struct dname *target)
{
    char text[DNAME_TEXT_MAX];
    if (rpz->zone.labels == 0 || !dname_within(target, &rpz->zone)) {
        return false;
    }
    dname_format(target, text);
    for (size_t i = 0; i < TARGETS; i++) {
        size_t len = strlen(targets[i].target);
        if (target->labels == rpz->zone.labels + 1U && target->wire[0] == len &&
            memcmp(target->wire + 1, targets[i].target, len) == 0) {
            list_intake_bad(rpz->intake, rpz->pending.alias_place,
                            "%.160s lacks its final dot; expected %s.", text, targets[i].target);
            return true;
        }
    }
    list_intake_note(rpz->intake, rpz->pending.alias_place,
                     "the target is %.200s, within the zone: does it lack its final dot?", text);
    return false;
}

/* Is it meant as an action, and none that there is? The top-level domains that begin so are kept
 * for actions (draft-vixie-dnsop-dns-rpz section 3): a slip must not make a block of a pass. */
static bool is_unknown_action(struct rpz *rpz, const struct dname *target)
{
    static const char start[] = "rpz-";
    struct dname top;
    if (target->labels == 0) {
        return false;
    }
    dname_suffix(target, 1, &top);
    if (top.wire[0] < sizeof start - 1 || memcmp(top.wire + 1, start, sizeof start - 1) != 0) {
        return false;
    }
    char text[DNAME_TEXT_MAX];
    list_intake_bad(rpz->intake, rpz->pending.alias_place,
                    "%.160s. is no action; expected rpz-passthru., rpz-drop. or rpz-tcp-only.",
                    dname_format(target, text));
    return true;
}

static enum decision decide_alias(struct rpz *rpz, struct order_rule *rule)
{
    const struct pending *pending = &rpz->pending;
    const struct dname *target = &pending->alias;
    char text[DNAME_TEXT_MAX];
    dname_format(target, text);
    for (size_t i = 0; i < TARGETS; i++) {
        if (strcmp(text, targets[i].target) == 0) {
            rule->action = targets[i].action;
            return targets[i].decision;
        }
    }
    if (is_wildcard(target) && target->labels == 1) {
        rule->action = ORDER_NODATA;
        return DECIDES_RULE;
    }
    if (is_slip(rpz, target) || is_unknown_action(rpz, target)) {
        return DECIDES_NOTHING;
    }
    if (pending->trigger.trigger == LIST_RPZ_NAME && dname_equal(target, &pending->trigger.name)) {
        return DECIDES_PASS;
    }
    rule->action = ORDER_CNAME;
    rule->target = *target;
    return DECIDES_RULE;
}

static enum decision decide(struct rpz *rpz, struct order_rule *rule)
{
    struct pending *pending = &rpz->pending;
    bool has_data = pending->record_count > 0 || pending->has_other;
    *rule = (struct order_rule){0};
    if (pending->has_alias && has_data) {
        list_intake_bad(rpz->intake, pending->place, "the owner has a CNAME and other data");
        return DECIDES_NOTHING;
    }
    if (pending->has_alias) {
        return decide_alias(rpz, rule);
    }
    rule->action = pending->record_count > 0 ? ORDER_LOCAL : ORDER_NODATA;
    rule->records = pending->records;
    rule->record_count = pending->record_count;
    return DECIDES_RULE;
}

/* ---- Triggers ---- */

static void release_held(struct rpz *rpz)
{
    const struct held *held = &rpz->held;
    if (held->open) {
        list_intake_block(rpz->intake, held->place, &held->name, held->kind, held->rule);
    }
    rpz->held.open = false;
}

/* Holds a name to block; where it completes the one that is held both are one. */
static void hold(struct rpz *rpz, enum name_kind kind, uint32_t rule)
{
    const struct dname *name = &rpz->pending.trigger.name;
    struct held *held = &rpz->held;
    if (held->open && held->rule == rule && held->kind != kind && held->kind != NAME_SUBTREE &&
        dname_equal(&held->name, name)) {
        held->kind = NAME_SUBTREE;
        return;
    }
    release_held(rpz);
    *held = (struct held){true, *name, kind, rule, rpz->pending.place};
}

static void hand_over(struct rpz *rpz, bool pass, uint32_t rule)
{
    const struct pending *pending = &rpz->pending;
    const struct network_rule network = {pending->trigger.network, pass ? NAME_LIST_PASS : rule};
    switch (pending->trigger.trigger) {
    case LIST_RPZ_NAME:
        if (pass) {
            list_intake_pass(rpz->intake, &pending->trigger.name, NAME_PASS);
        } else {
            hold(rpz, NAME_EXACT, rule);
        }
        break;
    case LIST_RPZ_BELOW:
        if (pass) {
            list_intake_pass(rpz->intake, &pending->trigger.name, NAME_PASS_BELOW);
        } else {
            hold(rpz, NAME_BELOW, rule);
        }
        break;
    case LIST_RPZ_ANSWER:
        list_intake_answer(rpz->intake, pending->place, &network);
        break;
    case LIST_RPZ_CLIENT:
        list_intake_client(rpz->intake, pending->place, &network);
        break;
    case LIST_RPZ_NOT_APPLICABLE:
        rpz->not_applicable++;
        break;
    case LIST_RPZ_APEX:
    case LIST_RPZ_BAD:
        break;
    }
}

/* All records of an owner were seen. */
static void close_pending(struct rpz *rpz)
{
    struct pending *pending = &rpz->pending;
    enum list_rpz_trigger trigger = pending->trigger.trigger;
    struct order_rule rule;
    uint32_t number = 0;
    bool open = pending->open && trigger != LIST_RPZ_APEX && trigger != LIST_RPZ_BAD;
    pending->open = false;
    if (!open) {
        return;
    }
    switch (decide(rpz, &rule)) {
    case DECIDES_RULE:
        if (list_rules_add(rpz->intake->rules, &rule, &number)) {
            hand_over(rpz, false, number);
        } else {
            rpz->intake->out_of_memory = true;
        }
        break;
    case DECIDES_PASS:
        hand_over(rpz, true, 0);
        break;
    case DECIDES_NOTHING:
        break;
    }
}

static void open_pending(struct rpz *rpz, const struct list_rpz_record *record)
{
    struct pending *pending = &rpz->pending;
    char why[WHY_MAX];
    pending->open = true;
    pending->owner = record->owner;
    pending->place = list_rpz_record_begin(record);
    pending->has_alias = false;
    pending->has_other = false;
    pending->record_count = 0;
    pending->data_size = 0;
    if (list_rpz_owner_read(&record->owner, &rpz->zone, &pending->trigger, why) == LIST_RPZ_BAD) {
        list_intake_bad(rpz->intake, pending->place, "%s", why);
    }
}

/* ---- Records ---- */

static void take_alias(struct rpz *rpz, const struct list_rpz_record *record)
{
    struct pending *pending = &rpz->pending;
    struct dname target;
    if (!dname_decode(record->data, record->size, &target) || target.size != record->size) {
        list_intake_bad(rpz->intake, list_rpz_record_end(record), "this is no CNAME record");
    } else if (!pending->has_alias) {
        pending->has_alias = true;
        pending->alias = target;
        pending->alias_place = list_rpz_record_end(record);
    } else if (!dname_equal(&pending->alias, &target)) {
        list_intake_bad(rpz->intake, list_rpz_record_end(record),
                        "the owner has another CNAME already");
    }
}

/* Character strings, at least one (RFC 1035 section 3.3.14). */
static bool is_txt(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size) {
        at += 1U + data[at];
    }
    return size > 0 && at == size;
}

static bool is_well_formed(const struct list_rpz_record *record)
{
    switch (record->type) {
    case KNOT_RRTYPE_A:
        return record->size == 4;
    case KNOT_RRTYPE_AAAA:
        return record->size == 16;
    default:
        return is_txt(record->data, record->size);
    }
}

static bool has_record(const struct pending *pending, const struct list_rpz_record *record)
{
    for (size_t i = 0; i < pending->record_count; i++) {
        const struct order_rule_record *other = &pending->records[i];
        if (other->type == record->type && other->size == record->size &&
            memcmp(other->data, record->data, record->size) == 0) {
            return true;
        }
    }
    return false;
}

static void take_data(struct rpz *rpz, const struct list_rpz_record *record)
{
    struct pending *pending = &rpz->pending;
    if (!is_well_formed(record)) {
        list_intake_bad(rpz->intake, list_rpz_record_end(record),
                        "the data of this record is not of its type");
    } else if (has_record(pending, record)) {
        return;
    } else if (pending->record_count == RECORDS_MAX ||
               record->size > DATA_MAX - pending->data_size) {
        list_intake_bad(rpz->intake, list_rpz_record_begin(record),
                        "the owner has more records than an answer can carry (%u, %u octets)",
                        RECORDS_MAX, DATA_MAX);
    } else {
        uint8_t *data = pending->data + pending->data_size;
        memcpy(data, record->data, record->size);
        pending->data_size += record->size;
        pending->records[pending->record_count++] =
            (struct order_rule_record){record->type, (uint16_t)record->size, data};
    }
}

/* Records that are about the zone and not of it. */
static bool is_about_zone(uint16_t type)
{
    return type == KNOT_RRTYPE_RRSIG || type == KNOT_RRTYPE_NSEC || type == KNOT_RRTYPE_DNSKEY ||
           type == KNOT_RRTYPE_NSEC3 || type == KNOT_RRTYPE_NSEC3PARAM || type == KNOT_RRTYPE_CDS ||
           type == KNOT_RRTYPE_CDNSKEY || type == KNOT_RRTYPE_ZONEMD;
}

/* The first record says which zone this is. */
static bool begin(struct rpz *rpz, const struct list_rpz_record *record)
{
    rpz->begun = record->type == KNOT_RRTYPE_SOA;
    rpz->zone = record->owner;
    if (!rpz->begun) {
        list_intake_bad(rpz->intake, list_rpz_record_begin(record),
                        "expected the SOA of the zone as its first record");
    }
    return rpz->begun;
}

/* A list_rpz_record_fn. */
static bool take_record(void *ctx, const struct list_rpz_record *record)
{
    struct rpz *rpz = ctx;
    if (!rpz->begun) {
        return begin(rpz, record);
    }
    if (is_about_zone(record->type)) {
        return true;
    }
    if (!rpz->pending.open || !dname_equal(&rpz->pending.owner, &record->owner)) {
        close_pending(rpz);
        open_pending(rpz, record);
    }
    enum list_rpz_trigger trigger = rpz->pending.trigger.trigger;
    if (trigger == LIST_RPZ_APEX || trigger == LIST_RPZ_BAD) {
        return true;
    }
    switch (record->type) {
    case KNOT_RRTYPE_CNAME:
        take_alias(rpz, record);
        break;
    case KNOT_RRTYPE_A:
    case KNOT_RRTYPE_AAAA:
    case KNOT_RRTYPE_TXT:
        take_data(rpz, record);
        break;
    case KNOT_RRTYPE_SOA:
        list_intake_bad(rpz->intake, list_rpz_record_begin(record),
                        "a second zone begins here; expected one");
        break;
    default:
        rpz->pending.has_other = true;
        rpz->other++;
        break;
    }
    return true;
}

static void say_rest(struct rpz *rpz)
{
    if (rpz->not_applicable > 0) {
        list_intake_say(rpz->intake, PROBLEM_WARNING,
                        "%zu rules by name server (rpz-nsdname, rpz-nsip) are not applicable: who "
                        "forwards queries sees no name servers",
                        rpz->not_applicable);
    }
    if (rpz->other > 0) {
        list_intake_say(rpz->intake, PROBLEM_WARNING,
                        "%zu records are not A, AAAA, CNAME or TXT: questions for their types are "
                        "answered without data",
                        rpz->other);
    }
}

void list_rpz_read(struct list_intake *intake, struct list_unpack *source)
{
    struct rpz *rpz = calloc(1, sizeof *rpz);
    intake->rules = list_rules_new();
    if (rpz == NULL || intake->rules == NULL) {
        intake->out_of_memory = true;
        free(rpz);
        return;
    }
    rpz->intake = intake;
    list_rpz_zone_read(intake, source, take_record, rpz);
    close_pending(rpz);
    release_held(rpz);
    say_rest(rpz);
    if (!rpz->begun && intake->bad.count == 0) {
        list_intake_say(intake, PROBLEM_ERROR, "expected the SOA of a zone");
    }
    intake->may_be_empty = rpz->begun;
    free(rpz);
}
