/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick top`: what the daemon does, second by second. It asks for counts once an interval and
 * shows the differences: in place on a terminal, else one view after the other, until SIGINT or
 * SIGTERM, or the daemon is gone.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "forwarder/cli/cli_daemon.h"
#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/command.h"
#include "forwarder/cli/top_rates.h"
#include "forwarder/cli/top_text.h"

#define INTERVAL_MS 1000
#define SOON_MS 100   /* names are still being counted for the first time */
#define SOON_TRIES 50 /* before they are left out */

/* ECMA-48: where the cursor goes, what is erased, whether it shows. */
#define HOME "\033[H"
#define ERASE_SCREEN "\033[2J"
#define ERASE_BELOW "\033[J"
#define HIDE_CURSOR "\033[?25l"
#define SHOW_CURSOR "\033[?25h"

struct top {
    const struct cli_options *options;
    bool json;
    bool names;
    bool once;
    bool in_place; /* on a terminal */
    int signals;   /* SIGINT and SIGTERM come here */
};

static json_t *ask(const struct top *top)
{
    return cli_daemon_tell(top->options,
                           json_pack("{s:s, s:b}", "command", "top", "names", top->names));
}

/* Waits; true if the user has had enough. */
static bool is_ended(const struct top *top, int ms)
{
    struct pollfd waited = {.fd = top->signals, .events = POLLIN};
    int ready;
    do {
        ready = poll(&waited, 1, ms);
    } while (ready < 0 && errno == EINTR);
    return ready != 0;
}

static size_t terminal_lines(void)
{
    struct winsize size;
    return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 1 ? size.ws_row - 1U : 24;
}

/* A view that is written over the one before it: each line erases what is left of the old one. */
static bool print_in_place(const json_t *rates)
{
    char *text = NULL;
    size_t size = 0;
    FILE *room = open_memstream(&text, &size);
    bool printed = room != NULL && top_text_print(rates, terminal_lines(), room);
    printed = room != NULL && fclose(room) == 0 && printed;
    fputs(HOME, stdout);
    for (char *line = text; printed && *line != '\0';) {
        size_t len = strcspn(line, "\n");
        printf("%.*s\033[K\n", (int)len, line);
        line += line[len] == '\0' ? len : len + 1;
    }
    fputs(ERASE_BELOW, stdout);
    free(text);
    return printed;
}

static bool print(const struct top *top, const json_t *rates)
{
    bool printed;
    if (top->json) {
        printed = cli_output_json(rates);
    } else {
        printed = top->in_place ? print_in_place(rates) : top_text_print(rates, 0, stdout);
        if (!printed) {
            cli_output_error("out of memory");
        }
        if (!top->in_place && !top->once) {
            putchar('\n');
        }
    }
    return fflush(stdout) == 0 && printed;
}

/* Asks until names have been counted once, if they are wanted. NULL: said, or ended by the user. */
static json_t *ask_later(const struct top *top, bool *ended)
{
    json_t *now = NULL;
    *ended = is_ended(top, INTERVAL_MS);
    for (int i = 0; !*ended && i < SOON_TRIES; i++) {
        json_decref(now);
        now = ask(top);
        if (now == NULL || !json_is_null(json_object_get(now, "names"))) {
            break;
        }
        *ended = is_ended(top, SOON_MS);
    }
    return now;
}

/* One interval after the other, from the counts in before, which it takes over. */
static enum command_exit watch(const struct top *top, json_t *before)
{
    enum command_exit status = COMMAND_DONE;
    bool ended = false;
    while (!ended && status == COMMAND_DONE && before != NULL) {
        json_t *after = ask_later(top, &ended);
        json_t *rates = ended || after == NULL ? NULL : top_rates(before, after);
        if (rates != NULL) {
            status = print(top, rates) ? COMMAND_DONE : COMMAND_FAILED;
            ended = top->once;
        }
        json_decref(rates);
        json_decref(before);
        before = after;
    }
    json_decref(before);
    return ended ? status : COMMAND_FAILED;
}

static bool take_signals(struct top *top)
{
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigprocmask(SIG_BLOCK, &ends, NULL);
    top->signals = signalfd(-1, &ends, SFD_CLOEXEC);
    if (top->signals < 0) {
        cli_output_error("signals: %s", strerror(errno));
    }
    return top->signals >= 0;
}

enum command_exit cmd_top(const struct cli_options *options)
{
    struct top top = {
        .options = options,
        .json = cli_options_has(options, CLI_OPTION_JSON),
        .names = cli_options_has(options, CLI_OPTION_NAMES),
        .once = cli_options_has(options, CLI_OPTION_ONCE),
    };
    top.in_place = !top.json && !top.once && isatty(STDOUT_FILENO) != 0;
    if (!take_signals(&top)) {
        return COMMAND_FAILED;
    }
    json_t *first = ask(&top);
    if (first != NULL && top.in_place) {
        fputs(HIDE_CURSOR ERASE_SCREEN, stdout);
    }
    enum command_exit status = first == NULL ? COMMAND_FAILED : watch(&top, first);
    if (first != NULL && top.in_place) {
        fputs(SHOW_CURSOR, stdout);
        fflush(stdout);
    }
    close(top.signals);
    return status;
}
