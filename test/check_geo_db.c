/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * Country databases: each schema, every border against a naive model, files that change after they
 * were opened, and files that are broken in each part of them.
 */
#include "geo/geo_db.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "geo/file_bytes.h"
#include "test/geo_model.h"
#include "test/mmdb_image.h"
#include "test/scratch.h"
#include "test/suite.h"

#define FIXTURE(name) "test/fixtures/" name ".mmdb"

static struct geo_db *open_db(const char *path, enum geo_field field)
{
    char why[WHY_MAX] = "";
    struct geo_db *db = geo_db_open(path, field, why);
    ck_assert_msg(db != NULL, "%s: %s", path, why);
    return db;
}

static struct file_bytes read_file(const char *path)
{
    char why[WHY_MAX] = "";
    struct file_bytes file;
    ck_assert_msg(file_bytes_read(AT_FDCWD, path, 1 << 20, &file, why), "%s: %s", path, why);
    return file;
}

static const struct {
    const char *path;
    enum geo_field field;
    const char *address;
    enum geo_db_outcome outcome;
    const char *code; /* "": unknown */
    const char *network;
} LOOKUPS[] = {
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, "2.32.0.1", GEO_DB_FOUND, "IT", "2.32.0.0/12"},
    {FIXTURE("geoip2"), GEO_FIELD_REGISTERED, "2.32.0.1", GEO_DB_FOUND, "FR", "2.32.0.0/12"},
    {FIXTURE("geoip2"), GEO_FIELD_REPRESENTED, "2.32.0.1", GEO_DB_FOUND, "US", "2.32.0.0/12"},
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, "2001:b07::1", GEO_DB_FOUND, "IT", "2001:b07::/32"},
    {FIXTURE("geoip2"), GEO_FIELD_REGISTERED, "2001:b07::1", GEO_DB_FOUND, "", "2001:b07::/32"},
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, "192.0.2.1", GEO_DB_FOUND, "", "192.0.2.0/24"},
    {FIXTURE("geoip2"), GEO_FIELD_REGISTERED, "192.0.2.1", GEO_DB_FOUND, "FR", "192.0.2.0/24"},
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, "198.51.100.1", GEO_DB_FOUND, "", "198.51.100.0/24"},
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, "203.0.113.1", GEO_DB_FOUND, "", "203.0.113.0/24"},
    {FIXTURE("geoip2"), GEO_FIELD_COUNTRY, "2.48.0.1", GEO_DB_ABSENT, "", "2.48.0.0/12"},
    {FIXTURE("flat"), GEO_FIELD_COUNTRY, "2.32.0.1", GEO_DB_FOUND, "IT", "2.32.0.0/12"},
    {FIXTURE("flat"), GEO_FIELD_COUNTRY, "5.9.0.1", GEO_DB_FOUND, "DE", "5.9.0.0/16"},
    {FIXTURE("flat"), GEO_FIELD_COUNTRY, "192.0.2.1", GEO_DB_FOUND, "", "192.0.2.0/24"},
    {FIXTURE("string"), GEO_FIELD_COUNTRY, "2.32.0.1", GEO_DB_FOUND, "IT", "2.32.0.0/12"},
    {FIXTURE("string"), GEO_FIELD_COUNTRY, "2001:b07::1", GEO_DB_FOUND, "IT", "2001:b07::/32"},
    {FIXTURE("borders"), GEO_FIELD_COUNTRY, "198.51.100.1", GEO_DB_FOUND, "GB", "198.51.100.0/24"},
    {FIXTURE("borders"), GEO_FIELD_COUNTRY, "2.33.7.77", GEO_DB_FOUND, "VA", "2.33.7.77/32"},
    {FIXTURE("borders"), GEO_FIELD_COUNTRY, "::1.2.3.4", GEO_DB_ABSENT, "", "::1.0.0.0/104"},
    {FIXTURE("ipv4"), GEO_FIELD_COUNTRY, "2.32.0.1", GEO_DB_FOUND, "IT", "2.32.0.0/12"},
    {FIXTURE("ipv4"), GEO_FIELD_COUNTRY, "5.8.255.255", GEO_DB_ABSENT, "", "5.8.0.0/16"},
    {FIXTURE("ipv4"), GEO_FIELD_COUNTRY, "2001:b07::1", GEO_DB_ABSENT, "", "2000::/3"},
    {FIXTURE("ipv4"), GEO_FIELD_COUNTRY, "::fffe:2.32.0.1", GEO_DB_ABSENT, "", "::fffe:0:0/96"},
    {FIXTURE("halves"), GEO_FIELD_COUNTRY, "2.32.0.1", GEO_DB_FOUND, "FR", "0.0.0.0/0"},
    {FIXTURE("halves"), GEO_FIELD_COUNTRY, "::fffe:2.32.0.1", GEO_DB_FOUND, "FR", "::fffe:0:0/96"},
    {FIXTURE("halves"), GEO_FIELD_COUNTRY, "4000::", GEO_DB_FOUND, "FR", "4000::/2"},
    {FIXTURE("halves"), GEO_FIELD_COUNTRY, "c000::", GEO_DB_FOUND, "IT", "8000::/1"},
    {FIXTURE("aliased"), GEO_FIELD_COUNTRY, "2002:220:1::1", GEO_DB_FOUND, "IT", "2002:220::/32"},
};

