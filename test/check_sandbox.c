/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The filter over system calls, tried in children: what is allowed works, what is not fails and is
 * no reason to end, and what only an intruder does ends the process.
 */
#include "forwarder/server/sandbox.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test/suite.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

#define WORKED 100 /* exit statuses of children: worked, or failed with this errno */
#define NO_FILTER 101

enum fate {
    FATE_WORKS,
    FATE_FAILS,
    FATE_ENDS
};

static const struct {
    const char *label;
    long number;
    long argument[4];
    enum fate fate;
    bool not_sanitized; /* sanitizers need it */
} CALLS[] = {
    {"another program", SYS_execve, {0, 0, 0}, FATE_ENDS, false},
    {"another program, by descriptor", SYS_execveat, {-1, 0, 0, 0}, FATE_ENDS, false},
    {"a debugger", SYS_ptrace, {0, 0, 0, 0}, FATE_ENDS, true},
    {"another process's memory, read", SYS_process_vm_readv, {1, 0, 0, 0}, FATE_ENDS, true},
    {"another process's memory, written", SYS_process_vm_writev, {1, 0, 0, 0}, FATE_ENDS, false},
    {"another user", SYS_setuid, {0}, FATE_ENDS, false},
    {"another group", SYS_setresgid, {0, 0, 0}, FATE_ENDS, false},
    {"other groups", SYS_setgroups, {0, 0}, FATE_ENDS, false},
    {"capabilities", SYS_capset, {0, 0}, FATE_ENDS, false},
    {"another root", SYS_chroot, {0}, FATE_ENDS, false},
    {"a mount", SYS_mount, {0, 0, 0, 0}, FATE_ENDS, false},
    {"an unmount", SYS_umount2, {0, 0}, FATE_ENDS, false},
    {"namespaces", SYS_unshare, {0}, FATE_ENDS, false},
    {"others' namespaces", SYS_setns, {-1, 0}, FATE_ENDS, false},
    {"a module", SYS_finit_module, {-1, 0, 0}, FATE_ENDS, false},
    {"another kernel", SYS_kexec_load, {0, 0, 0, 0}, FATE_ENDS, false},
    {"bpf", SYS_bpf, {0, 0, 0}, FATE_ENDS, false},
    {"performance counters", SYS_perf_event_open, {0, 0, 0, 0}, FATE_ENDS, false},
    {"keys of the kernel", SYS_keyctl, {0, 0, 0, 0}, FATE_ENDS, false},
    {"a ring of calls past the filter", SYS_io_uring_setup, {0, 0}, FATE_ENDS, false},
    {"page faults", SYS_userfaultfd, {0}, FATE_ENDS, false},
    {"the clock", SYS_clock_settime, {0, 0}, FATE_ENDS, false},
    {"the machine's name", SYS_sethostname, {0, 0}, FATE_ENDS, false},
    {"a restart of the machine", SYS_reboot, {0, 0, 0}, FATE_ENDS, false},

    {"a call of the future", 4000, {0}, FATE_FAILS, false},
    {"a process", SYS_clone, {SIGCHLD, 0, 0, 0}, FATE_FAILS, true},
    {"a process, another way", SYS_clone3, {0, 0}, FATE_FAILS, false},
    {"a signal to another process", SYS_kill, {1, 0}, FATE_FAILS, true},
    {"a signal to another's thread", SYS_tgkill, {1, 1, 0}, FATE_FAILS, true},
    {"raw packets", SYS_socket, {AF_PACKET, SOCK_RAW, 0}, FATE_FAILS, false},
    {"netlink", SYS_socket, {AF_NETLINK, SOCK_RAW, 0}, FATE_FAILS, false},
    {"memory to be written and run",
     SYS_mmap,
     {0, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS},
     FATE_FAILS,
     true},
    {"to be seen again", SYS_prctl, {PR_SET_DUMPABLE, 1, 0, 0}, FATE_FAILS, true},
    {"keys pressed for the terminal", SYS_ioctl, {0, 0x5412, 0}, FATE_FAILS, false},
    {"a limit raised", SYS_prlimit64, {0, RLIMIT_CORE, 1, 0}, FATE_FAILS, true},
    {"a limit of another process", SYS_prlimit64, {1, RLIMIT_CORE, 0, 0}, FATE_FAILS, true},
    {"a device", SYS_mknodat, {AT_FDCWD, 0, 0, 0}, FATE_FAILS, false},

    {"who am I", SYS_getuid, {0}, FATE_WORKS, false},
    {"chance", SYS_getrandom, {0, 0, 0}, FATE_WORKS, false},
    {"UDP over IPv4", SYS_socket, {AF_INET, SOCK_DGRAM, 0}, FATE_WORKS, false},
    {"TCP over IPv6", SYS_socket, {AF_INET6, SOCK_STREAM, 0}, FATE_WORKS, false},
    {"a Unix socket", SYS_socket, {AF_UNIX, SOCK_STREAM, 0}, FATE_WORKS, false},
    {"a limit read", SYS_prlimit64, {0, RLIMIT_NOFILE, 0, 0}, FATE_WORKS, false},
};

