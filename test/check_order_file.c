/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Order files: what is read, and for every kind of mistake the exact place and sentence. Lists come
 * from a table in memory; the clock stands at 2026-01-01T00:00:00Z; the folder is IT unless a row
 * says otherwise; dns.example.org and 192.0.2.53 are protected.
 */
#include "policy/order_file.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/instant_offsets.h"
#include "policy/network_rules.h"
#include "test/order_file_rows.h"
#include "test/suite.h"

#define NOW INT64_C(1767225600)

static const struct {
    const char *path;
    const char *bytes;
} lists[] = {
    {"good.txt", "listed.example\n"},
    {"marks.txt", "listed.example\n=exact.example\n"},
    {"exceptions.txt", "listed.example\n!fine.listed.example\n"},
    {"covered.txt", "listed.example\n=exact.listed.example\n!other.example\n"},
    {"wide.txt", "listed.example\ngithub.io\n"},
    {"answers.rpz", "@ SOA . . 1 2 3 4 5\n32.7.113.0.203.rpz-ip CNAME .\n"},
    {"clients.rpz", "@ SOA . . 1 2 3 4 5\n32.7.113.0.203.rpz-client-ip CNAME .\n"},
    {"passing.rpz", "@ SOA . . 1 2 3 4 5\n32.7.113.0.203.rpz-client-ip CNAME rpz-passthru.\n"},
    {"wide.hosts", "0.0.0.0 listed.example github.io\n"},
    {"bad.txt", "listed.example\nhttp://x.example/\n"},
};

static struct name_list *open_list(void *ctx, const struct name_list_options *options,
                                   uint8_t sha256[static FILE_BYTES_SHA256],
                                   struct problem_list *problems)
{
    (void)ctx;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        if (strcmp(lists[i].path, options->name) == 0) {
            memset(sha256, (int)i + 1, FILE_BYTES_SHA256);
            sha256[1] = (uint8_t)options->format; /* what the list was opened with */
            sha256[2] = (uint8_t)options->wide.network_count;
            return name_list_parse(options, lists[i].bytes, strlen(lists[i].bytes), problems);
        }
    }
    problem_list_add(problems, PROBLEM_ERROR, options->name, 0, 0, "no such file");
    return NULL;
}

/* Of parts of France nothing is known, and there is no US-XX. */
static enum order_file_place find_place(void *ctx, const struct subdivision *subdivision)
{
    (void)ctx;
    if (memcmp(subdivision->country.letter, "FR", 2) == 0) {
        return ORDER_FILE_PLACE_UNKNOWN;
    }
    return subdivision->code[0] == 'X' ? ORDER_FILE_PLACE_EMPTY : ORDER_FILE_PLACE_KNOWN;
}

static void join(const struct problem_list *problems, char *out, size_t size)
{
    out[0] = '\0';
    for (size_t i = 0; i < problems->count; i++) {
        const struct problem *problem = &problems->items[i];
        size_t used = strlen(out);
        used += (size_t)snprintf(out + used, size - used, "%s%s", i > 0 ? "\n" : "",
                                 problem->level == PROBLEM_WARNING ? "warning: " : "");
        problem_format(problem, out + used, size - used);
    }
}

/* Reads an order; what was said goes to said. */
static struct order *read_order(const char *folder, const char *yaml, char *said, size_t size)
{
    static const char protected_names[] = "dns.example.org\n";
    char why[WHY_MAX];
    struct problem_list problems;
    struct file_bytes bytes;
    struct order_file_env env = {.default_action = ORDER_REFUSED,
                                 .seed = 7,
                                 .now = NOW,
                                 .open_list = open_list,
                                 .find_place = find_place};
    problem_list_init(&problems);
    struct guard *guard =
        guard_new("protected", protected_names, sizeof protected_names - 1, &problems);
    ck_assert_ptr_nonnull(guard);
    ck_assert(guard_protect_networks(guard, "networks", "192.0.2.53\n", 11, &problems));
    env.guard = guard;
    ck_assert(order_folder_scope_parse(folder, &env.folder, why));
    ck_assert(file_bytes_copy(yaml, strlen(yaml), &bytes));
    struct order *order = order_file_parse(&env, "f", &bytes, &problems);
    join(&problems, said, size);
    ck_assert_msg((order == NULL) == (problems.errors > 0), "%s", said);
    file_bytes_fini(&bytes);
    problem_list_fini(&problems);
    guard_free(guard);
    return order;
}

