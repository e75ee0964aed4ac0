/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Making the filter from its tables, and putting it in force (see sandbox.h).
 */
#include "forwarder/server/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "forwarder/server/sandbox_calls.h"

/* A call that this architecture or libseccomp does not have is nothing to allow or to refuse: an
 * unknown number falls to the default. */
static bool add_call(scmp_filter_ctx filter, uint32_t action, const char *name)
{
    int number = seccomp_syscall_resolve_name(name);
    int failed = number == __NR_SCMP_ERROR ? 0 : seccomp_rule_add(filter, action, number, 0);
    return failed == 0 || failed == -EDOM;
}

static bool add_calls(scmp_filter_ctx filter, uint32_t action, const char *const *names)
{
    for (; *names != NULL; names++) {
        if (!add_call(filter, action, *names)) {
            return false;
        }
    }
    return true;
}

static bool add_argument(scmp_filter_ctx filter, const struct sandbox_argument *row)
{
    struct scmp_arg_cmp conditions[] = {
        SCMP_CMP64(row->argument, SCMP_CMP_MASKED_EQ, row->mask, row->value),
        SCMP_CMP64(row->second < 0 ? 0U : (unsigned)row->second, SCMP_CMP_EQ, 0, 0),
    };
    int number = seccomp_syscall_resolve_name(row->call);
    int failed = number == __NR_SCMP_ERROR
                     ? 0
                     : seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number,
                                              row->second < 0 ? 1 : 2, conditions);
    return failed == 0 || failed == -EDOM;
}

/* Signals to this process alone, as abort(3) sends one. */
static bool add_own_signals(scmp_filter_ctx filter)
{
    const struct scmp_arg_cmp ours = {
        .arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)getpid()};
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, &ours) == 0;
}

/* What ends the process. Where the kernel (before 4.14), or a filter around us that refuses
 * seccomp(2), leaves but the first version of filters, a signal does that ends it too. */
static uint32_t deadly(void)
{
    return seccomp_api_get() < 3 ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS;
}

static bool add_rules(scmp_filter_ctx filter)
{
    const struct sandbox_argument *row;
    if (!add_calls(filter, SCMP_ACT_ALLOW, sandbox_calls_allowed) ||
        !add_calls(filter, deadly(), sandbox_calls_deadly) || !add_own_signals(filter)) {
        return false;
    }
    for (row = sandbox_calls_arguments; row->call != NULL; row++) {
        if (!add_argument(filter, row)) {
            return false;
        }
    }
    return true;
}

static void set(scmp_filter_ctx filter, enum scmp_filter_attr attribute, uint32_t value)
{
    (void)seccomp_attr_set(filter, attribute, value); /* what is wanted, not what is needed */
}

/* NULL with errno set. The attributes: threads that are there already are filtered too, what is
 * refused is logged, the calls of each query are found by halving, and nobody pays for a defence
 * against code that shares our memory (older kernels add it to every filter). */
static scmp_filter_ctx make_filter(uint32_t architecture)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    if (filter == NULL) {
        errno = ENOMEM;
        return NULL;
    }
    if (architecture != 0 && architecture != seccomp_arch_native() &&
        (seccomp_arch_add(filter, architecture) != 0 ||
         seccomp_arch_remove(filter, SCMP_ARCH_NATIVE) != 0)) {
        seccomp_release(filter);
        errno = EINVAL;
        return NULL;
    }
    set(filter, SCMP_FLTATR_ACT_BADARCH, deadly());
    set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    set(filter, SCMP_FLTATR_CTL_LOG, 1);
    set(filter, SCMP_FLTATR_CTL_SSB, 1);
    set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    if (!add_rules(filter)) {
        seccomp_release(filter);
        errno = EINVAL;
        return NULL;
    }
    return filter;
}

/* Keys of TLS and cookies lie in memory: no core dump, and no debugger of the same user. */
static void hide_memory(void)
{
    const struct rlimit none = {0, 0};
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static enum sandbox_outcome refuse(int error, char why[static WHY_MAX])
{
    snprintf(why, WHY_MAX, "%s", strerror(error));
    return SANDBOX_NONE;
}

enum sandbox_outcome sandbox_enter(char why[static WHY_MAX])
{
    hide_memory();
    scmp_filter_ctx filter = make_filter(0);
    if (filter == NULL) {
        return refuse(errno, why);
    }
    int failed = seccomp_load(filter);
    seccomp_release(filter);
    return failed == 0 ? SANDBOX_ENTERED : refuse(-failed, why);
}

bool sandbox_print(uint32_t architecture, int descriptor, char why[static WHY_MAX])
{
    scmp_filter_ctx filter = make_filter(architecture);
    int failed = filter == NULL ? -errno : seccomp_export_pfc(filter, descriptor);
    if (filter != NULL) {
        seccomp_release(filter);
    }
    if (failed != 0) {
        (void)refuse(-failed, why);
    }
    return failed == 0;
}
