/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Orders that were read when nothing was protected, judged by what is protected now.
 */
#include "policy/order_guard.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "policy/guard.h"
#include "policy/order_file.h"
#include "test/suite.h"

static struct guard *make_guard(const char *names, const char *networks)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = guard_new("names", names, strlen(names), &problems);
    ck_assert_ptr_nonnull(guard);
    ck_assert(guard_protect_networks(guard, "networks", networks, strlen(networks), &problems));
    problem_list_fini(&problems);
    return guard;
}

/* An order_file_list_fn: the path is the list, its lines parted by blanks. */
static struct name_list *open_list(void *ctx, const struct name_list_options *options,
                                   uint8_t sha256[static FILE_BYTES_SHA256],
                                   struct problem_list *problems)
{
    (void)ctx;
    char lines[256];
    memset(sha256, 0, FILE_BYTES_SHA256);
    snprintf(lines, sizeof lines, "%s", options->name);
    for (char *at = lines; *at != '\0'; at++) {
        *at = *at == ' ' ? '\n' : *at;
    }
    return name_list_parse(options, lines, strlen(lines), problems);
}

/* Reads an order under a guard that protects once.example alone. */
static struct order *read_order(const char *rest)
{
    char yaml[512];
    char why[WHY_MAX];
    struct problem_list problems;
    struct file_bytes bytes;
    problem_list_init(&problems);
    struct guard *guard = make_guard("once.example", "");
    struct order_file_env env = {.guard = guard, .open_list = open_list};
    snprintf(yaml, sizeof yaml, "{id: X, authority: A, issued: 2026-01-01, %s}", rest);
    ck_assert(order_folder_scope_parse("IT", &env.folder, why));
    ck_assert(file_bytes_copy(yaml, strlen(yaml), &bytes));
    struct order *order = order_file_parse(&env, "f", &bytes, &problems);
    ck_assert_msg(order != NULL, "%s: %s", rest, problems.items[0].text);
    file_bytes_fini(&bytes);
    problem_list_fini(&problems);
    guard_free(guard);
    return order;
}

#define LIST(lines) "lists: [{file: '" lines "', format: names}]"

static const struct {
    const char *label;
    const char *order;
    const char *names; /* that are protected now */
    const char *networks;
    const char *expected; /* NULL: it is allowed */
} rows[] = {
    {"nothing", "names: [a.example]", "", "", NULL},
    {"others", "names: [a.example], answers: [192.0.2.1]", "once.example", "192.0.2.2", NULL},
    {"a name", "names: [a.example]", "a.example", "",
     "it blocks a name that is protected now: a.example is a protected name"},
    {"above an exact name", "exact: [www.a.example]", "a.example", "",
     "it blocks a name that is protected now: www.a.example stands below the protected name "
     "a.example"},
    {"an exception", "names: [b.example], except: [a.b.example]", "a.b.example", "",
     "it blocks a name that is protected now: b.example stands above the protected name "
     "a.b.example"},
    {"an exception of nothing protected", "names: [b.example], except: [a.example]", "a.example",
     "", NULL},
    {"a name of a list", LIST("a.example =b.example"), "b.example", "",
     "it blocks a name that is protected now: b.example is a protected name"},
    {"an exception of a list", LIST("a.example !b.example"), "b.example", "", NULL},
    {"a network", "answers: [192.0.2.0/24]", "", "192.0.2.53",
     "it blocks a network that is protected now: 192.0.2.0/24 holds the protected network "
     "192.0.2.53/32"},
    {"the root", "names: [.], allow-wide: [.]", "once.example", "", NULL},
    {"the root, and more", "names: [.], allow-wide: [.]", "once.example\ntwice.example", "",
     "it might block twice.example, which is protected now"},
    {"the root, and more that is excepted", "names: [.], allow-wide: [.], except: [example]",
     "twice.example", "", NULL},
    {"the root, and more that is excepted for a time",
     "names: [.], allow-wide: [.], except: [{name: example, until: '2999-01-01T00:00:00Z'}]",
     "twice.example", "", "it might block twice.example, which is protected now"},
    {"the root of a list", LIST(".") ", allow-wide: [.]", "once.example", "",
     "it blocks the root by a list, and so names that are protected now"},
    {"a label", "any-tld: [pirate]", "a.once.example", "", NULL},
    {"a label, and more", "any-tld: [pirate]", "twice.example", "",
     "it might block twice.example, which is protected now"},
    {"answers, and more", "answers: [192.0.2.0/24]", "twice.example", "",
     "it might block twice.example, which is protected now"},
    {"answers, and above", "answers: [192.0.2.0/24], except: [a.once.example]",
     "once.example\na.once.example", "", NULL},
    {"answers, and above an exception of its own", "answers: [192.0.2.0/24], except: [twice.test]",
     "twice.test", "", "it might block test, which is protected now"},
    {"the root, and above an exception of its own",
     "names: [.], allow-wide: [.], aliases: yes, except: [twice.test]", "twice.test", "", NULL},
    {"aliases, and more", "names: [a.example], aliases: yes", "twice.example", "",
     "it might block twice.example, which is protected now"},
};

START_TEST(judges_again)
{
    char why[WHY_MAX] = "";
    struct order *order = read_order(rows[_i].order);
    struct guard *guard = make_guard(rows[_i].names, rows[_i].networks);
    bool allowed = order_guard_allows(order, guard, why);
    ck_assert_msg(allowed == (rows[_i].expected == NULL), "%s: %s", rows[_i].label, why);
    ck_assert_msg(allowed || strcmp(why, rows[_i].expected) == 0, "%s: %s", rows[_i].label, why);
    guard_free(guard);
    order_unref(order);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("order_guard");
    TCase *tcase = tcase_create("order_guard");
    tcase_add_loop_test(tcase, judges_again, 0, (int)(sizeof rows / sizeof *rows));
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
