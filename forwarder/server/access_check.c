/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Asking the system who may open what (see access_check.h).
 */
#include "forwarder/server/access_check.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <libgen.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "geo/file_bytes.h"
#include "policy/yaml_text.h"

struct checker {
    const struct config *config;
    struct yaml_node root; /* of forwarder.conf; absent if it cannot be read again */
    struct problem_list *problems;
};

/* A path that is refused to us, not one that is wrong in another way. */
static bool is_refused(const char *path, int mode)
{
    return faccessat(AT_FDCWD, path, mode, AT_EACCESS) != 0 && (errno == EACCES || errno == EROFS);
}

static void tell(const struct checker *checker, struct yaml_node key, const char *path,
                 const char *what, int error)
{
    unsigned line = 0, column = 0;
    if (yaml_node_present(key)) {
        yaml_node_place(key, &line, &column);
    }
    problem_list_add(checker->problems, PROBLEM_ERROR, checker->config->path, line, column,
                     "%s cannot be %s by the user that the daemon runs as: %s", path, what,
                     strerror(error));
}

static void check(const struct checker *checker, struct yaml_node key, const char *path, int mode)
{
    if (path != NULL && is_refused(path, mode)) {
        tell(checker, key, path, (mode & W_OK) != 0 ? "written" : "read", errno);
    }
}

/* The file may have been changed since it was read. */
static struct yaml_node item_of(struct yaml_node list, size_t index)
{
    bool there = yaml_node_present(list) && yaml_node_kind(list) == YAML_TEXT_SEQUENCE &&
                 index < yaml_node_count(list);
    return there ? yaml_node_item(list, index) : (struct yaml_node){NULL, 0};
}

static void check_listeners(const struct checker *checker)
{
    struct yaml_node list = yaml_node_find(checker->root, "listen");
    for (size_t i = 0; i < checker->config->listen_count; i++) {
        const struct config_listen *listen = &checker->config->listen[i];
        struct yaml_node item = item_of(list, listen->item);
        check(checker, yaml_node_find(item, "certificate"), listen->certificate, R_OK);
        check(checker, yaml_node_find(item, "key"), listen->key, R_OK);
    }
}

static void check_files(const struct checker *checker)
{
    const struct config *config = checker->config;
    const struct {
        const char *section; /* NULL: the top */
        const char *key;
        const char *path;
        int mode;
    } rows[] = {
        {"upstream", "tls-ca", config->upstream.tls_ca, R_OK},
        {"geo", "database", config->geo_database, R_OK},
        {"geo", "overrides", config->geo_overrides, R_OK},
        {"block", "protected-names", config->block.protected_names, R_OK},
        {"block", "protected-networks", config->block.protected_networks, R_OK},
        {"block", "cookie-secret", config->block.cookie_secret, R_OK},
        {NULL, "orders", config->orders, R_OK | X_OK},
        {NULL, "state", config->state, R_OK | W_OK | X_OK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct yaml_node table = rows[i].section == NULL
                                     ? checker->root
                                     : yaml_node_find(checker->root, rows[i].section);
        check(checker, yaml_node_find(table, rows[i].key), rows[i].path, rows[i].mode);
    }
}

static void check_control(const struct checker *checker)
{
    const char *control = checker->config->control;
    char *folder = strndup(control, (size_t)(strrchr(control, '/') - control) + 1);
    if (folder != NULL) {
        check(checker, yaml_node_find(checker->root, "control"), folder, W_OK | X_OK);
    }
    free(folder);
}

/* Names that nobody reads (policy/order_folder.h). */
static bool is_passed_over(const FTSENT *entry)
{
    return entry->fts_level > 0 &&
           (entry->fts_name[0] == '.' || entry->fts_name[entry->fts_namelen - 1] == '~');
}

/* What must be opened in a folder. */
struct below {
    const char *key;
    char *path;
    int links; /* an option of fts_open */
    int folder_mode;
    int file_mode;
};

/* What lies below a folder, up to the first thing that is refused: one that is says enough of who
 * owns the rest. */
static void check_below(const struct checker *checker, const struct below *below)
{
    char *roots[] = {below->path, NULL};
    FTS *walk = fts_open(roots, below->links | FTS_NOCHDIR, NULL);
    FTSENT *entry;
    size_t errors = checker->problems->errors;
    while (walk != NULL && checker->problems->errors == errors &&
           (entry = fts_read(walk)) != NULL) {
        bool folder = entry->fts_info == FTS_D || entry->fts_info == FTS_DNR;
        if (is_passed_over(entry)) {
            fts_set(walk, entry, FTS_SKIP);
        } else if (entry->fts_level > 0 && (folder || entry->fts_info == FTS_F)) {
            check(checker, yaml_node_find(checker->root, below->key), entry->fts_path,
                  folder ? below->folder_mode : below->file_mode);
        }
    }
    if (walk != NULL) {
        fts_close(walk);
    }
}

/* Where `state` is not there it is made with the first thing in it, in a folder that is there. */
static void check_above_state(const struct checker *checker)
{
    const char *state = checker->config->state;
    char *copy = strdup(state);
    if (copy != NULL && access(state, F_OK) != 0 && errno == ENOENT &&
        faccessat(AT_FDCWD, dirname(copy), W_OK | X_OK, AT_EACCESS) != 0) {
        tell(checker, yaml_node_find(checker->root, "state"), state, "made", errno);
    }
    free(copy);
}

void access_check(const struct config *config, struct problem_list *problems)
{
    struct file_bytes file = {0};
    struct problem_list ignored;
    char why[WHY_MAX];
    struct yaml_text *text = NULL;
    problem_list_init(&ignored);
    if (file_bytes_read(AT_FDCWD, config->path, YAML_TEXT_BYTES_MAX, &file, why)) {
        text = yaml_text_parse(config->path, file.bytes, file.size, &ignored);
    }
    struct checker checker = {.config = config, .problems = problems};
    if (text != NULL) {
        checker.root = yaml_text_root(text);
    }
    check(&checker, (struct yaml_node){NULL, 0}, config->path, R_OK);
    check_files(&checker);
    check_listeners(&checker);
    check_control(&checker);
    check_above_state(&checker);
    check_below(&checker,
                &(struct below){"orders", config->orders, FTS_LOGICAL, R_OK | X_OK, R_OK});
    check_below(&checker, &(struct below){"state", config->state, FTS_PHYSICAL, R_OK | W_OK | X_OK,
                                          R_OK | W_OK});
    yaml_text_free(text);
    file_bytes_fini(&file);
    problem_list_fini(&ignored);
}
