/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Was an order in force? Answers from records of a known course of things: edits, dates, windows,
 * restarts, crashes, gaps and damage.
 */
#include "forwarder/cli/audit_history.h"

#include <string.h>

#include "forwarder/audit/audit_files.h"
#include "forwarder/audit/audit_record.h"
#include "forwarder/cli/audit_answer.h"
#include "policy/instant.h"
#include "test/scratch.h"
#include "test/suite.h"

#define DAY "2026-01-01T"

static struct scratch scratch;
static char path[SCRATCH_PATH_MAX];
static FILE *out;
static struct audit_head head;
static struct audit_history history;

static int64_t at(const char *text)
{
    char full[64];
    int64_t instant;
    snprintf(full, sizeof full, DAY "%s:00Z", text);
    ck_assert_msg(instant_parse(full, strlen(full), &instant), "%s", full);
    return instant;
}

static void set_up(void)
{
    scratch_init(&scratch);
    head = (struct audit_head){0};
    out = fopen(scratch_path(&scratch, "00000001.jsonl", path), "we");
    ck_assert_ptr_nonnull(out);
    history = (struct audit_history){0};
}

static void tear_down(void)
{
    audit_history_fini(&history);
    if (out != NULL) {
        fclose(out);
    }
    scratch_fini(&scratch);
}

static void add(const char *time, const char *members)
{
    char *line = audit_record_seal(&head, at(time), members);
    ck_assert_ptr_nonnull(line);
    fputs(line, out);
    free(line);
}

#define START "\"event\":\"start\""
#define STOP "\"event\":\"stop\""
#define GENERATION(whole, changes, by)                                  \
    "\"event\":\"generation\",\"whole\":" whole ",\"changes\":" changes \
    ",\"asked\":[{\"by\":\"" by "\"}]"
#define CHECKPOINT(changes) "\"event\":\"checkpoint\",\"whole\":true,\"changes\":" changes
#define ORDER_AS(id, change, version, status, more)                                      \
    "\"event\":\"order\",\"change\":\"" change "\",\"id\":\"" id "\",\"in_force\":true," \
    "\"order\":{\"id\":\"" id "\",\"file\":\"IT/x.yaml\",\"sha256\":\"" version          \
    "\",\"status\":\"" status "\",\"loaded\":\"" version "\"" more "}"
#define ORDER(change, version, status) ORDER_AS("A", change, version, status, "")

static void read_it(void)
{
    char why[WHY_MAX];
    ck_assert_int_eq(fclose(out), 0);
    out = NULL;
    struct audit_files files = {0};
    ck_assert_msg(audit_files_add(&files, scratch.folder, why), "%s", why);
    ck_assert_msg(audit_history_read(&files, "A", &history, why), "%s", why);
    audit_files_fini(&files);
}

/* "yes v1 start 10:00-11:00", "no: why", "?: why"; "~" in front where it is uncertain. */
static const char *answer(const char *time)
{
    static char text[512];
    int64_t instant = at(time);
    json_t *object = audit_answer_json(&history, instant, at("23:59"));
    const json_t *in_force = json_object_get(object, "in_force");
    const char *from = json_string_value(json_object_get(object, "from"));
    const char *to = json_string_value(json_object_get(object, "to"));
    const char *why = json_string_value(json_object_get(object, "why"));
    const char *version = json_string_value(json_object_get(object, "sha256"));
    const char *by = json_string_value(
        json_object_get(json_array_get(json_object_get(object, "asked"), 0), "by"));
    bool doubt = json_array_size(json_object_get(object, "uncertain")) > 0;
    ck_assert_ptr_nonnull(object);
    snprintf(text, sizeof text, "%s%s %s %s %.5s-%.5s%s%s", doubt ? "~" : "",
             json_is_true(in_force)    ? "yes"
             : json_is_false(in_force) ? "no"
                                       : "?",
             version == NULL ? "-" : version, by == NULL ? "-" : by,
             from == NULL ? "     " : from + strlen(DAY), to == NULL ? "     " : to + strlen(DAY),
             why == NULL ? "" : ": ", why == NULL ? "" : why);
    json_decref(object);
    return text;
}

#define ANSWER(time, expected) ck_assert_str_eq(answer(time), expected)