START_TEST(finds_countries)
{
    for (size_t i = 0; i < sizeof LOOKUPS / sizeof LOOKUPS[0]; i++) {
        struct geo_db *db = open_db(LOOKUPS[i].path, LOOKUPS[i].field);
        struct address address = model_address(LOOKUPS[i].address);
        struct country expected;
        country_parse(LOOKUPS[i].code, strlen(LOOKUPS[i].code), &expected);
        struct geo_db_result result;
        geo_db_find(db, &address, &result);
        char network[NETWORK_TEXT_MAX];
        network_format(&result.network, network);
        ck_assert_msg(result.outcome == LOOKUPS[i].outcome &&
                          country_equal(result.country, expected) &&
                          strcmp(network, LOOKUPS[i].network) == 0,
                      "%s in %s: outcome %d, \"%.2s\", %s", LOOKUPS[i].address, LOOKUPS[i].path,
                      (int)result.outcome, result.country.letter, network);
        geo_db_unref(db);
    }
}
END_TEST

/* MaxMind's own databases repeat the IPv4 tree in these places. */
static struct address unalias(const struct address *address)
{
    struct address ipv4 = model_address("0.0.0.0");
    bool sixtofour = address->octet[0] == 0x20 && address->octet[1] == 0x02;
    bool teredo = address->octet[0] == 0x20 && address->octet[1] == 0x01 &&
                  address->octet[2] == 0 && address->octet[3] == 0;
    if (!sixtofour && !teredo) {
        return *address;
    }
    memcpy(ipv4.octet + 12, address->octet + (sixtofour ? 2 : 4), 4);
    return ipv4;
}

static const struct model_row *expected_row(const struct model *model, bool aliased,
                                            const struct address *address)
{
    static const struct address compatible = {{0}};
    struct address key = aliased ? unalias(address) : *address;
    if (address_common_bits(&key, &compatible) >= 96) {
        struct address ipv4 = model_address("0.0.0.0"); /* ::/96 is where the IPv4 tree is */
        memcpy(ipv4.octet + 12, key.octet + 12, 4);
        key = ipv4;
    }
    return model_find(model, &key);
}

static bool same_country(const struct model_row *a, const struct model_row *b)
{
    return (a == NULL && b == NULL) ||
           (a != NULL && b != NULL && country_equal(a->country, b->country) &&
            subdivisions_equal(&a->within, &b->within));
}

static struct model model;
static struct model_addresses addresses;

START_TEST(agrees_with_the_model)
{
    bool aliased = _i == 1;
    struct geo_db *db =
        open_db(aliased ? FIXTURE("aliased") : FIXTURE("borders"), GEO_FIELD_COUNTRY);
    model_read(&model, "test/fixtures/networks.txt");
    model_addresses_of(&addresses, &model);
    model_addresses_transition(&addresses);
    for (size_t i = 0; i < addresses.count; i++) {
        const struct address *address = &addresses.items[i];
        const struct model_row *row = expected_row(&model, aliased, address);
        struct geo_db_result result;
        geo_db_find(db, address, &result);
        char text[ADDRESS_TEXT_MAX];
        address_format(address, text);
        ck_assert_msg(result.outcome == (row == NULL ? GEO_DB_ABSENT : GEO_DB_FOUND), "%s", text);
        struct model_row said = {.country = result.country, .within = result.within};
        ck_assert_msg(row == NULL ? !country_known(result.country) : same_country(&said, row), "%s",
                      text);
        ck_assert_msg(address_common_bits(&result.network.base, address) >= result.network.length,
                      "%s", text);
        for (size_t j = 0; j < addresses.count; j++) {
            const struct address *other = &addresses.items[j];
            bool covered =
                address_common_bits(&result.network.base, other) >= result.network.length;
            if (covered && !same_country(row, expected_row(&model, aliased, other))) {
                ck_abort_msg("%s claims more than is alike", text);
            }
        }
    }
    geo_db_unref(db);
}
END_TEST

