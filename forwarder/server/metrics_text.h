/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The text in which Prometheus reads metrics (exposition format 0.0.4): families with HELP and
 * TYPE, samples with labels. Knows the format, and none of the metrics. Once memory is out nothing
 * more is written, and whole is false: one test at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct evbuffer;
struct histogram_sum;

enum metrics_type {
    METRICS_COUNTER,
    METRICS_GAUGE,
    METRICS_HISTOGRAM,
};

struct metrics_text {
    struct evbuffer *out; /* borrowed */
    const char *family;   /* the one being written; borrowed until the next */
    bool whole;
};

/* A list of labels ends with one that has no name; NULL is an empty one. Values are any text in
 * UTF-8. */
struct metrics_label {
    const char *name;
    const char *value;
};

#define METRICS_LABELS_MAX 4

/* Labels for one call. */
#define METRICS_LABELS(...)        \
    (const struct metrics_label[]) \
    {                              \
        __VA_ARGS__,               \
        {                          \
            .name = NULL           \
        }                          \
    }

void metrics_text_init(struct metrics_text *text, struct evbuffer *out);

/* Begins a family: all samples of one name stand together. */
void metrics_text_family(struct metrics_text *text, enum metrics_type type, const char *name,
                         const char *help);

void metrics_text_count(struct metrics_text *text, const struct metrics_label *labels,
                        uint64_t value);
void metrics_text_real(struct metrics_text *text, const struct metrics_label *labels, double value);

/* The bounds from 2^first microseconds to 2^last, in seconds; what is shorter or longer is in the
 * first bucket, and in +Inf. */
struct metrics_range {
    unsigned first; /* from 1 on */
    unsigned last;  /* below HISTOGRAM_BUCKETS */
};
void metrics_text_histogram(struct metrics_text *text, const struct metrics_label *labels,
                            const struct histogram_sum *sum, struct metrics_range range);
