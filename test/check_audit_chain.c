/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Whole records, and what was done to them: every octet that changed, every line that was taken
 * away, put in or put elsewhere, and each end that was cut off, is told with its place.
 */
#include "forwarder/audit/audit_chain.h"

#include <string.h>
#include <zlib.h>

#include "test/scratch.h"
#include "test/suite.h"

#define LINES 5
#define LINE_TEXT_MAX 512
#define TEXT_MAX 4096

static struct scratch scratch;
static char lines[LINES][LINE_TEXT_MAX];
static struct audit_head head; /* behind the last of them */
static struct audit_chain chain;
static char said[TEXT_MAX]; /* "file:line ok" or "torn" or "fault", a blank behind each */

static void set_up(void)
{
    scratch_init(&scratch);
    head = (struct audit_head){0};
    for (size_t i = 0; i < LINES; i++) {
        char *line = audit_record_seal(&head, 1767225600 + (int64_t)i, "\"event\":\"x\"");
        snprintf(lines[i], sizeof lines[i], "%s", line);
        free(line);
    }
}

static void tear_down(void)
{
    scratch_fini(&scratch);
}

static void say(const struct audit_place *place, const char *what)
{
    size_t used = strlen(said);
    const char *slash = strrchr(place->file, '/');
    snprintf(said + used, sizeof said - used, "%.8s:%u=%s ",
             slash == NULL ? place->file : slash + 1, place->line, what);
}

static void on_fault(void *ctx, const struct audit_place *place, const char *what)
{
    (void)ctx;
    ck_assert_uint_gt(strlen(what), 10);
    say(place, strstr(what, "several records may be missing") != NULL ? "zeros" : "fault");
}

static void on_torn(void *ctx, const struct audit_place *place, size_t octets, size_t zeros)
{
    (void)ctx;
    ck_assert_uint_gt(octets, 0);
    say(place, zeros > 0 ? "zeros" : "torn");
}

static void put(const char *name, const char *text, size_t size)
{
    char path[SCRATCH_PATH_MAX];
    scratch_write(scratch_path(&scratch, name, path), text, size);
}

/* Reads what is there: its faults and torn lines as text. */
static const char *read_all(void)
{
    static const struct audit_chain_reader reader = {.on_fault = on_fault, .on_torn = on_torn};
    char why[WHY_MAX];
    struct audit_files files = {0};
    said[0] = '\0';
    ck_assert_msg(audit_files_add(&files, scratch.folder, why), "%s", why);
    ck_assert_msg(audit_chain_read(&files, 0, &reader, &chain, why), "%s", why);
    audit_files_fini(&files);
    return said;
}

/* The same of one file of these lines, in this order: "013" are the first, second and fourth. */
static const char *read_lines(const char *order)
{
    char text[TEXT_MAX] = "";
    for (const char *at = order; *at != '\0'; at++) {
        strcat(text, lines[*at - '0']);
    }
    put("00000001.jsonl", text, strlen(text));
    return read_all();
}

START_TEST(lines_that_were_moved)
{
    static const struct {
        const char *label, *order, *expected;
        size_t records;
    } rows[] = {
        {"nothing", "", "", 0},
        {"as written", "01234", "", 5},
        {"one taken out", "0134", "00000001:3=fault ", 4},
        {"the first taken out", "1234", "00000001:1=fault ", 4},
        {"one put in again", "011234", "00000001:3=fault ", 6},
        {"two changed over", "02134", "00000001:2=fault 00000001:3=fault 00000001:4=fault ", 5},
        {"the last taken off, which only a noted hash tells", "0123", "", 4},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *actual = read_lines(rows[i].order);
        ck_assert_msg(strcmp(actual, rows[i].expected) == 0, "%s: %s", rows[i].label, actual);
        ck_assert_msg(chain.records == rows[i].records, "%s", rows[i].label);
    }
    read_lines("01234");
    ck_assert_mem_eq(chain.head.hash, head.hash, sizeof head.hash);
    ck_assert_int_eq(chain.first_time, 1767225600);
    ck_assert_int_eq(chain.last_time, 1767225604);
}
END_TEST

/* Of each octet one bit: the line it stands in is told, and no other. */
START_TEST(an_octet_that_changed)
{
    char text[TEXT_MAX] = "";
    size_t line = 1;
    for (size_t i = 0; i < LINES; i++) {
        strcat(text, lines[i]);
    }
    for (size_t at = 0; text[at] != '\0'; at++) {
        char expected[64], original = text[at];
        text[at] = (char)(original ^ 1 << at % 8);
        put("00000001.jsonl", text, strlen(text));
        read_all();
        snprintf(expected, sizeof expected, "00000001:%zu=fault ", line);
        if (original == '\n' && line < LINES) {
            ck_assert_msg(strncmp(said, expected, strlen(expected)) == 0, "%zu: %s", at, said);
        } else if (text[at] != '\n') {
            ck_assert_msg(strcmp(said, expected) == 0, "octet %zu: %s", at, said);
        }
        ck_assert_uint_gt(chain.faults, 0);
        ck_assert((chain.tail > 0) == (original == '\n' && line == LINES));
        line += original == '\n' ? 1 : 0;
        text[at] = original;
    }
}
END_TEST

