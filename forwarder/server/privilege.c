/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Becoming a user (see privilege.h). Invariant: privilege_drop returns true only if there is no way
 * back, which it has tried.
 */
#include "forwarder/server/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/config/config_user.h"

bool privilege_is_root(void)
{
    return geteuid() == 0;
}

static bool refuse(char why[static WHY_MAX], const char *user, const char *what)
{
    snprintf(why, WHY_MAX, "user: %s %s", user, what);
    return false;
}

/* A folder that was not there is made, and given to the user; one that is there stays as it is. */
static bool make_folder(const char *path, const struct passwd *user, char why[static WHY_MAX])
{
    if (mkdir(path, 0750) != 0) {
        return true; /* there, or not to be had: what is opened in it will tell */
    }
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    bool given = folder >= 0 && fchown(folder, user->pw_uid, user->pw_gid) == 0;
    if (!given) {
        snprintf(why, WHY_MAX, "%s: cannot be given to %s: %s", path, user->pw_name,
                 strerror(errno));
    }
    if (folder >= 0) {
        close(folder);
    }
    return given;
}

static bool make_folders(const struct config *config, const struct passwd *user,
                         char why[static WHY_MAX])
{
    const char *slash = strrchr(config->control, '/');
    char *folder = strndup(config->control, slash == NULL ? 0 : (size_t)(slash - config->control));
    if (folder == NULL) {
        return refuse(why, user->pw_name, "cannot be: out of memory");
    }
    bool made = make_folder(config->state, user, why) &&
                (folder[0] == '\0' || make_folder(folder, user, why));
    free(folder);
    return made;
}

/* All that is to be left, in libcap-ng's own room; capng_apply and capng_change_id put it in force.
 */
static void choose_capabilities(void)
{
    capng_get_caps_process();
    bool binds = capng_have_capability(CAPNG_PERMITTED, CAP_NET_BIND_SERVICE) != 0;
    capng_clear(CAPNG_SELECT_ALL);
    if (binds) {
        capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_BIND_SERVICE);
    }
}

static bool is_for_good(const struct passwd *user)
{
    uid_t uids[3];
    gid_t gids[3];
    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0 ||
        getresgid(&gids[0], &gids[1], &gids[2]) != 0) {
        return false;
    }
    for (size_t i = 0; i < 3; i++) {
        if (uids[i] != user->pw_uid || gids[i] != user->pw_gid) {
            return false;
        }
    }
    return setuid(0) != 0 && setgid(0) != 0 && setgroups(0, NULL) != 0;
}

/* From root: groups, group and user in this order, and the capabilities with them. */
static bool change_user(const struct config *config, const struct passwd *user,
                        char why[static WHY_MAX])
{
    if (!make_folders(config, user, why)) {
        return false;
    }
    choose_capabilities();
    int failed = capng_change_id((int)user->pw_uid, (int)user->pw_gid,
                                 CAPNG_INIT_SUPP_GRP | CAPNG_CLEAR_BOUNDING | CAPNG_CLEAR_AMBIENT);
    if (failed != 0) {
        snprintf(why, WHY_MAX, "user: cannot become %s: %s (step %d)", user->pw_name,
                 strerror(errno), -failed);
        return false;
    }
    return is_for_good(user) || refuse(why, user->pw_name, "could be left again for root");
}

/* Is there nothing to use but the one capability? */
static bool has_least(void)
{
    capng_get_caps_process();
    for (unsigned capability = 0; capability <= CAP_LAST_CAP; capability++) {
        if (capability != CAP_NET_BIND_SERVICE &&
            capng_have_capability(CAPNG_PERMITTED, capability) != 0) {
            return false;
        }
    }
    return true;
}

/* Whoever is not root needs no leave to have fewer capabilities; a service manager that refuses
 * capset(2), as systemd does by bailiwick.service, gave no more than these. */
static bool keep_least(char why[static WHY_MAX])
{
    choose_capabilities();
    bool ambient = capng_apply(CAPNG_SELECT_AMBIENT) == 0;
    if ((ambient && capng_apply(CAPNG_SELECT_CAPS) == 0) || has_least()) {
        return true;
    }
    snprintf(why, WHY_MAX, "cannot give up capabilities: %s", strerror(errno));
    return false;
}

bool privilege_drop(const struct config *config, char why[static WHY_MAX])
{
    struct passwd user;
    char room[CONFIG_USER_ROOM];
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        snprintf(why, WHY_MAX, "no_new_privs cannot be set: %s", strerror(errno));
        return false;
    }
    if (config->user == NULL) {
        return privilege_is_root() || keep_least(why);
    }
    if (!config_user_find(config->user, &user, room, why)) {
        return false;
    }
    if (privilege_is_root()) {
        return change_user(config, &user, why);
    }
    if (geteuid() != user.pw_uid) {
        return refuse(why, config->user, "can be become by root alone, who did not start this");
    }
    return keep_least(why);
}
