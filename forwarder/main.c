/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * bailiwickd: the command line, and nothing else. See server.c for what it runs, and query.c for
 * the path of a query.
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "forwarder/explain/check_config.h"
#include "forwarder/log.h"
#include "forwarder/server/server.h"

#define DEFAULT_CONFIG "/etc/bailiwick/forwarder.conf"

static const char usage[] =
    "usage: bailiwickd [--config FILE] [--check] [--version] [--help]\n"
    "\n"
    "Runs in the foreground and logs to standard error.\n"
    "  --config FILE  read this configuration (default " DEFAULT_CONFIG ")\n"
    "  --check        read everything, print every problem, exit 1 for an error\n"
    "  --version      print the version\n"
    "  --help         print this\n";

static const struct option options[] = {
    {"config", required_argument, NULL, 'c'},
    {"check", no_argument, NULL, 'k'},
    {"version", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* The exit status once something was printed: what could not be written has told nobody. */
static int printed(int status)
{
    errno = 0;
    bool failed = ferror(stdout) != 0;
    if (fclose(stdout) != 0 || failed) {
        fprintf(stderr, "bailiwickd: standard output: %s\n",
                errno == 0 ? "write failed" : strerror(errno));
        return 1;
    }
    return status;
}

int main(int argc, char **argv)
{
    const char *config = DEFAULT_CONFIG;
    bool check = false;
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            config = optarg;
            break;
        case 'k':
            check = true;
            break;
        case 'v':
            puts("bailiwickd " BAILIWICK_VERSION);
            return printed(0);
        case 'h':
            fputs(usage, stdout);
            return printed(0);
        default:
            fputs(usage, stderr);
            return 2;
        }
    }
    if (optind < argc) {
        fprintf(stderr, "bailiwickd: unexpected argument %s\n%s", argv[optind], usage);
        return 2;
    }
    log_find_journal();
    if (check) {
        log_set_level(LOG_LEVEL_ERROR); /* problems are printed, not logged */
        return printed(check_config_run(config, stdout));
    }
    return server_run(config);
}
