/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The audit record as it is written: of real generations, over crashes, full disks and files that
 * somebody else touched; what is there afterwards is read by who verifies it.
 */
#include "forwarder/server/audit_writer.h"

#include <fcntl.h>
#include <jansson.h>
#include <sys/file.h>
#include <unistd.h>
#include <zlib.h>

#include "forwarder/audit/audit_chain.h"
#include "forwarder/audit/audit_mark.h"
#include "forwarder/log.h"
#include "forwarder/server/audit_facts.h"
#include "policy/instant.h"
#include "test/full_disk.h"
#include "test/generation_set.h"
#include "test/suite.h"

#define TIME 1767225600

static struct audit_writer *writer;
static char folder[SCRATCH_PATH_MAX];
static struct generation *generation; /* in force */
static struct audit_chain chain;
static char said[8192]; /* of the record: its events, a blank behind each */
static int64_t now;

static void open_writer(size_t file_max)
{
    struct audit_writer_setup setup = {folder, file_max};
    audit_writer_free(writer);
    writer = audit_writer_new(&setup);
    ck_assert_ptr_nonnull(writer);
}

static void set_up(void)
{
    log_set_level(LOG_LEVEL_ERROR);
    set_init();
    scratch_path(&scratch, "new/audit", folder);
    now = TIME;
    open_writer(1 << 20);
}

static void tear_down(void)
{
    audit_writer_free(writer);
    writer = NULL;
    generation_free(generation);
    generation = NULL;
    set_fini();
}

static void tell(const char *members)
{
    struct audit_event event = {.time = ++now, .members = strdup(members)};
    audit_writer_write(writer, &event, now);
    audit_event_fini(&event);
}

/* Loads what is on disk, and has that recorded. */
static void load_anew(void)
{
    struct generation *next = load((struct load){.before = generation});
    ck_assert_msg(next != NULL, "%s", problems_text());
    generation_free(generation);
    generation = next;
    struct audit_event event = {.time = ++now,
                                .facts = audit_facts_new(generation),
                                .askers = {{.kind = AUDIT_ASKER_CONTROL, .pid = 7}},
                                .asker_count = 1};
    ck_assert_ptr_nonnull(event.facts);
    audit_writer_write(writer, &event, now);
    audit_event_fini(&event);
}

static void say(const char *format, const char *first, const char *second)
{
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, format, first, second);
}

static bool on_record(void *ctx, const struct audit_place *place, const struct audit_record *record)
{
    json_t *object = json_loadb(record->text, record->size, JSON_REJECT_DUPLICATES, NULL);
    const char *change = json_string_value(json_object_get(object, "change"));
    (void)ctx;
    (void)place;
    ck_assert_ptr_nonnull(object);
    if (change != NULL) {
        say("%s:%s ", json_string_value(json_object_get(object, "id")), change);
    } else {
        say("%s%s ", json_string_value(json_object_get(object, "event")), "");
    }
    json_decref(object);
    return true;
}

static void on_fault(void *ctx, const struct audit_place *place, const char *what)
{
    char line[16];
    (void)ctx;
    (void)what;
    snprintf(line, sizeof line, "%u", place->line);
    say("FAULT@%s%s ", line, "");
}

/* All events of the record, and what is wrong with it. */
static const char *record(void)
{
    static const struct audit_chain_reader reader = {.on_record = on_record, .on_fault = on_fault};
    char why[WHY_MAX];
    said[0] = '\0';
    struct audit_files files = {0};
    ck_assert_msg(audit_files_add(&files, folder, why), "%s", why);
    ck_assert_msg(audit_chain_read(&files, 0, &reader, &chain, why), "%s", why);
    audit_files_fini(&files);
    return said;
}

static char *file_path(const char *name, char out[static SCRATCH_PATH_MAX])
{
    char below[64];
    snprintf(below, sizeof below, "new/audit/%s", name);
    return scratch_path(&scratch, below, out);
}

#define START "\"event\":\"start\""
#define STOP "\"event\":\"stop\""

