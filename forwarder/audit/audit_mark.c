/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The mark beside an audit record (see audit_mark.h).
 */
#include "forwarder/audit/audit_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEX_DIGITS (2U * FILE_BYTES_SHA256)

size_t audit_mark_format(const struct audit_mark *mark, char out[static AUDIT_MARK_TEXT_MAX])
{
    char hex[FILE_BYTES_HEX_MAX];
    int size = snprintf(out, AUDIT_MARK_TEXT_MAX, "%" PRIu64 " %s %u\n", mark->head.seq,
                        file_bytes_hex(mark->head.hash, hex), mark->file);
    return size < 0 ? 0 : (size_t)size;
}

bool audit_mark_parse(const char *text, size_t size, struct audit_mark *out)
{
    char copy[AUDIT_MARK_TEXT_MAX], same[AUDIT_MARK_TEXT_MAX], *end;
    if (size >= sizeof copy) {
        return false;
    }
    memcpy(copy, text, size);
    copy[size] = '\0';
    *out = (struct audit_mark){.head.seq = strtoull(copy, &end, 10)};
    if (*end != ' ' || strlen(end + 1) < HEX_DIGITS + 2 ||
        !audit_record_digest(end + 1, HEX_DIGITS, out->head.hash)) {
        return false;
    }
    out->file = (unsigned)strtoul(end + 1 + HEX_DIGITS, NULL, 10);
    return audit_mark_format(out, same) == size && memcmp(copy, same, size) == 0;
}

char *audit_mark_path(const char *folder)
{
    char *path;
    size_t size = strlen(folder);
    while (size > 1 && folder[size - 1] == '/') {
        size--;
    }
    return asprintf(&path, "%.*s.head", (int)size, folder) < 0 ? NULL : path;
}

enum audit_mark_outcome audit_mark_read(const char *folder, struct audit_mark *out,
                                        char why[static WHY_MAX])
{
    struct file_bytes file;
    char reason[WHY_MAX] = "out of memory";
    char *path = audit_mark_path(folder);
    enum audit_mark_outcome outcome = AUDIT_MARK_BAD;
    if (path != NULL && access(path, F_OK) != 0 && errno == ENOENT) {
        outcome = AUDIT_MARK_NONE;
    } else if (path != NULL &&
               file_bytes_read(AT_FDCWD, path, AUDIT_MARK_TEXT_MAX, &file, reason)) {
        snprintf(reason, sizeof reason, "is not as it was written");
        outcome = audit_mark_parse(file.bytes, file.size, out) ? AUDIT_MARK_READ : AUDIT_MARK_BAD;
        file_bytes_fini(&file);
    }
    snprintf(why, WHY_MAX, "%.160s: %.140s", path == NULL ? folder : path, reason);
    free(path);
    return outcome;
}

bool audit_mark_write(const char *folder, const struct audit_mark *mark)
{
    char text[AUDIT_MARK_TEXT_MAX], why[WHY_MAX];
    char *path = audit_mark_path(folder), *fresh = NULL;
    bool written = false;
    errno = ENOMEM;
    if (path != NULL && asprintf(&fresh, "%s.new", path) >= 0) {
        int descriptor = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
        written = descriptor >= 0 &&
                  file_bytes_put(descriptor, text, audit_mark_format(mark, text), why) &&
                  fdatasync(descriptor) == 0;
        if (descriptor >= 0) {
            close(descriptor);
        }
        written = written && rename(fresh, path) == 0;
        free(fresh);
    }
    free(path);
    return written;
}