START_TEST(an_end_that_was_cut_off)
{
    char text[TEXT_MAX];
    size_t size = strlen(lines[1]);
    for (size_t cut = 1; cut < size; cut++) {
        snprintf(text, sizeof text, "%s%.*s", lines[0], (int)cut, lines[1]);
        put("00000001.jsonl", text, strlen(text));
        ck_assert_str_eq(read_all(), "00000001:2=fault ");
        ck_assert_uint_eq(chain.tail, cut + 1);
        ck_assert(chain.tail_is_record == (cut == size - 1));
        ck_assert_uint_eq(chain.head.seq, chain.tail_is_record ? 2 : 1);
    }
}
END_TEST

/* Half a line and the record that tells of it, or of another. */
static const char *read_torn(const char *half, const char *told)
{
    uint8_t hash[FILE_BYTES_SHA256];
    char hex[FILE_BYTES_HEX_MAX], members[256], text[TEXT_MAX];
    struct file_bytes file;
    snprintf(text, sizeof text, "%s\n", told);
    ck_assert(file_bytes_copy(text, strlen(text), &file));
    memcpy(hash, file.sha256, sizeof hash);
    snprintf(members, sizeof members, "\"event\":\"torn\",\"octets\":%zu,\"sha256\":\"%s\"",
             file.size, file_bytes_hex(hash, hex));
    file_bytes_fini(&file);
    struct audit_head at = {0};
    char *first = audit_record_seal(&at, 1767225600, "\"event\":\"x\"");
    char *torn = audit_record_seal(&at, 1767225600, members);
    snprintf(text, sizeof text, "%s%s\n%s", first, half, torn);
    free(first);
    free(torn);
    put("00000001.jsonl", text, strlen(text));
    return read_all();
}

START_TEST(half_a_line_that_is_told_of)
{
    ck_assert_str_eq(read_torn("{\"seq\":2,\"ti", "{\"seq\":2,\"ti"), "00000001:2=torn ");
    ck_assert_uint_eq(chain.torn, 1);
    ck_assert_uint_eq(chain.faults, 0);
    ck_assert_str_eq(read_torn("{\"seq\":2,\"tj", "{\"seq\":2,\"ti"), "00000001:2=fault ");
    ck_assert_str_eq(read_torn("a\nb", "b"), "00000001:3=torn 00000001:2=fault ");
}
END_TEST

#define ZEROS 300

/* What a power cut may leave where more than one record was: half of one, and zeros. */
START_TEST(zeros_are_more_than_half_a_line)
{
    char half[ZEROS + 16] = "{\"seq\":2", text[TEXT_MAX], hex[FILE_BYTES_HEX_MAX], members[256];
    size_t beginning = strlen(half), size = beginning + ZEROS;
    struct audit_head at = {0};
    struct file_bytes file;
    char *first = audit_record_seal(&at, 1767225600, "\"event\":\"x\"");
    int put_first = snprintf(text, sizeof text, "%s", first);
    memcpy(text + put_first, half, size);
    put("00000001.jsonl", text, (size_t)put_first + size);
    ck_assert_str_eq(read_all(), "00000001:2=zeros ");
    ck_assert_uint_eq(chain.faults, 1);
    ck_assert_uint_eq(chain.tail, size + 1);
    ck_assert_uint_eq(chain.zeros, ZEROS);

    half[size] = '\n';
    ck_assert(file_bytes_copy(half, size + 1, &file));
    snprintf(members, sizeof members, "\"event\":\"torn\",\"octets\":%zu,\"sha256\":\"%s\"",
             size + 1, file_bytes_hex(file.sha256, hex));
    file_bytes_fini(&file);
    char *torn = audit_record_seal(&at, 1767225600, members);
    size_t used = (size_t)put_first + size;
    used += (size_t)snprintf(text + used, sizeof text - used, "\n%s", torn);
    put("00000001.jsonl", text, used);
    ck_assert_str_eq(read_all(), "00000001:2=zeros ");
    ck_assert_uint_eq(chain.faults, 0);
    ck_assert_uint_eq(chain.torn, 1);
    ck_assert_uint_eq(chain.zeros, ZEROS);
    text[put_first]++; /* now nobody tells of it */
    put("00000001.jsonl", text, used);
    ck_assert_str_eq(read_all(), "00000001:2=zeros ");
    ck_assert_uint_eq(chain.faults, 1);
    free(first);
    free(torn);
}
END_TEST