static int child_tries(size_t row)
{
    char why[WHY_MAX];
    if (sandbox_enter(why) != SANDBOX_ENTERED) {
        return NO_FILTER;
    }
    const long *argument = CALLS[row].argument;
    long done =
        syscall(CALLS[row].number, argument[0], argument[1], argument[2], argument[3], 0, 0);
    return done == -1 ? errno : WORKED;
}

static int run_child(size_t row)
{
    int status;
    fflush(stdout);
    pid_t child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        _exit(child_tries(row));
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    return status;
}

START_TEST(each_call_meets_its_fate)
{
    int status = run_child((size_t)_i);
    if (CALLS[_i].not_sanitized && SANITIZED) {
        return;
    }
    bool met = false;
    switch (CALLS[_i].fate) {
    case FATE_ENDS:
        met = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
        break;
    case FATE_FAILS:
        met = WIFEXITED(status) && WEXITSTATUS(status) == ENOSYS;
        break;
    case FATE_WORKS:
        met = WIFEXITED(status) && WEXITSTATUS(status) == WORKED;
        break;
    }
    ck_assert_msg(met, "%s: status %x", CALLS[_i].label, (unsigned)status);
}
END_TEST

static int pipe_of_thread[2];

static void *exec_when_told(void *ctx)
{
    char told;
    (void)ctx;
    (void)!read(pipe_of_thread[0], &told, 1);
    syscall(SYS_execve, NULL, NULL, NULL);
    _exit(WORKED);
}

static void *do_nothing(void *ctx)
{
    return ctx;
}

/* Threads that were there before are filtered too, and new ones can be made. */
START_TEST(every_thread_is_in_it)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        pthread_t before, after;
        char why[WHY_MAX];
        bool ready = pipe(pipe_of_thread) == 0 &&
                     pthread_create(&before, NULL, exec_when_told, NULL) == 0 &&
                     sandbox_enter(why) == SANDBOX_ENTERED &&
                     pthread_create(&after, NULL, do_nothing, NULL) == 0 &&
                     pthread_join(after, NULL) == 0 && write(pipe_of_thread[1], "", 1) == 1;
        if (ready) {
            pthread_join(before, NULL);
        }
        _exit(NO_FILTER);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%x", (unsigned)status);
}
END_TEST

static int child_aborts(void)
{
    char why[WHY_MAX];
    if (sandbox_enter(why) == SANDBOX_ENTERED) {
        signal(SIGABRT, SIG_DFL);
        abort();
    }
    return NO_FILTER;
}

START_TEST(a_fault_still_shows_as_what_it_is)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        _exit(child_aborts());
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT, "%x", (unsigned)status);
    ck_assert(!WCOREDUMP(status));
}
END_TEST

/* Each architecture that Debian builds for has what a worker needs, and ends what ends here. */
START_TEST(other_architectures)
{
    static const uint32_t architectures[] = {SCMP_ARCH_X86_64, SCMP_ARCH_AARCH64, SCMP_ARCH_RISCV64,
                                             SCMP_ARCH_PPC64LE};
    static const char *const names[] = {"execve",   "ptrace", "clone",     "openat",   "recvmmsg",
                                        "sendmmsg", "futex",  "epoll_ctl", "eventfd2", "getrandom"};
    for (size_t i = 0; i < ROWS(architectures); i++) {
        int file = memfd_create("filter", MFD_CLOEXEC);
        char why[WHY_MAX] = "";
        static char text[1U << 20];
        ck_assert_msg(sandbox_print(architectures[i], file, why), "%zu: %s", i, why);
        ssize_t size = pread(file, text, sizeof text - 1, 0);
        ck_assert_int_gt(size, 1000);
        text[size] = '\0';
        for (size_t j = 0; j < ROWS(names); j++) {
            char line[64];
            snprintf(line, sizeof line, "syscall \"%s\"", names[j]);
            ck_assert_msg(strstr(text, line) != NULL, "%zu: %s", i, names[j]);
        }
        close(file);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sandbox");
    TCase *tcase = tcase_create("sandbox");
    tcase_add_loop_test(tcase, each_call_meets_its_fate, 0, ROWS(CALLS));
    tcase_add_test(tcase, every_thread_is_in_it);
    tcase_add_test(tcase, a_fault_still_shows_as_what_it_is);
    tcase_add_test(tcase, other_architectures);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
