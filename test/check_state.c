/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Last good versions on disk: what is kept comes back, whatever happens on the way leaves the old
 * or the new version, and what is damaged is never taken for good.
 */
#include "forwarder/generation/state.h"

#include <check.h>
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forwarder/generation/state_batch.h"
#include "forwarder/generation/state_meta.h"
#include "test/full_disk.h"
#include "test/scratch.h"
#include "test/suite.h"

static struct scratch scratch;
static char root[SCRATCH_PATH_MAX]; /* of the test that runs */

static void setup(void)
{
    scratch_init(&scratch);
    scratch_path(&scratch, "lib/state", root);
}

static void teardown(void)
{
    scratch_fini(&scratch);
}

#define PARTS_MAX 4

/* Adds texts as the parts of a version; the first is the order. */
static bool add(struct state_batch *batch, const char *path, int64_t loaded,
                const char *const *texts, char why[WHY_MAX])
{
    struct state_part parts[PARTS_MAX];
    struct file_bytes files[PARTS_MAX];
    char origins[PARTS_MAX][16], id[] = "IT-1";
    size_t count = 0;
    for (; texts[count] != NULL; count++) {
        ck_assert(file_bytes_copy(texts[count], strlen(texts[count]), &files[count]));
        snprintf(origins[count], sizeof origins[count], "list-%zu", count);
        parts[count] = (struct state_part){
            .origin = origins[count], .size = files[count].size, .bytes = files[count].bytes};
        memcpy(parts[count].sha256, files[count].sha256, sizeof parts[count].sha256);
    }
    struct state_key key = {root, "orders", path};
    struct state_version version = {.id = id, .loaded = loaded, .parts = parts, .count = count};
    bool done = state_batch_add(batch, &key, &version, why);
    for (size_t i = 0; i < count; i++) {
        file_bytes_fini(&files[i]);
    }
    return done;
}

/* A batch of one version. */
static bool keep(const char *path, int64_t loaded, const char *const *texts, char why[WHY_MAX])
{
    struct state_batch *batch = state_batch_new(root);
    ck_assert_ptr_nonnull(batch);
    bool done = add(batch, path, loaded, texts, why) && state_batch_commit(batch, why) == 0;
    state_batch_free(batch);
    return done;
}

#define KEEP(path, loaded, ...)                                      \
    do {                                                             \
        char why_[WHY_MAX];                                          \
        const char *const texts_[] = {__VA_ARGS__, NULL};            \
        ck_assert_msg(keep(path, loaded, texts_, why_), "%s", why_); \
    } while (0)

static enum state_outcome outcome_of(const char *path)
{
    struct state_key key = {root, "orders", path};
    struct state_version version;
    char why[WHY_MAX];
    enum state_outcome outcome = state_read(&key, &version, why);
    state_version_fini(&version);
    return outcome;
}

/* The texts of the kept version, joined with "|"; "" if there is none or it is damaged. */
static char *kept(const char *path)
{
    static char text[1024];
    struct state_key key = {root, "orders", path};
    struct state_version version;
    char why[WHY_MAX];
    text[0] = '\0';
    if (state_read(&key, &version, why) == STATE_KEPT) {
        for (size_t i = 0; i < version.count; i++) {
            struct file_bytes file;
            if (!state_part_read(&version.parts[i], &file, why)) {
                text[0] = '\0';
                break;
            }
            size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : "|", file.bytes);
            file_bytes_fini(&file);
        }
    }
    state_version_fini(&version);
    return text;
}

/* A path below the folder of a version. Returns out. */
static char *inside(const char *path, const char *file, char out[static SCRATCH_PATH_MAX])
{
    char name[STATE_META_NAME_MAX];
    int length = snprintf(out, SCRATCH_PATH_MAX, "%s/orders/%s/%s", root,
                          state_meta_folder(path, name), file);
    ck_assert_int_lt(length, SCRATCH_PATH_MAX);
    return out;
}