/* "a b:yes c:no", of the items at a time. */
static const char *items(const char *time)
{
    static char text[256];
    json_t *object = audit_answer_json(&history, at(time), at("23:59"));
    size_t i, j;
    const json_t *item, *name;
    text[0] = '\0';
    ck_assert_ptr_nonnull(object);
    json_array_foreach(json_object_get(object, "items"), i, item)
    {
        const json_t *in_force = json_object_get(item, "in_force");
        strcat(text, i == 0 ? "" : " ");
        json_array_foreach(json_object_get(item, "names"), j, name)
        {
            strcat(text, j == 0 ? "" : " ");
            strcat(text, json_string_value(name));
        }
        strcat(text, json_is_true(in_force) ? ":yes" : json_is_false(in_force) ? ":no" : ":?");
    }
    if (json_is_null(json_object_get(object, "items"))) {
        strcpy(text, "too many");
    }
    json_decref(object);
    return text;
}

START_TEST(items_with_dates)
{
    static const char dates[] =
        ",\"items\":[{\"effective\":\"" DAY "12:00:00Z\",\"until\":null,\"names\":[\"a\",\"=b\"]},"
        "{\"effective\":null,\"until\":\"" DAY "11:00:00Z\",\"names\":[\"c\"]}]";
    char order[512], suspended[512];
    snprintf(order, sizeof order, ORDER_AS("A", "loaded", "v1", "active", "%s"), dates);
    snprintf(suspended, sizeof suspended, ORDER_AS("A", "suspended", "v2", "suspended", "%s"),
             dates);
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", order);
    add("13:00", GENERATION("false", "1", "control"));
    add("13:00", suspended);
    add("14:00", GENERATION("false", "1", "control"));
    add("14:00", ORDER_AS("A", "changed", "v3", "active", ",\"items\":null"));
    add("15:00", GENERATION("false", "1", "control"));
    add("15:00", ORDER("changed", "v4", "active"));
    read_it();
    ck_assert_str_eq(items("09:00"), "");
    ck_assert_str_eq(items("10:30"), "a =b:no c:yes");
    ck_assert_str_eq(items("11:00"), "a =b:no c:no");
    ck_assert_str_eq(items("12:00"), "a =b:yes c:no");
    ck_assert_str_eq(items("13:00"), "a =b:no c:no");
    ck_assert_str_eq(items("14:00"), "too many");
    ck_assert_str_eq(items("15:00"), "");
}
END_TEST

START_TEST(edits_of_an_order)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "2", "start"));
    add("10:00", ORDER("loaded", "v1", "active"));
    add("10:00", ORDER_AS("B", "loaded", "v1", "active", ""));
    add("10:30", GENERATION("false", "0", "watch"));
    add("11:00", GENERATION("false", "1", "SIGHUP"));
    add("11:00", ORDER("changed", "v2", "active"));
    add("12:00", GENERATION("false", "1", "control"));
    add("12:00", ORDER("suspended", "v3", "suspended"));
    add("13:00", GENERATION("false", "1", "control"));
    add("13:00", ORDER("resumed", "v4", "active"));
    add("14:00", GENERATION("false", "1", "watch"));
    add("14:00", ORDER("removed", "v4", "active"));
    add("15:00", GENERATION("false", "1", "watch"));
    add("15:00", ORDER("loaded", "v5", "lifted"));
    add("16:00", STOP);
    read_it();
    ck_assert(history.seen && !history.running);
    ANSWER("09:59", "? - -      -10:00: the record does not go back so far");
    ANSWER("10:00", "yes v1 start 10:00-11:00");
    ANSWER("10:59", "yes v1 start 10:00-11:00");
    ANSWER("11:00", "yes v2 SIGHUP 11:00-12:00");
    ANSWER("12:30", "no v3 control 12:00-13:00: suspended");
    ANSWER("13:30", "yes v4 control 13:00-14:00");
    ANSWER("14:30", "no - - 14:00-15:00: it was not loaded");
    ANSWER("15:30", "no v5 watch 15:00-16:00: lifted");
    ANSWER("17:00", "no - - 16:00-     : the daemon did not run, or had not loaded anything yet");
}
END_TEST