START_TEST(changes_are_told_and_nothing_else)
{
    tell(START);
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    load_anew();
    load_anew();
    load_anew();
    put("orders/IT/b.yaml", ORDER("B", "b.example") "status: suspended\n");
    put("orders/IT/a.yaml", ORDER("A", "other.example"));
    load_anew();
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    put("orders/IT/c.yaml", ORDER("C", "c.example") "status: lifted\n");
    load_anew();
    take_away("orders/IT/c.yaml");
    put("orders/IT/a.yaml", "nonsense\n");
    load_anew();
    tell(STOP "\n" START);
    ck_assert_str_eq(record(), "start generation A:loaded B:loaded generation generation "
                               "generation A:changed B:suspended generation B:resumed C:loaded "
                               "generation A:failed C:removed failure stop start ");
    ck_assert_uint_eq(chain.head.seq, audit_writer_state(writer)->head.seq);
    ck_assert_mem_eq(chain.head.hash, audit_writer_state(writer)->head.hash, FILE_BYTES_SHA256);
}
END_TEST

START_TEST(a_start_goes_on_where_the_last_one_ended)
{
    load_anew();
    open_writer(1 << 20);
    tell(START);
    load_anew();
    ck_assert_str_eq(record(), "generation A:loaded start generation A:loaded ");
}
END_TEST

/* A crash in the middle of each line there is. */
START_TEST(a_crash_anywhere)
{
    char path[SCRATCH_PATH_MAX], whole[4096];
    tell(START);
    load_anew();
    tell(STOP);
    int fd = open(file_path("00000001.jsonl", path), O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, whole, sizeof whole);
    close(fd);
    ck_assert_int_gt(size, 500);
    for (size_t cut = 0; cut < (size_t)size; cut++) {
        bool at_end_of_line = cut == 0 || whole[cut - 1] == '\n';
        bool only_feed_lacks = whole[cut] == '\n';
        if (!at_end_of_line && !only_feed_lacks && cut % 29 != 0) {
            continue; /* each of them waits for the disk */
        }
        scratch_write(path, whole, cut);
        take_away("new/audit.head"); /* which was not there yet when those were written */
        open_writer(1 << 20);
        tell(START);
        const char *events = record();
        ck_assert_msg(chain.faults == 0, "cut at %zu: %s", cut, events);
        ck_assert_msg(chain.torn == (at_end_of_line || only_feed_lacks ? 0 : 1), "%zu: %s", cut,
                      events);
        fd = open(path, O_RDONLY | O_CLOEXEC); /* and what was there is there still */
        char after[8192];
        ck_assert_int_gt(read(fd, after, sizeof after), (ssize_t)cut);
        close(fd);
        ck_assert_mem_eq(after, whole, cut);
    }
}
END_TEST

START_TEST(a_full_disk_is_a_gap)
{
    char path[SCRATCH_PATH_MAX];
    struct stat state;
    tell(START);
    load_anew();
    ck_assert_int_eq(stat(file_path("00000001.jsonl", path), &state), 0);
    full_disk_after((rlim_t)state.st_size + 100);
    tell(STOP "\n" STOP); /* cut in the middle */
    tell(STOP);           /* no room at all */
    put("orders/IT/b.yaml", ORDER("B", "b.example"));
    struct generation *next = NULL;
    full_disk_ends();
    next = load((struct load){.before = generation});
    full_disk_after((rlim_t)state.st_size + 100);
    struct audit_event event = {.time = ++now, .facts = audit_facts_new(next)};
    audit_writer_write(writer, &event, now);
    audit_event_fini(&event);
    generation_free(generation);
    generation = next;
    const struct audit_writer_state *told = audit_writer_state(writer);
    ck_assert_int_eq(told->since, TIME + 3);
    ck_assert_uint_eq(told->gaps, 0);
    ck_assert_ptr_nonnull(strstr(told->problem, "File too large"));

    full_disk_ends();
    audit_writer_write(writer, NULL, now);
    ck_assert_str_eq(record(), "start generation A:loaded torn gap checkpoint A:stands B:stands ");
    ck_assert_uint_eq(chain.faults, 0);
    ck_assert_uint_eq(chain.torn, 1);
    ck_assert_int_eq(told->since, 0);
    ck_assert_uint_eq(told->gaps, 1);
    ck_assert_str_eq(told->problem, "");
    tell(STOP);
    record();
    ck_assert_uint_eq(chain.faults, 0);
}
END_TEST