/* The path of the part with this text. Returns out. */
static char *part_of(const char *path, const char *text, char out[static SCRATCH_PATH_MAX])
{
    struct file_bytes file;
    char sha256[FILE_BYTES_HEX_MAX];
    ck_assert(file_bytes_copy(text, strlen(text), &file));
    file_bytes_hex(file.sha256, sha256);
    file_bytes_fini(&file);
    return inside(path, sha256, out);
}

/* How many files lie in the folder of a version. */
static size_t files_of(const char *path)
{
    char folder[SCRATCH_PATH_MAX];
    DIR *dir = opendir(inside(path, "", folder));
    size_t count = 0;
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        count += entry->d_name[0] != '.';
    }
    if (dir != NULL) {
        closedir(dir);
    }
    return count;
}

START_TEST(version_comes_back)
{
    ck_assert_int_eq(outcome_of("IT/a.yaml"), STATE_ABSENT);
    KEEP("IT/a.yaml", 42, "order", "one", "two");
    struct state_key key = {root, "orders", "IT/a.yaml"};
    struct state_version version;
    char why[WHY_MAX];
    ck_assert_int_eq(state_read(&key, &version, why), STATE_KEPT);
    ck_assert_str_eq(version.path, "IT/a.yaml");
    ck_assert_str_eq(version.id, "IT-1");
    ck_assert_int_eq(version.loaded, 42);
    ck_assert_uint_eq(version.count, 3);
    ck_assert_str_eq(version.parts[1].origin, "list-1");
    ck_assert_uint_eq(version.parts[1].size, 3);
    state_version_fini(&version);
    ck_assert_str_eq(kept("IT/a.yaml"), "order|one|two");
    ck_assert_int_eq(outcome_of("IT/b.yaml"), STATE_ABSENT);
}
END_TEST

START_TEST(new_version_replaces_the_old)
{
    KEEP("IT/a.yaml", 1, "order", "one", "two");
    ck_assert_uint_eq(files_of("IT/a.yaml"), 4);
    KEEP("IT/a.yaml", 2, "order 2", "one");
    ck_assert_str_eq(kept("IT/a.yaml"), "order 2|one");
    ck_assert_uint_eq(files_of("IT/a.yaml"), 3);
    KEEP("IT/a.yaml", 3, "same", "same");
    ck_assert_str_eq(kept("IT/a.yaml"), "same|same");
    ck_assert_uint_eq(files_of("IT/a.yaml"), 2);
}
END_TEST

START_TEST(batch_is_kept_whole)
{
    const char *const one[] = {"order 1", "one", NULL}, *const two[] = {"order 2", NULL};
    char why[WHY_MAX];
    struct state_batch *batch = state_batch_new(root);
    KEEP("IT/a.yaml", 1, "order", "one");
    ck_assert_uint_eq(state_batch_commit(batch, why), 0); /* nothing was added */
    ck_assert(add(batch, "IT/a.yaml", 2, one, why));
    ck_assert(add(batch, "IT/b.yaml", 2, two, why));
    ck_assert_str_eq(kept("IT/a.yaml"), "order|one"); /* until it is committed */
    ck_assert_int_eq(outcome_of("IT/b.yaml"), STATE_ABSENT);
    ck_assert_uint_eq(state_batch_commit(batch, why), 0);
    ck_assert_str_eq(kept("IT/a.yaml"), "order 1|one");
    ck_assert_str_eq(kept("IT/b.yaml"), "order 2");
    ck_assert_uint_eq(files_of("IT/a.yaml"), 3);
    ck_assert_uint_eq(files_of("IT/b.yaml"), 2);
    ck_assert_uint_eq(state_batch_commit(batch, why), 0); /* it is empty now */
    state_batch_free(batch);
}
END_TEST

