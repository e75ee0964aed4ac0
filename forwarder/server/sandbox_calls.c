/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Which system calls (see sandbox_calls.h). The tables are wider than a trace of today's daemon:
 * glibc and the libraries of another release make other calls of the same kind (openat2 for openat,
 * epoll_pwait2 for epoll_wait), which do nothing that those here do not. Where it matters what a
 * call is made for, its arguments are looked at.
 */
#include "forwarder/server/sandbox_calls.h"

#include <asm/termbits.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <asm/ioctls.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

const char *const sandbox_calls_allowed[] = {
    /* Octets, of files, sockets, pipes and eventfds. */
    "read", "readv", "pread64", "preadv", "preadv2", "write", "writev", "pwrite64", "pwritev",
    "pwritev2", "lseek", "_llseek", "sendfile", "sendfile64", "copy_file_range", "splice",
    /* Files and folders: orders, lists, the database, what is kept under state. */
    "open", "openat", "openat2", "close", "close_range", "dup", "dup2", "dup3", "fcntl", "fcntl64",
    "flock", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64", "newfstatat", "fstatat64",
    "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access", "faccessat", "faccessat2",
    "readlink", "readlinkat", "getdents", "getdents64", "getcwd", "mkdir", "mkdirat", "unlink",
    "unlinkat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "symlink",
    "symlinkat", "truncate", "ftruncate", "ftruncate64", "fallocate", "fsync", "fdatasync",
    "sync_file_range", "syncfs", "chmod", "fchmod", "fchmodat", "fchmodat2", "fchown", "utime",
    "utimes", "utimensat", "futimesat", "umask", "fadvise64", "fadvise64_64", "readahead",
    "memfd_create", "inotify_init", "inotify_init1", "inotify_add_watch", "inotify_rm_watch",
    /* Sockets; which families see below. */
    "socketpair", "bind", "connect", "listen", "accept", "accept4", "getsockname", "getpeername",
    "getsockopt", "setsockopt", "send", "sendto", "recv", "recvfrom", "sendmsg", "recvmsg",
    "sendmmsg", "recvmmsg", "shutdown",
    /* The event loop. */
    "epoll_create", "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2",
    "poll", "ppoll", "select", "_newselect", "pselect6", "eventfd", "eventfd2", "pipe", "pipe2",
    "signalfd", "signalfd4", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    /* Memory, but for what is to be run; see below. */
    "brk", "munmap", "mremap", "madvise", "msync", "mincore", "mlock", "mlock2", "munlock",
    "membarrier",
    /* Threads and signals, of this process. */
    "futex", "futex_waitv", "set_robust_list", "get_robust_list", "rseq", "set_tid_address",
    "gettid", "exit", "exit_group", "sched_yield", "sched_getaffinity", "sched_getparam",
    "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min", "getcpu",
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigpending",
    "rt_sigtimedwait", "rt_sigsuspend", "sigaltstack", "restart_syscall",
    /* Time. */
    "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep", "nanosleep",
    "gettimeofday", "time", "times", "getitimer",
    /* What the process is, and chance. */
    "getpid", "getppid", "getpgrp", "getpgid", "getsid", "getuid", "geteuid", "getgid", "getegid",
    "getresuid", "getresgid", "getgroups", "getuid32", "geteuid32", "getgid32", "getegid32",
    "capget", "uname", "sysinfo", "getrusage", "getrlimit", "ugetrlimit", "getpriority",
    "getrandom",
#if SANITIZED
    /* What looks for leaks stops all threads from a process of its own. */
    "clone", "wait4", "ptrace", "prctl", "kill", "tgkill", "process_vm_readv", "arch_prctl",
    "personality", "mmap", "mmap2", "mprotect", "setrlimit", "prlimit64",
#endif
    NULL};