START_TEST(refuses)
{
    const struct said_row *row = &errors[_i];
    char said[4096];
    ck_assert_msg(read_order("IT", row->yaml, said, sizeof said) == NULL, "%s", row->label);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s:\n%s\nnot\n%s", row->label, said,
                  row->expected);
}
END_TEST

START_TEST(warns)
{
    const struct said_row *row = &warnings[_i];
    char said[4096];
    struct order *order = read_order("IT", row->yaml, said, sizeof said);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s:\n%s\nnot\n%s", row->label, said,
                  row->expected);
    ck_assert_ptr_nonnull(order);
    order_unref(order);
}
END_TEST

static struct order *accept(const char *folder, const char *yaml)
{
    char said[4096];
    struct order *order = read_order(folder, yaml, said, sizeof said);
    ck_assert_msg(order != NULL && said[0] == '\0', "%s", said);
    return order;
}

static const char *name_text(const struct order *order, size_t index)
{
    static char text[DNAME_TEXT_MAX];
    return dname_format(&order->names[index].name, text);
}

/* Every field there is, but for what the action address excludes. */
static const char everything[] = "id: IT-MI-2022-07-11\n"
                                 "authority: Tribunale di Milano\n"
                                 "title: Sony v Cloudflare\n"
                                 "reference: docket 1\n"
                                 "legal-basis: >\n  Art. 1\n  and 2\n\n"
                                 "issued: 2022-07-11\n"
                                 "received: 2022-07-12\n"
                                 "deadline: 2022-08-10T12:00:00+02:00\n"
                                 "timezone: Europe/Rome\n"
                                 "effective: 2022-08-10\n"
                                 "until: 2027-08-10\n"
                                 "review: 2026-08-10\n"
                                 "status: suspended\n"
                                 "scope: [IT, SM, EEA]\n"
                                 "except-networks: [192.0.2.0/24, '2001:db8::/32']\n"
                                 "include-unknown: yes\n"
                                 "action: address\n"
                                 "addresses: [192.0.2.80, '2001:db8::80']\n"
                                 "message: {en-GB: In Milan, it: Blocked \xc3\xa0 Milano.}\n"
                                 "disclose: no\n"
                                 "public-record: {lumen: '12345', court: x}\n"
                                 "history: [{at: '2022-07-11T00:00:00Z', by: a, what: new}]\n"
                                 "names: [KickassTorrents.to., {name: b\xc3\xbc.example, ticket: "
                                 "'4711', until: 2026-12-31}]\n"
                                 "exact: [{name: just-this.example, effective: 2024-02-29}]\n"
                                 "except: [{name: fine.kickasstorrents.to, until: 2026-12-31}]\n"
                                 "any-tld: [IlCorsaroNero, b\xc3\xbc]\n"
                                 "lists: [{file: good.txt, format: names}, "
                                 "{file: wide.hosts, format: hosts, on-error: fail}]\n"
                                 "answers: [203.0.113.7, 203.0.112.0/23, '2001:db8::/48']\n"
                                 "aliases: yes\n"
                                 "windows: [{days: [sun, mon], from: '18:00', to: '24:00'}, "
                                 "{from: 00:30, to: 00:30}]\n"
                                 "allow-wide: [github.io, 203.0.112.0/23]\n";

