/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Opening copies the file into a sealed memfd, lets libmaxminddb map that, and walks the search
 * tree once. Afterwards a lookup is libmaxminddb's walk and one probe of a table from the offset of
 * a data record to its country and subdivisions; nothing is decoded any more.
 *
 * Invariants of an open database: no path from the root is longer than an address has bits, and
 * each data record that the tree reaches is in the table.
 */
#include "geo/geo_db.h"

#include <errno.h>
#include <fcntl.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "geo/file_bytes.h"
#include "geo/geo_record.h"

/* libmaxminddb 1.7 keeps sizes in 32 bits. */
#define FILE_MAX ((size_t)UINT32_MAX)

/* 31 December 9999: a later build time is no time. */
#define EPOCH_MAX UINT64_C(253402300799)

#define DEPTH_MAX 128U

/* Data offset to place: open addressing, at most half full. */
struct table {
    struct slot {
        uint32_t offset; /* NO_OFFSET: free */
        struct country country;
        struct subdivisions within;
    } * slots;
    uint32_t mask; /* number of slots, a power of two, minus one */
    uint32_t used;
};

#define NO_OFFSET UINT32_MAX

struct geo_db {
    MMDB_s mmdb;
    bool mapped; /* mmdb is open */
    int descriptor;
    uint8_t sha256[FILE_BYTES_SHA256];
    struct table places;
    struct subdivision *subdivisions; /* each that some record names, once, sorted */
    size_t subdivision_count;
    atomic_uint references;
};

/* ---- Table of data records ---- */

static struct slot *table_slot(const struct table *table, uint32_t offset)
{
    uint32_t i = offset * UINT32_C(2654435769) >> 7;
    while (table->slots[i & table->mask].offset != offset &&
           table->slots[i & table->mask].offset != NO_OFFSET) {
        i++;
    }
    return &table->slots[i & table->mask];
}

static bool table_init(struct table *table, uint32_t slots)
{
    table->slots = reallocarray(NULL, slots, sizeof *table->slots);
    if (table->slots == NULL) {
        return false;
    }
    memset(table->slots, 0xff, slots * sizeof *table->slots); /* every offset is NO_OFFSET */
    table->mask = slots - 1;
    table->used = 0;
    return true;
}

static bool table_grow(struct table *table)
{
    struct table larger;
    if (table->mask >= UINT32_MAX / 2 || !table_init(&larger, 2 * (table->mask + 1))) {
        return false;
    }
    for (uint32_t i = 0; i <= table->mask; i++) {
        if (table->slots[i].offset != NO_OFFSET) {
            *table_slot(&larger, table->slots[i].offset) = table->slots[i];
        }
    }
    larger.used = table->used;
    free(table->slots);
    *table = larger;
    return true;
}

static bool table_add(struct table *table, const struct slot *slot)
{
    if (table->used > table->mask / 2 && !table_grow(table)) {
        return false;
    }
    *table_slot(table, slot->offset) = *slot;
    table->used++;
    return true;
}

/* ---- Which texts of a record are the country and its parts ---- */

#define PATHS_MAX 3

static const struct schema {
    const char *name; /* for people */
    const char *const *paths[PATHS_MAX];
    const char *const *parts[PATHS_MAX]; /* of that country */
} schemas[] = {
    [GEO_FIELD_COUNTRY] = {"country",
                           {(const char *const[]){"country", "iso_code", NULL},
                            (const char *const[]){"country_code", NULL},
                            (const char *const[]){"country", NULL}},
                           {(const char *const[]){"subdivisions", "0", "iso_code", NULL},
                            (const char *const[]){"subdivisions", "1", "iso_code", NULL},
                            (const char *const[]){"region_code", NULL}}},
    [GEO_FIELD_REGISTERED] = {"registered_country",
                              {(const char *const[]){"registered_country", "iso_code", NULL}},
                              {NULL}},
    [GEO_FIELD_REPRESENTED] = {"represented_country",
                               {(const char *const[]){"represented_country", "iso_code", NULL}},
                               {NULL}},
};