static json_int_t lost;    /* that the last gap tells of */
static bool start_is_lost; /* says it */
static char since[32];     /* likewise */

static bool on_gap(void *ctx, const struct audit_place *place, const struct audit_record *of)
{
    json_t *object = json_loadb(of->text, of->size, 0, NULL);
    (void)ctx;
    (void)place;
    if (strcmp(json_string_value(json_object_get(object, "event")), "gap") == 0) {
        lost = json_integer_value(json_object_get(object, "lost"));
        start_is_lost = json_is_true(json_object_get(object, "start"));
        snprintf(since, sizeof since, "%s", json_string_value(json_object_get(object, "from")));
    }
    json_decref(object);
    return true;
}

static void read_gap(void)
{
    static const struct audit_chain_reader reader = {.on_record = on_gap};
    char why[WHY_MAX];
    struct audit_files files = {0};
    ck_assert_msg(audit_files_add(&files, folder, why), "%s", why);
    ck_assert_msg(audit_chain_read(&files, 0, &reader, &chain, why), "%s", why);
    audit_files_fini(&files);
}

/* Those that came on disk before the room was used up are not among them. */
START_TEST(what_was_lost_is_counted)
{
    char path[SCRATCH_PATH_MAX];
    struct stat state;
    tell(START);
    ck_assert_int_eq(stat(file_path("00000001.jsonl", path), &state), 0);
    full_disk_after((rlim_t)(2 * state.st_size + 20)); /* for one more like it */
    tell(STOP "\n" STOP "\n" STOP);                    /* two are lost */
    tell(STOP);                                        /* three */
    tell(STOP "\n" STOP);                              /* five */
    full_disk_ends();
    tell(START);
    ck_assert_str_eq(record(), "start stop torn gap start ");
    read_gap();
    ck_assert_int_eq(lost, 5);
    ck_assert(!start_is_lost);
    struct audit_event event = {
        .time = ++now, .members = strdup(STOP), .dropped = 3, .dropped_since = TIME};
    audit_writer_write(writer, &event, now);
    audit_event_fini(&event);
    ck_assert_str_eq(record(), "start stop torn gap start gap stop ");
    read_gap();
    ck_assert_int_eq(lost, 3);
}
END_TEST

START_TEST(a_file_ends_and_the_next_one_begins_whole)
{
    char path[SCRATCH_PATH_MAX];
    open_writer(300);
    tell(START);
    load_anew();
    for (int i = 0; i < 4; i++) {
        tell(STOP);
    }
    const char *events = record();
    ck_assert_uint_eq(chain.faults, 0);
    ck_assert_int_eq(access(file_path("00000003.jsonl", path), F_OK), 0);
    ck_assert_int_ne(access(file_path("00000004.jsonl", path), F_OK), 0);
    ck_assert_str_eq(events, "start generation A:loaded checkpoint A:stands stop stop stop "
                             "checkpoint A:stands stop ");
    ck_assert_int_eq(unlink(file_path("00000001.jsonl", path)), 0);
    record();
    ck_assert_uint_eq(chain.faults, 0);
    ck_assert_uint_eq(chain.first, 4);
}
END_TEST

