/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Prometheus' text format (see metrics_text.h).
 */
#include "forwarder/server/metrics_text.h"

#include <assert.h>
#include <event2/buffer.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "forwarder/histogram.h"

#define VALUE_MAX 32 /* octets of a number */

void metrics_text_init(struct metrics_text *text, struct evbuffer *out)
{
    *text = (struct metrics_text){.out = out, .whole = true};
}

static void put(struct metrics_text *text, const char *octets, size_t size)
{
    text->whole = text->whole && evbuffer_add(text->out, octets, size) == 0;
}

static void put_text(struct metrics_text *text, const char *octets)
{
    put(text, octets, strlen(octets));
}

/* A value of a label between quotes, or HELP without. */
static void put_escaped(struct metrics_text *text, const char *value, bool quoted)
{
    while (*value != '\0') {
        size_t plain = strcspn(value, quoted ? "\\\n\"" : "\\\n");
        put(text, value, plain);
        value += plain;
        if (*value != '\0') {
            const char escape[] = {'\\', (char)(*value == '\n' ? 'n' : *value), '\0'};
            put_text(text, escape);
            value++;
        }
    }
}

void metrics_text_family(struct metrics_text *text, enum metrics_type type, const char *name,
                         const char *help)
{
    static const char *const types[] = {
        [METRICS_COUNTER] = "counter",
        [METRICS_GAUGE] = "gauge",
        [METRICS_HISTOGRAM] = "histogram",
    };
    text->family = name;
    put_text(text, "# HELP ");
    put_text(text, name);
    put_text(text, " ");
    put_escaped(text, help, false);
    put_text(text, "\n# TYPE ");
    put_text(text, name);
    put_text(text, " ");
    put_text(text, types[type]);
    put_text(text, "\n");
}

static void put_labels(struct metrics_text *text, const struct metrics_label *labels)
{
    const char *before = "{";
    for (; labels != NULL && labels->name != NULL; labels++) {
        put_text(text, before);
        put_text(text, labels->name);
        put_text(text, "=\"");
        put_escaped(text, labels->value, true);
        put_text(text, "\"");
        before = ",";
    }
    put_text(text, before[0] == ',' ? "} " : " ");
}

static void put_sample(struct metrics_text *text, const char *suffix,
                       const struct metrics_label *labels, const char *value)
{
    put_text(text, text->family);
    put_text(text, suffix);
    put_labels(text, labels);
    put_text(text, value);
    put_text(text, "\n");
}

static void put_count(struct metrics_text *text, const char *suffix,
                      const struct metrics_label *labels, uint64_t value)
{
    char shown[VALUE_MAX];
    snprintf(shown, sizeof shown, "%" PRIu64, value);
    put_sample(text, suffix, labels, shown);
}

static void put_real(struct metrics_text *text, const char *suffix,
                     const struct metrics_label *labels, double value)
{
    char shown[VALUE_MAX];
    if (isfinite(value)) {
        snprintf(shown, sizeof shown, "%.15g", value);
    } else {
        snprintf(shown, sizeof shown, "%s", isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
    }
    put_sample(text, suffix, labels, shown);
}

void metrics_text_count(struct metrics_text *text, const struct metrics_label *labels,
                        uint64_t value)
{
    put_count(text, "", labels, value);
}

void metrics_text_real(struct metrics_text *text, const struct metrics_label *labels, double value)
{
    put_real(text, "", labels, value);
}

/* Seconds for so many microseconds, which is exact. */
static void format_bound(unsigned exponent, char out[static VALUE_MAX])
{
    snprintf(out, VALUE_MAX, "%.15g", (double)(UINT64_C(1) << exponent) / 1e6);
}

void metrics_text_histogram(struct metrics_text *text, const struct metrics_label *labels,
                            const struct histogram_sum *sum, struct metrics_range range)
{
    struct metrics_label with_bound[METRICS_LABELS_MAX + 2];
    char bound[VALUE_MAX];
    size_t count = 0;
    uint64_t below = 0;
    for (; labels != NULL && labels[count].name != NULL; count++) {
        assert(count < METRICS_LABELS_MAX);
        with_bound[count] = labels[count];
    }
    with_bound[count] = (struct metrics_label){"le", bound};
    with_bound[count + 1] = (struct metrics_label){NULL, NULL};
    for (unsigned i = 1; i <= range.last; i++) {
        below += sum->bucket[i - 1];
        if (i >= range.first) {
            format_bound(i, bound);
            put_count(text, "_bucket", with_bound, below);
        }
    }
    snprintf(bound, sizeof bound, "+Inf");
    put_count(text, "_bucket", with_bound, histogram_count(sum));
    put_real(text, "_sum", labels, (double)sum->sum_us / 1e6);
    put_count(text, "_count", labels, histogram_count(sum));
}
