/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The record has one writer: a second daemon on the same state does not start.
 */
#include "forwarder/server/auditor.h"

#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "test/scratch.h"
#include "test/suite.h"

START_TEST(one_daemon_for_a_state)
{
    struct scratch scratch;
    char state[SCRATCH_PATH_MAX], other[SCRATCH_PATH_MAX], why[WHY_MAX];
    scratch_init(&scratch);
    scratch_path(&scratch, "state", state);
    struct auditor *first = auditor_new(state, why);
    ck_assert_msg(first != NULL, "%s", why);
    ck_assert_ptr_null(auditor_new(state, why));
    ck_assert_ptr_nonnull(strstr(why, "another bailiwickd keeps its state there"));
    struct auditor *second = auditor_new(scratch_path(&scratch, "other", other), why);
    ck_assert_msg(second != NULL, "%s", why);
    auditor_free(second);
    auditor_free(first);
    int passer_by = open(state, O_RDONLY | O_DIRECTORY); /* who may look into the folder */
    ck_assert_int_eq(flock(passer_by, LOCK_EX), 0);
    first = auditor_new(state, why);
    ck_assert_msg(first != NULL, "%s", why);
    close(passer_by);
    auditor_free(first);
    scratch_fini(&scratch);
}
END_TEST

/* It serves nonetheless: what cannot be written is a gap. */
START_TEST(a_state_that_cannot_be_made)
{
    struct scratch scratch;
    char state[SCRATCH_PATH_MAX], why[WHY_MAX];
    scratch_init(&scratch);
    struct auditor *auditor = auditor_new(scratch_path(&scratch, "no/such/state", state), why);
    ck_assert_msg(auditor != NULL, "%s", why);
    auditor_free(auditor);
    scratch_fini(&scratch);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("auditor");
    TCase *tcase = tcase_create("auditor");
    tcase_add_test(tcase, one_daemon_for_a_state);
    tcase_add_test(tcase, a_state_that_cannot_be_made);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
