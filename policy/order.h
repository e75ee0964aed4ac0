/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * One order as read: whom it binds, when, which names, and what is answered. Plain data, immutable
 * once read, shared by reference count. Reading it is policy/order_file.h; deciding is
 * policy/policy.h.
 */
#pragma once

#include <stdatomic.h>

#include "geo/country.h"
#include "geo/country_group.h"
#include "geo/file_bytes.h"
#include "geo/network.h"
#include "geo/subdivision.h"
#include "policy/dname.h"
#include "policy/name_list.h"
#include "policy/order_action.h"

struct instant_offsets;
struct network_rules;

enum order_status {
    ORDER_ACTIVE,
    ORDER_SUSPENDED,
    ORDER_LIFTED,
};

#define ORDER_MESSAGE_MAX 200 /* octets */
#define ORDER_ADDRESSES_MAX 16

/* An instant that is not given: an order without `effective` has no first instant, one without
 * `until` no last. Seconds since the epoch, UTC. */
#define ORDER_ALWAYS INT64_MIN
#define ORDER_FOR_GOOD INT64_MAX

/* Countries by code and by group, and parts of countries; groups are judged by the day. */
struct order_scope {
    struct country_set countries;
    bool groups[COUNTRY_GROUPS];
    struct subdivision *subdivisions; /* each once, sorted */
    size_t subdivision_count;
    bool unknown; /* include-unknown */
};

struct order_name {
    enum name_kind kind; /* NAME_SUBTREE, NAME_EXACT or NAME_EXCEPT; NAME_PASS: above a protected
                          * name */
    struct dname name;
    size_t term;  /* index in order->terms + 1; 0: as long as the order */
    char *ticket; /* NULL: none */
};

/* Dates that an item of names has of its own, within those of its order. */
struct order_term {
    int64_t effective; /* or ORDER_ALWAYS */
    int64_t end;       /* or ORDER_FOR_GOOD */
};

/* Windows of one order. */
#define ORDER_WINDOWS_MAX 64

/* A time of the week at which the order binds, by the clocks of its timezone. */
struct order_window {
    uint8_t days;    /* on which it begins; bit 0 is Monday */
    uint32_t from_s; /* seconds of the day, below 86,400 */
    uint32_t to_s;   /* at most 86,400; not after from_s: of the day after */
};

/* The message of an order in one language. */
struct order_message {
    char *language; /* RFC 5646 tag; NULL where the order gives one message for all */
    char *text;
};

struct order_list {
    char *path; /* as written in the order */
    struct name_list *names;
    uint8_t sha256[FILE_BYTES_SHA256];
};

struct order_record {
    char *key; /* public-record: {lumen: "12345"} */
    char *value;
};

struct order {
    char *id;
    unsigned id_line; /* where the file gives it, from 1 */
    unsigned id_column;
    char *authority;
    char *title; /* these may be NULL */
    char *reference;
    char *legal_basis;
    char *issued; /* dates for the record, as written */
    char *received;
    char *deadline;
    struct order_message *messages; /* the first is the default */
    size_t message_count;
    bool disclose;
    struct order_record *records;
    size_t record_count;

    enum order_status status;
    int64_t effective; /* first instant in force, or ORDER_ALWAYS */
    int64_t end;       /* first instant no longer in force, or ORDER_FOR_GOOD */
    int64_t review;    /* past it a person should look, or ORDER_FOR_GOOD */

    struct order_scope scope;
    struct network_set *except_networks;
    struct order_window *windows; /* none: at all times */
    size_t window_count;
    struct instant_offsets *offsets; /* of the windows' timezone; NULL without windows */

    enum order_action action;
    struct address addresses[ORDER_ADDRESSES_MAX];
    size_t address_count;
    struct dname target; /* with ORDER_CNAME */

    struct order_name *names; /* names, exact and except of the file itself */
    size_t name_count;
    struct order_term *terms;
    size_t term_count;
    struct dname *any_tld; /* one label each, blocked below every public suffix */
    size_t any_tld_count;
    struct network_rules *answers; /* addresses blocked in answers, each with rule 0; NULL: none */
    bool aliases;                  /* a target in an answer that the order names is blocked too */
    struct order_list *lists;
    size_t list_count;

    uint8_t sha256[FILE_BYTES_SHA256]; /* of the order file */
    atomic_size_t references;          /* counted by order_ref and order_unref alone */
};

/* An order that says nothing yet (active, for good, disclosed) with one reference; NULL when memory
 * is out. order_file fills it. */
struct order *order_new(void);
struct order *order_ref(struct order *order);
void order_unref(struct order *order); /* NULL is allowed */

/* Does the order's scope hold this country, all of it, on the day of now? The unknown country only
 * with include-unknown. */
bool order_scope_has(const struct order_scope *scope, struct country country, int64_t now);

/* Does it hold a client there: in a country that it holds, or in a subdivision of one? A country
 * whose part is not known is in no subdivision. */
bool order_scope_holds(const struct order_scope *scope, struct country country,
                       const struct subdivisions *within, int64_t now);

const char *order_status_name(enum order_status status);
bool order_status_parse(const char *text, size_t len, enum order_status *out);