START_TEST(tells_what_it_is)
{
    struct geo_db *db = open_db(FIXTURE("geoip2"), GEO_FIELD_COUNTRY);
    struct file_bytes file = read_file(FIXTURE("geoip2"));
    ck_assert_str_eq(geo_db_type(db), "GeoIP2-Country");
    ck_assert_int_eq(geo_db_built(db), 1750000000);
    ck_assert_mem_eq(geo_db_sha256(db), file.sha256, FILE_BYTES_SHA256);
    char *copy = malloc(file.size + 1);
    ck_assert_int_eq(pread(geo_db_descriptor(db), copy, file.size + 1, 0), (ssize_t)file.size);
    ck_assert_mem_eq(copy, file.bytes, file.size);
    ck_assert_int_eq(pwrite(geo_db_descriptor(db), "x", 1, 0), -1);
    free(copy);
    file_bytes_fini(&file);
    geo_db_unref(db);
}
END_TEST

START_TEST(lives_until_the_last_reference)
{
    struct geo_db *db = open_db(FIXTURE("ipv4"), GEO_FIELD_COUNTRY);
    struct address address = model_address("2.32.0.1");
    struct geo_db_result result;
    ck_assert_ptr_eq(geo_db_ref(db), db);
    geo_db_unref(db);
    geo_db_find(db, &address, &result);
    ck_assert_int_eq(result.outcome, GEO_DB_FOUND);
    geo_db_unref(db);
    geo_db_unref(NULL);
}
END_TEST

static void expect_italy(const struct geo_db *db, const char *after)
{
    struct address address = model_address("2.32.0.1");
    struct geo_db_result result;
    geo_db_find(db, &address, &result);
    ck_assert_msg(result.outcome == GEO_DB_FOUND && memcmp(result.country.letter, "IT", 2) == 0,
                  "after %s", after);
}

START_TEST(does_not_care_what_happens_to_the_path)
{
    struct scratch scratch;
    char path[SCRATCH_PATH_MAX], other[SCRATCH_PATH_MAX];
    scratch_init(&scratch);
    scratch_path(&scratch, "db.mmdb", path);
    scratch_path(&scratch, "other.mmdb", other);
    struct file_bytes file = read_file(FIXTURE("geoip2"));
    struct file_bytes halves = read_file(FIXTURE("halves"));
    scratch_write(path, file.bytes, file.size);
    struct geo_db *db = open_db(path, GEO_FIELD_COUNTRY);
    expect_italy(db, "nothing");
    scratch_write(path, halves.bytes, halves.size);
    expect_italy(db, "another database was written over it");
    memset(file.bytes, 0xff, file.size);
    scratch_write(path, file.bytes, file.size);
    expect_italy(db, "rubbish was written over it");
    ck_assert_int_eq(truncate(path, 0), 0);
    expect_italy(db, "it was cut to nothing");
    scratch_write(other, halves.bytes, halves.size);
    ck_assert_int_eq(rename(other, path), 0);
    expect_italy(db, "another file took its name");
    ck_assert_int_eq(unlink(path), 0);
    expect_italy(db, "it was deleted");
    geo_db_unref(db);
    file_bytes_fini(&file);
    file_bytes_fini(&halves);
    scratch_fini(&scratch);
}
END_TEST

static const struct {
    const char *label, *path;
    enum geo_field field;
    const char *why;
} REFUSED[] = {
    {"no file", FIXTURE("missing"), GEO_FIELD_COUNTRY, "No such file"},
    {"a folder", "test/fixtures", GEO_FIELD_COUNTRY, "not a regular file"},
    {"no MMDB", "test/fixtures/networks.txt", GEO_FIELD_COUNTRY, "not a MaxMind DB file"},
    {"autonomous systems", FIXTURE("asn"), GEO_FIELD_COUNTRY,
     "GeoLite2-ASN is not a country database: no record has a code in country"},
    {"a field that nobody has", FIXTURE("flat"), GEO_FIELD_REGISTERED,
     "no record has a code in registered_country"},
    {"nor this", FIXTURE("borders"), GEO_FIELD_REPRESENTED, "in represented_country"},
};

