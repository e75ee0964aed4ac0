/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Any octets as a file of dnstap: frames lie in the file, one behind the other, and what is told of
 * one is a whole name.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "forwarder/cli/query_dnstap.h"
#include "forwarder/cli/query_frames.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void judge(struct span frame)
{
    struct query_record record;
    struct dname again;
    enum query_dnstap_kind kind = query_dnstap_decode(frame, &record);
    if (kind != QUERY_DNSTAP_QUERY && kind != QUERY_DNSTAP_RESPONSE) {
        return;
    }
    if (record.count != 1 || !dname_decode(record.name.wire, record.name.size, &again) ||
        !dname_equal(&again, &record.name)) {
        abort();
    }
}

static void read_all(FILE *in, size_t left)
{
    struct query_frames frames;
    struct span frame;
    char why[WHY_MAX] = "";
    enum query_frames_outcome outcome;
    query_frames_init(&frames, in);
    while ((outcome = query_frames_next(&frames, &frame, why)) == QUERY_FRAMES_ONE) {
        if (frame.size == 0 || frame.size + 4 > left) {
            abort();
        }
        left -= frame.size + 4;
        judge(frame);
    }
    if ((outcome == QUERY_FRAMES_BROKEN) != (why[0] != '\0')) {
        abort();
    }
    query_frames_fini(&frames);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    judge((struct span){data, size});
    FILE *in = size == 0 ? NULL : fmemopen((void *)(uintptr_t)data, size, "r");
    if (in != NULL) {
        read_all(in, size);
        fclose(in);
    }
    return 0;
}
