/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Waiting for a lock, for a while (see order_lock.h). The kernel wakes those that wait in their
 * order, so the wait is one call of flock(2), which a timer interrupts at its end.
 */
#include "forwarder/cli/order_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/time.h>
#include <unistd.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"

#define WAIT_S 60U
#define WAIT_DIGITS 4
#define AGAIN_US 100000
#define HOLDER_MAX 64

unsigned order_lock_wait_s(const struct cli_options *options)
{
    const char *text = options->value[CLI_OPTION_WAIT];
    if (text == NULL) {
        return WAIT_S;
    }
    size_t digits = strspn(text, "0123456789");
    bool meant = digits > 0 && digits <= WAIT_DIGITS && text[digits] == '\0';
    return meant ? (unsigned)strtoul(text, NULL, 10) : ORDER_LOCK_WAIT_MAX_S + 1;
}

/* The process that has the lock, by proc(5); 0: not known, as of another namespace. */
static int find_holder(int descriptor)
{
    struct stat folder;
    FILE *locks = fopen("/proc/locks", "re");
    char line[256];
    int holder = 0;
    while (locks != NULL && holder == 0 && fstat(descriptor, &folder) == 0 &&
           fgets(line, sizeof line, locks) != NULL) {
        int process;
        unsigned major, minor;
        unsigned long long inode;
        /* Those that wait have an arrow before the kind. */
        if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &process, &major, &minor, &inode) ==
                4 &&
            makedev(major, minor) == folder.st_dev && inode == folder.st_ino && process > 0) {
            holder = process;
        }
    }
    if (locks != NULL) {
        fclose(locks);
    }
    return holder;
}

/* "process 4711 (bailiwick)", as much of it as is known. */
static const char *name_holder(int descriptor, char out[static HOLDER_MAX])
{
    char path[32], program[17] = "";
    int holder = find_holder(descriptor);
    if (holder == 0) {
        snprintf(out, HOLDER_MAX, "another process");
        return out;
    }
    snprintf(path, sizeof path, "/proc/%d/comm", holder);
    FILE *comm = fopen(path, "re");
    if (comm != NULL) {
        (void)!fgets(program, sizeof program, comm);
        program[strcspn(program, "\n")] = '\0';
        fclose(comm);
    }
    snprintf(out, HOLDER_MAX, "process %d%s%s%s", holder, program[0] == '\0' ? "" : " (", program,
             program[0] == '\0' ? "" : ")");
    return out;
}

static void on_alarm(int number)
{
    (void)number; /* that it came is all: flock(2) returns */
}

/* SIGALRM in so many seconds, and again and again then: one that comes just before flock(2) begins
 * is followed by others. 0: none any more. */
static void set_alarms(unsigned seconds)
{
    struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval timer = {.it_value = {.tv_sec = seconds},
                                    .it_interval = {.tv_usec = AGAIN_US}};
    (void)sigaction(SIGALRM, &action, NULL);
    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

/* False with errno: EINTR if the time is over, as no other signal has a handler here. */
static bool wait_for(int descriptor, unsigned wait_s)
{
    set_alarms(wait_s);
    bool locked = flock(descriptor, LOCK_EX) == 0;
    int error = errno;
    set_alarms(0);
    errno = error;
    return locked;
}

/* Another process has it. */
static bool wait_aloud(int descriptor, const char *name, unsigned wait_s)
{
    char holder[HOLDER_MAX];
    if (wait_s > 0) {
        cli_output_error("%s: %s is changing orders; waiting for it, at most %u s", name,
                         name_holder(descriptor, holder), wait_s);
        if (wait_for(descriptor, wait_s)) {
            return true;
        }
        if (errno != EINTR) {
            return false;
        }
    }
    cli_output_error("%s: %s still has the orders locked: nothing was changed; try again once it "
                     "has ended",
                     name, name_holder(descriptor, holder));
    errno = 0;
    return false;
}

int order_lock_take(const char *folder, const char *name, unsigned wait_s)
{
    int descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool locked = descriptor >= 0 && flock(descriptor, LOCK_EX | LOCK_NB) == 0;
    if (!locked && descriptor >= 0 && errno == EWOULDBLOCK) {
        locked = wait_aloud(descriptor, name, wait_s);
    }
    if (locked) {
        return descriptor;
    }
    if (errno != 0) { /* else it is said already */
        cli_output_error("%s: cannot be locked: %s", name, strerror(errno));
    }
    if (descriptor >= 0) {
        close(descriptor);
    }
    return -1;
}