START_TEST(dates_of_an_order)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", ORDER_AS("A", "loaded", "v1", "active",
                          ",\"effective\":\"" DAY "12:00:00Z\",\"until\":\"" DAY "14:00:00Z\""));
    read_it();
    ANSWER("11:59", "no v1 start 10:00-12:00: before its effective date");
    ANSWER("12:00", "yes v1 start 12:00-14:00");
    ANSWER("13:59", "yes v1 start 12:00-14:00");
    ANSWER("14:00", "no v1 start 14:00-     : past its end");
}
END_TEST

START_TEST(windows_of_an_order)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", ORDER_AS("A", "loaded", "v1", "active", ",\"windows\":true"));
    add("12:01", "\"event\":\"ends\",\"id\":\"A\",\"at\":\"" DAY "12:00:00Z\"");
    add("12:30", "\"event\":\"begins\",\"id\":\"B\",\"at\":\"" DAY "12:30:00Z\"");
    add("13:01", "\"event\":\"begins\",\"id\":\"A\",\"at\":\"" DAY "13:00:00Z\"");
    read_it();
    ANSWER("11:59", "yes v1 start 10:00-12:00");
    ANSWER("12:00", "no v1 start 12:00-13:00: outside its windows");
    ANSWER("13:00", "yes v1 start 13:00-     ");
}
END_TEST

START_TEST(restarts)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "control"));
    add("10:00", ORDER("loaded", "v1", "active"));
    add("11:00", STOP);
    add("12:00", START);
    add("12:00", GENERATION("true", "1", "start"));
    add("12:00", ORDER("loaded", "v1", "active"));
    add("14:00", START); /* it ended without a word */
    add("14:00", GENERATION("true", "1", "start"));
    add("14:00", ORDER("loaded", "v2", "active"));
    add("15:00", START);
    add("15:00", GENERATION("true", "0", "start"));
    read_it();
    ANSWER("11:30", "no - - 11:00-12:00: the daemon did not run, or had not loaded anything yet");
    ANSWER("12:00", "~yes v1 control 12:00-14:00"); /* who had it loaded first */
    ANSWER("13:00", "~yes v1 control 12:00-14:00");
    ANSWER("15:01", "no - - 15:00-     : it was not loaded");
}
END_TEST

START_TEST(gaps)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", ORDER("loaded", "v1", "active"));
    add("12:00", "\"event\":\"gap\",\"from\":\"" DAY "11:00:00Z\",\"to\":\"" DAY
                 "12:00:00Z\",\"lost\":3,\"reason\":\"full\"");
    add("12:00", CHECKPOINT("1"));
    add("12:00", ORDER("stands", "v2", "active"));
    add("13:00", CHECKPOINT("1"));
    add("13:00", ORDER("stands", "v2", "active"));
    add("14:00", CHECKPOINT("2")); /* cut short */
    add("14:00", ORDER_AS("B", "stands", "v2", "active", ""));
    add("14:30", "\"event\":\"gap\",\"from\":\"" DAY "14:00:00Z\",\"to\":\"" DAY
                 "14:30:00Z\",\"lost\":1,\"reason\":\"full\"");
    add("15:00", CHECKPOINT("0"));
    read_it();
    ANSWER("10:59", "yes v1 start 10:00-12:00");
    ANSWER("11:30", "~yes v1 start 10:00-12:00");
    ANSWER("12:30", "yes v2 - 12:00-14:30");
    ANSWER("14:45", "? - - 14:30-15:00: what was in force is not recorded to its end");
    ANSWER("15:00", "no - - 15:00-     : it was not loaded");
}
END_TEST

#define GAP(from, to, more)                                                                 \
    "\"event\":\"gap\",\"from\":\"" DAY from ":00Z\",\"to\":\"" DAY to ":00Z\",\"lost\":1," \
    "\"reason\":\"full\"" more
#define WITH_WINDOWS(change) ORDER_AS("A", change, "v1", "active", ",\"windows\":true")