/* The first text of two letters that the schema knows decides, even if it is no country. */
static enum geo_record_outcome read_country(const struct geo_record_section *section,
                                            uint32_t offset, const struct schema *schema,
                                            struct country *out)
{
    *out = COUNTRY_UNKNOWN;
    for (size_t i = 0; i < PATHS_MAX && schema->paths[i] != NULL; i++) {
        struct geo_record_text code;
        enum geo_record_outcome outcome = geo_record_find(section, offset, schema->paths[i], &code);
        if (outcome == GEO_RECORD_BROKEN) {
            return outcome;
        }
        if (outcome == GEO_RECORD_TEXT && code.len == 2) {
            country_parse(code.text, code.len, out);
            return outcome;
        }
    }
    return GEO_RECORD_LACKS;
}

/* Reads the parts of a known country only; a text that is no code is ignored. */
static enum geo_record_outcome read_parts(const struct geo_record_section *section,
                                          const struct schema *schema, struct slot *slot)
{
    for (size_t i = 0; i < PATHS_MAX && schema->parts[i] != NULL; i++) {
        struct geo_record_text code;
        struct subdivision part;
        enum geo_record_outcome outcome =
            geo_record_find(section, slot->offset, schema->parts[i], &code);
        if (outcome == GEO_RECORD_BROKEN) {
            return outcome;
        }
        if (outcome == GEO_RECORD_TEXT &&
            subdivision_parse_within(slot->country, code.text, code.len, &part)) {
            subdivisions_add(&slot->within, &part);
        }
    }
    return GEO_RECORD_TEXT;
}

/* Reads the place in a record into its slot, which has the record's offset. */
static enum geo_record_outcome read_place(const struct geo_record_section *section,
                                          const struct schema *schema, struct slot *slot)
{
    enum geo_record_outcome outcome = read_country(section, slot->offset, schema, &slot->country);
    if (outcome == GEO_RECORD_TEXT && country_known(slot->country)) {
        outcome = read_parts(section, schema, slot);
    }
    return outcome;
}

/* ---- The walk of the whole tree at open ---- */

/* What is known of a node: nothing, that it lies on the path from the root to where the walk is, or
 * the length of the longest way down from it, 1 to DEPTH_MAX. */
#define HEIGHT_UNVISITED 0
#define HEIGHT_ON_PATH 255

struct walk {
    struct geo_db *db;
    const struct schema *schema;
    struct geo_record_section section;
    uint8_t *heights; /* one for each node */
    bool has_field;   /* some record has a text where the schema wants one */
    char *why;
};

static bool walk_refuse(struct walk *walk, const char *sentence)
{
    snprintf(walk->why, WHY_MAX, "%s", sentence);
    return false;
}

/* Reads the place in a data record, once for each record however often the tree names it. */
static bool walk_data(struct walk *walk, uint64_t offset)
{
    struct table *table = &walk->db->places;
    struct slot slot = {.offset = (uint32_t)offset};
    if (offset >= walk->section.size) {
        return walk_refuse(walk, "the database is broken: a data record lies outside the file");
    }
    if (table_slot(table, (uint32_t)offset)->offset != NO_OFFSET) {
        return true;
    }
    switch (read_place(&walk->section, walk->schema, &slot)) {
    case GEO_RECORD_TEXT:
        walk->has_field = true;
        break;
    case GEO_RECORD_LACKS:
        break;
    case GEO_RECORD_BROKEN:
        return walk_refuse(walk, "the database is broken: a data record cannot be decoded");
    }
    return table_add(table, &slot) || walk_refuse(walk, "out of memory");
}

/* One of the two records of a node. Sets *child to a node that must be walked first, or raises
 * *height to what this side needs; false refuses the database. */