START_TEST(batch_not_committed_leaves_nothing)
{
    const char *const texts[] = {"order 2", "two", NULL};
    char why[WHY_MAX];
    struct state_batch *batch = state_batch_new(root);
    KEEP("IT/a.yaml", 1, "order", "one");
    ck_assert(add(batch, "IT/a.yaml", 2, texts, why));
    ck_assert(add(batch, "IT/b.yaml", 2, texts, why));
    state_batch_free(batch);
    ck_assert_str_eq(kept("IT/a.yaml"), "order|one");
    ck_assert_uint_eq(files_of("IT/a.yaml"), 3);
    ck_assert_int_eq(outcome_of("IT/b.yaml"), STATE_ABSENT);
    ck_assert_uint_eq(files_of("IT/b.yaml"), 0);
}
END_TEST

/* A version that cannot take its place leaves the others alone. */
START_TEST(batch_tells_what_failed)
{
    const char *const texts[] = {"order", NULL};
    char why[WHY_MAX] = "", meta[SCRATCH_PATH_MAX];
    struct state_batch *batch = state_batch_new(root);
    ck_assert(add(batch, "IT/a.yaml", 1, texts, why));
    ck_assert(add(batch, "IT/b.yaml", 1, texts, why));
    ck_assert(add(batch, "IT/c.yaml", 1, texts, why));
    ck_assert_int_eq(mkdir(inside("IT/b.yaml", "meta.json", meta), 0700), 0);
    ck_assert_uint_eq(state_batch_commit(batch, why), 1);
    ck_assert_ptr_nonnull(strstr(why, "Is a directory"));
    ck_assert_str_eq(kept("IT/a.yaml"), "order");
    ck_assert_int_ne(outcome_of("IT/b.yaml"), STATE_KEPT);
    ck_assert_str_eq(kept("IT/c.yaml"), "order");
    state_batch_free(batch);
}
END_TEST

START_TEST(unchanged_part_is_not_written_again)
{
    char part[SCRATCH_PATH_MAX];
    KEEP("IT/a.yaml", 1, "order", "one");
    struct stat before, after;
    ck_assert_int_eq(stat(part_of("IT/a.yaml", "one", part), &before), 0);
    KEEP("IT/a.yaml", 2, "order 2", "one");
    ck_assert_int_eq(stat(part, &after), 0);
    ck_assert_uint_eq(before.st_ino, after.st_ino);
}
END_TEST