START_TEST(reads_every_field)
{
    struct order *order = accept("IT", everything);
    ck_assert_str_eq(order->id, "IT-MI-2022-07-11");
    ck_assert_str_eq(order->authority, "Tribunale di Milano");
    ck_assert_str_eq(order->title, "Sony v Cloudflare");
    ck_assert_str_eq(order->reference, "docket 1");
    ck_assert_str_eq(order->legal_basis, "Art. 1 and 2");
    ck_assert_str_eq(order->issued, "2022-07-11");
    ck_assert_str_eq(order->received, "2022-07-12");
    ck_assert_str_eq(order->deadline, "2022-08-10T12:00:00+02:00");
    ck_assert_uint_eq(order->message_count, 2);
    ck_assert_str_eq(order->messages[0].language, "en-GB");
    ck_assert_str_eq(order->messages[0].text, "In Milan");
    ck_assert_str_eq(order->messages[1].language, "it");
    ck_assert_str_eq(order->messages[1].text, "Blocked \xc3\xa0 Milano.");
    ck_assert_int_eq(order->effective, 1660082400); /* 2022-08-09T22:00:00Z */
    ck_assert_int_eq(order->end, 1817935200);       /* 2027-08-10T22:00:00Z */
    ck_assert_int_eq(order->review, 1786399200);    /* 2026-08-10T22:00:00Z */
    ck_assert_int_eq(order->status, ORDER_SUSPENDED);
    ck_assert_int_eq(order->action, ORDER_ADDRESS);
    ck_assert(!order->disclose);
    order_unref(order);
}
END_TEST

START_TEST(reads_every_set)
{
    struct order *order = accept("IT", everything);
    struct country italy = {{'I', 'T'}};
    struct country france = {{'F', 'R'}};
    ck_assert(country_set_has(&order->scope.countries, italy));
    ck_assert(!country_set_has(&order->scope.countries, france));
    ck_assert(order->scope.groups[COUNTRY_GROUP_EEA]);
    ck_assert(!order->scope.groups[COUNTRY_GROUP_EU]);
    ck_assert(order->scope.unknown);

    struct address address;
    ck_assert(address_parse("192.0.2.9", 9, &address));
    ck_assert(network_set_contains(order->except_networks, &address));
    ck_assert(address_parse("192.0.2.80", 10, &address));
    ck_assert_uint_eq(order->address_count, 2);
    ck_assert(address_equal(&order->addresses[0], &address));
    ck_assert_uint_eq(order->record_count, 2);
    ck_assert_str_eq(order->records[0].key, "lumen");
    ck_assert_str_eq(order->records[0].value, "12345");
    ck_assert_str_eq(order->records[1].key, "court");

    ck_assert_uint_eq(order->name_count, 7); /* with what is protected */
    ck_assert_str_eq(name_text(order, 0), "kickasstorrents.to");
    ck_assert_str_eq(name_text(order, 1), "xn--b-eha.example");
    ck_assert_int_eq(order->names[1].kind, NAME_SUBTREE);
    ck_assert_str_eq(name_text(order, 2), "just-this.example");
    ck_assert_int_eq(order->names[2].kind, NAME_EXACT);
    ck_assert_str_eq(name_text(order, 3), "fine.kickasstorrents.to");
    ck_assert_int_eq(order->names[3].kind, NAME_EXCEPT);
    ck_assert_int_eq(order->names[4].kind, NAME_PASS); /* example.org and org, in any order */
    ck_assert_int_eq(order->names[5].kind, NAME_PASS);
    ck_assert_str_eq(name_text(order, 6), "dns.example.org");
    ck_assert_int_eq(order->names[6].kind, NAME_EXCEPT);
    ck_assert_uint_eq(order->list_count, 2);
    ck_assert_str_eq(order->lists[1].path, "wide.hosts");
    ck_assert_uint_eq(name_list_count(order->lists[1].names), 2);
    ck_assert_uint_eq(order->lists[0].sha256[1], NAME_LIST_NAMES);
    ck_assert_uint_eq(order->lists[1].sha256[1], NAME_LIST_HOSTS);
    ck_assert_uint_eq(order->lists[1].sha256[2], 1); /* a wide network */
    order_unref(order);
}
END_TEST