static bool walk_side(struct walk *walk, uint64_t record, uint8_t type, uint8_t *height,
                      uint32_t *child)
{
    uint8_t below = 0;
    switch (type) {
    case MMDB_RECORD_TYPE_SEARCH_NODE:
        below = walk->heights[record];
        if (below == HEIGHT_ON_PATH) {
            return walk_refuse(walk, "the database is broken: its search tree runs in a circle");
        }
        if (below == HEIGHT_UNVISITED) {
            *child = (uint32_t)record;
            return true;
        }
        break;
    case MMDB_RECORD_TYPE_EMPTY:
        break;
    case MMDB_RECORD_TYPE_DATA:
        if (!walk_data(walk, record - walk->db->mmdb.metadata.node_count - 16)) {
            return false;
        }
        break;
    default:
        return walk_refuse(walk, "the database is broken: its search tree leads nowhere");
    }
    if (*height < below + 1) {
        *height = (uint8_t)(below + 1);
    }
    return true;
}

/* Looks at both sides of a node. Where a side leads to a node not yet walked, *child names it and
 * this node is looked at again afterwards. */
static bool walk_node(struct walk *walk, uint32_t number, uint8_t *height, uint32_t *child)
{
    MMDB_search_node_s node;
    if (MMDB_read_node(&walk->db->mmdb, number, &node) != MMDB_SUCCESS) {
        return walk_refuse(walk, "the database is broken: a node cannot be read");
    }
    *height = 0;
    *child = 0; /* the root is nobody's child */
    return walk_side(walk, node.left_record, node.left_record_type, height, child) &&
           (*child != 0 ||
            walk_side(walk, node.right_record, node.right_record_type, height, child));
}

/* Depth first, with a stack that is as deep as addresses are long. Subtrees that several records
 * share (the IPv4 addresses under ::ffff:0:0/96, 2002::/16 and 2001::/32 in MaxMind's own files)
 * are walked once: their height says whether they still fit below another place. */
static bool walk_tree(struct walk *walk)
{
    uint32_t path[DEPTH_MAX] = {0};
    unsigned length = 1; /* the root is on it */
    walk->heights[0] = HEIGHT_ON_PATH;
    while (length > 0) {
        uint32_t number = path[length - 1];
        uint8_t height;
        uint32_t child;
        if (!walk_node(walk, number, &height, &child)) {
            return false;
        }
        if (height > walk->db->mmdb.depth || (child != 0 && length == walk->db->mmdb.depth)) {
            return walk_refuse(walk, "the database is broken: its search tree is too deep");
        }
        if (child != 0) {
            walk->heights[child] = HEIGHT_ON_PATH;
            path[length++] = child;
        } else {
            walk->heights[number] = height;
            length--;
        }
    }
    return true;
}

/* ---- Which subdivisions there are ---- */

static size_t drop_doubles(struct subdivision *subdivisions, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || subdivision_compare(&subdivisions[kept - 1], &subdivisions[i]) != 0) {
            subdivisions[kept++] = subdivisions[i];
        }
    }
    return kept;
}

static bool collect_subdivisions(struct geo_db *db)
{
    const struct table *table = &db->places;
    struct subdivision *all =
        reallocarray(NULL, (size_t)table->used * SUBDIVISION_LEVELS + 1, sizeof *all);
    size_t count = 0;
    if (all == NULL) {
        return false;
    }
    for (uint32_t i = 0; i <= table->mask; i++) {
        const struct slot *slot = &table->slots[i];
        for (unsigned level = 0; slot->offset != NO_OFFSET && level < SUBDIVISION_LEVELS; level++) {
            all[count] = subdivisions_at(&slot->within, slot->country, level);
            count += subdivision_known(&all[count]);
        }
    }
    qsort(all, count, sizeof *all, subdivision_compare);
    db->subdivision_count = drop_doubles(all, count);
    struct subdivision *fitting = reallocarray(all, db->subdivision_count + 1, sizeof *all);
    db->subdivisions = fitting == NULL ? all : fitting;
    return true;
}