START_TEST(modes_are_tight)
{
    char path[SCRATCH_PATH_MAX];
    KEEP("IT/a.yaml", 1, "order");
    struct stat status;
    ck_assert_int_eq(stat(root, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0750);
    ck_assert_int_eq(stat(inside("IT/a.yaml", "", path), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0750);
    ck_assert_int_eq(stat(inside("IT/a.yaml", "meta.json", path), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0640);
}
END_TEST

#define LONG                                                                                      \
    "IT/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/" \
    "0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/0123456789/"    \
    "0123456789/0123456789/0123456789/0123456789.yaml"

static const char *const odd_paths[] = {
    "IT/a b.yaml", "IT/a%2fb.yaml", "IT/a/b.yaml",    "IT/münchen.yaml", "IT/\xff\xfe.yaml",
    "IT/=a.yaml",  ".hidden",       "IT/\"\\\n.yaml", LONG "1",          LONG "2",
};
#define ODD_PATHS (sizeof odd_paths / sizeof odd_paths[0])

START_TEST(every_path_has_its_own_place)
{
    for (size_t i = 0; i < ODD_PATHS; i++) {
        KEEP(odd_paths[i], 1, odd_paths[i]);
    }
    for (size_t i = 0; i < ODD_PATHS; i++) {
        ck_assert_str_eq(kept(odd_paths[i]), odd_paths[i]);
    }
    size_t count;
    char **paths = state_list(root, "orders", &count);
    ck_assert_uint_eq(count, ODD_PATHS);
    for (size_t i = 0; i < ODD_PATHS; i++) {
        bool found = false;
        for (size_t j = 0; j < count; j++) {
            found = found || strcmp(paths[j], odd_paths[i]) == 0;
        }
        ck_assert_msg(found, "%s", odd_paths[i]);
    }
    for (size_t j = 0; j < count; j++) {
        free(paths[j]);
    }
    free(paths);
}
END_TEST

START_TEST(removed_version_is_gone)
{
    char why[WHY_MAX], folder[SCRATCH_PATH_MAX];
    struct state_key key = {root, "orders", "IT/a.yaml"};
    ck_assert_msg(state_remove(&key, why), "%s", why); /* nothing to remove */
    KEEP("IT/a.yaml", 1, "order", "one");
    ck_assert_msg(state_remove(&key, why), "%s", why);
    ck_assert_int_eq(outcome_of("IT/a.yaml"), STATE_ABSENT);
    ck_assert_int_ne(access(inside("IT/a.yaml", "", folder), F_OK), 0);
    size_t count;
    ck_assert_ptr_null(state_list(root, "orders", &count));
    ck_assert_uint_eq(count, 0);
}
END_TEST

#define SHA_OF_ORDER "\"0000000000000000000000000000000000000000000000000000000000000000\""
#define META(path, part) "{\"path\":" path ",\"id\":\"\",\"loaded\":1,\"parts\":[" part "]}"

static const struct {
    const char *label;
    const char *part; /* which file is damaged: the text of a part, or NULL for meta.json */
    const char *text; /* what it holds then; NULL: it is gone */
    enum state_outcome outcome;
} damages[] = {
    {"part changed, same size", "order", "0rder", STATE_KEPT}, /* seen when it is read */
    {"part cut", "order", "orde", STATE_DAMAGED},
    {"part empty", "one", "", STATE_DAMAGED},
    {"part gone", "one", NULL, STATE_DAMAGED},
    {"meta gone", NULL, NULL, STATE_ABSENT},
    {"meta empty", NULL, "", STATE_DAMAGED},
    {"meta cut", NULL, "{\"path\":\"IT%2fa.yaml\",\"id\":\"\"", STATE_DAMAGED},
    {"meta of another kind", NULL, "[1]", STATE_DAMAGED},
    {"meta without parts", NULL, META("\"IT%2fa.yaml\"", ""), STATE_DAMAGED},
    {"meta of another path", NULL,
     META("\"IT%2fb.yaml\"", "{\"origin\":\"\",\"size\":5,\"sha256\":" SHA_OF_ORDER "}"),
     STATE_DAMAGED},
    {"meta with a bad path", NULL,
     META("\"IT%2\"", "{\"origin\":\"\",\"size\":5,\"sha256\":" SHA_OF_ORDER "}"), STATE_DAMAGED},
    {"meta that leads elsewhere", NULL,
     META("\"IT%2fa.yaml\"", "{\"origin\":\"\",\"size\":5,\"sha256\":\"../../../../etc/passwd\"}"),
     STATE_DAMAGED},
    {"meta with a negative size", NULL,
     META("\"IT%2fa.yaml\"", "{\"origin\":\"\",\"size\":-5,\"sha256\":" SHA_OF_ORDER "}"),
     STATE_DAMAGED},
};

START_TEST(damage_is_seen)
{
    char file[SCRATCH_PATH_MAX];
    const char *part = damages[_i].part, *text = damages[_i].text;
    KEEP("IT/a.yaml", 1, "order", "one");
    if (part != NULL) {
        part_of("IT/a.yaml", part, file);
    } else {
        inside("IT/a.yaml", "meta.json", file);
    }
    if (text != NULL) {
        scratch_write(file, text, strlen(text));
    } else {
        ck_assert_int_eq(unlink(file), 0);
    }
    ck_assert_msg(outcome_of("IT/a.yaml") == damages[_i].outcome, "%s", damages[_i].label);
    ck_assert_msg(kept("IT/a.yaml")[0] == '\0', "%s", damages[_i].label);

    KEEP("IT/a.yaml", 2, "order", "one"); /* heals it */
    ck_assert_msg(strcmp(kept("IT/a.yaml"), "order|one") == 0, "%s", damages[_i].label);
}
END_TEST

START_TEST(full_disk_leaves_the_old_version)
{
    KEEP("IT/a.yaml", 1, "order", "one");
    size_t files = files_of("IT/a.yaml");
    char why[WHY_MAX] = "";
    const char *const big[] = {"order 2", "a list that is longer than the disk has room for", NULL};
    const char *const many[] = {"order 3", "two", NULL}; /* parts fit, meta.json does not */
    full_disk_after(20);
    bool wrote_big = keep("IT/a.yaml", 2, big, why);
    bool wrote_many = keep("IT/a.yaml", 2, many, why);
    bool wrote_new = keep("IT/new.yaml", 2, many, why);
    full_disk_ends();
    ck_assert(!wrote_big && !wrote_many && !wrote_new);
    ck_assert_ptr_nonnull(strstr(why, "File too large"));
    ck_assert_str_eq(kept("IT/a.yaml"), "order|one");
    ck_assert_uint_eq(files_of("IT/a.yaml"), files);
    ck_assert_int_eq(outcome_of("IT/new.yaml"), STATE_ABSENT);
    ck_assert_uint_eq(files_of("IT/new.yaml"), 0);
}
END_TEST

START_TEST(no_folder_can_be_made)
{
    char file[SCRATCH_PATH_MAX], why[WHY_MAX] = "";
    scratch_write(scratch_path(&scratch, "lib", file), "", 0); /* a file in the way */
    const char *const texts[] = {"order", NULL};
    ck_assert(!keep("IT/a.yaml", 1, texts, why));
    ck_assert_ptr_nonnull(strstr(why, "lib/state"));
    ck_assert_int_eq(outcome_of("IT/a.yaml"), STATE_ABSENT);
}
END_TEST

/* A process that keeps writing two versions in turn is killed at some moment, many times. */
START_TEST(killed_writer_leaves_a_whole_version)
{
    const char *const one[] = {"order 1", "list of one", NULL};
    const char *const two[] = {"order 2", "list of two", "more", NULL};
    KEEP("IT/a.yaml", 1, "order 1", "list of one");
    for (useconds_t round = 0; round < 60; round++) {
        pid_t writer = fork();
        ck_assert_int_ge(writer, 0);
        if (writer == 0) {
            char why[WHY_MAX];
            for (int i = 0;; i++) {
                keep("IT/a.yaml", i, i % 2 == 0 ? two : one, why);
            }
        }
        usleep(200 + 97 * round);
        kill(writer, SIGKILL);
        waitpid(writer, NULL, 0);
        const char *text = kept("IT/a.yaml");
        ck_assert_msg(strcmp(text, "order 1|list of one") == 0 ||
                          strcmp(text, "order 2|list of two|more") == 0,
                      "round %u: %s", round, text);
    }
    KEEP("IT/a.yaml", 1, "order 1", "list of one");
    ck_assert_uint_eq(files_of("IT/a.yaml"), 3); /* nothing half-written is left */
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("state");
    TCase *tcase = tcase_create("state");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_set_timeout(tcase, 60);
    tcase_add_test(tcase, version_comes_back);
    tcase_add_test(tcase, new_version_replaces_the_old);
    tcase_add_test(tcase, batch_is_kept_whole);
    tcase_add_test(tcase, batch_not_committed_leaves_nothing);
    tcase_add_test(tcase, batch_tells_what_failed);
    tcase_add_test(tcase, unchanged_part_is_not_written_again);
    tcase_add_test(tcase, modes_are_tight);
    tcase_add_test(tcase, every_path_has_its_own_place);
    tcase_add_test(tcase, removed_version_is_gone);
    tcase_add_loop_test(tcase, damage_is_seen, 0, sizeof damages / sizeof damages[0]);
    tcase_add_test(tcase, full_disk_leaves_the_old_version);
    tcase_add_test(tcase, no_folder_can_be_made);
    tcase_add_test(tcase, killed_writer_leaves_a_whole_version);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
