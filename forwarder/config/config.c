/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * The tables of forwarder.conf, one row a key in the order of forwarder.conf(5), and the two
 * readers of the whole. Invariant: a struct config that leaves here had no error, unless it is a
 * draft, and every field of it holds what was written or the default of its row.
 */
#include "forwarder/config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "forwarder/config/config_address.h"
#include "forwarder/config/config_dnstap.h"
#include "forwarder/config/config_listen.h"
#include "forwarder/config/config_metrics.h"
#include "forwarder/config/config_scalar.h"
#include "forwarder/config/config_table.h"
#include "forwarder/config/config_upstream.h"
#include "geo/file_bytes.h"

#define CONTACTS_MAX 8
#define LISTEN_MAX 256
#define NETWORKS_MAX 1000000
#define USER_MAX 32 /* octets of a user's name, see useradd(8) */

static const struct config_choice country_fields[] = {
    {"country", GEO_FIELD_COUNTRY, NULL},
    {"registered_country", GEO_FIELD_REGISTERED, NULL},
    {"represented_country", GEO_FIELD_REPRESENTED, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice block_actions[] = {
    {"refused", ORDER_REFUSED, NULL},
    {"nxdomain", ORDER_NXDOMAIN, NULL},
    {"nodata", ORDER_NODATA, NULL},
    {"drop", ORDER_DROP, NULL},
    {"address", 0, "belongs in an order, with its addresses"},
    {"shadow", 0, "belongs in an order: as a default it would switch off every other one"},
    {"cname", 0, "belongs in an order, with its target"},
    {NULL, 0, NULL},
};

static const struct config_choice resolver_arpa_choices[] = {
    {"forward", false, NULL},
    {"nodata", true, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice watch_choices[] = {
    {"yes", true, NULL},
    {"no", false, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice log_formats[] = {
    {"text", LOG_FORMAT_TEXT, NULL},
    {"json", LOG_FORMAT_JSON, NULL},
    {NULL, 0, NULL},
};

static const struct config_choice sandbox_choices[] = {
    {"yes", true, NULL},
    {"no", false, NULL},
    {NULL, 0, NULL},
};

/* `auto` is 0, which no number may be. */
static bool parse_workers(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    if (strcmp(value->text, "auto") == 0) {
        config_scalar_store(field, key->size, 0);
        return true;
    }
    if (!config_scalar_number(key, value, field, why)) {
        snprintf(why, WHY_MAX, "needs auto or a number from %ju to %ju, not %s",
                 (uintmax_t)key->min, (uintmax_t)key->max, value->shown);
        return false;
    }
    return true;
}

static bool parse_log_level(const struct config_key *key, const struct config_value *value,
                            void *field, char why[static WHY_MAX])
{
    enum log_level level;
    if (!log_level_parse(value->text, value->len, &level)) {
        snprintf(why, WHY_MAX, "needs one of error, warning, info, debug, not %s", value->shown);
        return false;
    }
    config_scalar_store(field, key->size, level);
    return true;
}

/* Only what RFC 3986 lets stand in a URI, each '%' with its two digits. */
static bool is_uri_text(const char *text)
{
    static const char inside[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                 "-._~:/?#[]@!$&'()*+,;=%";
    if (text[strspn(text, inside)] != '\0') {
        return false;
    }
    for (const char *percent = strchr(text, '%'); percent != NULL;
         percent = strchr(percent + 1, '%')) {
        if (strspn(percent + 1, "0123456789ABCDEFabcdef") < 2) {
            return false;
        }
    }
    return true;
}

/* A contact for structured errors: what a client's software can offer its user to click. */
static bool parse_contact(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    static const struct {
        const char *scheme;
        const char *needs; /* one of these must stand behind the scheme; "": anything */
    } schemes[] = {{"mailto:", "@"}, {"tel:", "0123456789"}, {"sips:", ""}, {"https://", ""}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t len = strlen(schemes[i].scheme);
        const char *rest = value->text + len;
        if (strncmp(value->text, schemes[i].scheme, len) == 0 && *rest != '\0' &&
            (*schemes[i].needs == '\0' || strpbrk(rest, schemes[i].needs) != NULL) &&
            is_uri_text(rest)) {
            return config_scalar_text(key, value, field, why);
        }
    }
    snprintf(why, WHY_MAX,
             "needs a URI that begins with mailto: (and an address), tel: (and a number), sips: or "
             "https://, not %s",
             value->shown);
    return false;
}

static void read_contacts(const struct config_key *key, struct yaml_node node, void *field,
                          const struct config_reader *reader)
{
    static const struct config_key item = {.name = "contact", .parse = parse_contact, .max = 200};
    struct config_block *block = &((struct config *)field)->block;
    if (!yaml_node_present(node)) {
        return;
    }
    bool alone = yaml_node_kind(node) == YAML_TEXT_SCALAR;
    if (alone) {
        block->contacts = calloc(1, sizeof *block->contacts);
        block->contact_count = block->contacts == NULL ? 0 : 1;
        if (block->contacts == NULL) {
            yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "no memory for contact");
        }
    } else {
        block->contacts =
            config_table_list(key, node, sizeof *block->contacts, &block->contact_count, reader);
    }
    for (size_t i = 0; i < block->contact_count; i++) {
        config_table_parse(&item, alone ? node : yaml_node_item(node, i), &block->contacts[i],
                           reader);
    }
}

static bool parse_network(const struct config_key *key, const struct config_value *value,
                          void *field, char why[static WHY_MAX])
{
    (void)key;
    char reason[WHY_MAX / 2];
    if (!network_parse(value->text, value->len, field, reason, sizeof reason)) {
        snprintf(why, WHY_MAX, "needs networks: %s", reason);
        return false;
    }
    return true;
}

/* A list of networks into a struct network_set *, which stays NULL without the key. */
static void read_networks(const struct config_key *key, struct yaml_node node, void *field,
                          const struct config_reader *reader)
{
    struct config_key item = {.name = key->name, .parse = parse_network};
    if (!yaml_node_present(node)) {
        return;
    }
    size_t count, good = 0;
    struct network *networks = config_table_list(key, node, sizeof *networks, &count, reader);
    for (size_t i = 0; i < count; i++) {
        good += config_table_parse(&item, yaml_node_item(node, i), &networks[i], reader);
    }
    if (count > 0 && good == count) {
        struct network_set *set = network_set_new(networks, count);
        if (set == NULL) {
            yaml_node_problem(node, PROBLEM_ERROR, reader->problems, "no memory for %s", key->name);
        }
        memcpy(field, &set, sizeof set);
    }
    free(networks);
}

/* The same where an empty list says what its absence says: nobody. */
static void read_trusted(const struct config_key *key, struct yaml_node node, void *field,
                         const struct config_reader *reader)
{
    bool nobody = yaml_node_present(node) && yaml_node_kind(node) == YAML_TEXT_SEQUENCE &&
                  yaml_node_count(node) == 0;
    if (!nobody) {
        read_networks(key, node, field, reader);
    }
}

static void read_upstream(const struct config_key *key, struct yaml_node node, void *field,
                          const struct config_reader *reader)
{
    config_table_read(key->table, node, &((struct config *)field)->upstream, reader);
}

#define PATH(key, member, standard, must, most)                                        \
    {                                                                                  \
        .name = key, .parse = config_scalar_path, CONFIG_FIELD(struct config, member), \
        .fallback = standard, .required = must, .max = most                            \
    }
#define AMOUNT(key, how, member, ...) \
    CONFIG_AMOUNT(key, config_scalar_##how, struct config, member, __VA_ARGS__)
#define WORD(key, words, member, standard) CONFIG_WORD(key, words, struct config, member, standard)
#define SECTION(key, must) CONFIG_SECTION(#key, config_table_read_section, must, &key##_table)

static const struct config_key geo_keys[] = {
    PATH("database", geo_database, NULL, true, 0),
    WORD("country-field", country_fields, geo_field, "country"),
    PATH("overrides", geo_overrides, NULL, false, 0),
    AMOUNT("max-age", seconds, geo_max_age_s, "60d", 3600, 315360000),
};
static const struct config_table geo_table = CONFIG_TABLE("geo", geo_keys);

static const struct config_key block_keys[] = {
    WORD("action", block_actions, block.action, "refused"),
    AMOUNT("ttl", seconds, block.ttl_s, "60s", 0, 604800),
    CONFIG_LIST("contact", read_contacts, false, CONTACTS_MAX),
    AMOUNT("organization", text, block.organization, NULL, 0, 200),
    PATH("protected-names", block.protected_names, NULL, false, 0),
    PATH("protected-networks", block.protected_networks, NULL, false, 0),
    PATH("cookie-secret", block.cookie_secret, NULL, false, 0),
};
static const struct config_table block_table = CONFIG_TABLE("block", block_keys);

#define NETWORKS(key, how, member)                                                         \
    {                                                                                      \
        .name = key, .read = how, CONFIG_FIELD(struct config, member), .max = NETWORKS_MAX \
    }

static const struct config_key trust_keys[] = {
    NETWORKS("proxy-protocol", read_trusted, trust.proxy_protocol),
    NETWORKS("ecs", read_trusted, trust.ecs),
    NETWORKS("forwarded-for", read_trusted, trust.forwarded_for),
};
static const struct config_table trust_table = CONFIG_TABLE("trust", trust_keys);

static const struct config_key limits_keys[] = {
    AMOUNT("tcp-connections", number, limits.tcp_connections, "20000", 1, 1000000),
    AMOUNT("tcp-per-client", number, limits.tcp_per_client, "100", 1, 1000000),
    AMOUNT("tcp-idle", milliseconds, limits.tcp_idle_ms, "30s", 100, 3600000),
    AMOUNT("in-flight", number, limits.in_flight, "65536", 1, 1048576),
    AMOUNT("stream-output", size, limits.stream_output, "256 KiB", 65536, 67108864),
    AMOUNT("receive-buffer", size, limits.receive_buffer, NULL, 65536, 1073741824),
};
static const struct config_table limits_table = CONFIG_TABLE("limits", limits_keys);

static const struct config_key rate_limit_keys[] = {
    AMOUNT("answers", number, rate_limit.answers, NULL, 1, CONFIG_RATE_MAX),
    AMOUNT("slip", number, rate_limit.slip, "2", 0, 100),
    AMOUNT("queries", number, rate_limit.queries, NULL, 1, CONFIG_RATE_MAX),
    NETWORKS("exempt", read_trusted, rate_limit.exempt),
};
static const struct config_table rate_limit_table = CONFIG_TABLE("rate-limit", rate_limit_keys);

static const struct config_key log_keys[] = {
    CONFIG_AMOUNT("level", parse_log_level, struct config, log_level, "info", 0, 0),
    WORD("format", log_formats, log_format, "text"),
};
static const struct config_table log_table = CONFIG_TABLE("log", log_keys);

static const struct config_key top_keys[] = {
    CONFIG_LIST("listen", config_listen_read, true, LISTEN_MAX),
    CONFIG_AMOUNT("workers", parse_workers, struct config, workers, "auto", 1, CONFIG_WORKERS_MAX),
    NETWORKS("allow", read_networks, allow),
    CONFIG_SECTION("upstream", read_upstream, true, &config_upstream_table),
    SECTION(geo, true),
    PATH("orders", orders, NULL, true, 0),
    WORD("watch", watch_choices, watch, "yes"),
    PATH("state", state, "/var/lib/bailiwick", false, 0),
    SECTION(block, false),
    WORD("resolver-arpa", resolver_arpa_choices, resolver_arpa_nodata, "forward"),
    SECTION(trust, false),
    SECTION(limits, false),
    CONFIG_SECTION("rate-limit", config_table_read_section, false, &rate_limit_table),
    PATH("control", control, "/run/bailiwick/control.sock", false,
         sizeof((struct sockaddr_un *)NULL)->sun_path - sizeof ".new"), /* what is made first */
    AMOUNT("user", text, user, NULL, 0, USER_MAX),
    WORD("sandbox", sandbox_choices, sandbox, "yes"),
    {.name = "metrics", .read = config_metrics_read},
    CONFIG_SECTION("dnstap", config_dnstap_read, false, &config_dnstap_table),
    SECTION(log, false),
};
static const struct config_table top_table = CONFIG_TABLE("forwarder.conf", top_keys);

/* The absolute path of the folder that path lies in; NULL when memory is out or there is no
 * current folder. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);
    if (path[0] == '/') {
        return strndup(path, len);
    }
    char *here = getcwd(NULL, 0);
    if (here == NULL) {
        return NULL;
    }
    char *folder;
    int put = asprintf(&folder, "%s%s%.*s", strcmp(here, "/") == 0 ? "" : here, len == 0 ? "" : "/",
                       (int)len, path);
    free(here);
    return put < 0 ? NULL : folder;
}

static bool state_equal(const struct config *a, const struct config *b)
{
    return strcmp(a->state, b->state) == 0;
}

static bool limits_equal(const struct config *a, const struct config *b)
{
    return a->limits.tcp_connections == b->limits.tcp_connections &&
           a->limits.tcp_per_client == b->limits.tcp_per_client &&
           a->limits.tcp_idle_ms == b->limits.tcp_idle_ms &&
           a->limits.in_flight == b->limits.in_flight &&
           a->limits.stream_output == b->limits.stream_output &&
           a->limits.receive_buffer == b->limits.receive_buffer;
}

static bool control_equal(const struct config *a, const struct config *b)
{
    return strcmp(a->control, b->control) == 0;
}

static bool metrics_equal(const struct config *a, const struct config *b)
{
    return config_metrics_equal(&a->metrics, &b->metrics);
}

static bool dnstap_equal(const struct config *a, const struct config *b)
{
    return config_dnstap_equal(&a->dnstap, &b->dnstap);
}

static bool user_equal(const struct config *a, const struct config *b)
{
    return a->user == NULL || b->user == NULL ? a->user == b->user : strcmp(a->user, b->user) == 0;
}

static bool sandbox_equal(const struct config *a, const struct config *b)
{
    return a->sandbox == b->sandbox;
}

/* What only a start can change. */
static const struct {
    const char *key;
    bool (*equal)(const struct config *a, const struct config *b);
} fixed[] = {
    {"state", state_equal},     {"limits", limits_equal}, {"control", control_equal},
    {"metrics", metrics_equal}, {"dnstap", dnstap_equal}, {"user", user_equal},
    {"sandbox", sandbox_equal},
};

#define FIXED (sizeof fixed / sizeof fixed[0])

_Static_assert(FIXED <= CONFIG_FIXED_MAX, "each of them has a place");

static void keep_place(struct yaml_node root, const char *key, struct config_place *place)
{
    struct yaml_node node = yaml_node_find(root, key);
    if (yaml_node_present(node)) {
        yaml_node_place(node, &place->line, &place->column);
    }
}

static void keep_places(struct config *config, struct yaml_node root)
{
    keep_place(root, "workers", &config->workers_place);
    keep_place(root, "upstream", &config->upstream_place);
    for (size_t i = 0; i < FIXED; i++) {
        keep_place(root, fixed[i].key, &config->fixed_places[i]);
    }
}

static void read_document(struct config *config, const char *bytes, size_t size,
                          const struct config_reader *reader)
{
    struct yaml_text *text = yaml_text_parse(config->path, bytes, size, reader->problems);
    if (text != NULL) {
        struct yaml_node root = yaml_text_root(text);
        size_t errors = reader->problems->errors;
        config_table_read(&top_table, root, config, reader);
        keep_places(config, root);
        if (reader->problems->errors == errors) {
            config_listen_check_trust(config, root, reader);
            config_listen_check_loops(config, root, reader);
        }
    }
    yaml_text_free(text);
}

/* Contacts without those that have an error. */
static void keep_good_contacts(struct config_block *block)
{
    size_t good = 0;
    for (size_t i = 0; i < block->contact_count; i++) {
        if (block->contacts[i] != NULL) {
            block->contacts[good++] = block->contacts[i];
        }
    }
    block->contact_count = good;
}

struct config *config_parse_draft(const char *path, const char *bytes, size_t size,
                                  struct problem_list *problems)
{
    char *folder = folder_of(path);
    struct config *config = calloc(1, sizeof *config);
    if (folder != NULL && config != NULL && (config->path = strdup(path)) != NULL) {
        struct config_reader reader = {.path = path, .folder = folder, .problems = problems};
        read_document(config, bytes, size, &reader);
        keep_good_contacts(&config->block);
    } else {
        problem_list_add(problems, PROBLEM_ERROR, path, 0, 0, "cannot be read: %s",
                         strerror(errno));
        config_free(config);
        config = NULL;
    }
    free(folder);
    return config;
}

struct config *config_parse(const char *path, const char *bytes, size_t size,
                            struct problem_list *problems)
{
    size_t errors = problems->errors;
    struct config *config = config_parse_draft(path, bytes, size, problems);
    if (problems->errors != errors) {
        config_free(config);
        return NULL;
    }
    return config;
}

struct config *config_read_draft(const char *path, struct problem_list *problems)
{
    struct file_bytes file;
    char why[WHY_MAX];
    if (!file_bytes_read(AT_FDCWD, path, YAML_TEXT_BYTES_MAX, &file, why)) {
        problem_list_add(problems, PROBLEM_ERROR, path, 0, 0, "%s", why);
        return NULL;
    }
    struct config *config = config_parse_draft(path, file.bytes, file.size, problems);
    file_bytes_fini(&file);
    return config;
}

struct config *config_read(const char *path, struct problem_list *problems)
{
    size_t errors = problems->errors;
    struct config *config = config_read_draft(path, problems);
    if (problems->errors != errors) {
        config_free(config);
        return NULL;
    }
    return config;
}

void config_free(struct config *config)
{
    if (config == NULL) {
        return;
    }
    for (size_t i = 0; i < config->block.contact_count; i++) {
        free(config->block.contacts[i]);
    }
    char *const texts[] = {config->path,
                           config->geo_database,
                           config->geo_overrides,
                           config->orders,
                           config->state,
                           config->block.organization,
                           config->block.protected_names,
                           config->block.protected_networks,
                           config->block.cookie_secret,
                           config->control,
                           config->user};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        free(texts[i]);
    }
    free(config->block.contacts);
    config_listen_free(config->listen, config->listen_count);
    network_set_free(config->allow);
    network_set_free(config->trust.proxy_protocol);
    network_set_free(config->trust.ecs);
    network_set_free(config->trust.forwarded_for);
    network_set_free(config->rate_limit.exempt);
    config_upstream_fini(&config->upstream);
    config_dnstap_fini(&config->dnstap);
    free(config);
}

const char *config_fixed_difference(const struct config *a, const struct config *b, size_t *next,
                                    struct config_place *place)
{
    while (*next < FIXED) {
        size_t index = (*next)++;
        if (!fixed[index].equal(a, b)) {
            *place = b->fixed_places[index];
            return fixed[index].key;
        }
    }
    return NULL;
}

struct config_place config_place_of(const struct config *config, const char *key)
{
    for (size_t i = 0; i < FIXED; i++) {
        if (strcmp(fixed[i].key, key) == 0) {
            return config->fixed_places[i];
        }
    }
    return strcmp(key, "workers") == 0 ? config->workers_place : config->upstream_place;
}
