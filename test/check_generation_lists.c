/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Lists of every format and packing through whole loads: found, kept under state and taken from
 * there, and one map for the same bytes read the same way.
 */
#include "forwarder/generation/generation_lists.h"

#include <zlib.h>

#include "test/generation_set.h"
#include "test/suite.h"

#define ORDER_WITH_FORMAT(list, format) \
    "id: A\nauthority: A\nissued: 2022-07-11\nlists: [{file: " list ", format: " format "}]\n"
#define ZONE "rpz.test. 60 SOA a. b. 1 2 3 4 5\n"

/* Writes a text packed by gzip. */
static void put_gzip(const char *name, const char *text, size_t cut)
{
    unsigned char packed[SET_TEXT_MAX];
    z_stream stream = {0};
    ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 16 + 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
    char *copy = strdup(text);
    stream.next_in = (unsigned char *)copy;
    stream.avail_in = (unsigned)strlen(text);
    stream.next_out = packed;
    stream.avail_out = sizeof packed;
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    put_bytes(name, packed, stream.total_out - cut);
    deflateEnd(&stream);
    free(copy);
}

static const struct name_list *list_of(const struct generation *generation, size_t index)
{
    ck_assert_msg(generation != NULL, "%s", problems_text());
    const struct order *order = policy_order(generation->policy, 0);
    ck_assert_uint_lt(index, order->list_count);
    return order->lists[index].names;
}

static const struct {
    const char *label, *order, *file, *text, *later;
    size_t count;
} formats[] = {
    {"names", ORDER_WITH_FORMAT("l.txt", "names"), "orders/IT/l.txt", "one.example\n=two.example\n",
     "a..b\n", 2},
    {"hosts", ORDER_WITH_FORMAT("l.txt", "hosts"), "orders/IT/l.txt", "0.0.0.0 one.example\n",
     "192.0.2.1 two.example\n", 1},
    {"rpz", ORDER_WITH_FORMAT("../l.rpz", "rpz"), "orders/l.rpz",
     ZONE "one.example.rpz.test. CNAME .\n", "one.example.rpz.test. CNAME .\n", 1},
};

/* What is good is kept, and is what a start with a bad file has. */
START_TEST(kept_and_taken_again)
{
    put("orders/IT/a.yaml", formats[_i].order);
    put(formats[_i].file, formats[_i].text);
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(problems_text(), "");
    ck_assert_uint_eq(name_list_count(list_of(generation, 0)), formats[_i].count);
    generation_free(generation);
    put(formats[_i].file, formats[_i].later);
    generation = load((struct load){0});
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    ck_assert_uint_eq(name_list_count(list_of(generation, 0)), formats[_i].count);
    generation_free(generation);
}
END_TEST

START_TEST(packed)
{
    put("orders/IT/a.yaml", ORDER_WITH_FORMAT("l.txt.gz", "names"));
    put_gzip("orders/IT/l.txt.gz", "one.example\ntwo.example\n", 0);
    struct generation *generation = load((struct load){0});
    ck_assert_str_eq(problems_text(), "");
    ck_assert_uint_eq(name_list_count(list_of(generation, 0)), 2);
    generation_free(generation);
    put_gzip("orders/IT/l.txt.gz", "one.example\ntwo.example\n", 1);
    generation = load((struct load){0}); /* what was kept is still packed */
    ck_assert_msg(strncmp(problems_text(),
                          "orders/IT/l.txt.gz: is cut off: the gzip data does not end", 58) == 0,
                  "%s", problems_text());
    ck_assert_str_eq(orders_of(generation), "IT/a.yaml=A*");
    ck_assert_uint_eq(name_list_count(list_of(generation, 0)), 2);
    generation_free(generation);
}
END_TEST

/* The same bytes are one map when they are read the same way, and only then. */
START_TEST(format_and_packing_belong_to_the_key)
{
    put("orders/IT/a.yaml", "id: A\nauthority: A\nissued: 2022-07-11\n"
                            "lists: [{file: l.txt, format: names}, {file: m.txt, format: names},\n"
                            "        {file: l.txt.gz, format: names}]\n");
    put("orders/IT/l.txt", "one.example\n");
    put("orders/IT/m.txt", "one.example\n");
    put_gzip("orders/IT/l.txt.gz", "one.example\n", 0);
    struct generation *generation = load((struct load){0});
    ck_assert_ptr_eq(list_of(generation, 0), list_of(generation, 1));
    ck_assert_ptr_ne(list_of(generation, 0), list_of(generation, 2));

    put("orders/IT/a.yaml", ORDER_WITH_FORMAT("l.txt", "hosts"));
    struct generation *other = load((struct load){.before = generation});
    ck_assert_msg(strncmp(problems_text(), "orders/IT/l.txt:1:1: expected an address", 40) == 0,
                  "%s", problems_text());
    ck_assert_str_eq(orders_of(other), "IT/a.yaml=A*");

    put("orders/IT/l.txt.gz", "one.example\n"); /* not packed at all */
    put("orders/IT/a.yaml", ORDER_WITH_FORMAT("l.txt.gz", "names"));
    struct generation *third = load((struct load){.before = other});
    ck_assert_msg(strncmp(problems_text(), "orders/IT/l.txt.gz: cannot be unpacked (gzip)", 45) ==
                      0,
                  "%s", problems_text());
    generation_free(generation);
    generation_free(other);
    generation_free(third);
}
END_TEST

int main(void)
{
    TCase *tcase = tcase_create("lists");
    tcase_add_checked_fixture(tcase, set_init, set_fini);
    tcase_add_loop_test(tcase, kept_and_taken_again, 0, 3);
    tcase_add_test(tcase, packed);
    tcase_add_test(tcase, format_and_packing_belong_to_the_key);
    Suite *suite = suite_create("generation_lists");
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
