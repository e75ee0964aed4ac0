/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Device and inode (see file_identity.h).
 */
#include "geo/file_identity.h"

#include <sys/stat.h>

bool file_identity_of(int dir, const char *path, struct file_identity *out)
{
    struct stat status;
    if (fstatat(dir, path, &status, 0) != 0) {
        return false;
    }
    *out = (struct file_identity){status.st_dev, status.st_ino};
    return true;
}

bool file_identity_among(const struct file_identity *files, size_t count, int dir, const char *path)
{
    struct file_identity identity;
    bool found = false;
    if (count > 0 && file_identity_of(dir, path, &identity)) {
        for (size_t i = 0; !found && i < count; i++) {
            found = file_identity_compare(&files[i], &identity) == 0;
        }
    }
    return found;
}

int file_identity_compare(const void *a, const void *b)
{
    const struct file_identity *left = a, *right = b;
    if (left->device != right->device) {
        return left->device < right->device ? -1 : 1;
    }
    return left->inode == right->inode ? 0 : left->inode < right->inode ? -1 : 1;
}