START_TEST(refuses_with_a_reason)
{
    for (size_t i = 0; i < sizeof REFUSED / sizeof REFUSED[0]; i++) {
        char why[WHY_MAX] = "";
        ck_assert_msg(geo_db_open(REFUSED[i].path, REFUSED[i].field, why) == NULL, "%s",
                      REFUSED[i].label);
        ck_assert_msg(strstr(why, REFUSED[i].why) != NULL, "%s: %s", REFUSED[i].label, why);
    }
}
END_TEST

/* ---- Databases made by hand ---- */

static struct mmdb_image image;

/* Opens the image as the file that it would be; why says what became of it. */
static struct geo_db *open_image(char why[static WHY_MAX])
{
    char path[32];
    int fd = memfd_create("image", MFD_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, image.bytes, image.size), (ssize_t)image.size);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    struct geo_db *db = geo_db_open(path, GEO_FIELD_COUNTRY, why);
    close(fd);
    return db;
}

/* Refused for one reason or the other; opened if there is none. */
static void expect_image_or(const char *label, const char *sentence, const char *other)
{
    char why[WHY_MAX] = "";
    struct geo_db *db = open_image(why);
    if (sentence == NULL) {
        ck_assert_msg(db != NULL, "%s: %s", label, why);
    } else {
        ck_assert_msg(db == NULL, "%s was opened", label);
        ck_assert_msg(strstr(why, sentence) != NULL || strstr(why, other) != NULL, "%s: %s", label,
                      why);
    }
    geo_db_unref(db);
}

static void expect_image(const char *label, const char *sentence)
{
    expect_image_or(label, sentence, sentence);
}

#define RECORD "\xe1\x4c\x63ountry_code\x42IT"
#define EMPTY(nodes) (nodes)
#define DATA(nodes, offset) ((nodes) + 16 + (offset))

static const struct {
    const char *label;
    uint32_t nodes[3][2];
    unsigned count;
    const char *data;
    const char *why; /* NULL: opens */
} IMAGES[] = {
    {"one record", {{EMPTY(1), DATA(1, 0)}}, 1, RECORD, NULL},
    {"both records the same", {{DATA(1, 0), DATA(1, 0)}}, 1, RECORD, NULL},
    {"one node reached twice", {{1, 2}, {2, EMPTY(3)}, {EMPTY(3), DATA(3, 0)}}, 3, RECORD, NULL},
    {"nothing but empty records", {{EMPTY(1), EMPTY(1)}}, 1, RECORD, "not a country database"},
    {"a node that leads to itself", {{1, EMPTY(2)}, {1, DATA(2, 0)}}, 2, RECORD, "in a circle"},
    {"two nodes in a circle",
     {{EMPTY(3), 1}, {2, DATA(3, 0)}, {1, DATA(3, 0)}},
     3,
     RECORD,
     "in a circle"},
    {"a node that leads to the root", {{DATA(1, 0), 0}}, 1, RECORD, "leads nowhere"},
    {"a record behind the file", {{DATA(1, 0), DATA(1, 1000000)}}, 1, RECORD, "leads nowhere"},
    {"the highest record", {{DATA(1, 0), UINT32_MAX}}, 1, RECORD, "leads nowhere"},
    {"a record in the separator", {{DATA(1, 0), 1 + 3}}, 1, RECORD, "lies outside the file"},
    {"a record in the middle of another",
     {{DATA(1, 0), DATA(1, 3)}},
     1,
     RECORD,
     "cannot be decoded"},
    {"a broken record", {{DATA(1, 0), DATA(1, 17)}}, 1, RECORD "\xe1\x01\x63", "cannot be decoded"},
    {"a record without the field", {{DATA(1, 0), DATA(1, 17)}}, 1, RECORD "\xe1\x41x\x41y", NULL},
};

