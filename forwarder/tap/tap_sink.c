/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frame Streams to a socket or a file (see tap_sink.h). libfstrm makes and reads the frames; the
 * functions that it calls to move octets are those at on_open and below.
 *
 * A writer of libfstrm that has failed cannot be opened again: there is one a stream. Where memory
 * is out it ends the process; so memory for all that it will ask for is first seen to be there.
 */
#include "forwarder/tap/tap_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <fstrm.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "forwarder/config/config.h"
#include "forwarder/monotonic.h"
#include "forwarder/wire/dnstap.h"

/* More than a writer of libfstrm allocates (some 8 KiB), and less than malloc gives back to the
 * system when it is freed. */
#define LIBRARY_MEMORY (32U * 1024)

/* A length and a message each. */
#define PIECES_MAX (2 * TAP_SINK_BATCH)

struct tap_sink {
    const struct config_dnstap *config;
    struct fstrm_writer *writer; /* NULL: closed */
    int descriptor;              /* -1: closed */
    off_t size;                  /* of a file, up to the end of the last whole frame */
    bool cut;                    /* the last step on a file failed, and was taken back */
    int64_t deadline_ms;         /* of what is being done with a socket */
    char why[WHY_MAX];           /* why the last step failed */
};

struct tap_sink *tap_sink_new(const struct config_dnstap *config)
{
    struct tap_sink *sink = calloc(1, sizeof *sink);
    if (sink != NULL) {
        sink->config = config;
        sink->descriptor = -1;
    }
    return sink;
}

static void be_patient(struct tap_sink *sink)
{
    sink->deadline_ms = monotonic_ms() + TAP_SINK_PATIENCE_MS;
}

static fstrm_res fail(struct tap_sink *sink, const char *what)
{
    snprintf(sink->why, WHY_MAX, "%s", what);
    return fstrm_res_failure;
}

/* Waits for the socket; false if it takes too long. */
static bool await(struct tap_sink *sink, short what)
{
    struct pollfd receiver = {.fd = sink->descriptor, .events = what};
    int64_t left = sink->deadline_ms - monotonic_ms();
    if (left > 0 && (poll(&receiver, 1, (int)left) > 0 || errno == EINTR)) {
        return true;
    }
    (void)fail(sink, "the receiver takes too long");
    return false;
}

/* ---- What libfstrm calls: a socket ---- */

static fstrm_res connect_socket(void *obj)
{
    struct tap_sink *sink = obj;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", sink->config->socket);
    sink->descriptor = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Where its backlog is full the receiver hangs, and this fails at once. */
    if (sink->descriptor < 0 ||
        connect(sink->descriptor, (const struct sockaddr *)&address, sizeof address) != 0) {
        return fail(sink, strerror(errno));
    }
    return fstrm_res_success;
}

static fstrm_res close_descriptor(void *obj)
{
    struct tap_sink *sink = obj;
    if (sink->descriptor >= 0) {
        close(sink->descriptor);
    }
    sink->descriptor = -1;
    return fstrm_res_success;
}

static fstrm_res read_socket(void *obj, void *data, size_t size)
{
    struct tap_sink *sink = obj;
    uint8_t *at = data;
    while (size > 0) {
        ssize_t got = recv(sink->descriptor, at, size, 0);
        if (got > 0) {
            at += got;
            size -= (size_t)got;
        } else if (got == 0) {
            return fail(sink, "the receiver has closed the connection");
        } else if (errno == EAGAIN) {
            if (!await(sink, POLLIN)) {
                return fstrm_res_failure;
            }
        } else if (errno != EINTR) {
            return fail(sink, strerror(errno));
        }
    }
    return fstrm_res_success;
}

/* Leaves out of the pieces what was written. Returns how many are left. */
static int advance(struct iovec **pieces, int count, size_t written)
{
    while (count > 0 && written >= (*pieces)->iov_len) {
        written -= (*pieces)->iov_len;
        (*pieces)++;
        count--;
    }
    if (count > 0) {
        (*pieces)->iov_base = (uint8_t *)(*pieces)->iov_base + written;
        (*pieces)->iov_len -= written;
    }
    return count;
}

static fstrm_res write_socket(void *obj, const struct iovec *given, int count)
{
    struct tap_sink *sink = obj;
    struct iovec room[PIECES_MAX], *pieces = room;
    if (count > PIECES_MAX || sink->descriptor < 0) {
        return fail(sink, "the connection is broken");
    }
    memcpy(room, given, (size_t)count * sizeof *given);
    while ((count = advance(&pieces, count, 0)) > 0) {
        const struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t sent = sendmsg(sink->descriptor, &message, MSG_NOSIGNAL);
        if (sent >= 0) {
            count = advance(&pieces, count, (size_t)sent);
        } else if (errno == EAGAIN) {
            if (!await(sink, POLLOUT)) {
                return fstrm_res_failure;
            }
        } else if (errno != EINTR) {
            return fail(sink, strerror(errno));
        }
    }
    return fstrm_res_success;
}

/* ---- What libfstrm calls: a file ---- */

/* What an earlier start left stays for whoever wants it, once. A file without a stream, which a
 * full disk may leave, is nothing that should take its place. */
static bool move_away(struct tap_sink *sink)
{
    char old[PATH_MAX];
    struct stat found;
    const char *path = sink->config->file;
    if (lstat(path, &found) != 0 || !S_ISREG(found.st_mode)) {
        return true;
    }
    if (snprintf(old, sizeof old, "%s.old", path) >= (int)sizeof old) {
        errno = ENAMETOOLONG;
        return false;
    }
    return found.st_size == 0 ? unlink(path) == 0 : rename(path, old) == 0;
}