/* A window may have closed in a gap: a checkpoint does not say. */
START_TEST(windows_and_gaps)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", WITH_WINDOWS("loaded"));
    add("12:00", GAP("11:00", "12:00", ""));
    add("12:00", CHECKPOINT("1"));
    add("12:00", WITH_WINDOWS("stands"));
    add("13:00", "\"event\":\"ends\",\"id\":\"A\",\"at\":\"" DAY "13:00:00Z\"");
    add("14:00", GAP("14:00", "14:00", ""));
    add("14:00", GENERATION("true", "1", "watch"));
    add("14:00", WITH_WINDOWS("loaded"));
    read_it();
    ANSWER("10:59", "yes v1 start 10:00-11:00");
    ANSWER("11:30", "~? v1 start 11:00-13:00: whether a window was open is not recorded");
    ANSWER("12:30", "? v1 start 11:00-13:00: whether a window was open is not recorded");
    ANSWER("13:30", "no v1 start 13:00-14:00: outside its windows");
    ANSWER("14:30", "yes v1 start 14:00-     ");
}
END_TEST

/* A start that could not be recorded is one nonetheless. */
START_TEST(a_start_in_a_gap)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", ORDER("loaded", "v1", "active"));
    add("12:00", GAP("12:00", "12:00", "")); /* one of the same run */
    add("12:00", CHECKPOINT("1"));
    add("12:00", ORDER("stands", "v1", "active"));
    add("14:00", GAP("13:30", "14:00", ",\"start\":true"));
    add("14:00", CHECKPOINT("1"));
    add("14:00", ORDER("stands", "v1", "active"));
    add("15:00", STOP);
    add("17:00", GAP("16:00", "17:00", ",\"start\":true"));
    add("17:00", CHECKPOINT("1"));
    add("17:00", ORDER("stands", "v1", "active"));
    add("18:00", START);
    add("18:00", GENERATION("true", "0", "start"));
    read_it();
    ANSWER("11:30", "yes v1 start 10:00-15:00");
    ANSWER("12:30", "~yes v1 start 10:00-15:00");
    ANSWER("14:30", "yes v1 start 10:00-15:00");
    ANSWER("15:30", "no - - 15:00-17:00: the daemon did not run, or had not loaded anything yet");
    ANSWER("17:30", "~yes v1 start 17:00-18:00");
}
END_TEST

START_TEST(a_clock_that_was_set_back)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", ORDER("loaded", "v1", "active"));
    add("12:00", GENERATION("false", "0", "watch"));
    add("11:00", GENERATION("false", "1", "watch"));
    add("11:00", ORDER("changed", "v2", "active"));
    read_it();
    ANSWER("10:30", "yes v1 start 10:00-11:00");
    ANSWER("11:30", "~yes v2 watch 11:00-     ");
    ANSWER("12:30", "yes v2 watch 11:00-     ");
}
END_TEST

/* A line that was changed makes all uncertain until everything is told again. */
START_TEST(damage)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", ORDER("loaded", "v1", "active"));
    add("11:00", GENERATION("false", "1", "control"));
    add("11:00", ORDER("changed", "v2", "active"));
    long bad = ftell(out) - 300;
    add("12:00", GENERATION("false", "0", "watch"));
    add("13:00", CHECKPOINT("1"));
    add("13:00", ORDER("stands", "v2", "active"));
    fseek(out, bad, SEEK_SET);
    fputc('#', out);
    read_it();
    ck_assert_uint_eq(history.faults, 1);
    ANSWER("10:30", "yes v1 start 10:00-12:00");
    ANSWER("11:30", "~yes v1 start 10:00-12:00");
    ANSWER("12:30", "~? - - 12:00-13:00: what was in force is not recorded to its end");
    ANSWER("13:30", "yes v2 - 13:00-     ");
}
END_TEST

START_TEST(an_order_nobody_knows)
{
    add("10:00", START);
    add("10:00", GENERATION("true", "1", "start"));
    add("10:00", ORDER_AS("B", "loaded", "v1", "active", ""));
    read_it();
    ck_assert(!history.seen);
    ANSWER("10:30", "no - - 10:00-     : it was not loaded");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit_history");
    TCase *tcase = tcase_create("audit_history");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_add_test(tcase, edits_of_an_order);
    tcase_add_test(tcase, items_with_dates);
    tcase_add_test(tcase, dates_of_an_order);
    tcase_add_test(tcase, windows_of_an_order);
    tcase_add_test(tcase, restarts);
    tcase_add_test(tcase, gaps);
    tcase_add_test(tcase, windows_and_gaps);
    tcase_add_test(tcase, a_start_in_a_gap);
    tcase_add_test(tcase, a_clock_that_was_set_back);
    tcase_add_test(tcase, damage);
    tcase_add_test(tcase, an_order_nobody_knows);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
