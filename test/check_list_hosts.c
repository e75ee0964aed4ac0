/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * policy/list_hosts: lines of hosts(5), as people find them in the world.
 */
#include "test/list_read.h"

#include "test/suite.h"

#define WIDE_COM "W list:1:9: com is a top-level domain, and allow-wide does not list it\n"

static const struct {
    const char *label;
    const char *bytes;
    const char *expected; /* NULL: the list is not used */
    const char *told;
} rows[] = {
    {"one name", "0.0.0.0 a.example\n", "=a.example ", ""},
    {"the name alone, not what is below it", "0.0.0.0 www.a.example\n0.0.0.0 a.example\n",
     "=a.example =www.a.example ", ""},
    {"all the addresses that lead nowhere",
     "0.0.0.0 a.example\n127.0.0.1 b.example\n:: c.example\n::1 d.example\n0:0:0::0 e.example\n",
     "=a.example =b.example =c.example =d.example =e.example ", ""},
    {"several names", "0.0.0.0 a.example b.example\tc.example\n",
     "=a.example =b.example =c.example ", ""},
    {"tabs, CRLF, capitals and a final dot", "0.0.0.0\tA.Example.\r\n", "=a.example ", ""},
    {"comments, in the middle of a word too",
     "# hosts\n0.0.0.0 a.example # one\n0.0.0.0 b.example#two\n", "=a.example =b.example ", ""},
    {"byte order mark",
     "\xEF\xBB\xBF"
     "0.0.0.0 a.example",
     "=a.example ", ""},
    {"the lines that such files begin with",
     "127.0.0.1 localhost\n127.0.0.1 localhost.localdomain\n127.0.0.1 local\n"
     "255.255.255.255 broadcasthost\n::1 localhost ip6-localhost ip6-loopback\n"
     "fe80::1%lo0 localhost\nff00::0 ip6-mcastprefix\nff02::1 ip6-allnodes\n"
     "ff02::3 ip6-allhosts\n0.0.0.0 0.0.0.0\n0.0.0.0 a.example\n",
     "=a.example ", ""},
    {"U-label",
     "0.0.0.0 b\xC3\xBC"
     "cher.example\n",
     "=xn--bcher-kva.example ", ""},
    {"a public suffix is left out", "0.0.0.0 com a.example\n", "=a.example ", WIDE_COM},
    {"a protected name is left out", "0.0.0.0 a.example bank.example\n", "=a.example ",
     "W list:1:19: bank.example stands above the protected name login.bank.example\n"},
    {"a host with an address", "0.0.0.0 a.example\n192.0.2.1 printer.example\n", NULL,
     "list:2:1: this line gives a host an address; expected 0.0.0.0, 127.0.0.1, :: or ::1 before "
     "names to block\n"},
    {"loopback with a scope is a host's", "::1%lo0 a.example\n", NULL,
     "list:1:1: this line gives a host an address; expected 0.0.0.0, 127.0.0.1, :: or ::1 before "
     "names to block\n"},
    {"no address", "0.0.0.0 a.example\nb.example\n", NULL,
     "list:2:1: expected an address before the name, as in 0.0.0.0 name\n"},
    {"half an address", "0.0.0 a.example\n", NULL,
     "list:1:1: expected an address before the name, as in 0.0.0.0 name\n"},
    {"no name", "0.0.0.0\n0.0.0.0 # a.example\n", NULL,
     "list:1:1: expected a name behind the address\n"
     "list:2:1: expected a name behind the address\n"},
    {"no name of the system", "0.0.0.0 a..example *.b.example =c.example\n", NULL,
     "list:1:9: there is an empty label\n"
     "list:1:20: wildcards are not used: a name covers everything below it; write it without *.\n"
     "list:1:32: the character = cannot stand in a name\n"},
    {"another address as a name", "0.0.0.0 192.0.2.1\n", NULL,
     "list:1:9: this is an address or a network, not a name\n"},
    {"empty", "", NULL, "list: the list holds no name\n"},
    {"only the system's names", "127.0.0.1 localhost\n", NULL, "list: the list holds no name\n"},
    {"all refused", "0.0.0.0 com\n", NULL, WIDE_COM "list: every name of the list was refused\n"},
    {"UTF-16",
     "\xFF\xFE"
     "0\n",
     NULL, "list:1:1: this is UTF-16; expected UTF-8 or ASCII\n"},
};

START_TEST(lists)
{
    char text[LIST_READ_TEXT];
    struct problem_list problems;
    problem_list_init(&problems);
    struct guard *guard = list_read_guard();
    struct name_list *list = list_read(&(struct list_read){.format = NAME_LIST_HOSTS,
                                                           .bytes = rows[_i].bytes,
                                                           .size = strlen(rows[_i].bytes),
                                                           .guard = guard},
                                       &problems);
    ck_assert_msg((list != NULL) == (rows[_i].expected != NULL), "%s", rows[_i].label);
    if (list != NULL) {
        ck_assert_msg(strcmp(list_read_contents(list, text), rows[_i].expected) == 0, "%s: %s",
                      rows[_i].label, text);
    }
    ck_assert_msg(strcmp(list_read_told(&problems, text), rows[_i].told) == 0, "%s: %s",
                  rows[_i].label, text);
    name_list_unref(list);
    guard_free(guard);
    problem_list_fini(&problems);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("hosts");
    tcase_add_loop_test(tcase, lists, 0, (int)(sizeof rows / sizeof rows[0]));
    Suite *suite = suite_create("list_hosts");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
