/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Reading files of queries (see query_source.h). Captures are opened by libpcap, frames by
 * query_frames; what is in a packet or a frame is query_packet's and query_dnstap's business.
 */
#include "forwarder/cli/query_source.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "forwarder/cli/cli_output.h"
#include "forwarder/cli/query_dnstap.h"
#include "forwarder/cli/query_frames.h"
#include "forwarder/cli/query_packet.h"
#include "forwarder/explain/problem_report.h"

#define BAD_LINES_SHOWN 20

/* ---- Text ---- */

static bool read_text(FILE *in, const char *path, query_record_fn *tell, void *ctx,
                      struct query_source_result *out)
{
    char *line = NULL, why[WHY_MAX];
    size_t capacity = 0;
    ssize_t len;
    unsigned number = 0;
    bool more = true;
    while (more && (len = getline(&line, &capacity, in)) >= 0) {
        struct query_record record;
        number++;
        switch (query_record_parse(line, (size_t)len, &record, why)) {
        case QUERY_RECORD_NOTHING:
            continue;
        case QUERY_RECORD_BAD:
            out->read++;
            if (out->bad++ < BAD_LINES_SHOWN) {
                problem_report_error(path, number, why, stderr);
            }
            continue;
        case QUERY_RECORD_ONE:
            out->read++;
            more = tell(ctx, &record);
        }
    }
    free(line);
    if (more && !feof(in)) {
        cli_output_error("%s: %s", path, strerror(errno));
    }
    return more && feof(in);
}

/* ---- Captures ---- */

/* False for a link layer that is not read. */
static bool link_of(pcap_t *capture, enum query_packet_link *out)
{
    static const struct {
        int type;
        enum query_packet_link link;
    } rows[] = {
        {DLT_EN10MB, QUERY_PACKET_ETHERNET},  {DLT_RAW, QUERY_PACKET_IP},
        {DLT_IPV4, QUERY_PACKET_IP},          {DLT_IPV6, QUERY_PACKET_IP},
        {DLT_LINUX_SLL, QUERY_PACKET_COOKED}, {DLT_LINUX_SLL2, QUERY_PACKET_COOKED_2},
        {DLT_NULL, QUERY_PACKET_LOOPBACK},    {DLT_LOOP, QUERY_PACKET_LOOPBACK},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].type == pcap_datalink(capture)) {
            *out = rows[i].link;
            return true;
        }
    }
    return false;
}

static bool read_packets(pcap_t *capture, const char *path, query_record_fn *tell, void *ctx,
                         struct query_source_result *out)
{
    enum query_packet_link link;
    struct pcap_pkthdr *header;
    const u_char *bytes;
    int outcome = 1;
    bool more = true;
    if (!link_of(capture, &link)) {
        cli_output_error("%s: packets of link type %d are not read; expected Ethernet, IP, Linux "
                         "cooked or loopback",
                         path, pcap_datalink(capture));
        return false;
    }
    while (more && (outcome = pcap_next_ex(capture, &header, &bytes)) == 1) {
        out->read++;
        more = query_packet_each(link, (struct span){bytes, header->caplen}, tell, ctx);
    }
    if (more && outcome != PCAP_ERROR_BREAK) {
        cli_output_error("%s: packet %llu: %s", path, (unsigned long long)out->read + 1,
                         pcap_geterr(capture));
    }
    return more && outcome == PCAP_ERROR_BREAK;
}

/* Takes over the stream. */
static bool read_capture(FILE *in, const char *path, query_record_fn *tell, void *ctx,
                         struct query_source_result *out)
{
    char why[PCAP_ERRBUF_SIZE] = "";
    pcap_t *capture = pcap_fopen_offline(in, why);
    if (capture == NULL) {
        cli_output_error("%s: %s", path, why);
        fclose(in);
        return false;
    }
    bool done = read_packets(capture, path, tell, ctx, out);
    pcap_close(capture);
    return done;
}

/* ---- dnstap ---- */

/* What is done with each frame. */
struct frame_run {
    const char *path;
    enum query_dnstap_kind wanted; /* of two that may tell of one query */
    query_record_fn *tell;         /* NULL: they are only looked at */
    void *ctx;
    bool has_query; /* some frame was one of QUERY_DNSTAP_QUERY */
    struct query_source_result *out;
};