const char *const sandbox_calls_deadly[] = {
    /* Another program. (A process without one cannot be had either, but is no reason to end.) */
    "execve", "execveat", "uselib",
#if !SANITIZED
    /* Another process's memory. */
    "ptrace", "process_vm_readv",
#endif
    "process_vm_writev", "pidfd_getfd",
    /* Another user, other rights. */
    "setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setfsuid", "setfsgid",
    "setgroups", "setuid32", "setgid32", "setreuid32", "setregid32", "setresuid32", "setresgid32",
    "setfsuid32", "setfsgid32", "setgroups32", "capset", "chroot",
    /* Another view of the system. */
    "mount", "umount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen", "fsconfig",
    "fsmount", "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at", "quotactl",
    "quotactl_fd", "swapon", "swapoff",
    /* The kernel. */
    "init_module", "finit_module", "delete_module", "create_module", "kexec_load",
    "kexec_file_load", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "io_uring_enter",
    "io_uring_register", "add_key", "request_key", "keyctl", "iopl", "ioperm", "modify_ldt", "vm86",
    "vm86old", "acct", "reboot", "fanotify_init", "fanotify_mark",
    /* The machine's name and clock. */
    "sethostname", "setdomainname", "settimeofday", "stime", "clock_settime", "clock_settime64",
    "clock_adjtime", "clock_adjtime64", "adjtimex", NULL};

const struct sandbox_argument sandbox_calls_arguments[] = {
    {"socket", 0, UINT64_MAX, AF_UNIX, -1},
    {"socket", 0, UINT64_MAX, AF_INET, -1},
    {"socket", 0, UINT64_MAX, AF_INET6, -1},
    {"ioctl", 1, UINT64_MAX, FIONREAD, -1},
    {"ioctl", 1, UINT64_MAX, FIONBIO, -1},
    {"ioctl", 1, UINT64_MAX, FIOCLEX, -1},
    {"ioctl", 1, UINT64_MAX, TCGETS, -1},
    {"ioctl", 1, UINT64_MAX, TCGETS2, -1},
    {"ioctl", 1, UINT64_MAX, TIOCGWINSZ, -1},
    {"ioctl", 1, UINT64_MAX, SIOCGIFNAME, -1},
    {"ioctl", 1, UINT64_MAX, SIOCGIFINDEX, -1},
    {"ioctl", 1, UINT64_MAX, SIOCGIFFLAGS, -1},
    {"ioctl", 1, UINT64_MAX, SIOCGIFCONF, -1},
    {"ioctl", 1, UINT64_MAX, SIOCGSTAMP, -1},
    /* Niceness, of the calling thread: who loads steps back. */
    {"setpriority", 0, UINT64_MAX, PRIO_PROCESS, 1},
#if !SANITIZED
    /* A thread, never a process; clone3, whose arguments cannot be seen, fails, and glibc then
     * takes this one. */
    {"clone", 0, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND, CLONE_THREAD | CLONE_VM | CLONE_SIGHAND,
     -1},
    {"prctl", 0, UINT64_MAX, PR_SET_NAME, -1},
    {"prctl", 0, UINT64_MAX, PR_GET_NAME, -1},
    {"prctl", 0, UINT64_MAX, PR_GET_DUMPABLE, -1},
    {"prctl", 0, UINT64_MAX, PR_GET_SECCOMP, -1},
    {"prctl", 0, UINT64_MAX, PR_GET_NO_NEW_PRIVS, -1},
    {"prctl", 0, UINT64_MAX, PR_CAPBSET_READ, -1},
    {"prctl", 0, UINT64_MAX, 0x53564d41 /* PR_SET_VMA: names of memory */, -1},
    /* Limits are read, of this process, and never set. */
    {"prlimit64", 0, UINT64_MAX, 0, 2},
    /* Memory is written or run, never both: a library that is loaded late is mapped as it lies in
     * its file. */
    {"mmap", 2, PROT_EXEC, 0, -1},
    {"mmap", 2, PROT_EXEC | PROT_WRITE, PROT_EXEC, -1},
    {"mmap2", 2, PROT_EXEC, 0, -1},
    {"mmap2", 2, PROT_EXEC | PROT_WRITE, PROT_EXEC, -1},
    {"mprotect", 2, PROT_EXEC, 0, -1},
#endif
    {NULL, 0, 0, 0, -1},
};