START_TEST(reads_items)
{
    struct order *order = accept("IT", everything);
    const struct order_term *terms = order->terms;
    ck_assert_uint_eq(order->names[0].term, 0);
    ck_assert_ptr_null(order->names[0].ticket);
    ck_assert_str_eq(order->names[1].ticket, "4711");
    ck_assert_uint_eq(order->term_count, 2);
    ck_assert_uint_eq(order->names[1].term, order->names[3].term); /* they share one */
    const struct order_term *until = &terms[order->names[1].term - 1];
    ck_assert_int_eq(until->effective, ORDER_ALWAYS);
    ck_assert_int_eq(until->end, 1798758000); /* 2026-12-31T23:00:00Z */
    const struct order_term *from = &terms[order->names[2].term - 1];
    ck_assert_int_eq(from->effective, 1709161200); /* 2024-02-28T23:00:00Z */
    ck_assert_int_eq(from->end, ORDER_FOR_GOOD);
    ck_assert_uint_eq(order->names[4].term, 0);
    order_unref(order);
}
END_TEST

START_TEST(reads_what_reaches_beyond_names)
{
    struct order *order = accept("IT", everything);
    struct address address;
    ck_assert_uint_eq(order->any_tld_count, 2);
    ck_assert_uint_eq(order->any_tld[0].size, 15);
    ck_assert_mem_eq(order->any_tld[0].wire, "\15ilcorsaronero", 15);
    ck_assert_mem_eq(order->any_tld[1].wire, "\11xn--b-eha", 11);
    ck_assert(order->aliases);
    ck_assert_uint_eq(network_rules_count(order->answers), 3);
    ck_assert(address_parse("203.0.113.9", 11, &address));
    ck_assert_uint_eq(network_rules_find(order->answers, &address)->rule, 0);
    ck_assert_uint_eq(network_rules_find(order->answers, &address)->network.length, 119);
    ck_assert(address_parse("203.0.114.0", 11, &address));
    ck_assert_ptr_null(network_rules_find(order->answers, &address));
    order_unref(order);
}
END_TEST

START_TEST(reads_windows)
{
    struct order *order = accept("IT", everything);
    int64_t until;
    ck_assert_uint_eq(order->window_count, 2);
    ck_assert_uint_eq(order->windows[0].days, 1U << 6 | 1U << 0);
    ck_assert_uint_eq(order->windows[0].from_s, 18 * 3600);
    ck_assert_uint_eq(order->windows[0].to_s, 24 * 3600);
    ck_assert_uint_eq(order->windows[1].days, 127);
    ck_assert_uint_eq(order->windows[1].from_s, 1800);
    ck_assert_uint_eq(order->windows[1].to_s, 1800);
    ck_assert_int_eq(instant_offsets_at(order->offsets, NOW, &until), 3600);
    order_unref(order);
}
END_TEST

START_TEST(reads_a_target)
{
    char text[DNAME_TEXT_MAX];
    struct order *order = accept("IT", NAMED "action: cname\ntarget: Blocked.Example.NET.\n");
    ck_assert_int_eq(order->action, ORDER_CNAME);
    ck_assert_str_eq(dname_format(&order->target, text), "blocked.example.net");
    order_unref(order);
}
END_TEST

START_TEST(reads_defaults)
{
    struct order *order = accept("IT", "{id: x, authority: A, issued: 2022-07-11, exact: [a.eu]}");
    struct country italy = {{'I', 'T'}};
    ck_assert_ptr_null(order->title);
    ck_assert_uint_eq(order->message_count, 0);
    ck_assert_ptr_null(order->except_networks);
    ck_assert(order->disclose);
    ck_assert_int_eq(order->effective, ORDER_ALWAYS);
    ck_assert_int_eq(order->end, ORDER_FOR_GOOD);
    ck_assert_int_eq(order->review, ORDER_FOR_GOOD);
    ck_assert_int_eq(order->status, ORDER_ACTIVE);
    ck_assert_int_eq(order->action, ORDER_REFUSED);
    ck_assert(country_set_has(&order->scope.countries, italy));
    ck_assert(!order->scope.groups[COUNTRY_GROUP_EU]);
    ck_assert(!order->scope.unknown);
    ck_assert_uint_eq(order->name_count, 1);
    ck_assert_uint_eq(order->list_count, 0);
    ck_assert_uint_eq(order->term_count, 0);
    ck_assert_uint_eq(order->any_tld_count, 0);
    ck_assert_uint_eq(order->window_count, 0);
    ck_assert_ptr_null(order->offsets);
    ck_assert_ptr_null(order->answers);
    ck_assert(!order->aliases);
    order_unref(order);
}
END_TEST

