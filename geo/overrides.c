/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A geofeed as a sorted array of address ranges. Each range names the longest prefix over it;
 * together they cover every address once, so one binary search finds both the answer and
 * the borders up to which it holds.
 *
 * Two silent prefixes that stand for "nothing found" lie under those of the feed: ::/0, and the
 * IPv4 block, which keeps a short IPv6 prefix such as ::/0 from speaking for IPv4.
 */
#include "geo/overrides.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "geo/geofeed.h"

#define SILENT_PREFIXES 2
#define SILENT_LINE 0U /* rows of the feed count from 1 */

/* Prefixes that lie in each other have 129 lengths; a silent one may double one of the feed. */
#define NESTING_MAX (129U + SILENT_PREFIXES)

struct range {
    struct address first;
    struct address last;
    uint32_t row; /* index of the prefix that decides */
};

struct overrides {
    atomic_uint references;
    size_t count;             /* prefixes of the feed */
    struct geofeed_row *rows; /* them and the silent ones, outer before inner */
    struct range *ranges;     /* ascending, from :: to the last address without a gap */
    size_t range_count;
};

/* Ascending; of two at one place the wider first; of equals the silent one, then the earlier line.
 */
static int compare_rows(const void *a, const void *b)
{
    const struct geofeed_row *left = a;
    const struct geofeed_row *right = b;
    int order = address_compare(&left->network.base, &right->network.base);
    if (order == 0) {
        order = (int)left->network.length - (int)right->network.length;
    }
    if (order == 0) {
        order = (left->line > right->line) - (left->line < right->line);
    }
    return order;
}

static struct address address_after(struct address address)
{
    for (size_t i = sizeof address.octet; i-- > 0 && ++address.octet[i] == 0;) {
    }
    return address;
}

static struct address address_before(struct address address)
{
    for (size_t i = sizeof address.octet; i-- > 0 && address.octet[i]-- == 0;) {
    }
    return address;
}

/* ---- Building ---- */

/* In what two lines with the same prefix differ; NULL: in nothing that counts. */
static const char *difference(const struct geofeed_row *a, const struct geofeed_row *b)
{
    if (!country_equal(a->country, b->country)) {
        return "country";
    }
    return subdivisions_equal(&a->within, &b->within) ? NULL : "region";
}

/* Two lines on one prefix must agree; the second is then left out. Works on sorted rows. */
static bool drop_doubles(struct overrides *overrides, const char *name,
                         struct problem_list *problems)
{
    size_t kept = 0;
    bool agree = true;
    for (size_t i = 0; i < overrides->count + SILENT_PREFIXES; i++) {
        const struct geofeed_row *row = &overrides->rows[i];
        const struct geofeed_row *before = kept == 0 ? NULL : &overrides->rows[kept - 1];
        bool twice = before != NULL && before->line != SILENT_LINE &&
                     network_equal(&before->network, &row->network);
        const char *differs = twice ? difference(before, row) : NULL;
        if (differs != NULL) {
            problem_list_add(problems, PROBLEM_ERROR, name, row->line, row->column,
                             "the prefix has another %s in line %u", differs, before->line);
            agree = false;
        }
        if (!twice) {
            overrides->rows[kept++] = *row;
        }
    }
    overrides->count = kept - SILENT_PREFIXES;
    return agree;
}

/* Sweeps over the sorted prefixes: open holds those around the current place, the innermost, which
 * decides, on top. */
struct sweep {
    struct overrides *overrides;
    uint32_t open[NESTING_MAX];
    unsigned depth;
    struct address next; /* the first address that no range covers yet */
    bool complete;       /* there is none any more */
};

static const struct geofeed_row *sweep_top(const struct sweep *sweep)
{
    return &sweep->overrides->rows[sweep->open[sweep->depth - 1]];
}

/* Emits the addresses up to last that no range covers yet: they belong to the innermost prefix. */
static void sweep_emit(struct sweep *sweep, const struct address *last)
{
    struct overrides *overrides = sweep->overrides;
    if (sweep->complete || address_compare(&sweep->next, last) > 0) {
        return;
    }
    overrides->ranges[overrides->range_count++] =
        (struct range){sweep->next, *last, sweep->open[sweep->depth - 1]};
    sweep->next = address_after(*last);
    sweep->complete = address_compare(&sweep->next, last) < 0; /* it wrapped round */
}

/* The innermost prefix ends here. */
static void sweep_close(struct sweep *sweep)
{
    struct address last = network_last(&sweep_top(sweep)->network);
    sweep_emit(sweep, &last);
    sweep->depth--;
}

static void sweep_open(struct sweep *sweep, uint32_t row)
{
    const struct network *network = &sweep->overrides->rows[row].network;
    while (address_common_bits(&sweep_top(sweep)->network.base, &network->base) <
           sweep_top(sweep)->network.length) {
        sweep_close(sweep);
    }
    if (address_compare(&sweep->next, &network->base) < 0) {
        struct address before = address_before(network->base);
        sweep_emit(sweep, &before);
    }
    sweep->open[sweep->depth++] = row;
}