/* While the daemon runs: what there was is told, and it goes on. */
START_TEST(another_hand)
{
    char path[SCRATCH_PATH_MAX];
    load_anew();
    tell(STOP);
    file_path("00000001.jsonl", path);
    ck_assert_int_eq(unlink(path), 0);
    uint64_t last = audit_writer_state(writer)->head.seq;
    tell(START);
    ck_assert_str_eq(record(), "gap checkpoint A:stands start ");
    ck_assert_uint_eq(chain.first, last + 1);
    ck_assert_int_eq(truncate(file_path("00000002.jsonl", path), 0), 0);
    last = audit_writer_state(writer)->head.seq;
    tell(START);
    ck_assert_str_eq(record(), "gap checkpoint A:stands start ");
    ck_assert_uint_eq(chain.first, last + 1);
    ck_assert_uint_eq(chain.faults, 0);
    int fd = open(file_path("00000003.jsonl", path), O_WRONLY | O_APPEND | O_CLOEXEC);
    ck_assert_int_eq(write(fd, "x\n", 2), 2);
    close(fd);
    tell(STOP);
    ck_assert_str_eq(record(), "gap checkpoint A:stands start FAULT@5 gap checkpoint A:stands "
                               "stop ");
    ck_assert_uint_eq(audit_writer_state(writer)->faults, 1);
}
END_TEST

/* As gzip does it. */
static void pack(const char *name)
{
    char path[SCRATCH_PATH_MAX], packed[SCRATCH_PATH_MAX], bytes[8192];
    int fd = open(file_path(name, path), O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, bytes, sizeof bytes);
    close(fd);
    ck_assert_int_gt(size, 0);
    snprintf(packed, sizeof packed, "%.200s.gz", path);
    gzFile file = gzopen(packed, "wb");
    ck_assert_int_eq(gzwrite(file, bytes, (unsigned)size), (int)size);
    ck_assert_int_eq(gzclose(file), Z_OK);
    ck_assert_int_eq(unlink(path), 0);
}

/* Is the record whole, with what was taken to that folder? */
static bool is_whole_with(const char *away)
{
    static const struct audit_chain_reader reader = {.on_fault = on_fault};
    struct audit_files files = {0};
    char why[WHY_MAX];
    said[0] = '\0';
    ck_assert_msg(audit_files_add(&files, folder, why), "%s", why);
    ck_assert_msg(audit_files_add(&files, away, why), "%s", why);
    ck_assert_msg(audit_chain_read(&files, 0, &reader, &chain, why), "%s", why);
    audit_files_fini(&files);
    return chain.first == 1 && chain.faults == 0;
}

/* What an operator puts away, all of it or but for the end, is what the record goes on behind. */
START_TEST(files_that_are_put_away)
{
    char from[SCRATCH_PATH_MAX], to[SCRATCH_PATH_MAX], away[SCRATCH_PATH_MAX];
    struct audit_mark mark;
    char why[WHY_MAX];
    ck_assert_int_eq(mkdir(scratch_path(&scratch, "away", away), 0700), 0);
    tell(START);
    load_anew();
    tell(STOP);
    uint64_t last = audit_writer_state(writer)->head.seq;
    open_writer(1 << 20);
    ck_assert_int_eq(rename(file_path("00000001.jsonl", from),
                            scratch_path(&scratch, "away/00000001.jsonl", to)),
                     0);
    tell(START);
    ck_assert_str_eq(record(), "start ");
    ck_assert_uint_eq(chain.first, last + 1);
    ck_assert(is_whole_with(away));
    ck_assert_int_eq(audit_mark_read(folder, &mark, why), AUDIT_MARK_READ);
    ck_assert_uint_eq(mark.head.seq, last + 1);
    ck_assert_uint_eq(mark.file, 2);
    /* While it runs: that is said. */
    ck_assert_int_eq(rename(file_path("00000002.jsonl", from),
                            scratch_path(&scratch, "away/00000002.jsonl", to)),
                     0);
    tell(STOP);
    ck_assert_str_eq(record(), "gap stop ");
    ck_assert(is_whole_with(away));
    /* Packed where it is. */
    open_writer(1 << 20);
    pack("00000003.jsonl");
    tell(START);
    ck_assert_str_eq(record(), "gap stop start ");
    ck_assert(is_whole_with(away));
    ck_assert_int_eq(access(file_path("00000004.jsonl", from), F_OK), 0);
}
END_TEST

