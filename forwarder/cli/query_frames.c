/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Frame Streams (see query_frames.h). A frame is its length and so many octets; one of length 0 is
 * a control frame: its own length, its type, and fields. Integers are in network byte order.
 *
 *   [READY, ACCEPT] ──► START ──► data frames ──► STOP [FINISH] ──► the end, or the next stream
 */
#include "forwarder/cli/query_frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/wire/dnstap.h"

#define CONTROL_MAX 512
#define FIELD_CONTENT_TYPE 1

enum control {
    CONTROL_ACCEPT = 1,
    CONTROL_START,
    CONTROL_STOP,
    CONTROL_READY,
    CONTROL_FINISH,
};

void query_frames_init(struct query_frames *frames, FILE *in)
{
    *frames = (struct query_frames){.in = in};
}

void query_frames_fini(struct query_frames *frames)
{
    free(frames->buffer);
    frames->buffer = NULL;
}

static enum query_frames_outcome broken(char why[static WHY_MAX], const char *sentence)
{
    snprintf(why, WHY_MAX, "%s", sentence);
    return QUERY_FRAMES_BROKEN;
}

static bool reserve(struct query_frames *frames, size_t size)
{
    if (size <= frames->capacity) {
        return true;
    }
    uint8_t *larger = realloc(frames->buffer, size);
    if (larger == NULL) {
        return false;
    }
    frames->buffer = larger;
    frames->capacity = size;
    return true;
}

/* Reads size octets of a frame. */
static bool read_octets(struct query_frames *frames, size_t size, char why[static WHY_MAX])
{
    if (!reserve(frames, size)) {
        broken(why, "out of memory");
        return false;
    }
    if (fread(frames->buffer, 1, size, frames->in) == size) {
        return true;
    }
    broken(why, ferror(frames->in) != 0 ? strerror(errno) : "the file ends within a frame");
    return false;
}

static bool read_length(struct query_frames *frames, uint32_t *out, char why[static WHY_MAX])
{
    if (!read_octets(frames, sizeof *out, why)) {
        return false;
    }
    struct span_reader reader = span_reader((struct span){frames->buffer, sizeof *out});
    *out = span_read_u32(&reader);
    return true;
}

/* Are the fields of a control frame whole, and dnstap among the contents where any is named? */
static bool names_dnstap(struct span_reader *reader, char why[static WHY_MAX])
{
    bool any = false, dnstap = false;
    while (!reader->failed && reader->at < reader->span.size) {
        uint32_t field = span_read_u32(reader);
        struct span value = span_read(reader, span_read_u32(reader));
        if (!reader->failed && field == FIELD_CONTENT_TYPE) {
            any = true;
            dnstap |= value.size == strlen(DNSTAP_CONTENT_TYPE) &&
                      memcmp(value.bytes, DNSTAP_CONTENT_TYPE, value.size) == 0;
        }
    }
    if (reader->failed) {
        broken(why, "a control frame is broken");
    } else if (any && !dnstap) {
        broken(why, "the stream holds something else than dnstap; expected the content type "
                    "\"" DNSTAP_CONTENT_TYPE "\"");
    }
    return !reader->failed && (!any || dnstap);
}

static bool read_control(struct query_frames *frames, char why[static WHY_MAX])
{
    uint32_t size;
    if (!read_length(frames, &size, why)) {
        return false;
    }
    if (size < 4 || size > CONTROL_MAX) {
        broken(why, "a control frame is broken");
        return false;
    }
    if (!read_octets(frames, size, why)) {
        return false;
    }
    struct span_reader reader = span_reader((struct span){frames->buffer, size});
    switch (span_read_u32(&reader)) {
    case CONTROL_START:
        frames->started = true;
        return names_dnstap(&reader, why);
    case CONTROL_READY:
    case CONTROL_ACCEPT:
        return names_dnstap(&reader, why);
    case CONTROL_STOP:
        frames->started = false;
        return true;
    case CONTROL_FINISH:
        return true;
    default:
        broken(why, "a control frame is of no known type");
        return false;
    }
}

static bool at_end(struct query_frames *frames)
{
    int next = getc(frames->in);
    return next == EOF || ungetc(next, frames->in) == EOF;
}

enum query_frames_outcome query_frames_next(struct query_frames *frames, struct span *out,
                                            char why[static WHY_MAX])
{
    while (!at_end(frames)) {
        uint32_t size;
        if (!read_length(frames, &size, why)) {
            return QUERY_FRAMES_BROKEN;
        }
        if (size > 0) {
            if (!frames->started) {
                return broken(why, "a frame stands outside of a stream");
            }
            if (size > QUERY_FRAMES_MAX) {
                snprintf(why, WHY_MAX, "a frame of %u octets; expected at most %u", size,
                         QUERY_FRAMES_MAX);
                return QUERY_FRAMES_BROKEN;
            }
            if (!read_octets(frames, size, why)) {
                return QUERY_FRAMES_BROKEN;
            }
            frames->count++;
            *out = (struct span){frames->buffer, size};
            return QUERY_FRAMES_ONE;
        }
        if (!read_control(frames, why)) {
            return QUERY_FRAMES_BROKEN;
        }
    }
    return ferror(frames->in) != 0 ? broken(why, strerror(errno)) : QUERY_FRAMES_END;
}