/* Walks the tree and fills the table of places. */
static bool verify(struct geo_db *db, enum geo_field field, char why[static WHY_MAX])
{
    struct walk walk = {
        .db = db,
        .schema = &schemas[field],
        .section = {db->mmdb.data_section, db->mmdb.data_section_size},
        .heights = calloc(db->mmdb.metadata.node_count, 1),
        .why = why,
    };
    bool done = false;
    if (walk.heights == NULL || !table_init(&db->places, 1024)) {
        walk_refuse(&walk, "out of memory");
    } else if (walk_tree(&walk)) {
        done = walk.has_field;
        if (!done) {
            snprintf(why, WHY_MAX, "%s is not a country database: no record has a code in %s",
                     db->mmdb.metadata.database_type, walk.schema->name);
        } else if (!collect_subdivisions(db)) {
            done = walk_refuse(&walk, "out of memory");
        }
    }
    free(walk.heights);
    return done;
}

/* ---- Opening ---- */

/* The type goes into logs and reports as it is. */
static bool printable(const char *text)
{
    while (*text >= ' ' && *text <= '~') {
        text++;
    }
    return *text == '\0';
}

/* What libmaxminddb 1.7 takes from the metadata without a look. Its own size check of the tree
 * is done in 32 bits and wraps. */
static bool check_metadata(const MMDB_s *mmdb, char why[static WHY_MAX])
{
    const char *wrong = NULL;
    uint64_t tree = (uint64_t)mmdb->metadata.node_count * mmdb->full_record_byte_size;
    if (tree + mmdb->data_section_size > (uint64_t)mmdb->file_size) {
        wrong = "its search tree is larger than the file";
    } else if (mmdb->metadata.build_epoch > EPOCH_MAX) {
        wrong = "its build time is no time";
    } else if (!printable(mmdb->metadata.database_type)) {
        wrong = "its type is no printable text";
    }
    if (wrong != NULL) {
        snprintf(why, WHY_MAX, "the database is broken: %s", wrong);
    }
    return wrong == NULL;
}

/* libmaxminddb opens by name only: the name is that of our own descriptor. */
static bool map(struct geo_db *db, char why[static WHY_MAX])
{
    char name[32];
    snprintf(name, sizeof name, "/proc/self/fd/%d", db->descriptor);
    int status = MMDB_open(name, MMDB_MODE_MMAP, &db->mmdb);
    if (status == MMDB_FILE_OPEN_ERROR) {
        snprintf(why, WHY_MAX, "cannot open the sealed copy as %s: %s (is /proc mounted?)", name,
                 strerror(errno));
        return false;
    }
    if (status != MMDB_SUCCESS) {
        snprintf(why, WHY_MAX, "not a MaxMind DB file, or cut short: %s", MMDB_strerror(status));
        return false;
    }
    db->mapped = true;
    return check_metadata(&db->mmdb, why);
}

struct geo_db *geo_db_open(const char *path, enum geo_field field, char why[static WHY_MAX])
{
    struct file_bytes file;
    if (!file_bytes_read(AT_FDCWD, path, FILE_MAX, &file, why)) {
        return NULL;
    }
    struct geo_db *db = calloc(1, sizeof *db);
    if (db == NULL) {
        snprintf(why, WHY_MAX, "out of memory");
        goto fail;
    }
    atomic_init(&db->references, 1);
    memcpy(db->sha256, file.sha256, sizeof db->sha256);
    db->descriptor = -1;
    if (file.size == 0) {
        snprintf(why, WHY_MAX, "the file is empty");
        goto fail;
    }
    if (!file_bytes_seal(&file, &db->descriptor, why)) {
        goto fail;
    }
    file_bytes_fini(&file);
    if (!map(db, why) || !verify(db, field, why)) {
        goto fail;
    }
    return db;
fail:
    file_bytes_fini(&file);
    geo_db_unref(db);
    return NULL;
}