/* Each prefix begins one range and is followed by at most one of what lies around it. */
static bool flatten(struct overrides *overrides)
{
    size_t rows = overrides->count + SILENT_PREFIXES;
    overrides->ranges = reallocarray(NULL, 2 * rows, sizeof *overrides->ranges);
    if (overrides->ranges == NULL) {
        return false;
    }
    struct sweep sweep = {.overrides = overrides, .depth = 1}; /* row 0 is ::/0 */
    for (uint32_t row = 1; row < rows; row++) {
        sweep_open(&sweep, row);
    }
    while (sweep.depth > 0) {
        sweep_close(&sweep);
    }
    return true;
}

static bool build(struct overrides *overrides, const struct geofeed *feed, const char *name,
                  struct problem_list *problems)
{
    size_t rows = feed->count + SILENT_PREFIXES;
    overrides->count = feed->count;
    overrides->rows = rows < UINT32_MAX ? reallocarray(NULL, rows, sizeof feed->rows[0]) : NULL;
    if (overrides->rows == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "out of memory");
        return false;
    }
    overrides->rows[0] = (struct geofeed_row){.line = SILENT_LINE};
    overrides->rows[1] = (struct geofeed_row){.network = NETWORK_IPV4, .line = SILENT_LINE};
    if (feed->count > 0) {
        memcpy(overrides->rows + SILENT_PREFIXES, feed->rows, feed->count * sizeof feed->rows[0]);
    }
    qsort(overrides->rows, rows, sizeof feed->rows[0], compare_rows);
    if (!drop_doubles(overrides, name, problems)) {
        return false;
    }
    if (!flatten(overrides)) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "out of memory");
        return false;
    }
    return true;
}

struct overrides *overrides_parse(const char *name, const char *bytes, size_t size,
                                  struct problem_list *problems)
{
    struct geofeed feed;
    if (!geofeed_parse(name, bytes, size, &feed, problems)) {
        return NULL;
    }
    struct overrides *overrides = calloc(1, sizeof *overrides);
    if (overrides == NULL) {
        problem_list_add(problems, PROBLEM_ERROR, name, 0, 0, "out of memory");
    } else {
        atomic_init(&overrides->references, 1);
        if (!build(overrides, &feed, name, problems)) {
            overrides_unref(overrides);
            overrides = NULL;
        }
    }
    geofeed_fini(&feed);
    return overrides;
}

struct overrides *overrides_ref(struct overrides *overrides)
{
    if (overrides != NULL) {
        atomic_fetch_add_explicit(&overrides->references, 1, memory_order_relaxed);
    }
    return overrides;
}

void overrides_unref(struct overrides *overrides)
{
    if (overrides == NULL ||
        atomic_fetch_sub_explicit(&overrides->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    free(overrides->rows);
    free(overrides->ranges);
    free(overrides);
}

size_t overrides_count(const struct overrides *overrides)
{
    return overrides == NULL ? 0 : overrides->count;
}

bool overrides_name_subdivision(const struct overrides *overrides,
                                const struct subdivision *subdivision)
{
    size_t rows = overrides == NULL ? 0 : overrides->count + SILENT_PREFIXES;
    for (size_t i = 0; i < rows; i++) {
        const struct geofeed_row *row = &overrides->rows[i];
        if (subdivision_holds(subdivision, row->country, &row->within)) {
            return true;
        }
    }
    return false;
}

/* ---- Finding ---- */

/* The index of the range around an address: the last one that does not begin behind it. */
static size_t range_around(const struct overrides *overrides, const struct address *address)
{
    size_t low = 0;
    size_t high = overrides->range_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (address_compare(&overrides->ranges[middle].first, address) <= 0) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* The length of the widest network around an address in range i: just too long to hold the
 * neighbouring ranges' nearest addresses. */
static unsigned alike_length(const struct overrides *overrides, size_t i,
                             const struct address *address)
{
    unsigned below = 0;
    unsigned above = 0;
    if (i > 0) {
        below = address_common_bits(address, &overrides->ranges[i - 1].last) + 1;
    }
    if (i + 1 < overrides->range_count) {
        above = address_common_bits(address, &overrides->ranges[i + 1].first) + 1;
    }
    return below > above ? below : above;
}

void overrides_find(const struct overrides *overrides, const struct address *address,
                    struct overrides_result *out)
{
    *out = (struct overrides_result){.found = false};
    if (overrides == NULL) {
        return;
    }
    size_t i = range_around(overrides, address);
    const struct geofeed_row *row = &overrides->rows[overrides->ranges[i].row];
    if (row->line != SILENT_LINE) {
        *out = (struct overrides_result){
            .found = true, .country = row->country, .within = row->within, .prefix = row->network};
    }
    out->alike = network_around(address, alike_length(overrides, i, address));
}