START_TEST(files_are_one_chain)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof text, "%s%s", lines[0], lines[1]);
    put("00000001.jsonl", text, strlen(text));
    put("00000002.jsonl", lines[2], strlen(lines[2]));
    put("00000003.jsonl", "", 0);
    put("00000010.jsonl", lines[3], strlen(lines[3]));
    put("notes.txt", "x", 1);
    ck_assert_str_eq(read_all(), "");
    ck_assert_uint_eq(chain.records, 4);
    put("00000002.jsonl", lines[1], strlen(lines[1]));
    ck_assert_str_eq(read_all(), "00000002:1=fault 00000010:1=fault ");
}
END_TEST

/* Old files may be taken elsewhere; what is left is a chain of its own. */
START_TEST(the_first_files_may_be_gone)
{
    put("00000002.jsonl", lines[2], strlen(lines[2]));
    put("00000003.jsonl", lines[3], strlen(lines[3]));
    ck_assert_str_eq(read_all(), "");
    ck_assert_uint_eq(chain.first, 3);
    ck_assert_uint_eq(chain.records, 2);
}
END_TEST

START_TEST(what_cannot_be_read)
{
    static const struct audit_chain_reader silent = {0};
    char path[SCRATCH_PATH_MAX], why[WHY_MAX] = "";
    struct audit_files files = {0};
    ck_assert(!audit_files_add(&files, scratch_path(&scratch, "none", path), why));
    ck_assert_ptr_nonnull(strstr(why, "No such file"));
    ck_assert_int_eq(mkdir(scratch_path(&scratch, "00000001.jsonl", path), 0700), 0);
    ck_assert(audit_files_add(&files, scratch.folder, why));
    ck_assert(!audit_chain_read(&files, 0, &silent, &chain, why));
    ck_assert_ptr_nonnull(strstr(why, "directory"));
    audit_files_fini(&files);
}
END_TEST

/* As gzip -c does it. */
static void put_packed(const char *name, const char *text)
{
    char path[SCRATCH_PATH_MAX];
    gzFile file = gzopen(scratch_path(&scratch, name, path), "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(gzwrite(file, text, (unsigned)strlen(text)), (int)strlen(text));
    ck_assert_int_eq(gzclose(file), Z_OK);
}

/* Packed where they are, or taken to another folder: the chain is one. */
START_TEST(files_that_were_put_away)
{
    char away[SCRATCH_PATH_MAX], why[WHY_MAX];
    struct audit_files files = {0};
    ck_assert_int_eq(mkdir(scratch_path(&scratch, "away", away), 0700), 0);
    put_packed("away/00000001.jsonl.gz", lines[0]);
    put_packed("00000002.jsonl.gz", lines[1]);
    put("00000003.jsonl", lines[2], strlen(lines[2]));
    put_packed("00000003.jsonl.gz", "it is being packed, and not whole yet");
    put("away/00000003.jsonl", lines[2], strlen(lines[2]));
    put("00000004.jsonl.old", "no file of the record", 5);
    ck_assert_str_eq(read_all(), "");
    ck_assert_uint_eq(chain.first, 2);
    ck_assert_uint_eq(chain.records, 2);

    static const struct audit_chain_reader reader = {.on_fault = on_fault};
    ck_assert_msg(audit_files_add(&files, scratch.folder, why), "%s", why);
    ck_assert_msg(audit_files_add(&files, away, why), "%s", why);
    ck_assert_uint_eq(files.count, 3);
    ck_assert_msg(audit_chain_read(&files, 0, &reader, &chain, why), "%s", why);
    ck_assert_uint_eq(chain.first, 1);
    ck_assert_uint_eq(chain.records, 3);
    ck_assert_uint_eq(chain.faults, 0);
    audit_files_fini(&files);
    put("00000002.jsonl.gz", "not gzip", 8);
    ck_assert(audit_files_add(&files, scratch.folder, why));
    ck_assert(!audit_chain_read(&files, 0, &reader, &chain, why));
    ck_assert_ptr_nonnull(strstr(why, "/00000002.jsonl.gz: "));
    audit_files_fini(&files);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("audit_chain");
    TCase *tcase = tcase_create("audit_chain");
    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, lines_that_were_moved);
    tcase_add_test(tcase, an_octet_that_changed);
    tcase_add_test(tcase, an_end_that_was_cut_off);
    tcase_add_test(tcase, half_a_line_that_is_told_of);
    tcase_add_test(tcase, zeros_are_more_than_half_a_line);
    tcase_add_test(tcase, files_are_one_chain);
    tcase_add_test(tcase, the_first_files_may_be_gone);
    tcase_add_test(tcase, what_cannot_be_read);
    tcase_add_test(tcase, files_that_were_put_away);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