struct geo_db *geo_db_ref(struct geo_db *db)
{
    atomic_fetch_add_explicit(&db->references, 1, memory_order_relaxed);
    return db;
}

void geo_db_unref(struct geo_db *db)
{
    if (db == NULL || atomic_fetch_sub_explicit(&db->references, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (db->mapped) {
        MMDB_close(&db->mmdb);
    }
    if (db->descriptor >= 0) {
        close(db->descriptor);
    }
    free(db->places.slots);
    free(db->subdivisions);
    free(db);
}

bool geo_db_has_subdivisions(const struct geo_db *db)
{
    return db->subdivision_count > 0;
}

bool geo_db_names_subdivision(const struct geo_db *db, const struct subdivision *subdivision)
{
    return bsearch(subdivision, db->subdivisions, db->subdivision_count, sizeof *subdivision,
                   subdivision_compare) != NULL;
}

int64_t geo_db_built(const struct geo_db *db)
{
    return (int64_t)db->mmdb.metadata.build_epoch;
}

const char *geo_db_type(const struct geo_db *db)
{
    return db->mmdb.metadata.database_type;
}

const uint8_t *geo_db_sha256(const struct geo_db *db)
{
    return db->sha256;
}

int geo_db_descriptor(const struct geo_db *db)
{
    return db->descriptor;
}

/* ---- Lookup ---- */

/* The tree's walk. An address that is no IPv4 address is absent from a database of IPv4. */
static MMDB_lookup_result_s look_up(const MMDB_s *mmdb, const struct address *address, bool ipv4,
                                    int *error)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } key;
    if (ipv4) {
        key.v4.sin_family = AF_INET;
        memcpy(&key.v4.sin_addr, address->octet + 12, 4);
    } else {
        key.v6.sin6_family = AF_INET6;
        memcpy(&key.v6.sin6_addr, address->octet, 16);
    }
    MMDB_lookup_result_s result = MMDB_lookup_sockaddr(mmdb, &key.any, error);
    if (*error == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR) {
        *error = MMDB_SUCCESS;
    }
    return result;
}

/* How many leading bits of the address the answer depends on. IPv4 addresses hang elsewhere in the
 * tree (under ::/96) than their mapped form would: no answer of one family may cover the other. */
static unsigned alike_length(const MMDB_s *mmdb, const struct address *address, bool ipv4,
                             unsigned netmask)
{
    unsigned least = NETWORK_IPV4.length;
    if (ipv4 && mmdb->metadata.ip_version == 4) {
        return least + netmask;
    }
    if (!ipv4) {
        least = address_common_bits(&NETWORK_IPV4.base, address) + 1;
    }
    return netmask > least ? netmask : least;
}

void geo_db_find(const struct geo_db *db, const struct address *address, struct geo_db_result *out)
{
    bool ipv4 = address_is_ipv4(address);
    int error = MMDB_SUCCESS;
    MMDB_lookup_result_s found = look_up(&db->mmdb, address, ipv4, &error);
    unsigned length = alike_length(&db->mmdb, address, ipv4, found.netmask);
    *out = (struct geo_db_result){.outcome = GEO_DB_ABSENT, .country = COUNTRY_UNKNOWN};
    if (error == MMDB_SUCCESS && found.found_entry) {
        const struct slot *slot = table_slot(&db->places, found.entry.offset);
        out->outcome = slot->offset == NO_OFFSET ? GEO_DB_FAILED : GEO_DB_FOUND;
        if (out->outcome == GEO_DB_FOUND) {
            out->country = slot->country;
            out->within = slot->within;
        }
    }
    if (error != MMDB_SUCCESS || out->outcome == GEO_DB_FAILED) {
        out->outcome = GEO_DB_FAILED;
        length = 128;
    }
    out->network = network_around(address, length);
}
