/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frame Streams: whole, of one direction and of both, and broken in each part.
 */
#include "forwarder/cli/query_frames.h"

#include <check.h>

#include "test/wire_notation.h"
#include "test/suite.h"

#define CONTENT "00000001 00000016 'protobuf:dnstap.Dnstap' "
#define OTHER "00000001 00000004 'text' "
#define START "00000000 00000022 00000002 " CONTENT
#define STOP "00000000 00000004 00000003 "
#define READY "00000000 00000022 00000004 " CONTENT
#define ACCEPT "00000000 00000022 00000001 " CONTENT
#define FINISH "00000000 00000004 00000005 "

static const struct {
    const char *label;
    const char *file;
    const char *expected; /* frames, each with "|" behind it, and what was wrong */
} FILES[] = {
    {"one direction", START "00000001 'a' 00000003 'bcd' " STOP, "a|bcd|"},
    {"both directions", READY ACCEPT START "00000001 'a' " STOP FINISH, "a|"},
    {"no frame", START STOP, ""},
    {"no content type", "00000000 00000004 00000002 00000001 'a' ", "a|"},
    {"two streams", START "00000001 'a' " STOP START "00000001 'b' " STOP, "a|b|"},
    {"a stream that nobody ended", START "00000001 'a' ", "a|"},
    {"several contents are offered", "00000000 0000002e 00000004 " OTHER CONTENT START, ""},
    {"a field of another type", "00000000 0000000d 00000002 00000009 00000001 'x' 00000001 'a' ",
     "a|"},
    {"another content", "00000000 00000010 00000002 " OTHER "00000001 'a' ",
     "the stream holds something else than dnstap; expected the content type "
     "\"protobuf:dnstap.Dnstap\""},
    {"a frame before the start", "00000001 'a' ", "a frame stands outside of a stream"},
    {"a frame behind the end", START STOP "00000001 'a' ", "a frame stands outside of a stream"},
    {"a frame that is cut", START "00000001 'a' 00000003 'bc' ", "a|the file ends within a frame"},
    {"a length that is cut", START "000000 ", "the file ends within a frame"},
    {"a frame that is too long", START "00100001 'a' ",
     "a frame of 1048577 octets; expected at most 1048576"},
    {"a length beyond all", START "ffffffff 'a' ",
     "a frame of 4294967295 octets; expected at most 1048576"},
    {"a control frame that is cut", "00000000 00000022 00000002 00000001 ",
     "the file ends within a frame"},
    {"a control frame without a type", "00000000 00000003 000000 ", "a control frame is broken"},
    {"a control frame that is too long", "00000000 00000201 00000002 ",
     "a control frame is broken"},
    {"a field that is cut", "00000000 0000000c 00000002 00000001 00000001 ",
     "a control frame is broken"},
    {"a field without a length", "00000000 00000008 00000002 00000001 ",
     "a control frame is broken"},
    {"an unknown control frame", "00000000 00000004 00000006 ",
     "a control frame is of no known type"},
    {"nothing", "", ""},
};

/* Reads all of size octets; what it says goes to said. */
static void read_all(const uint8_t *bytes, size_t size, char *said, size_t room)
{
    FILE *in = tmpfile();
    struct query_frames frames;
    struct span frame;
    char why[WHY_MAX] = "";
    size_t used = 0;
    ck_assert_ptr_nonnull(in);
    ck_assert_uint_eq(fwrite(bytes, 1, size, in), size);
    rewind(in);
    query_frames_init(&frames, in);
    said[0] = '\0';
    enum query_frames_outcome outcome;
    while ((outcome = query_frames_next(&frames, &frame, why)) == QUERY_FRAMES_ONE) {
        used += (size_t)snprintf(said + used, room - used, "%.*s|", (int)frame.size,
                                 (const char *)frame.bytes);
    }
    ck_assert_int_eq(outcome == QUERY_FRAMES_BROKEN, why[0] != '\0');
    snprintf(said + used, room - used, "%s", why);
    query_frames_fini(&frames);
    fclose(in);
}

START_TEST(frames_are_read)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    char said[1024];
    struct span file = wire_parse(FILES[_i].file, bytes);
    read_all(file.bytes, file.size, said, sizeof said);
    ck_assert_msg(strcmp(said, FILES[_i].expected) == 0, "%s: %s", FILES[_i].label, said);
}
END_TEST

/* Wherever a file is cut, what stands before that is read and nothing else. */
START_TEST(a_cut_file_says_less)
{
    uint8_t bytes[WIRE_NOTATION_MAX];
    struct span file = wire_parse(START "00000001 'a' 00000003 'bcd' " STOP, bytes);
    for (size_t size = 0; size < file.size; size++) {
        char said[1024];
        read_all(file.bytes, size, said, sizeof said);
        size_t frames = strrchr(said, '|') == NULL ? 0 : (size_t)(strrchr(said, '|') - said + 1);
        const char *rest = said + frames;
        ck_assert_msg(strncmp(said, "a|bcd|", frames) == 0, "at %zu: %s", size, said);
        ck_assert_msg(*rest == '\0' || strcmp(rest, "the file ends within a frame") == 0,
                      "at %zu: %s", size, said);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("query_frames");
    TCase *cases = tcase_create("files");
    tcase_add_loop_test(cases, frames_are_read, 0, sizeof FILES / sizeof FILES[0]);
    tcase_add_test(cases, a_cut_file_says_less);
    suite_add_tcase(suite, cases);
    return suite_run(suite);
}