static void count_bad(struct frame_run *run, uint64_t number)
{
    if (run->tell != NULL && run->out->bad++ < BAD_LINES_SHOWN) {
        cli_output_error("%s: frame %llu: this is no dnstap message", run->path,
                         (unsigned long long)number);
    }
}

/* False if whoever is told has enough. */
static bool take_frame(struct frame_run *run, struct span frame, uint64_t number)
{
    struct query_record record;
    enum query_dnstap_kind kind = query_dnstap_decode(frame, &record);
    run->has_query |= kind == QUERY_DNSTAP_QUERY;
    if (kind == QUERY_DNSTAP_BAD) {
        count_bad(run, number);
    }
    if (run->tell == NULL || kind != run->wanted) {
        return true;
    }
    run->out->read++;
    return run->tell(run->ctx, &record);
}

/* One pass over the file, from its beginning. */
static bool each_frame(FILE *in, struct frame_run *run)
{
    struct query_frames frames;
    struct span frame;
    char why[WHY_MAX];
    enum query_frames_outcome outcome = QUERY_FRAMES_END;
    bool more = true;
    query_frames_init(&frames, in);
    rewind(in);
    while (more && (outcome = query_frames_next(&frames, &frame, why)) == QUERY_FRAMES_ONE) {
        more = take_frame(run, frame, frames.count);
    }
    if (outcome == QUERY_FRAMES_BROKEN) {
        cli_output_error("%s: frame %llu: %s", run->path, (unsigned long long)frames.count + 1,
                         why);
    }
    query_frames_fini(&frames);
    return outcome == QUERY_FRAMES_END;
}

/* A server that tells of queries and of answers tells of each query twice: then the queries count.
 * That takes two passes. */
static bool read_dnstap(FILE *in, const char *path, query_record_fn *tell, void *ctx,
                        struct query_source_result *out)
{
    struct frame_run run = {.path = path, .wanted = QUERY_DNSTAP_QUERY, .out = out};
    if (!each_frame(in, &run)) {
        return false;
    }
    run.wanted = run.has_query ? QUERY_DNSTAP_QUERY : QUERY_DNSTAP_RESPONSE;
    run.tell = tell;
    run.ctx = ctx;
    if (!each_frame(in, &run)) {
        return false;
    }
    if (out->read == 0) {
        cli_output_error("%s: no message of CLIENT_QUERY or CLIENT_RESPONSE is in it", path);
    }
    return true;
}

/* ---- Either ---- */

enum kind {
    KIND_TEXT,
    KIND_CAPTURE,
    KIND_FRAMES, /* of Frame Streams, which dnstap is written in */
};

/* By the first octets, which are put back by starting again. */
static enum kind kind_of(FILE *in)
{
    static const struct {
        unsigned char magic[4];
        enum kind kind;
    } rows[] = {
        {{0xa1, 0xb2, 0xc3, 0xd4}, KIND_CAPTURE}, {{0xd4, 0xc3, 0xb2, 0xa1}, KIND_CAPTURE},
        {{0xa1, 0xb2, 0x3c, 0x4d}, KIND_CAPTURE}, {{0x4d, 0x3c, 0xb2, 0xa1}, KIND_CAPTURE},
        {{0x0a, 0x0d, 0x0d, 0x0a}, KIND_CAPTURE}, {{0, 0, 0, 0}, KIND_FRAMES},
    };
    unsigned char magic[4];
    size_t size = fread(magic, 1, sizeof magic, in);
    rewind(in);
    for (size_t i = 0; size == sizeof magic && i < sizeof rows / sizeof rows[0]; i++) {
        if (memcmp(rows[i].magic, magic, sizeof magic) == 0) {
            return rows[i].kind;
        }
    }
    return KIND_TEXT;
}

bool query_source_read(const char *path, query_record_fn *tell, void *ctx,
                       struct query_source_result *out)
{
    *out = (struct query_source_result){0};
    if (strcmp(path, "-") == 0) {
        return read_text(stdin, "standard input", tell, ctx, out);
    }
    FILE *in = fopen(path, "re");
    if (in == NULL) {
        cli_output_error("%s: %s", path, strerror(errno));
        return false;
    }
    bool done = false;
    switch (kind_of(in)) {
    case KIND_TEXT:
        done = read_text(in, path, tell, ctx, out);
        break;
    case KIND_CAPTURE:
        return read_capture(in, path, tell, ctx, out);
    case KIND_FRAMES:
        done = read_dnstap(in, path, tell, ctx, out);
        break;
    }
    fclose(in);
    return done;
}
