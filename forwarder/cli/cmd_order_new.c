/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * `bailiwick order new`: the file of an order that nobody had before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "forwarder/cli/cli_options.h"
#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/cmd_order.h"
#include "forwarder/cli/order_reload.h"
#include "forwarder/cli/order_store.h"
#include "forwarder/cli/order_words.h"
#include "forwarder/config/config.h"
#include "forwarder/explain/problem_report.h"
#include "policy/order_file.h"

#define DATE_LENGTH 10 /* of an RFC 3339 time */

/* The file to be. */
struct new_order {
    const struct cli_options *options;
    struct order_store *store;
    struct order_draft draft; /* name, path and scope alone */
    struct file_bytes file;
};

/* ---- Its text ---- */

static bool compose(struct new_order *new, const struct order_edit_item *items)
{
    const char *const *value = new->options->value;
    struct order_author author;
    order_author_init(&author, new->options);
    char today[DATE_LENGTH + 1];
    snprintf(today, sizeof today, "%.*s", DATE_LENGTH, author.at);
    const char *issued = value[CLI_OPTION_ISSUED];
    const struct order_edit_field fields[] = {
        {"id", value[CLI_OPTION_ID]},
        {"authority", value[CLI_OPTION_AUTHORITY]},
        {"title", value[CLI_OPTION_TITLE]},
        {"reference", value[CLI_OPTION_REFERENCE]},
        {"issued", issued == NULL ? today : issued},
        {"timezone", value[CLI_OPTION_TIMEZONE]},
        {"effective", value[CLI_OPTION_EFFECTIVE]},
        {"until", value[CLI_OPTION_UNTIL]},
        {"action", value[CLI_OPTION_ACTION]},
        {"message", value[CLI_OPTION_MESSAGE]},
    };
    const struct order_edit edit = {
        .add = items,
        .add_count = (size_t) new->options->operand_count,
        .entry = {author.at, author.by, "new", value[CLI_OPTION_REASON]},
    };
    return order_edit_compose(fields, sizeof fields / sizeof fields[0], &edit, &new->file) ||
           (cli_output_error("out of memory"), false);
}

static bool judge(struct new_order *new)
{
    struct problem_list problems;
    problem_list_init(&problems);
    struct order *order = order_store_judge(new->store, &new->draft, &new->file, &problems);
    problem_report(&problems, stderr);
    problem_list_fini(&problems);
    order_unref(order);
    return order != NULL;
}

/* ---- Its place ---- */

static bool file_is_there(const struct new_order *new)
{
    static const char *const endings[] = {"yaml", "yml"};
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        char *path = NULL;
        bool there = asprintf(&path, "%s/%s/%s.%s", new->store->root,
                              new->options->value[CLI_OPTION_COUNTRY],
                              new->options->value[CLI_OPTION_ID], endings[i]) < 0 ||
                     faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
        if (there) {
            cli_output_error("%s: is there already", path == NULL ? "the file" : path);
        }
        free(path);
        if (there) {
            return true;
        }
    }
    return false;
}

/* Writes the file, into a new folder if the country has none; that goes again if the file fails. */
static bool put(struct new_order *new)
{
    char why[WHY_MAX] = "out of memory";
    char *folder = NULL, *path = NULL;
    bool done = false, made = false;
    if (asprintf(&folder, "%s/%s", new->store->root, new->options->value[CLI_OPTION_COUNTRY]) < 0) {
        folder = NULL;
    } else if (asprintf(&path, "%s/%s", new->store->root, new->draft.path) < 0) {
        path = NULL;
    } else {
        made = mkdir(folder, 0777) == 0;
        done = file_replace_create(path, &new->file, why);
    }
    if (!done) {
        cli_output_error("%s: %s", new->draft.name, why);
    }
    if (!done && made) {
        (void)rmdir(folder);
    }
    free(folder);
    free(path);
    return done;
}

static bool write_new(struct new_order *new, const struct order_edit_item *items)
{
    if (!order_store_lock(new->store)) {
        return false;
    }
    bool done = !file_is_there(new) &&
                !order_store_has(new->store, new->options->value[CLI_OPTION_ID]) &&
                compose(new, items) && judge(new) && put(new);
    order_store_unlock(new->store);
    return done;
}

static bool name_file(struct new_order *new)
{
    const char *orders = new->store->config->orders;
    if (asprintf(&new->draft.name, "%s/%s/%s.yaml", orders, new->options->value[CLI_OPTION_COUNTRY],
                 new->options->value[CLI_OPTION_ID]) < 0) {
        new->draft.name = NULL;
        cli_output_error("out of memory");
        return false;
    }
    new->draft.path = new->draft.name + strlen(orders) + 1;
    return true;
}

static enum command_exit run(struct new_order *new)
{
    enum command_exit status = COMMAND_FAILED;
    int64_t since = (int64_t)time(NULL);
    struct order_edit_item *items =
        order_words_read(new->options->operands, (size_t) new->options->operand_count);
    if (items != NULL && name_file(new) && write_new(new, items)) {
        printf("%s: written\n", new->draft.name);
        fflush(stdout);
        bool in_force = order_reload(new->store->config, &new->draft.name, 1, since);
        status = in_force ? COMMAND_DONE : COMMAND_FAILED;
    }
    free(items);
    file_bytes_fini(&new->file);
    order_draft_fini(&new->draft);
    return status;
}

enum command_exit cmd_order_new(const struct cli_options *options)
{
    struct order_store store;
    struct new_order new = {.options = options, .store = &store};
    const char *id = options->value[CLI_OPTION_ID];
    char why[WHY_MAX];
    if (!order_folder_scope_parse(options->value[CLI_OPTION_COUNTRY], &new.draft.scope, why)) {
        cli_output_usage("order new", why);
        return COMMAND_MISUSED;
    }
    if (id[0] == '.' || strchr(id, '/') != NULL) {
        cli_output_error("order new: the id names the file: it cannot begin with a dot or hold a "
                         "slash");
        return COMMAND_MISUSED;
    }
    if (!order_store_open(&store, options)) {
        return COMMAND_FAILED;
    }
    enum command_exit status = run(&new);
    order_store_close(&store);
    return status;
}
