/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * process_* (see metrics_process.h).
 */
#include "forwarder/server/metrics_process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "forwarder/server/metrics_text.h"

static void gauge(struct metrics_text *text, const char *name, const char *help, double value)
{
    metrics_text_family(text, METRICS_GAUGE, name, help);
    metrics_text_real(text, NULL, value);
}

static double seconds(const struct timeval *time)
{
    return (double)time->tv_sec + (double)time->tv_usec / 1e6;
}

static void write_cpu(struct metrics_text *text)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        metrics_text_family(text, METRICS_COUNTER, "process_cpu_seconds_total",
                            "Total user and system CPU time spent in seconds.");
        metrics_text_real(text, NULL, seconds(&usage.ru_utime) + seconds(&usage.ru_stime));
    }
}

static void write_memory(struct metrics_text *text)
{
    unsigned long long pages = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "re");
    bool read = file != NULL && fscanf(file, "%llu %llu", &pages, &resident) == 2;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (read) {
        const double page = (double)sysconf(_SC_PAGESIZE);
        gauge(text, "process_virtual_memory_bytes", "Virtual memory size in bytes.",
              (double)pages * page);
        gauge(text, "process_resident_memory_bytes", "Resident memory size in bytes.",
              (double)resident * page);
    }
}

/* Open descriptors, without the one that counting takes. */
static bool count_descriptors(unsigned *out)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    if (folder == NULL) {
        return false;
    }
    *out = 0;
    while ((entry = readdir(folder)) != NULL) {
        *out += entry->d_name[0] != '.' ? 1 : 0;
    }
    closedir(folder);
    *out -= *out > 0 ? 1 : 0;
    return true;
}

static void write_descriptors(struct metrics_text *text)
{
    unsigned open;
    struct rlimit limit;
    if (count_descriptors(&open)) {
        gauge(text, "process_open_fds", "Number of open file descriptors.", open);
    }
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        gauge(text, "process_max_fds", "Maximum number of open file descriptors.",
              (double)limit.rlim_cur);
    }
}

void metrics_process_write(struct metrics_text *text, int64_t started)
{
    write_cpu(text);
    write_memory(text);
    write_descriptors(text);
    gauge(text, "process_start_time_seconds",
          "Start time of the process since unix epoch in seconds.", (double)started);
}