/* A start sees what was cut off while no daemon ran. */
START_TEST(an_end_that_was_cut_off_meanwhile)
{
    char path[SCRATCH_PATH_MAX];
    struct stat state;
    tell(START);
    ck_assert_int_eq(stat(file_path("00000001.jsonl", path), &state), 0);
    tell(STOP "\n" STOP);
    open_writer(1 << 20);
    ck_assert_int_eq(truncate(path, state.st_size), 0);
    tell(START);
    ck_assert_str_eq(record(), "start gap start ");
    read_gap();
    ck_assert_int_eq(lost, 2);
    ck_assert_uint_eq(chain.faults, 0);
}
END_TEST

/* Whoever may read the file may lock it, too. */
START_TEST(a_reader_who_keeps_the_lock)
{
    char path[SCRATCH_PATH_MAX];
    tell("\"event\":\"one\"");
    int reader = open(scratch_path(&scratch, "new/audit/00000001.jsonl", path), O_RDONLY);
    ck_assert_int_eq(flock(reader, LOCK_SH), 0);
    tell("\"event\":\"two\"");
    close(reader);
    ck_assert_str_eq(record(), "one two ");
}
END_TEST

/* The gap begins with what is left. */
START_TEST(an_end_that_was_cut_off)
{
    char path[SCRATCH_PATH_MAX], then[INSTANT_TEXT_MAX];
    struct stat state;
    tell(START);
    ck_assert_int_eq(stat(file_path("00000001.jsonl", path), &state), 0);
    instant_format(now, then);
    load_anew();
    tell(STOP);
    ck_assert_int_eq(truncate(path, state.st_size), 0);
    tell(STOP);
    ck_assert_str_eq(record(), "start gap checkpoint A:stands stop ");
    read_gap();
    ck_assert_int_eq(lost, 3);
    ck_assert_str_eq(since, then);
}
END_TEST

/* What is told of is the instant at which a generation came into force, not when its load began. */
START_TEST(facts_as_of_an_instant)
{
    put("orders/IT/b.yaml", ORDER("B", "b.example") "timezone: UTC\nuntil: 2026-06-30\n");
    put("orders/IT/c.yaml", ORDER("C", "c.example") "timezone: UTC\neffective: 2026-07-01\n");
    generation = load((struct load){0});
    ck_assert_msg(generation != NULL, "%s", problems_text());
    struct audit_facts *facts = audit_facts_new(generation);
    ck_assert_ptr_nonnull(facts);
    static const struct {
        int64_t at;
        const char *in_force;
    } rows[] = {{TIME, "AB"}, {TIME + 300 * 86400, "AC"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char in_force[8] = "";
        audit_facts_as_of(facts, generation->policy, rows[i].at);
        for (size_t j = 0; j < facts->count; j++) {
            strcat(in_force, facts->facts[j].in_force ? facts->facts[j].id : "");
        }
        ck_assert_str_eq(in_force, rows[i].in_force);
    }
    audit_facts_unref(facts);
}
END_TEST

START_TEST(a_folder_that_cannot_be_made)
{
    put("new", "a file");
    tell(START);
    ck_assert_int_eq(audit_writer_state(writer)->since, TIME + 1);
    ck_assert_uint_eq(audit_writer_state(writer)->lost, 1);
    take_away("new");
    tell(STOP);
    ck_assert_str_eq(record(), "gap stop ");
    read_gap();
    ck_assert(start_is_lost);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit_writer");
    TCase *tcase = tcase_create("audit_writer");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, changes_are_told_and_nothing_else);
    tcase_add_test(tcase, a_start_goes_on_where_the_last_one_ended);
    tcase_add_test(tcase, a_crash_anywhere);
    tcase_add_test(tcase, a_full_disk_is_a_gap);
    tcase_add_test(tcase, what_was_lost_is_counted);
    tcase_add_test(tcase, a_file_ends_and_the_next_one_begins_whole);
    tcase_add_test(tcase, another_hand);
    tcase_add_test(tcase, a_reader_who_keeps_the_lock);
    tcase_add_test(tcase, an_end_that_was_cut_off);
    tcase_add_test(tcase, files_that_are_put_away);
    tcase_add_test(tcase, an_end_that_was_cut_off_meanwhile);
    tcase_add_test(tcase, facts_as_of_an_instant);
    tcase_add_test(tcase, a_folder_that_cannot_be_made);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