START_TEST(keeps_the_digest)
{
    /* of sha256sum(1) over the text NAMED */
    static const char digest[] = "a8c59bfe3a529f02a2842ac2767307e8b944f835918f35130fb840f6f0365404";
    char hex[FILE_BYTES_HEX_MAX];
    struct order *order = accept("IT", NAMED);
    ck_assert_str_eq(file_bytes_hex(order->sha256, hex), digest);
    order_unref(order);
}
END_TEST

/* Who may block more than names may still not block what is protected. */
static const struct {
    const char *yaml;
    size_t names;
    bool excepts;
} beyond[] = {
    {BASE "names: [.]\nallow-wide: [.]\n", 2, true},
    {BASE "exact: [.]\nallow-wide: [.]\n", 1, false},
    {BASE "names: [.]\nallow-wide: [.]\naliases: yes\n", 2, true},
    {BASE "any-tld: [pirate]\n", 3, true},
    {BASE "answers: [203.0.113.7]\n", 3, true},
    {NAMED "aliases: yes\n", 4, true},
    {NAMED "aliases: no\n", 1, false},
    {BASE "lists: [{file: answers.rpz, format: rpz}]\n", 3, true},
    {BASE "lists: [{file: clients.rpz, format: rpz}]\nallow-wide: [.]\n", 1, true},
    {NAMED "aliases: yes\nlists: [{file: passing.rpz, format: rpz}]\n", 4, true},
    {BASE "lists: [{file: good.txt, format: names}]\n", 0, false},
};

START_TEST(excepts_protected_names)
{
    struct order *order = accept("IT", beyond[_i].yaml);
    ck_assert_msg(order->name_count == beyond[_i].names, "%s", beyond[_i].yaml);
    if (beyond[_i].excepts) {
        const struct order_name *last = &order->names[order->name_count - 1];
        ck_assert_int_eq(last->kind, NAME_EXCEPT);
        ck_assert_str_eq(name_text(order, order->name_count - 1), "dns.example.org");
    }
    order_unref(order);
}
END_TEST

struct scope_row {
    const char *label;
    const char *folder;
    const char *yaml;
    const char *expected;
};

static const struct scope_row scopes[] = {
    {"a group as folder", "EU", NAMED, ""},
    {"a group as folder and scope", "EU", NAMED "scope: EU\n", ""},
    {"a group and more", "EEA", NAMED "scope: [CH, EEA]\n", ""},
    {"a group holds the country", "FR", NAMED "scope: EU\n", ""},
    {"a group holds its territory", "RE", NAMED "scope: EU\n", ""},
    {"no longer a member", "GB", NAMED "scope: EU\n",
     "f:5:8: the scope must contain the folder of the order, GB"},
    {"UK is GB", "GB", NAMED "scope: UK\n", ""},
    {"a member is not the group", "EU", NAMED "scope: FR\n",
     "f:5:8: the scope must contain the folder of the order, EU"},
    {"another group", "EEA", NAMED "scope: EU\n",
     "f:5:8: the scope must contain the folder of the order, EEA"},
    {"Norway is text", "NO", NAMED "scope: [NO]\n", ""},
};

START_TEST(judges_scopes)
{
    const struct scope_row *row = &scopes[_i];
    char said[4096];
    struct order *order = read_order(row->folder, row->yaml, said, sizeof said);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s: %s", row->label, said);
    order_unref(order);
}
END_TEST

struct place_row {
    const char *label;
    const char *folder;
    const char *scope; /* a line of the order */
    const char *expected;
    size_t subdivisions;
};

#define UNKNOWN_PLACE                                                                          \
    " needs to know where in its country a client is: expected a geo.database with the codes " \
    "of subdivisions (a City database), or geo.overrides with this region"
#define EMPTY_PLACE                                                                             \
    " binds nobody: neither the country database nor the overrides say of any address that it " \
    "lies there"