START_TEST(judges_the_tree)
{
    for (size_t i = 0; i < sizeof IMAGES / sizeof IMAGES[0]; i++) {
        mmdb_image_init(&image);
        for (unsigned node = 0; node < IMAGES[i].count; node++) {
            mmdb_image_node(&image, IMAGES[i].nodes[node][0], IMAGES[i].nodes[node][1]);
        }
        mmdb_image_data(&image, IMAGES[i].data, strlen(IMAGES[i].data));
        mmdb_image_metadata(&image, IMAGES[i].count, 6, 1);
        expect_image(IMAGES[i].label, IMAGES[i].why);
    }
}
END_TEST

/* A chain of nodes, each the left side of the one before, with data at its end. Where shared is not
 * 0 the root's right side leads to that node of the chain. */
static void make_chain(unsigned length, unsigned shared, uint8_t ip_version)
{
    mmdb_image_init(&image);
    for (unsigned i = 0; i < length; i++) {
        uint32_t left = i + 1 < length ? i + 1 : DATA(length, 0);
        mmdb_image_node(&image, left, i == 0 && shared != 0 ? shared : EMPTY(length));
    }
    mmdb_image_data(&image, RECORD, strlen(RECORD));
    mmdb_image_metadata(&image, length, ip_version, 1);
}

static const struct {
    const char *label;
    unsigned length, shared;
    uint8_t ip_version;
    const char *why;
} CHAINS[] = {
    {"IPv4, as deep as an address", 32, 0, 4, NULL},
    {"IPv4, one deeper", 33, 0, 4, "too deep"},
    {"IPv6, as deep as an address", 128, 0, 6, NULL},
    {"IPv6, one deeper", 129, 0, 6, "too deep"},
    {"IPv6, far deeper", 250, 0, 6, "too deep"},
    {"IPv6, with a shared part", 128, 96, 6, NULL},
    {"one deeper with a shared part", 129, 96, 6, "too deep"},
};

START_TEST(judges_the_depth)
{
    for (size_t i = 0; i < sizeof CHAINS / sizeof CHAINS[0]; i++) {
        make_chain(CHAINS[i].length, CHAINS[i].shared, CHAINS[i].ip_version);
        expect_image(CHAINS[i].label, CHAINS[i].why);
    }
}
END_TEST

/* Too deep only on the way through a part that was already walked from a higher place: from the
 * root straight to the chain's start, and then through a second chain to it. */
START_TEST(judges_the_depth_of_shared_parts)
{
    for (unsigned above = 95; above <= 96; above++) {
        const unsigned below = 32;
        const unsigned count = 1 + above + below;
        mmdb_image_init(&image);
        mmdb_image_node(&image, 1 + above, 1); /* left: the lower chain; right: the upper one */
        for (unsigned i = 1; i <= above; i++) {
            mmdb_image_node(&image, EMPTY(count), i + 1);
        }
        for (unsigned i = 1 + above; i < count; i++) {
            mmdb_image_node(&image, EMPTY(count), i + 1 < count ? i + 1 : DATA(count, 0));
        }
        mmdb_image_data(&image, RECORD, strlen(RECORD));
        mmdb_image_metadata(&image, count, 6, 1);
        expect_image("a shared part", above == 95 ? NULL : "too deep");
    }
}
END_TEST

static const struct {
    const char *label;
    uint32_t nodes;
    uint8_t ip_version;
    uint64_t epoch;
    const char *why;
} METADATA[] = {
    {"as it should be", 1, 6, 1, NULL},
    {"the last second of the year 9999", 1, 6, 253402300799, NULL},
    {"a time beyond all years", 1, 6, 253402300800, "build time"},
    {"a time beyond 63 bits", 1, 6, UINT64_MAX, "build time"},
    {"no nodes", 0, 6, 1, "not a MaxMind DB file"},
    {"more nodes than the file has", 1000, 6, 1, "not a MaxMind DB file"},
    {"so many nodes that 32 bits wrap", 0x20000000, 6, 1, "larger than the file"},
    {"and one more", 0x20000001, 6, 1, "larger than the file"},
    {"a family that does not exist", 1, 5, 1, "not a MaxMind DB file"},
};

START_TEST(judges_the_metadata)
{
    for (size_t i = 0; i < sizeof METADATA / sizeof METADATA[0]; i++) {
        mmdb_image_init(&image);
        mmdb_image_node(&image, EMPTY(1), DATA(1, 0));
        mmdb_image_data(&image, RECORD, strlen(RECORD));
        mmdb_image_metadata(&image, METADATA[i].nodes, METADATA[i].ip_version, METADATA[i].epoch);
        /* What we say of it, a newer libmaxminddb has said before. */
        expect_image_or(METADATA[i].label, METADATA[i].why, "contains invalid metadata");
    }
}
END_TEST