static fstrm_res create_file(void *obj)
{
    struct tap_sink *sink = obj;
    if (!move_away(sink)) {
        return fail(sink, strerror(errno));
    }
    /* Nothing is written over, and no link followed: it holds addresses of clients. */
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
    sink->descriptor = open(sink->config->file, flags, 0640);
    if (sink->descriptor < 0) {
        return fail(sink, errno == EEXIST ? "is there, and is no regular file" : strerror(errno));
    }
    sink->size = 0;
    return fstrm_res_success;
}

/* All or nothing: where it is cut short (a full disk), the part is taken back, so that the frames
 * before and behind it can be read. libfstrm would close what fails: it is not told. */
static fstrm_res write_file(void *obj, const struct iovec *given, int count)
{
    struct tap_sink *sink = obj;
    struct iovec room[PIECES_MAX], *pieces = room;
    off_t size = sink->size;
    if (count > PIECES_MAX || sink->descriptor < 0) {
        return fail(sink, "the file is closed");
    }
    memcpy(room, given, (size_t)count * sizeof *given);
    while ((count = advance(&pieces, count, 0)) > 0) {
        ssize_t put = pwritev(sink->descriptor, pieces, count, size);
        if (put <= 0 && errno != EINTR) {
            (void)fail(sink, strerror(errno));
            (void)!ftruncate(sink->descriptor, sink->size);
            sink->cut = true;
            return fstrm_res_success;
        }
        size += put > 0 ? put : 0;
        count = advance(&pieces, count, put > 0 ? (size_t)put : 0);
    }
    sink->size = size;
    return fstrm_res_success;
}

/* ---- The sink ---- */

/* Is there memory for libfstrm? What is freed here stays in the thread's heap, and libfstrm gets
 * it. */
static bool has_memory(void)
{
    void *memory = malloc(LIBRARY_MEMORY);
    bool is_there = memory != NULL;
    free(memory);
    return is_there;
}

static struct fstrm_writer *make_writer(struct tap_sink *sink)
{
    struct fstrm_rdwr *transport = fstrm_rdwr_init(sink);
    struct fstrm_writer_options *options = fstrm_writer_options_init();
    bool is_socket = sink->config->socket != NULL;
    fstrm_rdwr_set_open(transport, is_socket ? connect_socket : create_file);
    fstrm_rdwr_set_close(transport, close_descriptor);
    fstrm_rdwr_set_write(transport, is_socket ? write_socket : write_file);
    if (is_socket) { /* one that can be read is asked whether it takes this */
        fstrm_rdwr_set_read(transport, read_socket);
    }
    (void)fstrm_writer_options_add_content_type(options, DNSTAP_CONTENT_TYPE,
                                                strlen(DNSTAP_CONTENT_TYPE));
    struct fstrm_writer *writer = fstrm_writer_init(options, &transport);
    fstrm_writer_options_destroy(&options);
    return writer;
}

/* Ends the stream in good order where that can be done, and closes. */
static void end(struct tap_sink *sink)
{
    be_patient(sink);
    if (sink->writer != NULL) {
        (void)fstrm_writer_destroy(&sink->writer);
    }
    (void)close_descriptor(sink);
}

bool tap_sink_open(struct tap_sink *sink, char why[static WHY_MAX])
{
    if (sink->writer != NULL) {
        return true;
    }
    be_patient(sink);
    sink->cut = false;
    (void)fail(sink, "the receiver does not take dnstap");
    if (!has_memory()) {
        (void)fail(sink, "out of memory");
    } else if ((sink->writer = make_writer(sink)) != NULL &&
               fstrm_writer_open(sink->writer) == fstrm_res_success && !sink->cut) {
        return true;
    }
    snprintf(why, WHY_MAX, "%s", sink->why);
    end(sink);
    return false;
}

bool tap_sink_is_open(struct tap_sink *sink)
{
    struct pollfd receiver = {.fd = sink->descriptor};
    if (sink->writer != NULL && sink->config->socket != NULL && poll(&receiver, 1, 0) > 0) {
        (void)close_descriptor(sink); /* nobody is there to agree on an end */
        end(sink);
    }
    return sink->writer != NULL;
}

bool tap_sink_write(struct tap_sink *sink, const struct iovec *messages, int count,
                    char why[static WHY_MAX])
{
    be_patient(sink);
    sink->cut = false;
    bool taken = fstrm_writer_writev(sink->writer, messages, count) == fstrm_res_success;
    if (taken && !sink->cut) {
        return true;
    }
    snprintf(why, WHY_MAX, "%s", sink->why);
    if (!taken) {
        (void)close_descriptor(sink); /* in the middle of a frame there is no good order */
        end(sink);
    }
    return false;
}

void tap_sink_close(struct tap_sink *sink)
{
    end(sink);
}

void tap_sink_close_moved(struct tap_sink *sink)
{
    struct stat open_one, found;
    if (sink->config->file == NULL || sink->descriptor < 0 ||
        fstat(sink->descriptor, &open_one) != 0) {
        return;
    }
    if (stat(sink->config->file, &found) != 0 || found.st_dev != open_one.st_dev ||
        found.st_ino != open_one.st_ino) {
        end(sink);
    }
}

void tap_sink_free(struct tap_sink *sink)
{
    if (sink != NULL) {
        end(sink);
        free(sink);
    }
}