static const struct place_row places[] = {
    {"a folder", "US-CA", "", "", 1},
    {"a part of another country too", "IT", "scope: [IT, US-CA, US-NY]\n", "", 2},
    {"a country with its parts", "US", "scope: [US, US-CA]\n", "", 1},
    {"a part by its country", "US-CA", "scope: [US]\n", "", 0},
    {"a country by its part", "US", "scope: [US-CA]\n",
     "f:5:8: the scope must contain the folder of the order, US", 0},
    {"a part by another one", "US-CA", "scope: [US-NY]\n",
     "f:5:8: the scope must contain the folder of the order, US-CA", 0},
    {"twice", "US-CA", "scope: [US-CA, US-CA]\n", "f:5:16: 'US-CA' is given twice", 0},
    {"twice by alias", "GB", "scope: [GB, GB-ENG, UK-ENG]\n", "f:5:21: 'UK-ENG' is given twice", 0},
    {"a folder that nobody lies in", "US-XX", "", "warning: f:1:1: US-XX" EMPTY_PLACE, 1},
    {"nobody lies in one of them", "US-CA", "scope: [US-CA, US-XX]\n",
     "warning: f:5:16: US-XX" EMPTY_PLACE, 2},
    {"a folder of which nothing is known", "FR-75", "", "f:1:1: FR-75" UNKNOWN_PLACE, 0},
    {"nothing is known of one", "FR", "scope: [FR, FR-75]\n", "f:5:13: FR-75" UNKNOWN_PLACE, 0},
};

START_TEST(judges_subdivisions)
{
    const struct place_row *row = &places[_i];
    char yaml[512], said[1024];
    snprintf(yaml, sizeof yaml, NAMED "%s", row->scope);
    struct order *order = read_order(row->folder, yaml, said, sizeof said);
    ck_assert_msg(strcmp(said, row->expected) == 0, "%s: %s", row->label, said);
    ck_assert_msg(order == NULL || order->scope.subdivision_count == row->subdivisions, "%s",
                  row->label);
    ck_assert_msg((order == NULL) == (*row->expected == 'f'), "%s", row->label);
    order_unref(order);
}
END_TEST

/* With block.action: address an order that says nothing needs addresses. */
START_TEST(takes_the_default_action)
{
    char why[WHY_MAX];
    char said[256];
    struct problem_list problems;
    struct file_bytes bytes;
    problem_list_init(&problems);
    struct guard *guard = guard_new("protected", NULL, 0, &problems);
    struct order_file_env env = {.guard = guard, .default_action = ORDER_ADDRESS, .now = NOW};
    ck_assert(order_folder_scope_parse("IT", &env.folder, why));
    ck_assert(file_bytes_copy(NAMED, strlen(NAMED), &bytes));
    ck_assert_ptr_null(order_file_parse(&env, "f", &bytes, &problems));
    join(&problems, said, sizeof said);
    ck_assert_str_eq(said, "f:1:1: the action 'address' needs the key 'addresses'");
    env.default_action = ORDER_DROP;
    struct order *order = order_file_parse(&env, "f", &bytes, &problems);
    ck_assert_ptr_nonnull(order);
    ck_assert_int_eq(order->action, ORDER_DROP);
    order_unref(order);
    file_bytes_fini(&bytes);
    problem_list_fini(&problems);
    guard_free(guard);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_file");
    TCase *tcase = tcase_create("order_file");
    tcase_add_loop_test(tcase, refuses, 0, ROWS(errors));
    tcase_add_loop_test(tcase, warns, 0, ROWS(warnings));
    tcase_add_test(tcase, reads_every_field);
    tcase_add_test(tcase, reads_every_set);
    tcase_add_test(tcase, reads_items);
    tcase_add_test(tcase, reads_what_reaches_beyond_names);
    tcase_add_test(tcase, reads_windows);
    tcase_add_test(tcase, reads_a_target);
    tcase_add_test(tcase, reads_defaults);
    tcase_add_test(tcase, keeps_the_digest);
    tcase_add_loop_test(tcase, excepts_protected_names, 0, ROWS(beyond));
    tcase_add_loop_test(tcase, judges_scopes, 0, ROWS(scopes));
    tcase_add_loop_test(tcase, judges_subdivisions, 0, (int)(sizeof places / sizeof *places));
    tcase_add_test(tcase, takes_the_default_action);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