static const struct {
    const char *label, *type, *why;
} TYPES[] = {
    {"printable", "ip-location-db ~", NULL},
    {"nothing", "", NULL},
    {"a terminal sequence", "a\x1b[31m", "no printable text"},
    {"a line end", "a\nb", "no printable text"},
    {"beyond ASCII", "caf\xe9", "no printable text"},
};

START_TEST(judges_the_type)
{
    for (size_t i = 0; i < sizeof TYPES / sizeof TYPES[0]; i++) {
        mmdb_image_init(&image);
        image.type = TYPES[i].type;
        mmdb_image_node(&image, EMPTY(1), DATA(1, 0));
        mmdb_image_data(&image, RECORD, strlen(RECORD));
        mmdb_image_metadata(&image, 1, 6, 1);
        expect_image(TYPES[i].label, TYPES[i].why);
    }
}
END_TEST

START_TEST(refuses_an_empty_file)
{
    mmdb_image_init(&image);
    expect_image("an empty file", "the file is empty");
}
END_TEST

/* ---- Every cut and every flip of a small database ---- */

/* Whatever was opened must answer: found or absent, with a network around the address. */
static void ask_everything(const struct geo_db *db)
{
    static const char *const texts[] = {
        "0.0.0.0",         "2.32.0.1", "2.47.255.255", "192.0.2.1",     "203.0.113.1",
        "255.255.255.255", "::",       "2001:b07::1",  "2002:220:1::1", "ffff::"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct address address = model_address(texts[i]);
        struct geo_db_result result;
        geo_db_find(db, &address, &result);
        ck_assert_int_ne(result.outcome, GEO_DB_FAILED);
        ck_assert_uint_le(result.network.length, 128);
        ck_assert(network_contains(&result.network, &address));
    }
}

static void expect_refused_or_sound(void)
{
    char why[WHY_MAX] = "";
    struct geo_db *db = open_image(why);
    if (db == NULL) {
        ck_assert_uint_gt(strlen(why), 0);
    } else {
        ask_everything(db);
    }
    geo_db_unref(db);
}

START_TEST(survives_every_cut)
{
    struct file_bytes file = read_file(FIXTURE("geoip2"));
    for (size_t size = 0; size < file.size; size++) {
        mmdb_image_init(&image);
        mmdb_image_put(&image, file.bytes, size);
        expect_refused_or_sound();
        mmdb_image_init(&image);
        mmdb_image_put(&image, file.bytes + size, file.size - size);
        expect_refused_or_sound();
    }
    file_bytes_fini(&file);
}
END_TEST

START_TEST(survives_every_flip)
{
    static const uint8_t flips[] = {0xff, 0x01, 0x20, 0x80};
    struct file_bytes file = read_file(FIXTURE("geoip2"));
    mmdb_image_init(&image);
    mmdb_image_put(&image, file.bytes, file.size);
    for (size_t i = 0; i < file.size; i++) {
        image.bytes[i] ^= flips[_i];
        expect_refused_or_sound();
        image.bytes[i] ^= flips[_i];
    }
    file_bytes_fini(&file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("geo_db");
    TCase *sound = tcase_create("sound");
    TCase *broken = tcase_create("broken");
    suite_add_tcase(suite, sound);
    suite_add_tcase(suite, broken);
    tcase_add_test(sound, finds_countries);
    tcase_add_loop_test(sound, agrees_with_the_model, 0, 2);
    tcase_add_test(sound, tells_what_it_is);
    tcase_add_test(sound, lives_until_the_last_reference);
    tcase_add_test(sound, does_not_care_what_happens_to_the_path);
    tcase_add_test(broken, refuses_with_a_reason);
    tcase_add_test(broken, judges_the_tree);
    tcase_add_test(broken, judges_the_depth);
    tcase_add_test(broken, judges_the_depth_of_shared_parts);
    tcase_add_test(broken, judges_the_metadata);
    tcase_add_test(broken, judges_the_type);
    tcase_add_test(broken, refuses_an_empty_file);
    tcase_add_test(broken, survives_every_cut);
    tcase_add_loop_test(broken, survives_every_flip, 0, 4);
    tcase_set_timeout(sound, 60);
    tcase_set_timeout(broken, 120);
    return suite_run(suite);
}
